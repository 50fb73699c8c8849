"""Published gradients print as published, and what is printed of them is what their sources say."""

from __future__ import annotations

import pytest
from published import PUBLISHED, WANTED, Published, Wanted

import matcalc as mc


def _title(row: Published | Wanted) -> str:
    return f"{row.text} by {row.name}"


@pytest.mark.parametrize("row", PUBLISHED, ids=_title)
def test_a_published_gradient_is_printed_as_published(row: Published) -> None:
    """What the command line prints, as text."""
    assert mc.grad(row.text, row.name, row.let or None).pretty() == row.printed


@pytest.mark.parametrize("row", PUBLISHED, ids=_title)
def test_the_formula_of_the_source_holds(row: Published) -> None:
    """The source's formula, which was typed apart from what is printed, is verified."""
    assert mc.check(row.text, row.name, claim=row.claim, let=row.let or None).verdict == "verified"


@pytest.mark.parametrize("row", WANTED, ids=_title)
def test_the_form_that_is_wanted_is_a_true_one(row: Wanted) -> None:
    """No wish for a wrong result: what should be printed one day is verified today."""
    assert mc.check(row.text, row.name, claim=row.wanted, let=row.let or None).verdict == "verified"


def test_every_row_is_another_gradient_and_says_where_it_stands() -> None:
    """Rows are told apart by expression, name and declarations, and a source is a work with a place in it."""
    rows = [*PUBLISHED, *WANTED]
    assert len(PUBLISHED) >= 380
    assert len({(row.text, row.name, tuple(row.let.items())) for row in rows}) == len(rows)
    assert [row for row in rows if ", " not in row.source] == []
