"""The adjugate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.exact_matrices import determinant_and_adjugate
from matcalc.operators.matrix_function_code import functions
from matcalc.operators.precise_matrices import determinant

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_ADJUGATE = '''
def _adjugate(X):
    """det(X) inv(X), also where X is singular.

    X = U diag(s) V' has the adjugate det(U) det(V) V diag(others) U', where each entry of others is the
    product of all other entries of s.
    """
    U, s, Vh = MODULE.linalg.svd(X)
    itself = MODULE.eye(s.shape[-1], LIKE) > 0
    others = MODULE.where(itself, 1.0, s[..., None, :]).prod(-1)
    sign = MODULE.linalg.det(U) * MODULE.linalg.det(Vh)
    return sign[..., None, None] * (Vh.mT * others[..., None, :]) @ U.mT
'''
_KEPT = frozenset({"symmetric", "diagonal", "lower", "upper", "posdef", "psd", "invertible", "full_rank"})


def _simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return build.number(1)
    if not base.is_square:
        return None
    if base.op == "eye":
        return base
    if base.op == "transpose":
        return build.apply("adj", base.args[0]).T
    if base.op == "inv":
        return build.divide(base.args[0], build.apply("det", base.args[0]))
    if base.op == "product" and all(factor.is_square for factor in base.args):
        return build.product(*(build.apply("adj", factor) for factor in reversed(base.args)))
    if base.op == "scale":
        degree = build.size_number(base.rows) - build.number(1)
        return build.multiply(build.power(base.args[0], degree), build.apply("adj", base.args[1]))
    return None


def _joins(left: Node, right: Node) -> Node | None:
    """X·adj(X) = adj(X)·X = det(X)·I."""
    for one, other in ((left, right), (right, left)):
        if one.op == "adj" and one.args[0] is other:
            return build.multiply(build.apply("det", other), build.eye(other.rows))
    return None


def _rule(node: Node, i: int, d: Node) -> Node:
    """d adj(X) = tr(X⁻¹·dX)·adj(X) - X⁻¹·dX·adj(X), from adj(X) = det(X)·X⁻¹."""
    change = build.inverse(node.args[0]) @ d
    return build.multiply(build.apply("tr", change), node) - change @ node


def _adjugate(node: Node, args: Any, size: Any) -> Any:
    """The cofactors, by their determinants: no inverse, so a singular matrix will do."""
    import mpmath
    import numpy as np

    X, n = args[0], len(args[0])
    made = np.empty((n, n), dtype=object)
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(X, j, axis=0), i, axis=1)
        made[i, j] = (-1) ** (i + j) * (determinant(minor) if n > 1 else mpmath.mpf(1))
    return made


def _image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.MatMul(sympy.Determinant(args[0]), sympy.Inverse(args[0]))


define(
    Operator(
        "adj",
        says="the adjugate: the transposed matrix of cofactors, det(X)*inv(X) where X is invertible",
        source="Magnus & Neudecker 2019, ch. 8",
        signatures=("(n,n) -> (n,n)",),
        role="adjugate",
        aliases=("adjugate",),
        differential=_rule,
        simplify=_simplify,
        joins=_joins,
        facts=lambda node: node.args[0].facts & _KEPT,
        domain={0: "invertible"},
        cubic=10,
        exact=lambda node, args, size: determinant_and_adjugate(args[0])[1],
        reference=_adjugate,
        sympy=_image,
        lowers=Lowering(
            torch="_adjugate({0})",
            numpy="_adjugate({0})",
            jax="_adjugate({0})",
            helpers=functions("_adjugate", texts={"_adjugate": _ADJUGATE}),
        ),
        latex=r"\operatorname{{adj}}({0})",
        samples=(
            Sample("tr(adj(X)*B)", {"X": "matrix(n, n; invertible)"}),
            Sample("b'*adj(2*A)*c", {"A": "matrix(3, 3; posdef)", "b": "vector(3)", "c": "vector(3)"}),
            Sample("sum(square(adj(X*Y)))", {"X": "matrix(2, 2; invertible)", "Y": "matrix(2, 2; invertible)"}),
        ),
        errors=(("let A: matrix(2,3); x*tr(adj(A))", "square"),),
    )
)
