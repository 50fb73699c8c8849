"""What is wrong with the axes of a claimed array whose entries may be right: their order, their number, the shape."""

from __future__ import annotations

from itertools import permutations
from typing import Any

_CLOSE = 1e-8
_MOST_AXES = 5


def wrong_axes(claimed: Any, truth: Any, what: str = "gradient") -> str:
    """The sentence on a claim of another shape, or with axes in another order; "" where there is nothing to say.

    >>> import numpy as np
    >>> J = np.arange(6.0).reshape(1, 2, 3)
    >>> wrong_axes(J.transpose(2, 0, 1), J)
    "axes: right with its axes in the order (1, 2, 0), from 0; the output's come first, then the name's: 1×2×3"
    """
    start = f"shape: the claim is {_written(claimed)} where the {what} is {_written(truth)}"
    if claimed.size != truth.size:
        return start
    if claimed.ndim == truth.ndim:
        return _reordered(claimed, truth) or ("" if claimed.shape == truth.shape else start)
    if claimed.ndim == 1 and truth.shape == (claimed.size, 1):  # a column that a function returned, for a vector
        return f"shape: the claim is {claimed.size}×1 where the {what} has one axis, of {claimed.size}"
    if _same(claimed.reshape(truth.shape), truth):
        return f"{start}: right if reshaped, with the last axis fastest"
    if _same(claimed.reshape(truth.shape, order="F"), truth):
        kind = "the Kronecker form" if claimed.ndim > 1 else "its vec"
        rest = "a function returns the array as torch has it"
        return f"{start}: right if reshaped by columns; that is {kind}, and {rest}"
    return f"{start}; it has as many entries, and no order of them is right"


def _reordered(claimed: Any, truth: Any) -> str:
    """Whether another order of the axes is right; of two axes that is the transpose, which has a name of its own."""
    if not 2 < claimed.ndim <= _MOST_AXES or _same(claimed, truth):
        return ""
    for order in permutations(range(claimed.ndim)):
        if _same(claimed.transpose(order), truth):
            rule = f"the output's come first, then the name's: {_written(truth)}"
            return f"axes: right with its axes in the order {order}, from 0; {rule}"
    return ""


def _written(array: Any) -> str:
    return "×".join(map(str, array.shape)) or "a number"


def _same(a: Any, b: Any) -> bool:
    import numpy as np

    largest = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    return a.shape == b.shape and bool((np.abs(a - b) <= _CLOSE * largest).all())
