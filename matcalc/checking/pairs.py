"""What a claim known in floats alone has to do with the truth, in words."""

from __future__ import annotations

from collections.abc import Sequence

from matcalc.checking.diagnosis.case import Pair
from matcalc.checking.diagnosis.table import diagnosis_of_arrays

__all__ = ["Pair", "related"]


def related(pairs: Sequence[Pair], what: str = "gradient") -> str:
    """The relation between claim and truth that holds at every point; ``what`` is claimed.

    >>> import numpy as np
    >>> related([Pair(np.array([[2.0 * k], [6.0]]), np.array([[1.0 * k], [3.0]]), 1.0) for k in (1, 2)], "value")
    'factor: the claim is 2 times the value'
    """
    return diagnosis_of_arrays(pairs, what).says
