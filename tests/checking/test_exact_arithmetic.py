"""The arithmetic of the exact witness: dual numbers over a field, what operators are over one, and bounds on degrees.

Every operator that is exact is held against its reference arithmetic over real numbers of high precision, where roots
and functions exist, in value and derivative; over fractions and over a field it must agree modulo p.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

import matcalc as mc
from matcalc.checking.degrees import Degrees
from matcalc.checking.exact_values import exactly
from matcalc.checking.finite_field import Draws, Element, Field, NoRootError, Root, drawn_prime, is_prime, rank_modulo
from matcalc.checking.points import sizes_of
from matcalc.checking.question import CheckOptions, Question
from matcalc.derivative import grad
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE
from matcalc.expression.sizes import as_integer
from matcalc.operators.exact_functions import ATAN, EXP, HALF_TANGENT, LOG, Elementary, Primitive, UnliftedError
from matcalc.operators.exact_matrices import (
    OutOfFieldError,
    determinant_and_adjugate,
    inverse_over_fields,
    root,
)
from matcalc.operators.precise_matrices import determinant

P = 2**127 - 1


def field() -> Field:
    return Field(P, Draws(b"test"))


# ------------------------------------------------------------------------------------------------- the field


def as_matrix(x: Element) -> Any:
    """a + b·ε as [[a, b], [0, a]], which multiplies alike."""
    return np.array([[x.value, x.dual], [0, x.value]], dtype=object)


def elements(count: int) -> list[Element]:
    at = Field(P, Draws(b"elements"), everywhere=True)
    return [at.fresh() for _ in range(count)]


def test_elements_add_and_multiply_as_the_matrices_that_stand_for_them() -> None:
    x, y = elements(2)
    assert (as_matrix(x + y) == (as_matrix(x) + as_matrix(y)) % P).all()
    assert (as_matrix(x - y) == (as_matrix(x) - as_matrix(y)) % P).all()
    assert (as_matrix(x * y) == (as_matrix(x) @ as_matrix(y)) % P).all()
    assert (as_matrix(x / y * y) == as_matrix(x)).all()
    assert (as_matrix(x**3) == as_matrix(x * x * x)).all()
    assert (as_matrix(x**-2 * x * x) == as_matrix(x.field.constant(Fraction(1)))).all()
    assert (as_matrix(1 - x) == (np.eye(2, dtype=int).astype(object) - as_matrix(x)) % P).all()
    assert (as_matrix(Fraction(1, 3) * x * 3) == as_matrix(x)).all()
    assert (as_matrix(2 / x * x) == as_matrix(x.field.constant(Fraction(2)))).all()


def test_a_root_squared_is_what_it_is_of_and_even_powers_need_none() -> None:
    at = field()
    squares = [value for value in range(2, 20) if pow(value, (P - 1) // 2, P) == 1]
    u = Element(at, squares[0], 7)
    assert (as_matrix(u.root() * u.root()) == as_matrix(u)).all()
    assert (as_matrix(u.root() ** 3) == as_matrix(u.root() * u)).all()
    no_square = Element(at, next(v for v in range(2, 20) if v not in squares), 1)
    assert (as_matrix(no_square.root() ** 4) == as_matrix(no_square**2)).all()
    with pytest.raises(NoRootError):
        _ = no_square.root() + 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x == x,
        lambda x: x != 1,
        lambda x: x < 1,
        float,
        bool,
        lambda x: x + 0.5,
        lambda x: mpmath.mpf(1) * x,
        lambda x: x ** Fraction(1, 2),
        hash,
    ],
)
@pytest.mark.parametrize("at", [field(), Degrees()], ids=["field", "degrees"])
def test_elements_refuse_everything_but_field_arithmetic(ask: Callable[[Any], Any], at: Any) -> None:
    with pytest.raises(TypeError):
        ask(at.fresh())


def test_a_denominator_that_p_divides_is_no_number_of_the_field() -> None:
    with pytest.raises(ZeroDivisionError):
        field().constant(Fraction(1, P))
    assert field().constant(Fraction(P + 5)).value == 5


def test_primes_are_told_from_composites() -> None:
    draws = Draws(b"primes")
    assert [n for n in range(2, 60) if is_prime(n, draws)] == [
        2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59,
    ]  # fmt: skip
    assert not is_prime((2**61 - 1) * (2**31 - 1), draws)
    assert not is_prime(101 * 103, draws)
    assert not is_prime(3215031751, draws)  # a strong pseudoprime to the bases 2, 3, 5 and 7
    found = {drawn_prime(Draws(bytes([k]))) for k in range(5)}
    assert len(found) == 5
    assert all(p % 4 == 3 and p.bit_length() == 127 for p in found)


def test_draws_depend_on_the_key_and_on_what_is_asked() -> None:
    assert Draws(b"a").below(P) != Draws(b"b").below(P)
    one = Draws(b"a")
    assert one.below(P) != one.below(P)
    assert one.of(b"x", P) != one.of(b"y", P)


def test_the_rank_over_a_field() -> None:
    assert rank_modulo([[1, 2, 3], [2, 4, 6], [0, 1, 1]], 101) == 2
    assert rank_modulo([[0, 0], [0, 5]], 101) == 1
    assert rank_modulo([[7, 0], [0, 7]], 7) == 0


# -------------------------------------------------------------------------------------- matrices and functions


@pytest.mark.parametrize("n", range(1, 7))
def test_determinants_and_adjugates_of_fractions(n: int) -> None:
    rng = np.random.Generator(np.random.PCG64(n))
    array = np.array([[Fraction(int(v), 7) for v in row] for row in rng.integers(-9, 9, (n, n))], dtype=object)
    found, adjugate = determinant_and_adjugate(array)
    with mpmath.workdps(40):
        assert abs(determinant(array * mpmath.mpf(1)) - mpmath.mpf(found.numerator) / found.denominator) < 1e-30
    assert (array @ adjugate == found * np.eye(n, dtype=int)).all()
    assert (inverse_over_fields(array) @ array == np.eye(n, dtype=int)).all()


def test_a_singular_matrix_has_an_adjugate_and_no_inverse() -> None:
    singular = np.array([[1, 2], [2, 4]], dtype=object)
    assert determinant_and_adjugate(singular)[1].tolist() == [[4, -2], [-2, 1]]
    with pytest.raises(ZeroDivisionError):
        inverse_over_fields(singular)


def test_roots_of_numbers_are_rational_or_refused() -> None:
    assert root(Fraction(9, 4)) == Fraction(3, 2)
    for irrational in (Fraction(2), Fraction(-4), Fraction(4, 3)):
        with pytest.raises(OutOfFieldError):
            root(irrational)


def test_a_function_of_a_number_needs_an_element() -> None:
    with pytest.raises(UnliftedError):
        Elementary.exp(Fraction(1))


@pytest.mark.parametrize("which", [EXP, LOG, HALF_TANGENT, ATAN], ids=lambda which: which.name)
def test_symmetries_and_derivatives_of_the_functions_that_are_adjoined(which: Primitive) -> None:
    with mpmath.workdps(40):
        x, step = mpmath.mpf("0.7"), mpmath.mpf("1e-12")
        f = REAL[which.name]
        assert abs((f(x + step) - f(x - step)) / (2 * step) - which.derivative(x, f(x))) < 1e-20
        for move, turn in which.symmetries:
            assert abs(turn(f(move(x))) - f(x)) < 1e-30
            assert abs(move(move(x)) - x) < 1e-30
        assert f(mpmath.mpf(which.known[0])) == which.known[1]


def test_an_unknown_is_the_same_for_the_same_argument_and_keeps_the_symmetries() -> None:
    x = elements(1)[0]
    assert Elementary.exp(x).value == Elementary.exp(x + 0).value
    assert (as_matrix(Elementary.exp(x) * Elementary.exp(-x)) == np.eye(2, dtype=int)).all()
    assert Elementary.log(-(x**-1)).value == (-Elementary.log(x)).value
    assert Elementary.exp(x - x).value == 1
    assert Elementary.tanh(x).dual == ((1 - Elementary.tanh(x) ** 2) * x.derivative()).value
    assert Elementary.sin(x).dual == (Elementary.cos(x) * x.derivative()).value


# ------------------------------------------------------------------------------------ operators over real numbers

REAL: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp,
    "log": lambda x: mpmath.log(abs(x)),
    "half_tangent": lambda x: mpmath.tan(x / 2),
    "atan": mpmath.atan,
}


@dataclass(frozen=True)
class Real:
    """A dual number over the real numbers, with what elements have."""

    value: Any
    dual: Any

    def _same(self, other: Any) -> Real:
        return other if isinstance(other, Real) else as_real(other)

    def __add__(self, other: Any) -> Real:
        right = self._same(other)
        return Real(self.value + right.value, self.dual + right.dual)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return np.vectorize(self.__mul__, otypes=[object])(other)
        right = self._same(other)
        return Real(self.value * right.value, self.value * right.dual + self.dual * right.value)

    def __pow__(self, k: int) -> Real:
        return Real(self.value**k, k * self.value ** (k - 1) * self.dual)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Real:
        return self * -1

    def __sub__(self, other: Any) -> Real:
        return self + -self._same(other)

    def __rsub__(self, other: Any) -> Real:
        return -self + other

    def __truediv__(self, other: Any) -> Real:
        return self * self._same(other) ** -1

    def __rtruediv__(self, other: Any) -> Real:
        return self**-1 * other

    def __abs__(self) -> Real:
        return Real(abs(self.value), mpmath.sign(self.value) * self.dual)

    def root(self) -> Real:
        value = mpmath.sqrt(self.value)
        return Real(value, self.dual / (2 * value))

    def primitive(self, which: Primitive) -> Real:
        value = REAL[which.name](self.value)
        return Real(value, which.derivative(self.value, value) * self.dual)


def exact_nodes() -> Iterator[tuple[str, Node, dict[str, int]]]:
    """A node of every exact operator out of each of its samples, and of the samples' gradients, with sizes."""
    seen = set()
    for name, operator in TABLE.items():
        for sample in operator.samples:
            f = mc.parse(sample.text, dict(sample.let))
            roots = [f.node, *(grad(f, v).node for v in f.variables)]
            asks = Question(f.node, "", tuple(v.node for v in f.typed.variables), roots[-1])
            sizes = sizes_of(asks, CheckOptions(), 0, 0) or sizes_of(asks, CheckOptions(), 0, 1)
            for node in postorder(*roots):
                if node.operator.exact is not None and node not in seen and sizes is not None:
                    seen.add(node)
                    yield f"{name}-{sample.text}", node, sizes


NODES = list(exact_nodes())
BY_OPERATOR = {
    name: [(node, sizes) for _, node, sizes in NODES if node.op == name] for name in {node.op for _, node, _ in NODES}
}


def fractions(node: Node, sizes: dict[str, int], seed: int) -> list[Any]:
    """Random arguments of a node that lie in the domains of all: in (0, 1), symmetric and definite if square."""
    rng = np.random.Generator(np.random.PCG64([seed, 5]))
    made = []
    for k, arg in enumerate(node.args):
        shape = tuple(as_integer(s, sizes) for s in arg.shape)
        low, high = (110, 190) if node.operator.domain.get(k) == "above_one" else (1, 99)
        array = np.array([Fraction(int(v), 100) for v in rng.integers(low, high, shape).flat], dtype=object)
        array = array.reshape(shape)
        if shape[0] == shape[1] != 1:
            lower = np.tril(array) + 2 * np.eye(shape[0], dtype=int)
            array = lower @ lower.T if "posdef" in node.operator.domain.values() or node.op == "chol" else array + lower
        made.append(constant(arg, sizes) if not arg.free else array)
    return made


def constant(node: Node, sizes: dict[str, int]) -> Any:
    return exactly(node, {}, sizes, field())


def evaluation(node: Node, sizes: dict[str, int], args: list[Any]) -> Any:
    operator = node.operator
    action = operator.reference if operator.exact is True else operator.exact
    assert callable(action)
    return action(node, args, lambda size: as_integer(size, sizes))


def lifted(array: Any, other: Any) -> Any:
    def one(v: Any, d: Any) -> Any:
        return Real(mpmath.mpf(v.numerator) / v.denominator, mpmath.mpf(d.numerator) / d.denominator)

    return np.vectorize(one, otypes=[object])(array, other)


@pytest.mark.parametrize("name", sorted(BY_OPERATOR))
def test_over_real_numbers_an_operator_has_its_reference_value_and_the_slope_of_that(name: str) -> None:
    compared = 0
    for number, (node, sizes) in enumerate(BY_OPERATOR[name][:12]):
        args, moves = fractions(node, sizes, number), fractions(node, sizes, number + 100)
        moves = [move if arg.free else 0 * move for arg, move in zip(node.args, moves, strict=True)]
        with mpmath.workdps(60):
            duals = [
                arg if not of.free else lifted(arg, move) for of, arg, move in zip(node.args, args, moves, strict=True)
            ]
            try:
                found = evaluation(node, sizes, duals)
            except OutOfFieldError:
                continue
            step, ends = mpmath.mpf("1e-20"), []
            for side in (0, 1, -1):
                at = [numbers(arg) + side * step * numbers(move) for arg, move in zip(args, moves, strict=True)]
                assert node.operator.reference is not None
                ends.append(node.operator.reference(node, at, lambda size: as_integer(size, sizes)))  # noqa: B023
            slope = (ends[1] - ends[2]) / (2 * step)
            assert found.shape == ends[0].shape
            for entry, value, change in zip(found.flat, ends[0].flat, slope.flat, strict=True):
                entry = entry if isinstance(entry, Real) else as_real(entry)
                assert abs(entry.value - value) <= mpmath.mpf("1e-40") * (1 + abs(value))
                assert abs(entry.dual - change) <= mpmath.mpf("1e-25") * (1 + abs(change))
        compared += 1
    assert compared or name == "pi"


def as_real(entry: Any) -> Real:
    value = +mpmath.pi if entry == "pi" else mpmath.mpf(entry.numerator) / entry.denominator
    return Real(value, mpmath.mpf(0))


def numbers(array: Any) -> Any:
    return np.vectorize(lambda v: mpmath.mpf(v.numerator) / v.denominator, otypes=[object])(array)


@pytest.mark.parametrize("name", sorted(BY_OPERATOR))
def test_over_fractions_and_over_a_field_an_operator_has_the_same_value_modulo_p(name: str) -> None:
    at = field()
    for number, (node, sizes) in enumerate(BY_OPERATOR[name][:12]):
        args = fractions(node, sizes, number)
        try:
            rational = evaluation(node, sizes, args)
        except OutOfFieldError:  # a root or a function that is no fraction
            continue
        over = [
            np.vectorize(at.constant, otypes=[object])(arg) if of.free else arg
            for of, arg in zip(node.args, args, strict=True)
        ]
        for mine, theirs in zip(evaluation(node, sizes, over).flat, rational.flat, strict=True):
            if isinstance(mine, Root):  # which has no sign in a field
                assert (mine**2).value == at.constant(theirs**2).value
            elif theirs != "pi" and not at.roots:
                reduced = at.constant(Fraction(theirs))
                assert (mine if isinstance(mine, Element) else at.constant(Fraction(mine))).value == reduced.value


def test_every_operator_that_is_exact_was_tried() -> None:
    assert {name for name, operator in TABLE.items() if operator.exact is not None} == set(BY_OPERATOR)
