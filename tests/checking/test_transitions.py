"""Claims that are wrong in a narrow stretch alone, which chance does not meet."""

from __future__ import annotations

import pytest
import torch

import matcalc as mc

WRONG = [
    ("x + tanh(100000*(x - 5))", "1", "scalar"),
    ("x + tanh(100*(x - 50))", "1", "scalar"),
    ("x + erf(10000*(x - 5)^3)", "1", "scalar"),
    ("sum(x) + tanh(1000*(a'*x - 50))", "ones(n)", "vector(n)"),
    ("sum(x + sigmoid(1000*(x .- 7)))", "ones(n)", "vector(n)"),
]


@pytest.mark.parametrize("as_function", [False, True])
@pytest.mark.parametrize(("text", "claim", "kind"), WRONG, ids=[text for text, _, _ in WRONG])
def test_a_transition_is_met(text: str, claim: str, kind: str, as_function: bool) -> None:
    claimed = (lambda x: torch.ones_like(x)) if as_function else claim
    assert mc.check(text, "x", claim=claimed, let={"x": kind}).verdict == "refuted"


def test_a_right_gradient_is_verified_in_it() -> None:
    report = mc.check("x + tanh(1e5*(x - 5))", "x", claim="1 + 1e5*(1 - tanh(1e5*(x - 5))^2)", let={"x": "scalar"})
    assert report.verdict == "verified"


@pytest.mark.parametrize("seed", range(3))
def test_a_peak_beside_which_all_is_below_what_floats_hold_is_met(seed: int) -> None:
    """exp(-1e6) is 0 in floats, and so is a gradient of 0 that somebody claims."""
    report = mc.check("exp(-1000000*(x - 3)^2)", "x", claim=lambda x: 0 * x, let={"x": "scalar"}, seed=seed)
    assert report.verdict == "refuted"


def test_where_floats_hold_nothing_of_a_gradient_nothing_is_verified() -> None:
    at = {"x": 2.0, "c": 3.0}
    let = {"x": "scalar", "c": "scalar"}
    report = mc.check("exp(-1e6*cosh(x - c))", "x", claim=lambda x, c: 0 * x, let=let, at=at)
    assert report.verdict == "inconclusive"
    assert "floats show nothing of a gradient" in report.reason
