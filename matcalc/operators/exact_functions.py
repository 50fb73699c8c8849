"""Functions that are not rational, as unknowns of which the derivative is known, and what is made of them.

Over a field exp(u) has no value. It may be any number y, as long as it is the same one for the same u and its
derivative is y·du: an identity that holds for every y holds for exp. Four functions are taken so; the rest is made of
them. Their derivatives are in every table (NIST Digital Library of Mathematical Functions, 4.7, 4.20 and 4.24).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from matcalc.operators.exact_matrices import OutOfFieldError, root

Map: TypeAlias = Callable[[Any], Any]


class UnliftedError(OutOfFieldError):
    """A number where an element of a field is needed."""


@dataclass(frozen=True)
class Primitive:
    """A function that is no rational one.

    Attributes:
        name: what it is called.
        derivative: ``(x, y)`` to the derivative at x, where the value is y.
        symmetries: what becomes of the value when the argument is mapped: pairs of involutions, of x and of y.
        known: an argument, and the value there.
        form: of x: with ω = form(x)·dx, such functions are algebraically independent where no sum of their ω with
            rational coefficients that are not all zero is zero (Ostrowski 1946; Risch 1979; Bronstein 2005, ch. 9).
        imaginary: whether that is so of i·ω.
        spoken: how it is spoken of, where that is not its name.
    """

    name: str
    derivative: Callable[[Any, Any], Any]
    symmetries: tuple[tuple[Map, Map], ...]
    known: tuple[int, int]
    form: Map
    imaginary: bool = False
    spoken: str = ""

    @property
    def called(self) -> str:
        """How it is spoken of."""
        return self.spoken or self.name


EXP = Primitive("exp", lambda x, y: y, ((lambda x: -x, lambda y: y**-1),), (0, 1), lambda x: x**0)
LOG = Primitive(
    "log",
    lambda x, y: x**-1,
    ((lambda x: -x, lambda y: y), (lambda x: x**-1, lambda y: -y), (lambda x: -(x**-1), lambda y: -y)),
    (1, 0),
    lambda x: x**-1,
)
"""Of the absolute value."""
HALF_TANGENT = Primitive(
    "half_tangent",
    lambda x, y: (1 + y**2) / 2,
    ((lambda x: -x, lambda y: -y),),
    (0, 0),
    lambda x: x**0,
    imaginary=True,
    spoken="sin and cos",
)
"""tan(x/2), of which sine and cosine are rational functions."""
ATAN = Primitive(
    "atan",
    lambda x, y: (1 + x**2) ** -1,
    ((lambda x: -x, lambda y: -y),),
    (0, 0),
    lambda x: (1 + x**2) ** -1,
    imaginary=True,
)


def _of(which: Primitive) -> Map:
    def value(x: Any) -> Any:
        if isinstance(x, int | Fraction):
            raise UnliftedError(f"{which.name} of a number")
        return x.primitive(which)

    return value


class Elementary:
    """The functions of a module such as mpmath, over a field."""

    exp, log, atan = (staticmethod(_of(which)) for which in (EXP, LOG, ATAN))
    sqrt = staticmethod(root)

    @staticmethod
    def expm1(x: Any) -> Any:
        """exp(x) - 1."""
        return Elementary.exp(x) - 1

    @staticmethod
    def log1p(x: Any) -> Any:
        """log(1 + x)."""
        return Elementary.log(1 + x)

    @staticmethod
    def sinh(x: Any) -> Any:
        """(exp(x) - exp(-x))/2."""
        y = Elementary.exp(x)
        return (y - y**-1) / 2

    @staticmethod
    def cosh(x: Any) -> Any:
        """(exp(x) + exp(-x))/2."""
        y = Elementary.exp(x)
        return (y + y**-1) / 2

    @staticmethod
    def tanh(x: Any) -> Any:
        """sinh(x)/cosh(x)."""
        y = Elementary.exp(x)
        return (y - y**-1) / (y + y**-1)

    @staticmethod
    def sin(x: Any) -> Any:
        """By t = tan(x/2), 2·t/(1 + t²)."""
        t = _half_tangent(x)
        return 2 * t / (1 + t**2)

    @staticmethod
    def cos(x: Any) -> Any:
        """By t = tan(x/2), (1 - t²)/(1 + t²)."""
        t = _half_tangent(x)
        return (1 - t**2) / (1 + t**2)

    @staticmethod
    def tan(x: Any) -> Any:
        """By t = tan(x/2), 2·t/(1 - t²)."""
        t = _half_tangent(x)
        return 2 * t / (1 - t**2)

    @staticmethod
    def asin(x: Any) -> Any:
        """2·atan(x/(1 + sqrt(1 - x²)))."""
        return 2 * Elementary.atan(x / (1 + root(1 - x**2)))

    @staticmethod
    def acos(x: Any) -> Any:
        """2·atan(sqrt(1 - x²)/(1 + x))."""
        return 2 * Elementary.atan(root(1 - x**2) / (1 + x))

    @staticmethod
    def asinh(x: Any) -> Any:
        """log(x + sqrt(x² + 1))."""
        return Elementary.log(x + root(x**2 + 1))

    @staticmethod
    def acosh(x: Any) -> Any:
        """log(x + sqrt(x² - 1))."""
        return Elementary.log(x + root(x**2 - 1))

    @staticmethod
    def atanh(x: Any) -> Any:
        """log((1 + x)/(1 - x))/2."""
        return Elementary.log((1 + x) / (1 - x)) / 2


_half_tangent = _of(HALF_TANGENT)
