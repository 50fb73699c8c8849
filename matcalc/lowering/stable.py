"""Expressions as they are computed, without overflow and at kinks, by what the operators' records say."""

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


def at_kinks(root: Node) -> Node:
    """A derivative as it is computed with torch's value where it has none of its own, by what the records say."""
    return fold(root, _visit_kink, {})


def _visit_kink(node: Node, args: Sequence[Node]) -> Node:
    made = build.with_args(node, tuple(args))
    rule = made.operator.at_kink
    return (rule(made) if rule is not None else None) or made


def _visit(node: Node, args: Sequence[Node]) -> Node:
    made = build.with_args(node, tuple(args))
    rule = made.operator.stable
    return (rule(made) if rule is not None else None) or made
