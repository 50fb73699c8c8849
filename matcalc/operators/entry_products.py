"""The product of entries, of all or along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.formula import axis_name, call
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.axes import along, axes_text, canonical, keep_dims, reduced_signatures, written_along

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def _rule(node: Node, i: int, d: Node) -> Node:
    """d Πx = Πx Σ dx/x, where no entry is zero."""
    x = node.args[0]
    relative = build.times(d, build.power(x, build.number(-1)))
    if not node.params:
        return node * build.apply("sum", relative)
    return build.times(node, build.apply("sum_along", relative, params=node.params))


def _simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    return build.number(1) if args[0].op == "ones" and not params else canonical("prod", args[0], params)


def _image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    x, (rows, cols) = args[0], (size(s) for s in node.args[0].shape)
    if not node.params:
        return sympy.Product(x[i, j], (i, 0, rows - 1), (j, 0, cols - 1))
    k = sympy.Symbol("k", integer=True)
    inner, count = (x[k, j], rows) if node.params[0] == 0 else (x[i, k], cols)
    entry = sympy.Product(inner, (k, 0, count - 1))
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))


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
        facts=lambda node: node.args[0].facts & {"positive", "nonnegative", "nonzero"},
        domain={0: "nonzero"},
        latex=lambda node, pieces, size: call("prod", pieces[0].body, below=axis_name(node.params)),
        written=written_along("prod"),
        reference=lambda node, args, size: args[0].prod(axis=along(node.params), keepdims=True),
        sympy=_image,
        lowers=Lowering(torch=_torch, numpy=_numpy, jax=_numpy),
        samples=(
            Sample("prod(x)", {"x": "vector(n; positive)"}),
            Sample("prod(x)^2", {"x": "vector(4; nonzero)"}),
            Sample("sum(square(prod(X, 0)))", {"X": "matrix(m, n; nonzero)"}),
            Sample("sum(exp(prod(X, 1)))", {"X": "matrix(m, n; nonzero)"}),
        ),
        errors=(("prod(X, 2)", "prod"),),
    )
)
