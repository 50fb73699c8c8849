"""The simplifier: every rule by itself, and laws of the whole: it ends, keeps the value, and no order matters."""

from __future__ import annotations

import random
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matcalc as mc
from matcalc.calculus import simplify
from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.readoff import matrix_of
from matcalc.calculus.simplify import RULES, expanded, textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import TABLE, Sample
from matcalc.expression.rule import Rule, measure

USES = [(rule, sample) for rule in RULES for sample in rule.samples]


def raw_gradients(sample: Sample) -> list[tuple[mc.Expression, Node]]:
    """The gradients of a sample before anything is simplified."""
    f = mc.parse(sample.text, dict(sample.let) or None)
    found = []
    for name in f.variables:
        x = f.typed_variable(name)
        dx = direction_for(x)
        found.append((f, transposed_map(differential(f.node, x, dx), dx, build.number(1))))
    return found


def raw_derivatives(rule: Rule, sample: Sample) -> list[tuple[mc.Expression, Node]]:
    """The gradients or, where the rule's samples mean those, the Hessians before anything is simplified."""
    found = []
    for (f, gradient), v in zip(raw_gradients(sample), mc.parse(sample.text, sample.let).typed.variables, strict=True):
        if rule.kind == "grad":
            found.append((f, gradient))
            continue
        d = direction_for(v.node)
        hessian = matrix_of(differential(gradient, v.node, d), d)
        assert hessian is not None
        found.append((f, hessian))
    return found


def difference(f: mc.Expression, left: Node, right: Node) -> float:
    """The largest relative distance of two expressions at a point inside the domain of f."""
    variables = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, variables[0].params[0], variables, f.node), CheckOptions(seed=3), 0)
    assert isinstance(at, Point), at
    with mpmath.workdps(40):
        values = lifted(at.values, variables)
        a, b = (evaluate(node, values, at.sizes) for node in (left, right))
        return float(np.abs(a - b).max() / (np.abs(a).max() or 1))


def rewritten(rule: Rule, node: Node, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Node, Node]]:
    """What the rule rewrites on the way to textbook form, each with what it becomes."""
    seen: list[tuple[Node, Node]] = []

    def recorded(below: Node) -> Node | None:
        made = rule.rewrite(below)
        if made is not None and made is not below:
            seen.append((below, made))
        return made

    rules = [replace(rule, rewrite=recorded) if each is rule else each for each in RULES]
    monkeypatch.setattr(simplify, "RULES", rules)
    textbook(node)
    return seen


@pytest.mark.parametrize(("rule", "sample"), USES, ids=[f"{r.name}: {s.text}" for r, s in USES])
def test_a_rule_keeps_the_value_of_what_it_rewrites(
    rule: Rule, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = [(f, *pair) for f, raw in raw_derivatives(rule, sample) for pair in rewritten(rule, raw, monkeypatch)]
    assert uses, "the rule applies nowhere in this sample"
    for f, node, made in uses:
        assert made.shape == node.shape
        assert difference(f, node, made) < 1e-30


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.name))
def test_a_rule_says_what_it_is_and_where_it_comes_from(rule: Rule) -> None:
    assert rule.says
    assert rule.source
    assert rule.samples


@pytest.mark.parametrize("name", sorted(name for name, op in TABLE.items() if op.samples))
def test_textbook_and_expanded_form_keep_the_value_and_textbook_form_is_final(name: str) -> None:
    for sample in TABLE[name].samples[:2]:
        for f, raw in raw_gradients(sample):
            made = textbook(raw)
            assert measure(made) <= measure(raw)
            assert textbook(made) is made
            assert difference(f, raw, made) < 1e-30
            assert difference(f, raw, expanded(raw)) < 1e-30


TERMS = [
    "x'*A*x", "norm2(A*x - y)^2", "b*norm2(x)", "y'*x*b", "sum(x.*y.*x)", "x'*A'*A*x", "(x'*y)^2", "-2*x'*A*y",
    "sum(log1p(exp(-y.*x)))", "tr(x*y'*A)", "logsumexp(A*x)", "x'*(A + A')*x", "sum(abs(x).^3)",
]  # fmt: skip
LET = {"A": "matrix(n, n)", "x": "vector(n)", "y": "vector(n)", "b": "scalar"}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TERMS), min_size=2, max_size=6), st.integers(0, 2**16))
def test_the_order_of_terms_changes_nothing(terms: list[str], seed: int) -> None:
    shuffled = list(terms)
    random.Random(seed).shuffle(shuffled)  # noqa: S311  reproducible, not secret
    one, other = (mc.grad(" + ".join(each), "x", LET).node for each in (terms, shuffled))
    assert one is other


def test_what_becomes_reducible_twice_is_reduced_twice() -> None:
    """Two nodes that are one once their arguments are simplified."""
    x, y = (build.variable(name, (3, 1), "vector") for name in "xy")
    one = build.apply("sum", build.times(x, y))
    other = textbook(one)
    raw = [build.apply("log1p", build.apply("exp", u)) for u in (one, other)]
    assert raw[0] is not raw[1]
    softplus = build.apply("softplus", other)
    left, right = build.apply("sin", raw[0]), build.apply("cos", raw[1])
    assert textbook(left * right) is build.apply("sin", softplus) * build.apply("cos", softplus)
