"""The derivation of a gradient or a vjp: the differential, the form ⟨G, dX⟩, and what is read off it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from matcalc.calculus.differential_moves import differential_moves
from matcalc.calculus.forms import FORMS
from matcalc.calculus.moves import DETAILS, Line, Motion, Move, Part, pending, replaced
from matcalc.calculus.quantities import written_out
from matcalc.calculus.simplify import settled, textbook
from matcalc.calculus.transpose_moves import rewriting, transpose_moves
from matcalc.documents.derivation.composer import Composer
from matcalc.documents.derivation.reasons import DISTRIBUTIVITY, GRADIENT, TAKEN, reason_of
from matcalc.documents.derivation.record import Reason, Written
from matcalc.documents.derivation.subject import Subject
from matcalc.documents.derivation.witness import Witness
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import operator_of_role

_READ_OFF = (
    ("read off the derivative", "{df} = g*{dx}", r"{df} = g \, {dx}"),
    ("read off the gradient", "{df} = g.T*{dx}", r"{df} = g^\top {dx}"),
    ("read off the gradient", "{df} = tr(G.T*{dx})", r"{df} = \operatorname{{tr}}\left(G^\top {dx}\right)"),
)


def gradient_lines(composer: Composer, subject: Subject, expression: Node, motion: Motion, letter: str) -> Node:
    """Adds the lines of a gradient, and returns the gradient that the last of them has.

    ``expression`` is the subject's, with ``motion.named`` in it.
    """
    cotangent = subject.other
    start: Line = (Part(pending(expression), cotangent),)
    head = _head(composer, subject, letter)
    moves = list(differential_moves(expression, motion, cotangent))
    line = composer.chain(head, start, moves, [TAKEN])
    one = build.number(1) if cotangent is None else cotangent
    moves = to_form(line, motion.direction, one)
    line = composer.chain(head, start, moves)
    found = line[0].cotangent if moves else build.zeros(*motion.variable.shape)
    assert found is not None, "the last line is an inner product"
    return read_off(composer, subject, expression, motion, found, letter, head)


def _head(composer: Composer, subject: Subject, letter: str) -> Written:
    if subject.other is None:
        return Written(f"d{letter}", rf"\mathrm{{d}}{letter}")
    name = build.variable(f"d{letter}", subject.expression.shape, "matrix")
    names = composer.writer.names | {f"d{letter}"}
    differentials = {**composer.writer.differentials, f"d{letter}": letter}
    writer = replace(composer.writer, names=names, differentials=differentials)
    return writer.line((Part(name, subject.other),))


def to_form(line: Line, direction: Node, cotangent: Node) -> list[Move]:
    """The moves from what is linear to ⟨G, dX⟩, and those that bring G to textbook form."""
    linear = line[0].value
    if not linear.depends_on(direction.params[0]):
        return []
    moves = list(transpose_moves(linear, direction, cotangent))
    if not moves:  # the differential is the direction itself
        return [
            Move((Part(direction, cotangent),), "words", "the differential is the direction itself", linear, "brief")
        ]
    gradient = moves[-1].line[0].cotangent
    assert gradient is not None, "what is transposed has a cotangent"
    more = list(rewriting(gradient, direction))
    moves = ending(moves, "normal" if more else "brief")
    return moves + ending(more, "brief")


def ending(moves: Sequence[Move], detail: str) -> list[Move]:
    """The moves, the last line of which is shown from this detail on."""
    if not moves:
        return []
    last = moves[-1]
    return [*moves[:-1], Move(last.line, last.kind, last.by, last.where, detail, last.moving)]


def read_off(
    composer: Composer, subject: Subject, expression: Node, motion: Motion, found: Node, letter: str, head: Written
) -> Node:
    """The gradient read off, with what is left to do: names written out, the projection, the form asked for."""
    axes = sum(size != 1 for size in subject.variable.shape)
    shown = Written(f"∇{letter}", rf"\nabla {letter}")
    if subject.other is not None:
        u = composer.writer.written(subject.other)
        shown = Written(f"∇inner({u.text}, {letter})", rf"\nabla \langle {u.latex}, {letter} \rangle")
    before = composer.writer.line((Part(motion.direction, found),))
    root = expression if subject.other is None else _paired(subject.other, expression)
    if build.is_zero(found):
        reason = Reason(f"{letter} does not change with {subject.name}", None, GRADIENT)
    else:
        words, text, formula = _READ_OFF[axes]
        dx = composer.writer.written(motion.direction)
        stated = Written(text.format(df=head.text, dx=dx.text), formula.format(df=head.latex, dx=dx.latex))
        reason = Reason(words, stated, GRADIENT)
    composer.identify(shown, found, reason, before, lambda w: w.slope_in(motion.variable, root, found))
    return finish(composer, subject, motion, root, found, shown)


def finish(
    composer: Composer, subject: Subject, motion: Motion, root: Node, found: Node, head: Written,
    kept: Mapping[Node, Node] | None = None, *, paired: bool = True,
) -> Node:  # fmt: skip
    """Adds what is left to do from a gradient to the result; names that are ``kept`` are not written out."""
    rank = DETAILS.index(composer.detail)
    for node, reasons, detail in _finishing(subject, motion, found, kept):
        same = composer.result(node).text == composer.result(found).text
        if not same and DETAILS.index(detail) <= rank:
            claim = _same(root, motion, found, node, subject.onto if paired else "")
            before = composer.result(found)
            composer.add("equality", detail, head, composer.result(node), reasons, before.text, claim, before)
        found = node if same or DETAILS.index(detail) <= rank else found
    composer.hold(lambda w: (w.value(found), w.value(subject.shown)))
    if subject.onto:
        composer.hold(lambda w: w.in_subspace(found))
    return found


def _same(root: Node, motion: Motion, previous: Node, node: Node, onto: str) -> Any:
    """Equal values; of a projection, equal inner products with what moves in the subspace, and a value in it."""

    def claim(w: Witness) -> tuple[Any, Any]:
        import numpy as np

        if not onto:
            return w.value(previous), w.value(node)
        slope, paired = w.slope_in(motion.variable, root, node)
        inside, projected = w.in_subspace(node)
        return (np.append(slope.ravel(), inside.ravel()), np.append(paired.ravel(), projected.ravel()))

    return claim


def _paired(u: Node, value: Node) -> Node:
    return build.apply(operator_of_role("pairing").name, u, value)


Finish = tuple[Node, list[Reason], str]


def _finishing(subject: Subject, motion: Motion, found: Node, kept: Mapping[Node, Node] | None) -> Iterator[Finish]:
    """What is left to do until the result stands as it is printed: each node with its reasons and its detail."""
    if any(name.params[0] in found.free for name in motion.named):
        names = ", ".join(name.params[0] for name in motion.named)
        yield from _then_simpler(written_out(found, motion.named), Reason(f"{names} written out"))
        found = textbook(written_out(found, motion.named))
    if subject.moving is not subject.variable:
        made = replaced(found, {subject.moving: subject.variable})
        if made is not found:
            why = f"{subject.name} is {subject.subspace}, which the formula may use once it is derived"
            yield from _then_simpler(made, Reason(why))
            found = textbook(made)
    if subject.onto:
        made = subject.project(subject.onto, found)
        why = (
            f"{subject.name} is {subject.onto}, and so is d{subject.name}: the gradient is projected onto such matrices"
        )
        yield from _then_simpler(made, Reason(why, None, GRADIENT))
        found = textbook(made)
    made = settled(found, subject.name)
    if made is not found:
        found = made
        yield found, [Reason("what was declared of the other names is put to use")], "brief"
    if subject.form != "textbook":
        found = FORMS[subject.form](found)
        yield found, [Reason(f"in {subject.form} form", None, DISTRIBUTIVITY)], "brief"
    if found is not subject.shown and not kept:
        yield subject.shown, [Reason("the same in textbook form", None, DISTRIBUTIVITY)], "brief"


def _then_simpler(made: Node, reason: Reason) -> Iterator[Finish]:
    """A node, then its textbook form: the rules one by one, or in one line."""
    moves = list(rewriting(made))
    yield made, [reason], "normal" if moves else "brief"
    reasons: list[Reason] = []
    for move in moves:
        reasons.append(reason_of(move))
        yield move.line[0].value, list(dict.fromkeys(reasons)), "brief" if move is moves[-1] else "every-step"
