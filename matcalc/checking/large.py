"""The check at sizes that are too large for arithmetic in 90 digits.

The witnesses are then floats: autograd on the literal lowering, and extrapolated differences of the same lowering along
random directions. How far rounding may move claim and autograd is measured in every entry, at every point (see
:mod:`matcalc.checking.tolerance`): the claim agrees within that, and is off where it is further away by 1e-8 of what is
summed as well. A refutation needs a second witness: the differences, or the formula at small sizes.

Where the sizes are names, the formula is judged at small sizes as well, in 90 digits and on both sides of every kink.
Then the floats at the large sizes only have to agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.points import Point, drawn, is_large
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.relation import Pair, relation
from matcalc.checking.slopes import slope
from matcalc.checking.subspace import projected
from matcalc.checking.tolerance import BLIND, doubtful, room, spread
from matcalc.checking.torch_side import (
    autograd,
    autograd_of,
    called,
    devices_for,
    function_of,
    lowered,
    lowered_of,
    tensors_at,
    value_along,
    versions,
)
from matcalc.checking.verdict import Report
from matcalc.expression.nodes import Node, postorder

_DIRECTIONS = 3
_TRIES = 16
_STEP = 0.02
_SURELY = 10.0


@dataclass(frozen=True)
class _Trial:
    """What floats say at a point.

    Attributes:
        pair: claim and autograd, with the function's value.
        error: how far they are apart, relative to the larger one.
        visible: what would have been seen, on the same scale.
        agrees: whether the claim is autograd's gradient up to rounding.
        off: whether it surely is not.
        slopes_agree: whether the differences are with the claim; None where they cannot tell.
    """

    number: int
    at: Point
    pair: Pair
    error: float
    visible: float
    agrees: bool
    off: bool
    slopes_agree: bool | None
    error32: float | None


def run_large(question: Question, options: CheckOptions, precise: Callable[[Question, CheckOptions], Report]) -> Report:
    """The report on a question at sizes that somebody chose or declared; ``precise`` is the check at small ones.

    Raises:
        DeviceError: for a device that is not there.
    """
    devices = devices_for(options.devices)
    small = replace(options, sizes={})
    formula = precise(question, small) if options.sizes and not is_large(question, small) else None
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
        "claimed": question.truth is not None or not isinstance(question.claimed, Node),
    }  # fmt: skip
    if not trials:
        return Report("inconclusive", reason=discarded[0].split(": ", 1)[-1], **common)
    visible = max([t.visible for t in trials if t.visible <= BLIND] or [t.visible for t in trials])
    at_small = [] if formula is None else [f"at small sizes, in 90 digits, the formula is {formula.verdict}"]
    common["witnesses"] = (
        f"at these sizes the witnesses are floats (an error of {visible:.0e} relative would show)",
        *at_small,
    )
    common["max_error"] = max((t.error for t in trials), key=lambda e: e if e == e else float("inf"))
    return _report(question, options, trials, formula, common)


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
    import numpy as np

    is_text = isinstance(question.claimed, Node)
    said = lowered(question, at, "float64", "cpu") if is_text else called(question, at)
    if said.shape != auto.shape or not np.isfinite(said).all():
        far = float("inf")
        return _Trial(number, at, Pair(said, auto, value), far, 0.0, False, True, False, None)
    moved = _moved(question, at, said, auto, number)
    allowed = room(moved, auto, at.sizes)
    off = abs(said - auto)
    size = max(float(abs(auto).max()), float(abs(said).max()))
    errors32 = [
        float(abs(lowered(question, at, dtype, device) - auto).max()) / (size or 1.0)
        for device in devices
        for dtype in options.dtypes
        if (dtype, device) != ("float64", "cpu") and is_text
    ]
    return _Trial(
        number,
        at,
        Pair(said, auto, value),
        float(off.max()) / (size or 1.0),
        float(allowed.max()) / (size or 1.0),
        bool((off <= allowed).all()),
        bool((off > 4 * allowed + doubtful(moved, auto)).any()),
        _slopes_agree(question, at, said, allowed, number),
        max(errors32, default=None),
    )


def _moved(question: Question, at: Point, said: Any, auto: Any, number: int) -> Any:
    """How far a unit of roundoff moves the claim's result and autograd's together."""
    tensors, shape = tensors_at(question, at), auto.shape

    def claim(**given: Any) -> Any:
        return lowered_of(question, given) if isinstance(question.claimed, Node) else called(question, at, given)

    theirs = spread(lambda **given: autograd_of(question, given, shape)[0], tensors, auto, number)
    return spread(claim, tensors, said, number) + theirs


def _slopes_agree(question: Question, at: Point, said: Any, allowed: Any, number: int) -> bool | None:
    """Whether differences along directions are with the claim, within their own error and its rounding."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([number, 78]))
    x, told = at.values[question.name], None
    noise = _noise_of_value(question, at, number)
    for _ in range(_DIRECTIONS):
        d = projected(question.projected, rng.standard_normal(x.shape)) * (float(abs(x).mean()) or 1.0)
        found = slope(value_along(question, at, d), _STEP)
        size = float((abs(said) * abs(d)).sum())
        error = _SURELY * found.error + 2 * noise / found.step
        if not error <= BLIND * (size or 1.0):
            continue
        gap = abs(float((said * d).sum()) - found.value)
        if gap > error + float((allowed * abs(d)).sum()):
            return False
        told = True
    return told


def _noise_of_value(question: Question, at: Point, number: int) -> float:
    """What rounding may do to the function's value."""
    import numpy as np

    f = function_of(question.expression, question.variables, "scalar", False)

    def value(**given: Any) -> Any:
        return np.array([float(f(**given).detach())])

    tensors = tensors_at(question, at)
    usual = value(**tensors)
    return float(room(spread(value, tensors, usual, number), usual, {})[0])


def _branches(question: Question) -> bool:
    return any(n.operator.kinks or n.operator.branch is not None for n in postorder(question.expression))


# -------------------------------------------------------------------------------------------------- the verdict


def _report(
    question: Question, options: CheckOptions, trials: list[_Trial], formula: Report | None, common: dict[str, Any]
) -> Report:
    seen = [t for t in trials if t.visible <= BLIND]
    trials = seen or trials
    wrong_formula = formula is not None and formula.verdict == "refuted"
    wrong = next((t for t in trials if t.off and (t.slopes_agree is False or wrong_formula)), None)
    if wrong is not None:
        where = {"trial": wrong.number, "seed": options.seed, "sizes": dict(wrong.at.sizes)}
        plain = relation([t.pair for t in trials])
        said = formula.diagnosis if wrong_formula and formula is not None else plain
        return Report("refuted", counterexample=where, diagnosis=said, **common)
    reason = _against(trials, formula) or _open(question, trials, formula, common["claimed"])
    if reason:
        return Report("inconclusive", reason=reason, **common)
    errors32 = [t.error32 for t in trials if t.error32 is not None]
    visible = max(t.visible for t in trials)
    return Report("verified", float32_error=max(errors32, default=None), smallest_visible=visible, **common)


def _against(trials: list[_Trial], formula: Report | None) -> str:
    """What the floats have against the claim, short of refuting it; or ""."""
    for t in trials:
        if not t.visible <= BLIND:
            return (
                f"ill-conditioned: in trial {t.number} rounding alone may move the gradient by {t.visible:.0e} relative"
            )
        if not t.agrees:
            return (
                f"in trial {t.number} the claim is off autograd by {t.error:.1e}: more than rounding explains"
                f" ({t.visible:.0e}), and no second witness is surely against it"
            )
        if t.slopes_agree is False and not (formula is not None and formula.ok):
            return f"in trial {t.number} differences disagree with claim and autograd: a kink, or a steep function?"
    return ""


def _open(question: Question, trials: list[_Trial], formula: Report | None, claimed: bool) -> str:
    """What is left open where floats agree with the claim; or ""."""
    if formula is not None and formula.ok:
        return ""
    if not any(t.slopes_agree for t in trials):
        return "autograd agrees, and no difference was good enough to say more"
    if claimed and _branches(question):
        if formula is not None:
            return f"floats agree at these sizes; at small sizes the formula is {formula.verdict}: {formula.reason}"
        return "at these sizes nobody looks whether both sides of every kink were met; check it at smaller sizes too"
    return ""
