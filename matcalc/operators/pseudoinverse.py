"""The pseudoinverse of a matrix of full rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.formula import raised
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.sizes import Size, substitute_sizes
from matcalc.operators.exact_matrices import inverse_over_fields
from matcalc.operators.precise_matrices import inverted

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def is_tall(node: Node) -> bool:
    """Whether there are known to be as many rows as columns, or more, whatever the sizes are.

    With 1 + t for every size, the difference has no negative coefficient: it is not negative where no t is.
    """
    more = node.rows - node.cols
    names = more.names if isinstance(more, Size) else frozenset[str]()
    least = substitute_sizes(more, {name: 1 + Size.named(name) for name in names})
    return least >= 0 if isinstance(least, int) else all(factor > 0 for _, factor in least.terms)


def is_wide(node: Node) -> bool:
    """Whether there are known to be as many columns as rows, or more."""
    return is_tall(node.T)


def _simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar or "invertible" in base.facts:
        return build.inverse(base)
    if base.op == "transpose":
        return build.apply("pinv", base.args[0]).T
    if base.cols == 1 or base.rows == 1:
        return build.divide(base.T, build.apply("inner", base, base))
    if base.op == "scale":
        return build.multiply(base.args[0] ** -1, build.apply("pinv", base.args[1]))
    return base.args[0] if base.op == "pinv" else None


def _joins(left: Node, right: Node) -> Node | None:
    """X⁺·X = I for full column rank, X·X⁺ = I for full row rank."""
    if left.op == "pinv" and left.args[0] is right and is_tall(right):
        return build.eye(right.cols)
    if right.op == "pinv" and right.args[0] is left and is_wide(left):
        return build.eye(left.rows)
    return None


def _rule(node: Node, i: int, d: Node) -> Node:
    """dX⁺ = -X⁺·dX·X⁺ + X⁺·X⁺'·dX'·(I - X·X⁺) + (I - X⁺·X)·dX'·X⁺'·X⁺, the rank being constant.

    (Golub & Pereyra 1973). Of the last two terms full column rank leaves the first, full row rank the second.
    """
    base = node.args[0]
    parts = [-build.product(node, d, node)]
    if not is_wide(base):
        parts.append(build.product(node, node.T, d.T, build.eye(base.rows) - base @ node))
    if not is_tall(base):
        parts.append(build.product(build.eye(base.cols) - node @ base, d.T, node.T, node))
    return build.add(*parts)


def _pinv(node: Node, args: Any, size: Any) -> Any:
    """By the normal equations, which 90 digits can bear."""
    return _by_normal_equations(args[0], inverted)


def _pinv_over_fields(node: Node, args: Any, size: Any) -> Any:
    return _by_normal_equations(args[0], inverse_over_fields)


def _by_normal_equations(X: Any, inverted: Callable[[Any], Any]) -> Any:
    return inverted(X.T @ X) @ X.T if X.shape[0] >= X.shape[1] else X.T @ inverted(X @ X.T)


define(
    Operator(
        "pinv",
        says="the (Moore-Penrose) pseudoinverse of a matrix of full rank",
        source="Golub & Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares problems",
        signatures=("(m,n) -> (n,m)",),
        differential=_rule,
        simplify=_simplify,
        joins=_joins,
        facts=lambda node: node.args[0].facts & {"symmetric", "psd", "skew", "diagonal", "full_rank"},
        domain={0: "full_rank"},
        cubic=3,
        exact=_pinv_over_fields,
        reference=_pinv,
        lowers=Lowering(torch="torch.linalg.pinv({0})", numpy="np.linalg.pinv({0})", jax="jnp.linalg.pinv({0})"),
        latex=lambda node, pieces, size: raised(pieces[0], "+"),
        samples=(
            Sample("tr(pinv(X)*B)", {"X": "matrix(m, n)"}),
            Sample("norm2(pinv(A)*b)^2", {"A": "matrix(4, 2)", "b": "vector(4)"}),
            Sample("norm2(pinv(A)*b)^2", {"A": "matrix(2, 4)", "b": "vector(2)"}),
            Sample("tr(B*pinv(2*X'))", {"X": "matrix(3, 2)"}),
            Sample("tr(pinv(X)*B)", {"X": "matrix(n, n)"}),
            Sample("y'*pinv(x)'", {"x": "vector(n)", "y": "vector(n)"}),
        ),
    )
)
