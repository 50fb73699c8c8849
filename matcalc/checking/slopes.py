"""The slope of a function of one number, in floating point, with an estimate of its error.

Ridders' method (Ridders 1982, Advances in Engineering Software 4:75): central differences at shrinking steps,
extrapolated to step zero; the best entry of the tableau is the one that agrees best with its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

_SHRINK = 1.6
_STEPS = 12
_WORSE = 4.0


class Slope(NamedTuple):
    """A slope, how far off it may be where ``f`` is exact, and the least step that it comes from.

    What ``f`` is off by, over that step, comes on top.
    """

    value: float
    error: float
    step: float = 1.0


def slope(f: Callable[[float], float], step: float = 0.1) -> Slope:
    """The derivative of ``f`` at 0; the error is infinite where ``f`` is not finite nearby.

    >>> import math
    >>> found = slope(math.sin)
    >>> abs(found.value - 1) < 1e-11, found.error < 1e-10
    (True, True)
    """
    best = Slope(0.0, float("inf"), step)
    previous: list[float] = []
    for turn in range(_STEPS):
        row = [_central(f, step / _SHRINK**turn)]
        factor = _SHRINK**2
        for k, above in enumerate(previous):
            row.append((row[k] * factor - above) / (factor - 1))
            factor *= _SHRINK**2
            error = max(abs(row[k + 1] - row[k]), abs(row[k + 1] - above))
            if error <= best.error:
                best = Slope(row[k + 1], error, step / _SHRINK**turn)
        if previous and abs(row[-1] - previous[-1]) >= _WORSE * best.error:
            break
        previous = row
    return best


def _central(f: Callable[[float], float], h: float) -> float:
    return (f(h) - f(-h)) / (2 * h)
