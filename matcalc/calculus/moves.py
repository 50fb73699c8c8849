"""A derivation as data: lines of equal value, and what was done to come from each to the next.

Nothing here prints or evaluates; what a move did is named by the record that it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import operator_of_role
from matcalc.expression.rule import Rule
from matcalc.expression.walk import fold

DETAILS = ("brief", "normal", "every-step")


@dataclass(frozen=True)
class Part:
    """A term of a line: a value, or the inner product ⟨cotangent, value⟩."""

    value: Node
    cotangent: Node | None = None


Line = tuple[Part, ...]
"""The sum of its parts."""


@dataclass(frozen=True)
class Move:
    """A line, and what made it of the line before.

    Attributes:
        line: the new line.
        kind: ``differential`` or ``transpose`` (the rule of an operator), ``rewrite`` (a rule of the simplifier), or
            ``words``.
        by: the node whose operator's rule it is, the rule, or the words.
        where: the subexpression that it was applied to.
        detail: the coarsest detail at which the line is shown.
        moving: which arguments of ``by`` move.
    """

    line: Line
    kind: str
    by: Node | Rule | str
    where: Node
    detail: str = "every-step"
    moving: tuple[int, ...] = ()


@dataclass(frozen=True)
class Motion:
    """What moves: a variable by a direction, and with it every quantity that was given a name.

    ``named`` holds the quantities' names and definitions, each in terms of those before it.
    """

    variable: Node
    direction: Node
    named: Mapping[Node, Node] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The names of what moves."""
        found = {self.variable.params[0]}
        for name, meaning in self.named.items():
            if not found.isdisjoint(meaning.free):
                found.add(name.params[0])
        return frozenset(found)


def pending(node: Node) -> Node:
    """The differential of ``node``, not yet carried out."""
    return build.apply(operator_of_role("pending").name, node)


def is_pending(node: Node) -> bool:
    """Whether a node is a differential that is not yet carried out."""
    return node.operator.role == "pending"


def replaced(root: Node, values: Mapping[Node, Node]) -> Node:
    """``root`` with nodes in place of others, canonical again."""
    if not any(node in values for node in postorder(root)):
        return root
    return fold(root, lambda node, args: values.get(node) or build.with_args(node, tuple(args)))
