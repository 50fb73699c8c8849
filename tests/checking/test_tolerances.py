"""Tolerances are measured: they follow conditioning and scale, and what they hide is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking.tolerance import BLIND, doubtful, is_watched, room, spread, steady_spread

A = torch.tensor([[2.0, 1.0], [0.5, 3.0]], dtype=torch.float64)


def hilbert(n: int) -> torch.Tensor:
    return torch.tensor([[1 / (i + j + 1) for j in range(n)] for i in range(n)], dtype=torch.float64)


def measured(function: Callable[..., torch.Tensor], **given: torch.Tensor) -> Any:
    def value(**tensors: torch.Tensor) -> Any:
        return function(**tensors).detach().numpy()

    return spread(value, given, value(**given), 3)


def test_what_rounding_moves_grows_with_the_condition() -> None:
    moved = [float(measured(lambda x: torch.linalg.inv(x), x=hilbert(n)).max()) for n in (3, 5, 7)]
    conditions = [float(torch.linalg.cond(hilbert(n)) * torch.linalg.inv(hilbert(n)).abs().max()) for n in (3, 5, 7)]
    for one, condition in zip(moved, conditions, strict=True):
        assert 1e-3 * condition < one / 2**-53 < 10 * condition


def test_a_sum_that_cancels_is_measured_by_its_terms() -> None:
    x = torch.tensor([1e8, 1.0], dtype=torch.float64)
    moved = measured(lambda x: (x[0] + x[1]) - x[0], x=x)
    assert 1e-9 < float(moved.max()) < 1e-6


def test_it_scales_with_the_function_and_in_every_entry() -> None:
    x = torch.tensor([1.0, 1e-6], dtype=torch.float64)
    moved = measured(lambda x: 3 * x, x=x)
    assert moved[1] < 1e-5 * moved[0]
    tiny = measured(lambda x: 1e-200 * (3 * x), x=x)
    assert np.allclose(tiny / 1e-200, moved, rtol=2)


def test_operations_that_select_are_left_alone() -> None:
    x = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    moved = measured(lambda x: (x == x.max()).double() * x.relu(), x=x)
    assert float(moved.max()) < 1e-14


def test_a_float32_operation_is_measured_in_its_own_units() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    assert 1e-9 < float(measured(lambda x: x.float().exp().double(), x=x).max()) < 1e-6


def test_a_function_that_jumps_is_measured_where_it_stands() -> None:
    given = {"x": torch.tensor([5.0], dtype=torch.float64)}

    def value(**tensors: torch.Tensor) -> Any:
        return (1 + (tensors["x"] == 5)).double().numpy()

    usual = value(**given)
    assert room(spread(value, given, usual, 0), usual, {}).max() > BLIND
    assert steady_spread(value, given, usual, 0).max() < 1e-15


def test_what_leaves_torch_is_not_watched() -> None:
    given = {"x": torch.ones(2, dtype=torch.float64)}
    assert is_watched(lambda x: x * x, given)
    assert not is_watched(lambda x: torch.as_tensor(np.square(x.numpy())), given)


def test_what_is_refuted_is_far_above_the_tolerance() -> None:
    moved, gradient = np.array([1e-16, 1e-14]), np.array([1.0, 2.0])
    assert (doubtful(moved, gradient) > 100 * room(moved, gradient, {"n": 5})).all()


def _off_by(relative: float) -> Callable[..., torch.Tensor]:
    return lambda x, A, b: (A + A.T) @ x + (1 + relative) * b


@pytest.mark.parametrize(
    ("relative", "verdict"), [(0.0, "verified"), (1e-15, "verified"), (1e-11, "inconclusive"), (1e-6, "refuted")]
)
def test_a_function_is_verified_refuted_or_in_doubt(relative: float, verdict: str) -> None:
    report = mc.check("x'*A*x + b'*x", "x", claim=_off_by(relative), let={"b": "vector(n)"})
    assert report.verdict == verdict, str(report)
    if verdict == "verified":
        assert report.smallest_visible is not None
        assert 1e-15 < report.smallest_visible < 1e-11
    if verdict == "inconclusive":
        assert "more than rounding explains" in report.reason


def test_the_smallest_visible_error_grows_with_the_condition_and_blindness_is_said() -> None:
    def inverse(X: torch.Tensor) -> torch.Tensor:
        return torch.linalg.inv(X).T

    visible = [mc.verify(torch.logdet, inverse, [hilbert(n)], trials=1).smallest_visible for n in (2, 4)]
    assert 100 * visible[0] < visible[1] < BLIND
    blind = mc.verify(torch.logdet, inverse, [hilbert(11)], trials=1)
    assert blind.verdict == "inconclusive"
    assert "ill-conditioned" in blind.reason


@pytest.mark.parametrize("seed", range(12))
def test_next_to_a_singular_matrix_no_inverse_is_taken_for_a_jump_and_refuted(seed: int) -> None:
    """Its inverse moves as far for 2 units of roundoff as for 64; some seeds refuted a right gradient for it."""
    report = mc.verify(torch.logdet, lambda X: torch.linalg.inv(X).T, [hilbert(12)], trials=1, seed=seed)
    assert report.verdict == "inconclusive", str(report)


def test_an_ill_conditioned_formula_is_no_worse_for_it() -> None:
    """A formula is judged in 90 digits, whatever its condition in floats."""
    report = mc.check("logdet(X)", "X", claim="inv(X)'", at={"X": hilbert(6).tolist()})
    assert report.verdict in ("verified", "inconclusive")
    assert mc.check("logdet(X)", "X", claim="inv(X)' + 1e-9*X", at={"X": hilbert(4).tolist()}).verdict == "refuted"


# ------------------------------------------------------------------------------------------------ large sizes


def test_a_kinked_formula_is_verified_at_large_sizes_by_both_sizes_together() -> None:
    right = mc.check("sum(relu(W*x))", "x", claim="W'*heaviside(W*x)", sizes={"n": 150, "m": 200})
    assert right.verdict == "verified", str(right)
    assert "at small sizes, in 90 digits, the formula is verified" in right.witnesses
    assert mc.check("sum(relu(W*x))", "x", claim="W'*ones(m)", sizes={"n": 150, "m": 200}).verdict == "refuted"


@pytest.mark.parametrize(
    "claim", ["inv(X)' + 1e-3*basis(3, n)*basis(5, n)'", "inv(X)'*1.000001", "inv(X)", "inv(X)' + 1e-7*ones(n, n)"]
)
def test_small_errors_are_refuted_at_large_sizes(claim: str) -> None:
    assert mc.check("logdet(X)", "X", claim=claim, sizes={"n": 120}).verdict == "refuted"


def test_one_entry_of_two_hundred_off_by_three_tenths_is_refuted() -> None:
    claim = "2*x.*(ones(200) + 0.3*basis(77, 200))"
    assert mc.check("x'*x", "x", claim=claim, let={"x": "vector(200)"}).verdict == "refuted"
    jacobian = "diag(cos(x).*(ones(200) + 0.3*basis(77, 200)))"
    assert mc.check("sin(x)", "x", claim=jacobian, let={"x": "vector(200)"}, kind="jacobian").verdict == "refuted"


def test_a_claim_that_fits_one_large_size_alone_is_not_refuted() -> None:
    text = "mean((A*x).^2)"
    report = mc.check(text, "x", claim="2*A'*(A*x)/150", let={"A": "matrix(m, n)"}, sizes={"m": 150, "n": 140})
    assert report.verdict == "verified", str(report)
    assert "at small sizes, in 90 digits, the formula is refuted" in report.witnesses


# -------------------------------------------------------------------------------------------------- functions


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize(("off", "verdict"), [(0.0, "verified"), (1e-6, "refuted"), (1.0, "refuted")])
def test_a_scaled_function_gets_the_same_verdict(scale: float, off: float, verdict: str) -> None:
    x = torch.tensor([0.3, -1.2], dtype=torch.float64)
    report = mc.verify(lambda x: scale * (x @ A @ x), lambda x: scale * (A + A.T) @ x * (1 + off), [x])
    assert report.verdict == verdict, str(report)


def test_a_float32_function_is_judged_by_its_own_rounding() -> None:
    x, single = torch.tensor([0.3, -1.2]), A.float()

    def f(x: torch.Tensor) -> torch.Tensor:
        return x.float() @ single @ x.float()

    right = mc.verify(f, lambda x: (single + single.T) @ x.float(), [x])
    assert right.verdict == "verified", str(right)
    assert right.smallest_visible is not None
    assert 1e-8 < right.smallest_visible < BLIND
    assert mc.verify(f, lambda x: 1.01 * (single + single.T) @ x.float(), [x]).verdict == "refuted"


def test_one_entry_of_two_hundred_is_seen() -> None:
    x = torch.linspace(-2, 3, 200, dtype=torch.float64)
    wrong = torch.zeros(200, dtype=torch.float64).index_fill(0, torch.tensor([7]), 1e-6)
    assert mc.verify(lambda x: (x**2).sum(), lambda x: 2 * x, [x], trials=2).ok
    assert mc.verify(lambda x: (x**2).sum(), lambda x: 2 * x + wrong, [x], trials=2).verdict == "refuted"


def test_the_gradient_of_a_function_that_reads_one_triangle_is_right() -> None:
    S = A @ A.T
    logdet = mc.verify(
        lambda X: 2 * torch.linalg.cholesky(X).diagonal().log().sum(), lambda X: torch.linalg.inv(X), [S]
    )
    assert logdet.verdict == "verified", str(logdet)
    assert any("one triangle" in line for line in logdet.witnesses)
