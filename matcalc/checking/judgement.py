"""Whether a claim holds at one point.

The truth is a central difference in many digits, through the operators' reference arithmetic. In 90 digits with the
step 1e-25 its truncation error is about 1e-50 times a third derivative and its rounding error about 1e-65 of what is
summed. What agrees to 1e-18 there agrees. What does not is looked at again in 800 digits with the step 1e-350: a third
derivative of 1e60 in the gradient's own units is then seen through, and so is the difference between a gradient that
is zero, of which nothing but rounding is left, and one of 1e-300.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.checking.evidence import Evidence
from matcalc.checking.points import Point
from matcalc.checking.precise import evaluate, lifted, slope
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.checking.testimony import Testimony
from matcalc.checking.torch_side import autograd, called
from matcalc.expression.nodes import Node, postorder

EXACT = 1e-18
FLOAT = 1e-8
_MOST_ENTRIES = 16
_DIRECTIONS = 4
_UNIT = 2.0**-53
_DECIMALS = 10**12


@dataclass(frozen=True)
class Precision:
    """Digits, the step of a difference, and what rounding leaves of a derivative that cancels to nothing."""

    digits: int
    step: str
    noise: str


QUICK = Precision(90, "1e-25", "1e-58")
FINE = Precision(800, "1e-350", "1e-430")


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
    """

    holds: bool | None
    claimed: Any
    truth: Any
    value: float
    largest: float
    survivors: int
    error: float


def allowance(question: Question) -> float:
    """A claim written with 16 decimals is read as the number that they round; a function's result is in floats."""
    if not isinstance(question.claimed, Node):
        return FLOAT
    numbers = [n.params[0] for root in question.roots[1:] for n in postorder(root) if n.op == "number"]
    return 8 * _UNIT if any(min(abs(v.numerator), v.denominator) > _DECIMALS for v in numbers) else EXACT


def rounding(at: Point, name: str, largest: float) -> float:
    """What a backward pass may lose in float64: 64·n·u·M/|x| (Higham 2002, ch. 3)."""
    length = float(abs(at.values[name]).max()) or 1.0
    return 64 * max([*at.sizes.values(), 1]) * _UNIT * largest / length


def judged(question: Question, at: Point, number: int) -> Judgement:
    """The judgement at a point; ``number`` seeds the directions."""
    quick = _Sight(question, at, number, QUICK).judgement()
    if quick.holds is not None:
        return quick
    fine = _Sight(question, at, number, FINE).judgement()
    return Judgement(
        bool(fine.holds), quick.claimed, fine.truth, quick.value, quick.largest,
        quick.survivors if fine.holds else 0, fine.error,
    )  # fmt: skip


def precise_testimony(evidence: Evidence) -> Testimony:
    """The claim against differences in many digits, at every point."""
    found = [seen.judgement for seen in evidence.points]
    if any(each is None for each in found):
        return Testimony("precise", None, "the sizes are too large for arithmetic in 90 digits")
    judgements = [each for each in found if each is not None]
    visible, worst = allowance(evidence.question), max(each.error for each in judgements)
    against = sum(not each.holds for each in judgements)
    if against:
        says = f"differences in {QUICK.digits} digits disagree with it in {against} of {len(judgements)} trials"
        wrong = max(each.error for each in judgements if not each.holds)
        return Testimony("precise", False, says, wrong, visible)
    says = f"differences in {QUICK.digits} digits agree (an error of {visible:.0e} relative would show)"
    return Testimony("precise", True, says, worst, visible)


@dataclass(frozen=True)
class _Sight:
    question: Question
    at: Point
    number: int
    precision: Precision

    def judgement(self) -> Judgement:
        """What is seen; ``holds`` is None where it takes more digits to tell."""
        import mpmath

        with mpmath.workdps(self.precision.digits):
            exact = lifted(self.at.values, self.question.variables)
            memo: dict[Node, Any] = {}
            value = evaluate(self.question.expression, exact, self.at.sizes, memo)[0, 0]
            largest = max((abs(v).max() for v in memo.values()), default=mpmath.mpf(0))
            claimed = self._claimed(exact)
            holds, truth, survivors, error = self._compared(exact, claimed, largest)
            return Judgement(holds, claimed.astype(float), truth, float(value), float(largest), survivors, float(error))

    def _claimed(self, exact: Mapping[str, Any]) -> Any:
        import mpmath
        import numpy as np

        if isinstance(self.question.claimed, Node):
            return evaluate(self.question.claimed, exact, self.at.sizes)
        floats = called(self.question, self.at)
        return np.array([mpmath.mpf(float(v)) for v in floats.flat], dtype=object).reshape(floats.shape)

    def _compared(self, exact: Mapping[str, Any], claimed: Any, largest: Any) -> tuple[Any, Any, int, Any]:
        import mpmath

        name, is_text = self.question.name, isinstance(self.question.claimed, Node)
        shape = exact[name].shape
        small = exact[name].size <= _MOST_ENTRIES
        truth = self._gradient(exact) if small else None
        shown = truth.astype(float) if truth is not None else self._stand_in(exact)
        if claimed.shape != shape or not all(abs(v) < float("inf") for v in claimed.flat):
            return False, shown, 0, float("inf")
        scale = largest / max(abs(exact[name]).max(), mpmath.mpf("1e-300"))
        noise = mpmath.mpf(self.precision.noise) * scale
        floor = noise if is_text else noise + mpmath.mpf(rounding(self.at, name, float(largest)))
        off, size, survivors = (
            self._entries(claimed, truth, floor) if small else self._directions(exact, claimed, floor)
        )
        room = allowance(self.question) * size
        error = off / size if size else off
        if off <= room:
            return True, shown, survivors, error
        within = bool(off <= room + floor)
        final = self.precision is FINE or not is_text
        return (within if final else None), shown, survivors, error

    # ------------------------------------------------------------------------------------------- entry by entry

    def _gradient(self, exact: Mapping[str, Any]) -> Any:
        import mpmath
        import numpy as np

        made = np.empty(exact[self.question.name].shape, dtype=object)
        for index in np.ndindex(made.shape):
            unit = np.full(made.shape, mpmath.mpf(0), dtype=object)
            unit[index] = mpmath.mpf(1)
            made[index] = self._slope(unit, exact)
        return projected(self.question.projected, made)

    def _slope(self, direction: Any, exact: Mapping[str, Any]) -> Any:
        question = self.question
        return slope(question.expression, question.name, direction, exact, self.at.sizes, self.precision.step)

    def _stand_in(self, exact: Mapping[str, Any]) -> Any:
        """For more entries than are differenced one by one: our derivation, else autograd's gradient."""
        if isinstance(self.question.truth, Node):
            return evaluate(self.question.truth, exact, self.at.sizes).astype(float)
        return autograd(self.question, self.at, "float64", "cpu")[0]

    def _entries(self, claimed: Any, truth: Any, floor: Any) -> tuple[Any, Any, int]:
        """The largest distance, the size that it is measured by, and how many damaged copies would pass."""
        size = max(abs(truth).max(), abs(claimed).max())
        allowed = allowance(self.question) * size + floor
        largest = abs(truth).max()
        damaged = []
        if largest > allowed:
            one_entry = claimed.copy()
            one_entry.flat[int(abs(claimed).astype(float).argmax())] += largest / 1000
            damaged = [-claimed, claimed * 1.0001, one_entry]
        return abs(claimed - truth).max(), size, sum(bool(abs(d - truth).max() <= allowed) for d in damaged)

    def _directions(self, exact: Mapping[str, Any], claimed: Any, floor: Any) -> tuple[Any, Any, int]:
        """The same along random directions, each measured by the size of what is summed along it."""
        import mpmath
        import numpy as np

        rng = np.random.Generator(np.random.PCG64([self.number, 77]))
        worst, survivors = abs(projected(self.question.projected, claimed) - claimed).max(), 0
        size = abs(claimed).max() or mpmath.mpf(1)
        for _ in range(_DIRECTIONS):
            drawn = lifted({"d": rng.standard_normal(claimed.shape)})["d"]
            direction = projected(self.question.projected, drawn)
            found, said = self._slope(direction, exact), (claimed * direction).sum()
            summed = (abs(claimed) * abs(direction)).sum()
            relative = abs(said - found) / (summed or mpmath.mpf(1)) if summed or found else mpmath.mpf(0)
            worst = max(worst, relative * size)
            room = allowance(self.question) * summed + floor * claimed.size
            survivors += bool(abs(said) > floor * claimed.size and abs(said * (1 + 1e-4) - found) <= room)
        return worst, size if abs(claimed).max() else mpmath.mpf(0), survivors
