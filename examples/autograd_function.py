"""A hand-written torch.autograd.Function with a bug that its first derivative does not show.

    python examples/autograd_function.py

The Function keeps the softmax that its forward has computed. Its backward is right. But what is neither an input nor an
output has no graph, so that its second derivative lacks a term, without a word: a gradient penalty, a Hessian-vector
product or implicit differentiation through it are wrong. The second Function saves input and output alone.
"""

from __future__ import annotations

from typing import Any

import torch

import matcalc as mc


class LogSumExp(torch.autograd.Function):
    """log(sum(exp(x))), stable; wrong when differentiated twice."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """The value."""
        shifted = (x - x.max()).exp()
        ctx.softmax = shifted / shifted.sum()
        return x.max() + shifted.sum().log()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> torch.Tensor:
        """The gradient."""
        return grad_outputs[0] * ctx.softmax


class Repaired(torch.autograd.Function):
    """The same, right when differentiated as often as one likes."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """The value."""
        value = x.max() + (x - x.max()).exp().sum().log()
        ctx.save_for_backward(x, value)
        return value

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> torch.Tensor:
        """The gradient, in terms of what has a graph."""
        x, value = ctx.saved_tensors
        return grad_outputs[0] * (x - value).exp()


def main() -> None:
    """Checks both against the formula."""
    for function in (LogSumExp, Repaired):
        print(f"{function.__name__}:")
        print(mc.check("log(sum(exp(x)))", "x", claim=function))
        print()


if __name__ == "__main__":
    main()
