"""A ``torch.autograd.Function`` as a claim: its forward against the expression, then its backward, then how it behaves.

The value comes first: where the forward is wrong, nothing is said of its derivative. The backward is judged as every
claim is, as the gradient of ⟨u, f⟩ with u drawn anew at each point, by differences in 90 digits and by autograd of the
expression. What is verified so far (contiguous float64 tensors) is then the truth for every other way of calling it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from matcalc.checking.devices import devices_for
from matcalc.checking.findings import NOT_OFFERED, NOTED, RIGHT, UNDECIDED, WRONG, Finding, FunctionReport, reported
from matcalc.checking.function_aspects import ALWAYS, ONCE_RIGHT
from matcalc.checking.function_claim import Raised
from matcalc.checking.function_devices import on_devices
from matcalc.checking.function_forward import forward_finding
from matcalc.checking.function_question import FunctionQuestion, refused
from matcalc.checking.function_setting import CAST, Setting, example_of, place_of
from matcalc.checking.function_zero_size import zero_size
from matcalc.checking.margins import Told, is_cast
from matcalc.checking.placement import functions_on, home, home_among
from matcalc.checking.points import Point, drawn, is_large, point
from matcalc.checking.question import CheckOptions
from matcalc.checking.run import run_check
from matcalc.checking.torch_side import autograd_of, versions
from matcalc.checking.verdict import Report, combined
from matcalc.checking.voices import Place

SETTINGS = 2
"""At how many points it is looked at in other ways, once it is right."""
_REFUSED = ("returned an invalid gradient", "incorrect number of gradients", "expected Variable or None")


def check_function(asked: FunctionQuestion, options: CheckOptions) -> FunctionReport:
    """The report on a Function.

    Raises:
        CheckError: when its forward fails or returns no single tensor.
        DeviceError: for a device that is not there.
    """
    devices = devices_for(options.devices)
    with functions_on(home_among(devices)):
        return _checked(asked, replace(options, devices=devices))


def _checked(asked: FunctionQuestion, options: CheckOptions) -> FunctionReport:
    points, discarded = _points(asked, options)
    base = Report(
        "verified", len(points), options.devices, options.dtypes, options.seed,
        max_error=0.0, versions=versions(), claimed=True, discarded=discarded,
    )  # fmt: skip
    if not points:
        reason = f"no point inside the domain was found: {discarded[0].split(': ', 1)[-1]}"
        return reported(replace(base, verdict="inconclusive", reason=reason), [])
    settings = [asked.setting(options, number, at) for number, at in points]
    forward = forward_finding(asked, options, points)
    if forward.status == WRONG:
        return reported(base, [forward, *each(ALWAYS, settings[:SETTINGS])])
    reports, backward = _backward(asked, replace(options, devices=(home(),)), settings, [at for _, at in points])
    findings = [forward, *backward, *each(ALWAYS, settings[:SETTINGS])]
    base = replace(combined(reports), devices=options.devices) if reports else base
    unsaid = [f for f in (forward, *backward) if f.status == UNDECIDED]
    if unsaid:
        base = replace(base, verdict="inconclusive", reason=f"{unsaid[0].aspect}: {unsaid[0].says}")
    if any(f.status == WRONG for f in findings) or unsaid:
        return reported(base, findings)
    findings += [*each(ONCE_RIGHT, settings[:SETTINGS]), zero_size(asked, settings[0], points[0][1])]
    apart = on_devices(settings[:SETTINGS], options.devices)
    findings += [apart] if apart else []
    single = next((f.error for f in findings if f.aspect == "float32"), None)
    return reported(base, findings, float32_error=single, device_difference=apart.error if apart else None)


def _points(asked: FunctionQuestion, options: CheckOptions) -> tuple[list[tuple[int, Point]], tuple[str, ...]]:
    question = next(iter(asked.truths.values()))
    large = is_large(question, options)
    found: list[tuple[int, Point]] = []
    discarded = []
    for number in range(options.trials):
        at = drawn(question, options, number, 0) if large else point(question, options, number)
        if isinstance(at, Point):
            found.append((number, at))
        else:
            discarded.append(f"trial {number}: {at}")
    return found, tuple(discarded)


def each(looks: Mapping[str, Callable[[Setting], Finding]], settings: list[Setting]) -> list[Finding]:
    """The finding of each look: the first wrong one of all settings, or the first that decides."""
    order = (WRONG, NOTED, RIGHT, NOT_OFFERED, UNDECIDED)
    found = ([_looked(aspect, look, setting) for setting in settings] for aspect, look in looks.items())
    return [min(several, key=lambda f: order.index(f.status)) for several in found]


def _looked(aspect: str, look: Callable[[Setting], Finding], setting: Setting) -> Finding:
    try:
        return look(setting.plain())  # what one look's Function writes into its inputs is no other look's
    except Raised as error:
        return Finding(aspect, UNDECIDED, str(error))


# ------------------------------------------------------------------------------------------------- the backward


def status_of(error: Raised) -> str:
    """A backward whose gradients torch refuses is wrong; one that raises itself decides nothing."""
    return WRONG if any(words in str(error) for words in _REFUSED) else UNDECIDED


def _backward(
    asked: FunctionQuestion, options: CheckOptions, settings: list[Setting], points: list[Point]
) -> tuple[list[Report], list[Finding]]:
    reports, findings = [], []
    for name in asked.wanted:
        aspect = f"backward by {name}"
        try:
            replace(settings[0].plain(), wanted=(name,)).run()
        except Raised as error:
            if refused(asked.claim, error, name, settings[0].inputs) is None:
                findings.append(Finding(aspect, status_of(error), str(error)))
                continue
        report = run_check(asked.judged_by(name), options)
        reports.append(report)
        cast = next(_cast(asked, name, settings, points), None) if report.verdict != "refuted" else None
        findings.append(cast or _finding(asked, name, report))
    return reports, findings


def _cast(asked: FunctionQuestion, name: str, settings: list[Setting], points: list[Point]) -> Iterator[Finding]:
    """Where a backward that is right as far as its own rounding goes is computed in float32 for float64 inputs."""
    import torch

    question, u = asked.truths[name], asked.cotangent.params[0]
    gradient = asked.judged_by(name).claimed
    assert callable(gradient)
    for setting, at in zip(settings, points, strict=True):

        def backward(place: Place, setting: Setting = setting) -> Any:
            return gradient(**dict(zip(setting.inputs, place.inputs, strict=True)), **{u: place.cotangent.clone()})

        place = place_of(setting.plain(), name)
        said = backward(place)
        truth = autograd_of(question, at, {**setting.inputs, u: setting.cotangent})[0]
        expected = torch.from_numpy(truth).reshape(said.shape)
        if is_cast(place, Told(backward, said), expected, setting.seed):
            yield Finding(
                f"backward by {name}", WRONG, CAST, example_of(setting, f"gradient by {name}", said, expected)
            )


def _finding(asked: FunctionQuestion, name: str, report: Report) -> Finding:
    aspect, onto = f"backward by {name}", asked.truths[name].projected
    if report.ok:
        compared = f" (compared as {onto} matrices)" if onto else ""
        return Finding(aspect, RIGHT, f"error {report.max_error:.1e}{compared}")
    if report.verdict == "inconclusive":
        return Finding(aspect, UNDECIDED, report.reason)
    return Finding(aspect, WRONG, report.diagnosis or "", _example(asked, name, report))


def _example(asked: FunctionQuestion, name: str, report: Report) -> dict[str, Any]:
    """The counterexample with the inputs as the Function takes them."""
    import numpy as np
    import torch

    seen = report.counterexample or {}
    at = Point(seen["sizes"], {n: np.array(v) for n, v in seen["inputs"].items()})
    setting = asked.setting(CheckOptions(seed=report.seed), 0, at)
    shape = setting.inputs[name].shape
    claimed, expected = (torch.tensor(seen[key], dtype=torch.float64) for key in ("claimed", "expected"))
    plain = claimed.reshape(shape) if claimed.shape == expected.shape else claimed
    return {"trial": seen["trial"], **example_of(setting, f"gradient by {name}", plain, expected.reshape(shape))}
