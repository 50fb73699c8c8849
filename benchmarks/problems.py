"""Problems that an expert has closed forms for: as text, as functions for torch and JAX, and the closed form itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Problem:
    """One function and its derivatives by one name.

    Attributes:
        name: what the tables call it.
        text, wrt, let: as matcalc takes them.
        sizes: the sizes it is measured at, from small to large.
        shapes: the inputs' sizes by their names.
        value: ``(library, inputs)`` to the function, in words that torch and jax.numpy share as ``library``.
        gradient: the closed form as an expert writes it in torch, from the inputs.
        prepare: what makes the random inputs fit the function's domain.
        torch_value: the function where an expert would write another one in torch.
    """

    name: str
    text: str
    wrt: str
    sizes: Sequence[Mapping[str, int]]
    shapes: Mapping[str, Sequence[str]]
    value: Callable[..., Any]
    gradient: Callable[..., torch.Tensor]
    let: Mapping[str, str]
    prepare: Callable[[Tensors], Tensors] = lambda inputs: inputs
    torch_value: Callable[..., Any] | None = None

    def inputs(self, sizes: Mapping[str, int], seed: int = 0) -> Tensors:
        """Inputs of these sizes in float64, always the same."""
        generator = torch.Generator().manual_seed(seed)
        made = {
            name: torch.randn([sizes[axis] for axis in axes], generator=generator, dtype=torch.float64)
            for name, axes in self.shapes.items()
        }
        return self.prepare(made)

    def label(self, sizes: Mapping[str, int]) -> str:
        """The name of a row."""
        return f"{self.name}, {' '.join(f'{key}={value}' for key, value in sizes.items())}"


def _posdef(name: str) -> Callable[[Tensors], Tensors]:
    def prepare(inputs: Tensors) -> Tensors:
        matrix = inputs[name]
        return inputs | {name: matrix @ matrix.mT / len(matrix) + torch.eye(len(matrix), dtype=matrix.dtype)}

    return prepare


def _with_positive_determinant(inputs: Tensors) -> Tensors:
    matrix = inputs["X"] + 5 * torch.eye(len(inputs["X"]), dtype=torch.float64)
    if torch.linalg.slogdet(matrix).sign < 0:
        matrix[0] *= -1
    return {"X": matrix}


def _one_hot(inputs: Tensors) -> Tensors:
    classes = inputs["Y"].argmax(-1)
    return inputs | {"Y": torch.nn.functional.one_hot(classes, inputs["Y"].shape[-1]).to(torch.float64)}


def _likelihood(lib: Any, K: Any, y: Any) -> Any:
    """As one writes it in torch and in JAX, by the Cholesky factor."""
    root = lib.linalg.cholesky(K)
    solve = torch.linalg.solve_triangular if lib is torch else _jax_solve_triangular
    half = solve(root, y[:, None], upper=False)
    return 0.5 * (half * half).sum() + lib.log(lib.diagonal(root)).sum()


def _jax_solve_triangular(matrix: Any, right: Any, upper: bool) -> Any:
    from jax.scipy.linalg import solve_triangular

    return solve_triangular(matrix, right, lower=not upper)


def _likelihood_gradient(K: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    root = torch.linalg.cholesky(K)
    weights = torch.cholesky_solve(y[:, None], root)
    return 0.5 * (torch.cholesky_inverse(root) - weights @ weights.mT)


def _logistic_gradient(X: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return X.mT @ (-y * torch.sigmoid(-y * (X @ w)))


def _inverse_trace_gradient(X: torch.Tensor) -> torch.Tensor:
    inverse = torch.linalg.inv(X)
    return -(inverse @ inverse).mT


def _softmax_value(lib: Any, X: Any, W: Any, Y: Any) -> Any:
    if lib is torch:
        return -(Y * torch.log_softmax(X @ W, -1)).sum() / len(X)
    from jax.nn import log_softmax

    return -(Y * log_softmax(X @ W, -1)).sum() / len(X)


def _network_gradient(W1: torch.Tensor, W2: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    hidden = torch.tanh(W1 @ x)
    return torch.outer(2 * (W2.mT @ (W2 @ hidden - y)) * (1 - hidden * hidden), x)


PROBLEMS = (
    Problem(
        "quadratic",
        "x'*A*x - b'*x",
        "x",
        [{"n": 100}, {"n": 500}, {"n": 2000}],
        {"x": "n", "A": "nn", "b": "n"},
        lambda lib, x, A, b: x @ A @ x - b @ x,
        lambda x, A, b: A @ x + A.mT @ x - b,
        {},
    ),
    Problem(
        "logistic regression",
        "sum(log1p(exp(-y.*(X*w))))",
        "w",
        [{"n": 100, "m": 200}, {"n": 300, "m": 600}, {"n": 1000, "m": 2000}],
        {"X": "mn", "y": "m", "w": "n"},
        lambda lib, X, y, w: lib.logaddexp(lib.zeros_like(y), -y * (X @ w)).sum(),
        _logistic_gradient,
        {"X": "matrix(m, n)", "y": "vector(m)", "w": "vector(n)"},
    ),
    Problem(
        "matrix factorization",
        "norm2(T - U*V')^2",
        "U",
        [{"n": 100, "k": 5}, {"n": 200, "k": 5}, {"n": 1000, "k": 5}],
        {"T": "nn", "U": "nk", "V": "nk"},
        lambda lib, T, U, V: lib.square(T - U @ V.T).sum(),
        lambda T, U, V: 2 * (U @ (V.mT @ V) - T @ V),
        {"T": "matrix(m, n)", "U": "matrix(m, k)", "V": "matrix(n, k)"},
    ),
    Problem(
        "GP likelihood",
        "0.5*y'*inv(K)*y + 0.5*logdet(K)",
        "K",
        [{"n": 50}, {"n": 200}, {"n": 1000}],
        {"K": "nn", "y": "n"},
        _likelihood,
        _likelihood_gradient,
        {"K": "matrix(n, n; posdef)", "y": "vector(n)"},
        _posdef("K"),
    ),
    Problem(
        "tr(inv(X))",
        "tr(inv(X))",
        "X",
        [{"n": 20}, {"n": 50}, {"n": 300}],
        {"X": "nn"},
        lambda lib, X: lib.trace(lib.linalg.inv(X)),
        _inverse_trace_gradient,
        {},
        _with_positive_determinant,
    ),
    Problem(
        "log(det(X))",
        "log(det(X))",
        "X",
        [{"n": 20}, {"n": 50}, {"n": 300}],
        {"X": "nn"},
        lambda lib, X: lib.linalg.slogdet(X)[1],
        lambda X: torch.linalg.inv(X).mT,
        {},
        _with_positive_determinant,
    ),
    Problem(
        "softmax regression",
        "cross_entropy(X*W, Y)",
        "W",
        [{"m": 100, "n": 20, "c": 5}, {"m": 1000, "n": 100, "c": 10}, {"m": 5000, "n": 300, "c": 20}],
        {"X": "mn", "W": "nc", "Y": "mc"},
        _softmax_value,
        lambda X, W, Y: X.mT @ (torch.softmax(X @ W, -1) - Y) / len(X),
        {"X": "matrix(m, n)", "W": "matrix(n, c)", "Y": "matrix(m, c; onehot)"},
        _one_hot,
    ),
    Problem(
        "tanh network, W1",
        "norm2(W2*tanh(W1*x) - y)^2",
        "W1",
        [{"h": 50, "n": 50, "k": 10}, {"h": 200, "n": 200, "k": 20}, {"h": 1000, "n": 1000, "k": 50}],
        {"W1": "hn", "W2": "kh", "x": "n", "y": "k"},
        lambda lib, W1, W2, x, y: lib.square(W2 @ lib.tanh(W1 @ x) - y).sum(),
        _network_gradient,
        {"W1": "matrix(h, n)", "W2": "matrix(k, h)", "x": "vector(n)", "y": "vector(k)"},
    ),
)
