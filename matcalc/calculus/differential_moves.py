"""The differential of an expression, one rule at a time, from the outside in (Magnus & Neudecker 2019, ch. 5)."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.calculus.differential import part
from matcalc.calculus.moves import Line, Motion, Move, Part, is_pending, pending, replaced
from matcalc.calculus.quantities import named_in_turn
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder


def differential_moves(expression: Node, motion: Motion, cotangent: Node | None = None) -> Iterator[Move]:
    """The moves from d(``expression``) to what is linear in the direction, each line paired with ``cotangent``.

    A line for every rule; the line that ends a generation is one for a reader: every differential that stood in the
    line before has been carried out, and what is linear all the way through.

    Raises:
        UnsupportedError: for an operator that has no differential.

    >>> x, dx = build.variable("x", (3, 1), "vector"), build.variable("dx", (3, 1), "vector")
    >>> [move.by.op for move in differential_moves(build.apply("sum", build.apply("exp", x)), Motion(x, dx))]
    ['sum', 'exp']
    """
    names, current = motion.names, pending(expression)
    while waiting := _waiting(current):
        made: list[Move] = []
        queue = list(waiting)
        while queue:
            node = queue.pop(0)
            inner = node.args[0]
            body = motion.named.get(inner, inner)
            moving = tuple(i for i, arg in enumerate(body.args) if not names.isdisjoint(arg.free))
            value = _carried_out(body, moving, motion, inner)
            current = replaced(current, {node: value})
            made.append(Move(_line(current, cotangent), "differential", body, inner, moving=moving))
            queue += [p for p in _waiting(value) if p not in queue and _goes_on(p.args[0], body, moving, motion)]
        yield from made[:-1]
        last = made[-1]
        detail = "normal" if _waiting(current) else "brief"
        yield Move(last.line, last.kind, last.by, last.where, detail, last.moving)


def _line(node: Node, cotangent: Node | None) -> Line:
    return (Part(node, cotangent),)


def _waiting(node: Node) -> list[Node]:
    return [below for below in postorder(node) if is_pending(below)]


def _carried_out(body: Node, moving: tuple[int, ...], motion: Motion, inner: Node) -> Node:
    """The rule of a node; a name's differential is the direction, and a constant has none."""
    if body is motion.variable:
        return motion.direction
    parts = [part(body, i, _differential_of(body.args[i], motion)) for i in moving]
    parts = [one for one in parts if not build.is_zero(one)]
    made = build.add(*parts) if parts else build.zeros(*body.shape)
    return named_in_turn(made, motion.named)


def _differential_of(node: Node, motion: Motion) -> Node:
    return motion.direction if node is motion.variable else pending(node)


def _goes_on(node: Node, above: Node, moving: tuple[int, ...], motion: Motion) -> bool:
    """Whether the same line goes through ``node``: it is linear, and so is what stands above, or it is a leaf's."""
    if not is_linear(node, motion):
        return False
    is_leaf = any(arg is motion.variable for arg in node.args) and len(node.args) == 1
    return is_leaf or _linear_in(above, moving)


def is_linear(node: Node, motion: Motion) -> bool:
    """Whether a node is linear in what moves below it."""
    names = motion.names
    return _linear_in(node, tuple(i for i, arg in enumerate(node.args) if not names.isdisjoint(arg.free)))


def _linear_in(node: Node, moving: tuple[int, ...]) -> bool:
    operator = node.operator
    return operator.transpose is not None and (operator.differential is None or len(moving) <= 1)
