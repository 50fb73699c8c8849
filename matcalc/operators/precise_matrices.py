"""Object arrays of high-precision numbers through mpmath's matrix functions and back: what reference values need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_IMAGINARY = "1e-12"


def single(value: Any) -> Any:
    """A number as a 1×1 array."""
    import numpy as np

    return np.array([[value]], dtype=object)


def column(values: Any) -> Any:
    """Numbers as an n×1 array."""
    import numpy as np

    made = np.empty((len(values), 1), dtype=object)
    made[:, 0] = list(values)
    return made


def to_mpmath(array: Any) -> Any:
    """An array as an mpmath matrix."""
    import mpmath

    return mpmath.matrix(array.tolist())


def from_mpmath(matrix: Any) -> Any:
    """An mpmath matrix as an array of real numbers.

    Raises:
        ValueError: where an entry is not real.
    """
    import mpmath
    import numpy as np

    made = np.empty((matrix.rows, matrix.cols), dtype=object)
    for index in np.ndindex(made.shape):
        value = mpmath.mpc(matrix[index])
        if abs(value.imag) > mpmath.mpf(_IMAGINARY) * (1 + abs(value.real)):
            raise ValueError("the value is not real")
        made[index] = value.real
    return made


def through_mpmath(action: Callable[[Any], Any], array: Any) -> Any:
    """``action`` of mpmath matrices, applied to an array."""
    return from_mpmath(action(to_mpmath(array)))


def determinant(array: Any) -> Any:
    """The determinant of a square array, 0 where it is singular."""
    import mpmath

    try:
        return mpmath.det(to_mpmath(array))
    except TypeError:  # mpmath finds no pivot in a column of zeros
        if not all(mpmath.isfinite(entry) for entry in array.flat):
            raise
        return mpmath.mpf(0)


def symmetric_part(array: Any) -> Any:
    """(A + A')/2: a smooth extension, off the symmetric matrices, of what is defined on them."""
    return (array + array.T) / 2


def eigensystem(array: Any) -> tuple[list[Any], Any]:
    """The eigenvalues of a symmetric array, ascending, and the unit eigenvectors as columns of an array."""
    import mpmath

    values, vectors = mpmath.eigsy(to_mpmath(symmetric_part(array)))
    order = sorted(range(len(values)), key=lambda k: values[k])
    return [values[k] for k in order], from_mpmath(vectors)[:, order]


def singular_system(array: Any) -> tuple[Any, list[Any], Any]:
    """U, σ (descending) and V' of the thin singular value decomposition U·diag(σ)·V'."""
    import mpmath

    left, values, right = mpmath.svd_r(to_mpmath(array))
    order = sorted(range(len(values)), key=lambda k: -values[k])
    return from_mpmath(left)[:, order], [values[k] for k in order], from_mpmath(right)[order]
