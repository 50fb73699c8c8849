"""The float witnesses: slopes, checks at large sizes, and checks of functions that have no text."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking.slopes import slope


@pytest.mark.parametrize(
    ("f", "expected"),
    [(math.exp, 1.0), (lambda t: (2 + t) ** 7, 7 * 2.0**6), (lambda t: math.sin(50 * t), 50.0), (lambda t: 3.0, 0.0)],
)
def test_a_slope_is_as_good_as_its_error_says(f: object, expected: float) -> None:
    found = slope(f)  # type: ignore[arg-type]
    assert abs(found.value - expected) <= max(10 * found.error, 1e-12 * abs(expected))
    assert found.error <= 1e-7 * max(abs(expected), 1e-6)


def test_a_slope_across_a_jump_says_that_it_cannot_tell() -> None:
    assert slope(lambda t: math.copysign(1.0, t + 1e-9)).error > 1e-2


@pytest.mark.parametrize(
    ("text", "name", "sizes"),
    [
        ("logdet(X)", "X", {"n": 60}),
        ("x'*A*x", "x", {"n": 500}),
        ("tr(inv(X))", "X", {"n": 50}),
        ("sum(log1p(exp(-y.*(X*w))))", "w", {"n": 400, "m": 100}),
    ],
)
def test_large_sizes_are_checked_in_floats(text: str, name: str, sizes: dict[str, int]) -> None:
    report = mc.check(text, name, sizes=sizes)
    assert report.verdict == "verified", str(report)
    assert 1e-14 < report.smallest_visible < 1e-9
    assert "the witnesses are floats" in report.witnesses[0]


@pytest.mark.parametrize("claim", ["2*A*x", "(A + A')*x*1.001", "(A + A')*x + 1", "A*x - A'*x"])
def test_wrong_claims_are_refuted_at_large_sizes(claim: str) -> None:
    assert mc.check("x'*A*x", "x", claim=claim, sizes={"n": 300}).verdict == "refuted"


def test_a_claim_off_by_a_millionth_is_never_verified_at_large_sizes() -> None:
    assert mc.check("x'*A*x", "x", claim="(A + A')*x*1.000001", sizes={"n": 300}).verdict != "verified"


def _cofactors(x: torch.Tensor) -> torch.Tensor:
    a, b, c = x
    return torch.stack([torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)])


def test_torch_is_named_where_its_gradient_of_a_singular_determinant_is_wrong() -> None:
    x = torch.tensor([[2.0, 1, 1], [1, 3, 3], [1, 1, 1]], dtype=torch.float64)
    report = mc.verify(torch.linalg.det, _cofactors, [x], trials=1)
    assert (report.verdict, report.odd_one_out) == ("verified", "torch autograd")
    assert str(report).startswith("verified by differences: 1 trials; torch autograd is the odd one out")


def test_a_detached_part_leaves_it_open() -> None:
    x = torch.tensor([1.0, -2.0, 0.5])
    report = mc.verify(lambda x: x.detach() @ x, lambda x: x, [x])
    assert report.verdict == "inconclusive"
    assert "a detached part" in report.reason


def test_zero_is_open_where_all_is_detached_and_refuted_where_the_function_leaves_torch() -> None:
    x = torch.tensor([0.5, -0.3], dtype=torch.float64)
    report = mc.verify(lambda x: (x.detach() ** 2).sum(), torch.zeros_like, [x])
    assert report.verdict == "inconclusive"
    assert "was it detached" in report.reason
    left = mc.verify(lambda x: torch.tensor(np.sum(x.detach().numpy() ** 2)), torch.zeros_like, [x])
    assert left.verdict == "refuted"


def test_whole_numbers_are_differentiated_as_floats() -> None:
    assert mc.verify(lambda x: x @ x, lambda x: 2 * x, [torch.arange(4)]).ok


@pytest.mark.parametrize(
    ("fn", "claimed", "says"),
    [
        (lambda x: x * x, lambda x: 2 * x, "a gradient is that of a scalar"),
        (lambda x: x @ x[:2], lambda x: 2 * x, "the function failed"),
        (lambda x: x @ x, lambda x: x[7], "the claimed function failed"),
    ],
)
def test_functions_that_fail_are_told_from_wrong_ones(fn: object, claimed: object, says: str) -> None:
    with pytest.raises(mc.CheckError, match=says):
        mc.verify(fn, claimed, [torch.ones(3)])  # type: ignore[arg-type]


def test_a_claimed_function_with_another_number_of_axes_is_refuted() -> None:
    report = mc.check("x'*x", "x", claim=lambda x: 2 * x[:, None])
    assert report.verdict == "refuted"
    assert "where the gradient has one axis" in str(report.diagnosis)


def test_a_report_with_nan_is_json() -> None:
    import json

    report = mc.check("x'*x", "x", claim=lambda x: x * float("nan"))
    assert report.verdict != "verified"
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["verdict"] == report.verdict


def test_a_claim_for_one_branch_is_not_verified_at_large_sizes() -> None:
    text = "relu(a - 9) + x'*A*x"
    assert mc.check(text, "a", claim="0", sizes={"n": 400}).verdict != "verified"
    assert mc.check(text, "a", sizes={"n": 400}).ok
