"""The order in which a reader expects terms and factors: by the inputs' order, larger terms first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcalc.expression.nodes import Node, postorder

_LEAVES_SEEN = 6
_CONSTANT = 10**6
_LATER = {"variable": 1, "transpose": 1, "spread": 2}


def reading_order(roots: Sequence[Node], names: Sequence[str]) -> Callable[[Node], Any]:
    """A sort key for terms and factors."""
    position = {name: k for k, name in enumerate(names)}
    leaves: dict[Node, tuple[int, ...]] = {}

    def leaves_of(node: Node) -> tuple[int, ...]:
        if node not in leaves:
            for inner in postorder(node):
                leaves.setdefault(inner, _leaves(inner, position, leaves))
        return leaves[node]

    for root in roots:
        leaves_of(root)

    def key(node: Node) -> Any:
        core = node.args[1] if node.op == "scale" else node
        rank = _LATER.get(core.op, 0)
        return not core.free, rank, leaves_of(node), node.op == "transpose", node.digest

    return key


def _leaves(node: Node, position: dict[str, int], leaves: dict[Node, tuple[int, ...]]) -> tuple[int, ...]:
    if node.op == "variable":
        return (position.get(node.params[0], _CONSTANT),)
    if not node.args:
        return (_CONSTANT,)
    args = [leaves[arg] for arg in node.args if arg.free] or [(_CONSTANT,)]
    if node.op in ("add", "times"):
        args.sort()
    return tuple(leaf for arg in args for leaf in arg)[:_LEAVES_SEEN]
