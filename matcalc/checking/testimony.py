"""What one witness says of a claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any

_WORDS = {True: "agrees", False: "disagrees", None: "does not answer"}
_WIDEST = 12


@dataclass(frozen=True)
class Testimony:
    """A witness's word on one question.

    Attributes:
        witness: its name, as ``--witness`` takes it.
        agrees: whether the claim holds by it; None where it does not answer.
        says: one sentence with the figures behind it, or why it does not answer.
        error: how far the claim is from what it finds, relative to the derivative's size; None where it has no figure.
        visible: the smallest such error that it would have seen; infinite where all that it sees is zero.
        trials: where it agrees, those in which more than rounding was left to be seen; where it disagrees, those in
            which it does. None where it speaks of all.
    """

    witness: str
    agrees: bool | None
    says: str
    error: float | None = None
    visible: float | None = None
    trials: frozenset[int] | None = None

    def is_of_other_trials(self, other: Testimony) -> bool:
        """Whether it saw nothing in the trials that another speaks of."""
        return self.trials is not None and other.trials is not None and self.trials.isdisjoint(other.trials)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it.

        >>> Testimony("exact", True, "holds").to_dict()
        {'witness': 'exact', 'agrees': True, 'says': 'holds', 'error': None, 'visible': None}
        """
        return {
            "witness": self.witness, "agrees": self.agrees, "says": self.says,
            "error": _finite(self.error), "visible": _finite(self.visible),
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.witness:<{_WIDEST}} {_WORDS[self.agrees]}: {self.says}"


def _finite(figure: float | None) -> float | str | None:
    """Infinity as a text, since JSON has no number for it."""
    return figure if figure is None or isfinite(figure) else str(figure)


def together(testimonies: Iterable[Testimony]) -> tuple[Testimony, ...]:
    """What each witness says of several questions that all have to hold, in the order in which they were first heard.

    Of those that agree the largest error counts; a witness that is silent on one of them is silent on the whole.

    >>> from matcalc.checking.testimony import Testimony as T
    >>> [t.agrees for t in together([T("a", True, ""), T("b", True, ""), T("a", False, "no"), T("b", None, "")])]
    [False, None]
    """
    by_name: dict[str, list[Testimony]] = {}
    for each in testimonies:
        by_name.setdefault(each.witness, []).append(each)
    return tuple(_worst(heard) for heard in by_name.values())


def _worst(heard: list[Testimony]) -> Testimony:
    """The one that speaks most against the claim; among those that agree, the one with the largest error."""
    against = [each for each in heard if each.agrees is False]
    silent = [each for each in heard if each.agrees is None]
    return max(against or silent or heard, key=lambda each: -1.0 if each.error is None else each.error)
