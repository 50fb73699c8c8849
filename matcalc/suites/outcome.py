"""What became of a case, and what that means for the suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.errors import BUG, UNDECIDED
from matcalc.suites.spec import Case

DECIDED = ("verified", "refuted")
# A suite ends with the first of these that a case of it has: what is wrong goes before what is not known.
_GRAVEST_FIRST = (1, 2, BUG, 4, UNDECIDED)


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        case: the case.
        verdict: "verified", "refuted", "inconclusive", or "error" for a case that could not be asked.
        diagnosis: what a refuted claim has to do with the truth, or "".
        reason: why nothing was decided, or "".
        code: of a case that was not decided, the exit code.
        seconds: how long it took; not the same from run to run.
        report: the check's report as what JSON can hold; None where there is none, or where it was put on file.
    """

    case: Case
    verdict: str
    diagnosis: str = ""
    reason: str = ""
    code: int = UNDECIDED
    seconds: float = 0.0
    report: Mapping[str, Any] | None = None

    @property
    def decided(self) -> bool:
        """Whether there is a verdict on the claim."""
        return self.verdict in DECIDED

    @property
    def expected(self) -> str:
        """The verdict that was expected."""
        return self.case.expect

    @property
    def as_expected(self) -> bool:
        """Whether verdict and diagnosis are what the suite expects.

        >>> case = Case("a", "b", 1, "x'*x", ("x",), "-2*x", expect="refuted", diagnosis="sign")
        >>> Outcome(case, "refuted", diagnosis="Sign: the claim is minus the gradient").as_expected
        True
        """
        return self.verdict == self.case.expect and self._says_the_word

    @property
    def _says_the_word(self) -> bool:
        return self.case.diagnosis.casefold() in self.diagnosis.casefold()

    @property
    def exit_code(self) -> int:
        """0 as expected, 1 decided otherwise, else the code of what was in the way."""
        return int(not self.as_expected) if self.decided else self.code

    @property
    def complaint(self) -> str:
        """What is to be said of it in a line; "" where it is as expected.

        >>> Outcome(Case("a", "b", 1, "x'*x", ("x",), "2*x", expect="refuted"), "verified").complaint
        'verified, and expected to be refuted'
        """
        if self.as_expected:
            return ""
        if self.verdict == self.case.expect:
            return f"{self.verdict}, but the diagnosis does not contain {self.case.diagnosis!r}: {self.diagnosis}"
        other = f"{self.verdict}, and expected to be {self.case.expect}" if self.decided else self.verdict
        return ": ".join(part for part in (other, self.diagnosis or self.reason) if part)


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """The exit code of a suite: 1 a claim decided otherwise than expected, 2 one not understood, 3 one not decided.

    >>> exit_code([])
    0
    """
    found = {outcome.exit_code for outcome in outcomes}
    return next((code for code in _GRAVEST_FIRST if code in found), 0)
