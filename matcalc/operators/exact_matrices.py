"""Determinants, adjugates, inverses and roots over any field: what exact values of operators need.

Entries are :class:`fractions.Fraction` or objects with the arithmetic of a field; nothing is compared, so that the same
operations are done whatever the entries are.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any


class OutOfFieldError(TypeError):
    """A value that the arithmetic of a field does not give."""


def determinant_and_adjugate(array: Any) -> tuple[Any, Any]:
    """The determinant and the transposed cofactors, by sums, products and divisions by 1, …, n alone.

    Faddeev and LeVerrier's recursion for the characteristic polynomial (Householder 1964, The Theory of Matrices in
    Numerical Analysis, ch. 6.7). It holds over every field in which 1, …, n are not zero, at singular matrices too.

    >>> import numpy as np
    >>> determinant_and_adjugate(np.array([[1, 2], [3, 4]], dtype=object))[0]
    Fraction(-2, 1)
    """
    import numpy as np

    n = len(array)
    one = np.eye(n, dtype=int).astype(object) * Fraction(1)
    before = one
    for k in range(1, n + 1):
        after = array @ before if k > 1 else array * Fraction(1)
        coefficient = -after.trace() / k
        if k < n:
            before = after + coefficient * one
    sign = -1 if n % 2 else 1
    return sign * coefficient, -sign * before


def determinant_over_fields(array: Any) -> Any:
    """The determinant.

    >>> import numpy as np
    >>> determinant_over_fields(np.array([[Fraction(2)]], dtype=object))
    Fraction(2, 1)
    """
    return determinant_and_adjugate(array)[0]


def inverse_over_fields(array: Any) -> Any:
    """The inverse.

    Raises:
        ZeroDivisionError: where the determinant is zero.

    >>> import numpy as np
    >>> inverse_over_fields(np.array([[1, 2], [3, 4]], dtype=object))[0, 0]
    Fraction(-2, 1)
    """
    determinant, adjugate = determinant_and_adjugate(array)
    return determinant**-1 * adjugate


def root(value: Any) -> Any:
    """The square root; the positive one of a number.

    Raises:
        OutOfFieldError: for a number that is no square.

    >>> root(Fraction(4, 9))
    Fraction(2, 3)
    """
    if not isinstance(value, Fraction):
        return value.root()
    above, below = isqrt(max(value.numerator, 0)), isqrt(value.denominator)
    if above * above != value.numerator or below * below != value.denominator:
        raise OutOfFieldError(f"the root of {value} is irrational")
    return Fraction(above, below)
