"""The bounds on degrees, measured: along a random line every value is a rational function of one number.

With bounds N and D on its numerator and denominator, it is found again from N + D + 1 of its values (Cauchy's
interpolation, by the extended Euclidean algorithm: von zur Gathen & Gerhard 2013, sec. 5.8) and then right elsewhere. A
function of higher degree is not.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

import matcalc as mc
from matcalc.checking.degrees import Bound, Degrees, Extent, Factor
from matcalc.checking.exact import assignments, inapplicable
from matcalc.checking.exact_values import drawn_value, exactly, residuals
from matcalc.checking.finite_field import Draws, Element, Field, NoRootError
from matcalc.checking.question import CheckOptions, Question
from matcalc.derivative import grad
from matcalc.expression import build
from matcalc.expression.operator import TABLE, Sample
from matcalc.operators.exact_matrices import OutOfFieldError

P = 2**127 - 1
MOST = 40
ELSEWHERE = 3
Polynomial = list[int]


class Line(Field):
    """The field at one place of a random line: what is drawn, and what is unknown, is a + t·b."""

    def __init__(self, t: int) -> None:
        super().__init__(P, Draws(b"line"))
        self._t = t
        self._named: dict[tuple[str, int], Element] = {}

    def fresh(self) -> Element:
        return Element(self, (self._draws.below(P) + self._t * self._draws.below(P)) % P, 0)

    def representative(self, images: list[tuple[Element, Any]]) -> tuple[Element, Any]:
        """The same at every place of the line, where which has the least value changes."""
        return images[0]

    def unknown(self, name: str, value: int = 0) -> Element:
        found = self._named.get((name, value))
        if found is None:
            found = self._named[name, value] = self.fresh()
        return found


# --------------------------------------------------------------------------------- rational functions of a number


def trimmed(f: Polynomial) -> Polynomial:
    while f and not f[-1]:
        f.pop()
    return f


def minus(f: Polynomial, g: Polynomial, by: int, shift: int) -> Polynomial:
    """f - by·t^shift·g."""
    made = f + [0] * (len(g) + shift - len(f))
    for k, c in enumerate(g):
        made[k + shift] = (made[k + shift] - by * c) % P
    return trimmed(made)


def at(f: Polynomial, t: int) -> int:
    value = 0
    for c in reversed(f):
        value = (value * t + c) % P
    return value


def interpolated(places: list[int], values: list[int]) -> tuple[Polynomial, Polynomial]:
    """The product of all t - place, and the polynomial with the values there (Newton's form)."""
    whole, found = [1], list[int]()
    for place, value in zip(places, values, strict=True):
        step = (value - at(found, place)) * pow(at(whole, place), -1, P) % P
        found = minus(found, whole, -step, 0)
        whole = minus([0, *whole], whole, place, 0)
    return whole, found


def reconstructed(values: list[int], degree: int) -> tuple[Polynomial, Polynomial]:
    """Numerator, of at most the degree, and denominator of the rational function with the values at 0, 1, …"""
    before, now = interpolated(list(range(len(values))), values)
    behind, below = list[int](), [1]
    while len(now) - 1 > degree:
        turned = pow(now[-1], -1, P)
        while len(before) >= len(now):
            by, shift = before[-1] * turned % P, len(before) - len(now)
            before, behind = minus(before, now, by, shift), minus(behind, below, by, shift)
        before, now, behind, below = now, before, below, behind
    return now, below


def fits(values: list[int], degree: int, degree_below: int) -> bool:
    """Whether values at 0, 1, … are those of a rational function within the degrees."""
    kept = degree + degree_below + 1
    above, below = reconstructed(values[:kept], degree)
    within = len(below) - 1 <= degree_below
    return within and all((at(above, t) - v * at(below, t)) % P == 0 for t, v in enumerate(values))


def test_a_rational_function_is_found_within_its_degrees_and_not_within_smaller_ones() -> None:
    values = [(3 * t**3 + t + 5) * pow(t**2 + 7, -1, P) % P for t in range(12)]
    assert fits(values, 3, 2)
    assert fits(values, 4, 2)
    assert not fits(values, 2, 2)
    assert not fits(values, 3, 1)
    assert fits([7] * 12, 0, 0)


# ---------------------------------------------------------------------------------------------------- the bounds


def question_of(text: str, wrt: str, let: dict[str, str] | None = None) -> Question:
    derived = grad(mc.parse(text, let), wrt)
    variables = tuple(v.node for v in derived.expression.typed.variables)
    return Question(derived.differentiated, wrt, variables, derived.shown, projected=derived.projected, text=text)


def seen(question: Question, sizes: dict[str, int], place: Any) -> list[Any]:
    """What is bounded: what vanishes for a right claim, which is doubled here, and sums of entries of both sides."""
    parts = (0,) * len(question.variables)
    assert not callable(question.claimed)
    doubled = replace(question, claimed=build.multiply(build.number(2), question.claimed))
    values = residuals(doubled, sizes, parts, place)
    drawn = {v.params[0]: drawn_value(v, sizes, 0, place) for v in question.variables}
    sums = [exactly(side, drawn, sizes, place).sum() for side in (question.expression, question.claimed)]
    return [*values, *sums, sums[0] * sums[1]]


def within_bounds(question: Question, sizes: dict[str, int], most: int = MOST) -> list[bool]:
    """For each value that is bounded, and of moderate degree, whether its measured degrees are within the bounds."""
    bounds = seen(question, sizes, Degrees())
    chosen = [k for k, b in enumerate(bounds) if isinstance(b, Bound) and size_of(b) <= most]
    if not chosen:
        return []
    count = max(size_of(bounds[k]) for k in chosen) + 1 + ELSEWHERE
    lines = [Line(t) for t in range(count)]
    table = [seen(question, sizes, line) for line in lines]
    if any(line.roots for line in lines):
        return []
    found = []
    for k in chosen:
        values = [reduced(row[k]) for row in table]
        found.append(fits(values, bounds[k].value.degree, bounds[k].value.degree_below))
    return found


def size_of(bound: Bound) -> int:
    return bound.value.degree + bound.value.degree_below


def reduced(entry: Any) -> int:
    return entry.value if isinstance(entry, Element) else entry.numerator * pow(entry.denominator, -1, P) % P


def measured(sample: Sample) -> list[bool]:
    """What is found for a sample by its first name; nothing where it has roots, or degrees that are too high."""
    f = mc.parse(sample.text, dict(sample.let))
    question = question_of(sample.text, next(iter(f.variables)), dict(sample.let))
    if inapplicable(question, CheckOptions()):
        return []
    try:
        return within_bounds(question, min(assignments(question, CheckOptions(trials=4)), key=largest))
    except (NoRootError, ZeroDivisionError, OutOfFieldError):
        return []


def largest(sizes: dict[str, int]) -> int:
    """Small sizes first, but not all of them 1."""
    return sum(sizes.values()) if max(sizes.values(), default=2) > 1 else 10**6


EXACT = sorted(name for name, operator in TABLE.items() if operator.exact is not None and operator.samples)
WITH_ROOTS = {"abs", "acos", "acosh", "asin", "asinh", "atan2", "chol", "layernorm", "layerstd"}


@pytest.mark.parametrize("name", EXACT)
def test_degrees_along_a_line_are_within_their_bounds(name: str) -> None:
    found = [one for sample in TABLE[name].samples for one in measured(sample)]
    assert all(found)
    assert bool(found) == (name not in WITH_ROOTS)


@pytest.mark.parametrize(
    ("text", "wrt", "let"),
    [
        ("x'*A*x", "x", {"x": "vector(2)"}),
        ("tr(inv(X)*B)", "X", {"X": "matrix(2, 2)"}),
        ("det(X)*tr(inv(X))", "X", {"X": "matrix(3, 3)"}),
        ("tr(Q*A)", "A", {"Q": "matrix(2, 2; orthogonal)"}),
        ("sum(x.^-2)", "x", {"x": "vector(3)"}),
        ("a*b/(1 + b)^3", "b", None),
    ],
)
def test_bounds_that_are_too_low_are_noticed(
    text: str, wrt: str, let: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = question_of(text, wrt, let)
    assert within_bounds(question, {}, 200)
    assert all(within_bounds(question, {}, 200))
    honest = Extent.by

    def too_low(self: Extent, other: Extent) -> Extent:
        made = honest(self, other)
        return Extent(max(self.degree, other.degree), made.bits, made.below)

    monkeypatch.setattr(Extent, "by", too_low)
    assert not all(within_bounds(question, {}, 200))


# -------------------------------------------------------------------------------------------------------- their rules


def test_sums_are_over_the_least_common_multiple() -> None:
    x = Degrees().fresh()
    turned = x.inverse()
    assert size((turned + turned).value) == (0, 1)
    assert size((turned + (x + 1).inverse()).value) == (1, 2)
    assert size((turned * turned + x).value) == (3, 2)


def size(extent: Extent) -> tuple[int, int]:
    return extent.degree, extent.degree_below


def test_bits_bound_the_sum_of_the_coefficients() -> None:
    degrees = Degrees()
    x, c = degrees.fresh(), degrees.constant(Fraction(5, 3))
    assert (x.value.bits, c.value.bits, c.value.bits_below) == (0, 3, 2)
    assert (x + 1).value.bits == 2
    assert ((x + 1) ** 10).value.bits == 20
    assert (x * c + x).value.bits == 4


def test_a_root_has_half_the_degree_of_what_it_is_of() -> None:
    x = Degrees().fresh()
    assert size((x**6).root().__add__(0).value) == (3, 0)
    assert size(((x**6).root() ** 2).value) == (6, 0)
    assert size((x / (x + 1)).root().__add__(0).value) == (1, 1)


def test_the_degree_of_a_derivative_follows_from_the_rules_of_dual_numbers() -> None:
    degrees = Degrees()
    x = degrees.fresh().moving(degrees.fresh())
    assert size((x**3).derivative().value) == (3, 0)
    assert size((x**-1).derivative().value) == (1, 2)
    assert size(x.still().derivative().value) == (0, 0)
    assert Factor(2, 0) is not Factor(2, 0)
