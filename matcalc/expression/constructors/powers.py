"""Powers of entries; of numbers, where they are rational."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from matcalc.errors import DomainError, LimitError
from matcalc.expression import build
from matcalc.expression.constructors.leaves import is_ones, is_zero, number, number_of, ones
from matcalc.expression.nodes import Node, interned

_MOST_BITS = 4096


def power(base: Node, exponent: Node) -> Node:
    """``base`` raised elementwise; the exponent is a scalar or has the base's shape.

    Raises:
        DomainError: for 0 to a negative power.
    """
    p = number_of(exponent)
    if p is None or not exponent.is_scalar:
        return interned("power", (base, exponent), (), base.shape)
    if p == 0:
        return ones(*base.shape)
    if p == 1 or is_ones(base):
        return base
    if is_zero(base):
        if p < 0:
            raise DomainError("division by zero")
        return base
    simpler = _simpler_power(base, p)
    return interned("power", (base, exponent), (), base.shape) if simpler is None else simpler


def _simpler_power(base: Node, p: Fraction) -> Node | None:
    whole = p.denominator == 1
    if base.op == "number":
        return _number_power(base.params[0], p)
    if base.op == "power" and (whole or "positive" in base.args[0].facts):
        return power(base.args[0], build.multiply(number(p), base.args[1]))
    if base.op == "transpose":
        return build.transpose(power(base.args[0], number(p)))
    if base.op == "times" and whole:
        return build.times(*(power(factor, number(p)) for factor in base.args))
    if base.op == "scale" and whole:
        return build.scale(power(base.args[0], number(p)), power(base.args[1], number(p)))
    coefficient, rest = build.split(base)
    if coefficient > 0 and coefficient != 1:
        return build.multiply(power(number(coefficient), number(p)), power(rest, number(p)))
    return None


def _number_power(base: Fraction, p: Fraction) -> Node | None:
    if p.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(int(p))
        if bits > _MOST_BITS:
            raise LimitError(
                f"{base}^{p} has more than {_MOST_BITS} bits", limit="bits", value=bits, allowed=_MOST_BITS
            )
        return number(base ** int(p))
    if base < 0:
        raise DomainError(f"{base} to the power {p} is not a real number")
    root = _exact_root(base, p.denominator)
    return None if root is None else power(number(root), number(p.numerator))


def _exact_root(value: Fraction, degree: int) -> Fraction | None:
    if degree != 2:
        return None
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    exact = above * above == value.numerator and below * below == value.denominator
    return Fraction(above, below) if exact else None
