"""Functions are judged by what rounding explains, as it was measured: NumPy's, float32's and ill-conditioned ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import planted_functions as planted
import pytest
import torch
from samples import draw

import matcalc as mc
from matcalc.checking.slopes import confirmed
from matcalc.checking.tolerance import BLIND

A, W = draw(4, 4, seed=5), draw(200, seed=6)
S, P = A + A.mT, A @ A.mT + torch.eye(4, dtype=torch.float64)


def hilbert(n: int) -> Any:
    return np.array([[1 / (i + j + 1) for j in range(n)] for i in range(n)])


# What gradcheck does not see.


@pytest.mark.parametrize("scale", [1e-12, 1e-7, 1.0])
def test_a_symmetric_example_and_a_small_scale_hide_nothing(scale: float) -> None:
    x = draw(4, seed=1)
    assert mc.verify(lambda x, A: scale * (x @ A @ x), lambda x, A: scale * (A + A.mT) @ x, [x, S]).ok
    assert mc.verify(lambda x, A: scale * (x @ A @ x), lambda x, A: scale * 2 * A @ x, [x, S]).verdict == "refuted"


def test_one_of_two_hundred_diagonal_entries_is_seen() -> None:
    wrong = torch.zeros(200, dtype=torch.float64).index_fill(0, torch.tensor([77]), 0.3)
    claims = {0.0: "verified", 1.0: "refuted", 1e-4: "refuted"}
    for times, verdict in claims.items():
        jacobian = mc.verify(torch.sin, lambda x, t=times: torch.diag(x.cos() + t * wrong), [W], kind="jacobian")
        assert jacobian.verdict == verdict
        assert mc.verify(torch.sin, lambda x, u, t=times: (x.cos() + t * wrong) * u, [W]).verdict == verdict


# NumPy.


def _log_det(X: Any) -> Any:
    return np.linalg.slogdet(X)[1]


def test_the_rounding_of_numpy_is_told_by_its_inputs_and_said() -> None:
    report = mc.verify(_log_det, lambda X: np.linalg.inv(X).T, [A.numpy()])
    assert report.ok
    assert "the rounding of the function is told by moving the inputs alone" in report.witnesses
    assert report.smallest_visible is not None
    assert 1e-13 < report.smallest_visible < 1e-8
    assert mc.verify(_log_det, lambda X: np.linalg.inv(X).T * (1 + 1e-5), [A.numpy()]).verdict == "refuted"


@pytest.mark.parametrize("n", [4, 5, 6, 8, 11])
def test_a_right_gradient_beside_a_pole_is_never_refuted(n: int) -> None:
    """The differences reach beyond the singular matrices nearby, and settle there on other slopes."""
    report = mc.verify(_log_det, lambda X: np.linalg.inv(X).T, [hilbert(n)], trials=1)
    assert report.verdict == ("verified" if n < 6 else "inconclusive"), str(report)
    assert "kink" not in report.reason
    of_torch = mc.verify(torch.logdet, lambda X: torch.linalg.inv(X).T, [torch.tensor(hilbert(n))], trials=1)
    assert of_torch.verdict == ("verified" if n < 11 else "inconclusive"), str(of_torch)


def test_a_slope_is_confirmed_from_nearby() -> None:
    near_pole = confirmed(lambda t: float(np.log(abs(1e-7 + t))), 1e-15)
    assert near_pole is not None
    assert abs(near_pole.value - 1e7) < near_pole.error < 1e5
    assert confirmed(lambda t: float(np.log(abs(1e-12 + t))), 1e-6) is None


def _by_cholesky(X: Any) -> Any:
    return 2 * np.log(np.diag(np.linalg.cholesky(X))).sum()


def test_numpy_functions_of_one_triangle_are_judged_along_symmetric_directions() -> None:
    right = mc.verify(_by_cholesky, lambda X: np.linalg.inv(X), [P.numpy()])
    assert right.verdict == "verified", str(right)
    assert any("one triangle" in line for line in right.witnesses)
    assert mc.verify(_by_cholesky, lambda X: 1.001 * np.linalg.inv(X), [P.numpy()]).verdict == "refuted"
    bent = mc.verify(_by_cholesky, lambda X: np.linalg.inv(X) + np.triu(X, 1) - np.triu(X, 1).T, [P.numpy()])
    assert bent.verdict == "inconclusive"
    assert "symmetric directions do not tell" in bent.reason


def test_what_a_triangle_of_the_input_does_is_right_as_well() -> None:
    """The gradient by the entries that are read is one; torch gives another, and is said to."""

    def by_entries(X: torch.Tensor) -> torch.Tensor:
        inverse = torch.linalg.inv(X)
        return (2 * inverse - torch.diag(inverse.diagonal())).tril()

    def function(X: torch.Tensor) -> torch.Tensor:
        return 2 * torch.linalg.cholesky(X).diagonal().log().sum()

    report = mc.verify(function, by_entries, [P])
    assert (report.verdict, report.odd_one_out) == ("verified", "torch autograd")
    assert mc.verify(function, lambda X: 2 * by_entries(X), [P]).verdict == "refuted"
    lower = mc.verify(lambda X: X.tril().sum(), lambda X: torch.ones_like(X).tril(), [S])
    assert (lower.verdict, lower.odd_one_out) == ("verified", "")


# float32, and torch's faults.


@pytest.mark.parametrize("n", [4, 200, 1000])
def test_float32_is_judged_by_its_rounding_at_any_size(n: int) -> None:
    w = draw(n, seed=n).float()

    def function(x: torch.Tensor) -> torch.Tensor:
        return w @ torch.sin(x)

    def gradient(x: torch.Tensor) -> torch.Tensor:
        return w * torch.cos(x)

    right = mc.verify(function, gradient, [draw(n, seed=1).float()])
    assert right.verdict == "verified", str(right)
    assert right.smallest_visible is not None
    assert 1e-7 < right.smallest_visible < BLIND
    assert mc.verify(function, lambda x: 1.1 * gradient(x), [draw(n, seed=1).float()]).verdict == "refuted"


def test_a_gradient_of_torch_that_is_not_finite_is_the_odd_one_out() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x < 1, x**2, (x - 1).sqrt()).sum()

    def gradient(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x < 1, 2 * x, 0.5 / (x - 1).abs().sqrt())

    report = mc.verify(function, gradient, [torch.tensor([0.25, -0.5], dtype=torch.float64)])
    assert (report.verdict, report.odd_one_out) == ("verified", "torch autograd")
    assert mc.verify(function, lambda x: 3 * x, [torch.tensor([0.25, -0.5])]).verdict == "refuted"


def test_a_function_that_refuses_inexact_inputs_is_judged_by_its_own_rounding() -> None:
    def function(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        if float(weights.sum()) != 1.0:
            raise ValueError("these are no weights")
        return (weights * x**2).sum()

    weights = torch.tensor([0.25, 0.75], dtype=torch.float64)
    assert mc.verify(function, lambda x, w: 2 * w * x, [torch.tensor([1.0, 3.0]), weights], trials=1).ok


def test_a_backward_in_float32_is_named_without_a_text_too() -> None:
    report = mc.verify(lambda x, A: x @ A @ x, planted.SingleInside, [draw(4, seed=1), A])
    assert report.verdict == "refuted"
    assert "right to float32 only" in report.finding("backward").says  # type: ignore[attr-defined]


# Gradients that are zero.


def test_a_minimum_is_compared_with_what_lies_around_it() -> None:
    b = draw(3, seed=2)
    assert mc.verify(lambda x: ((x - b) ** 2).sum(), lambda x: 2 * (x - b), [b]).ok
    assert mc.verify(lambda x: ((x - b) ** 2).sum(), lambda x: 3 * (x - b), [b]).verdict == "refuted"
    alone = mc.verify(lambda x: ((x - b) ** 2).sum(), lambda x: 3 * (x - b), [b], trials=1)
    assert "zero at every point" in alone.reason


@pytest.mark.parametrize("wrap", [torch.tensor, np.array])
def test_where_the_gradient_is_zero_everywhere_only_a_constant_is_verified(wrap: Any) -> None:
    at, library = wrap([1.5, -0.5]), torch if wrap is torch.tensor else np

    def saturated(x: Any) -> Any:
        return library.tanh(30 * (x * x).sum())

    zero = mc.verify(saturated, lambda x: 90 * x * (1 - saturated(x) ** 2), [at])
    assert zero.verdict == "inconclusive", str(zero)
    assert "zero at every point" in zero.reason
    unused = mc.verify(lambda x, y: library.exp(y).sum(), lambda x, y: 0 * x, [at, at])
    assert unused.verdict == "verified", str(unused)
    assert mc.verify(lambda x, y: library.exp(y).sum(), lambda x, y: 0 * x + 1e-3, [at, at]).verdict == "refuted"


# Examples on the edge of a domain, and at kinks.

EDGES: list[tuple[Any, Any, list[float]]] = [
    (lambda p: -(p * p.log()).sum(), lambda p: -p.log() - 1, [1e-6, 0.3, 0.7]),
    (lambda x: torch.acosh(x).sum(), lambda x: 1 / (x * x - 1).sqrt(), [1.0001, 1.5]),
    (lambda x: x.sqrt().sum(), lambda x: 0.5 / x.sqrt(), [1e-4, 0.5]),
    (lambda x: (x**1.5).sum(), lambda x: 1.5 * x.sqrt(), [0.0, 4.0]),
    (lambda x: x.norm(), lambda x: x / x.norm(), [0.0, 0.0, 0.0]),
    (lambda x: x.abs().sum(), lambda x: x / x.abs(), [0.0, 1.0, -3.0]),
    (
        lambda x: torch.nn.functional.binary_cross_entropy(x, torch.ones_like(x)),
        lambda x: -1 / x / x.numel(),
        [0.01, 0.99],
    ),
]


@pytest.mark.parametrize(("fn", "claim", "at"), EDGES)
def test_a_right_claim_on_the_edge_of_a_domain_is_not_refuted(fn: Any, claim: Any, at: list[float]) -> None:
    x = torch.tensor(at, dtype=torch.float64)
    assert mc.verify(fn, claim, [x]).verdict == "verified"
    assert mc.verify(fn, lambda x: 1.01 * claim(x), [x]).verdict == "refuted"


def test_an_input_without_entries_tells_nothing() -> None:
    report = mc.verify(lambda x: (x * x).sum(), lambda x: 3 * x, [torch.zeros(0, dtype=torch.float64)])
    assert report.verdict == "inconclusive"
    assert "no entries" in report.reason


@pytest.mark.parametrize(("off", "verdict"), [(0.0, "verified"), (5e-4, "inconclusive"), (0.1, "inconclusive")])
def test_a_small_entry_that_is_wrong_beside_a_large_one_is_not_verified(off: float, verdict: str) -> None:
    """Differences of the function do not see it; autograd does, which may not be the function's."""
    c = torch.tensor([1e12, 1.0, 2.0, 3.0], dtype=torch.float64)
    wrong = torch.tensor([0.0, off, 0.0, 0.0], dtype=torch.float64)
    x = torch.tensor([0.3, 0.7, -1.2, 0.5], dtype=torch.float64)
    report = mc.verify(lambda x: (c * x * x).sum(), lambda x: 2 * c * x * (1 + wrong), [x])
    assert report.verdict == verdict
    assert ("entry [1] is" in report.reason) == bool(off)
