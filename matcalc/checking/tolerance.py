"""How far rounding may move what floating point computes: measured, not assumed.

Monte Carlo arithmetic (Parker 1997, Monte Carlo Arithmetic, UCLA; the idea is CESTAC's, Vignes 1993, Mathematics and
Computers in Simulation 35:233): the inputs, and the result of every operation, are perturbed at random in every entry,
by some units of roundoff; how far the result moves, in units, is how strongly it depends on the roundings on the way.
Perturbing each term of a sum apart moves it by what the sum of the terms' absolute values bounds; perturbing a matrix
that is inverted or factorised moves the result by its condition number. So one measurement holds both parts of the
classical bound c·u·(S + κ·|g|) (Higham 2002, ch. 3, 7 and 9), for any torch function and for its backward pass.

The tolerance is c = 64 times the largest size times what a unit of roundoff moves. It scales with the function and with
its inputs, entry by entry; there is no absolute floor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from functools import cache, partial
from math import sqrt
from typing import Any

UNIT = 2.0**-53
SINGLE = 2.0**-24
DOUBT = 1e-8
"""What is refuted in floats is off by more than this share of what is summed: a library's functions may be less good
than rounding (torch takes the sigmoid for 1 beyond 20, which is off by 2e-9), and nobody calls that a wrong gradient.
"""
BLIND = 1e-3
"""Where the tolerance exceeds this share of the gradient, agreement says nothing."""
_SHARE = 1e-5
"""What is off by less of an entry that is small beside others may be a library's approximation."""
_UNITS = 64.0
_FEW = 2.0
_JUMP = 4.0
_RUNS = 4
_SAFETY = 64
_UNDERFLOW = 2.0**-1000
_UNDERFLOW_SINGLE = 2.0**-120
_LIKELY = 16

_EXACT = frozenset(
    """abs alias amax amin arange argmax argmin bernoulli cat ceil clamp clamp_max clamp_min clone constant_pad_nd copy
    detach diag_embed diagonal_copy empty empty_like empty_strided expand eye fill flip floor full full_like gather
    index index_fill index_put index_select lift lift_fresh linspace masked_fill masked_select max max_pool2d
    max_pool2d_with_indices max_pool2d_with_indices_backward maximum median min minimum mode neg new_empty new_full
    new_ones new_zeros normal one_hot ones ones_like rand randn randperm relu repeat resize roll round scalar_tensor
    scatter select_backward select_scatter set sgn sign slice_backward slice_scatter sort split split_with_sizes stack
    threshold threshold_backward topk tril tril_indices triu triu_indices trunc unbind uniform where zero zeros
    zeros_like""".split()  # noqa: SIM905  a list of 90 words, one a line, would hide the rest of the file
)
"""ATen operations that round nothing: they select, place or compare. (Perturbing one side of a comparison breaks ties
that are none of rounding's.)"""


_WHOLE = frozenset(("add", "sub", "rsub", "mul"))
"""What is exact of whole numbers, as the k + 1 in an exponent; to perturb that makes no value of a negative base."""


@cache
def _noisy() -> type[Any]:
    """The dispatch mode that perturbs the results of operations."""
    import torch
    from torch._functorch import eager_transforms
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_map

    mode: Any = TorchDispatchMode  # torch declares no types for it

    class Noisy(mode):  # type: ignore[misc]
        def __init__(self, generator: Any, units: float) -> None:
            super().__init__()
            self.generator, self.units = generator, units
            self.unit, self.rounded = UNIT, False

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            if eager_transforms.JVP_NESTING:
                return made  # to multiply what has a tangent here ends the process
            name, has_type, rounds, in_place = _habits(func)
            if name == "_to_copy" and not args[0].is_floating_point():
                return made  # a mask made a float is exact
            if has_type and isinstance(made, torch.Tensor) and made.is_floating_point():
                self.unit = max(self.unit, torch.finfo(made.dtype).eps / 2)
            if not rounds or (name in _WHOLE and all(map(_is_whole, (*args, made)))):
                return made
            self.rounded = True
            each = partial(perturbed, generator=self.generator, units=self.units, in_place=in_place)
            noisy = each(made) if isinstance(made, torch.Tensor) else tree_map(each, made)
            return made if in_place else noisy

    return Noisy


@cache
def _habits(func: Any) -> tuple[str, bool, bool, bool]:
    """Of an ATen operation: its name, whether its result's type is one it computes in, whether it rounds, and in place.

    What returns an alias is a view, which rounds nothing, or writes into its argument.
    """
    name = func._schema.name.rpartition("::")[2].rstrip("_")
    aliases = [r.alias_info for r in func._schema.returns if r.alias_info is not None]
    rounds = name not in _EXACT and (not aliases or any(alias.is_write for alias in aliases))
    return name, name not in _EXACT or name == "copy", rounds, bool(aliases)


def _is_whole(value: Any) -> bool:
    """Whether a value is a whole number, a tensor of one or not."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and not value.is_meta and float(value.detach()).is_integer()
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def perturbed(tensor: Any, generator: Any, *, units: float = _UNITS, in_place: bool = False) -> Any:
    """A floating-point tensor with every entry moved at random by up to so many units of roundoff; else itself."""
    import torch

    if not isinstance(tensor, torch.Tensor) or not (tensor.is_floating_point() or tensor.is_complex()):
        return tensor
    kind = tensor.real.dtype if tensor.is_complex() else tensor.dtype
    most = units * torch.finfo(kind).eps / 2
    factor = torch.empty(tensor.shape, dtype=torch.float64).uniform_(1 - most, 1 + most, generator=generator)
    factor = factor.to(device=tensor.device, dtype=kind)
    return tensor.mul_(factor) if in_place else tensor * factor


def spread(
    function: Callable[..., Any],
    given: Mapping[str, Any],
    usual: Any,
    seed: int,
    *,
    units: float = _UNITS,
    inputs: bool = True,
    operations: bool = True,
    fixed: Collection[str] = (),
) -> Any:
    """How far a unit of roundoff in the inputs and in every operation moves each entry of a result.

    Args:
        function: from tensors by name to a float64 array.
        given: the tensors.
        usual: the result without perturbations.
        seed: of the perturbations.
        units: how large they are.
        inputs: whether the inputs are perturbed as well.
        operations: whether the results of operations are.
        fixed: the names of inputs that are not perturbed: whole numbers, as the exponent of a negative base.

    A function that cannot be watched (it compiles itself, say, or leaves torch) is perturbed in its inputs alone, and
    one that refuses perturbed inputs in its operations alone.
    """
    moves = _moves(function, given, usual, seed, units, inputs=inputs, operations=operations, fixed=fixed)
    return _widest(moves) / units


def _moves(
    function: Callable[..., Any],
    given: Mapping[str, Any],
    usual: Any,
    seed: int,
    units: float,
    *,
    inputs: bool = True,
    operations: bool = True,
    fixed: Collection[str] = (),
) -> Any:
    """How far each of some perturbations moves each entry, with the perturbations first; infinity for no number."""
    import numpy as np
    import torch

    found = np.full((_RUNS, *usual.shape), np.inf)
    for run in range(_RUNS):
        generator = torch.Generator().manual_seed(1_000_003 * (seed + 1) + run)
        moves = {name for name in given if inputs and name not in fixed}
        moved = {n: perturbed(t, generator, units=units) if n in moves else t for n, t in given.items()}
        made = _run(function, (moved, given), _noisy()(generator, units) if operations else None)
        if made.shape != usual.shape:
            return np.full_like(found, np.inf)
        with np.errstate(invalid="ignore"):
            found[run] = np.abs(made - usual)
    return np.where(np.isfinite(found), found, np.inf)


def _widest(moves: Any) -> Any:
    return moves.max(axis=0)


def _run(function: Callable[..., Any], turns: tuple[Mapping[str, Any], ...], noisy: Any | None) -> Any:
    """The result at the first inputs that it takes, watched where it can be."""
    for given in turns:
        for mode in (noisy, None) if noisy is not None else (None,):
            try:
                with mode or contextlib.nullcontext():
                    return function(**given)
            except Exception:  # noqa: S112  # the last turn, of the inputs as they are, has been seen to go well
                continue
    return function(**turns[-1])


def coarse_spread(function: Callable[..., Any], given: Mapping[str, Any], usual: Any, seed: int) -> Any:
    """How far a unit of float32 in the inputs moves the result of a function that computes in float32, unwatched."""
    wider = SINGLE / UNIT
    return wider * spread(function, given, usual, seed, units=_UNITS * wider, operations=False)


def steady_spread(
    function: Callable[..., Any], given: Mapping[str, Any], usual: Any, seed: int, *, fixed: Collection[str] = ()
) -> Any:
    """What :func:`spread` gives, and of a function that jumps at the inputs, what roundings on the way to its value do.

    A jump is as high for a smaller perturbation; what rounding moves is moved less. Near a singular matrix that holds
    of the inverse as well, but a function that jumps stays, in every entry, where some perturbations leave it, or moves
    as far for all of them.
    """
    import numpy as np

    far = _moves(function, given, usual, seed, _UNITS, fixed=fixed)
    moved = _widest(far) / _UNITS
    if not moved.size or room(moved, usual, {}).max() <= BLIND * abs(usual).max():
        return moved
    near = _moves(function, given, usual, seed, _FEW, fixed=fixed)
    if not _widest(near).max() / _FEW > _JUMP * moved.max():
        return moved
    own = spread(function, given, usual, seed, inputs=False)
    each = np.concatenate([far, near])
    with np.errstate(invalid="ignore"):
        nearest, apart = each.min(axis=0), each.max(axis=0) - each.min(axis=0)
    jumps = np.minimum(nearest, apart) <= room(own, usual, {})
    return own if jumps.all() else moved


def coarsest(function: Callable[..., Any], given: Mapping[str, Any]) -> float:
    """The unit roundoff of the least precise type that a function computes in; float64's where it cannot be watched.

    >>> import torch
    >>> coarsest(lambda x: x.float().exp(), {"x": torch.ones(2, dtype=torch.float64)}) == 2.0**-24
    True
    """
    return _watched(function, given)[0]


def is_watched(function: Callable[..., Any], given: Mapping[str, Any]) -> bool:
    """Whether operations of a function were seen that round: not of one that leaves torch, for NumPy say.

    >>> import numpy as np, torch
    >>> [is_watched(exp, {"x": torch.ones(2)}) for exp in (lambda x: torch.exp(x), lambda x: np.exp(x.numpy()))]
    [True, False]
    """
    return _watched(function, given)[1]


def _watched(function: Callable[..., Any], given: Mapping[str, Any]) -> tuple[float, bool]:
    import torch

    mode = _noisy()(torch.Generator().manual_seed(0), _UNITS)
    try:
        with mode:
            function(**given)
    except Exception:  # a user's function may raise anything where it is watched; unwatched it was seen to go well
        return UNIT, False
    return float(mode.unit), bool(mode.rounded)


def room(moved: Any, gradient: Any, sizes: Mapping[str, int], unit: float = UNIT) -> Any:
    """The tolerance in every entry, from how far a unit of roundoff moves it.

    In float32 what holds for all roundings would hide whatever can be seen: there it is what is all but never exceeded,
    √n for n (Higham and Mary 2019, SIAM Journal on Scientific Computing 41:A2815).

    >>> import numpy as np
    >>> room(np.array([1e-16]), np.array([1.0]), {"n": 4}) < 1e-13
    array([ True])
    """
    return _factor(sizes, gradient, unit) * (moved + UNIT * abs(gradient).max(initial=0.0))


def _factor(sizes: Mapping[str, int], gradient: Any, unit: float) -> float:
    longest = max([*sizes.values(), *gradient.shape, 1])
    return float(_SAFETY * longest if unit == UNIT else _LIKELY * sqrt(longest))


def overshadowed(
    one: Any, other: Any, moved: Any, sizes: Mapping[str, int], unit: float = UNIT, *, exact: bool = False
) -> Any:
    """Where two results differ by more than rounding moves that very entry, and by a share of the entry itself.

    Beside a large entry a small one is within the tolerance of everything: it may be wrong altogether. One that should
    be zero is left alone: what factorizations leave there is rounding, which is as large for every entry. Where the
    ``other`` is ``exact``, a zero of the first one is looked at as well.

    >>> import numpy as np
    >>> overshadowed(np.array([6e7, 3e-8]), np.array([6e7, 1.5e-8]), np.array([1e-8, 1e-24]), {})
    array([False,  True])
    """
    import numpy as np

    off = abs(one - other)
    least = _UNDERFLOW if unit == UNIT else _UNDERFLOW_SINGLE
    off = np.where(((abs(one) > least) | exact) & (abs(other) > least), off, 0.0)
    return (off > _SHARE * abs(other)) & (off > _SHARE * abs(one)) & (off > 4 * _factor(sizes, one, unit) * moved)


def doubtful(moved: Any, gradient: Any, unit: float = UNIT) -> Any:
    """The distance in every entry below which nothing is refuted in floats: 1e-8 of what is summed there.

    ``unit`` is the roundoff that moved it; in float32 nothing below its own rounding is refuted.
    """
    return max(DOUBT, unit) * (moved / unit + abs(gradient).max(initial=0.0))
