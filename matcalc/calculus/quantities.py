"""Subexpressions worth a name: what a differential mentions again and again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from matcalc.calculus.differential import differential
from matcalc.calculus.moves import Motion, replaced
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.rule import operations

_MOST_NAMES = 4
_WORTH_A_NAME = 3
_LARGE_CONSTANT = 6
_SMALL, _LARGE = "rstuvwzpqh", "RSTUVWZPQH"


def with_names(expression: Node, motion: Motion, taken: Collection[str]) -> tuple[Node, dict[Node, Node]]:
    """The expression with names for what its differential mentions more than once, and the names' definitions.

    Names that ``motion`` knows already are used, and are among the definitions where something needs them.

    >>> A, x = build.variable("A", (2, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> dx, b = build.variable("dx", (3, 1), "vector"), build.variable("b", (2, 1), "vector")
    >>> layer = build.apply("tanh", A @ x + b)
    >>> found, named = with_names(build.apply("norm2", layer), Motion(x, dx), {"A", "x", "b", "dx"})
    >>> found, list(named.values()) == [layer]
    (norm2(variable(r, vector, ())), True)
    """
    linear = differential(expression, motion.variable, motion.direction)
    expression, linear = (named_in_turn(root, motion.named) for root in (expression, linear))
    moving = motion.names
    letters = {kind: _letters(kind, taken) for kind in (_SMALL, _LARGE)}
    found: list[tuple[Node, Node]] = []
    while len(found) < _MOST_NAMES:
        node = _heaviest(expression, linear, moving | {name.params[0] for name, _ in found})
        if node is None:
            break
        letter = next(letters[_SMALL if 1 in node.shape else _LARGE], None)
        if letter is None:
            break
        name = build.variable(letter, node.shape, storage(node))
        put = {node: name, node.T: name.T}
        expression, linear = (replaced(root, put) for root in (expression, linear))
        found = [(each, replaced(meaning, put)) for each, meaning in found]
        found.insert(0, (name, node))
    return expression, _in_order([*_needed(expression, found, motion.named), *found])


def storage(node: Node) -> str:
    """How a value of this shape looks outside the calculus."""
    return "scalar" if node.is_scalar else "vector" if node.cols == 1 else "row" if node.rows == 1 else "matrix"


def _letters(kind: str, taken: Collection[str]) -> Iterator[str]:
    return (letter for letter in kind if letter not in taken and f"d{letter}" not in taken)


def _needed(expression: Node, found: list[tuple[Node, Node]], known: Mapping[Node, Node]) -> list[tuple[Node, Node]]:
    """Names known already that the expression or a definition mentions, and what they need in turn."""
    names = set(expression.free).union(*(meaning.free for _, meaning in found))
    needed = []
    for name, meaning in reversed(list(known.items())):
        if name.params[0] in names:
            names |= meaning.free
            needed.append((name, meaning))
    return needed


def _heaviest(expression: Node, linear: Node, names: Collection[str]) -> Node | None:
    """The largest subexpression that the differential mentions at least twice; one that is constant must be larger."""
    counts = mentions(linear)
    own = [
        node
        for node in postorder(expression)
        if node is not expression
        and node.weight >= (_LARGE_CONSTANT if node.free.isdisjoint(names) else _WORTH_A_NAME)
        and counts.get(node, 0) + (counts.get(node.T, 0) if node.T is not node else 0) > 1
        and not build.negate(node).weight < node.weight
        and node.op not in ("transpose", "scale")
    ]
    return max(own, key=lambda node: (node.weight, operations(node), node.digest), default=None)


def mentions(root: Node) -> dict[Node, int]:
    """How often each subexpression is written in ``root``, written out."""
    counts = {root: 1}
    for node in reversed(list(postorder(root))):
        for arg in node.args:
            counts[arg] = counts.get(arg, 0) + counts[node]
    return counts


def _in_order(found: list[tuple[Node, Node]]) -> dict[Node, Node]:
    """Definitions after what they mention."""
    made: dict[Node, Node] = {}
    waiting = list(found)
    while waiting:
        ready = [pair for pair in waiting if not any(other.params[0] in pair[1].free for other, _ in waiting)]
        made.update(ready)
        waiting = [pair for pair in waiting if pair not in ready]
    return made


def named_in(node: Node, named: Mapping[Node, Node]) -> Node:
    """``node`` with the names in place of what they stand for."""
    put = {meaning: name for name, meaning in named.items()}
    put |= {meaning.T: name.T for name, meaning in named.items()}
    return replaced(node, put)


def named_in_turn(node: Node, named: Mapping[Node, Node]) -> Node:
    """``node`` with names for what is defined by names itself, from the first to the last."""
    for name, meaning in named.items():
        node = replaced(node, {meaning: name, meaning.T: name.T})
    return node


def written_out(node: Node, named: Mapping[Node, Node]) -> Node:
    """``node`` with the definitions in place of the names."""
    for name, meaning in reversed(list(named.items())):
        node = replaced(node, {name: meaning})
    return node
