"""Writes the generated pages: ``python -m matcalc.handbook.pages`` in a checkout.

Their bytes depend on the records alone, so a test compares what is committed with what is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from matcalc.expression.operator import TABLE
from matcalc.expression.property import PROPERTIES
from matcalc.handbook import mentions, pictures
from matcalc.handbook.entries import entry, property_entry
from matcalc.handbook.shown import as_markdown, property_text

PACKAGE = Path(__file__).resolve().parent.parent
DOCS = PACKAGE.parent / "docs"


def pages() -> Iterator[tuple[str, str]]:
    """Every generated file: its path below ``docs`` and its text."""
    yield "functions.md", functions_page()
    yield "mentions.md", mentions.page(PACKAGE)
    for name in pictures.drawn():
        yield f"pictures/{name}.svg", pictures.picture(TABLE[name])


def functions_page() -> str:
    """One section for every operator and property."""
    called = sorted(op.name for op in TABLE.values() if not op.notation)
    written = sorted(op.name for op in TABLE.values() if op.notation)
    drawn = set(pictures.drawn())
    lines = [
        "# Functions, signs and properties",
        "",
        "Made by `python -m matcalc.handbook.pages` from the operators' and properties' records; `matcalc functions "
        "NAME` shows an entry in a terminal. Gradients are what matcalc derived when the page was made. In the lines "
        "of code a matrix is `(..., m, n)`, a vector `(..., n, 1)` and a scalar `(..., 1, 1)`.",
        "",
        "Functions: " + ", ".join(f"[{name}](#{name})" for name in called) + ".",
        "",
        "## Functions",
        "",
        *(as_markdown(entry(name), f"pictures/{name}.svg" if name in drawn else "") for name in called),
        "## Signs",
        "",
        "These are written with signs, numbers, names and brackets and cannot be called by name.",
        "",
        *(as_markdown(entry(name)) for name in written),
        "## Properties",
        "",
        *(property_text(property_entry(PROPERTIES[name])) for name in sorted(PROPERTIES)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Writes all pages, and removes pictures of what is no longer drawn."""
    made = {DOCS / name: text for name, text in pages()}
    for old in sorted((DOCS / "pictures").glob("*.svg")):
        if old not in made:
            old.unlink()
    for path, text in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
