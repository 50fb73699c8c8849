"""A rule of the simplifier: an identity with its source, the nodes it looks at, and uses of it for the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matcalc.expression.nodes import Node
from matcalc.expression.operator import Sample
from matcalc.expression.walk import fold


@dataclass(frozen=True)
class Rule:
    """An identity, used from left to right where that makes an expression smaller by :func:`measure`.

    Attributes:
        name: what it is called.
        says: the identity.
        source: where it is published.
        on: the operators at the root of what it rewrites; all where empty.
        rewrite: a node to an equal one, or None where it does not apply. It holds wherever the node is defined.
        samples: expressions in whose gradients it applies.
    """

    name: str
    says: str
    source: str
    on: tuple[str, ...]
    rewrite: Callable[[Node], Node | None]
    samples: tuple[Sample, ...]


def measure(node: Node) -> tuple[int, int]:
    """What every rule makes smaller: leaves, and among equals operations; a transpose counts as none.

    Both are whole numbers from 0, so that rewriting ends.
    """
    return node.weight, operations(node)


def operations(node: Node) -> int:
    """How many operations the expression has, written out."""
    return fold(node, lambda below, args: sum(args) + bool(below.args and below.op != "transpose"))
