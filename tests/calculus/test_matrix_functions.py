"""Matrix functions, factors, eigenvalues and their norms: what is printed, what simplifies, and second derivatives."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import matcalc as mc
from matcalc.expression.property import PROPERTIES

P, S, B, C = "matrix(n, n; posdef)", "matrix(n, n; symmetric)", "vector(n)", "vector(n)"
GRADIENTS = [
    ("tr(expm(A))", "A", {}, "expm(A).T"),
    ("tr(expm(A)*B)", "A", {}, "expm_frechet(A, B).T"),
    ("tr(expm(a*A)*B)", "a", {}, "tr(expm_frechet(a*A, A)*B)"),
    ("tr(logm(A))", "A", {}, "inv(A).T"),
    ("tr(logm(A)*B)", "A", {}, "logm_frechet(A, B).T"),
    ("tr(sqrtm(A))", "A", {}, "1/2*inv(sqrtm(A)).T"),
    ("tr(sqrtm(A)*B)", "A", {}, "sylvester(sqrtm(A), sqrtm(A), B).T"),
    ("x'*sqrtm(A)*x", "A", {"A": P}, "sylvester(sqrtm(A), sqrtm(A), x*x.T)"),
    ("2*sum(log(diag(chol(A))))", "A", {"A": P}, "inv(A)"),
    ("norm2(chol(A))^2", "A", {"A": P}, "eye(n)"),
    ("norm2(inv(chol(A))*x)^2", "x", {"A": P}, "2*inv(A)*x"),
    ("norm2(inv(chol(A))*x)^2", "A", {"A": P}, "-inv(A)*x*x.T*inv(A)"),
    (
        "b'*chol(A)*c",
        "A",
        {"A": P, "b": B, "c": C},
        "1/2*inv(chol(A)).T*mirror_tril(chol(A).T*b*c.T)*inv(chol(A))",
    ),
    ("sum(log(diag(chol(X'*X + I))))", "X", {"X": "matrix(m, n)"}, "X*inv(X.T*X + eye(n))"),
    ("sum(eigvals(A))", "A", {"A": S}, "eye(n)"),
    ("sum(eigvals(A).^2)", "A", {"A": S}, "2*A"),
    ("sum(log(eigvals(A)))", "A", {"A": P}, "inv(A)"),
    ("b'*eigvals(A)", "A", {"A": S, "b": B}, "eigvecs(A)*diag(b)*eigvecs(A).T"),
    ("lambda_max(A)", "A", {"A": S}, "projector_max(A)"),
    ("lambda_min(A)", "A", {"A": S}, "projector_min(A)"),
    ("lambda_max(X'*X)", "X", {}, "2*X*projector_max(X.T*X)"),
    ("lambda_max((X + X')/2)", "X", {}, "projector_max(X + X.T)"),
    ("norm_nuc(X)", "X", {}, "polar(X)"),
    ("norm_nuc(A*X - B)", "X", {"X": "matrix(n, k)"}, "A.T*polar(A*X - B)"),
    ("norm_spec(A*X)", "A", {}, "dominant(A*X)*X.T"),
    ("norm_spec(A*X)", "X", {}, "A.T*dominant(A*X)"),
    ("norm_spec(X)^2", "X", {}, "2*norm_spec(X)*dominant(X)"),
    ("tr(pinv(X)*B)", "X", {"X": "matrix(5, 3)"}, "-((X*pinv(X) - eye(5))*B*pinv(X) + pinv(X).T*B.T)*pinv(X).T"),
    ("tr(pinv(X)*B)", "X", {"X": "matrix(n, n)"}, "-pinv(X).T*B.T*pinv(X).T"),
    ("tr(adj(X))", "X", {}, "tr(adj(X))*inv(X).T - inv(X).T*adj(X).T"),
]
SIMPLER = [
    ("sqrtm(A)*sqrtm(A)", {}, "A"),
    ("sqrtm(A)^2", {}, "A"),
    ("sqrtm(A^2)", {"A": P}, "A"),
    ("sqrtm(A^2)", {}, "sqrtm(A^2)"),
    ("sqrtm(inv(A))", {}, "inv(sqrtm(A))"),
    ("sqrtm(4*A)", {}, "2*sqrtm(A)"),
    ("logm(expm(A))", {"A": S}, "A"),
    ("logm(expm(A))", {}, "logm(expm(A))"),
    ("expm(logm(A))", {}, "A"),
    ("logm(inv(A))", {}, "-logm(A)"),
    ("logm(eye(3))", {}, "zeros(3, 3)"),
    ("expm(zeros(3, 3))", {}, "eye(3)"),
    ("expm(diag(x))", {}, "diag(exp(x))"),
    ("expm(A')", {}, "expm(A).T"),
    ("expm(K)*expm(K)'", {"K": "matrix(n, n; skew)"}, "eye(n)"),
    ("expm_frechet(A, I)", {}, "expm(A)"),
    ("expm_frechet(A, A)", {}, "A*expm(A)"),
    ("expm_frechet(A, 3*I, B)", {}, "3*expm_frechet(A, B)"),
    ("expm_frechet(A', B')", {}, "expm_frechet(A, B).T"),
    ("logm_frechet(A, I)", {}, "inv(A)"),
    ("logm_frechet(A, A)", {}, "eye(n)"),
    ("chol(A)*chol(A)'", {"A": P}, "A"),
    ("chol(4*A)", {"A": P}, "2*chol(A)"),
    ("inv(chol(A))", {"A": P}, "inv(chol(A))"),
    ("inv(chol(A))'*inv(chol(A))", {"A": P}, "inv(A)"),
    ("lambda_max(-A)", {"A": S}, "-lambda_min(A)"),
    ("lambda_min(-2*A)", {"A": S}, "-2*lambda_max(A)"),
    ("lambda_max(-X - X')", {}, "-lambda_min(X + X.T)"),
    ("lambda_max(a*A)", {"A": S}, "lambda_max(a*A)"),
    ("lambda_max(a*A)", {"A": S, "a": "scalar(; positive)"}, "a*lambda_max(A)"),
    ("eigvecs(A)*eigvecs(A)'", {"A": S}, "eye(n)"),
    ("eigvecs(A)*diag(eigvals(A))*eigvecs(A)'", {"A": S}, "A"),
    ("norm_nuc(X'*X)", {}, "tr(X.T*X)"),
    ("norm_spec(X'*X)", {}, "lambda_max(X.T*X)"),
    ("norm_spec(-3*X')", {}, "3*norm_spec(X)"),
    ("norm_spec(x)", {}, "norm2(x)"),
    ("polar(X)'*polar(X)", {"X": "matrix(5, 3)"}, "eye(3)"),
    ("polar(X)*polar(X)'", {"X": "matrix(5, 3)"}, "polar(X)*polar(X).T"),
    ("polar(Q)", {"Q": "matrix(n, n; orthogonal)"}, "polar(Q)"),
    ("pinv(X)*X", {"X": "matrix(5, 3)"}, "eye(3)"),
    ("X*pinv(X)", {"X": "matrix(5, 3)"}, "X*pinv(X)"),
    ("pinv(A)", {"A": "matrix(n, n; invertible)"}, "inv(A)"),
    ("X*adj(X)", {}, "det(X)*eye(n)"),
    ("adj(2*A)", {"A": "matrix(3, 3)"}, "4*adj(A)"),
    ("sylvester(A, A, I)", {"A": P}, "1/2*inv(A)"),
    ("sylvester(A', B', C')", {"A": "matrix(2, 2)", "B": "matrix(3, 3)"}, "sylvester(B, A, C).T"),
]
REFUSED = [
    ("chol(X)", '--let "X: matrix(n, n; posdef)"'),
    ("eigvals(X)", '--let "X: matrix(n, n; symmetric)"'),
    ("lambda_max(X)", '--let "X: matrix(n, n; symmetric)"'),
    ("eigvecs(X*X)", "is not known to be one"),
    ("projector_min(X)", "is not known to be one"),
]
KNOWN = [
    ("chol(X*X' + I)", {}),
    ("chol(X'*X)", {}),
    ("chol(X'*A*X + a*I)", {"A": P, "a": "scalar(; positive)"}),
    ("chol(A + B)", {"A": P, "B": "matrix(n, n; psd)"}),
    ("chol(inv(A))", {"A": P}),
    ("chol(expm(A))", {"A": S}),
    ("eigvals((X + X')/2)", {}),
    ("eigvals(X*X' - A)", {"A": S}),
    ("lambda_min(X'*A*X)", {"A": S}),
    ("lambda_max(logm(A) + sqrtm(A))", {"A": P}),
]
SECOND = [
    ("norm_nuc(X)", "X", {"X": "matrix(m, n)"}),
    ("norm_nuc(X')", "X", {"X": "matrix(m, n)"}),
    ("tr(B*expm(A))", "A", {"A": "matrix(3, 3)"}),
    ("tr(B*expm(A))", "A", {"A": "matrix(3, 3; symmetric)"}),
    ("tr(B*logm(A))", "A", {"A": "matrix(3, 3; principal)"}),
    ("tr(B*sqrtm(A))", "A", {"A": "matrix(3, 3; principal)"}),
    ("tr(B*sqrtm(A))", "A", {"A": "matrix(3, 3; posdef)"}),
    ("b'*chol(A)*c", "A", {"A": "matrix(3, 3; posdef)", "b": "vector(3)", "c": "vector(3)"}),
    ("b'*chol(X'*X)*c", "X", {"X": "matrix(4, 3)", "b": "vector(3)", "c": "vector(3)"}),
    ("sum(exp(eigvals(A)))", "A", {"A": "matrix(3, 3; symmetric)"}),
    ("b'*eigvals(X'*X)", "X", {"X": "matrix(4, 3)", "b": "vector(3)"}),
    ("lambda_max(X'*X)", "X", {"X": "matrix(4, 3)"}),
    ("lambda_min(A)^2", "A", {"A": "matrix(3, 3; symmetric)"}),
    ("norm_spec(X)", "X", {"X": "matrix(4, 3)"}),
    ("norm_nuc(X)", "X", {"X": "matrix(4, 3)"}),
    ("norm_nuc(X)", "X", {"X": "matrix(2, 3)"}),
    ("norm_nuc(X)", "X", {"X": "matrix(n, n)"}),
    ("tr(pinv(X)*B)", "X", {"X": "matrix(4, 3)"}),
    ("tr(pinv(X)*B)", "X", {"X": "matrix(m, n)"}),
    ("tr(adj(X)*B)", "X", {"X": "matrix(3, 3; invertible)"}),
]


@pytest.mark.parametrize(("text", "name", "let", "printed"), GRADIENTS, ids=[f"{r[0]} by {r[1]}" for r in GRADIENTS])
def test_a_gradient_prints_as_a_textbook_has_it(text: str, name: str, let: dict[str, str], printed: str) -> None:
    assert str(mc.grad(text, name, let or None)) == printed


@pytest.mark.parametrize(("text", "let", "printed"), SIMPLER, ids=[f"{r[0]} {r[1]}" for r in SIMPLER])
def test_what_is_simpler_is_written_so_and_nothing_else(text: str, let: dict[str, str], printed: str) -> None:
    assert str(mc.parse(text, let or None)) == printed


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[r[0] for r in REFUSED])
def test_a_matrix_not_known_symmetric_is_refused_with_what_to_declare(text: str, said: str) -> None:
    with pytest.raises(mc.MatcalcError, match="is defined for a symmetric matrix") as caught:
        mc.parse(f"sum({text})")
    assert said in str(caught.value)
    assert "\n  sum(" in str(caught.value)


@pytest.mark.parametrize(("text", "let"), KNOWN, ids=[r[0] for r in KNOWN])
def test_a_matrix_symmetric_by_its_form_is_taken(text: str, let: dict[str, str]) -> None:
    assert mc.parse(text, let or None).node.facts is not None


def drawn(variable: mc.Variable, rng: Any) -> torch.Tensor:
    """A value with the declared properties."""
    sizes = [{"m": 4, "n": 3}.get(str(size), size) for size in variable.shape]
    rows, cols = [*sizes, 1, 1][:2]
    sample = next((PROPERTIES[p].sample for p in variable.properties if PROPERTIES[p].sample), None)
    made = rng.standard_normal((rows, cols)) if sample is None else sample(rng, rows, cols)
    return torch.tensor(made.reshape(sizes))


@pytest.mark.parametrize(("text", "name", "let"), SECOND, ids=[f"{r[0]} {r[2].get(r[1])}" for r in SECOND])
def test_a_second_derivative_is_that_of_autograd(text: str, name: str, let: dict[str, str]) -> None:
    import numpy as np

    f = mc.parse(text, let)
    rng = np.random.default_rng(7)
    values = {each: drawn(v, rng) for each, v in f.variables.items()}
    V = torch.tensor(rng.standard_normal(values[name].shape))
    project = (lambda G: (G + G.mT) / 2) if mc.grad(f, name).projected else (lambda G: G)
    value = f.compile()
    _, want = torch.autograd.functional.hvp(lambda X: value(**{**values, name: X}), values[name], project(V))
    made = mc.hvp(f, name, "V").compile()(**values, V=project(V))
    torch.testing.assert_close(made, project(want), rtol=1e-7, atol=1e-7)
