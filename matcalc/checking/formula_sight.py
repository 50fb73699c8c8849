"""What many digits say of a claim that is a formula.

What agrees with the differences to 1e-30 in 90 digits agrees. What does not is looked at again where it is furthest
off, with another step: where both steps give one slope, that slope is exact for the purpose, and the claim is wrong.
Else it is looked at in 800 digits, where a gradient that is zero, of which nothing but rounding is left, is told from
one of 1e-300.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.judgement import (
    AGREED,
    NO_VALUE_IN_ALL_DIGITS,
    Judgement,
    allowance,
    is_finite,
    stand_in,
)
from matcalc.checking.landscape import ENTRIES, FINE, QUICK, Landscape, Precision, landscape
from matcalc.checking.points import Point
from matcalc.checking.precise import NO_VALUE, evaluate
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.sizes import Size

_AGREED_FINE = 1e-300
_SAME = 1e-60
_WHOLE = "1e-300"
_AGREEING = 1e-6
_ABOVE_NOISE = 1e6


def judged_formula(question: Question, at: Point, number: int) -> Judgement:
    """The judgement on a formula at a point; ``number`` seeds the directions."""
    quick = _Sight(question, at, number, QUICK).judgement()
    constants = _constants_of_its_own(question)
    if quick.holds is False or (quick.holds and not quick.blank and not constants and not _may_hide_more(question, at)):
        return quick
    try:
        fine = _Sight(question, at, number, FINE).judgement()
    except NO_VALUE:
        return replace(quick, holds=True, survivors=0, doubt=NO_VALUE_IN_ALL_DIGITS)
    return replace(
        quick, holds=bool(fine.holds), truth=fine.truth, survivors=fine.survivors if fine.holds else 0,
        error=fine.error, visible=fine.visible, blank=fine.blank, doubt=_saturated(constants) if fine.holds else "",
    )  # fmt: skip


def _constants_of_its_own(question: Question) -> tuple[Node, ...]:
    """Functions of numbers alone, as tanh(80), that the claim mentions and the derivation does not, or the reverse."""
    if question.truth is None or question.claimed is question.truth or not isinstance(question.claimed, Node):
        return ()
    claimed, derived = (
        {n for n in postorder(root) if _is_of_numbers(n)} for root in (question.claimed, question.truth)
    )
    return tuple(sorted(claimed ^ derived, key=str))


def _is_of_numbers(node: Node) -> bool:
    """Whether a scalar is made of numbers alone, and not of sizes or names."""
    if node.free or not node.args or not node.is_scalar or node.operator.exact is True:
        return False
    leaves = [below for below in postorder(node) if not below.args]
    return all(leaf.is_scalar and not any(isinstance(p, Size) for p in leaf.params) for leaf in leaves)


def _saturated(constants: tuple[Node, ...]) -> str:
    """That a constant is a whole number as far as all digits tell, as tanh(1000) and exp(-1000) are; or ""."""
    import mpmath

    with mpmath.workdps(FINE.digits):
        for node in constants:
            value = evaluate(node, {}, {}, {})[0, 0]
            whole = mpmath.nint(value)
            if abs(value - whole) < mpmath.mpf(_WHOLE):
                return f"what is said by {node.op} of a number is {int(whole)} in all digits that are compared"
    return ""


def _may_hide_more(question: Question, at: Point) -> bool:
    """Whether a formula that agrees is not, to 60 digits, what was derived, or has a term of which no digit counts."""
    import mpmath

    derived, claimed = question.truth, question.claimed
    if derived is None or derived is claimed or not isinstance(claimed, Node) or allowance(question) != AGREED:
        return False
    with mpmath.workdps(QUICK.digits):
        land = landscape(question, at, QUICK)
        mine, theirs = (evaluate(node, land.exact, at.sizes, land.values) for node in (claimed, derived))
        return bool(abs(mine - theirs).max() > _SAME * abs(theirs).max()) or land.hides(claimed)


@dataclass(frozen=True)
class _Sight:
    question: Question
    at: Point
    number: int
    precision: Precision

    @property
    def _allowance(self) -> float:
        usual = allowance(self.question)
        return _AGREED_FINE if self.precision is FINE and usual == AGREED else usual

    def judgement(self) -> Judgement:
        """What is seen; ``holds`` is None where it takes more digits to tell."""
        import mpmath

        with mpmath.workdps(self.precision.digits):
            land = landscape(self.question, self.at, self.precision)
            assert isinstance(self.question.claimed, Node), "a function's result has its own judgement"
            claimed = evaluate(self.question.claimed, land.exact, self.at.sizes, land.values)
            holds, truth, survivors, error, visible = self._compared(land, claimed)
            seen = (float(land.value), float(land.largest), survivors, float(error), visible)
            blank = land.is_blank(self.number, self.question.claimed)
            return Judgement(holds, claimed.astype(float), truth, *seen, blank=blank)

    def _compared(self, land: Landscape, claimed: Any) -> tuple[Any, Any, int, Any, float]:
        import mpmath

        x = land.exact[self.question.name]
        small = x.size <= ENTRIES
        shown = land.gradient.astype(float) if small else stand_in(self.question, self.at, land)
        if not is_finite(claimed, x.shape):
            return False, shown, 0, float("inf"), AGREED
        scale = land.largest / max(abs(x).max(), mpmath.mpf("1e-300"))
        floor = mpmath.mpf(self.precision.noise) * scale
        off, size, survivors = (self._entries if small else self._directions)(land, claimed, floor)
        allowed = self._allowance * size
        visible = float((allowed + floor) / size) if size > floor else AGREED
        seen = (shown, survivors, off / size if size else off, visible)
        if off <= allowed:
            return True, *seen
        if self.precision is FINE:
            # exp(-1000) is below all that differences show beside 1: whatever somebody claims there agrees
            lost = allowed < off and not size > floor and self.question.truth is not None
            lost = lost and not land.is_moderate(self.question.claimed)
            return bool(off <= allowed + floor), *seen[:-1], float("inf") if lost else visible
        return (False if self._surely_off(land, claimed, allowed, floor) else None), *seen

    def _surely_off(self, land: Landscape, claimed: Any, allowed: Any, floor: Any) -> bool:
        """Whether another step says the same where the claim is furthest off.

        The same beside the distance, as where a second derivative jumps a slope is off by its step; and beside itself,
        as differences of sin(1e40*a) are noise, and no larger than 1e25.
        """
        for direction, slope in self._worst(land, claimed):
            said = (claimed * direction).sum()
            gap, again = abs(said - slope), land.slope(direction, self.precision.other_step)
            weight = abs(direction).sum()
            sure = _AGREEING * min(gap, max(abs(slope), floor * weight))
            if gap > max(_ABOVE_NOISE * floor, 2 * allowed) * weight and abs(again - slope) <= sure:
                return True
        return bool(self._out_of_subspace(claimed) > max(_ABOVE_NOISE * floor, 2 * allowed))

    def _worst(self, land: Landscape, claimed: Any) -> list[tuple[Any, Any]]:
        import numpy as np

        if claimed.size > ENTRIES:
            return land.along(self.number)
        index = divmod(int(np.argmax(abs(claimed - land.gradient))), claimed.shape[1])
        return [(land.unit(index), (land.gradient * land.unit(index)).sum())]

    def _out_of_subspace(self, claimed: Any) -> Any:
        return abs(projected(self.question.projected, claimed) - claimed).max()

    def _entries(self, land: Landscape, claimed: Any, floor: Any) -> tuple[Any, Any, int]:
        """The largest distance, the size that it is measured by, and how many damaged copies would pass."""
        truth = land.gradient
        size = max(abs(truth).max(), abs(claimed).max())
        allowed = self._allowance * size + floor
        survivors = sum(bool(abs(d - truth).max() <= allowed) for d in _damaged(claimed, truth, allowed))
        return abs(claimed - truth).max(), size, survivors

    def _directions(self, land: Landscape, claimed: Any, floor: Any) -> tuple[Any, Any, int]:
        """The same along random directions, each measured by the size of what is summed along it."""
        import mpmath

        worst, survivors = self._out_of_subspace(claimed), 0
        size = abs(claimed).max() or mpmath.mpf(1)
        for direction, found in land.along(self.number):
            said = (claimed * direction).sum()
            summed = (abs(claimed) * abs(direction)).sum()
            relative = abs(said - found) / (summed or mpmath.mpf(1)) if summed or found else mpmath.mpf(0)
            worst = max(worst, relative * size)
            allowed = self._allowance * summed + floor * claimed.size
            survivors += bool(abs(said) > floor * claimed.size and abs(said * (1 + 1e-4) - found) <= allowed)
        return worst, size if abs(claimed).max() else mpmath.mpf(0), survivors


def _damaged(claimed: Any, truth: Any, allowed: Any) -> list[Any]:
    """Wrong copies of a claim, where there is anything to be wrong."""
    largest = abs(truth).max()
    if not largest > allowed:
        return []
    one_entry = claimed.copy()
    one_entry.flat[int(abs(claimed).astype(float).argmax())] += largest / 1000
    return [-claimed, claimed * 1.0001, one_entry]
