"""Neural-network functions are torch's: values and gradients by the compiled code, at kinks and ties as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

import matcalc as mc

G = torch.Generator().manual_seed(3)


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=G, dtype=torch.float64)


def one_hot(rows: int, classes: int) -> torch.Tensor:
    return F.one_hot(torch.arange(rows) % classes, classes).double()


X, Z, T = normal(6, 5), normal(4, 3), torch.softmax(normal(4, 3), -1)
V, W7 = normal(7), normal(7)
KINKS = torch.tensor([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], dtype=torch.float64)
TIES = torch.tensor([1.0, 1.0, 0.0, 2.0, 2.0, 0.0, 5.0], dtype=torch.float64)
TIED = torch.tensor([[1.0, 1, 0, 3], [1, 1, 3, 3], [0, 2, 0, 0], [2, 0, 0, 0], [9, 9, 9, 9]], dtype=torch.float64)

# text, declarations, torch's own, inputs
CASES: list[tuple[str, dict[str, str], Callable[..., torch.Tensor], dict[str, torch.Tensor]]] = [
    ("cross_entropy(Z, Y)", {"Y": "matrix(m, k)"}, lambda Z, Y: F.cross_entropy(Z, Y), {"Z": Z, "Y": T}),
    ("cross_entropy(Z, Y)", {"Y": "matrix(m, k; onehot)"}, lambda Z, Y: F.cross_entropy(Z, Y.argmax(1)),
     {"Z": Z, "Y": one_hot(4, 3)}),
    ("cross_entropy(z, y)", {"z": "vector(k)"}, lambda z, y: F.cross_entropy(z, y), {"z": V, "y": W7}),
    ("mse(X, Y)", {}, lambda X, Y: F.mse_loss(X, Y), {"X": X, "Y": normal(6, 5)}),
    ("bce(x, y)", {}, lambda x, y: F.binary_cross_entropy_with_logits(x, y), {"x": 30 * V, "y": torch.sigmoid(W7)}),
    ("sum(huber(x, 1))", {}, lambda x: F.huber_loss(x, 0 * x, reduction="sum"), {"x": KINKS}),
    ("mean(huber(x - y, 0.5))", {}, lambda x, y: F.huber_loss(x, y, delta=0.5), {"x": KINKS, "y": 0 * KINKS}),
    ("t'*layernorm(x)", {"x": "vector(n)"}, lambda t, x: t @ F.layer_norm(x, (7,)), {"t": W7, "x": V}),
    ("sum(layernorm(X).*Y)", {}, lambda X, Y: (F.layer_norm(X, (5,)) * Y).sum(), {"X": X, "Y": normal(6, 5)}),
    ("sum(tanh(conv1d(x, k)))", {}, lambda x, k: F.conv1d(x[None, None], k[None, None]).tanh().sum(),
     {"x": V, "k": normal(3)}),
    ("sum(tanh(conv2d(X, K)))", {}, lambda X, K: F.conv2d(X[None, None], K[None, None]).tanh().sum(),
     {"X": X, "K": normal(2, 3)}),
    ("sum(tanh(avgpool1d(x, 2)))", {"x": "vector(7)"}, lambda x: F.avg_pool1d(x[None], 2).tanh().sum(), {"x": V}),
    ("sum(tanh(avgpool2d(X, 2)))", {"X": "matrix(6, 5)"}, lambda X: F.avg_pool2d(X[None], 2).tanh().sum(), {"X": X}),
    ("sum(tanh(maxpool1d(x, 2)))", {"x": "vector(7)"}, lambda x: F.max_pool1d(x[None], 2).tanh().sum(), {"x": TIES}),
    ("sum(tanh(maxpool1d(x, 3)))", {"x": "vector(7)"}, lambda x: F.max_pool1d(x[None], 3).tanh().sum(), {"x": TIES}),
    ("sum(tanh(maxpool2d(X, 2)))", {"X": "matrix(5, 4)"}, lambda X: F.max_pool2d(X[None], 2).tanh().sum(),
     {"X": TIED}),
    ("sum(x.*stopgrad(x))", {}, lambda x: (x * x.detach()).sum(), {"x": V}),
]  # fmt: skip
cases = pytest.mark.parametrize(("text", "let", "theirs", "inputs"), CASES, ids=[case[0] for case in CASES])


@cases
def test_value_and_gradients_are_torch_s(
    text: str, let: dict[str, str], theirs: Callable[..., torch.Tensor], inputs: dict[str, torch.Tensor]
) -> None:
    f = mc.parse(text, let)
    torch.testing.assert_close(f.compile()(**inputs), theirs(**inputs))
    for name in inputs:
        moving = {n: t.clone().requires_grad_(n == name) for n, t in inputs.items()}
        wanted: Any = None
        if not (name == "Y" and "onehot" in let.get("Y", "")):  # torch takes class numbers there
            (wanted,) = torch.autograd.grad(theirs(**moving), moving[name])
            torch.testing.assert_close(mc.grad(f, name).compile()(**inputs), wanted)


@cases
def test_leading_axes_are_batches(
    text: str, let: dict[str, str], theirs: Callable[..., torch.Tensor], inputs: dict[str, torch.Tensor]
) -> None:
    f = mc.parse(text, let)
    batched = {name: torch.stack([t, t.flip(0), -t if name not in ("Y", "y") else t]) for name, t in inputs.items()}
    for name in inputs:
        gradient = mc.grad(f, name).compile()
        rows = torch.stack([gradient(**{n: t[k] for n, t in batched.items()}) for k in range(3)])
        torch.testing.assert_close(gradient(**batched).expand(rows.shape), rows)
        torch.testing.assert_close(torch.vmap(lambda *a, g=gradient: g(*a))(*batched.values()), rows)


def test_the_second_derivative_of_huber_at_its_kinks_is_torch_s() -> None:
    x = KINKS.clone().requires_grad_()
    (first,) = torch.autograd.grad(F.huber_loss(x, 0 * KINKS, reduction="sum"), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    ours = mc.hvp("sum(huber(x, 1))", "x", "v").compile()(x=KINKS, v=torch.ones_like(KINKS))
    torch.testing.assert_close(ours, second)


def test_float32_stays_float32() -> None:
    for text, let, _, inputs in CASES:
        f = mc.parse(text, let)
        for name in inputs:
            made = mc.grad(f, name).compile()(**{n: t.float() for n, t in inputs.items()})
            assert made.dtype == torch.float32, (text, name)
