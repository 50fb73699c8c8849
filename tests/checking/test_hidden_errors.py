"""Errors that something large hides: another entry, a saturated factor, a code that gives no number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking.judging import judged
from matcalc.checking.points import Point
from matcalc.verification import asked_about

EXAMPLE = [1.0, 18.0, -18.0]


def _third_entry_times(factor: float, only_far: bool = False):  # type: ignore[no-untyped-def]
    def gradient(x: torch.Tensor) -> torch.Tensor:
        found = torch.exp(x).clone()
        found[2] *= 1.0 if only_far and abs(x[2] + 18) > 1e-3 else factor
        return found

    return gradient


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "verified"), (2.0, "inconclusive"),
                                                 (0.99, "inconclusive")])  # fmt: skip
def test_a_small_entry_beside_a_large_one_is_looked_at_by_itself(factor: float, verdict: str) -> None:
    """Twice 1e-8 beside 1e8 was within the tolerance."""
    example = torch.tensor(EXAMPLE, dtype=torch.float64)
    report = mc.verify(lambda x: torch.exp(x).sum(), _third_entry_times(factor), [example])
    assert report.verdict == verdict
    assert ("entry [2] is" in report.reason) == (verdict == "inconclusive")


def test_what_is_less_of_a_small_entry_is_seen_elsewhere() -> None:
    example = torch.tensor(EXAMPLE, dtype=torch.float64)
    report = mc.verify(lambda x: torch.exp(x).sum(), _third_entry_times(1.000008), [example])
    assert report.verdict == "inconclusive"
    assert "around the example and not where input 0 is" in report.reason


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "verified"), (2.0, "inconclusive")])
def test_so_it_is_at_points_of_ones_own(factor: float, verdict: str) -> None:
    claim = _third_entry_times(factor, only_far=True)
    report = mc.check("sum(exp(x))", "x", claim=claim, let={"x": "vector(3)"}, at={"x": EXAMPLE})
    assert report.verdict == verdict
    says = "entry [2, 0] is 3.0459959e-08 in the function and 1.522998e-08"
    assert (says in report.reason) == (verdict == "inconclusive")


def test_zeros_that_factorizations_leave_rounded_are_no_errors() -> None:
    """The cofactors of a singular matrix by singular values: 4e-17 where a zero stands beside ones."""
    singular = [[2.0, 1.0, 1.0], [1.0, 3.0, 3.0], [1.0, 1.0, 1.0]]
    assert mc.check("det(X)", "X", claim="adj(X)'", at={"X": singular}).verdict == "verified"


@pytest.mark.parametrize("claim", ["2*tanh(x'*x)*x", "3*(1 - tanh(10^5*n^9 + x'*x)^2)*x"])
def test_a_factor_that_no_digits_see_hides_no_error(claim: str) -> None:
    """1 - tanh(10^5)^2 is 0 in 800 digits: where n > 1 nothing is left of the derivative."""
    f = "tanh(10^5*(size(x, 0)^9 - 1) + x'*x)"
    report = mc.check(f, "x", claim=claim.replace("n^9", "(size(x, 0)^9 - 1)"), let={"x": "vector(n)"})
    assert report.verdict != "verified"


def test_what_was_seen_to_change_for_numbers_alone_is_not_verified() -> None:
    """tanh of products of entries above one is 1 in 800 digits, but for those of a single entry, which are empty."""
    let = {"A": "matrix(h, h; above_one)", "B": "matrix(h, h)"}
    text = "tanh(exp(logsumexp(9*(prod_others(A, 0) .- 1))) + sum(square(B)))"
    claim = "2*(1 - tanh(exp(logsumexp(9*(prod_others(A, 0) .- 1))) + sum(square(B)))^2)*B^3./B.^2"
    report = mc.check(text, "B", claim=claim, let=let)
    assert report.verdict == "inconclusive"
    assert report.reason.startswith("nothing was seen but h = 1: at others the function does not change")


@pytest.mark.parametrize("scale", [1 + 1e-6, 1 + 1e-5])
def test_an_error_in_a_saturated_function_is_sought_where_it_is_not_saturated(scale: float) -> None:
    """At most points 1 - tanh(u)^2 is rounding in floats; the name is declared, and could not be scaled down."""

    def claim(A: torch.Tensor) -> torch.Tensor:
        return 2 * (1 - torch.tanh(scale * 3 + (A * A).sum()) ** 2) * A

    report = mc.check("tanh(3 + sum(A.*A))", "A", claim=claim, let={"A": "matrix(n, n; principal)"})
    assert report.verdict == "refuted"


def test_a_claim_whose_code_torch_gives_up_on_is_judged_all_the_same() -> None:
    """torch.linalg.inv raises for a singular matrix, and there was no point for a diagnosis."""
    report = mc.check("x'*x + s^2", "x", claim="2*x + inv(s*ones(n, n))*x", let={"x": "vector(n)"}, sizes={"n": 400})
    assert report.verdict == "refuted"


def test_code_without_a_finite_number_at_large_sizes_refutes_no_formula() -> None:
    right = "exp(800*x)./exp(799*x)"
    report = mc.check("sum(exp(x))", "x", claim=right, let={"x": "vector(n)"}, sizes={"n": 3000})
    assert report.verdict == "inconclusive"
    assert "the claim's code gives no finite number" in report.reason


def test_an_angle_is_not_differentiated_on_its_cut() -> None:
    """At (x, y) = (-1, 0) the angle jumps from -π to π; a one-hot y lies there, and a right gradient was refuted."""
    let = {"y": "row(h; onehot)", "x": "row(h; nonzero)"}
    for seed in range(4):
        assert mc.check("sum(atan2(y, x))", "y", let=let, seed=seed, trials=3).verdict != "refuted"


def test_differences_that_are_noise_refute_nothing() -> None:
    """sin(1e40*a) turns many times within a step of 1e-25: both steps gave numbers far below a right gradient."""
    assert mc.check("sin(10^40*a)", "a", claim="10^40*cos(10^40*a)", let={"a": "scalar"}).verdict != "refuted"
    assert mc.check("sin(10^40*a)", "a", claim="2*10^40*cos(10^40*a)", let={"a": "scalar"}).verdict == "refuted"


def test_where_a_second_derivative_jumps_no_right_gradient_is_refuted() -> None:
    """elu is x above 0 and exp(x) - 1 below: at 0 a central difference is off by a quarter of its step."""
    question = asked_about(mc.grad("sum(elu(x))", "x", {"x": "vector(3)"}))
    at = Point({}, {"x": np.array([[0.0], [0.3], [-0.2]])})
    assert judged(question, at, 0).holds


def test_complex_claims_are_refused_and_not_cut() -> None:
    """The imaginary part was dropped, and 2*x + 3j verified."""
    with pytest.raises(mc.CheckError, match="complex numbers"):
        mc.check("x'*x", "x", claim=lambda x: 2 * x + 3j)
    with pytest.raises(mc.CheckError, match="complex numbers"):
        mc.verify(lambda x: x @ x, lambda x: 2 * x + 3j, [torch.ones(3, dtype=torch.float64)])


def test_claims_of_truth_values_and_sparse_ones_are_judged() -> None:
    assert mc.check("x'*x", "x", claim=lambda x: x > 0).verdict == "refuted"
    assert mc.check("x'*x", "x", claim=lambda x: (2 * x).to_sparse()).verdict == "verified"


def test_torch_is_the_odd_one_out_in_the_gradient_of_matrix_exponentials() -> None:
    """Its reverse mode errs by a thousandth where the exponential's argument is a block matrix of large norm."""
    let = dict.fromkeys("ABC", "matrix(n, n)")
    report = mc.grad("tr(B*expm_frechet(A, A, C))", "A", let).check(sizes={"n": 20}, trials=2)
    assert (report.verdict, report.odd_one_out) == ("verified", "torch autograd")
    claim = "2*expm_frechet(A', B', C')"
    assert (
        mc.check("tr(B*expm_frechet(A, A, C))", "A", claim=claim, let=let, sizes={"n": 20}, trials=2).verdict
        == "refuted"
    )


@pytest.mark.parametrize(
    "claim", ["2*exp(log(x))", "2*sqrt(x).^2", "2*x + log(x - 5) - log(x - 5)", "2*x + 0*log(0 - x.^2)"]
)
def test_what_reading_drops_of_a_claim_must_have_a_value(claim: str) -> None:
    """They are read as 2*x, and have no value where x is negative, or nowhere."""
    report = mc.check("x'*x", "x", claim=claim, let={"x": "vector(n)"})
    assert report.verdict == "inconclusive"
    assert "has no real value there" in report.reason


@pytest.mark.parametrize("claim", ["2*exp(log(x))", "2*sqrt(x).^2", "2*x.*x./x"])
def test_where_it_has_one_it_drops_at_will(claim: str) -> None:
    assert mc.check("x'*x", "x", claim=claim, let={"x": "vector(n; positive)"}).verdict == "verified"


@pytest.mark.parametrize("claim", ["2*exp(-1000)", "0", "-exp(-1000)", "exp(-1001)"])
def test_a_constant_below_all_digits_hides_its_factor(claim: str) -> None:
    """exp(-1000) is 5e-435: beside it differences in 800 digits show nothing."""
    let = {"x": "scalar"}
    assert mc.check("exp(-1000)*x", "x", claim=claim, let=let).verdict == "inconclusive"
    assert mc.check("exp(-1000)*x", "x", claim="exp(-1000)", let=let).verdict == "verified"
    assert mc.check("exp(-900)*x", "x", claim=claim, let=let).verdict == "refuted"


@pytest.mark.filterwarnings("ignore")  # torch's, of its own quantized and nested tensors
@pytest.mark.parametrize("kind", ["meta", "nested", "quantized"])
def test_what_holds_no_numbers_is_no_claim(kind: str) -> None:
    made = {
        "meta": lambda x: (2 * x).to("meta"),
        "nested": lambda x: torch.nested.nested_tensor([2 * x]),
        "quantized": lambda x: torch.quantize_per_tensor((2 * x).float(), 0.1, 0, torch.qint8),
    }[kind]
    with pytest.raises(mc.CheckError, match=f"returns a {kind} tensor"):
        mc.check("sum(x.^2)", "x", claim=made, let={"x": "vector(3)"})


@pytest.mark.parametrize("claim", ["2*x*tanh(80)", "2*x*erf(20)*exp(sin(y))/exp(sin(y))", "2*x + exp(-200)*sin(y)*x"])
def test_a_constant_that_is_nearly_a_whole_number_is_looked_at_in_all_digits(claim: str) -> None:
    """tanh(80) is 1 in 60 digits, and no text that mentions it is what was derived."""
    assert mc.check("x'*x + sin(y)", "x", claim=claim, let={"y": "scalar"}).verdict == "refuted"


@pytest.mark.parametrize(("text", "claim", "verdict"), [
    ("tanh(80)*x", "1", "refuted"),
    ("tanh(2000)*x", "1", "inconclusive"),
    ("x^2*sigmoid(500)", "2*x", "refuted"),
])  # fmt: skip
def test_so_is_a_constant_that_the_claim_leaves_out(text: str, claim: str, verdict: str) -> None:
    assert mc.check(text, "x", claim=claim, let={"x": "scalar"}).verdict == verdict


@pytest.mark.parametrize("claim", ["2*x*erf(50)", "2*x*tanh(1000)", "2*x + exp(-1000)*sin(y)*x"])
def test_a_constant_that_is_whole_in_all_digits_is_not_verified(claim: str) -> None:
    report = mc.check("x'*x + sin(y)", "x", claim=claim, let={"y": "scalar"})
    assert report.verdict != "verified"


def test_a_constant_of_the_expression_is_no_doubt() -> None:
    let = {"y": "scalar"}
    assert mc.check("x'*x*exp(-200)*exp(sin(y))", "x", claim="2*x*exp(sin(y) - 200)", let=let).verdict == "verified"


def test_small_entries_that_a_function_leaves_out_are_looked_for() -> None:
    def gradient(x: torch.Tensor) -> torch.Tensor:
        p = torch.softmax(x, 0)
        return torch.where(p < 1e-9, torch.zeros_like(p), p)

    report = mc.check("log(sum(exp(x)))", "x", claim=gradient)
    assert report.verdict == "inconclusive"
    assert "is 0 in the function" in report.reason
    assert mc.check("log(sum(exp(x)))", "x", claim=lambda x: torch.softmax(x, 0)).verdict == "verified"


def test_a_function_that_calls_exit_ends_no_check() -> None:
    def gradient(x: torch.Tensor) -> torch.Tensor:
        raise SystemExit(3)

    with pytest.raises(mc.CheckError, match="the claimed function failed: SystemExit: 3"):
        mc.check("x'*x", "x", claim=gradient)


def test_what_is_right_at_one_scale_is_looked_at_in_others() -> None:
    """At 1e-8 rounding hides the square of x; the claim is the gradient of nothing."""
    claim = lambda x: 2 * x + 1e-9 * x**2  # noqa: E731
    assert mc.check("x'*x", "x", claim=claim, scale=1e-8).verdict == "refuted"


@pytest.mark.parametrize("seed", range(4))
def test_a_stretch_between_kinks_that_no_operator_tells_of_is_met(seed: int) -> None:
    let = {"x": "scalar"}
    text = "sqrt((x - 20)^2) - sqrt((x - 30)^2)"
    assert mc.check(text, "x", claim=lambda x: 0 * x, let=let, seed=seed).verdict == "refuted"


def test_a_part_in_float32_hides_no_error_of_float32() -> None:
    """1 + 1e-6*(a mask) is float32 in torch: one entry is off by 1e-6, which rounding in float32 would explain."""
    wrong = lambda x: torch.exp(x) * (1 + 1e-6 * (torch.arange(len(x)) == 1))  # noqa: E731
    report = mc.check("sum(exp(x))", "x", claim=wrong)
    assert (report.verdict, "in float32" in report.reason) == ("inconclusive", True)
    masked = mc.check("sum(relu(x))", "x", claim=lambda x: (x > 0).float().double())
    assert masked.verdict == "verified"
    assert masked.smallest_visible < 1e-12


def test_a_clipped_gradient_is_met_at_large_scales() -> None:
    assert mc.check("x'*x", "x", claim=lambda x: (2 * x).clamp(-5000, 5000)).verdict == "refuted"


def test_exact_ties_on_the_way_hide_no_error() -> None:
    """Of zeros and ones the largest along the other axis is tied; what parts ties in a perturbation is no rounding."""
    axis = "tanh(sum(sin(stopgrad(indicator_max(indicator_min(A, 0), {})))) + sum(softplus(x)))"
    let = {"A": "matrix(w, w)", "x": "vector(2)"}
    for number, verdict in ((0, ("verified",)), (1, ("inconclusive", "refuted"))):
        claim = mc.grad(axis.format(number), "x", let=let).compile()
        assert mc.check(axis.format(0), "x", claim=lambda A, x, f=claim: f(A=A, x=x), let=let).verdict in verdict
