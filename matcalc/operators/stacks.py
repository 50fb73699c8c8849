"""Matrices made of others, one under the other or side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import hull
from matcalc.expression.formula import stacked
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.sizes import AnySize, Shape
from matcalc.operators.rearrangement import signs_kept

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_AXES = {"vstack": 0, "hstack": 1}
_TURNED = {"vstack": "hstack", "hstack": "vstack"}


def _extent(args: Sequence[Node], axis: int) -> AnySize:
    """How many rows (axis 0) or columns (axis 1) all of them have together."""
    total: AnySize = 0
    for arg in args:
        total = total + arg.shape[axis]
    return total


def _shape(axis: int, args: tuple[Node, ...]) -> Shape:
    total = _extent(args, axis)
    return (total, args[0].cols) if axis == 0 else (args[0].rows, total)


def _call(name: str, args: tuple[Node, ...]) -> Node:
    flat = [inner for arg in args for inner in (arg.args if arg.op == name else (arg,))]
    return flat[0] if len(flat) == 1 else build.apply(name, *flat)


def _rule(node: Node, i: int, d: Node) -> Node:
    axis = _AXES[node.op]
    start = _extent(node.args[:i], axis)
    corner = (start, 0) if axis == 0 else (0, start)
    return build.apply("placed", d, params=(*corner, *node.shape))


def _transpose(node: Node, i: int, u: Node) -> Node:
    axis = _AXES[node.op]
    start, stop = _extent(node.args[:i], axis), _extent(node.args[: i + 1], axis)
    block = (start, stop, 0, node.cols) if axis == 0 else (0, node.rows, start, stop)
    return build.apply("index", u, params=block)


def _reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.concatenate(args, axis=_AXES[node.op])


def _image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    parts = [sympy.Matrix([[a]]) if arg.is_scalar else a for arg, a in zip(node.args, args, strict=True)]
    return sympy.BlockMatrix([[part] for part in parts] if node.op == "vstack" else [parts])


def _spelled(call: str, keyword: str, expanded: str) -> Any:
    def text(node: Node, args: Any, size: Any) -> str:
        """A constant part gets the leading axes of the others, which joining does not broadcast."""
        moving = next((a for arg, a in zip(node.args, args, strict=True) if arg.free), None)
        parts = [
            a if arg.free or moving is None else expanded.format(a, moving, *map(size, arg.shape))
            for arg, a in zip(node.args, args, strict=True)
        ]
        return f"{call}(({', '.join(parts)},), {keyword}={_AXES[node.op] - 2})"

    return text


def _stack(name: str, says: str) -> None:
    define(
        Operator(
            name,
            says=says,
            source="Golub & Van Loan 2013, ch. 1.3",
            signatures=("(m,n)... -> (m,n)",),
            stacks=_AXES[name],
            call=lambda *args: _call(name, args),
            shape=lambda args, params: _shape(_AXES[name], args),
            differential=_rule,
            transpose=_transpose,
            transposed=lambda node: build.apply(_TURNED[name], *(arg.T for arg in node.args)),
            facts=signs_kept,
            bounds=hull,
            exact=True,
            reference=_reference,
            sympy=_image,
            lowers=Lowering(
                torch=_spelled("torch.cat", "dim", "{0}.expand(*{1}.shape[:-2], -1, -1)"),
                numpy=_spelled("np.concatenate", "axis", "np.broadcast_to({0}, (*{1}.shape[:-2], {2}, {3}))"),
                jax=_spelled("jnp.concatenate", "axis", "jnp.broadcast_to({0}, (*{1}.shape[:-2], {2}, {3}))"),
            ),
            latex=lambda node, pieces, size: stacked(pieces, [arg.shape for arg in node.args], _AXES[node.op]),
            samples=(
                Sample(f"norm2({name}(A, X))^2", {"A": "matrix(3, 3)", "X": "matrix(3, 3)"}),
                Sample(f"sum(exp({name}(a, b, a*b)))"),
                Sample(f"sum(square({name}(1, a, exp(a))))"),
            ),
        )
    )


_stack("vstack", "the arguments one under the other")
_stack("hstack", "the arguments side by side")
