"""Textbook form: one pass from the leaves to the root over the shared graph, a few rules at every node.

A rule is used only where it makes the node smaller (:func:`matcalc.expression.rule.measure`, or what its record says),
which is why this ends.
What it makes is looked at again; every node is looked at once, which keeps a pass linear in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from matcalc.calculus.collecting import COLLECTING
from matcalc.errors import LimitError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.rule import Rule, measure
from matcalc.expression.walk import fold
from matcalc.operators.identities import IDENTITIES
from matcalc.operators.matrix_identities import MATRIX_IDENTITIES

Recorder = Callable[[Rule, Node, Node], None]
"""Told of each rule that is used: the rule, the node before and what it becomes."""

RULES: tuple[Rule, ...] = (COLLECTING, *IDENTITIES, *MATRIX_IDENTITIES)

_MOST_TERMS = 500


def textbook(node: Node, record: Recorder | None = None) -> Node:
    """``node`` as a mathematician would write it; the same value. ``record`` is told of each rule, in order.

    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> textbook(A @ x + A.T @ x) is (A + A.T) @ x
    True
    """
    memo: dict[Node, Node] = {}
    under_way: set[Node] = set()

    def visit(below: Node, args: Sequence[Node]) -> Node:
        made = build.with_args(below, tuple(args))
        found = None if made in under_way else _step(made)
        if found is not None:
            rule, simpler = found
            if record is not None:
                record(rule, made, simpler)
            under_way.add(made)  # met again inside what it becomes it stays, should two rules ever undo each other
            made, before = fold(simpler, visit, memo), made
            under_way.discard(before)
        memo[made] = made
        return made

    return fold(node, visit, memo)


def expanded(node: Node, products: Collection[str] = ("times", "product", "scale")) -> Node:
    """``node`` with every product of sums, of the ``products`` that are named, multiplied out; the same value.

    Raises:
        LimitError: where that gives too many terms.

    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> expanded((A + A.T) @ x) is A @ x + A.T @ x
    True
    """
    return fold(node, lambda below, args: _multiplied_out(products, below, args))


def settled(node: Node, moving: str) -> Node:
    """``node`` with what was declared of names put to use, as ``sum(y)`` = 1 on a simplex.

    Such a set has no interior, so this is for results alone: a derivative by y of what comes out would lack a part.
    What depends on ``moving``, the name of the derivative, is left as it is.

    >>> y = build.variable("y", (3, 1), "vector", frozenset({"simplex"}))
    >>> settled(build.apply("sum", y), "x"), settled(build.apply("sum", y), "y")
    (number(1), sum(variable(y, vector, ('simplex',))))
    """

    def visit(below: Node, args: Sequence[Node]) -> Node:
        made = build.with_args(below, tuple(args))
        settle = made.operator.settle
        simpler = settle(made, moving) if settle is not None else None
        return made if simpler is None else simpler

    found = fold(node, visit)
    return node if found is node else textbook(found)


def _step(node: Node) -> tuple[Rule, Node] | None:
    """The first rule that makes the node smaller, and what it makes."""
    for rule in RULES:
        if not rule.on or node.op in rule.on:
            made = rule.rewrite(node)
            if made is not None and made is not node and _smaller(made, node, rule):
                return rule, made
    return None


def _smaller(made: Node, node: Node, rule: Rule) -> bool:
    if rule.lessens is not None:
        return rule.lessens(made) < rule.lessens(node)
    return made.weight < node.weight or (made.weight == node.weight and measure(made) < measure(node))


def _multiplied_out(products: Collection[str], node: Node, args: Sequence[Node]) -> Node:
    made = build.with_args(node, tuple(args))
    for k, factor in enumerate(made.args if made.op in products else ()):
        terms = _terms_of(factor)
        if len(terms) > _MOST_TERMS:
            message = f"multiplied out there are more than {_MOST_TERMS} terms"
            raise LimitError(message, limit="terms", value=len(terms), allowed=_MOST_TERMS)
        if len(terms) > 1:
            parts = (build.with_args(made, (*made.args[:k], term, *made.args[k + 1 :])) for term in terms)
            return build.add(*(_multiplied_out(products, part, part.args) for part in parts))
    return made


def _terms_of(factor: Node) -> Sequence[Node]:
    """The terms of a sum, or of a sum that shares a number, as 2*(1 + 2*x'*x) does."""
    if factor.op == "add":
        return factor.args
    if factor.op in ("times", "scale") and [arg.op for arg in factor.args] == ["number", "add"]:
        return [build.with_args(factor, (factor.args[0], term)) for term in factor.args[1].args]
    return [factor]
