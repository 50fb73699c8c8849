# make demo    from a bare checkout: install, then derive one gradient
# make test    install the development tools, then run every test
# make lint    style, format and types
# make docs    rewrite what is made: pages from the records, the gallery, what commands print
# make site    build the documentation into docs/_build, warnings as errors
# make format  rewrite the sources in the project's format
# VENV=folder puts the virtual environment elsewhere.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
INPUTS := pyproject.toml constraints.txt matcalc/version.py

.PHONY: demo test lint docs site format install install-dev
.DELETE_ON_ERROR:

demo: install
	$(BIN)/matcalc grad "x.T*A*x - b.T*x" --wrt x

# One thread of torch's for each of the two workers.
test: install-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install-dev
	$(BIN)/python -m matcalc.handbook.pages
	$(BIN)/python -m matcalc.gallery
	$(BIN)/python tests/documentation/snippets.py

site: install-dev
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# The stamps are newer than what they were installed from, so pip runs again only when that changes.
$(VENV)/.installed: $(INPUTS) | $(BIN)/pip
	$(PIP_INSTALL) --editable .
	@touch $@

# The development install holds all that the plain one does.
$(VENV)/.installed-dev: $(INPUTS) | $(BIN)/pip
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $(VENV)/.installed $@

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)
