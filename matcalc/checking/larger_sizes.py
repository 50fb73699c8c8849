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

_TELLING = (3, 4)


def at_larger_sizes(
    question: Question, options: CheckOptions, points: Sequence[Point], first: int
) -> tuple[list[Point], dict[str, str]]:
    """Points where every size that was not chosen is 3 or more, and why there are none for those that never were."""
    found: list[Point] = []
    lacking: dict[str, str] = {}
    for name in size_names(question):
        if name in options.sizes or any(at.sizes[name] >= _TELLING[0] for at in (*points, *found)):
            continue
        made = [point(question, replace(options, sizes={**options.sizes, name: n}), first) for n in _TELLING]
        if at := next((at for at in made if isinstance(at, Point)), None):
            found.append(at)
        else:
            lacking[name] = str(made[0])
    return found, lacking


def failing_where_larger(question: Question, options: CheckOptions, confined: Mapping[str, str]) -> list[Point]:
    """Points at larger sizes at which the derivation has a value and the claim none, which was seen at small ones."""
    for name in confined:
        if failing := where_claim_fails(question, replace(options, sizes={**options.sizes, name: _TELLING[0]})):
            return failing
    return []


def confined_to(name: str, points: list[Point], why: str) -> str:
    """In words: the largest size that a name had, and why it was not larger."""
    most = max(at.sizes[name] for at in points)
    return f"{name} was {'1' if most == 1 else f'{most} at most'} wherever anything was seen; where it is larger, {why}"
