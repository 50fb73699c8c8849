"""Exponential, logarithm and square root of jets: mpmath's own functions of the block triangular matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from matcalc.operators.matrix_jets import Jet, exponential, jet, logarithm, square_root

FUNCTIONS: list[tuple[Callable[[Jet], Jet], Callable[[Any], Any], bool]] = [
    (exponential, lambda a: mpmath.expm(a, method="taylor"), False),
    (logarithm, mpmath.logm, True),
    (square_root, mpmath.sqrtm, True),
]
DIGITS = 60


def exact(array: Any) -> Any:
    return np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])(array)


def blocks(matrix: Any, directions: list[Any]) -> Any:
    """[[A, D], [0, A]], and so on for more directions."""
    whole = matrix
    for level, direction in enumerate(directions):
        corner = np.kron(np.eye(2**level, dtype=int).astype(object), direction)
        whole = np.block([[whole, corner], [np.zeros(whole.shape, dtype=object), whole]])
    return whole


@pytest.mark.parametrize("scale", [1e-12, 1.0, 40.0])
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(("ours", "theirs", "positive"), FUNCTIONS, ids=["exp", "log", "sqrt"])
def test_a_jet_holds_the_value_and_the_derivatives(
    ours: Any, theirs: Any, positive: bool, size: int, order: int, scale: float
) -> None:
    rng = np.random.default_rng([size, order])
    plain = rng.standard_normal((size, size))
    matrix = scale * (plain @ plain.T + 0.3 * plain + np.eye(size) if positive else plain)
    with mpmath.workdps(DIGITS):
        a, directions = exact(matrix), [exact(rng.standard_normal((size, size))) for _ in range(order)]
        made = ours(jet(a, directions))
        with mpmath.workdps(2 * DIGITS):  # theirs loses some where the matrix is small
            wanted = np.array(theirs(mpmath.matrix(blocks(a, directions).tolist())).tolist(), dtype=object)
        for found, right in ((made.matrix, wanted[:size, :size]), (made.last, wanted[:size, -size:])):
            assert abs(found - right).max() <= mpmath.mpf(10) ** (6 - DIGITS) * abs(right).max()


def test_what_is_nilpotent_or_far_from_normal() -> None:
    with mpmath.workdps(DIGITS):
        steep = exact(np.array([[1.0, 1e8], [0.0, 1.0]]))
        assert abs(exponential(jet(logarithm(jet(steep)).matrix)).matrix - steep).max() < mpmath.mpf("1e-45")
        assert abs(exponential(jet(exact(np.zeros((2, 2))))).matrix - exact(np.eye(2))).max() == 0
        assert abs(logarithm(jet(exact(np.eye(2)))).matrix).max() == 0


def test_a_square_is_the_square_of_its_root_and_its_derivative() -> None:
    rng = np.random.default_rng(5)
    with mpmath.workdps(DIGITS):
        a, d = exact(np.eye(3) * 2 + 0.4 * rng.standard_normal((3, 3))), exact(rng.standard_normal((3, 3)))
        root = square_root(jet(a, [d]))
        again = root @ root
        assert abs(again.matrix - a).max() < mpmath.mpf("1e-58")
        assert abs(again.last - d).max() < mpmath.mpf("1e-57")
        assert abs((root @ root.inverse()).last).max() < mpmath.mpf("1e-57")


@pytest.mark.parametrize("function", [logarithm, square_root])
def test_without_a_principal_value_there_is_none(function: Any) -> None:
    with mpmath.workdps(DIGITS), pytest.raises((ValueError, ZeroDivisionError)):
        function(jet(exact(np.diag([1.0, -1.0]))))
    with mpmath.workdps(DIGITS), pytest.raises((ValueError, ZeroDivisionError)):
        function(jet(exact(np.array([[0.0, 1.0], [0.0, 0.0]]))))
    with pytest.raises(ValueError, match="not finite"):
        exponential(jet(np.array([[mpmath.inf]], dtype=object)))
