"""Rows and columns repeated over a shape, as NumPy broadcasts."""

from __future__ import annotations

from matcalc.errors import ShapeError
from matcalc.expression import build
from matcalc.expression.constructors.leaves import is_ones, is_zero, ones
from matcalc.expression.nodes import Node, interned
from matcalc.expression.sizes import Shape, written_shape


def spread(node: Node, shape: Shape) -> Node:
    """``node`` repeated along each axis where it has one row or column, as NumPy broadcasts.

    Raises:
        ShapeError: where an axis is neither 1 nor the size wanted.
    """
    if node.shape == shape:
        return node
    if any(have not in (1, want) for have, want in zip(node.shape, shape, strict=True)):
        raise ShapeError(f"cannot spread {written_shape(node.shape)} to {written_shape(shape)}")
    if node.is_scalar:
        return build.scale(node, ones(*shape))
    if is_ones(node) or is_zero(node):
        return interned(node.op, (), (), shape)
    if node.op == "scale":
        return build.scale(node.args[0], spread(node.args[1], shape))
    return interned("spread", (node,), (), shape)


def broadcast(left: Node, right: Node) -> tuple[Node, Node]:
    """Both, spread to their common shape."""
    shape = tuple(b if a == 1 else a for a, b in zip(left.shape, right.shape, strict=True))
    return spread(left, shape), spread(right, shape)  # type: ignore[arg-type]  # zip of two pairs is a pair


def outer(spreading: Node) -> tuple[Node, Node]:
    """A column in every column is it times a row of ones; a row in every row, a column of ones times it."""
    inner = spreading.args[0]
    if inner.cols == 1:
        return inner, ones(1, spreading.cols)
    return ones(spreading.rows, 1), inner


def spread_over_ones(chain: list[Node], shape: Shape) -> Node | None:
    """A product that ends in a row of ones, or begins with a column of ones, is the rest of it spread."""
    if is_ones(chain[-1]) and chain[-1].rows == 1:
        return spread(build.product(*chain[:-1]), shape)
    if is_ones(chain[0]) and chain[0].cols == 1:
        return spread(build.product(*chain[1:]), shape)
    return None
