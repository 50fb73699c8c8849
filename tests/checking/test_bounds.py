"""Bounds of entries: no value lies outside, whatever is drawn, and what a reader knows is found."""

from __future__ import annotations

from collections.abc import Iterable
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
    ("where(x, A*x, 1)", {"A": "matrix(n, n; unit)", "x": "vector(n)"}, -inf, inf),
    ("where(x, x', 1)", {"x": "matrix(n, n)"}, -inf, inf),
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
    ("sin(x)", {"x": "vector(n; positive)"}, -1, 1),
    ("sin(2*x)", {"x": "vector(n; unit)"}, -1, 1),
    ("cos(4*x)", {"x": "vector(n; unit)"}, -1, 1),
    ("tan(2*x)", {"x": "vector(n; unit)"}, -inf, inf),
    ("cosh(x) + cosh(0*x)", {"x": "vector(n)"}, 2, inf),
    ("polygamma(1, x - 1)", {"x": "vector(n; unit)"}, 0, inf),
    ("polygamma(2, x)", {"x": "vector(n; positive)"}, -inf, 0),
    ("polygamma(2, x)", {"x": "vector(n)"}, -inf, inf),
    ("digamma(x)", {"x": "vector(n)"}, -inf, inf),
    ("digamma(x - 0.5)", {"x": "vector(n; unit)"}, -inf, inf),
    ("lgamma(x)", {"x": "vector(n; positive)"}, Fraction(-1215, 10000), inf),
    ("lgamma(x)", {"x": "vector(n; unit)"}, 0, inf),
    ("lgamma(x + 1)", {"x": "vector(n; above_one)"}, 0, inf),
    ("lgamma(x)", {"x": "vector(n; above_minus_one)"}, -inf, inf),
    ("silu(x)", {"x": "vector(n)"}, Fraction(-279, 1000), inf),
    ("gelu(x - 1)", {"x": "vector(n; unit)"}, Fraction(-17, 100), 0),
    ("dot(x, x)", {"x": "vector(n)"}, 0, inf),
    ("x'*A*A'*x", {"x": "vector(n)"}, 0, inf),
    ("x'*A*x", {"x": "vector(n)", "A": "matrix(n, n; psd)"}, 0, inf),
    ("x'*A*x", {"x": "vector(n)", "A": "matrix(n, n; symmetric)"}, -inf, inf),
    ("x'*A*B*x", {"x": "vector(n)", "A": "matrix(n, m)", "B": "matrix(m, n)"}, -inf, inf),
    ("inner(X, X)", {"X": "matrix(2, 3; above_minus_one)"}, 0, inf),
    ("inner(X, X)", {"X": "matrix(2, 3; above_one)"}, 6, inf),
    ("inner(A, B)", {"A": "matrix(n, n; psd)", "B": "matrix(n, n; posdef)"}, 0, inf),
    ("inner(A, B)", {"A": "matrix(n, n; psd)", "B": "matrix(n, n; symmetric)"}, -inf, inf),
    ("sum(A)", {"A": "matrix(n, n; psd)"}, 0, inf),
    ("X^3", {"X": "matrix(2, 2; unit)"}, 0, 4),
    ("X^3", {"X": "matrix(n, n; above_one)"}, 1, inf),
    ("(X + 1)^3", {"X": "matrix(2, 2; unit)"}, 4, 32),
    ("norm1(x - 2)", {"x": "vector(3; unit)"}, 3, 6),
    ("norm2(x - 2)", {"x": "vector(3; unit)"}, 1, 6),
    ("norm2(x)", {"x": "vector(n; above_one)"}, 1, inf),
    ("norm_spec(X)", {"X": "matrix(2, 3; above_one)"}, 1, inf),
    ("norm_nuc(X)", {"X": "matrix(2, 3; unit)"}, 0, 6),
    ("logsumexp(cosh(X), 0)", {"X": "matrix(m, n)"}, 1, inf),
    ("logsumexp(-x)", {"x": "vector(n; positive)"}, -inf, inf),
    ("layernorm(x)", {"x": "vector(n)"}, -inf, inf),
    ("prod(x + 1)", {"x": "vector(3; unit)"}, 1, 8),
    ("prod(x - 2)", {"x": "vector(3; unit)"}, -8, -1),
    ("prod(x - 2)", {"x": "vector(2; unit)"}, 1, 4),
    ("prod(x - 2)", {"x": "vector(n; unit)"}, -inf, inf),
    ("prod(3*x - 1)", {"x": "vector(2; unit)"}, -4, 4),
    ("prod(X, 0)", {"X": "matrix(m, n; unit)"}, 0, 1),
    ("prod(x/2)", {"x": "vector(n; unit)"}, 0, 0.5),
    ("prod(cosh(X), 1)", {"X": "matrix(m, n)"}, 1, inf),
    ("prod(cos(x))", {"x": "vector(n)"}, -1, 1),
    ("prod(A)", {"A": "matrix(n, n; psd)"}, 0, inf),
    ("prod(A, 0)", {"A": "matrix(n, n; psd)"}, -inf, inf),
    ("prod_others(x)", {"x": "vector(n; above_one)"}, 1, inf),
    ("prod_others(x/2)", {"x": "vector(n; unit)"}, 0, 1),
    ("prod_others(2*x, 1)", {"x": "matrix(2, 3; unit)"}, 0, 4),
    ("prod_pairs(2*x)", {"x": "vector(4; unit)"}, 0, 4),
    ("prod_pairs(x)", {"x": "vector(n; above_one)"}, 0, inf),
    ("prod_pairs(3*x)", {"x": "vector(2; unit)"}, 0, 1),
    ("kron(A, -B)", {"A": "matrix(2, 2; unit)", "B": "matrix(n, n; above_one)"}, -inf, 0),
    ("kron_trace(U, X, 0, 2, 2)", {"U": "matrix(4, 6; unit)", "X": "matrix(2, 3; unit)"}, 0, 6),
    ("conv1d(x, k)", {"x": "vector(6; unit)", "k": "vector(3; unit)"}, 0, 3),
    ("conv1d(x, y)", {"x": "vector(n; above_one)", "y": "vector(k; above_one)"}, 1, inf),
    ("conv2d(X, K)", {"X": "matrix(4, 4; unit)", "K": "matrix(2, 3; unit)"}, 0, 6),
    ("conv1d_full(x, k)", {"x": "vector(6; unit)", "k": "vector(3; unit)"}, 0, 3),
    ("conv1d_full(x, k + 1)", {"x": "vector(n; above_one)", "k": "vector(3; unit)"}, 1, inf),
    ("conv2d_full(X, -K)", {"X": "matrix(m, n; unit)", "K": "matrix(p, q; unit)"}, -inf, 0),
    ("avgpool1d(cos(x), 2)", {"x": "vector(8)"}, -1, 1),
    ("maxpool2d(X, 2)", {"X": "matrix(2*m, 4; unit)"}, 0, 1),
    ("maxpick1d(x + 1, y, 2)", {"x": "vector(8; unit)", "y": "vector(8)"}, 1, 2),
    ("maxunpool1d(x + 1, y, 2)", {"x": "vector(4; unit)", "y": "vector(8)"}, 0, 2),
    ("vstack(zeros(n, m), X + 1)", {"X": "matrix(n, m; unit)"}, 0, 2),
    ("cross(x, y)", {"x": "vector(3; unit)", "y": "vector(3; unit)"}, -1, 1),
    ("skew(x + 1)", {"x": "vector(3; unit)"}, -2, 2),
    ("axial(X)", {"X": "matrix(3, 3; unit)"}, -1, 1),
    ("stopgrad(x)", {"x": "vector(n; unit)"}, 0, 1),
    ("mirror_tril(X + 1)", {"X": "matrix(n, n; unit)"}, 1, 2),
    ("half_tril(X + 1)", {"X": "matrix(n, n; unit)"}, 0, 2),
    ("unvech(x + 1, 2, 2)", {"x": "vector(3; unit)"}, 0, 2),
    ("chol(A*A' + I)", {"A": "matrix(n, n; unit)"}, -inf, inf),
    ("chol(4*A)", {"A": "matrix(n, n; posdef, orthogonal)"}, -2, 2),
    ("huber(x - 3, 1)", {"x": "vector(n; unit)"}, 0, 4.5),
    ("det(A)", {"A": "matrix(n, n; onehot)"}, -1, 1),
    ("det(A)", {"A": "matrix(n, n; onehot, upper)"}, 0, 1),
    ("det(softmax(X))", {"X": "matrix(3, 3)"}, -1, 1),
    ("det(tril(X + 1))", {"X": "matrix(3, 3; unit)"}, 0, 8),
    ("det(triu(X - 2))", {"X": "matrix(3, 3; unit)"}, -8, 0),
    ("det(A)", {"A": "matrix(n, n; unit)"}, -inf, inf),
    ("expm(X)", {"X": "matrix(n, n; unit)"}, 0, inf),
    ("expm(X)", {"X": "matrix(n, n)"}, -inf, inf),
    ("x.^y", {"x": "vector(n; above_one)", "y": "vector(n; positive)"}, 1, inf),
    ("x.^y", {"x": "vector(n; unit)", "y": "vector(n; positive)"}, 0, 1),
    ("x.^y", {"x": "vector(n; unit)", "y": "vector(n)"}, 0, inf),
    ("atan2(x, y)", {"x": "vector(n)", "y": "vector(n)"}, -4, 4),
    ("diagonalization(n)*x", {"x": "vector(n; unit)"}, 0, 1),
    ("duplication(2)*x", {"x": "vector(3; unit)"}, 0, 3),
    ("eigvals(A)", {"A": "matrix(2, 2; symmetric, unit)"}, -2, 2),
    ("lambda_max(A)", {"A": "matrix(2, 2; symmetric, unit)"}, 0, 2),
    ("lambda_min(A)", {"A": "matrix(2, 2; symmetric, unit)"}, -2, 1),
    ("projector_max(A)", {"A": "matrix(n, n; symmetric)"}, -1, 1),
    ("projector_max(A)", {"A": "matrix(n, n; symmetric, positive)"}, 0, 1),
    ("projector_max(A)", {"A": "matrix(n, n; symmetric, nonnegative)"}, -1, 1),
    ("projector_min(A)", {"A": "matrix(n, n; symmetric, positive)"}, -1, 1),
    ("projector_min(-A)", {"A": "matrix(n, n; symmetric, positive)"}, 0, 1),
    ("resolvent_min(A)", {"A": "matrix(2, 2; symmetric, above_one)"}, -inf, 0),
    ("resolvent_min(A)", {"A": "matrix(3, 3; symmetric, above_one)"}, -inf, inf),
    ("resolvent_max(A)", {"A": "matrix(2, 2; symmetric, above_one)"}, -inf, inf),
    ("dominant(-X)", {"X": "matrix(m, n; positive)"}, -1, 0),
    ("dominant(X)", {"X": "matrix(m, n; nonnegative)"}, -1, 1),
    ("polar(X)", {"X": "matrix(m, n; positive)"}, -1, 1),
    ("where(x, x, x.^2)", {"x": "vector(n)"}, 0, inf),
    ("leaky_relu(norm1(x), a)", {"x": "vector(n)", "a": "scalar"}, 0, inf),
    ("leaky_relu(x, a)", {"x": "vector(n)", "a": "scalar"}, -inf, inf),
    ("leaky_relu(x, 0.5)", {"x": "vector(n; above_minus_one)"}, -0.5, inf),
    ("where(x - 2, y, z)", {"x": "vector(n; unit)", "y": "vector(n)", "z": "vector(n; unit)"}, 0, 1),
    ("where(x + 1, y, z)", {"x": "vector(n; unit)", "y": "vector(n; unit)", "z": "vector(n)"}, 0, 1),
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
    ("digamma(x/2)", {"x": "vector(n; unit)"}, -inf, -1.9635100260214235),
    ("asin(x)", {"x": "vector(n)"}, -1.5707963267948966, 1.5707963267948966),
    ("sqrt(x + 2)", {"x": "vector(n; unit)"}, 1.4142135623730951, 1.7320508075688772),
    ("sin(x)", {"x": "vector(n; unit)"}, 0.0, 0.8414709848078965),
    ("cos(2*x - 1)", {"x": "vector(n; unit)"}, 0.5403023058681398, 1.0),
    ("tan(x)", {"x": "vector(n; unit)"}, 0.0, 1.5574077246549023),
    ("acos(x)", {"x": "vector(n; unit)"}, 0.0, 1.5707963267948966),
    ("cosh(2*x - 1)", {"x": "vector(n; unit)"}, 1.0, 1.5430806348152437),
    ("polygamma(1, x + 1)", {"x": "vector(n; unit)"}, 0.6449340668482264, 1.6449340668482264),
    ("polygamma(2, x + 1)", {"x": "vector(n; unit)"}, -2.4041138063191885, -0.40411380631918855),
    ("lgamma(x + 2)", {"x": "vector(n; unit)"}, 0.0, 0.6931471805599453),
    ("lgamma(0.25 + x/2)", {"x": "vector(n; unit)"}, 0.20328095143129538, 1.2880225246980774),
    ("lgamma(0.25 + 4*x)", {"x": "vector(n; unit)"}, -0.12148629053584961, 2.1144569274503713),
    ("logsumexp(x)", {"x": "vector(3; unit)"}, 1.0986122886681098, 2.09861228866811),
    ("layernorm(x)", {"x": "vector(3)"}, -1.4142135623730951, 1.4142135623730951),
    ("layerstd(x) - 0.0031622776601683794", {"x": "vector(n)"}, 0.0, inf),
    ("prod(x + 1)", {"x": "vector(500; unit)"}, 1.0, 3.27e150),
    ("prod(x + 9)", {"x": "vector(999; unit)"}, 5.4e300, inf),
    ("(x + 9)^500 + y", {"x": "scalar(; unit)", "y": "scalar"}, -inf, inf),
    ("y*(x/10 + 0.1)^500", {"x": "scalar(; unit)", "y": "scalar(; positive)"}, 0.0, inf),
]


@pytest.mark.parametrize(("text", "let", "low", "high"), OUTWARDS, ids=[row[0] for row in OUTWARDS])
def test_rounded_ends_lie_outside(text: str, let: dict[str, str], low: float, high: float) -> None:
    """exp(-1000) is 0 in floats and not zero, exp(1000) is infinite, and digamma rises from minus infinity at 0."""
    lies = bounds(mc.parse(text, let).node)
    assert lies.low <= low
    assert lies.high >= high or (high == 5e-324 and lies.high > 0)


CLOSE = [row for row in OUTWARDS if all(1e-3 < abs(end) < 1e3 or not end for end in row[2:])]


@pytest.mark.parametrize(("text", "let", "low", "high"), CLOSE, ids=[row[0] for row in CLOSE])
def test_rounded_ends_lie_close(text: str, let: dict[str, str], low: float, high: float) -> None:
    lies = bounds(mc.parse(text, let).node)
    assert low - 1e-4 <= lies.low
    assert lies.high <= high + 1e-4


SAMPLES = [(s.text, dict(s.let)) for op in TABLE.values() for s in op.samples]
EVERYWHERE = [*SAMPLES, *((text, let) for text, let, *_ in (*KNOWN, *OUTWARDS))]


@pytest.mark.parametrize(("text", "let"), EVERYWHERE, ids=[s[0] for s in EVERYWHERE])
def test_no_entry_lies_outside_its_bounds(text: str, let: dict[str, str]) -> None:
    held_inside(mc.parse(text, let), range(4))


@pytest.mark.parametrize("declared", ["unit", "above_one", "above_minus_one", "positive, sparse"])
@pytest.mark.parametrize(("text", "let"), SAMPLES, ids=[s[0] for s in SAMPLES])
def test_no_entry_lies_outside_what_declarations_tell(text: str, let: dict[str, str], declared: str) -> None:
    """As above with ranges for all names that have no property: at a few sizes, and at sizes of 1."""
    bare = (v.node for v in mc.parse(text, let).typed.variables if not v.node.params[2])
    more = {v.params[0]: f"{v.params[1]}({_sizes(v)}; {declared})" for v in bare}
    held_inside(mc.parse(text, {**let, **more}), (0, 3))


def _sizes(variable: Node) -> str:
    kept = {"scalar": (), "vector": variable.shape[:1], "row": variable.shape[1:]}
    return ", ".join(map(str, kept.get(variable.params[1], variable.shape)))


def held_inside(f: mc.Expression, trials: Iterable[int]) -> None:
    variables = tuple(v.node for v in f.typed.variables)
    asked = Question(f.node, variables[0].params[0] if variables else "", variables, f.node)
    for trial in trials:
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
                slack = mpmath.mpf("1e-35") * max(1, *(abs(v) for v in entries))
                assert all(low - slack <= v <= high + slack for v in entries), (str(node), lies)
