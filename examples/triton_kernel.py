"""Triton kernels under a torch.autograd.Function, checked on the card that they run on.

    python examples/triton_kernel.py

The gate of a SwiGLU layer, x·sigmoid(x)·y entry by entry: one kernel for the value, one for both gradients. The
formulas of both Functions are right. The first hands its kernels whatever memory it is given, and they count entries
from the first one as if it were contiguous; a gradient that comes from ``sum()`` or a transposition is not. The second
asks for contiguous memory first.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

import matcalc as mc

try:
    import triton
    import triton.language as tl
except ImportError:
    sys.exit("this example needs a CUDA device and Triton, which comes with torch for CUDA")

BLOCK = 256


@triton.jit
def _value(x_at, y_at, out_at, count, block: tl.constexpr):
    entry = tl.program_id(0) * block + tl.arange(0, block)
    inside = entry < count
    x, y = tl.load(x_at + entry, mask=inside), tl.load(y_at + entry, mask=inside)
    tl.store(out_at + entry, x * y / (1 + tl.exp(-x)), mask=inside)


@triton.jit
def _gradients(x_at, y_at, u_at, by_x_at, by_y_at, count, block: tl.constexpr):
    entry = tl.program_id(0) * block + tl.arange(0, block)
    inside = entry < count
    x, y = tl.load(x_at + entry, mask=inside), tl.load(y_at + entry, mask=inside)
    u = tl.load(u_at + entry, mask=inside)
    s = 1 / (1 + tl.exp(-x))
    tl.store(by_x_at + entry, u * y * s * (1 + x * (1 - s)), mask=inside)
    tl.store(by_y_at + entry, u * x * s, mask=inside)


class Careless(torch.autograd.Function):
    """Right for contiguous tensors alone."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The gate."""
        ctx.save_for_backward(x, y)
        out = torch.empty_like(x)
        if x.numel():
            _value[(triton.cdiv(x.numel(), BLOCK),)](x, y, out, x.numel(), BLOCK)
        return out

    @staticmethod
    def backward(ctx: Any, u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both gradients."""
        x, y = ctx.saved_tensors
        by_x, by_y = torch.empty_like(x), torch.empty_like(y)
        if x.numel():
            _gradients[(triton.cdiv(x.numel(), BLOCK),)](x, y, u, by_x, by_y, x.numel(), BLOCK)
        return by_x, by_y


class Gate(Careless):
    """Right for every tensor."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The gate."""
        return Careless.forward(ctx, x.contiguous(), y.contiguous())

    @staticmethod
    def backward(ctx: Any, u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both gradients."""
        return Careless.backward(ctx, u.contiguous())


def main() -> None:
    """Checks both on the card."""
    for function in (Careless, Gate):
        print(f"{function.__name__}:")
        print(mc.check("x.*sigmoid(x).*y", claim=function, let=dict.fromkeys("xy", "matrix(m, n)"), devices=("cuda",)))
        print()


if __name__ == "__main__":
    main()
