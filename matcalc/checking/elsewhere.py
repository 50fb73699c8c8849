"""Far from an example: what a claim is tried on once it holds around the example.

A claim that was seen on one side of a kink alone, or at one value of a mask, may be wrong on the other. Nothing is
known of the function but its values: each input is multiplied, moved by noise of many sizes, flipped or drawn anew from
its own entries, by itself, and what has no value then is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from matcalc.checking.around import sound
from matcalc.checking.examples import is_floating, moved
from matcalc.checking.placement import CPU, home
from matcalc.checking.trials import Request
from matcalc.checking.voices import Place

_MULTIPLES = (-1.0, 16.0, 1 / 16)
"""Powers of two keep what is exact exact."""
_RELATIVE = (3.0, 30.0)
_ABSOLUTE = (1.0, 30.0, 2e3)
"""Sizes of noise: of the input's own size, and of what losses, thresholds and guards are made for."""
_ALIKE = 2.0
_ONE = 1e-6


def farther(request: Request) -> Iterator[tuple[str, Place]]:
    """Places far from the example, each with what is other there; where function or gradient fail is left out."""
    import torch

    generator = torch.Generator().manual_seed(request.seed + 1)
    example = moved(request.inputs, request.wrt, request.dtype, None, 0.0)
    for k, value in enumerate(example):
        ways = _by_wrt(request, example, generator) if k == request.wrt else _of_another(request, k, value, generator)
        for says, other in ways:
            inputs = moved(request.inputs, request.wrt, request.dtype, None, 0.0)
            inputs[k] = other.to(value.dtype) if isinstance(value, torch.Tensor) else other
            place = sound(request, partial(list, inputs), generator)
            if place is not None:
                yield f"input {k} is {says}", replace(place, way="")


def _by_wrt(request: Request, example: list[Any], generator: Any) -> Iterator[tuple[str, Any]]:
    """The input by which the gradient is taken, elsewhere."""
    x = example[request.wrt]
    if not bool(x.isfinite().all()) or not x.numel():
        return
    for factor in _MULTIPLES if bool(x.any()) else ():
        yield f"{factor:g} times that of the example", factor * x
    own = _size(x) or 1.0
    others = [_size(t) for k, t in enumerate(example) if k != request.wrt and is_floating(t)]
    for size in _unlike([*(part * own for part in _RELATIVE), *_ABSOLUTE, *(_RELATIVE[0] * s for s in others if s)]):
        noise = _noise(x, generator)
        noise += noise.sign() / 2  # none of it is next to nothing
        if request.symmetric or request.wrt in request.kept:
            noise = (noise + noise.mT) / 2
        for sign in (1, -1):  # a threshold is passed in one of the two by most entries
            yield f"that of the example with noise of the size {size:.2g}", x + sign * size * noise


def _of_another(request: Request, k: int, t: Any, generator: Any) -> Iterator[tuple[str, Any]]:
    """Another input elsewhere, in ways that keep what it may have to be."""
    import torch

    if isinstance(t, bool):
        yield f"{not t}", not t
    elif isinstance(t, int):
        yield f"{t + 1}", t + 1
    elif not isinstance(t, torch.Tensor) or not t.numel() or not bool(t.isfinite().all()):
        return
    elif k in (*request.kept, *request.halved):
        yield "16 times that of the example", 16 * t
    elif t.dtype == torch.bool:
        yield "flipped at random", t ^ (torch.rand(t.shape, generator=generator) < 1 / 2)
    elif not t.is_floating_point():
        yield from _other_whole_numbers(t, generator)
    else:
        yield from _other_floats(t, generator)


def _other_whole_numbers(t: Any, generator: Any) -> Iterator[tuple[str, Any]]:
    import torch

    flat = t.reshape(-1)
    drawn = flat[torch.randint(len(flat), flat.shape, generator=generator)]
    yield "drawn anew from its entries", drawn.reshape(t.shape)
    for step in (1, -1) if home() == CPU else ():  # an index beyond the end ends a process on an accelerator
        yield f"{step:+d} where chance has it", t + step * torch.randint(2, t.shape, generator=generator)


def _other_floats(t: Any, generator: Any) -> Iterator[tuple[str, Any]]:
    import torch

    for factor in _MULTIPLES[:2] if bool(t.any()) else ():
        yield f"{factor:g} times that of the example", factor * t
    size = _RELATIVE[0] * (_size(t) or 1.0)
    yield f"that of the example with noise of the size {size:.2g}", t + size * _noise(t, generator)
    if bool(((t == 0) | (t == 1)).all()):
        yield "flipped at random", (t - torch.randint(2, t.shape, generator=generator)).abs()
    elif bool((t == t.round()).all()):
        yield "+1 where chance has it", t + torch.randint(2, t.shape, generator=generator)
    if t.ndim and bool((t >= 0).all()) and bool(((t.sum(-1) - 1).abs() <= _ONE).all()):
        drawn = torch.rand(t.shape, dtype=torch.float64, generator=generator)
        yield "other shares of 1", drawn / drawn.sum(-1, keepdim=True)


def _noise(t: Any, generator: Any) -> Any:
    import torch

    return torch.randn(t.shape, dtype=torch.float64, generator=generator).to(t.dtype)


def _size(t: Any) -> float:
    """The mean absolute value of what is finite."""
    finite = t[t.isfinite()]
    return float(finite.double().abs().mean()) if finite.numel() else 0.0


def _unlike(sizes: list[float]) -> list[float]:
    """Sizes in order, without those that are nearly another one."""
    found: list[float] = []
    for size in sorted(sizes):
        if not found or size > _ALIKE * found[-1]:
            found.append(size)
    return found
