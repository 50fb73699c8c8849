"""Signs and numbers in front of what is presented, which is put together as it is read and not as it is constructed."""

from __future__ import annotations

from fractions import Fraction

from matcalc.expression import build
from matcalc.expression.nodes import Node, interned
from matcalc.expression.sizes import SCALAR

Signed = tuple[bool, Node]
"""Whether a value is minus the node, and the node, which has no negative number in front."""


def plain(value: Signed) -> Node:
    """The value itself, the sign in front of a product and inside a sum."""
    negative, node = value
    if not negative:
        return node
    if node.op == "number":
        return build.number(-node.params[0])
    if node.op == "add":
        return interned("add", tuple(plain((True, term)) for term in node.args), (), node.shape)
    coefficient, rest = number_apart(node)
    return with_number(-coefficient, rest)


def number_apart(node: Node) -> tuple[Fraction, Node]:
    """The number in front of what is presented, and the rest."""
    if node.op == "times" and node.args[0].op == "number":
        rest = node.args[1:]
        return node.args[0].params[0], rest[0] if len(rest) == 1 else interned("times", rest, (), node.shape)
    if node.op == "scale":
        coefficient, scalar = number_apart(node.args[0])
        return coefficient, scaled(scalar, node.args[1])
    return (node.params[0], build.number(1)) if node.op == "number" else (Fraction(1), node)


def with_number(coefficient: Fraction, node: Node) -> Node:
    """A number in front of what has none."""
    front = build.number(coefficient)
    if coefficient == 1:
        return node
    if build.is_one(node):
        return front
    if node.op == "scale":
        return interned("scale", (with_number(coefficient, node.args[0]), node.args[1]), (), node.shape)
    if node.shape != SCALAR:
        return interned("scale", (front, node), (), node.shape)
    factors = node.args if node.op == "times" else (node,)
    return interned("times", (front, *factors), (), SCALAR)


def scaled(scalar: Node, matrix: Node) -> Node:
    """A scalar in front of a matrix; none where it is 1."""
    return matrix if build.is_one(scalar) else interned("scale", (scalar, matrix), (), matrix.shape)


def minuses(total: Node) -> int:
    """How many terms of a sum have a minus."""
    return sum(number_apart(term)[0] < 0 for term in total.args)
