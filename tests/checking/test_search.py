"""Wrong claims that are right wherever one looks first: on another branch, in a narrow transition, at other sizes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import matcalc as mc
from matcalc.checking.question import CheckOptions
from matcalc.checking.search import suspects
from matcalc.derivative import grad
from matcalc.verification import asked_about

WRONG = [
    ("sqrt((x-5)^2)", "-1", "scalar"),
    ("asin(sin(x))", "1", "scalar"),
    ("acos(cos(x))", "sign(x)", "scalar"),
    ("sqrt(cos(x)^2)", "-sin(x)", "scalar"),
    ("acosh(cosh(x-5))", "-1", "scalar"),
    ("norm2([x-7;0])", "-1", "scalar"),
    ("((x-5)^4)^(1/4)", "-1", "scalar"),
    ("exp(0.5*log((x-5)^2))", "-1", "scalar"),
    ("det((x-7)*eye(2))^0.5", "-1", "scalar"),
    ("sqrt((a'*x-20)^2)", "-a", "vector(n)"),
    ("erf(1000*x)", "0", "scalar"),
    ("x'*x+sum(erf(1e4*x))", "2*x", "vector(n)"),
    ("softplus(1e4*x)", "1e4*heaviside(x)", "scalar"),
    ("gelu(1e3*x)", "1e3*heaviside(x)", "scalar"),
    ("silu(1e5*x)/1e5", "heaviside(x)", "scalar"),
    ("x'*x", "2*x + (n-1)*(n-2)*(n-3)*(n-4)*x", "vector(n)"),
]


@pytest.mark.parametrize(("text", "claim", "kind"), WRONG, ids=[f"{text}: {claim}" for text, claim, _ in WRONG])
def test_it_is_refuted(text: str, claim: str, kind: str) -> None:
    assert mc.check(text, "x", claim=claim, let={"x": kind}).verdict == "refuted"


def test_a_function_that_is_wrong_where_all_sizes_are_equal_is_refuted() -> None:
    def wrong(W: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return W @ y if W.shape[0] == W.shape[1] else W.T @ y

    let = {"W": "matrix(m, n)", "x": "vector(n)", "y": "vector(m)"}
    assert mc.check("y'*W*x", "x", claim=wrong, let=let).verdict == "refuted"
    assert mc.check("y'*W*x", "x", claim=lambda W, x, y: W.T @ y, let=let).verdict == "verified"


def test_a_root_on_the_far_side_of_its_domain_is_met() -> None:
    let = {"A": "matrix(n, n; principal)"}
    assert mc.check("tr(sqrtm(A*A))", "A", claim="eye(n)", let=let).verdict == "refuted"
    assert mc.check("tr(sqrtm(A))", "A", claim="inv(sqrtm(A)).T/2", let=let).verdict == "verified"


def test_a_jacobian_is_searched_as_well() -> None:
    let = {"x": "vector(n)"}
    assert mc.check("sqrt((x .- 5).^2)", "x", claim="-eye(n)", let=let, kind="jacobian").verdict == "refuted"
    right = "diag((x .- 5)./sqrt((x .- 5).^2))"
    assert mc.check("sqrt((x .- 5).^2)", "x", claim=right, let=let, kind="jacobian").verdict == "verified"


@pytest.mark.parametrize("amplitude", [1e-5, 1e-4, 3e-4])
def test_a_function_that_answers_differently_each_time_is_not_verified(amplitude: float) -> None:
    generator = torch.Generator().manual_seed(0)

    def claim(x: torch.Tensor) -> torch.Tensor:
        return 2 * x * (1 + amplitude * torch.rand((), dtype=torch.float64, generator=generator))

    report = mc.check("x'*x", "x", claim=claim, let={"x": "vector(n)"})
    assert report.verdict == "inconclusive"
    assert "called again" in report.reason


def test_a_number_of_more_decimals_than_a_float_has_is_taken_at_its_word() -> None:
    let = {"x": "vector(n)"}
    assert mc.check("x'*x", "x", claim="2*x*(1 + 1e-18)", let=let).verdict == "refuted"
    assert mc.check("x'*x/3", "x", claim="0.6666666666666667*x", let=let).verdict == "verified"


@pytest.mark.parametrize("text", ["sqrt((x-5)^2)", "x'*x + sum(erf(1e4*x))", "logsumexp(x)"])
def test_a_right_claim_is_no_suspect(text: str) -> None:
    g = grad(text, "x", {"x": "scalar" if text[0] == "s" else "vector(n)"})
    asked: Any = asked_about(g)
    assert suspects(asked, CheckOptions()) == []


def test_a_direction_beside_a_gradient_is_refused() -> None:
    with pytest.raises(mc.ParseError, match="has no direction"):
        mc.check("x'*x", "x", claim="2*x", direction="v")


@pytest.mark.parametrize(
    ("text", "claim", "verdict"),
    [
        ("sum(abs(x))", "tanh(1e30*x)", "refuted"),
        ("sum(relu(x))", "sigmoid(1e30*x)", "refuted"),
        ("max(x)", "softmax(1e20*x)", "refuted"),
        ("norm2(x)", "x/(norm2(x) + 1e-30)", "refuted"),
        ("norm2(x)", "x/sqrt(x'*x)", "verified"),
        ("(x'*x)^10", "20*(x'*x)^9*x", "verified"),
        ("norm2(x)^-7", "-7*norm2(x)^-9*x", "verified"),
        ("sum(abs(x))", "x./abs(x)", "verified"),
    ],
)
def test_next_to_zero_what_is_steeper_than_chance_sees_is_told_from_what_is_right(
    text: str, claim: str, verdict: str
) -> None:
    assert mc.check(text, "x", claim=claim, let={"x": "vector(n)"}).verdict == verdict
