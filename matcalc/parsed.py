"""What a caller holds of a text that was parsed: the expression, its names, and the code that computes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from matcalc.errors import ParseError
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.language.greek import latin
from matcalc.language.inference import Typed, typed
from matcalc.language.printer import Style, written
from matcalc.language.syntax import declarations, read
from matcalc.limits import Limits

if TYPE_CHECKING:
    from matcalc.documents.graph import Graph

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


@dataclass(frozen=True)
class Code:
    """Which code is asked for.

    Attributes:
        target: torch, numpy or jax.
        with_value: whether the function returns the expression's value as well.
        sizes: typical sizes, by name.
        batched: whether inputs may have leading axes.
        torch_compile: whether the function is passed through ``torch.compile``.
    """

    target: str = "torch"
    with_value: bool = False
    sizes: Mapping[str, int] | None = None
    batched: bool = True
    torch_compile: bool = False


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

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of a reading that may not be the one meant.

        >>> parse("e^(-x'*x)").notes
        ("in e^(-x'*x) e is a name, a scalar; the exponential function is exp(-x'*x)",)
        """
        return self.typed.notes

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
        from matcalc.expression.image import sympy_image

        return sympy_image(self.shown)

    def latex(self) -> str:
        """LaTeX of the expression."""
        from matcalc.documents.latex import latex

        return latex(self.shown, self.style(every_size=True))

    def _repr_latex_(self) -> str:
        """What a notebook shows.

        >>> parse("x'*A*x")._repr_latex_()
        '$\\\\displaystyle x^\\\\top A x$'
        """
        return rf"$\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        """What a page shows: MathML, which needs no script."""
        from matcalc.documents.mathml import mathml

        return mathml(self.latex(), display=True)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Text, LaTeX and HTML at once; a front end takes the one that it shows best."""
        return {"text/plain": str(self), "text/latex": self._repr_latex_(), "text/html": self._repr_html_()}

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
        return self._text(Code(target, with_value, sizes, batched=batched))

    def _text(self, code: Code) -> str:
        from matcalc.lowering.emit import source
        from matcalc.lowering.schedule import lower

        outputs = self._outputs(code.with_value)
        program = lower(outputs, self._nodes, code.sizes, target=code.target, batched=code.batched)
        return source(program, code.target, self._function_name, self._documentation())

    def _documentation(self) -> str:
        return self.pretty()

    def graph(self) -> Graph:
        """The computation graph; ``.svg()`` and ``.mermaid()`` draw it, with ``backward=True`` the way back as well.

        >>> [vertex.label for vertex in parse("x'*A*x - b'*x").graph().vertices]
        ['x', 'A', 'z1 = x.T*A*x', 'b', 'z2 = b.T*x', 'f = z1 - z2']
        """
        from matcalc.documents.graph import graph_of

        return graph_of(self.node)

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
        return self._function(Code(target, with_value, sizes, torch_compile=torch_compile))

    def _function(self, code: Code) -> Callable[..., Any]:
        from matcalc.lowering.ready import ready

        return ready(
            self._outputs(code.with_value),
            self._nodes,
            code.target,
            self._function_name,
            self._documentation(),
            self._ignored(),
            code.sizes,
            code.torch_compile,
        )

    def _ignored(self) -> frozenset[str]:
        return frozenset()


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


def expression_of(f: Expression | str, let: Let) -> Expression:
    """An expression, parsed where it is a text."""
    return f if isinstance(f, Expression) else parse(f, let)


def name_of(wrt: object) -> str:
    """A name with its Greek letters spelled.

    Raises:
        ParseError: for what is no text.

    >>> name_of("λ")
    'lambda'
    """
    if not isinstance(wrt, str):
        raise ParseError(f"a name is a text, and not a {type(wrt).__name__}")
    return latin(wrt)


def by_names(names: Sequence[str]) -> str | tuple[str, ...]:
    """Names as a check takes them: one by itself, several as a tuple.

    >>> by_names(["x"]), by_names(["u", "V"])
    ('x', ('u', 'V'))
    """
    return names[0] if len(names) == 1 else tuple(names)


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
    """``["A: matrix(n, n)"]``, as the command line takes declarations, as a mapping.

    Raises:
        ParseError: for a declaration that is empty or none, and for a name that is declared twice.

    >>> let_from(["A: matrix(n, n)"])
    {'A': 'matrix(n, n)'}
    """
    found: dict[str, str] = {}
    for text in declared:
        if not text.strip():
            raise ParseError("an empty declaration", suggestion='--let "A: matrix(m, n)"')
        for declaration in declarations(text):
            if declaration.name in found:
                raise ParseError(f"{declaration.name!r} is declared twice", text=text, spans=(declaration.name_span,))
            found[declaration.name] = text.split(":", 1)[1].strip() if ":" in text else text
    return found
