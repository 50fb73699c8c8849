"""Larger, smaller, one or the other: elementwise functions of two values and their kinks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import EVERYTHING, NOT_NEGATIVE, Interval, bounds
from matcalc.expression.formula import Formula, call, cases
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM
from matcalc.operators.exact_functions import Elementary
from matcalc.operators.exact_matrices import root

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def _entrywise(action: Any) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import mpmath
        import numpy as np

        return np.vectorize(lambda *v: action(mpmath, *v), otypes=[object])(*args)

    return evaluate


def _image(action: Any) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import sympy

        if node.is_scalar:
            return action(sympy, *args)
        i, j = sympy.symbols("i j", integer=True)
        entries = action(sympy, *(arg[i, j] for arg in args))
        return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entries))

    return evaluate


def _step(x: Node) -> Node:
    """1 where x > 0, 1/2 at 0, else 0: torch splits a tie in two."""
    return build.apply("step", x)


def _broadcast(*args: Node) -> tuple[Node, ...]:
    shape = tuple(next((a.shape[axis] for a in args if a.shape[axis] != 1), 1) for axis in (0, 1))
    return tuple(build.spread(arg, shape) for arg in args)  # type: ignore[arg-type]  # two axes


def _call(name: str) -> Any:
    return lambda *args: build.apply(name, *_broadcast(*args))


def _zero_split(name: str, args: tuple[Node, ...]) -> Node | None:
    """Of two equal values either one; of a value and zero, relu."""
    if args[0] is args[1]:
        return args[0]
    for one, other in (args, args[::-1]):
        if name == "maximum" and build.is_zero(one) and "nonnegative" in other.facts:
            return other
    return None


_PAIR = ("(m,n), (m,n) -> (m,n)",)


def _extreme(name: str, sign: int, pick: Any, image: Any) -> None:
    def rule(node: Node, i: int, d: Node) -> Node:
        left, right = node.args
        gap = left - right if (i == 0) == (sign > 0) else right - left
        return build.times(_step(gap), d)

    define(
        Operator(
            name,
            says=f"the {'larger' if sign > 0 else 'smaller'} of two, entry by entry",
            broadcasts=True,
            source="Boyd & Vandenberghe 2004, ch. 3.2",
            signatures=_PAIR,
            call=_call(name),
            differential=rule,
            simplify=lambda args, params: _zero_split(name, args),
            bounds=lambda node, args: Interval(pick(*(a.low for a in args)), pick(*(a.high for a in args))),
            ties=lambda node, args: args[0] - args[1],
            branch=lambda node, args: args[0] - args[1],
            reference=_entrywise(lambda m, a, b: pick(a, b)),
            sympy=_image(image),
            lowers=Lowering(
                torch=f"torch.{name}({{0}}, {{1}})",
                numpy=f"np.{name}({{0}}, {{1}})",
                jax=f"jnp.{name}({{0}}, {{1}})",
            ),
            latex=lambda node, pieces, size: call(name.removesuffix("imum"), *(piece.body for piece in pieces)),
            samples=(
                Sample(f"sum({name}(x, y))"),
                Sample(f"sum({name}(0, 1 - y.*x))"),
                Sample(f"sum(square({name}(X, y)))"),
            ),
        )
    )


_extreme("maximum", 1, max, lambda s, a, b: s.Max(a, b))
_extreme("minimum", -1, min, lambda s, a, b: s.Min(a, b))


def _angle(m: Any, y: Any, x: Any) -> Any:
    if isinstance(y, m.mpc) or isinstance(x, m.mpc):
        raise TypeError("no angle is defined for complex numbers")
    return m.atan2(y, x)


def _without_angle(node: Node, args: Sequence[Any]) -> str:
    """A multiple of one and the same matrix has a smooth angle to it, except where that has zeros.

    Points with zeros in y, as a one-hot vector has, may lie on the cut.
    """
    below = [x for y, x in zip(args[0].flat, args[1].flat, strict=True) if not y and x <= 0]
    if not all(below):
        return "atan2 is at the origin there, where it has no derivative"
    return "atan2 lies on its cut there, where it jumps from -pi to pi" if below else ""


def _atan2_rule(node: Node, i: int, d: Node) -> Node:
    y, x = node.args
    return build.times((x if i == 0 else -y) / (x**2 + y**2), d)


def _angle_over_fields(node: Node, args: Any, size: Any) -> Any:
    """By the half angle, 2·atan(y/(r + x)), r the distance from the origin."""
    import numpy as np

    return np.vectorize(lambda y, x: 2 * Elementary.atan(y / (root(x**2 + y**2) + x)), otypes=[object])(*args)


def _where_rule(node: Node, i: int, d: Node) -> Node:
    condition = node.args[0]
    zero = build.zeros(*d.shape)
    if i == 0:
        return zero
    return build.apply("where", condition, *((d, zero) if i == 1 else (zero, d)))


def _where_transpose(node: Node, i: int, u: Node) -> Node:
    zero = build.zeros(*u.shape)
    return build.apply("where", node.args[0], *((u, zero) if i == 1 else (zero, u)))


def _where_matrix(node: Node, i: int, J: Node) -> Node:
    """The choice of ones and zeros as a diagonal matrix."""
    one, zero = build.ones(*node.shape), build.zeros(*node.shape)
    chosen = build.apply("where", node.args[0], *((one, zero) if i == 1 else (zero, one)))
    return chosen @ J if node.is_scalar else build.apply("diag", build.apply("vec", chosen)) @ J


def _where_formula(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
    """One case or the other; of 1 and 0, the condition in Iverson's brackets."""
    condition, *values = pieces
    yes, no = rf"{condition.body} > 0", rf"{condition.body} \le 0"
    zero = [build.is_zero(arg) for arg in node.args[1:]]
    one = [arg is build.ones(*arg.shape) for arg in node.args[1:]]
    if (one[0] and zero[1]) or (zero[0] and one[1]):
        return Formula(rf"\left[{yes if one[0] else no}\right]", ATOM)
    return cases((values[0].body, yes), (values[1].body, no))


def _where_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """Of each value only where it is taken: a leaky ReLU of what is not negative is not negative."""
    condition, (lies, one, other) = node.args[0], args
    if lies.low > 0 or lies.high <= 0:
        return one if lies.low > 0 else other
    one = _where_taken(node.args[1], one, condition, lies & NOT_NEGATIVE)
    return one | _where_taken(node.args[2], other, condition, lies & -NOT_NEGATIVE)


def _where_taken(value: Node, lies: Interval, condition: Node, side: Interval) -> Interval:
    """Bounds of a value where the condition is on a side: of the condition itself, or of an operator applied to it.

    An operator that mixes entries sees those on the other side too.
    """
    if value is condition:
        return lies & side
    rule, operator = value.operator.bounds, value.operator
    entrywise = condition.is_scalar or operator.is_elementwise or operator.broadcasts
    if rule is None or condition not in value.args or not entrywise:
        return lies
    known = (side if arg is condition else EVERYTHING if arg.args else bounds(arg) for arg in value.args)
    return lies & rule(value, list(known))


def _where_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    condition, one, other = args
    if one is other:
        return one
    if "positive" in condition.facts:
        return one
    if one.op == "scale" and build.is_zero(other):
        return build.scale(one.args[0], build.apply("where", condition, one.args[1], other))
    if other.op == "scale" and build.is_zero(one):
        return build.scale(other.args[0], build.apply("where", condition, one, other.args[1]))
    return None


define(
    Operator(
        "atan2",
        says="the angle of the point (x, y), from y and x",
        broadcasts=True,
        source="NIST Digital Library of Mathematical Functions, 4.23",
        signatures=_PAIR,
        call=_call("atan2"),
        differential=_atan2_rule,
        exact=_angle_over_fields,
        trouble=_without_angle,
        bounds=lambda node, args: Interval(Fraction(0 if args[0].low >= 0 else -4), Fraction(4)),
        reference=_entrywise(_angle),
        sympy=_image(lambda s, y, x: s.atan2(y, x)),
        lowers=Lowering(torch="torch.atan2({0}, {1})", numpy="np.arctan2({0}, {1})", jax="jnp.arctan2({0}, {1})"),
        aliases=("arctan2",),
        samples=(Sample("sum(atan2(A*x, B*x))"), Sample("atan2(a, b)^2")),
    )
)
define(
    Operator(
        "where",
        says="a where c > 0, else b",
        broadcasts=True,
        source="Harris et al. 2020, Array programming with NumPy",
        signatures=("(m,n), (m,n), (m,n) -> (m,n)",),
        call=_call("where"),
        differential=_where_rule,
        transpose=_where_transpose,
        matrix=_where_matrix,
        ties=lambda node, args: args[0],
        branch=lambda node, args: args[0],
        simplify=_where_simplify,
        bounds=_where_bounds,
        reference=_entrywise(lambda m, c, a, b: a if c > 0 else b),
        sympy=_image(lambda s, c, a, b: s.Piecewise((a, c > 0), (b, True))),
        lowers=Lowering(
            torch="torch.where({0:a} > 0, {1}, {2})",
            numpy="np.where({0:a} > 0, {1}, {2})",
            jax="jnp.where({0:a} > 0, {1}, {2})",
        ),
        latex=_where_formula,
        samples=(Sample("sum(where(x - y, (x - y).^2, 0.5*abs(x - y)))"),),
    )
)
