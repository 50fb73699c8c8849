"""Under which condition a wrong claim would be right: symmetric inputs, inputs that add up to one, one more factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matcalc.checking.judgement import EXACT
from matcalc.checking.points import Point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import Question
from matcalc.checking.relation import Pair, same
from matcalc.expression.nodes import Node
from matcalc.expression.property import PROPERTIES


def only_symmetric(question: Question, at: Point) -> str:
    """Whether a wrong claim is right once the square matrices are symmetric."""
    square = [v.params[0] for v in question.variables if v.is_square and not v.is_scalar and not v.facts]
    values = {n: (v + v.T) / 2 if n in square else v for n, v in at.values.items()}
    if not square or not _is_right_at(question, at, values):
        return ""
    return f"right only if {' and '.join(square)} {'is' if len(square) == 1 else 'are'} symmetric"


def only_adding_up(question: Question, at: Point) -> str:
    """Whether a wrong claim is right once some other name adds up to one, as targets of a classifier do."""
    import numpy as np

    sample = PROPERTIES["simplex"].sample
    assert sample is not None
    for v in question.variables:
        name = v.params[0]
        if name != question.name and not v.is_scalar and not v.facts:
            rng = np.random.Generator(np.random.PCG64(1))
            drawn = sample(rng, *at.values[name].shape)
            right = _is_right_at(question, at, {**at.values, name: drawn})
            if right and not _is_right_at(question, at, {**at.values, name: 2 * drawn}):
                return f"right only if {name} adds up to one: declare it simplex or onehot"
    return ""


def _is_right_at(question: Question, at: Point, values: Mapping[str, Any]) -> bool:
    """Whether a claim in words is what our derivation is, at other values, which may lie outside a domain."""
    import mpmath

    if not (isinstance(question.claimed, Node) and isinstance(question.truth, Node)):
        return False
    with mpmath.workdps(30):
        exact = lifted(values)
        try:
            claimed, truth = (evaluate(node, exact, at.sizes) for node in (question.claimed, question.truth))
        except (ZeroDivisionError, ValueError, OverflowError, TypeError):
            return False
        return claimed.shape == truth.shape and bool(abs(claimed - truth).max() <= EXACT * abs(truth).max())


def one_factor_more(seen: Sequence[tuple[Point, Pair]], names: Sequence[str], what: str) -> str:
    """Whether the truth is the claim times a matrix of the expression, or the claim the truth times one."""
    for name in names:
        for turned in (False, True):
            factors = [at.values[name].T if turned else at.values[name] for at, _ in seen]
            shown = f"{name}.T" if turned else name
            claims = [pair.claimed for _, pair in seen]
            truths = [pair.truth for _, pair in seen]
            for short, long, says in (
                (claims, truths, f"a missing chain factor: the {what} is the claim times {shown}"),
                (truths, claims, f"a factor too many: the claim is the {what} times {shown}"),
            ):
                if _all_same(short, factors, long):
                    return says
                if _all_same(factors, short, long):
                    return says.replace(f"times {shown}", f"with {shown} in front")
    return ""


def _all_same(left: Sequence[Any], right: Sequence[Any], whole: Sequence[Any]) -> bool:
    return all(
        a.ndim == b.ndim == c.ndim == 2 and a.shape[1] == b.shape[0] and same(a @ b, c)
        for a, b, c in zip(left, right, whole, strict=True)
    )
