"""The vote of the witnesses: what follows from what they say, and who is the odd one out.

A witness that agrees can only contradict one that disagrees by more than it would have seen itself: floats that see no
error above 1e-8 say nothing against 90 digits that see one of 1e-12. Witnesses that share code (torch's two modes) are
kin and count as one. A side wins with two independent witnesses against at most one kind; where it is one kind against
one kind, our own derivation, if it is not itself the claim on trial, is asked as well. Differences in 90 digits, where
they can be had, are never outvoted: against them nothing is decided. NaN is never agreement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matcalc.checking.testimony import Testimony
from matcalc.checking.witnesses import WITNESSES

_STRONGEST = "precise"
_DERIVATION = "derivation"
_MAJORITY = 2
_SURELY = 10  # times what a witness would have seen, before its silence counts against another's word


@dataclass(frozen=True)
class Outcome:
    """What the vote says.

    Attributes:
        verdict: "verified", "refuted" or "inconclusive".
        odd: the witnesses that disagree where the others agree.
        reason: why nothing could be decided.
    """

    verdict: str
    odd: tuple[str, ...] = ()
    reason: str = ""


def vote(heard: Sequence[Testimony], derivation: bool | None = None) -> Outcome:
    """The outcome; ``derivation``: whether our own derivation says what the claim says, or None where nobody asked.

    >>> from matcalc.checking.testimony import Testimony as T
    >>> vote([T("autograd", False, "", 1.0, 1e-8), T("precise", True, "", 0.0, 1e-18), T("sympy", True, "")])
    Outcome(verdict='verified', odd=('autograd',), reason='')
    >>> vote([T("autograd", True, "", 0.0, 1e-8), T("precise", False, "", 1e-12, 1e-18)]).verdict
    'refuted'
    """
    counted = [each for each in heard if each.agrees is not None and _kin(each) and each.visible != float("inf")]
    against = [each for each in counted if not each.agrees]
    in_favour = [each for each in counted if each.agrees]
    if not counted:
        return Outcome("inconclusive", reason="no witness answers")
    if not against:
        return _unanimous("verified", in_favour, derivation)
    seeing = [each for each in in_favour if _would_have_seen(each, against)]
    blind = [each.witness for each in in_favour if each not in seeing]
    if not seeing:
        if _STRONGEST in blind:
            return Outcome(
                "inconclusive", _names(against), f"nobody but {spoken(_names(against))} sees an error, a very small one"
            )
        return _unanimous("refuted", against, None if derivation is None else not derivation)
    return _majority(seeing, against, derivation)


def contradict(heard: Sequence[Testimony]) -> bool:
    """Whether witnesses contradict one another, however that comes out.

    >>> from matcalc.checking.testimony import Testimony as T
    >>> contradict([T("precise", True, "", 0.0, 1e-18), T("sympy", False, "", 0.5)])
    True
    """
    against = [each for each in heard if each.agrees is False and _kin(each)]
    return any(each.agrees and _kin(each) and _would_have_seen(each, against) for each in heard) and bool(against)


def spoken(names: Iterable[str]) -> str:
    """The witnesses in words.

    >>> spoken(["autograd", "forward"])
    'torch autograd and torch forward mode'
    """
    return " and ".join(WITNESSES[name].called for name in names)


def _kin(testimony: Testimony) -> str:
    return WITNESSES[testimony.witness].kin


def _names(testimonies: Iterable[Testimony]) -> tuple[str, ...]:
    return tuple(each.witness for each in testimonies)


def _would_have_seen(each: Testimony, against: Sequence[Testimony]) -> bool:
    """Whether the smallest error that others see is one that this witness would have seen.

    Not if it saw nothing but rounding wherever 90 digits see one.
    """
    if any(other.witness == _STRONGEST and each.is_of_other_trials(other) for other in against):
        return False
    least = min((other.error for other in against if other.error is not None), default=0.0)
    return least > _SURELY * (each.visible or 0.0)


def _unanimous(verdict: str, side: Sequence[Testimony], derivation: bool | None) -> Outcome:
    kinds = {_kin(each) for each in side} | ({_DERIVATION} if derivation else set())
    if _STRONGEST in _names(side) or len(kinds) >= _MAJORITY:
        return Outcome(verdict)
    return Outcome("inconclusive", reason=f"nobody but {spoken(_names(side))} answers, and one witness is not enough")


def _majority(seeing: Sequence[Testimony], against: Sequence[Testimony], derivation: bool | None) -> Outcome:
    for_it, against_it = {_kin(each) for each in seeing}, {_kin(each) for each in against}
    if len(for_it) == len(against_it) == 1 and derivation is not None:
        (for_it if derivation else against_it).add(_DERIVATION)
    if len(for_it) >= _MAJORITY and len(against_it) < _MAJORITY:
        outcome = Outcome("verified", _names(against))
    elif len(against_it) >= _MAJORITY and len(for_it) < _MAJORITY:
        outcome = Outcome("refuted", _names(seeing))
    else:
        reason = f"{spoken(_names(seeing))} agree with it, {spoken(_names(against))} do not"
        return Outcome("inconclusive", (), f"the witnesses contradict one another: {reason}")
    if _STRONGEST in outcome.odd:
        others = spoken(_names(against if outcome.verdict == "refuted" else seeing))
        reason = f"{spoken(outcome.odd)} is the odd one out: {others} contradict it"
        return Outcome("inconclusive", outcome.odd, reason)
    return outcome
