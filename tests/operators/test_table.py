"""Every operator of the table, by its own samples: the gradient against witnesses, text that reads back, its image."""

from __future__ import annotations

import re

import mpmath
import numpy as np
import pytest

import matcalc as mc
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression.operator import TABLE, Sample

ROWS = [(op.name, sample) for op in TABLE.values() for sample in op.samples]
ERRORS = [(op.name, text, part) for op in TABLE.values() for text, part in op.errors]
UNSAMPLED = {"kept_from_zero", "pending", "variable", "number", "size", "placed", "unvec", "kron_trace"}


def identified(row: tuple[str, Sample]) -> str:
    return f"{row[0]}-{row[1].text}"


@pytest.mark.parametrize("row", ROWS, ids=identified)
def test_the_gradient_of_a_sample_is_verified_by_every_name(row: tuple[str, Sample]) -> None:
    f = mc.parse(row[1].text, dict(row[1].let) or None)
    for name in f.variables:
        report = mc.grad(f, name).check(trials=3)
        assert report.verdict == "verified", f"{name}: {report}"
        assert report.trials >= 2, report.discarded


@pytest.mark.parametrize("row", ROWS, ids=identified)
def test_a_sample_and_its_gradients_read_back_as_the_same_expression(row: tuple[str, Sample]) -> None:
    f = mc.parse(row[1].text, dict(row[1].let) or None)
    let = {name: v.declaration for name, v in f.variables.items()}
    again = mc.parse(str(f), let)
    assert str(mc.parse(str(again), let)) == str(again)
    at = sampled(f)
    with mpmath.workdps(40):
        values = lifted(at.values)
        for name in f.variables:
            g = mc.grad(f, name)
            ours, theirs = (evaluate(node, values, at.sizes) for node in (g.node, mc.parse(str(g), let).node))
            gap = np.abs(np.broadcast_to(theirs, ours.shape) - ours).max()
            assert gap <= mpmath.mpf("1e-30") * np.abs(ours).max()


def sampled(f: mc.Expression) -> Point:
    """A point inside the domain of f."""
    nodes = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, nodes[0].params[0], nodes, f.node), CheckOptions(seed=5), 0)
    assert isinstance(at, Point), at
    return at


@pytest.mark.parametrize(("name", "text", "part"), ERRORS, ids=lambda value: str(value)[:40])
def test_what_an_operator_refuses(name: str, text: str, part: str) -> None:
    with pytest.raises(mc.MatcalcError, match=re.escape(part)):
        mc.grad(mc.parse(text), "x")


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_operator_says_what_it_is_and_has_samples(name: str) -> None:
    operator = TABLE[name]
    assert operator.says
    assert operator.samples or name in UNSAMPLED
