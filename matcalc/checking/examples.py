"""Inputs that a caller gives as examples, and others around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matcalc.errors import CheckError, UnsupportedError

DENSE = "dense"
_UNITS = 8.0
_SYMMETRIC = 1e-8
_LARGE = 1e4
_UNLIKE = 1e6


def gathered(example_inputs: Any) -> list[Any]:
    """The arrays and floats among the inputs as tensors on the CPU; all else, whole numbers and texts, stays as it is.

    Raises:
        UnsupportedError: for complex, sparse, quantized and nested inputs.
        CheckError: for none at all, and for one that holds no numbers.

    >>> gathered([1.5, 2, "mean"])
    [tensor(1.5000, dtype=torch.float64), 2, 'mean']
    """
    import torch

    lone = isinstance(example_inputs, torch.Tensor | int) or _is_array(example_inputs)
    if not lone and (isinstance(example_inputs, str | Mapping) or not isinstance(example_inputs, Iterable)):
        raise CheckError(f"{example_inputs!r} is no list of example inputs", suggestion="[torch.randn(3)]")
    given = [example_inputs] if lone else list(example_inputs)
    if not given:
        raise CheckError("there are no example inputs", suggestion="[torch.randn(3)]")
    return [_gathered(t, k) for k, t in enumerate(given)]


def _is_array(value: Any) -> bool:
    """Whether a value is an array of NumPy or JAX, or a float."""
    import numpy as np

    return isinstance(value, np.ndarray | np.generic | float) or type(value).__module__.startswith("jax")


def is_floating(value: Any) -> bool:
    """Whether a value is a tensor of floats."""
    import torch

    return isinstance(value, torch.Tensor) and value.is_floating_point()


def kind_of(tensor: Any) -> str:
    """How a tensor holds its entries: dense, sparse, quantized, or nested.

    >>> import torch
    >>> kind_of(torch.eye(2)), kind_of(torch.eye(2).to_sparse())
    ('dense', 'sparse')
    """
    import torch

    if tensor.is_nested:
        return "nested"
    return "quantized" if tensor.is_quantized else DENSE if tensor.layout == torch.strided else "sparse"


def _gathered(t: Any, k: int) -> Any:
    import numpy as np
    import torch

    if _is_array(t):
        t = torch.from_numpy(np.array(t))
    if not isinstance(t, torch.Tensor):
        return t
    if t.is_meta:
        raise CheckError("an example input is a meta tensor", why="a meta tensor holds no numbers")
    if t.is_complex():
        raise UnsupportedError("complex inputs are not checked", why="a gradient is taken by real numbers here")
    if (kind := kind_of(t)) != DENSE:
        dense = {"sparse": "x.to_dense()", "quantized": "x.dequantize()"}.get(kind, "")
        raise UnsupportedError(f"input {k} is {kind}", why="inputs are dense tensors of numbers", suggestion=dense)
    if bool(t.isnan().any()):
        raise CheckError(f"input {k} holds NaN", why="nothing can be compared there")
    return t.detach() if t.device.type == "cpu" else stored_like(t.detach().cpu(), t)


def moved(
    inputs: Sequence[Any], wrt: int, dtype: str, generator: Any, size: float, *, alone: bool = False
) -> list[Any]:  # fmt: skip
    """The inputs in a float type, moved by ``size`` of their own size; where they are not, they lie as they were given.

    Whole numbers are made floats only for the input ``wrt``, and never moved else; ``alone`` moves that input only.
    """
    import torch

    made = []
    for k, given in enumerate(inputs):
        t = torch.tensor(float(given), dtype=torch.float64) if k == wrt and type(given) is int else given
        if not isinstance(t, torch.Tensor) or not (t.is_floating_point() or k == wrt):
            made.append(t)
        elif not size or not t.numel() or (alone and k != wrt):
            made.append(stored_like(_widened(t, dtype), t))
        else:
            noise = torch.randn(t.shape, dtype=torch.float64, generator=generator)
            made.append(
                (t.double() + torch.where(t.isfinite(), size * _scales(t) * noise, 0)).to(getattr(torch, dtype))
            )
    return made


def _scales(t: Any) -> Any:
    """By how much each entry is moved: by the mean, and where entries are of unlike sizes, each by its own.

    A mask of -1e9 and zeros must not have its zeros moved by millions: what is zero is moved by 1 at most there.
    """
    import torch

    sizes = t.double().abs()
    seen = sizes[sizes.isfinite() & (sizes > 0)]
    if not seen.numel():
        return torch.ones_like(sizes)
    if float(seen.max()) > _UNLIKE * float(seen.min()):
        return torch.where(sizes > 0, sizes, seen.median().clamp(max=1.0))
    mean = sizes[sizes.isfinite()].mean()
    return torch.where(sizes > 0, mean, mean.clamp(max=1.0) if mean > _LARGE else mean)


def _widened(t: Any, dtype: str) -> Any:
    """A tensor in a float type; what was symmetric as far as its own type goes is so in a wider one."""
    import torch

    wide = t.to(getattr(torch, dtype))
    return (wide + wide.mT) / 2 if wide.dtype == torch.float64 != t.dtype and is_symmetric(t) else wide


def is_symmetric(x: Any) -> bool:
    """Whether a tensor is one of symmetric matrices of more than one real entry, as far as rounding tells."""
    import torch

    if not x.is_floating_point() or x.ndim < 2 or x.shape[-1] != x.shape[-2] or x.shape[-1] < 2 or not x.numel():
        return False
    wide = x.double()
    if not bool(wide.isfinite().all()):
        return False
    return bool(((wide - wide.mT).abs() <= max(_SYMMETRIC, _UNITS * torch.finfo(x.dtype).eps) * wide.abs().max()).all())


def form_of(given: Any) -> str:
    """The special form of an array that a random move destroys, or "".

    >>> import torch
    >>> form_of(torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])), form_of(torch.tensor([0.2, 0.8]))
    ('entries 0 and 1', 'entries that sum to 1')
    >>> form_of(torch.eye(3) - 2 / 3), form_of(torch.tensor([[1.0, 2.0], [-1.0, -2.0]]))
    ('orthonormal columns', 'entries that sum to 0')
    """
    import torch

    if not is_floating(given) or not given.numel():
        return ""
    x, near = given.double(), _UNITS * torch.finfo(given.dtype).eps * max(given.shape, default=1)
    if not bool(x.isfinite().all()):
        return "entries that are infinite"
    zero = bool((x == 0).any())
    if bool(((x == 0) | (x == 1)).all()) and bool(x.any()):
        return "entries 0 and 1" if zero else "entries that are 1"
    if bool((x.abs() == 1).all()):
        return "entries 1 and -1"
    if x.ndim and x.numel() > 1:
        sums = [x.sum(axis) for axis in (*range(-1, -x.ndim - 1, -1), tuple(range(x.ndim)))]
        if bool((x >= 0).all()) and any(bool(((s - 1).abs() <= near).all()) for s in sums):
            return "entries that sum to 1"
        if bool(x.any()) and any(bool((s.abs() <= near * x.abs().max()).all()) for s in sums):
            return "entries that sum to 0"
        if x.ndim == 2 and _is_orthonormal(x, near):
            return "orthonormal columns"
        if x.ndim == 2 and _is_orthonormal(x.mT, near):
            return "orthonormal rows"
        if x.ndim == 1 and abs(float(x @ x) - 1) <= near:
            return "length 1"
    if zero:
        return "entries that are zero"
    return "whole numbers" if bool((x == x.round()).all()) else ""


def _is_orthonormal(x: Any, near: float) -> bool:
    import torch

    return bool(((x.mT @ x - torch.eye(x.shape[1], dtype=x.dtype)).abs() <= near).all())


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
