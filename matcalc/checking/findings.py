"""Findings about a claim that is code: each names what was looked at, what came of it, and the smallest example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matcalc.checking.verdict import Report

RIGHT = "right"
WRONG = "wrong"
NOT_OFFERED = "not offered"
UNDECIDED = "undecided"
NOTED = "noted"
_BEYOND = frozenset(("double backward", "forward mode", "vmap"))
"""Aspects that are looked at once value and first derivative are right."""


@dataclass(frozen=True)
class Finding:
    """What one aspect of a claim showed.

    Attributes:
        aspect: what was looked at, as ``forward`` or ``double backward``.
        status: "right", "wrong", "not offered" (which is no fault), "undecided", or "noted" (odd, and no fault).
        says: one sentence.
        example: for a wrong one, the inputs, what was claimed and what was expected.
        error: the relative error that was seen, where one was measured.
    """

    aspect: str
    status: str
    says: str = ""
    example: dict[str, Any] | None = None
    error: float | None = None

    def __str__(self) -> str:
        return f"{self.aspect}: {self.status}" + (f": {self.says}" if self.says else "")

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it.

        >>> Finding("forward", RIGHT).to_dict()
        {'aspect': 'forward', 'status': 'right', 'says': ''}
        """
        return {"aspect": self.aspect, "status": self.status, "says": self.says}


@dataclass(frozen=True)
class FunctionReport(Report):
    """The report on a ``torch.autograd.Function``: a verdict, and a finding for everything that was looked at.

    Attributes:
        findings: in the order in which they were looked for.
    """

    findings: tuple[Finding, ...] = ()

    def finding(self, aspect: str) -> Finding:
        """The finding about an aspect, the first one of several.

        Raises:
            KeyError: where nothing was looked at under that name.
        """
        for found in self.findings:
            if found.aspect == aspect or found.aspect.startswith(f"{aspect} by "):
                return found
        raise KeyError(aspect)

    def to_dict(self) -> dict[str, Any]:
        """The report as what JSON can hold."""
        return {**super().to_dict(), "findings": [found.to_dict() for found in self.findings]}

    def __str__(self) -> str:
        head, *rest = super().__str__().split("\n")
        return "\n".join([head, *(f"  {found}" for found in self.findings), *rest])

    def _headline(self) -> str:
        if self.verdict == "refuted":
            wrong = list(dict.fromkeys(f.aspect for f in self.findings if f.status == WRONG))
            right = ", value and first derivative are right" if wrong and _BEYOND.issuperset(wrong) else ""
            return f"refuted: {', '.join(wrong) or 'the claim'} {'are' if len(wrong) > 1 else 'is'} wrong{right}"
        return super()._headline()


def reported(report: Report, findings: list[Finding], **changes: Any) -> FunctionReport:
    """A report with findings: refuted where one of them is wrong, whose example becomes the counterexample.

    >>> plain = Report("verified", 5, ("cpu",), ("float64",), 0)
    >>> reported(plain, [Finding("repeat", WRONG, "two calls differ")]).verdict
    'refuted'
    """
    from dataclasses import fields

    same = {f.name: getattr(report, f.name) for f in fields(Report)}
    wrong = [found for found in findings if found.status == WRONG]
    if wrong:
        first = next((found for found in wrong if found.example), wrong[0])
        said = "; ".join(f"{found.aspect}: {found.says}" for found in wrong)
        same |= {"verdict": "refuted", "diagnosis": said, "counterexample": first.example, "reason": ""}
    return FunctionReport(**{**same, **changes}, findings=tuple(findings))
