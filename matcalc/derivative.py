"""Derivatives of an expression, and the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.forms import FORMS
from matcalc.calculus.simplify import settled, textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.errors import DomainError, ParseError, ShapeError, UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES
from matcalc.expression.sizes import AnySize
from matcalc.expression.walk import fold
from matcalc.language.inference import typed
from matcalc.language.syntax import read
from matcalc.parsed import Expression, Let, expression_of, name_of, parse, storage_of, torch_shape

if TYPE_CHECKING:
    from matcalc.checking.verdict import Report
    from matcalc.documents.derivation.record import Derivation
    from matcalc.documents.derivation.subject import Subject


CALLED = {"grad": "gradient", "jacobian": "Jacobian", "hessian": "Hessian"}
"""What kinds of derivatives are called in words; the others by their own names."""


@dataclass(frozen=True, eq=False)
class Derivative(Expression):
    """A derivative of an expression; prints as text of the language.

    Attributes:
        expression: what was differentiated.
        wrt: by which name.
        kind: grad, jvp, vjp or hvp.
        projected: the property onto whose subspace the gradient was projected, or "".
        form: in which form it is shown.
        as_written: the expression without what was declared of the name's structure, where that is disregarded.
    """

    expression: Expression = None  # type: ignore[assignment]  # follows fields with defaults; always given
    wrt: str = ""
    kind: str = "grad"
    projected: str = ""
    as_written: Node | None = None
    form: str = "textbook"

    def in_form(self, form: str) -> Derivative:
        """The same derivative in the form ``textbook``, ``expanded`` (multiplied out) or ``factored``.

        Raises:
            ParseError: for another form.

        >>> print(grad("x.T*A*x - b.T*x", "x").in_form("expanded"))
        A*x + A.T*x - b
        """
        if form not in FORMS:
            raise ParseError(f"no form {form!r}", why=f"the forms are {', '.join(FORMS)}")
        return replace(self, form=form)

    @property
    def differentiated(self) -> Node:
        """What was differentiated: the expression, or the expression as written where a structure is disregarded."""
        return self.expression.node if self.as_written is None else self.as_written

    @cached_property
    def shown(self) -> Node:
        """The result, with what was declared of the other names put to use."""
        return FORMS[self.form](settled(self.node, self.wrt))

    @property
    def _storage(self) -> str:
        return (
            self.expression.typed_variable(self.wrt).params[1]
            if self.kind in ("grad", "vjp", "hvp")
            else storage_of(self.node)
        )

    @property
    def shape(self) -> tuple[AnySize, ...]:
        """The shape as torch sees it: a gradient has its name's."""
        if self.kind == "jvp":
            return torch_shape(self.node)
        return self.expression.variables[self.wrt].shape

    @property
    def _function_name(self) -> str:
        return "gradient" if self.kind == "grad" else self.kind

    def _outputs(self, with_value: bool) -> list[tuple[Node, str]]:
        from matcalc.lowering.stable import at_kinks

        own = (at_kinks(self.shown), self._storage)
        return [(self.expression.node, storage_of(self.expression.node)), own] if with_value else [own]

    def _documentation(self) -> str:
        return f"{self._function_name} of {self.expression.pretty()} by {self.wrt}: {self.pretty()}"

    def derivation(self, detail: str = "normal") -> Derivation:
        """The steps of the derivation, in ``brief``, ``normal`` or ``every-step`` detail; each was found true.

        Raises:
            ParseError: for another detail.
            CheckError: for a line that is false, and where no point to check at is found.

        >>> for step in grad("x.T*A*x", "x").derivation(detail="brief"):
        ...     print(step.text)
        df = d(x.T*A*x)
        df = dx.T*A*x + x.T*A*dx
        df = ((A + A.T)*x).T*dx
        ∇f = (A + A.T)*x
        """
        from matcalc.documents.derivation.derive import derivation_of

        return derivation_of(self._derived, detail)

    @property
    def _derived(self) -> Subject:
        from matcalc.documents.derivation.subject import Subject

        variable = self.expression.typed_variable(self.wrt)
        node, moving = self._seen(variable)
        last = self._nodes[-1]
        return Subject(
            self.kind,
            node,
            variable,
            moving,
            self._nodes,
            {name: v.declaration for name, v in self.variables.items()},
            self.shown,
            self.style(every_size=True),
            self.projected,
            subspace_of(variable),
            projection,
            other=last if self.kind == "vjp" else None,
            arrow=last if self.kind in ("jvp", "hvp") else None,
            gradient=self._gradient_derived(node) if self.kind == "hvp" else None,
            form=self.form,
            by=(self.wrt,),
        )

    def _seen(self, variable: Node) -> tuple[Node, Node]:
        """What is differentiated, and the name as that has it; of a hvp, the gradient."""
        from matcalc.directional_derivatives import gradient_seen

        node = self.differentiated
        moving = variable if self.as_written is None else named_in(node, variable)
        if self.kind != "hvp":
            return node, moving
        return gradient_seen(self.expression, self.wrt, moving is not variable), moving

    def _gradient_derived(self, gradient: Node) -> Subject:
        """The derivation of the gradient, whose derivative this is."""
        found = grad(self.expression, self.wrt, unconstrained=self.as_written is not None)
        moving = found._derived.moving
        return replace(found._derived, variable=moving, shown=gradient)

    def check(self, **options: Any) -> Report:
        """Compares with autograd and with differences in 90 digits; see :func:`matcalc.check`."""
        from matcalc.verification import check_derivative

        return check_derivative(self, **options)


def named_in(root: Node, variable: Node) -> Node:
    """The name of ``variable`` as ``root`` has it, perhaps without what was declared of it."""
    name = variable.params[0]
    return next((n for n in postorder(root) if n.op == "variable" and n.params[0] == name), variable)


def grad(f: Expression | str, wrt: str, let: Let = None, *, unconstrained: bool = False) -> Derivative:
    """The gradient of a scalar expression, with the shape of the name.

    A name declared symmetric, skew, diagonal, lower or upper (posdef, psd) has the gradient in that linear subspace,
    unless ``unconstrained``.

    Raises:
        ShapeError: when the expression is not a scalar.
        ParseError: when the name does not occur.

    >>> print(grad("x.T*A*x - b.T*x", "x"))
    (A + A.T)*x - b
    """
    f = expression_of(f, let)
    name = name_of(wrt)
    variable = f.typed_variable(name)
    refuse_non_scalar(f)
    projected = subspace_of(variable)
    if projected and unconstrained:
        node, free = freed(f, name)
        found = substituted(gradient_of(node, free), {free: variable})
        return Derivative(f.text, f.typed, textbook(found), f.limits, f, name, "grad", "", node)
    found = textbook(gradient_of(f.node, variable))
    return Derivative(f.text, f.typed, in_subspace(found, projected), f.limits, f, name, "grad", projected)


def gradient_of(node: Node, variable: Node) -> Node:
    """The gradient of a scalar as it comes: the differential, transposed."""
    direction = direction_for(variable)
    return transposed_map(differential(node, variable, direction), direction, build.number(1))


def freed(f: Expression, name: str) -> tuple[Node, Node]:
    """The expression as written, in which A and A' are two things though A was declared symmetric, and its free A.

    Raises:
        UnsupportedError: for a derivative, which nobody wrote.
    """
    if isinstance(f, Derivative):
        why = f"{name} has a structure, and a derivative is not written down without it"
        raise UnsupportedError("an unconstrained derivative of a derivative is not there", why=why)
    inside = {one.name for one in read(f.text, f.limits, names=frozenset(f.variables)).declarations}
    let = {v.name: v.declaration for v in f.variables.values() if v.name not in inside}
    try:
        written_out = typed(read(f.text, f.limits, names=frozenset(let)), let, f.limits, free=name)
    except DomainError:  # an operator that takes symmetric matrices alone: they are all that there is to move among
        written_out = f.typed
    return written_out.node, next(v.node for v in written_out.variables if v.name == name)


def substituted(node: Node, values: Mapping[Node, Node]) -> Node:
    """``node`` with nodes in place of others, canonical again."""
    return fold(node, lambda below, args: values.get(below) or build.with_args(below, tuple(args)))


def subspace_of(variable: Node) -> str:
    """The narrowest declared property that is a linear subspace, or ""."""
    names = [name for name in PROPERTIES if name in variable.facts and PROPERTIES[name].project is not None]
    for name in ("diagonal", "skew", *names):
        if name in names:
            return name
    return ""


def refuse_non_scalar(f: Expression, kind: str = "grad") -> None:
    """Raises ShapeError where the expression is no scalar, with the reading under which it would be."""
    if f.node.is_scalar:
        return
    seen = "row" if f.node.rows == 1 else ("scalar", "vector", "matrix")[len(f.shape)]
    reading = _scalar_reading(f)
    raise ShapeError(
        f"{kind} needs a scalar, and this is a {seen}" + (f" of shape {f.shape}" if f.shape else ""),
        why="a vector or matrix has a Jacobian: matcalc jacobian",
        suggestion=f"--let {reading!r}"
        if reading
        else "matcalc jacobian, or make it a scalar with sum(…) or norm2(…)^2",
    )


def _scalar_reading(f: Expression) -> str:
    """A declaration of one name under which the expression is a scalar, or ""."""
    declared = {v.name: v.declaration for v in f.variables.values() if not v.inferred}
    for kind in ("vector(n)", "scalar", "row(n)", "matrix(n, n)"):
        for v in f.variables.values():
            if v.inferred and not kind.startswith(v.kind):
                try:
                    found = parse(f.text, {**declared, v.name: kind})
                except (ParseError, ShapeError, DomainError, UnsupportedError):
                    continue  # a reading that does not work is no suggestion
                if found.node.is_scalar:
                    return f"{v.name}: {kind}"
    return ""


def projection(onto: str, value: Node) -> Node:
    """``value`` projected onto the subspace called ``onto``; itself where that is ""."""
    project = PROPERTIES[onto].project if onto else None
    return value if project is None else project(value)


def in_subspace(found: Node, onto: str) -> Node:
    """A result in the subspace called ``onto``, in textbook form."""
    return textbook(projection(onto, found)) if onto else found
