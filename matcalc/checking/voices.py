"""What a function of tensors itself says of its derivative: by autograd, and by differences along directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.checking.slopes import slope
from matcalc.errors import CheckError, MatcalcError

_DIRECTIONS = 3
_MOST_MEASURED = 64
_KINK = 1e-6
_SETTLED = 0.3


@dataclass(frozen=True)
class Arithmetic:
    """In which type a function is called, and what can be told in it."""

    dtype: str
    room: float
    trusted: float
    near: tuple[float, float]


DOUBLE = Arithmetic("float64", 1e-7, 1e-4, (1e-4, 1e-5))
SINGLE = Arithmetic("float32", 2e-3, 2e-2, (1e-2, 1e-3))


@dataclass(frozen=True)
class Place:
    """A function, the inputs at which it is looked at, and by which input.

    Attributes:
        fn: from tensors to a tensor.
        inputs: what it is called with.
        wrt: by which of them.
        cotangent: of the value's shape.
    """

    fn: Callable[..., Any]
    inputs: Sequence[Any]
    wrt: int
    arithmetic: Arithmetic = DOUBLE
    cotangent: Any = field(default=None)

    def value(self, x: Any | None = None) -> Any:
        """The function's value, with ``x`` for the input that moves.

        Raises:
            CheckError: when it fails.
        """
        import torch

        inputs = list(self.inputs)
        if x is not None:
            inputs[self.wrt] = x
        try:
            return torch.as_tensor(self.fn(*inputs))
        except MatcalcError:
            raise
        except Exception as error:
            raise CheckError(f"the function failed: {type(error).__name__}: {error}") from error

    def paired(self, x: Any) -> Any:
        """⟨u, fn⟩ at ``x``."""
        return (self.value(x) * self.cotangent).sum()

    def autograd(self) -> Any | None:
        """The gradient of ⟨u, fn⟩ by autograd; None where the value has no graph."""
        import torch

        x = self.inputs[self.wrt].detach().requires_grad_(True)
        paired = self.paired(x)
        if not paired.requires_grad:
            return None
        (found,) = torch.autograd.grad(paired, x, allow_unused=True)
        return torch.zeros_like(x) if found is None else found.detach()

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
    """

    claim: bool | None
    auto: bool | None
    kink: bool = False
    error: float = 0.0


def votes(place: Place, claim: Any, auto: Any | None, generator: Any) -> Votes:
    """The gradients against differences along random directions."""
    import torch

    x = place.inputs[place.wrt]
    scale = float(x.abs().double().mean()) if x.numel() else 1.0
    claim_agrees, auto_agrees, worst = True, auto is not None, 0.0
    for _ in range(_DIRECTIONS):
        d = torch.randn(x.shape, dtype=torch.float64, generator=generator).to(x.dtype) * (scale or 1.0)
        along = place.along(d)
        found = slope(along, 0.02)
        sizes = [float((g.abs() * d.abs()).sum()) for g in (claim, auto) if g is not None]
        size = max([*sizes, abs(found.value) if found.error < float("inf") else 0.0])
        if _is_kink(along, place.arithmetic, size):
            return Votes(None, None, kink=True)
        if not found.error <= place.arithmetic.trusted * (size or 1.0):
            return Votes(None, None)
        room = 10 * found.error + place.arithmetic.room * size
        off = abs(float((claim * d).sum()) - found.value)
        claim_agrees, worst = claim_agrees and off <= room, max(worst, off / (size or 1.0))
        auto_agrees = auto_agrees and auto is not None and abs(float((auto * d).sum()) - found.value) <= room
    return Votes(claim_agrees, auto_agrees if auto is not None else None, error=worst)


def measured(place: Place) -> Any | None:
    """The gradient by differences, entry by entry; None where there are too many."""
    import torch

    x = place.inputs[place.wrt]
    if x.numel() > _MOST_MEASURED:
        return None
    units = torch.eye(x.numel(), dtype=x.dtype).reshape(x.numel(), *x.shape)
    scale = float(x.abs().double().mean()) if x.numel() else 1.0
    found = [slope(place.along(unit), 0.02 * (scale or 1.0)).value for unit in units]
    return torch.tensor(found, dtype=x.dtype).reshape(x.shape)


def _is_kink(along: Callable[[float], float], arithmetic: Arithmetic, size: float) -> bool:
    """Whether the slopes to both sides differ, as they do not where the difference shrinks with the step."""
    here = along(0.0)
    gaps = [abs(along(h) - 2 * here + along(-h)) / h for h in arithmetic.near]
    rounding = 8 * _unit(arithmetic) * max(abs(here), abs(along(arithmetic.near[0]))) / arithmetic.near[1]
    return gaps[1] > max(_KINK * size, 10 * rounding) and gaps[1] > _SETTLED * gaps[0]


def _unit(arithmetic: Arithmetic) -> float:
    return 2.0**-53 if arithmetic.dtype == "float64" else 2.0**-24
