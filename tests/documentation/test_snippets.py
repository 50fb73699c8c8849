"""What the documentation shows is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from snippets import PAGES, Command, blocks, checkout, commands, fits, printed_by, run_python

SHOWN = [
    (page, command)
    for page in PAGES
    for block in blocks(page.read_text(encoding="utf-8"), "console")
    for command in commands(block["body"])
]


@pytest.mark.parametrize(("page", "command"), SHOWN, ids=[f"{page.stem}: {command.line}" for page, command in SHOWN])
def test_a_command_prints_what_the_page_says(page: Path, command: Command) -> None:
    """Where this fails rightly, `python tests/documentation/snippets.py` writes the pages anew."""
    with checkout() as folder:
        printed = printed_by(command.line, folder)
    assert fits(printed, command.printed), f"{page.name} says\n{command.printed}\nand it prints\n{printed}"


README = next(page for page in PAGES if page.name == "README.md")
LINES = [line.strip() for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("    matcalc ")]


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_readme_works(line: str) -> None:
    with checkout() as folder:
        printed = printed_by(line, folder)
    assert printed
    assert not printed.startswith(("error", "refuted", "inconclusive"))
    assert "Usage" not in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path) -> None:
    with checkout() as folder:
        assert run_python(page, page.read_text(encoding="utf-8"), folder) == []


def test_a_broken_snippet_is_seen(tmp_path: Path) -> None:
    assert not fits("verified\n", "refuted\n")
    assert not fits("", "…verified")
    assert fits("a\nb 1.2e-16\nc\n", "a\nb 3.4e-16\n…")
    page = tmp_path / "page.md"
    assert run_python(page, "```python\n1/0\n```\n", tmp_path) == ["page.md:2: ZeroDivisionError: division by zero"]
    assert "Expected:" in run_python(page, "```python\n>>> 1 + 1\n3\n```\n", tmp_path)[0]
    assert run_python(page, "```python\n>>> x = 2\n```\n\n```python\n>>> x\n2\n```\n", tmp_path) == []


def test_commands_are_read_from_a_block() -> None:
    assert commands("$ matcalc a \\\n    b\nout\n$ matcalc c\n") == [
        Command("matcalc a b", "out\n"),
        Command("matcalc c", ""),
    ]
