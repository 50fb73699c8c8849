"""Directional derivatives asked as questions about gradients, which the witnesses can answer.

A vjp is the gradient of ⟨u, f⟩. A Hessian times v is the gradient of ⟨∇f, v⟩, once ∇f is known to be right. A jvp is
linear in v and its pairing with u is ⟨vjp, v⟩: E = ⟨u, jvp⟩ is right when the vjp is, and when E² has the gradient
2⟨vjp, v⟩ vjp by v (E alone would hide a constant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.transpose import transposed_map
from matcalc.checking.question import Question
from matcalc.expression import build
from matcalc.expression.nodes import Node

if TYPE_CHECKING:
    from matcalc.derivative import Derivative


def questions(derived: Derivative) -> list[Question]:
    """What has to hold for a jvp, vjp or hvp to be right; every question is about the gradient of a scalar."""
    return {"jvp": _of_jvp, "vjp": _of_vjp, "hvp": _of_hvp}[derived.kind](derived)


def _pairing(left: Node, right: Node) -> Node:
    return build.apply("inner", left, right)


def _question(derived: Derivative, expression: Node, name: str, claimed: Node, *more: Node) -> Question:
    variables = (*(v.node for v in derived.typed.variables), *more)
    projected = derived.projected if name == derived.wrt else ""
    return Question(expression, name, variables, claimed, projected=projected, text=derived.expression.text)


def _of_vjp(derived: Derivative) -> list[Question]:
    u = derived.typed.variables[-1].node
    return [_question(derived, _pairing(u, derived.expression.node), derived.wrt, derived.node)]


def _of_hvp(derived: Derivative) -> list[Question]:
    from matcalc.derivative import grad

    v = derived.typed.variables[-1].node
    gradient = grad(derived.expression, derived.wrt, unconstrained=not derived.projected).node
    return [
        _question(derived, derived.expression.node, derived.wrt, gradient),
        _question(derived, _pairing(gradient, v), derived.wrt, derived.node),
    ]


def _new_name(derived: Derivative) -> str:
    name = "u"
    while name in derived.variables:
        name += "_"
    return name


def _of_jvp(derived: Derivative) -> list[Question]:
    f, v = derived.expression.node, derived.typed.variables[-1].node
    x = derived.expression.typed_variable(derived.wrt)
    dx = direction_for(x)
    u = build.variable(_new_name(derived), f.shape, "matrix" if f.shape != (1, 1) else "scalar")
    vjp = transposed_map(differential(f, x, dx), dx, u)
    paired = build.power(_pairing(u, derived.node), build.number(2))
    claimed = build.multiply(build.number(2) * _pairing(vjp, v), vjp)
    return [
        _question(derived, _pairing(u, f), derived.wrt, vjp, u),
        _question(derived, paired, v.params[0], claimed, u),
    ]
