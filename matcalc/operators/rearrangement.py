"""What all operators share whose values hold entries of their arguments, moved, and zeros perhaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SIGNS = frozenset({"positive", "nonnegative", "nonzero"})


def multiple_outside(name: str, arg: Node, params: tuple[Any, ...] = ()) -> Node | None:
    """f(c·X) = c·f(X); None where the argument is no multiple."""
    if arg.op == "scale":
        return build.multiply(arg.args[0], build.apply(name, arg.args[1], params=params))
    return None


def signs_kept(node: Node) -> frozenset[str]:
    """The facts about single entries that hold of every argument, where the value has no other entries."""
    return frozenset.intersection(*(arg.facts for arg in node.args)) & _SIGNS
