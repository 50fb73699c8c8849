"""Sums, means, traces and norms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import NOT_NEGATIVE, Interval, of_a_norm
from matcalc.expression.formula import with_ones
from matcalc.expression.operator import Kink, Lowering, Operator, Sample, define
from matcalc.operators.exact_matrices import root

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_NONNEGATIVE = frozenset({"nonnegative"})


def _single(value: Any) -> Any:
    import numpy as np

    return np.array([[value]], dtype=object)


def _linear_simplify(name: str, of_ones: Any) -> Any:
    """A linear function to the scalars: multiples come out, transposes go, constants are known."""

    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        arg = args[0]
        if arg.is_scalar:
            return arg
        if build.is_zero(arg):
            return build.number(0)
        if arg.op == "scale":
            return build.multiply(arg.args[0], build.apply(name, arg.args[1]))
        if arg.op == "transpose":
            return build.apply(name, arg.args[0])
        if arg.op == "add" and all(build.split(term)[1].op == "transpose" for term in arg.args):
            return build.apply(name, arg.T)
        return of_ones(arg)

    return simplify


def _sum_special(arg: Node) -> Node | None:
    if arg.op == "ones":
        return build.size_number(arg.rows) * build.size_number(arg.cols)
    if arg.op == "eye":
        return build.size_number(arg.rows)
    if arg.op == "softmax":  # adds up to one: as a vector, or in each row
        return build.number(1) if 1 in arg.shape else build.size_number(arg.rows)
    if arg.op == "eigvals":
        return build.apply("tr", arg.args[0])
    return None


def _trace_special(arg: Node) -> Node | None:
    if not arg.is_square:
        return None
    if arg.op in ("ones", "eye"):
        return build.size_number(arg.rows)
    if "skew" in arg.facts:
        return build.number(0)
    if arg.op == "kron" and arg.args[0].is_square:
        return build.apply("tr", arg.args[0]) * build.apply("tr", arg.args[1])
    if arg.op == "product" and arg.args[0].cols == 1:
        return build.product(*arg.args[1:], arg.args[0])
    if arg.op == "product" and arg.args[-1].rows == 1:
        return build.product(arg.args[-1], *arg.args[:-1])
    return None


_ADDS_TO_ONE = frozenset({"simplex", "onehot"})


def _settled_sum(node: Node, moving: str) -> Node | None:
    """What is declared to add up to one does so: a vector, each row of a matrix."""
    arg = node.args[0]
    if not arg.facts & _ADDS_TO_ONE or arg.depends_on(moving):
        return None
    return build.number(1) if 1 in arg.shape else build.size_number(arg.rows)


def _settled_sum_along(node: Node, moving: str) -> Node | None:
    arg = node.args[0]
    if node.params[0] != 1 or not arg.facts & _ADDS_TO_ONE or arg.depends_on(moving):
        return None
    return build.ones(arg.rows, 1)


def _sum_along(x: Node, axis: int) -> Node:
    return x if x.shape[axis] == 1 else build.apply("sum_along", x, params=(axis,))


def _along_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg, axis = args[0], params[0]
    if arg.shape[axis] == 1:
        return arg
    if arg.shape[1 - axis] == 1:
        return build.apply("sum", arg)
    rest = (1, arg.cols) if axis == 0 else (arg.rows, 1)
    if build.is_zero(arg):
        return build.zeros(*rest)
    if arg.op == "scale":
        return build.multiply(arg.args[0], build.apply("sum_along", arg.args[1], params=params))
    if arg.op == "ones":
        return build.scale(build.size_number(arg.shape[axis]), build.ones(*rest))
    if arg.op == "eye":
        return build.ones(*rest)
    if arg.op == "transpose":
        return build.apply("sum_along", arg.args[0], params=(1 - axis,)).T
    if arg.op == "softmax" and axis == 1:
        return build.ones(*rest)
    if arg.op == "spread" and arg.args[0].shape[axis] == 1:
        return build.multiply(build.size_number(arg.shape[axis]), arg.args[0])
    return None


def _along_matrix(node: Node, i: int, J: Node) -> Node:
    """vec(1'·U) and vec(U·1)."""
    rows, cols = node.args[0].shape
    pair = (build.eye(cols), build.ones(1, rows)) if node.params[0] == 0 else (build.ones(1, cols), build.eye(rows))
    return build.apply("kron", *pair) @ J


def _sum_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """The sum over a semidefinite matrix is 1'·X·1."""
    x = node.args[0]
    found = args[0].summed(x.rows * x.cols)
    return found & NOT_NEGATIVE if "psd" in x.facts else found


def _mean(x: Node, axis: int | None = None) -> Node:
    count = build.size_number(x.rows) * build.size_number(x.cols) if axis is None else build.size_number(x.shape[axis])
    return build.divide(build.apply("sum", x) if axis is None else _sum_along(x, axis), count)


def _norm_homogeneous(name: str) -> Any:
    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        arg = args[0]
        if arg.is_scalar:
            return build.apply("abs", arg)
        if build.is_zero(arg):
            return build.number(0)
        if arg.op == "scale":
            return build.apply("abs", arg.args[0]) * build.apply(name, arg.args[1])
        if arg.op == "transpose":
            return build.apply(name, arg.args[0])
        if arg.op == "kron" and name == "norm2":
            return build.apply(name, arg.args[0]) * build.apply(name, arg.args[1])
        coefficient, rest = build.split(arg)
        return None if coefficient == 1 else build.number(abs(coefficient)) * build.apply(name, rest)

    return simplify


def _settled_norm2(node: Node, moving: str) -> Node | None:
    """An orthogonal matrix in front changes no length."""
    arg = node.args[0]
    if arg.op != "product" or "orthogonal" not in arg.args[0].facts or arg.args[0].depends_on(moving):
        return None
    return build.apply("norm2", build.product(*arg.args[1:]))


def _euclidean(node: Node, args: Any, size: Any) -> Any:
    import mpmath

    return _single(mpmath.sqrt((args[0] * args[0]).sum()))


def _image_norm2(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.sqrt(_image_total(node, sympy.HadamardProduct(args[0], args[0]), size))


def _image_total(node: Node, matrix: Any, size: Any) -> Any:
    import sympy
    from sympy.matrices.expressions.matexpr import MatrixElement

    arg = node.args[0]
    whole = sympy.MatMul(sympy.OneMatrix(1, size(arg.rows)), matrix, sympy.OneMatrix(size(arg.cols), 1), evaluate=False)
    return MatrixElement(whole, 0, 0)


def _image_norm1(node: Node, args: Any, size: Any) -> Any:
    import sympy

    t = sympy.Dummy("t", real=True)
    return _image_total(node, args[0].applyfunc(sympy.Lambda(t, sympy.Abs(t))), size)


def _image_along(node: Node, args: Any, size: Any) -> Any:
    import sympy

    arg = node.args[0]
    if node.params[0] == 0:
        return sympy.MatMul(sympy.OneMatrix(1, size(arg.rows)), args[0])
    return sympy.MatMul(args[0], sympy.OneMatrix(size(arg.cols), 1))


def _kept(text: str) -> Any:
    """Of a norm no smaller than the root of the tiniest number, which is that of squares; of squares, than that."""
    return lambda node, args, size: text.format(args[0], "" if node.params else " ** 0.5")


def _along_text(keep: str) -> Any:
    return lambda node, args, size: f"{args[0]}.sum({node.params[0] - 2}, {keep}=True)"


define(
    Operator(
        "sum",
        says="the sum of all entries; sum(X, 0) the row of column sums, sum(X, 1) the column of row sums",
        source="Magnus & Neudecker 2019, ch. 1",
        move="a sum of entries is the inner product with ones",
        signatures=("(m,n) -> (1,1)", "(m,n), 0 -> (1,n)", "(m,n), 1 -> (m,1)"),
        call=lambda x, axis=None: build.apply("sum", x) if axis is None else _sum_along(x, axis),
        transpose=lambda node, i, u: build.scale(u, build.ones(*node.args[0].shape)),
        matrix=lambda node, i, J: build.ones(1, J.rows) @ J,
        simplify=_linear_simplify("sum", _sum_special),
        settle=_settled_sum,
        bounds=_sum_bounds,
        facts=lambda node: node.args[0].facts & {"positive", "nonnegative"},
        exact=True,
        reference=lambda node, args, size: _single(args[0].sum()),
        sympy=lambda node, args, size: _image_total(node, args[0], size),
        lowers=Lowering(
            torch="{0:a}.sum((-2, -1), keepdim=True)",
            numpy="{0:a}.sum((-2, -1), keepdims=True)",
            jax="{0:a}.sum((-2, -1), keepdims=True)",
        ),
        latex=lambda node, pieces, size: with_ones(
            pieces[0], before=node.args[0].rows != 1, after=node.args[0].cols != 1
        ),
        samples=(Sample("sum(x)^2"), Sample("sum(square(sum(X, 0)))"), Sample("sum(exp(sum(X, 1)))")),
        errors=(("sum(X, 2)", "sum"),),
    )
)
define(
    Operator(
        "sum_along",
        says="the sums along an axis, written sum(X, 0) or sum(X, 1)",
        source="Magnus & Neudecker 2019, ch. 1",
        move="row and column sums are products with ones",
        notation=True,
        shape=lambda args, params: (1, args[0].cols) if params[0] == 0 else (args[0].rows, 1),
        transpose=lambda node, i, u: build.spread(u, node.args[0].shape),
        matrix=_along_matrix,
        simplify=_along_simplify,
        settle=_settled_sum_along,
        bounds=lambda node, args: args[0].summed(node.args[0].shape[node.params[0]]),
        facts=lambda node: node.args[0].facts & {"positive", "nonnegative"},
        exact=True,
        reference=lambda node, args, size: args[0].sum(axis=node.params[0], keepdims=True),
        sympy=_image_along,
        lowers=Lowering(torch=_along_text("keepdim"), numpy=_along_text("keepdims"), jax=_along_text("keepdims")),
        written=lambda node, args, size: f"sum({args[0]}, {node.params[0]})",
        latex=lambda node, pieces, size: with_ones(pieces[0], before=node.params[0] == 0, after=node.params[0] == 1),
        samples=(Sample("sum(square(sum(X, 0)))"),),
    )
)
define(
    Operator(
        "mean",
        says="the mean of all entries, or along an axis as sum does",
        source="Magnus & Neudecker 2019, ch. 1",
        signatures=("(m,n) -> (1,1)", "(m,n), 0 -> (1,n)", "(m,n), 1 -> (m,1)"),
        call=_mean,
        samples=(Sample("mean(square(x))"), Sample("sum(square(mean(X, 0)))")),
    )
)
define(
    Operator(
        "tr",
        says="the trace",
        source="Magnus & Neudecker 2019, ch. 1.10; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (36)",
        move_source="Magnus & Neudecker 2019, ch. 1.10",
        move="the trace is the inner product with the identity",
        signatures=("(n,n) -> (1,1)",),
        aliases=("Tr", "trace"),
        transpose=lambda node, i, u: build.scale(u, build.eye(node.args[0].rows)),
        matrix=lambda node, i, J: build.apply("vec", build.eye(node.args[0].rows)).T @ J,
        simplify=_linear_simplify("tr", _trace_special),
        bounds=lambda node, args: args[0].summed(node.args[0].rows),
        facts=lambda node: _NONNEGATIVE if "psd" in node.args[0].facts else frozenset(),
        exact=True,
        reference=lambda node, args, size: _single(args[0].trace()),
        sympy=lambda node, args, size: __import__("sympy").Trace(args[0]),
        lowers=Lowering(
            role="trace",
            torch="{0:a}.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]",
            numpy="np.trace({0}, axis1=-2, axis2=-1)[..., None, None]",
            jax="jnp.trace({0}, axis1=-2, axis2=-1)[..., None, None]",
        ),
        latex=r"\operatorname{{tr}}({0})",
        samples=(Sample("tr(X)^2 + 1", {"X": "matrix(n, n)"}), Sample("tr(A*X'*B*X)")),
        errors=(("let A: matrix(2,3); tr(A)", "square"),),
    )
)
define(
    Operator(
        "norm2",
        says="the Euclidean norm; of a matrix, the Frobenius norm",
        source="Petersen & Pedersen 2012, The Matrix Cookbook, sec. 2.6.1 and 2.7.1",
        rule="differential of the norm",
        signatures=("(m,n) -> (1,1)",),
        aliases=("norm", "norm_fro"),
        differential=lambda node, i, d: build.divide(build.apply("inner", node.args[0], d), node),
        simplify=_norm_homogeneous("norm2"),
        settle=_settled_norm2,
        facts=lambda node: _NONNEGATIVE,
        bounds=of_a_norm,
        domain={0: "nonzero"},
        exact=lambda node, args, size: _single(root((args[0] * args[0]).sum())),
        reference=_euclidean,
        sympy=_image_norm2,
        lowers=Lowering(
            role="euclidean_norm",
            torch="torch.linalg.matrix_norm({0}, keepdim=True)",
            numpy="np.linalg.norm({0}, axis=(-2, -1), keepdims=True)",
            jax="jnp.linalg.norm({0}, axis=(-2, -1), keepdims=True)",
        ),
        latex=r"\lVert {0} \rVert",
        samples=(Sample("norm2(A*x - b)", {"b": "vector(m)"}), Sample("norm2(X)^3"), Sample("norm2(2*x)^2")),
    )
)
define(
    Operator(
        "kept_from_zero",
        says="x, or a tiny number where x is smaller: found in code alone, as a divisor of what vanishes with x",
        source="Boyd & Vandenberghe 2004, app. A.1",
        notation=True,
        shape=lambda args, params: args[0].shape,
        facts=lambda node: frozenset({"positive", "nonnegative", "nonzero"}),
        reference=lambda node, args, size: args[0],
        sympy=lambda node, args, size: args[0],
        differential=lambda node, i, d: d,
        transpose=lambda node, i, u: u,
        matrix=lambda node, i, J: J,
        lowers=Lowering(
            torch=_kept("torch.clamp({0}, min=torch.finfo({0}.dtype).tiny{1})"),
            numpy=_kept("np.maximum({0}, np.finfo({0}.dtype).tiny{1})"),
            jax=_kept("jnp.maximum({0}, jnp.finfo({0}.dtype).tiny{1})"),
        ),
        written=lambda node, args, size: args[0],
    )
)
define(
    Operator(
        "norm1",
        says="the sum of the absolute values of all entries",
        source="Boyd & Vandenberghe 2004, app. A.1",
        signatures=("(m,n) -> (1,1)",),
        kinks=(Kink(0, 0),),
        differential=lambda node, i, d: build.apply("inner", build.apply("sign", node.args[0]), d),
        simplify=_norm_homogeneous("norm1"),
        facts=lambda node: _NONNEGATIVE,
        bounds=lambda node, args: abs(args[0]).summed(node.args[0].rows * node.args[0].cols),
        reference=lambda node, args, size: _single(abs(args[0]).sum()),
        sympy=_image_norm1,
        lowers=Lowering(
            torch="{0:a}.abs().sum((-2, -1), keepdim=True)",
            numpy="np.abs({0}).sum((-2, -1), keepdims=True)",
            jax="jnp.abs({0}).sum((-2, -1), keepdims=True)",
        ),
        latex=r"\lVert {0} \rVert_1",
        samples=(Sample("norm1(x)"), Sample("norm1(A*x - b)", {"b": "vector(m)"})),
    )
)
