"""Closed forms of Hessians, of Hessians times a direction and of Jacobians, as an expert writes them in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.problems import PROBLEMS, Problem, Tensors

Sizes = Sequence[Mapping[str, int]]


@dataclass(frozen=True)
class SecondOrder:
    """A problem of :mod:`benchmarks.problems` with its Hessian, and its Hessian times ``v``.

    Attributes:
        problem: the function.
        sizes: the sizes at which the whole Hessian is measured.
        hessian: the closed form, the tensor that ``torch.func.hessian`` gives.
        product: the closed form times a direction ``v``, or None where there is no shorter one.
        symmetric: whether both pairs of axes are those of symmetric matrices.
    """

    problem: Problem
    sizes: Sizes
    hessian: Callable[..., torch.Tensor]
    product: Callable[..., torch.Tensor] | None = None
    symmetric: bool = False


def symmetrised(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of four axes projected onto symmetric matrices on either side."""
    return (tensor + tensor.mT + tensor.transpose(0, 1) + tensor.transpose(0, 1).mT) / 4


def _logistic(X: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    u = torch.sigmoid(y * (X @ w))
    return (X.mT * (y * y * u * (1 - u))) @ X


def _logistic_product(X: torch.Tensor, y: torch.Tensor, w: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    u = torch.sigmoid(y * (X @ w))
    return X.mT @ (y * y * u * (1 - u) * (X @ v))


def _factorization(T: torch.Tensor, U: torch.Tensor, V: torch.Tensor) -> torch.Tensor:
    return torch.einsum("jl,ik->ijkl", 2 * (V.mT @ V), torch.eye(len(U), dtype=U.dtype))


def _likelihood(K: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(K))
    weights = inverse @ y
    outer = torch.outer(weights, weights)
    half = torch.einsum("ik,jl->ijkl", inverse, outer - inverse / 2) + torch.einsum("ik,jl->ijkl", outer, inverse)
    half = half - torch.einsum("ik,jl->ijkl", inverse, outer) / 2 - torch.einsum("ik,jl->ijkl", outer, inverse) / 2
    return (half + half.mT) / 2


def _inverse_trace(X: torch.Tensor) -> torch.Tensor:
    inverse = torch.linalg.inv(X)
    square = inverse @ inverse
    return torch.einsum("li,jk->ijkl", square, inverse) + torch.einsum("li,jk->ijkl", inverse, square)


def _log_determinant(X: torch.Tensor) -> torch.Tensor:
    inverse = torch.linalg.inv(X)
    return torch.einsum("li,jk->ijkl", -inverse, inverse)


def _softmax(X: torch.Tensor, W: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    probabilities = torch.softmax(X @ W, -1)
    (m, n), c = X.shape, W.shape[1]
    rows = (X[:, :, None] * probabilities[:, None, :]).reshape(m, n * c)
    whole = (rows.mT @ rows).reshape(n, c, n, c).neg_()
    for j in range(c):
        whole[:, j, :, j] += (X.mT * probabilities[:, j]) @ X
    return whole / m


def _network(W1: torch.Tensor, W2: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    hidden = torch.tanh(W1 @ x)
    slope = 1 - hidden * hidden
    residual = W2.mT @ (W2 @ hidden - y)
    middle = 2 * (slope[:, None] * (W2.mT @ W2) * slope) - torch.diag(4 * hidden * slope * residual)
    return torch.einsum("ik,jl->ijkl", middle, torch.outer(x, x))


_BY_NAME = {problem.name: problem for problem in PROBLEMS}
SECOND_ORDER = (
    SecondOrder(
        _BY_NAME["quadratic"],
        [{"n": 100}, {"n": 500}, {"n": 2000}],
        lambda x, A, b: A + A.mT,
        lambda x, A, b, v: A @ v + A.mT @ v,
    ),
    SecondOrder(
        _BY_NAME["logistic regression"],
        [{"n": 100, "m": 200}, {"n": 300, "m": 600}, {"n": 1000, "m": 2000}],
        _logistic,
        _logistic_product,
    ),
    SecondOrder(
        _BY_NAME["matrix factorization"],
        [{"n": 20, "k": 5}, {"n": 100, "k": 5}, {"n": 200, "k": 5}],
        _factorization,
        lambda T, U, V, v: v @ (2 * (V.mT @ V)),
    ),
    SecondOrder(_BY_NAME["GP likelihood"], [{"n": 10}, {"n": 20}, {"n": 40}], _likelihood, symmetric=True),
    SecondOrder(_BY_NAME["tr(inv(X))"], [{"n": 10}, {"n": 20}, {"n": 50}], _inverse_trace),
    SecondOrder(_BY_NAME["log(det(X))"], [{"n": 10}, {"n": 20}, {"n": 50}], _log_determinant),
    SecondOrder(
        _BY_NAME["softmax regression"],
        [{"m": 100, "n": 20, "c": 5}, {"m": 500, "n": 50, "c": 10}],
        _softmax,
    ),
    SecondOrder(
        _BY_NAME["tanh network, W1"],
        [{"h": 10, "n": 10, "k": 5}, {"h": 40, "n": 40, "k": 10}],
        _network,
    ),
)


@dataclass(frozen=True)
class FirstOrder:
    """A function to a vector or a matrix, with its Jacobian in closed form."""

    text: str
    wrt: str
    sizes: Sizes
    shapes: Mapping[str, str]
    value: Callable[..., Any]
    jacobian: Callable[..., torch.Tensor]

    def inputs(self, sizes: Mapping[str, int]) -> Tensors:
        """Inputs of these sizes in float64, always the same; square matrices far from singular."""
        generator = torch.Generator().manual_seed(0)
        made = {}
        for name, axes in self.shapes.items():
            value = torch.randn([sizes[axis] for axis in axes], generator=generator, dtype=torch.float64)
            made[name] = value + 5 * torch.eye(len(value), dtype=value.dtype) if axes == "nn" else value
        return made

    def label(self, sizes: Mapping[str, int]) -> str:
        """The name of a row."""
        return f"{self.text} by {self.wrt}, {' '.join(f'{key}={value}' for key, value in sizes.items())}"


def _softmax_jacobian(x: torch.Tensor) -> torch.Tensor:
    p = torch.softmax(x, 0)
    return torch.diag(p) - torch.outer(p, p)


def _inverse_jacobian(X: torch.Tensor) -> torch.Tensor:
    inverse = torch.linalg.inv(X)
    return torch.einsum("ik,lj->ijkl", -inverse, inverse)


FIRST_ORDER = (
    FirstOrder(
        "softmax(x)",
        "x",
        [{"n": 10}, {"n": 100}, {"n": 1000}],
        {"x": "n"},
        lambda x: torch.softmax(x, 0),
        _softmax_jacobian,
    ),
    FirstOrder("inv(X)", "X", [{"n": 10}, {"n": 20}, {"n": 50}], {"X": "nn"}, torch.linalg.inv, _inverse_jacobian),
    FirstOrder(
        "A*exp(x)",
        "x",
        [{"n": 10}, {"n": 100}, {"n": 1000}],
        {"A": "nn", "x": "n"},
        lambda A, x: A @ torch.exp(x),
        lambda A, x: A * torch.exp(x),
    ),
    FirstOrder(
        "tanh(W*x + b)",
        "x",
        [{"n": 10}, {"n": 100}, {"n": 1000}],
        {"W": "nn", "x": "n", "b": "n"},
        lambda W, x, b: torch.tanh(W @ x + b),
        lambda W, x, b: (1 - torch.tanh(W @ x + b).square())[:, None] * W,
    ),
)
