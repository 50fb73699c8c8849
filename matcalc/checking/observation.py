"""What is seen at a point: the claim and the differences, autograd, and the code on every device.

Where rounding hides everything, or the function does not change, other points are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.blur import hidden
from matcalc.checking.devices import DeviceFigures, figures
from matcalc.checking.evidence import Seen
from matcalc.checking.given import Edge, chosen_points, conventions, looked_at
from matcalc.checking.judgement import FLOAT, rounding
from matcalc.checking.judging import judged
from matcalc.checking.larger_sizes import lacking_larger
from matcalc.checking.placement import CPU
from matcalc.checking.points import Point, drawn, is_large, point, trouble
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.reach import on_a_kink
from matcalc.checking.tolerance import BLIND
from matcalc.checking.torch_side import autograd, in_floats, lowered
from matcalc.expression.nodes import Node

LOWERED = 1e-6
"""How far code may be off what it computes, in float64 and relative to the gradient's size."""
_SMALL = 1e-6
_ENOUGH = 2
_MORE_TRIALS = 8
SCALES_SEEN = (1.0, 0.1, 1.0, 0.01)
"""Scales at which rounding hides less."""
_DRAWS = 40
_TINY = 2.0**-40
_BLURRED = 1e-6


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


def observed(
    question: Question, options: CheckOptions, devices: tuple[str, ...], number: int, at: Point, given: bool = False
) -> Trial:
    """The trial at a point."""
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
    off = not (agrees and close and error <= LOWERED)
    blurred = bool(found.holds) and off and not given and hidden(question, seen, low, mine)
    return Trial(
        seen, truth, bool(found.holds), agrees, close, error, fares, survivors, found.visible, found.doubt, blurred,
        found.blank,
    )  # fmt: skip


def with_derivative(question: Question, trials: list[Trial]) -> tuple[list[Trial], list[str]]:
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


def at_chosen_points(
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
            trials.append(observed(found, options, devices, first + k, at, given=True))
            if found.claimed is not question.claimed:
                who = "the claim" if question.truth is not None else "the formula"
                edges.append(f"at given point {k + 1}: {who} as written has no value there; its code is judged")
    return trials, tuple(edges)


def clearer(
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
        at = _clearest(question, options, first + k) if usual else point(question, options, first + k)
        tried = [] if isinstance(at, str) else [observed(question, options, devices, first + k, at)]
        kept = [t for t in with_derivative(question, tried)[0] if tells(t)]
        lacking -= len(kept)
        made += kept
    return made


def _clearest(question: Question, options: CheckOptions, number: int) -> Point | str:
    """Of some points at scale 1 and below, one that rounding blurs little: where the function changes most, in floats.

    1 - tanh(18)^2 is one of two floats and hardly moves with x; sin(x^2) is steepest where x is so large that its last
    digit decides.
    """
    best: tuple[float, Point | None] = (0.0, None)
    for attempt in range(_DRAWS):
        at = drawn(question, replace(options, scale=SCALES_SEEN[attempt % len(SCALES_SEEN)]), number, attempt)
        steepness = 0.0 if at is None else _steepness(question, at, number)
        if at is not None and steepness > best[0] and not trouble(question, at):
            best = (steepness, at)
    return best[1] or point(question, replace(options, scale=SCALES_SEEN[number % len(SCALES_SEEN)]), number)


def hides_everything(options: CheckOptions, count: int) -> str:
    """In words: how many trials tell nothing at the scale that was asked for."""
    return f"at the scale {options.scale:g} rounding hides everything in {count} more trials"


def _steepness(question: Question, at: Point, number: int) -> float:
    """How much the function changes relatively, by autograd; 0 where that moves with the inputs' last digits."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([number, 53]))
    moved = {name: v * (1 + _TINY * rng.uniform(-1, 1, v.shape)) for name, v in at.values.items()}
    (here, value), (there, _) = (autograd(question, each, "float64", CPU) for each in (at, Point(at.sizes, moved)))
    with np.errstate(all="ignore"):
        blur = float(np.abs(there - here).max(initial=0.0) / np.abs(here).max(initial=0.0))
        found = float(np.abs(here * at.values[question.name]).max(initial=0.0)) / (abs(value) or 1.0)
    return found if blur < _BLURRED and np.isfinite(found) else 0.0


def _distance(a: Any, b: Any) -> float:
    import numpy as np

    return float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else float("inf")
