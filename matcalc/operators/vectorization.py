"""The entries of a matrix in another shape: vec, its inverse, and reshape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import hull
from matcalc.expression.formula import call
from matcalc.expression.indexed import Indexed, axes_of
from matcalc.expression.nodes import interned
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.rearrangement import multiple_outside, signs_kept
from matcalc.operators.structure_matrices import commutation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matcalc.expression.indexed import Letters
    from matcalc.expression.nodes import Node
    from matcalc.expression.sizes import AnySize, Shape


def _same_count(argument: Shape, result: Shape) -> tuple[AnySize, AnySize]:
    """As many entries."""
    return argument[0] * argument[1], result[0] * result[1]


def _entries_image(node: Node, entry: Any, size: Any) -> Any:
    """The SymPy matrix of the node's shape with ``entry(i, j)`` at i, j."""
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry(i, j)))


def vec(x: Node) -> Node:
    """The columns of a matrix, one under the other."""
    return build.apply("vec", x)


def unvec(v: Node, shape: Shape) -> Node:
    """The matrix of a shape whose vec is a vector."""
    return build.apply("unvec", v, params=shape)


# -------------------------------------------------------------------------------------------------------- vec


def _vec_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.cols == 1:
        return arg
    if arg.rows == 1:
        return arg.T
    if arg.op in ("ones", "zeros"):
        return interned(arg.op, (), (), (arg.rows * arg.cols, 1))
    return multiple_outside("vec", arg)


def _vec_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    """vec(X)[(i, j)] = X[i, j]."""
    axes = tuple(size for size in node.args[0].shape if size != 1)
    down = len(axes_of(node.args[0].rows))
    return Indexed(axes, (), lambda rows, cols: args[0].entry(rows[:down], rows[down:]))


def _image_vec(node: Node, args: Any, size: Any) -> Any:
    import sympy

    rows = size(node.args[0].rows)
    return _entries_image(node, lambda i, j: args[0][sympy.Mod(i, rows), sympy.floor(i / rows)], size)


define(
    Operator(
        "vec",
        says="the columns of a matrix, one under the other",
        source="Magnus & Neudecker 2019, ch. 2.4",
        signatures=("(m,n) -> (m*n,1)",),
        transpose=lambda node, i, u: build.apply("unvec", u, params=node.args[0].shape),
        indexed=_vec_indexed,
        matrix=lambda node, i, J: J,
        simplify=_vec_simplify,
        facts=signs_kept,
        bounds=hull,
        exact=True,
        reference=lambda node, args, size: args[0].reshape(-1, 1, order="F"),
        sympy=_image_vec,
        lowers=Lowering(
            torch="{0:a}.mT.flatten(-2)[..., None]",
            numpy="np.swapaxes({0}, -1, -2).reshape(*{0:a}.shape[:-2], {rows}, 1)",
            jax="{0:a}.mT.reshape(*{0:a}.shape[:-2], {rows}, 1)",
        ),
        latex=r"\operatorname{{vec}}({0})",
        samples=(Sample("vec(A*X*B)'*vec(C)"), Sample("sum(square(vec(X)))")),
    )
)

# ------------------------------------------------------------------------------------------------------ unvec


def _unvec_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if params[1] == 1:
        return arg
    if arg.op == "vec" and arg.args[0].shape == params:
        return arg.args[0]
    if arg.op in ("ones", "zeros"):
        return interned(arg.op, (), (), params)
    return multiple_outside("unvec", arg, params)


def _image_unvec(node: Node, args: Any, size: Any) -> Any:
    return _entries_image(node, lambda i, j: args[0][i + j * size(node.rows), 0], size)


def _reshaped_text(arg: str, rows: str, cols: str) -> str:
    return f"{arg}.reshape(*{arg}.shape[:-2], {rows}, {cols})"


def _unvec_text(swap: str) -> Any:
    return lambda node, args, size: swap.format(_reshaped_text(args[0], size(node.cols), size(node.rows)))


def _shaped_formula(name: str) -> Any:
    return lambda node, pieces, size: call(name, pieces[0].body, below=rf"{size(node.rows)} \times {size(node.cols)}")


define(
    Operator(
        "unvec",
        says="the m×n matrix whose columns, one under the other, are a vector",
        source="Magnus & Neudecker 2019, ch. 2.4",
        signatures=("(k,1), size m, size n -> (m,n)",),
        balance=_same_count,
        call=lambda v, m, n: build.apply("unvec", v, params=(m, n)),
        shape=lambda args, params: params,
        transpose=lambda node, i, u: build.apply("vec", u),
        matrix=lambda node, i, J: J,
        simplify=_unvec_simplify,
        facts=signs_kept,
        bounds=hull,
        exact=True,
        reference=lambda node, args, size: args[0].reshape(size(node.rows), size(node.cols), order="F"),
        sympy=_image_unvec,
        lowers=Lowering(
            torch=_unvec_text("{}.mT"),
            numpy=_unvec_text("np.swapaxes({}, -1, -2)"),
            jax=_unvec_text("{}.mT"),
        ),
        latex=_shaped_formula("unvec"),
        written=lambda node, args, size: f"unvec({args[0]}, {size(node.rows)}, {size(node.cols)})",
    )
)

# ---------------------------------------------------------------------------------------------------- reshape


def _reshape_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.shape == params:
        return arg
    if arg.op in ("ones", "zeros"):
        return interned(arg.op, (), (), params)
    return multiple_outside("reshape", arg, params)


def _image_reshape(node: Node, args: Any, size: Any) -> Any:
    import sympy

    matrix = sympy.Matrix([[args[0]]]) if node.args[0].is_scalar else args[0]
    cols, width = size(node.cols), size(node.args[0].cols)

    def entry(i: Any, j: Any) -> Any:
        place = i * cols + j
        return matrix[sympy.floor(place / width), sympy.Mod(place, width)]

    return _entries_image(node, entry, size)


def _reshape_matrix(node: Node, i: int, J: Node) -> Node:
    """The rows one after the other are vec of the transpose, on both sides."""
    return build.product(commutation(node.cols, node.rows), commutation(*node.args[0].shape), J)


def _reshape_text(node: Node, args: Any, size: Any) -> str:
    return _reshaped_text(args[0], size(node.rows), size(node.cols))


define(
    Operator(
        "reshape",
        says="the entries, read row by row, in another shape",
        source="Harris et al. 2020, Array programming with NumPy",
        signatures=("(p,q), size m, size n -> (m,n)",),
        balance=_same_count,
        call=lambda x, m, n: build.apply("reshape", x, params=(m, n)),
        shape=lambda args, params: params,
        transpose=lambda node, i, u: build.apply("reshape", u, params=node.args[0].shape),
        matrix=_reshape_matrix,
        simplify=_reshape_simplify,
        facts=signs_kept,
        bounds=hull,
        exact=True,
        reference=lambda node, args, size: args[0].reshape(size(node.rows), size(node.cols)),
        sympy=_image_reshape,
        lowers=Lowering(torch=_reshape_text, numpy=_reshape_text, jax=_reshape_text),
        latex=_shaped_formula("reshape"),
        written=lambda node, args, size: f"reshape({args[0]}, {size(node.rows)}, {size(node.cols)})",
        samples=(Sample("norm2(reshape(X, 2, 6) - B)^2", {"X": "matrix(3, 4)"}),),
    )
)
