"""Step one: push a direction through an expression.

``differential(f, X, dX)`` is d f, linear in dX (Magnus & Neudecker 2019, ch. 5): each operator's record gives the part
that a changing argument brings, and the parts add up. An operator linear in its arguments needs no rule of its own:
its differential is itself, applied to the argument's differential.
"""

from __future__ import annotations

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder


def direction_for(variable: Node) -> Node:
    """A fresh name for the differential of ``variable``; ``'`` cannot occur in a name that a user types."""
    return build.variable(f"d'{variable.params[0]}", variable.shape, variable.params[1])


def differential(expression: Node, variable: Node, direction: Node) -> Node:
    """The differential of ``expression`` when ``variable`` changes by ``direction``.

    Raises:
        UnsupportedError: for an operator that has no differential.
    """
    name = variable.params[0]
    moved: dict[Node, Node] = {variable: direction}
    for node in postorder(expression):
        if node is variable or not node.depends_on(name):
            continue
        parts = [part(node, i, moved[arg]) for i, arg in enumerate(node.args) if arg in moved]
        parts = [one for one in parts if not build.is_zero(one)]
        if parts:
            moved[node] = build.add(*parts)
    return moved.get(expression, build.zeros(*expression.shape))


def part(node: Node, i: int, d: Node) -> Node:
    """What argument ``i`` of ``node``, changing by ``d``, brings to the differential: its record's rule, once.

    Raises:
        UnsupportedError: for an operator that has no differential.

    >>> x, dx = build.variable("x", (3, 1), "vector"), build.variable("dx", (3, 1), "vector")
    >>> part(build.apply("exp", x), 0, dx) is build.apply("exp", x) * dx
    True
    """
    operator = node.operator
    if operator.differential is not None:
        return operator.differential(node, i, d)
    if operator.transpose is None:
        raise UnsupportedError(f"the derivative of {operator.name} is not there yet")
    if operator.name == "add":
        return d
    return build.with_args(node, (*node.args[:i], d, *node.args[i + 1 :]))
