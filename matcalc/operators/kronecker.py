"""The Kronecker product, and the partial trace that is its adjoint in one factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.formula import Formula, infix
from matcalc.expression.indexed import Indexed, Term, axes_of, multiplied
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM, POWER
from matcalc.expression.sizes import Shape
from matcalc.operators.products import KEPT_BY_POWERS
from matcalc.operators.structure_matrices import commutation

if TYPE_CHECKING:
    from matcalc.expression.indexed import Axes, Indices, Letters
    from matcalc.expression.nodes import Node


def _kron_joins(left: Node, right: Node) -> Node | None:
    """(B' ⊗ A)·vec(X) = vec(A·X·B), (A ⊗ B)·(C ⊗ D) = A·C ⊗ B·D (Magnus & Neudecker 2019, ch. 2)."""
    if left.op == right.op == "kron" and all(a.cols == b.rows for a, b in zip(left.args, right.args, strict=True)):
        return build.apply("kron", *(build.product(*pair) for pair in zip(left.args, right.args, strict=True)))
    if right.op == "kron" and left.op == "transpose" and left.args[0].op == "vec":
        turned = _kron_joins(right.T, left.args[0])
        return None if turned is None else turned.T
    if left.op == "kron" and right.op == "vec" and right.args[0].shape == (left.args[1].cols, left.args[0].cols):
        return build.apply("vec", build.product(left.args[1], right.args[0], left.args[0].T))
    return None


def _kron(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.kron(args[0], args[1])


def _filled_with_ones(node: Node) -> Node:
    """1·1' as the matrix of ones, which inside a Kronecker product is shorter."""
    if node.op == "product" and all(factor.op == "ones" for factor in node.args):
        return build.ones(*node.shape)
    return node


def _kron_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    """A column by a row is their outer product; scalars come out; constants are known."""
    left, right = (_filled_with_ones(arg) for arg in args)
    if left is not args[0] or right is not args[1]:
        return build.apply("kron", left, right)
    if left.is_scalar or right.is_scalar:
        return left * right
    if left.cols == right.rows == 1:
        return left @ right
    if left.rows == right.cols == 1:
        return right @ left
    for k, arg in enumerate(args):
        if arg.op == "scale":
            rest = (*args[:k], arg.args[1], *args[k + 1 :])
            return build.scale(arg.args[0], build.apply("kron", *rest))
    if left.op == right.op == "eye":
        return build.eye(left.rows * right.rows)
    if left.op == right.op == "ones":
        return build.ones(left.rows * right.rows, left.cols * right.cols)
    if any(build.is_zero(arg) for arg in args):
        return build.zeros(left.rows * right.rows, left.cols * right.cols)
    return None


def _kron_matrix(node: Node, i: int, J: Node) -> Node:
    """vec(A ⊗ B) = (I ⊗ K ⊗ I)·(vec A ⊗ vec B) (Magnus & Neudecker 2019, ch. 3, th. 10)."""
    return _kron_in_factor(node.args[i].shape, node.args[1 - i], i) @ J


def _kron_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    """(A ⊗ B)[(p, i), (q, j)] = A[p, q]·B[i, j], the index of B the fast one."""
    left, right = args

    def axes(side: str) -> tuple[Axes, Axes]:
        sizes = (node.args[0].shape, node.args[1].shape)
        k = 0 if side == "rows" else 1
        slow, fast = (getattr(arg, side) for arg in args)
        return (axes_of(sizes[1][k]) if fast is None else fast), (axes_of(sizes[0][k]) if slow is None else slow)

    (fast_rows, slow_rows), (fast_cols, slow_cols) = axes("rows"), axes("cols")

    def entry(rows: Indices, cols: Indices) -> list[Term]:
        r, c = len(fast_rows), len(fast_cols)
        return multiplied(left.entry(rows[r:], cols[c:]), right.entry(rows[:r], cols[:c]))

    return Indexed((*fast_rows, *slow_rows), (*fast_cols, *slow_cols), entry)


def _kron_acts(node: Node, column: Node) -> Node:
    """(B' ⊗ A)·c = vec(A·unvec(c)·B) (Magnus & Neudecker 2019, ch. 2, th. 2)."""
    left, right = node.args
    whole = build.apply("unvec", column, params=(right.cols, left.cols))
    return build.apply("vec", build.product(right, whole, left.T))


def _kron_in_factor(mine: Shape, other: Node, i: int) -> Node:
    """The matrix that takes vec of factor ``i``, of shape ``mine``, to vec of the Kronecker product."""
    left, right = (mine, other.shape) if i == 0 else (other.shape, mine)
    outer = build.apply("kron", build.eye(left[1]), commutation(right[1], left[0]))
    order = build.apply("kron", outer, build.eye(right[0]))
    vec, free = build.apply("vec", other), build.eye(mine[0] * mine[1])
    return order @ build.apply("kron", *((free, vec) if i == 0 else (vec, free)))


def _kron_trace_matrix(node: Node, i: int, J: Node) -> Node | None:
    """The adjoint of a Kronecker product has its matrix transposed; in the other factor there is no short form."""
    k, *mine = node.params
    return _kron_in_factor((mine[0], mine[1]), node.args[1], k).T @ J if i == 0 else None


def _kron_transpose(node: Node, i: int, u: Node) -> Node:
    other = node.args[1 - i]
    return build.apply("kron_trace", u, other, params=(i, *node.args[i].shape))


def _kron_trace_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    """Of vectors: h'(x ⊗ y) is x'·H·y for H the entries of h in rows (Magnus & Neudecker 2019, ch. 2.4)."""
    u, other = args
    if u.cols != 1 or other.is_scalar or params[1] == 1:
        return None
    if params[0] == 0:
        return build.apply("reshape", u, params=(params[1], other.rows)) @ other
    return build.apply("reshape", u, params=(other.rows, params[1])).T @ other


def _blocks(node: Node, u: Any, size: Any) -> Any:
    """U as a (p, r, q, s) array, for U of the shape of an (p×q) ⊗ (r×s) product."""
    left, right = _kron_sides(node)
    return u.reshape(size(left[0]), size(right[0]), size(left[1]), size(right[1]))


def _kron_sides(node: Node) -> tuple[Any, Any]:
    mine, other = (node.params[1], node.params[2]), node.args[1].shape
    return (mine, other) if node.params[0] == 0 else (other, mine)


def _kron_trace_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    blocks = _blocks(node, args[0], size)
    axes = ([1, 3], [0, 1]) if node.params[0] == 0 else ([0, 2], [0, 1])
    return np.tensordot(blocks, args[1], axes=axes)


def _image_kron_trace(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    k, l = sympy.Dummy("k", integer=True), sympy.Dummy("l", integer=True)  # noqa: E741  indices of the sum
    whole, other = args
    rows, cols = (size(s) for s in node.args[1].shape)
    mine = (size(node.params[1]), size(node.params[2]))
    row, col = (i * rows + k, j * cols + l) if node.params[0] == 0 else (k * mine[0] + i, l * mine[1] + j)
    entry = sympy.Sum(whole[row, col] * other[k, l], (k, 0, rows - 1), (l, 0, cols - 1))
    return sympy.FunctionMatrix(*mine, sympy.Lambda((i, j), entry))


def _kron_trace_text(module: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        left, right = _kron_sides(node)
        shape = ", ".join(size(s) for s in (left[0], right[0], left[1], right[1]))
        indices = "...prqs,...rs->...pq" if node.params[0] == 0 else "...prqs,...pq->...rs"
        return f'{module}.einsum("{indices}", {args[0]}.reshape(*{args[0]}.shape[:-2], {shape}), {args[1]})'

    return spell


def _partial_trace(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
    """The trace over the other factor of the Kronecker product, of (I ⊗ B')·U or (A' ⊗ I)·U."""
    turned = rf"{pieces[1].within(ATOM)}^\top"
    pair = rf"I \otimes {turned}" if node.params[0] == 0 else rf"{turned} \otimes I"
    inner = rf"\left({pair}\right) {pieces[0].within(POWER)}"
    return Formula(rf"\operatorname{{tr}}_{{{2 - node.params[0]}}}\left({inner}\right)", ATOM)


def _kron_trace_rule(node: Node, i: int, d: Node) -> Node:
    return build.apply("kron_trace", *(d if j == i else arg for j, arg in enumerate(node.args)), params=node.params)


def _kron_trace_transpose(node: Node, i: int, u: Node) -> Node:
    if i == 0:
        pair = (u, node.args[1]) if node.params[0] == 0 else (node.args[1], u)
        return build.apply("kron", *pair)
    return build.apply("kron_trace", node.args[0], u, params=(1 - node.params[0], *node.args[1].shape))


def _kron_torch(node: Node, args: Any, size: Any) -> str:
    a, b = args
    return f"({a}.unsqueeze(-1).unsqueeze(-3) * {b}.unsqueeze(-2).unsqueeze(-4)).flatten(-2).flatten(-3, -2)"


def _kron_text(module: str) -> Any:
    """The library's own kron would take leading axes for axes of the product."""

    def spell(node: Node, args: Any, size: Any) -> str:
        a, b = args
        leading = f"{module}.broadcast_shapes({a}.shape[:-2], {b}.shape[:-2])"
        blocks = f"({a}[..., :, None, :, None] * {b}[..., None, :, None, :])"
        return f"{blocks}.reshape(*{leading}, {size(node.rows)}, {size(node.cols)})"

    return spell


define(
    Operator(
        "kron",
        says="the Kronecker product A⊗B",
        sign="⊗",
        source="Magnus & Neudecker 2019, ch. 2.2; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (39)",
        move_source="Van Loan & Pitsianis 1993",
        rule="product rule",
        signatures=("(m,n), (p,q) -> (m*p,n*q)",),
        differential=lambda node, i, d: build.apply("kron", *(d if j == i else a for j, a in enumerate(node.args))),
        transpose=_kron_transpose,
        indexed=_kron_indexed,
        acts=_kron_acts,
        matrix=_kron_matrix,
        transposed=lambda node: build.apply("kron", node.args[0].T, node.args[1].T),
        joins=_kron_joins,
        simplify=_kron_simplify,
        bounds=lambda node, args: args[0] * args[1],
        facts=lambda node: node.args[0].facts & node.args[1].facts & KEPT_BY_POWERS,
        exact=True,
        reference=_kron,
        sympy=lambda node, args, size: __import__("sympy").KroneckerProduct(*args),
        lowers=Lowering(torch=_kron_torch, numpy=_kron_text("np"), jax=_kron_text("jnp")),
        latex=lambda node, pieces, size: infix(r"\otimes", *pieces),
        samples=(
            Sample("norm2(kron(A, B))^2", {"A": "matrix(2, 3)", "B": "matrix(3, 2)"}),
            Sample("y'*kron(A, B)*x", {"A": "matrix(2, 3)", "B": "matrix(3, 2)"}),
        ),
    )
)
define(
    Operator(
        "kron_trace",
        says="the adjoint of A⊗B in one factor: the blocks of U weighted by the other factor",
        source="Van Loan & Pitsianis 1993",
        signatures=("(a,b), (c,d), int i, size m, size n -> (m,n)",),
        call=lambda u, other, i, m, n: build.apply("kron_trace", u, other, params=(i, m, n)),
        shape=lambda args, params: (params[1], params[2]),
        differential=_kron_trace_rule,
        transpose=_kron_trace_transpose,
        matrix=_kron_trace_matrix,
        simplify=_kron_trace_simplify,
        bounds=lambda node, args: (args[0] * args[1]).summed(node.args[1].rows * node.args[1].cols),
        exact=True,
        reference=_kron_trace_reference,
        sympy=_image_kron_trace,
        lowers=Lowering(torch=_kron_trace_text("torch"), numpy=_kron_trace_text("np"), jax=_kron_trace_text("jnp")),
        latex=_partial_trace,
        written=lambda node, args, size: (
            f"kron_trace({args[0]}, {args[1]}, {node.params[0]}, {size(node.params[1])}, {size(node.params[2])})"
        ),
    )
)
