"""The check at sizes that are too large for arithmetic in 90 digits.

The witnesses are then floats: autograd on the literal lowering, and extrapolated differences of the same lowering along
random directions. The claim, through its own lowering, has to agree with both: with autograd in every entry, to 1e-7
of the gradient's largest, and with the differences within their own error. Rounding above that makes the verdict
inconclusive, never wrong: a refutation needs both witnesses against the claim by a thousand times as much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from matcalc.checking.devices import DeviceFigures, devices_for, figures, settings
from matcalc.checking.points import Point, drawn
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.relation import Pair, relation
from matcalc.checking.slopes import slope
from matcalc.checking.subspace import projected
from matcalc.checking.torch_side import autograd, called, lowered, value_along, versions
from matcalc.checking.verdict import Report
from matcalc.expression.nodes import Node, postorder

ROOM = 1e-7
_SURE = 1e-4
_APART = 1e-6
_DIRECTIONS = 3
_TRUSTED = 1e-3
_TRIES = 16


@dataclass(frozen=True)
class _Trial:
    number: int
    at: Point
    pair: Pair
    error: float
    slope_error: float
    fares: DeviceFigures


def run_large(question: Question, options: CheckOptions) -> Report:
    """The report on a question at sizes that somebody chose or declared.

    Raises:
        DeviceError: for a device that is not there.
    """
    devices = devices_for(options.devices)
    trials, discarded = [], []
    for number in range(options.trials):
        found = _point(question, options, number)
        if isinstance(found, str):
            discarded.append(f"trial {number}: {found}")
        else:
            trials.append(_trial(question, options, devices, number, *found))
    common: dict[str, Any] = {
        "trials": len(trials), "devices": devices, "dtypes": options.dtypes, "seed": options.seed,
        "discarded": tuple(discarded), "versions": versions(),
        "settings": settings(devices),
        "claimed": question.truth is not None or not isinstance(question.claimed, Node),
        "witnesses": (f"at these sizes the witnesses are floats (an error of {ROOM:.0e} relative would show)",),
    }  # fmt: skip
    return _report(question, options, trials, common)


def _point(question: Question, options: CheckOptions, number: int) -> tuple[Point, Any, float] | str:
    """A point where value and gradient are finite, with both."""
    import numpy as np

    reason = "no sizes fit the expression"
    for attempt in range(_TRIES):
        at = drawn(question, options, number, attempt)
        if at is None:
            continue
        auto, value = autograd(question, at, "float64", "cpu")
        if np.isfinite(value) and np.isfinite(auto).all():
            return at, auto, value
        reason = "the value or the gradient is not finite there"
    return reason


def _trial(
    question: Question, options: CheckOptions, devices: tuple[str, ...], number: int, at: Point, auto: Any, value: float
) -> _Trial:
    is_text = isinstance(question.claimed, Node)
    said = lowered(question, at, "float64", "cpu") if is_text else called(question, at)
    if said.shape != auto.shape:
        return _Trial(number, at, Pair(said, auto, value), float("inf"), float("inf"), DeviceFigures())
    size = max(float(abs(auto).max()), float(abs(said).max())) or 1.0
    error = float(abs(said - auto).max()) / size
    fares = (
        figures(lambda t, d: lowered(question, at, t, d), devices, options.dtypes, auto, size)
        if is_text
        else DeviceFigures()
    )
    off = _off_the_slope(question, at, said, number)
    return _Trial(number, at, Pair(said, auto, value), error, off, fares)


def _off_the_slope(question: Question, at: Point, said: Any, number: int) -> float:
    """How far the claim is from differences along directions, beyond their own error and relative to what is summed."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([number, 78]))
    x, worst = at.values[question.name], 0.0
    for _ in range(_DIRECTIONS):
        d = projected(question.projected, rng.standard_normal(x.shape)) * (float(abs(x).mean()) or 1.0)
        along: Callable[[float], float] = value_along(question, at, d)
        found = slope(along, 0.02)
        size = float((abs(said) * abs(d)).sum()) or 1.0
        if not found.error <= _TRUSTED * size:
            return float("nan")
        worst = max(worst, (abs(float((said * d).sum()) - found.value) - 10 * found.error) / size)
    return worst


def _branches(question: Question) -> bool:
    return any(n.operator.kinks or n.operator.branch is not None for n in postorder(question.expression))


def _report(question: Question, options: CheckOptions, trials: list[_Trial], common: dict[str, Any]) -> Report:
    if not trials:
        return Report("inconclusive", reason=common["discarded"][0].split(": ", 1)[-1], **common)
    common["max_error"] = max((t.error for t in trials), key=lambda e: e if e == e else float("inf"))
    wrong = [t for t in trials if t.error > _SURE and (t.slope_error > _SURE or t.slope_error == float("inf"))]
    if wrong:
        first = wrong[0]
        seen = {"trial": first.number, "seed": options.seed, "sizes": dict(first.at.sizes)}
        return Report("refuted", counterexample=seen, diagnosis=relation([t.pair for t in trials]), **common)
    for t in trials:
        if not (t.error <= ROOM and t.slope_error <= ROOM):
            reason = (
                f"in trial {t.number} the claim is off autograd by {t.error:.1e} and off differences by"
                f" {t.slope_error:.1e}: too much for agreement, and rounding could be the cause"
            )
            return Report("inconclusive", reason=reason, **common)
    if common["claimed"] and _branches(question):
        reason = "at these sizes nobody looks whether both sides of every kink were met; check it at smaller sizes too"
        return Report("inconclusive", reason=reason, **common)
    fares = reduce(or_, (t.fares for t in trials))
    if not (fares.difference64 or 0.0) <= _APART:
        reason = f"two devices differ by {fares.difference64:.1e} in float64"
        return Report("inconclusive", reason=reason, **common)
    common["witnesses"] += fares.silent
    return Report(
        "verified",
        float32_error=fares.float32_error,
        device_difference=fares.difference,
        smallest_visible=ROOM,
        **common,
    )
