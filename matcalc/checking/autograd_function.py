"""A ``torch.autograd.Function`` as a claim: its forward against the expression, then its backward, then how it behaves.

The value comes first: where the forward is wrong, nothing is said of its derivative. The backward is judged as every
claim is, as the gradient of ⟨u, f⟩ with u drawn anew at each point, by differences in 90 digits and by autograd of the
expression. What is verified so far (contiguous float64 tensors) is then the truth for every other way of calling it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from matcalc.checking.devices import devices_for
from matcalc.checking.findings import NOT_OFFERED, NOTED, RIGHT, UNDECIDED, WRONG, Finding, FunctionReport, reported
from matcalc.checking.function_aspects import ALWAYS, ONCE_RIGHT
from matcalc.checking.function_claim import FunctionClaim, Outcome, Raised
from matcalc.checking.function_setting import CAST, FLOAT, Setting, example_of, largest, place_of
from matcalc.checking.margins import Told, is_cast, margin
from matcalc.checking.pairs import Pair, related
from matcalc.checking.points import Point, drawn, is_large, point, size_names
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.run import run_check
from matcalc.checking.subspace import projected
from matcalc.checking.torch_side import autograd_of, function_of, inputs_at, versions
from matcalc.checking.values import lacks
from matcalc.checking.verdict import Report, combined
from matcalc.checking.voices import Place
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.sizes import as_integer

_DIGITS = 50
_SETTINGS = 2
_NUDGE = 1e-5
_AXES = {"scalar": 0, "vector": 1, "matrix": 2}
_REFUSED = ("returned an invalid gradient", "incorrect number of gradients", "expected Variable or None")


@dataclass(frozen=True)
class FunctionQuestion:
    """Is a Function an expression, with its derivative?

    Attributes:
        claim: the Function.
        expression: f, of any shape.
        variables: its names in order.
        cotangent: the node of a new name with the shape of f.
        storage: how f looks outside: scalar, vector or matrix.
        truths: by name, the question whether a claim is the gradient of ⟨cotangent, f⟩.
        onto: by name, the linear subspace that was declared of it.
    """

    claim: FunctionClaim
    expression: Node
    variables: tuple[Node, ...]
    cotangent: Node
    storage: str
    truths: Mapping[str, Question]
    onto: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names by which the backward is checked."""
        return tuple(self.truths)

    def judged_by(self, name: str) -> Question:
        """The question with the Function's backward as the claim."""
        return replace(self.truths[name], claimed=_gradient(self, name))

    def setting(self, options: CheckOptions, number: int, at: Point) -> Setting:
        """The Function at a point."""
        given = inputs_at((*self.variables, self.cotangent), at, "float64", "cpu")
        u = given.pop(self.cotangent.params[0])
        thin = frozenset(v.params[0] for v in self.variables if self._is_thin(v, at))
        frozen = any(node.operator.frozen for node in postorder(self.expression))
        where = f"trial {number}"
        return Setting(self.claim, given, u, self.wanted, options.seed, where, self.onto, thin, frozen)

    def _is_thin(self, variable: Node, at: Point) -> bool:
        """Whether a value that is moved a little no longer has what is declared of it."""
        import numpy as np

        value = at.values[variable.params[0]]
        noise = np.random.Generator(np.random.PCG64(1)).standard_normal(value.shape)
        moved = projected(self.onto.get(variable.params[0], ""), noise) * _NUDGE * np.abs(value).max(initial=0.0)
        return bool(lacks(variable, value + moved))

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The value's shape as torch has it."""
        return tuple(as_integer(s, sizes) for s in self.expression.shape)[: _AXES[self.storage]]


def check_function(asked: FunctionQuestion, options: CheckOptions) -> FunctionReport:
    """The report on a Function.

    Raises:
        CheckError: when its forward fails or returns no single tensor.
        DeviceError: for a device that is not there.
    """
    points, discarded = _points(asked, options)
    elsewhere = [device for device in devices_for(options.devices) if device != "cpu"]
    options = replace(options, devices=("cpu",))
    base = Report(
        "verified", len(points), options.devices, options.dtypes, options.seed,
        max_error=0.0, versions=versions(), claimed=True, discarded=discarded,
    )  # fmt: skip
    if not points:
        reason = f"no point inside the domain was found: {discarded[0].split(': ', 1)[-1]}"
        return reported(replace(base, verdict="inconclusive", reason=reason), [])
    settings = [asked.setting(options, number, at) for number, at in points]
    forward = _forward(asked, settings, [at for _, at in points])
    if forward.status == WRONG:
        return reported(base, [forward, *each(ALWAYS, settings[:1])])
    reports, backward = _backward(asked, options, settings, [at for _, at in points])
    findings = [forward, *backward, *each(ALWAYS, settings[:1])]
    base = combined(reports) if reports else base
    unsaid = [f for f in backward if f.status == UNDECIDED]
    if unsaid:
        base = replace(base, verdict="inconclusive", reason=f"{unsaid[0].aspect}: {unsaid[0].says}")
    if any(f.status == WRONG for f in findings) or unsaid:
        return reported(base, findings)
    findings += [*each(ONCE_RIGHT, settings[:_SETTINGS]), _empty(asked, settings[0], points[0][1])]
    if elsewhere:
        findings.append(Finding("devices", NOT_OFFERED, f"a Function is looked at on the CPU, not on {elsewhere[0]}"))
    single = next((f.error for f in findings if f.aspect == "float32"), None)
    return reported(base, findings, float32_error=single)


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
        return look(setting)
    except Raised as error:
        return Finding(aspect, UNDECIDED, str(error))


# ---------------------------------------------------------------------------------------------------- the value


def _forward(asked: FunctionQuestion, settings: list[Setting], points: list[Point]) -> Finding:
    """Whether the value is the expression's."""
    from matcalc.errors import CheckError

    pairs, blind, first = [], False, None
    for setting, at in zip(settings, points, strict=True):
        place = place_of(setting, asked.wanted[0])
        try:
            found = place.fn(*(t.clone() for t in place.inputs)).detach()
        except Raised as error:
            raise CheckError(f"{setting.claim.label}: {error}", why="it is called with float64 tensors") from error
        expected, other = _value(asked, setting, at)
        off = found.shape != expected.shape
        if not off:
            told = Told(lambda p: p.value().detach(), found)
            room = margin(place, told, other, setting.seed)
            off = room.agree(found, expected) is False or is_cast(place, told, expected, setting.seed)
            blind, off = blind or room.blind, off and not room.blind
        pairs.append(Pair(_matrix(found), _matrix(expected), 0.0))
        if off and first is None:
            first = (setting, found, expected)
    if first is None and blind:
        return Finding("forward", UNDECIDED, "the value is ill-conditioned there")
    if first is None:
        return Finding("forward", RIGHT, f"the expression's value at {len(points)} points")
    setting, found, expected = first
    example = example_of(setting, "value", found, expected)
    if found.shape != expected.shape:
        shapes = f"the value has shape {tuple(found.shape)} and the expression's has {tuple(expected.shape)}"
        return Finding("forward", WRONG, shapes, example)
    if str(found.dtype) != "torch.float64":
        return Finding("forward", WRONG, f"the value is {found.dtype} where the inputs are torch.float64", example)
    return Finding("forward", WRONG, related(pairs, "value").replace("the name", "the value"), example)


def _value(asked: FunctionQuestion, setting: Setting, at: Point) -> tuple[Any, Told | None]:
    """The expression's value in many digits; or, where it is large, in floats, with the function that it is of."""
    import mpmath
    import torch

    question = next(iter(asked.truths.values()))
    if is_large(question, CheckOptions(sizes=at.sizes)):
        names = list(setting.inputs)
        f = function_of(asked.expression, asked.variables, asked.storage, False)
        expected = f(**setting.inputs)
        return expected, Told(lambda place: f(**dict(zip(names, place.inputs, strict=True))), expected)
    with mpmath.workdps(_DIGITS):
        exact = evaluate(asked.expression, lifted(at.values, asked.variables), at.sizes, {}).astype(float)
    return torch.tensor(exact, dtype=torch.float64).reshape(asked.shape(at.sizes)), None


def _matrix(tensor: Any) -> Any:
    array = tensor.detach().double().numpy()
    return array.reshape(-1, 1) if array.ndim < 2 else array


# ------------------------------------------------------------------------------------------------- the backward


def _gradient(asked: FunctionQuestion, name: str) -> Callable[..., Any]:
    """The Function's backward as a function of tensors by keyword; of what torch refuses for its shape, as returned."""
    onto = asked.truths[name].projected

    def gradient(**given: Any) -> Any:
        u = given.pop(asked.cotangent.params[0])
        try:
            found = asked.claim.run(given, u, (name,)).gradients[name]
        except Raised as error:
            returned = _refused(asked.claim, error, name, given)
            if returned is None:
                raise
            return returned
        return _onto(onto, found)

    return gradient


def status_of(error: Raised) -> str:
    """A backward whose gradients torch refuses is wrong; one that raises itself decides nothing."""
    return WRONG if any(words in str(error) for words in _REFUSED) else UNDECIDED


def _refused(claim: FunctionClaim, error: Raised, name: str, given: Mapping[str, Any]) -> Any | None:
    """A gradient of a wrong shape, which torch refuses."""
    place = claim.names.index(name)
    returned = error.returned or ()
    found = returned[place] if place < len(returned) else None
    return found.detach() if found is not None and found.shape != given[name].shape else None


def _backward(
    asked: FunctionQuestion, options: CheckOptions, settings: list[Setting], points: list[Point]
) -> tuple[list[Report], list[Finding]]:
    reports, findings = [], []
    for name in asked.wanted:
        aspect = f"backward by {name}"
        try:
            replace(settings[0].plain(), wanted=(name,)).run()
        except Raised as error:
            if _refused(asked.claim, error, name, settings[0].inputs) is None:
                findings.append(Finding(aspect, status_of(error), str(error)))
                continue
        report = run_check(asked.judged_by(name), options)
        reports.append(report)
        cast = next(_cast(asked, name, settings, points), None) if report.ok else None
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

        place = place_of(setting, name)
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


# ------------------------------------------------------------------------------------------------- sizes of zero


def _empty(asked: FunctionQuestion, setting: Setting, at: Point) -> Finding:
    """What it does with tensors of zero entries: each size in turn is 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about what is empty
        shown = list(_emptied(asked, setting, at))
    for found in shown:
        if found.status == WRONG:
            return found
    right = [found for found in shown if found.status == RIGHT]
    return right[0] if right else next(iter(shown), Finding("zero-size", NOT_OFFERED, "no size is free to be 0"))


def _emptied(asked: FunctionQuestion, setting: Setting, at: Point) -> Iterator[Finding]:

    for size in size_names(next(iter(asked.truths.values()))):
        sizes = {**at.sizes, size: 0}
        inputs = _cut(asked, setting, sizes)
        if inputs is None:
            continue
        truth = _reference(asked, inputs)
        if truth is None:
            continue
        value, gradients, u = truth
        emptied = replace(setting, inputs=inputs, cotangent=u)
        try:
            outcome = emptied.run()
        except Raised as error:
            yield Finding("zero-size", NOT_OFFERED, f"with {size} = 0, {error}")
            continue
        off = [(w, a, b) for w, a, b in _pairs(outcome, value, gradients, asked.truths) if not _alike(a, b)]
        if off:
            what, found, right = off[0]
            yield Finding("zero-size", WRONG, f"with {size} = 0 the {what} differs: shape {tuple(found.shape)}",
                          example_of(emptied, what, found, right))  # fmt: skip
        else:
            yield Finding("zero-size", RIGHT)


def _pairs(
    outcome: Outcome, value: Any, gradients: Mapping[str, Any], truths: Mapping[str, Question]
) -> Iterator[tuple[str, Any, Any]]:
    yield "value", outcome.value, value
    for name, expected in gradients.items():
        onto, found = truths[name].projected, outcome.gradients[name]
        shown = _onto(onto, found) if found.shape == expected.shape else found
        yield f"gradient by {name}", shown, _onto(onto, expected)


def _onto(subspace: str, gradient: Any) -> Any:
    import torch

    return torch.from_numpy(projected(subspace, gradient.numpy())) if subspace else gradient


def _alike(found: Any, right: Any) -> bool:
    return found.shape == right.shape and largest(found - right) <= FLOAT * max(largest(right), 1.0)


def _cut(asked: FunctionQuestion, setting: Setting, sizes: Mapping[str, int]) -> dict[str, Any] | None:
    """The inputs with the first entries along each axis alone; None where that leaves no shape."""
    inputs = {}
    for v in asked.variables:
        name = v.params[0]
        t = setting.inputs[name]
        lengths = [as_integer(s, sizes) for s in v.shape][: t.ndim]
        if any(length < 0 or length > t.shape[k] for k, length in enumerate(lengths)):
            return None
        inputs[name] = t[tuple(slice(length) for length in lengths)].contiguous() if t.ndim else t
    return inputs


def _reference(asked: FunctionQuestion, inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any], Any] | None:
    """Value, gradients and the cotangent by autograd of the expression; None where it has none at these sizes."""
    import torch

    f = function_of(asked.expression, asked.variables, asked.storage, False)
    tensors = {n: t.clone().requires_grad_(n in asked.wanted) for n, t in inputs.items()}
    try:
        value = f(**tensors)
        u = torch.ones_like(value)
        leaves = [tensors[n] for n in asked.wanted]
        found = (
            torch.autograd.grad(value, leaves, u, allow_unused=True) if value.requires_grad else [None] * len(leaves)
        )
    except (RuntimeError, ValueError, IndexError, TypeError):
        return None
    named = {n: torch.zeros_like(x) if g is None else g for n, x, g in zip(asked.wanted, leaves, found, strict=True)}
    if any(largest(t) == float("inf") for t in (value, *named.values())):
        return None
    return value.detach(), named, u.detach()
