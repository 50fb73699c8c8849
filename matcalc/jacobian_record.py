"""What a caller holds of a Jacobian or a Hessian: how it is written, its entries, its code.

Where output and name are at most vectors it is a matrix, ``J[i, j] = ∂f_i/∂x_j``. Where either is a matrix it is a
tensor with the output's axes first, written as ∂vec(F)/∂vec(X)' with vec taking columns (Magnus & Neudecker 2019,
ch. 5.15). A linear map without a closed matrix form is kept as a map, applied to a basis by the lowered code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from matcalc.calculus.forms import FORMS
from matcalc.calculus.indices import Entries, entries
from matcalc.calculus.simplify import settled, textbook
from matcalc.derivative import Derivative, freed, grad, named_in, projection, subspace_of
from matcalc.errors import ParseError, UnsupportedError
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize, Shape
from matcalc.operators.vectorization import vec
from matcalc.parsed import Code, Expression

if TYPE_CHECKING:
    from matcalc.documents.derivation.subject import Subject
    from matcalc.lowering.einsum import Contractions

LAYOUTS = ("numerator", "denominator")


@dataclass(frozen=True, eq=False)
class Jacobian(Derivative):
    """A Jacobian or a Hessian.

    Attributes:
        closed: whether it is written as a matrix; else ``node`` is the differential in ``direction``.
        linear: the differential of what was differentiated, linear in ``direction``.
        direction: a name with the shape of the name differentiated by.
        rows, cols: the axes of what was differentiated and of the name, as torch has them.
        layout: numerator, or denominator, which shows the transpose; the compiled tensor is the same.
        others: of a mixed block, the name of the gradient.
        seen: what was differentiated: the expression, or the gradient whose Jacobian a Hessian is; as written where
            a structure was disregarded.
        onto: the property onto whose subspace the name's axes were projected, or "".
        freed: whether declared structures were disregarded.
    """

    closed: bool = True
    linear: Node = None  # type: ignore[assignment]  # follows fields with defaults; always given
    direction: Node = None  # type: ignore[assignment]
    rows: tuple[AnySize, ...] = ()
    cols: tuple[AnySize, ...] = ()
    layout: str = "numerator"
    others: tuple[str, ...] = ()
    seen: Node = None  # type: ignore[assignment]
    onto: str = ""
    freed: bool = False

    @property
    def shape(self) -> tuple[AnySize, ...]:
        """The axes of the output, then those of the name."""
        return (*self.rows, *self.cols)

    @property
    def is_matrix(self) -> bool:
        """Whether the tensor itself is what is written: at most one axis on either side, or none on one."""
        return (len(self.rows) <= 1 and len(self.cols) <= 1) or not self.rows or not self.cols

    @property
    def vectorised(self) -> Node | None:
        """∂vec(F)/∂vec(X)' as a matrix, where there is a closed form."""
        return self.vectorised_from(self.tensor) if self.closed else None

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of a matrix that can be this Jacobian: as it is written, and ∂vec(F)/∂vec(X)'."""
        whole = (prod(self.rows), prod(self.cols))
        return (whole,) if self.rows and self.cols else tuple(dict.fromkeys((self._natural, whole)))

    @property
    def _natural(self) -> Shape:
        """The shape as it is written in numerator layout, where output or name is a scalar."""
        axes = self.shape
        if len(axes) == 1:
            return (1, axes[0]) if self.cols else (axes[0], 1)
        return (axes[0], axes[1]) if len(axes) == 2 else (prod(self.rows), prod(self.cols))

    def vectorised_from(self, written: Node) -> Node | None:
        """∂vec(F)/∂vec(X)' from a matrix that is written for it; None where the shape is another."""
        whole = (prod(self.rows), prod(self.cols))
        if written.shape == whole:
            return written
        if (self.rows and self.cols) or written.shape != self._natural:
            return None
        column = vec(written)
        return column.T if self.cols else column

    @cached_property
    def _entries(self) -> Entries | None:
        matrix = self.vectorised
        return None if matrix is None else entries(matrix, self.rows, self.cols)

    def index_notation(self) -> str:
        """Every entry, as ``J[i,j,k,l] = A[i,k]*B[l,j]``; "" where there is no index notation.

        >>> from matcalc.jacobians import jacobian
        >>> print(jacobian("A*X*B", "X").index_notation())
        J[i,j,k,l] = A[i,k]*B[l,j]
        """
        from matcalc.documents.index_notation import as_text

        return "" if self._entries is None else as_text(self._entries, self.style(every_size=True), self._letter)

    def index_latex(self) -> str:
        """The same in LaTeX."""
        from matcalc.documents.index_notation import as_latex

        return "" if self._entries is None else as_latex(self._entries, self.style(every_size=True), self._letter)

    @property
    def _letter(self) -> str:
        return "H" if self.kind == "hessian" else "J"

    def einsum(self, target: str = "") -> str:
        """The tensor as an einsum in the language, or a module for a target; "" where there is no index notation.

        >>> from matcalc.jacobians import jacobian
        >>> print(jacobian("A*X*B", "X").einsum())
        einsum("ik,lj->ijkl", A, B)
        """
        from matcalc.documents.einsums import as_einsum

        if self._contractions is None:
            return ""
        if not target:
            return as_einsum(self._contractions.terms, self.style(every_size=True))
        return self._contractions.source(self._nodes, target, self._function_name, self._documentation())[1]

    @cached_property
    def _contractions(self) -> Contractions | None:
        from matcalc.documents.einsums import contractions
        from matcalc.lowering.einsum import Contractions

        found = None if self._entries is None else contractions(self._entries)
        return None if found is None else Contractions(tuple(found), (*self.rows, *self.cols))

    def operator(self, target: str = "torch", **given: Any) -> Any:
        """The Jacobian at the inputs ``given`` as a linear operator that never builds it: ``matvec`` and ``rmatvec``.

        For NumPy it is SciPy's ``LinearOperator``, on flat vectors.

        Raises:
            UnsupportedError: for a target that is not there, and for an output of more than two axes.
            DeviceError: when its library, or for NumPy SciPy, is not installed.
            TypeError: for an input that is missing or not one of the expression's.

        >>> import numpy as np
        >>> from matcalc.jacobians import jacobian
        >>> J = jacobian("A*x", "x").operator("numpy", A=np.eye(2) * 3, x=np.ones(2))
        >>> J.matvec(np.array([1.0, 2.0])).tolist()
        [3.0, 6.0]
        """
        from matcalc.linear_operator import operator_of

        missing = [name for name in self.variables if name not in given]
        strange = [name for name in given if name not in self.variables]
        if missing or strange:
            raise TypeError(f"the inputs are {', '.join(self.variables)}; not {', '.join(given) or 'none'}")
        return operator_of(self, target, given)

    def in_layout(self, layout: str) -> Jacobian:
        """The same in numerator or denominator layout, its transpose.

        Raises:
            ParseError: for another layout.

        >>> from matcalc.jacobians import jacobian
        >>> print(jacobian("A*x", "x").in_layout("denominator"))
        A.T
        """
        if layout not in LAYOUTS:
            raise ParseError(f"no layout {layout!r}", why=f"the layouts are {', '.join(LAYOUTS)}")
        return replace(self, layout=layout)

    @cached_property
    def tensor(self) -> Node:
        """The matrix in numerator layout, as it is compiled; where there is none, the differential."""
        return FORMS[self.form](settled(self.node, self.wrt))

    @cached_property
    def shown(self) -> Node:
        """What is printed."""
        turns = self.closed and bool((self.rows and self.cols) or len(self.shape) == 1)
        return textbook(self.tensor.T) if turns and self.layout == "denominator" else self.tensor

    @property
    def _storage(self) -> Any:
        from matcalc.lowering.program import Tensor

        if not self.rows:
            return {0: "scalar", 1: "covector"}.get(len(self.cols), "matrix")
        if not self.cols:
            before = self.expression if self.kind == "jacobian" and isinstance(self.expression, Jacobian) else None
            return ("scalar", "vector", "matrix")[len(self.rows)] if before is None else before._storage
        return "matrix" if self.is_matrix else Tensor(self.rows, self.cols)

    @property
    def _function_name(self) -> str:
        return self.kind

    def _outputs(self, with_value: bool) -> list[tuple[Node, Any]]:
        own = (self.tensor, self._storage)
        return [(self.expression.node, self.expression._storage), own] if with_value else [own]

    @property
    def whole(self) -> Expression:
        """What was differentiated first."""
        return self.expression.whole if isinstance(self.expression, Jacobian) else self.expression

    @property
    def names(self) -> tuple[str, ...]:
        """By which names, in order."""
        before = self.expression.names if isinstance(self.expression, Jacobian) else self.others
        return (*before, self.wrt)

    def _documentation(self) -> str:
        return f"{self._function_name} of {self.whole.pretty()} by {' and '.join(self.names)}: {self.pretty()}"

    def _text(self, code: Code) -> str:
        """The module's text; of a tensor by einsums or on a basis.

        Raises:
            UnsupportedError: for what a tensor's own code does not have.
        """
        if not self._has_own_code or (code.with_value and self.closed):
            return super()._text(code)
        self._refuse_with_value(code)
        if not code.batched:
            raise UnsupportedError("the code of a tensor is made for leading axes alone", suggestion="batched=True")
        return self._own_code(code.target, code.sizes)[1]

    def _refuse_with_value(self, code: Code) -> None:
        if code.with_value:
            raise UnsupportedError("a Jacobian without a matrix form comes without the value: compile that apart")

    def _function(self, code: Code) -> Callable[..., Any]:
        if not self._has_own_code or (self.closed and (code.with_value or code.torch_compile)):
            return super()._function(code)
        from matcalc.lowering.compile import compiled
        from matcalc.lowering.targets import target_named

        self._refuse_with_value(code)
        if code.torch_compile:
            raise UnsupportedError("a Jacobian without a matrix form is not passed through torch.compile")
        program, text = self._own_code(code.target, code.sizes)

        def at_sizes(at: Mapping[str, int]) -> str:
            return self._own_code(code.target, code.sizes or at)[1]

        by_sizes = at_sizes if target_named(code.target).scalar_endings else None
        return compiled(program, text, self._function_name, self._ignored(), code.target, by_sizes)

    @property
    def _has_own_code(self) -> bool:
        """Whether the tensor is not computed as the matrix that is written: by einsums, or on a basis."""
        return not self.closed or (not self.is_matrix and self._contractions is not None)

    def _own_code(self, target: str, sizes: Mapping[str, int] | None) -> tuple[Any, str]:
        if self.closed and self._contractions is not None:
            name, doc = self._function_name, self._documentation()
            return self._contractions.source(self._nodes, target, name, doc, sizes)
        return self._by_basis(target, sizes)

    def _by_basis(self, target: str, sizes: Mapping[str, int] | None) -> tuple[Any, str]:
        from matcalc.lowering.basis import source_by_basis
        from matcalc.lowering.program import Tensor
        from matcalc.lowering.schedule import lower

        inputs = (*self._nodes, self.direction)
        storage = "vector" if len(self.rows) == 1 else "matrix"
        program = lower([(self.linear, storage)], inputs, sizes, target=target)
        axes = Tensor(self.rows, self.cols)
        return source_by_basis(program, self.wrt, target, self._function_name, self._documentation(), axes)

    @property
    def _derived(self) -> Subject:
        from matcalc.documents.derivation.subject import Subject

        variable = self.expression.typed_variable(self.wrt)
        return Subject(
            self.kind,
            self.seen,
            variable,
            named_in(self.seen, variable) if self.freed else variable,
            self._nodes,
            {name: v.declaration for name, v in self.variables.items()},
            self.shown,
            self.style(every_size=True),
            self.onto,
            subspace_of(variable),
            projection,
            arrow=self.direction,
            rows=self.rows,
            cols=self.cols,
            tensor=self.tensor,
            gradient=self._gradient_derived(self.seen) if self.kind == "hessian" else None,
            closed=self.closed,
            form=self.form,
            by=self.names,
        )

    def _gradient_derived(self, gradient: Node) -> Subject:
        """The derivation of the gradient, whose Jacobian this is."""
        first = self.names[0]
        found = replace(grad(self.expression, first)._derived, shown=gradient)
        if not self.freed:
            return found
        name = next(name for name in self.names if subspace_of(self.expression.typed_variable(name)))
        node, free = freed(self.expression, name)
        one = free if first == name else found.variable
        return replace(found, expression=node, variable=one, moving=one, onto="", subspace=subspace_of(one))

    @property
    def sympy(self) -> Any:
        """The SymPy expression of what is written.

        Raises:
            UnsupportedError: where no closed form exists.
        """
        if not self.closed:
            raise UnsupportedError("this Jacobian has no matrix form, so there is no SymPy expression of it")
        return super().sympy
