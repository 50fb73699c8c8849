"""The derivations of a Jacobian, a Hessian, a jvp and a hvp: the differential, and the matrix that is read off it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from matcalc.calculus.differential_moves import differential_moves
from matcalc.calculus.moves import DETAILS, Line, Motion, Part, pending, replaced
from matcalc.calculus.readoff import matrix_of
from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose_moves import rewriting
from matcalc.documents.derivation.composer import Claim, Composer
from matcalc.documents.derivation.gradient import ending, finish, to_form
from matcalc.documents.derivation.reasons import DIFFERENTIAL, JACOBIAN, TAKEN, matrix_reason, reason_of
from matcalc.documents.derivation.record import Reason, Written
from matcalc.documents.derivation.subject import Subject
from matcalc.documents.derivation.writing import Writer
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.operators.vectorization import vec


def directional_lines(composer: Composer, subject: Subject, expression: Node, motion: Motion, letter: str) -> None:
    """Adds the lines of a jvp, or of the hvp that is one of a gradient: the differential in a direction."""
    v = composer.writer.written(motion.direction)
    first = Reason(f"the differential for d{subject.name} = {v.text}", None, DIFFERENTIAL)
    found = _linear_lines(composer, expression, motion, letter, first)
    along = composer.writer.written(subject.arrow or motion.direction)
    head = Written(f"D{letter}[{along.text}]", rf"\mathrm{{D}}{letter}[{along.latex}]")
    start: Line = (Part(pending(expression)),)
    reason = Reason("the derivative in that direction")
    before = composer.writer.written(found)
    composer.identify(head, found, reason, before, lambda w: (w.sum_of(start), w.value(found)))
    finish(composer, subject, motion, expression, found, head, paired=False)


def jacobian_lines(composer: Composer, subject: Subject, expression: Node, motion: Motion, letter: str) -> None:
    """Adds the lines of a Jacobian, or of the Hessian that is one of a gradient."""
    start: Line = (Part(pending(expression)),)
    linear = _linear_lines(composer, expression, motion, letter, TAKEN)
    if subject.moving is not subject.variable:
        linear = _with_structure(composer, subject, start, linear, letter)
    head = Written(*(("H", "H") if subject.kind == "hessian" else ("J", "J")))
    numerator = replace(subject, shown=subject.tensor or subject.shown, moving=subject.variable, onto="")
    if not subject.closed:
        before = composer.writer.written(linear)
        reason = Reason(
            "this linear map has no matrix in closed form: it is the derivative as it stands", None, JACOBIAN
        )
        arrow = motion.direction
        name = composer.writer.written(arrow)
        head = Written(f"{head.text}[{name.text}]", f"{head.latex}[{name.latex}]")
        composer.identify(head, linear, reason, before, lambda w: (w.sum_of(start), w.value(linear)))
        finish(composer, numerator, motion, expression, linear, head, paired=False)
        return
    found = _matrix_lines(composer, subject, start, linear, letter, head)
    finish(composer, numerator, motion, expression, found, head, paired=False)
    if subject.shown is not numerator.shown:
        turned = Written(f"{head.text}.T", rf"{head.latex}^\top")
        shown, reason = composer.writer.written(subject.shown), Reason("transposed, in denominator layout")
        composer.add(
            "equality", "brief", turned, shown, [reason], shown.text,
            lambda w: (w.value(numerator.shown).T, w.value(subject.shown)),
        )  # fmt: skip


def _linear_lines(composer: Composer, expression: Node, motion: Motion, letter: str, first: Reason) -> Node:
    """The lines from d(F) to a differential in textbook form, which is returned."""
    head = Written(f"d{letter}", rf"\mathrm{{d}}{letter}")
    start: Line = (Part(pending(expression)),)
    line = composer.chain(head, start, differential_moves(expression, motion), [first])
    more = list(rewriting(line[0].value))
    return composer.chain(head, start, ending(more, "normal"), last=line)[0].value


def _with_structure(composer: Composer, subject: Subject, start: Line, linear: Node, letter: str) -> Node:
    made = textbook(replaced(linear, {subject.moving: subject.variable}))
    if made is linear:
        return linear
    head = Written(f"d{letter}", rf"\mathrm{{d}}{letter}")
    shown = composer.writer.written(made)
    why = f"{subject.name} is {subject.subspace}, which the formula may use once it is derived"
    composer.add(
        "equality", "normal", head, shown, [Reason(why)], shown.text, lambda w: (w.sum_of(start), w.value(made))
    )
    return made


def _matrix_lines(composer: Composer, subject: Subject, start: Line, linear: Node, letter: str, head: Written) -> Node:
    """The lines from dF to J, where vec(dF) = J·vec(dX)."""
    arrow = subject.arrow
    assert arrow is not None, "a Jacobian has a direction"
    if not subject.cols:
        found = replaced(linear, {arrow: build.number(1)})
        reason = _stated("read off the derivative", composer.writer, _vec_head(letter, short=True), head, arrow)

        def change(node: Node) -> Claim:
            return lambda w: (w.sum_of(start), w.times_arrow(node))

        return _read(composer, head, found, reason, linear, change)
    if not subject.rows:
        return _row_lines(composer, subject, start, linear, letter, head)
    matrix = matrix_of(linear, arrow)
    assert matrix is not None, "a Jacobian that is closed has a matrix"
    reasons = _matrix_reasons(linear, arrow)
    short = len(subject.rows) < 2 and len(subject.cols) < 2
    column = composer.writer.written(arrow if short else vec(arrow))
    left = _vec_head(letter, short)
    line = composer.writer.product(matrix, column)
    where = composer.writer.written(linear)

    def claim(node: Node) -> Claim:
        return lambda w: (w.column(w.sum_of(start)), w.value(node) @ w.column(w.value(arrow)))

    same = composer.drafts[-1][0].after.text == line.text and short
    if not same:
        composer.add("equality", "normal", left, line, reasons, where.text, claim(matrix), where)
    named = "Hessian" if subject.kind == "hessian" else "Jacobian"
    direction = arrow if short else vec(arrow)
    reason = _stated(f"read off the {named}", composer.writer, left, head, direction)
    return _read(composer, head, matrix, reason, linear, claim)


def _stated(words: str, writer: Writer, left: Written, head: Written, direction: Node) -> Reason:
    """A derivative is what stands before the direction."""
    dx = writer.written(direction)
    formula = Written(f"{left.text} = {head.text}*{dx.text}", rf"{left.latex} = {head.latex} \, {dx.latex}")
    return Reason(words, formula, JACOBIAN)


def _read(composer: Composer, head: Written, found: Node, reason: Reason, linear: Node, claim: Any) -> Node:
    """A matrix read off, and then brought to textbook form."""
    before = composer.writer.written(linear)
    composer.identify(head, found, reason, before, claim(found))
    waiting: list[Reason] = []
    made, moves = found, list(rewriting(found))
    for move in moves:
        waiting.append(reason_of(move))
        made, last = move.line[0].value, move is moves[-1]
        if last or composer.detail == DETAILS[-1]:
            shown = composer.writer.written(made)
            if shown.text != composer.drafts[-1][0].after.text:
                level = "brief" if last else "every-step"
                composer.add("equality", level, head, shown, list(dict.fromkeys(waiting)), shown.text, claim(made))
            waiting = []
    return made


def _row_lines(composer: Composer, subject: Subject, start: Line, linear: Node, letter: str, head: Written) -> Node:
    """The Jacobian of a scalar: its gradient, as a row where the name is a vector."""
    arrow = subject.arrow
    assert arrow is not None, "a Jacobian has a direction"
    left = Written(f"d{letter}", rf"\mathrm{{d}}{letter}")
    moves = to_form((Part(linear),), arrow, build.number(1))
    line = composer.chain(left, start, moves, last=(Part(linear),))
    last = line[0].cotangent if moves else None
    found = build.zeros(*arrow.shape) if last is None else last
    turned = found.T if len(subject.cols) == 1 else found
    if len(subject.cols) == 1:
        reason = _stated("the Jacobian is the gradient as a row", composer.writer, left, head, arrow)
    else:
        dx = composer.writer.written(arrow)
        traced = rf"\operatorname{{tr}}\left({head.latex}^\top {dx.latex}\right)"
        trace = Written(f"{left} = tr({head}.T*{dx})", f"{left.latex} = {traced}")
        reason = Reason("the Jacobian is the gradient", trace, JACOBIAN)
    composer.identify(
        head, turned, reason, composer.writer.line(line),
        lambda w: (w.sum_of(start), w.paired(found, arrow)),
    )  # fmt: skip
    return turned


def _vec_head(letter: str, short: bool) -> Written:
    if short:
        return Written(f"d{letter}", rf"\mathrm{{d}}{letter}")
    return Written(f"vec(d{letter})", rf"\operatorname{{vec}}\left(\mathrm{{d}}{letter}\right)")


def _matrix_reasons(linear: Node, arrow: Node) -> list[Reason]:
    """The rules by which the operators on the way are matrices, each once; sums and multiples go without saying."""
    name, found = arrow.params[0], dict[Reason, None]()
    for node in postorder(linear):
        moving = [i for i, arg in enumerate(node.args) if arg.depends_on(name)]
        still = [arg for i, arg in enumerate(node.args) if i not in moving]
        if not moving or (len(node.args) > 1 and all(arg.is_scalar for arg in still)):
            continue
        found[matrix_reason(node, moving)] = None
    telling = [reason for reason in found if reason.formula is not None]
    return telling or list(found) or [Reason("as it stands", None, JACOBIAN)]
