"""Layer normalization: over a vector or each row of a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import EVERYTHING, Interval, outwards
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.exact_matrices import root

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Ba, Kiros & Hinton 2016, Layer Normalization"


def _least() -> Node:
    """sqrt(eps), eps = 1e-5 as torch's."""
    return build.power(build.number(Fraction(1, 100_000)), build.number(Fraction(1, 2)))


def _axis(x: Node) -> int:
    return 0 if x.cols == 1 else 1


def _mean(x: Node) -> Node:
    """The mean of a vector, or the column of the means of the rows."""
    axis = _axis(x)
    return build.divide(build.apply("sum_along", x, params=(axis,)), build.size_number(x.shape[axis]))


def _spread_mean(x: Node) -> Node:
    return build.spread(_mean(x), x.shape)


def _divided(x: Node, deviation: Node) -> Node:
    if deviation.is_scalar:
        return build.divide(x, deviation)
    return build.times(x, build.power(build.spread(deviation, x.shape), build.number(-1)))


def _layernorm_rule(node: Node, i: int, d: Node) -> Node:
    """dy = (dx - mean(dx) - y mean(y dx))/σ, as follows from y = (x - mean(x))/σ and dσ = mean(y dx).

    The division comes first here, so that in the gradient, which is the transpose, it comes last.
    """
    moved = _divided(d, build.apply("layerstd", node.args[0]))
    return moved - _spread_mean(moved) - build.times(node, _spread_mean(build.times(node, moved)))


def _layerstd_rule(node: Node, i: int, d: Node) -> Node:
    """dσ = mean(y dx), y the normalized x."""
    return _mean(build.times(build.apply("layernorm", node.args[0]), d))


def _is_level(x: Node) -> bool:
    """Whether all entries are seen to be the same."""
    body = x.args[1] if x.op == "scale" else x
    return x.is_scalar or body.op in ("ones", "zeros")


def _layernorm_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    return build.zeros(*args[0].shape) if _is_level(args[0]) else None


def _layerstd_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    """What does not vary deviates by sqrt(eps) alone."""
    x = args[0]
    if _is_level(x):
        return build.multiply(_least(), build.ones(*_reduced(x)))
    return None


def _reduced(x: Node) -> Any:
    return (1, 1) if x.cols == 1 else (x.rows, 1)


def _called(x: Node, axis: int | None = None) -> Node:
    """``layerstd(x)`` of a vector, ``layerstd(X, 1)`` of rows, which may have one entry each."""
    if axis is not None and x.cols == 1:
        return build.multiply(_least(), build.ones(x.rows, 1))
    return build.apply("layerstd", x)


def _layernorm_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """Of n entries one is at most sqrt(n - 1) deviations from their mean (Samuelson 1968)."""
    count = node.shape[_axis(node)]
    if not isinstance(count, int):
        return EVERYTHING
    most = outwards(math.sqrt(count - 1), True)
    return Interval(-most, most)


# ----------------------------------------------------------------------------------------------------- values


def _centred(node: Node, x: Any) -> tuple[Any, Any]:
    """x less its mean, and the deviation, in whatever precision is in force."""
    import mpmath

    return _in_arithmetic(node, x, mpmath.mpf(1), mpmath.sqrt)


def _over_fields(node: Node, x: Any) -> tuple[Any, Any]:
    return _in_arithmetic(node, x, Fraction(1), root)


def _in_arithmetic(node: Node, x: Any, one: Any, rooted: Callable[[Any], Any]) -> tuple[Any, Any]:
    import numpy as np

    axis = _axis(node.args[0])
    count = one * x.shape[axis]
    centred = x - x.sum(axis=axis, keepdims=True) / count
    variance = (centred * centred).sum(axis=axis, keepdims=True) / count
    return centred, np.vectorize(lambda v: rooted(v + one / 100_000), otypes=[object])(variance)


def _layernorm_reference(node: Node, args: Any, size: Any) -> Any:
    centred, deviation = _centred(node, args[0])
    return centred / deviation


def _layernorm_over_fields(node: Node, args: Any, size: Any) -> Any:
    centred, deviation = _over_fields(node, args[0])
    return centred / deviation


def _image_parts(node: Node, x: Any, size: Any) -> Any:
    """(i, j) to the centred entry and the deviation there."""
    import sympy

    k, l = sympy.Dummy("k", integer=True), sympy.Dummy("l", integer=True)  # noqa: E741  indices of the sums
    arg = node.args[0]
    column = arg.cols == 1
    count = size(arg.rows if column else arg.cols)

    def at(i: Any, j: Any, m: Any) -> Any:
        return x[m, j] if column else x[i, m]

    def parts(i: Any, j: Any) -> tuple[Any, Any]:
        mean = sympy.Sum(at(i, j, k), (k, 0, count - 1)) / count
        variance = sympy.Sum((at(i, j, l) - mean) ** 2, (l, 0, count - 1)) / count
        return x[i, j] - mean, sympy.sqrt(variance + sympy.Rational(1, 100_000))

    return parts


def _image_layernorm(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    centred, deviation = _image_parts(node, args[0], size)(i, j)
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), centred / deviation))


def _image_layerstd(node: Node, args: Any, size: Any) -> Any:
    import sympy

    parts = _image_parts(node, args[0], size)
    if node.is_scalar:
        return parts(0, 0)[1]
    i, j = sympy.symbols("i j", integer=True)
    return sympy.FunctionMatrix(size(node.rows), 1, sympy.Lambda((i, j), parts(i, 0)[1]))


# ----------------------------------------------------------------------------------------------------- targets


def _along(text: str) -> Any:
    return lambda node, args, size: text.format(args[0], _axis(node.args[0]) - 2)


_TORCH_STD = "({0}.var({1}, correction=0, keepdim=True) + 1e-05).sqrt()"
_NUMPY_STD = "np.sqrt({0}.var({1}, keepdims=True) + 1e-05)"
_JAX_STD = "jnp.sqrt({0}.var({1}, keepdims=True) + 1e-05)"


def _normalized(deviation: str, keep: str) -> Any:
    return _along(f"(({{0}} - {{0}}.mean({{1}}, {keep}=True)) / {deviation})")


define(
    Operator(
        "layernorm",
        says="(x - mean(x))/layerstd(x), over a vector or along each row of a matrix",
        source=_SOURCE,
        signatures=("(m,n) -> (m,n)",),
        differential=_layernorm_rule,
        simplify=_layernorm_simplify,
        bounds=_layernorm_bounds,
        exact=_layernorm_over_fields,
        reference=_layernorm_reference,
        sympy=_image_layernorm,
        lowers=Lowering(
            torch=_normalized(_TORCH_STD, "keepdim"),
            numpy=_normalized(_NUMPY_STD, "keepdims"),
            jax=_normalized(_JAX_STD, "keepdims"),
        ),
        samples=(Sample("y'*layernorm(x)"), Sample("sum(A.*layernorm(X*W))"), Sample("norm2(layernorm(W*x) - y)^2")),
    )
)
define(
    Operator(
        "layerstd",
        says="sqrt(variance + 1e-5), what layernorm divides by: of a vector, or layerstd(X, 1) of each row",
        source=_SOURCE,
        signatures=("(n,1) -> (1,1)", "(m,n), 1 -> (m,1)"),
        call=_called,
        shape=lambda args, params: _reduced(args[0]),
        differential=_layerstd_rule,
        simplify=_layerstd_simplify,
        bounds=lambda node, args: Interval(outwards(math.sqrt(1e-5), False)),
        facts=lambda node: frozenset({"positive", "nonnegative", "nonzero"}),
        exact=lambda node, args, size: _over_fields(node, args[0])[1],
        reference=lambda node, args, size: _centred(node, args[0])[1],
        sympy=_image_layerstd,
        written=lambda node, args, size: (
            f"layerstd({args[0]})" if node.args[0].cols == 1 else f"layerstd({args[0]}, 1)"
        ),
        lowers=Lowering(torch=_along(_TORCH_STD), numpy=_along(_NUMPY_STD), jax=_along(_JAX_STD)),
        samples=(Sample("layerstd(x)^2"), Sample("y'*layerstd(X, 1)")),
    )
)
