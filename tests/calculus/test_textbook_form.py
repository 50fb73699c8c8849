"""Published gradients, printed as their sources write them, to our conventions."""

from __future__ import annotations

import pytest

import matcalc as mc

ROWS = [
    ("x.T*A*x - b.T*x", "x", {}, "(A + A.T)*x - b"),
    ("0.5*x'*A*x - b'*x", "x", {"A": "matrix(n, n; symmetric)"}, "A*x - b"),
    ("x'*A*x", "x", {"A": "matrix(n, n; symmetric)"}, "2*A*x"),
    ("x'*A*x", "A", {}, "x*x.T"),
    ("norm2(X*w - y)^2", "w", {}, "2*X.T*(X*w - y)"),
    ("norm2(A*x - y)", "x", {}, "A.T*(A*x - y)/norm2(A*x - y)"),
    ("log(det(X))", "X", {}, "inv(X).T"),
    ("logdet(X)", "X", {"X": "matrix(n, n; posdef)"}, "inv(X)"),
    ("det(X)", "X", {}, "det(X)*inv(X).T"),
    ("logdet(X'*X)", "X", {}, "2*X*inv(X.T*X)"),
    ("h'*inv(X)*k", "X", {}, "-inv(X).T*h*k.T*inv(X).T"),
    ("tr(X)^2 + 1", "X", {}, "2*tr(X)*eye(n)"),
    ("tr(X^3)", "X", {}, "3*(X^2).T"),
    ("tr(A*X*B)", "X", {}, "A.T*B.T"),
    ("tr(A*X'*B*X)", "X", {}, "B*X*A + B.T*X*A.T"),
    ("norm2(x - m)", "x", {"m": "vector(n)"}, "(x - m)/norm2(x - m)"),
    ("-t'*log(softmax(z))", "z", {"t": "vector(n)"}, "sum(t)*softmax(z) - t"),
    ("sum(tanh(W*x))", "x", {}, "W.T*(1 - tanh(W*x).^2)"),
    ("y'*log(sigmoid(X*w)) + (1 - y)'*log(1 - sigmoid(X*w))", "w", {}, "X.T*(y - sigmoid(X*w))"),
    ("tr(S*P) - logdet(P)", "P", {"P": "matrix(n,n; posdef)", "S": "matrix(n,n; posdef)"}, "S - inv(P)"),
    ("h'*S*k", "S", {"S": "matrix(n, n; symmetric)"}, "1/2*(h*k.T + k*h.T)"),
    ("sum(square(X .+ r))", "r", {"r": "row(n)", "X": "matrix(m, n)"}, "2*sum(X .+ r, 0)"),
    ("0.5*norm2(C*B*A*X - Y)^2", "B", {}, "C.T*(C*B*A*X - Y)*X.T*A.T"),
    ("f = 0.5*x'*A*x - b'*x; f*f", "x", {}, "(x.T*A*x - 2*b.T*x)*(1/2*(A + A.T)*x - b)"),
]


@pytest.mark.parametrize(("text", "name", "let", "printed"), ROWS, ids=[f"{r[0]} by {r[1]}" for r in ROWS])
def test_a_published_gradient_prints_as_published(text: str, name: str, let: dict[str, str], printed: str) -> None:
    assert str(mc.grad(text, name, let or None)) == printed
