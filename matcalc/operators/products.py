"""Matrix products, powers and the transpose; inner and outer products."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import NOT_NEGATIVE, Interval, hull
from matcalc.expression.indexed import Indexed, Term, axes_of, multiplied
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.structure_matrices import commutation

if TYPE_CHECKING:
    from matcalc.expression.indexed import Axes, Indices, Letters
    from matcalc.expression.nodes import Node


def _product_rule(node: Node, i: int, d: Node) -> Node:
    return build.product(*node.args[:i], d, *node.args[i + 1 :])


def _product_transpose(node: Node, i: int, u: Node) -> Node:
    """A·U·B ↦ A'·V·B' (Magnus & Neudecker 2019, ch. 9)."""
    before = [factor.T for factor in reversed(node.args[:i])]
    after = [factor.T for factor in reversed(node.args[i + 1 :])]
    return build.product(*before, u, *after)


def _product_matrix(node: Node, i: int, J: Node) -> Node:
    """vec(A·U·B) = (B' ⊗ A)·vec(U) (Magnus & Neudecker 2019, ch. 2, th. 2)."""
    before, after = node.args[:i], node.args[i + 1 :]
    left = build.product(*before) if before else build.eye(node.args[i].rows)
    right = build.product(*after) if after else build.eye(node.args[i].cols)
    return build.apply("kron", right.T, left) @ J


def _product_transposed(node: Node) -> Node:
    return build.product(*(factor.T for factor in reversed(node.args)))


def _product_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """Each product of two adds up as many products of entries as their common size says."""
    found = args[0]
    for left, right in zip(node.args, args[1:], strict=False):
        found = (found * right).summed(left.cols)
    return found & NOT_NEGATIVE if node.is_scalar and _is_a_square(node.args) else found


def _is_a_square(factors: tuple[Node, ...]) -> bool:
    """Whether a product that is a number is x'·x, or x'·A·x with a semidefinite A."""
    middle = factors[len(factors) // 2]
    if len(factors) % 2 and "psd" not in middle.facts:
        return False
    return all(left.T is right for left, right in zip(factors[: len(factors) // 2], factors[::-1], strict=False))


def _inner_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """A sum of squares is not negative, nor is tr(A·B) of two semidefinite matrices."""
    x, y = node.args
    found = (args[0].power(Fraction(2)) if x is y else args[0] * args[1]).summed(x.rows * x.cols)
    return found & NOT_NEGATIVE if "psd" in x.facts & y.facts else found


def _matpow_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """Entries of A^k are sums of n^(k - 1) products of k entries."""
    n, k = node.args[0].rows, node.params[0]
    return args[0].multiplied(k).summed(n ** (k - 1) if isinstance(n, int) else n)


def _product_facts(node: Node) -> frozenset[str]:
    facts = set(
        frozenset.intersection(*(arg.facts for arg in node.args)) & {"lower", "upper", "diagonal", "orthogonal"}
    )
    if all("invertible" in arg.facts for arg in node.args):
        facts.add("invertible")
    if not node.is_square or node.is_scalar:
        return frozenset(facts)
    count = len(node.args)
    if all(node.args[k].T is node.args[count - 1 - k] for k in range((count + 1) // 2)):
        facts.add("symmetric")
        middle = node.args[count // 2].facts if count % 2 else frozenset({"psd"})
        if "psd" in middle:
            facts.add("psd")
        if "posdef" in middle and "invertible" in facts:
            facts.add("posdef")
        if not count % 2 and "invertible" in facts:
            facts.add("posdef")
    elif all(_turned(node.args[k]) is node.args[count - 1 - k] for k in range(count)):
        facts.add("skew" if sum("skew" in arg.facts for arg in node.args) % 2 else "symmetric")
    return frozenset(facts)


def _turned(factor: Node) -> Node:
    """The transpose; of a skew factor without its sign."""
    return factor if "skew" in factor.facts else factor.T


def _settled_product(node: Node, moving: str) -> Node | None:
    """Q'·Q and Q·Q' of an orthogonal Q are the identity, inside any product."""
    for k, (left, right) in enumerate(pairwise(node.args)):
        if "orthogonal" in left.facts and right is left.T and not left.depends_on(moving):
            return build.product(*node.args[:k], build.eye(left.rows), *node.args[k + 2 :])
    return None


def _chain(args: Any) -> Any:
    total = args[0]
    for arg in args[1:]:
        total = total @ arg
    return total


def _image_product(node: Node, args: Any, size: Any) -> Any:
    import sympy
    from sympy.matrices.expressions.matexpr import MatrixElement

    whole = sympy.MatMul(*args, evaluate=False)
    return MatrixElement(whole, 0, 0) if node.is_scalar else whole


_KEPT_BY_TRANSPOSE = frozenset(
    {
        "invertible", "full_rank", "principal", "positive_stable", "orthogonal",
        "positive", "nonnegative", "nonzero", "diagonal",
    }
)  # fmt: skip


def _transpose_facts(node: Node) -> frozenset[str]:
    swap = {"lower": "upper", "upper": "lower"}
    return frozenset(swap.get(f, f) for f in node.args[0].facts if f in swap or f in _KEPT_BY_TRANSPOSE)


def _matpow_rule(node: Node, i: int, d: Node) -> Node:
    """d X^k = Σ X^j dX X^(k-1-j) (Magnus & Neudecker 2019, ch. 8)."""
    base, k = node.args[0], node.params[0]
    return build.add(
        *(build.product(build.matrix_power(base, j), d, build.matrix_power(base, k - 1 - j)) for j in range(k))
    )


def _matpow_reference(node: Node, args: Any, size: Any) -> Any:
    return _chain([args[0]] * node.params[0])


KEPT_BY_POWERS = frozenset(
    {"symmetric", "diagonal", "lower", "upper", "posdef", "psd", "orthogonal", "invertible", "nonnegative"}
)
"""What a power of a matrix has where the matrix has it, and a Kronecker product where both factors have."""


def _matpow_facts(node: Node) -> frozenset[str]:
    facts = node.args[0].facts & KEPT_BY_POWERS
    if "skew" in node.args[0].facts:
        facts |= {"skew"} if node.params[0] % 2 else {"symmetric"}
    if "symmetric" in node.args[0].facts and node.params[0] % 2 == 0:
        facts |= {"psd"} | ({"posdef"} if "invertible" in facts else set())
    return frozenset(facts)


def _product_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    """Neighbours share an index that is summed over, for every axis that either of them tells apart."""
    between: list[Axes] = []
    for left, right, factor in zip(args, args[1:], node.args, strict=False):
        told = left.cols if left.cols is not None else right.rows
        if left.cols is not None and right.rows is not None and len(right.rows) > len(left.cols):
            told = right.rows
        between.append(axes_of(factor.cols) if told is None else told)

    def entry(rows: Indices, cols: Indices) -> list[Term]:
        fresh = [letters.fresh(axes) for axes in between]
        ends = [rows, *fresh, cols]
        over = [Term(summed=tuple(index for indices in fresh for index in indices))]
        return reduce(multiplied, (arg.entry(ends[k], ends[k + 1]) for k, arg in enumerate(args)), over)

    return Indexed(args[0].rows, args[-1].cols, entry)


def _transpose_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    return Indexed(args[0].cols, args[0].rows, lambda rows, cols: args[0].entry(cols, rows))


def inner(left: Node, right: Node) -> Node:
    """The inner product of two matrices of one shape."""
    return build.apply("inner", left, right)


def _inner_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    left, right = args
    if left.is_scalar:
        return left * right
    if left.cols == 1:
        return left.T @ right
    if left.rows == 1:
        return left @ right.T
    if build.is_zero(left) or build.is_zero(right):
        return build.number(0)
    for k, arg in enumerate(args):
        if arg.op == "scale":
            rest = (*args[:k], arg.args[1], *args[k + 1 :])
            return build.multiply(arg.args[0], build.apply("inner", *rest))
    for one, other in ((left, right), (right, left)):
        if one.op == "ones":
            return build.apply("sum", other)
        if one.op == "eye":
            return build.apply("tr", other)
    return build.apply("inner", right, left) if right.digest < left.digest else None


define(
    Operator(
        "product",
        says="the matrix product",
        cubic=True,
        source="Magnus & Neudecker 2019, ch. 8.2; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (37)",
        matrix_source="Magnus & Neudecker 2019, ch. 2.4",
        move_source="Magnus & Neudecker 2019, ch. 1.10; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (14)",
        rule="product rule",
        move="regroup the factors",
        notation=True,
        shape=lambda args, params: (args[0].rows, args[-1].cols),
        differential=_product_rule,
        transpose=_product_transpose,
        matrix=_product_matrix,
        indexed=_product_indexed,
        transposed=_product_transposed,
        facts=_product_facts,
        bounds=_product_bounds,
        settle=_settled_product,
        exact=True,
        reference=lambda node, args, size: _chain(args),
        sympy=_image_product,
        samples=(
            Sample("x'*A*x"),
            Sample("b'*X'*X*c", {"c": "vector(n)", "b": "vector(n)"}),
            Sample("tr(A*X*B)"),
        ),
        errors=(("let A: matrix(m,n); let B: matrix(m,n); tr(A*B)", "cannot multiply"),),
    )
)
define(
    Operator(
        "transpose",
        says="the transpose",
        source="Magnus & Neudecker 2019, ch. 1.4; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (44)",
        move_source="Magnus & Neudecker 2019, ch. 1.10; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (13)",
        move="a scalar equals its transpose",
        signatures=("(m,n) -> (n,m)",),
        call=lambda x: x.T,
        shape=lambda args, params: (args[0].cols, args[0].rows),
        transpose=lambda node, i, u: u.T,
        matrix=lambda node, i, J: commutation(*node.args[0].shape) @ J,
        indexed=_transpose_indexed,
        named_entries=True,
        facts=_transpose_facts,
        bounds=hull,
        exact=True,
        reference=lambda node, args, size: args[0].T,
        sympy=lambda node, args, size: __import__("sympy").Transpose(args[0]),
        samples=(Sample("tr(A*X')"), Sample("sum(tanh(X)'*y)")),
    )
)
define(
    Operator(
        "matpow",
        says="a square matrix to an integer power",
        cubic=True,
        source="Magnus & Neudecker 2019, ch. 8.2; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (37)",
        rule="product rule, for each factor of the power",
        notation=True,
        shape=lambda args, params: args[0].shape,
        differential=_matpow_rule,
        facts=_matpow_facts,
        bounds=_matpow_bounds,
        exact=True,
        reference=_matpow_reference,
        sympy=lambda node, args, size: __import__("sympy").MatPow(args[0], node.params[0]),
        lowers=Lowering(
            torch=lambda node, args, size: f"torch.linalg.matrix_power({args[0]}, {node.params[0]})",
            numpy=lambda node, args, size: f"np.linalg.matrix_power({args[0]}, {node.params[0]})",
            jax=lambda node, args, size: f"jnp.linalg.matrix_power({args[0]}, {node.params[0]})",
        ),
        samples=(Sample("tr(X^3)"), Sample("tr(A*X^2)"), Sample("x'*A^2*x")),
    )
)
define(
    Operator(
        "inner",
        says="the inner product Σ X_ij Y_ij",
        role="pairing",
        source="Magnus & Neudecker 2019, ch. 1",
        rule="product rule",
        signatures=("(m,n), (m,n) -> (1,1)",),
        differential=lambda node, i, d: build.apply("inner", node.args[1 - i], d),
        transpose=lambda node, i, u: build.multiply(u, node.args[1 - i]),
        matrix=lambda node, i, J: build.apply("vec", node.args[1 - i]).T @ J,
        simplify=_inner_simplify,
        bounds=_inner_bounds,
        written=lambda node, args, size: f"inner({', '.join(sorted(args, key=lambda text: (len(text), text)))})",
        exact=True,
        reference=lambda node, args, size: __import__("numpy").array([[(args[0] * args[1]).sum()]], dtype=object),
        sympy=lambda node, args, size: __import__("sympy").Trace(__import__("sympy").Transpose(args[0]) * args[1]),
        lowers=Lowering(
            torch="({0:a} * {1:a}).sum((-2, -1), keepdim=True)",
            numpy="({0:a} * {1:a}).sum((-2, -1), keepdims=True)",
            jax="({0:a} * {1:a}).sum((-2, -1), keepdims=True)",
        ),
        latex=r"\langle {0}, {1} \rangle",
        samples=(Sample("0.5*(inner(A, X) - b)^2"), Sample("inner(X, X)")),
    )
)
define(
    Operator(
        "dot",
        says="the inner product of two vectors, x'*y",
        signatures=("(n,1), (n,1) -> (1,1)",),
        call=lambda x, y: x.T @ y,
        samples=(Sample("dot(x, y)^2"),),
    )
)
define(
    Operator(
        "outer",
        says="the outer product x*y'",
        signatures=("(m,1), (n,1) -> (m,n)",),
        call=lambda x, y: x @ y.T,
        samples=(Sample("norm2(outer(x, y) - A)^2"),),
    )
)
