"""Expressions as they are computed without overflow, by what the operators' records say."""

from __future__ import annotations

from collections.abc import Sequence

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.walk import fold


def stable(roots: Sequence[Node]) -> list[Node]:
    """Equal expressions, each operation replaced where its record knows a stable form.

    >>> import matcalc.operators
    >>> x = build.variable("x", (3, 1), "vector")
    >>> stable([build.apply("log1p", build.apply("exp", x))])[0].op
    'softplus'
    """
    memo: dict[Node, Node] = {}
    return [fold(root, _visit, memo) for root in roots]


def _visit(node: Node, args: Sequence[Node]) -> Node:
    made = build.with_args(node, tuple(args))
    rule = made.operator.stable
    return (rule(made) if rule is not None else None) or made
