"""Dual numbers over a prime field: a value and its derivative along one direction, both exact.

An element is a + b·ε with ε² = 0, a and b integers modulo p. It has the arithmetic of a field and nothing else: no
order, no equality, no float, and no absolute value but a root of the square. An operator that needs more than field
arithmetic of its arguments is refused here, whatever its record says.

A square root is the smaller of the two in the field where there is one. Its derivative follows from s² = u. What is no
rational function (see :mod:`matcalc.operators.exact_functions`) has for its value a hash of the argument.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

from matcalc.checking.dual_numbers import Dual
from matcalc.operators.exact_functions import Primitive

BITS = 127
"""Primes lie between 2^126 and 2^127."""
_ROUNDS = 40
_SMALL = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)


class NoRootError(ArithmeticError):
    """A value without a square root in the field."""


class Draws:
    """Uniform integers from a hash of what is asked: one who writes a claim cannot choose them."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._count = 0

    def below(self, bound: int) -> int:
        """An integer from 0 up to ``bound``; 128 bits more than it has make it uniform.

        >>> Draws(b"key").below(10) == Draws(b"key").below(10) < 10
        True
        """
        self._count += 1
        return self.of(self._count.to_bytes(8, "big"), bound)

    def of(self, what: bytes, bound: int) -> int:
        """The integer below ``bound`` that belongs to ``what``.

        >>> Draws(b"key").of(b"x", 10) == Draws(b"key").of(b"x", 10)
        True
        """
        length = (bound.bit_length() + 128) // 8 + 1
        number: int = int.from_bytes(hashlib.shake_256(self._key + what).digest(length), "big")
        return number % bound


def is_prime(n: int, draws: Draws) -> bool:
    """Whether ``n`` is a prime: a composite passes with probability below 4^-40 (Rabin 1980).

    >>> is_prime(2**127 - 1, Draws(b"")), is_prime(2**127 - 3, Draws(b""))
    (True, False)
    """
    if n < _SMALL[0] or n % 2 == 0:
        return n == 2
    if any(n % q == 0 for q in _SMALL):
        return n in _SMALL
    twos = ((n - 1) & (1 - n)).bit_length() - 1
    odd = (n - 1) >> twos
    return all(_passes(n, pow(2 + draws.below(n - 3), odd, n), twos) for _ in range(_ROUNDS))


def _passes(n: int, power: int, twos: int) -> bool:
    if power in (1, n - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


def drawn_prime(draws: Draws) -> int:
    """A prime of 127 bits that is 3 modulo 4, uniform among those.

    >>> drawn_prime(Draws(b"key")).bit_length()
    127
    """
    while True:
        n: int = 2 ** (BITS - 1) + 4 * draws.below(2 ** (BITS - 3)) + 3
        if is_prime(n, draws):
            return n


class Field:
    """GF(p) at one random point.

    Attributes:
        p: the prime, 3 modulo 4.
        everywhere: whether all that is drawn moves.
        roots: what roots were taken of, in order, and whether it has one.
        forms: the form ω of each value that is no rational function, in order; see
            :class:`~matcalc.operators.exact_functions.Primitive`.
    """

    def __init__(self, p: int, draws: Draws, *, everywhere: bool = False) -> None:
        self.p = p
        self.everywhere = everywhere
        self.roots: dict[int, bool] = {}
        self.forms: dict[tuple[Primitive, int], int] = {}
        self._draws = draws
        self._salt = draws.below(p).to_bytes(BITS // 8 + 1, "big")
        self._constants: dict[Fraction, Element] = {}

    def fresh(self) -> Element:
        """A random element."""
        return Element(self, self._draws.below(self.p), self._draws.below(self.p) if self.everywhere else 0)

    def another(self) -> Field:
        """The same field at another point, where everything moves."""
        return Field(self.p, self._draws, everywhere=True)

    def unknown(self, name: str, value: int = 0) -> Element:
        """A random element that belongs to a name and a value."""
        return Element(self, self._draws.of(self._salt + f"{name} {value}".encode(), self.p), 0)

    def representative(self, images: list[tuple[Element, Any]]) -> tuple[Element, Any]:
        """The argument, of all that symmetries make of one, by which its value is named; and how to get back."""
        return min(images, key=lambda image: image[0].value)

    def constant(self, number: Fraction) -> Element:
        """A rational number in the field.

        Raises:
            ZeroDivisionError: where p divides its denominator.
        """
        made = self._constants.get(number)
        if made is None:
            if not number.denominator % self.p:
                raise ZeroDivisionError("p divides a denominator")
            value = number.numerator * pow(number.denominator, -1, self.p) % self.p
            made = self._constants[number] = Element(self, value, 0)
        return made

    def root(self, value: int) -> int:
        """The smaller of the two square roots.

        Raises:
            NoRootError: where there is none.
            ZeroDivisionError: for zero, where a root has no derivative.
        """
        if not value:
            raise ZeroDivisionError("the root of zero has no derivative")
        found = pow(value, (self.p + 1) // 4, self.p)
        self.roots[value] = found * found % self.p == value
        if not self.roots[value]:
            raise NoRootError
        return min(found, self.p - found)


class Element(Dual["Element"]):
    """A dual number over GF(p)."""

    __slots__ = ("dual", "field", "value")
    field: Field
    value: int
    dual: int

    def __init__(self, field: Field, value: int, dual: int) -> None:
        self.field, self.value, self.dual = field, value, dual

    def moving(self, along: Element) -> Element:
        """The same value, moving along another."""
        return Element(self.field, self.value, along.value)

    def still(self) -> Element:
        """The same value, not moving."""
        return Element(self.field, self.value, 0)

    def derivative(self) -> Element:
        """How it moves."""
        return Element(self.field, self.dual, 0)

    def is_zero(self) -> bool:
        """Whether the value is zero; for those who check, not for operators."""
        return not self.value

    def constant(self, number: Fraction) -> Element:
        """A rational number there."""
        return self.field.constant(number)

    def __add__(self, other: Any) -> Element:
        right = self._like(other)
        if right is None:
            return NotImplemented
        p = self.field.p
        return Element(self.field, (self.value + right.value) % p, (self.dual + right.dual) % p)

    __radd__ = __add__

    def __neg__(self) -> Element:
        return Element(self.field, -self.value % self.field.p, -self.dual % self.field.p)

    def __sub__(self, other: Any) -> Element:
        right = self._like(other)
        if right is None:
            return NotImplemented
        p = self.field.p
        return Element(self.field, (self.value - right.value) % p, (self.dual - right.dual) % p)

    def __rsub__(self, other: Any) -> Element:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Element:
        right = self._like(other)
        if right is None:
            return NotImplemented
        a, b, p = self.value, right.value, self.field.p
        dual = (a * right.dual + self.dual * b) % p if self.dual or right.dual else 0
        return Element(self.field, a * b % p, dual)

    __rmul__ = __mul__

    def inverse(self) -> Element:
        """1/(a + b·ε) = 1/a - b/a²·ε.

        Raises:
            ZeroDivisionError: where a is zero.
        """
        p, value = self.field.p, self.value
        if not value:
            raise ZeroDivisionError("a denominator is zero")
        turned = pow(value, -1, p)
        return Element(self.field, turned, -self.dual * turned * turned % p)

    def raised(self, exponent: int) -> Element:
        """A power from the first up."""
        below = pow(self.value, exponent - 1, self.field.p)
        return Element(self.field, below * self.value % self.field.p, exponent * below * self.dual % self.field.p)

    def root(self) -> Element:
        """A square root, taken where more than its square is asked for."""
        return Root(self)

    def primitive(self, which: Primitive) -> Element:
        """A function that is no rational one: a hash of the argument, or of what a symmetry makes of it."""
        here = self.still()
        images = [(here, None), *((move(here), turn) for move, turn in which.symmetries)]
        least, turn = self.field.representative(images)
        if self.value == which.known[0]:
            y = self.field.constant(Fraction(which.known[1]))
        else:
            y = self.field.unknown(which.name, least.value)
            y = y if turn is None else turn(y)
            self.field.forms[which, least.value] = which.form(here).value * self.dual % self.field.p
        return Element(self.field, y.value, which.derivative(here, y).value * self.dual % self.field.p)


class Root(Element):
    """A square root: its even powers are powers of what is under it, and need no root in the field."""

    __slots__ = ("_found", "under")

    def __init__(self, under: Element) -> None:
        self.field, self.under = under.field, under
        self._found: Element | None = None

    def _root(self) -> Element:
        if self._found is None:
            p, under = self.field.p, self.under
            value = self.field.root(under.value)
            self._found = Element(self.field, value, under.dual * pow(2 * value, -1, p) % p)
        return self._found

    @property
    def value(self) -> int:  # type: ignore[override]  # found when first asked for
        """The value of the root."""
        return self._root().value

    @property
    def dual(self) -> int:  # type: ignore[override]  # found when first asked for
        """Its derivative."""
        return self._root().dual

    def __pow__(self, exponent: Any) -> Element:
        if isinstance(exponent, int) and exponent % 2 == 0:
            return self.under ** (exponent // 2)
        return super().__pow__(exponent)


def rank_modulo(rows: list[list[int]], p: int) -> int:
    """The rank of a matrix over GF(p).

    >>> rank_modulo([[1, 2], [2, 4], [0, 7]], 7), rank_modulo([], 7)
    (1, 0)
    """
    left = [list(row) for row in rows]
    rank = 0
    for column in range(len(left[0]) if left else 0):
        pivot = next((row for row in left[rank:] if row[column] % p), None)
        if pivot is None:
            continue
        left.remove(pivot)
        turned = pow(pivot[column], -1, p)
        left = [[(v - row[column] * turned * w) % p for v, w in zip(row, pivot, strict=True)] for row in left]
        left.insert(rank, pivot)
        rank += 1
    return rank
