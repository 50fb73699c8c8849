"""What overflows on the way though its value does not: computed without, on every target, to the same value."""

from __future__ import annotations

import random
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression.operator import TABLE
from matcalc.lowering.stable import stable

ENDS = np.array([-800.0, -40.0, 0.0, 0.5, 40.0, 800.0])
LABELS = np.array([0.0, 1.0, 0.25, 0.5, 1.0, 0.0])

WRITTEN = [
    "sum(log(1 + exp(x)))",
    "sum(log(exp(-x) + 1))",
    "sum(log1p(exp(x)))",
    "sum(1./(1 + exp(-x)))",
    "sum(1./(1 + exp(x)).^2)",
    "sum(exp(x)./(1 + exp(x)))",
    "sum(exp(2*x)./(1 + exp(x)).^2)",
    "sum(x./(1 + exp(-x)))",
    "sum(log(1./(1 + exp(-x))))",
    "sum(log(1 - 1./(1 + exp(-x))))",
    "-y'*log(sigmoid(x)) - (1 - y)'*log(1 - sigmoid(x))",
    "-y'*log(1./(1 + exp(-x))) - (1 - y)'*log(1 - 1./(1 + exp(-x)))",
    "sum(log(1 + exp(-y.*x)))",
    "y'*exp(x)/sum(exp(x))",
]
POSDEF = {"X": "matrix(n, n; posdef)"}

pytestmark = pytest.mark.usefixtures("x64")


def exact(node: Any, values: dict[str, np.ndarray]) -> np.ndarray:
    with mpmath.workdps(800):
        made = evaluate(node, lifted({name: value[:, None] for name, value in values.items()}), {"n": len(ENDS)})
        return made.astype(float)


@pytest.mark.parametrize("target", ["torch", "numpy", "jax"])
@pytest.mark.parametrize("text", WRITTEN)
def test_no_overflow(text: str, target: str) -> None:
    f = mc.parse(text, {"x": "vector(n)", **({"y": "vector(n)"} if "y" in text else {})})
    values = {"x": ENDS, "y": LABELS} if "y" in text else {"x": ENDS}
    g = mc.grad(f, "x")
    made = g.compile(target, with_value=True)
    made = jax.jit(made) if target == "jax" else made
    value, gradient = made(**{k: torch.tensor(v) if target == "torch" else v for k, v in values.items()})
    np.testing.assert_allclose(np.asarray(value), exact(f.node, values)[0, 0], rtol=1e-12)
    np.testing.assert_allclose(np.asarray(gradient), exact(g.node, values)[:, 0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("text", "let", "part"),
    [
        ("log(1 + exp(a))", {}, "logaddexp(a"),
        ("log(det(X))", POSDEF, "slogdet(X)"),
        ("log(det(X))", {"X": "matrix(n, n)"}, "np.log(np.linalg.det(X)"),
        ("log(3*det(X)^2)", POSDEF, "2 * np.linalg.slogdet(X)"),
        ("log(det(X)*det(Y))", POSDEF, "np.log(np.linalg.det(X)"),
        ("y'*log(softmax(x))", {}, "log_softmax(x, axis=-2)"),
        ("log(2 + exp(a))", {}, "np.log(np.exp(a) + 2)"),
        ("sum(1./(1 + exp(X)).^Y)", {}, "np.exp(X)"),
    ],
)
def test_what_is_computed(text: str, let: dict[str, str], part: str) -> None:
    assert part in mc.parse(text, let or None).source("numpy")


def test_a_large_determinant() -> None:
    """det overflows for 200×200 matrices that are nothing special."""
    f = mc.parse("log(det(X))", POSDEF)
    X = 1e3 * np.eye(200)
    assert f.compile("numpy")(X) == pytest.approx(200 * np.log(1e3))


def test_the_literal_program_computes_what_is_written() -> None:
    from matcalc.lowering.emit import source
    from matcalc.lowering.schedule import lower

    f = mc.parse("sum(log(1 + exp(x)))")
    literal = source(lower([(f.node, "scalar")], [f.typed_variable("x")], optimise=False))
    assert "torch.log(1 + torch.exp(x))" in literal.replace("torch.ones(n, 1, dtype=x.dtype, device=x.device)", "1")


SAMPLES = [(s.text, s.let) for op in TABLE.values() for s in op.samples]
LOGISTIC = [(text, {}) for text in WRITTEN] + [("log(3*det(X)^2)", POSDEF), ("sum(log(sigmoid(A*x).*exp(x)))", {})]


@pytest.mark.parametrize(("text", "let"), SAMPLES + LOGISTIC, ids=lambda v: v if isinstance(v, str) else "")
def test_the_value_stays(text: str, let: dict[str, str]) -> None:
    """Every expression, its gradients and their derivatives, before and after, in 50 digits."""
    f = mc.parse(text, dict(let) or None)
    nodes = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, nodes[0].params[0], nodes, f.node), CheckOptions(seed=7), 0)
    assert isinstance(at, Point), at
    roots = [f.node, *(mc.grad(f, name).node for name in f.variables)]
    with mpmath.workdps(50):
        values = lifted(at.values)
        for before, after in zip(roots, stable(roots), strict=True):
            assert after.shape == before.shape
            want, got = (evaluate(node, values, at.sizes) for node in (before, after))
            assert np.abs(got - want).max() <= mpmath.mpf("1e-40") * (1 + np.abs(want).max())


@pytest.mark.parametrize("seed", range(40))
def test_the_value_of_random_logistic_expressions_stays(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  reproducible, not secret

    def factor() -> str:
        u = draw.choice(["x", "-x", "2*x", "-3*x", "(x - y)", "(y - x)", "x/2"])
        power = draw.choice(["", ".^2", ".^3", ".^(-1)", ".^(-2)", ".^(-1/2)"])
        return draw.choice([f"exp({u})", f"(1 + exp({u}))", f"sigmoid({u})", f"(1 - sigmoid({u}))", "y"]) + power

    product = ".*".join(factor() for _ in range(draw.randint(2, 4)))
    text = draw.choice(["sum({})", "sum(log({}))", "sum(y.*({} + exp(-x)))", "sum(exp(x).*({} + sigmoid(-x)))"])
    test_the_value_stays(text.format(product), {"x": "vector(n)", "y": "vector(n; positive)"})
