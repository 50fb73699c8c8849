"""Numbers that tests of ``verify`` share: data of a regression, labels, a matrix, and a covariance."""

from __future__ import annotations

import torch

DOUBLE = torch.float64


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    """Standard normal numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


X, Y, w, M = draw(8, 3), (draw(8, seed=1) > 0).double(), draw(3, seed=2), draw(3, 3, seed=3)
S = M @ M.mT + torch.eye(3, dtype=DOUBLE)
POSITIVE = draw(5, seed=4).abs() + 0.2
