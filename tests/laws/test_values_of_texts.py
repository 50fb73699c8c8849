"""What is printed is put together as it is read; it has the value of what it stands for, and reads back to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
from expressions import Expressions

import matcalc as mc
from matcalc.checking.points import Point, is_large, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression.nodes import Node
from matcalc.expression.operator import TABLE
from matcalc.language.presentation import presented

SAMPLES = [(sample.text, dict(sample.let)) for op in TABLE.values() for sample in op.samples[:2]]


def distance(f: mc.Expression, node: Node, *others: Node) -> float:
    """The largest relative distance of others from a node at a point inside the domain of f; 0 where there is none."""
    variables = tuple(v.node for v in f.typed.variables)
    question, options = Question(f.node, variables[0].params[0], variables, node), CheckOptions(seed=3)
    if is_large(question, options):  # a check would not take 90 digits there either
        return 0.0
    at = point(replace(question, claimed=f.node), options, 0)
    if not isinstance(at, Point):
        return 0.0
    with mpmath.workdps(40):
        values = lifted(at.values, variables)
        seen: dict[Node, Any] = {}
        a, *rest = (evaluate(each, values, at.sizes, seen) for each in (node, *others))
        return max(float(np.abs(a - b).max() / (np.abs(a).max() or 1)) for b in rest)


def check(text: str, let: dict[str, str]) -> None:
    """Of the expression and of each of its gradients."""
    f = mc.parse(text, let or None)
    assert distance(f, f.node, presented(f.node, f.typed.order)) < 1e-30
    for name in f.variables:
        try:
            g = mc.grad(f, name)
        except mc.MatcalcError:
            continue  # no scalar, or a derivative that is refused: not what is asked here
        assert distance(f, g.shown, presented(g.shown, f.typed.order)) < 1e-30, str(g)


@pytest.mark.parametrize(("text", "let"), SAMPLES, ids=[text for text, _ in SAMPLES])
def test_of_every_operator_what_is_presented_has_the_value(text: str, let: dict[str, str]) -> None:
    check(text, let)


@pytest.mark.parametrize("seed", range(6))
def test_of_random_expressions_what_is_presented_has_the_value(seed: int) -> None:
    made = Expressions(700 + seed)
    for text, let in (made.next() for _ in range(10)):
        check(text, let)
