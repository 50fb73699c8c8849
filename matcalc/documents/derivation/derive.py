"""From a subject to its derivation, every line of it held against numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from matcalc.calculus.layers import Layers, layers_of
from matcalc.calculus.moves import DETAILS, Motion
from matcalc.calculus.quantities import named_in, with_names, written_out
from matcalc.documents.derivation.backpropagation import backpropagation_lines, layered_jacobian_lines, with_recursions
from matcalc.documents.derivation.composer import Composer, FalseLineError
from matcalc.documents.derivation.gradient import gradient_lines
from matcalc.documents.derivation.linear import directional_lines, jacobian_lines
from matcalc.documents.derivation.record import Derivation, Reason, Step, Written
from matcalc.documents.derivation.subject import Subject
from matcalc.documents.derivation.witness import DIGITS, Witness, points_for
from matcalc.documents.derivation.writing import Writer
from matcalc.errors import ParseError
from matcalc.expression import build
from matcalc.expression.nodes import Node

_DEEP = 3
_TITLES = {
    "grad": "The gradient of",
    "vjp": "The vector-Jacobian product of",
    "jvp": "The directional derivative of",
    "hvp": "The Hessian-vector product of",
    "jacobian": "The Jacobian of",
    "hessian": "The Hessian of",
}


def derivation_of(subject: Subject, detail: str = "normal") -> Derivation:
    """The derivation of a derivative.

    Raises:
        ParseError: for a detail that is none.
        CheckError: for a line that is false, and where no point to check at is found.

    >>> from matcalc.derivative import grad
    >>> print(grad("x'*A*x", "x").derivation("brief")[-1].text)
    ∇f = (A + A.T)*x
    """
    if detail not in DETAILS:
        raise ParseError(f"no detail {detail!r}", why=f"the details are {', '.join(DETAILS)}")
    try:
        return _derived(subject, detail)
    except FalseLineError:
        _derived(subject, DETAILS[-1])  # where each rule has its line, the false one is found
        raise


def _derived(subject: Subject, detail: str) -> Derivation:
    first = subject.gradient or subject
    names = {v.params[0] for v in subject.variables} | _sizes(subject)
    letters = [build.new_name(letter, names) for letter in (("f", "g") if 1 in first.expression.shape else ("F", "G"))]
    chapter = _Chapter(first, letters[0], frozenset({*names, *letters}))
    steps, named, points = chapter.steps("brief" if subject.gradient else detail)
    if subject.gradient:
        taken = chapter.taken | {name.params[0] for name in named}
        more, _, points = _Chapter(subject, letters[1], taken, f"∇{letters[0]}", named).steps(detail)
        steps = tuple(replace(step, number=number) for number, step in enumerate((*steps, *more), 1))
    title = (f"{_TITLES[subject.kind]} {letters[0]} =", chapter.statement, f"by {' and '.join(subject.by)}.")
    given = ", ".join(f"{name}: {declared}" for name, declared in subject.declarations.items())
    return Derivation(title, given, steps, detail, points)


@dataclass(frozen=True)
class _Chapter:
    """One derivative by one name: the whole of a derivation, or the gradient and then the Jacobian of a Hessian.

    Attributes:
        letter: what the expression is called.
        taken: names that no quantity may have.
        called: what else the expression is called.
        known: quantities that have a name already.
    """

    subject: Subject
    letter: str
    taken: frozenset[str]
    called: str = ""
    known: Mapping[Node, Node] = field(default_factory=dict)

    @property
    def arrow(self) -> Node:
        """The name of the direction."""
        subject = self.subject
        if subject.arrow is not None:
            return subject.arrow
        variable = subject.variable
        return build.variable(build.new_name("d" + subject.name, self.taken), variable.shape, variable.params[1])

    @property
    def statement(self) -> Written:
        """The expression."""
        return self._writer(Motion(self.subject.moving, self.arrow), None).written(self.subject.expression)

    def steps(self, detail: str) -> tuple[tuple[Step, ...], Mapping[Node, Node], int]:
        """The lines, each found true, the quantities named in them, and at how many points they were found true."""
        subject, arrow = self.subject, self.arrow
        direction = subject.project(subject.onto, arrow) if subject.kind not in ("grad", "vjp", "jvp") else arrow
        taken = self.taken | {arrow.params[0], f"d{self.letter}"}
        layers = self._layers(taken)
        expression, named = (
            with_names(subject.expression, Motion(subject.moving, direction, self.known), taken)
            if layers is None
            else (layers.root, layers.named)
        )
        motion = Motion(subject.moving, direction, named)
        composer = Composer(self._writer(motion, layers), detail)
        if layers is not None and subject.kind == "grad":
            backpropagation_lines(composer, subject, layers, motion, self.letter)
        elif layers is None or not layered_jacobian_lines(composer, subject, layers, motion, self.letter, arrow):
            for name, meaning in named.items():
                if name not in self.known:
                    _define(composer, name, meaning, subject.expression, expression)
            self._lines(composer, expression, motion)
        steps, points = self._checked(composer, motion, layers)
        return steps, motion.named, points

    def _layers(self, taken: frozenset[str]) -> Layers | None:
        """The expression in layers, where it is deep."""
        subject = self.subject
        if subject.kind == "grad":
            return layers_of(subject.expression, subject.moving, taken)
        plain = (
            subject.closed and subject.rows and subject.cols and not subject.onto and subject.shown is subject.tensor
        )
        if not plain or subject.moving is not subject.variable:
            return None
        return layers_of(subject.expression, subject.moving, taken, _DEEP)

    def _lines(self, composer: Composer, expression: Node, motion: Motion) -> None:
        if self.called:
            head, shown = (self.letter, self.letter), composer.writer.written(expression)
            whole = self.subject.expression
            composer.add(
                "definition", "brief", Written(*head), shown, [Reason(f"{self.letter} is {self.called}")], shown.text,
                lambda w: (w.value(whole), w.value(expression)), shown,
            )  # fmt: skip
        if self.subject.kind in ("grad", "vjp"):
            gradient_lines(composer, self.subject, expression, motion, self.letter)
        elif self.subject.kind in ("jvp", "hvp"):
            directional_lines(composer, self.subject, expression, motion, self.letter)
        else:
            jacobian_lines(composer, replace(self.subject, arrow=self.arrow), expression, motion, self.letter)

    def _checked(self, composer: Composer, motion: Motion, layers: Layers | None) -> tuple[tuple[Step, ...], int]:
        import mpmath

        subject = self.subject
        result = subject.shown if subject.closed else subject.expression  # a map has a direction in it
        points = points_for(subject.expression, subject.name, subject.variables, result)
        onto = subject.subspace if subject.moving is subject.variable else ""
        with mpmath.workdps(DIGITS):
            witnesses = [
                Witness(at, motion, self.arrow, subject.variables, onto, seed) for seed, at in enumerate(points)
            ]
        steps = composer.steps(witnesses)
        return with_recursions(steps, sorted(composer.writer.names)) if layers else steps, len(points)

    def _writer(self, motion: Motion, layers: Layers | None) -> Writer:
        """A writer that knows every name, and the order of the text's terms with names in their place."""
        quantities = layers.quantities if layers is not None else ()
        meanings = {one.name: one.meaning for one in quantities} or {
            name: written_out(meaning, motion.named) for name, meaning in motion.named.items()
        }
        style = self.subject.style
        order = {
            named_in(node, meanings): tuple(named_in(part, meanings) for part in parts)
            for node, parts in style.order.items()
        }
        arrow = self.arrow.params[0]
        deltas = {name.params[0] for one in quantities for name in (one.delta, one.jacobian) if name is not None}
        names = self.taken | {name.params[0] for name in motion.named} | deltas | {arrow}
        own = {arrow: self.subject.name} if arrow.startswith("d" + self.subject.name) else {}
        return Writer(replace(style, order={**style.order, **order}), names, frozenset({arrow}), own)


def _define(composer: Composer, name: Node, meaning: Node, whole: Node, named: Node) -> None:
    head, shown = composer.writer.written(name), composer.writer.written(meaning)
    reason = Reason("a name for what is written more than once")
    composer.add(
        "definition", "brief", head, shown, [reason], shown.text, lambda w: (w.value(whole), w.value(named)), shown
    )


def _sizes(subject: Subject) -> set[str]:
    return {name for v in subject.variables for size in v.shape if not isinstance(size, int) for name in size.names}
