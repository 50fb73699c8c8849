"""The largest and the smallest eigenvalue of a symmetric matrix, and what their derivatives need.

With a simple eigenvalue λ of A and its unit eigenvector v, P = v·v' and R = (λI - A)⁺, which no sign of v enters:
dλ = tr(P·dA), dP = R·dA·P + P·dA·R (Magnus 1985) and, as λI - A keeps its rank,
dR = R·dA·R - dλ·R² - R²·dA·P - P·dA·R² (from Golub & Pereyra 1973).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import (
    EVERYTHING,
    NOT_NEGATIVE,
    UNIT,
    UP_TO_ONE,
    Interval,
    eigenvalues_within,
    of_leading_vectors,
)
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.demands import known_symmetric
from matcalc.operators.eigenvalues import eigenvalue_signs
from matcalc.operators.matrix_function_code import functions
from matcalc.operators.precise_matrices import eigensystem, single

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Magnus 1985, On differentiating eigenvalues and eigenvectors"
_SYMMETRIC = {"A": "matrix(n, n; symmetric)"}
_PAIR = 2

_PROJECTOR = '''
def _projector(X, place):
    """v v' for the unit eigenvector v of a symmetric matrix that stands at a place, eigenvalues ascending."""
    v = MODULE.linalg.eigh(X)[1][..., place, None]
    return v @ v.mT
'''
_RESOLVENT = '''
def _resolvent(X, place):
    """The pseudoinverse of λ I - X for the eigenvalue λ of a symmetric matrix that stands at a place."""
    values, vectors = MODULE.linalg.eigh(X)
    gaps = values[..., place, None] - values
    itself = (MODULE.eye(gaps.shape[-1], LIKE) > 0)[place]
    inverse = MODULE.where(itself, 0.0, 1 / MODULE.where(itself, 1.0, gaps))
    return (vectors * inverse[..., None, :]) @ vectors.mT
'''
_TEXTS = {"_projector": _PROJECTOR, "_resolvent": _RESOLVENT}


def _called(function: str, place: int) -> Lowering:
    text = f"{function}({{0}}, {place})"
    return Lowering(torch=text, numpy=text, jax=text, helpers=functions(function, texts=_TEXTS))


def _inner(matrix: Node, d: Node) -> Node:
    return build.apply("tr", matrix @ d)


def _around(left: Node, d: Node, right: Node) -> Node:
    """left·dA·right + right·dA·left."""
    return build.product(left, d, right) + build.product(right, d, left)


def _homogeneous(name: str, other: str, degree: int, sign: int) -> Any:
    """Of a multiple: the factor comes out; a negative one turns the largest into the smallest."""

    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        base = args[0]
        if base.op == "transpose":
            return build.apply(name, base.args[0])
        coefficient, rest = build.split(base)
        if base.op == "add" and all(build.split(term)[0] < 0 for term in base.args):
            coefficient, rest = Fraction(-1), build.negate(base)
        if coefficient < 0:
            front = build.number(-1) ** (1 if sign < 0 else 0) * build.number(-coefficient) ** degree
            return build.multiply(front, build.apply(other, rest))
        if base.op == "scale" and "positive" in base.args[0].facts:
            return build.multiply(base.args[0] ** degree, build.apply(name, base.args[1]))
        return None

    return simplify


def _first(*rules: Any) -> Any:
    """The first rule that makes something."""

    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        return next((made for rule in rules if (made := rule(args, params)) is not None), None)

    return simplify


def _eigenvalue_special(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return base
    if base.is_square and (base.op == "eye" or build.is_zero(base)):
        return build.number(0 if build.is_zero(base) else 1)
    return None


def _projector_joins(left: Node, right: Node) -> Node | None:
    """P² = P, and P·R = R·P = 0."""
    names = {"projector_max": "resolvent_max", "projector_min": "resolvent_min"}
    if left is right and left.op in names:
        return left
    for one, other in ((left, right), (right, left)):
        if names.get(one.op) == other.op and one.args == other.args:
            return build.zeros(*one.shape)
    return None


def _define_extreme(which: str, place: int) -> None:
    """lambda, projector and resolvent of the largest (place -1) or the smallest eigenvalue (place 0)."""
    other = "min" if which == "max" else "max"
    value, projector, resolvent = (f"{name}_{which}" for name in ("lambda", "projector", "resolvent"))
    opposite = tuple(f"{name}_{other}" for name in ("lambda", "projector", "resolvent"))
    word = "largest" if which == "max" else "smallest"

    def gap(node: Node, args: Any) -> Any:
        values = eigensystem(args[0])[0]
        return single(values[place] - values[-2 if place else 1] if len(values) > 1 else values[0] * 0 + 1)

    def projector_of(node: Node) -> Node:
        return build.apply(projector, node.args[0])

    def resolvent_of(node: Node) -> Node:
        return build.apply(resolvent, node.args[0])

    def resolvent_rule(node: Node, i: int, d: Node) -> Node:
        P, R = projector_of(node), node
        return build.product(R, d, R) - _inner(P, d) * (R @ R) - _around(R @ R, d, P)

    def projector_reference(node: Node, args: Any, size: Any) -> Any:
        v = eigensystem(args[0])[1][:, [place]]
        return v @ v.T

    def resolvent_reference(node: Node, args: Any, size: Any) -> Any:
        values, vectors = eigensystem(args[0])
        scaled = vectors * 0
        for k in set(range(len(values))) - {place % len(values)}:
            scaled[:, k] = vectors[:, k] / (values[place] - values[k])
        return scaled @ vectors.T

    def value_bounds(node: Node, args: Sequence[Interval]) -> Interval:
        """An entry of the diagonal lies between the smallest and the largest (Rayleigh)."""
        beyond = Interval(args[0].low) if which == "max" else Interval(high=args[0].high)
        return beyond & eigenvalues_within(node, args)

    def resolvent_bounds(node: Node, args: Sequence[Interval]) -> Interval:
        """Of a 2×2 matrix the projector of the other eigenvalue over the gap, which is negative for the smallest."""
        if which == "max" or node.rows != _PAIR or of_leading_vectors(node, args) != UNIT:
            return EVERYTHING
        return -NOT_NEGATIVE

    index = "-1:" if place else ":1"
    define(
        Operator(
            value,
            says=f"the {word} eigenvalue of a symmetric matrix",
            source=_SOURCE,
            signatures=("(n,n) -> (1,1)",),
            call=lambda x: build.apply(value, known_symmetric(value, x)),
            differential=lambda node, i, d: _inner(projector_of(node), d),
            simplify=_first(_eigenvalue_special, _homogeneous(value, opposite[0], 1, -1)),
            bounds=value_bounds,
            facts=eigenvalue_signs,
            ties=gap,
            cubic=8,
            reference=lambda node, args, size: single(eigensystem(args[0])[0][place]),
            lowers=Lowering(
                torch=f"torch.linalg.eigvalsh({{0}})[..., {index}, None]",
                numpy=f"np.linalg.eigvalsh({{0}})[..., {index}, None]",
                jax=f"jnp.linalg.eigvalsh({{0}})[..., {index}, None]",
            ),
            latex=rf"\lambda_{{{{\{which}}}}}({{0}})",
            samples=(
                Sample(f"{value}(A)", _SYMMETRIC),
                Sample(f"{value}(X'*X)^2", {"X": "matrix(4, 3)"}),
                Sample(f"log({value}(X*X' + A))", {"X": "matrix(n, m)", "A": "matrix(n, n; posdef)"}),
                Sample(f"{value}(B - 2*A)", {**_SYMMETRIC, "B": "matrix(n, n; symmetric)"}),
                Sample(f"{value}(-a*(X + X'))", {"X": "matrix(n, n)", "a": "scalar(; positive)"}),
            ),
            errors=(
                (f"let X: matrix(n, n); let x: scalar; x*{value}(X)", "symmetric"),
                (f"let X: matrix(2, 3); let x: scalar; x*{value}(X)", "square"),
            ),
        )
    )
    define(
        Operator(
            projector,
            says=f"v*v' for the unit eigenvector v of the {word} eigenvalue of a symmetric matrix",
            source=_SOURCE,
            signatures=("(n,n) -> (n,n)",),
            call=lambda x: build.apply(projector, known_symmetric(projector, x)),
            differential=lambda node, i, d: _around(resolvent_of(node), _symmetric(d), node),
            simplify=_first(
                lambda args, params: build.number(1) if args[0].is_scalar else None,
                _homogeneous(projector, opposite[1], 0, 1),
            ),
            joins=_projector_joins,
            bounds=of_leading_vectors if which == "max" else lambda node, args: UP_TO_ONE,
            facts=lambda node: frozenset({"symmetric", "psd"}),
            ties=gap,
            cubic=8,
            reference=projector_reference,
            lowers=_called("_projector", place),
            latex=rf"P_{{{{\{which}}}}}\left({{0}}\right)",
            samples=(
                Sample(f"b'*{projector}(A)*c", {**_SYMMETRIC, "b": "vector(n)", "c": "vector(n)"}),
                Sample(f"tr(B*{projector}(X*X'))", {"X": "matrix(3, 4)"}),
            ),
            errors=((f"let X: matrix(n, n); let x: scalar; x*sum({projector}(X))", "symmetric"),),
        )
    )
    define(
        Operator(
            resolvent,
            says=f"the pseudoinverse of λI - A for the {word} eigenvalue λ of a symmetric matrix A",
            source=_SOURCE,
            signatures=("(n,n) -> (n,n)",),
            call=lambda x: build.apply(resolvent, known_symmetric(resolvent, x)),
            differential=lambda node, i, d: resolvent_rule(node, i, _symmetric(d)),
            simplify=_first(
                lambda args, params: build.number(0) if args[0].is_scalar else None,
                _homogeneous(resolvent, opposite[2], -1, -1),
            ),
            bounds=resolvent_bounds,
            facts=lambda node: frozenset({"symmetric", "psd"} if which == "max" else {"symmetric"}),
            ties=gap,
            cubic=8,
            reference=resolvent_reference,
            lowers=_called("_resolvent", place),
            latex=rf"R_{{{{\{which}}}}}\left({{0}}\right)",
            samples=(Sample(f"b'*{resolvent}(A)*c", {**_SYMMETRIC, "b": "vector(n)", "c": "vector(n)"}),),
            errors=((f"let X: matrix(n, n); let x: scalar; x*sum({resolvent}(X))", "symmetric"),),
        )
    )


def _symmetric(d: Node) -> Node:
    """The symmetric part of a direction: what is defined for symmetric matrices moves among them."""
    return build.multiply(build.number(1) / build.number(2), d + d.T)


_define_extreme("max", -1)
_define_extreme("min", 0)
