"""Rows and columns that an index takes, and the kinds of what it makes."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.expression.sizes import Shape
from matcalc.language.kinds import MATRIX, ROW, SCALAR, VECTOR, Form, kind_of
from matcalc.language.scene import Cut
from matcalc.language.tree import Slice


def cuts_of(items: tuple[int | Slice, ...]) -> tuple[Cut, Cut]:
    """What is taken of rows and of columns; all columns where one item is given."""
    found = [Cut(item.start or 0, item.stop) if isinstance(item, Slice) else Cut(item, single=True) for item in items]
    return found[0], found[1] if len(found) > 1 else Cut()


def index_table(cuts: tuple[Cut, Cut], sizes: Shape, allowed: int) -> Iterator[tuple[tuple[int, ...], Form]]:
    """Each kind that may be indexed, with the kind of the result."""
    for kind in (SCALAR, VECTOR, ROW, MATRIX):
        if kind & allowed:
            lengths = []
            for cut, size, one in zip(cuts, sizes, _ONES[kind], strict=True):
                length = cut.length(1 if one else size)
                lengths.append(1 if length == 1 else 2)
            yield (kind, kind_of((lengths[0], lengths[1]))), Form(())


_ONES = {SCALAR: (True, True), VECTOR: (False, True), ROW: (True, False), MATRIX: (False, False)}
