"""A page as a Jupyter notebook that runs from top to bottom (nbformat 4.5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from matcalc.pages.content import Page
from matcalc.pages.render import in_markdown, markdown
from matcalc.version import __version__

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(pages: Sequence[Page], title: str = "") -> str:
    """The notebook as JSON: what the page says, and cells that derive it again, check it and run its code."""
    cells: list[dict[str, Any]] = []
    if len(pages) > 1:
        cells.append(_markdown(f"# {in_markdown(title)}", len(cells)))
    for page in pages:
        cells += _cells(page, len(cells))
    record = {
        "cells": cells,
        "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}, "matcalc": {"version": __version__}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _cells(page: Page, first: int) -> list[dict[str, Any]]:
    said, _, rest = markdown([page]).partition("\n## Computation graph\n")
    del rest  # the graph and the code are cells that run
    sources = [("markdown", said.strip()), ("code", _derived(page)), ("code", "f.graph()"), ("code", _checked(page))]
    if page.pictures:
        sources.append(("code", _drawn(page)))
    module = page.codes.get("torch", "")
    if "def " in module:
        sources += [("markdown", "## Code"), ("code", module.rstrip())]
    make = {"markdown": _markdown, "code": _code}
    return [make[kind](source, first + k) for k, (kind, source) in enumerate(sources)]


def _derived(page: Page) -> str:
    asked = page.report.asked or {}
    names = [repr(name) for name in asked.get("wrt", ())]
    kind = asked.get("kind", "grad")
    options = ", unconstrained=True" if asked.get("unconstrained") else ""
    lines = [
        "import matcalc as mc",
        "",
        f"f = mc.parse({asked.get('expression', '')!r}, let={asked.get('let', {})!r})",
    ]
    if kind == "jacobian":
        made = "f"
        for name in names:
            made = f"mc.jacobian({made}, {name}{options})"
        lines.append(f"derivative = {made}")
    else:
        lines.append(f"derivative = mc.{kind}(f, {', '.join(names)}{options})")
    return "\n".join([*lines, "derivative"])


def _drawn(page: Page) -> str:
    """The pictures, with the same seed."""
    names = ["structure", "errors"][-len(page.pictures) :]  # a gradient has no structure to show
    lines = [f"plots.{name}(derivative, seed={page.report.seed})" for name in names]
    shown = [f"display({line})" for line in lines[:-1]] + lines[-1:]
    return "\n".join(["%matplotlib inline", "from matcalc import plots", "", *shown])


def _checked(page: Page) -> str:
    """The same check with the same seed."""
    asked = page.report.asked or {}
    seed = page.report.seed
    if page.claim is None:
        return f"report = derivative.check(seed={seed})\nprint(report)\nassert report.verdict == {page.verdict!r}"
    names = asked.get("wrt", [])
    wrt = repr(names[0]) if len(names) == 1 else repr(tuple(names))
    call = f"mc.check(f, {wrt}, claim={page.claim.text!r}, kind={asked.get('kind', 'grad')!r}, seed={seed})"
    return f"report = {call}\nprint(report)\nassert report.verdict == {page.verdict!r}"


def _identity(source: str, place: int) -> str:
    """A cell's id, which the format asks for, from its place and its text."""
    return hashlib.sha256(f"{place}:{source}".encode()).hexdigest()[:12]


def _markdown(source: str, place: int) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "id": _identity(source, place),
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }


def _code(source: str, place: int) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": _identity(source, place),
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }
