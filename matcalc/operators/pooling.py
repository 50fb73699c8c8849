"""Pooling with the window as stride: over pieces of k entries of a vector, or k×k blocks of a matrix.

Entries that fill no window are dropped, as torch does: where sizes are numbers, the operators here see an argument cut
to whole windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import hull
from matcalc.expression.operator import Operator, Sample, define
from matcalc.operators import windows

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Goodfellow et al. 2016, sec. 9.3"


def _call(name: str) -> Any:
    return lambda x, k: build.apply(name, windows.whole_windows(name, x, k), params=(k,))


def _simplified(name: str, args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    """A window of one entry is the entry; the blocks of a transpose are those of the matrix, transposed."""
    if params[0] == 1:
        return args[0]
    if args[0].op == "transpose" and name.endswith("2d"):
        return build.apply(name, args[0].args[0], params=params).T
    return None


def _signature(name: str) -> str:
    return "(k*m,1), size k -> (m,1)" if name.endswith("1d") else "(k*m,k*n), size k -> (m,n)"


def _shape(name: str) -> Any:
    return lambda args, params: windows.pooled_shape(name, args[0].shape, params[0])


def _over_windows(action: str) -> Any:
    """A reduction of each window, as code: all three libraries call it alike."""

    def text(target: str) -> Any:
        found = f"{action}.values" if target == "torch" and action.startswith("max") else action
        return lambda node, args, size: f"{windows.blocks_text(target, args[0], node, node.shape, size)}.{found}"

    return text


# ------------------------------------------------------------------------------------------------------- means


def _spread_over_windows(node: Node, i: int, u: Node) -> Node:
    """The mean over a window of k entries sends u/k to each of them: u ⊗ 1 over k."""
    high, wide = windows.window(node.op, node.params[0])
    return build.divide(build.apply("kron", u, build.ones(high, wide)), build.number(high * wide))


def _mean_matrix(node: Node, i: int, J: Node) -> Node:
    """(I ⊗ 1')·U·(I ⊗ 1) over the number of entries in a window."""
    high, wide = windows.window(node.op, node.params[0])
    down = build.apply("kron", build.eye(node.rows), build.ones(1, high))
    across = build.apply("kron", build.eye(node.cols), build.ones(1, wide))
    return build.divide(build.apply("kron", across, down) @ J, build.number(high * wide))


def _mean_reference(node: Node, args: Any, size: Any) -> Any:
    found = windows.blocks(node, args[0])
    return found.sum(axis=2) / found.shape[2]


def _mean_image(node: Node, args: Any, size: Any) -> Any:
    def entry(i: Any, j: Any) -> Any:
        import sympy

        found = windows.entries(node, args[0], i, j)
        return sympy.Add(*found) / len(found)

    return windows.image(node, size, entry)


def _average(name: str, *samples: Sample) -> None:
    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        return _simplified(name, args, params) or windows.multiple_out(name, args, params)

    define(
        Operator(
            name,
            says="the mean of each window; the window is the stride",
            source=_SOURCE,
            signatures=(_signature(name),),
            trims=True,
            misfit=windows.misfit(name),
            call=_call(name),
            shape=_shape(name),
            differential=lambda node, i, d: build.apply(name, d, params=node.params),
            transpose=_spread_over_windows,
            matrix=_mean_matrix,
            simplify=simplify,
            facts=lambda node: node.args[0].facts & {"positive", "nonnegative"},
            bounds=hull,
            exact=True,
            reference=_mean_reference,
            sympy=_mean_image,
            written=windows.written,
            lowers=windows.spelled(_over_windows("mean(-1)")),
            samples=samples,
        )
    )


# ------------------------------------------------------------------------------------------------------ maxima


def _max_image(node: Node, args: Any, size: Any) -> Any:
    def entry(i: Any, j: Any) -> Any:
        import sympy

        return sympy.Max(*windows.entries(node, args[0], i, j))

    return windows.image(node, size, entry)


def _maximum(name: str, pick: str, *samples: Sample) -> None:
    define(
        Operator(
            name,
            says="the largest entry of each window, in derivatives the first of several; the window is the stride",
            source=_SOURCE,
            signatures=(_signature(name),),
            trims=True,
            misfit=windows.misfit(name),
            call=_call(name),
            shape=_shape(name),
            differential=lambda node, i, d: build.apply(pick, d, node.args[0], params=node.params),
            simplify=lambda args, params: _simplified(name, args, params),
            facts=lambda node: node.args[0].facts & {"positive", "nonnegative", "nonzero"},
            bounds=hull,
            ties=windows.gaps(0),
            reference=lambda node, args, size: windows.blocks(node, args[0]).max(axis=2),
            sympy=_max_image,
            written=windows.written,
            lowers=windows.spelled(_over_windows("max(-1)")),
            samples=samples,
        )
    )


_average(
    "avgpool1d",
    Sample("sum(square(avgpool1d(x, 3)))"),
    Sample("norm2(avgpool1d(x, 2) - y)^2", {"x": "vector(7)"}),
)
_average(
    "avgpool2d",
    Sample("sum(square(avgpool2d(X, 2)))"),
    Sample("norm2(avgpool2d(X, 2) - Y)^2", {"X": "matrix(5, 7)"}),
)
_maximum(
    "maxpool1d",
    "maxpick1d",
    Sample("sum(square(maxpool1d(x, 3)))"),
    Sample("norm2(maxpool1d(x, 2) - y)^2", {"x": "vector(7)"}),
)
_maximum(
    "maxpool2d",
    "maxpick2d",
    Sample("sum(square(maxpool2d(X, 2)))"),
    Sample("sum(A.*tanh(maxpool2d(X, 2)))", {"X": "matrix(5, 7)"}),
)
