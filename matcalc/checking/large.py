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
from functools import reduce
from operator import or_
from typing import Any

from matcalc.checking.blur import blur_of_value
from matcalc.checking.devices import DeviceFigures, devices_for, figures
from matcalc.checking.diagnosis.case import Pair
from matcalc.checking.diagnosis.table import Diagnosis, diagnosis_at_small_sizes, diagnosis_of
from matcalc.checking.evidence import Evidence, Seen, circumstances
from matcalc.checking.judgement import unit_of
from matcalc.checking.observation import SCALES_SEEN, hides_everything
from matcalc.checking.points import Point, drawn, is_large, most_entries
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.slopes import slope
from matcalc.checking.subspace import projected
from matcalc.checking.testimony import Testimony
from matcalc.checking.tolerance import BLIND, UNIT, doubtful, room, spread
from matcalc.checking.torch_side import (
    autograd,
    autograd_of,
    called,
    in_floats,
    lowered,
    lowered_of,
    tensors_at,
    value_along,
    versions,
)
from matcalc.checking.torch_witnesses import counted
from matcalc.checking.verdict import Report
from matcalc.checking.vote import spoken
from matcalc.checking.witnesses import WITNESSES
from matcalc.expression.nodes import Node, postorder

_APART = 1e-6
_DIRECTIONS = 3
_TRIES = 16
_MORE_TRIALS = 4
_STEP = 0.02
_MOST_ENTRIES = 2**27
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
        torch_is_odd: whether they are with the claim and not with autograd, whose matrix exponential may err by tenths.
    """

    number: int
    at: Point
    pair: Pair
    error: float
    visible: float
    agrees: bool
    off: bool
    slopes_agree: bool | None
    fares: DeviceFigures
    torch_is_odd: bool = False

    @property
    def seen(self) -> Seen:
        """The claim at the point; the largest value on the way is taken to be among the inputs and the result."""
        largest = max(abs(self.pair.value), *(float(abs(value).max()) for value in self.at.values.values()))
        return Seen(self.number, self.at, self.pair.claimed, self.pair.value, largest, self.pair.truth)


def run_large(question: Question, options: CheckOptions, precise: Callable[[Question, CheckOptions], Report]) -> Report:
    """The report on a question at sizes that somebody chose or declared; ``precise`` is the check at small ones.

    Raises:
        DeviceError: for a device that is not there.
    """
    devices = devices_for(options.devices)
    entries = most_entries(question, options)
    if entries > _MOST_ENTRIES:
        reason = f"at these sizes a matrix on the way has {entries:.0e} entries, more than {_MOST_ENTRIES:.0e}"
        return Report(
            "inconclusive", 0, devices, options.dtypes, options.seed, reason=reason, versions=versions(), claimed=True
        )
    small = replace(options, sizes={})
    formula = precise(question, small) if options.sizes and not is_large(question, small) else None
    trials: list[_Trial] = []
    discarded: list[str] = []
    for number in range(options.trials + _MORE_TRIALS):
        if number >= options.trials and (not trials or any(t.visible <= BLIND for t in trials)):
            break
        scale = options.scale
        if number >= options.trials:
            scale = min(scale, SCALES_SEEN[(number - options.trials) % len(SCALES_SEEN)])
        found = _point(question, replace(options, scale=scale), number)
        if isinstance(found, str):
            discarded.append(f"trial {number}: {found}")
        else:
            trials.append(_trial(question, options, devices, number, *found))
    common = {"trials": len(trials), **circumstances(question, options, devices, tuple(discarded))}
    if not trials:
        return Report("inconclusive", reason=discarded[0].split(": ", 1)[-1], **common)
    seeing = [t for t in trials if t.visible <= BLIND]
    visible = max(t.visible for t in seeing or trials)
    at_small = [] if formula is None else [f"at small sizes, in 90 digits, the formula is {formula.verdict}"]
    common["witnesses"] = (
        f"at these sizes the witnesses are floats (an error of {visible:.0e} relative would show)",
        *at_small,
        *([hides_everything(options, len(trials) - len(seeing))] if 0 < len(seeing) < len(trials) else []),
    )
    common["testimonies"] = _testimonies(Evidence(question, options, tuple(t.seen for t in trials)), trials)
    errors = [t.error for t in trials if not t.torch_is_odd]
    common["max_error"] = max(errors, key=lambda e: e if e == e else float("inf"), default=None)
    return _report(question, options, trials, formula, common)


def _testimonies(evidence: Evidence, trials: list[_Trial]) -> tuple[Testimony, ...]:
    """What each witness says; the two that decide at these sizes by what they decide on."""
    deciding = {"autograd": _auto_testimony(trials), "differences": _slopes_testimony(trials)}
    names = (name for name in WITNESSES if name in deciding or name in evidence.options.witnesses)
    return tuple(deciding.get(name) or WITNESSES[name].hear(evidence) for name in names)


def _auto_testimony(trials: list[_Trial]) -> Testimony:
    worst, visible = max(t.error for t in trials), max(t.visible for t in trials)
    says = f"torch reverse mode, off by at most {worst:.1e} in {counted(len(trials))}"
    agrees = True if all(t.agrees for t in trials) else False if any(t.off or t.torch_is_odd for t in trials) else None
    return Testimony("autograd", agrees, says, worst, visible)


def _slopes_testimony(trials: list[_Trial]) -> Testimony:
    told = [t.slopes_agree for t in trials if t.slopes_agree is not None]
    if not told:
        return Testimony("differences", None, "extrapolated differences do not settle there")
    return Testimony("differences", all(told), f"extrapolated differences, in {len(told)} of {counted(len(trials))}")


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
        far, slopes = float("inf"), None if is_text and said.shape == auto.shape else False
        return _Trial(number, at, Pair(said, auto, value), far, 0.0, False, True, slopes, DeviceFigures())
    moved = _moved(question, at, said, auto, number)
    unit = UNIT if is_text else unit_of(question, at)
    allowed = room(moved, auto, at.sizes)
    off = abs(said - auto)
    size = max(float(abs(auto).max()), float(abs(said).max()))
    agrees = bool((off <= allowed).all())
    fares = (
        figures(lambda t, d: in_floats(question, at, t, d), devices, options.dtypes, auto, size or 1.0)
        if is_text or agrees
        else DeviceFigures()
    )
    slopes = _slopes_agree(question, at, said, allowed, number)
    return _Trial(
        number,
        at,
        Pair(said, auto, value),
        float(off.max()) / (size or 1.0),
        float(allowed.max()) / (size or 1.0),
        agrees,
        bool((off > 4 * allowed + doubtful(moved, auto, unit)).any()),
        slopes,
        fares,
        bool(slopes) and not agrees and _slopes_agree(question, at, auto, allowed, number) is False,
    )


def _moved(question: Question, at: Point, said: Any, auto: Any, number: int) -> Any:
    """How far a unit of roundoff moves the claim's result and autograd's together."""
    tensors = tensors_at(question, at)

    def claim(**given: Any) -> Any:
        return lowered_of(question, at, given) if isinstance(question.claimed, Node) else called(question, at, given)

    theirs = spread(lambda **given: autograd_of(question, at, given)[0], tensors, auto, number, fixed=question.whole)
    return spread(claim, tensors, said, number, fixed=question.whole) + theirs


def _slopes_agree(question: Question, at: Point, said: Any, allowed: Any, number: int) -> bool | None:
    """Whether differences along directions are with the claim, within their own error and its rounding."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([number, 78]))
    x, told = at.values[question.name], None
    noise = blur_of_value(question, at, number)
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


def _diagnosis(question: Question, options: CheckOptions, trials: list[_Trial]) -> Diagnosis:
    """By formulas at small sizes, where these can be had; else by the arrays."""
    small = replace(options, sizes={})
    if isinstance(question.truth, Node) and not is_large(question, small):
        found = diagnosis_at_small_sizes(question, small)
        if found is not None:
            return found
    return diagnosis_of(replace(question, truth=None), options, [(t.at, t.pair) for t in trials])


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
        odd = "the claim" if common["claimed"] else "the derivation"
        found = _diagnosis(question, options, trials)
        return Report(
            "refuted", odd_one_out=odd, counterexample=where, diagnosis=found.says, relation=found.relation,
            residual=found.residual, **common,
        )  # fmt: skip
    reason = _against(trials, formula) or _open(question, trials, formula, common["claimed"])
    if reason:
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
        smallest_visible=max(t.visible for t in trials),
        odd_one_out=spoken(t.witness for t in common["testimonies"] if t.agrees is False and WITNESSES[t.witness].kin),
        **common,
    )


def _against(trials: list[_Trial], formula: Report | None) -> str:
    """What the floats have against the claim, short of refuting it; or ""."""
    for t in trials:
        if not t.visible <= BLIND:
            return (
                f"ill-conditioned: in trial {t.number} rounding alone may move the gradient by {t.visible:.0e} relative"
            )
        if not t.agrees and not t.error < float("inf"):
            return f"in trial {t.number} the claim's code gives no finite number, where the gradient has one"
        if not t.agrees and not t.torch_is_odd:
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
