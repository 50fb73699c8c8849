"""Every operator's samples by the program for inputs without leading axes, against the general one."""

from __future__ import annotations

import pytest
import torch
from test_table import ROWS, identified, sampled

import matcalc as mc
from matcalc.expression.nodes import Node
from matcalc.expression.operator import Sample
from matcalc.lowering.compile import compiled
from matcalc.lowering.emit import source
from matcalc.lowering.schedule import lower


def looking_outside(node: Node, value: object) -> torch.Tensor:
    tensor = torch.as_tensor(value, dtype=torch.float64)
    looks = {"scalar": (), "vector": (tensor.numel(),)}
    return tensor.reshape(looks.get(node.params[1], tensor.shape))


@pytest.mark.parametrize("row", ROWS, ids=identified)
def test_a_sample_and_its_gradients_are_the_same_without_leading_axes(row: tuple[str, Sample]) -> None:
    f = mc.parse(row[1].text, dict(row[1].let) or None)
    values = sampled(f).values
    for name in f.variables:
        g = mc.grad(f, name)
        inputs = [looking_outside(node, values[node.params[0]]) for node in g._nodes]
        general, own = (lower(g._outputs(True), g._nodes, batched=batched) for batched in (True, False))
        wanted, got = (compiled(program, source(program))(*inputs) for program in (general, own))
        for one, other in zip(wanted, got, strict=True):
            assert one.shape == other.shape
            torch.testing.assert_close(other, one, rtol=1e-9, atol=1e-9)
