"""The Sylvester equation A·X + X·B = C: a linear operator of C that its own derivatives are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.operator import Lowering, Operator, Sample, define, of_each
from matcalc.operators.exact_matrices import inverse_over_fields
from matcalc.operators.matrix_function_code import functions
from matcalc.operators.orientation import all_turned
from matcalc.operators.precise_matrices import solved

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


_POSDEF = {"A": "matrix(3, 3; posdef)", "B": "matrix(2, 2; posdef)", "b": "vector(3)", "c": "vector(2)"}


def sylvester(a: Node, b: Node, c: Node) -> Node:
    """The solution X of a·X + X·b = c."""
    return build.apply("sylvester", a, b, c)


def _of_matrix(a: Node, b: Node, c: Node, d: Node, *, left: bool) -> Node:
    """A·dX + dX·B = -dA·X, or -X·dB."""
    found = sylvester(a, b, c)
    return -sylvester(a, b, d @ found if left else found @ d)


def _simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    a, b, c = args
    if not (a.is_square and b.is_square and c.shape == (a.rows, b.rows)):
        return None
    if build.is_zero(c):
        return c
    if a.is_scalar and b.is_scalar:
        return build.divide(c, a + b)
    if c.op == "scale":
        return build.multiply(c.args[0], sylvester(a, b, c.args[1]))
    if all_turned(args):
        return sylvester(b.T, a.T, c.T).T
    if a is not b:
        return None
    half = build.number(1) / build.number(2)
    if c.op == "eye":
        return build.multiply(half, build.inverse(a))
    return build.multiply(half, build.eye(a.rows)) if c is a else None


def _matrix(node: Node, i: int, J: Node) -> Node:
    """vec(A·X + X·B) = (I ⊗ A + B' ⊗ I)·vec(X) (Golub & Van Loan 2013, ch. 12.3)."""
    a, b, _ = node.args
    sides = build.apply("kron", build.eye(b.rows), a), build.apply("kron", b.T, build.eye(a.rows))
    return build.inverse(build.add(*sides)) @ J


def _solved(node: Node, args: Any, size: Any) -> Any:
    return solved(*_system(*args)).reshape(args[2].shape)


def _solved_over_fields(node: Node, args: Any, size: Any) -> Any:
    system, right = _system(*args)
    return (inverse_over_fields(system) @ right).reshape(args[2].shape)


def _system(a: Any, b: Any, c: Any) -> tuple[Any, Any]:
    """The linear system in the entries of X, row by row."""
    import numpy as np

    m, n = c.shape
    system = np.kron(a, np.eye(n, dtype=int).astype(object)) + np.kron(np.eye(m, dtype=int).astype(object), b.T)
    return system, c.reshape(-1, 1)


def _call(node: Node, args: Any, size: Any) -> str:
    a, b = node.args[0].facts, node.args[1].facts
    if "symmetric" in a & b:
        name = "_symmetric_sylvester"
    elif "positive_stable" in a & b:
        name = "_stable_sylvester"
    else:
        name = "_sylvester"
    return f"{name}({', '.join(args)})"


def _facts(node: Node) -> frozenset[str]:
    """Of A·X + X·A' = C; with A positive stable, X is definite as C is (Lyapunov: Horn & Johnson 1991, ch. 2.2)."""
    a, b, c = node.args
    if a is not b.T:
        return frozenset()
    facts = c.facts & {"symmetric", "skew"}
    if "positive_stable" not in a.facts:
        return facts
    return facts | (c.facts & {"psd"}) | ({"posdef", "invertible"} if "posdef" in c.facts else frozenset())


define(
    Operator(
        "sylvester",
        says="the solution X of A*X + X*B = C, where A and -B have no eigenvalue in common",
        source="Golub & Van Loan 2013, ch. 7.6; Higham 2008, ch. 2",
        signatures=("(m,m), (n,n), (m,n) -> (m,n)",),
        differential=of_each(
            lambda a, b, c, d: _of_matrix(a, b, c, d, left=True),
            lambda a, b, c, d: _of_matrix(a, b, c, d, left=False),
            lambda a, b, c, d: sylvester(a, b, d),
        ),
        transpose=lambda node, i, u: sylvester(node.args[0].T, node.args[1].T, u),
        matrix=_matrix,
        simplify=_simplify,
        facts=_facts,
        cubic=20,
        exact=_solved_over_fields,
        reference=_solved,
        lowers=Lowering(
            torch=_call,
            numpy=_call,
            jax=_call,
            helpers=functions("_sylvester", "_stable_sylvester", "_symmetric_sylvester"),
        ),
        samples=(
            Sample(
                "sum(square(sylvester(A, B, X)))",
                {"A": "matrix(3, 3; positive_stable)", "B": "matrix(2, 2; positive_stable)"},
            ),
            Sample("b'*sylvester(A, B, X)*c", _POSDEF),
            Sample("tr(C*sylvester(A, A + I, B))", {"A": "matrix(2, 2; invertible)"}),
        ),
        errors=(("let A: matrix(2, 3); x*sum(sylvester(A, A, A))", "takes"),),
    )
)
