"""Verdicts on claims: the blind spots of other checkers, and what was once wrong here."""

from __future__ import annotations

import pytest
import torch

import matcalc as mc

ROWS = [
    ("x'*A*x", "x", "2*A*x", {}, "refuted"),
    ("x'*A*x", "x", "(A + A')*x", {}, "verified"),
    ("1e-7*x'*A*x", "x", "2e-7*A*x", {}, "refuted"),
    ("tr(A*X*B)", "X", "B*A", {}, "refuted"),
    ("log(det(X))", "X", "inv(X)", {}, "refuted"),
    ("log(det(X))", "X", "inv(X)'", {}, "verified"),
    ("0.5*x'*x - b'*x", "x", "x - b + 1", {}, "refuted"),
    ("w'*tanh(x)", "x", "w.*(1 - x.^2)", {}, "refuted"),
    ("sum(sigmoid(x))", "x", "exp(-x)./(1 + exp(-x)).^2", {}, "verified"),
    ("-t'*log_softmax(z)", "z", "t - softmax(z)", {}, "refuted"),
    ("norm2(X - U*V)^2", "U", "-2*(X - U*V)*V", {}, "refuted"),
    ("norm2(X - U*V)^2", "U", "-2*(X - U*V)*V'", {}, "verified"),
    ("tr(A*X)", "X", "A'", {"X": "matrix(5,5; symmetric)"}, "refuted"),
    ("abs(det(X))*tr(inv(X))", "X", "det(X)*(inv(X)'*tr(inv(X)) - (inv(X)^2)')", {}, "refuted"),
    ("sum(asin(x)) + sum(abs(x))", "x", "(1-x.^2).^(-1/2) + 1", {}, "refuted"),
    ("logdet(X)", "X", "diag(diag(X).^(-1))", {"X": "matrix(n,n; posdef, diagonal)"}, "verified"),
    ("x'*x/3", "x", "0.6666666666666667*x", {}, "verified"),
    ("x'*x/3", "x", "0.66666667*x", {}, "refuted"),
    ("sum(gelu(x))", "x", "0.5*(1 + erf(x/sqrt(2))) + x.*exp(-x.^2/2)*0.3989422804014327", {}, "verified"),
    ("sum(gelu(x))", "x", "0.5*(1 + erf(x/sqrt(2))) + x.*exp(-x.^2/2)*0.3989422804014", {}, "refuted"),
    ("sum(softmax(x))", "x", "0*x", {}, "verified"),
    ("x'*A*x", "x", "0*x", {}, "refuted"),
    ("1e-30*x'*x", "x", "1e-30*x", {}, "refuted"),
    ("1e30*x'*x", "x", "2e30*x", {}, "verified"),
    ("x'*A*x + c*x'*x", "x", "(A + A')*x + 2.000001*c*x", {}, "refuted"),
    # branches that the usual points do not reach
    ("relu(a-3)", "a", "0", {}, "refuted"),
    ("sum(where(abs(x)-3, 3*abs(x)-4.5, 0.5*x.^2))", "x", "x", {}, "refuted"),
    ("abs(a-4)", "a", "-1", {}, "refuted"),
    ("sum(minimum(x,2))", "x", "ones(n)", {}, "refuted"),
    ("relu(2-norm2(x))", "x", "-x/norm2(x)", {}, "refuted"),
    ("maximum(a,10)", "a", "0", {}, "refuted"),
    ("where(a-20,a^2,a)", "a", "1", {}, "refuted"),
    ("norm1(x-5)", "x", "-ones(n)", {}, "refuted"),
    ("acosh(a*b)", "a", "abs(b)/sqrt((a*b)^2-1)", {}, "refuted"),
    ("log(a*b)", "a", "1/a", {}, "verified"),
    ("sum(relu(x.^2 - x + 1))", "x", "2*x - 1", {}, "inconclusive"),
    ("sum(relu(x.^2 + 1))", "x", "2*x", {}, "verified"),
    ("norm1(log(A))", "A", "1./A", {"A": "matrix(m, n; above_one)"}, "verified"),
    ("sum(relu(tanh(x) - 1)) + x'*x", "x", "2*x", {}, "verified"),
    ("sum(relu(tanh(x) - 0.99)) + x'*x", "x", "2*x", {}, "refuted"),
    # so flat that digits see nothing
    ("tanh(10^5 + sum(x.^2))", "x", "3*(1 - tanh(10^5 + sum(x.^2))^2)*x", {}, "inconclusive"),
    # tiny, steep, and nearly right
    ("1e-300*a", "a", "2e-300", {}, "refuted"),
    ("1e-300*a", "a", "1e-300", {}, "verified"),
    ("exp(-(a-30)^2)", "a", "0", {}, "refuted"),
    ("sin(10^8*a)", "a", "10^8*cos(10^8*a)", {}, "verified"),
    ("x'*x", "x", "2*x + (1 - tanh(10^4 + x'*x)^2)*x", {}, "inconclusive"),
    ("x'*x", "x", "2*x + (1 - tanh(100 + x'*x)^2)*x", {}, "refuted"),
    # sets without interior
    ("tr(A'*A*B)", "A", "A*(B+B')", {"A": "matrix(n,n; orthogonal)"}, "verified"),
    ("tr(inv(A)*B)", "A", "-inv(A)'*B'*inv(A)'", {"A": "matrix(n,n; orthogonal)"}, "verified"),
    ("norm2(A*x)^2", "x", "2*x", {"A": "matrix(n,n; orthogonal)"}, "verified"),
    ("sum(p)^2", "p", "2*ones(n)", {"p": "vector(n; simplex)"}, "verified"),
    # structures that meet
    ("x'*A*y", "A", "diag(x.*y)", {"A": "matrix(n,n; lower, upper)"}, "verified"),
    ("x'*A*y", "A", "tril(x*y')", {"A": "matrix(n,n; lower, upper)"}, "refuted"),
    ("x'*A*y", "A", "diag(x.*y)", {"A": "matrix(n,n; symmetric, lower)"}, "verified"),
    ("x'*A*x", "x", "2*A*x", {"A": "matrix(n,n; upper, posdef)"}, "verified"),
    ("tr(A*A*B)", "A", "1/2*(A*(B + B') + (B + B')*A)", {"A": "matrix(n,n; symmetric, orthogonal)"}, "verified"),
    # products that a skew matrix makes zero
    ("x'*A*x", "x", "0*x", {"A": "matrix(n,n; skew)"}, "verified"),
    ("exp(x'*A*x) + x'*x", "x", "2*x", {"A": "matrix(n,n; skew)"}, "verified"),
]


@pytest.mark.parametrize(("text", "name", "claim", "let", "verdict"), ROWS, ids=[f"{r[0]}: {r[2]}" for r in ROWS])
def test_a_claim_gets_its_verdict(text: str, name: str, claim: str, let: dict[str, str], verdict: str) -> None:
    report = mc.check(text, name, claim=claim, let=let or None)
    assert report.verdict == verdict, str(report)


@pytest.mark.parametrize(
    ("text", "claim", "words"),
    [
        ("x'*A*x", "2*A*x", "right only if A is symmetric"),
        ("x'*x", "-2*x", "sign"),
        ("x'*x", "x", "1/2 times"),
        ("f = x'*A*x; f*f", "(A + A')*x", "off by the factor 2*f"),
        ("b'*x", "b + 3", "plus 3"),
        ("x'*x", "2*x .+ 1e-10", "an extra term 1e-10: the claim is the gradient plus 1e-10"),
        ("sum(relu(x .- 3))", "zeros(n)", "does it hold on one branch alone"),
    ],
)
def test_a_wrong_claim_is_told_how_it_is_wrong(text: str, claim: str, words: str) -> None:
    assert words in str(mc.check(text, "x", claim=claim, let={"b": "vector(n)"} if "b" in text else None).diagnosis)


def test_the_same_seed_gives_the_same_report_and_another_seed_other_points() -> None:
    first, again, other = (mc.check("x'*A*x", "x", claim="2*A*x", seed=s).to_dict() for s in (1, 1, 2))
    assert first == again
    assert first["counterexample"]["inputs"] != other["counterexample"]["inputs"]


def test_a_python_function_is_a_claim() -> None:
    assert mc.check("x'*A*x", "x", claim=lambda x, A: (A + A.T) @ x).verdict == "verified"
    assert mc.check("x'*A*x", "x", claim=lambda x, A: 2 * A @ x).verdict == "refuted"
    assert mc.check("x'*x", "x", claim=lambda x: x * float("nan")).verdict != "verified"


def test_verify_takes_any_torch_function_and_never_accepts_nan() -> None:
    x = torch.arange(1.0, 4.0)
    assert mc.verify(lambda x: x @ x, lambda x: 2 * x, [x]).verdict == "verified"
    assert mc.verify(lambda x: x @ x, lambda x: x, [x]).verdict == "refuted"
    assert mc.verify(lambda x: x @ x, lambda x: x * float("nan"), [x]).verdict != "verified"
    assert mc.verify(lambda x: x @ x, lambda x: (2 * x)[:, None], [x]).verdict != "verified"


def test_code_that_is_off_is_never_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    from matcalc.checking import observation

    right = observation.lowered
    monkeypatch.setattr(observation, "lowered", lambda *given: 1.5 * right(*given))
    report = mc.grad("x'*A*x", "x").check()
    assert report.verdict == "inconclusive"
    assert "lowered code" in report.reason


def test_assert_gradient_raises_with_the_report() -> None:
    mc.testing.assert_gradient("x'*x", "x", claim="2*x")
    with pytest.raises(AssertionError, match="refuted"):
        mc.testing.assert_gradient("x'*x", "x", claim="x")


def test_a_gradient_that_is_zero_on_the_declared_subspace_is_no_error_of_the_differences() -> None:
    """Off the symmetric matrices this function is not constant: differences there would see its third derivative."""
    report = mc.grad("norm2(tanh(polar(2*I + 0.5*S)))^2", "S", {"S": "matrix(3, 3; symmetric)"}).check(trials=2)
    assert report.verdict == "verified", report


def test_without_the_constraint_a_symmetric_matrix_and_its_transpose_are_two_things() -> None:
    let = {"A": "matrix(n, n; symmetric)"}
    assert str(mc.grad("x'*A'*y", "A", let=let, unconstrained=True)) == "y*x.T"
    assert mc.check("x'*A'*y", "A", claim="y*x'", let=let, unconstrained=True).ok
    assert mc.check("x'*A'*y", "A", claim="x*y'", let=let, unconstrained=True).verdict == "refuted"
    assert mc.check("x'*A'*y", "A", claim="(x*y' + y*x')/2", let=let).ok


def test_what_is_printed_is_checked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    g = mc.grad("x'*A*x", "x")
    monkeypatch.setattr(type(g), "pretty", lambda self: "2*A*x")
    with pytest.raises(mc.CheckError, match="what is printed is not what was derived"):
        g.check()
