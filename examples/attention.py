"""Attention: the gradients by queries, keys and values, and code for them that agrees with torch's own."""

from __future__ import annotations

import torch

import matcalc as mc

TEXT = "inner(G, softmax(Q*K'/sqrt(d))*V)"
LET = {"Q": "matrix(m, d)", "K": "matrix(n, d)", "V": "matrix(n, p)", "G": "matrix(m, p)"}


def main() -> None:
    """G is what comes back from the layers above."""
    generator = torch.Generator().manual_seed(4)
    shapes = {"Q": (6, 4), "K": (5, 4), "V": (5, 3), "G": (6, 3)}
    data = {name: torch.randn(*shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}
    leaves = {name: data[name].clone().requires_grad_(True) for name in ("Q", "K", "V")}
    attended = torch.nn.functional.scaled_dot_product_attention(*leaves.values())
    theirs = dict(zip(leaves, torch.autograd.grad(attended, list(leaves.values()), data["G"]), strict=True))
    for name in ("Q", "K", "V"):
        g = mc.grad(TEXT, name, LET)
        apart = float((g.compile()(**data) - theirs[name]).abs().max())
        print(f"by {name}: {g}   [{g.check(trials=2).verdict}; off torch's own attention by {apart:.0e}]")
        assert apart < 1e-12


if __name__ == "__main__":
    main()
