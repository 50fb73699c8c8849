"""Points on every side: of each kink and choice in an expression, and of zero for each name.

A claim that is right on one branch alone must meet the other. Where the usual points lie on one side, names are pushed
outwards, inwards and across zero until a point inside the domain lies on the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from matcalc.checking.points import DIGITS, Point, trouble
from matcalc.checking.precise import evaluate, remembered
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.values import may_be_pushed
from matcalc.expression.nodes import Node, postorder

Side = tuple[str, int]

_NOT_NEGATIVE = frozenset(("positive", "nonnegative"))
_TRIES = 60
_TRIES_FOR_NAMES = 8
_MOST_EXTRA = 4
_FACTORS = (0.03, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_SWEEP = (-1.0, 3.0, -3.0, 10.0, -10.0, 0.1, -0.1, 30.0, -30.0, 100.0, -100.0)


def missing_sides(question: Question, points: list[Point]) -> frozenset[Side]:
    """The sides on which none of the points lies."""
    seen = frozenset[Side]().union(*(_sides(question, at) for at in points))
    return frozenset((what, sign) for what, _ in seen for sign in (-1, 1)) - seen - _impossible(question)


def _impossible(question: Question) -> frozenset[Side]:
    """The sides below a kink on which nothing lies: what is known to be positive is on one side of zero."""
    return frozenset(
        (_key(node, k), -1)
        for node in postorder(*_branching(question))
        for k, kink in enumerate(node.operator.kinks)
        if kink.at <= 0 and node.args[0].facts & _NOT_NEGATIVE
    )


def reached(
    question: Question, options: CheckOptions, points: list[Point], missing: frozenset[Side]
) -> tuple[list[Point], frozenset[Side]]:
    """Points on missing sides, and the sides of kinks and choices that were not reached for all that."""
    found: list[Point] = []
    names = {v.params[0] for v in question.variables}
    for number, push in enumerate(_pushes(question, options)):
        branches = {side for side in missing if side[0] not in names}
        if not missing or len(found) == _MOST_EXTRA or (not branches and number >= _TRIES_FOR_NAMES):
            break
        base = points[number % len(points)]
        at = Point(base.sizes, {name: value * push.get(name, 1.0) for name, value in base.values.items()})
        if trouble(question, at):
            continue
        new = _sides(question, at) & missing
        if new:
            found.append(at)
            missing -= new
    return found, frozenset(side for side in missing if side[0] not in names)


def on_a_kink(question: Question, at: Point) -> bool:
    """Whether the point lies exactly on a kink, a choice or a tie, as one with zeros in it may."""
    import mpmath

    with mpmath.workdps(DIGITS):
        values, memo, _ = remembered(at.values, question.variables, at.sizes, DIGITS)
        evaluate(question.expression, values, at.sizes, memo)
        for node in postorder(question.expression):
            args = [memo[arg] for arg in node.args]
            ties = () if node.operator.ties is None else (node.operator.ties(node, args),)
            if any(not v for chooser in (*_choosers(node, args), *ties) for v in chooser.flat):
                return True
    return False


def spoken(question: Question, side: Side) -> str:
    """A side in words."""
    op = next(node.op for node in postorder(*_branching(question)) if _key(node, 0)[:20] == side[0][:20])
    return f"{op} was only seen on one side of where it branches: none of the points lies on the other"


def _pushes(question: Question, options: CheckOptions) -> Iterator[Mapping[str, float]]:
    import numpy as np

    names = [v.params[0] for v in question.variables if may_be_pushed(v)]
    rng = np.random.Generator(np.random.PCG64([options.seed, 79]))
    for factor in _SWEEP:
        yield dict.fromkeys(names, factor)
    for _ in range(_TRIES - len(_SWEEP)):
        yield {name: float(rng.choice(_FACTORS) * rng.choice([-1.0, 1.0])) for name in names}


def _sides(question: Question, at: Point) -> frozenset[Side]:
    import mpmath

    found: set[Side] = set()
    with mpmath.workdps(DIGITS):
        values, memo, _ = remembered(at.values, question.variables, at.sizes, DIGITS)
        roots = _branching(question)
        for root in roots:
            evaluate(root, values, at.sizes, memo)
        for node in postorder(*roots):
            for k, chooser in enumerate(_choosers(node, [memo[arg] for arg in node.args])):
                found.update((_key(node, k), int(mpmath.sign(v))) for v in chooser.flat if v)
    for v in question.variables:
        if not v.params[2]:
            found.update((v.params[0], 1 if x > 0 else -1) for x in at.values[v.params[0]].flat if x)
    return frozenset(found)


def _branching(question: Question) -> tuple[Node, ...]:
    """What may branch: the expression, and a claim of somebody else's, which may branch where the truth does not."""
    claim = question.claimed if question.truth is not None else None
    return (question.expression, claim) if isinstance(claim, Node) else (question.expression,)


def _choosers(node: Node, args: list[Any]) -> Iterator[Any]:
    for kink in node.operator.kinks:
        yield args[0] - kink.at
    if node.operator.branch is not None:
        yield node.operator.branch(node, args)


def _key(node: Node, k: int) -> str:
    return f"{node.digest.hex()}:{k}"
