"""The product of entries, of all or along an axis, and the products of all entries but one or two: its derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import NOT_NEGATIVE, Interval, exactly
from matcalc.expression.formula import axis_name, call
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.axes import along, axes_text, canonical, keep_dims, reduced_signatures, written_along
from matcalc.operators.matrix_function_code import functions

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


_OTHERS = '''
def _others(X, axis=None):
    """For each entry the product of all others, or of those along an axis: of those before and of those after it."""
    if axis is None:
        return _others(X.reshape(*X.shape[:-2], 1, -1), -1).reshape(X.shape)
    if axis == -2:
        return _others(X.mT, -1).mT
    first = MODULE.ones_like(X[..., :1])
    before = CAT((first, X[..., :-1]), -1).cumprod(-1)
    after = CAT((first, MODULE.flip(X[..., 1:], (-1,))), -1).cumprod(-1)
    return before * MODULE.flip(after, (-1,))
'''
_PAIRS = '''
def _pairs(X):
    """For each two entries of a column the product of all others, and 0 on the diagonal."""
    itself = MODULE.eye(X.shape[-2], LIKE) > 0
    return MODULE.where(itself, 0.0, _others(MODULE.where(itself, 1.0, X.mT), -1))
'''


def _rule(node: Node, i: int, d: Node) -> Node:
    """d Πx = Σⱼ dxⱼ Π(k≠j) xₖ, which is Πx Σ dx/x where it is known that no entry is zero."""
    x = node.args[0]
    if "nonzero" in x.facts:
        return build.times(node, _total(build.times(d, build.power(x, build.number(-1))), node.params))
    return _total(build.times(build.apply("prod_others", x, params=node.params), d), node.params)


def _total(x: Node, params: tuple[Any, ...]) -> Node:
    return build.apply("sum_along", x, params=params) if params else build.apply("sum", x)


def _others_rule(node: Node, i: int, d: Node) -> Node:
    """Of yⱼ = Π(k≠j) xₖ: dyⱼ = Σ(k≠j) dxₖ Π(l≠j,k) xₗ, which is yⱼ (Σ dx/x - dxⱼ/xⱼ) where no entry is zero."""
    x = node.args[0]
    if not node.params and "nonzero" not in x.facts:
        made = build.apply("prod_pairs", build.apply("vec", x)) @ build.apply("vec", d)
        return made if x.cols == 1 else build.apply("unvec", made, params=node.shape)
    relative = build.times(d, build.power(node.args[0], build.number(-1)))
    return build.times(node, build.spread(_total(relative, node.params), node.shape) - relative)


def _pairs_rule(node: Node, i: int, d: Node) -> Node:
    """Of Yⱼₖ = Π(l≠j,k) xₗ: dYⱼₖ = Yⱼₖ (Σ dx/x - dxⱼ/xⱼ - dxₖ/xₖ), where no entry is zero."""
    relative = build.times(d, build.power(node.args[0], build.number(-1)))
    down = build.spread(relative, node.shape)
    return build.times(node, build.spread(build.apply("sum", relative), node.shape) - down - down.T)


def _pairs_reference(node: Node, args: Any, size: Any) -> Any:
    import mpmath
    import numpy as np

    count = len(args[0])
    made = np.full((count, count), mpmath.mpf(0), dtype=object)
    for j, k in np.ndindex(count, count):
        if j != k:
            made[j, k] = np.delete(args[0][:, 0], [j, k]).prod() * mpmath.mpf(1)
    return made


def _pairs_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    l, x = sympy.Dummy("l", integer=True), args[0]  # noqa: E741  the index of the product
    whole = sympy.Product(x[l, 0], (l, 0, size(node.rows) - 1))
    entry = sympy.Piecewise((0, sympy.Eq(i, j)), (whole / (x[i, 0] * x[j, 0]), True))
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))


def _others_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.op == "ones" or arg.is_scalar or (params and arg.shape[params[0]] == 1):
        return build.ones(*arg.shape)
    if params and arg.shape[1 - params[0]] == 1:
        return build.apply("prod_others", arg)
    if arg.op == "transpose":
        return build.apply("prod_others", arg.args[0], params=tuple(1 - axis for axis in params)).T
    return None


def _others_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    made = np.empty(args[0].shape, dtype=object)
    for place in np.ndindex(made.shape):
        kept = args[0].copy()
        kept[place] = kept[place] ** 0
        made[place] = (kept[:, place[1]] if node.params == (0,) else kept[place[0]] if node.params else kept).prod()
    return made


def _others_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    rows, cols = (size(s) for s in node.shape)
    whole = _image(node, args, size)
    entry = (whole if not node.params else whole[0, j] if node.params[0] == 0 else whole[i, 0]) / args[0][i, j]
    return sympy.FunctionMatrix(rows, cols, sympy.Lambda((i, j), entry))


def _others_text(node: Node, args: Any, size: Any) -> str:
    return f"_others({args[0]}, {axes_text(node.params)})" if node.params else f"_others({args[0]})"


def _count(node: Node) -> Any:
    """How many entries are multiplied."""
    x = node.args[0]
    return x.shape[node.params[0]] if node.params else x.rows * x.cols


def _bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """Of a semidefinite matrix it is a product of the diagonal's entries, not negative, and of squares."""
    found = args[0].multiplied(_count(node))
    return found & NOT_NEGATIVE if not node.params and "psd" in node.args[0].facts else found


def _fewer(lies: Interval, count: Any, less: int) -> Interval:
    """Of products of some entries less than ``count``, perhaps of none."""
    if isinstance(count, int):
        return lies.multiplied(max(count - less, 0))
    return lies.multiplied(count) | exactly(1)


def _simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    return build.number(1) if args[0].op == "ones" and not params else canonical("prod", args[0], params)


def _image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    x, (rows, cols) = args[0], (size(s) for s in node.args[0].shape)
    if not node.params:
        k, l = sympy.Dummy("k", integer=True), sympy.Dummy("l", integer=True)  # noqa: E741  indices of the product
        return sympy.Product(x[k, l], (k, 0, rows - 1), (l, 0, cols - 1))
    k = sympy.Symbol("k", integer=True)
    inner, count = (x[k, j], rows) if node.params[0] == 0 else (x[i, k], cols)
    entry = sympy.Product(inner, (k, 0, count - 1))
    shape = (1, cols) if node.params[0] == 0 else (rows, 1)
    return sympy.FunctionMatrix(*shape, sympy.Lambda((i, j), entry))


def _torch(node: Node, args: Any, size: Any) -> str:
    if node.params:
        return f"{args[0]}.prod({axes_text(node.params)}, keepdim=True)"
    return f"{args[0]}.prod(-1, keepdim=True).prod(-2, keepdim=True)"


def _numpy(node: Node, args: Any, size: Any) -> str:
    return f"{args[0]}.prod({axes_text(node.params)}, keepdims=True)"


define(
    Operator(
        "prod",
        says="the product of all entries; prod(X, 0) the row of column products, prod(X, 1) the column of row products",
        source="Petersen & Pedersen 2012, The Matrix Cookbook, sec. 2",
        signatures=reduced_signatures(),
        call=lambda x, axis=None: build.apply("prod", x, params=() if axis is None else (axis,)),
        shape=keep_dims,
        differential=_rule,
        simplify=_simplify,
        bounds=_bounds,
        facts=lambda node: node.args[0].facts & {"positive", "nonnegative", "nonzero"},
        latex=lambda node, pieces, size: call("prod", pieces[0].body, below=axis_name(node.params)),
        written=written_along("prod"),
        exact=True,
        reference=lambda node, args, size: args[0].prod(axis=along(node.params), keepdims=True),
        sympy=_image,
        lowers=Lowering(torch=_torch, numpy=_numpy, jax=_numpy),
        samples=(
            Sample("prod(x)", {"x": "vector(n; positive)"}),
            Sample("prod(x)^2", {"x": "vector(4; nonzero)"}),
            Sample("prod(x)^2", {"x": "vector(4)"}),
            Sample("prod(A*X - B)", {"A": "matrix(2, 3)", "B": "matrix(2, 2)"}),
            Sample("sum(square(prod(X, 1)))"),
            Sample("sum(square(prod(X, 0)))", {"X": "matrix(m, n; nonzero)"}),
            Sample("sum(exp(prod(X, 1)))", {"X": "matrix(m, n; nonzero)"}),
        ),
        errors=(("prod(X, 2)", "prod"),),
    )
)
define(
    Operator(
        "prod_others",
        says="for each entry the product of all other entries; prod_others(X, 0) of those in its column, "
        "prod_others(X, 1) of those in its row",
        source="Griewank 1989, On automatic differentiation (Speelpenning's product)",
        signatures=("(m,n) -> (m,n)", "(m,n), 0 -> (m,n)", "(m,n), 1 -> (m,n)"),
        call=lambda x, axis=None: build.apply("prod_others", x, params=() if axis is None else (axis,)),
        shape=lambda args, params: args[0].shape,
        differential=_others_rule,
        simplify=_others_simplify,
        bounds=lambda node, args: _fewer(args[0], _count(node), 1),
        facts=lambda node: node.args[0].facts & {"positive", "nonnegative", "nonzero"},
        domain={0: "nonzero"},
        latex=lambda node, pieces, size: call("prod_others", pieces[0].body, below=axis_name(node.params)),
        written=written_along("prod_others"),
        exact=True,
        reference=_others_reference,
        sympy=_others_image,
        lowers=Lowering(
            torch=_others_text,
            numpy=_others_text,
            jax=_others_text,
            helpers=functions("_others", texts={"_others": _OTHERS}),
        ),
        samples=(
            Sample("sum(exp(prod_others(x)))", {"x": "vector(4; nonzero)"}),
            Sample("norm2(prod_others(X, 0).*A)^2", {"X": "matrix(m, n; nonzero)"}),
            Sample("sum(sin(prod_others(X, 1)))", {"X": "matrix(3, 2; nonzero)"}),
        ),
    )
)
define(
    Operator(
        "prod_pairs",
        says="for each two entries of a vector the product of all other entries, and 0 on the diagonal",
        source="Griewank & Walther 2008, Evaluating Derivatives (Speelpenning's product)",
        signatures=("(n,1) -> (n,n)",),
        differential=_pairs_rule,
        bounds=lambda node, args: _fewer(args[0], _count(node), 2) | exactly(0),
        facts=lambda node: frozenset({"symmetric"}),
        domain={0: "nonzero"},
        latex=lambda node, pieces, size: call("prod_pairs", pieces[0].body),
        reference=_pairs_reference,
        sympy=_pairs_image,
        lowers=Lowering(
            torch="_pairs({0})",
            numpy="_pairs({0})",
            jax="_pairs({0})",
            helpers=functions("_pairs", texts={"_pairs": _PAIRS}),
        ),
        samples=(
            Sample("y'*prod_pairs(x)*y", {"x": "vector(4; nonzero)"}),
            Sample("sum(exp(prod_pairs(x)))", {"x": "vector(3; nonzero)"}),
        ),
    )
)
