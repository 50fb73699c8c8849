"""Whether a claim holds at one point.

The truth is a central difference in many digits, through the operators' reference arithmetic (see
:mod:`matcalc.checking.landscape`). What agrees with it to 1e-30 in 90 digits agrees. What does not is looked at again
where it is furthest off, with another step: where both steps give one slope, that slope is exact for the purpose, and
the claim is wrong. Else it is looked at in 800 digits, where a gradient that is zero, of which nothing but rounding is
left, is told from one of 1e-300.

A function's result is in floats: it agrees within the rounding that was measured of it (see
:mod:`matcalc.checking.tolerance`), is wrong where it is off by more than 1e-8 of what is summed as well, and is in
doubt between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.evidence import Evidence
from matcalc.checking.foreign import Foreign
from matcalc.checking.landscape import ENTRIES, FINE, QUICK, Landscape, Precision, landscape
from matcalc.checking.points import Point
from matcalc.checking.precise import evaluate
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.checking.testimony import Testimony
from matcalc.checking.tolerance import (
    BLIND,
    UNIT,
    coarsest,
    doubtful,
    is_watched,
    overshadowed,
    room,
    spread,
    steady_spread,
)
from matcalc.checking.torch_side import autograd, autograd_of, called, tensors_at
from matcalc.expression.nodes import Node, postorder

AGREED = 1e-30
_AGREED_FINE = 1e-300
_SAME = 1e-60
FLOAT = 1e-8
_DECIMALS = 10**12
_AGREEING = 1e-6
_ABOVE_NOISE = 1e6
_WAVERING = 1e-12
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


def judged(question: Question, at: Point, number: int) -> Judgement:
    """The judgement at a point; ``number`` seeds the directions."""
    if not isinstance(question.claimed, Node):
        return _Heard(question, at, number).judgement()
    quick = _Sight(question, at, number, QUICK).judgement()
    if quick.holds is False or (quick.holds and not quick.blank and not _may_hide_more(question, at)):
        return quick
    fine = _Sight(question, at, number, FINE).judgement()
    return replace(
        quick, holds=bool(fine.holds), truth=fine.truth, survivors=fine.survivors if fine.holds else 0,
        error=fine.error, visible=fine.visible, blank=fine.blank,
    )  # fmt: skip


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


def precise_testimony(evidence: Evidence) -> Testimony:
    """The claim against differences in many digits, at every point."""
    found = [seen.judgement for seen in evidence.points]
    if any(each is None for each in found):
        return Testimony("precise", None, "the sizes are too large for arithmetic in 90 digits")
    judgements = [each for each in found if each is not None]
    if all(each.holds and each.blank for each in judgements) and evidence.question.changes:
        return Testimony("precise", None, f"the function does not change in {FINE.digits} digits at any of the points")
    clear = [each for each in judgements if each.visible <= BLIND or not each.holds] or judgements
    visible, worst = max(each.visible for each in clear), max(each.error for each in clear)
    against = frozenset(seen.number for seen in evidence.points if seen.judgement and not seen.judgement.holds)
    if against:
        says = f"differences in {QUICK.digits} digits disagree with it in {len(against)} of {len(judgements)} trials"
        wrong = max(each.error for each in judgements if not each.holds)
        return Testimony("precise", False, says, wrong, visible, against)
    doubt = next((each.doubt for each in clear if each.doubt), "")
    if doubt:
        return Testimony("precise", None, doubt, worst, visible)
    says = f"differences in {QUICK.digits} digits agree (an error of {visible:.0e} relative would show)"
    return Testimony("precise", True, says, worst, visible)


def _finite(claimed: Any, shape: tuple[int, ...]) -> bool:
    return claimed.shape == shape and all(abs(v) < float("inf") for v in claimed.flat)


def _stand_in(question: Question, at: Point, land: Landscape) -> Any:
    """What is shown for more entries than are differenced one by one: our derivation, else autograd's gradient."""
    if isinstance(question.truth, Node):
        return evaluate(question.truth, land.exact, at.sizes, land.values).astype(float)
    return autograd(question, at, "float64", "cpu")[0]


# -------------------------------------------------------------------------------------------------- a formula


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
        shown = land.gradient.astype(float) if small else _stand_in(self.question, self.at, land)
        if not _finite(claimed, x.shape):
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


# ------------------------------------------------------------------------------------------ a function's result


@dataclass(frozen=True)
class _Heard:
    question: Question
    at: Point
    number: int

    def judgement(self) -> Judgement:
        """What is heard of a function, held against the differences."""
        import mpmath

        claimed = called(self.question, self.at)
        found = self._held_against(QUICK, claimed)
        with mpmath.workdps(QUICK.digits):
            unclear = not claimed.any() and abs(found.truth).max() <= float(self._floor(QUICK))
        return self._held_against(FINE, claimed) if found.blank or (unclear and found.truth.any()) else found

    def _floor(self, precision: Precision) -> Any:
        """What rounding leaves, in so many digits, of a gradient that is zero."""
        import mpmath

        land = landscape(self.question, self.at, precision)
        length = max(abs(land.exact[self.question.name]).max(), mpmath.mpf("1e-300"))
        return mpmath.mpf(precision.noise) * land.largest / length

    def _held_against(self, precision: Precision, claimed: Any) -> Judgement:
        import mpmath
        import numpy as np

        with mpmath.workdps(precision.digits):
            land = landscape(self.question, self.at, precision)
            x = land.exact[self.question.name]
            small = x.size <= ENTRIES
            shown = land.gradient.astype(float) if small else _stand_in(self.question, self.at, land)
            made = Judgement(False, claimed, shown, float(land.value), float(land.largest), 0, float("inf"))
            if not _finite(claimed, x.shape):
                return made
            if self._wavers(claimed):
                return replace(made, holds=True, doubt="the function gives another value when it is called again")
            moved, theirs = self._moved(claimed)
            allowed = room(moved, claimed, self.at.sizes) + float(self._floor(precision))
            as_torch = claimed.shape == theirs.shape and bool((abs(claimed - theirs) <= allowed).all())
            sure = allowed * 4 + doubtful(moved, claimed, unit_of(self.question, self.at))
            off, allowed, sure = self._distances(land, claimed, allowed, sure)
            size = float(max(abs(claimed).max(), abs(shown).max()))
            visible = float(allowed.max()) / size if size else 0.0
            wrong = bool((off > sure).any())
            if as_torch and not wrong and visible <= BLIND:  # what torch's own functions err by is none of the claim's
                allowed = np.maximum(allowed, off)
                visible = max(visible, float(off.max()) / size if size else 0.0)
            doubt = _doubt(off, allowed, size, self.question.claimed) or self._small(land, claimed, moved)
            blank = land.is_blank(self.number)
            return replace(made, holds=not wrong, blank=blank, visible=visible, doubt="" if wrong else doubt)

    def _small(self, land: Landscape, claimed: Any, moved: Any) -> str:
        """That the function errs in an entry which is small beside the largest one; or ""."""
        if claimed.size > ENTRIES:
            return ""
        truth = land.gradient.astype(float)
        wrong = overshadowed(claimed, truth, moved, self.at.sizes) & (abs(claimed - truth) > float(self._floor(QUICK)))
        for row, column in zip(*wrong.nonzero(), strict=True):
            said, found = claimed[row, column], truth[row, column]
            return f"entry [{row}, {column}] is {said:.1e} in the function and {found:.1e} in {QUICK.digits} digits"
        return ""

    def _wavers(self, claimed: Any) -> bool:
        again = called(self.question, self.at)
        return again.shape != claimed.shape or bool(abs(again - claimed).max() > _WAVERING * abs(claimed).max())

    def _moved(self, claimed: Any) -> tuple[Any, Any]:
        """How far a unit of roundoff moves the function's result, or what torch's own backward pass gives; and that."""
        import numpy as np

        def claim(**given: Any) -> Any:
            return called(self.question, self.at, given)

        tensors = tensors_at(self.question, self.at)
        mine = steady_spread(claim, tensors, claimed, self.number)
        usual = autograd_of(self.question, self.at, tensors)[0]
        theirs = spread(lambda **t: autograd_of(self.question, self.at, t)[0], tensors, usual, self.number)
        theirs = np.where(np.isfinite(theirs), theirs, 0.0)
        lost = room(theirs, claimed, self.at.sizes).max(initial=0.0) > BLIND * abs(claimed).max(initial=0.0)
        return mine if lost and is_watched(claim, tensors) else mine + theirs, usual

    def _distances(self, land: Landscape, claimed: Any, allowed: Any, sure: Any) -> tuple[Any, Any, Any]:
        """What the claim is off by, in each entry or along each direction, with the tolerances there."""
        import mpmath
        import numpy as np

        exact = np.array([mpmath.mpf(float(v)) for v in claimed.flat], dtype=object).reshape(claimed.shape)
        if claimed.size <= ENTRIES:
            return abs(exact - land.gradient).astype(float), allowed, sure
        pairs = land.along(self.number)
        off = np.array([float(abs((exact * d).sum() - slope)) for d, slope in pairs])
        weights = [abs(d).astype(float) for d, _ in pairs]
        outside = float(abs(projected(self.question.projected, claimed) - claimed).max())
        return (
            np.array([*off, outside]),
            np.array([*((allowed * w).sum() for w in weights), allowed.max()]),
            np.array([*((sure * w).sum() for w in weights), sure.max()]),
        )


def _doubt(off: Any, allowed: Any, size: float, claimed: Any) -> str:
    worst = float(allowed.max() if allowed.size else 0.0)
    if size and worst > BLIND * size:
        return f"ill-conditioned: rounding alone may move the gradient by {worst / size:.0e} relative"
    if (off > allowed).any():
        own = claimed.doubt(float(off.max()) / (size or 1.0)) if isinstance(claimed, Foreign) else ""
        return own or (
            f"the function is off by {off.max() / (size or 1.0):.1e} relative: more than rounding explains"
            f" ({worst / (size or 1.0):.0e}), and too little to be called wrong in floats"
        )
    return ""
