"""From a subject to its derivation, every line of it held against numbers."""

from __future__ import annotations

from dataclasses import replace

from matcalc.calculus.layers import Layers, layers_of
from matcalc.calculus.moves import DETAILS, Motion
from matcalc.calculus.quantities import named_in, with_names
from matcalc.documents.derivation.backpropagation import backpropagation_lines, with_recursions
from matcalc.documents.derivation.composer import Composer
from matcalc.documents.derivation.gradient import gradient_lines
from matcalc.documents.derivation.record import Derivation, Reason, Written
from matcalc.documents.derivation.subject import Subject
from matcalc.documents.derivation.witness import Witness, points_for
from matcalc.documents.derivation.writing import Writer
from matcalc.errors import ParseError
from matcalc.expression import build
from matcalc.expression.nodes import Node


def derivation_of(subject: Subject, detail: str = "normal") -> Derivation:
    """The derivation of a derivative.

    Raises:
        ParseError: for a detail that is none.
        CheckError: for a line that is false, and where no point to check at is found.
    """
    if detail not in DETAILS:
        raise ParseError(f"no detail {detail!r}", why=f"the details are {', '.join(DETAILS)}")
    taken = {v.params[0] for v in subject.variables} | _sizes(subject)
    arrow = build.variable(build.new_name("d" + subject.name, taken), subject.variable.shape, subject.variable.params[1])
    letter = build.new_name("f" if 1 in subject.expression.shape else "F", taken)
    taken |= {arrow.params[0], letter, f"d{letter}"}
    layers = layers_of(subject.expression, subject.moving, taken) if subject.other is None else None
    if layers is not None:
        expression, named = layers.root, layers.named
    else:
        expression, named = with_names(subject.expression, Motion(subject.moving, arrow), taken)
    motion = Motion(subject.moving, arrow, named)
    writer = _writer(subject, motion, arrow, taken, layers)
    composer = Composer(writer, detail)
    if layers is not None:
        backpropagation_lines(composer, subject, layers, motion, letter)
    else:
        for name, meaning in named.items():
            _define(composer, name, meaning, subject.expression, expression)
        gradient_lines(composer, subject, expression, motion, letter)
    points = points_for(subject.expression, subject.name, subject.variables, subject.shown)
    onto = "" if subject.moving is not subject.variable else subject.subspace
    import mpmath

    from matcalc.documents.derivation.witness import DIGITS

    with mpmath.workdps(DIGITS):
        witnesses = [Witness(at, motion, subject.variables, onto, seed) for seed, at in enumerate(points)]
    steps = composer.steps(witnesses)
    if layers is not None:
        steps = with_recursions(steps, sorted(writer.names))
    statement = writer.written(subject.expression)
    title = (f"The gradient of {letter} =", statement, f"by {subject.name}.")
    given = ", ".join(f"{name}: {declared}" for name, declared in subject.declarations.items())
    return Derivation(title, given, steps, detail, len(points))


def _writer(subject: Subject, motion: Motion, arrow: Node, taken: set[str], layers: Layers | None) -> Writer:
    """A writer that knows every name, and the order of the text's terms with names in their place."""
    meanings = {one.name: one.meaning for one in layers.quantities} if layers is not None else motion.named
    order = {
        named_in(node, meanings): tuple(named_in(part, meanings) for part in parts)
        for node, parts in subject.style.order.items()
    }
    deltas = {one.delta.params[0] for one in layers.quantities if one.delta is not None} if layers is not None else set()
    names = frozenset(taken) | {name.params[0] for name in motion.named} | deltas
    style = replace(subject.style, order={**subject.style.order, **order})
    return Writer(style, names, {arrow.params[0]: subject.name})


def _define(composer: Composer, name: Node, meaning: Node, whole: Node, named: Node) -> None:
    head, shown = composer.writer.written(name), composer.writer.written(meaning)
    reason = Reason("a name for what is written more than once")
    composer.add(
        "definition", "brief", head, shown, [reason], shown.text, lambda w: (w.value(whole), w.value(named)), shown
    )


def _sizes(subject: Subject) -> set[str]:
    return {name for v in subject.variables for size in v.shape if not isinstance(size, int) for name in size.names}
