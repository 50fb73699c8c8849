"""A product of a sum that is multiplied out has errors of the same size, cancellation or none."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from lowering_cases import Case, compiled, lower, n, name, source

from matcalc.expression.sizes import Size

UNIT = 2.0**-53
m, inner = Size.named("m"), Size.named("k")
T, U, V = name("T", m, n, "matrix"), name("U", m, inner, "matrix"), name("V", n, inner, "matrix")
A, x = name("A", n, n, "matrix"), name("x", n, 1, "vector")
FACTORED = {"m": 10, "n": 10, "k": 1000}
MULTIPLIED_OUT = {"m": 1000, "n": 1000, "k": 2}


def exactly(tensor: torch.Tensor) -> np.ndarray:
    return np.array([Fraction(value) for value in tensor.flatten().tolist()], dtype=object).reshape(tensor.shape)


def error(got: torch.Tensor, exact: np.ndarray, scale: torch.Tensor) -> float:
    """The largest error of an entry, in units of the roundoff of the terms' absolute values."""
    return max(map(float, (np.abs(exactly(got) - exact) / exactly(scale)).flatten())) / UNIT


@pytest.mark.parametrize("residual", [1.0, 1e-6, 1e-12, 0.0])
def test_a_low_rank_residual(residual):
    generator = torch.Generator().manual_seed(1)
    left, right, noise = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((20, 2), (30, 2), (20, 30))
    )
    target = left @ right.mT + residual * noise
    exact = (exactly(left) @ exactly(right).T - exactly(target)) @ exactly(right)
    scale = (left.abs() @ right.abs().mT + target.abs()) @ right.abs()
    case = Case((U @ V.T - T) @ V, (T, U, V), "matrix", torch.exp)
    texts, errors = [], []
    for sizes in (FACTORED, MULTIPLIED_OUT):
        program = lower([(case.node, case.storage)], case.variables, sizes)
        texts.append(source(program))
        errors.append(error(compiled(program, texts[-1])(target, left, right), exact, scale))
    assert ["U @ (V.mT @ V)" in text for text in texts] == [False, True]
    assert max(errors) <= 4


@pytest.mark.parametrize("symmetric", [1.0, 1e-8, 0.0])
def test_a_matrix_and_its_transpose(symmetric):
    generator = torch.Generator().manual_seed(2)
    square, noise = (torch.randn(20, 20, generator=generator, dtype=torch.float64) for _ in range(2))
    matrix, vector = square - square.mT + symmetric * noise, torch.randn(20, generator=generator, dtype=torch.float64)
    program = lower([((A + A.T) @ x, "vector")], (A, x))
    assert "A @ x + A.mT @ x" in source(program)
    exact = (exactly(matrix) + exactly(matrix).T) @ exactly(vector)
    scale = (matrix.abs() + matrix.abs().mT) @ vector.abs()
    assert error(compiled(program, source(program))(matrix, vector), exact, scale) <= 4
