"""A block of a matrix, and a block in a matrix that is zero elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import hull, hull_with_zero
from matcalc.expression.formula import Formula, Grid
from matcalc.expression.nodes import interned
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM
from matcalc.expression.sizes import AnySize
from matcalc.operators.rearrangement import multiple_outside, signs_kept

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

# ------------------------------------------------------------ index: first row, end of rows, first column, end


def _index_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    """All of it is itself; a block of a multiple, a transpose or a block is one of what is inside."""
    arg = args[0]
    if params == (0, arg.rows, 0, arg.cols):
        return arg
    rows, cols = params[1] - params[0], params[3] - params[2]
    if arg.op in ("ones", "zeros"):
        return getattr(build, arg.op)(rows, cols)
    if arg.op == "transpose":
        return build.apply("index", arg.args[0], params=(*params[2:], *params[:2])).T
    if arg.op == "index":
        top, left = arg.params[0], arg.params[2]
        inner = (top + params[0], top + params[1], left + params[2], left + params[3])
        return build.apply("index", arg.args[0], params=inner)
    return multiple_outside("index", arg, params)


def _index_transpose(node: Node, i: int, u: Node) -> Node:
    return build.apply("placed", u, params=(node.params[0], node.params[2], *node.args[0].shape))


def _picked(n: AnySize, start: AnySize, stop: AnySize) -> Node:
    """The rows of the identity from ``start`` to ``stop``: what picks those of a matrix."""
    return build.eye(n) if (start, stop) == (0, n) else build.apply("index", build.eye(n), params=(start, stop, 0, n))


def _index_matrix(node: Node, i: int, J: Node) -> Node:
    r0, r1, c0, c1 = node.params
    rows, cols = node.args[0].shape
    if cols == 1:
        return build.apply("index", J, params=(r0, r1, 0, J.cols))
    return build.apply("kron", _picked(cols, c0, c1), _picked(rows, r0, r1)) @ J


def _placed_matrix(node: Node, i: int, J: Node) -> Node:
    top, left, rows, cols = node.params
    arg = node.args[0]
    if cols == 1:
        return build.apply("placed", J, params=(top, 0, rows, J.cols))
    picks = _picked(cols, left, left + arg.cols), _picked(rows, top, top + arg.rows)
    return build.apply("kron", picks[0].T, picks[1].T) @ J


def _from_the_end(end: AnySize, size: AnySize) -> AnySize:
    """An end that is no number, counted from the end where it is a number then: ``n - 1`` of n is -1."""
    back = end - size if end != size else size
    return end if isinstance(end, int) or not isinstance(back, int) else back


def _slice_text(start: AnySize, stop: AnySize, size: Any, whole: AnySize) -> str:
    if (start, stop) == (0, whole):
        return ":"
    single = stop - start == 1
    start, stop = (_from_the_end(end, whole) for end in (start, stop))
    if single:
        return size(start)
    return f"{'' if start == 0 else size(start)}:{'' if stop == whole else size(stop)}"


def _index_written(node: Node, args: Any, size: Any) -> str:
    r0, r1, c0, c1 = node.params
    arg = node.args[0]
    rows = _slice_text(r0, r1, size, arg.rows)
    if arg.cols == 1:
        return f"{args[0]}[{rows}]"
    return f"{args[0]}[{rows}, {_slice_text(c0, c1, size, arg.cols)}]"


def _index_formula(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
    place, base = _index_written(node, [""], size), pieces[0].within(ATOM)
    return Formula(f"{{{base}}}_{{{place}}}" if "_" in base else f"{base}_{{{place}}}", ATOM)


def _index_spelled(node: Node, args: Any, size: Any) -> str:
    r0, r1, c0, c1 = (size(p) for p in node.params)
    return f"{args[0]}[..., {r0}:{r1}, {c0}:{c1}]"


def _index_fits(node: Node, size: Any) -> bool:
    return all(size(node.params[k]) <= size(node.args[0].shape[k // 2]) for k in (1, 3))


def _index_reference(node: Node, args: Any, size: Any) -> Any:
    r0, r1, c0, c1 = (size(p) for p in node.params)
    return args[0][r0:r1, c0:c1]


def _image_index(node: Node, args: Any, size: Any) -> Any:
    from sympy.matrices.expressions.slice import MatrixSlice

    r0, r1, c0, c1 = (size(p) for p in node.params)
    return args[0][r0, c0] if node.is_scalar else MatrixSlice(args[0], (r0, r1, 1), (c0, c1, 1))


define(
    Operator(
        "index",
        says="an element, row, column or block; counted from 0, the end excluded",
        source="Golub & Van Loan 2013, ch. 1.1",
        notation=True,
        shape=lambda args, params: (params[1] - params[0], params[3] - params[2]),
        fits=_index_fits,
        transpose=_index_transpose,
        matrix=_index_matrix,
        simplify=_index_simplify,
        facts=signs_kept,
        bounds=hull,
        exact=True,
        reference=_index_reference,
        sympy=_image_index,
        lowers=Lowering(torch=_index_spelled, numpy=_index_spelled, jax=_index_spelled),
        postfix=True,
        written=_index_written,
        latex=_index_formula,
        samples=(
            Sample("x[0]*x[1]", {"x": "vector(4)"}),
            Sample("norm2(x[1:3])", {"x": "vector(4)"}),
            Sample("X[0,1]^2 + sum(exp(X[:,0])) + norm2(X[1,:])", {"X": "matrix(3, 4)"}),
            Sample("sum(square(X[0:2,1:3]))", {"X": "matrix(3, 4)"}),
        ),
    )
)

# --------------------------------------------------------- placed: first row, first column, rows, columns of all


def _placed_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if params == (0, 0, *arg.shape):
        return arg
    if build.is_zero(arg):
        return build.zeros(*params[2:])
    top, left, rows, cols = params
    if build.is_one(arg) and 1 in (rows, cols) and not (isinstance(top, int) and isinstance(left, int)):
        return None
    if arg.is_scalar:
        return build.multiply(arg, _unit(top, rows) @ _unit(left, cols).T)
    if arg.op == "scale":
        return multiple_outside("placed", arg, params)
    if arg.rows == 1 and arg.cols == cols and rows != 1:
        return _unit(top, rows) @ arg
    if arg.cols == 1 and arg.rows == rows and cols != 1:
        return arg @ _unit(left, cols).T
    return None


def _unit(i: AnySize, n: AnySize) -> Node:
    """The unit vector; where its place is no number it is a 1 between zeros, which is how it can be written."""
    if n == 1:
        return build.number(1)
    if isinstance(i, int):
        return interned("basis", (), (i,), (n, 1))
    return interned("placed", (build.number(1),), (i, 0, n, 1), (n, 1))


def _placed_transpose(node: Node, i: int, u: Node) -> Node:
    (top, left), arg = node.params[:2], node.args[0]
    return build.apply("index", u, params=(top, top + arg.rows, left, left + arg.cols))


def _placed_transposed(node: Node) -> Node:
    top, left, rows, cols = node.params
    return build.apply("placed", node.args[0].T, params=(left, top, cols, rows))


def _margins(node: Node) -> tuple[AnySize, AnySize, AnySize, AnySize]:
    """How many rows and columns of zeros there are above, below, left and right."""
    top, left, rows, cols = node.params
    arg = node.args[0]
    return top, rows - top - arg.rows, left, cols - left - arg.cols


def _placed_written(node: Node, args: Any, size: Any) -> str:
    above, below, left, right = _margins(node)
    height, width = node.args[0].rows, node.cols

    def zeros(rows: AnySize, cols: AnySize) -> str:
        if 0 in (rows, cols):
            return ""
        return f"zeros({size(rows)})" if cols == 1 else f"zeros({size(rows)}, {size(cols)})"

    wide = _stacked_text("hstack", zeros(height, left), args[0], zeros(height, right))
    return _stacked_text("vstack", zeros(above, width), wide, zeros(below, width))


def _placed_formula(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
    """The block with zeros around it where there is room."""
    (above, below, left, right), block = _margins(node), node.args[0]
    heights = [h for h in (above, block.rows, below) if h != 0]
    widths = [w for w in (left, block.cols, right) if w != 0]
    place = (int(above != 0), int(left != 0))
    cells = [[pieces[0].body if (i, j) == place else "0" for j in range(len(widths))] for i in range(len(heights))]
    return Grid(tuple(map(tuple, cells)), tuple(heights), tuple(widths)).formula()


def _stacked_text(name: str, *parts: str) -> str:
    there = [part for part in parts if part]
    return there[0] if len(there) == 1 else f"{name}({', '.join(there)})"


def _placed_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    top, left, rows, cols = (size(p) for p in node.params)
    made = np.zeros((rows, cols), dtype=object)
    made[top : top + args[0].shape[0], left : left + args[0].shape[1]] = args[0]
    return made


def _image_placed(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    top, left, rows, cols = (size(p) for p in node.params)
    arg = node.args[0]

    def shifted(high: Any, wide: Any, shift: Any) -> Any:
        return sympy.FunctionMatrix(high, wide, sympy.Lambda((i, j), sympy.KroneckerDelta(i, j + shift)))

    right = sympy.Transpose(shifted(cols, size(arg.cols), left))
    return sympy.MatMul(shifted(rows, size(arg.rows), top), args[0], right)


def _placed_torch(node: Node, args: Any, size: Any) -> str:
    above, below, left, right = map(size, _margins(node))
    return f"torch.nn.functional.pad({args[0]}, ({left}, {right}, {above}, {below}))"


def _placed_pad(module: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        above, below, left, right = map(size, _margins(node))
        return f"{module}.pad({args[0]}, [(0, 0)] * ({args[0]}.ndim - 2) + [({above}, {below}), ({left}, {right})])"

    return spell


define(
    Operator(
        "placed",
        says="a block in a matrix that is zero elsewhere",
        source="Golub & Van Loan 2013, ch. 1.1",
        notation=True,
        shape=lambda args, params: (params[2], params[3]),
        transpose=_placed_transpose,
        matrix=_placed_matrix,
        transposed=_placed_transposed,
        simplify=_placed_simplify,
        bounds=hull_with_zero,
        exact=True,
        reference=_placed_reference,
        sympy=_image_placed,
        lowers=Lowering(torch=_placed_torch, numpy=_placed_pad("np"), jax=_placed_pad("jnp")),
        latex=_placed_formula,
        written=_placed_written,
    )
)
