"""The check itself.

Three witnesses that do not depend on one another: torch autograd on the literal lowering of the expression (our
calculus has no part in it); central differences in 90-digit arithmetic through the operators' reference arithmetic
(neither our calculus nor the lowering has a part in it); and the claim. The value comes first: the lowered value must
agree with the 90-digit one, or nothing can be said.

Tolerances. The claim, evaluated in 90 digits, and the differences in 90 digits carry no rounding that matters: the
truncation of a central difference with step h = 1e-15 is h²/6 times a third derivative, about 1e-30, so 1e-18 relative
to the size of what is summed leaves twelve orders for large third derivatives and still sees more than floats do.
Conditioning therefore does not blur the verdict, and no float tolerance decides on a formula. Where floats must decide
(a Python function as claim, autograd's own agreement) the allowance is 1e-8 of the gradient's largest entry plus
64·n·u·M/|x|, with n the largest size, u = 2^-53, and M the largest intermediate value: the rounding of a backward pass
is bounded by u times the values it meets (Higham 2002, ch. 3). Both scale with f and with x.

Each run also tries damaged copies of what it verified; one that passes makes the verdict inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.checking.large import run_large
from matcalc.checking.points import Point, is_large, point
from matcalc.checking.precise import DIGITS, evaluate, lifted, slope
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.relation import Pair, relation
from matcalc.checking.subspace import projected
from matcalc.checking.torch_side import autograd, called, devices_for, lowered, versions
from matcalc.checking.verdict import Report
from matcalc.errors import CheckError
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES

_EXACT = 1e-18
_FLOAT = 1e-8
_MOST_ENTRIES = 16
_DIRECTIONS = 4
_UNIT = 2.0**-53
_LOWERED = 1e-6
_SMALL = 1e-6
_NOISE = 1e-60
_DECIMALS = 10**12


@dataclass(frozen=True)
class Trial:
    """What was found at one point."""

    number: int
    at: Point
    claimed: Any
    truth: Any
    value: float
    holds: bool
    value_agrees: bool
    auto_agrees: bool
    error: float
    error32: float | None
    survivors: int


def run_check(question: Question, options: CheckOptions) -> Report:
    """The report on a question.

    Raises:
        DeviceError: for a device that is not there.
        CheckError: for a claim that fails when it is called.
    """
    if options.trials < 1:
        raise CheckError("a check needs at least one trial")
    if is_large(question, options):
        return run_large(question, options)
    devices = devices_for(options.devices)
    trials, discarded = [], []
    for number in range(options.trials):
        at = point(question, options, number)
        if isinstance(at, str):
            discarded.append(f"trial {number}: {at}")
        else:
            trials.append(_trial(question, options, devices, number, at))
    return _report(question, options, devices, trials, tuple(discarded))


def _trial(question: Question, options: CheckOptions, devices: tuple[str, ...], number: int, at: Point) -> Trial:
    import mpmath
    import numpy as np

    with mpmath.workdps(DIGITS):
        exact = lifted(at.values)
        memo: dict[Node, Any] = {}
        value = evaluate(question.expression, exact, at.sizes, memo)[0, 0]
        largest = max((float(abs(v).max()) for v in memo.values()), default=0.0)
        claimed, is_text = _claimed_value(question, at, exact)
        holds, truth, survivors = _judged(question, at, exact, claimed, is_text, number, largest)
    auto, low = autograd(question, at, "float64", "cpu")
    scale = max(float(np.abs(truth).max(initial=0.0)), float(np.abs(auto).max(initial=0.0)))
    room = _FLOAT * scale + _rounding(at, question.name, largest)
    close = auto.shape == truth.shape and bool(np.isfinite(auto).all()) and bool((np.abs(auto - truth) <= room).all())
    mine = _in_floats(question, at, "float64", "cpu", claimed)
    length = float(np.abs(at.values[question.name]).max()) or 1.0
    unit = max(scale, _SMALL * largest / length) or 1.0
    error = _distance(mine, auto if close else truth) / unit if mine.shape == truth.shape else 0.0
    errors32 = [
        _distance(_in_floats(question, at, dtype, device, claimed), truth) / unit
        for device in devices
        for dtype in options.dtypes
        if (dtype, device) != ("float64", "cpu") and holds and claimed.shape == truth.shape
    ]
    agrees = abs(low - float(value)) <= 1e-7 * max(abs(float(value)), largest * 1e-6) + 1e-300
    return Trial(
        number, at, claimed.astype(float), truth, float(value), holds, agrees, close, error,
        max(errors32, default=None), survivors,
    )  # fmt: skip


def _rounding(at: Point, name: str, largest: float) -> float:
    import numpy as np

    length = float(np.abs(at.values[name]).max()) or 1.0
    return 64 * max([*at.sizes.values(), 1]) * _UNIT * largest / length


def _distance(a: Any, b: Any) -> float:
    import numpy as np

    return float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else float("inf")


def _claimed_value(question: Question, at: Point, exact: Mapping[str, Any]) -> tuple[Any, bool]:
    """The claim as an object array, and whether it is exact."""
    import mpmath
    import numpy as np

    if isinstance(question.claimed, Node):
        return evaluate(question.claimed, exact, at.sizes), True
    floats = called(question, at)
    return np.array([mpmath.mpf(float(v)) for v in floats.flat], dtype=object).reshape(floats.shape), False


def _in_floats(question: Question, at: Point, dtype: str, device: str, claimed: Any) -> Any:
    if isinstance(question.claimed, Node):
        return lowered(question, at, dtype, device)
    return claimed.astype(float)


# -------------------------------------------------------------------------------------------------- the verdict


def _judged(
    question: Question,
    at: Point,
    exact: Mapping[str, Any],
    claimed: Any,
    is_text: bool,
    number: int,
    largest: float,
) -> tuple[bool, Any, int]:
    """Whether the claim holds at the point, the true gradient in floats, and how many damaged copies survive."""
    shape = at.values[question.name].shape
    room = _allowance(question) if is_text else _FLOAT
    if not all(abs(v) < float("inf") for v in claimed.flat):
        return False, _truth_in_floats(question, at, exact), 0
    floor = 0.0 if is_text else _rounding(at, question.name, largest)
    if shape[0] * shape[1] <= _MOST_ENTRIES:
        truth = projected(question.projected, _full_gradient(question, exact, at.sizes))
        if claimed.shape != shape:
            return False, truth.astype(float), 0
        allowed = (
            room * max(abs(truth).max(), abs(claimed).max()) + floor + _NOISE * _smallest(exact, question, largest)
        )
        holds = bool(abs(claimed - truth).max() <= allowed)
        return holds, truth.astype(float), _survivors(claimed, truth, allowed)
    truth = _reference_gradient(question, at, exact)
    if claimed.shape != shape:
        return False, truth, 0
    holds, survivors = _along_directions(question, at, exact, claimed, room, floor, number, largest)
    return holds, truth, survivors


def _allowance(question: Question) -> float:
    """A claim written with 16 decimals is read as the number that they round."""
    numbers = [n.params[0] for root in question.roots[1:] for n in postorder(root) if n.op == "number"]
    return 8 * _UNIT if any(value.denominator > _DECIMALS for value in numbers) else _EXACT


def _truth_in_floats(question: Question, at: Point, exact: Mapping[str, Any]) -> Any:
    if exact[question.name].size <= _MOST_ENTRIES:
        return projected(question.projected, _full_gradient(question, exact, at.sizes)).astype(float)
    return _reference_gradient(question, at, exact)


def _smallest(exact: Mapping[str, Any], question: Question, largest: float) -> Any:
    """Against what a derivative that cancels to nothing is small: the values it is made of, per unit of x."""
    import mpmath

    return mpmath.mpf(largest) / max(abs(exact[question.name]).max(), mpmath.mpf("1e-300"))


def _full_gradient(question: Question, exact: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """Entry by entry, along the projections of the unit matrices: the point never leaves a declared subspace."""
    import mpmath
    import numpy as np

    shape = exact[question.name].shape
    made = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        unit = np.full(shape, mpmath.mpf(0), dtype=object)
        unit[index] = mpmath.mpf(1)
        made[index] = slope(question.expression, question.name, projected(question.projected, unit), exact, sizes)
    return made


def _reference_gradient(question: Question, at: Point, exact: Mapping[str, Any]) -> Any:
    """For more entries than are differenced one by one: our derivation in 90 digits, else autograd's gradient."""
    if isinstance(question.truth, Node):
        return evaluate(question.truth, exact, at.sizes).astype(float)
    return autograd(question, at, "float64", "cpu")[0]


def _along_directions(
    question: Question,
    at: Point,
    exact: Mapping[str, Any],
    claimed: Any,
    room: float,
    floor: float,
    number: int,
    largest: float,
) -> tuple[bool, int]:
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([number, 77]))
    inside = abs(projected(question.projected, claimed) - claimed).max()
    holds, survivors = bool(inside <= room * abs(claimed).max() + floor), 0
    noise = floor * claimed.size + _NOISE * _smallest(exact, question, largest)
    for _ in range(_DIRECTIONS):
        direction = projected(question.projected, lifted({"d": rng.standard_normal(claimed.shape)})["d"])
        found = slope(question.expression, question.name, direction, exact, at.sizes)
        size = (abs(claimed) * abs(direction)).sum()
        said = (claimed * direction).sum()
        holds = holds and bool(abs(said - found) <= room * size + noise)
        survivors += bool(abs(said) > noise and abs(said * (1 + 1e-4) - found) <= room * size + noise)
    return holds, survivors


def _survivors(claimed: Any, truth: Any, room: Any) -> int:
    """How many damaged copies of a right claim would pass."""
    largest = abs(truth).max()
    if largest <= room:
        return 0
    one_entry = claimed.copy()
    one_entry.flat[int(abs(claimed).astype(float).argmax())] += largest / 1000
    damaged = (-claimed, claimed * 1.0001, one_entry)
    return sum(bool(abs(d - truth).max() <= room) for d in damaged)


def _report(
    question: Question,
    options: CheckOptions,
    devices: tuple[str, ...],
    trials: list[Trial],
    discarded: tuple[str, ...],
) -> Report:
    common: dict[str, Any] = {
        "trials": len(trials),
        "devices": devices,
        "dtypes": options.dtypes,
        "seed": options.seed,
        "discarded": discarded,
        "versions": versions(),
        "claimed": question.truth is not None or not isinstance(question.claimed, Node),
    }
    if not trials:
        return Report(
            "inconclusive",
            reason=f"no point inside the domain was found: {discarded[0].split(': ', 1)[-1]}",
            **common,
        )
    common["max_error"] = max(t.error for t in trials)
    wrong = [t for t in trials if not t.holds]
    if not wrong and any(not t.error <= _LOWERED for t in trials):
        worst = max(trials, key=lambda t: t.error if t.error == t.error else float("inf"))
        return Report(
            "inconclusive",
            reason=f"the formula holds, but its lowered code is off by {worst.error:.1e} in trial {worst.number}",
            **common,
        )
    if not all(t.value_agrees for t in trials):
        return Report("inconclusive", reason="the lowered value and the 90-digit value differ", **common)
    if wrong:
        return _refuted(question, options, trials, wrong[0], common)
    if any(t.survivors for t in trials):
        return Report("inconclusive", reason="a damaged copy of the claim would pass as well", **common)
    if len(trials) < min(2, options.trials):
        return Report("inconclusive", reason=f"only {len(trials)} point was found; {discarded[0]}", **common)
    errors32 = [t.error32 for t in trials if t.error32 is not None]
    visible = _EXACT if isinstance(question.claimed, Node) else _FLOAT
    return Report(
        "verified",
        float32_error=max(errors32, default=None),
        smallest_visible=visible,
        odd_one_out="" if all(t.auto_agrees for t in trials) else "torch autograd",
        witnesses=(*_said(trials, visible), *([question.note] if question.note else [])),
        **common,
    )


def _said(trials: list[Trial], visible: float) -> tuple[str, ...]:
    odd = [t for t in trials if not t.auto_agrees]
    lines = [f"differences in {DIGITS} digits agree (an error of {visible:.0e} relative would show)"]
    if odd:
        lines.append(f"torch autograd disagrees in {len(odd)} of {len(trials)} trials; the other two agree")
    return tuple(lines)


def _refuted(
    question: Question, options: CheckOptions, trials: list[Trial], first: Trial, common: dict[str, Any]
) -> Report:
    pairs = [Pair(t.claimed, t.truth, t.value) for t in trials]
    seen = {
        "trial": first.number,
        "seed": options.seed,
        "sizes": dict(first.at.sizes),
        "inputs": {name: value.tolist() for name, value in first.at.values.items()},
        "claimed": first.claimed.tolist(),
        "expected": first.truth.tolist(),
    }
    lines = [
        f"differences in {DIGITS} digits disagree with it in {sum(not t.holds for t in trials)} of {len(trials)} trials"
    ]
    if all(t.auto_agrees for t in trials):
        lines.append("torch autograd agrees with the differences")
    return Report(
        "refuted",
        counterexample=seen,
        diagnosis=_only_symmetric(question, first.at) or _only_adding_up(question, first.at) or relation(pairs),
        witnesses=tuple(lines),
        **common,
    )


def _only_symmetric(question: Question, at: Point) -> str:
    """Whether a wrong claim is right once the square matrices are symmetric."""
    square = [v.params[0] for v in question.variables if v.is_square and not v.is_scalar and not v.facts]
    values = {n: (v + v.T) / 2 if n in square else v for n, v in at.values.items()}
    if not square or not _is_right_at(question, at, values):
        return ""
    return f"right only if {' and '.join(square)} {'is' if len(square) == 1 else 'are'} symmetric"


def _only_adding_up(question: Question, at: Point) -> str:
    """Whether a wrong claim is right once some other name adds up to one, as targets of a classifier do."""
    import numpy as np

    sample = PROPERTIES["simplex"].sample
    assert sample is not None
    for v in question.variables:
        name = v.params[0]
        if name != question.name and not v.is_scalar and not v.facts:
            rng = np.random.Generator(np.random.PCG64(1))
            if _is_right_at(question, at, {**at.values, name: sample(rng, *at.values[name].shape)}):
                return f"right only if {name} adds up to one: declare it simplex or onehot"
    return ""


def _is_right_at(question: Question, at: Point, values: Mapping[str, Any]) -> bool:
    """Whether a claim in words is what our derivation is, at other values, which may lie outside a domain."""
    import mpmath

    if not (isinstance(question.claimed, Node) and isinstance(question.truth, Node)):
        return False
    with mpmath.workdps(30):
        exact = lifted(values)
        try:
            claimed, truth = (evaluate(node, exact, at.sizes) for node in (question.claimed, question.truth))
        except (ZeroDivisionError, ValueError, OverflowError, TypeError):
            return False
        return claimed.shape == truth.shape and bool(abs(claimed - truth).max() <= _EXACT * abs(truth).max())
