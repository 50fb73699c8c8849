"""A derivation in which any line is false cannot be printed: planted false rules are found, and the line is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import matcalc as mc
from matcalc.calculus import simplify
from matcalc.documents.derivation.derive import derivation_of
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import TABLE
from matcalc.expression.property import PROPERTIES
from matcalc.expression.rule import Rule

DEEP = "norm2(W3*tanh(W2*tanh(W1*x + b1) + b2) + b3 - y)^2"
DETAILS = ("brief", "normal", "every-step")


def planted(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> None:
    """Another record for an operator."""
    monkeypatch.setitem(TABLE, name, replace(TABLE[name], **changes))


def doubled(rule: Callable[[Node, int, Node], Node]) -> Callable[[Node, int, Node], Node]:
    return lambda node, i, d: build.multiply(build.number(2), rule(node, i, d))


FALSE_DIFFERENTIALS = [
    ("power", "norm2(A*x - b)^2", "x", {}, "power rule"),
    ("norm2", "norm2(A*x - b)", "x", {}, "differential of the norm"),
    ("exp", "sum(exp(A*x))", "x", {}, "chain rule for exp"),
    ("product", "x'*A*x", "x", {}, "product rule"),
    ("times", "sum(x.*y.*x)", "x", {}, "product rule"),
    ("inv", "tr(A*inv(X))", "X", {}, "differential of the inverse"),
    ("logdet", "logdet(X)", "X", {}, "Jacobi's formula for the logarithm"),
    ("det", "det(X)", "X", {}, "Jacobi's formula"),
    ("softmax", "y'*softmax(x)", "x", {}, "differential of softmax"),
    ("chol", "sum(chol(S))", "S", {"S": "matrix(n, n; posdef)"}, "differential of chol"),
]


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("row", FALSE_DIFFERENTIALS, ids=lambda row: row[0])
def test_a_false_differential_is_found_at_its_line(monkeypatch: pytest.MonkeyPatch, row: Any, detail: str) -> None:
    name, text, wrt, let, rule = row
    rule_of = TABLE[name].differential
    assert rule_of is not None
    planted(monkeypatch, name, differential=doubled(rule_of))
    g = mc.grad(text, wrt, let or None)
    with pytest.raises(mc.CheckError, match=r"line \(\d+\) of the derivation is false: df = ") as found:
        g.derivation(detail)
    assert rule in str(found.value)


@pytest.mark.parametrize("row", FALSE_DIFFERENTIALS, ids=lambda row: row[0])
def test_with_the_true_differential_it_is_printed(row: Any) -> None:
    _, text, wrt, let, rule = row
    assert any(rule in step.rule for step in mc.grad(text, wrt, let or None).derivation("every-step"))


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("product", "x'*A*x", "regroup the factors"),
        ("times", "sum(x.*y)^2 + sum(x.^3.*y)", "regroup the entrywise factors"),
        ("sum", "sum(exp(x))", "a sum of entries is the inner product with ones"),
        ("transpose", "x'*A*x", "a scalar equals its transpose"),
    ],
)
def test_a_false_transpose_is_found_at_its_line(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, rule: str
) -> None:
    rule_of = TABLE[name].transpose
    assert rule_of is not None
    planted(monkeypatch, name, transpose=doubled(rule_of))
    with pytest.raises(mc.CheckError, match="of the derivation is false") as found:
        mc.grad(text, "x").derivation("every-step")
    assert rule in str(found.value)


@pytest.mark.parametrize("detail", DETAILS)
def test_a_false_rule_of_the_simplifier_is_found_at_its_line(monkeypatch: pytest.MonkeyPatch, detail: str) -> None:
    """The last term of a sum of three is lost."""
    false = Rule(
        "forgetting",
        says="a + b + c = a + b",
        source="nowhere",
        on=("add",),
        rewrite=lambda node: build.add(*node.args[:2]) if len(node.args) == 3 else None,
        samples=(),
    )
    monkeypatch.setattr(simplify, "RULES", (false, *simplify.RULES))
    g = mc.grad("x'*A*x + b'*x", "x")
    with pytest.raises(mc.CheckError, match="forgetting"):
        g.derivation(detail)


def test_a_false_matrix_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rule_of = TABLE["times"].matrix
    assert rule_of is not None
    planted(monkeypatch, "times", matrix=doubled(rule_of))  # type: ignore[arg-type]
    with pytest.raises(mc.CheckError, match=r"write it as a matrix: c\.\*u = \(2\*diag\(c\)\)\*u"):
        mc.jacobian("tanh(W*x)", "x").derivation()


def test_a_false_projection_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    half = build.divide(build.number(1), build.number(3))
    false = replace(PROPERTIES["symmetric"], project=lambda G: build.multiply(half, build.add(G, G.T)))
    monkeypatch.setitem(PROPERTIES, "symmetric", false)
    with pytest.raises(mc.CheckError, match="the gradient is projected"):
        mc.grad("tr(A*X)", "X", {"X": "matrix(n, n; symmetric)"}).derivation()


def test_a_projection_onto_less_than_the_subspace_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out is seen by the direction; what is not in the subspace, by the projection itself."""
    monkeypatch.setitem(PROPERTIES, "symmetric", replace(PROPERTIES["symmetric"], project=lambda G: G))
    with pytest.raises(mc.CheckError, match="is false"):
        mc.grad("tr(A*X)", "X", {"X": "matrix(n, n; symmetric)"}).derivation()


@pytest.mark.parametrize("kind", ["grad", "jacobian"])
def test_a_false_rule_is_found_in_backpropagation(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    rule_of = TABLE["tanh"].differential
    assert rule_of is not None
    planted(monkeypatch, "tanh", differential=doubled(rule_of))
    text = DEEP if kind == "grad" else "tanh(W4*tanh(W3*tanh(W2*tanh(W1*x + b1) + b2) + b3) + b4)"
    with pytest.raises(mc.CheckError, match=r"chain rule: (delta2 is the gradient|J2 is the Jacobian)"):
        getattr(mc, kind)(text, "x").derivation()


def test_a_result_that_is_not_what_was_derived_is_found() -> None:
    g = mc.grad("x'*A*x", "x")
    other = mc.parse("2*A*x", {"A": "matrix(n, n)", "x": "vector(n)"}).node
    with pytest.raises(mc.CheckError, match="the same in textbook form"):
        derivation_of(replace(g._derived, shown=other))


@pytest.mark.parametrize("kind", ["jvp", "vjp", "hvp", "hessian"])
def test_a_false_rule_is_found_in_every_kind(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    rule_of = TABLE["exp"].differential
    assert rule_of is not None
    planted(monkeypatch, "exp", differential=doubled(rule_of))
    names = ("x", "v") if kind in ("jvp", "vjp", "hvp") else ("x",)
    text = "exp(A*x)" if kind == "vjp" else "sum(exp(A*x))"
    with pytest.raises(mc.CheckError, match="chain rule for exp"):
        getattr(mc, kind)(text, *names).derivation()


def test_without_a_point_nothing_is_printed() -> None:
    g = mc.grad("sum(log(-exp(x)))", "x")
    with pytest.raises(mc.CheckError, match="cannot be checked, so it is not printed"):
        g.derivation()
