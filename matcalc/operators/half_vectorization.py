"""vech: the lower triangle of a square matrix as a vector, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.bounds import hull, hull_with_zero
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.sizes import AnySize, Shape
from matcalc.operators.rearrangement import multiple_outside, signs_kept
from matcalc.operators.structure_matrices import triangle_places

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Magnus & Neudecker 2019, ch. 3.8"


def _triangle_count(argument: Shape, result: Shape) -> tuple[AnySize, AnySize]:
    return argument[0] * (argument[0] + 1), 2 * result[0]


def _unknown(name: str, n: AnySize) -> str:
    """Why a symbolic size will not do, or "": n(n + 1)/2 is no polynomial with whole coefficients, as sizes are."""
    written = {"vech": "X: matrix(3, 3)", "unvech": "unvech(x, 3, 3)"}[name]
    return "" if isinstance(n, int) else f"{name} needs a size that is a number, as in {written}"


def _known(n: AnySize, name: str = "vech") -> int:
    if not isinstance(n, int):
        raise UnsupportedError(_unknown(name, n))
    return n


def _misfit(shapes: Any, given: Any) -> str:
    rows, cols = shapes[0]
    return _unknown("vech", rows) if rows == cols else ""


def _shape(args: tuple[Node, ...], params: tuple[Any, ...]) -> Shape:
    n = _known(args[0].rows)
    return n * (n + 1) // 2, 1


def _simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.is_scalar:
        return arg
    if build.is_zero(arg):
        return build.zeros(*_shape(args, params))
    return multiple_outside("vech", arg)


def _unvech_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.is_scalar:
        return arg
    return build.zeros(*params) if build.is_zero(arg) else multiple_outside("unvech", arg, params)


def _reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.array([[args[0][place]] for place in triangle_places(len(args[0]))], dtype=object)


def _unvech_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    n = size(node.rows)
    made = np.full((n, n), 0 * args[0][0, 0], dtype=object)
    for k, place in enumerate(triangle_places(n)):
        made[place] = args[0][k, 0]
    return made


def _image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.ImmutableMatrix([args[0][place] for place in triangle_places(_known(node.args[0].rows))])


def _unvech_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    n = _known(node.rows)
    order = {place: k for k, place in enumerate(triangle_places(n))}
    return sympy.ImmutableMatrix(n, n, lambda i, j: args[0][order[i, j], 0] if (i, j) in order else 0)


def _spelled(array: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        rows, cols = zip(*triangle_places(_known(node.args[0].rows)), strict=True)
        return f"{args[0]}[..., {array.format(list(rows))}, {array.format(list(cols))}][..., None]"

    return spell


def _unvech_spelled(array: str, pad: str) -> Any:
    """Picked from the vector with a zero at its end."""

    def spell(node: Node, args: Any, size: Any) -> str:
        n = _known(node.rows)
        order = {place: k for k, place in enumerate(triangle_places(n))}
        table = [[order.get((i, j), len(order)) for j in range(n)] for i in range(n)]
        return f"{pad.format(args[0])}[..., {array.format(table)}, 0]"

    return spell


define(
    Operator(
        "vech",
        says="the lower triangle of a square matrix as a vector, column by column",
        source=_SOURCE,
        signatures=("(n,n) -> (p,1)",),
        balance=_triangle_count,
        misfit=_misfit,
        shape=_shape,
        transpose=lambda node, i, u: build.apply("unvech", u, params=node.args[0].shape),
        matrix=lambda node, i, J: build.apply("elimination", params=(node.args[0].rows,)) @ J,
        simplify=_simplify,
        facts=signs_kept,
        bounds=hull,
        exact=True,
        reference=_reference,
        sympy=_image,
        lowers=Lowering(torch=_spelled("{}"), numpy=_spelled("{}"), jax=_spelled("jnp.array({})")),
        samples=(
            Sample("b'*vech(X)", {"X": "matrix(3, 3)", "b": "vector(6)"}),
            Sample("norm2(vech(A*X))^2", {"X": "matrix(4, 3)", "A": "matrix(3, 4)"}),
            Sample("sum(exp(vech(S)))", {"S": "matrix(3, 3; symmetric)"}),
        ),
        errors=(
            ("let X: matrix(2,3); sum(vech(X))", "square"),
            ("let X: matrix(n,n); sum(vech(X))", "vech needs a size that is a number, as in X: matrix"),
            ("sum(vech(X))", "needs a size that is a number"),
        ),
    )
)
define(
    Operator(
        "unvech",
        says="unvech(v, n, n): the lower triangular matrix whose vech is v",
        source=_SOURCE,
        signatures=("(p,1), size n, size n -> (n,n)",),
        balance=lambda argument, result: _triangle_count(result, argument),
        misfit=lambda shapes, given: _unknown("unvech", given[0]),
        call=lambda v, m, n: build.apply("unvech", v, params=(m, n)),
        shape=lambda args, params: params,
        transpose=lambda node, i, u: build.apply("vech", u),
        matrix=lambda node, i, J: build.apply("elimination", params=(node.rows,)).T @ J,
        simplify=_unvech_simplify,
        facts=lambda node: frozenset({"lower"}),
        bounds=hull_with_zero,
        written=lambda node, args, size: f"unvech({args[0]}, {size(node.rows)}, {size(node.cols)})",
        exact=True,
        reference=_unvech_reference,
        sympy=_unvech_image,
        lowers=Lowering(
            torch=_unvech_spelled("{}", "torch.nn.functional.pad({0}, (0, 0, 0, 1))"),
            numpy=_unvech_spelled("{}", "np.concatenate(({0}, 0 * {0}[..., :1, :]), -2)"),
            jax=_unvech_spelled("jnp.array({})", "jnp.concatenate(({0}, 0 * {0}[..., :1, :]), -2)"),
        ),
        samples=(
            Sample("norm2(unvech(x, 3, 3)*b)^2", {"x": "vector(6)", "b": "vector(3)"}),
            Sample("norm2(unvech(x, n, n))^2", {"x": "vector(6)"}),
        ),
        errors=(("sum(unvech(x, n, n))", "unvech needs a size that is a number, as in unvech"),),
    )
)
