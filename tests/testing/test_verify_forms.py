"""Inputs of a form that moves destroy: one-hot, summing to 1, symmetric, or exact as far as float32 goes."""

from __future__ import annotations

import math
from typing import Any

import planted_functions as planted
import pytest
import torch
from samples import DOUBLE, POSITIVE, M, S, X, Y, draw, w
from torch.nn import functional

import matcalc as mc
from matcalc.checking.examples import form_of, is_symmetric

MASK = torch.zeros(3, 3, dtype=DOUBLE).masked_fill(torch.ones(3, 3).triu(1).bool(), -math.inf)


# Other inputs of a special form.


def cross_entropy(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return -(y * torch.log_softmax(z, -1)).sum()


@pytest.mark.parametrize(
    ("fn", "claim", "other", "form"),
    [
        (
            cross_entropy,
            lambda z, y: torch.softmax(z, -1) - y,
            torch.eye(3)[[0, 2, 1, 1]],
            "input 1 has entries 0 and 1",
        ),
        (
            cross_entropy,
            lambda z, y: torch.softmax(z, -1) - y,
            torch.softmax(torch.arange(12.0, dtype=torch.float64).reshape(4, 3), -1),
            "input 1 has entries that sum to 1",
        ),
        (
            lambda z, d: (z @ d @ z.mT).trace(),
            lambda z, d: 2 * z * d.diagonal(),
            torch.diag(torch.tensor([1.0, 2.0, 3.0])),
            "input 1 has entries that are zero",
        ),
    ],
)
def test_a_claim_that_needs_the_form_of_another_input_is_neither_right_nor_wrong(
    fn: Any, claim: Any, other: torch.Tensor, form: str
) -> None:
    z = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    report = mc.verify(fn, claim, [z, other.double()])
    assert report.verdict == "inconclusive", str(report)
    assert "as they were given" in report.reason
    assert form in report.reason
    wrong = mc.verify(fn, lambda *given: 1.01 * claim(*given), [z, other.double()])
    assert wrong.verdict == "refuted"


# Inputs that were given in float32, and forms that a move destroys.


def _cross_entropy(z: Any, p: Any) -> Any:
    return functional.cross_entropy(z, p, reduction="sum")


def test_the_rounding_of_what_was_given_is_no_error() -> None:
    z, p = draw(4, 5, seed=5).float(), draw(4, 5, seed=6).float().softmax(-1)
    report = mc.verify(_cross_entropy, lambda z, p: z.softmax(-1) - p, [z, p])
    assert report.verdict == "inconclusive"
    assert "float32 explains" in report.reason
    wrong = mc.verify(_cross_entropy, lambda z, p: (1 + 1e-5) * (z.softmax(-1) - p), [z, p])
    assert wrong.verdict == "refuted"
    held = mc.verify(lambda z: _cross_entropy(z, p), lambda z: z.softmax(-1) - p, [z])
    assert held.verdict == "inconclusive"
    assert "float32 explains" in held.reason
    q = p.double() / p.double().sum(-1, keepdim=True)
    assert mc.verify(lambda z: _cross_entropy(z, q), lambda z: z.softmax(-1) - q, [z]).ok


def test_what_is_symmetric_in_float32_is_symmetric() -> None:
    single = S.float()
    single[0, 1] *= 1 + 2e-7
    assert is_symmetric(single)
    assert not is_symmetric(single.double())
    assert not is_symmetric(MASK)
    report = mc.verify(lambda S: 2 * torch.linalg.cholesky(S).diagonal().log().sum(), torch.linalg.inv, [single])
    assert report.ok, str(report)


ROTATION = torch.linalg.qr(M)[0]
FORMED = [
    (
        lambda w, X, y: functional.softplus(-y * (X @ w)).sum(),
        lambda w, X, y: X.mT @ (torch.sigmoid(X @ w) - (y + 1) / 2),
        [w, X, 2 * Y - 1], "input 2 has entries 1 and -1",
    ),
    (lambda x, Q: ((Q @ x) ** 2).sum(), lambda x, Q: 2 * x, [w, ROTATION], "input 1 has orthonormal columns"),
    (
        lambda w, X: (X @ w).var(correction=0) * len(X), lambda w, X: 2 * X.mT @ (X @ w),
        [w, X - X.mean(0)], "input 1 has entries that sum to 0",
    ),
    (
        lambda z, p: -(p * z.log_softmax(0)).sum(), lambda z, p: z.softmax(0) - p,
        [M, draw(3, 3, seed=7).softmax(0)], "input 1 has entries that sum to 1",
    ),
    (lambda x, k: (x**k).sum(), lambda x, k: 2 * x, [POSITIVE, 2.0], "input 1 has whole numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "claim", "given", "form"), FORMED)
def test_a_claim_that_holds_for_the_other_inputs_as_given_is_not_refuted(
    fn: Any, claim: Any, given: list[Any], form: str
) -> None:
    report = mc.verify(fn, claim, given)
    assert report.verdict == "inconclusive", str(report)
    assert form in report.reason
    assert not any("moved, they have no value" in line for line in report.witnesses)
    held = mc.verify(lambda x: fn(x, *given[1:]), lambda x: claim(x, *given[1:]), given[:1])
    assert held.ok


def test_a_right_claim_needs_no_form() -> None:
    given = [w, w / w.norm()]
    assert mc.verify(lambda x, u: ((x @ u) * u).sum(), lambda x, u: u.sum() * u, given).ok


def test_an_input_that_is_zero_hides_no_wrong_factor() -> None:
    c = torch.zeros((), dtype=DOUBLE)
    report = mc.verify(lambda x, c: (c * x**2).sum(), lambda x, c: 3 * c * x, [w, c])
    assert report.verdict == "inconclusive"
    assert "input 1 has entries that are zero" in report.reason


def test_forms_are_named() -> None:
    assert form_of(torch.zeros(2)) == "entries that are zero"
    assert form_of(draw(3)) == ""
    assert form_of(torch.tensor([0.6, 0.8])) == "length 1"
    assert form_of(torch.tensor(1.0)) == "entries that are 1"
    assert form_of(torch.tensor([2.0, 3.0])) == "whole numbers"
    assert form_of(MASK) == "entries that are infinite"
    assert form_of(torch.eye(3)[:2]) == "entries 0 and 1"
    assert form_of(ROTATION[:2].contiguous()) == "orthonormal rows"


class Rotated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, Q: Any) -> Any:
        ctx.save_for_backward(x)
        return x @ x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * ctx.saved_tensors[0] * g, None


def test_a_function_that_is_right_for_the_other_inputs_as_given_is_not_refuted() -> None:
    report = mc.verify(lambda x, Q: ((Q @ x) ** 2).sum(), Rotated, [w, ROTATION])
    assert report.verdict == "inconclusive"
    assert "orthonormal" in report.reason
    assert mc.verify(lambda x, Q: ((Q @ x) ** 2).sum(), Rotated, [w, M]).verdict == "refuted"


class LogDet(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, S: Any) -> Any:
        ctx.save_for_backward(S)
        return torch.logdet(S)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * torch.linalg.inv(ctx.saved_tensors[0])


@pytest.mark.parametrize("claim", [torch.linalg.inv, LogDet])
def test_what_holds_for_symmetric_values_alone_is_refuted_and_told_so(claim: Any) -> None:
    report = mc.verify(torch.logdet, claim, [S])
    assert report.verdict == "refuted"
    assert "right where input 0 stays symmetric, as in the example" in str(report.diagnosis)


def test_a_claim_that_builds_float32_is_judged_in_float32() -> None:
    def claim(x: Any) -> Any:
        return torch.zeros(3).index_add(0, torch.arange(3), 2 * x)

    report = mc.verify(lambda x: (x * x).sum(), claim, [w.float()])
    assert (report.verdict, report.dtypes) == ("verified", ("float32",))
    assert "the claim takes no float64: it is judged by the rounding of float32" in report.witnesses
    assert mc.verify(lambda x: (x * x).sum(), lambda x: 1.1 * claim(x), [w.float()]).verdict == "refuted"


# Of which one triangle is read.

COVARIANCE = torch.tensor([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 1.5]], dtype=torch.float64)
POINTS = [torch.tensor([0.4, -0.3, 0.8], dtype=torch.float64), torch.tensor([1.1, 0.2, -0.7], dtype=torch.float64)]


def _gaussian(m: torch.Tensor, S: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    factor = torch.linalg.cholesky(S)
    z = torch.linalg.solve_triangular(factor, (x - m)[:, None], upper=False)
    return 0.5 * (z**2).sum() + factor.diagonal().log().sum()


def _quadratic(m: torch.Tensor, S: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (x - m) @ torch.linalg.inv(S) @ (x - m)


def _by_solve(m: torch.Tensor, S: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return -torch.linalg.solve(S, x - m)


def _by_factor(m: torch.Tensor, S: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return -torch.cholesky_solve((x - m)[:, None], torch.linalg.cholesky(S))[:, 0]


@pytest.mark.parametrize(("fn", "claim"), [(_gaussian, _by_solve), (_gaussian, _by_factor), (_quadratic, _by_factor)])
def test_an_input_of_which_one_triangle_is_read_stays_symmetric(fn: Any, claim: Any) -> None:
    """A right gradient of a Gaussian's density by its mean was refuted at covariances that are none."""
    given = [POINTS[0], COVARIANCE, POINTS[1]]
    report = mc.verify(fn, claim, given)
    assert report.verdict == "verified", str(report)
    assert "input 1 is kept symmetric, as it was given: one triangle of it is read" in report.witnesses
    wrong = mc.verify(fn, lambda m, S, x: -claim(m, S, x), given)
    assert wrong.diagnosis == "sign: the claim is minus the gradient"


def test_what_is_right_for_symmetric_inputs_alone_is_refuted_and_told_so() -> None:
    given = [POINTS[0], COVARIANCE, POINTS[1]]
    report = mc.verify(_quadratic, _by_solve, given)
    assert report.verdict == "refuted"
    assert report.diagnosis == "right where input 1 stays symmetric, as in the example"
    wrong = mc.verify(_quadratic, lambda m, S, x: -_by_solve(m, S, x), given)
    assert wrong.diagnosis == "sign: the claim is minus the gradient, where input 1 stays symmetric"


def test_a_function_of_a_covariance_is_called_with_symmetric_ones() -> None:
    """Its forward inverts what the function factorises."""
    report = mc.verify(_gaussian, planted.Gaussian, [POINTS[0], COVARIANCE, POINTS[1]])
    assert report.finding("forward").status == report.finding("backward by m").status == "right", str(report)
    assert str(report).startswith("refuted: double backward is wrong, value and first derivative are right")


@pytest.mark.parametrize("n", [4, 6])
def test_one_triangle_is_seen_to_be_read_of_a_matrix_that_is_hardly_definite(n: int) -> None:
    """A thousandth of Hilbert's matrix makes it indefinite: a right claim was refuted where X is not symmetric."""
    given = [1 / (torch.arange(n, dtype=DOUBLE)[:, None] + torch.arange(n) + 1)]
    report = mc.verify(lambda X: torch.linalg.cholesky(X).diagonal().log().sum(), lambda X: X.inverse() / 2, given)
    assert report.verdict == "verified", str(report)


def test_a_diagonal_example_of_which_one_triangle_is_read_may_be_symmetric_or_triangular() -> None:
    """tril(L') is tril(L) for symmetric L alone, and inv(S) what Cholesky's factor inverts for these."""
    diagonal = torch.diag(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    given = [POINTS[0], diagonal, POINTS[1]]
    for report in (
        mc.verify(_gaussian, _by_solve, given),
        mc.verify(_gaussian, planted.GaussianOnce, given),
        mc.verify(
            lambda x, L: (L.tril() @ x) ** 2, lambda x, L, u: L.mT.tril().mT @ (2 * u * (L.mT.tril() @ x)), given[:2]
        ),
    ):
        assert report.verdict == "inconclusive", str(report)
        assert "give one that is symmetric, or triangular, and is not" in report.reason
    assert mc.verify(_gaussian, _by_factor, given).verdict == "verified"
    assert mc.verify(_gaussian, lambda m, S, x: -_by_solve(m, S, x), given).verdict == "refuted"
