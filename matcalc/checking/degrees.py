"""How large the degree of a value is: the same arithmetic as over a field, on bounds instead of values.

A value is a polynomial with integer coefficients in everything that is drawn, over a product of powers of factors. An
:class:`Extent` bounds the total degree of the polynomial and, in bits, the sum of the absolute values of its
coefficients, and names the factors below. Sums go over the least common multiple of the factors; an inverse makes the
polynomial above a new factor. A bound holds because these rules do, for every operator that is evaluated, and no
operator states a degree of its own.

A root s of u = a/d is (a·d)^(1/2)/d: as something that grows like half the degree of a·d, and with half its bits. The
norm of a polynomial in x and k roots, the product over all 2^k choices of signs, is a polynomial in x of 2^k times
the degree and the bits.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from matcalc.checking.dual_numbers import Dual
from matcalc.operators.exact_functions import Primitive


class Factor:
    """A polynomial that stands in denominators: its degree and its bits; every one is itself alone."""

    __slots__ = ("bits", "degree")

    def __init__(self, degree: int, bits: int) -> None:
        self.degree, self.bits = degree, bits


class Extent:
    """A bound on one value.

    Attributes:
        degree: of the numerator.
        bits: of the numerator.
        below: the powers of factors in the denominator.
    """

    __slots__ = ("_turned", "below", "bits", "degree")

    def __init__(self, degree: int, bits: int, below: dict[Factor, int]) -> None:
        self.degree, self.bits, self.below = degree, bits, below
        self._turned: Extent | None = None

    @property
    def degree_below(self) -> int:
        """The degree of the denominator."""
        return sum(power * factor.degree for factor, power in self.below.items())

    @property
    def bits_below(self) -> int:
        """The bits of the denominator."""
        return sum(power * factor.bits for factor, power in self.below.items())

    def plus(self, other: Extent) -> Extent:
        """A sum, over the least common multiple of the factors."""
        if self.below == other.below:
            return Extent(max(self.degree, other.degree), max(self.bits, other.bits) + 1, self.below)
        below = dict(self.below)
        for factor, power in other.below.items():
            below[factor] = max(power, below.get(factor, 0))
        sides = [_raised(side, below) for side in (self, other)]
        return Extent(max(d for d, _ in sides), max(b for _, b in sides) + 1, below)

    def by(self, other: Extent) -> Extent:
        """A product."""
        below = dict(self.below)
        for factor, power in other.below.items():
            below[factor] = power + below.get(factor, 0)
        return Extent(self.degree + other.degree, self.bits + other.bits, below)

    def turned(self) -> Extent:
        """The inverse: the numerator is a new factor, the same one each time."""
        if self._turned is None:
            self._turned = Extent(self.degree_below, self.bits_below, {Factor(self.degree, self.bits): 1})
        return self._turned

    def rooted(self) -> Extent:
        """A square root."""
        return Extent(-(-(self.degree + self.degree_below) // 2), -(-(self.bits + self.bits_below) // 2), self.below)


def _raised(side: Extent, below: dict[Factor, int]) -> tuple[int, int]:
    """Degree and bits of a numerator over more factors."""
    more = [(power - side.below.get(factor, 0), factor) for factor, power in below.items()]
    return side.degree + sum(k * f.degree for k, f in more), side.bits + sum(k * f.bits for k, f in more)


class Degrees:
    """What a :class:`~matcalc.checking.finite_field.Field` is for elements.

    Attributes:
        arguments: of what functions were taken that are no rational ones.
    """

    def __init__(self) -> None:
        self.arguments: list[Extent] = []
        self._constants: dict[Fraction, Bound] = {}

    def fresh(self) -> Bound:
        """A value that is drawn."""
        return Bound(self, Extent(1, 0, {}), None)

    def unknown(self, name: str, value: int = 0) -> Bound:
        """A value that belongs to a name."""
        return self.fresh()

    def constant(self, number: Fraction) -> Bound:
        """A rational number."""
        made = self._constants.get(number)
        if made is None:
            below = {} if number.denominator == 1 else {Factor(0, number.denominator.bit_length()): 1}
            extent = Extent(0, abs(number.numerator).bit_length(), below)
            made = self._constants[number] = Bound(self, extent, None)
        return made


class Bound(Dual["Bound"]):
    """The extents of a value and of its derivative; None for a derivative that is zero."""

    __slots__ = ("degrees", "dual", "value")

    def __init__(self, degrees: Degrees, value: Extent, dual: Extent | None) -> None:
        self.degrees, self.value, self.dual = degrees, value, dual

    def moving(self, along: Bound) -> Bound:
        """The same value, moving along another."""
        return Bound(self.degrees, self.value, along.value)

    def still(self) -> Bound:
        """The same value, not moving."""
        return Bound(self.degrees, self.value, None)

    def derivative(self) -> Bound:
        """How it moves."""
        return self.degrees.constant(Fraction(0)) if self.dual is None else Bound(self.degrees, self.dual, None)

    def constant(self, number: Fraction) -> Bound:
        """A rational number there."""
        return self.degrees.constant(number)

    def __add__(self, other: Any) -> Bound:
        right = self._like(other)
        if right is None:
            return NotImplemented
        return Bound(self.degrees, self.value.plus(right.value), _sum(self.dual, right.dual))

    __radd__ = __sub__ = __rsub__ = __add__

    def __neg__(self) -> Bound:
        return self

    def __mul__(self, other: Any) -> Bound:
        right = self._like(other)
        if right is None:
            return NotImplemented
        dual = _sum(
            None if right.dual is None else self.value.by(right.dual),
            None if self.dual is None else self.dual.by(right.value),
        )
        return Bound(self.degrees, self.value.by(right.value), dual)

    __rmul__ = __mul__

    def inverse(self) -> Bound:
        """1/(a + b·ε) = 1/a - b/a²·ε."""
        turned = self.value.turned()
        return Bound(self.degrees, turned, None if self.dual is None else self.dual.by(turned).by(turned))

    def raised(self, exponent: int) -> Bound:
        """A power from the first up."""
        value = self.value
        powers = [
            Extent(k * value.degree, k * value.bits, {f: k * e for f, e in value.below.items()})
            for k in (exponent, exponent - 1)
        ]
        factor = Extent(0, exponent.bit_length(), {})
        return Bound(self.degrees, powers[0], None if self.dual is None else powers[1].by(factor).by(self.dual))

    def root(self) -> Bound:
        """A square root, taken where more than its square is asked for."""
        return RootBound(self)

    def primitive(self, which: Primitive) -> Bound:
        """A new unknown t, or what a symmetry makes of it: t = t²/t and 1/t have the same denominator."""
        self.degrees.arguments.append(self.value)
        here, y = self.still(), Bound(self.degrees, Extent(2, 0, {Factor(1, 0): 1}), None)
        dual = None if self.dual is None else which.derivative(here, y).value.by(self.dual)
        return Bound(self.degrees, y.value, dual)


def _sum(left: Extent | None, right: Extent | None) -> Extent | None:
    return right if left is None else left if right is None else left.plus(right)


class RootBound(Bound):
    """The extents of a square root; ds = du/(2·s)."""

    __slots__ = ("_found", "under")

    def __init__(self, under: Bound) -> None:
        self.degrees, self.under = under.degrees, under
        self._found: Bound | None = None

    def _root(self) -> Bound:
        if self._found is None:
            value, dual = self.under.value.rooted(), self.under.dual
            twice = Extent(value.degree, value.bits + 1, value.below).turned()
            self._found = Bound(self.degrees, value, None if dual is None else dual.by(twice))
        return self._found

    @property
    def value(self) -> Extent:  # type: ignore[override]  # found when first asked for
        """The extent of the root."""
        return self._root().value

    @property
    def dual(self) -> Extent | None:  # type: ignore[override]  # found when first asked for
        """That of its derivative."""
        return self._root().dual

    def __pow__(self, exponent: Any) -> Bound:
        if isinstance(exponent, int) and exponent % 2 == 0:
            return self.under ** (exponent // 2)
        return super().__pow__(exponent)
