"""Numbers as they are written, of any length, and their exact values.

>>> value("0.50")
Fraction(1, 2)
"""

from __future__ import annotations

from fractions import Fraction

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
"""For `str.translate`, from small digits and signs to plain ones."""

_DIGITS_AT_ONCE = 4000


def digits(number: str) -> tuple[str, str, str]:
    """The digits before the point, after it, and the exponent, without a sign in front and idle zeros.

    >>> digits("-007.50e-3")
    ('7', '5', '-3')
    """
    mantissa, _, exponent = number.replace("E", "e").partition("e")
    whole, _, decimals = mantissa.partition(".")
    return whole.lstrip("+-0"), decimals.rstrip("0"), exponent


def value(number: str) -> Fraction:
    """The value of a number, without a sign in front."""
    whole, decimals, exponent = digits(number)
    return _integer(whole + decimals) * Fraction(10) ** (int(exponent or 0) - len(decimals))


def _integer(digits: str) -> int:
    """The value of any number of digits, in pieces that `int` accepts."""
    found = 0
    for place in range(0, len(digits), _DIGITS_AT_ONCE):
        piece = digits[place : place + _DIGITS_AT_ONCE]
        found = found * 10 ** len(piece) + int(piece)
    return found
