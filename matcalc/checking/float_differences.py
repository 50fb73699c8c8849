"""The lowered values as a witness: extrapolated differences in float64, and complex steps where the code is analytic.

Whether the code may be asked at complex numbers is found out along every direction anew, by asking it on a circle
around the point (Lyness and Moler 1967, SIAM J. Numer. Anal. 4:202). An analytic function has no Fourier coefficient
of negative order there; a conjugate, an absolute value, a comparison, a branch cut or a pole leave some, or fail. Only
where they are nothing but rounding is the complex step (Squire and Trapp 1998, SIAM Rev. 40:110) believed: it has
neither truncation nor cancellation, and its error is what was seen of negative order.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterator
from typing import Any

from matcalc.checking.evidence import Evidence, Seen
from matcalc.checking.slopes import Slope, slope
from matcalc.checking.testimony import Testimony
from matcalc.checking.tolerance import UNIT
from matcalc.checking.torch_side import complex_value_along, value_along
from matcalc.checking.torch_witnesses import Figure, counted, directional, directions, spoken

_DIRECTIONS = 3
_WIDTH = 0.02
_TRUSTED = 1e-3
_POINTS_ON_CIRCLE = 16
_ORDERS = 3
_RADIUS = 2.0**-6
_STEP = 2.0**-200
_ANALYTIC = 1e-10


def differences_testimony(evidence: Evidence) -> Testimony:
    """The claim against slopes of the lowered values along random directions; the complex step's where it has one."""
    figures: list[Figure] = []
    complex_ones = 0
    for seen in evidence.points:
        for direction in directions(evidence, seen, _DIRECTIONS, 78):
            found, is_complex = _slope(evidence, seen, direction)
            complex_ones += is_complex
            if found is not None:
                figures.append(directional(evidence, seen, direction, found.value, 10 * found.error))
    if not figures:
        return Testimony("differences", None, "differences of the lowered values do not settle there")
    steps = f"complex steps along {complex_ones} of {len(figures)} directions" if complex_ones else "no complex steps"
    trials = len({each.trial for each in figures})
    silent = "" if trials == len(evidence.points) else f", which settle in {counted(trials)} alone"
    return spoken("differences", f"extrapolated differences and {steps}{silent}", figures)


def _size(seen: Seen, direction: Any, found: Slope) -> float:
    if seen.claimed.shape != direction.shape:
        return abs(found.value) or 1.0
    return max(float((abs(seen.claimed) * abs(direction)).sum()), abs(found.value)) or 1.0


def _slope(evidence: Evidence, seen: Seen, direction: Any) -> tuple[Slope | None, bool]:
    """The slope of the lowered value along a direction, None where none settles; and whether it is a complex step's."""
    question, x = evidence.question, seen.at.values[evidence.question.name]
    length = float(abs(x).mean()) or 1.0
    scaled = direction * length
    real = slope(value_along(question, seen.at, scaled), _WIDTH)
    stepped = complex_slope(complex_value_along(question, seen.at, scaled))
    size = _size(seen, scaled, real)
    if stepped is not None and abs(stepped.value - real.value) <= 10 * (stepped.error + real.error) + _TRUSTED * size:
        return Slope(stepped.value / length, stepped.error / length), True
    if real.error <= _TRUSTED * size:
        return Slope(real.value / length, real.error / length), False
    return None, False


def complex_slope(f: Callable[[complex], complex]) -> Slope | None:
    """The derivative at 0 of a function that is real on the real line, by a complex step; None if it is not analytic.

    >>> found = complex_slope(cmath.exp)
    >>> found.value, found.error < 1e-12
    (1.0, True)
    >>> complex_slope(lambda z: complex(abs(1 + z) ** 2)) is None
    True
    """
    angles = [2 * cmath.pi * k / _POINTS_ON_CIRCLE for k in range(_POINTS_ON_CIRCLE)]
    try:
        around = [f(_RADIUS * cmath.exp(1j * angle)) for angle in angles]
        step = f(1j * _STEP)
    except (RuntimeError, TypeError, ValueError, ArithmeticError, UserWarning):
        return None  # torch refuses, or warns that it drops the imaginary part
    if not all(cmath.isfinite(value) for value in (*around, step)):
        return None
    negative = list(_negative_orders(around, angles))
    slope_found = step.imag / _STEP
    rounding = 8 * UNIT * max(abs(value) for value in around) / _RADIUS
    wrong = sum(negative) / _RADIUS
    if not wrong <= _ANALYTIC * abs(slope_found) + _POINTS_ON_CIRCLE * rounding:
        return None
    return Slope(slope_found, 2 * wrong + 8 * UNIT * abs(slope_found))


def _negative_orders(around: list[complex], angles: list[float]) -> Iterator[float]:
    """The sizes of the first Fourier coefficients of negative order; further down, high positive ones look the same.

    A conjugate and an absolute value leave one of order -1, a pole or a branch cut inside of every order.
    """
    for order in range(1, _ORDERS + 1):
        turned = (value * cmath.exp(1j * order * angle) for value, angle in zip(around, angles, strict=True))
        yield abs(sum(turned)) / _POINTS_ON_CIRCLE
