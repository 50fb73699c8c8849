"""A linear line brought into the form ⟨G, dX⟩, one operator at a time; the terms collected, one rule at a time."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.calculus.moves import Line, Move, Part, replaced
from matcalc.calculus.simplify import textbook
from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.rule import Rule

_REORDERED = "the same, in another order"


def transpose_moves(linear: Node, direction: Node, cotangent: Node) -> Iterator[Move]:
    """The moves from ⟨``cotangent``, ``linear``⟩ to ⟨G, ``direction``⟩.

    Raises:
        UnsupportedError: where an operator is not linear in an argument that depends on the direction.
    """
    name = direction.params[0]
    arriving: dict[Node, list[Node]] = {linear: [cotangent]}
    for node in reversed(list(postorder(linear))):
        if node is direction or node not in arriving or not node.depends_on(name):
            continue
        total = build.add(*arriving.pop(node))
        moving = tuple(i for i, arg in enumerate(node.args) if arg.depends_on(name))
        send = node.operator.transpose
        if send is None:
            raise UnsupportedError(f"{node.operator.name} is not linear in its argument")
        sent = [send(node, i, total) for i in moving] if not build.is_zero(total) else []
        for i, part in zip(moving, sent, strict=False):
            arriving.setdefault(node.args[i], []).append(part)
        if len(sent) > 1 and all(part is total for part in sent) and any(arg is not direction for arg in arriving):
            continue  # a sum, paired term by term, is written as it was
        yield Move(_line(arriving, direction), "transpose", node, node, moving=moving)


def _line(arriving: dict[Node, list[Node]], direction: Node) -> Line:
    sums = ((node, build.add(*sent)) for node, sent in arriving.items())
    parts = tuple(Part(node, total) for node, total in sums if not build.is_zero(total))
    return parts or (Part(direction, build.zeros(*direction.shape)),)


def rewriting(node: Node, direction: Node | None = None) -> Iterator[Move]:
    """The moves that bring ``node`` to textbook form, one rule at a time; with a direction, G in the line ⟨G, dX⟩.

    What brings the last line from the one before has no rule where only the order in which things are written differs.
    """
    used: list[tuple[Rule, Node, Node]] = []
    last = textbook(node, lambda rule, before, after: used.append((rule, before, after)))
    current, steps = node, list[tuple[Node, Rule | str, Node]]()
    for rule, before, after in used:
        made = replaced(current, {before: after})
        if made is not current:
            steps.append((made, rule, before))
        current = made
    if current is not last:
        steps.append((last, used[-1][0] if used else _REORDERED, node))
    for made, by, where in steps:
        yield Move((Part(made) if direction is None else Part(direction, made),), "rewrite", by, where)
