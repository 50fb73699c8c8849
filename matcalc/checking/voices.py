"""What a function of tensors itself says of its derivative: by autograd, and by differences along directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from matcalc.checking.examples import DENSE, is_symmetric, kind_of, stored_like
from matcalc.checking.margins import Margin, array_of, noise_of
from matcalc.checking.slopes import Slope, confirmed, slope
from matcalc.checking.tolerance import BLIND, DOUBT, UNIT
from matcalc.errors import CheckError, MatcalcError, UnsupportedError

_DIRECTIONS = 3
"""An error is nearly orthogonal to a random direction now and then; hardly to three of them."""
_MOST_MEASURED = 64
"""Entries of which each is measured by itself, which takes several calls of the function."""
_STEP = 0.02
"""The first step of a difference, of the input's own size; extrapolation shrinks it."""
_NEAR = (1e-4, 1e-5, 1e-6)
_NEAR_SINGLE = (1e-2, 1e-3, 1e-4)
"""Steps at which the slopes to both sides are compared: as small as float64, or float32, allows."""
_SURELY = 10.0
_KINK = 1e-6
_SETTLED = 0.3
_LASTS = 0.5
"""At a kink the slopes to both sides differ by more than 10 times what rounding does, and than 1e-6 of them; by as
much, within these shares, for a step that is ten times smaller."""
_SLOPE = 0.03
"""A slope that is not known to 3% tells nothing."""
_NUDGES = (1e-3, 1e-6, 1e-9, 1e-12)
_FAR = (0.1, 1.0, 10.0, 30.0)
_TOWARDS_ZERO = (0.5, 0.9, 0.99, 1.0)
"""How far an input is moved to see whether anything changes: past usual thresholds, and to zero."""
_STOPS = frozenset(("detach", "detach_", "data", "item", "tolist", "numpy", "__array__", "__float__", "__int__"))
_UNSETTLED = Slope(0.0, float("inf"))


class UnderivableError(CheckError):
    """A function that torch evaluates and cannot differentiate."""


@dataclass(frozen=True)
class Place:
    """A function, the inputs at which it is looked at, and by which input.

    Attributes:
        fn: from tensors to a tensor.
        inputs: what it is called with.
        wrt: by which of them.
        cotangent: of the value's shape.
        way: what was done to the other inputs to come here.
    """

    fn: Callable[..., Any]
    inputs: Sequence[Any]
    wrt: int
    cotangent: Any = field(default=None)
    way: str = ""

    @property
    def unit(self) -> float:
        """The unit roundoff of the inputs."""
        import torch

        return float(torch.finfo(self.inputs[self.wrt].dtype).eps) / 2

    @property
    def scale(self) -> float:
        """The size of the input that moves; 1 where it is zero."""
        x = self.inputs[self.wrt]
        return (float(x.abs().double().mean()) if x.numel() else 1.0) or 1.0

    @property
    def named(self) -> dict[str, Any]:
        """The inputs by their numbers, and the cotangent."""
        return {**{str(k): t for k, t in enumerate(self.inputs)}, "u": self.cotangent}

    def at(self, named: Mapping[str, Any]) -> Place:
        """The same with other values of these names, which lie in memory as the inputs do."""
        import torch

        pairs = ((named[str(k)], t) for k, t in enumerate(self.inputs))
        inputs = [stored_like(moved, t) if isinstance(t, torch.Tensor) else t for moved, t in pairs]
        return replace(self, inputs=inputs, cotangent=named["u"].clone())

    def moved(self, step: Any) -> Place:
        """The same with the input moved."""
        x = self.inputs[self.wrt].detach()
        return replace(self, inputs=[x + step if k == self.wrt else t for k, t in enumerate(self.inputs)])

    def direction(self, generator: Any, symmetric: bool) -> Any:
        """A random direction of the input's size."""
        import torch

        x = self.inputs[self.wrt]
        d = torch.randn(x.shape, dtype=torch.float64, generator=generator).to(x.dtype) * self.scale
        return (d + d.mT) / 2 if symmetric else d

    def value(self, x: Any | None = None) -> Any:
        """The function's value, with ``x`` for the input that moves.

        Raises:
            CheckError: when it fails.
            UnsupportedError: for a value that is complex, or no dense tensor.
        """
        import torch

        inputs = list(self.inputs)
        if x is not None:
            inputs[self.wrt] = x
        try:
            made = torch.as_tensor(self.fn(*inputs))
        except MatcalcError:
            raise
        except (Exception, SystemExit) as error:
            raise CheckError(f"the function failed: {type(error).__name__}: {error}") from error
        if made.is_meta:
            raise CheckError("the function returns a meta tensor", why="a meta tensor holds no numbers")
        if made.is_complex():
            why = "a gradient is that of a real number: take .real, .abs(), or torch.view_as_real(...)"
            raise UnsupportedError("the function returns complex numbers", why=why)
        if (kind := kind_of(made)) != DENSE:
            raise UnsupportedError(f"the function returns a {kind} tensor", why="values are dense tensors of numbers")
        return made

    def paired(self, x: Any) -> Any:
        """⟨u, fn⟩ at ``x``."""
        return (self.value(x) * self.cotangent).sum()

    def autograd(self) -> Any | None:
        """The gradient of ⟨u, fn⟩ by autograd; None where the value has no graph.

        Raises:
            UnderivableError: where torch has a value, and no derivative.
        """
        import torch

        x = self.inputs[self.wrt].detach().requires_grad_(True)
        paired = self.paired(x)
        if not paired.requires_grad:
            return None
        try:
            (found,) = torch.autograd.grad(paired, x, allow_unused=True)
        except Exception as error:
            line = (str(error).splitlines() or [""])[0][:120]
            raise UnderivableError(f"torch has no gradient of the function: {type(error).__name__}: {line}") from error
        return torch.zeros_like(x) if found is None else found.detach()

    def slope(self) -> Any:
        """The gradient by autograd, zero where the value has no graph.

        Raises:
            UnderivableError: where torch has a value, and no derivative.
        """
        import torch

        found = self.autograd()
        return torch.zeros_like(self.inputs[self.wrt]) if found is None else found

    def along(self, direction: Any) -> Callable[[float], float]:
        """⟨u, fn⟩ as a function of how far the input moves."""
        import torch

        x = self.inputs[self.wrt].detach()

        def moved(t: float) -> float:
            with torch.no_grad():
                return float(self.paired(x + t * direction))

        return moved


@dataclass(frozen=True)
class Votes:
    """Whether gradients agree with differences; None where these cannot tell.

    Attributes:
        claim, auto: the claim, and autograd.
        kink: whether the function has a kink there.
        error: the largest distance of claim and differences, relative to what is summed.
        visible: the smallest error in one entry that they would show; zero of a value that does not change at all.
        settled: whether the differences are slopes at all, be they too coarse to call a gradient right.
        symmetric: whether they are those along symmetric directions.
    """

    claim: bool | None
    auto: bool | None
    kink: bool = False
    error: float = 0.0
    visible: float = 0.0
    symmetric: bool = False
    settled: bool = False


def votes(place: Place, claim: Any, auto: Any | None, margin: Margin, seed: int, *, symmetric: bool = False) -> Votes:
    """The gradients against differences along random directions, be they symmetric ones."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    given = [g for g in (claim, auto) if g is not None]
    told: list[list[bool | None]] = [[] for _ in given]
    noise = None
    worst, visible = 0.0, 0.0
    for _ in range(_DIRECTIONS):
        d = place.direction(generator, symmetric)
        try:
            noise = noise or max(noise_of(place, seed), noise_of(place.moved(_STEP * d), seed))
            ballot = _Ballot(place, d, given, noise, margin)
            kink, settles = ballot.is_kink, ballot.settles
        except (CheckError, UnsupportedError):  # a step leaves the domain of a function that raises there
            return Votes(None, None)
        if kink or not settles:
            return Votes(None, None, kink=kink)
        for each, g in zip(told, given, strict=True):
            each.append(ballot.agrees(g))
        worst, visible = max(worst, ballot.off(claim) / (ballot.size or 1.0)), max(visible, ballot.visible(claim))
    said = [_together(each) for each in told]
    about_auto = said[1] if auto is not None else None
    return Votes(said[0], about_auto, error=worst, visible=visible, symmetric=symmetric, settled=True)


def _together(ballots: Sequence[bool | None]) -> bool | None:
    return False if False in ballots else None if None in ballots else True


class _Ballot:
    """Gradients against the slope along one direction.

    Attributes:
        size: of what is summed; of the function's value where that is nothing.
        error: how far off the slope may be.
        margin: how far off it a right gradient may be.
        scale: of an entry to a slope; zero where nothing changes.
    """

    def __init__(self, place: Place, d: Any, gradients: Sequence[Any], noise: float, margin: Margin) -> None:
        self.direction, self.noise, self.along = d, noise, place.along(d)
        self.found = confirmed(self.along, noise) or _UNSETTLED
        summed = [float((g.abs() * d.abs()).double().sum()) for g in gradients]
        slope_size = abs(self.found.value) if self.found.error < float("inf") else 0.0
        here = self.along(0.0)
        self.size = max([s for s in summed if s < float("inf")], default=0.0)
        self.size = max(self.size, slope_size) if self.size else max(slope_size, abs(here))
        self.error = self.found.error
        weights = array_of(d.abs())
        self.margin = self.error + float((margin.allowed * weights).sum())
        is_flat = self.found.value == self.found.error - 2 * noise / self.found.step == 0.0 and not any(summed)
        self.scale = 0.0 if is_flat else 1 / place.scale
        self.near = _NEAR_SINGLE if margin.unit > UNIT else _NEAR

    @property
    def is_kink(self) -> bool:
        """Whether the slopes to both sides differ by as much for each step: it shrinks where there is none.

        Across a pole it grows.
        """
        here = self.along(0.0)
        far, near, nearest = (abs(self.along(h) - 2 * here + self.along(-h)) / h for h in self.near)
        rounding = [_SURELY * self.noise / h for h in self.near]
        lasts = abs(nearest - near) <= _LASTS * near + rounding[2]
        return near > max(_KINK * self.size, rounding[1]) and _SETTLED * far < near < 2 * far and lasts

    @property
    def settles(self) -> bool:
        """Whether the slope is one at all."""
        return self.error <= _SLOPE * (self.size or 1.0)

    def off(self, gradient: Any) -> float:
        """How far a gradient is from the slope."""
        return abs(float((gradient * self.direction).sum()) - self.found.value)

    def visible(self, gradient: Any) -> float:
        """The smallest error in one entry that would show."""
        off = self.off(gradient)
        return max(self.margin, off if off <= DOUBT * self.size else 0.0) * self.scale

    def agrees(self, gradient: Any) -> bool | None:
        """Whether a gradient is right along the direction; None where it may be, and the slope is too coarse."""
        if not self.off(gradient) <= self.margin:
            return False
        return True if self.margin <= BLIND * (self.size or 1.0) else None


def measured(place: Place) -> Any | None:
    """The gradient by differences, entry by entry; None where there are too many, or they settle on nothing."""
    import torch

    x = place.inputs[place.wrt]
    if x.numel() > _MOST_MEASURED:
        return None
    units = torch.eye(x.numel(), dtype=x.dtype).reshape(x.numel(), *x.shape)
    try:
        found = [slope(place.along(unit), _STEP * place.scale) for unit in units]
    except (CheckError, UnsupportedError):  # a step leaves the domain
        return None
    if not all(one.error < float("inf") for one in found):
        return None
    return torch.tensor([one.value for one in found], dtype=x.dtype).reshape(x.shape)


def reads_one_triangle(place: Place) -> bool:
    """Whether the function takes its input to be symmetric, as it is, and leaves one of its triangles alone.

    >>> import torch
    >>> eye = torch.eye(2, dtype=torch.float64)
    >>> [reads_one_triangle(Place(fn, [eye], 0)) for fn in (torch.linalg.cholesky, torch.linalg.det)]
    [True, False]
    """
    import torch

    x = place.inputs[place.wrt]
    if not is_symmetric(x):
        return False
    noise = torch.linspace(1.0, 2.0, x.numel(), dtype=x.dtype).reshape(x.shape)
    for nudge in _NUDGES:  # a matrix that is nearly singular is definite within a small one alone
        moved = noise * (nudge * place.scale)
        try:
            here, above, below = (place.value(x + part).detach() for part in (0 * x, moved.triu(1), moved.tril(-1)))
        except (CheckError, UnsupportedError):
            continue
        if bool(torch.isfinite(above + below).all()):
            return torch.equal(here, above) != torch.equal(here, below)
    return False


def may_hide(place: Place) -> bool:
    """Whether autograd may give another gradient than the function's: a backward of somebody's own, or a detached part.

    >>> import torch
    >>> x = torch.ones(2, dtype=torch.float64)
    >>> [may_hide(Place(fn, [x], 0, torch.ones(()))) for fn in (lambda x: x @ x, lambda x: x @ x.detach())]
    [False, True]
    """
    from torch.autograd.function import BackwardCFunction

    x = place.inputs[place.wrt].detach().requires_grad_(True)
    try:
        with _watch()() as seen:
            paired = place.paired(x)
    except CheckError:  # what it does is not seen
        return True
    found, nodes = set(), [paired.grad_fn]
    while nodes:
        node = nodes.pop()
        if isinstance(node, BackwardCFunction):
            return True
        if node is not None and node not in found:
            found.add(node)
            nodes += [inner for inner, _ in node.next_functions]
    return bool(seen.stops)


@cache
def _watch() -> type[Any]:
    """The mode that sees calls of torch by which a gradient ends, but for those that torch makes by itself."""
    import torch
    from torch.overrides import TorchFunctionMode

    mode: Any = TorchFunctionMode

    class Watch(mode):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.stops = False

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = func.__name__
            name = getattr(func.__self__, "__name__", name) if name == "__get__" else name
            self.stops = self.stops or name in _STOPS or not torch.is_grad_enabled()
            return func(*args, **(kwargs or {}))

    return Watch


def is_constant(place: Place) -> bool:
    """Whether the function's value stays the same however its input moves, far away and towards zero.

    >>> import torch
    >>> [is_constant(Place(fn, [torch.ones(2)], 0)) for fn in (torch.ones_like, torch.sign)]
    [True, False]
    """
    import torch

    generator, here, same = torch.Generator().manual_seed(1), place.value().detach(), []
    x = place.inputs[place.wrt].detach()
    steps = [size * place.direction(generator, symmetric=False) for size in _FAR]
    for step in (*steps, *(-part * x for part in _TOWARDS_ZERO)):
        try:
            same.append(torch.equal(here, place.moved(step).value().detach()))
        except (CheckError, UnsupportedError):
            continue
    return bool(same) and all(same)
