"""The check itself.

The claim is held against witnesses that do not depend on one another (:mod:`matcalc.checking.witnesses` lists them):
always torch autograd on the literal lowering of the expression (our calculus has no part in it) and central differences
in 90-digit arithmetic through the operators' reference arithmetic (neither our calculus nor the lowering has a part in
it). The value comes first: the lowered value must agree with the 90-digit one, or nothing can be said. Then the
witnesses vote (:mod:`matcalc.checking.vote`), and the odd one out is named.

Tolerances. The claim and the differences, in 90 digits or more, carry no rounding that matters (see
:mod:`matcalc.checking.judgement`), so conditioning does not blur the verdict and no float tolerance decides on a
formula. A Python function as claim is in floats: what its rounding may do is measured (see
:mod:`matcalc.checking.tolerance`). Autograd is taken to agree within 1e-8 of the gradient's largest entry plus
64·n·u·M/|x|, with n the largest size, u = 2^-53, and M the largest intermediate value: the rounding of a backward pass
is bounded by u times the values it meets (Higham 2002, ch. 3). All of them scale with f and with x.

Each run also tries damaged copies of what it verified; one that passes makes the verdict inconclusive.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from matcalc.checking.cells import between_kinks
from matcalc.checking.devices import devices_for
from matcalc.checking.diagnosis.case import Pair
from matcalc.checking.diagnosis.table import Diagnosis, diagnosis_of
from matcalc.checking.edges import edges_of
from matcalc.checking.evidence import Evidence, circumstances
from matcalc.checking.hearing import heard
from matcalc.checking.judgement import FLOAT
from matcalc.checking.landscape import FINE
from matcalc.checking.large import run_large
from matcalc.checking.larger_sizes import at_larger_sizes, confined_to, failing_where_larger, lacking_larger
from matcalc.checking.observation import (
    LOWERED,
    Trial,
    at_chosen_points,
    clearer,
    hides_everything,
    observed,
    with_derivative,
)
from matcalc.checking.points import Point, is_large, of_ones, point, trouble, where_claim_fails, where_typed_claim_fails
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.reach import missing_sides, reached, spoken
from matcalc.checking.search import Differs, suspects
from matcalc.checking.sympy_witnesses import sympy_value
from matcalc.checking.torch_side import autograd
from matcalc.checking.transitions import in_transitions
from matcalc.checking.verdict import Report
from matcalc.checking.vote import spoken as called_in_words
from matcalc.errors import CheckError
from matcalc.expression.nodes import Node, postorder

_FOR_CHOICES = 12
_LOWERING = "our lowering"
_EXACT = "exact"


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
    wanted = options.trials + (_FOR_CHOICES if _chooses(question) else 0)
    points, discarded = _usual(question, options, wanted)
    if not points and (failing := where_claim_fails(question, options)):
        return _without_value(question, options, devices, failing, tuple(discarded))
    usual = [at for _, at in points]
    missing = missing_sides(question, usual)
    more, unreached = reached(question, options, usual, missing) if points else ([], missing)
    confined = _spread(question, options, usual, wanted, more)
    points += [(wanted + k, at) for k, at in enumerate(more)]
    trials, kinks = with_derivative(question, [observed(question, options, devices, *numbered) for numbered in points])
    discarded += kinks
    if trials and all(trial.holds for trial in trials):
        narrow = between_kinks(question, options, [*usual, *more])
        narrow += in_transitions(question, [*usual, *more, *narrow])
        found = [observed(question, options, devices, k, at) for k, at in enumerate(narrow, wanted + len(more))]
        found, kinks = with_derivative(question, found)
        trials, discarded, more = trials + found, discarded + kinks, more + narrow
    if trials and all(trial.holds for trial in trials):
        if failing := failing_where_larger(question, options, confined):
            return _without_value(question, options, devices, failing, tuple(discarded))
        trials += _suspicious(question, options, devices, wanted + len(more))
    alone, note = _at_ones(question, options, devices, trials, wanted + len(more))
    trials += clearer(question, options, devices, trials, wanted + len(more) + len(options.at))
    given, edges = at_chosen_points(question, options, devices, wanted + len(more))
    if options.edges and points:
        edges += edges_of(question, points[0][1])
    one_sided = tuple(sorted({spoken(question, side) for side in unreached}))
    report = _report(question, options, devices, trials + alone + given, tuple(discarded), one_sided)
    if note and report.verdict == "verified":
        report = replace(report, witnesses=(*report.witnesses, note))
    if confined and report.verdict == "verified":
        name, why = next(iter(confined.items()))
        report = replace(report, verdict="inconclusive", reason=confined_to(name, usual, why))
    if report.verdict == "verified" and (why := where_typed_claim_fails(question, options)):
        reason = f"the claim, as typed, has no value everywhere where the gradient has one: {why}"
        report = replace(report, verdict="inconclusive", reason=reason)
    return replace(report, edges=edges)


def _usual(question: Question, options: CheckOptions, wanted: int) -> tuple[list[tuple[int, Point]], list[str]]:
    """As many points as are wanted, with their numbers, and why there are no more."""
    points: list[tuple[int, Point]] = []
    discarded: list[str] = []
    for number in range(wanted):
        at = point(question, options, number)
        if isinstance(at, str):
            discarded.append(f"trial {number}: {at}")
        else:
            points.append((number, at))
    return points, discarded


def _suspicious(question: Question, options: CheckOptions, devices: tuple[str, ...], first: int) -> list[Trial]:
    """Trials where the claim is not what was derived, as far as they tell more than rounding."""
    found: list[Trial] = []
    for number, (at, how) in enumerate(suspects(question, options), first):
        trial = observed(question, options, devices, number, at)
        counts = how is Differs.PLAINLY or not trial.holds or (how is Differs.FAINTLY and trial.doubt)
        found += [trial] if counts else []
    return found


def _at_ones(
    question: Question, options: CheckOptions, devices: tuple[str, ...], trials: list[Trial], number: int
) -> tuple[list[Trial], str]:
    """A trial where every size is 1, if a function that is right at all ``trials`` is wrong there; or a note.

    An axis of length 1 is what a squeeze drops and what broadcasts unasked: such code is right at all other sizes.
    """
    is_right = len(trials) > 1 and callable(question.claimed) and all(trial.holds for trial in trials)
    at = of_ones(question, options) if is_right else None
    if at is None:
        return [], ""
    try:
        trial = observed(question, options, devices, number, at)
    except CheckError as error:
        return [], f"where every size is 1 the function was not judged: {error.message}"
    if trial.claimed.shape != trial.truth.shape:
        return [], "where every size is 1 the function returns another shape, and was not judged"
    kept, _ = with_derivative(question, [] if trial.holds else [trial])
    return kept, ""


def _is_new(question: Question) -> bool:
    """Whether a claim is somebody else's and not, node for node, what was derived (which is right on every branch)."""
    if not isinstance(question.claimed, Node):
        return True
    return question.truth is not None and question.claimed is not question.truth


def _spread(
    question: Question, options: CheckOptions, usual: list[Point], first: int, more: list[Point]
) -> dict[str, str]:
    """Adds points where sizes are larger than they were; tells the sizes of which there are none, and why.

    Not where a single trial was asked for.
    """
    if options.trials == 1 or not usual:
        return {}
    larger, confined = at_larger_sizes(question, options, usual, first + len(more))
    more += larger
    return confined


def _chooses(question: Question) -> bool:
    """Whether entries are chosen among others: by a few points one may be chosen again and again."""
    return any(node.operator.ties is not None for node in postorder(question.expression))


# -------------------------------------------------------------------------------------------------- the verdict


def _report(
    question: Question,
    options: CheckOptions,
    devices: tuple[str, ...],
    trials: list[Trial],
    discarded: tuple[str, ...],
    one_sided: tuple[str, ...],
) -> Report:
    common = {"trials": len(trials), **circumstances(question, options, devices, discarded)}
    if not trials:
        return Report(
            "inconclusive",
            reason=f"no point inside the domain was found: {discarded[0].split(': ', 1)[-1]}",
            **common,
        )
    flat = _flat(question, options, trials)
    seen = len(trials)
    trials = _seeing(trials, options)
    blind = [hides_everything(options, seen - len(trials))] if len(trials) < seen else []
    still = sum(t.blank for t in trials) if question.changes else 0
    blind += [f"in {still} of the trials the function does not change in {FINE.digits} digits"] if still else []
    common["trials"] = len(trials)
    common["max_error"] = max(t.error for t in trials)
    common["testimonies"], outcome = heard(Evidence(question, options, tuple(t.seen for t in trials)))
    common["odd_one_out"] = called_in_words(outcome.odd)
    reason, odd = _fault_of_the_lowering(question, [t for t in trials if not t.hidden])
    if outcome.verdict == "refuted" and not reason:
        wrong = next((t for t in trials if not t.holds), trials[0])
        return _refuted(question, options, trials, wrong, common)
    reason = reason or _doubt(trials) or outcome.reason or _weakness(trials, one_sided if _is_new(question) else ())
    if flat and not any(t.agrees and t.witness == _EXACT for t in common["testimonies"]):
        reason = reason or flat
    if not reason and len(trials) < min(2, options.trials):
        reason = f"only {len(trials)} point was found; {discarded[0]}"
    if reason:
        common["odd_one_out"] = odd or common["odd_one_out"]
        return Report("inconclusive", reason=reason, **common)
    fares = reduce(or_, (t.fares for t in trials))
    return Report(
        "verified",
        float32_error=fares.float32_error,
        device_difference=fares.difference,
        smallest_visible=max(t.visible for t in trials),
        witnesses=(*fares.silent, *blind, *one_sided, *([question.note] if question.note else [])),
        **common,
    )


def _seeing(trials: list[Trial], options: CheckOptions) -> list[Trial]:
    """The trials without those where rounding hides everything, or a damaged copy, if enough are left."""
    enough = min(2, options.trials)
    seeing = [t for t in trials if t.sees or t.seen.given]
    clear = [t for t in seeing if not t.survivors or not t.holds]
    return clear if len(clear) >= enough else seeing if len(seeing) >= enough else trials


def _fault_of_the_lowering(question: Question, trials: list[Trial]) -> tuple[str, str]:
    """What is wrong with the code, whatever becomes of the formula, and who is the odd one out; or nothing."""
    is_text = isinstance(question.claimed, Node)
    if is_text and all(t.holds for t in trials) and any(not t.error <= LOWERED for t in trials):
        worst = max(trials, key=lambda t: t.error if t.error == t.error else float("inf"))
        reason = f"the formula holds, but its lowered code is off by {worst.error:.1e} in trial {worst.number}"
        return reason, _LOWERING
    devices = next((t for t in trials if not (t.fares.difference64 or 0.0) <= LOWERED), None)
    if devices is not None:
        return f"two devices differ by {devices.fares.difference64:.1e} in float64, in trial {devices.number}", ""
    apart = next((t for t in trials if not t.value_agrees), None)
    if apart is None:
        return "", ""
    return "the lowered value and the 90-digit value differ", _odd_value(question, apart)


def _odd_value(question: Question, trial: Trial) -> str:
    """Whose value of the function SymPy's own contradicts: our lowering's, or that of reference arithmetic; or ""."""
    own, exact = sympy_value(question, trial.at), trial.value
    low = autograd(question, trial.at, "float64", "cpu")[1]
    room = FLOAT * max(abs(exact), abs(low))
    near_exact, near_low = own is not None and abs(own - exact) <= room, own is not None and abs(own - low) <= room
    if near_exact == near_low:
        return ""
    return _LOWERING if near_exact else called_in_words(("precise",))


def _doubt(trials: list[Trial]) -> str:
    """What rounding leaves open at a point; or ""."""
    doubtful = next((t for t in trials if t.doubt), None)
    if doubtful is not None:
        return f"in trial {doubtful.number} {doubtful.doubt}"
    blurred = next((t for t in trials if t.hidden), None)
    if blurred is not None:
        return f"ill-conditioned: in trial {blurred.number} rounding alone explains all that floats say"
    return ""


def _flat(question: Question, options: CheckOptions, trials: list[Trial]) -> str:
    """That the function does not change, in all digits, where it should be seen to; or "".

    At tanh(10^4) every factor of a derivative is hidden by one that is 0 in 800 digits. What is constant has 0 for a
    derivation, and a function that is so on one branch alone changes at other points.
    """
    changing = [t.at for t in trials if not t.blank]
    if len(changing) == len(trials) or not question.changes:
        return ""
    if not changing:
        return f"the function does not change in {FINE.digits} digits at any point, which hides every factor"
    for name in sorted(lacking_larger(question, options, changing)):
        return confined_to(name, changing, f"at others the function does not change in {FINE.digits} digits")
    return ""


def _weakness(trials: list[Trial], one_sided: tuple[str, ...]) -> str:
    """Why agreement everywhere is not evidence enough; or ""."""
    if any(t.survivors for t in trials):
        return "a damaged copy of the claim would pass as well"
    return one_sided[0] if one_sided else ""


def _refuted(
    question: Question, options: CheckOptions, trials: list[Trial], first: Trial, common: dict[str, Any]
) -> Report:
    pairs = [(t.at, Pair(t.claimed, t.truth, t.value)) for t in sorted(trials, key=lambda t: t.holds)]
    found = _only_at_ones(trials) or diagnosis_of(question, options, pairs, _only_somewhere(trials))
    seen = {
        "trial": first.number,
        **first.at.example(options.seed),
        "claimed": first.claimed.tolist(),
        "expected": first.truth.tolist(),
    }
    lines = ["torch autograd agrees with the differences"] if all(t.auto_agrees for t in trials) else []
    common["odd_one_out"] = common["odd_one_out"] or ("the claim" if common["claimed"] else "the derivation")
    return Report(
        "refuted",
        counterexample=seen,
        diagnosis=found.says,
        relation=found.relation,
        residual=found.residual,
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
        counterexample={"trial": 0, **first.example(options.seed)},
        diagnosis=f"the claim has no value where the gradient has one: {trouble(question, first)}",
        odd_one_out="the claim",
        **circumstances(question, options, devices, discarded),
    )


def _only_at_ones(trials: list[Trial]) -> Diagnosis | None:
    """What is said of a claim that is wrong only where every size is 1."""
    ones = [t for t in trials if t.at.sizes and max(t.at.sizes.values()) == 1]
    if not ones or any(t.holds == (t in ones) for t in trials):
        return None
    says = f"wrong only where {' = '.join(ones[0].at.sizes)} = 1: is an axis of length 1 dropped, or does it broadcast?"
    return Diagnosis(says, "size one")


def _only_somewhere(trials: list[Trial]) -> str:
    """Whether a wrong claim holds at some of the points, of which all have sizes above 1."""
    right = [t for t in trials if t.holds and not t.doubt and max(t.at.sizes.values(), default=2) > 1]
    wrong = [t for t in trials if not t.holds]
    if not right or len(wrong) == len(trials):
        return ""
    return f"right at {len(right)} of the points and wrong at {len(wrong)}: does it hold on one branch alone?"
