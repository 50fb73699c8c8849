"""Claims that are functions: what is said of an array with other axes than the derivative has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import matcalc as mc


def eye(like: torch.Tensor) -> torch.Tensor:
    return torch.eye(like.shape[1], dtype=like.dtype)


WRONG: list[tuple[str, str, str, Callable[..., Any], str]] = [
    ("x'*A*x", "x", "grad", lambda x, A: ((A + A.T) @ x)[None], "transposed"),
    ("x'*A*x", "x", "grad", lambda x, A: ((A + A.T) @ x)[:, None], "the claim is 2×1 where the gradient has one axis"),
    ("x'*A*x", "x", "grad", lambda x, A: x @ A @ x, "the claim is a number where the gradient is 2×1"),
    ("tr(X'*B)", "X", "grad", lambda X, B: B.flatten(), "right if reshaped, with the last axis fastest"),
    ("tr(X'*B)", "X", "grad", lambda X, B: B.T.flatten(), "right if reshaped by columns; that is its vec"),
    ("tr(X'*B)", "X", "grad", lambda X, B: 2 * B.flatten(), "it has as many entries, and no order of them is right"),
    ("A*x", "x", "jacobian", lambda x, A: A[None], "the claim is 1×4×2 where the Jacobian is 4×2: right if reshaped"),
    ("A*X*B", "X", "jacobian", lambda X, A, B: torch.einsum("ik,lj->klij", A, B), "in the order (2, 3, 0, 1), from 0"),
    ("A*X*B", "X", "jacobian", lambda X, A, B: torch.einsum("ik,lj->ijlk", A, B), "in the order (0, 1, 3, 2), from 0"),
    ("A*X*B", "X", "jacobian", lambda X, A, B: torch.kron(B.T.contiguous(), A), "that is the Kronecker form"),
    ("x'*A*x", "x", "hessian", lambda x, A: (A + A.T) @ x, "the claim is 3 where the Hessian is 3×3"),
    ("tr(X'*A*X)", "X", "hessian", lambda X, A: torch.kron(eye(X), A + A.T), "that is the Kronecker form"),
]


@pytest.mark.parametrize(("text", "name", "kind", "claim", "said"), WRONG, ids=[f"{r[0]} {r[4]}" for r in WRONG])
def test_wrong_axes_are_named(text: str, name: str, kind: str, claim: Callable[..., Any], said: str) -> None:
    report = mc.check(text, name, claim=claim, kind=kind, trials=3)
    assert report.verdict == "refuted"
    assert said in report.diagnosis


RIGHT: list[tuple[str, Any, str, Callable[..., Any]]] = [
    ("A*X*B", "X", "jacobian", lambda X, A, B: torch.einsum("ik,lj->ijkl", A, B)),
    ("tr(X'*A*X)", "X", "hessian", lambda X, A: torch.einsum("ik,jl->ijkl", A + A.T, eye(X))),
    ("a*x'*x", ["a", "x"], "hessian", lambda a, x: 2 * x),
]


@pytest.mark.parametrize(("text", "names", "kind", "claim"), RIGHT, ids=[r[0] for r in RIGHT])
def test_the_axes_of_torch_are_right(text: str, names: Any, kind: str, claim: Callable[..., Any]) -> None:
    assert mc.check(text, names, claim=claim, kind=kind, trials=3).verdict == "verified"


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (lambda x, A: None, "returns nothing where an array is wanted"),
        (lambda x, A: (A @ x,), "returns a tuple where an array is wanted"),
        (lambda x, C: 2 * x, "takes C, which the expression does not have"),
    ],
)
def test_what_is_no_array_is_said(claim: Callable[..., Any], said: str) -> None:
    with pytest.raises(mc.CheckError) as caught:
        mc.check("x'*A*x", "x", claim=claim)
    assert said in caught.value.message
    with pytest.raises(mc.CheckError) as caught:
        mc.check("A*x", "x", claim=claim, kind="jacobian")
    assert said in caught.value.message
