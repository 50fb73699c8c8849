"""Whether the forward of a ``torch.autograd.Function`` gives the expression's value.

It is held against the value in many digits at the usual points, and at points on the other sides of where the
expression branches. At other scales torch's value of the expression shows where to look: a softplus that is cut off
beyond 30 is right at all the usual points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.checking.cells import between_kinks
from matcalc.checking.findings import RIGHT, UNDECIDED, WRONG, Finding
from matcalc.checking.function_claim import Raised
from matcalc.checking.function_question import FunctionQuestion
from matcalc.checking.function_setting import Setting, example_of, place_of
from matcalc.checking.margins import Told, is_cast, margin
from matcalc.checking.pairs import Pair, related
from matcalc.checking.points import Point, is_large
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions
from matcalc.checking.reach import missing_sides, reached
from matcalc.checking.search import Differs, difference, differing
from matcalc.checking.tolerance import UNIT
from matcalc.checking.torch_side import function_of
from matcalc.errors import CheckError
from matcalc.expression.nodes import Node

_DIGITS = 50
_ROUNDINGS = 64.0


@dataclass(frozen=True)
class _Value:
    """The value at a point, and the expression's; ``off`` is whether they differ, None where rounding hides that."""

    setting: Setting
    found: Any
    expected: Any
    off: bool | None


def forward_finding(asked: FunctionQuestion, options: CheckOptions, points: Sequence[tuple[int, Point]]) -> Finding:
    """Whether the value is the expression's.

    Raises:
        CheckError: when forward fails at a usual point.
    """
    usual = [_seen(asked, options, number, at) for number, at in points]
    more = [] if any(v.off for v in usual) else list(_seen_elsewhere(asked, options, points))
    wrong = next((v for v in (*usual, *more) if v.off), None)
    if wrong is None and any(v.off is None for v in usual):
        return Finding("forward", UNDECIDED, "the value is off by more than rounding explains, or ill-conditioned")
    if wrong is None:
        return Finding("forward", RIGHT, f"the expression's value at {len(usual) + len(more)} points")
    found, expected = wrong.found, wrong.expected
    example = example_of(wrong.setting, "value", found, expected)
    if found.shape != expected.shape:
        shapes = f"the value has shape {tuple(found.shape)} and the expression's has {tuple(expected.shape)}"
        return Finding("forward", WRONG, shapes, example)
    if str(found.dtype) != "torch.float64":
        return Finding("forward", WRONG, f"the value is {found.dtype} where the inputs are torch.float64", example)
    return Finding("forward", WRONG, _said(usual, more), example)


def _said(usual: Sequence[_Value], more: Sequence[_Value]) -> str:
    """What is wrong with values of the right shape."""
    wrong = [v for v in (*usual, *more) if v.off]
    right = len(usual) + len(more) - len(wrong)
    if more:
        return f"right at {right} of the points and wrong at {len(wrong)}: does it hold on one branch alone?"
    pairs = [Pair(_matrix(v.found), _matrix(v.expected), 0.0) for v in usual]
    return related(pairs, "value").replace("the name", "the value")


def _seen(asked: FunctionQuestion, options: CheckOptions, number: int, at: Point) -> _Value:
    setting = asked.setting(options, number, at)
    place = place_of(setting, asked.wanted[0])
    try:
        found = place.fn(*(t.clone() for t in place.inputs)).detach()
    except Raised as error:
        raise CheckError(f"{setting.claim.label}: {error}", why="it is called with float64 tensors") from error
    expected, other, largest = _expected(asked, setting, at)
    if found.shape != expected.shape:
        return _Value(setting, found, expected, True)
    told = Told(lambda p: p.value().detach(), found)
    room = margin(place, told, other, setting.seed)
    agrees = room.agree(found, expected)
    if agrees is None and room.agree(found, _in_floats(asked)(**setting.inputs).detach()) is not True:
        return _Value(setting, found, expected, None)  # torch's own functions may be off by as much
    off = agrees is False or is_cast(place, told, expected, setting.seed)
    # log_softmax is -1e-51 in digits and 0 in torch, beside an argument of 100
    rounded = _ROUNDINGS * UNIT * max([*at.sizes.values(), 1]) * largest
    off = off and not float((found - expected).abs().max()) <= rounded
    return _Value(setting, found, expected, None if room.blind else off)


def _seen_elsewhere(
    asked: FunctionQuestion, options: CheckOptions, points: Sequence[tuple[int, Point]]
) -> Iterator[_Value]:
    """The value on other sides of where the expression branches, and where it differs from torch's at other scales."""
    question = next(iter(asked.truths.values()))
    usual = [at for _, at in points]
    if is_large(question, options):
        return
    sides, _ = reached(question, options, usual, missing_sides(question, usual))
    sides += between_kinks(question, options, [*usual, *sides])
    places = [*sides, *(at for at, _ in differing(question, options, lambda at: _compared(asked, options, at)))]
    for number, at in enumerate(places, options.trials):
        try:
            seen = _seen(asked, options, number, at)
        except CheckError:
            continue  # it may be written for less than the whole domain; what it refuses it does not get wrong
        if seen.off is not None:
            yield seen


def _compared(asked: FunctionQuestion, options: CheckOptions, at: Point) -> Differs:
    """How the value differs from torch's of the expression."""
    setting = asked.setting(options, 0, at)
    try:
        found = setting.claim.value(setting.plain().inputs).detach()
        expected = _in_floats(asked)(**setting.inputs)
    except (Raised, RuntimeError):
        return Differs.NOT
    return difference(expected.double().numpy(), found.double().numpy())


def _in_floats(asked: FunctionQuestion) -> Any:
    return function_of(asked.expression, asked.variables, asked.storage, False)


def _expected(asked: FunctionQuestion, setting: Setting, at: Point) -> tuple[Any, Told | None, float]:
    """The expression's value in many digits, and the largest value on the way to it.

    Where it is large the value is had in floats, with the function that it is of.
    """
    import mpmath
    import torch

    question = next(iter(asked.truths.values()))
    if is_large(question, CheckOptions(sizes=at.sizes)):
        names = list(setting.inputs)
        f = _in_floats(asked)
        expected = f(**setting.inputs)
        return expected, Told(lambda place: f(**dict(zip(names, place.inputs, strict=True))), expected), 0.0
    with mpmath.workdps(_DIGITS):
        memo: dict[Node, Any] = {}
        exact = evaluate(asked.expression, lifted(at.values, asked.variables), at.sizes, memo).astype(float)
        largest = float(max(abs(value).max() for value in memo.values() if value.size))
    return torch.tensor(exact, dtype=torch.float64).reshape(asked.shape(at.sizes)), None, largest


def _matrix(tensor: Any) -> Any:
    array = tensor.detach().double().numpy()
    return array.reshape(-1, 1) if array.ndim < 2 else array
