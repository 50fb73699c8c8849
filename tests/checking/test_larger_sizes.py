"""Claims that hold for numbers, or for matrices of two rows, and for no others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import matcalc as mc
from matcalc.checking.larger_sizes import at_larger_sizes
from matcalc.checking.points import Point, point
from matcalc.checking.question import CheckOptions
from matcalc.verification import asked_about


def test_a_claim_that_has_a_value_for_numbers_alone_is_refuted() -> None:
    report = mc.check("sum(log(x))", "x", claim="inv(x*ones(1, n))*ones(n)", let={"x": "vector(n; positive)"})
    assert report.verdict == "refuted"
    assert "the claim has no value where the gradient has one" in str(report)


def test_what_could_be_seen_for_numbers_alone_is_not_verified() -> None:
    """A one-hot matrix of two rows has zeros, and atan2(x*0, 0) is 0, which the formula does not know."""
    report = mc.grad("sum(sin(atan2(x*A, A) + 0.3))", "x", {"A": "matrix(n,n; onehot)", "x": "scalar"}).check()
    assert report.verdict == "inconclusive"
    assert report.reason.startswith("nothing was seen but n = 1: at n = 3 atan2 is at the origin")


def test_every_size_is_three_somewhere_where_the_domain_leaves_few() -> None:
    """The Hessian of det(A*X*B) with inv(A*X*B) transposed is right where A*X*B has two rows, and was verified."""
    question = asked_about(mc.grad("log(det(A*X*B)^2)", "X"))
    small = CheckOptions(seed=36, trials=3, sizes={"k": 2})
    usual = [at for k in range(3) if isinstance(at := point(question, small, k), Point)]
    larger, lacking = at_larger_sizes(question, replace(small, sizes={}), usual, 3)
    assert [at.sizes["k"] >= 3 for at in larger] == [True]
    assert lacking == {}


@pytest.mark.parametrize("sign", ["(-1)^n", "cos(pi*n)"])
@pytest.mark.parametrize("seed", range(6))
def test_a_sign_that_a_size_decides_is_seen_at_even_and_odd_sizes(seed: int, sign: str) -> None:
    """X has no more rows than columns where det(X*X') is not 0, and the points that were left had 1 and 3 rows."""
    claim, let = f"-2*{sign}*det(X*X')*inv(X*X')*X", {"X": "matrix(n, m)"}
    assert mc.check("det(X*X')", "X", claim=claim, trials=3, seed=seed, let=let).verdict == "refuted"


@pytest.mark.parametrize("seed", range(6))
def test_a_function_that_counts_is_seen_at_even_and_odd_sizes(seed: int) -> None:
    def wrong(X: torch.Tensor) -> torch.Tensor:
        gram = X @ X.T
        return -2 * (-1) ** len(X) * torch.linalg.det(gram) * torch.linalg.solve(gram, X)

    report = mc.check("det(X*X')", "X", claim=wrong, trials=3, seed=seed, let={"X": "matrix(n, m)"})
    assert report.verdict == "refuted"
