"""Laws on random expressions over the operator table."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from expressions import LET, Expressions
from fuzz import outcome
from hypothesis import given, settings
from hypothesis import strategies as st

import matcalc as mc
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question

GOOD = {"agrees", "no point", "no finite gradient"}


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_random_expressions_is_autograds(seed: int) -> None:
    made = Expressions(100 + seed)
    texts = [made.next() for _ in range(12)]
    said = {text: outcome(text, LET, seed) for text in texts}
    assert {text: what for text, what in said.items() if what not in GOOD} == {}
    assert sum(what == "agrees" for what in said.values()) >= 9


TEXTS = st.integers(0, 2**32 - 1).map(lambda seed: Expressions(seed).next())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(TEXTS)
def test_a_printed_random_gradient_reads_back_as_the_same_value(text: str) -> None:
    f = mc.parse(text, LET)
    let = {name: v.declaration for name, v in f.variables.items()}
    nodes = tuple(v.node for v in f.typed.variables)
    for name in f.variables:
        g = mc.grad(f, name)
        at = point(Question(f.node, name, nodes, g.node), CheckOptions(seed=1), 0)
        if isinstance(at, Point):
            with mpmath.workdps(40):
                values = lifted(at.values)
                ours, theirs = (evaluate(n, values, at.sizes) for n in (g.node, mc.parse(str(g), let).node))
                gap = np.abs(np.broadcast_to(theirs, ours.shape) - ours).max()
                assert gap <= mpmath.mpf("1e-28") * np.abs(ours).max()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(TEXTS)
def test_an_expression_reads_back_as_the_same_node_where_its_text_is_stable(text: str) -> None:
    f = mc.parse(text, LET)
    let = {name: v.declaration for name, v in f.variables.items()}
    once = mc.parse(str(f), let)
    assert str(mc.parse(str(once), let)) == str(once)
