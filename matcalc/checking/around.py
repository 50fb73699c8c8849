"""Where any function of tensors is looked at: at the example that was given, at points around it, and farther away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from matcalc.checking.examples import gathered, is_floating, is_symmetric, moved
from matcalc.checking.foreign import foreign
from matcalc.checking.trials import ALONE, DOUBLE, SHUFFLED, SINGLE, SYMMETRIC, WAYS, Request, of_torch
from matcalc.checking.voices import Place, reads_one_triangle
from matcalc.errors import CheckError, ParseError, UnsupportedError

_MOVES = (0.1, 0.01, 1e-3, 1e-5)
"""How far inputs are moved around the example, of their own size: the largest that leaves the function a value."""
_RANDOM = 1e-4
"""What differs by more from call to call does not do so by the order of a parallel sum."""


def asked(fn: Callable[..., Any], example_inputs: Any, wrt: int, trials: int, seed: int) -> Request:
    """The request, in the arithmetic that the function takes.

    Raises:
        CheckError: for an input that is not there or holds no numbers, and for a function that fails at the example,
            gives another value when it is called again, or changes its inputs.
        ParseError: for trials and a seed that are none.
    """
    if type(trials) is not int or trials < 1:
        raise ParseError(f"{trials!r} are no trials", why="a check needs at least one trial")
    if type(seed) is not int or seed < 0:
        raise ParseError(f"{seed!r} is no seed", why="a seed is a whole number from 0 up")
    inputs = gathered(example_inputs)
    _has_input(inputs, wrt)
    request = Request(foreign(fn), inputs, wrt, trials, seed)
    (place,) = places(replace(request, trials=1), tried=tuple(dtypes_of(request)))
    request = replace(request, dtype=str(place.inputs[wrt].dtype).removeprefix("torch."))
    _left_alone(request, place)
    return replace(request, symmetric=reads_one_triangle(place))


def _has_input(inputs: list[Any], wrt: Any) -> None:
    if type(wrt) is not int or not 0 <= wrt < len(inputs):
        raise CheckError(f"there is no input {wrt}: there are {len(inputs)}, counted from 0")
    if not isinstance(inputs[wrt], int) and not hasattr(inputs[wrt], "is_floating_point"):
        kind = type(inputs[wrt]).__name__
        other = next((f"wrt={k}" for k, t in enumerate(inputs) if is_floating(t)), "")
        raise CheckError(
            f"input {wrt} is a {kind}, by which nothing is differentiated",
            why="a derivative is taken by a tensor, an array or a number",
            suggestion="torch.tensor([1.0, 2.0])" if kind in ("list", "tuple") else other,
        )


def dtypes_of(request: Request) -> Iterator[str]:
    """The float types in which a function may be called: float32 only where it is asked at that, or narrower."""
    yield request.dtype
    if request.dtype == DOUBLE and request.narrow:
        yield SINGLE


def _left_alone(request: Request, place: Place) -> None:
    """That a function, which was called at a place, left its inputs alone, and gives the same again.

    Raises:
        CheckError: where it does not.
    """
    import torch

    given = moved(request.inputs, request.wrt, request.dtype, None, 0.0)
    for k, (t, before) in enumerate(zip(place.inputs, given, strict=True)):
        if isinstance(t, torch.Tensor) and not torch.equal(t, before):
            raise CheckError(
                f"the function changes its input {k}", why="what it is given is used again", suggestion="x = x.clone()"
            )
    same_again(lambda: place.value().detach(), "the function")


def same_again(call: Callable[[], Any], what: str) -> None:
    """That a call gives the same again.

    Raises:
        CheckError: where it does not, and where it draws random numbers that it does not seed itself.
    """
    one, other = call().double(), call().double()
    off = (one - other).nan_to_num().abs() if one.shape == other.shape else None
    differs = off is None or (off.numel() and bool((off > _RANDOM * one.nan_to_num().abs().max()).any()))
    if differs or _draws(call):
        raise CheckError(
            f"{what} gives another value when it is called again with the same inputs",
            why="it is random, as dropout is, or keeps a state: nothing can be compared with it",
            suggestion="torch.manual_seed(0) as its first line, or module.eval()",
        )


def _draws(call: Callable[[], Any]) -> bool:
    """Whether a call draws random numbers and leaves the generators elsewhere for another seed."""
    import numpy as np
    import torch

    def states() -> tuple[bytes, bytes]:
        _, keys, position, *_ = np.random.get_state()
        return torch.get_rng_state().numpy().tobytes(), np.append(keys, position).tobytes()

    kept, turns = (torch.get_rng_state(), np.random.get_state()), []
    try:
        for seed in (1, 2):
            torch.default_generator.manual_seed(seed)
            np.random.seed(seed)
            before = states()
            call()
            turns.append((before, states()))
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])
    (first, first_end), (second, second_end) = turns
    return any(a != c and b != d and c != d for a, b, c, d in zip(first, second, first_end, second_end, strict=True))


def places(request: Request, *, alone: bool = False, tried: tuple[str, ...] = ()) -> list[Place]:
    """The example, and points around it at which function and gradient are finite (the function, where no gradient is).

    ``alone`` moves no other input.

    Where the function has no value with the other inputs moved, as one that asks for labels of 0 and 1, what is
    symmetric of them stays so, or entries are shuffled along the last axis, or they stay as they are.
    ``tried`` are the float types to be tried at the example; the request's own where none are given.

    Raises:
        CheckError: when the function fails at the example.
    """
    import torch

    generator = torch.Generator().manual_seed(request.seed)
    found = [_example(request, tried or (request.dtype,), generator)]
    ways = list(product((True, False), (ALONE,) if alone else WAYS))
    for _ in range(1, request.trials):
        for (smooth, way), size in product(tuple(ways), _MOVES):
            place = sound(request, partial(_moved, request, size, generator, way), generator, smooth=smooth)
            if place is not None:
                found.append(place if alone else replace(place, way=way))
                ways = ways[ways.index((smooth, way)) :]  # what failed at every size is not tried again
                break
    return found


def _example(request: Request, dtypes: tuple[str, ...], generator: Any) -> Place:
    for dtype in dtypes:
        try:
            inputs = moved(request.inputs, request.wrt, dtype, None, 0.0)
            return _paired(Place(request.fn, inputs, request.wrt), generator, weighed=request.weighed)
        except CheckError:
            if dtype == dtypes[-1]:
                raise
    raise AssertionError("there is a type to be tried")


def _moved(request: Request, size: float, generator: Any, way: str) -> list[Any]:
    import torch

    inputs = moved(request.inputs, request.wrt, request.dtype, generator, size, alone=way in (SHUFFLED, ALONE))
    kept = {*request.kept, *((request.wrt,) if request.symmetric else ())}
    for k, t in enumerate(inputs):
        is_other = k != request.wrt and is_floating(t)
        if k in kept or (way == SYMMETRIC and is_other and is_symmetric(request.inputs[k])):
            inputs[k] = (t + t.mT) / 2
        elif way == SHUFFLED and is_other and t.ndim:
            inputs[k] = t.index_select(-1, torch.randperm(t.shape[-1], generator=generator))
    return inputs


def sound(request: Request, drawn: Callable[[], list[Any]], generator: Any, *, smooth: bool = True) -> Place | None:
    """The place with these inputs; None where the function is not finite there, or, for ``smooth``, its gradient."""
    import torch

    try:
        place = _paired(Place(request.fn, drawn(), request.wrt), generator, weighed=request.weighed)
        value = place.value()
        slope = of_torch(place).gradient if smooth else None
    except (CheckError, UnsupportedError):
        return None  # the example may lie on the edge of the domain
    sound = bool(torch.isfinite(value).all()) and (slope is None or bool(torch.isfinite(slope).all()))
    return place if sound else None


def _paired(place: Place, generator: Any, *, weighed: bool) -> Place:
    """The place with a cotangent of the value's shape; of one entry it is 1, unless it is to be ``weighed``."""
    import torch

    value = place.value().detach()
    if value.numel() != 1:
        u = torch.randn(value.shape, dtype=torch.float64, generator=generator)
    elif weighed:
        u = 1.5 + torch.rand(value.shape, dtype=torch.float64, generator=generator)
    else:
        u = torch.ones_like(value)
    return replace(place, cotangent=u.to(value.dtype))


def keeping(request: Request, here: Place, claimed: Callable[..., Any]) -> Request:
    """The request with the inputs that have to stay symmetric: those of which ``fn``, or what is claimed, reads half.

    The density of a Gaussian by its mean is asked for with a covariance, of which Cholesky's factor reads one triangle.
    """
    import torch

    both = (here, replace(here, fn=claimed))
    others = [k for k, t in enumerate(here.inputs) if k != request.wrt and isinstance(t, torch.Tensor)]
    read = [k for k in others if any(reads_one_triangle(replace(p, wrt=k)) for p in both)]
    diagonal = [k for k in read if not bool((here.inputs[k] * (1 - torch.eye(here.inputs[k].shape[-1]))).any())]
    return replace(request, kept=tuple(k for k in read if k not in diagonal), halved=tuple(diagonal))
