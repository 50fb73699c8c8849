"""Inputs that a caller gives as examples, and others around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matcalc.errors import CheckError, UnsupportedError

_FEWEST = 2
_SUMS = 1e-7


def gathered(example_inputs: Any) -> list[Any]:
    """The arrays and floats among the inputs as tensors on the CPU; all else, whole numbers and texts, stays as it is.

    Raises:
        UnsupportedError: for complex inputs.
        CheckError: for none at all, and for one that holds no numbers.

    >>> gathered([1.5, 2, "mean"])
    [tensor(1.5000, dtype=torch.float64), 2, 'mean']
    """
    import numpy as np
    import torch

    given = [example_inputs] if isinstance(example_inputs, torch.Tensor | np.ndarray) else list(example_inputs)
    if not given:
        raise CheckError("there are no example inputs", suggestion="[torch.randn(3)]")
    made = []
    for t in given:
        if isinstance(t, torch.Tensor) and t.is_meta:
            raise CheckError("an example input is a meta tensor", why="a meta tensor holds no numbers")
        if isinstance(t, torch.Tensor):
            made.append(t.detach() if t.device.type == "cpu" else stored_like(t.detach().cpu(), t))
        elif isinstance(t, np.ndarray | np.generic | float) or type(t).__module__.startswith("jax"):
            made.append(torch.from_numpy(np.array(t)))
        else:
            made.append(t)
    if any(isinstance(t, torch.Tensor) and t.is_complex() for t in made):
        raise UnsupportedError("complex inputs are not checked", why="a gradient is taken by real numbers here")
    return made


def moved(
    inputs: Sequence[Any], wrt: int, dtype: str, generator: Any, size: float, *, alone: bool = False
) -> list[Any]:  # fmt: skip
    """The inputs in a float type, moved by ``size`` of their own size; where they are not, they lie as they were given.

    Whole numbers are made floats only for the input ``wrt``, and never moved else; ``alone`` moves that input only.
    """
    import torch

    made = []
    for k, given in enumerate(inputs):
        t = torch.tensor(float(given)) if k == wrt and type(given) is int else given
        if not isinstance(t, torch.Tensor) or not (t.is_floating_point() or k == wrt):
            made.append(t)
        elif not size or not t.numel() or (alone and k != wrt):
            made.append(stored_like(t.to(getattr(torch, dtype)), t))
        else:
            x = t.double()
            noise = torch.randn(x.shape, dtype=torch.float64, generator=generator)
            made.append((x + size * (float(x.abs().mean()) or 1.0) * noise).to(getattr(torch, dtype)))
    return made


def form_of(given: Any) -> str:
    """The special form of an array that a random move destroys, or "".

    >>> import torch
    >>> form_of(torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])), form_of(torch.tensor([0.2, 0.8]))
    ('entries 0 and 1', 'entries that sum to 1')
    """
    import torch

    if not isinstance(given, torch.Tensor) or not given.is_floating_point() or given.numel() < _FEWEST:
        return ""
    x = given.double()
    if bool(((x == 0) | (x == 1)).all()) and bool(x.any()):
        return "entries 0 and 1"
    if bool((x >= 0).all()) and bool(((x.sum(-1) - 1).abs() <= _SUMS * x.shape[-1]).all()):
        return "entries that sum to 1"
    if bool((x == 0).any()) and bool(x.any()):
        return "entries that are zero"
    return ""


def stored_like(values: Any, like: Any) -> Any:
    """The values in memory of their own, with the strides of another tensor of their shape.

    >>> import torch
    >>> stored_like(torch.ones(2, 3), torch.zeros(3, 2).T).stride()
    (1, 2)
    """
    if like.is_contiguous() or not like.numel():
        return values.clone()
    dense = values[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in like.stride())]
    length = 1 + sum((n - 1) * s for n, s in zip(dense.shape, like.stride(), strict=True))
    stored = values.new_zeros(length).as_strided(dense.shape, like.stride())
    stored.copy_(dense)
    return stored.expand(like.shape)
