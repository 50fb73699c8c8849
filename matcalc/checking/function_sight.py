"""What many digits say of a claim that is a function, whose result is in floats.

It agrees within the rounding that was measured of it (see :mod:`matcalc.checking.tolerance`), is wrong where it is off
by more than 1e-8 of what is summed as well, and is in doubt between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.foreign import Foreign
from matcalc.checking.judgement import (
    NO_VALUE_IN_ALL_DIGITS,
    Judgement,
    is_finite,
    rounding,
    stand_in,
    unit_of,
)
from matcalc.checking.landscape import ENTRIES, FINE, QUICK, Landscape, Precision, landscape
from matcalc.checking.points import Point
from matcalc.checking.precise import NO_VALUE
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.checking.tolerance import (
    BLIND,
    DOUBT,
    UNIT,
    doubtful,
    is_watched,
    overshadowed,
    room,
    spread,
    steady_spread,
)
from matcalc.checking.torch_side import autograd_of, called, tensors_at

_WAVERING = 1e-12
_LEAST = 1e-320


def judged_function(question: Question, at: Point, number: int) -> Judgement:
    """The judgement on a function at a point; ``number`` seeds the directions and the perturbations."""
    return _Heard(question, at, number).judgement()


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
        if not found.blank and not (unclear and found.truth.any()):
            return found
        try:
            return self._held_against(FINE, claimed)
        except NO_VALUE:
            return replace(found, holds=True, doubt=NO_VALUE_IN_ALL_DIGITS)

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
            shown = land.gradient.astype(float) if small else stand_in(self.question, self.at, land)
            made = Judgement(False, claimed, shown, float(land.value), float(land.largest), 0, float("inf"))
            if not is_finite(claimed, x.shape):
                return made
            if self._wavers(claimed):
                return replace(made, holds=True, doubt="the function gives another value when it is called again")
            moved, theirs = self._moved(claimed)
            allowed = room(moved, claimed, self.at.sizes) + float(self._floor(precision))
            as_torch = claimed.shape == theirs.shape and bool((abs(claimed - theirs) <= allowed).all())
            unit = unit_of(self.question, self.at)
            sure = allowed * 4 + doubtful(moved, claimed, unit)
            off, allowed, sure = self._distances(land, claimed, allowed, sure)
            size = float(max(abs(claimed).max(), abs(shown).max()))
            visible = float(allowed.max()) / size if size else 0.0
            wrong = bool((off > sure).any())
            if lost := self._lost(land, off, wrong, as_torch):
                return replace(made, holds=True, visible=float("inf"), doubt=lost)
            if as_torch and not wrong and visible <= BLIND:  # what torch's own functions err by is none of the claim's
                allowed = np.maximum(allowed, off)
                visible = max(visible, float(off.max()) / size if size else 0.0)
            doubt = _doubt(off, allowed, size, self.question.claimed) or self._small(land, claimed, moved, theirs)
            doubt = doubt or _coarse(off, size, unit)
            if not wrong and visible > BLIND and self._decides(land, off, claimed, theirs):
                visible, doubt = (
                    BLIND,
                    f"the function is off by {float(off.max()) / size:.0e} relative: does a tie decide?",
                )
            blank = land.is_blank(self.number)
            return replace(made, holds=not wrong, blank=blank, visible=visible, doubt="" if wrong else doubt)

    def _lost(self, land: Landscape, off: Any, wrong: bool, as_torch: bool) -> str:
        """That floats show nothing of the gradient there; or "".

        What is 1e-400 is 0 in floats. Torch's gelu has the gradient 0 at -20, as 1 + erf(-20) is in NumPy, and 1e-88 is
        rounding beside the function's value.
        """
        import mpmath

        small = land.exact[self.question.name].size <= ENTRIES
        slopes = land.gradient.flat if small else [slope for _, slope in land.along(self.number)]
        most = max(map(abs, slopes))
        noise = mpmath.mpf(land.precision.noise) * abs(land.value)
        lost = not off.any() and noise < most < _LEAST
        if wrong and off.max() <= rounding(self.at, self.question.name, float(land.largest)):
            claimed = self.question.claimed
            assert callable(claimed)
            behind = getattr(claimed, "behind", claimed)
            lost = as_torch or not is_watched(behind, tensors_at(self.question, self.at))
        return f"floats show nothing of a gradient that is at most {mpmath.nstr(most, 1)}" if lost else ""

    def _decides(self, land: Landscape, off: Any, claimed: Any, theirs: Any) -> bool:
        """Whether a function errs where nothing but roundings on the way would explain it, and none need be there.

        Zeros and ones of which a largest is taken are tied exactly, however the inputs are rounded; a perturbation of
        each result on the way parts them.
        """
        if claimed.shape != theirs.shape or claimed.size > ENTRIES:
            return False
        tensors, fixed = tensors_at(self.question, self.at), self.question.whole
        mine = spread(self._claim, tensors, claimed, self.number, operations=False, fixed=fixed)
        moved = spread(
            lambda **t: autograd_of(self.question, self.at, t)[0], tensors, theirs, self.number, operations=False,
            fixed=fixed,
        )  # fmt: skip
        allowed = 4 * room(mine + moved, claimed, self.at.sizes) + DOUBT * abs(claimed).max()
        return bool((off > allowed + rounding(self.at, self.question.name, float(land.largest))).any())

    def _small(self, land: Landscape, claimed: Any, moved: Any, theirs: Any) -> str:
        """That the function errs in an entry which is small beside the largest one, and torch does not; or ""."""
        if claimed.size > ENTRIES:
            return ""
        truth = land.gradient.astype(float)
        wrong = overshadowed(claimed, truth, moved, self.at.sizes, exact=True)
        wrong &= abs(claimed - truth) > float(self._floor(QUICK))
        wrong &= abs(claimed - theirs) > BLIND * abs(theirs)
        for row, column in zip(*wrong.nonzero(), strict=True):
            said, found = claimed[row, column], truth[row, column]
            return f"entry [{row}, {column}] is {said:.8g} in the function and {found:.8g} in {QUICK.digits} digits"
        return ""

    def _wavers(self, claimed: Any) -> bool:
        again = called(self.question, self.at)
        return again.shape != claimed.shape or bool(abs(again - claimed).max() > _WAVERING * abs(claimed).max())

    def _moved(self, claimed: Any) -> tuple[Any, Any]:
        """How far a unit of roundoff moves the function's result, or what torch's own backward pass gives; and that."""
        import numpy as np

        tensors, fixed = tensors_at(self.question, self.at), self.question.whole
        mine = steady_spread(self._claim, tensors, claimed, self.number, fixed=fixed)
        usual = autograd_of(self.question, self.at, tensors)[0]
        theirs = spread(lambda **t: autograd_of(self.question, self.at, t)[0], tensors, usual, self.number, fixed=fixed)
        theirs = np.where(np.isfinite(theirs), theirs, 0.0)
        lost = room(theirs, claimed, self.at.sizes).max(initial=0.0) > BLIND * abs(claimed).max(initial=0.0)
        return mine if lost and is_watched(self._claim, tensors) else mine + theirs, usual

    def _claim(self, **given: Any) -> Any:
        return called(self.question, self.at, given)

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


def _coarse(off: Any, size: float, unit: float) -> str:
    """That a function is off by more than float64 explains, and no more than a part of it in float32 does; or ""."""
    worst = float(off.max(initial=0.0))
    if unit == UNIT or worst <= DOUBT * size:
        return ""
    return f"the function is off by {worst / size:.1e} relative, which a part of it that is in float32 may round by"
