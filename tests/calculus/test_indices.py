"""Index notation, as einsums, against the matrix of vec that it was read from, on every operator's samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.indices import entries
from matcalc.calculus.readoff import matrix_of
from matcalc.calculus.simplify import textbook
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.documents.einsums import contractions
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE, Sample
from matcalc.expression.sizes import as_integer

ROWS = [pytest.param(sample, id=f"{op.name}: {sample.text}") for op in TABLE.values() for sample in op.samples]

ONES = [
    Sample("sum(square(mean(log_softmax(A), 1)))", {"A": "matrix(2, 2; symmetric)"}),
    Sample("sum(exp(sum(log_softmax(A*X), 1)))", {"A": "matrix(2, 3)", "X": "matrix(3, 4)"}),
    Sample("sum(exp(sum(layernorm(X), 0)))", {"X": "matrix(3, 4)"}),
    Sample("sum(exp(ones(3)*ones(3)'*X*ones(2)))", {"X": "matrix(3, 2)"}),
]
"""Where an index is summed over that only ones have, so that the sum is a size."""
ROWS += [pytest.param(sample, id=sample.text) for sample in ONES]


def by_einsum(matrix: Node, rows: Any, cols: Any, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The tensor as the sum of its einsums; None where there is no index notation."""
    found = entries(matrix, rows, cols)
    terms = None if found is None else contractions(found)
    if terms is None:
        return None
    axes = [as_integer(size, sizes) for size in (*rows, *cols)]
    total = np.zeros(axes)
    for term in terms:
        operands = [np.asarray(evaluate(node, values, sizes), dtype=float) for node, _ in term.operands]
        fitted = [
            value.reshape(-1) if len(letters) == 1 else value
            for value, (_, letters) in zip(operands, term.operands, strict=True)
        ]
        front = float(evaluate(term.front, values, sizes)[0, 0])
        made = np.einsum(term.pattern, *fitted) if fitted else np.ones(axes)
        total = total + (-front if term.negative else front) * made.reshape(axes)
    return total


@pytest.mark.parametrize("sample", ROWS)
def test_index_notation_means_the_matrix(sample: Sample) -> None:
    """Of every intermediate value of every operator's samples, and of the gradient, by every name."""
    f = mc.parse(sample.text, sample.let)
    nodes = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, nodes[0].params[0], nodes, f.node), CheckOptions(trials=3), 0) if nodes else None
    assert not nodes or isinstance(at, Point), at
    for v in nodes:
        for inner in [n for n in postorder(f.node) if n.depends_on(v.params[0]) and n is not v]:
            d = direction_for(v)
            matrix = matrix_of(differential(inner, v, d), d)
            if matrix is not None:
                compare(textbook(matrix), inner, v, at)


def compare(matrix: Node, inner: Node, v: Node, at: Any) -> None:
    """The tensor of the einsums is the matrix with its axes unfolded."""
    with mpmath.workdps(20):
        values = lifted(at.values, tuple(n for n in postorder(inner) if n.op == "variable"))
        made = by_einsum(matrix, inner.shape, v.shape, values, at.sizes)
        wanted = np.asarray(evaluate(matrix, values, at.sizes), dtype=float)
    if made is not None:
        unfolded = wanted.reshape(made.shape, order="F")
        np.testing.assert_allclose(made, unfolded, rtol=1e-8, atol=1e-9 * max(np.abs(unfolded).max(), 1e-3))
