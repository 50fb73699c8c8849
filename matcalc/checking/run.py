"""The check itself.

Three witnesses that do not depend on one another: torch autograd on the literal lowering of the expression (our
calculus has no part in it); central differences in 90-digit arithmetic through the operators' reference arithmetic
(neither our calculus nor the lowering has a part in it); and the claim. The value comes first: the lowered value must
agree with the 90-digit one, or nothing can be said.

Tolerances. The claim and the differences, in 90 digits or more, carry no rounding that matters (see
:mod:`matcalc.checking.judgement`), so conditioning does not blur the verdict and no float tolerance decides on a
formula. A Python function as claim is in floats: what its rounding may do is measured (see
:mod:`matcalc.checking.tolerance`). Autograd is taken to agree within 1e-8 of the gradient's largest entry plus
64·n·u·M/|x|, with n the largest size, u = 2^-53, and M the largest intermediate value: the rounding of a backward pass
is bounded by u times the values it meets (Higham 2002, ch. 3). All of them scale with f and with x.

Each run also tries damaged copies of what it verified; one that passes makes the verdict inconclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matcalc.checking.conditions import only_adding_up, only_symmetric
from matcalc.checking.judgement import FLOAT, judged, rounding
from matcalc.checking.landscape import QUICK
from matcalc.checking.large import run_large
from matcalc.checking.points import Point, is_large, point, trouble, where_claim_fails
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.reach import missing_sides, reached, spoken
from matcalc.checking.relation import Pair, relation
from matcalc.checking.tolerance import BLIND
from matcalc.checking.torch_side import autograd, devices_for, lowered, versions
from matcalc.checking.verdict import Report
from matcalc.errors import CheckError
from matcalc.expression.nodes import Node, postorder

_LOWERED = 1e-6
_SMALL = 1e-6
_FOR_CHOICES = 12


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
    visible: float
    doubt: str


def run_check(question: Question, options: CheckOptions) -> Report:
    """The report on a question.

    Raises:
        DeviceError: for a device that is not there.
        CheckError: for a claim that fails when it is called.
    """
    if options.trials < 1:
        raise CheckError("a check needs at least one trial")
    if is_large(question, options):
        return run_large(question, options, run_check)
    devices = devices_for(options.devices)
    points, discarded = [], []
    wanted = options.trials + (_FOR_CHOICES if _chooses(question) else 0)
    for number in range(wanted):
        at = point(question, options, number)
        if isinstance(at, str):
            discarded.append(f"trial {number}: {at}")
        else:
            points.append((number, at))
    if not points and (failing := where_claim_fails(question, options)):
        return _without_value(question, options, devices, failing, tuple(discarded))
    usual = [at for _, at in points]
    missing = missing_sides(question, usual)
    more, unreached = reached(question, options, usual, missing) if points else ([], missing)
    points += [(wanted + k, at) for k, at in enumerate(more)]
    trials = [_trial(question, options, devices, number, at) for number, at in points]
    one_sided = tuple(sorted({spoken(question, side) for side in unreached}))
    return _report(question, options, devices, trials, tuple(discarded), one_sided)


def _is_new(question: Question) -> bool:
    """Whether a claim is somebody else's and not, node for node, what was derived (which is right on every branch)."""
    if not isinstance(question.claimed, Node):
        return True
    return question.truth is not None and question.claimed is not question.truth


def _chooses(question: Question) -> bool:
    """Whether entries are chosen among others: by a few points one may be chosen again and again."""
    return any(node.operator.ties is not None for node in postorder(question.expression))


def _trial(question: Question, options: CheckOptions, devices: tuple[str, ...], number: int, at: Point) -> Trial:
    import numpy as np

    found = judged(question, at, number)
    claimed, truth, largest = found.claimed, found.truth, found.largest
    auto, low = autograd(question, at, "float64", "cpu")
    scale = max(float(np.abs(truth).max(initial=0.0)), float(np.abs(auto).max(initial=0.0)))
    room = FLOAT * scale + rounding(at, question.name, largest)
    close = auto.shape == truth.shape and bool(np.isfinite(auto).all()) and bool((np.abs(auto - truth) <= room).all())
    mine = _in_floats(question, at, "float64", "cpu", claimed)
    length = float(np.abs(at.values[question.name]).max()) or 1.0
    unit = max(scale, _SMALL * largest / length) or 1.0
    error = _distance(mine, auto if close else truth) / unit if mine.shape == truth.shape else 0.0
    errors32 = [
        _distance(_in_floats(question, at, dtype, device, claimed), truth) / unit
        for device in devices
        for dtype in options.dtypes
        if (dtype, device) != ("float64", "cpu") and found.holds and claimed.shape == truth.shape
    ]
    agrees = abs(low - found.value) <= 1e-7 * max(abs(found.value), largest * 1e-6) + 1e-300
    return Trial(
        number, at, claimed, truth, found.value, bool(found.holds), agrees, close, error,
        max(errors32, default=None), found.survivors, found.visible, found.doubt,
    )  # fmt: skip


def _distance(a: Any, b: Any) -> float:
    import numpy as np

    return float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else float("inf")


def _in_floats(question: Question, at: Point, dtype: str, device: str, claimed: Any) -> Any:
    if isinstance(question.claimed, Node):
        return lowered(question, at, dtype, device)
    return claimed.astype(float)


# -------------------------------------------------------------------------------------------------- the verdict


def _report(
    question: Question,
    options: CheckOptions,
    devices: tuple[str, ...],
    trials: list[Trial],
    discarded: tuple[str, ...],
    one_sided: tuple[str, ...],
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
    seeing = [t for t in trials if t.visible <= BLIND or not t.holds]
    trials = seeing if len(seeing) >= min(2, options.trials) else trials
    reason = _fault_of_the_lowering(trials)
    if wrong and not reason:
        return _refuted(question, options, trials, wrong[0], common)
    reason = reason or _weakness(trials, one_sided if _is_new(question) else ())
    if not reason and len(trials) < min(2, options.trials):
        reason = f"only {len(trials)} point was found; {discarded[0]}"
    if reason:
        return Report("inconclusive", reason=reason, **common)
    errors32 = [t.error32 for t in trials if t.error32 is not None]
    visible = max(t.visible for t in trials)
    return Report(
        "verified",
        float32_error=max(errors32, default=None),
        smallest_visible=visible,
        odd_one_out="" if all(t.auto_agrees for t in trials) else "torch autograd",
        witnesses=(*_said(trials, visible), *one_sided, *([question.note] if question.note else [])),
        **common,
    )


def _fault_of_the_lowering(trials: list[Trial]) -> str:
    """What is wrong with the code, whatever becomes of the formula; or ""."""
    if all(t.holds for t in trials) and any(not t.error <= _LOWERED for t in trials):
        worst = max(trials, key=lambda t: t.error if t.error == t.error else float("inf"))
        return f"the formula holds, but its lowered code is off by {worst.error:.1e} in trial {worst.number}"
    return "" if all(t.value_agrees for t in trials) else "the lowered value and the 90-digit value differ"


def _weakness(trials: list[Trial], one_sided: tuple[str, ...]) -> str:
    """Why agreement everywhere is not evidence enough; or ""."""
    doubtful = next((t for t in trials if t.doubt), None)
    if doubtful is not None:
        return f"in trial {doubtful.number} {doubtful.doubt}"
    if any(t.survivors for t in trials):
        return "a damaged copy of the claim would pass as well"
    return one_sided[0] if one_sided else ""


def _said(trials: list[Trial], visible: float) -> tuple[str, ...]:
    odd = [t for t in trials if not t.auto_agrees]
    lines = [f"differences in {QUICK.digits} digits agree (an error of {visible:.0e} relative would show)"]
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
    against = sum(not t.holds for t in trials)
    lines = [f"differences in {QUICK.digits} digits disagree with it in {against} of {len(trials)} trials"]
    if all(t.auto_agrees for t in trials):
        lines.append("torch autograd agrees with the differences")
    return Report(
        "refuted",
        counterexample=seen,
        diagnosis=only_symmetric(question, first.at)
        or only_adding_up(question, first.at)
        or _only_somewhere(trials)
        or relation(pairs),
        witnesses=tuple(lines),
        **common,
    )


def _without_value(
    question: Question,
    options: CheckOptions,
    devices: tuple[str, ...],
    failing: list[Point],
    discarded: tuple[str, ...],
) -> Report:
    first = failing[0]
    return Report(
        "refuted",
        trials=len(failing),
        devices=devices,
        dtypes=options.dtypes,
        seed=options.seed,
        counterexample={
            "trial": 0,
            "seed": options.seed,
            "sizes": dict(first.sizes),
            "inputs": {name: value.tolist() for name, value in first.values.items()},
        },
        diagnosis=f"the claim has no value where the gradient has one: {trouble(question, first)}",
        discarded=discarded,
        versions=versions(),
        claimed=True,
    )


def _only_somewhere(trials: list[Trial]) -> str:
    """Whether a wrong claim holds at some of the points, of which all have sizes above 1."""
    right = [t for t in trials if t.holds and max(t.at.sizes.values(), default=2) > 1]
    wrong = [t for t in trials if not t.holds]
    if not right or len(wrong) == len(trials):
        return ""
    return f"right at {len(right)} of the points and wrong at {len(wrong)}: does it hold on one branch alone?"
