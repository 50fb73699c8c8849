"""Factors: the number, the size or the expression by which one array is another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from matcalc.checking.diagnosis.case import Case, Sight
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import Size

_PLAIN = 64
_DECIMAL = 10**9
_LARGE = 1e9
_BITS = 160
_MOST_SIZES = 3

Powers: TypeAlias = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Multiple:
    """A factor that depends on the sizes alone.

    Attributes:
        text: as it is written.
        number: its rational part; None where it is a decimal number.
        powers: the power of each size in it, and of a size with 1 more or less.
    """

    text: str
    number: Fraction | None
    powers: Powers = ()

    @property
    def node(self) -> Node | None:
        """The factor as an expression; None for a decimal number."""
        if self.number is None:
            return None
        sizes = (
            build.power(build.size_number(Size.named(name) + more), build.number(k)) for name, more, k in self.powers
        )
        return build.times(build.number(self.number), *sizes)


def ratios(case: Case, pair: Callable[[Sight], tuple[Any, Any] | None]) -> list[Any] | None:
    """At each sight the c with left = c·right, where there is one everywhere."""
    found = []
    for sight in case.sights:
        made = pair(sight)
        c = None if made is None else ratio(case, *made)
        if c is None:
            return None
        found.append(c)
    return found


def ratio(case: Case, left: Any, right: Any) -> Any:
    """The c with left = c·right, or None."""
    if left is None or right is None or left.shape != right.shape:
        return None
    top = abs(right).argmax()
    if right.flat[top] == 0:
        return None
    c = left.flat[top] / right.flat[top]
    return c if c != 0 and case.near(left, c * right) else None


def multiple(case: Case, found: Sequence[Any] | None) -> Multiple | None:
    """What the ratios at all sights are: one number, or one number times powers of sizes."""
    if not found:
        return None
    if _all_near(case, found):
        return _number(case, found[0])
    if len(found) != len(case.sights):
        return None
    for powers in _monomials(case):
        scales = [_size_factor(sight, powers) for sight in case.sights]
        if any(scale == 0 for scale in scales):
            continue
        scaled = [c / scale for c, scale in zip(found, scales, strict=True)]
        if _all_near(case, scaled):
            number = rational(case, scaled[0])
            if number is not None:
                made = Multiple("", number, powers)
                assert made.node is not None
                return Multiple(case.text(made.node), number, powers)
    return None


def _all_near(case: Case, found: Sequence[Any]) -> bool:
    room = max(10 * case.room, 1e-25)
    return bool(all(abs(c - found[0]) <= room * abs(found[0]) for c in found))


def _monomials(case: Case) -> list[Powers]:
    """Powers of sizes that vary among the sights, the simplest first; of one size, also such as (n - 1)/n."""
    names = [n for n in case.sights[0].at.sizes if len({s.at.sizes[n] for s in case.sights}) > 1][:_MOST_SIZES]
    listed = itertools.product((0, 1, -1, 2, -2), repeat=len(names))
    wanted: list[Powers] = [tuple((n, 0, k) for n, k in zip(names, powers, strict=True) if k) for powers in listed]
    for name, more, k in itertools.product(names, (-1, 1), (1, -1)):
        wanted += [((name, more, k),), ((name, 0, -k), (name, more, k)), ((name, 0, k), (name, more, k))]
    return sorted((w for w in wanted if w), key=lambda w: sum(abs(k) + bool(more) for _, more, k in w))


def _size_factor(sight: Sight, powers: Powers) -> Any:
    import mpmath

    made = mpmath.mpf(1)
    for name, more, k in powers:
        base = mpmath.mpf(sight.at.sizes[name] + more)
        if base == 0:
            return base
        made *= base**k
    return made


def rational(case: Case, value: Any) -> Fraction | None:
    """The fraction that a value is: one with a small denominator or, where all digits are known, a decimal number."""
    import mpmath

    if isinstance(value, mpmath.mpc) or not abs(value) < _LARGE:
        return None
    exact = Fraction(int(value * 2**_BITS), 2**_BITS)
    room = max(10 * case.room, 1e-25)
    for most in (_PLAIN,) if case.floats else (_PLAIN, _DECIMAL):
        shown = exact.limit_denominator(most)
        if abs(value * shown.denominator - shown.numerator) <= room * max(abs(shown.numerator), 1):
            return shown
    return None


def spelled(number: Fraction) -> str:
    """A fraction where its denominator is small, else a decimal number.

    >>> spelled(Fraction(1, 2)), spelled(Fraction(1, 1000))
    ('1/2', '0.001')
    """
    return str(number) if number.denominator <= _PLAIN else f"{float(number):.10g}"


def _number(case: Case, value: Any) -> Multiple:
    import mpmath

    found = rational(case, value)
    if found is not None and found != 0:
        return Multiple(spelled(found), found)
    known = {"pi": mpmath.pi, "sqrt(2)": mpmath.sqrt(2), "sqrt(pi)": mpmath.sqrt(mpmath.pi), "log(2)": mpmath.log(2),
             "log(10)": mpmath.log(10), "sqrt(2*pi)": mpmath.sqrt(2 * mpmath.pi)}  # fmt: skip
    for name, constant in known.items():
        for text, scaled in ((f"*{name}", value / constant), (f"/{name}", value * constant)):
            part = rational(case, scaled)
            if part is not None and part != 0:
                front = spelled(part) if part != 1 or text[0] == "/" else ""
                return Multiple((front + text).removeprefix("*"), None)
    return Multiple(f"{float(value):.10g}", None)
