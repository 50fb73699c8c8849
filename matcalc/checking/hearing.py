"""The hearing: every chosen witness is heard, others are called where those contradict one another, and all vote."""

from __future__ import annotations

from matcalc.checking.evidence import Evidence
from matcalc.checking.judgement import AGREED, FLOAT
from matcalc.checking.landscape import QUICK
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.testimony import Testimony
from matcalc.checking.vote import Outcome, contradict, vote
from matcalc.checking.witnesses import ARBITERS, WITNESSES
from matcalc.expression.nodes import Node


def heard(evidence: Evidence) -> tuple[tuple[Testimony, ...], Outcome]:
    """What the witnesses say, and what follows."""
    names = evidence.options.witnesses
    said = [WITNESSES[name].hear(evidence) for name in names]
    for name in ARBITERS:
        if not contradict(said) or vote(said).verdict != "inconclusive":
            break
        if name not in names:
            said.append(WITNESSES[name].hear(evidence))
    return tuple(said), vote(said, _derivation_agrees(evidence) if contradict(said) else None)


def _derivation_agrees(evidence: Evidence) -> bool | None:
    """Whether our own derivation says what the claim says; our derivation on trial says what it says."""
    import mpmath

    question = evidence.question
    if question.truth is None:
        return True if isinstance(question.claimed, Node) else None
    is_text = isinstance(question.claimed, Node)
    for seen in evidence.points:
        with mpmath.workdps(QUICK.digits):
            exact = lifted(seen.at.values, question.variables)
            try:
                own = evaluate(question.truth, exact, seen.at.sizes)
                claim = question.claimed
                said = evaluate(claim, exact, seen.at.sizes) if isinstance(claim, Node) else seen.claimed
            except (ZeroDivisionError, ValueError, OverflowError):
                return None
            room = (AGREED if is_text else FLOAT) * max(abs(own).max(), abs(said).max())
            if own.shape != said.shape or not abs(own - said).max() <= room:
                return False
    return True
