"""What is tried before a verdict on any function is given.

A claim that comes out as wrong may be right where the inputs keep a form that they were given in: symmetric, one-hot,
on a simplex; or as far as the float32 goes in which they were given. One that comes out as right may be so on the side
of a kink alone on which the example lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.around import places
from matcalc.checking.diagnosis.table import NOTHING
from matcalc.checking.elsewhere import farther
from matcalc.checking.examples import form_of, is_floating, is_symmetric, stored_like
from matcalc.checking.foreign import Foreign
from matcalc.checking.function_claim import Raised
from matcalc.checking.margins import Told
from matcalc.checking.placement import home
from matcalc.checking.tolerance import SINGLE as SINGLE_UNIT
from matcalc.checking.tolerance import UNIT, perturbed
from matcalc.checking.trial_reports import first_wrong, without_kinks
from matcalc.checking.trials import DOUBLE, SINGLE, Request, Trial, looked, of_torch
from matcalc.checking.verdict import Report
from matcalc.checking.voices import Place
from matcalc.errors import MatcalcError

_FORMED = "the claim holds with the other inputs as they were given, and not where they are moved"
_CLOSE = "to ask of these alone, give a function that holds them: lambda x: fn(x, given)"
_FAILS = (MatcalcError, Raised)
_ROUNDINGS = 3
_EXPLAINS = 64.0
"""How many times what a few random roundings move is explained by roundings; an error of a claim's own is 1e6 times."""
_AT_MOST = 1e-4
_IN_SINGLE = 2.0**-21
"""A few units of float32: what is off by more is an error in any case."""
_APART = 1e-6
"""Far from the example a claim is looked at closely where it is off by more: errors of one branch are large."""
_STEP = 1e-4
_ROUGHLY = 1e-3
"""Where torch has no gradient a claim is held, at first, against one central difference, to a part in 1000."""


@dataclass(frozen=True)
class Case:
    """A request, and the claim at a place.

    Attributes:
        request: what is asked.
        told: what the claim says at a place.
        claim: the callable behind it, where it is one.
    """

    request: Request
    told: Callable[[Place], Told]
    claim: Foreign | None = None

    def trials(self, *, alone: bool = False) -> list[Trial]:
        """What is seen at every place; ``alone`` moves no other input than ``wrt``."""
        found = enumerate(places(self.request, alone=alone))
        return [looked(self.request, place, self.told(place), number) for number, place in found]

    def report(self, trials: Sequence[Trial]) -> Report:
        """The verdict of trials."""
        return without_kinks(self.request, trials, self.claim)

    def again(self, *, alone: bool = False, **changed: Any) -> tuple[Report, list[Trial]] | None:
        """The verdict where the request is changed; None where function or claim fail then."""
        case = replace(self, request=replace(self.request, **changed))
        try:
            trials = case.trials(alone=alone)
        except _FAILS:
            return None
        return case.report(trials), trials


def judged(case: Case) -> tuple[Report, list[Trial]]:
    """The verdict on a claim after a second look, and what was seen at first.

    Raises:
        CheckError: when function or claim fails.
    """
    if (nowhere := _without_value(case.request)) is not None:
        return nowhere, []
    trials = case.trials()
    found = case.report(trials)
    if found.ok:
        found = _seen_farther(case, found, trials)
    elif found.verdict == "refuted":
        found, settled = _where_symmetric(case, found)
        found = found if settled else _as_given(case, found, trials)
    return found, trials


def _without_value(request: Request) -> Report | None:
    """The report on a function that has no finite value at the example; None where it has."""
    (here,) = places(replace(request, trials=1))
    value = here.value().detach()
    if _is_finite(value):
        return None
    what = "NaN" if bool(value.isnan().any()) else "infinite"
    reason = f"the function is {what} at the example: give one at which it has a finite value"
    return Report("inconclusive", 0, (home(),), (request.dtype,), request.seed, reason=reason, claimed=True)


def _open(report: Report, reason: str) -> Report:
    """A report that is left open for a reason of which its trials do not tell."""
    return replace(
        report, verdict="inconclusive", reason=reason, diagnosis=None, counterexample=None, smallest_visible=None,
        odd_one_out="",
    )  # fmt: skip


# ------------------------------------------------------------------------------- what comes out as wrong, and may hold


def halved(request: Request) -> str:
    """In words, why it is not known how an input that is diagonal may move."""
    where = " and ".join(f"input {k}" for k in request.halved)
    return (
        f"the claim holds where {where} stays symmetric, and not where it does not; one triangle is read of it, "
        "and the example is diagonal: give one that is symmetric, or triangular, and is not"
    )


def _where_symmetric(case: Case, found: Report) -> tuple[Report, bool]:
    """The report of a wrong claim with what holds where symmetric inputs stay so, and whether that settles it."""
    request = case.request
    settled = {*request.kept, *((request.wrt,) if request.symmetric else ())}
    free = [k for k, t in enumerate(request.inputs) if k not in settled and is_floating(t) and is_symmetric(t)]
    others = tuple(k for k in free if k != request.wrt)
    own = tuple(k for k in free if k == request.wrt)
    for kept in dict.fromkeys(filter(None, (others, own, tuple(free)))):
        there = case.again(kept=(*request.kept, *kept))
        if there is None:
            continue
        report, where = there[0], " and ".join(f"input {k}" for k in kept)
        if report.ok and set(request.halved) & set(kept):
            return _open(report, halved(request)), True
        if report.ok:
            return replace(found, diagnosis=f"right where {where} stays symmetric, as in the example"), True
        if found.diagnosis == NOTHING != report.diagnosis and report.verdict == "refuted":
            found = replace(found, diagnosis=f"{report.diagnosis}, where {where} stays symmetric")
    return found, False


def _as_given(case: Case, found: Report, trials: Sequence[Trial]) -> Report:
    """The report of a wrong claim, left open where it is right for the other inputs as they were given."""
    request = case.request
    there = case.again(alone=True) if any(is_movable(request, k) for k in range(len(request.inputs))) else None
    if there is not None:
        report, trials = there
        if report.ok:
            return _open(report, formed(request))
        if report.verdict == "inconclusive" and any(t.largest for t in trials):
            return report
    wrong = first_wrong(trials)
    if wrong is None or request.dtype != DOUBLE or not request.narrow:
        return found
    if not _is_of_rounding(case, wrong) and not (wrong.error <= _IN_SINGLE and _holds_in_single(case)):
        return found
    off = f"the claim is {wrong.error:.1e} off"
    return _open(found, f"{off}, which the rounding of what is float32 explains: give float64")


def is_movable(request: Request, k: int) -> bool:
    """Whether an input other than ``wrt`` is moved."""
    t = request.inputs[k]
    return k != request.wrt and is_floating(t) and bool(t.numel())


def formed(request: Request) -> str:
    """In words, that a claim holds for the other inputs as they were given, with the form that each of them has."""
    given = [(k, form_of(request.inputs[k])) for k in range(len(request.inputs)) if is_movable(request, k)]
    forms = ", ".join(f"input {k} has {form}" for k, form in given if form)
    return f"{_FORMED}{' off their form: ' + forms if forms else ''}; {_CLOSE}"


def _holds_in_single(case: Case) -> bool:
    """Whether a claim holds where all is float32, as what the functions hold themselves may be."""
    there = case.again(alone=True, dtype=SINGLE)
    return there is not None and there[0].ok


def _is_of_rounding(case: Case, trial: Trial) -> bool:
    """Whether claim and autograd are apart by as much as moves when inputs given in float32 are rounded otherwise.

    Probabilities that float32 holds sum to 1 within 6e-8. An error of the claim's own stays as it is.
    """
    import torch

    if trial.auto is None or not trial.shapes_agree or not all(map(_is_finite, (trial.claimed, trial.auto))):
        return False
    residual, moves = trial.claimed - trial.auto, 0.0
    for turn in range(_ROUNDINGS):
        generator = torch.Generator().manual_seed(case.request.seed + turn)
        inputs = list(trial.place.inputs)
        for k in case.request.narrow:
            inputs[k] = stored_like(perturbed(inputs[k], generator, units=SINGLE_UNIT / UNIT), inputs[k])
        place = replace(trial.place, inputs=inputs)
        try:
            moved = case.told(place).said - place.slope()
        except _FAILS:
            return False
        moves = max(moves, float((moved - residual).abs().max())) if _is_finite(moved) else moves
    return float(residual.abs().max()) <= min(_EXPLAINS * moves, _AT_MOST * trial.largest)


def _is_finite(t: Any) -> bool:
    return bool(t.isfinite().all())


# -------------------------------------------------------------------------- what comes out as right, and may be wrong


def _seen_farther(case: Case, found: Report, trials: Sequence[Trial]) -> Report:
    """The report of a right claim, left open where it is surely wrong far from the example."""
    for where, trial in _far_trials(case, len(trials)):
        if trial.votes.claim is False and first_wrong([*trials, trial]) is trial:
            reason = (
                f"the claim holds around the example and not where {where}: is there a kink or a branch between? "
                "give an example from each side of it"
            )
            return _open(found, reason)
    return found


def _far_trials(case: Case, number: int) -> Iterator[tuple[str, Trial]]:
    """What is seen far from the example, where claim and autograd look apart."""
    for where, place in farther(case.request):
        try:
            told = case.told(place)
            if _looks_right(place, told.said):
                continue
            yield where, looked(case.request, place, told, number)
        except _FAILS:
            continue


def _looks_right(place: Place, said: Any) -> bool:
    """Whether a claim is autograd's gradient at first sight, or the slope along a direction, or says nothing."""
    import torch

    if not _is_finite(said):
        return True  # an overflow far away is no error of the formula
    auto = of_torch(place).gradient
    if said.shape != place.inputs[place.wrt].shape:
        return False
    if auto is not None:
        return float((said - auto).abs().max() if said.numel() else 0.0) <= _APART * float(auto.abs().max())
    d = place.direction(torch.Generator().manual_seed(0), symmetric=False)
    along = place.along(d)
    slope = (along(_STEP) - along(-_STEP)) / (2 * _STEP)
    return abs(slope - float((said * d).sum())) <= _ROUGHLY * float((said * d).abs().sum())
