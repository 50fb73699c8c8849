"""The cross product and the skew-symmetric matrix that stands for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import exactly
from matcalc.expression.formula import Formula, infix
from matcalc.expression.nodes import interned
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Barfoot 2017, State Estimation for Robotics, sec. 6.1"
_THREE = {"x": "vector(3)", "y": "vector(3)", "b": "vector(3)"}


def _cross_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    x, y = args
    if x is y or build.is_zero(x) or build.is_zero(y):
        return build.zeros(3, 1)
    for k, arg in enumerate(args):
        if arg.op == "scale":
            others = (arg.args[1], y) if k == 0 else (x, arg.args[1])
            return build.multiply(arg.args[0], build.apply("cross", *others))
    return None


def _column(values: Any) -> Any:
    import numpy as np

    return np.array([[v] for v in values], dtype=object)


def _cross(node: Node, args: Any, size: Any) -> Any:
    (a, b, c), (p, q, r) = (arg[:, 0] for arg in args)
    return _column((b * r - c * q, c * p - a * r, a * q - b * p))


def _skew(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    a, b, c = args[0][:, 0]
    zero = 0 * a
    return np.array([[zero, -c, b], [c, zero, -a], [-b, a, zero]], dtype=object)


def _axial(node: Node, args: Any, size: Any) -> Any:
    u = args[0]
    return _column((u[2, 1] - u[1, 2], u[0, 2] - u[2, 0], u[1, 0] - u[0, 1]))


def _entries(matrix: Any, cols: Any) -> Any:
    import numpy as np

    rows: Any = [[matrix[i, j] for j in range(cols)] for i in range(3)]
    return np.array(rows, dtype=object)


def _image(evaluate: Any) -> Any:
    """The same arithmetic on SymPy's entries."""

    def image(node: Node, args: Any, size: Any) -> Any:
        import sympy

        entries = [_entries(arg, of.cols) for of, arg in zip(node.args, args, strict=True)]
        return sympy.ImmutableMatrix(evaluate(node, entries, size).tolist())

    return image


def _joins(left: Node, right: Node) -> Node | None:
    """skew(x)·y = x × y."""
    if left.op == "skew" and right.cols == 1:
        return build.apply("cross", left.args[0], right)
    return None


def _cross_matrix(node: Node, i: int, J: Node) -> Node:
    """x × y = skew(x)·y = -skew(y)·x."""
    turned = build.apply("skew", node.args[1 - i])
    return (turned if i == 1 else -turned) @ J


def _generators() -> Node:
    """The columns of skew(u) are u × e = -skew(e)·u, one under the other."""
    units = (interned("basis", (), (k,), (3, 1)) for k in range(3))
    return -build.apply("vstack", *(build.apply("skew", unit) for unit in units))


def _axial_text(node: Node, args: Any, size: Any) -> str:
    u = args[0]
    pairs = ("2, 1", "1, 2"), ("0, 2", "2, 0"), ("1, 0", "0, 1")
    return ", ".join(f"{u}[..., {p}] - {u}[..., {q}]" for p, q in pairs)


define(
    Operator(
        "cross",
        says="the cross product of two vectors of length 3",
        source=_SOURCE,
        signatures=("(3,1), (3,1) -> (3,1)",),
        transpose=lambda node, i, u: build.apply("cross", *((node.args[1], u) if i == 0 else (u, node.args[0]))),
        matrix=_cross_matrix,
        simplify=_cross_simplify,
        bounds=lambda node, args: args[0] * args[1] - args[0] * args[1],
        exact=True,
        reference=_cross,
        sympy=_image(_cross),
        lowers=Lowering(
            torch="torch.linalg.cross(*torch.broadcast_tensors({0}, {1}), dim=-2)",
            numpy="np.cross({0}, {1}, axis=-2)",
            jax="jnp.cross({0}, {1}, axis=-2)",
        ),
        latex=lambda node, pieces, size: infix(r"\times", *pieces),
        samples=(Sample("b'*cross(x, y)", _THREE), Sample("norm2(cross(x, A*x))^2")),
        errors=(("let x: vector(4); sum(cross(x, x))", "cross"),),
    )
)
define(
    Operator(
        "skew",
        says="the matrix with skew(x)*y = cross(x, y)",
        source=_SOURCE,
        signatures=("(3,1) -> (3,3)",),
        transpose=lambda node, i, u: build.apply("axial", u),
        matrix=lambda node, i, J: _generators() @ J,
        simplify=lambda args, params: (
            build.multiply(args[0].args[0], build.apply("skew", args[0].args[1])) if args[0].op == "scale" else None
        ),
        joins=_joins,
        facts=lambda node: frozenset({"skew"}),
        bounds=lambda node, args: args[0] | -args[0] | exactly(0),
        exact=True,
        reference=_skew,
        sympy=_image(_skew),
        lowers=Lowering(
            torch="torch.linalg.cross(*torch.broadcast_tensors({0}, torch.eye(3, {like})), dim=-2)",
            numpy="np.cross({0}, np.eye(3, {like}), axis=-2)",
            jax="jnp.cross({0}, jnp.eye(3, {like}), axis=-2)",
        ),
        latex=lambda node, pieces, size: Formula(rf"\left[{pieces[0].body}\right]_\times", ATOM),
        samples=(Sample("b'*skew(x)*y", _THREE), Sample("sum(A.*skew(x))"), Sample("tr(B*skew(x)*skew(x))")),
    )
)
define(
    Operator(
        "axial",
        says="of a 3×3 matrix U, the vector (U32 - U23, U13 - U31, U21 - U12): what skew sends back",
        source=_SOURCE,
        signatures=("(3,3) -> (3,1)",),
        transpose=lambda node, i, u: build.apply("skew", u),
        matrix=lambda node, i, J: _generators().T @ J,
        simplify=lambda args, params: build.zeros(3, 1) if "symmetric" in args[0].facts else None,
        bounds=lambda node, args: args[0] - args[0],
        exact=True,
        reference=_axial,
        sympy=_image(_axial),
        lowers=Lowering(
            torch=lambda node, args, size: f"torch.stack(({_axial_text(node, args, size)}), -1)[..., None]",
            numpy=lambda node, args, size: f"np.stack(({_axial_text(node, args, size)}), -1)[..., None]",
            jax=lambda node, args, size: f"jnp.stack(({_axial_text(node, args, size)}), -1)[..., None]",
        ),
        samples=(Sample("norm2(axial(X))^2"),),
    )
)
