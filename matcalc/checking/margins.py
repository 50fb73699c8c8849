"""How far apart rounding may put two functions at a place: measured, as :mod:`matcalc.checking.tolerance` says.

A function of torch is watched operation by operation. One of NumPy or JAX cannot be: its inputs are moved by units of
roundoff instead, which tells its conditioning, and not what it loses on the way by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matcalc.checking.foreign import Foreign
from matcalc.checking.tolerance import (
    BLIND,
    SINGLE,
    UNIT,
    coarse_spread,
    coarsest,
    doubtful,
    overshadowed,
    room,
    spread,
    steady_spread,
)

if TYPE_CHECKING:
    from matcalc.checking.voices import Place

_PLAINLY = 1e-9
"""What float64 does not lose and float32, at 6e-8, does."""


@dataclass(frozen=True)
class Margin:
    """What rounding explains of the distance of two functions' results.

    Attributes:
        allowed: in every entry, what it explains.
        sure: in every entry, what is more than anything explains.
        lost: the share of the result that it may take from the second function.
        blind: whether that is so much that the second function tells nothing.
        unit: the unit roundoff of the least precise type in which either computes.
        moved: in every entry, how far a unit of roundoff moves it.
    """

    allowed: Any
    sure: Any
    lost: float
    blind: bool
    unit: float
    moved: Any

    def agree(self, one: Any, other: Any) -> bool | None:
        """Whether two results are the same; None where they are nearly so. A first that is not finite is no other's."""
        import numpy as np

        a, b = array_of(one), array_of(other)
        if not np.isfinite(a).all():
            return False
        with np.errstate(invalid="ignore"):
            off = abs(a - b)
        if (off <= self.allowed).all():
            return None if self.overshadowed(one, other) else True
        return False if self.blind or (off > self.sure).any() else None

    def overshadowed(self, one: Any, other: Any) -> tuple[int, ...] | None:
        """An entry in which two results differ that is too small beside the largest one for differences to tell."""
        import numpy as np

        a, b = array_of(one), array_of(other)
        if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
            return None
        found = np.argwhere(overshadowed(a, b, self.moved, {}, self.unit))
        return tuple(int(k) for k in found[0]) if len(found) else None

    def doubt(self, one: Any, other: Any) -> str:
        """What is open where two results are not told apart: rounding takes all, or explains too little; or ""."""
        if self.blind:
            return "the function's value is ill-conditioned there"
        if not (_apart(one, other) > self.allowed).any():
            return ""
        return (
            f"the value is off by {relative_error(one, other):.1e} relative: more than rounding explains, and too"
            " little to be called wrong in floats"
        )

    @property
    def widest(self) -> float:
        """The largest tolerance of all entries."""
        return float(self.allowed.max(initial=0.0))


@dataclass(frozen=True)
class Told:
    """A function of a place, what it says there, and how it is watched.

    Attributes:
        function: from a place like it.
        said: the tensor.
        by: the callable behind it; one of another library than torch is not watched.
    """

    function: Callable[[Place], Any]
    said: Any
    by: Any = None

    def moved(self, place: Place, seed: int) -> Any:
        """How far a unit of roundoff moves each entry."""
        call, usual = self.arrays(place), array_of(self.said)
        if isinstance(self.by, Foreign) and self.by.single:
            return coarse_spread(call, place.named, usual, seed)
        if not is_watchable(self.by):
            return spread(call, place.named, usual, seed, operations=False)
        return steady_spread(call, place.named, usual, seed)

    def unit(self, place: Place) -> float:
        """The unit roundoff of the least precise type on the way."""
        if isinstance(self.by, Foreign) and self.by.single:
            return SINGLE
        return max(place.unit, coarsest(self.arrays(place), place.named) if is_watchable(self.by) else UNIT)

    def arrays(self, place: Place) -> Callable[..., Any]:
        """What it says as an array, from other values of the place by name."""
        return lambda **named: array_of(self.function(place.at(named)))


def is_watchable(function: Any) -> bool:
    """Whether the operations of a function are torch's."""
    return not isinstance(function, Foreign) or function.library in ("", "torch")


def margin(place: Place, one: Told, other: Told | None, seed: int) -> Margin:
    """What rounding explains of the distance of two functions of a place; of the first alone where there is no other.

    Where rounding takes everything from the second, as it does from torch's inverse of a singular matrix, the first is
    judged by its own.
    """
    import numpy as np

    said = array_of(one.said)
    mine, theirs = one.moved(place, seed), np.zeros(said.shape)
    size, unit, lost = _largest(said), one.unit(place), 0.0
    if other is not None:
        expected = array_of(other.said)
        theirs, unit = other.moved(place, seed), max(unit, other.unit(place))
        size = max(size, _largest(expected))
        lost = _share(room(theirs, expected, _lengths(place), unit), size)
        said = said if _is_finite(said) else expected
    blind = not lost <= BLIND
    moved = mine if blind else mine + theirs
    sure = 4 * room(moved, said, _lengths(place)) + doubtful(moved, said, unit)
    return Margin(room(moved, said, _lengths(place), unit), sure, lost, blind, unit, moved)


def noise_of(place: Place, seed: int) -> float:
    """How far rounding may move ⟨u, fn⟩."""
    told = Told(lambda at: at.paired(None).detach(), place.paired(None).detach(), place.fn)
    return float(room(told.moved(place, seed), array_of(told.said), _lengths(place), told.unit(place)).max(initial=0.0))


def is_cast(place: Place, one: Told, expected: Any, seed: int) -> bool:
    """Whether a function of float64 inputs is off by more than float64 explains, and computes in float32 inside."""
    if place.unit > UNIT or not one.unit(place) > UNIT:
        return False
    said, truth = array_of(one.said), array_of(expected)
    moved = spread(one.arrays(place), place.named, said, seed, operations=False)
    return bool((abs(said - truth) > 4 * room(moved, truth, _lengths(place)) + _PLAINLY * _largest(truth)).any())


def _lengths(place: Place) -> dict[str, int]:
    """How long a sum over an axis of each input can be."""
    return {name: max(t.shape, default=1) for name, t in place.named.items() if hasattr(t, "shape")}


def array_of(tensor: Any) -> Any:
    """A tensor as a float64 array with its axes."""
    return tensor.detach().double().cpu().numpy()


def relative_error(one: Any, other: Any) -> float:
    """How far two results are apart, beside the largest entry of the second."""
    return _share(_apart(one, other), _largest(array_of(other)))


def _apart(one: Any, other: Any) -> Any:
    """How far each entry is off; NaN where both are infinite."""
    import numpy as np

    with np.errstate(invalid="ignore"):
        return abs(array_of(one) - array_of(other))


def _largest(array: Any) -> float:
    import numpy as np

    return float(abs(array[np.isfinite(array)]).max(initial=0.0))


def _share(allowed: Any, size: float) -> float:
    return float(allowed.max(initial=0.0)) / (size or 1.0)


def _is_finite(array: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(array).all())
