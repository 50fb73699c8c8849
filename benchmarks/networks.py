"""Deriving the gradient of an L-layer tanh network by its first weight: growth with L, and against make_fx."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import make_fx

import matcalc as mc


def network(layers: int) -> str:
    """The loss as text: norm2(W_L*tanh(… W_1*x) - y)^2."""
    text = "x"
    for k in range(1, layers + 1):
        text = f"tanh(W{k}*{text})"
    return f"norm2({text} - y)^2"


def derive(layers: int) -> Callable[[], Any]:
    """The symbolic step alone, on a parsed expression."""
    let = {f"W{k}": "matrix(n, n)" for k in range(1, layers + 1)} | {"x": "vector(n)", "y": "vector(n)"}
    f = mc.parse(network(layers), let)
    return lambda: mc.grad(f, "W1")


def trace(layers: int) -> Callable[[], Any]:
    """make_fx of torch.func.grad of the same network."""
    weights = [torch.randn(4, 4, dtype=torch.float64) for _ in range(layers)]
    x, y = torch.randn(4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)

    def loss(first: torch.Tensor) -> torch.Tensor:
        h = x
        for w in [first, *weights[1:]]:
            h = torch.tanh(w @ h)
        return ((h - y) ** 2).sum()

    return lambda: make_fx(torch.func.grad(loss))(weights[0])


def milliseconds(action: Callable[[], Any]) -> float:
    """The wall time of one call."""
    began = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Prints medians of interleaved calls and the two ratios."""
    actions = {f"derive {n}": derive(n) for n in (16, 32, 64)} | {"make_fx 32": trace(32)}
    for action in actions.values():
        action()
    runs = [{name: milliseconds(action) for name, action in actions.items()} for _ in range(9)]
    medians = {name: statistics.median(run[name] for run in runs) for name in actions}
    for name, value in medians.items():
        print(f"{name}: {value:.1f} ms")
    print(f"64 layers over 16 (at most 6): {medians['derive 64'] / medians['derive 16']:.2f}")
    print(f"32 layers over make_fx (at most 2): {medians['derive 32'] / medians['make_fx 32']:.2f}")


if __name__ == "__main__":
    main()
