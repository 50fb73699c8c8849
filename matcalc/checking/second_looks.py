"""What is tried before a verdict on any function is given.

A claim that comes out as wrong may be right where the inputs keep a form that they were given in: symmetric, one-hot,
on a simplex; or as far as the float32 goes in which they were given. One that comes out as right may be so on the side
of a kink alone on which the example lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.around import farther, places
from matcalc.checking.diagnosis.table import NOTHING
from matcalc.checking.examples import form_of, is_symmetric, stored_like
from matcalc.checking.foreign import Foreign
from matcalc.checking.margins import Told
from matcalc.checking.tolerance import SINGLE as SINGLE_UNIT
from matcalc.checking.tolerance import UNIT, perturbed
from matcalc.checking.trial_reports import first_wrong, without_kinks
from matcalc.checking.trials import DOUBLE, SINGLE, Request, Trial, looked
from matcalc.checking.verdict import Report
from matcalc.checking.voices import Place
from matcalc.errors import CheckError

_FORMED = "the claim holds with the other inputs as they were given, and not where they are moved"
_CLOSE = "to ask of these alone, give a function that holds them: lambda x: fn(x, given)"
_ROUNDINGS = 3
_EXPLAINS = 64.0
_AT_MOST = 1e-4
_IN_SINGLE = 2.0**-21
_APART = 1e-6


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

    def trials(self, request: Request, *, alone: bool = False) -> list[Trial]:
        """What is seen at every place of a request."""
        found = enumerate(places(request, alone=alone))
        return [looked(request, place, self.told(place), number) for number, place in found]

    def report(self, request: Request, trials: Sequence[Trial]) -> Report:
        """The verdict of trials."""
        return without_kinks(request, trials, self.claim)


def judged(case: Case) -> Report:
    """The verdict on a claim, after a second look.

    Raises:
        CheckError: when function or claim fails.
    """
    trials = case.trials(case.request)
    found = case.report(case.request, trials)
    if found.ok:
        return _seen_farther(case, found, trials)
    if found.verdict == "refuted":
        return _as_given(case, _where_symmetric(case, found), trials)
    return found


def halved(request: Request) -> str:
    """In words, why it is not known how an input that is diagonal may move."""
    where = " and ".join(f"input {k}" for k in request.halved)
    return (
        f"the claim holds where {where} stays symmetric, and not where it does not; one triangle is read of it, "
        "and the example is diagonal: give one that is symmetric, or triangular, and is not"
    )


def _where_symmetric(case: Case, found: Report) -> Report:
    """The report, with what can be said of a claim where the inputs that are symmetric stay so."""
    import torch

    request = case.request
    free = [
        k for k in range(len(request.inputs)) if k not in request.kept and not (k == request.wrt and request.symmetric)
    ]
    symmetric = [k for k in free if isinstance(request.inputs[k], torch.Tensor) and is_symmetric(request.inputs[k])]
    others = [k for k in symmetric if k != request.wrt]
    there = None
    for kept in dict.fromkeys((tuple(others), tuple(k for k in symmetric if k not in others), tuple(symmetric))):
        if not kept:
            continue
        asked = replace(request, kept=(*request.kept, *kept))
        there = case.report(asked, case.trials(asked))
        where = " and ".join(f"input {k}" for k in kept)
        if there.ok and request.halved:
            return replace(there, verdict="inconclusive", reason=halved(request))
        if there.ok:
            return replace(found, diagnosis=f"right where {where} stays symmetric, as in the example")
        if found.diagnosis == NOTHING and there.verdict == "refuted" and there.diagnosis != NOTHING:
            found = replace(found, diagnosis=f"{there.diagnosis}, where {where} stays symmetric")
    return found


def _as_given(case: Case, found: Report, trials: Sequence[Trial]) -> Report:
    """The report, inconclusive where a claim is right for the other inputs as they were given."""
    request = case.request
    if found.verdict != "refuted" or str(found.diagnosis).startswith("right where "):
        return found
    if any(is_movable(request, k) for k in range(len(request.inputs))):
        trials = case.trials(request, alone=True)
        there = case.report(request, trials)
        if there.verdict != "refuted":
            return replace(there, verdict="inconclusive", reason=formed(request))
    wrong = first_wrong(trials)
    if wrong is None or request.dtype != DOUBLE or not _narrow(request):
        return found
    if not _is_of_rounding(case, wrong) and not (wrong.error <= _IN_SINGLE and _holds_in_single(case)):
        return found
    reason = f"the claim is {wrong.error:.1e} off, which the rounding of what is float32 explains: give float64"
    return replace(found, verdict="inconclusive", reason=reason, diagnosis=None, counterexample=None)


def _narrow(request: Request) -> list[int]:
    """The inputs that were given as floats narrower than float64."""
    import torch

    given = [(k, t) for k, t in enumerate(request.inputs) if isinstance(t, torch.Tensor)]
    return [k for k, t in given if t.is_floating_point() and t.dtype != torch.float64]


def _holds_in_single(case: Case) -> bool:
    """Whether a claim holds where all is float32, as what the functions hold themselves may be."""
    request = replace(case.request, dtype=SINGLE)
    try:
        return case.report(request, case.trials(request, alone=True)).ok
    except CheckError:
        return False


def is_movable(request: Request, k: int) -> bool:
    """Whether an input other than ``wrt`` is moved."""
    import torch

    t = request.inputs[k]
    return k != request.wrt and isinstance(t, torch.Tensor) and t.is_floating_point() and bool(t.numel())


def formed(request: Request) -> str:
    """In words, that a claim holds for the other inputs as they were given, with the form that each of them has."""
    given = [(k, form_of(request.inputs[k])) for k in range(len(request.inputs)) if is_movable(request, k)]
    forms = ", ".join(f"input {k} has {form}" for k, form in given if form)
    return f"{_FORMED}{' off their form: ' + forms if forms else ''}; {_CLOSE}"


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
        for k in _narrow(case.request):
            inputs[k] = stored_like(perturbed(inputs[k], generator, units=SINGLE_UNIT / UNIT), inputs[k])
        place = replace(trial.place, inputs=inputs)
        try:
            auto = place.autograd()
            moved = case.told(place).said - (torch.zeros_like(residual) if auto is None else auto)
        except CheckError:
            return False
        moves = max(moves, float((moved - residual).abs().max())) if _is_finite(moved) else moves
    return float(residual.abs().max()) <= min(_EXPLAINS * moves, _AT_MOST * trial.largest)


def _is_finite(t: Any) -> bool:
    return bool(t.isfinite().all())


def _seen_farther(case: Case, found: Report, trials: Sequence[Trial]) -> Report:
    """The report, inconclusive where a claim that holds around the example is surely wrong far from it."""
    for where, trial in _far_trials(case, len(trials)):
        if trial.holds is False and trial.votes.claim is False and first_wrong([*trials, trial]) is not None:
            reason = (
                f"the claim holds around the example and not where input {case.request.wrt} is {where}: "
                "is there a kink between? give an example from each side of it"
            )
            return replace(found, verdict="inconclusive", reason=reason, smallest_visible=None)
    return found


def _far_trials(case: Case, number: int) -> Iterator[tuple[str, Trial]]:
    """What is seen far from the example, where claim and autograd look apart."""
    for where, place in farther(case.request):
        try:
            told = case.told(place)
            if _looks_right(place, told.said):
                continue
            yield where, looked(case.request, place, told, number)
        except CheckError:
            continue


def _looks_right(place: Place, said: Any) -> bool:
    """Whether a claim is autograd's gradient at first sight, or says nothing."""
    if not _is_finite(said):
        return True  # an overflow far away is no error of the formula
    auto = place.autograd()
    if auto is None or auto.shape != said.shape:
        return False
    return float((said - auto).abs().max() if said.numel() else 0.0) <= _APART * float(auto.abs().max())
