"""The exponential, the principal logarithm and the principal square root of a matrix, with their derivatives.

The k-th derivative of a matrix function f at A, along directions D1 … Dk, is the upper right block of f at a block
triangular matrix of A's and D's (Higham & Relton 2014; for one direction Van Loan 1978 and Higham 2008, ch. 3). It is
one operator here, with as many directions as are given: linear in each, symmetric in them, and its own differential and
transpose, so that derivatives of every order stay in the language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import TYPE_CHECKING, Any

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.bounds import EVERYTHING, NOT_NEGATIVE
from matcalc.expression.formula import Formula, exponent
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM
from matcalc.operators.matrix_function_code import functions
from matcalc.operators.matrix_jets import Jet, exponential, jet, logarithm, square_root
from matcalc.operators.orientation import all_turned
from matcalc.operators.precise_matrices import real_entries
from matcalc.operators.sylvester import sylvester

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SHAPES = frozenset({"symmetric", "diagonal", "lower", "upper"})
_MOST_DIRECTIONS = 6
_VECTORS = {"b": "vector(2)", "c": "vector(2)"}
_DERIVATIVES = "Higham & Relton 2014, Higher order Fréchet derivatives of matrix functions"


# -------------------------------------------------------------------------------------------------- derivatives


def _directional_formula(name: str) -> Any:
    """The derivative of the function, its order, where it is taken and along what."""

    def formula(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
        order = exponent(str(len(pieces) - 1)) if len(pieces) > 2 else ""
        along = ", ".join(piece.body for piece in pieces[1:])
        return Formula(rf"\mathrm{{D}}{order}\{name}\left({pieces[0].body}\right)\left[{along}\right]", ATOM)

    return formula


def _log_derivative(a: Node, order: int) -> Node:
    sign = -1 if order % 2 == 0 else 1
    return build.times(build.number(sign * factorial(order - 1)), build.power(a, build.number(-order)))


_SCALAR_DERIVATIVES: dict[str, Callable[[Node, int], Node]] = {
    "expm": lambda a, order: build.apply("exp", a),
    "logm": _log_derivative,
}


def _derivative_of(
    name: str,
    function: Callable[[Jet], Jet],
    texts: dict[str, str],
    helpers: tuple[str, ...],
    special: Callable[[Node, tuple[Node, ...]], Node | None],
    samples: tuple[Sample, ...],
    domain: dict[int, str],
    cubic: int,
) -> None:
    """The operator ``name``_frechet."""
    called = f"{name}_frechet"

    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        matrix, *directions = args
        if not all(arg.is_square and arg.shape == matrix.shape for arg in args):
            return None
        if len(directions) > _MOST_DIRECTIONS:
            raise UnsupportedError(
                f"{called} takes at most {_MOST_DIRECTIONS} directions",
                why=f"a derivative of order k needs {name} of a matrix 2^k times as large",
            )
        if any(build.is_zero(direction) for direction in directions):
            return build.zeros(*matrix.shape)
        if matrix.is_scalar:
            return build.times(_SCALAR_DERIVATIVES[name](matrix, len(directions)), *directions)
        for k, direction in enumerate(directions):
            if direction.op == "scale":
                rest = [*directions[:k], direction.args[1], *directions[k + 1 :]]
                return build.multiply(direction.args[0], build.apply(called, matrix, *rest))
        if all_turned(args):
            return build.apply(called, *(arg.T for arg in args)).T
        ordered = sorted(directions, key=lambda direction: direction.digest)
        if ordered != directions:
            return build.apply(called, matrix, *ordered)
        return special(matrix, tuple(directions))

    def rule(node: Node, i: int, d: Node) -> Node:
        args = (*node.args, d) if i == 0 else (*node.args[:i], d, *node.args[i + 1 :])
        return build.apply(called, *args)

    def transpose(node: Node, i: int, u: Node) -> Node:
        return build.apply(called, *(u if k == i else arg.T for k, arg in enumerate(node.args)))

    def reference(node: Node, args: Any, size: Any) -> Any:
        return real_entries(function(jet(args[0], args[1:])).last)

    def spell(text: str) -> Any:
        return lambda node, args, size: f"_directional({text}, {', '.join(args)})"

    define(
        Operator(
            called,
            says=f"the derivative of {name} at A along D; with more directions, the higher derivatives",
            source=_DERIVATIVES,
            signatures=("(n,n), (n,n)... -> (n,n)",),
            differential=rule,
            transpose=transpose,
            simplify=simplify,
            facts=lambda node: frozenset.intersection(*(arg.facts for arg in node.args)) & _SHAPES,
            domain=domain,
            cubic=cubic,
            doubling=True,
            reference=reference,
            lowers=Lowering(
                torch=spell(texts["torch"]),
                numpy=spell(texts["numpy"]),
                jax=spell(texts["jax"]),
                helpers=functions("_directional", *helpers),
            ),
            latex=_directional_formula(name.removesuffix("m")),
            samples=samples,
            errors=((f"let A: matrix(2, 3); x*sum({called}(A, A))", "takes"),),
        )
    )


# -------------------------------------------------------------------------------------------------- exponential


def _exponential_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return build.apply("exp", base)
    if not base.is_square:
        return None
    if build.is_zero(base):
        return build.eye(base.rows)
    if base.op == "eye":
        return build.multiply(build.apply("exp", build.number(1)), base)
    if base.op == "transpose":
        return build.apply("expm", base.args[0]).T
    if base.op == "diag":
        return build.apply("diag", build.apply("exp", base.args[0]))
    return base.args[0] if base.op == "logm" else None


def _exponential_facts(node: Node) -> frozenset[str]:
    known = node.args[0].facts
    facts = {"invertible", "full_rank"} | (known & _SHAPES)
    if "symmetric" in known:
        facts |= {"posdef", "psd", "principal", "positive_stable"}
    if "skew" in known:
        facts.add("orthogonal")
    return frozenset(facts)


def _exponential_joins(left: Node, right: Node) -> Node | None:
    """exp(A)·exp(-A) = I; of a skew A, exp(-A) is the transpose."""
    if right is left.T and "orthogonal" in left.facts & right.facts:
        return build.eye(left.rows)
    opposite = left.op == right.op == "expm" and left.args[0] is -right.args[0]
    return build.eye(left.rows) if opposite else None


def _exponential_derivative(matrix: Node, directions: tuple[Node, ...]) -> Node | None:
    """What commutes with A comes out: exp(A + t·I) = e^t·exp(A), and the derivative along A itself is A·exp(A)."""
    for k, direction in enumerate(directions):
        if direction.op == "eye":
            rest = directions[:k] + directions[k + 1 :]
            return build.apply("expm_frechet", matrix, *rest) if rest else build.apply("expm", matrix)
    if matrix.is_scalar:
        return build.times(build.apply("exp", matrix), *directions)
    if build.is_zero(matrix) and len(directions) == 1:
        return directions[0]
    return matrix @ build.apply("expm", matrix) if directions == (matrix,) else None


def _value_of(function: Callable[[Jet], Jet]) -> Any:
    """The reference value of a function of one matrix."""
    return lambda node, args, size: real_entries(function(jet(args[0])).matrix)


define(
    Operator(
        "expm",
        says="the matrix exponential",
        source="Higham 2008, ch. 10",
        signatures=("(n,n) -> (n,n)",),
        differential=lambda node, i, d: build.apply("expm_frechet", node.args[0], d),
        simplify=_exponential_simplify,
        joins=_exponential_joins,
        facts=_exponential_facts,
        bounds=lambda node, args: NOT_NEGATIVE if args[0].low >= 0 else EVERYTHING,  # I + A + A²/2 + …
        entrywise=lambda a: build.apply("exp", a),
        cubic=20,
        reference=_value_of(exponential),
        lowers=Lowering(
            torch="torch.matrix_exp({0})", numpy="scipy.linalg.expm({0})", jax="jax.scipy.linalg.expm({0})"
        ),
        latex=r"\exp({0})",
        samples=(
            Sample("tr(expm(A))", {"A": "matrix(n, n)"}),
            Sample("tr(expm(S)*B)", {"S": "matrix(n, n; symmetric)"}),
            Sample("b'*expm(X*Y)*c", {"X": "matrix(3, 2)", "b": "vector(3)", "c": "vector(3)"}),
            Sample("norm2(expm(a*A)*b)^2", {"A": "matrix(3, 3)", "b": "vector(3)"}),
        ),
        errors=(("let A: matrix(2,3); x*tr(expm(A))", "square"),),
    )
)
_derivative_of(
    "expm",
    exponential,
    {"torch": "torch.matrix_exp", "numpy": "scipy.linalg.expm", "jax": "jax.scipy.linalg.expm"},
    (),
    _exponential_derivative,
    (
        Sample("tr(B*expm_frechet(A, D))", {"A": "matrix(2, 2)"}),
        Sample("b'*expm_frechet(A, D, D)*c", {"A": "matrix(2, 2)", **_VECTORS}),
    ),
    {},
    12,
)


# ---------------------------------------------------------------------------------------------------- logarithm


def _logarithm_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    if base.is_scalar:
        return build.apply("log", base)
    if not base.is_square:
        return None
    if base.op == "eye":
        return build.zeros(base.rows, base.rows)
    if base.op == "transpose":
        return build.apply("logm", base.args[0]).T
    if base.op == "inv":
        return -build.apply("logm", base.args[0])
    if base.op == "diag":
        return build.apply("diag", build.apply("log", base.args[0]))
    return base.args[0] if base.op == "expm" and "symmetric" in base.args[0].facts else None


def _logarithm_derivative(matrix: Node, directions: tuple[Node, ...]) -> Node | None:
    """Along what commutes with A: A⁻¹ along the identity, the identity along A itself."""
    if len(directions) > 1:
        return None
    if matrix.is_scalar:
        return build.divide(directions[0], matrix)
    if matrix.op == "eye":
        return directions[0]
    if directions[0].op == "eye":
        return build.inverse(matrix)
    return build.eye(matrix.rows) if directions == (matrix,) else None


def _function_of(function: str, general: str) -> Any:
    """By the eigenvalues of an argument that is known symmetric, else by the general iteration."""

    def spell(node: Node, args: Any, size: Any) -> str:
        if "symmetric" in node.args[0].facts:
            return f"_spectral({function}, {args[0]})"
        return f"{general}({args[0]})"

    return spell


def _lowering_of(word: str, general: str) -> Lowering:
    return Lowering(
        torch=_function_of(f"torch.{word}", general),
        numpy=_function_of(f"np.{word}", general),
        jax=_function_of(f"jnp.{word}", general),
        helpers=functions("_spectral", general),
    )


define(
    Operator(
        "logm",
        says="the principal logarithm of a matrix without zero or negative eigenvalues",
        source="Higham 2008, ch. 11",
        signatures=("(n,n) -> (n,n)",),
        differential=lambda node, i, d: build.apply("logm_frechet", node.args[0], d),
        simplify=_logarithm_simplify,
        facts=lambda node: node.args[0].facts & _SHAPES,
        domain={0: "principal"},
        entrywise=lambda a: build.apply("log", a),
        cubic=100,
        reference=_value_of(logarithm),
        lowers=_lowering_of("log", "_logm"),
        latex=r"\log({0})",
        samples=(
            Sample("tr(logm(A))", {"A": "matrix(n, n; posdef)"}),
            Sample("tr(B*logm(A))", {"A": "matrix(3, 3; posdef)"}),
            Sample("tr(B*logm(A))", {"A": "matrix(n, n)"}),
            Sample("norm2(logm(X*X' + I))^2", {"X": "matrix(3, 2)"}),
        ),
        errors=(("let A: matrix(2,3); x*tr(logm(A))", "square"),),
    )
)
_derivative_of(
    "logm",
    logarithm,
    dict.fromkeys(("torch", "numpy", "jax"), "_logm"),
    ("_logm",),
    _logarithm_derivative,
    (Sample("tr(B*logm_frechet(A, D))", {"A": "matrix(2, 2)"}),),
    {0: "principal"},
    50,
)


# -------------------------------------------------------------------------------------------------- square root


def _root_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    base = args[0]
    half = build.number(1) / build.number(2)
    if base.is_scalar:
        return build.power(base, half)
    if not base.is_square:
        return None
    if base.op == "eye":
        return base
    if base.op == "transpose":
        return build.apply("sqrtm", base.args[0]).T
    if base.op == "inv":
        return build.inverse(build.apply("sqrtm", base.args[0]))
    if base.op == "diag":
        return build.apply("diag", build.power(base.args[0], half))
    if base.op == "scale" and "positive" in base.args[0].facts:
        return build.scale(build.power(base.args[0], half), build.apply("sqrtm", base.args[1]))
    if base.op == "matpow" and base.params[0] == 2 and "positive_stable" in base.args[0].facts:
        return base.args[0]
    return None


def _root_joins(left: Node, right: Node) -> Node | None:
    """S·S = A."""
    return left.args[0] if left is right and left.op == "sqrtm" else None


def _root_facts(node: Node) -> frozenset[str]:
    facts = {"positive_stable", "principal", "invertible", "full_rank"} | (node.args[0].facts & _SHAPES)
    return frozenset(facts | {"posdef", "psd"}) if "symmetric" in facts else frozenset(facts)


define(
    Operator(
        "sqrtm",
        says="the principal square root of a matrix without zero or negative eigenvalues",
        source="Higham 2008, ch. 6",
        signatures=("(n,n) -> (n,n)",),
        differential=lambda node, i, d: sylvester(node, node, d),
        simplify=_root_simplify,
        joins=_root_joins,
        facts=_root_facts,
        domain={0: "principal"},
        entrywise=lambda a: build.power(a, build.divide(build.number(1), build.number(2))),
        cubic=20,
        reference=_value_of(square_root),
        lowers=_lowering_of("sqrt", "_sqrtm"),
        latex="{0}^{{1/2}}",
        samples=(
            Sample("tr(sqrtm(A))", {"A": "matrix(n, n; posdef)"}),
            Sample("tr(B*sqrtm(A))", {"A": "matrix(n, n; posdef)"}),
            Sample("tr(B*sqrtm(A))", {"A": "matrix(n, n)"}),
            Sample("norm2(sqrtm(X'*X + I) - B)^2", {"X": "matrix(2, 3)"}),
            Sample("tr(sqrtm(a*A))", {"A": "matrix(n, n; posdef)", "a": "scalar(; positive)"}),
        ),
        errors=(("let A: matrix(2,3); x*tr(sqrtm(A))", "square"),),
    )
)
