"""Claims that hold on both sides of every kink and fail between two of them; and right ones beside them."""

from __future__ import annotations

import pytest

import matcalc as mc
from matcalc.checking.cells import between_kinks
from matcalc.checking.points import Point
from matcalc.checking.question import CheckOptions, Question

NUMBER, VECTOR = {"x": "scalar"}, {"x": "vector(n)"}
WRONG = [
    ("maximum(minimum(x, 30), 20)", "0", NUMBER),
    ("minimum(maximum(x, 2), 3)", "0", NUMBER),
    ("where(x - 20, abs(x - 30), x)", "1", NUMBER),
    ("where(x^2 - 2, abs(x^2 - 3), x)", "where(x^2 - 2, 2*x, 1)", NUMBER),
    ("where(exp(x) - 2, abs(exp(x) - 3), x)", "where(exp(x) - 2, exp(x), 1)", NUMBER),
    ("relu(x - 20) - relu(x - 30)", "0", NUMBER),
    ("abs(x - 20) - abs(x - 30)", "0", NUMBER),
    ("x + relu(x - 100)*relu(150 - x)", "1", NUMBER),
    ("where(x - 1, relu(1.1 - x), 0)", "0", NUMBER),
    ("relu(x - 2)*abs(x - 2.2)", "where(x - 2, 2*x - 4.2, 0)", NUMBER),
    ("relu(x - 11) - 2*relu(x - 15) + relu(x - 19)", "0", NUMBER),
    ("sum(where(x - 20, abs(x - 21), x))", "1 + 0*x", VECTOR),
    ("sum(maximum(minimum(x, 30), 20))", "0*x", VECTOR),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("text", "claim", "let"), WRONG, ids=[row[0] for row in WRONG])
def test_a_claim_that_fails_between_two_kinks_is_refuted(text: str, claim: str, let: dict[str, str], seed: int) -> None:
    assert mc.check(text, "x", claim=claim, let=let, seed=seed).verdict == "refuted"


@pytest.mark.parametrize(("text", "claim", "let"), WRONG, ids=[row[0] for row in WRONG])
def test_the_derivation_holds_there(text: str, claim: str, let: dict[str, str]) -> None:
    assert mc.grad(text, "x", let).check().verdict == "verified"


def test_a_function_is_asked_between_kinks_too() -> None:
    assert mc.check("abs(x - 20) - abs(x - 30)", "x", claim=lambda x: 0 * x, let=NUMBER).verdict == "refuted"


def test_points_lie_between_the_kinks() -> None:
    f = mc.parse("relu(x - 1)*relu(1.001 - x)", NUMBER)
    asked = Question(f.node, "x", tuple(v.node for v in f.typed.variables), mc.grad(f, "x").node)
    outside = [Point({}, {"x": single(value)}) for value in (0.5, 2.0)]
    found = [at.values["x"].item() for at in between_kinks(asked, CheckOptions(), outside)]
    assert len(found) == 1
    assert 1 < found[0] < 1.001
    assert not between_kinks(asked, CheckOptions(), [*outside, Point({}, {"x": single(found[0])})])


def single(value: float) -> object:
    import numpy as np

    return np.array([[value]])
