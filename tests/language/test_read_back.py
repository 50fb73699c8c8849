"""Texts that once meant something else when they were read again."""

from __future__ import annotations

import pytest

import matcalc as mc


@pytest.mark.parametrize(
    ("text", "let", "printed"),
    [
        ("a*(1./x + y)", {"x": "vector(n)", "y": "vector(n)"}, "a*(1./x + y)"),
        ("2*(1./x + y)", {"x": "vector(n)", "y": "vector(n)"}, "2*(1./x + y)"),
        ("a*(1./x)", {"x": "vector(n)"}, "a./x"),
        ("a/b*(1./x)", {"x": "vector(n)"}, "a./(b*x)"),
        ("x[-1]", {}, "x[-1]"),
        ("x[:-1] - x[1:]", {}, "x[:-1] - x[1:]"),
        ("x[-3:-1]", {}, "x[-3:-1]"),
    ],
)
def test_scalars_over_entries_and_ends_counted_from_the_end(text: str, let: dict[str, str], printed: str) -> None:
    f = mc.parse(text, let or None)
    assert str(f) == printed
    again = mc.parse(printed, {name: v.declaration for name, v in f.variables.items()})
    assert again.node is f.node
