"""Which of two equal ways of writing a transpose: on the outside, as elsewhere in the language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def all_turned(args: Sequence[Node]) -> bool:
    """Whether the arguments are transposes, except for those that are their own, and there is one."""
    ways = [_way(arg) for arg in args]
    return "turned" in ways and "straight" not in ways


def _way(node: Node) -> str:
    """Whether a node, a sum, a product or a multiple is written with transposes throughout."""
    parts = {"scale": node.args[1:], "add": node.args, "product": node.args}.get(node.op, (node,))
    ways = {_plain_way(part.args[1] if part.op == "scale" else part) for part in parts}
    return "straight" if "straight" in ways else "turned" if "turned" in ways else "both"


def _plain_way(node: Node) -> str:
    if node.op == "transpose":
        return "turned"
    return "both" if node.is_scalar or "symmetric" in node.facts else "straight"
