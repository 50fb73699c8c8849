"""A ``torch.autograd.Function`` against any function of tensors: its value, its backward, and how it behaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from matcalc.checking.around import asked, keeping, places
from matcalc.checking.autograd_function import SETTINGS, each, status_of
from matcalc.checking.examples import gathered, is_floating
from matcalc.checking.findings import NOTED, RIGHT, UNDECIDED, WRONG, Finding, FunctionReport, reported
from matcalc.checking.function_aspects import ALWAYS, ONCE_RIGHT
from matcalc.checking.function_claim import FunctionClaim, Raised, Watched, parameters_of
from matcalc.checking.function_setting import CAST, Setting
from matcalc.checking.margins import Told, is_cast, margin, relative_error
from matcalc.checking.pairs import Pair, related
from matcalc.checking.placement import home
from matcalc.checking.second_looks import Case, formed, halved, is_movable, judged
from matcalc.checking.trial_reports import example, matrix_of
from matcalc.checking.trials import DOUBLE, Request
from matcalc.checking.verdict import Report, combined
from matcalc.checking.voices import Place
from matcalc.errors import CheckError


def verify_function(
    fn: Callable[..., Any], function: Any, example_inputs: Any, wrt: int | None = None, trials: int = 5, seed: int = 0
) -> FunctionReport:
    """Compares a Function's value with ``fn``, its backward by its inputs with differences, and then its behaviour.

    ``wrt`` asks for the backward by one input; else it is judged by each that is a float tensor, and for which it
    returns a gradient.

    Raises:
        CheckError: when either fails, or an input is no tensor.
    """
    import torch

    inputs = gathered(example_inputs)
    first = next((k for k, t in enumerate(inputs) if is_floating(t)), 0)
    request = asked(fn, inputs, first if wrt is None else wrt, trials, seed)
    if not all(isinstance(t, torch.Tensor) for t in request.inputs):
        k, value = next((k, t) for k, t in enumerate(request.inputs) if not isinstance(t, torch.Tensor))
        raise CheckError(
            f"a Function is verified at tensors, and input {k} is {value!r}", suggestion=f"torch.tensor({value!r})"
        )
    claim = FunctionClaim(function, _names(function, len(request.inputs)))
    request, here = _kept(request, claim)
    forward = _forward(request, claim)
    if forward.status == WRONG:
        base = Report("verified", request.trials, (home(),), (request.dtype,), seed, claimed=True)
        return reported(base, [forward])
    wanted, without = _returned(claim, here) if wrt is None else ((wrt,), ())
    reports, findings = _backwards(request, claim, wanted)
    says = "the backward returns None: no gradient by it is claimed"
    noted = [Finding(f"backward by {claim.names[k]}", NOTED, says) for k in without]
    base, findings = combined(reports), [forward, *findings, *noted]
    settings = [_setting(request, claim, place, wanted) for place in places(request)]
    findings += each(ALWAYS, settings[:SETTINGS]) if any(r.trials for r in reports) else []
    if base.ok and request.dtype == DOUBLE and all(f.status != WRONG for f in findings):
        findings += each(ONCE_RIGHT, settings[:SETTINGS])
    if base.ok and forward.status == UNDECIDED:
        base = replace(base, verdict="inconclusive", reason=f"forward: {forward.says}")
    return reported(base, findings)


def _kept(request: Request, claim: FunctionClaim) -> tuple[Request, Place]:
    """The request with the inputs that stay symmetric, and the example."""
    (here,) = places(replace(request, trials=1))
    return keeping(request, here, lambda *given: claim.value(_inputs(claim, replace(here, inputs=given)))), here


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


def _setting(request: Request, claim: FunctionClaim, place: Place, wanted: Sequence[int]) -> Setting:
    inputs = dict(zip(claim.names, place.inputs, strict=True))
    return Setting(claim, inputs, place.cotangent, tuple(claim.names[k] for k in wanted), request.seed)


def _inputs(claim: FunctionClaim, place: Place) -> dict[str, Any]:
    return {n: t.clone() for n, t in zip(claim.names, place.inputs, strict=True)}


def _returned(claim: FunctionClaim, here: Place) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The float inputs for which the backward returns a gradient, and those for which it returns None."""
    floating = tuple(k for k, t in enumerate(here.inputs) if t.is_floating_point())
    watch = Watched()
    with contextlib.suppress(Raised):  # which is told where the backward is judged
        claim.run(_inputs(claim, here), here.cotangent.clone(), [claim.names[k] for k in floating], watch=watch)
    returned = watch.returned or ()
    none = tuple(k for k in floating if k < len(returned) and returned[k] is None)
    return (floating, ()) if none == floating else (tuple(k for k in floating if k not in none), none)


def _forward(request: Request, claim: FunctionClaim) -> Finding:
    """Whether the value is the function's; undecided where it is so for the other inputs as they were given alone."""

    def at(there: Sequence[Place]) -> Finding:
        return _forward_at(claim, there, request.seed)

    found = at(places(request))
    symmetric = replace(request, kept=(*request.kept, *request.halved))
    if found.status == WRONG and request.halved and at(places(symmetric)).status == RIGHT:
        return Finding("forward", UNDECIDED, halved(request))
    movable = any(is_movable(request, k) for k in range(len(request.inputs)))
    if found.status == WRONG and movable and at(places(request, alone=True)).status == RIGHT:
        return Finding("forward", UNDECIDED, formed(request))
    return found


def _forward_at(claim: FunctionClaim, there: Sequence[Place], seed: int) -> Finding:
    """Whether the value is the function's at some places."""
    pairs, open_, farthest, first = [], "", 0.0, None
    for place in there:
        expected = place.value().detach()
        try:
            said = claim.value(_inputs(claim, place)).detach()
        except Raised as error:
            raise CheckError(f"{claim.label}: {error}") from error
        off = said.shape != expected.shape
        if not off:
            told = Told(lambda at: claim.value(_inputs(claim, at)).detach(), said)
            room = margin(place, told, Told(lambda at: at.value().detach(), expected, place.fn), seed)
            off = room.agree(said, expected) is False or is_cast(place, told, expected, seed)
            open_, off = open_ or room.doubt(said, expected), off and not room.blind
            farthest = max(farthest, relative_error(said, expected))
        pairs.append(Pair(matrix_of(said), matrix_of(expected), 0.0, tuple(expected.shape)))
        first = first or ((place, said, expected) if off else None)
    if first is not None:
        return _wrong_value(claim, first, pairs)
    if open_:
        return Finding("forward", UNDECIDED, open_)
    return Finding("forward", RIGHT, f"the function's value at {len(there)} points, off by at most {farthest:.1e}")


def _wrong_value(claim: FunctionClaim, first: tuple[Place, Any, Any], pairs: Sequence[Pair]) -> Finding:
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


def _backwards(request: Request, claim: FunctionClaim, wanted: Sequence[int]) -> tuple[list[Report], list[Finding]]:
    """The verdicts on the backward by each of the inputs, and the findings."""
    reports, findings = [], []
    for k in wanted:
        by_one, _ = _kept(asked(request.fn, request.inputs, k, request.trials, request.seed), claim)
        report, finding = _backward(by_one, claim)
        reports.append(report)
        findings.append(finding)
    return reports, findings


def _backward(request: Request, claim: FunctionClaim) -> tuple[Report, Finding]:
    """The verdict on the backward by the input ``wrt``, and the finding."""
    name = claim.names[request.wrt]
    aspect = f"backward by {name}"

    def backward(at: Place) -> Any:
        return claim.run(_inputs(claim, at), at.cotangent.clone(), (name,)).gradients[name]

    def told(at: Place) -> Told:
        try:
            return Told(backward, backward(at))
        except Raised as error:
            returned = (error.returned or ())[request.wrt : request.wrt + 1]
            if not returned or returned[0] is None or returned[0].shape == at.inputs[request.wrt].shape:
                raise
            return Told(backward, returned[0].detach())

    try:
        base, trials = judged(Case(request, told))
    except Raised as error:
        raised = Report("inconclusive", 0, (home(),), (request.dtype,), request.seed,
                        reason=str(error), claimed=True)  # fmt: skip
        return raised, Finding(aspect, status_of(error), str(error))
    if base.ok:
        known = (t for t in trials if t.auto is not None and not t.votes.kink)
        cast = next((t for t in known if is_cast(t.place, told(t.place), t.auto, request.seed)), None)
        if cast is not None:
            return base, Finding(aspect, WRONG, CAST, example(request, cast))
        return base, Finding(aspect, RIGHT, f"error {base.max_error:.1e}", error=base.max_error)
    if base.verdict == "refuted":
        return base, Finding(aspect, WRONG, base.diagnosis or "", base.counterexample)
    return base, Finding(aspect, UNDECIDED, base.reason)
