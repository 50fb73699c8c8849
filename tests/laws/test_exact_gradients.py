"""Laws of the exact witness on random expressions: our gradients hold exactly, and no damaged copy of one does."""

from __future__ import annotations

import pytest
from expressions import Expressions
from hypothesis import given, settings
from hypothesis import strategies as st

import matcalc as mc
from matcalc.checking.exact import exact_testimony, inapplicable
from matcalc.checking.question import CheckOptions, Question
from matcalc.derivative import grad
from matcalc.expression import build
from matcalc.expression.nodes import Node

OPTIONS = CheckOptions(trials=2)
SUMS = ["tr({0}*{1}*{2})", "sum(square({0} - {1}*{2}))", "inner({0}*{1}, {2})", "sum(square({0}) + {1}*{2})"]
FACTORS = ["{0}", "{0}'", "inv({0})", "adj({0})", "{0}^2", "{0}.*B", "(x*y' + {0})", "det({0})*B", "diag({0}*x)"]
SCALARS = ["{0}", "{0}*{1}", "({0})./(1 + ({1})^2)", "({0})^2 - {1}", "({0})*tanh({1})", "log(1 + ({0})^2)*{1}"]


def question_of(text: str, let: dict[str, str], wrt: str) -> Question:
    derived = grad(mc.parse(text, let), wrt)
    variables = tuple(v.node for v in derived.expression.typed.variables)
    return Question(derived.differentiated, wrt, variables, derived.shown, projected=derived.projected, text=text)


@st.composite
def rational(draw: st.DrawFn) -> str:
    """A scalar of square matrices A, B, S and vectors x, y: sums of products, inverses, determinants and powers."""
    factor = st.builds(str.format, st.sampled_from(FACTORS), st.sampled_from(["A", "B", "S"]))
    total = st.builds(str.format, st.sampled_from(SUMS), factor, factor, factor)
    return draw(st.builds(str.format, st.sampled_from(SCALARS), total, st.one_of(total, st.just("x'*A*y"))))


LET = {
    "A": "matrix(n, n)", "B": "matrix(n, n)", "S": "matrix(n, n; symmetric)", "x": "vector(n)", "y": "vector(n)",
}  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rational(), st.sampled_from(["A", "B", "S", "x"]))
def test_our_gradients_of_rational_expressions_hold_exactly(text: str, wrt: str) -> None:
    let = {name: kind for name, kind in LET.items() if name in mc.parse(f"({text}) + 0*sum({wrt})", LET).variables}
    question = question_of(f"({text}) + sum({wrt})", let | {wrt: LET[wrt]}, wrt)
    testimony = exact_testimony(question, OPTIONS)
    assert testimony.agrees is True, testimony.says


@settings(max_examples=30, deadline=None, derandomize=True)
@given(rational(), st.integers(0, 4))
def test_a_damaged_gradient_of_a_rational_expression_is_refuted(text: str, which: int) -> None:
    question = question_of(f"({text}) + tr(A*B)", LET, "A")
    assert isinstance(question.claimed, Node)
    tiny = build.number(1) / build.number(10**30)
    damaged = [
        build.negate(question.claimed),
        build.multiply(build.number(1) + build.number(1) / build.number(10**9), question.claimed),
        question.claimed.T,
        question.claimed + build.multiply(tiny, build.variable("B", question.claimed.shape, "matrix")),
        question.claimed + build.multiply(tiny, build.eye(question.claimed.rows)),
    ][which]
    asked = Question(question.expression, "A", question.variables, damaged)
    assert exact_testimony(asked, OPTIONS).agrees is False


@pytest.mark.parametrize("seed", range(4))
def test_no_gradient_of_a_random_expression_is_contradicted(seed: int) -> None:
    made = Expressions(700 + seed)
    agreed = 0
    for text, let in (made.next() for _ in range(24)):
        name = next(iter(mc.parse(text, let).variables))
        try:
            question = question_of(text, let, name)
        except mc.UnsupportedError:  # what depends on which of two sizes is larger, for one
            continue
        testimony = exact_testimony(question, OPTIONS)
        assert testimony.agrees is not False, f"{text}: {testimony.says}"
        agreed += testimony.agrees is True and not inapplicable(question, OPTIONS)
    assert agreed >= 2
