"""A function of tensors and a claim at one point: what is asked, and what was seen there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from matcalc.checking.examples import is_floating
from matcalc.checking.foreign import Foreign
from matcalc.checking.margins import Margin, Told, is_watchable, margin
from matcalc.checking.tolerance import DOUBT, is_watched
from matcalc.checking.voices import Place, UnderivableError, Votes, measured, votes

DOUBLE, SINGLE = "float64", "float32"
MOVED, SYMMETRIC, SHUFFLED, ALONE = "moved", "kept symmetric", "shuffled", "left as they are"
WAYS = (MOVED, SYMMETRIC, SHUFFLED, ALONE)
"""What is done to the inputs by which nothing is differentiated, in the order in which it is tried."""


@dataclass(frozen=True)
class Request:
    """What is asked of any function: by which of which inputs, and how thoroughly.

    Attributes:
        symmetric: whether the function reads one triangle of the input ``wrt``, which is symmetric.
        kept: the other inputs that are symmetric and of which it, or the claim, reads one triangle.
        halved: those that are diagonal, and may be symmetric or triangular: they are not kept so.
        single: what takes float32 alone: "function", or "claim".
        weighed: whether the cotangent of a value of one entry is another than 1, as for a vjp.
    """

    fn: Foreign
    inputs: Sequence[Any]
    wrt: int
    trials: int
    seed: int
    dtype: str = DOUBLE
    symmetric: bool = False
    kept: tuple[int, ...] = ()
    halved: tuple[int, ...] = ()
    single: str = "function"
    weighed: bool = False

    @property
    def narrow(self) -> list[int]:
        """The inputs that were given as floats narrower than float64."""
        import torch

        return [k for k, t in enumerate(self.inputs) if is_floating(t) and t.dtype != torch.float64]


@dataclass(frozen=True)
class Trial:
    """What was seen at one point.

    Attributes:
        number, place: which point it is.
        claimed, auto: the claim's gradient and autograd's; None where torch has none.
        votes: what differences say of both.
        value: the function's, where it is a number.
        margin: what rounding explains of the distance of claim and autograd; None where they have other shapes.
        detached: whether the function's result has no gradient at all.
        in_torch: whether a detached result was computed by torch: a stopped gradient, and no way through NumPy.
        underivable: why torch has no gradient of a function that it computes, or "".
    """

    number: int
    place: Place
    claimed: Any
    auto: Any | None
    votes: Votes
    value: float
    margin: Margin | None = None
    detached: bool = False
    in_torch: bool = False
    underivable: str = ""

    @property
    def shapes_agree(self) -> bool:
        """Whether the claim has the input's shape."""
        return bool(self.claimed.shape == self.place.inputs[self.place.wrt].shape)

    @property
    def error(self) -> float:
        """The distance of claim and autograd, relative to the gradient's size; of differences where there is none."""
        if not self.shapes_agree:
            return float("inf")
        if self.auto is None:
            return self.votes.error
        off = float((self.claimed - self.auto).abs().max()) / size_of(self.auto) if self.auto.numel() else 0.0
        return off if off == off else float("inf")

    @property
    def largest(self) -> float:
        """The largest entry of the gradient, by the claim or by autograd."""
        sizes = [float(g.double().abs().max()) for g in (self.claimed, self.auto) if g is not None and g.numel()]
        return max([size for size in sizes if size < float("inf")], default=0.0)

    @property
    def blur(self) -> float:
        """The smallest error in an entry that would have been seen."""
        if self.margin is None:
            return 0.0
        if self.auto is None or (self.votes.claim and not self.claim_is_auto):
            return self.votes.visible
        lost = self.margin.lost * self.largest if self.margin.blind and self.votes.claim is None else 0.0
        return max(lost, self.margin.widest)

    def visible(self, usual: float = 0.0) -> float:
        """The smallest visible error relative to the gradient's largest entry, or to a usual one where that is larger.

        What is zero here, at a minimum say, is compared with what the gradient is around it.
        """
        size = max(self.largest, usual)
        return self.blur / size if size else 0.0

    @cached_property
    def truth(self) -> Any | None:
        """Autograd's gradient, or the measured one where autograd has none or errs; None where that is too large."""
        return self.auto if self.auto is not None and self.votes.auto is not False else measured(self.place)

    @cached_property
    def claim_is_auto(self) -> bool | None:
        """Whether the claim is what autograd gives; None where it nearly is."""
        if self.auto is None or self.margin is None:
            return False
        return self.margin.agree(self.claimed, self.auto)

    @property
    def overshadowed(self) -> str:
        """In words, an entry in which claim and autograd differ, small beside the largest; or ""."""
        if self.auto is None or self.margin is None:
            return ""
        at = self.margin.overshadowed(self.claimed, self.auto)
        if at is None:
            return ""
        said, auto = float(self.claimed[at]), float(self.auto[at])
        return f"entry {list(at)} is {said:.8g} in the claim and {auto:.8g} in autograd"

    @property
    def auto_is_finite(self) -> bool:
        """Whether autograd gives numbers, if it gives anything."""
        import torch

        return self.auto is None or bool(torch.isfinite(self.auto).all())

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None where the voices cannot be told apart."""
        if not self.shapes_agree:
            return False
        if self.detached and self.in_torch and self.claim_is_auto and self.votes.claim is False:
            return None
        if self.auto is None or not self.auto_is_finite or self.detached:
            return self.votes.claim
        if self.claim_is_auto:
            return None if self.votes.claim is False else True
        if self.claim_is_auto is None or (self.votes.claim and self.votes.auto):
            return None
        if self.votes.claim is None:
            return None if self.votes.auto is False else False
        return self.votes.claim


def size_of(tensor: Any) -> float:
    """The largest absolute entry, and 1 where there is none but zero.

    >>> import torch
    >>> size_of(torch.tensor([-3.0, 2.0])), size_of(torch.zeros(2))
    (3.0, 1.0)
    """
    return (float(tensor.double().abs().max()) if tensor.numel() else 0.0) or 1.0


@dataclass(frozen=True)
class OfTorch:
    """What torch knows of a function's gradient at a place.

    Attributes:
        gradient: of the place's value; None where torch has none.
        detached: whether the value has no graph, which counts as a gradient of zero.
        fails: why torch has none of what it computes, or "".
    """

    gradient: Any | None = None
    detached: bool = False
    fails: str = ""


def of_torch(place: Place) -> OfTorch:
    """Torch's gradient at a place.

    >>> import torch
    >>> of_torch(Place(lambda x: x.detach() @ x.detach(), [torch.ones(2)], 0, torch.ones(())))
    OfTorch(gradient=tensor([0., 0.]), detached=True, fails='')
    """
    import torch

    if not is_watchable(place.fn):
        return OfTorch()
    try:
        found = place.autograd()
    except UnderivableError as error:
        return OfTorch(fails=str(error))
    return OfTorch(torch.zeros_like(place.inputs[place.wrt]) if found is None else found, detached=found is None)


def looked(request: Request, place: Place, told: Told, number: int) -> Trial:
    """The voices at one place.

    Of a function that reads one triangle, as Cholesky's does, torch gives the gradient along symmetric directions.
    Where claim and autograd agree, and differences put both off by less than 1e-8, a function of torch's is that
    inexact.
    """
    import torch

    seed = request.seed + 101 * (number + 1)
    torchs = of_torch(place)
    auto, detached = torchs.gradient, torchs.detached
    here = place.value().detach()
    in_torch = detached and is_watched(lambda **named: place.at(named).value(), place.named)
    size = float(here) if here.numel() == 1 else 0.0
    trial = Trial(
        number, place, told.said, auto, Votes(None, None), size,
        detached=detached, in_torch=in_torch, underivable=torchs.fails,
    )  # fmt: skip
    if not trial.shapes_agree:
        return trial
    other = None if auto is None else Told(Place.slope, auto, request.fn)
    room = margin(place, told, other, seed)
    if not bool(torch.isfinite(told.said).all()):
        nothing = auto is not None and not bool(torch.isfinite(auto).all())
        kink = nothing or (auto is not None and votes(place, auto, None, room, seed).kink)
        return replace(trial, margin=room, votes=Votes(None, None, kink=True) if kink else Votes(False, None))
    said = votes(place, told.said, auto, room, seed)
    if request.symmetric and said.claim is False and not said.auto:
        turned = votes(place, told.said, auto, room, seed, symmetric=True)
        bent = auto is None and room.agree(told.said, told.said.mT) is not True  # what they do not tell
        said = replace(turned, claim=None) if bent and turned.claim else turned
    inexact = said.claim is False and said.error <= DOUBT and auto is not None and room.agree(told.said, auto)
    return replace(trial, margin=room, votes=replace(said, claim=True, auto=True) if inexact else said)
