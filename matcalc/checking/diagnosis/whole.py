"""Relations of the claim as a whole to the truth as a whole: read off their entries, whatever the formulas are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, TypeAlias

from matcalc.checking.axes import wrong_axes
from matcalc.checking.diagnosis.case import Case, Finding, Sight
from matcalc.checking.diagnosis.multiples import Multiple, multiple, ratio, ratios
from matcalc.expression.sizes import as_integer

_NEXT_TO_ONE = 1e-6
_SINGLE = 1e-5
_MATRIX = 2


def zero(case: Case) -> Finding | None:
    """Whether the claim is zero where the truth is not."""
    if all(abs(s.claimed).max() == 0 and abs(s.truth).max() > 0 for s in case.sights):
        return Finding("zero", f"the claim is zero and the {case.what} is not")
    return None


def transposed(case: Case) -> Finding | None:
    """Whether the claim is the transpose of the truth, or a multiple of it."""
    if not all(s.claimed.ndim == s.truth.ndim == _MATRIX for s in case.sights):
        return None
    if all(case.near(s.truth, s.truth.T) for s in case.sights):
        return None
    found = multiple(case, ratios(case, lambda s: (s.claimed.T, s.truth)))
    if found is None or not case.explains(lambda s: _scaled(case, s.claimed.T, s.truth)):
        return None
    says = f"transposed: the claim is the transpose of the {case.what}"
    if found.number == -1:
        return Finding("transposed", "transposed, and the sign is wrong: " + says.split(": ", 1)[1] + ", negated")
    if found.number != 1 or found.powers:
        return Finding("transposed", f"transposed, and off by a factor: the claim is {found.text} times its transpose")
    if case.axes is not None:
        says += ", which is right in the other layout"
    return Finding("transposed", says)


def _scaled(case: Case, left: Any, right: Any) -> tuple[Any, Any] | None:
    c = ratio(case, left, right)
    return None if c is None else (left, c * right)


def factor(case: Case) -> Finding | None:
    """Whether the claim is a number, or a power of a size, times the truth."""
    found = multiple(case, ratios(case, lambda s: (s.claimed, s.truth)))
    if found is None:
        return None
    return Finding("sign" if found.number == -1 and not found.powers else "factor", _factor_says(case, found))


def _factor_says(case: Case, found: Multiple) -> str:
    if found.powers:
        _, more, power = found.powers[0]
        alone = len(found.powers) == 1 and not more and found.number == 1
        means = {1: " (a sum for a mean)", -1: " (a mean for a sum)"}.get(power, "") if alone else ""
        return f"factor: the claim is {found.text} times the {case.what}{means}"
    if found.number == -1:
        return f"sign: the claim is minus the {case.what}"
    off = ratio(case, case.sights[0].claimed, case.sights[0].truth) - 1
    if abs(off) < _NEXT_TO_ONE:
        return f"factor: the claim is off by {f'{float(off):.1e}' if off else 'less than 1e-30'} relative"
    return f"factor: the claim is {found.text} times the {case.what}"


def precision(case: Case) -> Finding | None:
    """Whether a function's claim is as near as single precision would be."""
    if not case.floats or not all(s.claimed.shape == s.truth.shape for s in case.sights):
        return None
    off = max(s.gap / abs(s.truth).max() if abs(s.truth).max() else s.gap for s in case.sights)
    if not off < _SINGLE:
        return None
    says = (
        f"precision: the claim is the {case.what} up to {float(off):.0e} relative: is it computed in single precision?"
    )
    return Finding("precision", says)


# ------------------------------------------------------------------------------------------- order of the entries


def layout(case: Case) -> Finding | None:
    """Whether the entries are right in another order: vec by rows, the name's axes first, a transposed value."""
    if case.axes is None:
        return None
    for relation, says, order in _ORDERS:
        if case.explains(partial(_in_order, case, order)):
            is_hessian = case.what == "Hessian"
            what, value = ("Jacobian", "gradient") if is_hessian and "{value}" in says else (case.what, "value")
            return Finding(relation, says.format(what=what, value=value))
    return None


Axes: TypeAlias = tuple[int, ...]
Order: TypeAlias = Callable[[Any, Any, Axes, Axes], tuple[Any, Any] | None]


def _in_order(case: Case, order: Order, sight: Sight) -> tuple[Any, Any] | None:
    """Claim and truth, made comparable as an order of the entries has it."""
    assert case.axes is not None
    rows, cols = (tuple(as_integer(n, sight.at.sizes) for n in part) for part in case.axes)
    if sight.truth.size != prod((*rows, *cols)) or len(rows) + len(cols) <= _MATRIX:
        return None
    return order(sight.claimed, sight.truth, rows, cols)


def _is_tensor(truth: Any, rows: Axes, cols: Axes) -> bool:
    return bool(truth.shape == (*rows, *cols))


def _by_rows(claimed: Any, truth: Any, rows: Axes, cols: Axes) -> tuple[Any, Any] | None:
    """As NumPy ravels; in a tensor itself nothing is raveled."""
    if _is_tensor(truth, rows, cols):
        return None
    return claimed, truth.reshape((*rows, *cols), order="F").reshape(truth.shape)


def _by_rows_turned(claimed: Any, truth: Any, rows: Axes, cols: Axes) -> tuple[Any, Any] | None:
    """The same, transposed."""
    return _by_rows(claimed.T, truth, rows, cols)


def _input_first(claimed: Any, truth: Any, rows: Axes, cols: Axes) -> tuple[Any, Any] | None:
    """Of a tensor alone: of a matrix it is the transpose, which has a name of its own."""
    if not _is_tensor(truth, rows, cols):
        return None
    first = len(rows)
    return claimed, truth.transpose(*range(first, truth.ndim), *range(first))


def _value_transposed(claimed: Any, truth: Any, rows: Axes, cols: Axes) -> tuple[Any, Any] | None:
    return (claimed, _exchanged(truth, (*rows, *cols), 0, 1)) if len(rows) == _MATRIX else None


def _name_transposed(claimed: Any, truth: Any, rows: Axes, cols: Axes) -> tuple[Any, Any] | None:
    return (claimed, _exchanged(truth, (*rows, *cols), -1, -2)) if len(cols) == _MATRIX else None


def _exchanged(truth: Any, shape: Axes, one: int, other: int) -> Any:
    """A tensor of this shape with two axes exchanged; of its matrix of vec, a matrix of the same shape."""
    if truth.shape == shape:
        return truth.swapaxes(one, other)
    return truth.reshape(shape, order="F").swapaxes(one, other).reshape(truth.shape, order="F")


_ORDERS: tuple[tuple[str, str, Order], ...] = (
    ("vec order", "vec order: right for vec by rows, as NumPy ravels; here vec takes columns, one under the other",
     _by_rows),
    ("vec order", "vec order: right for vec by rows, as NumPy ravels, and in the other layout; here vec takes columns",
     _by_rows_turned),
    ("layout", "other layout: right with the name's axes first; here the axes of the value come first", _input_first),
    ("transposed", "transposed: the claim is the {what} of the transposed {value}", _value_transposed),
    ("transposed", "transposed: the claim is the {what} by the transposed name", _name_transposed),
)  # fmt: skip


# ------------------------------------------------------------------------------------------------ parts of matrices


def structured(case: Case) -> Finding | None:
    """Whether the claim is what becomes of a square truth when its two triangles are mixed up."""
    if not all(s.claimed.ndim == _MATRIX and s.claimed.shape == s.truth.shape == s.truth.T.shape for s in case.sights):
        return None
    if case.axes is not None and not all(s.truth.shape[0] > 1 for s in case.sights):
        return None
    for relation, says, left, right in _MIXED:
        if case.explains(partial(_compared, left, right)):
            return Finding(relation, says.format(what=case.what))
    return _on_the_diagonal(case)


def _compared(left: Callable[[Any], Any], right: Callable[[Any], Any], sight: Sight) -> tuple[Any, Any]:
    return left(sight.claimed), right(sight.truth)


def diagonal_alone(a: Any) -> Any:
    """A square array with zeros off its diagonal.

    >>> import numpy as np
    >>> diagonal_alone(np.array([[1, 2], [3, 4]])).tolist()
    [[1, 0], [0, 4]]
    """
    import numpy as np

    return np.where(np.eye(len(a), dtype=bool), a, a * 0)


def _off_diagonal(a: Any) -> Any:
    return a - diagonal_alone(a)


def _lower(a: Any) -> Any:
    import numpy as np

    return np.where(np.tri(len(a), dtype=bool), a, a * 0)


def _upper(a: Any) -> Any:
    return _lower(a.T).T


def _itself(a: Any) -> Any:
    return a


_MIXED: tuple[tuple[str, str, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    ("symmetrized", "symmetrized: the claim is the symmetric part (G + G.T)/2 of the {what} G",
     _itself, lambda g: (g + g.T) / 2),
    ("symmetrized", "symmetrized: the claim is G + G.T, G being the {what}", _itself, lambda g: g + g.T),
    ("not symmetrized", "not symmetrized: the {what} is the symmetric part (C + C.T)/2 of the claim C",
     lambda c: (c + c.T) / 2, _itself),
    ("missing term", "a missing term: the {what} is C + C.T, C being the claim", lambda c: c + c.T, _itself),
    ("diagonal", "wrong only on the diagonal: the claim is 2*G - diag(diag(G)), G being the {what}: the derivative"
     " by the entries on and below the diagonal, which moves two entries at once",
     _itself, lambda g: g * 2 - diagonal_alone(g) if abs(g - g.T).max() == 0 else g + g.T - diagonal_alone(g)),
    ("skew", "the claim is the skew part (G - G.T)/2 of the {what} G", _itself, lambda g: (g - g.T) / 2),
    ("diagonal", "the claim is the diagonal of the {what} alone", _itself, diagonal_alone),
    ("triangle", "the claim is the lower triangle of the {what} alone", _itself, _lower),
    ("triangle", "the claim is the upper triangle of the {what} alone", _itself, _upper),
    ("diagonal", "the claim is the {what} without its diagonal", _itself, _off_diagonal),
)  # fmt: skip


def _on_the_diagonal(case: Case) -> Finding | None:
    if not all(s.truth.shape[0] > 1 for s in case.sights) or _in_one_entry(case):
        return None
    off = case.explains(lambda s: (_off_diagonal(s.claimed), _off_diagonal(s.truth)))
    if off and any(_off_diagonal(s.truth).any() for s in case.sights):
        found = multiple(case, ratios(case, lambda s: (diagonal_alone(s.claimed), diagonal_alone(s.truth))))
        more = f": there the claim is {found.text} times the {case.what}" if found else ""
        return Finding("diagonal", f"wrong only on the diagonal{more}")
    right = right_on_the_diagonal(case)
    return right if right is not None and ":" in right.says else None  # what is wrong elsewhere may be known better


def right_on_the_diagonal(case: Case) -> Finding | None:
    """Whether the claim is right on the diagonal of a square truth, and nowhere else."""
    if not all(_is_square(s) for s in case.sights) or any(_is_right_off_the_diagonal(case, s) for s in case.sights):
        return None
    if not case.explains(lambda s: (diagonal_alone(s.claimed), diagonal_alone(s.truth))):
        return None
    found = multiple(case, ratios(case, lambda s: (_off_diagonal(s.claimed), _off_diagonal(s.truth))))
    more = f": elsewhere the claim is {found.text} times the {case.what}" if found else ""
    return Finding("diagonal", f"right only on the diagonal{more}")


def _is_square(sight: Sight) -> bool:
    shape = sight.truth.shape
    return bool(sight.claimed.shape == shape and len(shape) == _MATRIX and shape[0] == shape[1] > 1)


def _is_right_off_the_diagonal(case: Case, sight: Sight) -> bool:
    """Whether an entry off the diagonal is right, and not because it is zero."""
    right = (_off_diagonal(sight.truth) != 0) & ~_wrong(case, sight)
    return bool(right.any())


def _wrong(case: Case, sight: Sight) -> Any:
    """The entries in which claim and truth differ."""
    size = max(abs(sight.claimed).max(), abs(sight.truth).max())
    return abs(sight.claimed - sight.truth) > case.room * size


def constant(case: Case) -> Finding | None:
    """Whether one number was added to every entry."""
    if not all(s.claimed.shape == s.truth.shape for s in case.sights):
        return None
    c = (case.sights[0].claimed - case.sights[0].truth).flat[0]
    if c == 0 or not case.explains(lambda s: (s.claimed, s.truth + c)):
        return None
    shown = f"{float(c):.6g}"
    return Finding("extra term", f"an extra term {shown}: the claim is the {case.what} plus {shown}")


def entry_of_a_function(case: Case) -> Finding | None:
    """Whether a function is wrong in one entry alone: no condition on the inputs says more of it."""
    return _in_one_entry(case) if case.claimed is None else None


def _in_one_entry(case: Case) -> Finding | None:
    import numpy as np

    axes = {s.truth.ndim for s in case.sights}
    if len(axes) > 1 or not all(s.claimed.shape == s.truth.shape and s.truth.size > 1 for s in case.sights):
        return None
    sight = case.sights[0]
    wrong = [np.argwhere(_wrong(case, s)) for s in case.sights]
    if any(len(found) != 1 for found in wrong):
        return None
    index = tuple(int(k) for k in wrong[0][0])
    for entry, named in ((index, f"the entry [{_named(index, sight)}]"), ((-1,) * axes.pop(), "the last entry")):
        inside = all(k < n for s in case.sights for k, n in zip(entry, s.truth.shape, strict=True))
        if inside and case.explains(partial(_compared, _without(entry), _without(entry))):
            return Finding("entries", f"wrong only in {named}")
    return None


def _named(index: tuple[int, ...], sight: Sight) -> str:
    """An entry of a matrix by the axes of what it was made of; of a column by one."""
    import numpy as np

    shape = sight.truth.shape
    own = sight.shape or (shape[:1] if len(shape) == _MATRIX and shape[1] == 1 else shape)
    return ", ".join(str(int(k)) for k in np.unravel_index(np.ravel_multi_index(index, shape), own))


def places(case: Case) -> Finding | None:
    """Whether the claim is wrong in one entry, one row or one column alone."""
    found = _in_one_entry(case)
    if found or not all(s.claimed.ndim == _MATRIX and s.claimed.shape == s.truth.shape for s in case.sights):
        return found
    if not all(max(s.truth.shape) > 1 and len(s.shape) <= _MATRIX for s in case.sights):
        return None
    for says, kept in _PLACES:
        if all(min(s.truth.shape) > 1 for s in case.sights) and case.explains(partial(_compared, kept, kept)):
            return Finding("entries", f"wrong only in {says}")
    return None


def _without(index: Any) -> Callable[[Any], Any]:
    def kept(array: Any) -> Any:
        made = array.copy()
        made[index] = made[index] * 0
        return made

    return kept


_PLACES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("the first row", _without((0, slice(None)))),
    ("the last row", _without((-1, slice(None)))),
    ("the first column", _without((slice(None), 0))),
    ("the last column", _without((slice(None), -1))),
)


def axes(case: Case) -> Finding | None:
    """Whether an array's axes are in another order."""
    if all(s.truth.ndim <= _MATRIX for s in case.sights):
        return None
    said = [wrong_axes(s.claimed.astype(float), s.truth.astype(float), case.what) for s in case.sights]
    return Finding("layout", said[0]) if all(words.startswith("axes") for words in said) else None


def axis_missing(case: Case) -> Finding | None:
    """Whether an array has another number of axes, or is a single number."""
    return None if all(s.claimed.ndim == s.truth.ndim for s in case.sights) else shape(case)


def shape(case: Case) -> Finding | None:
    """What is to be said where nothing but the shape is known to be wrong."""
    for s in case.sights:
        if s.claimed.shape != s.truth.shape:
            return Finding("shape", wrong_axes(s.claimed.astype(float), s.truth.astype(float), case.what))
    return None
