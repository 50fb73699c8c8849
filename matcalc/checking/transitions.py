"""Points in narrow transitions: where a function that is all but constant far from zero has an argument near it.

x + tanh(1e5*(x - 5)) has the derivative 1 wherever chance leads, in all digits that are compared, and 1e5 at 5. Where
the argument of an elementwise function is far from zero at all points, names are pushed along lines, and where it is
nearer to zero than at both neighbours, a search by thirds goes on until it is near.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf

from matcalc.checking.cells import Path, grid, paths
from matcalc.checking.points import Point, trouble
from matcalc.checking.question import Question
from matcalc.checking.reach import branching
from matcalc.checking.torch_side import function_of, tensors_at, untold
from matcalc.expression.nodes import Node, postorder

_FAR, _NEAR = 12.0, 1.0
_MOST_NODES = 4
_STEPS = 80


def in_transitions(question: Question, points: Sequence[Point]) -> list[Point]:
    """A point for each elementwise function whose argument is far from zero at all ``points``, where one is found."""
    found: list[Point] = []
    nodes = [node for node in postorder(*branching(question)) if _may_saturate(node, question.name)]
    for node in nodes[:_MOST_NODES]:
        arg = node.args[0]
        if min((_distance(question, arg, at) for at in points), default=0.0) < _FAR:
            continue
        near = (at for path in paths(question, (arg,), points) for at in _nearest(question, arg, path))
        at = next((at for at in near if not trouble(question, at)), None)
        found += [at] if at else []
    return found


def _may_saturate(node: Node, name: str) -> bool:
    operator = node.operator
    return operator.is_elementwise and operator.exact is not True and not operator.kinks and node.depends_on(name)


def _distance(question: Question, node: Node, at: Point | None) -> float:
    """The smallest absolute entry of a node; infinity where it has no value."""
    import torch

    if at is None:
        return inf
    f = function_of(node, question.variables, "matrix", False, untold(question.variables, at))
    try:
        with torch.no_grad():
            value = f(**tensors_at(question, at)).double().abs()
    except RuntimeError:
        return inf
    return float(value.min()) if value.numel() and float(value.max()) < inf else inf


def _nearest(question: Question, arg: Node, path: Path) -> Iterator[Point]:
    """Points on a path at which an entry is near zero, one between any three neighbours that promise it."""

    def distance(t: float) -> float:
        return _distance(question, arg, path(t))

    seen = [(t, distance(t)) for t in grid()]
    for (low, first), (_, middle), (high, last) in zip(seen, seen[1:], seen[2:], strict=False):
        if middle <= min(first, last) and middle < inf:
            at = path(_by_thirds(distance, low, high))
            if _distance(question, arg, at) < _NEAR and at is not None:
                yield at


def _by_thirds(distance: Callable[[float], float], low: float, high: float) -> float:
    """Where a distance that falls and then rises is below what is near, or at its least."""
    for _ in range(_STEPS):
        one, other = low + (high - low) / 3, high - (high - low) / 3
        here, there = distance(one), distance(other)
        if min(here, there) < _NEAR:
            return one if here < there else other
        low, high = (low, other) if here < there else (one, high)
    return (low + high) / 2
