"""Every operator of the table on every target, against the others and against arithmetic in 90 digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
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
from matcalc.expression.nodes import Node
from matcalc.expression.operator import TABLE, Sample
from matcalc.lowering.compile import compiled
from matcalc.lowering.emit import source
from matcalc.lowering.schedule import lower
from matcalc.lowering.targets import TARGETS
from matcalc.parsed import storage_of

ROWS = [(op.name, sample) for op in TABLE.values() for sample in op.samples]
BATCH = 3
UNCOMPILED = ("torch", "numpy")

pytestmark = pytest.mark.usefixtures("x64")
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1].text}")


@dataclass(frozen=True, eq=False)
class Both:
    """An expression with its gradients by every name, and points in its domain, all of the same sizes."""

    variables: tuple[Node, ...]
    outputs: tuple[tuple[Node, str], ...]
    points: tuple[Point, ...]

    def inputs(self, k: int) -> list[np.ndarray]:
        return [outside(self.points[k].values[v.params[0]], v.params[1]) for v in self.variables]

    def stacked(self) -> list[np.ndarray]:
        return [np.stack(copies) for copies in zip(*map(self.inputs, range(BATCH)), strict=True)]


def outside(matrix: np.ndarray, storage: str) -> np.ndarray:
    """A value as a caller holds it."""
    matrix = np.asarray(matrix, float)
    if storage == "scalar":
        return matrix.reshape(())
    return matrix[:, 0] if storage == "vector" else matrix


@cache
def both(row: tuple[str, Any]) -> Both:
    text, let = row
    f = mc.parse(text, dict(let) or None)
    variables = tuple(v.node for v in f.typed.variables)
    gradients = [(mc.grad(f, name).node, v.params[1]) for name, v in zip(f.variables, variables, strict=True)]
    question = Question(f.node, variables[0].params[0], variables, f.node)
    first = point(question, CheckOptions(seed=5), 0)
    assert isinstance(first, Point), first
    rest = [point(question, CheckOptions(seed=5, sizes=dict(first.sizes)), trial) for trial in range(1, BATCH)]
    assert all(isinstance(p, Point) for p in rest), rest
    return Both(variables, ((f.node, storage_of(f.node)), *gradients), (first, *rest))


@cache
def function(case: Both, target: str) -> Callable[..., Any]:
    program = lower(case.outputs, case.variables, target=target)
    made = compiled(program, source(program, target), target=target)
    return {"torch": on_tensors}.get(target, lambda f: f)(made)


@pytest.fixture(scope="module", autouse=True)
def _released() -> Iterator[None]:
    """What JAX keeps of hundreds of programs is gigabytes, and nothing after this file needs it."""
    yield
    function.cache_clear()
    jax.clear_caches()


def on_tensors(made: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *inputs: made(*map(torch.tensor, inputs))


def called(case: Both, target: str, inputs: list[np.ndarray]) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return [np.asarray(made) for made in function(case, target)(*inputs)]


def case_of(row: tuple[str, Sample]) -> Both:
    return both((row[1].text, tuple(row[1].let.items())))


def agree(got: np.ndarray, want: np.ndarray, bound: float) -> None:
    """Equal but for the rounding of the largest entry; never by NaN."""
    assert got.shape == want.shape
    assert np.isfinite(want).all()
    assert np.abs(got - want).max(initial=0) <= bound * max(np.abs(want).max(initial=0), 1e-3)


@every_row
def test_the_value_and_the_gradients_of_a_sample(row: tuple[str, Sample]) -> None:
    case = case_of(row)
    at = case.points[0]
    with mpmath.workdps(50):
        values = lifted(at.values)
        exact = [outside(evaluate(node, values, at.sizes).astype(float), look) for node, look in case.outputs]
    made = {target: called(case, target, case.inputs(0)) for target in UNCOMPILED}
    for ours, theirs, want in zip(*made.values(), exact, strict=True):
        agree(np.broadcast_to(ours, want.shape), want, 1e-11)
        agree(ours, theirs, 1e-11)


@every_row
@pytest.mark.parametrize("target", TARGETS)
def test_single_precision_in_single_precision_out(row: tuple[str, Sample], target: str) -> None:
    case = case_of(row)
    inputs = [value.astype(np.float32) for value in case.inputs(0)]
    if target == "jax":
        made = jax.eval_shape(function(case, target), *inputs)
        assert {value.dtype for value in made} == {np.dtype(np.float32)}
    else:
        made = called(case, target, inputs)
        assert {value.dtype for value in made} == {np.dtype(np.float32)}
        for got, want in zip(made, called(case, target, case.inputs(0)), strict=True):
            agree(got, want, 1e-3)


@every_row
@pytest.mark.parametrize("target", TARGETS)
def test_leading_axes_are_a_loop_in_numpy(row: tuple[str, Sample], target: str) -> None:
    """So JAX is compared with what was compared with 90 digits; uncompiled, as compiling takes longer than all else."""
    case = case_of(row)
    got = called(case, target, case.stacked())
    loop = [called(case, "numpy", case.inputs(k)) for k in range(BATCH)]
    for made, want in zip(got, map(np.stack, zip(*loop, strict=True)), strict=True):
        agree(np.broadcast_to(made, want.shape), want, 1e-11)
