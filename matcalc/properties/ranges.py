"""Where the entries lie."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

from matcalc.expression.property import Property, define_property


def _signs(rng: Any, rows: int, cols: int) -> Any:
    return rng.choice([-1.0, 1.0], size=(rows, cols))


_PARTS = 2**16


def _softmax(rng: Any, rows: int, cols: int, steep: float = 1.0) -> Any:
    """Multiples of a power of two: in binary arithmetic of any precision they add up to exactly one."""
    import numpy as np

    axis = 0 if cols == 1 else 1
    weights = np.exp(steep * rng.standard_normal((rows, cols)))
    parts = np.maximum(np.rint(weights / weights.sum(axis=axis, keepdims=True) * _PARTS), 1)
    largest = np.expand_dims(parts.argmax(axis=axis), axis)
    left_over = _PARTS - parts.sum(axis=axis, keepdims=True)
    np.put_along_axis(parts, largest, np.take_along_axis(parts, largest, axis) + left_over, axis)
    return parts / _PARTS


def _adding_up(fresh: Any, rows: int, cols: int, part: int) -> Any:
    """All entries but the last are free, in each row of a matrix."""
    import numpy as np

    made = np.empty((rows, cols), dtype=object)
    lines = [made[:, 0]] if cols == 1 else list(made)
    for line in lines:
        line[:] = [fresh() for _ in line]
        line[-1] = 1 - line[:-1].sum() if len(line) > 1 else fresh() * 0 + 1
    return made


def _is_onehot(x: Any) -> Any:
    return ((x == 0) | (x == 1)) & (x.sum(axis=0 if x.shape[1] == 1 else 1, keepdims=True) == 1)


def _onehot(rng: Any, rows: int, cols: int) -> Any:
    import numpy as np

    made = np.zeros((rows, cols))
    if cols == 1:
        made[rng.integers(rows), 0] = 1
    else:
        made[np.arange(rows), rng.integers(cols, size=rows)] = 1
    return made


def _whole(x: Any) -> Any:
    """Whole numbers: of a skew matrix (X - X')/2 halves are, which go to the even neighbour on both sides of zero."""
    import mpmath
    import numpy as np

    return np.vectorize(mpmath.nint, otypes=[object])(x)


for _record in (
    Property(
        "nonzero",
        "no entry is zero",
        dense=True,
        conic=True,
        each=lambda x: x != 0,
        sample=lambda rng, m, n: _signs(rng, m, n) * rng.uniform(0.5, 1.5, (m, n)),
    ),
    Property(
        "nonnegative",
        "no entry is negative",
        follows=(frozenset({"integer", "above_minus_one"}),),
        dense=True,
        entries=(Fraction(0), inf),
        conic=True,
        each=lambda x: x >= 0,
        sample=lambda rng, m, n: rng.uniform(0.2, 1.8, (m, n)),
    ),
    Property(
        "positive",
        "every entry is positive",
        dense=True,
        implies=("nonnegative", "nonzero"),
        entries=(Fraction(0), inf),
        conic=True,
        each=lambda x: x > 0,
        sample=lambda rng, m, n: rng.uniform(0.4, 1.8, (m, n)),
    ),
    Property(
        "unit",
        "every entry lies in (0, 1)",
        dense=True,
        implies=("positive",),
        entries=(Fraction(0), Fraction(1)),
        each=lambda x: (x > 0) & (x < 1),
        sample=lambda rng, m, n: rng.uniform(0.1, 0.9, (m, n)),
    ),
    Property(
        "above_one",
        "every entry is above 1",
        dense=True,
        implies=("positive",),
        entries=(Fraction(1), inf),
        each=lambda x: x > 1,
        sample=lambda rng, m, n: rng.uniform(1.3, 2.5, (m, n)),
    ),
    Property(
        "above_minus_one",
        "every entry is above -1",
        dense=True,
        entries=(Fraction(-1), inf),
        each=lambda x: x > -1,
        sample=lambda rng, m, n: rng.uniform(-0.7, 1.5, (m, n)),
    ),
    Property(
        "simplex",
        "positive, and sums to one (each row of a matrix)",
        implies=("unit",),
        sample=_softmax,
        elsewhere=lambda rng, m, n: _softmax(rng, m, n, steep=4.0),
        parametrized=_adding_up,
    ),
    Property(
        "onehot",
        "one entry is 1 and the rest are 0 (in each row of a matrix)",
        implies=("nonnegative",),
        excludes=("unit", "above_one"),
        entries=(Fraction(0), Fraction(1)),
        each=_is_onehot,
        sample=_onehot,
    ),
    Property(
        "integer",
        "every entry is a whole number",
        dense=True,
        excludes=("unit",),
        each=lambda x: x == x.round(),
        exact=_whole,
        sample=lambda rng, m, n: rng.integers(1, 5, size=(m, n)) * _signs(rng, m, n),
    ),
    Property("sparse", "stored as a sparse matrix; says nothing of the values", dense=True, conic=True),
):
    define_property(_record)
