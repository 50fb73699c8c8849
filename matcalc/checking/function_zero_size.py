"""What a ``torch.autograd.Function`` does with tensors of zero entries, held against autograd of the expression."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from matcalc.checking.findings import NOT_OFFERED, RIGHT, WRONG, Finding
from matcalc.checking.function_claim import Outcome, Raised
from matcalc.checking.function_question import FunctionQuestion
from matcalc.checking.function_setting import FLOAT, Setting, example_of, in_subspace, largest
from matcalc.checking.points import Point, size_names
from matcalc.checking.question import Question
from matcalc.checking.torch_side import function_of
from matcalc.expression.sizes import as_integer


def zero_size(asked: FunctionQuestion, setting: Setting, at: Point) -> Finding:
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
    """What is found with each size at 0, where the expression has a value there."""
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
        shown = in_subspace(onto, found) if found.shape == expected.shape else found
        yield f"gradient by {name}", shown, in_subspace(onto, expected)


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
    except (RuntimeError, ValueError, IndexError, TypeError, ArithmeticError):
        return None
    named = {n: torch.zeros_like(x) if g is None else g for n, x, g in zip(asked.wanted, leaves, found, strict=True)}
    if any(largest(t) == float("inf") for t in (value, *named.values())):
        return None
    return value.detach(), named, u.detach()
