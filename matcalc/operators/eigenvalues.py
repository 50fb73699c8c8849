"""The eigenvalues of a symmetric matrix, its eigenvectors, and what the derivatives of both need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import eigenvalues_within
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.demands import known_symmetric
from matcalc.operators.matrix_function_code import functions
from matcalc.operators.precise_matrices import column, eigensystem

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Magnus & Neudecker 2019, ch. 8"
_SIGNS = {"psd": "nonnegative", "invertible": "nonzero"}

_EIGVECS = '''
def _eigvecs(X):
    """The unit eigenvectors of a symmetric matrix, by ascending eigenvalues; each has a sum that is not negative."""
    vectors = MODULE.linalg.eigh(X)[1]
    return MODULE.where(vectors.sum(-2)[..., None, :] < 0, -vectors, vectors)
'''

_RECIPROCAL_GAPS = '''
def _reciprocal_gaps(X):
    """1/(x_j - x_i), and 0 on the diagonal."""
    gaps = X.mT - X
    itself = MODULE.eye(gaps.shape[-1], LIKE) > 0
    return MODULE.where(itself, 0.0, 1 / MODULE.where(itself, 1.0, gaps))
'''


def _eigvals_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return base
    if not base.is_square:
        return None
    if base.op == "eye":
        return build.ones(base.rows, 1)
    if build.is_zero(base):
        return build.zeros(base.rows, 1)
    if base.op == "scale" and "positive" in base.args[0].facts:
        return build.scale(base.args[0], build.apply("eigvals", base.args[1]))
    return None


def _eigvals_rule(node: Node, i: int, d: Node) -> Node:
    """dλ = diag(V'·dA·V), the eigenvalues being simple (Magnus & Neudecker 2019, ch. 8)."""
    vectors = build.apply("eigvecs", node.args[0])
    return build.apply("diagonal", build.product(vectors.T, d, vectors))


def eigenvalue_signs(node: Node) -> frozenset[str]:
    """What a semidefinite or definite argument says of its eigenvalues."""
    known = node.args[0].facts
    if "posdef" in known:
        return frozenset({"positive", "nonnegative", "nonzero"})
    return frozenset(sign for fact, sign in _SIGNS.items() if fact in known)


def _gaps(node: Node, args: Any) -> Any:
    """What is zero where two eigenvalues are equal."""
    values = column(eigensystem(args[0])[0])
    return values[1:] - values[:-1] if len(values) > 1 else values * 0 + 1


def _eigvecs_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return build.number(1)
    if base.op == "scale" and "positive" in base.args[0].facts:
        return build.apply("eigvecs", base.args[1])
    return None


def _eigvecs_rule(node: Node, i: int, d: Node) -> Node:
    """dV = V·(F⊙(V'·dA·V)) with F_ij = 1/(λ_j - λ_i) off the diagonal and 0 on it."""
    gaps = build.apply("reciprocal_gaps", build.apply("eigvals", node.args[0]))
    symmetric = build.multiply(build.number(1) / build.number(2), d + d.T)
    return node @ build.times(gaps, build.product(node.T, symmetric, node))


def _eigvecs_joins(left: Node, right: Node) -> Node | None:
    """V'·V = V·V' = I and V·diag(λ^k) = A^k·V."""
    if right is left.T and "eigvecs" in (left.op, right.op):
        return build.eye(left.rows)
    if left.op != "eigvecs" or right.op != "diag":
        return None
    entries, k = right.args[0], 1
    if entries.op == "power" and (whole := build.integer_of(entries.args[1])) is not None:
        entries, k = entries.args[0], whole
    if entries.op == "eigvals" and entries.args[0] is left.args[0]:
        return build.matrix_power(left.args[0], k) @ left
    return None


def _eigvecs(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    vectors = eigensystem(args[0])[1]
    return vectors * np.where(vectors.sum(axis=0) < 0, -1, 1)


def _eigvecs_ties(node: Node, args: Any) -> Any:
    import numpy as np

    return np.concatenate([_gaps(node, args), eigensystem(args[0])[1].sum(axis=0).reshape(-1, 1)])


def _gaps_rule(node: Node, i: int, d: Node) -> Node:
    """dF = -F⊙F⊙(1·dx' - dx·1')."""
    change = build.spread(d.T, node.shape) - build.spread(d, node.shape)
    return -build.times(node, node, change)


def _reciprocal_gaps(node: Node, args: Any, size: Any) -> Any:
    import mpmath
    import numpy as np

    gaps = args[0].T - args[0] + np.eye(len(args[0]), dtype=int).astype(object)
    return np.vectorize(lambda gap: mpmath.mpf(1) / gap, otypes=[object])(gaps) - np.eye(len(gaps), dtype=int)


define(
    Operator(
        "eigvals",
        says="the eigenvalues of a symmetric matrix, ascending",
        source=_SOURCE,
        signatures=("(n,n) -> (n,1)",),
        call=lambda x: build.apply("eigvals", known_symmetric("eigvals", x)),
        differential=_eigvals_rule,
        simplify=_eigvals_simplify,
        bounds=eigenvalues_within,
        facts=eigenvalue_signs,
        ties=_gaps,
        cubic=8,
        reference=lambda node, args, size: column(eigensystem(args[0])[0]),
        lowers=Lowering(
            torch="torch.linalg.eigvalsh({0})[..., None]",
            numpy="np.linalg.eigvalsh({0})[..., None]",
            jax="jnp.linalg.eigvalsh({0})[..., None]",
        ),
        latex=r"\lambda({0})",
        samples=(
            Sample("b'*eigvals(A)", {"A": "matrix(n, n; symmetric)", "b": "vector(n)"}),
            Sample("sum(eigvals(A).^2)", {"A": "matrix(n, n; symmetric)"}),
            Sample("sum(log(eigvals(A)))", {"A": "matrix(n, n; posdef)"}),
            Sample("sum(exp(eigvals(X'*X)))", {"X": "matrix(4, 3)"}),
            Sample("eigvals(a*A)[1]", {"A": "matrix(3, 3; symmetric)", "a": "scalar(; positive)"}),
        ),
        errors=(
            ("let X: matrix(n, n); let x: scalar; x*sum(eigvals(X))", "symmetric"),
            ("let X: matrix(2, 3); let x: scalar; x*sum(eigvals(X))", "square"),
        ),
    )
)
define(
    Operator(
        "eigvecs",
        says="the unit eigenvectors of a symmetric matrix as columns, by ascending eigenvalues; the entries of each "
        "have a sum that is not negative",
        source="Magnus 1985, On differentiating eigenvalues and eigenvectors",
        signatures=("(n,n) -> (n,n)",),
        call=lambda x: build.apply("eigvecs", known_symmetric("eigvecs", x)),
        differential=_eigvecs_rule,
        simplify=_eigvecs_simplify,
        joins=_eigvecs_joins,
        facts=lambda node: frozenset({"orthogonal", "invertible", "full_rank"}),
        ties=_eigvecs_ties,
        cubic=8,
        reference=_eigvecs,
        lowers=Lowering(
            torch="_eigvecs({0})",
            numpy="_eigvecs({0})",
            jax="_eigvecs({0})",
            helpers=functions("_eigvecs", texts={"_eigvecs": _EIGVECS}),
        ),
        samples=(
            Sample("b'*eigvecs(A)*c", {"A": "matrix(3, 3; symmetric)", "b": "vector(3)", "c": "vector(3)"}),
            Sample("sum(square(eigvecs(A)*diag(c)*eigvecs(A)' - B))", {"A": "matrix(2, 2; posdef)", "c": "vector(2)"}),
        ),
        errors=(("let X: matrix(n, n); let x: scalar; x*sum(eigvecs(X))", "symmetric"),),
    )
)
define(
    Operator(
        "reciprocal_gaps",
        says="the matrix of 1/(x_j - x_i), and 0 on its diagonal",
        source="Magnus 1985, On differentiating eigenvalues and eigenvectors",
        signatures=("(n,1) -> (n,n)",),
        differential=_gaps_rule,
        simplify=lambda args, params: build.number(0) if args[0].is_scalar else None,
        facts=lambda node: frozenset({"skew"}),
        reference=_reciprocal_gaps,
        lowers=Lowering(
            torch="_reciprocal_gaps({0})",
            numpy="_reciprocal_gaps({0})",
            jax="_reciprocal_gaps({0})",
            helpers=functions("_reciprocal_gaps", texts={"_reciprocal_gaps": _RECIPROCAL_GAPS}),
        ),
        samples=(Sample("sum(A.*reciprocal_gaps(x))", {"A": "matrix(3, 3)", "x": "vector(3)"}),),
    )
)
