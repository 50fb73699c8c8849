"""Edge points on purpose: zero, equal entries, equal eigenvalues, lower rank, and each function's own kinks.

They decide nothing: what torch takes there and what our code gives is told, one point of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from matcalc.checking.given import AGREEMENT, Edge, conventions, looked_at
from matcalc.checking.points import Point
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.checking.values import lacks
from matcalc.expression.nodes import postorder

_MOST_KINKS = 4


def edges_of(question: Question, base: Point) -> tuple[str, ...]:
    """A line for each edge point without a derivative, or where torch has another than we; ``base`` is generic."""
    said: dict[str, None] = {}
    for words, value in _edge_values(question, base.values[question.name]):
        at = Point(base.sizes, {**base.values, question.name: value})
        if lacks(question.variable, value):
            continue
        found = looked_at(question, at)
        if isinstance(found, Edge):
            said[f"at {words}: {found.says}"] = None
        elif AGREEMENT not in (taken := conventions(question, at)):
            said[f"at {words}: smooth; {taken}"] = None
    return tuple(said)


def _edge_values(question: Question, generic: Any) -> Iterator[tuple[str, Any]]:
    """Values of the name that may be edges, with words for them."""
    import numpy as np

    name, shape = question.name, generic.shape
    yield f"{name} = 0", np.zeros(shape)
    for at in _kinks(question):
        if at:
            yield f"{name} = {at:g} in every entry", np.full(shape, float(at))
    if generic.size == 1:
        return
    tied = projected(question.projected, generic.copy())
    tied.flat[:] = float(np.abs(generic).max())
    yield f"all entries of {name} equal", projected(question.projected, tied)
    if min(shape) == 1:
        one_zero = generic.copy()
        one_zero.flat[0] = 0.0
        yield f"one entry of {name} zero", one_zero
        return
    if shape[0] == shape[1]:
        yield f"{name} = 2*I, whose eigenvalues are equal", 2 * np.eye(shape[0])
        singular = generic.copy()
        singular[-1] = singular[0]
        yield f"{name} whose last row is its first", singular
    rank_one = np.outer(np.arange(1.0, shape[0] + 1), np.arange(1.0, shape[1] + 1))
    yield f"{name} of rank one", projected(question.projected, rank_one)


def _kinks(question: Question) -> list[float]:
    found = {kink.at: None for node in postorder(question.expression) for kink in node.operator.kinks}
    return list(found)[:_MOST_KINKS]
