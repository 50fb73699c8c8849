"""Matrices of zeros and ones that turn one arrangement of entries into another (Magnus & Neudecker 2019, ch. 3).

They stand in Jacobians by matrices: the commutation matrix for a transpose, the duplication and elimination matrices
for symmetric names and triangles, the diagonalization matrix for diagonal ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.bounds import UNIT
from matcalc.expression.formula import Formula
from matcalc.expression.indexed import Indexed, deltas, multiplied
from matcalc.expression.nodes import interned
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM
from matcalc.expression.sizes import AnySize, Shape

if TYPE_CHECKING:
    from matcalc.expression.indexed import Letters
    from matcalc.expression.nodes import Node

Places = Callable[["Node", Callable[[AnySize], int]], list[tuple[int, int]]]


def _exactly(places: Places) -> Any:
    """The matrix with ones at ``places``."""

    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import numpy as np

        made = np.zeros((size(node.rows), size(node.cols)), dtype=object)
        for place in places(node, size):
            made[place] = 1
        return made

    return evaluate


def _ones_at(places: Places) -> Any:
    """The same, as arithmetic of any precision."""

    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import mpmath

        return _exactly(places)(node, args, size) * mpmath.mpf(1)

    return evaluate


def _image(places: Places) -> Any:
    def image(node: Node, args: Any, size: Any) -> Any:
        import sympy

        if not all(isinstance(s, int) for s in (*node.shape, *node.params)):
            raise UnsupportedError(f"{node.op} has a SymPy image only where its sizes are numbers")
        ones = dict.fromkeys(places(node, int), 1)  # type: ignore[arg-type]  # all are numbers here
        return sympy.ImmutableMatrix(sympy.SparseMatrix(node.rows, node.cols, ones))

    return image


def _written(node: Node, args: Sequence[str], size: Any) -> str:
    return f"{node.op}({', '.join(size(p) for p in node.params)})"


def _symbol(letter: str) -> Any:
    def formula(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
        return Formula(f"{letter}_{{{', '.join(size(p) for p in node.params)}}}", ATOM)

    return formula


# --------------------------------------------------------------------------------------------------- commutation


def commutation(m: AnySize, n: AnySize) -> Node:
    """K(m, n), with K(m, n)·vec(A) = vec(A') for A of shape m×n."""
    return build.eye(m * n) if 1 in (m, n) else interned("commutation", (), (m, n), (m * n, m * n))


def _commutation_places(node: Node, size: Any) -> list[tuple[int, int]]:
    m, n = (size(p) for p in node.params)
    return [(j + n * i, i + m * j) for i in range(m) for j in range(n)]


def _commutation_joins(left: Node, right: Node) -> Node | None:
    """K·vec(A) = vec(A'); K·(A⊗b) = b⊗A and K·(a⊗B) = B⊗a for columns a, b; with K on the right, the rules below."""
    if right.op == "commutation":
        return _moved_to_the_front(left, right)
    (m, n), arg = left.params, right.args[0] if right.args else right
    if right.op == "vec" and arg.shape == (m, n):
        return build.apply("vec", arg.T)
    if right.op == "kron" and 1 in (arg.cols, right.args[1].cols) and (arg.rows, right.args[1].rows) == (n, m):
        return build.apply("kron", right.args[1], arg)
    return None


def _moved_to_the_front(left: Node, right: Node) -> Node | None:
    """K(n, m)·K(m, n) = I; vec(A)'·K = vec(A')'; (A⊗B)·K = K·(B⊗A)."""
    m, n = right.params
    if left.op == "commutation" and left.params == (n, m):
        return build.eye(left.rows)
    if left.op == "transpose" and left.args[0].op == "vec" and left.args[0].args[0].shape == (n, m):
        return build.apply("vec", left.args[0].args[0].T).T
    if left.op != "kron":
        return None
    a, b = left.args
    if (b.cols, a.cols) != (n, m):
        return None
    return build.product(commutation(a.rows, b.rows), build.apply("kron", b, a))


def _commutation_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    """K(m, n)[(j, i), (k, l)] = δ[i, k]·δ[j, l]."""
    m, n = node.params
    return Indexed((n, m), (m, n), lambda rows, cols: deltas(rows[::-1], cols))


def _commutation_text(module: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        m, n, whole = size(node.params[0]), size(node.params[1]), size(node.rows)
        eye = f"{module}.eye({whole}, {{like}})"
        return f"{eye}.reshape({n}, {m}, {whole}).swapaxes(0, 1).reshape({whole}, {whole})"

    return spell


define(
    Operator(
        "commutation",
        says="the matrix with commutation(m, n)*vec(A) = vec(A.T) for A of shape m×n",
        source="Magnus & Neudecker 2019, ch. 3.7",
        signatures=("size m, size n -> (m*n,m*n)",),
        constant=True,
        aliases=("K",),
        call=commutation,
        shape=lambda args, params: (params[0] * params[1], params[0] * params[1]),
        transposed=lambda node: commutation(node.params[1], node.params[0]),
        joins=_commutation_joins,
        indexed=_commutation_indexed,
        facts=lambda node: frozenset(
            {"orthogonal", "invertible", "nonnegative", *(("symmetric",) if node.params[0] == node.params[1] else ())}
        ),
        exact=_exactly(_commutation_places),
        reference=_ones_at(_commutation_places),
        sympy=_image(_commutation_places),
        lowers=Lowering(
            torch=_commutation_text("torch"),
            numpy=_commutation_text("np"),
            jax=_commutation_text("jnp"),
        ),
        latex=_symbol("K"),
        written=_written,
        samples=(
            Sample("x'*commutation(2, 3)*y", {"x": "vector(6)", "y": "vector(6)"}),
            Sample("norm2(commutation(2, 3)*kron(A, B)*x)^2", {"A": "matrix(3, 2)", "B": "matrix(2, 2)"}),
        ),
        errors=(
            ("x'*commutation(2)*x", "commutation takes commutation(m, n)"),
            ("x'*commutation(2, 3)*ones(5)", "cannot multiply"),
            ("x'*commutation(0, 3)*x", "a size is a positive integer"),
        ),
    )
)

# ----------------------------------------------------------------------------- duplication, elimination, diagonal


def _known(name: str, n: AnySize) -> int:
    if not isinstance(n, int):
        raise UnsupportedError(f"{name} takes a size that is a number, and {n} is none", suggestion=f"{name}(3)")
    return n


def triangle_places(n: int) -> list[tuple[int, int]]:
    """The places of the lower triangle of an n×n matrix, column by column, as vech takes them."""
    return [(i, j) for j in range(n) for i in range(j, n)]


def _elimination_places(node: Node, size: Any) -> list[tuple[int, int]]:
    n = size(node.params[0])
    return [(k, i + n * j) for k, (i, j) in enumerate(triangle_places(n))]


def _duplication_places(node: Node, size: Any) -> list[tuple[int, int]]:
    n = size(node.params[0])
    below = [(i + n * j, k) for k, (i, j) in enumerate(triangle_places(n))]
    return below + [(j + n * i, k) for k, (i, j) in enumerate(triangle_places(n))]


def _diagonalization_places(node: Node, size: Any) -> list[tuple[int, int]]:
    n = size(node.params[0])
    return [(i + n * i, i) for i in range(n)]


def _half_shape(name: str, params: tuple[Any, ...]) -> Shape:
    n = _known(name, params[0])
    return (n * n, n * (n + 1) // 2) if name == "duplication" else (n * (n + 1) // 2, n * n)


def _of_size(name: str) -> Any:
    return lambda n: build.apply(name, params=(n,))


def _rows_of_identity(module: str, places: Places) -> Any:
    """A matrix with a one in every row, at known ``places``, as rows of an identity: no table of its entries."""

    def spell(node: Node, args: Any, size: Any) -> str:
        chosen = [column for _, column in sorted(set(places(node, int)))]  # type: ignore[arg-type]  # numbers here
        index = f"jnp.array({chosen})" if module == "jnp" else str(chosen)  # JAX takes no list for an index
        return f"{module}.eye({node.cols}, {{like}})[{index}]"

    return spell


def _half(name: str, says: str, signature: str, places: Places, letter: str, sample: Sample) -> None:
    define(
        Operator(
            name,
            says=says,
            source="Magnus & Neudecker 2019, ch. 3.8; Magnus & Neudecker 1980, The elimination matrix",
            signatures=(signature,),
            constant=True,
            call=_of_size(name),
            shape=lambda args, params: _half_shape(name, params),
            facts=lambda node: frozenset({"nonnegative"}),
            bounds=lambda node, args: UNIT,
            exact=_exactly(places),
            reference=_ones_at(places),
            sympy=_image(places),
            lowers=Lowering(
                torch=_rows_of_identity("torch", places),
                numpy=_rows_of_identity("np", places),
                jax=_rows_of_identity("jnp", places),
            ),
            latex=_symbol(letter),
            written=_written,
            samples=(sample,),
            errors=((f"x'*{name}(k)*x", "takes a size that is a number"), (f"x'*{name}(3)*ones(5)", "cannot multiply")),
        )
    )


_half(
    "duplication",
    "the matrix with duplication(n)*vech(A) = vec(A) for a symmetric n×n matrix A",
    "size n -> (n*n,p)",
    _duplication_places,
    "D",
    Sample("norm2(duplication(3)*x)^2", {"x": "vector(6)"}),
)
_half(
    "elimination",
    "the matrix with elimination(n)*vec(A) = vech(A) for an n×n matrix A",
    "size n -> (p,n*n)",
    _elimination_places,
    "L",
    Sample("norm2(elimination(3)*vec(X))^2", {"X": "matrix(3, 3)"}),
)


def diagonalization(n: AnySize) -> Node:
    """The matrix with diagonalization(n)·x = vec(diag(x))."""
    return build.number(1) if n == 1 else interned("diagonalization", (), (n,), (n * n, n))


def _diagonalization_joins(left: Node, right: Node) -> Node | None:
    """On a vector, what it stands for; its transpose times itself is the identity."""
    if left.op == "diagonalization" and right.cols == 1:
        return build.apply("vec", build.apply("diag", right))
    if left.op == "transpose" and left.args[0] is right:
        return build.eye(right.cols)
    return None


def _diagonalization_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    """diagonalization(n)[(i, j), k] = δ[i, k]·δ[j, k]."""
    n = node.params[0]
    return Indexed((n, n), (n,), lambda rows, cols: multiplied(deltas(rows[:1], cols), deltas(rows[1:], cols)))


def _diagonalization_text(module: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        n = size(node.cols)
        eye = f"{module}.eye({n}, {{like}})"
        return f"({eye}[:, None, :] * {eye}[None, :, :]).reshape({size(node.rows)}, {n})"

    return spell


define(
    Operator(
        "diagonalization",
        says="the matrix with diagonalization(n)*x = vec(diag(x)) for x of length n",
        source="Magnus 1988, Linear Structures, ch. 7",
        signatures=("size n -> (n*n,n)",),
        constant=True,
        call=diagonalization,
        shape=lambda args, params: (params[0] * params[0], params[0]),
        joins=_diagonalization_joins,
        indexed=_diagonalization_indexed,
        facts=lambda node: frozenset({"nonnegative"}),
        bounds=lambda node, args: UNIT,
        exact=_exactly(_diagonalization_places),
        reference=_ones_at(_diagonalization_places),
        sympy=_image(_diagonalization_places),
        lowers=Lowering(
            torch=_diagonalization_text("torch"),
            numpy=_diagonalization_text("np"),
            jax=_diagonalization_text("jnp"),
        ),
        latex=_symbol(r"\Psi"),
        written=_written,
        samples=(
            Sample("x'*diagonalization(3)'*kron(x, A*x)", {"x": "vector(3)", "A": "matrix(3, 3)"}),
            Sample("x'*diagonalization(3)'*diagonalization(3)*A*x", {"x": "vector(3)", "A": "matrix(3, 3)"}),
        ),
        errors=(
            ("x'*diagonalization(2, 3)*x", "diagonalization takes diagonalization(n)"),
            ("x'*diagonalization(3)*ones(4)", "cannot multiply"),
        ),
    )
)
