"""A rule of the simplifier: an identity with its source, the nodes it looks at, and uses of it for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from matcalc.expression.build import number_of
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
        kind: of which derivative of the samples: grad, or hessian.
        lessens: what else may fall where the leaves do not; no other rule may make it grow where it applies.
    """

    name: str
    says: str
    source: str
    on: tuple[str, ...]
    rewrite: Callable[[Node], Node | None]
    samples: tuple[Sample, ...]
    kind: str = "grad"
    lessens: Callable[[Node], int] | None = None


def measure(node: Node) -> tuple[int, Fraction, int]:
    """What every rule makes smaller: leaves, then the sizes of exponents, then operations; a transpose counts as none.

    None of them can fall for ever, so that rewriting ends.
    """
    return node.weight, exponents(node), operations(node)


def exponents(node: Node) -> Fraction:
    """The sum of the absolute values of all exponents that are numbers, written out."""

    def visit(below: Node, args: Sequence[Fraction]) -> Fraction:
        own = number_of(below.args[1]) if below.op == "power" else None
        return sum(args, abs(own) if own is not None else Fraction(0))

    return fold(node, visit)


def operations(node: Node) -> int:
    """How many operations the expression has, written out."""
    return fold(node, lambda below, args: sum(args) + bool(below.args and below.op != "transpose"))
