"""What rounding may do, as measured, to each thing that floats say at a point: the tolerance of its own conditioning.

An a-priori bound knows the largest value on the way; it does not know that the sine of 1e8 has lost eight digits.
"""

from __future__ import annotations

from typing import Any

from matcalc.checking.evidence import Seen
from matcalc.checking.judgement import FLOAT
from matcalc.checking.points import Point
from matcalc.checking.question import Question
from matcalc.checking.tolerance import room, spread
from matcalc.checking.torch_side import autograd_of, function_of, lowered_of, tensors_at, untold
from matcalc.expression.nodes import Node

_SEVERAL = 4


def blur_of_value(question: Question, at: Point, seed: int) -> float:
    """What rounding may do to the lowered value of the function."""
    import numpy as np

    f = function_of(question.expression, question.variables, "scalar", False, untold(question.variables, at))

    def value(**given: Any) -> Any:
        return np.array([float(f(**given).detach())])

    tensors = tensors_at(question, at)
    usual = value(**tensors)
    return float(room(spread(value, tensors, usual, seed, fixed=question.whole), usual, {})[0])


def blur_of_autograd(question: Question, at: Point, seed: int) -> Any:
    """The same of every entry of torch's gradient."""
    tensors = tensors_at(question, at)
    usual = autograd_of(question, at, tensors)[0]
    moved = spread(lambda **given: autograd_of(question, at, given)[0], tensors, usual, seed, fixed=question.whole)
    return room(moved, usual, at.sizes)


def blur_of_code(question: Question, at: Point, seed: int) -> Any:
    """The same of the claimed formula's code."""
    tensors = tensors_at(question, at)
    usual = lowered_of(question, at, tensors)
    moved = spread(lambda **given: lowered_of(question, at, given), tensors, usual, seed, fixed=question.whole)
    return room(moved, usual, at.sizes)


def hidden(question: Question, seen: Seen, low: float, said: Any) -> bool:
    """Whether rounding explains all that floats are off by: ``low`` (the value), torch's gradient, ``said`` (the code).

    They say nothing there, for the claim or against it, and neither do they show a fault of the lowering.
    """
    import numpy as np

    found, at, seed = seen.judgement, seen.at, seen.number
    if found is None or not found.holds or seen.auto.shape != found.truth.shape or said.shape != found.truth.shape:
        return False
    if not np.isfinite(low):
        return False
    # The sine of 1e300 is one of all numbers from -1 to 1, and none of a few runs need be as far off as the value is.
    if not abs(low - found.value) <= max(_SEVERAL * blur_of_value(question, at, seed), FLOAT * abs(found.value)):
        return False
    floor = FLOAT * float(np.abs(found.truth).max(initial=0.0))
    explained = np.abs(seen.auto - found.truth) <= blur_of_autograd(question, at, seed) + floor
    if isinstance(question.claimed, Node):
        explained &= np.abs(said - found.truth) <= blur_of_code(question, at, seed) + floor
    return bool(explained.all())
