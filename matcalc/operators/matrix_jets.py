"""Exponential, logarithm and square root of matrices with their derivatives, in as many digits as are asked for.

A jet A + ε1·D1 + … + εk·Dk has matrices for coefficients and εi² = 0, so that a function of it holds, as the
coefficient of ε1·…·εk, the k-th derivative of the function at A along D1 … Dk. That is arithmetic with the block
triangular matrices of Higham & Relton 2014 (Higher order Fréchet derivatives of matrix functions), without their
repeated blocks: a product costs 3^k products of matrices instead of 8^k.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lgamma, log
from typing import Any

from matcalc.operators.precise_matrices import inverted

_GUARD = 40
_SMALL_EXPONENT = 16
_SMALL_LOGARITHM = 4
_MOST_STEPS = 400


@dataclass(frozen=True)
class Jet:
    """A matrix, and its coefficients by the sets of ε that they belong to, as bits: 0 the matrix itself.

    Attributes:
        parts: by set; None for zero.
    """

    parts: tuple[Any, ...]

    @property
    def matrix(self) -> Any:
        """What stands at no ε."""
        return self.parts[0]

    @property
    def last(self) -> Any:
        """What stands at all of them."""
        import numpy as np

        return np.zeros_like(self.matrix) if self.parts[-1] is None else self.parts[-1]

    def __matmul__(self, other: Jet) -> Jet:
        return Jet(tuple(_total(self._terms(other, at)) for at in range(len(self.parts))))

    def _terms(self, other: Jet, at: int, least: int = 0) -> Iterator[Any]:
        for part in range(least, at + 1):
            if part & ~at == 0 and self.parts[part] is not None and other.parts[at ^ part] is not None:
                yield self.parts[part] @ other.parts[at ^ part]

    def __add__(self, other: Jet) -> Jet:
        pairs = zip(self.parts, other.parts, strict=True)
        return Jet(tuple(_total(part for part in pair if part is not None) for pair in pairs))

    def __mul__(self, factor: Any) -> Jet:
        return Jet(tuple(None if part is None else part * factor for part in self.parts))

    def plus(self, number: Any) -> Jet:
        """With a multiple of the identity added."""
        return Jet((self.matrix + number * _identity(len(self.matrix)), *self.parts[1:]))

    def inverse(self) -> Jet:
        """The inverse.

        Raises:
            ZeroDivisionError: where the matrix has none.
        """
        found: list[Any] = [inverted(self.matrix)]
        for at in range(1, len(self.parts)):
            rest = _total(self._terms(Jet((*found, *[None] * (len(self.parts) - len(found)))), at, 1))
            found.append(None if rest is None else -(found[0] @ rest))
        return Jet(tuple(found))


def jet(matrix: Any, directions: Sequence[Any] = ()) -> Jet:
    """A matrix that moves along some directions."""
    parts: list[Any] = [None] * 2 ** len(directions)
    parts[0] = matrix
    for k, direction in enumerate(directions):
        parts[2**k] = direction
    return Jet(tuple(parts))


def _total(terms: Iterator[Any]) -> Any:
    found = None
    for term in terms:
        found = term if found is None else found + term
    return found


def _identity(size: int) -> Any:
    import mpmath
    import numpy as np

    return np.eye(size, dtype=int).astype(object) * mpmath.mpf(1)


def _norm(part: Any) -> Any:
    """The largest row sum.

    Raises:
        ValueError: where an entry is no finite number.
    """
    import mpmath

    found = mpmath.mpf(0) if part is None else abs(part).sum(axis=1).max()
    if not mpmath.isfinite(found):
        raise ValueError("an entry is not finite")
    return found


def _magnitude(norm: Any) -> int:
    """The exponent of the power of two above a norm."""
    import mpmath

    return int(mpmath.mag(norm)) if norm else -_SMALL_EXPONENT


def exponential(of: Jet) -> Jet:
    """exp by Taylor's series of a part of it, squared again (Higham 2008, ch. 10)."""
    import mpmath

    halvings = max(0, _magnitude(_norm(of.matrix)) + _SMALL_EXPONENT)
    with mpmath.extraprec(_GUARD + halvings):
        small = of * mpmath.ldexp(1, -halvings)
        terms = _terms_needed(mpmath.mp.prec, len(of.parts).bit_length())
        made = small.plus(0) * 0
        for k in range(terms, 0, -1):
            made = (small @ made.plus(1)) * (1 / mpmath.mpf(k))
        made = made.plus(1)
        for _ in range(halvings):
            made = made @ made
    return made * mpmath.mpf(1)


def _terms_needed(bits: int, order: int) -> int:
    """After how many terms x^k/k! and its first derivatives are below a unit of so many bits, x being small."""
    k = order + 1
    while (k - order) * _SMALL_EXPONENT + lgamma(k - order + 1) / log(2) < bits:
        k += 1
    return k


def square_root(of: Jet) -> Jet:
    """The principal square root by the product form of Denman and Beavers' iteration (Higham 2008, eq. 6.29).

    Raises:
        ValueError: where it does not converge: an eigenvalue is zero or negative.
        ZeroDivisionError: where a matrix on the way has no inverse.
    """
    import mpmath

    with mpmath.extraprec(_GUARD):
        half, enough = mpmath.mpf(1) / 2, mpmath.ldexp(1, -mpmath.mp.prec // 2)
        root, ratio = of, of
        largest = [mpmath.mpf(1)] * len(of.parts)
        for _ in range(_MOST_STEPS):
            inverse = ratio.inverse()
            root = (root @ inverse.plus(1)) * half
            ratio = ((ratio + inverse) * half).plus(1) * half
            off = [_norm(part) for part in ratio.plus(-1).parts]
            largest = [max(pair) for pair in zip(largest, off, strict=True)]
            if all(now <= enough * most for now, most in zip(off, largest, strict=True)):
                root = (root @ ratio.inverse().plus(1)) * half
                break
        else:
            raise ValueError("the iteration for the square root does not converge")
    return root * mpmath.mpf(1)


def logarithm(of: Jet) -> Jet:
    """The principal logarithm: square roots until the identity is near, and 2·artanh((X - I)/(X + I)) there.

    See Higham 2008, ch. 11.

    Raises:
        ValueError, ZeroDivisionError: where there is none.
    """
    import mpmath

    with mpmath.extraprec(_GUARD):
        is_near = _magnitude(_norm(of.plus(-1).matrix)) <= -_SMALL_LOGARITHM
        scale = 0 if is_near else _magnitude(_norm(of.matrix))  # what is small then would be lost beside log(2)
        near = of * mpmath.ldexp(1, -scale)
        roots = 0
        while _magnitude(_norm(near.plus(-1).matrix)) > -_SMALL_LOGARITHM:
            near, roots = square_root(near), roots + 1
        ratio = near.plus(-1) @ near.plus(1).inverse()
        squared = ratio @ ratio
        terms = _terms_of_artanh(mpmath.mp.prec, len(of.parts).bit_length())
        made = squared * 0
        for k in range(terms, 0, -1):
            made = squared @ made.plus(1 / mpmath.mpf(2 * k + 1))
        made = (ratio @ made.plus(1)) * mpmath.ldexp(2, roots)
        found = made.plus(scale * mpmath.log(2))
    return found * mpmath.mpf(1)


def _terms_of_artanh(bits: int, order: int) -> int:
    """After how many terms x^(2k) and its first derivatives are below a unit of so many bits, x being small."""
    k = order + 1
    while 2 * (k - order) * _SMALL_LOGARITHM - order * log(2 * k, 2) < bits:
        k += 1
    return k
