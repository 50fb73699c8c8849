"""What can go wrong with a ``torch.autograd.Function`` though its formulas are right, each looked at by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from matcalc.checking.findings import NOT_OFFERED, NOTED, RIGHT, UNDECIDED, WRONG, Finding
from matcalc.checking.function_claim import Outcome, Raised, Watched
from matcalc.checking.function_second import double_backward, forward_mode
from matcalc.checking.function_setting import (
    FLOAT,
    Setting,
    attempt,
    compared,
    example_of,
    first_of,
    fresh,
    largest,
    noise,
    parts,
    spread,
)
from matcalc.checking.function_vmap import vmap
from matcalc.checking.placement import CPU, home

_UNIT32 = 2.0**-24
_WIDER = 2.0**29  # by how much float32 rounds more coarsely than float64
_BLURRED = 1e-3
_COARSE = 1e-4
_LINEAR = 1e-5
_AMPLIFIED = 100.0
_SCALED = (2.0**30, 2.0**-30)
_OTHERS = (1.25, 0.8, 1.001)


def grad_output(setting: Setting) -> Finding:
    """Whether the backward is linear in the gradient that arrives: one that ignores it is right for sums alone."""
    import torch

    base = setting.plain().run()
    if not all(bool(g.isfinite().all()) for g in base.gradients.values()):
        return Finding("grad_output", UNDECIDED, "the gradient is not finite there")
    doubled = replace(setting.plain(), cotangent=2 * setting.cotangent).run()
    other = torch.randn(setting.cotangent.shape, dtype=torch.float64, generator=setting.generator())
    second = replace(setting.plain(), cotangent=other.clone()).run()
    both = replace(setting.plain(), cotangent=setting.cotangent + other).run()
    for name, g in base.gradients.items():
        size = max(largest(g), largest(second.gradients[name]))
        room = _LINEAR * size + _AMPLIFIED * spread(setting.plain())[f"gradient by {name}"]
        if largest(g) and largest(doubled.gradients[name] - g) <= room:
            says = f"the gradient by {name} ignores grad_output: it stays the same when grad_output is doubled"
            seen = replace(setting, cotangent=2 * setting.cotangent)
            example = example_of(seen, f"gradient by {name}", doubled.gradients[name], 2 * g)
            return Finding("grad_output", WRONG, says, example)
        if not largest(both.gradients[name] - g - second.gradients[name]) <= room:
            seen = replace(setting, cotangent=setting.cotangent + other)
            added = g + second.gradients[name]
            example = example_of(seen, f"gradient by {name}", both.gradients[name], added)
            return Finding("grad_output", WRONG, f"the gradient by {name} is not linear in grad_output", example)
    return next(_scaled(setting, base), Finding("grad_output", RIGHT))


def _scaled(setting: Setting, base: Outcome) -> Iterator[Finding]:
    """Where a gradient is clipped, or small ones are dropped: a loss is scaled by 65536 in mixed precision."""
    for times in _SCALED:
        seen = replace(setting.plain(), cotangent=times * setting.cotangent)
        for name, scaled in seen.run().gradients.items():
            right = times * base.gradients[name]
            if largest(scaled - right) > _LINEAR * largest(right):
                example = example_of(seen, f"gradient by {name}", scaled, right)
                says = f"the gradient by {name} is not linear in grad_output, where that is {times:g} times as large"
                yield Finding("grad_output", WRONG, says, example)


def in_place(setting: Setting) -> Finding:
    """Whether forward and backward leave what they are given as it was."""
    plain = setting.plain()
    before = setting.plain()
    if (overwritten := _overwritten(setting)) is not None:
        return overwritten
    try:
        value = plain.claim.value(plain.inputs)
    except Raised as error:
        return Finding("in place", UNDECIDED, str(error))
    for name, t in plain.inputs.items():
        if not _same(t, before.inputs[name]):
            returned = value.data_ptr() == t.data_ptr() or (home() != CPU and _same(value, t))
            if returned and t.is_floating_point() and _is_marked_dirty(before, name):
                says = f"forward works in place on {name}; what is checked is a function that leaves its inputs alone"
                return Finding("in place", UNDECIDED, says)
            untold = f", and does not say so: ctx.mark_dirty({name})" if returned else ""
            example = example_of(before, f"{name} after forward", t, before.inputs[name])
            return Finding("in place", WRONG, f"forward changes its argument {name}{untold}", example)
    cotangent = plain.cotangent
    try:
        replace(before.plain(), cotangent=cotangent).run()
        later = before.plain()
        later.run()
    except Raised as error:
        return Finding("in place", UNDECIDED, str(error))
    if not _same(cotangent, before.cotangent):
        example = example_of(before, "grad_output after backward", cotangent, before.cotangent)
        return Finding("in place", WRONG, "backward changes grad_output", example)
    for name, t in later.inputs.items():
        if not _same(t, before.inputs[name]):
            example = example_of(before, f"{name} after backward", t, before.inputs[name])
            return Finding("in place", WRONG, f"backward changes the argument {name}", example)
    return Finding("in place", RIGHT)


def _is_marked_dirty(setting: Setting, name: str) -> bool:
    """Whether torch knows that an input is written to: it refuses a leaf then."""
    inputs = {n: fresh(t).requires_grad_(n == name) for n, t in setting.plain().inputs.items()}
    try:
        setting.claim.value(inputs)
    except Raised as error:
        return "in-place" in str(error)
    return False


def _overwritten(setting: Setting) -> Finding | None:
    """Whether a backward writes into the value, which is the user's by then."""
    import torch

    tensors = {n: fresh(t).requires_grad_(n in setting.wanted) for n, t in setting.inputs.items()}
    try:
        value = setting.claim.value(tensors)
        before = value.detach().clone()
        if not value.requires_grad:
            return None
        leaves = [tensors[n] for n in setting.wanted]
        torch.autograd.grad(value, leaves, setting.cotangent.clone(), allow_unused=True)
    except Exception:
        return None  # which is told where forward and backward are judged
    if _same(value.detach(), before):
        return None
    example = example_of(setting, "value after backward", value.detach(), before)
    return Finding("in place", WRONG, "backward changes the value that forward returned", example)


def _same(a: Any, b: Any) -> bool:
    import torch

    if a.shape != b.shape:
        return False
    return torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)) if a.is_floating_point() else torch.equal(a, b)


def repeat(setting: Setting) -> Finding:
    """Whether a second call, and a second backward through one graph, give the same."""
    import torch

    first = setting.plain().run()
    again = setting.plain().run()
    for (what, a), (_, b) in zip(parts(first), parts(again), strict=True):
        if largest(a - b) > FLOAT * largest(a):
            says = f"two calls with the same inputs give another {what}"
            return Finding("repeat", WRONG, says, example_of(setting, what, b, a))
    mixed = _with_another_call_between(setting, first)
    if mixed is not None:
        return mixed
    tensors = {n: fresh(t).requires_grad_(n in setting.wanted) for n, t in setting.inputs.items()}
    leaves = [tensors[n] for n in setting.wanted]
    try:
        value = setting.claim.value(tensors)
        if not value.requires_grad:
            return Finding("repeat", RIGHT)
        turns = [
            torch.autograd.grad(value, leaves, setting.cotangent.clone(), retain_graph=True, allow_unused=True)
            for _ in range(2)
        ]
    except Exception as error:
        says = f"a second backward through one graph raises {type(error).__name__}: {_line(error)}"
        return Finding("repeat", NOT_OFFERED, says)
    for name, g, h in zip(setting.wanted, *turns, strict=True):
        if g is not None and (h is None or largest(g - h) > FLOAT * largest(g)):
            says = f"a second backward through one graph gives another gradient by {name}"
            shown = torch.zeros_like(g) if h is None else h
            return Finding("repeat", WRONG, says, example_of(setting, f"gradient by {name}", shown, g))
    return Finding("repeat", RIGHT)


def _with_another_call_between(setting: Setting, usual: Outcome) -> Finding | None:
    """Whether a backward is of its own forward where another one, with other numbers, was called since."""
    import torch

    tensors = {n: fresh(t).requires_grad_(n in setting.wanted) for n, t in setting.inputs.items()}
    leaves = [tensors[n] for n in setting.wanted]
    try:
        value = setting.claim.value(tensors)
    except Exception:
        return None  # what the first of all calls raises is told elsewhere
    if not value.requires_grad or not _is_called_with_others(setting):
        return None
    try:
        found = torch.autograd.grad(value, leaves, setting.cotangent.clone(), allow_unused=True)
    except Exception as error:
        says = f"after a second forward the backward of the first raises {type(error).__name__}: {_line(error)}"
        return Finding("repeat", WRONG, says)
    for name, g in zip(setting.wanted, found, strict=True):
        right = usual.gradients[name]
        if g is not None and largest(g - right) > FLOAT * largest(right):
            says = f"after a second forward the gradient by {name} is another: is something kept for all calls?"
            return Finding("repeat", WRONG, says, example_of(setting, f"gradient by {name}", g, right))
    return None


def _is_called_with_others(setting: Setting) -> bool:
    """Whether a forward went well with other numbers than those of the setting, of which some may have no value."""
    for factor in _OTHERS:
        others = {n: fresh(t * factor) if t.is_floating_point() else t for n, t in setting.inputs.items()}
        with contextlib.suppress(Exception):
            setting.claim.value({n: t.requires_grad_(n in setting.wanted) for n, t in others.items()})
            return True
    return False


def non_contiguous(setting: Setting) -> Finding:
    """Inputs and grad_output that lie otherwise in memory: strided, transposed, with an offset."""
    return first_of("non-contiguous", _stored(setting, "non-contiguous", _STORED), ", ".join(_STORED))


def expanded(setting: Setting) -> Finding:
    """Inputs and grad_output of which many entries are one number in memory, as sum().backward() gives them."""
    return first_of("expanded", _stored(setting, "expanded", _EXPANDED))


def _stored(setting: Setting, aspect: str, ways: Mapping[str, Callable[[Any], Any]]) -> Iterator[Finding]:
    for way, store in ways.items():
        for name, t in setting.inputs.items():
            stored = store(t)
            if stored is not None:
                yield attempt(aspect, f"{name} {way}", setting.with_inputs(**{name: stored}))
        stored = store(setting.cotangent)
        if stored is not None:
            yield attempt(aspect, f"grad_output {way}", replace(setting, cotangent=stored))


def _strided(t: Any) -> Any:
    if not t.ndim or not t.numel():
        return None
    buffer = t.new_full((*t.shape[:-1], 2 * t.shape[-1]), 7)
    buffer[..., ::2] = t
    return buffer[..., ::2]


def _transposed(t: Any) -> Any:
    return t.mT.contiguous().mT if t.ndim >= 2 and min(t.shape[-2:]) > 1 else None


def _offset(t: Any) -> Any:
    if not t.numel():
        return None
    buffer = t.new_full((t.numel() + 3,), 7)
    buffer[3:] = t.reshape(-1)
    return buffer[3:].view(t.shape)


def _one_row(t: Any) -> Any:
    return t[:1].expand(t.shape) if t.ndim and t.shape[0] > 1 else None


def _one_column(t: Any) -> Any:
    return t[..., :1].expand(t.shape) if t.ndim >= 2 and t.shape[-1] > 1 else None


def _one_number(t: Any) -> Any:
    return t.reshape(-1)[0].expand(t.shape) if t.numel() > 1 else None


_STORED = {"strided": _strided, "transposed in memory": _transposed, "with an offset": _offset}
_EXPANDED = {
    "expanded from one row": _one_row,
    "expanded from one column": _one_column,
    "expanded from one number": _one_number,
}


def needs_input_grad(setting: Setting) -> Finding:
    """Whether the gradient by a name is the same whichever others require one; and whether unneeded ones are made."""

    def turns() -> Iterator[Finding]:
        for name in setting.wanted:
            alone = replace(setting, wanted=(name,))
            others = tuple(n for n in setting.floating if n != name)
            ways = {f"{name} alone requires a gradient": (), "every input requires a gradient": others}
            if len(others) > 1:  # as in a first layer, whose weights learn and whose input does not
                ways |= {f"{n} alone requires no gradient": tuple(o for o in others if o != n) for n in others}
            for says, also in ways.items():
                try:
                    yield compared("needs_input_grad", alone, says, alone.run(also=also))
                except Raised as error:
                    yield Finding("needs_input_grad", WRONG, f"{says}: {error}")

    found = first_of("needs_input_grad", turns())
    if found.status != RIGHT:
        return found
    made = _unneeded(setting)
    return Finding("needs_input_grad", NOTED, f"{made} is computed though it is not needed") if made else found


def _unneeded(setting: Setting) -> str:
    for name in setting.wanted:
        watch = Watched()
        replace(setting, wanted=(name,)).run(watch=watch)
        for k, g in enumerate((watch.returned or ())[: len(setting.claim.names)]):
            if g is not None and setting.claim.names[k] != name:
                return f"the gradient by {setting.claim.names[k]}"
    return ""


def float32(setting: Setting) -> Finding:
    """Whether float32 inputs give float32 answers, as good as float32 is."""
    inputs = {n: t.float() if t.is_floating_point() else t for n, t in setting.inputs.items()}
    single = replace(setting, inputs=inputs, cotangent=setting.cotangent.float())
    doubled = {n: t.double() if t.is_floating_point() else t for n, t in inputs.items()}
    wide = replace(setting, inputs=doubled, cotangent=single.cotangent.double())
    try:
        outcome = single.run()
    except Raised as error:
        return Finding("float32", NOT_OFFERED, str(error))
    # What float64 shows of the conditioning and of the rounding inside is larger in float32 by what that rounds more.
    truth, blur, rough = dict(parts(wide.run())), spread(wide), noise(wide)
    worst = 0.0
    for what, found in parts(outcome):
        size = largest(truth[what])
        off = largest(found.double() - truth[what]) if found.shape == truth[what].shape else float("inf")
        room = 64 * _UNIT32 * max([*truth[what].shape, 1]) * size + _AMPLIFIED * (blur[what] + rough[what]) * _WIDER
        if size and room > _BLURRED * size:
            return Finding("float32", UNDECIDED, f"the {what} is ill-conditioned there")
        if off > max(room, _COARSE * size):
            errors = f"{off / (size or 1):.1e} relative, where rounding explains {room / (size or 1):.1e}"
            says = f"the {what} is off by {errors}"
            return Finding("float32", WRONG, says, example_of(single, what, found, truth[what]))
        worst = max(worst, off / (size or 1.0))
    kind = str(outcome.value.dtype).removeprefix("torch.")
    if kind != "float32":
        return Finding("float32", NOTED, f"the value is {kind} where the inputs are float32")
    return Finding("float32", RIGHT, f"error {worst:.1e}", error=worst)


# What is looked at whether or not the formulas are right, and what once they are.
ALWAYS = {"grad_output": grad_output, "in place": in_place, "repeat": repeat}
ONCE_RIGHT = {
    "non-contiguous": non_contiguous,
    "expanded": expanded,
    "needs_input_grad": needs_input_grad,
    "float32": float32,
    "double backward": double_backward,
    "forward mode": forward_mode,
    "vmap": vmap,
}


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:120]
