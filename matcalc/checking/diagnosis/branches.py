"""Points on other branches of what is piecewise: there a relation that holds by luck at a few points does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matcalc.checking.points import Point, trouble
from matcalc.checking.question import Question
from matcalc.checking.values import may_be_scaled
from matcalc.expression.nodes import postorder

_POINTS = 12
_SIZES = (0.1, 1.0, 10.0)
"""How much larger one name is than another decides which of two is taken, and past which threshold either is."""


def is_piecewise(question: Question) -> bool:
    """Whether the function, or what is said of its derivative, has kinks or chooses among entries."""
    return any(node.operator.kinks or node.operator.ties is not None for node in postorder(*question.roots))


def elsewhere(question: Question, points: Sequence[Point], seed: int) -> Iterator[Point]:
    """Points like some others, with every name of another size and, where nothing is declared of it, sign."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([seed, 913]))
    for k in range(_POINTS):
        base = points[k % len(points)]
        values = dict(base.values)
        for v in question.variables:
            size, sign = rng.choice(_SIZES), rng.choice((-1.0, 1.0))
            if may_be_scaled(v):
                values[v.params[0]] = values[v.params[0]] * size * (1.0 if v.facts else sign)
        at = Point(base.sizes, values)
        if not trouble(question, at):
            yield at
