"""The forms that a result can be asked for in: textbook, expanded (no product of sums), factored (no shared scalar)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from matcalc.calculus.simplify import expanded, textbook
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.walk import fold


def factored(node: Node) -> Node:
    """``node`` with scalar factors taken out of every part of a sum that shares one; the same value.

    >>> a, b, c, d = (build.variable(name, (1, 1), "scalar") for name in "abcd")
    >>> factored(a * b + a * c + d) is a * (b + c) + d
    True
    """

    def visit(below: Node, args: Sequence[Node]) -> Node:
        return _taken_out(build.with_args(below, tuple(args)))

    return fold(textbook(node), visit)


def _taken_out(total: Node) -> Node:
    """The factor that most terms share taken out of them, and so on with what is left inside and outside."""
    if total.op != "add":
        return total
    counts = Counter(factor for term in total.args for factor in _scalar_factors(term))
    shared = min(counts, key=lambda factor: (-counts[factor], -factor.weight, factor.digest), default=None)
    if shared is None or counts[shared] < 2:
        return total
    under = build.power(shared, build.number(-1))
    inside = [build.multiply(under, term) for term in total.args if shared in _scalar_factors(term)]
    outside = [term for term in total.args if shared not in _scalar_factors(term)]
    made = build.multiply(shared, _taken_out(build.add(*inside)))
    return build.add(made, _taken_out(build.add(*outside))) if outside else made


def _scalar_factors(term: Node) -> frozenset[Node]:
    scalar = term.args[0] if term.op == "scale" else term
    if not scalar.is_scalar:
        return frozenset()
    factors = scalar.args if scalar.op == "times" else (scalar,)
    return frozenset(factor for factor in factors if factor.op != "number")


FORMS: Mapping[str, Callable[[Node], Node]] = {
    "textbook": lambda node: node,
    "expanded": expanded,
    "factored": factored,
}
