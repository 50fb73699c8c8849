"""Every operator of the table, by its own samples: the gradient against witnesses, text that reads back, its image."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
from matcalc.expression.operator import TABLE, Sample

ROWS = [(op.name, sample) for op in TABLE.values() for sample in op.samples]
ERRORS = [(op.name, text, part) for op in TABLE.values() for text, part in op.errors]
UNSAMPLED = {"variable", "number", "size", "placed", "unvec", "kron_trace", "norm_fro"}


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
    assert again.node is mc.parse(row[1].text, let).node
    for name in f.variables:
        g = mc.grad(f, name)
        back = mc.parse(str(g), let)
        values = sampled(f, 5)
        ours, theirs = g.compile()(**values), back.compile()(**{k: values[k] for k in back.variables})
        np.testing.assert_allclose(
            np.broadcast_to(theirs.numpy().reshape(ours.shape), ours.shape), ours.numpy(), rtol=1e-9, atol=1e-9
        )


def sampled(f: mc.Expression, seed: int) -> dict[str, object]:
    """Tensors for the names of f, inside its domain."""
    import torch

    from matcalc.checking.points import point
    from matcalc.checking.question import CheckOptions, Question

    nodes = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, nodes[0].params[0], nodes, f.node), CheckOptions(seed=seed), 0)
    assert not isinstance(at, str), at
    shapes = {"scalar": lambda m: m.reshape(()), "vector": lambda m: m[:, 0]}
    return {v.params[0]: torch.tensor(shapes.get(v.params[1], lambda m: m)(at.values[v.params[0]])) for v in nodes}


@pytest.mark.parametrize(("name", "text", "part"), ERRORS, ids=lambda value: str(value)[:40])
def test_what_an_operator_refuses(name: str, text: str, part: str) -> None:
    with pytest.raises(mc.MatcalcError, match=part.replace(".", r"\.").replace("^", r"\^")):
        mc.grad(mc.parse(text), "x")


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_operator_says_what_it_is_and_has_samples(name: str) -> None:
    operator = TABLE[name]
    assert operator.says
    assert operator.samples or name in UNSAMPLED
