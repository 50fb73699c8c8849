"""The value of a number expression: one arithmetic for the syntax, which bounds it, and for the relations of shapes."""

from __future__ import annotations

from fractions import Fraction

_MOST_BITS = 2**17


def folded(operator: str, left: Fraction | None, right: Fraction | None) -> Fraction | None:
    """The value of two numbers joined by an operator; None where one is not known, or the value does not exist.

    A power that would fill pages is not computed either: names that stand for numbers could make it larger and larger.

    >>> folded("/", Fraction(1), Fraction(3)), folded("^", Fraction(2), Fraction(1, 2))
    (Fraction(1, 3), None)
    """
    if left is None or right is None:
        return None
    match operator.removeprefix("."):
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left / right
        case "^" if right.denominator == 1 and (left or right >= 0) and bits_of_power(left, right) <= _MOST_BITS:
            return Fraction(left ** int(right))
    return None


def bits_of_power(base: Fraction, exponent: Fraction) -> int:
    """About how many bits a power has, before it is computed."""
    return int(max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent))
