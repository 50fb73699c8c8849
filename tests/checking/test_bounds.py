"""Bounds of entries: no value lies outside, whatever is drawn, and what a reader knows is found."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

import mpmath
import numpy as np
import pytest

import matcalc as mc
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression.bounds import Interval, bounds
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE

KNOWN = [
    ("log(A)", {"A": "matrix(m, n; above_one)"}, 0, inf),
    ("sum(A, 1)", {"A": "matrix(m, 2; above_one)"}, 2, inf),
    ("sum(A, 0)", {"A": "matrix(m, n; above_one)"}, 1, inf),
    ("-3*sigmoid(x)", {"x": "vector(n)"}, -3, 0),
    ("tanh(x) + 2", {"x": "vector(n; nonnegative)"}, 2, 3),
    ("silu(x).*gelu(-y)", {"x": "vector(n; positive)", "y": "vector(n; positive)"}, -inf, 0),
    ("1./x - 1", {"x": "vector(n; unit)"}, 0, inf),
    ("x.^(-3)", {"x": "vector(n)"}, -inf, inf),
    ("(-x).^(-3)", {"x": "vector(n; above_one)"}, -1, 0),
    ("x.^(-2)", {"x": "vector(n)"}, 0, inf),
    ("x.^3", {"x": "vector(n; above_minus_one)"}, -1, inf),
    ("abs(x) - 1", {"x": "vector(n; unit)"}, -1, 0),
    ("A*B", {"A": "matrix(m, 3; unit)", "B": "matrix(3, n; unit)"}, 0, 3),
    ("diag(A)", {"A": "matrix(n, n; psd)"}, 0, inf),
    ("diag(x)", {"x": "vector(n; above_one)"}, 0, inf),
    ("tril(-A)", {"A": "matrix(n, n; unit)"}, -1, 0),
    ("Q", {"Q": "matrix(n, n; orthogonal)"}, -1, 1),
    ("maximum(x, 3)", {"x": "vector(n; unit)"}, 3, 3),
    ("where(x, y, 2)", {"x": "vector(n)", "y": "vector(n; unit)"}, 0, 2),
    ("max(cos(x))", {"x": "vector(n)"}, -1, 1),
    ("vec(A')[0]", {"A": "matrix(3, 3; onehot)"}, 0, 1),
    ("logit(x)", {"x": "vector(n)"}, -inf, inf),
    ("acosh(x)", {"x": "vector(n)"}, 0, inf),
    ("(x + 9).^999.5", {"x": "vector(n; unit)"}, 0, inf),
    ("2.^x", {"x": "vector(n)"}, 0, inf),
    ("log_softmax(x)", {"x": "vector(n)"}, -inf, 0),
]


@pytest.mark.parametrize(("text", "let", "low", "high"), KNOWN, ids=[row[0] for row in KNOWN])
def test_bounds_are_those_that_a_reader_sees(text: str, let: dict[str, str], low: float, high: float) -> None:
    assert bounds(mc.parse(text, let).node) == Interval(*(end if abs(end) == inf else Fraction(end)
                                                          for end in (low, high)))  # fmt: skip


OUTWARDS = [
    ("exp(x - 1001)", {"x": "vector(n; unit)"}, 0.0, 5e-324),
    ("exp(-x - 1001)", {"x": "vector(n; unit)"}, 0.0, 5e-324),
    ("(x/10^200).^2.5", {"x": "vector(n; unit)"}, 0.0, 5e-324),
    ("exp(x + 999)", {"x": "vector(n; unit)"}, 1e308, inf),
    ("digamma(x - 0.5)", {"x": "vector(n; unit)"}, -1e99, -1.9635100260214235),
    ("asin(x)", {"x": "vector(n)"}, -1.5707963267948966, 1.5707963267948966),
    ("sqrt(x + 2)", {"x": "vector(n; unit)"}, 1.4142135623730951, 1.7320508075688772),
]


@pytest.mark.parametrize(("text", "let", "low", "high"), OUTWARDS, ids=[row[0] for row in OUTWARDS])
def test_rounded_ends_lie_outside(text: str, let: dict[str, str], low: float, high: float) -> None:
    """exp(-1000) is 0 in floats and not zero, exp(1000) is infinite, and digamma rises from minus infinity at 0."""
    lies = bounds(mc.parse(text, let).node)
    assert lies.low <= low
    assert lies.high >= high or (high == 5e-324 and lies.high > 0)


SAMPLES = [(s.text, dict(s.let)) for op in TABLE.values() for s in op.samples]


@pytest.mark.parametrize(("text", "let"), SAMPLES, ids=[s[0] for s in SAMPLES])
def test_no_entry_lies_outside_its_bounds(text: str, let: dict[str, str]) -> None:
    f = mc.parse(text, let)
    variables = tuple(v.node for v in f.typed.variables)
    asked = Question(f.node, variables[0].params[0] if variables else "", variables, f.node)
    for trial in range(3):
        at = point(asked, CheckOptions(trials=4), trial)
        if not isinstance(at, Point):
            continue
        with mpmath.workdps(40):
            memo: dict[Node, Any] = {}
            evaluate(f.node, lifted(at.values, variables), at.sizes, memo)
            for node in postorder(f.node):
                lies, entries = bounds(node), list(np.asarray(memo[node], dtype=object).flat)
                low, high = (mpmath.mpf(end.numerator) / end.denominator if isinstance(end, Fraction) else end
                             for end in (lies.low, lies.high))  # fmt: skip
                slack = mpmath.mpf("1e-35") * max(abs(v) for v in entries)
                assert all(low - slack <= v <= high + slack for v in entries), (str(node), lies)
