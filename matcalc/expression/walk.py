"""The only walk over expressions: a fold that visits every shared node once, without recursion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from matcalc.expression.nodes import Node, postorder

T = TypeVar("T")


def fold(root: Node, visit: Callable[[Node, Sequence[T]], T], memo: dict[Node, T] | None = None) -> T:
    """``visit(node, results of its arguments)`` from the leaves up; returns the root's result.

    A ``memo`` handed in is used and filled, so that several roots share their work.

    >>> from matcalc.expression import build
    >>> x = build.variable("x", (3, 1), "vector")
    >>> fold(build.add(x, x), lambda node, below: 1 + sum(below))
    3
    """
    done: dict[Node, T] = {} if memo is None else memo
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [arg for arg in node.args if arg not in done] if node not in done else []
        if waiting:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if node not in done:
            done[node] = visit(node, [done[arg] for arg in node.args])
    return done[root]


def users(root: Node) -> dict[Node, int]:
    """How many places use each node below ``root``; the root itself counts once."""
    count = {root: 1}
    for node in postorder(root):
        for arg in node.args:
            count[arg] = count.get(arg, 0) + 1
    return count
