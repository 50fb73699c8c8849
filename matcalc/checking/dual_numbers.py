"""What dual numbers over a field and the bounds of their degrees have in common: the arithmetic of a field, no more.

There is no order, no equality and no float. Since both arithmetics refuse the same things, the same operators run on
both, and a bound is one of what was computed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Generic, NoReturn, TypeVar, cast

from matcalc.operators.exact_matrices import OutOfFieldError

Number = TypeVar("Number", bound="Dual[Any]")


class Dual(Generic[Number]):
    """A value with its derivative along one direction, or what bounds the two."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # what cannot be compared has no hash

    def constant(self, number: Fraction) -> Number:
        """A rational number among numbers like this one."""
        raise NotImplementedError

    def inverse(self) -> Number:
        """1/(a + b·ε) = 1/a - b/a²·ε."""
        raise NotImplementedError

    def root(self) -> Number:
        """A square root, taken where more than its square is asked for."""
        raise NotImplementedError

    def raised(self, exponent: int) -> Number:
        """A power from the first up."""
        raise NotImplementedError

    def __mul__(self, other: Any) -> Number:
        raise NotImplementedError

    def _like(self, other: Any) -> Number | None:
        """The other operand as a number like this one; None for what is no number of a field."""
        if isinstance(other, Dual):
            return cast("Number", other)
        return self.constant(Fraction(other)) if isinstance(other, int | Fraction) else None

    def __truediv__(self, other: Any) -> Number:
        right = self._like(other)
        if right is None:
            return NotImplemented
        return cast("Number", self * right.inverse())

    def __rtruediv__(self, other: Any) -> Number:
        return cast("Number", self.inverse().__mul__(other))

    def __pow__(self, exponent: Any) -> Number:
        if not isinstance(exponent, int):
            return NotImplemented
        if exponent < 0:
            return cast("Number", self.inverse() ** -exponent)
        return self.raised(exponent) if exponent else self.constant(Fraction(1))

    def __abs__(self) -> Number:
        """The root of the square; even powers of it need no sign."""
        return cast("Number", (self * self).root())

    def _refuse(self, *_: Any) -> NoReturn:
        raise OutOfFieldError("elements of a field are not compared")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __float__ = __int__ = _refuse
