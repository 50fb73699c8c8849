"""Between which numbers elementwise functions lie, given where their argument lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.expression.bounds import EVERYTHING, NOT_NEGATIVE, UP_TO_ONE, End, Interval, outwards

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

MOST_ORDER = 170
"""The largest k with k! a double."""
_WITHIN = {
    "positive": NOT_NEGATIVE,
    "above_one": Interval(Fraction(1)),
    "above_minus_one": Interval(Fraction(-1)),
    "unit": UP_TO_ONE,
}
"""Where the argument of an operator of such a domain lies."""


def through(mp: Callable[[Any, Any], Any], at: dict[int, int], domain: str) -> Any:
    """The bounds of an increasing function, where it has a value at the argument's.

    It is asked about its domain alone, outside which it must have no real value.
    """
    known = _WITHIN.get(domain, EVERYTHING)

    def value(end: End, up: bool) -> End:
        import mpmath

        if end in at:
            return Fraction(at[int(end)])
        try:
            found = mp(mpmath, mpmath.mpf(end.numerator) / end.denominator if isinstance(end, Fraction) else end)
            limit = math.isinf(end) and mpmath.isint(found)
            return Fraction(int(found)) if limit else outwards(found, up)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            return math.inf if up else -math.inf

    return lambda node, args: (args[0] & known).increasing(value)


def falling(mp: Callable[[Any, Any], Any], at: dict[int, int], domain: str = "") -> Any:
    """The same of a decreasing function."""
    rising = through(lambda m, x: -mp(m, x), {x: -y for x, y in at.items()}, domain)
    return lambda node, args: -rising(node, args)


def within(stretch: Interval, rule: Any, otherwise: Interval) -> Any:
    """The bounds by a rule for arguments on a stretch, and of any other argument."""
    return lambda node, args: (
        rule(node, args) if stretch.low <= args[0].low and args[0].high <= stretch.high else otherwise
    )


def even_through(rule: Any) -> Any:
    """The bounds of an even function, by a rule for the sizes of the argument's entries."""
    return lambda node, args: rule(node, [abs(args[0])])


def ramp(lowest: Fraction) -> Any:
    """The bounds of what lies between a number and x, with the sign of x."""
    return lambda node, args: Interval(Fraction(0) if args[0].low >= 0 else lowest, max(args[0].high, Fraction(0)))


STEEP = Interval(Fraction(-3, 2), Fraction(3, 2))  # where sine and tangent rise
CREST = Interval(Fraction(-3), Fraction(3))  # where the cosine rises to 1 and falls


def log_gamma_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """It is convex for positive x and least between 1.46 and 1.47, above -0.1215 (DLMF 5.4.20)."""
    x = args[0]
    before: Interval = falling(lambda m, x: m.loggamma(x), {1: 0, 2: 0})(node, args)
    after: Interval = through(lambda m, x: m.loggamma(x), {1: 0, 2: 0}, "")(node, args)
    if x.high <= Fraction(146, 100):
        return before
    if x.low >= Fraction(147, 100):
        return after
    return Interval(Fraction(-1215, 10_000), max(before.high, after.high))


def polygamma_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """(-1)^(k+1) k! Σ (x + n)^-(k+1), DLMF 5.15.1: falls to zero for odd k, rises to it for even k, for positive x."""
    k, sign = node.params[0], -1 if node.params[0] % 2 else 1
    if args[0].low < 0 or k > MOST_ORDER:
        return NOT_NEGATIVE if sign < 0 else -NOT_NEGATIVE if args[0].low >= 0 else EVERYTHING
    found = through(lambda m, x: sign * m.psi(k, x), {}, "")(node, args)
    return found & -NOT_NEGATIVE if sign > 0 else -(found & -NOT_NEGATIVE)
