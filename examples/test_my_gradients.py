"""Gradients of one's own under test: pytest examples

With matcalc installed, pytest collects every decorated function here, whatever its name, and the claims in
claims.matcalc.toml beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import matcalc as mc

RIDGE = {"A": "matrix(m, n)", "x": "vector(n)", "b": "vector(m)", "l": "scalar"}


@mc.testing.checks("norm2(A*x - b)^2 + l*norm2(x)^2", wrt="x", let=RIDGE)
def ridge_gradient(A: torch.Tensor, x: torch.Tensor, b: torch.Tensor, l: torch.Tensor) -> torch.Tensor:  # noqa: E741
    """The gradient of ridge regression."""
    return 2 * A.mT @ (A @ x - b) + 2 * l * x


@mc.testing.checks("-sum(log(sigmoid(y.*(X*w))))", wrt="w", kind="hessian")
def logistic_hessian(y: Any, X: Any, w: Any) -> Any:
    """The Hessian of logistic regression, in NumPy."""
    p = 1 / (1 + np.exp(-y * (X @ w)))
    return np.einsum("ij,i,ik->jk", X, y**2 * p * (1 - p), X)


def test_the_log_likelihood_of_a_gaussian() -> None:
    """An assertion holds the report, and Python that shows the counterexample."""
    mc.testing.assert_gradient(
        "0.5*logdet(S) + 0.5*x'*inv(S)*x",
        "S",
        claim="0.5*inv(S) - 0.5*inv(S)*x*x'*inv(S)",
        let={"S": "matrix(n, n; posdef)"},
    )


def test_a_forgotten_transpose_is_found() -> None:
    """Right for symmetric matrices only."""
    with pytest.raises(AssertionError, match="right only if A is symmetric"):
        mc.testing.assert_gradient("x'*A*x", "x", claim="2*A*x")
