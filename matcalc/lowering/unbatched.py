"""Terms for inputs without leading axes: columns and rows have one axis, scalars none, as one writes them by hand.

The general program gives every value two axes after the batch axes, so ``A @ x`` needs ``x[..., None]`` before and
``[..., 0]`` after it. Without batch axes the same terms say less: ``A @ x``, ``x @ y``, ``torch.outer(x, y)``.
"""

from __future__ import annotations

from collections.abc import Sequence

from matcalc.expression.sizes import SCALAR, Shape
from matcalc.lowering.program import Parameter, Tensor
from matcalc.lowering.targets import Target
from matcalc.lowering.terms import Term, Terms, below

_ELEMENTWISE = frozenset({"add", "multiply", "divide", "power", "negative", "sqrt", "square"})
_MATRICES = frozenset({"matrix", "row"})
_VECTORS = frozenset({"vector", "covector"})
_STANDING = frozenset({"standing", "lying", "lone"})
WITHOUT_AXES = "without axes"


def unbatched(
    outputs: Sequence[Term],
    storages: Sequence[str | Tensor],
    parameters: Sequence[Parameter],
    terms: Terms,
    target: Target,
) -> list[Term]:
    """The terms that compute ``outputs``, which look outside as ``storages`` say, where no input has leading axes.

    A value has as many axes as its shape has sides, so every term has one reading; whether one axis stands or lies is
    what the shape says. A vector of one entry is a number inside, and has its axis outside.
    """
    rewriting = _Unbatched(
        terms, target, {p.python_name for p in parameters if p.storage in _MATRICES},
        {p.python_name for p in parameters if p.storage == "vector" and p.shape == SCALAR},
    )  # fmt: skip
    made: dict[Term, Term] = {}
    for term in below(*outputs):
        made[term] = rewriting.rewritten(term, [made[arg] for arg in term.args])
    return [rewriting.outside(made[t], t.shape, s) for t, s in zip(outputs, storages, strict=True)]


def _axes(shape: Shape) -> int:
    return 2 - (shape[0] == 1) - (shape[1] == 1)


class _Unbatched:
    """Rewrites one term after the other."""

    def __init__(self, terms: Terms, target: Target, full_names: set[str], vectors_of_one: set[str]) -> None:
        self.terms = terms
        self.target = target
        self.full_names = full_names
        self.vectors_of_one = vectors_of_one
        self.rules = {
            "transpose": self._transpose,
            "matmul": self._matmul,
            "expand": self._expand,
            "total": lambda term, args: terms.make("total_flat", *args, shape=SCALAR),
            "fill": lambda term, args: terms.make("fill_flat", *args, shape=SCALAR),
            "solve": self._solve,
            "apply": self._applied,
            **dict.fromkeys(_ELEMENTWISE, self._elementwise),
        }

    def rewritten(self, term: Term, args: Sequence[Term]) -> Term:
        """``term`` on rewritten arguments, with as many axes as its shape has sides."""
        if term.op == "name":
            if term.params[0] in self.vectors_of_one:
                return self.terms.make("only", term, shape=SCALAR)
            return self._flat(term) if term.params[0] in self.full_names else term
        return self.rules.get(term.op, self._in_full)(term, args)

    def outside(self, term: Term, shape: Shape, storage: str | Tensor) -> Term:
        """A value of ``shape`` as it looks outside."""
        if storage in _MATRICES or isinstance(storage, Tensor):
            return self.full(term, shape)
        return self.terms.make("vector_of", term, shape=shape) if storage in _VECTORS and shape == SCALAR else term

    def full(self, term: Term, shape: Shape) -> Term:
        """A value of ``shape`` with two axes."""
        if _axes(shape) == 2 or term.plain:
            return term
        if term.op == "flat" and term.shape == shape:
            return term.args[0]
        op = "lone" if shape == SCALAR else "standing" if shape[1] == 1 else "lying"
        return self.terms.make(op, term, shape=shape)

    def _flat(self, term: Term) -> Term:
        """A value with two axes with those that it needs."""
        if _axes(term.shape) == 2 or term.plain:
            return term
        return term.args[0] if term.op in _STANDING else self.terms.make("flat", term, shape=term.shape)

    def _in_full(self, term: Term, args: Sequence[Term]) -> Term:
        """An operation that takes and gives two axes alone; a number it may give before it has them."""
        fitted = tuple(self.full(new, old.shape) for old, new in zip(term.args, args, strict=True))
        if term.shape == SCALAR and self._ends_in_axes(term):
            return self.terms.make(term.op, *fitted, params=(*term.params, WITHOUT_AXES), shape=SCALAR)
        return self._flat(self.terms.rebuilt(term, fitted))

    def _ends_in_axes(self, term: Term) -> bool:
        applied = term.op == "apply"
        own = self.target.templates.get
        spelling = self.target.spelling(term.params[0].operator.lowers) if applied else own(term.op)
        return isinstance(spelling, str) and spelling.endswith(tuple(self.target.scalar_endings))

    def _elementwise(self, term: Term, args: Sequence[Term]) -> Term:
        """Numbers and rows broadcast as they are; a column beside what is wider stands."""
        wide = term.shape[1] != 1
        fitted = tuple(
            self.full(new, old.shape) if wide and old.shape[0] != 1 and old.shape[1] == 1 else new
            for old, new in zip(term.args, args, strict=True)
        )
        return self.terms.rebuilt(term, fitted)

    def _applied(self, term: Term, args: Sequence[Term]) -> Term:
        node = term.params[0]
        if node.operator.is_elementwise and all(arg.shape == term.shape for arg in term.args):
            return self.terms.rebuilt(term, tuple(args))
        if self.target.spelling(node.operator.lowers) == self.target.templates["total"]:
            return self.terms.make("total_flat", *args, shape=SCALAR)
        return self._in_full(term, args)

    def _transpose(self, term: Term, args: Sequence[Term]) -> Term:
        return self.terms.transpose(args[0]) if _axes(term.shape) == 2 else args[0]

    def _matmul(self, term: Term, args: Sequence[Term]) -> Term:
        left, right = (arg.shape for arg in term.args)
        op = "matmul" if left[1] != 1 else "outer_product" if _axes(left) == _axes(right) == 1 else "multiply"
        return self.terms.make(op, *args, shape=term.shape)

    def _expand(self, term: Term, args: Sequence[Term]) -> Term:
        old = term.args[0].shape
        stands = old[1] == 1 and old[0] != 1 and term.shape[1] != 1
        return self.terms.make("expand_flat", self.full(args[0], old) if stands else args[0], shape=term.shape)

    def _solve(self, term: Term, args: Sequence[Term]) -> Term:
        """A solve takes one axis for a column; a row times an inverse is a column's solve with the transpose."""
        matrix, right = args
        (left,) = term.params
        if not left and _axes(term.args[1].shape) == 1:
            matrix, left = self.terms.transpose(matrix), True
        return self.terms.make("solve", matrix, right, params=(left,), shape=term.shape)
