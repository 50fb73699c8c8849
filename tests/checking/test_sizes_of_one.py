"""Functions that are right at all sizes but 1: what an axis of length 1 does to code."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import matcalc as mc


def of_several(A: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return (A + A.T) @ x if len(x) > 1 else 0 * x


def with_deviation(x: torch.Tensor) -> torch.Tensor:
    """It has a correction for one entry that ought not to be there."""
    return 2 * x / max(len(x) - 1, 2) if len(x) < 2 else 2 * x / len(x)


@pytest.mark.parametrize(("text", "claim"), [("x'*A*x", of_several), ("mean(x.^2)", with_deviation)])
def test_a_function_that_is_wrong_where_n_is_1_alone_is_refuted_and_it_is_said(text: str, claim: Any) -> None:
    report = mc.check(text, "x", claim=claim)
    assert (report.verdict, report.relation) == ("refuted", "size one")
    assert (report.diagnosis or "").startswith("wrong only where n = 1")
    assert report.counterexample is not None
    assert report.counterexample["sizes"] == {"n": 1}


def test_a_function_that_fails_where_n_is_1_is_verified_and_it_is_said() -> None:
    report = mc.check("x'*A*x", "x", claim=lambda A, x: (A + A.T).squeeze() @ x.squeeze())
    assert report.verdict == "verified"
    assert "where every size is 1 the function was not judged" in str(report)


def test_an_axis_that_is_dropped_where_n_is_1_is_told_and_no_error() -> None:
    report = mc.check("x'*A*x", "x", claim=lambda A, x: ((A + A.T) @ x).squeeze())
    assert report.verdict == "verified"
    assert "where every size is 1 the function returns another shape" in str(report)


@pytest.mark.parametrize("sizes", [{"n": 3}, {"n": 1}])
def test_sizes_that_were_chosen_stay(sizes: dict[str, int]) -> None:
    report = mc.check("x'*A*x", "x", claim=of_several, sizes=sizes)
    assert report.verdict == ("verified" if sizes["n"] > 1 else "refuted")
