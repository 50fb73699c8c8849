"""The lecture, from a quadratic form to a network trained with derived gradients.

    python examples/lecture.py            prints, and plots the loss curves to lecture.png where matplotlib is there

Every derivative is derived, checked, and compared with autograd as it is used.
"""

from __future__ import annotations

import importlib.util

import torch

import matcalc as mc

STEPS = 1000


def quadratic_form() -> None:
    """f(x) = 1/2 x'Ax - b'x, by x and by A."""
    f = mc.parse("0.5*x'*A*x - b'*x")
    print("f =", f)
    for name in ("x", "A"):
        g = mc.grad(f, name)
        print(f"  by {name}: {g}   [{g.check().verdict}]")


def mistake() -> None:
    """The gradient of f beside automatic differentiation of g = f²: what is wrong, and by how much."""
    g = "f = 0.5*x'*A*x - b'*x; f*f"
    for name, claim in (("x", "0.5*(A + A.T)*x - b"), ("A", "0.5*x*x'")):
        report = mc.check(g, name, claim=claim)
        print(f"claimed of g = f^2 by {name}: {claim}")
        print(f"  {report.verdict}: {report.diagnosis}")


def elementwise() -> None:
    """The square of every entry, and its Jacobian."""
    J = mc.jacobian("x.^2", "x")
    print("the Jacobian of x.^2:", J)
    x = torch.tensor([1.0, 2.0, 3.0])
    print("  at", x.tolist(), "it is", J.compile()(x=x).tolist())
    assert torch.equal(J.compile()(x=x), torch.func.jacrev(lambda v: v**2)(x))


def network() -> tuple[list[float], list[float]]:
    """A network of two layers, trained by stochastic gradient descent: with derived gradients, and with autograd's."""
    text = "norm2(tanh(X*W1 .+ b1')*w2 - y)^2/m"
    let = {"X": "matrix(m, n)", "W1": "matrix(n, k)", "b1": "vector(k)", "w2": "vector(k)", "y": "vector(m)"}
    loss = mc.parse(text, let)
    names = ("W1", "b1", "w2")
    for name in names:
        g = mc.grad(loss, name)
        print(f"  by {name}: {g}   [{g.check(trials=2).verdict}]")
    value, gradients = loss.compile(), {name: mc.grad(loss, name).compile() for name in names}

    generator = torch.Generator().manual_seed(0)
    X = torch.randn(256, 4, generator=generator, dtype=torch.float64)
    y = torch.sin(X[:, 0] + X[:, 1])
    start = {
        "W1": torch.randn(4, 16, generator=generator, dtype=torch.float64),
        "b1": torch.zeros(16, dtype=torch.float64),
        "w2": 0.1 * torch.randn(16, generator=generator, dtype=torch.float64),
    }
    batches = [torch.randperm(256, generator=generator)[:32] for _ in range(STEPS)]

    def trained(gradient_of) -> list[float]:  # a function of weights and a batch
        weights, curve = dict(start), []
        for batch in batches:
            found = gradient_of(weights, X[batch], y[batch])
            weights = {name: weights[name] - 0.1 * found[name] for name in names}
            curve.append(float(value(**weights, X=X, y=y)))
        return curve

    def derived(weights: dict, X: torch.Tensor, y: torch.Tensor) -> dict:
        return {name: gradient(**weights, X=X, y=y) for name, gradient in gradients.items()}

    def automatic(weights: dict, X: torch.Tensor, y: torch.Tensor) -> dict:
        leaves = {name: w.clone().requires_grad_(True) for name, w in weights.items()}
        found = torch.autograd.grad(value(**leaves, X=X, y=y), list(leaves.values()))
        return dict(zip(leaves, found, strict=True))

    return trained(derived), trained(automatic)


def plot(ours: list[float], theirs: list[float]) -> None:
    """Both loss curves in one picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axes.semilogy(ours, label="derived by matcalc", linewidth=3, alpha=0.5)
    axes.semilogy(theirs, label="autograd", linestyle="--")
    axes.set(xlabel="step", ylabel="loss")
    axes.legend()
    figure.savefig("lecture.png", dpi=150)


def main() -> None:
    """All of it."""
    quadratic_form()
    mistake()
    elementwise()
    print("a network of two layers:")
    ours, theirs = network()
    apart = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    print(f"  loss {ours[0]:.3f} to {ours[-1]:.3f}; the curves differ by at most {apart:.0e}")
    if importlib.util.find_spec("matplotlib"):
        plot(ours, theirs)
        print("  loss curves: lecture.png")


if __name__ == "__main__":
    main()
