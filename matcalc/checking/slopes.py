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
_STARTS = (2e-2, 2e-4, 2e-6, 2e-8)
_NEARER = (1e-2, 1e-4, 1e-6, 1e-8)
_SURELY = 10.0


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


def confirmed(f: Callable[[float], float], noise: float) -> Slope | None:
    """The slope that nearer differences do not contradict; None where there is none.

    Steps that reach beyond a pole, or a kink, may settle on a slope that is another one: near a singular matrix log det
    varies over no more than the distance to it. ``noise`` is what ``f`` is off by; the error holds what it does.

    >>> import math
    >>> found = confirmed(lambda t: math.log(abs(1e-5 + t)), 1e-14)
    >>> abs(found.value - 1e5) < found.error < 1
    True
    """
    for start in _STARTS:
        found = slope(f, start)
        error = _SURELY * found.error + 2 * noise / found.step
        if not error < float("inf"):
            continue
        bent = abs(_central(f, found.step) - found.value)
        steps = [found.step * part for part in _NEARER]
        if all(abs(_central(f, h) - found.value) <= bent + error + 2 * noise / h for h in steps):
            return found._replace(error=error)
    return None


def _central(f: Callable[[float], float], h: float) -> float:
    return (f(h) - f(-h)) / (2 * h)
