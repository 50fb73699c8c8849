"""A Function differentiated twice, and in forward mode."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from matcalc.checking.findings import NOT_OFFERED, RIGHT, UNDECIDED, WRONG, Finding
from matcalc.checking.function_claim import Raised
from matcalc.checking.function_setting import Setting, example_of, first_of, fresh, largest
from matcalc.checking.slopes import slope

_TRUSTED = 1e-4
_ROOM = 1e-6
_STEP = 0.02


def double_backward(setting: Setting) -> Finding:
    """The derivative of the backward, against differences of the backward itself, which is verified by then."""
    import torch

    if setting.frozen:
        return Finding("double backward", UNDECIDED, "a part of the expression is frozen: differences would move it")
    generator = setting.generator()
    tensors = {n: fresh(t).requires_grad_(n in setting.wanted) for n, t in setting.inputs.items()}
    leaves = [tensors[n] for n in setting.wanted]
    cotangent = fresh(setting.cotangent).requires_grad_(True)
    try:
        value = setting.claim.value(tensors)
        first = torch.autograd.grad(value, leaves, cotangent, create_graph=True, allow_unused=True)
    except Exception as error:
        return Finding("double backward", NOT_OFFERED, _said(error))
    if not any(g is not None and g.requires_grad for g in first):
        return Finding("double backward", NOT_OFFERED, "the gradient has no gradient of its own")
    weights = [setting.direction(name, generator) for name in setting.wanted]
    pairs = zip(first, weights, strict=True)
    paired = sum((g * w).sum() for g, w in pairs if g is not None and g.requires_grad)
    try:
        torch.autograd.backward(paired)  # not grad(): only this meets what refuses to be differentiated twice
    except Exception as error:
        return Finding("double backward", NOT_OFFERED, _said(error))
    by_name = {name: tensors[name].grad for name in setting.wanted}

    def turns() -> Iterator[Finding]:
        yield from _against_differences(setting, by_name, weights, generator)
        yield _by_grad_output(setting, cotangent.grad, weights, generator)

    return first_of("double backward", turns())


def _by_grad_output(setting: Setting, found: Any | None, weights: list[Any], rng: Any) -> Finding:
    """The derivative by the gradient that arrives: the backward is linear in it, so that no differences are needed."""
    import torch

    direction = torch.randn(setting.cotangent.shape, dtype=torch.float64, generator=rng).to(setting.cotangent.dtype)
    terms = torch.zeros_like(direction) if found is None else found.detach() * direction
    moved = replace(setting.plain(), cotangent=direction).run()
    pairs = [moved.gradients[n] * w for n, w in zip(setting.wanted, weights, strict=True)]
    said, right = float(terms.sum()), float(sum(p.sum() for p in pairs))
    size = max(float(terms.abs().sum()), float(sum(p.abs().sum() for p in pairs)))
    if not math.isfinite(right):
        return Finding("double backward", UNDECIDED, "the gradient is not finite there")
    if abs(said - right) <= _ROOM * size:
        return Finding("double backward", RIGHT)
    example = example_of(setting, "second derivative by grad_output along a direction", direction.new_tensor(said),
                         direction.new_tensor(right))  # fmt: skip
    lacks = " (is grad_output detached?)" if not said else ""
    says = f"by grad_output, along one direction it is {said:.6g} where the backward gives {right:.6g}{lacks}"
    return Finding("double backward", WRONG, says, example)


def _against_differences(setting: Setting, found: dict[str, Any], weights: list[Any], rng: Any) -> Iterator[Finding]:
    import torch

    for name in setting.wanted:
        if name in setting.thin:
            yield Finding("double backward", UNDECIDED, f"{name} cannot move by itself")
            continue
        x = setting.inputs[name]
        scale = largest(x) or 1.0
        said = torch.zeros_like(x) if found[name] is None else found[name].detach()
        direction = setting.direction(name, rng) * scale

        def along(t: float, name: str = name, x: Any = x, d: Any = direction) -> float:
            outcome = setting.with_inputs(**{name: x + t * d}).run()
            return float(sum((outcome.gradients[n] * w).sum() for n, w in zip(setting.wanted, weights, strict=True)))

        try:
            measured, here = slope(along, _STEP), abs(along(0.0))
        except Raised as error:
            yield Finding("double backward", UNDECIDED, str(error))
            continue
        size = max(float((said * direction).abs().sum()), abs(measured.value), here * 1e-3)
        if not measured.error <= _TRUSTED * (size or 1.0):
            yield Finding("double backward", UNDECIDED, f"differences by {name} do not settle there")
        elif abs(float((said * direction).sum()) - measured.value) > 10 * measured.error + _ROOM * size:
            along_d = float((said * direction).sum())
            example = example_of(setting, f"second derivative by {name} along a direction", said.new_tensor(along_d),
                                 said.new_tensor(measured.value))  # fmt: skip
            says = f"by {name}, along one direction it is {along_d:.6g} where differences of the backward"
            lacks = "a part has no graph" if along_d else "it has no graph"
            missing = f" ({lacks}: is something saved that is neither input nor output?)"
            yield Finding("double backward", WRONG, f"{says} give {measured.value:.6g}{missing}", example)
        else:
            yield Finding("double backward", RIGHT)


def forward_mode(setting: Setting) -> Finding:
    """The Function's jvp, where it has one, by the adjoint test against its backward."""
    import torch
    from torch.autograd import forward_ad

    if setting.claim.function.jvp is torch.autograd.Function.jvp:
        return Finding("forward mode", NOT_OFFERED)
    generator = setting.generator()
    outcome = setting.run()
    for name in setting.wanted:
        x = fresh(setting.inputs[name])
        v = setting.direction(name, generator)
        try:
            with warnings.catch_warnings(), forward_ad.dual_level():
                warnings.simplefilter("ignore")  # of torch's own parts, which forward mode loads
                value = setting.claim.value({**setting.inputs, name: forward_ad.make_dual(x, v)})  # type: ignore[no-untyped-call]
                tangent = forward_ad.unpack_dual(value).tangent  # type: ignore[no-untyped-call]
        except Exception as error:
            return Finding("forward mode", NOT_OFFERED, _said(error))
        pushed = torch.zeros_like(setting.cotangent) if tangent is None else tangent.detach()
        if pushed.shape != setting.cotangent.shape:
            says = f"by {name}, jvp has shape {tuple(pushed.shape)} where the value has {tuple(outcome.value.shape)}"
            return Finding("forward mode", WRONG, says)
        terms, others = pushed * setting.cotangent, outcome.gradients[name] * v
        size = max(float(terms.abs().sum()), float(others.abs().sum()))
        if abs(float(terms.sum()) - float(others.sum())) > _ROOM * size:
            says = f"by {name}, ⟨u, jvp v⟩ is {float(terms.sum()):.6g} and ⟨backward u, v⟩ is {float(others.sum()):.6g}"
            return Finding("forward mode", WRONG, says, example_of(setting, "⟨u, jvp v⟩", terms.sum(), others.sum()))
    return Finding("forward mode", RIGHT)


def _said(error: BaseException) -> str:
    if "once_differentiable" in str(error):
        return "the backward is marked once_differentiable"
    return f"it raises {type(error).__name__}: {(str(error).splitlines() or [''])[0][:120]}"
