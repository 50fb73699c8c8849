"""Points between kinks: where two of them lie on sides on which they were never met together.

max(min(x, 30), 20) has points on both sides of either kink at 1 and at 100, and changes in between alone. Names are
pushed along lines, where what chooses is looked at in floats, and where several choosers change between two neighbours
the stretch is halved until they are apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from typing import Any

from matcalc.checking.points import Point, trouble
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.reach import branching, choosers
from matcalc.checking.torch_side import function_of, tensors_at, untold
from matcalc.checking.values import lacks, may_be_pushed, may_be_scaled
from matcalc.expression.nodes import Node, postorder

_MOST = 12
_BASES = 2
_MOST_LOOKS = 600
_DEPTH = 24
_MOST_CHOOSERS = 12
_PER_DECADE = 8
_DECADES = (-4, 4)
_PAIR = 2

Pair = tuple[int, int, int, int]
Sides = tuple[Any, ...]
Path = Callable[[float], Point | None]


def between_kinks(question: Question, options: CheckOptions, points: Sequence[Point]) -> list[Point]:
    """Points where two choosers lie on sides on which none of ``points`` has both; a few at most."""
    nodes = [node for node in postorder(*branching(question)) if _branches(node)]
    if sum(map(_count, nodes)) < _PAIR or sum(map(_count, nodes)) > _MOST_CHOOSERS or not points:
        return []
    looks = _Looks(question, nodes)
    seen: set[Pair] = set()
    for at in points:
        seen |= _pairs(looks.sides(at))
    found: list[Point] = []
    for path in paths(question, branching(question), points):
        for at, pairs in looks.along(path):
            if not pairs <= seen and not trouble(question, at):
                seen |= pairs
                found.append(at)
                if len(found) == _MOST:
                    return found
    return found


def _branches(node: Node) -> bool:
    return bool(_count(node))


def _count(node: Node) -> int:
    return len(node.operator.kinks) + (node.operator.branch is not None)


class _Looks:
    """What chooses in some nodes, in floats, at points of a question."""

    def __init__(self, question: Question, nodes: Sequence[Node]) -> None:
        self.question, self.nodes, self.left = question, nodes, _MOST_LOOKS

    def sides(self, at: Point) -> Sides | None:
        """The signs of every chooser's entries; None where they have no values."""
        import numpy as np
        import torch

        self.left -= 1
        told, given = untold(self.question.variables, at), tensors_at(self.question, at)
        found: list[Any] = []
        try:
            with torch.no_grad(), np.errstate(all="ignore"):
                for node in self.nodes:
                    made = [function_of(arg, self.question.variables, "matrix", False, told) for arg in node.args]
                    args = [f(**given).double().numpy() for f in made]
                    found += [np.sign(np.asarray(each, dtype=float)) for each in choosers(node, args)]
        except (RuntimeError, ArithmeticError, ValueError, TypeError, AttributeError):
            return None
        return tuple(found) if all(np.isfinite(each).all() for each in found) else None

    def along(self, path: Path) -> Iterator[tuple[Point, set[Pair]]]:
        """Points on a path, with the pairs of sides that are met there."""
        before: tuple[float, Sides] | None = None
        for t in grid():
            if self.left <= 0:
                return
            at = path(t)
            sides = None if at is None else self.sides(at)
            if at is None or sides is None:
                before = None
                continue
            if before is not None:
                yield from self._within(path, before, (t, sides), _DEPTH)
            yield at, _pairs(sides)
            before = (t, sides)

    def _within(
        self, path: Path, low: tuple[float, Sides], high: tuple[float, Sides], depth: int
    ) -> Iterator[tuple[Point, set[Pair]]]:
        if depth == 0 or self.left <= 0 or _changed(low[1], high[1]) < _PAIR:
            return
        t = (low[0] + high[0]) / 2
        at = path(t)
        sides = None if at is None else self.sides(at)
        if at is None or sides is None:
            return
        yield at, _pairs(sides)
        yield from self._within(path, low, (t, sides), depth - 1)
        yield from self._within(path, (t, sides), high, depth - 1)


def _pairs(sides: Sides | None) -> set[Pair]:
    """On which sides any two choosers lie together: entry by entry where they have the same shape."""
    found: set[Pair] = set()
    for (i, a), (j, b) in combinations(enumerate(sides or ()), _PAIR):
        both = zip(a.flat, b.flat, strict=True) if a.shape == b.shape else product(set(a.flat), set(b.flat))
        found |= {(i, j, int(x), int(y)) for x, y in both if x and y}
    return found


def _changed(one: Sides, other: Sides) -> int:
    """How many entries of choosers differ."""
    return sum(int((a != b).sum()) for a, b in zip(one, other, strict=True))


def grid() -> Iterator[float]:
    """Numbers of both signs, of many sizes, in order."""
    low, high = (_PER_DECADE * decade for decade in _DECADES)
    sizes = [10 ** (k / _PER_DECADE) for k in range(low, high + 1)]
    yield from (-size for size in reversed(sizes))
    yield from sizes


def paths(question: Question, roots: Sequence[Node], points: Sequence[Point]) -> Iterator[Path]:
    """Each name on which ``roots`` depend multiplied or shifted by itself, and all of them, from some of the points."""
    free = [v for v in question.variables if may_be_pushed(v) or may_be_scaled(v)]
    moving = {v for v in postorder(*roots) if v.op == "variable"}
    names = [v for v in free if v in moving]
    for base in points[:_BASES]:
        for group in ([v] for v in names):
            yield _line(base, group, multiplied=True)
        if len(names) > 1:
            yield _line(base, names, multiplied=True)
        for group in ([v] for v in names):
            yield _line(base, group, multiplied=False)


def _line(base: Point, names: Sequence[Node], *, multiplied: bool) -> Path:
    def path(t: float) -> Point | None:
        made = {}
        for v in names:
            name = v.params[0]
            x = base.values[name]
            made[name] = x * (t if may_be_pushed(v) else abs(t)) if multiplied else x + t
            if lacks(v, made[name]):
                return None
        return Point(base.sizes, {**base.values, **made})

    return path
