"""Directional derivatives asked as questions about gradients, which the witnesses can answer.

A vjp is the gradient of ⟨u, f⟩. A Hessian times v is the gradient of ⟨∇f, v⟩, once ∇f is known to be right.

A jvp paired with u, E = ⟨u, jvp⟩, is L = ⟨vjp, v⟩ for the right vjp exactly when E + E² has the gradient (1 + 2L)·vjp
by v and E vanishes at v = 0. The gradient says that (E + 1/2)² - (L + 1/2)² is free of v; E and L are linear in u, so
E - L is free of v, and at v = 0 both are nothing. E alone would hide what is free of v, and E² the sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.transpose import transposed_map
from matcalc.checking.diagnosis.case import Pair
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import operator_of_role
from matcalc.expression.walk import fold

_DIGITS = 30


@dataclass(frozen=True)
class Directional:
    """A jvp, vjp or hvp, and what it was made from.

    Attributes:
        kind: which of them.
        expression: f.
        name: by which name.
        variables: all names in order, the direction (or cotangent) last.
        result: the derivation.
        gradient: of f by the name, for a hvp.
        projected: the property onto whose subspace the result was projected, or "".
        text: the expression as typed.
    """

    kind: str
    expression: Node
    name: str
    variables: tuple[Node, ...]
    result: Node
    gradient: Node | None = None
    projected: str = ""
    text: str = ""

    @property
    def direction(self) -> Node:
        """The direction's, or the cotangent's, node."""
        return self.variables[-1]


def questions(asked: Directional) -> list[Question]:
    """What has to hold for it to be right; every question is about the gradient of a scalar."""
    return {"jvp": _of_jvp, "vjp": _of_vjp, "hvp": _of_hvp}[asked.kind](asked)


def _pairing(left: Node, right: Node) -> Node:
    return build.apply(operator_of_role("pairing").name, left, right)


def _question(asked: Directional, expression: Node, name: str, claimed: Node, *more: Node) -> Question:
    projected = asked.projected if name == asked.name else ""
    return Question(expression, name, (*asked.variables, *more), claimed, projected=projected, text=asked.text)


def _of_vjp(asked: Directional) -> list[Question]:
    return [_question(asked, _pairing(asked.direction, asked.expression), asked.name, asked.result)]


def _of_hvp(asked: Directional) -> list[Question]:
    assert asked.gradient is not None, "a Hessian is that of a gradient"
    return [
        _question(asked, asked.expression, asked.name, asked.gradient),
        _question(asked, _pairing(asked.gradient, asked.direction), asked.name, asked.result),
    ]


def _of_jvp(asked: Directional) -> list[Question]:
    f, v = asked.expression, asked.direction
    x = next(n for n in (*postorder(f), *asked.variables) if n.op == "variable" and n.params[0] == asked.name)
    dx = direction_for(x)
    u = build.variable(_new_name(asked), f.shape, "scalar" if f.is_scalar else "matrix")
    vjp = transposed_map(differential(f, x, dx), dx, u)
    paired, right = _pairing(u, asked.result), _pairing(vjp, v)
    one, two = build.number(1), build.number(2)
    raised = build.add(paired, build.power(paired, two))
    asks = [
        _question(asked, _pairing(u, f), asked.name, vjp, u),
        _question(asked, raised, v.params[0], build.multiply(build.add(one, two * right), vjp), u),
    ]
    at_rest = fold(
        paired, lambda node, args: build.zeros(*v.shape) if node is v else build.with_args(node, tuple(args))
    )
    if not build.is_zero(at_rest):
        asks.insert(1, _question(asked, at_rest, u.params[0], build.zeros(*u.shape), u))
    return asks


def _new_name(asked: Directional) -> str:
    return build.new_name("u", {each.params[0] for each in asked.variables})


def values_at_points(asked: Directional, claimed: Node, options: CheckOptions) -> list[tuple[Point, Pair]]:
    """A claim and the derivation itself at the points of a check."""
    import mpmath

    found = []
    asks = Question(asked.expression, asked.name, asked.variables, asked.result, truth=claimed)
    for number in range(options.trials):
        at = point(asks, options, number)
        if isinstance(at, Point):
            with mpmath.workdps(_DIGITS):
                exact, memo = lifted(at.values, asked.variables), dict[Node, Any]()
                said, right = (evaluate(node, exact, at.sizes, memo).astype(float) for node in (claimed, asked.result))
            found.append((at, Pair(said, right, 0.0)))
    return found
