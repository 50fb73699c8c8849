"""What is seen of a claim at one point, and what it is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matcalc.checking.landscape import Landscape
from matcalc.checking.points import Point
from matcalc.checking.precise import evaluate
from matcalc.checking.question import Question
from matcalc.checking.tolerance import UNIT, coarsest
from matcalc.checking.torch_side import autograd, called, tensors_at
from matcalc.expression.nodes import Node, postorder

AGREED = 1e-30
FLOAT = 1e-8
NO_VALUE_IN_ALL_DIGITS = "a value on the way is not defined in the arithmetic of 800 digits"
_DECIMALS = 10**12
_LONGEST = 10**18


@dataclass(frozen=True)
class Judgement:
    """What was seen at a point.

    Attributes:
        holds: whether the claim holds; None where it takes more digits to tell.
        claimed, truth: both, in floats.
        value: the function's value.
        largest: the largest value on the way to it.
        survivors: how many damaged copies would pass as well.
        error: how far the claim is from the truth, relative to the size that it is measured by.
        visible: the smallest error, relative to the gradient's largest entry, that would have been seen.
        doubt: why a claim that is not refuted is not confirmed either, or "".
        blank: whether the function does not change there as far as all digits tell: 1 - tanh(10^4)^2 is 0 in any.
    """

    holds: bool | None
    claimed: Any
    truth: Any
    value: float
    largest: float
    survivors: int
    error: float
    visible: float = AGREED
    doubt: str = ""
    blank: bool = False


def allowance(question: Question) -> float:
    """Up to which relative difference values are equal: a number with 16 decimals stands for all that they round.

    >>> from matcalc.derivative import grad
    >>> from matcalc.verification import asked_about
    >>> [allowance(asked_about(grad(f"{k}*x'*x", "x"))) > AGREED for k in ("0.5", "0.3333333333333333")]
    [False, True]
    """
    roots = (*question.roots[1:], *question.parts)  # as typed, before a common denominator was found
    numbers = [n.params[0] for n in postorder(*roots) if n.op == "number"]
    return 8 * UNIT if any(_is_rounded(v) for v in numbers) else AGREED


def _is_rounded(number: Any) -> bool:
    """Whether a number may be one of 13 to 18 decimals; 1 + 10^-20 is none."""
    digits = min(abs(number.numerator), number.denominator)
    return bool(_DECIMALS < digits < _LONGEST and abs(number.numerator) < _LONGEST)


def rounding(at: Point, name: str, largest: float) -> float:
    """What a backward pass may lose in float64: 64·n·u·M/|x| (Higham 2002, ch. 3)."""
    length = float(abs(at.values[name]).max()) or 1.0
    return 64 * max([*at.sizes.values(), 1]) * UNIT * largest / length


def unit_of(question: Question, at: Point) -> float:
    """The roundoff of the coarsest operation in a claim that is a function."""
    return coarsest(lambda **given: called(question, at, given), tensors_at(question, at))


def is_finite(claimed: Any, shape: tuple[int, ...]) -> bool:
    """Whether a claim has the shape, and numbers everywhere."""
    return claimed.shape == shape and all(abs(v) < float("inf") for v in claimed.flat)


def stand_in(question: Question, at: Point, land: Landscape) -> Any:
    """What is shown for more entries than are differenced one by one: our derivation, else autograd's gradient."""
    if isinstance(question.truth, Node):
        return evaluate(question.truth, land.exact, at.sizes, land.values).astype(float)
    return autograd(question, at, "float64", "cpu")[0]
