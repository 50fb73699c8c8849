"""The report of a check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from matcalc.checking.counterexamples import counterexample_lines
from matcalc.checking.testimony import Testimony, together
from matcalc.errors import UNDECIDED

_EXIT = {"verified": 0, "refuted": 1, "inconclusive": UNDECIDED}
_COLOURS = {"verified": "#137333", "refuted": "#b3261e", "inconclusive": "#8a5a00"}


@dataclass(frozen=True)
class Report:
    """A verdict and its evidence.

    Attributes:
        verdict: "verified", "refuted" or "inconclusive".
        trials: how many points counted.
        devices, dtypes, seed: under which it was carried out.
        max_error: the largest error in float64, relative to the gradient's size; None where nothing was computed.
        float32_error: the same in float32, reported and never decisive.
        device_difference: the largest difference between devices with the same inputs, relative; None for one device.
        smallest_visible: a relative error that would have been seen.
        counterexample: for a refuted claim the point and both values.
        diagnosis: what a refuted claim has to do with the truth.
        relation: the short name of that.
        residual: claim minus truth, simplified, as text.
        odd_one_out: who disagrees where the others agree: a witness, our lowering, the claim; or "".
        testimonies: what each witness says.
        witnesses: what else is to be said of the evidence.
        edges: what was found at points where there is no derivative; it decides nothing.
        discarded: why points did not count.
        reason: why nothing could be decided.
        versions, settings: of what and under which settings of torch.
        asked: all that decides the check, for :func:`matcalc.replay`.
    """

    verdict: str
    trials: int
    devices: tuple[str, ...]
    dtypes: tuple[str, ...]
    seed: int
    max_error: float | None = None
    float32_error: float | None = None
    device_difference: float | None = None
    smallest_visible: float | None = None
    counterexample: dict[str, Any] | None = None
    diagnosis: str | None = None
    relation: str = ""
    residual: str = ""
    odd_one_out: str = ""
    witnesses: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    claimed: bool = False
    testimonies: tuple[Testimony, ...] = ()
    edges: tuple[str, ...] = ()
    asked: dict[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether the verdict is "verified"."""
        return self.verdict == "verified"

    @property
    def exit_code(self) -> int:
        """0 verified, 1 refuted, 3 inconclusive."""
        return _EXIT[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """The report as what JSON can hold."""
        return {
            "verdict": self.verdict,
            "trials": self.trials,
            "devices": list(self.devices),
            "dtypes": list(self.dtypes),
            "seed": self.seed,
            "max_error": _finite(self.max_error),
            "float32_error": _finite(self.float32_error),
            "device_difference": _finite(self.device_difference),
            "smallest_visible": self.smallest_visible,
            "counterexample": _finite(self.counterexample),
            "diagnosis": self.diagnosis,
            "relation": self.relation,
            "residual": self.residual,
            "odd_one_out": self.odd_one_out,
            "testimonies": [each.to_dict() for each in self.testimonies],
            "witnesses": list(self.witnesses),
            "edges": list(self.edges),
            "discarded": list(self.discarded),
            "reason": self.reason,
            "versions": self.versions,
            "settings": self.settings,
            "asked": self.asked,
        }

    def __str__(self) -> str:
        lines = [self._headline(), *(f"  {line}" for line in (*self.testimonies, *self.witnesses, *self.edges))]
        if self.diagnosis:
            lines.append(f"  diagnosis: {self.diagnosis}")
        if self.residual:
            lines.append(f"  claim - truth = {self.residual}")
        if self.counterexample:
            lines += ["  counterexample:", *(f"    {line}" for line in counterexample_lines(self.counterexample))]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What a notebook shows: the report with its verdict in colour."""
        from html import escape

        first, _, rest = str(self).partition("\n")
        return f'<pre><strong style="color:{_COLOURS[self.verdict]}">{escape(first)}</strong>\n{escape(rest)}</pre>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Text and HTML at once."""
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _headline(self) -> str:
        if self.verdict == "inconclusive":
            return f"inconclusive: {self.reason}"
        if self.verdict == "refuted":
            return f"refuted: the {self._on_trial} disagrees with the witnesses" + self._odd_witness
        if self.odd_one_out:
            return f"verified by differences: {self.trials} trials{self._odd_witness}"
        errors = f"float64 error {self.max_error:.1e}"
        if self.float32_error is not None:
            errors += f" (float32 {self.float32_error:.1e})"
        if self.device_difference is not None:
            errors += f", between devices {self.device_difference:.1e}"
        return f"verified against autograd: {self.trials} trials, {errors}, {', '.join(self.devices)}"

    @property
    def _on_trial(self) -> str:
        return "claim" if self.claimed else "derivation"

    @property
    def _odd_witness(self) -> str:
        """The odd one out, unless it is the claim itself."""
        if self.odd_one_out in ("", f"the {self._on_trial}"):
            return ""
        are = "are the odd ones out" if " and " in self.odd_one_out else "is the odd one out"
        return f"; {self.odd_one_out} {are}"


def _finite(value: Any) -> Any:
    """``value`` with infinities and NaN as texts, since JSON has no numbers for them."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def combined(reports: Sequence[Report]) -> Report:
    """One report of checks that all have to hold: the first that does not, or what the weakest of them showed."""
    for report in reports:
        if not report.ok:
            return report
    errors = [r.float32_error for r in reports if r.float32_error is not None]
    return replace(
        reports[-1],
        trials=min(r.trials for r in reports),
        max_error=max(r.max_error or 0.0 for r in reports),
        float32_error=max(errors, default=None),
        device_difference=max((r.device_difference for r in reports if r.device_difference is not None), default=None),
        discarded=tuple(line for r in reports for line in r.discarded),
        odd_one_out=next((r.odd_one_out for r in reports if r.odd_one_out), ""),
        testimonies=together(each for r in reports for each in r.testimonies),
        edges=tuple(dict.fromkeys(line for r in reports for line in r.edges)),
    )
