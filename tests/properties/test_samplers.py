"""A sampler draws what has its property, and the property knows what has not."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc  # noqa: F401  fills the table
from matcalc.expression.property import PROPERTIES

KNOWING = sorted(name for name, record in PROPERTIES.items() if record.holds is not None)
OUTSIDE = {
    "orthogonal": [[1.0, 1.0], [0.0, 1.0]],
    "posdef": [[1.0, 2.0], [2.0, 1.0]],
    "full_rank": [[1.0, 2.0], [2.0, 4.0]],
    "principal": [[2.0, 1.0], [0.0, -1.0]],
    "positive_stable": [[0.0, 1.0], [-1.0, 0.0]],
}


@pytest.mark.parametrize("name", KNOWING)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_sample_has_its_property(name: str, size: int) -> None:
    record, rng = PROPERTIES[name], np.random.default_rng(size)
    assert record.sample is not None
    assert record.holds is not None
    assert all(record.holds(record.sample(rng, size, size)) for _ in range(50))


@pytest.mark.parametrize("name", KNOWING)
def test_a_matrix_without_the_property_is_told(name: str) -> None:
    holds = PROPERTIES[name].holds
    assert holds is not None
    assert not holds(np.array(OUTSIDE[name]))


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (1, 3)])
def test_full_rank_is_of_any_shape(shape: tuple[int, int]) -> None:
    sample, holds = PROPERTIES["full_rank"].sample, PROPERTIES["full_rank"].holds
    assert sample is not None
    assert holds is not None
    assert holds(sample(np.random.default_rng(0), *shape))
