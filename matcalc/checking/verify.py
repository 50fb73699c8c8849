"""Any torch function against a claimed gradient function.

Three voices: the claim, torch autograd, and extrapolated differences of the function itself in float64 along random
directions. The claim holds where it agrees with the differences; where autograd does not, torch is the odd one out.
Where only the differences stand apart, nothing is decided: a detached part, a backward of one's own, or a kink looks
like that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.checking.diagnosis.case import Pair
from matcalc.checking.diagnosis.table import Diagnosis, diagnosis_of_arrays
from matcalc.checking.slopes import slope
from matcalc.checking.testimony import Testimony
from matcalc.checking.torch_side import versions
from matcalc.checking.verdict import Report
from matcalc.errors import CheckError

_ROOM = 1e-7
_DIRECTIONS = 3
_TRUSTED = 1e-4


@dataclass(frozen=True)
class _Trial:
    pair: Pair
    shapes_agree: bool
    claim_is_auto: bool
    detached: bool
    claim_is_slope: bool | None
    auto_is_slope: bool | None

    @property
    def error(self) -> float:
        """The distance of claim and autograd, relative to the larger gradient's size."""
        import numpy as np

        if self.pair.claimed.shape != self.pair.truth.shape:
            return float("inf")
        return float(np.abs(self.pair.claimed - self.pair.truth).max(initial=0.0) / _size(self.pair.truth))

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None where the voices cannot be told apart."""
        if self.claim_is_slope is None:
            return self.claim_is_auto
        if self.claim_is_auto and not self.claim_is_slope:
            return None
        return self.claim_is_slope


def verify(
    fn: Callable[..., Any],
    claimed: Callable[..., Any],
    example_inputs: Sequence[Any],
    wrt: int = 0,
    trials: int = 5,
    seed: int = 0,
) -> Report:
    """Compares ``claimed(*inputs)`` with autograd and differences of ``fn`` at the example and at points around it.

    Raises:
        CheckError: when either function fails, or ``fn`` gives no scalar.
    """
    import torch

    if trials < 1:
        raise CheckError("a check needs at least one trial")
    generator = torch.Generator().manual_seed(seed)
    inputs = [torch.as_tensor(t).detach() for t in example_inputs]
    if not 0 <= wrt < len(inputs):
        raise CheckError(f"there is no input {wrt}: there are {len(inputs)}, counted from 0")
    inputs[wrt] = inputs[wrt].double()
    found = [_trial(fn, claimed, [_moved(t, generator, k) for t in inputs], wrt, generator) for k in range(trials)]
    return _report(found, seed)


def _trial(fn: Callable[..., Any], claimed: Callable[..., Any], inputs: list[Any], wrt: int, generator: Any) -> _Trial:
    import torch

    def at(x: Any) -> Any:
        return _scalar(fn, [*inputs[:wrt], x, *inputs[wrt + 1 :]])

    x = inputs[wrt].clone().requires_grad_(True)
    value = at(x)
    detached = not value.requires_grad
    (truth,) = torch.autograd.grad(value, x, allow_unused=True) if value.requires_grad else (None,)
    truth = torch.zeros_like(x) if truth is None else truth.detach()
    try:
        said = torch.as_tensor(claimed(*inputs)).detach().double()
    except Exception as error:
        raise CheckError(f"the claimed function failed: {type(error).__name__}: {error}") from error
    same_shape = said.shape == truth.shape
    room = _ROOM * max(_size(said), _size(truth))
    auto = same_shape and bool((said - truth).abs().max() <= room) if said.numel() else same_shape
    votes = _votes(at, inputs[wrt], said, truth, generator) if same_shape else (None, None)
    return _Trial(Pair(_matrix(said), _matrix(truth), float(value.detach())), same_shape, auto, detached, *votes)


def _scalar(fn: Callable[..., Any], inputs: list[Any]) -> Any:
    import torch

    try:
        value = torch.as_tensor(fn(*inputs))
    except Exception as error:
        raise CheckError(f"the function failed: {type(error).__name__}: {error}") from error
    if value.numel() != 1:
        raise CheckError(
            f"the function gives a tensor of shape {tuple(value.shape)}, and a gradient is that of a scalar",
            suggestion="lambda *inputs: fn(*inputs).sum()",
        )
    return value.reshape(())


def _votes(at: Callable[[Any], Any], x: Any, said: Any, truth: Any, generator: Any) -> tuple[bool | None, bool | None]:
    """Whether the claim, and autograd, agree with differences along random directions; None where these cannot tell."""
    import torch

    claim_agrees = auto_agrees = True
    scale = float(x.abs().mean()) if x.numel() else 1.0
    for _ in range(_DIRECTIONS):
        d = torch.randn(x.shape, dtype=torch.float64, generator=generator) * (scale or 1.0)
        with torch.no_grad():
            found = slope(lambda t, d=d: float(at(x + t * d)), 0.02)  # type: ignore[misc]  # d is bound at once
        size = float((said.abs() * d.abs()).sum().maximum((truth.abs() * d.abs()).sum()))
        if not found.error <= _TRUSTED * (size or 1.0):
            return None, None
        room = 10 * found.error + _ROOM * size
        claim_agrees = claim_agrees and abs(float((said * d).sum()) - found.value) <= room
        auto_agrees = auto_agrees and abs(float((truth * d).sum()) - found.value) <= room
    return claim_agrees, auto_agrees


def _report(trials: list[_Trial], seed: int) -> Report:
    errors = [t.error for t in trials]
    common: dict[str, Any] = {
        "trials": len(trials), "devices": ("cpu",), "dtypes": ("float64",), "seed": seed,
        "max_error": max(errors, key=lambda e: e if e == e else float("inf")),
        "versions": versions(), "claimed": True, "witnesses": _said(trials), "testimonies": _testimonies(trials),
    }  # fmt: skip
    pairs = [t.pair for t in trials]
    if all(t.detached for t in trials) and any(t.claim_is_slope and not t.claim_is_auto for t in trials):
        reason = "the function's result has no gradient: was it detached, or made a Python number by .item()?"
        return Report("inconclusive", reason=reason, **common)
    for number, t in enumerate(trials):
        if not _is_finite(t.pair.truth):
            return Report("inconclusive", reason=f"autograd's gradient is not finite in trial {number}", **common)
        if t.holds is None:
            reason = f"autograd and the claim agree, differences of the function do not, in trial {number}"
            return Report("inconclusive", reason=f"{reason}: a detached part, or a kink?", **common)
    bad = next((k for k, t in enumerate(trials) if not t.holds), None)
    if bad is None:
        odd = "" if all(t.claim_is_auto for t in trials) else "torch autograd"
        return Report("verified", smallest_visible=_ROOM, odd_one_out=odd, **common)
    seen = {"trial": bad, "seed": seed, "claimed": pairs[bad].claimed.tolist(), "expected": pairs[bad].truth.tolist()}
    same = all(t.shapes_agree for t in trials)
    words = (
        ""
        if same or not all(t.error <= _ROOM for t in trials)
        else "shape: the claim has the name's entries, but another number of axes"
    )
    found = Diagnosis(words, "shape") if words else diagnosis_of_arrays(pairs)
    return Report("refuted", counterexample=seen, diagnosis=found.says, relation=found.relation, **common)


def _testimonies(trials: list[_Trial]) -> tuple[Testimony, ...]:
    """What torch autograd and differences of the function say of the claim."""
    worst = max((t.error if t.error == t.error else float("inf") for t in trials), default=0.0)
    told = [t.claim_is_slope for t in trials if t.claim_is_slope is not None]
    count = f"{len(trials)} trial{'s' * (len(trials) != 1)}"
    slopes = f"extrapolated differences of the function in float64, in {len(told)} of {count}"
    return (
        Testimony(
            "autograd", all(t.claim_is_auto for t in trials),
            f"torch reverse mode, off by at most {worst:.1e} in {count}", worst, _ROOM,
        ),
        Testimony("differences", all(told) if told else None, slopes),
    )  # fmt: skip


def _said(trials: list[_Trial]) -> tuple[str, ...]:
    told = [t for t in trials if t.auto_is_slope is not None]
    odd = [t for t in told if t.claim_is_slope and not t.claim_is_auto]
    lines = [f"differences of the function in float64 could tell in {len(told)} of {len(trials)} trials"]
    if odd:
        lines.append(f"torch autograd disagrees in {len(odd)} of {len(trials)} trials")
    return tuple(lines)


def _moved(tensor: Any, generator: Any, trial: int) -> Any:
    import torch

    if not tensor.is_floating_point():
        return tensor
    x = tensor.double()
    noise = torch.randn(x.shape, dtype=torch.float64, generator=generator)
    return x if trial == 0 or not x.numel() else x + 0.1 * x.abs().mean() * noise


def _matrix(tensor: Any) -> Any:
    array = tensor.detach().double().cpu().numpy()
    return array.reshape(-1, 1) if array.ndim < 2 else array.reshape(array.shape[0], -1)


def _size(values: Any) -> float:
    return max((float(v) for v in abs(values).reshape(-1)), default=0.0) or 1.0


def _is_finite(array: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(array).all())
