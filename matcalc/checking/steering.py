"""A search for a point at which something is positive: what a missing side of a kink or a choice is steered to.

Candidates are judged in floats, which is quick: names are drawn anew, multiplied, shifted and changed in one entry, at
the scale that was asked for and at scale 1, and the best so far is moved on. What is found is held against the domain
by whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from matcalc.checking.points import Point
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import function_of, tensors_at, untold
from matcalc.checking.values import Turn, in_declared_subspaces, is_known_by_value, lacks, value
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES

_TURNS = 240
_OFTEN = 0.6
_FROM_BEST = 0.5
_ELSEWHERE = 0.5
_FACTORS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_FARTHEST = 1e4
Gauge = Callable[[Point], float]


def gauge(question: Question, node: Node, chooser: Callable[[list[Any]], Any], sign: int) -> Gauge:
    """How far above zero the largest entry of ``sign`` times what chooses a node's branch is, as floats tell."""
    import numpy as np
    import torch

    def measured(at: Point) -> float:
        told = untold(question.variables, at)
        given = tensors_at(question, at)
        try:
            with torch.no_grad(), np.errstate(all="ignore"):
                args = [
                    function_of(arg, question.variables, "matrix", False, told)(**given).double().numpy()
                    for arg in node.args
                ]
                found = np.asarray(chooser(args), dtype=float) * sign
        except (RuntimeError, ArithmeticError, ValueError, TypeError, AttributeError):
            return -np.inf
        found = found[np.isfinite(found)]
        return float(found.max()) if found.size else -np.inf

    return measured


def steered(
    question: Question, options: CheckOptions, points: list[Point], node: Node, measured: Gauge
) -> Iterator[Point]:
    """Points at which the gauge is positive, in the order in which they are found; the seed gives all of them."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([options.seed, 80, int.from_bytes(node.digest[:4], "big")]))
    moving = {v for v in postorder(*node.args) if v.op == "variable"}
    free = [v for v in question.variables if v in moving]
    if not free:
        return
    wide = [at for at in points if min(at.sizes.values(), default=2) > 1] or points
    best = max(wide, key=measured)
    height = measured(best)
    for _ in range(_TURNS):
        base = best if rng.random() < _FROM_BEST else wide[int(rng.integers(len(wide)))]
        at = _moved(question, base, free, rng, options.scale)
        found = measured(at)
        if found > 0:
            yield at
        if found > height:
            best, height = at, found


def _moved(question: Question, base: Point, free: list[Node], rng: Any, scale: float) -> Point:
    """The point with some of the names changed, within what is declared of them."""
    sure = free[int(rng.integers(len(free)))]
    chosen = [v for v in free if v is sure or rng.random() < _OFTEN]
    values = dict(base.values)
    for v in chosen:
        name = v.params[0]
        made = _changed(question, base, v, rng, scale)
        limit = _FARTHEST * max(1.0, scale, float(abs(base.values[name]).max()))
        if abs(made).max() <= limit and not lacks(v, made):
            values[name] = made
    return Point(base.sizes, values)


def _changed(question: Question, base: Point, variable: Node, rng: Any, scale: float) -> Any:
    """Another value of a name, which may lack what is declared of it."""
    x = base.values[variable.params[0]]
    known = is_known_by_value(variable)
    way = int(rng.integers(4)) if known else 0
    factor = float(rng.choice(_FACTORS)) * float(rng.choice([-1.0, 1.0]))
    if way == 0:
        elsewhere = [sample for fact in sorted(variable.facts) if (sample := PROPERTIES[fact].elsewhere)]
        if elsewhere and rng.random() < _ELSEWHERE:
            return elsewhere[0](rng, *x.shape)
        turn = Turn(int(rng.integers(2**20)), int(rng.integers(16)))
        made = value(variable, rng, base.sizes, turn, question.expression)
        return made * float(rng.choice([1.0, scale])) if known else made
    if way == 1:
        return x * factor
    if way == 2:
        return in_declared_subspaces(x + factor * float(abs(x).max()), variable)
    made = x.copy()
    made.flat[int(rng.integers(x.size))] *= factor
    return in_declared_subspaces(made, variable)
