"""The lines of a derivation in numbers: at a point, in 90 digits, differentials by differences.

A differential that is not yet carried out has the value of a central difference of the node itself along the
direction; no rule of a differential has a part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matcalc.calculus.moves import Line, Motion, is_pending, pending
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.subspace import projected
from matcalc.errors import CheckError
from matcalc.expression.nodes import Node, postorder

DIGITS = 90
_STEP = "1e-30"
_TOLERANCE = "1e-35"
_TRIALS = 6
POINTS = 2


def points_for(expression: Node, name: str, variables: tuple[Node, ...], result: Node) -> list[Point]:
    """Points inside the domain.

    Raises:
        CheckError: when none is found.
    """
    question = Question(expression, name, variables, result)
    options = CheckOptions(trials=_TRIALS + 1)  # the last trial, in which every size is 1, tells nothing
    found, reason = list[Point](), ""
    for trial in range(_TRIALS):
        at = point(question, options, trial)
        if isinstance(at, Point):
            found.append(at)
        else:
            reason = at
        if len(found) == POINTS:
            return found
    if not found:
        raise CheckError("the derivation cannot be checked, so it is not printed", why=reason)
    return found


class Witness:
    """The values at one point.

    Attributes:
        motion: what moves, and the named quantities.
    """

    def __init__(
        self, at: Point, motion: Motion, arrow: Node, variables: tuple[Node, ...], onto: str, seed: int
    ) -> None:
        import mpmath
        import numpy as np

        self.motion, self.sizes, self._onto, self._arrow = motion, at.sizes, onto, arrow
        self._rng = np.random.Generator(np.random.PCG64([seed, 7]))
        self._step = mpmath.mpf(_STEP)
        self._values = dict(lifted(at.values, variables))
        self._name = motion.variable.params[0]
        self._values[arrow.params[0]] = self._along = self._direction()
        self.learn(motion.named)

    def learn(self, named: Mapping[Node, Node]) -> None:
        """Takes in named quantities, each defined by those before it."""
        for name, meaning in named.items():
            self._values[name.params[0]] = evaluate(meaning, self._values, self.sizes)
        self._memo: dict[Node, Any] = {}
        self._ends = self._moved({self._name: self._along}, named)

    def define(self, name: Node, meaning: Node) -> None:
        """Takes in a value that has a name."""
        self._values[name.params[0]] = self._memo[name] = self.value(meaning)

    def random(self, like: Any) -> Any:
        """An array of generic numbers."""
        import mpmath
        import numpy as np

        made = self._rng.standard_normal(like.shape)
        return np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])(made)

    def _direction(self) -> Any:
        """A generic direction in the name's subspace, also where the direction is a name of the user's."""
        given = self._values.get(self._arrow.params[0])
        return projected(self._onto, given if given is not None else self.random(self._values[self._name]))

    def _moved(self, by: Mapping[str, Any], named: Mapping[Node, Node], start: str = "") -> list[_End]:
        """Both ends of a step: the values, the quantities behind ``start`` computed again from what moved."""
        ends = []
        for sign in (1, -1):
            values = dict(self._values)
            values.update({name: values[name] + sign * self._step * d for name, d in by.items()})
            reached = not start
            for name, meaning in named.items():
                if reached:
                    values[name.params[0]] = evaluate(meaning, values, self.sizes, self._still(meaning))
                reached = reached or name.params[0] == start
            ends.append(_End(values))
        return ends

    def _still(self, root: Node) -> dict[Node, Any]:
        """What derivatives take for a constant, at its value here."""
        return {node: evaluate(node, self._values, self.sizes) for node in postorder(root) if node.operator.frozen}

    def value(self, node: Node) -> Any:
        """The value of a node, differentials in it by differences."""
        if node not in self._memo:
            for below in postorder(node):
                if is_pending(below) and below not in self._memo:
                    self._memo[below] = self._difference(below.args[0], self._ends)
            evaluate(node, self._values, self.sizes, self._memo)
        return self._memo[node]

    def _difference(self, node: Node, ends: list[_End]) -> Any:
        still = self._still(node)
        high, low = (evaluate(node, end.values, self.sizes, end.memo | still if still else end.memo) for end in ends)
        return (high - low) / (2 * self._step)

    def sum_of(self, line: Line) -> Any:
        """The value of a line."""
        total: Any = 0
        for part in line:
            value = self.value(part.value)
            total = total + (value if part.cotangent is None else _pairing(self.value(part.cotangent), value))
        return total

    def paired(self, cotangent: Node, node: Node) -> Any:
        """The inner product of two values."""
        return _pairing(self.value(cotangent), self.value(node))

    def times_arrow(self, node: Node) -> Any:
        """A value times the direction, which is a number."""
        return self.value(node) * self.value(self._arrow)[0, 0]

    def column(self, value: Any) -> Any:
        """The columns of a value, one under the other."""
        return value.reshape(-1, 1, order="F")

    def jacobian(self, of: Node, found: Node, name: Node | None, arrow: Node) -> tuple[Any, Any]:
        """How a value changes along the direction, as a column, and what a Jacobian says of that."""
        if name is not None:
            self.define(name, found)
        value = self.value(found) @ self.column(self.value(arrow))
        return self.column(self.value(pending(of))), value

    def slope_in(self, name: Node, root: Node, cotangent: Node) -> tuple[Any, Any]:
        """How ``root`` changes when a quantity alone moves, and what a gradient by it says of that."""
        d = self.random(self._values[name.params[0]])
        if name.params[0] == self._name:
            d = projected(self._onto, d)
        start = "" if name.params[0] == self._name else name.params[0]
        ends = self._moved({name.params[0]: d}, self.motion.named, start)
        return self._difference(root, ends), _pairing(self.value(cotangent), d)

    def in_subspace(self, node: Node) -> tuple[Any, Any]:
        """A value, and its projection onto the subspace of the name."""
        value = self.value(node)
        return value, projected(self._onto, value)

    def agree(self, one: Any, other: Any) -> bool:
        """Whether two values are equal up to what a step of a difference leaves."""
        import mpmath
        import numpy as np

        one, other = (np.atleast_2d(np.array(value, dtype=object)) for value in (one, other))
        if one.shape != other.shape:
            return False
        scale = max([mpmath.mpf(1), *(abs(v) for v in one.flat), *(abs(v) for v in other.flat)])
        return all(abs(gap) <= mpmath.mpf(_TOLERANCE) * scale for gap in (one - other).flat)


class _End:
    """One end of a step: the names' values there, and what was computed from them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.memo: dict[Node, Any] = {}


def _pairing(u: Any, value: Any) -> Any:
    import numpy as np

    return np.array([[(u * value).sum()]], dtype=object)
