"""The gradient of a deep composition as backpropagation: the quantities forward, the δ's backward, the gradient."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from matcalc.calculus.layers import Back, Layers, Quantity, backward, forward
from matcalc.calculus.moves import DETAILS, Motion
from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose_moves import rewriting
from matcalc.documents.derivation.composer import Claim, Composer
from matcalc.documents.derivation.gradient import finish
from matcalc.documents.derivation.reasons import CHAIN_RULE, reason_of
from matcalc.documents.derivation.record import Reason, Step, Written
from matcalc.documents.derivation.subject import Subject
from matcalc.documents.derivation.witness import Witness
from matcalc.expression.nodes import Node

_SOURCE = "Goodfellow et al. 2016, sec. 6.5"


def _forward_lines(composer: Composer, subject: Subject, layers: Layers, letter: str) -> None:
    for quantity in layers.quantities:
        _define(composer, quantity)
    head = Written(letter, letter)
    root = composer.writer.written(layers.root)
    composer.add(
        "equality", "brief", head, root, [Reason("by the quantities defined")], root.text,
        lambda w: (w.value(subject.expression), w.value(layers.root)),
    )  # fmt: skip


def backpropagation_lines(composer: Composer, subject: Subject, layers: Layers, motion: Motion, letter: str) -> None:
    """Adds the lines: definitions, f by them, δ's from the last to the first, and the gradient."""
    _forward_lines(composer, subject, layers, letter)
    for back in backward(layers, motion):
        if back.quantity is not None:
            _delta(composer, layers, back, letter)
        else:
            _last(composer, subject, layers, motion, back, letter)


def layered_jacobian_lines(
    composer: Composer, subject: Subject, layers: Layers, motion: Motion, letter: str, arrow: Node
) -> bool:
    """Adds the lines of a Jacobian: definitions, and the Jacobian of each quantity by those before it.

    Nothing is added where some operator has no matrix, which is what is returned.
    """
    found = forward(layers, motion)
    if found is None:
        return False
    _forward_lines(composer, subject, layers, letter)
    for quantity, matrix, users in found:
        name = layers.root if quantity is None else quantity.name
        own = None if quantity is None else quantity.jacobian
        head = Written(*("HH" if subject.kind == "hessian" else "JJ")) if own is None else composer.writer.written(own)
        of = letter if quantity is None else quantity.name.params[0]
        why = f"chain rule: {head.text} is the Jacobian of {of} by {subject.name}, through {_listed(users)}"

        def claim(node: Node, name: Node = name, own: Node | None = own) -> Claim:
            return lambda w: w.jacobian(name, node, own, arrow)

        _collected(composer, head, matrix, Reason(why, None, CHAIN_RULE), claim)
    composer.hold(lambda w: (w.value(textbook(matrix)), w.value(subject.shown)))
    return True


def _define(composer: Composer, quantity: Quantity) -> None:
    shown = composer.writer.written(quantity.definition)
    composer.add(
        "definition", "brief", composer.writer.written(quantity.name), shown, [Reason("an intermediate quantity")],
        shown.text, lambda w: (w.value(quantity.meaning), w.value(quantity.name)), shown,
    )  # fmt: skip


def _delta(composer: Composer, layers: Layers, back: Back, letter: str) -> None:
    quantity = back.quantity
    assert quantity is not None, "what a variable receives is the gradient"
    assert quantity.delta is not None, "a line of its own needs a name"
    delta, name = quantity.delta, quantity.name
    head = composer.writer.written(delta)
    users = [user for user in back.users if user is not layers.root]
    through = f", which acts through {_listed(users)}" if users else ""
    first = Reason(f"chain rule: {head.text} is the gradient of {letter} by {name.params[0]}{through}", None, _SOURCE)
    _collected(composer, head, back.gradient, first, lambda node: _gradient_claim(delta, name, layers.root, node))


def _collected(composer: Composer, head: Written, node: Node, first: Reason, claim: Callable[[Node], Claim]) -> None:
    """A gradient as it comes, then in textbook form: in one line, or rule by rule."""
    lines = [(node, first), *((move.line[0].value, reason_of(move)) for move in rewriting(node))]
    if composer.detail != DETAILS[-1]:
        lines = [(lines[-1][0], first)]
    for k, (made, reason) in enumerate(lines):
        level = "brief" if k == len(lines) - 1 else "every-step"
        shown = composer.writer.written(made)
        composer.add("equality", level, head, shown, [reason], shown.text, claim(made))


def _gradient_claim(delta: Node, name: Node, root: Node, found: Node) -> Claim:
    def claim(w: Witness) -> tuple[Any, Any]:
        w.define(delta, found)
        return w.slope_in(name, root, delta)

    return claim


def _last(composer: Composer, subject: Subject, layers: Layers, motion: Motion, back: Back, letter: str) -> None:
    head = Written(f"∇{letter}", rf"\nabla {letter}")
    names = _listed([user for user in back.users if user is not layers.root])
    reason = Reason(
        f"chain rule: what {names} send{'s' if len(back.users) == 1 else ''} back to {subject.name}", None, _SOURCE
    )

    def claim(node: Node) -> Claim:
        return lambda w: w.slope_in(motion.variable, layers.root, node)

    _collected(composer, head, back.gradient, reason, claim)
    finish(composer, subject, replace(motion, named={}), layers.root, textbook(back.gradient), head, layers.named)


def _listed(nodes: Sequence[Node]) -> str:
    names = list(dict.fromkeys(str(node.params[0]) for node in nodes))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "the function"


# ------------------------------------------------------------------------------------------------- recursions

_INDEXED = re.compile(r"\b([A-Za-z]\w*?)_?(\d+)\b(?!\()")
_SUBSCRIPT = re.compile(r"_\{(\d+)\}")
_LEAST = 2


def with_recursions(steps: Sequence[Step], names: Sequence[str]) -> tuple[Step, ...]:
    """The steps, lines that say the same of consecutive indices put together to one for every k."""
    indexed = {name for name in names if _INDEXED.fullmatch(name)}
    groups: list[list[tuple[int | None, tuple[str, ...], Step]]] = []
    for step in steps:
        k = _index(step, indexed)
        pattern = () if k is None else _pattern(step, k, indexed)
        home = next((g for g in groups if k is not None and _continues(g, k, pattern)), None)
        if home is None:
            groups.append([(k, pattern, step)])
        else:
            home.append((k, pattern, step))
    made = [_recursion(group) if len(group) >= _LEAST else group[0][2] for group in groups]
    return tuple(replace(step, number=number) for number, step in enumerate(made, 1))


def _index(step: Step, indexed: set[str]) -> int | None:
    found = _INDEXED.fullmatch(step.head.text) if step.head.text in indexed else None
    return int(found[2]) if found else None


def _continues(group: Sequence[tuple[int | None, tuple[str, ...], Step]], k: int, pattern: tuple[str, ...]) -> bool:
    last, known, _ = group[-1]
    if last is None or known != pattern or abs(k - last) != 1:
        return False
    before = group[-2][0] if len(group) > 1 else None
    return before is None or k - last == last - before


def _pattern(step: Step, k: int, indexed: set[str]) -> tuple[str, ...]:
    """Head, line and reasons with k for the index, in both notations."""

    def text(match: re.Match[str]) -> str:
        return f"{match[1]}_{_offset(int(match[2]) - k)}" if match[0] in indexed else match[0]

    def formula(match: re.Match[str]) -> str:
        return f"_{{{_offset(int(match[1]) - k).strip('{}')}}}"

    sides = (step.head, step.after)
    return (
        *(_INDEXED.sub(text, side.text) for side in sides),
        *(_SUBSCRIPT.sub(formula, side.latex) for side in sides),
        *(_INDEXED.sub(text, reason.words) for reason in step.reasons),
    )


def _offset(gap: int) -> str:
    return "k" if gap == 0 else f"{{k+{gap}}}" if gap > 0 else f"{{k-{-gap}}}"


def _recursion(group: Sequence[tuple[int | None, tuple[str, ...], Step]]) -> Step:
    _, (head, after, head_latex, after_latex, *words), step = group[0]
    reasons = tuple(replace(reason, words=w, formula=None) for reason, w in zip(step.reasons, words, strict=True))
    return replace(
        step,
        kind="recursion" if step.kind == "equality" else step.kind,
        head=Written(head, head_latex),
        before=Written(after, after_latex) if step.kind == "definition" else Written(head, head_latex),
        after=Written(after, after_latex),
        reasons=reasons,
        where=after,
        instances=tuple((k, one) for k, _, one in group if k is not None),
    )
