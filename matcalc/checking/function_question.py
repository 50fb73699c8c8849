"""What is asked of a ``torch.autograd.Function``: the expression that it should be, and what its backward should give.

A backward becomes a claim like any other: a function of tensors that returns the gradient of ⟨u, f⟩.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from matcalc.checking.function_claim import FunctionClaim, Raised
from matcalc.checking.function_setting import Setting, in_subspace
from matcalc.checking.points import Point
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.subspace import projected
from matcalc.checking.torch_side import inputs_at
from matcalc.checking.values import lacks
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.sizes import as_integer

_NUDGE = 1e-5
_AXES = {"scalar": 0, "vector": 1, "matrix": 2}


@dataclass(frozen=True)
class FunctionQuestion:
    """Is a Function an expression, with its derivative?

    Attributes:
        claim: the Function.
        expression: f, of any shape.
        variables: its names in order.
        cotangent: the node of a new name with the shape of f.
        storage: how f looks outside: scalar, vector or matrix.
        truths: by name, the question whether a claim is the gradient of ⟨cotangent, f⟩.
        onto: by name, the linear subspace that was declared of it.
    """

    claim: FunctionClaim
    expression: Node
    variables: tuple[Node, ...]
    cotangent: Node
    storage: str
    truths: Mapping[str, Question]
    onto: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names by which the backward is checked."""
        return tuple(self.truths)

    def judged_by(self, name: str) -> Question:
        """The question with the Function's backward as the claim."""
        return replace(self.truths[name], claimed=_gradient(self, name))

    def setting(self, options: CheckOptions, number: int, at: Point) -> Setting:
        """The Function at a point."""
        given = inputs_at((*self.variables, self.cotangent), at, "float64", "cpu")
        u = given.pop(self.cotangent.params[0])
        thin = frozenset(v.params[0] for v in self.variables if self._is_thin(v, at))
        frozen = any(node.operator.frozen for node in postorder(self.expression))
        where = f"trial {number}"
        return Setting(self.claim, given, u, self.wanted, options.seed, where, self.onto, thin, frozen)

    def _is_thin(self, variable: Node, at: Point) -> bool:
        """Whether a value that is moved a little no longer has what is declared of it."""
        import numpy as np

        value = at.values[variable.params[0]]
        noise = np.random.Generator(np.random.PCG64(1)).standard_normal(value.shape)
        moved = projected(self.onto.get(variable.params[0], ""), noise) * _NUDGE * np.abs(value).max(initial=0.0)
        return bool(lacks(variable, value + moved))

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The value's shape as torch has it."""
        return tuple(as_integer(s, sizes) for s in self.expression.shape)[: _AXES[self.storage]]


def _gradient(asked: FunctionQuestion, name: str) -> Callable[..., Any]:
    """The Function's backward as a function of tensors by keyword; of what torch refuses for its shape, as returned."""
    onto = asked.truths[name].projected

    def gradient(**given: Any) -> Any:
        u = given.pop(asked.cotangent.params[0])
        try:
            found = asked.claim.run(given, u, (name,)).gradients[name]
        except Raised as error:
            returned = refused(asked.claim, error, name, given)
            if returned is None:
                raise
            return returned
        return in_subspace(onto, found)

    return gradient


def refused(claim: FunctionClaim, error: Raised, name: str, given: Mapping[str, Any]) -> Any | None:
    """A gradient of a wrong shape, which torch refuses."""
    place = claim.names.index(name)
    returned = error.returned or ()
    found = returned[place] if place < len(returned) else None
    return found.detach() if found is not None and found.shape != given[name].shape else None
