"""Multiples and elementwise products: scalars in front, equal bases gathered in powers."""

from __future__ import annotations

from fractions import Fraction

from matcalc.expression import build
from matcalc.expression.constructors.leaves import integer_of, is_one, is_ones, is_zero, number, ones, zeros
from matcalc.expression.constructors.sums import (
    add,
    by_digest,
    common_number,
    multiple,
    multiple_of_sum,
    oriented,
    primitive,
    split,
)
from matcalc.expression.nodes import Node, interned
from matcalc.expression.sizes import SCALAR, Shape


def multiply(scalar: Node, node: Node) -> Node:
    """A scalar times anything."""
    return times(scalar, node) if node.is_scalar else scale(scalar, node)


def divide(node: Node, scalar: Node) -> Node:
    """Anything over a scalar."""
    return multiply(build.power(scalar, number(-1)), node)


def scale(scalar: Node, matrix: Node) -> Node:
    """A scalar times a matrix, its scalars gathered in front; a numeric factor goes into a sum."""
    if matrix.is_scalar:
        return times(scalar, matrix)
    if matrix.op == "scale":
        scalar, matrix = times(scalar, matrix.args[0]), matrix.args[1]
    if is_zero(scalar) or is_zero(matrix):
        return zeros(*matrix.shape)
    if is_one(scalar):
        return matrix
    if scalar.op == "add":
        factor, scalar = primitive(scalar)
        scalar = scalar if factor == 1 else _front(factor, scalar)
    if matrix.op == "add":
        coefficient, rest = split(scalar)
        content, matrix = _content_and_sum(coefficient, matrix)
        scalar = times(number(content), rest)
        if is_one(scalar):
            return matrix
    return interned("scale", (scalar, matrix), (), matrix.shape)


def _front(factor: Fraction, total: Node) -> Node:
    return interned("times", (number(factor), total), (), SCALAR)


def _content_and_sum(coefficient: Fraction, total: Node) -> tuple[Fraction, Node]:
    """A numeric multiple of a sum: its content, which is positive, and the sum left, signs inside."""
    if coefficient == 1:
        return coefficient, total
    parts = [split(term) for term in total.args]
    content = common_number([c * coefficient for c, _ in parts])
    inner = [multiple(c * coefficient / content, rest) for c, rest in parts]
    return content, interned("add", tuple(sorted(inner, key=by_digest)), (), total.shape)


def times(*factors: Node) -> Node:
    """The elementwise product of values of one shape (of scalars: the product), equal bases gathered in powers."""
    shape = factors[0].shape
    coefficient, scalars, exponents = _gathered(factors)
    if shape == SCALAR and len(exponents) > 1 and any(base.op == "add" for base, _ in exponents.values()):
        coefficient, exponents = _primitive_bases(coefficient, exponents)
    if coefficient == 0:
        return zeros(*shape)
    raised = [build.power(base, exponent) for base, exponent in exponents.values()]
    if any(f.op in ("number", "times", "scale") or is_ones(f) or is_zero(f) for f in raised):
        front = [number(coefficient)] if shape == SCALAR else []
        body = times(*front, *raised) if front or raised else ones(*shape)
        return body if shape == SCALAR else multiply(times(number(coefficient), *scalars), body)
    body = _bare_times(coefficient if shape == SCALAR else Fraction(1), raised, shape)
    return body if shape == SCALAR else scale(times(number(coefficient), *scalars), body)


def _primitive_bases(
    coefficient: Fraction, exponents: dict[Node, tuple[Node, Node]]
) -> tuple[Fraction, dict[Node, tuple[Node, Node]]]:
    """The same factors, sums made primitive where their power is whole."""
    made: dict[Node, tuple[Node, Node]] = {}
    for base, exponent in exponents.values():
        whole = integer_of(exponent)
        if base.op == "add" and whole is not None:
            factor, base = primitive(base)
            coefficient *= factor**whole
        key = oriented(base)
        have = made.get(key)
        made[key] = (base, exponent if have is None else add(have[1], exponent))
    return coefficient, made


def _gathered(factors: tuple[Node, ...]) -> tuple[Fraction, list[Node], dict[Node, tuple[Node, Node]]]:
    """Numeric coefficient, scalar factors (of a matrix), and base to (base as shown, exponent)."""
    coefficient, scalars = Fraction(1), []
    exponents: dict[Node, tuple[Node, Node]] = {}
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if is_zero(factor):
            return Fraction(0), [], {}
        if factor.op == "number":
            coefficient *= factor.params[0]
        elif factor.op == "times":
            stack.extend(reversed(factor.args))
        elif factor.op == "scale":
            scalars.append(factor.args[0])
            stack.append(factor.args[1])
        elif not is_ones(factor):
            base, exponent = factor.args if factor.op == "power" else (factor, number(1))
            key = oriented(base)
            shown, have = exponents.get(key, (base, None))
            exponents[key] = (
                min(shown, base, key=by_digest),
                exponent if have is None else _sum_of_exponents(have, exponent),
            )
    return coefficient, scalars, exponents


def _sum_of_exponents(left: Node, right: Node) -> Node:
    if left.shape != right.shape:
        shape = left.shape if right.is_scalar else right.shape
        left, right = build.spread(left, shape), build.spread(right, shape)
    return add(left, right)


def _bare_times(coefficient: Fraction, factors: list[Node], shape: Shape) -> Node:
    if not factors and shape == SCALAR:
        return number(coefficient)
    if not factors:
        return multiply(number(coefficient), ones(*shape))
    if shape != SCALAR and all(f.op == "transpose" for f in factors):
        return build.transpose(_bare_times(coefficient, [f.args[0] for f in factors], (shape[1], shape[0])))
    if len(factors) == 1 and coefficient == 1:
        return factors[0]
    if len(factors) == 1 and factors[0].op == "add":
        content, total = _content_and_sum(coefficient, factors[0])
        return total if content == 1 else multiple_of_sum(content, total)
    front = [number(coefficient)] if coefficient != 1 else []
    return interned("times", (*front, *sorted(factors, key=by_digest)), (), shape)
