"""What a diagnosis looks at: claim and truth at a few points, in fifty digits, and how equality is told there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from matcalc.checking.diagnosis.branches import elsewhere, is_piecewise
from matcalc.checking.judgement import AGREED, FLOAT, allowance, unit_of
from matcalc.checking.points import Point, is_inside, point
from matcalc.checking.precise import NO_VALUE, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import called
from matcalc.errors import MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.sizes import AnySize, as_integer
from matcalc.expression.walk import fold
from matcalc.language.printer import written

DIGITS = 50
_UNITS = 64
_SHARE = 1e-3
_SHARE_OF_THE_ERROR = 1e-6
_NOISE = 1e-40
_FLOAT_NOISE = 1e-14
_MOST_SIGHTS = 4
_FEWEST_SIGHTS = 4
_DRAWN_FROM = 400
WORK = 100_000
_FAR = 1e-5
_TINY = 1e-250
_LONGEST = 120
_CALL = 10
_SLOW = 10


@dataclass(frozen=True)
class Finding:
    """What a rule found: the relation's short name, and the sentence."""

    relation: str
    says: str


@dataclass(frozen=True)
class Pair:
    """Claim and truth at one point as arrays, with the value of the function there.

    ``shape`` is that of the tensors, where they were made matrices.
    """

    claimed: Any
    truth: Any
    value: float
    shape: tuple[int, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the two are equal up to the rounding of floats."""
        if self.claimed.shape != self.truth.shape:
            return False
        return bool(abs(self.claimed - self.truth).max() <= FLOAT * max(abs(self.claimed).max(), abs(self.truth).max()))


@dataclass
class Work:
    """How much one rule may still compute: about so many multiplications of long numbers."""

    left: int = WORK


@dataclass(frozen=True)
class Sight:
    """Claim, truth and the function's value at one point; ``memo`` has the value of every node looked at there.

    ``shape`` is that of the tensors, where they were made matrices.
    """

    at: Point
    exact: Mapping[str, Any]
    claimed: Any
    truth: Any
    value: Any = None
    shape: tuple[int, ...] = ()
    memo: dict[Node, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def gap(self) -> Any:
        """The largest difference; None where the shapes differ."""
        return abs(self.claimed - self.truth).max() if self.claimed.shape == self.truth.shape else None


@dataclass(frozen=True)
class Case:
    """A refuted claim.

    Attributes:
        question: what was asked; its ``expression`` is what was differentiated, of any shape.
        sights: points, at several sizes where these are free; the claim is wrong at the first.
        what: what was claimed: gradient, Jacobian or Hessian.
        floats: whether the claim is known in floats alone, as a function's results are.
        axes: of a Jacobian, the axes of the value and those of the name.
        shaped: what a truth's matrix looks like among the arrays of the claim.
        call: the claim at a point, where it is a function that does not return the gradient.
        room: the largest relative difference of what is equal.
        somewhere: what is said of a claim that held at some of the points, or "".
        work: what may still be spent.
    """

    question: Question
    sights: tuple[Sight, ...]
    what: str = "gradient"
    floats: bool = False
    axes: tuple[tuple[AnySize, ...], tuple[AnySize, ...]] | None = None
    shaped: Callable[[Any, Point], Any] | None = None
    call: Callable[[Point], Any] | None = None
    room: float = AGREED
    somewhere: str = ""
    work: Work = field(default_factory=Work)

    @property
    def claimed(self) -> Node | None:
        """The claim, where it is an expression."""
        return self.question.claimed if isinstance(self.question.claimed, Node) else None

    @property
    def truth(self) -> Node | None:
        """Our derivation."""
        return self.question.truth

    # ------------------------------------------------------------------------------------------------- values

    def value(self, node: Node, sight: Sight) -> Any:
        """The value of a node at a sight, or None: outside a domain, without arithmetic, or with nothing left."""
        return self._evaluated(node, sight.exact, sight.at.sizes, sight.memo)

    def _evaluated(self, node: Node, exact: Mapping[str, Any], sizes: Mapping[str, int], memo: dict[Node, Any]) -> Any:
        import mpmath

        def size(wanted: AnySize) -> int:
            return as_integer(wanted, sizes)

        def visit(below: Node, args: Sequence[Any]) -> Any:
            self.work.left -= _cost(below, args)
            if self.work.left < 0:
                raise ValueError("nothing may be spent any more")
            if below.op == "variable":
                return exact[below.params[0]]
            reference = below.operator.reference
            if reference is None:
                raise ValueError(f"{below.op} has no reference arithmetic")
            return reference(below, args, size)

        try:
            found = fold(node, visit, memo)
            return None if any(isinstance(v, mpmath.mpc) for v in found.flat) else found
        except (*NO_VALUE, mpmath.mp.NoConvergence):
            return None
        except TypeError as error:  # mpmath's own, where a value is complex
            if "mpc" not in str(error) and "complex" not in str(error):
                raise
            return None

    def truth_like(self, node: Node, sight: Sight) -> Any:
        """The value of a node that stands for the truth, in the shape of the arrays compared; or None."""
        found = self.value(node, sight)
        return found if found is None or self.shaped is None else self.shaped(found, sight.at)

    def both_at(self, exact: Mapping[str, Any], sizes: Mapping[str, int], missing: Node | None = None) -> Any:
        """Claim, with a ``missing`` term of it, and truth at other values; None outside the function's domain."""
        assert self.truth is not None
        memo: dict[Node, Any] = {}
        truth = self._evaluated(self.truth, exact, sizes, memo)
        if truth is None or self._is_outside(exact, sizes, memo):
            return None
        if self.claimed is not None:
            whole = self.claimed if missing is None else build.add(self.claimed, missing)
            claimed = self._evaluated(whole, exact, sizes, memo)
            return None if claimed is None else (claimed, truth)
        at = Point(sizes, {name: value.astype(float) for name, value in exact.items()})
        call = self.call or (lambda at: called(self.question, at))
        try:
            floats = call(at)
        except MatcalcError:
            return None
        truth = truth if self.shaped is None else self.shaped(truth, at)
        return (lifted({"c": floats})["c"], truth) if is_finite(floats) else None

    def _is_outside(self, exact: Mapping[str, Any], sizes: Mapping[str, int], memo: dict[Node, Any]) -> bool:
        """Whether the function has no value there, though a formula of its derivative may have one."""
        for node in postorder(self.question.expression):
            for i, wanted in node.operator.domain.items():
                value = self._evaluated(node.args[i], exact, sizes, memo)
                if value is None or not is_inside(wanted, value):
                    return True
        return False

    # ----------------------------------------------------------------------------------------------- equality

    def near(self, left: Any, right: Any) -> bool:
        """Whether two arrays are equal, up to rounding."""
        if left is None or right is None or left.shape != right.shape:
            return False
        self.work.left -= left.size
        if self._far(left, right):
            return False
        size = max(abs(left).max(), abs(right).max())
        return bool(abs(left - right).max() <= self.room * size)

    def near_numbers(self, left: Any, right: Any) -> bool:
        """Whether two numbers are equal, up to rounding."""
        return bool(abs(left - right) <= max(10 * self.room, 1e-25) * max(abs(left), abs(right)))

    def _far(self, left: Any, right: Any) -> bool:
        """Whether floats already tell two arrays apart, as they mostly do; in the range of floats."""
        import numpy as np

        a, b = left.astype(float), right.astype(float)
        size = max(abs(a).max(), abs(b).max())
        with np.errstate(invalid="ignore"):
            return bool(_TINY < size < 1 / _TINY and abs(a - b).max() > _FAR * size)

    def explains(self, pair: Callable[[Sight], tuple[Any, Any] | None]) -> bool:
        """Whether two arrays made of claim and truth are equal at every sight: nearer by far than these two are."""
        noise = _FLOAT_NOISE if self.floats else _NOISE
        for sight in self.sights:
            made = pair(sight)
            if made is None or not self.near(*made):  # near() sees to a side that has no value
                return False
            left, right = made
            gap = sight.gap
            allowed = _SHARE * gap if gap is not None else float("inf")
            if not abs(left - right).max() <= max(allowed, noise * max(abs(left).max(), abs(right).max())):
                return False
        return True

    # -------------------------------------------------------------------------------------------------- words

    def text(self, node: Node) -> str:
        """A node as text, cut where it is long."""
        return shortened(written(node), _LONGEST)


def shortened(text: str, most: int) -> str:
    """A text of at most about ``most`` characters.

    >>> shortened("x.T*A*x + b.T*x", 8)
    'x.T*A*x …'
    """
    return text if len(text) <= most else text[:most].rstrip() + " …"


def _cost(node: Node, args: Sequence[Any]) -> int:
    """About how many multiplications a value takes; mpmath's own matrices, which the cubic ones use, are slow."""
    entries = max((a.size for a in args), default=1)
    inner = max((max(a.shape) for a in args), default=1)
    if node.operator.cubic:
        return _CALL + _SLOW * entries * inner * node.operator.products(len(args))
    return _CALL + entries * (inner if node.op == "product" else 1)


# ------------------------------------------------------------------------------------------------ making a case


def case_of(question: Question, options: CheckOptions, points: Sequence[Point], somewhere: str = "") -> Case | None:
    """The case of a claimed gradient, at some of the points of its check; those come first where it failed.

    None where there are no points: a claim may have a value at none.
    """
    chosen = [p for p in points if max(p.sizes.values(), default=2) > 1] or list(points)
    k = 0
    while len(chosen) < _FEWEST_SIGHTS and k < _FEWEST_SIGHTS:
        more = point(question, options, options.trials + _DRAWN_FROM + k)
        chosen += [more] if isinstance(more, Point) else []
        k += 1
    if not chosen:
        return None
    floats = not isinstance(question.claimed, Node)
    case = Case(question, (), floats=floats, room=_room(question, chosen[0]), somewhere=somewhere)
    sights = [s for at in chosen if (s := _sight(case, at)) is not None]
    case = case if floats else replace(case, room=min(case.room, _below_the_error(sights)))
    if not sights:
        return None
    others = elsewhere(question, chosen, options.seed) if is_piecewise(question) else ()
    found = [s for at in others if (s := _sight(case, at)) is not None and abs(s.truth).max() > 0]
    return replace(case, sights=(*_chosen(case, sights), *found))


def _below_the_error(sights: Sequence[Sight]) -> float:
    """A difference far below a formula's own error: what makes that a little smaller is no explanation of it."""
    errors = [
        abs(s.claimed - s.truth).max() / (abs(s.truth).max() or 1)
        for s in sights
        if s.claimed.shape == s.truth.shape and s.truth.size
    ]
    return max(_NOISE, float(max(errors, default=1.0)) * _SHARE_OF_THE_ERROR)


def _room(question: Question, at: Point) -> float:
    """The largest relative difference of what is equal: a function may compute in single precision."""
    if isinstance(question.claimed, Node):
        return allowance(question)
    return max(FLOAT, _UNITS * unit_of(question, at))


def _chosen(case: Case, sights: Sequence[Sight]) -> tuple[Sight, ...]:
    """A few sights: one where the claim is wrong, one where it is right, and others whose sizes differ."""
    wrong = [s for s in sights if not case.near(s.claimed, s.truth)]
    right = [s for s in sights if case.near(s.claimed, s.truth)]
    first = [*wrong[:1], *right[:1]]
    seen = {tuple(sorted(s.at.sizes.items())) for s in first}
    rest = [s for s in (*wrong, *right) if not any(s is one for one in first)]
    unlike = []
    for sight in rest:
        key = tuple(sorted(sight.at.sizes.items()))
        if key not in seen:
            seen.add(key)
            unlike.append(sight)
    others = [s for s in rest if not any(s is one for one in unlike)]
    return tuple(_wrong_first(case, [*first, *unlike, *others][:_MOST_SIGHTS]))


def _sight(case: Case, at: Point) -> Sight | None:
    question = case.question
    exact = lifted(at.values, question.variables)
    memo: dict[Node, Any] = {}
    assert question.truth is not None
    truth = case._evaluated(question.truth, exact, at.sizes, memo)
    if case.claimed is not None:
        claimed = case._evaluated(case.claimed, exact, at.sizes, memo)
    else:
        try:
            floats = called(question, at)
        except MatcalcError:
            return None
        if not is_finite(floats):
            return None
        claimed = lifted({"c": floats})["c"]
    return None if claimed is None or truth is None else Sight(at, exact, claimed, truth, memo=memo)


def _wrong_first(case: Case, sights: Sequence[Sight]) -> list[Sight]:
    """The smallest first among those where claim and truth differ: it is where candidates are screened."""

    def order(sight: Sight) -> tuple[bool, int]:
        return case.near(sight.claimed, sight.truth), sum(sight.at.sizes.values())

    return sorted(sights, key=order)


def case_of_pairs(question: Question, pairs: Sequence[tuple[Point, Pair]], *, floats: bool = True, **more: Any) -> Case:
    """The case of arrays that were compared elsewhere."""
    sights = [
        Sight(at, lifted(at.values, question.variables), _as_long(p.claimed), _as_long(p.truth), p.value, p.shape)
        for at, p in pairs
    ]
    case = Case(question, (), floats=floats, room=FLOAT if floats else allowance(question), **more)
    return replace(case, sights=_chosen(case, sights))


def is_finite(array: Any) -> bool:
    """Whether every entry of an array of floats is a finite number."""
    import numpy as np

    return array.dtype == object or bool(np.isfinite(array).all())


def _as_long(array: Any) -> Any:
    """An array of floats in long numbers; one of long numbers as it is."""
    return array if array.dtype == object else lifted({"a": array})["a"]
