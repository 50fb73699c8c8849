"""The checker on damaged derivatives and on right ones: a small sample of both harnesses, which can fail."""

from __future__ import annotations

import random
from dataclasses import replace

import mutants
import pytest
from damages import DAMAGES
from false_alarms import Setting, judged, question_of
from mutants import Original, Score, attacked, gradient_of, outcome, page, tensor_of
from runs import Run

import matcalc as mc
from matcalc.checking import formula_sight, judgement
from matcalc.checking.verdict import Report
from matcalc.expression import build
from matcalc.expression.nodes import Node

ORIGINALS = [
    ("x'*A*x + b'*x", {}, "x"),
    ("logdet(X) + tr(inv(X)*B)", {"X": "matrix(n, n)"}, "X"),
    ("sum(log1p(exp(-y.*(X*w))))", {"y": "vector(m)"}, "w"),
    ("norm2(A[1:3, :]*x)*exp(-x'*x)", {"A": "matrix(4, 3)"}, "x"),
    ("w'*tanh(W*x + b).^2 + x[1]*(x'*x)^3", {"x": "vector(3)"}, "x"),
]


@pytest.mark.parametrize(("text", "let", "name"), ORIGINALS, ids=[row[0] for row in ORIGINALS])
def test_every_damaged_gradient_is_refuted(text: str, let: dict[str, str], name: str) -> None:
    score = Score()
    said: list[str] = []
    attacked(lambda: gradient_of(text, let, name), 3, score, said.append)
    assert said == []
    assert score.total(outcome="refuted") >= 6
    assert score.total(outcome="refuted") + score.total(outcome="equal") == score.total()


def test_every_damaged_hessian_is_refuted() -> None:
    score = Score()
    said: list[str] = []
    attacked(lambda: tensor_of("sum(log1p(exp(X*w)))", {}, "w", "hessian"), 1, score, said.append)
    assert said == []
    assert score.total(way="Hessian", outcome="refuted") >= 5


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_kind_of_damage_is_done_somewhere(kind: str) -> None:
    originals = [gradient_of(*row) for row in ORIGINALS]
    chances = [random.Random(seed) for seed in range(5)]  # noqa: S311  reproducible, not secret
    assert any(DAMAGES[kind](one.claimed, chance) is not None for one in originals for chance in chances)


def test_a_checker_that_sees_only_a_thousandth_says_so_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own damaged copies pass as well."""
    monkeypatch.setattr(judgement, "AGREED", 1e-3)
    monkeypatch.setattr(formula_sight, "_may_hide_more", lambda *given: False)
    said, why = outcome(*_damaged(), "formula", 0)
    assert (said, why) == ("inconclusive", "a damaged copy of the claim would pass as well")


def test_a_checker_that_verifies_everything_misses_and_the_score_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "judged", lambda *given: _verified(1e-12))
    assert outcome(*_damaged(), "formula", 0)[0] == "missed"
    assert outcome(*_damaged(), "function", 0)[0] == "missed"
    score = Score()
    score.counts["a sign", "formula", "missed"] = 1
    assert "| all | 1 | 0 | 0 | 0 | 0 | 1 |" in page([Run("command", "abc", score)])


def test_what_a_function_is_off_by_less_than_its_report_shows_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "judged", lambda *given: _verified(1e-8))
    assert outcome(*_damaged(), "function", 0)[0] == "hidden"
    assert outcome(*_damaged(), "formula", 0)[0] == "missed"  # a formula is not known in floats alone


def _verified(visible: float) -> Report:
    return Report("verified", trials=3, devices=("cpu",), dtypes=("float64",), seed=0, smallest_visible=visible)


def _damaged() -> tuple[Original, Node]:
    original = gradient_of("x'*A*x + b'*x", {}, "x")
    part = build.multiply(build.number(1) / build.number(10**9), original.claimed)
    return original, build.add(original.claimed, part)


def test_an_error_far_below_the_gradients_size_is_seen() -> None:
    """Where the claim is not, digit by digit, what was derived, it is looked at in 800 digits."""
    question = mc.check("exp(200*a) + sin(b*a)", "a", claim="200*exp(200*a) - b*cos(b*a)", scale=3.0)
    assert question.verdict == "refuted"


def test_what_is_no_damage_is_counted_as_equal() -> None:
    original = gradient_of("x'*A*x", {"A": "matrix(n, n)"}, "x")
    a, x = (v.node for v in mc.parse("x'*A*x").typed.variables[::-1])
    assert isinstance(original, Original)
    same = build.add(build.product(a, x), build.product(build.transpose(a), x), build.zeros(*x.shape))
    assert outcome(original, same, "formula", 0)[0] == "equal"


# ----------------------------------------------------------------------------------------------- right claims

LET = {
    "A": "matrix(h, w)", "x": "vector(w)", "X": "matrix(h, h; posdef)", "B": "matrix(h, h)", "y": "vector(h)",
}  # fmt: skip
RIGHT = [
    ("sum(exp(A*x/10)) + x'*x", "formula"),
    ("tr(inv(X)*B)", "compiled function"),
    ("logdet(X)", "autograd"),
    ("sum(relu(A*x - y))", "formula"),
    ("sum(softplus(A*x))", "compiled function"),
]


@pytest.mark.parametrize("size", [None, 120])
@pytest.mark.parametrize(("text", "way"), RIGHT, ids=[row[0] for row in RIGHT])
def test_a_right_gradient_is_verified_at_small_and_large_sizes(text: str, way: str, size: int | None) -> None:
    question = question_of(text, {name: kind for name, kind in LET.items() if name in text}, 0.9, 1.0)
    assert question is not None
    report = judged(question, Setting(way, 1.0, 1.0, size), 4)
    assert report.verdict == "verified", str(report)


SCALES = (1e-8, 1e-3, 1e6, 1e8)
INVARIANT = [
    ("x'*A*x + b'*x", "x", "(A + A')*x + b", "verified"),
    ("x'*A*x + b'*x", "x", "2*A*x + b", "refuted"),
    ("x'*A*x + b'*x", "x", "(A + A')*x + 1.000001*b", "refuted"),
    ("norm2(A*x - b)", "x", "A'*(A*x - b)/norm2(A*x - b)", "verified"),
    ("sum(relu(A*x - b))", "x", "A'*heaviside(A*x - b)", "verified"),
    ("sum(abs(A*x - b))", "x", "A'*ones(m)", "refuted"),
]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("text", "name", "claim", "verdict"), INVARIANT, ids=[f"{r[0]}: {r[2]}" for r in INVARIANT])
def test_no_verdict_changes_when_inputs_are_scaled(
    text: str, name: str, claim: str, verdict: str, scale: float
) -> None:
    let = {"b": "vector(n)"} if "b'" in text else {"b": "vector(m)", "A": "matrix(m, n)"}
    assert mc.check(text, name, claim=claim, let=let, scale=scale, trials=3).verdict == verdict


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("off", [0.0, 1e-6])
def test_no_verdict_changes_when_the_function_is_scaled(scale: float, off: float) -> None:
    wanted = "refuted" if off else "verified"
    claim = f"{scale}*((A + A')*x + {1 + off}*b)"
    let = {"b": "vector(n)"}
    assert mc.check(f"{scale}*(x'*A*x + b'*x)", "x", claim=claim, let=let, trials=3).verdict == wanted

    def function(**t: object) -> object:
        return scale * ((t["A"] + t["A"].T) @ t["x"] + (1 + off) * t["b"])  # type: ignore[operator,attr-defined]

    assert mc.check(f"{scale}*(x'*A*x + b'*x)", "x", claim=function, let=let, trials=3).verdict == wanted


@pytest.mark.parametrize("scale", [0.0, float("nan"), "big", True])
def test_a_scale_is_a_number_and_not_zero(scale: object) -> None:
    with pytest.raises(mc.ParseError, match="is no scale"):
        mc.check("x'*x", "x", scale=scale)


def test_a_question_about_another_claim_shares_nothing_that_is_the_claims() -> None:
    """What claims about one function share is the function's: a wrong claim after a right one is still wrong."""
    original = gradient_of("x'*A*x", {}, "x")
    wrong = replace(original.question, claimed=build.negate(original.claimed))
    assert original.asked(original.claimed) == original.question
    assert outcome(original, original.claimed, "formula", 5)[0] == "equal"
    assert outcome(original, wrong.claimed, "formula", 5)[0] == "refuted"  # type: ignore[arg-type]
