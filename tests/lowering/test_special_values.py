"""Zeros, kinks, ties and large arguments: NumPy and JAX take the values that torch takes, and 1×1 and empty arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.expression.operator import TABLE
from matcalc.lowering.compile import compiled
from matcalc.lowering.emit import source
from matcalc.lowering.schedule import lower

NEAR = 2.0**-20  # 1 - x*x is exact there
LARGE = [30.0, 750.0, 1e-9, 1e-300, 0.5, 1.0, 2.0]
POINTS = {
    "": [0.0, *LARGE, *(-v for v in LARGE)],
    "positive": LARGE,
    "unit": [0.0, 0.5, 1e-9, -0.5, -1e-9, 1 - NEAR, NEAR - 1],
    "above_one": [1 + NEAR, 1.5, 2.0, 30.0, 750.0],
    "above_minus_one": [0.0, 1e-9, -1e-9, NEAR - 1, 1.0, 30.0, 750.0],
}
LOGIT = [NEAR, 0.25, 0.5, 1 - NEAR]
TESTED = [name for name, op in TABLE.items() if op.is_elementwise and op.samples]
PAIRS = ["maximum", "minimum", "atan2", "where"]

pytestmark = pytest.mark.usefixtures("x64")
others = pytest.mark.parametrize("target", ["numpy", "jax"])


@cache
def function(text: str, target: str) -> Callable[..., list[np.ndarray]]:
    """The value and the gradient by every name."""
    f = mc.parse(text)
    variables = tuple(v.node for v in f.typed.variables)
    gradients = [(mc.grad(f, name).node, v.params[1]) for name, v in zip(f.variables, variables, strict=True)]
    program = lower([(f.node, "scalar"), *gradients], variables, target=target)
    made: Any = compiled(program, source(program, target), target=target)
    made = jax.jit(made) if target == "jax" else made

    def call(*inputs: np.ndarray) -> list[np.ndarray]:
        with np.errstate(all="ignore"):
            return [np.asarray(v) for v in made(*(map(torch.tensor, inputs) if target == "torch" else inputs))]

    return call


def points(name: str) -> np.ndarray:
    wanted = LOGIT if name == "logit" else POINTS[TABLE[name].domain.get(0, "")]
    return np.array([*wanted, *(kink.at for kink in TABLE[name].kinks)])


def same(target: str, text: str, *inputs: np.ndarray) -> None:
    """As torch to the last digits, infinities and NaN in the same places."""
    for got, want in zip(function(text, target)(*inputs), function(text, "torch")(*inputs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)


@others
@pytest.mark.parametrize("name", TESTED)
def test_elementwise_functions_at_special_values(name: str, target: str) -> None:
    same(target, f"sum({name}(x))", points(name)[:, None])


@others
@pytest.mark.parametrize("name", TESTED)
def test_one_entry_and_none(name: str, target: str) -> None:
    one = points(name)[:1]
    same(target, f"sum({name}(x))", one)
    value, gradient = function(f"sum({name}(x))", target)(np.zeros((0, 4)))
    assert value.shape == (0,)
    assert np.broadcast_shapes(gradient.shape, (0, 4)) == (0, 4)


@others
@pytest.mark.parametrize("name", PAIRS)
def test_functions_of_two_at_ties(name: str, target: str) -> None:
    values = np.array(POINTS[""])
    left, right = (grid.ravel()[:, None] for grid in np.meshgrid(values, values))
    text = f"sum({name}(x, y))" if name != "where" else "sum(where(x, x.*y, y))"
    same(target, text, left, right)


@pytest.mark.parametrize("name", TESTED)
def test_the_derivative_at_a_kink_is_as_the_record_says(name: str) -> None:
    for kink in TABLE[name].kinks:
        for target in ("torch", "numpy", "jax"):
            _, gradient = function(f"sum({name}(x))", target)(np.array([kink.at]))
            assert gradient.tolist() == [kink.derivative]


@pytest.mark.parametrize("text", ["norm2(x)", "norm2(A*x)", "a*norm2(3*x) + b'*x"])
def test_the_gradient_of_a_norm_is_torchs_at_zero(text: str) -> None:
    import torch

    let = {"A": "matrix(3, 3)", "x": "vector(3)", "b": "vector(3)"}
    f, g = (made.compile("torch") for made in (mc.parse(text, let), mc.grad(text, "x", let)))
    given = {"A": torch.eye(3).double() + 0.5, "b": torch.ones(3).double(), "a": torch.tensor(2.0).double()}
    x = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    names = mc.parse(text, let).variables
    known = {name: value for name, value in given.items() if name in names}
    (truth,) = torch.autograd.grad(f(x=x, **known), x)
    torch.testing.assert_close(g(x=x.detach(), **known), truth)


SINGULAR = {
    "det(X.^2)": "matrix(3, 3)",
    "det(exp(X) - 1)": "matrix(3, 3)",
    "det(X)*tr(X) + det(X)^2": "matrix(3, 3)",
    "b'*X*b*det(square(X) - 0.25*X)": "matrix(3, 3)",
    "det(resolvent_max(X) + X)": "matrix(3, 3; symmetric)",
    "det(resolvent_max(X))": "matrix(3, 3; symmetric)",
}


@pytest.mark.parametrize("target", ["torch", "numpy", "jax"])
@pytest.mark.parametrize("text", SINGULAR)
def test_a_determinant_of_a_singular_function_has_a_gradient(text: str, target: str) -> None:
    """Against central differences: torch's own gradient of det is 0 there, which is wrong."""
    let = {"X": SINGULAR[text]} | ({"b": "vector(3)"} if "b'" in text else {})
    X = np.array([[1.0, 1.0, 0.5], [1.0, 1.0, 0.5], [0.5, 0.5, -0.75]])
    known = {"b": np.array([1.0, -2.0, 0.5])} if "b" in let else {}
    f = mc.parse(text, let).compile("numpy")
    g = mc.grad(text, "X", let).compile(target)
    given = {name: torch.tensor(v) if target == "torch" else v for name, v in ({"X": X} | known).items()}
    symmetric = "symmetric" in SINGULAR[text]
    wanted, h = np.zeros((3, 3)), 1e-5
    for i, j in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[i, j] = h
        step = (step + step.T) / 2 if symmetric else step
        wanted[i, j] = (f(X=X + step, **known) - f(X=X - step, **known)) / (2 * h)
    np.testing.assert_allclose(np.asarray(g(**given)), wanted, atol=1e-7)
    assert abs(wanted).max() > 0.1 or "max(X))" in text
