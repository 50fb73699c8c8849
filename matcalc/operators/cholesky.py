"""The Cholesky factor, and the two linear operators that its derivatives need, each the other's transpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import Interval, hull, hull_with_zero
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.demands import known_symmetric
from matcalc.operators.exact_matrices import root
from matcalc.operators.precise_matrices import symmetric_part, through_mpmath

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_HALF = Fraction(1, 2)


def _factor_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return build.power(base, build.number(_HALF))
    if base.op == "eye":
        return base
    if base.op == "scale" and "positive" in base.args[0].facts:
        return build.scale(build.power(base.args[0], build.number(_HALF)), build.apply("chol", base.args[1]))
    return None


def _factor_rule(node: Node, i: int, d: Node) -> Node:
    """dL = L·Φ(L⁻¹·dA·L⁻') (Murray 2016)."""
    inverse = build.inverse(node)
    return node @ build.apply("half_tril", build.product(inverse, d, inverse.T))


def _factor_joins(left: Node, right: Node) -> Node | None:
    """L·L' = A."""
    return left.args[0] if left.op == "chol" and right is left.T else None


def _factor(node: Node, args: Any, size: Any) -> Any:
    import mpmath

    return through_mpmath(mpmath.cholesky, symmetric_part(args[0]))


def _factor_over_fields(node: Node, args: Any, size: Any) -> Any:
    """Row by row (Golub & Van Loan 2013, ch. 4.2)."""
    import numpy as np

    a = symmetric_part(args[0])
    made = np.full(a.shape, 0 * a[0, 0], dtype=object)
    for i, j in np.ndindex(a.shape):
        if j < i:
            made[i, j] = (a[i, j] - (made[i, :j] * made[j, :j]).sum()) / made[j, j]
        elif j == i:
            made[i, i] = root(a[i, i] - (made[i, :i] * made[i, :i]).sum())
    return made


def _factor_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """The squares of a row of L add up to an entry of A's diagonal."""
    most = args[0].power(_HALF).high
    return Interval(-most, most)


def _half_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if build.is_zero(arg) or "skew" in arg.facts:
        return build.zeros(*arg.shape)
    if arg.op == "scale":
        return build.multiply(arg.args[0], build.apply("half_tril", arg.args[1]))
    if arg.op == "transpose":
        return build.apply("half_tril", arg.args[0])
    if arg.is_scalar or arg.facts & {"diagonal", "lower", "upper"}:
        return build.multiply(build.number(_HALF), arg.T if "upper" in arg.facts else arg)
    return None


def _mirrored(node: Node, made: Callable[[Node], Node], J: Node) -> Node | None:
    """vec(mirror_tril(U)) = D·L·vec(U), with the duplication and the elimination matrix of a known size."""
    if not isinstance(node.rows, int):
        return None
    doubled = build.apply("duplication", params=(node.rows,)), build.apply("elimination", params=(node.rows,))
    return made(build.product(*doubled)) @ J


def _half(node: Node, args: Any, size: Any) -> Any:
    return _twice(args[0]) / 2


def _half_over_fields(node: Node, args: Any, size: Any) -> Any:
    """The whole zeros above the diagonal stay exact."""
    return _twice(args[0]) * _HALF


def _twice(array: Any) -> Any:
    import numpy as np

    return np.tril(array + array.T) - np.diagflat(array.diagonal())


def _mirror_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if build.is_zero(arg) or arg.is_scalar or "symmetric" in arg.facts:
        return arg
    if "upper" in arg.facts:
        return build.apply("diag", build.apply("diagonal", arg))
    if arg.op == "scale":
        return build.multiply(arg.args[0], build.apply("mirror_tril", arg.args[1]))
    return None


def _mirror(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.tril(args[0]) + np.tril(args[0], -1).T


def _image(node: Node, args: Any, size: Any) -> Any:
    """Both are the strict lower triangle, and the diagonal, of one matrix or two."""
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    n, matrix, below = size(node.rows), args[0], sympy.Piecewise((1, i > j), (0, True))

    def masked(weight: Any, of: Any) -> Any:
        return sympy.HadamardProduct(sympy.FunctionMatrix(n, n, sympy.Lambda((i, j), weight)), of)

    diagonal, strict = masked(sympy.KroneckerDelta(i, j), matrix), masked(below, matrix)
    if node.op == "mirror_tril":
        return diagonal + strict + sympy.Transpose(strict)
    return (diagonal + strict + masked(below, sympy.Transpose(matrix))) / 2


def _lowered(text: Callable[[str, Callable[[str], str]], str]) -> Lowering:
    """A text of the module's name and of how a matrix is turned, for each library."""

    def turned(matrix: str) -> str:
        return f"{matrix}.mT"

    return Lowering(
        torch=text("torch", turned),
        numpy=text("np", lambda matrix: f"np.swapaxes({matrix}, -1, -2)"),
        jax=text("jnp", turned),
    )


define(
    Operator(
        "chol",
        says="the lower Cholesky factor L of a positive-definite matrix, L*L' = A",
        source="Murray 2016, Differentiation of the Cholesky decomposition, arXiv:1602.07527",
        signatures=("(n,n) -> (n,n)",),
        aliases=("cholesky",),
        call=lambda x: build.apply("chol", known_symmetric("chol", x, "posdef")),
        differential=_factor_rule,
        simplify=_factor_simplify,
        joins=_factor_joins,
        facts=lambda node: frozenset({"lower", "invertible", "full_rank", "principal", "positive_stable"}),
        bounds=_factor_bounds,
        domain={0: "posdef"},
        cubic=1,
        exact=_factor_over_fields,
        reference=_factor,
        lowers=Lowering(
            torch="torch.linalg.cholesky({0})", numpy="np.linalg.cholesky({0})", jax="jnp.linalg.cholesky({0})"
        ),
        samples=(
            Sample("b'*chol(A)*c", {"A": "matrix(n, n; posdef)", "b": "vector(n)", "c": "vector(n)"}),
            Sample("sum(square(inv(chol(A))*x))", {"A": "matrix(n, n; posdef)"}),
            Sample("sum(log(diag(chol(X'*X + I))))", {"X": "matrix(m, n)"}),
            Sample("tr(B*chol(X'*X))", {"X": "matrix(5, 3)"}),
            Sample("tr(chol(a*A))", {"A": "matrix(n, n; posdef)", "a": "scalar(; positive)"}),
        ),
        errors=(
            ("let X: matrix(n, n); let x: scalar; x*tr(chol(X))", "posdef"),
            ("let X: matrix(n, n); let x: scalar; x*tr(chol(X*X))", "symmetric part"),
            ("let X: matrix(2, 3); let x: scalar; x*tr(chol(X))", "square"),
        ),
    )
)
define(
    Operator(
        "half_tril",
        says="of the symmetric part of M, the lower triangle with its diagonal halved, Φ(M)",
        source="Murray 2016, Differentiation of the Cholesky decomposition, arXiv:1602.07527",
        signatures=("(n,n) -> (n,n)",),
        transpose=lambda node, i, u: build.multiply(build.number(_HALF), build.apply("mirror_tril", u)),
        matrix=lambda node, i, J: _mirrored(node, lambda M: build.multiply(build.number(_HALF), M.T), J),
        simplify=_half_simplify,
        facts=lambda node: frozenset({"lower"}),
        bounds=hull_with_zero,
        exact=_half_over_fields,
        reference=_half,
        sympy=_image,
        lowers=_lowered(lambda np, T: f"(({np}.tril({{0}}) + {T(f'{np}.triu({{0}}, 1)')}) / 2)"),
        latex=r"\Phi({0})",
        samples=(
            Sample("sum(square(half_tril(X)))", {"X": "matrix(n, n)"}),
            Sample("sum(B.*half_tril(A*X))", {"A": "matrix(n, n)"}),
        ),
        errors=(("let A: matrix(2,3); x*tr(half_tril(A))", "square"),),
    )
)
define(
    Operator(
        "mirror_tril",
        says="the symmetric matrix with the lower triangle of M, tril(M) + tril(M)' - diag(diag(M))",
        source="Murray 2016, Differentiation of the Cholesky decomposition, arXiv:1602.07527",
        signatures=("(n,n) -> (n,n)",),
        transpose=lambda node, i, u: build.multiply(build.number(2), build.apply("half_tril", u)),
        matrix=lambda node, i, J: _mirrored(node, lambda M: M, J),
        simplify=_mirror_simplify,
        facts=lambda node: frozenset({"symmetric"}),
        bounds=hull,
        exact=True,
        reference=_mirror,
        sympy=_image,
        lowers=_lowered(lambda np, T: f"({np}.tril({{0}}) + {T(f'{np}.tril({{0}}, -1)')})"),
        samples=(
            Sample("sum(square(mirror_tril(X)))", {"X": "matrix(n, n)"}),
            Sample("sum(B.*mirror_tril(A*X))", {"A": "matrix(n, n)"}),
        ),
        errors=(("let A: matrix(2,3); x*tr(mirror_tril(A))", "square"),),
    )
)
