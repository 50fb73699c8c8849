"""Loss functions, to torch's conventions: means over entries or rows; huber entry by entry."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.errors import DomainError
from matcalc.expression import build
from matcalc.expression.bounds import Interval, exactly
from matcalc.expression.operator import Lowering, Operator, Sample, define

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def _mean(x: Node) -> Node:
    return build.divide(build.apply("sum", x), build.size_number(x.rows) * build.size_number(x.cols))


def _cross_entropy(logits: Node, target: Node) -> Node:
    """Of a vector -Σ y_i log p_i; of a matrix the mean of that over its rows."""
    log_probabilities = build.apply("log_softmax", logits)
    if logits.cols == 1:
        return -build.product(target.T, log_probabilities)
    return -build.divide(build.apply("sum", build.times(target, log_probabilities)), build.size_number(logits.rows))


def _bce(logits: Node, target: Node) -> Node:
    """-y log σ(z) - (1 - y) log(1 - σ(z)) = log(1 + exp(z)) - y z."""
    return _mean(build.apply("softplus", logits) - target * logits)


# ------------------------------------------------------------------------------------------------------- huber


def _size_of(x: Node) -> Node:
    return build.apply("abs", x)


def _excess(x: Node, delta: Node) -> Node:
    """|x| - delta, entry by entry."""
    return _size_of(x) - build.multiply(delta, build.ones(*x.shape))


def _huber_rule(node: Node, i: int, d: Node) -> Node:
    """By x it is x where |x| < delta, else delta·sign(x); by delta it is max(|x| - delta, 0)."""
    x, delta = node.args
    if i == 1:
        return build.multiply(d, build.apply("relu", _excess(x, delta)))
    outside = build.multiply(delta, build.apply("sign", x))
    return build.times(build.apply("where", -_excess(x, delta), x, outside), d)


def _huber_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    x, delta = args
    known = build.number_of(delta)
    if known is not None and known <= 0:
        raise DomainError(f"huber needs a positive delta, and this is {known}")
    if build.is_zero(x):
        return x
    return build.apply("huber", x.args[0], delta).T if x.op == "transpose" else None


def _huber_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    delta = args[1][0, 0]
    return np.vectorize(lambda v: v * v / 2 if abs(v) < delta else delta * (abs(v) - delta / 2), otypes=[object])(
        args[0]
    )


def _huber_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    x, delta = args

    def value(t: Any) -> Any:
        return sympy.Piecewise((t**2 / 2, sympy.Abs(t) < delta), (delta * (sympy.Abs(t) - delta / 2), True))

    if node.is_scalar:
        return value(x)
    t = sympy.Dummy("t", real=True)
    return x.applyfunc(sympy.Lambda(t, value(t)))


def _huber_text(module: str) -> str:
    inside = "0.5 * {0:a} ** 2"
    outside = f"{{1:a}} * ({module}.abs({{0}}) - 0.5 * {{1:a}})"
    return f"{module}.where({module}.abs({{0}}) < {{1}}, {inside}, {outside})"


define(
    Operator(
        "cross_entropy",
        says="-sum(y.*log(softmax(z))) of logits z and targets y; of matrices, the mean of that over the rows",
        source="Bishop 2006, sec. 4.3.4",
        signatures=("(m,n), (m,n) -> (1,1)",),
        call=_cross_entropy,
        samples=(
            Sample("cross_entropy(z, y)", {"z": "vector(n)", "y": "vector(n; onehot)"}),
            Sample("cross_entropy(z, y)", {"z": "vector(n)", "y": "vector(n)"}),
            Sample("cross_entropy(X*W, Y)", {"Y": "matrix(m, k; simplex)"}),
            Sample("cross_entropy(X*W, Y)"),
        ),
        errors=(("let x: vector(3); let y: vector(4); cross_entropy(x, y)", "cross_entropy"),),
    )
)
define(
    Operator(
        "mse",
        says="the mean of (a - b)^2 over all entries",
        source="Goodfellow et al. 2016, sec. 5.1.4",
        signatures=("(m,n), (m,n) -> (1,1)",),
        call=lambda a, b: _mean(build.power(a - b, build.number(2))),
        samples=(Sample("mse(X*w, y)"), Sample("mse(X*W, Y)")),
    )
)
define(
    Operator(
        "bce",
        says="the mean of -y*log(sigmoid(z)) - (1 - y)*log(1 - sigmoid(z)), by the logits z and the targets y",
        source="Bishop 2006, sec. 4.3.2",
        signatures=("(m,n), (m,n) -> (1,1)",),
        call=_bce,
        samples=(Sample("bce(X*w, y)"), Sample("bce(Z, Y)")),
    )
)
define(
    Operator(
        "huber",
        says="x^2/2 where |x| < delta, else delta*(|x| - delta/2); entry by entry",
        source="Huber 1964; Boyd & Vandenberghe 2004, ch. 6.1",
        signatures=("(m,n), (1,1) -> (m,n)",),
        differential=_huber_rule,
        simplify=_huber_simplify,
        bounds=lambda node, args: Interval(high=(args[0].power(Fraction(2)) * exactly(Fraction(1, 2))).high),
        facts=lambda node: frozenset({"nonnegative"}),
        domain={1: "positive"},
        ties=lambda node, args: abs(args[0]) - args[1],
        branch=lambda node, args: abs(args[0]) - args[1],
        reference=_huber_reference,
        sympy=_huber_image,
        lowers=Lowering(torch=_huber_text("torch"), numpy=_huber_text("np"), jax=_huber_text("jnp")),
        samples=(
            Sample("sum(huber(X*w - y, 1))"),
            Sample("mean(huber(x, delta))", {"delta": "scalar(; positive)"}),
            Sample("huber(a, 0.5) + sum(huber(X, a^2 + 0.1))"),
        ),
        errors=(("sum(huber(x, -1))", "positive delta"),),
    )
)
