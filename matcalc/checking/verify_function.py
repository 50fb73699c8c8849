"""A ``torch.autograd.Function`` against any function of tensors: its value, its backward, and how it behaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcalc.checking.autograd_function import each, status_of
from matcalc.checking.findings import RIGHT, UNDECIDED, WRONG, Finding, FunctionReport, reported
from matcalc.checking.function_aspects import ALWAYS, ONCE_RIGHT
from matcalc.checking.function_claim import FunctionClaim, Raised, parameters_of
from matcalc.checking.function_setting import FLOAT, Setting, largest
from matcalc.checking.pairs import Pair, related
from matcalc.checking.verdict import Report
from matcalc.checking.verify import Request, Trial, asked, looked, matrix_of, places, without_kinks
from matcalc.checking.voices import DOUBLE, Place
from matcalc.errors import CheckError

_SETTINGS = 2


def verify_function(
    fn: Callable[..., Any], function: Any, example_inputs: Any, wrt: int = 0, trials: int = 5, seed: int = 0
) -> FunctionReport:
    """Compares a Function's value with ``fn``, its backward by one input with differences, and then its behaviour.

    Raises:
        CheckError: when either fails, or an input is no tensor.
    """
    import torch

    request = asked(fn, example_inputs, wrt, trials, seed)
    if not all(isinstance(t, torch.Tensor) for t in request.inputs):
        raise CheckError("a Function is verified at tensors", why="one of the example inputs is none")
    claim = FunctionClaim(function, _names(function, len(request.inputs)))
    name = claim.names[wrt]
    found = places(request)
    forward = _forward(claim, found)
    if forward.status == WRONG:
        base = Report("verified", len(found), ("cpu",), (request.arithmetic.dtype,), seed, claimed=True)
        return reported(base, [forward])
    settings = [_setting(request, claim, place) for place in found]
    base, backward = _backward(request, claim, found, name)
    findings = [forward, backward, *(each(ALWAYS, settings[:1]) if base.trials else [])]
    if base.ok and request.arithmetic is DOUBLE and all(f.status != WRONG for f in findings):
        findings += each(ONCE_RIGHT, settings[:_SETTINGS])
    return reported(base, findings)


def _names(function: Any, count: int) -> tuple[str, ...]:
    """Forward's own names for its arguments, or numbered ones.

    Raises:
        CheckError: where it takes another number of them.
    """
    parameters, any_number = parameters_of(function)
    needed = sum(p.default is p.empty for p in parameters)
    if count < needed or (count > len(parameters) and not any_number):
        takes = ", ".join(p.name for p in parameters)
        raise CheckError(f"{function.__name__}.forward takes ({takes}) after ctx, and there are {count} inputs")
    own = [p.name for p in parameters[:count]]
    return (*own, *(f"input_{k}" for k in range(len(own), count)))


def _setting(request: Request, claim: FunctionClaim, place: Place) -> Setting:
    inputs = dict(zip(claim.names, place.inputs, strict=True))
    return Setting(claim, inputs, place.cotangent, (claim.names[request.wrt],), request.seed)


def _forward(claim: FunctionClaim, found: Sequence[Place]) -> Finding:
    """Whether the value is the function's."""
    pairs, first = [], None
    for place in found:
        expected = place.value().detach()
        try:
            said = claim.value({n: t.clone() for n, t in zip(claim.names, place.inputs, strict=True)}).detach()
        except Raised as error:
            raise CheckError(f"{claim.label}: {error}") from error
        room = max(FLOAT, place.arithmetic.room if place.arithmetic is not DOUBLE else 0.0) * largest(expected)
        off = said.shape != expected.shape or not largest(said.double() - expected.double()) <= room
        pairs.append(Pair(matrix_of(said), matrix_of(expected), 0.0))
        first = first or ((place, said, expected) if off else None)
    if first is None:
        return Finding("forward", RIGHT, f"the function's value at {len(found)} points")
    place, said, expected = first
    example = {
        "what": "value",
        "inputs": {n: t.tolist() for n, t in zip(claim.names, place.inputs, strict=True)},
        "claimed": said.tolist(),
        "expected": expected.tolist(),
    }
    if said.shape != expected.shape:
        shapes = f"the value has shape {tuple(said.shape)} and the function's has {tuple(expected.shape)}"
        return Finding("forward", WRONG, shapes, example)
    return Finding("forward", WRONG, related(pairs, "value").replace("the name", "the value"), example)


def _backward(request: Request, claim: FunctionClaim, found: Sequence[Place], name: str) -> tuple[Report, Finding]:
    aspect = f"backward by {name}"
    trials: list[Trial] = []
    for number, place in enumerate(found):
        inputs = {n: t.clone() for n, t in zip(claim.names, place.inputs, strict=True)}
        try:
            gradient = claim.run(inputs, place.cotangent.clone(), (name,)).gradients[name]
        except Raised as error:
            returned = (error.returned or ())[request.wrt : request.wrt + 1]
            if not returned or returned[0] is None or returned[0].shape == inputs[name].shape:
                raised = Report("inconclusive", 0, ("cpu",), (request.arithmetic.dtype,), request.seed,
                                reason=str(error), claimed=True)  # fmt: skip
                return raised, Finding(aspect, status_of(error), str(error))
            gradient = returned[0].detach()
        trials.append(looked(request, place, gradient, number))
    base = without_kinks(request, trials)
    if base.ok:
        return base, Finding(aspect, RIGHT, f"error {base.max_error:.1e}", error=base.max_error)
    if base.verdict == "refuted":
        return base, Finding(aspect, WRONG, base.diagnosis or "", base.counterexample)
    return base, Finding(aspect, UNDECIDED, base.reason)
