"""The nuclear and the spectral norm of a matrix, and the parts of its singular value decomposition in their gradients.

X = U·diag(σ)·V' has the nuclear norm Σσ, with the gradient U·V', and the spectral norm max σ, with the gradient u·v' of
the first columns (Magnus & Neudecker 2019, ch. 8, for the singular values' differentials dσ = u'·dX·v).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import UP_TO_ONE, of_a_norm, of_leading_vectors
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.matrix_function_code import functions
from matcalc.operators.precise_matrices import single, singular_system
from matcalc.operators.pseudoinverse import is_tall, is_wide
from matcalc.operators.sylvester import sylvester

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Magnus & Neudecker 2019, ch. 8; Golub & Van Loan 2013, ch. 2"

_POLAR = '''
def _polar(X):
    """U V' of the thin singular value decomposition U diag(s) V'."""
    U, _, Vh = MODULE.linalg.svd(X, full_matrices=False)
    return U @ Vh
'''
_DOMINANT = '''
def _dominant(X):
    """u v' of the largest singular value, or the mean of them where it is met more than once."""
    U, s, Vh = MODULE.linalg.svd(X, full_matrices=False)
    largest = (s >= s[..., :1]) * MODULE.ones_like(s)
    return (U * (largest / largest.sum(-1)[..., None])[..., None, :]) @ Vh
'''
_TEXTS = {"_polar": _POLAR, "_dominant": _DOMINANT}


def _called(function: str) -> Lowering:
    text = f"{function}({{0}})"
    return Lowering(torch=text, numpy=text, jax=text, helpers=functions(function, texts=_TEXTS))


def _norm_simplify(name: str, of_semidefinite: str) -> Any:
    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        base = args[0]
        if base.cols == 1 or base.rows == 1:
            return build.apply("norm2", base)
        if build.is_zero(base):
            return build.number(0)
        if "psd" in base.facts:
            return build.apply(of_semidefinite, base)
        if base.op == "transpose":
            return build.apply(name, base.args[0])
        coefficient, rest = build.split(base)
        if base.op == "scale" and coefficient == 1:
            return build.apply("abs", base.args[0]) * build.apply(name, base.args[1])
        return None if coefficient == 1 else build.number(abs(coefficient)) * build.apply(name, rest)

    return simplify


def _factor_simplify(name: str) -> Any:
    """Of a transpose the transpose; a positive factor goes, a number's sign comes out."""

    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        base = args[0]
        if base.is_scalar:
            return build.apply("sign", base)
        if base.cols == 1 or base.rows == 1:
            return build.divide(base, build.apply("norm2", base))
        if base.op == "transpose":
            return build.apply(name, base.args[0]).T
        coefficient, rest = build.split(base)
        if coefficient != 1:
            return build.multiply(build.number(1 if coefficient > 0 else -1), build.apply(name, rest))
        if base.op == "scale" and "positive" in base.args[0].facts:
            return build.apply(name, base.args[1])
        return None

    return simplify


def _polar_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if "posdef" in base.facts:
        return build.eye(base.rows)
    if base.op == "polar":
        return base
    return _factor_simplify("polar")(args, params)


def _polar_facts(node: Node) -> frozenset[str]:
    square = {"orthogonal", "invertible"} if node.is_square else set()
    return frozenset(square | {"full_rank"} | (node.args[0].facts & {"symmetric"}))


def _polar_joins(left: Node, right: Node) -> Node | None:
    """Q'·Q = I for full column rank, Q·Q' = I for full row rank."""
    if right.op == "polar" and left is right.T and is_tall(right):
        return build.eye(right.cols)
    if left.op == "polar" and right is left.T and is_wide(left):
        return build.eye(left.rows)
    return None


def _polar_rule(node: Node, i: int, d: Node) -> Node:
    """With X = Q·H: dQ = Q·W + (I - Q·Q')·dX·H⁻¹, where H·W + W·H = Q'·dX - dX'·Q; of X = K·Q the mirror image.

    It follows from dX = dQ·H + Q·dH, as Q'·dQ is skew and dH symmetric (Higham 2008, ch. 8, on the polar factors).
    """
    base, Q = node.args[0], node
    if is_tall(base):
        H = build.apply("sqrtm", base.T @ base)
        turned = Q @ sylvester(H, H, Q.T @ d - d.T @ Q)
        outside = build.product(build.eye(base.rows) - Q @ Q.T, d, build.inverse(H))
    elif is_wide(base):
        K = build.apply("sqrtm", base @ base.T)
        turned = sylvester(K, K, d @ Q.T - Q @ d.T) @ Q
        outside = build.product(build.inverse(K), d, build.eye(base.cols) - Q.T @ Q)
    else:
        return _polar_rule_of_any_shape(base, Q, d)
    return turned if base.is_square else turned + outside


def _polar_rule_of_any_shape(base: Node, Q: Node, d: Node) -> Node:
    """Both terms outside, of which one is zero, with H⁻¹ as X⁺·Q; and W inside the range of Q'·Q.

    H = Q'·X is singular where there are more columns; with the projector I - Q'·Q added it is not, and both commute
    with Q'·Q, so inside that range the solution W is the same.
    """
    inverse, beyond = build.apply("pinv", base), build.eye(base.cols) - Q.T @ Q
    H = Q.T @ base + beyond
    turned = build.product(Q, sylvester(H, H, Q.T @ d - d.T @ Q), Q.T, Q)
    below = build.product(build.eye(base.rows) - Q @ Q.T, d, inverse, Q)
    return build.add(turned, below, build.product(Q, inverse, d, beyond))


def _polar(node: Node, args: Any, size: Any) -> Any:
    left, _, right = singular_system(args[0])
    return left @ right


def _dominant_rule(node: Node, i: int, d: Node) -> Node:
    """d(u·v') from dX·v + X·dv = dσ·u + σ·du and its transpose; R and S are (σ²I - X·X')⁺ and (σ²I - X'·X)⁺."""
    X = node.args[0]
    sigma = build.apply("norm_spec", X)
    R, S = build.apply("resolvent_max", X @ X.T), build.apply("resolvent_max", X.T @ X)
    moved_left = R @ (sigma * build.product(d, node.T, node) + build.product(X, d.T, node))
    moved_right = (sigma * build.product(node, node.T, d) + build.product(node, d.T, X)) @ S
    return moved_left + moved_right


def _dominant_joins(left: Node, right: Node) -> Node | None:
    """D·D' = u·u' and D'·D = v·v' are the projectors of X·X' and X'·X."""
    if left.op == "dominant" and right is left.T:
        return build.apply("projector_max", left.args[0] @ left.args[0].T)
    if right.op == "dominant" and left is right.T:
        return build.apply("projector_max", right.args[0].T @ right.args[0])
    return None


def _dominant(node: Node, args: Any, size: Any) -> Any:
    left, _, right = singular_system(args[0])
    return left[:, :1] @ right[:1]


def _largest_gap(node: Node, args: Any) -> Any:
    values = singular_system(args[0])[1]
    return single(values[0] - values[1] if len(values) > 1 else values[0])


define(
    Operator(
        "norm_nuc",
        says="the nuclear norm: the sum of the singular values",
        source=_SOURCE,
        signatures=("(m,n) -> (1,1)",),
        differential=lambda node, i, d: build.apply("inner", build.apply("polar", node.args[0]), d),
        simplify=_norm_simplify("norm_nuc", "tr"),
        bounds=of_a_norm,
        facts=lambda node: frozenset({"nonnegative"}),
        domain={0: "full_rank"},
        cubic=20,
        reference=lambda node, args, size: single(sum(singular_system(args[0])[1])),
        lowers=Lowering(
            torch="torch.linalg.matrix_norm({0}, 'nuc', keepdim=True)",
            numpy="np.linalg.norm({0}, 'nuc', (-2, -1), keepdims=True)",
            jax="jnp.linalg.norm({0}, 'nuc', (-2, -1), keepdims=True)",
        ),
        latex=r"\lVert {0} \rVert_*",
        samples=(
            Sample("norm_nuc(X)", {"X": "matrix(m, n)"}),
            Sample("norm_nuc(A*X - B)^2", {"A": "matrix(3, 3; invertible)", "X": "matrix(3, 2)"}),
            Sample("norm_nuc(A)", {"A": "matrix(n, n; symmetric)"}),
            Sample("norm_nuc(-2*X')", {"X": "matrix(n, n)"}),
        ),
    )
)
define(
    Operator(
        "polar",
        says="the orthogonal polar factor U*V' of a matrix of full rank, X = U*diag(s)*V'",
        source="Higham 2008, ch. 8",
        signatures=("(m,n) -> (m,n)",),
        differential=_polar_rule,
        simplify=_polar_simplify,
        joins=_polar_joins,
        bounds=lambda node, args: UP_TO_ONE,
        facts=_polar_facts,
        domain={0: "full_rank"},
        cubic=20,
        reference=_polar,
        lowers=_called("_polar"),
        samples=(
            Sample("sum(A.*polar(X))", {"X": "matrix(4, 2)"}),
            Sample("sum(A.*polar(X))", {"X": "matrix(2, 4)"}),
            Sample("sum(A.*polar(X))", {"X": "matrix(m, n)"}),
            Sample("sum(A.*polar(X))", {"X": "matrix(n + 2, n)"}),
            Sample("tr(B*polar(X))", {"X": "matrix(n, n)"}),
        ),
    )
)
define(
    Operator(
        "norm_spec",
        says="the spectral norm: the largest singular value",
        source=_SOURCE,
        signatures=("(m,n) -> (1,1)",),
        differential=lambda node, i, d: build.apply("inner", build.apply("dominant", node.args[0]), d),
        simplify=_norm_simplify("norm_spec", "lambda_max"),
        bounds=of_a_norm,
        facts=lambda node: frozenset({"nonnegative"}),
        domain={0: "nonzero"},
        ties=_largest_gap,
        cubic=20,
        reference=lambda node, args, size: single(singular_system(args[0])[1][0]),
        lowers=Lowering(
            torch="torch.linalg.matrix_norm({0}, 2, keepdim=True)",
            numpy="np.linalg.norm({0}, 2, (-2, -1), keepdims=True)",
            jax="jnp.linalg.norm({0}, 2, (-2, -1), keepdims=True)",
        ),
        latex=r"\lVert {0} \rVert_2",
        samples=(
            Sample("norm_spec(X)", {"X": "matrix(m, n)"}),
            Sample("norm_spec(A*X - B)^2", {"A": "matrix(3, 3)", "X": "matrix(3, 2)"}),
            Sample("norm_spec(A)", {"A": "matrix(n, n; symmetric)"}),
            Sample("norm_spec(-2*X')", {"X": "matrix(n, n)"}),
            Sample("norm_spec(X'*X)", {"X": "matrix(3, 2)"}),
        ),
    )
)
define(
    Operator(
        "dominant",
        says="u*v' for the singular vectors u and v of the largest singular value",
        source=_SOURCE,
        signatures=("(m,n) -> (m,n)",),
        differential=_dominant_rule,
        simplify=_factor_simplify("dominant"),
        joins=_dominant_joins,
        bounds=of_leading_vectors,
        facts=lambda node: node.args[0].facts & {"symmetric"},
        domain={0: "nonzero"},
        ties=_largest_gap,
        cubic=20,
        reference=_dominant,
        lowers=_called("_dominant"),
        samples=(
            Sample("sum(A.*dominant(X))", {"X": "matrix(3, 2)"}),
            Sample("tr(B*dominant(X))", {"X": "matrix(n, n)"}),
        ),
    )
)
