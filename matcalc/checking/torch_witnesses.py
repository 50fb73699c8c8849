"""Torch's two modes as witnesses: reverse mode entry by entry, and dual numbers along random directions.

Both differentiate the literal lowering of the expression, by other formulas: our calculus has no part in either. They
are floats: what rounding may do to them (see :func:`matcalc.checking.judgement.rounding`) is allowed for, and where
that is more than a thousandth of the derivative they do not answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from matcalc.checking.evidence import Evidence, Seen
from matcalc.checking.judgement import FLOAT, rounding
from matcalc.checking.subspace import projected
from matcalc.checking.testimony import Testimony
from matcalc.checking.torch_side import along_by_duals
from matcalc.expression.nodes import Node

_BLIND = 1e-3
_DIRECTIONS = 4
_SHARE = 0.1  # of the largest entry of a direction, in the entry that is wrong


class Figure(NamedTuple):
    """Of one trial: its number, the error that was seen, what rounding may leave, and what error would show.

    Along a direction an error in one entry is one summand among many. Where claim and witness both find zero, a float
    cannot tell how small a derivative would be that it does not see: what would show is infinite.
    """

    trial: int
    error: float
    room: float
    visible: float


def autograd_testimony(evidence: Evidence) -> Testimony:
    """The claim against torch's reverse mode, in every entry."""

    def figures() -> Iterator[Figure]:
        for seen in evidence.points:
            yield entrywise(evidence, seen, seen.auto)

    return spoken("autograd", "torch reverse mode", figures())


def entrywise(evidence: Evidence, seen: Seen, theirs: Any) -> Figure:
    """How far the claim is from what a float witness finds, relative to the larger of the two."""
    import numpy as np

    claimed, name = seen.claimed, evidence.question.name
    if claimed.shape != theirs.shape:
        return Figure(seen.number, float("inf"), FLOAT, FLOAT)
    size = max(float(np.abs(claimed).max(initial=0.0)), float(np.abs(theirs).max(initial=0.0)))
    if size == 0.0:
        return Figure(seen.number, 0.0, FLOAT, float("inf"))
    room = max(FLOAT + rounding(seen.at, name, seen.largest) / size, _of_the_claim(evidence, seen))
    return Figure(seen.number, float(np.abs(claimed - theirs).max(initial=0.0)) / size, room, room)


def forward_testimony(evidence: Evidence) -> Testimony:
    """The claim against torch's dual numbers, along random directions."""

    def figures() -> Iterator[Figure]:
        for seen in evidence.points:
            for direction in directions(evidence, seen, -(-_DIRECTIONS // len(evidence.points)), 81):
                found = along_by_duals(evidence.question, seen.at, direction)
                yield directional(evidence, seen, direction, found)

    try:
        return spoken("forward", "torch dual numbers", figures())
    except (RuntimeError, NotImplementedError) as error:
        return Testimony("forward", None, f"torch has no forward mode here: {_first_line(error)}")


def directions(evidence: Evidence, seen: Seen, count: int, salt: int) -> Iterator[Any]:
    """Random directions within what was declared, from the trial alone."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([evidence.options.seed, seen.number, salt]))
    x = seen.at.values[evidence.question.name]
    for _ in range(count):
        yield projected(evidence.question.projected, rng.standard_normal(x.shape))


def directional(evidence: Evidence, seen: Seen, direction: Any, found: float, uncertain: float = 0.0) -> Figure:
    """How far the claim along a direction is from what a float witness finds, ``uncertain`` as that may be."""
    name, claimed = evidence.question.name, seen.claimed
    if claimed.shape != direction.shape:
        return Figure(seen.number, float("inf"), FLOAT, FLOAT)
    weight = float(abs(direction).sum())
    summed = float((abs(claimed) * abs(direction)).sum())
    size, largest = max(summed, abs(found)), float(abs(claimed).max(initial=0.0))
    if size == 0.0:
        return Figure(seen.number, 0.0, FLOAT, float("inf"))
    room = FLOAT + (rounding(seen.at, name, seen.largest) * weight + uncertain) / size
    room = max(room, _of_the_claim(evidence, seen))
    visible = room * max(size / (_SHARE * largest * float(abs(direction).max())), 1.0) if largest else room
    return Figure(seen.number, abs(float((claimed * direction).sum()) - found) / size, room, visible)


def _of_the_claim(evidence: Evidence, seen: Seen) -> float:
    """The rounding in a function that is claimed, as was measured: much, where it computes in single precision."""
    if isinstance(evidence.question.claimed, Node) or seen.judgement is None:
        return 0.0
    return seen.judgement.visible


def spoken(witness: str, what: str, figures: Iterable[Figure]) -> Testimony:
    """The word of a float witness on its figures at some of the points: it agrees where it does everywhere.

    >>> str(spoken("forward", "torch dual numbers", [Figure(0, 2e-16, 1e-8, 1e-7)]))
    'forward      agrees: torch dual numbers, off by at most 2.0e-16 in 1 trial (an error of 1e-07 would show)'
    """
    told = list(figures)
    clear = [figure for figure in told if figure.room <= _BLIND]
    if not clear:
        return Testimony(witness, None, f"{what}: nothing but rounding is left of the derivative there")
    visible = max(each.visible for each in clear)
    # NaN counts as the worst of errors: it is never agreement.
    worst = max((each.error if each.error == each.error else float("inf") for each in clear), default=0.0)
    against = frozenset(each.trial for each in clear if not each.error <= each.room)
    saw = frozenset(each.trial for each in clear)
    trials = len(saw)
    if against:
        far = f"off by {worst:.1e}" if worst < float("inf") else "of another shape, or no numbers,"
        says = f"{what}, {far} in {len(against)} of {counted(trials)}"
        return Testimony(witness, False, says, worst, visible, against)
    if visible == float("inf"):
        says = f"{what}, off by at most {worst:.1e} in {counted(trials)}, at times zero as floats tell"
        return Testimony(witness, True, says, worst, visible, saw)
    says = f"{what}, off by at most {worst:.1e} in {counted(trials)} (an error of {visible:.0e} would show)"
    return Testimony(witness, True, says, worst, visible, saw)


def counted(trials: int) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{trials} trial{'s' * (trials != 1)}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:90]
