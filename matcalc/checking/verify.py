"""Any function of tensors against what is claimed of its derivative.

Three voices: the claim, torch autograd, and extrapolated differences of the function itself along random directions.
The claim holds where it agrees with the differences; where autograd does not, torch is the odd one out. Where only the
differences stand apart, nothing is decided: a detached part, or a backward of one's own, looks like that. What rounding
explains is measured (see :mod:`matcalc.checking.margins`). A point at which the function has a kink counts for nothing
and is said. Functions are called in float64, where they take it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.diagnosis.table import NOTHING
from matcalc.checking.examples import form_of, gathered, moved
from matcalc.checking.foreign import Foreign, foreign
from matcalc.checking.margins import Told, is_watchable, margin
from matcalc.checking.tolerance import is_watched
from matcalc.checking.torch_side import as_returned
from matcalc.checking.trial_reports import without_kinks
from matcalc.checking.trials import DOUBLE, SINGLE, Request, Trial
from matcalc.checking.verdict import Report
from matcalc.checking.voices import Place, Votes, is_symmetric, reads_one_triangle, votes
from matcalc.errors import CheckError, MatcalcError, UnsupportedError

_FORMED = "the claim holds with the other inputs as they were given, and not where they are moved off their form"
_MOVES = (0.1, 0.01, 1e-3, 1e-5)
KINDS = ("grad", "vjp", "jacobian")


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
            made = as_returned(self.function(*given, *((u.clone(),) if self.kind == "vjp" else ())))
        except MatcalcError:
            raise
        except (Exception, SystemExit) as error:
            raise CheckError(f"the claimed function failed: {type(error).__name__}: {error}") from error
        said = made.detach().to(x.dtype)
        if self.kind == "jacobian" and said.shape == (*u.shape, *x.shape):
            return torch.tensordot(u.reshape(-1), said.reshape(-1, *x.shape), dims=1)
        return said * u.reshape(()) if self.kind == "grad" else said


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
    claims = Claimed(foreign(claimed), kind)
    request = asked(fn, example_inputs, wrt, trials, seed)
    (here,) = places(replace(request, trials=1))
    told = claims.settled(here.value(), here.inputs)
    request = keeping(request, here, lambda *inputs: told.gradient(replace(here, inputs=inputs)))
    found = without_kinks(request, _trials(request, claims), claims.function)
    forms = [f"input {k} has {form}" for k, t in enumerate(request.inputs) if k != wrt and (form := form_of(t))]
    found = _where_symmetric(request, claims, found)
    if found.verdict == "refuted" and forms:
        there = without_kinks(request, _trials(request, claims, alone=True), claims.function)
        if there.verdict != "refuted":
            found = replace(there, verdict="inconclusive", reason=f"{_FORMED}: {', '.join(forms)}")
    return claims.function.settled(found)


def _where_symmetric(request: Request, claims: Claimed, found: Report) -> Report:
    """The report, with what can be said of a claim where the other inputs that are symmetric stay so."""
    import torch

    others = [k for k in range(len(request.inputs)) if k != request.wrt and k not in request.kept]
    symmetric = [k for k in others if isinstance(request.inputs[k], torch.Tensor) and is_symmetric(request.inputs[k])]
    if found.verdict != "refuted" or not symmetric:
        return found
    kept = replace(request, kept=(*request.kept, *symmetric))
    there = without_kinks(kept, _trials(kept, claims), claims.function)
    where = " and ".join(f"input {k}" for k in symmetric)
    if there.ok and request.halved:
        return replace(there, verdict="inconclusive", reason=halved(request))
    if there.ok:
        return replace(found, diagnosis=f"right where {where} stays symmetric, as in the example")
    if found.diagnosis == NOTHING and there.verdict == "refuted" and there.diagnosis != NOTHING:
        return replace(found, diagnosis=f"{there.diagnosis}, where {where} stays symmetric")
    return found


def halved(request: Request) -> str:
    """In words, why it is not known how an input that is diagonal may move."""
    where = " and ".join(f"input {k}" for k in request.halved)
    return (
        f"the claim holds where {where} stays symmetric, and not where it does not; one triangle is read of it, "
        "and the example is diagonal: give one that is symmetric, or triangular, and is not"
    )


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


def _trials(request: Request, claims: Claimed, *, alone: bool = False) -> list[Trial]:
    """What is seen at every place."""
    found: list[Trial] = []
    for number, place in enumerate(places(request, alone=alone)):
        claims = claims.settled(place.value(), place.inputs)
        told = Told(claims.gradient, claims.gradient(place), claims.function)
        found.append(looked(request, place, told, number))
    return found


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
    for dtype in (DOUBLE, SINGLE):
        place = Place(called, moved(inputs, wrt, dtype, None, 0.0), wrt)
        try:
            place.value()
        except CheckError:
            narrow = any(str(getattr(t, "dtype", "")) in ("torch.float32", "torch.bfloat16") for t in inputs)
            if dtype is SINGLE or not narrow:
                raise
        else:
            break
    return Request(called, inputs, wrt, trials, seed, dtype, reads_one_triangle(place))


def places(request: Request, *, alone: bool = False) -> list[Place]:
    """The example, and points around it at which function and gradient are finite; ``alone`` moves no other input.

    Raises:
        CheckError: when the function fails at the example.
    """
    import torch

    generator = torch.Generator().manual_seed(request.seed)
    found: list[Place] = []
    for number in range(request.trials):
        for size in _MOVES if number else (0.0,):
            inputs = moved(request.inputs, request.wrt, request.dtype, generator, size, alone=alone)
            for k in (*request.kept, *((request.wrt,) if request.symmetric else ())) if number else ():
                inputs[k] = (inputs[k] + inputs[k].mT) / 2
            try:
                place = _paired(Place(request.fn, inputs, request.wrt), generator)
                sound = not number or _is_sound(request, place)
            except CheckError:
                if not number:
                    raise
                continue  # the example may lie on the edge of the domain
            if sound:
                found.append(place)
                break
    return found


def _paired(place: Place, generator: Any) -> Place:
    """The place with a cotangent of the value's shape."""
    import torch

    value = place.value().detach()
    u = (
        torch.ones_like(value)
        if value.numel() == 1
        else torch.randn(value.shape, dtype=torch.float64, generator=generator)
    )
    return replace(place, cotangent=u.to(value.dtype))


def _is_sound(request: Request, place: Place) -> bool:
    """Whether the function has a value there, and a gradient as far as torch knows."""
    import torch

    slope = place.autograd() if is_watchable(request.fn) else None
    return bool(torch.isfinite(place.value()).all()) and (slope is None or bool(torch.isfinite(slope).all()))


def looked(request: Request, place: Place, told: Told, number: int) -> Trial:
    """The voices at one place.

    Of a function that reads one triangle, as Cholesky's does, torch gives the gradient along symmetric directions.
    """
    import torch

    seed = request.seed + 101 * (number + 1)
    known = is_watchable(request.fn)
    found = place.autograd() if known else None
    auto = torch.zeros_like(place.inputs[place.wrt]) if known and found is None else found
    here = place.value().detach()
    detached = known and found is None
    trial = Trial(
        number, place, told.said, auto, Votes(None, None), value=float(here) if here.numel() == 1 else 0.0,
        detached=detached, in_torch=detached and is_watched(lambda **named: place.at(named).value(), place.named),
    )  # fmt: skip
    if not trial.shapes_agree:
        return trial
    other = None if auto is None else Told(_autograd, auto, request.fn)
    room = margin(place, told, other, seed)
    if not bool(torch.isfinite(told.said).all()):
        finite = auto is not None and bool(torch.isfinite(auto).all())
        kink = finite and votes(place, auto, None, room, seed).kink
        return replace(trial, margin=room, votes=Votes(None, None, kink=True) if kink else Votes(False, None))
    said = votes(place, told.said, auto, room, seed)
    if request.symmetric and said.claim is False and not said.auto:
        turned = votes(place, told.said, auto, room, seed, symmetric=True)
        bent = auto is None and room.agree(told.said, told.said.mT) is not True  # what they do not tell
        said = replace(turned, claim=None) if bent and turned.claim else turned
    return replace(trial, margin=room, votes=said)


def _autograd(place: Place) -> Any:
    import torch

    found = place.autograd()
    return torch.zeros_like(place.inputs[place.wrt]) if found is None else found


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments; yes where it does not say."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return True
    return True
