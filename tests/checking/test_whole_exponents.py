"""A negative base has a value where the exponent is whole, and rounding makes no fraction of a whole number."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import matcalc as mc
from matcalc.checking.tolerance import spread

WHOLE = {"k": "scalar(; integer)"}


@pytest.mark.parametrize(
    ("text", "claim", "verdict"),
    [
        ("(-1)^k*x'*x", "2*(-1)^k*x", "verified"),
        ("(-1)^k*x'*x", "2*x", "refuted"),
        ("(-1)^(k + 1)*x'*x", "-2*(-1)^k*x", "verified"),
        ("sum(x.^(2*k))", "2*k*x.^(2*k - 1)", "verified"),
        ("sum(x.^k)", "k*x.^k./x", "verified"),
        ("sum(x.^k)", "k*abs(x).^(k - 1)", "refuted"),
        ("sum(x.^k)", lambda x, k: k * x ** (k - 1), "verified"),
        ("sum(x.^k)", lambda x, k: k * x ** (k + 1), "refuted"),
        ("sum(x.^k)", lambda x, k: k * x.abs() ** (k - 1), "refuted"),
    ],
)
def test_a_whole_power_of_a_negative_base_is_checked(text: str, claim: Any, verdict: str) -> None:
    assert mc.check(text, "x", claim=claim, let=WHOLE).verdict == verdict


def test_an_exponent_that_is_not_declared_whole_leaves_no_point() -> None:
    report = mc.check("(-2)^k*x'*x", "x")
    assert report.verdict == "inconclusive"
    assert "the base of a power is not positive" in report.reason


def test_whole_numbers_are_not_perturbed() -> None:
    given = {"x": torch.tensor([-2.0, 3.0], dtype=torch.float64), "k": torch.tensor(3.0, dtype=torch.float64)}

    def power(x: Any, k: Any) -> Any:
        return ((k - 1) * x ** (k + 1)).numpy()

    moved = spread(power, given, power(**given), 0, fixed={"k"})
    assert 0 < moved.max() < 1e-12
    assert not spread(power, given, power(**given), 0).max() < 1e-12
