"""Ridge and logistic regression by Newton's method, with the derived gradient and Hessian."""

from __future__ import annotations

from collections.abc import Mapping

import torch

import matcalc as mc

PROBLEMS = {
    "ridge": ("0.5*norm2(X*w - y)^2 + 0.5*c*norm2(w)^2", 1),
    "logistic": ("sum(log(1 + exp(-y.*(X*w)))) + 0.5*c*norm2(w)^2", 8),
}


def newton(text: str, data: Mapping[str, torch.Tensor], steps: int) -> tuple[torch.Tensor, list[float]]:
    """The minimizer, and the norm of the gradient at every step."""
    let = {"X": "matrix(m, n)", "y": "vector(m)", "w": "vector(n)", "c": "scalar"}
    g, H = mc.grad(text, "w", let), mc.hessian(text, "w", let=let)
    assert g.check(trials=2).ok, "the gradient is not verified"
    assert H.check(trials=2).ok, "the Hessian is not verified"
    print("  gradient:", g)
    print("  Hessian: ", H)
    gradient, hessian = g.compile(), H.compile()
    w, norms = torch.zeros(data["X"].shape[1], dtype=torch.float64), []
    for _ in range(steps):
        slope = gradient(w=w, **data)
        norms.append(float(slope.norm()))
        w = w - torch.linalg.solve(hessian(w=w, **data), slope)
    return w, [*norms, float(gradient(w=w, **data).norm())]


def main() -> None:
    """Both problems on the same data."""
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(200, 5, generator=generator, dtype=torch.float64)
    truth = torch.tensor([1.0, -2.0, 0.0, 0.5, 3.0], dtype=torch.float64)
    signs = torch.sign(X @ truth + torch.randn(200, generator=generator, dtype=torch.float64))
    for name, (text, steps) in PROBLEMS.items():
        print(name)
        y = X @ truth if name == "ridge" else signs
        w, norms = newton(text, {"X": X, "y": y, "c": torch.tensor(0.1, dtype=torch.float64)}, steps)
        print("  minimizer:", [round(float(v), 3) for v in w])
        print("  norm of the gradient:", ", ".join(f"{norm:.0e}" for norm in norms))
        assert norms[-1] < 1e-9


if __name__ == "__main__":
    main()
