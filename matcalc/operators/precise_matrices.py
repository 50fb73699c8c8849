"""Object arrays of high-precision numbers through mpmath's matrix functions and back: what reference values need."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

_IMAGINARY = "1e-12"
_GUARD = 20


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
    import numpy as np

    made = np.empty((matrix.rows, matrix.cols), dtype=object)
    for index in np.ndindex(made.shape):
        made[index] = _real(matrix[index])
    return made


def real_entries(array: Any) -> Any:
    """An array without what rounding leaves of imaginary parts.

    Raises:
        ValueError: where an entry is not real.
    """
    import numpy as np

    return np.vectorize(_real, otypes=[object])(array)


def _real(entry: Any) -> Any:
    import mpmath

    value = mpmath.mpc(entry)
    if abs(value.imag) > mpmath.mpf(_IMAGINARY) * (1 + abs(value.real)):
        raise ValueError("the value is not real")
    return value.real


def through_mpmath(action: Callable[[Any], Any], array: Any) -> Any:
    """``action`` of mpmath matrices, applied to an array.

    Raises:
        ZeroDivisionError: where a pivot is missing.
    """
    with _pivots(array):
        return from_mpmath(action(to_mpmath(array)))


@contextlib.contextmanager
def _pivots(*arrays: Any) -> Iterator[None]:
    """mpmath finds no pivot in a column of zeros, or of what is not a number, and goes on without one."""
    import mpmath

    try:
        yield
    except TypeError as error:
        if "NoneType" not in str(error):
            raise
        if all(mpmath.isfinite(entry) for array in arrays for entry in array.flat):
            raise ZeroDivisionError("the matrix is singular") from None
        raise ValueError("an entry is not finite") from None


def determinant(array: Any) -> Any:
    """The determinant of a square array, 0 where it is singular."""
    import mpmath

    try:
        with _pivots(array):
            return mpmath.det(to_mpmath(array))
    except ZeroDivisionError:
        return mpmath.mpf(0)


def solved(system: Any, right: Any) -> Any:
    """The x of system·x = right, by Gauss and Jordan's elimination with pivots; ``right`` may have several columns.

    Raises:
        ZeroDivisionError: where the system is singular.
    """
    import mpmath
    import numpy as np

    if not all(mpmath.isfinite(v) for array in (system, right) for v in array.flat):
        raise ValueError("an entry is not finite")
    with mpmath.extraprec(_GUARD):
        rows, n = np.hstack([system, right]) * mpmath.mpf(1), len(system)
        for k in range(n):
            best = k + max(range(n - k), key=lambda i: abs(rows[k + i, k]))
            if not rows[best, k]:
                raise ZeroDivisionError("the matrix is singular")
            rows[[k, best]] = rows[[best, k]]
            rows[k, k + 1 :] = rows[k, k + 1 :] / rows[k, k]
            others = np.arange(n) != k
            rows[others, k + 1 :] = rows[others, k + 1 :] - np.outer(rows[others, k], rows[k, k + 1 :])
    return +rows[:, n:]


def inverted(array: Any) -> Any:
    """The inverse.

    Raises:
        ZeroDivisionError: where there is none.
    """
    import numpy as np

    return solved(array, np.eye(len(array), dtype=int).astype(object))


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
