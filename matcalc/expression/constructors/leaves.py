"""Leaves, and the questions that are asked of them."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from functools import cache

from matcalc.expression import build
from matcalc.expression.nodes import Node, interned
from matcalc.expression.operator import operator_of_role
from matcalc.expression.sizes import SCALAR, AnySize, Shape, Size


@cache
def _named(role: str) -> str:
    return operator_of_role(role).name


def number(value: Fraction | int) -> Node:
    """An exact rational number."""
    return interned("number", (), (Fraction(value),), SCALAR)


def variable(name: str, shape: Shape, storage: str, properties: frozenset[str] = frozenset()) -> Node:
    """A named value; ``storage`` (scalar, vector, row, matrix) is how it looks outside the calculus."""
    return interned("variable", (), (name, storage, tuple(sorted(properties))), shape)


def new_name(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, with as many underscores behind it as make it none of those that are ``taken``.

    >>> new_name("u", {"u", "u_", "x"})
    'u__'
    """
    while wanted in taken:
        wanted += "_"
    return wanted


def size_number(size: AnySize) -> Node:
    """A size as a scalar."""
    if isinstance(size, int):
        return number(size)
    if size.is_name:
        return interned("size", (), (size,), SCALAR)
    terms = [
        build.times(number(factor), *(size_number(Size.named(name)) for name in monomial))
        for monomial, factor in size.terms
    ]
    return build.add(*terms)


def constant(name: str, shape: Shape = SCALAR) -> Node:
    """A named constant such as ``pi``."""
    return interned(name, (), (), shape)


def eye(n: AnySize) -> Node:
    """The n×n identity."""
    return number(1) if n == 1 else interned(_named("identity"), (), (), (n, n))


def ones(rows: AnySize, cols: AnySize) -> Node:
    """The matrix of ones."""
    return number(1) if (rows, cols) == SCALAR else interned(_named("one"), (), (), (rows, cols))


def zeros(rows: AnySize, cols: AnySize) -> Node:
    """The matrix of zeros."""
    return number(0) if (rows, cols) == SCALAR else interned(_named("zero"), (), (), (rows, cols))


def is_zero(node: Node) -> bool:
    """Whether the node is the number or the matrix zero."""
    return node.op == _named("zero") or (node.op == "number" and node.params[0] == 0)


def is_one(node: Node) -> bool:
    """Whether the node is the number 1."""
    return node.op == "number" and bool(node.params[0] == 1)


def is_ones(node: Node) -> bool:
    """Whether the node is a matrix of ones, and no number."""
    return node.op == _named("one")


def number_of(node: Node) -> Fraction | None:
    """The value of a number node, or None."""
    return node.params[0] if node.op == "number" else None


def integer_of(node: Node) -> int | None:
    """The value of an integer number node, or None."""
    value = number_of(node)
    return int(value) if value is not None and value.denominator == 1 else None
