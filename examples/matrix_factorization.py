"""Matrix factorization by gradient descent in both factors, masked as a recommender's data is."""

from __future__ import annotations

import torch

import matcalc as mc

TEXT = "0.5*norm2(P.*(M - U*V'))^2 + 0.5*c*(norm2(U)^2 + norm2(V)^2)"
LET = {"P": "matrix(m, n)", "M": "matrix(m, n)", "U": "matrix(m, k)", "V": "matrix(n, k)", "c": "scalar"}


def main() -> None:
    """Derives, checks, descends."""
    f = mc.parse(TEXT, LET)
    derived = {name: mc.grad(f, name) for name in ("U", "V")}
    for name, g in derived.items():
        print(f"by {name}: {g}   [{g.check(trials=2).verdict}]")
    value, gradients = f.compile(), {name: g.compile() for name, g in derived.items()}

    generator = torch.Generator().manual_seed(2)
    left, right = (torch.randn(rows, 3, generator=generator, dtype=torch.float64) for rows in (40, 30))
    M = left @ right.T
    P = (torch.rand(40, 30, generator=generator) < 0.5).double()
    data = {"M": P * M, "P": P, "c": torch.tensor(1e-3, dtype=torch.float64)}
    U, V = (0.5 * torch.randn(rows, 3, generator=generator, dtype=torch.float64) for rows in (40, 30))
    first = float(value(U=U, V=V, **data))
    for _ in range(800):
        U = U - 0.02 * gradients["U"](U=U, V=V, **data)
        V = V - 0.02 * gradients["V"](U=U, V=V, **data)
    unseen = float(((1 - P) * (M - U @ V.T)).norm() / ((1 - P) * M).norm())
    print(f"loss {first:.0f} to {float(value(U=U, V=V, **data)):.3f}; relative error on what was hidden {unseen:.2f}")
    assert unseen < 0.2


if __name__ == "__main__":
    main()
