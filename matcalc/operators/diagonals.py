"""The diagonal matrix of a vector, and the diagonal of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import NOT_NEGATIVE, hull_with_zero
from matcalc.expression.indexed import Indexed, deltas, multiplied
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.rearrangement import multiple_outside, signs_kept
from matcalc.operators.structure_matrices import diagonalization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matcalc.expression.indexed import Letters
    from matcalc.expression.nodes import Node

# ------------------------------------------------------------------------------------------ diag, of a vector


def _diag_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.cols != 1:
        return build.apply("diagonal", arg) if arg.is_square else None
    if arg.op == "ones":
        return build.eye(arg.rows)
    if build.is_zero(arg):
        return build.zeros(arg.rows, arg.rows)
    if arg.op == "diagonal" and "diagonal" in arg.args[0].facts:
        return arg.args[0]
    return arg if arg.is_scalar else multiple_outside("diag", arg)


def _diag_joins(left: Node, right: Node) -> Node | None:
    """diag(v)·x = v⊙x for a column, diag(v)·diag(w) = diag(v⊙w)."""
    if left.op == right.op == "diag":
        return build.apply("diag", build.times(left.args[0], right.args[0]))
    if left.op == "diag" and right.cols == 1:
        return build.times(left.args[0], right)
    if right.op == "diag" and left.rows == 1:
        return build.times(left, right.args[0].T)
    return None


def _diag_facts(node: Node) -> frozenset[str]:
    facts = {"diagonal", "symmetric", "lower", "upper"}
    entries = node.args[0].facts
    if "nonzero" in entries:
        facts.add("invertible")
    if "nonnegative" in entries:
        facts.add("psd")
    if "positive" in entries:
        facts |= {"posdef", "invertible"}
    return frozenset(facts)


def _diag_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    """diag(v)[i, j] = v[i]·δ[i, j]."""
    axes = args[0].rows
    return Indexed(axes, axes, lambda rows, cols: multiplied(args[0].entry(rows, ()), deltas(rows, cols)))


def _diag_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.diagflat(args[0])


def _image_diag(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.DiagMatrix(args[0])


define(
    Operator(
        "diag",
        says="the diagonal matrix of a vector; of a square matrix, the vector of its diagonal",
        source="Magnus & Neudecker 2019, ch. 1",
        signatures=("(n,1) -> (n,n)", "(n,n) -> (n,1)"),
        transpose=lambda node, i, u: build.apply("diagonal", u),
        matrix=lambda node, i, J: diagonalization(node.rows) @ J,
        indexed=_diag_indexed,
        named_entries=True,
        simplify=_diag_simplify,
        joins=_diag_joins,
        facts=_diag_facts,
        bounds=hull_with_zero,
        exact=True,
        reference=_diag_reference,
        sympy=_image_diag,
        lowers=Lowering(
            role="diagonal",
            torch="torch.diag_embed({0:a}[..., 0])",
            numpy="np.where(np.eye({rows}, dtype=bool), {0}, 0)",
            jax="jnp.where(jnp.eye({rows}, dtype=bool), {0}, 0)",
        ),
        latex=r"\operatorname{{diag}}({0})",
        samples=(
            Sample("norm2(diag(x) - A)^2"),
            Sample("x'*diag(y)*x"),
            Sample("logdet(L*L' + diag(p))", {"L": "matrix(3, 2)", "p": "vector(3; positive)"}),
            Sample("sum(square(diag(X)))", {"X": "matrix(n, n)"}),
        ),
        errors=(("let A: matrix(2,3); sum(diag(A))", "diag"),),
    )
)

# -------------------------------------------------------------------------------------- diagonal, of a matrix


def _diagonal_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.is_scalar:
        return arg
    if arg.op in ("eye", "ones"):
        return build.ones(arg.rows, 1)
    if build.is_zero(arg):
        return build.zeros(arg.rows, 1)
    if arg.op == "diag":
        return arg.args[0]
    if arg.op == "transpose":
        return build.apply("diagonal", arg.args[0])
    if arg.op == "inv" and arg.facts & {"lower", "upper"}:
        return build.power(build.apply("diagonal", arg.args[0]), build.number(-1))
    if arg.op == "product" and (outer := _outer(arg)) is not None:
        return build.times(*outer)
    if arg.op == "product" and arg.args[-1].op == "diag":
        return build.times(build.apply("diagonal", build.product(*arg.args[:-1])), arg.args[-1].args[0])
    return multiple_outside("diagonal", arg)


def _outer(arg: Node) -> tuple[Node, Node] | None:
    """x and y where the product is x·y', both columns."""
    for k in range(1, len(arg.args)):
        if arg.args[k].rows == 1:
            return build.product(*arg.args[:k]), build.product(*arg.args[k:]).T
    return None


def _diagonal_reference(node: Node, args: Any, size: Any) -> Any:
    return args[0].diagonal().reshape(-1, 1).copy()


def _image_diagonal(node: Node, args: Any, size: Any) -> Any:
    import sympy

    n = size(node.rows)
    return sympy.MatMul(sympy.HadamardProduct(sympy.Identity(n), args[0]), sympy.OneMatrix(n, 1))


define(
    Operator(
        "diagonal",
        says="the diagonal of a square matrix as a vector, written diag(X)",
        source="Magnus & Neudecker 2019, ch. 1",
        notation=True,
        shape=lambda args, params: (args[0].rows, 1),
        transpose=lambda node, i, u: build.apply("diag", u),
        matrix=lambda node, i, J: diagonalization(node.rows).T @ J,
        simplify=_diagonal_simplify,
        facts=signs_kept,
        bounds=lambda node, args: args[0] & NOT_NEGATIVE if "psd" in node.args[0].facts else args[0],
        exact=True,
        reference=_diagonal_reference,
        sympy=_image_diagonal,
        lowers=Lowering(
            torch="{0:a}.diagonal(dim1=-2, dim2=-1)[..., None]",
            numpy="np.diagonal({0}, axis1=-2, axis2=-1)[..., None]",
            jax="jnp.diagonal({0}, axis1=-2, axis2=-1)[..., None]",
        ),
        latex=r"\operatorname{{diag}}({0})",
        written=lambda node, args, size: f"diag({args[0]})",
        samples=(Sample("sum(exp(diag(X*Y)))"),),
    )
)
