"""Sizes of 3 and more for every size name: what holds for small matrices may hold for no others.

Matrices of one entry are numbers, and those of two rows obey laws of their own: the Hessian of det is then one and the
same matrix for X and for X'. Where the domain leaves few sizes (det(A*X*B) is zero where A has more rows than X), the
usual points may all have small ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matcalc.checking.points import Point, point, size_names, where_claim_fails
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression.nodes import Node, postorder

_LARGER = (3, 4)
_EVEN_AND_ODD = ((4, 2), (3, 5))


def at_larger_sizes(
    question: Question, options: CheckOptions, points: Sequence[Point], first: int
) -> tuple[list[Point], dict[str, str]]:
    """Points where every size that was not chosen is 3 or more, and why there are none for those that never were.

    A size that a claim counts with is even and odd: (-1)^n and cos(pi*n) are 1 or -1.
    """
    found: list[Point] = []
    lacking: dict[str, str] = {}
    counted = _counted(question)
    for name in size_names(question):
        for among in _EVEN_AND_ODD if name in counted else (_LARGER,):
            if name in options.sizes or any(_tells(at.sizes[name], among) for at in (*points, *found)):
                continue
            why = _drawn_at(question, options, name, among, first, found)
            if why:
                lacking[name] = f"at {name} = {among[0]} {why}"
    return found, lacking


def lacking_larger(question: Question, options: CheckOptions, points: Sequence[Point]) -> set[str]:
    """The names of sizes that nobody chose and that no point has as large, or as even and odd, as it takes."""
    counted = _counted(question)
    return {
        name
        for name in size_names(question)
        for among in (_EVEN_AND_ODD if name in counted else (_LARGER,))
        if name not in options.sizes and not any(_tells(at.sizes[name], among) for at in points)
    }


def _drawn_at(
    question: Question, options: CheckOptions, name: str, among: Sequence[int], trial: int, found: list[Point]
) -> str:
    """Adds a point where a size is the first of some at which there is one; or tells why the first has none.

    Products of many entries may leave all bounds at the scale that was asked for: they are looked at in scale 1 then.
    """
    reasons = []
    for scale in dict.fromkeys((options.scale, 1.0)):
        for size in among:
            at = point(question, replace(options, sizes={**options.sizes, name: size}, scale=scale), trial)
            if isinstance(at, Point):
                found.append(at)
                return ""
            reasons.append(at)
    return reasons[0]


def _tells(size: int, among: tuple[int, ...]) -> bool:
    return size >= among[0] if among is _LARGER else size > 1 and size % 2 == among[0] % 2


def _counted(question: Question) -> set[str]:
    """The names of sizes that a formula holds as numbers; all of them for a function, which may count with any."""
    if not isinstance(question.claimed, Node):
        return set(size_names(question))
    sizes = [node.params[0] for node in postorder(question.claimed) if node.op == "size"]
    return {name for size in sizes for name in size.names}


def failing_where_larger(question: Question, options: CheckOptions, confined: Mapping[str, str]) -> list[Point]:
    """Points at larger sizes at which the derivation has a value and the claim none, which was seen at small ones."""
    for name in confined:
        if failing := where_claim_fails(question, replace(options, sizes={**options.sizes, name: _LARGER[0]})):
            return failing
    return []


def confined_to(name: str, points: Sequence[Point], why: str) -> str:
    """In words: the sizes that a name had, and why it had no others."""
    had = " and ".join(str(size) for size in sorted({at.sizes[name] for at in points}))
    return f"nothing was seen but {name} = {had}: {why}"
