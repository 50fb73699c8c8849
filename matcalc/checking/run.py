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

from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from matcalc.checking.blur import hidden
from matcalc.checking.devices import DeviceFigures, devices_for, figures
from matcalc.checking.diagnosis.case import Pair
from matcalc.checking.diagnosis.table import diagnosis_of
from matcalc.checking.edges import edges_of
from matcalc.checking.evidence import Evidence, Seen, circumstances
from matcalc.checking.given import Edge, chosen_points, conventions, looked_at
from matcalc.checking.hearing import heard
from matcalc.checking.judgement import FLOAT, judged, rounding
from matcalc.checking.landscape import FINE
from matcalc.checking.large import run_large
from matcalc.checking.larger_sizes import at_larger_sizes, confined_to, failing_where_larger, lacking_larger
from matcalc.checking.placement import CPU
from matcalc.checking.points import Point, drawn, is_large, point, trouble, where_claim_fails, where_typed_claim_fails
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.reach import missing_sides, on_a_kink, reached, spoken
from matcalc.checking.search import suspects
from matcalc.checking.sympy_witnesses import sympy_value
from matcalc.checking.tolerance import BLIND
from matcalc.checking.torch_side import autograd, in_floats, lowered
from matcalc.checking.verdict import Report
from matcalc.checking.vote import spoken as called_in_words
from matcalc.errors import CheckError
from matcalc.expression.nodes import Node, postorder

_LOWERED = 1e-6
_SMALL = 1e-6
_FOR_CHOICES = 12
_LOWERING = "our lowering"
_ENOUGH = 2
_MORE_TRIALS = 8
_VISIBLE = (1.0, 0.1, 1.0, 0.01)
"""Scales at which rounding hides less."""
_DRAWS = 24
_EXACT = "exact"


@dataclass(frozen=True)
class Trial:
    """What was found at one point."""

    seen: Seen
    truth: Any
    holds: bool
    value_agrees: bool
    auto_agrees: bool
    error: float
    fares: DeviceFigures
    survivors: int
    visible: float
    doubt: str
    hidden: bool
    blank: bool

    @property
    def sees(self) -> bool:
        """Whether more than rounding is left of what is compared, or the claim fails, which is seen in any case."""
        return not self.holds or (self.visible <= BLIND and (not self.hidden or bool(self.doubt)))

    @property
    def number(self) -> int:
        """Which trial."""
        return self.seen.number

    @property
    def at(self) -> Point:
        """The point."""
        return self.seen.at

    @property
    def claimed(self) -> Any:
        """What the claim says there."""
        return self.seen.claimed

    @property
    def value(self) -> float:
        """The function's value."""
        return self.seen.value


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
    confined = _spread(question, options, usual, wanted, more)
    points += [(wanted + k, at) for k, at in enumerate(more)]
    trials, kinks = _with_derivative(question, [_trial(question, options, devices, *numbered) for numbered in points])
    discarded += kinks
    if trials and all(trial.holds for trial in trials):
        if failing := failing_where_larger(question, options, confined):
            return _without_value(question, options, devices, failing, tuple(discarded))
        first = wanted + len(more)
        for k, (at, plainly) in enumerate(suspects(question, options)):
            trial = _trial(question, options, devices, first + k, at)
            trials += [trial] if plainly or not trial.holds else []
    trials += _clearer(question, options, devices, trials, wanted + len(more) + len(options.at))
    given, edges = _at_chosen_points(question, options, devices, wanted + len(more))
    if options.edges and points:
        edges += edges_of(question, points[0][1])
    one_sided = tuple(sorted({spoken(question, side) for side in unreached}))
    report = _report(question, options, devices, trials + given, tuple(discarded), one_sided)
    if confined and report.verdict == "verified":
        name, why = next(iter(confined.items()))
        report = replace(report, verdict="inconclusive", reason=confined_to(name, usual, why))
    if report.verdict == "verified" and (why := where_typed_claim_fails(question, options)):
        reason = f"the claim, as typed, has no value everywhere where the gradient has one: {why}"
        report = replace(report, verdict="inconclusive", reason=reason)
    return replace(report, edges=edges)


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


def _with_derivative(question: Question, trials: list[Trial]) -> tuple[list[Trial], list[str]]:
    """The trials without those that fail where there is no derivative, and why those do not count."""
    kept, discarded = [], []
    for trial in trials:
        off = not trial.holds and on_a_kink(question, trial.at)
        found = looked_at(question, trial.at) if off else question
        if isinstance(found, Edge):
            discarded.append(f"trial {trial.number}: {found.says}")
        else:
            kept.append(trial)
    return kept, discarded


def _at_chosen_points(
    question: Question, options: CheckOptions, devices: tuple[str, ...], first: int
) -> tuple[list[Trial], tuple[str, ...]]:
    """Trials at the points that somebody gave, and what is to be told of those without a derivative."""
    trials, edges = [], []
    for k, at in enumerate(chosen_points(question, options)):
        if is_large(question, replace(options, sizes=at.sizes)):
            edges.append(f"at given point {k + 1}: too large for 90 digits; {conventions(question, at)}")
            continue
        found = looked_at(question, at)
        if isinstance(found, Edge):
            edges.append(f"at given point {k + 1}: {found.says}")
        else:
            trials.append(_trial(found, options, devices, first + k, at, given=True))
    return trials, tuple(edges)


def _trial(
    question: Question, options: CheckOptions, devices: tuple[str, ...], number: int, at: Point, given: bool = False
) -> Trial:
    import numpy as np

    found = judged(question, at, number)
    claimed, truth, largest = found.claimed, found.truth, found.largest
    auto, low = autograd(question, at, "float64", CPU)
    scale = max(float(np.abs(truth).max(initial=0.0)), float(np.abs(auto).max(initial=0.0)))
    room = FLOAT * scale + rounding(at, question.name, largest)
    close = auto.shape == truth.shape and bool(np.isfinite(auto).all()) and bool((np.abs(auto - truth) <= room).all())
    mine = lowered(question, at, "float64", CPU) if isinstance(question.claimed, Node) else claimed.astype(float)
    length = float(np.abs(at.values[question.name]).max()) or 1.0
    unit = max(scale, _SMALL * largest / length) or 1.0
    error = _distance(mine, auto if close else truth) / unit if mine.shape == truth.shape else 0.0
    fares = (
        figures(lambda t, d: in_floats(question, at, t, d), devices, options.dtypes, truth, unit)
        if found.holds and claimed.shape == truth.shape
        else DeviceFigures()
    )
    agrees = abs(low - found.value) <= 1e-7 * max(abs(found.value), largest * 1e-6) + 1e-300
    seen = Seen(number, at, claimed, found.value, largest, auto, found, given)
    survivors = 0 if given else found.survivors
    off = not (agrees and close and error <= _LOWERED)
    blurred = bool(found.holds) and off and not given and hidden(question, seen, low, mine)
    return Trial(
        seen, truth, bool(found.holds), agrees, close, error, fares, survivors, found.visible, found.doubt, blurred,
        found.blank,
    )  # fmt: skip


def _clearer(
    question: Question, options: CheckOptions, devices: tuple[str, ...], trials: list[Trial], first: int
) -> list[Trial]:
    """Trials instead of those where rounding, or a function that does not change, hides everything.

    What is claimed is looked at where floats see it, at scale 1 and below if not at the one asked for. What 90 digits
    say of a formula holds at all scales; of a function the points that tell nothing are counted.
    """

    def tells(t: Trial) -> bool:
        return t.sees and not (t.holds and t.blank and question.changes)

    lacking = min(_ENOUGH, options.trials) - sum(map(tells, trials))
    flat = all(t.blank for t in trials)
    made: list[Trial] = []
    for k in range(_MORE_TRIALS if trials else 0):
        if lacking <= 0 and not (flat and lacking_larger(question, options, [t.at for t in made])):
            break
        usual = k >= (_ENOUGH if flat else _MORE_TRIALS // 2)
        at = _steepest(question, options, first + k) if usual else point(question, options, first + k)
        tried = [] if isinstance(at, str) else [_trial(question, options, devices, first + k, at)]
        kept = [t for t in _with_derivative(question, tried)[0] if tells(t)]
        lacking -= len(kept)
        made += kept
    return made


def _steepest(question: Question, options: CheckOptions, number: int) -> Point | str:
    """Of some points at scale 1 and below, the one where the function changes most beside its own size."""
    import numpy as np

    best: tuple[float, Point | None, str] = (0.0, None, "the function does not change at any point that floats see")
    for attempt in range(_DRAWS):
        scale = options.scale if attempt == 0 else _VISIBLE[attempt % len(_VISIBLE)]
        at = drawn(question, replace(options, scale=scale), number, attempt)
        if at is None:
            continue
        auto, value = autograd(question, at, "float64", CPU)
        steepness = float(np.abs(auto * at.values[question.name]).max(initial=0.0)) / (abs(value) or 1.0)
        if np.isfinite(value) and best[0] < steepness < np.inf and not trouble(question, at):
            best = (steepness, at, "")
    return best[1] or best[2]


def _distance(a: Any, b: Any) -> float:
    import numpy as np

    return float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else float("inf")


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
    blind = [f"rounding hides everything in {seen - len(trials)} more trials"] if len(trials) < seen else []
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
    """The trials without those where rounding hides everything, if enough are left."""
    seeing = [t for t in trials if t.sees or t.seen.given]
    return seeing if len(seeing) >= min(2, options.trials) else trials


def _fault_of_the_lowering(question: Question, trials: list[Trial]) -> tuple[str, str]:
    """What is wrong with the code, whatever becomes of the formula, and who is the odd one out; or nothing."""
    is_text = isinstance(question.claimed, Node)
    if is_text and all(t.holds for t in trials) and any(not t.error <= _LOWERED for t in trials):
        worst = max(trials, key=lambda t: t.error if t.error == t.error else float("inf"))
        reason = f"the formula holds, but its lowered code is off by {worst.error:.1e} in trial {worst.number}"
        return reason, _LOWERING
    devices = next((t for t in trials if not (t.fares.difference64 or 0.0) <= _LOWERED), None)
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
    found = diagnosis_of(question, options, pairs, _only_somewhere(trials))
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


def _only_somewhere(trials: list[Trial]) -> str:
    """Whether a wrong claim holds at some of the points, of which all have sizes above 1."""
    right = [t for t in trials if t.holds and max(t.at.sizes.values(), default=2) > 1]
    wrong = [t for t in trials if not t.holds]
    if not right or len(wrong) == len(trials):
        return ""
    return f"right at {len(right)} of the points and wrong at {len(wrong)}: does it hold on one branch alone?"
