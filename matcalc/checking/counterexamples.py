"""A counterexample as a reader sees it: matrices in rows, and of large ones the first rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 6
_DIGITS = 6
_ARRAYS = ("claimed", "expected")


def counterexample_lines(seen: Mapping[str, Any]) -> Iterator[str]:
    """Where a claim fails, line by line: under which sizes, at which inputs, what it says and what is true.

    >>> seen = {"seed": 0, "sizes": {"n": 2}, "inputs": {"A": [[1.0, 2.0], [3.0, 4.5]]}, "claimed": [[1.0], [2.0]]}
    >>> print(*counterexample_lines(seen), sep=chr(10))
    seed = 0, sizes n = 2
    A = [1,   2]
        [3, 4.5]
    claimed = [1, 2] (a column)
    """
    head = [f"{key} = {seen[key]}" for key in ("trial", "seed") if key in seen]
    sizes = ", ".join(f"{name} = {size}" for name, size in seen.get("sizes", {}).items())
    head += [f"sizes {sizes}"] if sizes else []
    if head:
        yield ", ".join(head)
    given = seen.get("inputs", {})
    inputs = given if isinstance(given, Mapping) else {f"input {k}": values for k, values in enumerate(given)}
    named = {**inputs, **{key: seen[key] for key in ("cotangent", *_ARRAYS) if key in seen}}
    for name, values in named.items():
        yield from [f"{name} = {values}"] if _is_plain(values) else _named(name, values)
    if all(key in seen and not _is_plain(seen[key]) for key in _ARRAYS):
        yield from _worst(seen["claimed"], seen["expected"])


def _is_plain(value: Any) -> bool:
    """Whether something is no array of numbers: a text, or another argument of a function."""
    return not isinstance(value, int | float | list)


def _named(name: str, values: Any) -> Iterator[str]:
    import numpy as np

    array = np.array(values, dtype=float)
    rows, left = _rows(array)
    start = f"{name} = "
    for k, row in enumerate(rows):
        yield (start if k == 0 else " " * len(start)) + row
    if left:
        yield " " * len(start) + left


def _rows(array: Any) -> tuple[list[str], str]:
    """The rows of an array, and what is said of those that are left out."""
    if array.size == 1:
        return [_number(float(array.reshape(())))], ""
    if array.ndim == 2 and array.shape[1] == 1:
        return [f"{_aligned(array.T)[0]} (a column{_more(array.shape[0], 'entries')})"], ""
    if array.ndim == 1:
        return [f"{_aligned(array[None])[0]}{_more(array.shape[0], 'entries')}"], ""
    if array.ndim == 0 or array.size == 0:
        return [f"an array of shape {array.shape}"], ""
    slices = array.reshape(-1, *array.shape[-2:])
    rows = _aligned(slices[0])
    left = [_more(count, word) for count, word in zip(array.shape[-2:], ("rows", "columns"), strict=True)]
    shape = "×".join(map(str, array.shape))
    if len(slices) > 1:
        left.insert(0, f", the first of {len(slices)} slices")
    return rows, f"… {shape}{''.join(left)}" if any(left) else ""


def _more(count: int, word: str) -> str:
    return f", {count - _MOST} {word} more" if count > _MOST else ""


def _aligned(matrix: Any) -> list[str]:
    """The rows that are shown, their numbers one under the other."""
    shown = [[_number(float(v)) for v in row[:_MOST]] for row in matrix[:_MOST]]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    more = ", …" if matrix.shape[1] > _MOST else ""
    texts = (", ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in shown)
    return [f"[{text}{more}]" for text in texts]


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}g}"


def _worst(claimed: Any, expected: Any) -> Iterator[str]:
    """Where two arrays of one shape are farthest from each other."""
    import numpy as np

    said, true = np.array(claimed, dtype=float), np.array(expected, dtype=float)
    if said.shape != true.shape or said.size < 2 or not np.isfinite(said - true).all():
        return
    place = np.unravel_index(np.argmax(np.abs(said - true)), said.shape)
    index = ", ".join(map(str, place))
    yield f"farthest apart at [{index}]: claimed {_number(float(said[place]))}, expected {_number(float(true[place]))}"
