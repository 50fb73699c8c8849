"""Directional derivatives asked as questions about gradients, which the witnesses can answer.

A vjp is the gradient of ⟨u, f⟩. A Hessian times v is the gradient of ⟨∇f, v⟩, once ∇f is known to be right. A jvp is
linear in v and its pairing with u is ⟨vjp, v⟩: E = ⟨u, jvp⟩ is right when the vjp is, and when E² has the gradient
2⟨vjp, v⟩ vjp by v (E alone would hide a constant).
"""

from __future__ import annotations

from dataclasses import dataclass

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.transpose import transposed_map
from matcalc.checking.question import Question
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import operator_of_role


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
    squared = build.power(_pairing(u, asked.result), build.number(2))
    claimed = build.multiply(build.number(2) * _pairing(vjp, v), vjp)
    return [_question(asked, _pairing(u, f), asked.name, vjp, u), _question(asked, squared, v.params[0], claimed, u)]


def _new_name(asked: Directional) -> str:
    return build.new_name("u", {each.params[0] for each in asked.variables})
