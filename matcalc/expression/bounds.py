"""Between which numbers the entries of a value lie, as far as declarations and the operators on the way tell.

Interval arithmetic (Moore 1966, Interval Analysis), with fractions for ends, so that nothing is rounded: what a
function without exact values gives at an end is moved outwards by more than its rounding. Where nothing is known, an
end is infinite. A check asks it which sides of a kink or a choice no point can lie on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from matcalc.expression.property import PROPERTIES
from matcalc.expression.walk import fold

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

End: TypeAlias = Fraction | float
_OUTWARDS = Fraction(1, 10**12)
_LEAST = Fraction(1, 10**300)
_MOST_BITS = 4096
_RANGE = 1000


def _within_floats(end: End, up: bool) -> End:
    """An end that floats have, which an infinite one can be added to and multiplied with; outwards of one they lack."""
    if isinstance(end, float) or not end:
        return end
    size = end.numerator.bit_length() - end.denominator.bit_length()
    if abs(size) < _RANGE:
        return end
    if (end > 0) == up:
        return (math.inf if up else -math.inf) if size > 0 else Fraction(1 if up else -1, 2 ** (_RANGE - 1))
    return Fraction(-1 if up else 1) * 2 ** (_RANGE - 1) if size > 0 else Fraction(0)


@dataclass(frozen=True)
class Interval:
    """All numbers from ``low`` to ``high``.

    >>> Interval(Fraction(-1), Fraction(2)) * Interval(Fraction(0), math.inf)
    Interval(low=-inf, high=inf)
    >>> abs(Interval(Fraction(-3), Fraction(2))) - Interval(Fraction(1), Fraction(1))
    Interval(low=Fraction(-1, 1), high=Fraction(2, 1))
    """

    low: End = -math.inf
    high: End = math.inf

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", _within_floats(self.low, False))
        object.__setattr__(self, "high", _within_floats(self.high, True))

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        ends = [_product(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __abs__(self) -> Interval:
        ends = [max(end, -end) for end in (self.low, self.high)]
        return Interval(Fraction(0) if self.low <= 0 <= self.high else min(ends), max(ends))

    def __and__(self, other: Interval) -> Interval:
        return Interval(max(self.low, other.low), min(self.high, other.high))

    def __or__(self, other: Interval) -> Interval:
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def summed(self, count: object) -> Interval:
        """A sum of ``count`` such numbers, which is an integer, or else any number from 1."""
        if isinstance(count, int):
            return self * exactly(count)
        return self * Interval(Fraction(1))

    def multiplied(self, count: object) -> Interval:
        """A product of ``count`` such numbers, which is an integer, or else any number from 1."""
        sizes = abs(self)
        if isinstance(count, int):
            found = sizes.power(Fraction(count)) if count else exactly(1)
        else:
            low = sizes.low if sizes.low >= 1 else Fraction(0)
            found = Interval(low, sizes.high if sizes.high <= 1 else math.inf)
        if self.low >= 0 or count == 0:
            return found
        if self.high <= 0 and isinstance(count, int):
            return -found if count % 2 else found
        return found | -found

    def power(self, exponent: Fraction) -> Interval:
        """These numbers to a power that is a number; negative ones have only whole powers."""
        if exponent.denominator > 1:
            return (self & NOT_NEGATIVE)._of_positive(exponent)
        if not exponent.numerator % 2:
            return abs(self)._of_positive(exponent)
        if self.low >= 0:
            return self._of_positive(exponent)
        if self.high <= 0:
            return -(-self)._of_positive(exponent)
        rising = [end for at in (self.low, self.high) for end in _raised(at, exponent)]
        return Interval(min(rising), max(rising)) if exponent > 0 else EVERYTHING

    def _of_positive(self, exponent: Fraction) -> Interval:
        ends = [end for at in (self.low, self.high) for end in _raised(at, exponent)]
        return Interval(min(ends), max(ends))

    def increasing(self, function: Callable[[End, bool], End]) -> Interval:
        """What an increasing function makes of them, given an end and whether it is the upper one."""
        return Interval(function(self.low, False), function(self.high, True))


EVERYTHING = Interval()
NOT_NEGATIVE = Interval(Fraction(0))
UNIT = Interval(Fraction(0), Fraction(1))
UP_TO_ONE = Interval(Fraction(-1), Fraction(1))


def exactly(number: Fraction | int) -> Interval:
    """One number alone."""
    return Interval(Fraction(number), Fraction(number))


def outwards(value: Any, up: bool) -> End:
    """A rounded end, a float or one of mpmath's, moved by more than the rounding; infinite where it is no real number.

    >>> import mpmath
    >>> outwards(0.0, True), outwards(mpmath.exp(-1000), True) > 0, outwards(mpmath.exp(1000), False)
    (Fraction(0, 1), True, -inf)
    """
    try:
        rounded = float(value)
    except (TypeError, OverflowError):
        rounded = math.nan
    if not math.isfinite(rounded):
        return math.inf if up else -math.inf
    end, step = Fraction(rounded), _OUTWARDS * abs(Fraction(rounded))
    if value and step < _LEAST:
        step = _LEAST  # what a float rounds to zero is on one side of it
    return end + (step if up else -step)


def hull(node: Node, args: Sequence[Interval]) -> Interval:
    """Of a value whose entries are the arguments' entries."""
    return reduce(Interval.__or__, args)


def hull_with_zero(node: Node, args: Sequence[Interval]) -> Interval:
    """Of a value whose entries are the arguments' entries and zeros."""
    return reduce(Interval.__or__, args, exactly(0))


def of_leading_vectors(node: Node, args: Sequence[Interval]) -> Interval:
    """Of u·v' for the unit singular vectors of the largest singular value, or v·v' for those of an eigenvalue.

    Where all entries are positive, so are theirs, and the value is met once (Perron 1907; Horn & Johnson 2013, ch. 8).
    """
    return UNIT if args[0].low > 0 or "positive" in node.args[0].facts else UP_TO_ONE


def eigenvalues_within(node: Node, args: Sequence[Interval]) -> Interval:
    """Of eigenvalues of a matrix: none is larger than the sum of a row's sizes (Gershgorin 1931)."""
    most = abs(args[0]).summed(node.args[0].rows).high
    return Interval(-most, most)


def of_a_norm(node: Node, args: Sequence[Interval]) -> Interval:
    """Of a norm in which every entry counts: no smaller than the largest of their sizes, no larger than the sum."""
    sizes = abs(args[0])
    return Interval(sizes.low, sizes.summed(node.args[0].rows * node.args[0].cols).high)


def bounds(root: Node, known: Mapping[Node, Interval] = MappingProxyType({})) -> Interval:
    """Between which numbers every entry of a value lies; of some nodes it is ``known`` by other means.

    >>> from matcalc.parsed import parse
    >>> bounds(parse("log(1 + x.^2) - 3*y", {"x": "scalar", "y": "scalar(; unit)"}).node)
    Interval(low=Fraction(-3, 1), high=inf)
    """

    def visit(node: Node, args: Sequence[Interval]) -> Interval:
        rule = node.operator.bounds
        found = EVERYTHING if rule is None else rule(node, args)
        if node.facts >= {"diagonal", "psd"}:
            found &= NOT_NEGATIVE
        found &= known.get(node, EVERYTHING)
        return reduce(Interval.__and__, (Interval(*PROPERTIES[fact].entries) for fact in sorted(node.facts)), found)

    return fold(root, visit)


def _product(a: End, b: End) -> End:
    return Fraction(0) if not a or not b else a * b


def _raised(end: End, exponent: Fraction) -> tuple[End, ...]:
    """An end to a power, or where it lies between."""
    if not end or math.isinf(end):
        large = bool(end) == (exponent > 0)
        return (math.copysign(math.inf, end) if large else Fraction(0),)
    if end == 1:
        return (end,)
    exact = Fraction(end)
    bits = max(exact.numerator.bit_length(), exact.denominator.bit_length())
    if exponent.denominator == 1 and bits * abs(exponent) <= _MOST_BITS:
        return (exact**exponent.numerator,)

    import mpmath

    base, power = (mpmath.mpf(v.numerator) / v.denominator for v in (exact, exponent))
    return (outwards(base**power, False), outwards(base**power, True))
