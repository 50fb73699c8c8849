"""What a caller holds: an expression that was parsed, and derivatives of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
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
from matcalc.language.greek import latin
from matcalc.language.inference import Typed, typed
from matcalc.language.printer import Style, written
from matcalc.language.syntax import declarations, read
from matcalc.limits import Limits

if TYPE_CHECKING:
    from matcalc.checking.verdict import Report
    from matcalc.documents.derivation.record import Derivation
    from matcalc.documents.derivation.subject import Subject

Let = Mapping[str, str] | Iterable[str] | None


@dataclass(frozen=True)
class Variable:
    """A name of an expression: its kind, its shape as torch sees it, what was declared of it.

    ``inferred`` says that no declaration named it.
    """

    name: str
    kind: str
    shape: tuple[AnySize, ...]
    properties: tuple[str, ...] = ()
    inferred: bool = True

    @property
    def declaration(self) -> str:
        """The declaration that says the same, as ``matrix(m, n; symmetric)``."""
        sizes = self.shape[1:] if self.kind == "row" else self.shape
        inner = ", ".join(str(size) for size in sizes)
        if self.properties:
            inner += "; " + ", ".join(self.properties)
        return f"{self.kind}({inner})" if inner else self.kind


@dataclass(frozen=True, eq=False)
class Expression:
    """A typed expression of the language.

    >>> f = parse("x.T*A*x - b.T*x")
    >>> f.shape, f.variables["A"].shape
    ((), (n, n))
    """

    text: str
    typed: Typed
    node: Node
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """Name to variable, in order of appearance."""
        return {
            v.name: Variable(v.name, v.kind, tuple(v.shape), tuple(v.properties), v.inferred)
            for v in self.typed.variables
        }

    @property
    def shape(self) -> tuple[AnySize, ...]:
        """The shape as torch sees it; ``()`` for a scalar."""
        return torch_shape(self.node)

    def typed_variable(self, name: str) -> Node:
        """The node of a name.

        Raises:
            ParseError: when it does not occur.
        """
        for v in self.typed.variables:
            if v.name == name:
                return v.node
        raise ParseError(
            f"there is no {name!r} to differentiate by",
            why=f"the names are {', '.join(self.variables) or 'none'}",
            suggestion=f"--wrt {next(iter(self.variables))}" if self.variables else "",
        )

    @property
    def _nodes(self) -> tuple[Node, ...]:
        return tuple(v.node for v in self.typed.variables)

    @property
    def _storage(self) -> str:
        return storage_of(self.node)

    def style(self, *, every_size: bool = False) -> Style:
        """How results print: the user's order of terms, and declared sizes as numbers."""
        return Style(self.typed.order, None if every_size else self.typed.declared_sizes, self._nodes)

    @property
    def shown(self) -> Node:
        """What is printed, lowered and checked; the same value as ``node``, which is what derivatives are taken of."""
        return self.node

    def __str__(self) -> str:
        return written(self.shown, self.style())

    def pretty(self) -> str:
        """The text with every size by its name, for a reader who sees the shapes beside it."""
        return written(self.shown, self.style(every_size=True))

    @property
    def sympy(self) -> Any:
        """The SymPy expression of the same value."""
        from matcalc.documents.image import sympy_image

        return sympy_image(self.shown)

    def latex(self) -> str:
        """LaTeX of the expression."""
        from matcalc.documents.latex import latex

        return latex(self.shown, self.style(every_size=True))

    def graph(self) -> Any:
        """The computation graph; not there yet.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError("the computation graph is not there yet")

    def _outputs(self, with_value: bool) -> list[tuple[Node, str]]:
        return [(self.shown, self._storage)]

    @property
    def _function_name(self) -> str:
        return "value"

    def source(
        self,
        target: str = "torch",
        *,
        with_value: bool = False,
        sizes: Mapping[str, int] | None = None,
        batched: bool = True,
    ) -> str:
        """A self-contained module with one documented function, for torch, numpy or jax; none need be installed.

        Typical ``sizes`` choose the order of products. What is not ``batched`` takes no leading axes and reads as one
        writes it by hand, in torch.

        Raises:
            UnsupportedError: for a target that is not there, or that has no code without leading axes.
        """
        from matcalc.lowering.emit import source
        from matcalc.lowering.schedule import lower

        program = lower(self._outputs(with_value), self._nodes, sizes, target=target, batched=batched)
        return source(program, target, self._function_name, self._documentation())

    def _documentation(self) -> str:
        return self.pretty()

    def compile(
        self,
        target: str = "torch",
        *,
        with_value: bool = False,
        sizes: Mapping[str, int] | None = None,
        torch_compile: bool = False,
    ) -> Callable[..., Any]:
        """The function itself: keywords, or positions in order of ``variables``.

        Typical ``sizes`` choose the order of products; without them those of the inputs do where these are torch
        tensors without leading axes. ``torch_compile`` passes the function through ``torch.compile``.

        Raises:
            UnsupportedError: for a target that is not there, or ``torch_compile`` with another one than torch.
            DeviceError: when its library is not installed.
        """
        from matcalc.lowering.ready import ready

        return ready(
            self._outputs(with_value),
            self._nodes,
            target,
            self._function_name,
            self._documentation(),
            self._ignored(),
            sizes,
            torch_compile,
        )

    def _ignored(self) -> frozenset[str]:
        return frozenset()


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

        >>> for step in grad("x.T*A*x", "x").derivation("brief"):
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


def torch_shape(node: Node) -> tuple[AnySize, ...]:
    """() for a scalar, (n,) for a column, both sizes otherwise."""
    if node.is_scalar:
        return ()
    return (node.rows,) if node.cols == 1 else node.shape


def storage_of(node: Node) -> str:
    """How a value looks outside."""
    return ("scalar", "vector", "matrix")[len(torch_shape(node))]


def parse(text: str, let: Let = None, limits: Limits | None = None) -> Expression:
    """The expression that ``text`` means, with declarations ``let`` (name to ``matrix(n, n; symmetric)`` and so on).

    Raises:
        MatcalcError: for every text that has no meaning, with the place and what to type instead.

    >>> str(parse("x' @ A @ x"))
    'x.T*A*x'
    """
    if not isinstance(text, str):
        raise ParseError(f"an expression is a text, and not a {type(text).__name__}")
    limits, declared = limits or Limits(), _mapping(let)
    found = typed(read(text, limits, names=frozenset(declared)), declared, limits)
    return Expression(text, found, found.node, limits)


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
    for v in f.variables.values():
        for kind in ("vector(n)", "scalar", "row(n)", "matrix(n, n)"):
            if v.inferred and not kind.startswith(v.kind):
                try:
                    found = parse(f.text, {v.name: kind})
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


def expression_of(f: Expression | str, let: Let) -> Expression:
    """An expression, parsed where it is a text."""
    return f if isinstance(f, Expression) else parse(f, let)


def name_of(wrt: object) -> str:
    """A name with its Greek letters spelled."""
    if not isinstance(wrt, str):
        raise ParseError(f"a name is a text, and not a {type(wrt).__name__}")
    return latin(wrt)


def _mapping(let: object) -> dict[str, str]:
    """Declarations as a mapping; a list of texts, or one text, is what the command line takes."""
    if isinstance(let, str):
        return let_from([let])
    if isinstance(let, Mapping):
        if not all(isinstance(text, str) for pair in let.items() for text in pair):
            raise ParseError("a declaration is a text", why="as in let={'A': 'matrix(n, n; symmetric)'}")
        return dict(let)
    if isinstance(let, Iterable):
        texts = list(let)
        if all(isinstance(text, str) for text in texts):
            return let_from(texts)
    if let is None:
        return {}
    raise ParseError("declarations are a mapping from names to texts", why="as in let={'A': 'matrix(n, n)'}")


def let_from(declared: Iterable[str]) -> dict[str, str]:
    """``["A: matrix(n, n)"]``, as the command line takes declarations, as a mapping."""
    found: dict[str, str] = {}
    for text in declared:
        if not text.strip():
            raise ParseError("an empty declaration", suggestion='--let "A: matrix(m, n)"')
        for declaration in declarations(text):
            if declaration.name in found:
                raise ParseError(f"{declaration.name!r} is declared twice", text=text, spans=(declaration.name_span,))
            found[declaration.name] = text.split(":", 1)[1].strip() if ":" in text else text
    return found
