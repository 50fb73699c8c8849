"""The log likelihood of a Gaussian by its covariance, whose maximum is the sample covariance."""

from __future__ import annotations

import torch

import matcalc as mc

TEXT = "n/2*logdet(S) + 0.5*tr(inv(S)*C)"
LET = {"S": "matrix(k, k; posdef)", "C": "matrix(k, k; psd)", "n": "scalar(positive)"}


def main() -> None:
    """The gradient, where it vanishes, and what is wrong with a formula that is often written for it."""
    g = mc.grad(TEXT, "S", LET)
    print("gradient of the negative log likelihood:", g)
    print(g.check())
    generator = torch.Generator().manual_seed(3)
    X = torch.randn(500, 4, generator=generator, dtype=torch.float64)
    C, n = X.T @ X, torch.tensor(500.0, dtype=torch.float64)
    left = g.compile()(S=C / n, C=C, n=n)
    print(f"at the sample covariance its largest entry is {float(left.abs().max()):.0e}")
    assert float(left.abs().max()) < 1e-9
    report = mc.check(TEXT, "S", claim="n/2*inv(S) - 0.5*C*inv(S)*inv(S)", let=LET)
    print("C*inv(S)*inv(S) in place of inv(S)*C*inv(S):", report.verdict)
    print(" ", report.diagnosis)


if __name__ == "__main__":
    main()
