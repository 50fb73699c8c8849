"""Jacobians of Jacobians, mixed blocks by names of every kind, layouts, and names freed of their structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import matcalc as mc
from matcalc.jacobian_record import Jacobian

SIZES = {"n": 3, "m": 4, "k": 2, "p": 5}
Function = Callable[..., Any]


def inputs(found: Jacobian) -> dict[str, torch.Tensor]:
    """A tensor for each name, in float64."""
    drawn = torch.Generator().manual_seed(4)
    made = {}
    for name, v in found.variables.items():
        shape = [s if isinstance(s, int) else SIZES[str(s)] for s in v.shape]
        made[name] = torch.randn(shape, dtype=torch.float64, generator=drawn)
    return made


def moving(function: Function, name: str, at: dict[str, torch.Tensor]) -> Function:
    return lambda value: function(**{**at, name: value})


def assert_tensor(found: Jacobian, wanted: torch.Tensor, at: dict[str, torch.Tensor]) -> None:
    made = found.compile("torch")(**at)
    assert made.shape == wanted.shape
    torch.testing.assert_close(made, wanted, rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------------------------------- Jacobians of Jacobians


@pytest.mark.parametrize(
    ("text", "name", "function"),
    [
        ("x.^3", "x", lambda x: x**3),
        ("x'*A*x", "x", lambda x, A: x @ A @ x),
        ("tanh(W*x)", "x", lambda W, x: torch.tanh(W @ x)),
        ("softmax(x)", "x", lambda x: torch.softmax(x, 0)),
        ("A*X*X", "X", lambda A, X: A @ X @ X),
        ("inv(X)", "X", lambda X: torch.linalg.inv(X)),
        ("tr(X*X)", "X", lambda X: torch.trace(X @ X)),
    ],
)
def test_the_jacobian_of_a_jacobian_is_torchs(text: str, name: str, function: Function) -> None:
    found = mc.jacobian(mc.jacobian(text, name), name)
    at = inputs(found)
    wanted = torch.func.jacrev(torch.func.jacrev(moving(function, name, at)))(at[name])
    assert_tensor(found, wanted, at)
    assert found.names == (name, name)
    assert found.check(trials=2).verdict == "verified"


def test_a_jacobian_by_another_name_has_its_axes_last() -> None:
    found = mc.jacobian(mc.jacobian("tanh(W*x)", "x"), "W")
    at = inputs(found)
    inner = lambda W: torch.func.jacrev(lambda x: torch.tanh(W @ x))(at["x"])  # noqa: E731  a closure over the inputs
    assert_tensor(found, torch.func.jacrev(inner)(at["W"]), at)
    assert found.names == ("x", "W")


def test_what_has_no_closed_form_is_not_differentiated_again() -> None:
    with pytest.raises(mc.UnsupportedError, match="no closed form"):
        mc.jacobian(mc.jacobian("conv1d(x, k)", "k"), "k")


@pytest.mark.parametrize("first", [mc.jacobian, mc.grad])
def test_an_unconstrained_derivative_of_a_derivative_is_refused(first: Function) -> None:
    once = first("tr(X*X*X)", "X", let={"X": "matrix(n, n; symmetric)"})
    with pytest.raises(mc.UnsupportedError, match="unconstrained derivative of a derivative"):
        mc.jacobian(once, "X", unconstrained=True)


def test_products_with_the_jacobian_of_a_tensor_are_refused() -> None:
    found = mc.jacobian(mc.jacobian(mc.jacobian("x.^4", "x"), "x"), "x")
    with pytest.raises(mc.UnsupportedError, match="Jacobian of a tensor"):
        found.operator(**inputs(found))


# ------------------------------------------------------------------------------------------------------ mixed blocks

KINDS = {"t": "scalar", "s": "scalar", "r": "row(n)"}


@pytest.mark.parametrize(
    ("text", "names", "printed", "function"),
    [
        ("t*x'*A*x", "t x", "x.T*(A + A.T)", lambda t, x, A: t * (x @ A @ x)),
        ("t*x'*A*x", "x t", "(A + A.T)*x", lambda t, x, A: t * (x @ A @ x)),
        ("r*A*x", "r x", "A", lambda r, A, x: (r @ A @ x)[0]),
        ("r*A*x", "x r", "A.T", lambda r, A, x: (r @ A @ x)[0]),
        ("t*r*A*x", "t r", "x.T*A.T", lambda t, r, A, x: t * (r @ A @ x)[0]),
        ("t^2*s^3", "t s", "6*t*s^2", lambda t, s: t**2 * s**3),
        ("r*X*x", "r X", "kron(x.T, eye(n))", lambda r, X, x: (r @ X @ x)[0]),
        ("r*X*x", "X r", "kron(x, eye(n))", lambda r, X, x: (r @ X @ x)[0]),
        ("t*tr(X*X)", "t X", "2*X.T", lambda t, X: t * torch.trace(X @ X)),
        ("t*tr(X*X)", "X t", "2*X.T", lambda t, X: t * torch.trace(X @ X)),
    ],
)
def test_a_mixed_block_has_the_axes_of_both_names(text: str, names: str, printed: str, function: Function) -> None:
    first, last = names.split()
    let = {name: kind for name, kind in KINDS.items() if name in text.replace("tr(", "(")}
    found = mc.hessian(mc.parse(text, let), first, last)
    assert found.pretty() == printed
    at = inputs(found)
    gradient = lambda value: torch.func.grad(moving(function, first, {**at, last: value}))(at[first])  # noqa: E731
    assert_tensor(found, torch.func.jacrev(gradient)(at[last]), at)
    assert found.check(trials=2).verdict == "verified"


# ---------------------------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize(
    ("text", "name", "numerator", "denominator"),
    [
        ("A*x", "x", "A", "A.T"),
        ("x'*A*x", "x", "x.T*(A + A.T)", "(A + A.T)*x"),
        ("A*X*B", "X", "kron(B.T, A)", "kron(B, A.T)"),
        ("sin(t*h)", "t", "h.*cos(t*h)", "(h.*cos(t*h)).T"),
        ("tr(A*X)", "X", "A.T", "A.T"),  # a matrix by a scalar, or a scalar by a matrix, has no other layout here
        ("t*A", "t", "A", "A"),
    ],
)
def test_denominator_layout_is_the_transpose_of_what_is_written(
    text: str, name: str, numerator: str, denominator: str
) -> None:
    let = {"t": "scalar", "h": "vector(n)"} if name == "t" and "h" in text else {"t": "scalar"} if name == "t" else {}
    let |= {"A": "matrix(m, n)"} if text == "t*A" else {}
    plain = mc.jacobian(mc.parse(text, let), name)
    turned = plain.in_layout("denominator")
    assert (plain.pretty(), turned.pretty()) == (numerator, denominator)
    assert mc.jacobian(mc.parse(text, let), name, layout="denominator").pretty() == denominator
    assert turned.in_layout("numerator").pretty() == numerator


def test_the_code_is_the_same_in_both_layouts() -> None:
    plain = mc.jacobian("tanh(W*x)", "x")
    at = inputs(plain)
    assert torch.equal(plain.in_layout("denominator").compile("torch")(**at), plain.compile("torch")(**at))
    assert plain.in_layout("denominator").check(trials=2).verdict == "verified"


def test_only_inputs_that_are_used_are_given_axes() -> None:
    code = mc.hessian("x'*A*x + x'*b", "x").source()
    assert "    result = A + A.mT\n" in code
    assert "[..., None]" not in code
    assert "    x = x[..., None]\n" in mc.hessian("sum(exp(x))", "x").source()


def test_an_unconstrained_hessian_takes_its_layout() -> None:
    let = {"X": "matrix(n, n; posdef)"}
    found = mc.hessian("logdet(X)", "X", let=let, unconstrained=True, layout="denominator")
    assert found.layout == "denominator"


@pytest.mark.parametrize("make", [mc.jacobian, mc.hessian])
def test_another_layout_is_refused(make: Function) -> None:
    with pytest.raises(mc.ParseError, match="the layouts are numerator, denominator"):
        make("x'*x", "x", layout="sideways")


# ------------------------------------------------------------------------------------------------------ unconstrained

SYMMETRIC = {"X": "matrix(n, n; symmetric)"}


@pytest.mark.parametrize(
    ("kind", "text", "constrained", "free", "function"),
    [
        (
            "jacobian", "X*X'", "1/2*(kron(X, eye(n)) + kron(eye(n), X))*(commutation(n, n) + eye(n^2))",
            "(commutation(n, n) + eye(n^2))*kron(X, eye(n))", lambda X: X @ X.mT,
        ),
        ("jacobian", "X", "1/2*(commutation(n, n) + eye(n^2))", "eye(n^2)", lambda X: X),
        ("hessian", "tr(X*X')", "commutation(n, n) + eye(n^2)", "2*eye(n^2)", lambda X: torch.trace(X @ X.mT)),
    ],
)  # fmt: skip
def test_unconstrained_derivatives_move_every_entry(
    kind: str, text: str, constrained: str, free: str, function: Function
) -> None:
    make: Function = mc.jacobian if kind == "jacobian" else mc.hessian
    assert make(text, "X", let=SYMMETRIC).pretty() == constrained
    found = make(text, "X", let=SYMMETRIC, unconstrained=True)
    assert (found.pretty(), found.freed, found.projected) == (free, True, "")
    at = inputs(found)
    X = at["X"] + at["X"].mT
    once = function if kind == "jacobian" else torch.func.grad(function)
    assert_tensor(found, torch.func.jacrev(once)(X), {**at, "X": X})
    assert found.check(trials=2).verdict == "verified"


@pytest.mark.parametrize(
    ("make", "text", "printed"),
    [
        (mc.hvp, "tr(X*X)", "2*V.T"),
        (mc.hvp, "tr(X*X')", "2*V"),
        (mc.jvp, "X'*B", "V.T*B"),
        (mc.jvp, "tr(X'*X*B)", "tr((V.T*X + X*V)*B)"),
        (mc.vjp, "X'*B", "B*V.T"),
    ],
)
def test_an_unconstrained_direction_need_not_be_symmetric(make: Function, text: str, printed: str) -> None:
    found = make(text, "X", "V", let=SYMMETRIC, unconstrained=True)
    assert found.pretty() == printed
    assert found.check(trials=2).verdict == "verified"


def test_an_unconstrained_block_by_two_structured_names_is_refused() -> None:
    let = {"X": "matrix(n, n; symmetric)", "Y": "matrix(n, n; symmetric)"}
    with pytest.raises(mc.UnsupportedError, match="unconstrained mixed block"):
        mc.hessian("tr(X*Y)", "X", "Y", let=let, unconstrained=True)
