"""Any function of tensors against what is claimed of its derivative.

Three voices: the claim, torch autograd, and extrapolated differences of the function itself along random directions.
The claim holds where it agrees with the differences; where autograd does not, torch is the odd one out. Where only the
differences stand apart, nothing is decided: a detached part, or a backward of one's own, looks like that. A point at
which the function has a kink counts for nothing and is said. Functions are called in float64, where they take it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from matcalc.checking.examples import gathered, moved
from matcalc.checking.foreign import Foreign, foreign
from matcalc.checking.pairs import Pair, related
from matcalc.checking.testimony import Testimony
from matcalc.checking.torch_side import versions
from matcalc.checking.verdict import Report
from matcalc.checking.voices import DOUBLE, SINGLE, Arithmetic, Place, Votes, measured, votes
from matcalc.errors import CheckError, MatcalcError, UnsupportedError

KINDS = ("grad", "vjp", "jacobian")


@dataclass(frozen=True)
class ByDifferences(Report):
    """A report on a function that has no autograd."""

    def _headline(self) -> str:
        if self.verdict != "verified":
            return super()._headline()
        return f"verified against differences: {self.trials} trials, error {self.max_error:.1e}"


@dataclass(frozen=True)
class Trial:
    """What was seen at one point."""

    number: int
    place: Place
    claimed: Any
    auto: Any | None
    votes: Votes
    value: float
    detached: bool = False

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
        return float((self.claimed - self.auto).abs().max()) / _size(self.auto) if self.auto.numel() else 0.0

    @cached_property
    def truth(self) -> Any | None:
        """Autograd's gradient, or the measured one where autograd has none or errs; None where that is too large."""
        return self.auto if self.auto is not None and self.votes.auto is not False else measured(self.place)

    @property
    def claim_is_auto(self) -> bool:
        """Whether the claim is what autograd gives."""
        if self.auto is None or not self.shapes_agree:
            return False
        room = self.place.arithmetic.room * max(_size(self.claimed), _size(self.auto))
        return not self.auto.numel() or bool((self.claimed - self.auto).abs().max() <= room)

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None where the voices cannot be told apart."""
        if not self.shapes_agree:
            return False
        if self.votes.claim is None:
            return self.claim_is_auto if self.auto is not None else None
        if self.claim_is_auto and not self.votes.claim:
            return None
        return self.votes.claim


@dataclass(frozen=True)
class Claimed:
    """A claimed derivative: a gradient, a vjp, or a Jacobian, as a function of the inputs.

    Attributes:
        function: what is claimed.
        kind: which of them; "" while the function's value has not been seen.
    """

    function: Foreign
    kind: str = ""

    def settled(self, value: Any, inputs: Sequence[Any]) -> Claimed:
        """The same, of the kind that it is where that was not said.

        Raises:
            CheckError: where a gradient is claimed of what is no scalar.
        """
        if self.kind:
            return self
        kind = "grad" if value.numel() == 1 else "vjp"
        if kind == "vjp" and not _takes(self.function.function, len(inputs) + 1):
            raise CheckError(
                f"the function gives a tensor of shape {tuple(value.shape)}, and a gradient is that of a scalar",
                why="of any other a vjp can be claimed, claimed(*inputs, cotangent), or, with kind='jacobian', the "
                "Jacobian, with the value's axes first",
                suggestion="lambda *inputs: fn(*inputs).sum()",
            )
        return replace(self, kind=kind)

    def gradient(self, place: Place) -> Any:
        """The gradient of ⟨u, fn⟩ that the claim implies.

        Raises:
            CheckError: when it fails.
        """
        import torch

        u, x = place.cotangent, place.inputs[place.wrt]
        given = [t.detach().clone() if isinstance(t, torch.Tensor) and t.is_contiguous() else t for t in place.inputs]
        try:
            made = torch.as_tensor(self.function(*given, *((u.clone(),) if self.kind == "vjp" else ())))
        except MatcalcError:
            raise
        except Exception as error:
            raise CheckError(f"the claimed function failed: {type(error).__name__}: {error}") from error
        said = made.detach().to(x.dtype)
        if self.kind == "jacobian" and said.shape == (*u.shape, *x.shape):
            return torch.tensordot(u.reshape(-1), said.reshape(-1, *x.shape), dims=1)
        return said * u.reshape(()) if self.kind == "grad" else said


@dataclass(frozen=True)
class Request:
    """What :func:`verify` is asked: a function, what is claimed, at which inputs, and how thoroughly."""

    fn: Foreign
    inputs: Sequence[Any]
    wrt: int
    trials: int
    seed: int
    arithmetic: Arithmetic = DOUBLE
    claim: Claimed | None = field(default=None)


def verify(
    fn: Callable[..., Any],
    claimed: Callable[..., Any],
    example_inputs: Any,
    wrt: int = 0,
    trials: int = 5,
    seed: int = 0,
    kind: str = "",
) -> Report:
    """Compares a claim with autograd and differences of ``fn`` at the example and at points around it.

    Raises:
        CheckError: when either function fails.
        UnsupportedError: for another kind, and for complex inputs.
    """
    if kind and kind not in KINDS:
        raise UnsupportedError(f"no claims are verified of a {kind!r}", why=f"kind is {', '.join(KINDS)}")
    request = asked(fn, example_inputs, wrt, trials, seed)
    claim = foreign(claimed)
    found: list[Trial] = []
    claims = Claimed(claim, kind)
    for number, place in enumerate(places(request)):
        claims = claims.settled(place.value(), place.inputs)
        found.append(looked(request, place, claims.gradient(place), number))
    return claim.settled(without_kinks(request, found))


def without_kinks(request: Request, trials: Sequence[Trial]) -> Report:
    """The report of the trials that are at no kink; the others are said."""
    there = [t for t in trials if t.votes.kink]
    says = {True: ", where the claim is what torch says", False: "", None: ""}
    discarded = tuple(f"trial {t.number}: the function has a kink there{says[t.holds]}" for t in there)
    return report(request, [t for t in trials if not t.votes.kink], discarded)


def asked(fn: Callable[..., Any], example_inputs: Any, wrt: int, trials: int, seed: int) -> Request:
    """The request, in the arithmetic that the function takes.

    Raises:
        CheckError: for no trials, an input that is not there, and a function that fails at the example.
    """
    if trials < 1:
        raise CheckError("a check needs at least one trial")
    inputs = gathered(example_inputs)
    if type(wrt) is not int or not 0 <= wrt < len(inputs):
        raise CheckError(f"there is no input {wrt}: there are {len(inputs)}, counted from 0")
    called = foreign(fn)
    for arithmetic in (DOUBLE, SINGLE):
        request = Request(called, inputs, wrt, trials, seed, arithmetic)
        try:
            Place(called, moved(inputs, wrt, arithmetic.dtype, None, 0.0), wrt, arithmetic).value()
        except CheckError:
            narrow = any(str(getattr(t, "dtype", "")) in ("torch.float32", "torch.bfloat16") for t in inputs)
            if arithmetic is SINGLE or not narrow:
                raise
        else:
            break
    return request


def places(request: Request) -> list[Place]:
    """The example, and points around it at which the function is finite."""
    import torch

    generator = torch.Generator().manual_seed(request.seed)
    found = []
    for number in range(request.trials):
        for size in (0.1, 0.01, 0.001) if number else (0.0,):
            inputs = moved(request.inputs, request.wrt, request.arithmetic.dtype, generator, size)
            place = Place(request.fn, inputs, request.wrt, request.arithmetic)
            try:
                value = place.value().detach()
            except CheckError:
                if size in (0.0, 0.001):
                    raise
                continue
            if bool(torch.isfinite(value).all()):
                break
        u = (
            torch.ones_like(value)
            if value.numel() == 1
            else torch.randn(value.shape, dtype=torch.float64, generator=generator)
        )
        found.append(replace(place, cotangent=u.to(value.dtype)))
    return found


def looked(request: Request, place: Place, claimed: Any, number: int) -> Trial:
    """The voices at one place."""
    import torch

    generator = torch.Generator().manual_seed(request.seed + 101 * (number + 1))
    auto = None if request.fn.library not in ("", "torch") else place.autograd()
    detached = request.fn.library in ("", "torch") and auto is None
    auto = torch.zeros_like(place.inputs[place.wrt]) if detached else auto
    same = claimed.shape == place.inputs[place.wrt].shape
    said = votes(place, claimed, auto, generator) if same else Votes(None, None)
    value = place.value().detach()
    return Trial(number, place, claimed, auto, said, float(value) if value.numel() == 1 else 0.0, detached)


def report(request: Request, trials: list[Trial], discarded: tuple[str, ...] = ()) -> Report:
    """The verdict of all trials."""
    errors = [t.error for t in trials]
    common: dict[str, Any] = {
        "trials": len(trials), "devices": ("cpu",), "dtypes": (request.arithmetic.dtype,), "seed": request.seed,
        "max_error": max(errors, key=lambda e: e if e == e else float("inf"), default=None),
        "versions": versions(), "claimed": True, "witnesses": _said(request, trials), "discarded": discarded,
        "testimonies": _testimonies(request, trials),
    }  # fmt: skip
    reason = _undecided(request, trials, discarded)
    if reason:
        return Report("inconclusive", reason=reason, **common)
    bad = next((t for t in trials if not t.holds), None)
    if bad is None:
        torch_agrees = all(t.claim_is_auto for t in trials) or request.fn.library not in ("", "torch")
        odd = "" if torch_agrees else "torch autograd"
        kind = ByDifferences if any(t.auto is None for t in trials) else Report
        return kind("verified", smallest_visible=request.arithmetic.room, odd_one_out=odd, **common)
    return Report("refuted", counterexample=example(request, bad), diagnosis=_diagnosis(trials), **common)


def _testimonies(request: Request, trials: list[Trial]) -> tuple[Testimony, ...]:
    """What torch autograd and differences of the function say of the claim."""
    count = f"{len(trials)} trial{'s' * (len(trials) != 1)}"
    told = [t.votes.claim for t in trials if t.votes.claim is not None]
    dtype = request.arithmetic.dtype
    slopes = f"extrapolated differences of the function in {dtype}, in {len(told)} of {count}"
    found = [Testimony("differences", all(told) if told else None, slopes)]
    seen = [t for t in trials if t.auto is not None]
    if seen:
        worst = max((t.error if t.error == t.error else float("inf") for t in seen), default=0.0)
        agrees = all(t.claim_is_auto for t in seen)
        says = f"torch reverse mode, off by at most {worst:.1e} in {count}"
        found.insert(0, Testimony("autograd", agrees, says, worst, request.arithmetic.room))
    return tuple(found)


def _undecided(request: Request, trials: list[Trial], discarded: tuple[str, ...]) -> str:
    """Why nothing can be decided, or ""."""
    import torch

    if not trials:
        return f"no point counts: {discarded[0].split(': ', 1)[1]}"
    if all(t.detached for t in trials) and any(t.votes.claim and not t.claim_is_auto for t in trials):
        return "the function's result has no gradient: was it detached, or made a Python number by .item()?"
    for t in trials:
        if t.auto is not None and not bool(torch.isfinite(t.auto).all()):
            return f"autograd's gradient is not finite in trial {t.number}"
        if t.holds is None and t.auto is None:
            return f"differences of the function do not settle in trial {t.number}, and it has no autograd"
        if t.holds is None:
            reason = f"autograd and the claim agree, differences of the function do not, in trial {t.number}"
            return f"{reason}: a detached part, or a kink?"
    return ""


def example(request: Request, t: Trial) -> dict[str, Any]:
    """The point, and both gradients there."""
    import torch

    where = [x.tolist() if isinstance(x, torch.Tensor) else x for x in t.place.inputs]
    seen: dict[str, Any] = {"trial": t.number, "seed": request.seed, "wrt": request.wrt, "inputs": where}
    plain = [k for k, x in enumerate(t.place.inputs) if not isinstance(x, torch.Tensor)]
    seen |= {"plain": plain} if plain else {}
    if t.place.cotangent.numel() != 1:
        seen["cotangent"] = t.place.cotangent.tolist()
    expected = "what differences of the function say" if t.truth is None else t.truth.tolist()
    return {**seen, "claimed": t.claimed.tolist(), "expected": expected}


def _diagnosis(trials: list[Trial]) -> str:
    seen = [t for t in trials if t.truth is not None and bool(t.claimed.any() or t.truth.any())]
    pairs = [Pair(matrix_of(t.claimed), matrix_of(t.truth), t.value) for t in seen]
    if not pairs:
        return "it disagrees with differences of the function"
    if any(p.claimed.size == p.truth.size and not t.shapes_agree for p, t in zip(pairs, seen, strict=True)):
        same = all(p.claimed.shape == p.truth.shape for p in pairs)
        if same:
            return "shape: the claim has the name's entries, but another number of axes"
    return related(pairs).replace("the name is", "the input is")


def _said(request: Request, trials: list[Trial]) -> tuple[str, ...]:
    told = [t for t in trials if t.votes.claim is not None]
    odd = [t for t in told if t.votes.claim and t.auto is not None and not t.claim_is_auto]
    kind = request.arithmetic.dtype
    lines = [f"differences of the function in {kind} could tell in {len(told)} of {len(trials)} trials"]
    if kind == "float32":
        lines.append("the function takes no float64, so that errors below a few thousandths are not seen")
    if odd:
        lines.append(f"torch autograd disagrees in {len(odd)} of {len(trials)} trials")
    return tuple(lines)


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments; yes where it does not say."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def matrix_of(tensor: Any) -> Any:
    """A tensor as a float64 matrix, a column where it has fewer axes."""
    array = tensor.detach().double().cpu().numpy()
    return array.reshape(-1, 1) if array.ndim < 2 else array.reshape(array.shape[0], -1)


def _size(tensor: Any) -> float:
    return (float(tensor.double().abs().max()) if tensor.numel() else 0.0) or 1.0
