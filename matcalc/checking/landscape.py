"""A function around a point, in many digits: what every claim about its gradient is held against.

In 90 digits with the step 1e-25 a central difference has a truncation error of about 1e-50 times a third derivative and
a rounding error of about 1e-65 of what is summed. In 800 digits with the step 1e-350 a third derivative of 1e60 in the
gradient's own units is seen through.

Claims about one function at one point share what is found there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matcalc.checking.points import Point
from matcalc.checking.precise import NO_VALUE, evaluate, lifted, remembered, slope
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.expression.nodes import Node, postorder

ENTRIES = 16
"""The most entries that are differenced one by one."""
_KEPT = 48
_DIRECTIONS = 4
_LEAST, _MOST = 1e-30, 30
_LAST_BITS = 64


@dataclass(frozen=True)
class Precision:
    """Digits, the step of a difference, another step, and what rounding leaves of a derivative that cancels to nothing.

    Where two steps give one slope, the error of either is far below their distance.
    """

    digits: int
    step: str
    other_step: str
    noise: str


QUICK = Precision(90, "1e-25", "1e-21", "1e-58")
FINE = Precision(800, "1e-350", "1e-340", "1e-430")


class Landscape:
    """The expression of a question around a point; use it in the precision that it was made with.

    Attributes:
        precision: in which it was made.
        exact: the inputs.
        values: of the nodes that were evaluated there.
        value: the function's value.
        largest: the largest value on the way to it.
    """

    def __init__(self, question: Question, at: Point, precision: Precision) -> None:
        import mpmath

        self._question, self._at, self.precision = question, at, precision
        self.exact, self.values, _ = remembered(at.values, question.variables, at.sizes, precision.digits)
        self.value = evaluate(question.expression, self.exact, at.sizes, self.values)[0, 0]
        nodes = list(postorder(question.expression))
        self.largest = max((abs(self.values[node]).max() for node in nodes), default=mpmath.mpf(0))
        self._fixed = {
            node: self.values[node] for node in nodes if node.operator.frozen or not node.depends_on(question.name)
        }
        self._along: dict[int, list[tuple[Any, Any]]] = {}

    def slope(self, direction: Any, step: str = "") -> Any:
        """The derivative along a direction; what is frozen stays."""
        question = self._question
        width = step or self.precision.step
        return slope(question.expression, question.name, direction, self.exact, self._at.sizes, width, self._fixed)

    def unit(self, index: tuple[int, ...]) -> Any:
        """The direction of one entry, projected onto what the name is declared to lie in."""
        import mpmath
        import numpy as np

        made = np.full(self.exact[self._question.name].shape, mpmath.mpf(0), dtype=object)
        made[index] = mpmath.mpf(1)
        return projected(self._question.projected, made)

    @cached_property
    def gradient(self) -> Any:
        """Every entry by itself, projected."""
        import numpy as np

        made = np.empty(self.exact[self._question.name].shape, dtype=object)
        for index in np.ndindex(made.shape):
            made[index] = self.slope(self.unit(index))
        return projected(self._question.projected, made)

    def is_blank(self, number: int, claimed: Node | None = None) -> bool:
        """Whether the function does not change along any entry, or random direction, as far as these digits tell.

        They would tell more where something in its derivative cancels out, as 1 - tanh(10^5)^2 does; where nothing
        does, the derivative is zero there. It is zero as well where all values on the way are moderate, those on the
        way to a ``claimed`` formula included: ⟨cosh(A), A⟩ is 0 for every skew A.
        """
        small = self.exact[self._question.name].size <= ENTRIES
        if any(self.gradient.flat if small else (slope for _, slope in self.along(number))):
            return False
        derived = self._question.truth or self._question.guide
        if derived is None or not self._cancels_out(derived):
            return False
        return not (self.precision is FINE and self.is_moderate(claimed))

    def _cancels_out(self, derived: Node) -> bool:
        """Whether a sum in our derivation is lost beside its terms; or has no value, as det(X)*inv(X) at X = 0."""
        try:
            return any(self._relative(derived, lambda total, terms: (total,)))
        except NO_VALUE:
            return True

    def is_moderate(self, claimed: Any = None) -> bool:
        """Whether no value on the way is so large, or so small, that a function of it is lost in these digits.

        erf(30) is 1 but for 1e-393, and tanh(30) but for 1e-26; field arithmetic has no such limits. What is left of
        terms that cancel out is no small value. ``claimed`` is a formula to be looked at as well, or a function.
        """
        roots = (self._question.expression, *((claimed,) if isinstance(claimed, Node) else ()))
        for root in roots:
            evaluate(root, self.exact, self._at.sizes, self.values)
        nodes = list(postorder(*roots))
        taken = {arg for node in nodes if node.operator.exact is not True for arg in node.args}
        left: set[Node] = set()
        for node in nodes:
            if any(arg in left for arg in node.args) or self._cancels(node):
                left.add(node)
            least, most = 0 if node in left else _LEAST, _MOST if node in taken else 1 / _LEAST
            if not all(not v or least <= abs(v) <= most for v in self.values[node].flat):
                return False
        return True

    def _cancels(self, node: Node) -> bool:
        """Whether rounding alone is left of an entry of a value that field arithmetic gives."""
        import mpmath

        if node.operator.exact is not True or not node.args:
            return False
        largest = max((abs(v) for arg in node.args for v in self.values[arg].flat), default=0)
        rounding = mpmath.ldexp(1, -mpmath.mp.prec + _LAST_BITS) * largest
        return any(v and abs(v) <= rounding for v in self.values[node].flat)

    def hides(self, root: Node) -> bool:
        """Whether a sum below, or a term of one, is lost in these digits beside the sum's largest term."""
        return any(self._relative(root, lambda total, terms: (total, *filter(None, terms))))

    def _relative(self, root: Node, asked: Callable[[Any, tuple[Any, ...]], Iterable[Any]]) -> Iterator[bool]:
        """For what is asked of each entry of each sum below: whether it is within noise of the entry's largest term."""
        import mpmath

        evaluate(root, self.exact, self._at.sizes, self.values)
        noise = mpmath.mpf(self.precision.noise)
        for node in postorder(root):
            if node.op == "add":
                terms = zip(*(self.values[arg].flat for arg in node.args), strict=True)
                for total, each in zip(self.values[node].flat, terms, strict=True):
                    largest = max(map(abs, each))
                    yield from (bool(largest and abs(v) <= noise * largest) for v in asked(total, each))

    def along(self, number: int) -> list[tuple[Any, Any]]:
        """Random directions, which ``number`` seeds, and the slopes along them."""
        import numpy as np

        if number not in self._along:
            rng = np.random.Generator(np.random.PCG64([number, 77]))
            shape = self.exact[self._question.name].shape
            drawn = [lifted({"d": rng.standard_normal(shape)})["d"] for _ in range(_DIRECTIONS)]
            directions = [projected(self._question.projected, d) for d in drawn]
            self._along[number] = [(d, self.slope(d)) for d in directions]
        return self._along[number]


_known: OrderedDict[Any, Landscape] = OrderedDict()


def landscape(question: Question, at: Point, precision: Precision) -> Landscape:
    """The landscape, kept for other claims about the same function at the same point."""
    key = (
        question.expression, question.name, question.projected, question.variables, precision,
        tuple(sorted(at.sizes.items())), tuple((name, v.shape, v.tobytes()) for name, v in sorted(at.values.items())),
    )  # fmt: skip
    found = _known.pop(key, None) or Landscape(question, at, precision)
    _known[key] = found
    if len(_known) > _KEPT:
        _known.popitem(last=False)
    return found
