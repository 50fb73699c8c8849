"""What ``verify`` refuses, and says why: what holds no dense real numbers, is random, or changes its inputs."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from samples import DOUBLE, M, draw, w
from torch.nn import functional

import matcalc as mc

# What cannot be checked is said.


def _random(x: Any) -> Any:
    return functional.dropout(x).sum()


def _in_place(x: Any) -> Any:
    return x.mul_(x).sum()


UNCHECKED = [
    (torch.fft.fft, [w], "complex numbers"),
    (lambda A: A.sum(), lambda: [M.to_sparse()], "input 0 is sparse"),
    (lambda A: A.sum(), lambda: [M.to_sparse_csr()], "input 0 is sparse"),
    (lambda x: x, lambda: [torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])], "input 0 is nested"),
    (lambda x: x.to_sparse(), [M], "sparse tensor"),
    (lambda x: torch.tensor(x).sum(), [[1.0, 2.0]], "input 0 is a list"),
    (lambda x: x, None, "None is no list of example inputs"),
    (lambda x: x, "abc", "no list of example inputs"),
    (lambda x: x, {"x": w}, "no list of example inputs"),
    (lambda x: x, [None], "by which nothing is differentiated"),
    (lambda x: x.sum(), [torch.tensor([1.0, math.nan])], "input 0 holds NaN"),
    (lambda x, A: (A.relu_() @ x).sum(), [w, M], "changes its input 1"),
    (_random, [draw(30)], "gives another value"),
    (_in_place, [w], "changes its input 0"),
]


@pytest.mark.filterwarnings(
    "ignore:Sparse CSR tensor support:UserWarning", "ignore:The PyTorch API of nested:UserWarning"
)
@pytest.mark.parametrize(("fn", "given", "says"), UNCHECKED)
def test_what_cannot_be_checked_is_said(fn: Any, given: Any, says: str) -> None:
    with pytest.raises(mc.MatcalcError, match=says):
        mc.verify(fn, lambda x: x, given() if callable(given) else given)


def test_a_gradient_is_that_of_a_scalar() -> None:
    with pytest.raises(mc.CheckError, match="a gradient is that of a scalar"):
        mc.verify(lambda x: 2 * x, lambda x: x, [w], kind="grad")


def test_complex_values_beside_the_example_are_left_out() -> None:
    def largest(A: Any) -> Any:
        found = torch.linalg.eigvals(A)
        return found.real.max() if bool((found.imag == 0).all()) else found.sum()

    report = mc.verify(largest, lambda A: torch.eye(2, dtype=A.dtype), [torch.eye(2, dtype=DOUBLE)])
    assert report.verdict in ("refuted", "inconclusive")


def test_a_refutation_stands_where_a_step_leaves_the_domain() -> None:
    def root(x: Any) -> Any:
        if bool((x < 0.9).any()):
            raise ValueError("outside")
        return np.sqrt(x).sum()

    report = mc.verify(root, lambda x: 1 / np.sqrt(x), [np.array([1.0, 4.0, 9.0])])
    assert report.verdict in ("refuted", "inconclusive")


def test_a_lone_array_of_any_library_is_an_input() -> None:
    assert mc.verify(lambda x: jnp.vdot(x, x), lambda x: 2 * x, jnp.ones(3)).ok
    assert mc.verify(lambda x: x * x, lambda x: 2 * x, np.float32(2)).ok
    assert mc.verify(lambda x: x * x, lambda x: 2 * x, 1.5).ok


def test_a_claim_that_is_random_is_refused() -> None:
    with pytest.raises(mc.CheckError, match="claimed function gives another value"):
        mc.verify(lambda x: x.sum(), lambda x: functional.dropout(torch.ones_like(x)), [draw(30)])


@pytest.mark.parametrize(
    "options",
    [{"trials": 1.5}, {"trials": "3"}, {"trials": True}, {"trials": 0}, {"seed": 1.5}, {"seed": "a"}, {"seed": -1}],
)
def test_trials_and_seeds_that_are_none_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(mc.ParseError):
        mc.verify(lambda x: x @ x, lambda x: 2 * x, [w], **options)


def test_gradients_are_made_where_a_caller_switched_them_off() -> None:
    with torch.no_grad():
        assert mc.verify(lambda x: x @ x, lambda x: 2 * x, [w]).ok
        assert mc.verify(lambda x: x @ x, lambda x: 3 * x, [w]).verdict == "refuted"


def test_a_value_of_one_entry_takes_a_gradient_or_a_vjp() -> None:
    def function(x: Any) -> Any:
        return (x @ x).reshape(1)

    assert mc.verify(function, lambda x: 2 * x, [w]).ok
    assert mc.verify(function, lambda x, u: 2 * x * u, [w]).ok
    assert mc.verify(function, lambda x, u: 3 * x * u, [w]).verdict == "refuted"


def doubled_in_place(x: Any) -> Any:
    x *= 2
    return x


@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_a_claim_that_changes_its_inputs_is_refused(library: str) -> None:
    claim = doubled_in_place if library == "torch" else mc.testing.numpy(doubled_in_place)
    with pytest.raises(mc.CheckError, match="the claimed function changes its argument x"):
        mc.check("x'*x", "x", claim=claim)
    with pytest.raises(mc.CheckError, match="the claimed function changes its input 0"):
        mc.verify(lambda x: x @ x, claim, [torch.ones(3, dtype=torch.float64)])


@pytest.mark.parametrize(
    ("text", "kind", "let", "claim"),
    [
        ("X*X", "jacobian", {"X": "matrix(n, n)"}, torch.func.jacrev(lambda X: X @ X)),
        ("sum(x.^3)", "hessian", None, torch.func.hessian(lambda x: (x**3).sum())),
        ("x'*A*x", "grad", None, torch.func.grad(lambda A, x: x @ A @ x, argnums=1)),
    ],
)
def test_what_torch_func_makes_is_called_by_place(text: str, kind: str, let: Any, claim: Any) -> None:
    assert mc.check(text, "x" if "x" in text else "X", claim=claim, kind=kind, let=let).verdict == "verified"
