"""Softmax and its logarithm: over a vector, along each row of a matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import NOT_NEGATIVE, Interval, outwards
from matcalc.expression.formula import axis_name, call
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.operators.axes import along, axes_text, canonical, keep_dims, reduced_signatures, written_along
from matcalc.operators.exact_functions import Elementary

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Goodfellow et al. 2016, sec. 4.1"


def _axis(node: Node) -> int:
    return 0 if node.cols == 1 else 1


def _centred(weights: Node, d: Node) -> Node:
    """dx less its mean under the weights."""
    mean = build.apply("sum_along", build.times(weights, d), params=(_axis(d),))
    return d - build.spread(mean, d.shape)


def _softmax_rule(node: Node, i: int, d: Node) -> Node:
    return build.times(node, _centred(node, d))


def _log_softmax_rule(node: Node, i: int, d: Node) -> Node:
    return _centred(build.apply("softmax", node.args[0]), d)


def _exponentials(functions: Any, x: Any, axis: int) -> Any:
    import numpy as np

    made = np.vectorize(functions.exp, otypes=[object])(x)
    return made, made.sum(axis=axis, keepdims=True)


def _softmax(functions: Any, node: Node, args: Any, size: Any) -> Any:
    raised, total = _exponentials(functions, args[0], _axis(node))
    return raised / total


def _log_softmax(functions: Any, node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    total = _exponentials(functions, args[0], _axis(node))[1]
    return args[0] - np.vectorize(functions.log, otypes=[object])(total)


def _precisely(evaluate: Any) -> Any:
    """With the functions of mpmath."""
    return lambda node, args, size: evaluate(__import__("mpmath"), node, args, size)


def _over_fields(evaluate: Any) -> Any:
    """With the functions that there are over a field."""
    return lambda node, args, size: evaluate(Elementary, node, args, size)


def _spelled(torch: str, numpy: str, jax: str) -> Lowering:
    def along(text: str) -> Any:
        return lambda node, args, size: text.format(args[0], _axis(node) - 2)

    return Lowering(torch=along(torch), numpy=along(numpy), jax=along(jax))


def _image(log: bool) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import sympy

        i, j, k = sympy.symbols("i j k", integer=True)
        x = args[0]
        column = node.cols == 1
        count = size(node.rows if column else node.cols)
        total = sympy.Sum(sympy.exp(x[k, j] if column else x[i, k]), (k, 0, count - 1))
        entry = x[i, j] - sympy.log(total) if log else sympy.exp(x[i, j]) / total
        return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))

    return evaluate


define(
    Operator(
        "softmax",
        says="exp(x)/sum(exp(x)), over a vector or along each row of a matrix",
        source=_SOURCE,
        signatures=("(m,n) -> (m,n)",),
        differential=_softmax_rule,
        simplify=lambda args, params: build.number(1) if args[0].is_scalar else None,
        facts=lambda node: frozenset({"positive", "nonnegative", "nonzero", "simplex"}),
        exact=_over_fields(_softmax),
        reference=_precisely(_softmax),
        sympy=_image(log=False),
        lowers=_spelled(
            "torch.softmax({0}, {1})", "scipy.special.softmax({0}, axis={1})", "jax.nn.softmax({0}, axis={1})"
        ),
        samples=(Sample("y'*softmax(x)"), Sample("sum(A.*softmax(X*W))")),
    )
)
define(
    Operator(
        "log_softmax",
        says="x - log(sum(exp(x))), over a vector or along each row of a matrix",
        source=_SOURCE,
        signatures=("(m,n) -> (m,n)",),
        differential=_log_softmax_rule,
        simplify=lambda args, params: build.number(0) if args[0].is_scalar else None,
        bounds=lambda node, args: -NOT_NEGATIVE,
        exact=_over_fields(_log_softmax),
        reference=_precisely(_log_softmax),
        sympy=_image(log=True),
        lowers=_spelled(
            "torch.log_softmax({0}, {1})",
            "scipy.special.log_softmax({0}, axis={1})",
            "jax.nn.log_softmax({0}, axis={1})",
        ),
        samples=(Sample("-t'*log_softmax(z)", {"t": "vector(n)"}), Sample("sum(A.*log_softmax(X*W))")),
    )
)


def _weights(node: Node) -> Node:
    """exp(x)/sum(exp(x)) over what is reduced: softmax where that is a row or the vector."""
    x = node.args[0]
    if node.params == (1,) or (not node.params and 1 in x.shape):
        return build.apply("softmax", x)
    if node.params == (0,):
        return build.apply("softmax", x.T).T
    return build.apply("exp", x - build.spread(node, x.shape))


def _logsumexp_rule(node: Node, i: int, d: Node) -> Node:
    if not node.params:
        return build.apply("inner", _weights(node), d)
    return build.apply("sum_along", build.times(_weights(node), d), params=node.params)


def _logsumexp(functions: Any, node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    raised = np.vectorize(functions.exp, otypes=[object])(args[0])
    return np.vectorize(functions.log, otypes=[object])(raised.sum(axis=along(node.params), keepdims=True))


def _logsumexp_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """With n equal entries it is log(n) above them; it rises with every entry."""
    x = node.args[0]
    count = x.shape[node.params[0]] if node.params else x.rows * x.cols
    if not isinstance(count, int):
        return Interval(args[0].low)
    more = math.log(count)
    return args[0] + Interval(outwards(more, False), outwards(more, True))


def _image_logsumexp(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j, k = sympy.symbols("i j k", integer=True)
    x, (rows, cols) = args[0], (size(s) for s in node.args[0].shape)
    if not node.params:
        return sympy.log(sympy.Sum(sympy.exp(x[i, j]), (i, 0, rows - 1), (j, 0, cols - 1)))
    inner, count = (x[k, j], rows) if node.params[0] == 0 else (x[i, k], cols)
    entry = sympy.log(sympy.Sum(sympy.exp(inner), (k, 0, count - 1)))
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))


def _logsumexp_spelled(template: str) -> Any:
    return lambda node, args, size: template.format(args[0], axes_text(node.params))


define(
    Operator(
        "logsumexp",
        says="log(sum(exp(x))), of all entries; logsumexp(X, 0) of each column, logsumexp(X, 1) of each row",
        source="Boyd & Vandenberghe 2004, sec. 3.1.5",
        signatures=reduced_signatures(),
        call=lambda x, axis=None: build.apply("logsumexp", x, params=() if axis is None else (axis,)),
        shape=keep_dims,
        differential=_logsumexp_rule,
        simplify=lambda args, params: canonical("logsumexp", args[0], params),
        bounds=_logsumexp_bounds,
        written=written_along("logsumexp"),
        exact=_over_fields(_logsumexp),
        reference=_precisely(_logsumexp),
        sympy=_image_logsumexp,
        lowers=Lowering(
            torch=_logsumexp_spelled("torch.logsumexp({0}, {1}, keepdim=True)"),
            numpy=_logsumexp_spelled("scipy.special.logsumexp({0}, axis={1}, keepdims=True)"),
            jax=_logsumexp_spelled("jax.nn.logsumexp({0}, axis={1}, keepdims=True)"),
        ),
        latex=lambda node, pieces, size: call("logsumexp", pieces[0].body, below=axis_name(node.params)),
        samples=(
            Sample("logsumexp(A*x)"),
            Sample("logsumexp(X)^2"),
            Sample("sum(square(logsumexp(X, 0)))"),
            Sample("sum(square(logsumexp(X*W, 1)))"),
            Sample("log(sum(exp(x)))"),
        ),
    )
)
