"""The orthogonal projections onto declared subspaces, in numbers: no symbolic code has a part in them."""

from __future__ import annotations

from typing import Any

SUBSPACES = ("symmetric", "skew", "diagonal", "lower", "upper")


def projected(name: str, gradient: Any) -> Any:
    """``gradient`` projected onto the subspace called ``name``; itself where the name is empty."""
    import numpy as np

    turn = {
        "symmetric": lambda g: (g + g.T) / 2,
        "skew": lambda g: (g - g.T) / 2,
        "diagonal": lambda g: np.where(np.eye(len(g), dtype=bool), g, 0 * g),
        "lower": lambda g: np.where(np.tri(len(g), dtype=bool), g, 0 * g),
        "upper": lambda g: np.where(np.tri(len(g), dtype=bool).T, g, 0 * g),
    }
    return turn[name](gradient) if name else gradient
