"""Jacobians read off as matrices, against the differential that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import mpmath
import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.readoff import matrix_of
from matcalc.calculus.simplify import textbook
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE, Sample

ROWS = [pytest.param(sample, id=f"{op.name}: {sample.text}") for op in TABLE.values() for sample in op.samples]
WITHOUT = {
    "conv1d", "conv1d_full", "conv2d", "conv2d_full", "expm_frechet", "hstack", "logm_frechet", "maxpick1d",
    "maxpick2d", "maxunpool1d", "maxunpool2d", "vstack",
}  # fmt: skip
BY_SIZE = {"half_tril", "mirror_tril"}  # they have a matrix where their size is a number


def columns(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, 1, order="F")


def place(f: mc.Expression) -> Point:
    nodes = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, nodes[0].params[0], nodes, f.node), CheckOptions(trials=3), 0)
    assert isinstance(at, Point), at
    return at


def off(inner: Node, variable: Node, at: Point) -> float | None:
    """How far vec(dF) is from J·vec(dX), relative to its size; None where there is no closed form."""
    d = direction_for(variable)
    linear = differential(inner, variable, d)
    matrix = matrix_of(linear, d)
    if matrix is None:
        return None
    with mpmath.workdps(40):
        drawn = np.random.default_rng(7).standard_normal(at.values[variable.params[0]].shape)
        variables = (*(n for n in postorder(inner) if n.op == "variable"), d)
        values = lifted({**at.values, d.params[0]: drawn}, variables)
        wanted = columns(evaluate(linear, values, at.sizes))
        for form in (matrix, textbook(matrix)):
            made = evaluate(form, values, at.sizes) @ columns(values[d.params[0]])
            size = max(abs(wanted).max(), abs(made).max(), mpmath.mpf("1e-10"))
            if abs(made - wanted).max() > mpmath.mpf("1e-25") * size:
                return float(abs(made - wanted).max() / size)
    return 0.0


@pytest.mark.parametrize("sample", ROWS)
def test_a_jacobian_times_a_direction_is_the_differential(sample: Sample) -> None:
    """Of every intermediate value of every operator's samples, and of the gradient, by every name."""
    f = mc.parse(sample.text, sample.let)
    at = place(f)
    for v in f.typed.variables:
        values = [n for n in postorder(f.node) if n.depends_on(v.name)]
        values += [mc.grad(f, v.name).node] if f.node.is_scalar else []
        if any(n.op == "polar" and n.rows != 3 for n in postorder(*values)):
            values = values[:-1]  # whose differential depends on which of two unknown sizes is larger
        for inner in values:
            linear = differential(inner, v.node, direction_for(v.node))
            known = all(n.op not in WITHOUT | BY_SIZE for n in postorder(linear))
            assert off(inner, v.node, at) in ((0.0,) if known else (0.0, None)), (v.name, inner)


@pytest.mark.parametrize(
    ("name", "text", "damaged"),
    [
        ("product", "A*X*B", lambda right, J: build.multiply(build.number(2), right)),
        ("transpose", "X'", lambda right, J: J),
        ("times", "X.*Y", lambda right, J: build.negate(right)),
        ("diag", "A*diag(x)", lambda right, J: build.zeros(*right.shape)),
        ("kron", "kron(A, X)", lambda right, J: right + build.ones(*right.shape)),
    ],
)
def test_a_wrong_matrix_rule_is_noticed(
    name: str, text: str, damaged: Callable[[Node, Node], Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    f = mc.parse(text, {"A": "matrix(3, 3)", "X": "matrix(3, 3)", "x": "vector(3)"})
    at, variable = place(f), f.typed_variable("X" if "X" in text else "x")
    assert off(f.node, variable, at) == 0.0
    rule = TABLE[name].matrix
    assert rule is not None
    planted = replace(TABLE[name], matrix=lambda node, i, J: damaged(rule(node, i, J), J))
    monkeypatch.setitem(TABLE, name, planted)
    assert (off(f.node, variable, at) or 0.0) > 1e-3


def test_every_operator_without_a_matrix_is_known() -> None:
    """An operator that is linear in an argument has a matrix, or stands here with those that have no short one."""
    assert {op.name for op in TABLE.values() if op.transpose is not None and op.matrix is None} == WITHOUT
