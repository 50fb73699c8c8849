"""Sums, products with a scalar, elementwise products and powers, and how values spread over shapes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import EVERYTHING, NOT_NEGATIVE, UNIT, Interval
from matcalc.expression.indexed import Indexed, Term, multiplied
from matcalc.expression.operator import Lowering, Operator, Sample, define, of_each
from matcalc.operators import stability
from matcalc.operators.exact_matrices import OutOfFieldError, root

if TYPE_CHECKING:
    from matcalc.expression.indexed import Axes, Indices, Letters
    from matcalc.expression.nodes import Node

_STRUCTURES = frozenset({"symmetric", "skew", "diagonal", "lower", "upper"})
_SIGNS = frozenset({"positive", "nonnegative"})
_NOISE = 1e-20
_NEAR_ZERO = 0.02
_MAGNUS = "Magnus & Neudecker 2019, ch. 8.2"


def _all_facts(node: Node, kept: frozenset[str]) -> frozenset[str]:
    return frozenset.intersection(*(arg.facts for arg in node.args)) & kept


def _transpose_pair(node: Node) -> bool:
    """Whether each term's transpose is a term too: the sum is symmetric."""
    return all(term.T in node.args for term in node.args)


def _add_facts(node: Node) -> frozenset[str]:
    facts = set(_all_facts(node, _STRUCTURES | _SIGNS | {"psd", "nonzero"}))
    if "positive" not in facts:
        facts.discard("nonzero")
    if any("positive" in a.facts for a in node.args) and all("nonnegative" in a.facts for a in node.args):
        facts |= {"positive", "nonzero"}
    if len(node.args) == 2 and _complement(*node.args):
        facts |= {"unit", "positive", "nonnegative", "nonzero"}
    if any("posdef" in a.facts for a in node.args) and all("psd" in a.facts for a in node.args):
        facts |= {"posdef", "invertible"}
    if (
        node.is_square
        and not node.is_scalar
        and "symmetric" not in facts
        and len(node.args) < 9
        and _transpose_pair(node)
    ):
        facts.add("symmetric")
    return frozenset(facts)


def _complement(one: Node, other: Node) -> bool:
    """Whether a sum of two is 1 - u, where every entry of u lies in (0, 1)."""
    if not (build.is_one(one) or one.op == "ones"):
        one, other = other, one
    coefficient, rest = build.split(other)
    return (build.is_one(one) or one.op == "ones") and coefficient == -1 and "unit" in rest.facts


def _add_transposed(node: Node) -> Node:
    return build.add(*(term.T for term in node.args))


def _sum_of(args: Any) -> Any:
    total = args[0]
    for arg in args[1:]:
        total = total + arg
    return total


def _image_sum(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.Add(*args) if node.is_scalar else sympy.MatAdd(*args)


def _replaced(node: Node, i: int, d: Node) -> tuple[Node, ...]:
    return (*node.args[:i], d, *node.args[i + 1 :])


def _times_rule(node: Node, i: int, d: Node) -> Node:
    return build.times(*_replaced(node, i, d))


def _times_transpose(node: Node, i: int, u: Node) -> Node:
    return build.times(u, *(arg for j, arg in enumerate(node.args) if j != i)) if len(node.args) > 1 else u


def _times_matrix(node: Node, i: int, J: Node) -> Node:
    """vec(W ⊙ U) = diag(vec W)·vec(U)."""
    others = [arg for j, arg in enumerate(node.args) if j != i]
    if not others:
        return J
    weight = build.times(*others)
    if weight.is_scalar:
        return build.multiply(weight, J)
    return build.apply("diag", build.apply("vec", weight)) @ J


def _first_axes(args: Sequence[Indexed], side: str) -> Axes | None:
    """The axes of the first argument that has any of its own."""
    return next((axes for arg in args if (axes := getattr(arg, side)) is not None), None)


def _sum_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    return Indexed(
        _first_axes(args, "rows"),
        _first_axes(args, "cols"),
        lambda rows, cols: [term for arg in args for term in arg.entry(rows, cols)],
    )


def _times_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    def entry(rows: Indices, cols: Indices) -> list[Term]:
        return reduce(multiplied, (arg.entry(rows, cols) for arg in args))

    return Indexed(_first_axes(args, "rows"), _first_axes(args, "cols"), entry)


def _scale_indexed(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    """Numbers and scalars stand in front."""
    front = [Term(scalars=(node.args[0],))]
    return Indexed(args[1].rows, args[1].cols, lambda rows, cols: multiplied(front, args[1].entry(rows, cols)))


def _times_facts(node: Node) -> frozenset[str]:
    facts = set(_all_facts(node, _SIGNS | {"nonzero", "symmetric"}))
    if not node.is_scalar:
        facts |= {"diagonal", "lower", "upper"} & set().union(*(arg.facts for arg in node.args))
    return frozenset(facts)


def _product_of(args: Any) -> Any:
    total = args[0]
    for arg in args[1:]:
        total = total * arg
    return total


def _image_times(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.Mul(*args) if node.is_scalar else sympy.HadamardProduct(*args)


def _scale_transpose(node: Node, i: int, u: Node) -> Node:
    scalar, matrix = node.args
    return build.apply("inner", u, matrix) if i == 0 else build.multiply(scalar, u)


def _scale_matrix(node: Node, i: int, J: Node) -> Node:
    scalar, matrix = node.args
    return build.apply("vec", matrix) @ J if i == 0 else build.multiply(scalar, J)


def _spread_matrix(node: Node, i: int, J: Node) -> Node:
    """A column repeated is U·1', a row repeated 1·U."""
    rows, cols = node.args[0].shape
    right = build.eye(cols) if cols != 1 else build.ones(node.cols, 1)
    left = build.eye(rows) if rows != 1 else build.ones(node.rows, 1)
    return build.apply("kron", right, left) @ J


_KEPT_BY_POSITIVE = frozenset(
    {
        "posdef", "psd", "positive_stable", "principal", "invertible", "full_rank",
        "positive", "nonnegative", "nonzero",
    }
)  # fmt: skip


def _scale_facts(node: Node) -> frozenset[str]:
    scalar, matrix = node.args
    facts = set(matrix.facts & _STRUCTURES)
    if "positive" in scalar.facts:
        facts |= matrix.facts & _KEPT_BY_POSITIVE
    elif "nonzero" in scalar.facts:
        facts |= matrix.facts & {"invertible", "full_rank", "nonzero"}
    elif "nonnegative" in scalar.facts:
        facts |= matrix.facts & {"psd", "nonnegative"}
    return frozenset(facts)


def _power_rule(node: Node, i: int, d: Node) -> Node:
    base, exponent = node.args
    if i == 0:
        lower = build.power(
            base,
            build.add(exponent, build.number(-1)) if exponent.is_scalar else exponent - build.ones(*base.shape),
        )
        return (exponent * lower) * d
    outer = node * build.apply("log", base)
    return outer * d


def _power_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    exponent = build.number_of(node.args[1])
    if exponent is not None:
        return args[0].power(exponent)
    base, power = args
    if power.low >= 0 and base.low >= 1:
        return Interval(Fraction(1))
    if power.low >= 0 and base.low >= 0 and base.high <= 1:
        return UNIT
    return NOT_NEGATIVE if base.low >= 0 else EVERYTHING


def _power_facts(node: Node) -> frozenset[str]:
    base, exponent = node.args
    if "positive" in base.facts:
        return frozenset({"positive", "nonnegative", "nonzero"})
    p = build.integer_of(exponent)
    facts = set(base.facts & {"nonzero"})
    if p is not None and p % 2 == 0:
        facts.add("nonnegative")
        if "nonzero" in facts:
            facts.add("positive")
    elif "nonnegative" in base.facts or (build.number_of(exponent) is not None and p is None):
        facts.add("nonnegative")
    if "symmetric" in base.facts and exponent.is_scalar:
        facts.add("symmetric")
    return frozenset(facts)


def _power_reference(node: Node, args: Any, size: Any) -> Any:
    import mpmath
    import numpy as np

    p = build.integer_of(node.args[1])
    if p is not None:
        return np.vectorize(lambda b: b**p, otypes=[object])(args[0])
    return np.vectorize(mpmath.power, otypes=[object])(args[0], args[1])


def _power_over_fields(node: Node, args: Any, size: Any) -> Any:
    """Whole powers, and those of a square root; the exponent may be made of sizes."""
    import numpy as np

    return np.vectorize(_raised, otypes=[object])(args[0], args[1])


def _raised(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, Fraction):
        raise OutOfFieldError("an exponent varies")
    if exponent.denominator > 2:
        raise OutOfFieldError(f"the exponent {exponent} is no half of a whole one")
    whole = exponent.denominator == 1
    return base**exponent.numerator if whole else root(base) ** exponent.numerator


def _image_power(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.Pow(*args) if node.is_scalar else sympy.HadamardPower(*args)


def _spread_transpose(node: Node, i: int, u: Node) -> Node:
    for axis, size in enumerate(node.args[0].shape):
        if size == 1 and u.shape[axis] != 1:
            u = build.apply("sum_along", u, params=(axis,))
    return u


def _spread_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.broadcast_to(args[0], (size(node.rows), size(node.cols))).copy()


def _image_spread(node: Node, args: Any, size: Any) -> Any:
    import sympy

    if node.args[0].cols == 1:
        return sympy.MatMul(args[0], sympy.OneMatrix(1, size(node.cols)))
    return sympy.MatMul(sympy.OneMatrix(size(node.rows), 1), args[0])


def _expand(target: str, module: str) -> Any:
    like = {"torch": "{0:a}.expand(*{0:a}.shape[:-2], {rows}, {cols})"}
    return like.get(target, module + ".broadcast_to({0}, (*{0:a}.shape[:-2], {rows}, {cols}))")


def _power_trouble(node: Node, args: Sequence[Any]) -> str:
    whole = all(power == int(power) for power in args[1].flat)
    near = max(_NEAR_ZERO * min(1, abs(args[0]).max()), _NOISE)
    if not whole and min(args[0].flat) < near:
        return "the base of a power is not positive there"
    if whole and min(args[1].flat) < 0 and min(abs(v) for v in args[0].flat) < near:
        return "division by nearly zero there"
    return ""


define(
    Operator(
        "add",
        says="the sum",
        source=_MAGNUS + "; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (35)",
        move_source="Magnus & Neudecker 2019, ch. 1.10; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (15)",
        rule="the differential of a sum is the sum of the differentials",
        move="a sum is paired term by term",
        notation=True,
        shape=lambda args, params: args[0].shape,
        transpose=lambda node, i, u: u,
        matrix=lambda node, i, J: J,
        indexed=_sum_indexed,
        transposed=_add_transposed,
        facts=_add_facts,
        bounds=lambda node, args: reduce(Interval.__add__, args),
        exact=True,
        reference=lambda node, args, size: _sum_of(args),
        sympy=_image_sum,
        samples=(Sample("norm2(x + 2*y - 1)^2"), Sample("sum(square(X .+ b'))")),
        errors=(("let A: matrix(m,n); let B: matrix(k,n); sum(A*x + B*x)", "cannot add"),),
    )
)
define(
    Operator(
        "times",
        says="the elementwise (Hadamard) product; of scalars, the product",
        source="Magnus & Neudecker 2019, ch. 3.6; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (38)",
        move_source="Magnus & Neudecker 2019, ch. 3.6",
        rule="product rule",
        move="regroup the entrywise factors",
        notation=True,
        shape=lambda args, params: args[0].shape,
        differential=_times_rule,
        transpose=_times_transpose,
        matrix=_times_matrix,
        indexed=_times_indexed,
        facts=_times_facts,
        bounds=lambda node, args: reduce(Interval.__mul__, args),
        stable=stability.product_of,
        at_kink=stability.at_origin,
        exact=True,
        reference=lambda node, args, size: _product_of(args),
        sympy=_image_times,
        samples=(Sample("sum(x.*y.*x)"), Sample("a*b*a + a/b"), Sample("sum((X.*Y)*x)")),
    )
)
define(
    Operator(
        "scale",
        says="a scalar times a vector or matrix",
        source=_MAGNUS,
        move_source="Magnus & Neudecker 2019, ch. 1.10",
        rule="product rule",
        move="regroup the scalars",
        notation=True,
        shape=lambda args, params: args[1].shape,
        differential=of_each(
            lambda scalar, matrix, ds: build.multiply(ds, matrix),
            lambda scalar, matrix, dm: build.multiply(scalar, dm),
        ),
        transpose=_scale_transpose,
        matrix=_scale_matrix,
        indexed=_scale_indexed,
        named_entries=True,
        transposed=lambda node: build.scale(node.args[0], node.args[1].T),
        facts=_scale_facts,
        bounds=lambda node, args: reduce(Interval.__mul__, args),
        stable=stability.scaled_of,
        at_kink=stability.at_origin,
        exact=True,
        reference=lambda node, args, size: args[1] * args[0][0, 0],
        sympy=lambda node, args, size: __import__("sympy").MatMul(*args),
        samples=(Sample("norm2(a*x - y)^2"), Sample("sum((x'*x)*x)")),
    )
)
define(
    Operator(
        "power",
        says="the elementwise power; of a scalar, the power",
        source="NIST Digital Library of Mathematical Functions, eq. 4.7.10",
        rule="power rule",
        notation=True,
        shape=lambda args, params: args[0].shape,
        differential=_power_rule,
        facts=_power_facts,
        bounds=_power_bounds,
        trouble=_power_trouble,
        stable=stability.power_of,
        exact=_power_over_fields,
        reference=_power_reference,
        sympy=_image_power,
        samples=(
            Sample("sum(x.^3)"),
            Sample("a^b", {"a": "scalar(; positive)"}),
            Sample("sum(x.^y)", {"x": "vector(n; positive)"}),
            Sample("sum(X.^(-1/2))", {"X": "matrix(m, n; positive)"}),
        ),
        errors=(("let x: vector(n); sum(x^2)", ".^"),),
    )
)
define(
    Operator(
        "spread",
        says="a row or column repeated over a matrix, as broadcasting does",
        source="Harris et al. 2020, Array programming with NumPy",
        move="what is repeated is paired with sums",
        notation=True,
        shape=lambda args, params: args[0].shape,
        transpose=_spread_transpose,
        matrix=_spread_matrix,
        transposed=lambda node: build.spread(node.args[0].T, (node.cols, node.rows)),
        bounds=lambda node, args: args[0],
        facts=lambda node: node.args[0].facts & {"positive", "nonnegative", "nonzero"},
        lowers=Lowering(torch=_expand("torch", ""), numpy=_expand("numpy", "np"), jax=_expand("jax", "jnp")),
        exact=True,
        reference=_spread_reference,
        sympy=_image_spread,
        samples=(Sample("sum(square(X*W .+ b'))"), Sample("sum(exp(X .- y))")),
    )
)
define(
    Operator(
        "square",
        says="the square of every entry",
        signatures=("(m,n) -> (m,n)",),
        call=lambda x: build.power(x, build.number(2)),
        samples=(Sample("sum(square(x))"),),
    )
)
define(
    Operator(
        "sqrt",
        says="the square root of every entry",
        signatures=("(m,n) -> (m,n)",),
        call=lambda x: build.power(x, build.number(1) / build.number(2)),
        samples=(Sample("sum(sqrt(x))", {"x": "vector(n; positive)"}), Sample("sqrt(x'*x)")),
    )
)
define(
    Operator(
        "hadamard",
        says="the elementwise product X.*Y",
        broadcasts=True,
        signatures=("(m,n), (m,n) -> (m,n)",),
        call=lambda x, y: x * y,
        samples=(Sample("sum(hadamard(X, Y))"),),
    )
)
