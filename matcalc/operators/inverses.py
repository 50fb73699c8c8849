"""Inverses, solves and determinants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import EVERYTHING, NOT_NEGATIVE, UP_TO_ONE, Interval
from matcalc.expression.formula import raised
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.exact_functions import Elementary
from matcalc.operators.exact_matrices import determinant_over_fields, inverse_over_fields
from matcalc.operators.precise_matrices import determinant, inverted

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_KEPT = frozenset(
    {
        "symmetric", "diagonal", "lower", "upper", "posdef", "psd", "orthogonal", "skew",
        "invertible", "full_rank", "principal", "positive_stable",
    }
)  # fmt: skip


def _inverse_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return build.power(base, build.number(-1))
    if not base.is_square:
        return None
    if base.op in ("eye", "inv"):
        return base if base.op == "eye" else base.args[0]
    if base.op == "transpose" or build.is_transposed_sum(base):
        return build.inverse(base.T).T
    if base.op == "scale":
        return build.scale(build.power(base.args[0], build.number(-1)), build.inverse(base.args[1]))
    if base.op == "matpow":
        return build.matrix_power(build.inverse(base.args[0]), base.params[0])
    return None


def _inverse_joins(left: Node, right: Node) -> Node | None:
    """inv(B)'·inv(B) = inv(B·B') and inv(B)·inv(B)' = inv(B'·B), where that product is something simpler."""
    if left.op == "inv" and right is left.T:
        base = left.args[0]
        made = build.product(base.T, base)
    elif right.op == "inv" and left is right.T:
        base = right.args[0]
        made = build.product(base, base.T)
    else:
        return None
    return None if made.op in ("product", "matpow") else build.inverse(made)


def _settled_inverse(node: Node, moving: str) -> Node | None:
    """The inverse of an orthogonal matrix is its transpose."""
    base = node.args[0]
    return base.T if "orthogonal" in base.facts and not base.depends_on(moving) else None


def _inverse_rule(node: Node, i: int, d: Node) -> Node:
    """d X⁻¹ = -X⁻¹ dX X⁻¹ (Magnus & Neudecker 2019, ch. 8.4)."""
    return -build.product(node, d, node)


def _solved(node: Node, args: Any, size: Any) -> Any:
    return inverted(args[0])


def _single(value: Any) -> Any:
    import numpy as np

    return np.array([[value]], dtype=object)


def _log_abs_det(node: Node, args: Any, size: Any) -> Any:
    import mpmath

    return _single(mpmath.log(abs(determinant(args[0]))))


def _det_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return base
    if not base.is_square:
        return None
    if base.op == "eye":
        return build.number(1)
    if base.op == "transpose":
        return build.apply("det", base.args[0])
    if base.op == "inv":
        return build.power(build.apply("det", base.args[0]), build.number(-1))
    if base.op == "matpow":
        return build.power(build.apply("det", base.args[0]), build.number(base.params[0]))
    if base.op == "scale":
        n = build.size_number(base.rows)
        return build.power(base.args[0], n) * build.apply("det", base.args[1])
    return _det_of_product(base)


def _det_of_product(base: Node) -> Node | None:
    """det(A·B) = det(A)·det(B) where every factor is square."""
    if base.op == "product" and all(factor.is_square for factor in base.args):
        return build.times(*(build.apply("det", factor) for factor in base.args))
    return None


def _det_rule(node: Node, i: int, d: Node) -> Node:
    """d det X = det(X) tr(X⁻¹ dX), Jacobi's formula (Magnus & Neudecker 2019, ch. 8.3)."""
    return node * build.apply("tr", build.product(build.inverse(node.args[0]), d))


def _logdet_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return build.apply("log", base if "positive" in base.facts else build.apply("abs", base))
    if base.op == "eye":
        return build.number(0)
    if base.op == "transpose":
        return build.apply("logdet", base.args[0])
    if base.op == "inv":
        return -build.apply("logdet", base.args[0])
    return None


def _logdet_rule(node: Node, i: int, d: Node) -> Node:
    """d log |det X| = tr(X⁻¹ dX) (Magnus & Neudecker 2019, ch. 8.3)."""
    return build.apply("tr", build.product(build.inverse(node.args[0]), d))


def _image_logdet(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.log(sympy.Abs(sympy.Determinant(args[0])))


def _det_facts(node: Node) -> frozenset[str]:
    facts = node.args[0].facts
    if "posdef" in facts:
        return frozenset({"positive", "nonnegative", "nonzero"})
    return frozenset({"nonzero"} if "invertible" in facts else ())


def _det_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """By the diagonal of a triangular matrix, and no larger than the product of the rows' lengths (Hadamard 1893)."""
    x, found = node.args[0], EVERYTHING
    if x.facts & {"lower", "upper", "diagonal"}:
        found &= args[0].multiplied(x.rows)
    if x.facts & {"simplex", "onehot", "orthogonal"}:
        found &= UP_TO_ONE
    return found & NOT_NEGATIVE if "psd" in x.facts else found


define(
    Operator(
        "inv",
        says="the inverse of a square matrix",
        cubic=True,
        source="Magnus & Neudecker 2019, ch. 8.4; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (40)",
        rule="differential of the inverse",
        signatures=("(n,n) -> (n,n)",),
        role="inverse",
        entrywise=lambda a: build.power(a, build.number(-1)),
        aliases=("inverse",),
        differential=_inverse_rule,
        simplify=_inverse_simplify,
        joins=_inverse_joins,
        settle=_settled_inverse,
        facts=lambda node: (node.args[0].facts & _KEPT) | {"invertible"},
        domain={0: "invertible"},
        exact=lambda node, args, size: inverse_over_fields(args[0]),
        reference=_solved,
        sympy=lambda node, args, size: __import__("sympy").Inverse(args[0]),
        lowers=Lowering(
            role="inverse", torch="torch.linalg.inv({0})", numpy="np.linalg.inv({0})", jax="jnp.linalg.inv({0})"
        ),
        latex=lambda node, pieces, size: raised(pieces[0], "-1"),
        samples=(
            Sample("tr(inv(X))", {"X": "matrix(n, n; invertible)"}),
            Sample("b'*inv(A)*c", {"A": "matrix(n, n; invertible)", "b": "vector(n)", "c": "vector(n)"}),
            Sample("tr(inv(X)^2*B)", {"X": "matrix(n, n; invertible)"}),
        ),
        errors=(("let A: matrix(2,3); tr(inv(A))", "square"),),
    )
)
define(
    Operator(
        "solve",
        says=r"the solution of A*X = B, that is inv(A)*B; also written A\B",
        source="Golub & Van Loan 2013, ch. 3",
        signatures=("(n,n), (n,k) -> (n,k)",),
        sign="\\",
        call=lambda a, b: build.product(build.inverse(a), b),
        samples=(Sample("norm2(solve(A, b))^2", {"A": "matrix(n, n; invertible)", "b": "vector(n)"}),),
    )
)
define(
    Operator(
        "det",
        says="the determinant",
        cubic=True,
        source="Magnus & Neudecker 2019, ch. 8.3; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (42)",
        rule="Jacobi's formula",
        signatures=("(n,n) -> (1,1)",),
        differential=_det_rule,
        simplify=_det_simplify,
        bounds=_det_bounds,
        facts=_det_facts,
        exact=lambda node, args, size: _single(determinant_over_fields(args[0])),
        reference=lambda node, args, size: _single(determinant(args[0])),
        sympy=lambda node, args, size: __import__("sympy").Determinant(args[0]),
        lowers=Lowering(
            role="determinant",
            torch="torch.linalg.det({0})[..., None, None]",
            numpy="np.linalg.det({0})[..., None, None]",
            jax="jnp.linalg.det({0})[..., None, None]",
        ),
        latex=r"\det({0})",
        samples=(
            Sample("det(X)", {"X": "matrix(n, n; invertible)"}),
            Sample("det(X'*A*X)", {"X": "matrix(4, 2)", "A": "matrix(4, 4; posdef)"}),
            Sample("det(2*X)^2", {"X": "matrix(3, 3; invertible)"}),
        ),
        errors=(("let A: matrix(2,3); det(A)", "square"),),
    )
)
define(
    Operator(
        "logdet",
        says="log |det X|; for a positive-definite X, log det X",
        cubic=True,
        source="Magnus & Neudecker 2019, ch. 8.3; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (43)",
        rule="Jacobi's formula for the logarithm",
        signatures=("(n,n) -> (1,1)",),
        differential=_logdet_rule,
        simplify=_logdet_simplify,
        domain={0: "invertible"},
        exact=lambda node, args, size: _single(Elementary.log(determinant_over_fields(args[0]))),
        reference=_log_abs_det,
        sympy=_image_logdet,
        lowers=Lowering(
            role="log_determinant",
            torch="torch.linalg.slogdet({0}).logabsdet[..., None, None]",
            numpy="np.linalg.slogdet({0})[1][..., None, None]",
            jax="jnp.linalg.slogdet({0})[1][..., None, None]",
        ),
        latex=r"\log\lvert\det {0}\rvert",
        samples=(
            Sample("logdet(X)", {"X": "matrix(n, n; posdef)"}),
            Sample("logdet(X)", {"X": "matrix(n, n; invertible)"}),
            Sample("logdet(X'*X)", {"X": "matrix(5, 3)"}),
        ),
        errors=(("let A: matrix(2,3); logdet(A)", "square"),),
    )
)
