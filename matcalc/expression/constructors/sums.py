"""Sums: flat, like terms collected, a common number in front; and the two ways of writing a scalar product."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from matcalc.errors import ShapeError
from matcalc.expression import build
from matcalc.expression.constructors.leaves import is_zero, number, zeros
from matcalc.expression.nodes import Node, interned
from matcalc.expression.sizes import SCALAR, Shape, written_shape


def split(node: Node) -> tuple[Fraction, Node]:
    """The numeric coefficient of a term, and the rest.

    >>> x = build.variable("x", (3, 1), "vector")
    >>> split(build.scale(number(-2), x)) == (-2, x)
    True
    """
    if node.op == "number":
        return node.params[0], number(1)
    if node.op == "times" and node.args[0].op == "number" and node.is_scalar:
        rest = node.args[1:]
        return node.args[0].params[0], rest[0] if len(rest) == 1 else interned("times", rest, (), SCALAR)
    if node.op == "scale":
        coefficient, scalar = split(node.args[0])
        return coefficient, build.scale(scalar, node.args[1])
    return Fraction(1), node


def add(*terms: Node) -> Node:
    """The sum, flat, like terms collected, a common numeric factor in front.

    Raises:
        ShapeError: when the shapes differ.
    """
    shape = terms[0].shape
    collected: dict[Node, tuple[Fraction, Node]] = {}
    for coefficient, rest in _flat_terms(terms, shape):
        key = oriented(rest)
        have, shown = collected.get(key, (Fraction(0), rest))
        collected[key] = (have + coefficient, min(shown, rest, key=by_digest))
    kept = [(c, rest) for c, rest in collected.values() if c]
    if not kept:
        return zeros(*shape)
    if len(kept) == 1:
        return multiple(*kept[0])
    content = common_number([c for c, _ in kept])
    parts = [multiple(c / content, rest) for c, rest in kept]
    total = interned("add", tuple(sorted(parts, key=by_digest)), (), shape)
    return total if content == 1 else multiple_of_sum(content, total)


def _flat_terms(terms: tuple[Node, ...], shape: Shape) -> list[tuple[Fraction, Node]]:
    flat: list[tuple[Fraction, Node]] = []
    stack = [(Fraction(1), term) for term in reversed(terms)]
    while stack:
        factor, term = stack.pop()
        if term.shape != shape:
            raise ShapeError(f"cannot add {written_shape(shape)} and {written_shape(term.shape)}")
        coefficient, rest = split(term)
        if rest.op == "add":
            stack.extend((factor * coefficient, inner) for inner in reversed(rest.args))
        elif not is_zero(rest) and coefficient:
            flat.append((factor * coefficient, rest))
    return flat


def common_number(coefficients: list[Fraction]) -> Fraction:
    """The factor to take out: of integers, or of proper fractions alone; negative where every term is."""
    whole = [c.denominator == 1 for c in coefficients]
    if any(whole) and not all(whole):
        return Fraction(1)
    content = Fraction(gcd(*(c.numerator for c in coefficients)), lcm(*(c.denominator for c in coefficients)))
    return -content if content != 1 and all(c < 0 for c in coefficients) else content


def multiple(coefficient: Fraction, rest: Node) -> Node:
    """A number times anything."""
    if coefficient == 1:
        return rest
    return build.times(number(coefficient), rest) if rest.is_scalar else build.scale(number(coefficient), rest)


def multiple_of_sum(content: Fraction, total: Node) -> Node:
    """A number in front of a sum, which it does not go into."""
    op = "times" if total.is_scalar else "scale"
    return interned(op, (number(content), total), (), total.shape)


def oriented(node: Node) -> Node:
    """One of the two ways of writing a scalar product (``b'*x`` and ``x'*b`` are the same value)."""
    if node.op == "product" and node.is_scalar:
        negative, factors = mirrored(node.args)
        if negative or any(factor.op == "scale" for factor in factors):  # as triu(-S), whose mirror is a multiple again
            return node
        return min(node, build.product(*factors), key=by_digest)
    return node


def mirrored(chain: Sequence[Node]) -> tuple[bool, list[Node]]:
    """The transposed factors in reverse, and whether the product of them is minus the transpose: skew ones turn."""
    skew = ["skew" in factor.facts for factor in chain]
    factors = [f if turns else build.transpose(f) for f, turns in zip(chain, skew, strict=True)]
    return sum(skew) % 2 == 1, factors[::-1]


def primitive(total: Node) -> tuple[Fraction, Node]:
    """A sum of scalars as a number times a sum with coprime integer coefficients, the leading one positive.

    As a factor a sum is written so: multiples of one sum are then powers of one base.
    """
    parts = [split(term) for term in total.args]
    lead = min(parts, key=lambda part: (-part[1].weight, part[1].digest))[0]
    content = Fraction(gcd(*(c.numerator for c, _ in parts)), lcm(*(c.denominator for c, _ in parts)))
    content = -content if lead < 0 else content
    if content == 1:
        return content, total
    inner = [multiple(c / content, rest) for c, rest in parts]
    return content, interned("add", tuple(sorted(inner, key=by_digest)), (), total.shape)


def by_digest(node: Node) -> bytes:
    """The key by which terms and factors are sorted: the same in every process."""
    return node.digest


def negate(node: Node) -> Node:
    """``-node``."""
    return build.multiply(number(-1), node)


def subtract(left: Node, right: Node) -> Node:
    """``left - right``."""
    return add(left, negate(right))
