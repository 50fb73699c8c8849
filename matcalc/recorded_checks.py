"""A check as a record that can be carried out again, and the comparison of what comes out.

A seed decides every point, so that the same check on the same machine with the same versions gives the same report, bit
for bit. Where a figure differs the versions and the machine are what changed, and they are named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.errors import ParseError
from matcalc.limits import Limits

if TYPE_CHECKING:
    from matcalc.checking.question import CheckOptions
    from matcalc.derivative import Derivative
    from matcalc.parsed import Expression

_MOST_READ = 2**26
_MOST_THREADS = 1024


def asked_of(
    f: Expression,
    names: tuple[str, ...],
    kind: str,
    options: CheckOptions,
    *,
    claim: Any = None,
    direction: str = "",
    form: str = "textbook",
    unconstrained: bool = False,
) -> dict[str, Any]:
    """All that decides a check, as JSON holds it; a claim that is a function is only said to be one.

    >>> from matcalc.parsed import parse
    >>> from matcalc.checking.question import CheckOptions
    >>> asked_of(parse("x'*x"), ("x",), "grad", CheckOptions(), claim="2*x")["claim"]
    '2*x'
    """
    return {
        "expression": f.text,
        "let": {v.name: v.declaration for v in f.variables.values() if not v.inferred},
        "limits": {name: value for name, value in asdict(f.limits).items() if value != getattr(Limits(), name)},
        "wrt": list(names),
        "kind": kind,
        "claim": claim if claim is None or isinstance(claim, str) else None,
        "function": None if claim is None or isinstance(claim, str) else getattr(claim, "__name__", "a function"),
        "direction": direction,
        "form": form,
        "unconstrained": unconstrained,
        "options": json.loads(json.dumps(asdict(options), default=_listed)),
    }


def _listed(value: Any) -> Any:
    """Arrays and mappings that asdict leaves."""
    return dict(value) if isinstance(value, Mapping) else value.tolist()


def asked_of_derivative(derivative: Derivative, options: CheckOptions) -> dict[str, Any]:
    """The same for a derivation of ours."""
    from matcalc.directional_derivatives import DIRECTED
    from matcalc.jacobian_record import Jacobian

    if isinstance(derivative, Jacobian):
        f, names, freed = derivative.whole, tuple(derivative.names), derivative.freed
    else:
        f, names, freed = derivative.expression, (derivative.wrt,), derivative.as_written is not None
    direction = derivative.typed.variables[-1].name if derivative.kind in DIRECTED else ""
    return asked_of(
        f, names, derivative.kind, options, direction=direction, form=derivative.form, unconstrained=freed
    )  # fmt: skip


@dataclass(frozen=True)
class Replay:
    """What a check said before and says now.

    Attributes:
        before, after: both reports, as JSON holds them.
        differences: what differs, one sentence each; empty when the reports are the same bit for bit.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the reports are the same, bit for bit."""
        return not self.differences

    def __str__(self) -> str:
        if self.same:
            return f"the same, bit for bit: {self.after['verdict']}, seed {self.after['seed']}"
        return "\n".join(["not the same:", *(f"  {line}" for line in self.differences)])


def replay(report: str | Path | Mapping[str, Any]) -> Replay:
    """Carries out a recorded check again.

    Args:
        report: what ``Report.to_dict`` or ``--format json`` gave, or a file that holds it.

    Raises:
        ParseError: for a file that holds no report, and a check of a Python function, which no file can hold.
        MatcalcError: as :func:`matcalc.check`.

    >>> from matcalc.verification import check
    >>> replay(check("x'*x", "x", claim="2*x").to_dict()).same
    True
    """
    before = _report_in(report if isinstance(report, Mapping) else _read(Path(report)))
    asked = before["asked"]
    if asked["function"] is not None:
        raise ParseError(
            f"the claim was the Python function {asked['function']}, which the report does not hold",
            suggestion=f"matcalc.check(..., seed={before['seed']}) with that function",
        )
    with _threads(before.get("settings")):
        after = json.loads(json.dumps(_again(asked)))
    return Replay(before, after, tuple(_differences(before, after)))


def _read(path: Path) -> Any:
    try:
        with path.open(encoding="utf-8") as file:
            return json.loads(file.read(_MOST_READ))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise ParseError(f"cannot read a report from {str(path)!r}: {reason}") from error


def _report_in(given: Any) -> Mapping[str, Any]:
    """The report itself: alone, or inside what the command line printed."""
    found = given.get("check") if isinstance(given, Mapping) and "check" in given else given
    if not (isinstance(found, Mapping) and isinstance(found.get("asked"), Mapping) and "verdict" in found):
        raise ParseError(
            "this is no report of a check", suggestion='matcalc check "x\'*x" --wrt x --claim "2*x" --format json'
        )
    return found


@contextmanager
def _threads(settings: Any) -> Iterator[None]:
    """As many threads as then: sums are taken in another order by another number of them."""
    import torch

    now = torch.get_num_threads()
    recorded = str(settings.get("threads", "")) if isinstance(settings, Mapping) else ""
    torch.set_num_threads(int(recorded) if recorded.isdecimal() and 0 < int(recorded) <= _MOST_THREADS else now)
    try:
        yield
    finally:
        torch.set_num_threads(now)


def _again(asked: Mapping[str, Any]) -> dict[str, Any]:
    from matcalc.directional_derivatives import DIRECTED, directed
    from matcalc.jacobians import tensor
    from matcalc.parsed import by_names, parse
    from matcalc.verification import check, check_derivative

    try:
        names, kind = tuple(asked["wrt"]), asked["kind"]
        options = {**asked["options"], "unconstrained": asked["unconstrained"]}
        f = parse(asked["expression"], asked["let"] or None, Limits(**asked["limits"]))
        if asked["claim"] is not None:
            more = {"direction": asked["direction"]} if kind in DIRECTED else {}
            return check(f, by_names(names), claim=asked["claim"], kind=kind, **more, **options).to_dict()
        if kind in DIRECTED:
            found = directed(f, names[0], kind, asked["direction"], unconstrained=asked["unconstrained"])
        else:
            found = tensor(f, names, kind, unconstrained=asked["unconstrained"])
        return check_derivative(found.in_form(asked["form"]), **asked["options"]).to_dict()
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ParseError(f"the report does not say all that was asked: {error}") from error


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs, the verdict first; what is only elsewhere (versions, machine) first of all, as it may be why."""
    keys = sorted({*before, *after}, key=lambda key: (key != "versions", key != "verdict", key))
    return [
        f"{key}: {_short(before.get(key))} then, {_short(after.get(key))} now"
        for key in keys
        if before.get(key) != after.get(key)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."
