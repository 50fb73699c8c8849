"""The order of terms and factors, the sign of a difference, transposes: as the text had them, else by convention."""

from __future__ import annotations

import pytest

import matcalc as mc

GRADIENTS = [
    ("norm2(T - X*W)^2", "W", "-2*X.T*(T - X*W)"),
    ("norm2(X*W - T)^2", "W", "2*X.T*(X*W - T)"),
    ("norm2(A - U*V')^2", "V", "-2*(A - U*V.T).T*U"),
    ("norm2(m - x)^2", "x", "2*(x - m)"),
    ("norm2(x - m)^2 + norm2(m - x)^2", "x", "4*(x - m)"),
    ("a*(b - a)^2", "b", "2*a*(b - a)"),
    ("a*(c - b)^2", "b", "-2*a*(c - b)"),
    ("1/(b - a)", "a", "1/(b - a)^2"),
    ("tr(A*(T - X*W)'*(T - X*W))", "T", "(T - X*W)*(A + A.T)"),
    ("tr(A)*det(A*X)", "A", "det(A*X)*(eye(n) + tr(A)*inv(A).T)"),
    ("a*det(X^2)*det(A)", "a", "det(A)*det(X^2)"),
    ("sum(sin(x).*x.^2)", "x", "x.^2.*cos(x) + 2*x.*sin(x)"),
    ("-log(sigmoid(w'*(x - y)))", "w", "-(1 - sigmoid(w.T*(x - y)))*(x - y)"),
    ("-log(sigmoid(b*(c - a)))", "c", "-b*(1 - sigmoid(b*(c - a)))"),
    ("-a*exp(b)*(1 + b^2 - exp(a))", "a", "a*exp(a)*exp(b) - exp(b)*(1 + b^2 - exp(a))"),
    ("-sum(y.*log(y))", "y", "-log(y) - 1"),
    ("exp(-(w'*x + b))", "w", "-exp(-(w.T*x + b))*x"),
    ("exp(-norm2(x - y)^2/(2*a^2))", "a", "norm2(x - y)^2*exp(-norm2(x - y)^2/(2*a^2))/a^3"),
    ("(h'*A*h)*(k'*B*k)", "A", "(k.T*B*k)*h*h.T"),
    ("a*(h'*A*h)*(k'*B*k)", "a", "(h.T*A*h)*(k.T*B*k)"),
    ("sum((1./(a*x)).*y)", "y", "1./(a*x)"),
]
TEXTS = [
    "b - a",
    "y.*x",
    "x.*y",
    "x'*y",
    "y'*x",
    "(1 - 2*a)*b",
    "(b - a)*a",
    "(c - b)*a*b",
    "z + x - y",
    "det(A*X)",
    "(A + B).T",
]


@pytest.mark.parametrize(("text", "name", "printed"), GRADIENTS, ids=[f"{g[0]} by {g[1]}" for g in GRADIENTS])
def test_a_result_is_written_like_what_was_typed(text: str, name: str, printed: str) -> None:
    assert str(mc.grad(text, name)) == printed


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_typed_is_printed_as_typed(text: str) -> None:
    assert str(mc.parse(text)).replace(".T", "'") == text.replace(".T", "'")


@pytest.mark.parametrize(("text", "name", "_"), GRADIENTS, ids=[f"{g[0]} by {g[1]}" for g in GRADIENTS])
def test_how_it_is_presented_changes_no_node(text: str, name: str, _: str) -> None:
    """The text has the order; the node is the one of the same text with its terms turned around."""
    f = mc.parse(text)
    let = {v.name: v.declaration for v in f.variables.values()}
    assert mc.parse(str(f), let).node is f.node


def test_latex_is_put_together_alike() -> None:
    assert mc.grad("norm2(A - U*V')^2", "V").latex() == r"-2 \left(A - U V^\top\right)^\top U"
    assert mc.parse("A.T + B.T").latex() == r"\left(A + B\right)^\top"
