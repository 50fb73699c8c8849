"""Points on every side: of each kink and choice in an expression, and of zero for each name.

A claim that is right on one branch alone must meet the other. Where the usual points lie on one side, names are pushed
outwards, inwards and across zero, and then what chooses the branch is steered across (see
:mod:`matcalc.checking.steering`), until a point inside the domain lies on the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from matcalc.checking.points import DIGITS, Point, trouble
from matcalc.checking.precise import evaluate, remembered
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.steering import gauge, steered
from matcalc.checking.values import is_discrete, may_be_pushed, may_be_scaled
from matcalc.expression import build
from matcalc.expression.bounds import EVERYTHING, NOT_NEGATIVE, Interval, bounds, exactly
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES

Side = tuple[str, int]

_MOST_EXTRA = 4
_CANDIDATES = 12
_SWEEP = (-1.0, 3.0, -3.0, 10.0, -10.0, 0.1, -0.1, 30.0)
_MANY = 2
_COMPARED = 20
_REST = 1e-25
_PAIR = 2


def missing_sides(question: Question, points: list[Point]) -> frozenset[Side]:
    """The sides on which none of the points lies."""
    seen = frozenset[Side]().union(*(_sides(question, at) for at in points))
    return (
        frozenset((what, sign) for what, _ in seen for sign in (-1, 1)) - seen - _impossible(question) - _idle(question)
    )


def _idle(question: Question) -> frozenset[Side]:
    """Both sides of what only names choose that neither the derivation nor a formula that is claimed depends on."""
    derived = question.truth or question.guide
    roots = [root for root in (derived, question.claimed) if isinstance(root, Node)]
    if not roots:
        return frozenset()
    telling = {v for v in postorder(*roots) if v.op == "variable"}
    return frozenset(
        (_key(node, k), sign)
        for node in postorder(*branching(question))
        for k in range(len(node.operator.kinks) + (node.operator.branch is not None))
        if telling.isdisjoint(postorder(*node.args))
        for sign in (-1, 1)
    )


def _impossible(question: Question) -> frozenset[Side]:
    """The sides on which nothing lies, as the bounds of what chooses tell."""
    found: set[Side] = set()
    known = within_domain(question.expression)
    for node in postorder(*branching(question)):
        for k, lies in enumerate(_chooser_bounds(node, known)):
            if lies.low >= 0:
                found.add((_key(node, k), -1))
            if lies.high <= 0:
                found.add((_key(node, k), 1))
    return frozenset(found)


def within_domain(root: Node) -> dict[Node, Interval]:
    """Where arguments lie at every point at which an expression has a value: x, in log(x), is positive.

    >>> from matcalc.parsed import parse
    >>> f = parse("abs(x) + log(x)", {"x": "scalar"}).node
    >>> list(within_domain(f).values())
    [Interval(low=Fraction(0, 1), high=inf)]
    """
    known: dict[Node, Interval] = {}
    for node in postorder(root):
        asked = [(node.args[i], Interval(*PROPERTIES[wanted].entries)) for i, wanted in node.operator.domain.items()]
        if node.op == "power" and node.args[1].op == "number" and node.args[1].params[0].denominator > 1:
            asked.append((node.args[0], NOT_NEGATIVE))
        for arg, lies in asked:
            known[arg] = known.get(arg, EVERYTHING) & lies
    return known


def _chooser_bounds(node: Node, known: Mapping[Node, Interval]) -> Iterator[Interval]:
    """Where what chooses lies, in the order of :func:`_choosers`."""
    for kink in node.operator.kinks:
        yield bounds(node.args[0], known) - exactly(Fraction(kink.at))
    if node.operator.branch is not None:
        yield node.operator.branch(node, [bounds(arg, known) for arg in node.args]) & _by_facts(node, known)


def _by_facts(node: Node, known: Mapping[Node, Interval]) -> Interval:
    """What is known of a branch as an expression, where it is one: of a difference more than of its parts."""
    assert node.operator.branch is not None, "asked for by its caller"
    try:
        made = node.operator.branch(node, node.args)
    except TypeError:
        return EVERYTHING
    return bounds(made, known) & -bounds(build.negate(made), known)


def reached(
    question: Question, options: CheckOptions, points: list[Point], missing: frozenset[Side]
) -> tuple[list[Point], frozenset[Side]]:
    """Points on missing sides, and the sides of kinks and choices that were not reached for all that."""
    found: list[Point] = []
    names = {v.params[0] for v in question.variables}
    for number, push in enumerate(_pushes(question)):
        if not missing or len(found) == _MOST_EXTRA:
            break
        base = points[number % len(points)]
        at = Point(base.sizes, {name: value * push.get(name, 1.0) for name, value in base.values.items()})
        missing -= _taken(question, at, missing, found)
    branches = frozenset(side for side in missing if side[0] not in names)
    for node, k, side in _places(question, branches):
        if side in branches:
            branches -= _steered_to(question, options, points, (node, k, side[1]), branches, found)
    if branches:
        branches -= _constant(question, points)
    return found, branches


def _taken(question: Question, at: Point, missing: frozenset[Side], found: list[Point]) -> frozenset[Side]:
    """The missing sides on which a point lies; it is put to those that were found if there are any."""
    if trouble(question, at):
        return frozenset()
    new = _sides(question, at) & missing
    if new:
        found.append(at)
    return new


def _places(question: Question, sides: frozenset[Side]) -> Iterator[tuple[Node, int, Side]]:
    for node in postorder(*branching(question)):
        for k in range(len(node.operator.kinks) + (node.operator.branch is not None)):
            for sign in (-1, 1):
                if (_key(node, k), sign) in sides:
                    yield node, k, (_key(node, k), sign)


def _steered_to(
    question: Question,
    options: CheckOptions,
    points: list[Point],
    place: tuple[Node, int, int],
    missing: frozenset[Side],
    found: list[Point],
) -> frozenset[Side]:
    """The missing sides that one point lies on, which was steered to one of them."""
    node, k, sign = place
    measured = gauge(question, node, lambda args: list(choosers(node, args))[k], sign)
    for _, at in zip(range(_CANDIDATES), steered(question, options, points, node, measured), strict=False):
        if new := _taken(question, at, missing, found):
            return new
    return frozenset()


def _constant(question: Question, points: list[Point]) -> frozenset[Side]:
    """Both sides of what chooses by a constant, though it mentions names.

    An analytic expression that has one and the same value at several random points has it everywhere; one that branches
    itself, or with names whose values are among a few, may have another one elsewhere.
    """
    if len(points) < _MANY:
        return frozenset()
    held: dict[Side, set[tuple[str, ...]]] = {}
    for at in points:
        for node, k, chooser in _chosen_by(question, at):
            if all(_is_analytic(below) for below in postorder(*node.args)):
                values = tuple(sorted({_digits(v, chooser) for v in chooser.flat}))
                held.setdefault((_key(node, k), 1), set()).add(values)
    return frozenset((what, sign) for (what, _), values in held.items() if len(values) == 1 for sign in (-1, 1))


def _is_analytic(node: Node) -> bool:
    operator = node.operator
    branches = bool(operator.kinks) or operator.branch is not None or operator.ties is not None
    return not branches and not (node.op == "variable" and is_discrete(node))


def _digits(v: Any, among: Any) -> str:
    import mpmath

    return mpmath.nstr(v, _COMPARED) if abs(v) > _REST * abs(among).max() else "0"


def on_a_kink(question: Question, at: Point) -> bool:
    """Whether the point lies exactly on a kink, a choice or a tie, as one with zeros in it may."""
    import mpmath

    with mpmath.workdps(DIGITS):
        values, memo, _ = remembered(at.values, question.variables, at.sizes, DIGITS)
        evaluate(question.expression, values, at.sizes, memo)
        for node in postorder(question.expression):
            args = [memo[arg] for arg in node.args]
            ties = () if node.operator.ties is None else (node.operator.ties(node, args),)
            if any(not v for chooser in (*choosers(node, args), *ties) for v in chooser.flat):
                return True
    return False


def spoken(question: Question, side: Side) -> str:
    """A side in words."""
    op = next(node.op for node in postorder(*branching(question)) if _key(node, 0)[:20] == side[0][:20])
    return f"{op} was only seen on one side of where it branches: none of the points lies on the other"


def _pushes(question: Question) -> Iterator[Mapping[str, float]]:
    for factor in _SWEEP:
        scaled = {v.params[0]: abs(factor) for v in question.variables if may_be_scaled(v)}
        yield scaled | {v.params[0]: factor for v in question.variables if may_be_pushed(v)}


def _chosen_by(question: Question, at: Point) -> Iterator[tuple[Node, int, Any]]:
    """Every node that branches, with what chooses, at a point."""
    import mpmath

    with mpmath.workdps(DIGITS):
        values, memo, _ = remembered(at.values, question.variables, at.sizes, DIGITS)
        roots = branching(question)
        for root in roots:
            evaluate(root, values, at.sizes, memo)
        for node in postorder(*roots):
            for k, chooser in enumerate(choosers(node, [memo[arg] for arg in node.args])):
                yield node, k, chooser


def _sides(question: Question, at: Point) -> frozenset[Side]:
    import mpmath

    found: set[Side] = set()
    for node, k, chooser in _chosen_by(question, at):
        found.update((_key(node, k), int(mpmath.sign(v))) for v in chooser.flat if v)
    for v in question.variables:
        if not v.params[2]:
            found.update((v.params[0], 1 if x > 0 else -1) for x in at.values[v.params[0]].flat if x)
    return frozenset(found)


def branching(question: Question) -> tuple[Node, ...]:
    """What may branch: the expression, and a claim of somebody else's, which may branch where the truth does not.

    Terms of the expression in which the name does not occur have no part in a derivative by it.
    """
    claim = question.claimed if question.truth is not None else None
    terms = _terms_with(question.expression, question.name)
    return (*terms, claim) if isinstance(claim, Node) else terms


@lru_cache(maxsize=256)
def _terms_with(root: Node, name: str) -> tuple[Node, ...]:
    """The terms of a sum in which a name occurs, through numbers as factors."""
    if root.op in ("scale", "times") and root.args[0].op == "number" and len(root.args) == _PAIR:
        return _terms_with(root.args[1], name)
    if root.op == "add":
        return tuple(term for arg in root.args for term in _terms_with(arg, name))
    return (root,) if root.depends_on(name) else ()


def choosers(node: Node, args: list[Any]) -> Iterator[Any]:
    """What decides by its sign on which side of each of its kinks, and of its choice, a node lies."""
    for kink in node.operator.kinks:
        yield args[0] - kink.at
    if node.operator.branch is not None:
        yield node.operator.branch(node, args)


def _key(node: Node, k: int) -> str:
    return f"{node.digest.hex()}:{k}"
