"""The lower and the upper triangle of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import hull_with_zero
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.rearrangement import multiple_outside

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_KEPT = {"tril": "lower", "triu": "upper"}
_TURNED = {"tril": "triu", "triu": "tril"}


def _simplify(name: str, arg: Node) -> Node | None:
    if {_KEPT[name], "diagonal"} & arg.facts or arg.is_scalar or build.is_zero(arg):
        return arg
    if _KEPT[_TURNED[name]] in arg.facts:
        return build.apply("diag", build.apply("diagonal", arg))
    return multiple_outside(name, arg)


def _mask(node: Node) -> Node:
    """Ones where entries are kept."""
    return build.apply(node.op, build.ones(*node.shape))


def _reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return {"tril": np.tril, "triu": np.triu}[node.op](args[0])


def _image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    keep = i >= j if node.op == "tril" else i <= j
    entry = sympy.Lambda((i, j), sympy.Piecewise((1, keep), (0, True)))
    return sympy.HadamardProduct(sympy.FunctionMatrix(size(node.rows), size(node.cols), entry), args[0])


def _triangle(name: str) -> None:
    define(
        Operator(
            name,
            says=f"the {_KEPT[name]} triangle, zero elsewhere",
            source="Golub & Van Loan 2013, ch. 1.2",
            signatures=("(m,n) -> (m,n)",),
            transpose=lambda node, i, u: build.apply(name, u),
            matrix=lambda node, i, J: build.apply("diag", build.apply("vec", _mask(node))) @ J,
            transposed=lambda node: build.apply(_TURNED[name], node.args[0].T),
            simplify=lambda args, params: _simplify(name, args[0]),
            facts=lambda node: frozenset({_KEPT[name]} if node.is_square else ()),
            bounds=hull_with_zero,
            exact=True,
            reference=_reference,
            sympy=_image,
            lowers=Lowering(torch=f"torch.{name}({{0}})", numpy=f"np.{name}({{0}})", jax=f"jnp.{name}({{0}})"),
            latex=rf"\operatorname{{{{{name}}}}}({{0}})",
            samples=(Sample(f"norm2({name}(X))^2", {"X": "matrix(n, n)"}), Sample(f"sum({name}(A*X))")),
        )
    )


_triangle("tril")
_triangle("triu")
