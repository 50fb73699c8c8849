"""A ``torch.autograd.Function`` on every device that was asked for, with the same inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from matcalc.checking.devices import lacks_float64
from matcalc.checking.findings import NOT_OFFERED, RIGHT, WRONG, Finding
from matcalc.checking.function_claim import Outcome, Raised
from matcalc.checking.function_setting import Setting, compared, first_of, largest, parts
from matcalc.checking.placement import functions_on, home

_ASPECT = "devices"


def on_devices(settings: Sequence[Setting], devices: Sequence[str]) -> Finding | None:
    """Whether the Function answers on each device as it does where it was checked; None where there is no other."""
    others = [name for name in devices if name != home()]
    seen = [name for name in others if not lacks_float64(name)]
    if not seen:
        says = f"a Function is looked at by its values in float64, and there are none on {' and '.join(others)}"
        return Finding(_ASPECT, NOT_OFFERED, says) if others else None
    found = first_of(_ASPECT, _each(settings, seen))
    if found.status != RIGHT:
        return found
    apart = max(_apart(setting, name) for setting in settings for name in seen)
    return replace(found, says=f"{home()} and {', '.join(seen)} differ by {apart:.1e} relative", error=apart)


def _each(settings: Sequence[Setting], others: Sequence[str]) -> Iterator[Finding]:
    for name in others:
        for setting in settings:
            try:
                outcome = _on(setting, name)
            except Raised as error:
                yield Finding(_ASPECT, WRONG, f"on {name} {error}, where on {home()} it does not")
                break
            yield compared(_ASPECT, setting, f"on {name}", outcome)


def _on(setting: Setting, device: str) -> Outcome:
    with functions_on(device):
        return setting.run()


def _apart(setting: Setting, device: str) -> float:
    """The largest difference from the answer where the Function was checked, relative to its size."""
    here, others = dict(parts(setting.run())), dict(parts(_on(setting, device)))
    return max(largest(others[what] - right) / (largest(right) or 1.0) for what, right in here.items())
