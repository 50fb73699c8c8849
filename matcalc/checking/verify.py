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

from matcalc.checking.relation import Pair, relation
from matcalc.checking.slopes import slope
from matcalc.checking.testimony import Testimony
from matcalc.checking.tolerance import BLIND, DOUBT, coarsest, doubtful, room, spread
from matcalc.checking.torch_side import versions
from matcalc.checking.verdict import Report
from matcalc.errors import CheckError

_DIRECTIONS = 3
_STEP = 0.02
_SURELY = 10.0


@dataclass(frozen=True)
class _Trial:
    """What was found at one point; votes are None where they cannot tell.

    Attributes:
        pair: claim and autograd, with the function's value.
        shapes_agree: whether claim and gradient have the same axes.
        claim_is_auto: whether the claim is autograd's gradient: within rounding, surely not, or between.
        detached: whether the function's result has no gradient at all.
        claim_is_slope, auto_is_slope: whether claim and autograd agree with differences of the function.
        visible: the smallest error that rounding would not hide, relative to the gradient's largest entry.
        one_triangle: whether the function reads one triangle, so that differences agree along symmetric directions.
    """

    pair: Pair
    shapes_agree: bool
    claim_is_auto: bool | None
    detached: bool
    claim_is_slope: bool | None
    auto_is_slope: bool | None
    visible: float
    one_triangle: bool = False

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
        if self.claim_is_auto:
            return None if self.claim_is_slope is False else True
        if self.claim_is_auto is None:
            return None
        if self.claim_is_slope and self.auto_is_slope:
            return None
        return bool(self.claim_is_slope)


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
    found: list[_Trial] = []
    for k in range(trials):
        at = [_moved(t, generator, k) for t in inputs]
        if found and found[0].one_triangle:
            at[wrt] = (at[wrt] + at[wrt].mT) / 2
        found.append(_trial(fn, claimed, at, wrt, 1000 * seed + k))
    return _report(found, seed)


def _trial(fn: Callable[..., Any], claimed: Callable[..., Any], inputs: list[Any], wrt: int, seed: int) -> _Trial:
    import numpy as np
    import torch

    def gradient(**given: Any) -> tuple[Any, Any]:
        tensors = list(given.values())
        x = tensors[wrt] = tensors[wrt].detach().clone().requires_grad_(True)
        value = _scalar(fn, tensors)
        (found,) = torch.autograd.grad(value, x, allow_unused=True) if value.requires_grad else (None,)
        return value, torch.zeros_like(x) if found is None else found.detach()

    def claim(**given: Any) -> Any:
        try:
            return torch.as_tensor(claimed(*given.values())).detach()
        except Exception as error:
            raise CheckError(f"the claimed function failed: {type(error).__name__}: {error}") from error

    given = {str(k): t for k, t in enumerate(inputs)}
    value, truth = gradient(**given)
    said = claim(**given)
    pair = Pair(_matrix(said), _matrix(truth), float(value.detach()))
    if said.shape != truth.shape:
        return _Trial(pair, False, False, not value.requires_grad, None, None, 0.0)
    sizes = {str(k): max(t.shape, default=1) for k, t in enumerate(inputs)}
    mine = spread(lambda **t: _matrix(claim(**t)), given, pair.claimed, seed)
    theirs = spread(lambda **t: _matrix(gradient(**t)[1]), given, pair.truth, seed)
    size = max(_size(pair.claimed), _size(pair.truth))
    lost = float(room(theirs, pair.truth, sizes).max(initial=0.0)) / size
    blind = lost > BLIND  # autograd, as at a singular inverse
    moved = mine if blind else mine + theirs
    allowed = room(moved, pair.claimed, sizes)
    unit = max(coarsest(claim, given), coarsest(lambda **t: gradient(**t)[1], given))
    off = np.abs(pair.claimed - pair.truth)
    close: bool | None = bool((off <= allowed).all())
    finite = _is_finite(pair.claimed)
    if not close and not blind and finite and not (off > 4 * allowed + doubtful(moved, pair.truth, unit)).any():
        close = None
    votes = _votes(fn, given, wrt, pair, allowed, seed) if finite else (False, None)
    turned = bool(close and votes[0] is False and _is_symmetric(inputs[wrt]))
    if turned:
        along = _votes(fn, given, wrt, pair, allowed, seed, symmetric=True)
        turned, votes = bool(along[0]), along if along[0] else votes
    visible = lost if blind and votes[0] is None else float(allowed.max(initial=0.0)) / size
    return _Trial(pair, True, close, not value.requires_grad, *votes, visible, turned)


def _is_symmetric(x: Any) -> bool:
    square = x.ndim > 1 and x.shape[-1] == x.shape[-2]
    return square and bool((abs(x - x.mT) <= DOUBT * abs(x).max()).all())


def _near(pair: Pair) -> bool:
    """Whether a claim with other axes has the gradient's entries."""
    return pair.claimed.shape == pair.truth.shape and bool(
        (abs(pair.claimed - pair.truth) <= DOUBT * _size(pair.truth)).all()
    )


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


def _votes(
    fn: Callable[..., Any],
    given: dict[str, Any],
    wrt: int,
    pair: Pair,
    allowed: Any,
    seed: int,
    symmetric: bool = False,
) -> tuple[bool | None, bool | None]:
    """Whether the claim, and autograd, agree with differences along random directions; None where these cannot tell.

    Of a function that reads one triangle, as Cholesky's does, torch gives the gradient along ``symmetric`` directions.
    """
    import numpy as np
    import torch

    def value(**tensors: Any) -> Any:
        with torch.no_grad():
            return np.array([float(_scalar(fn, list(tensors.values())))])

    x, name = given[str(wrt)], str(wrt)
    generator = torch.Generator().manual_seed(seed)
    noise = float(room(spread(value, given, value(**given), seed), value(**given), {"x": x.numel()})[0])
    votes: list[tuple[bool, bool]] = []
    for _ in range(_DIRECTIONS):
        scale = (float(x.abs().mean()) if x.numel() else 1.0) or 1.0
        d = torch.randn(x.shape, dtype=torch.float64, generator=generator) * scale
        d = (d + d.mT) / 2 if symmetric else d
        found = slope(lambda t, d=d: float(value(**{**given, name: x + t * d})[0]), _STEP)  # type: ignore[misc]
        step = _matrix(d)
        size = float(max((abs(pair.claimed) * abs(step)).sum(), (abs(pair.truth) * abs(step)).sum()))
        error = _SURELY * found.error + 2 * noise / found.step
        if not error <= BLIND * (size or 1.0):
            return None, None
        margin = error + float((allowed * abs(step)).sum())
        claim, auto = (abs(float((g * step).sum()) - found.value) <= margin for g in (pair.claimed, pair.truth))
        votes.append((claim, auto))
    return all(claim for claim, _ in votes), all(auto for _, auto in votes)


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
    for number, t in enumerate(trials):
        if not t.visible <= BLIND and not (t.holds is False and t.claim_is_slope is False):
            reason = f"ill-conditioned: rounding alone may move the gradient by {t.visible:.0e} relative"
            return Report("inconclusive", reason=f"in trial {number} {reason}", **common)
        if t.holds is None:
            return Report("inconclusive", reason=_undecided(number, t), **common)
    bad = next((k for k, t in enumerate(trials) if not t.holds), None)
    if bad is None:
        odd = "" if all(t.claim_is_auto for t in trials) else "torch autograd"
        return Report("verified", smallest_visible=max(t.visible for t in trials), odd_one_out=odd, **common)
    seen = {"trial": bad, "seed": seed, "claimed": pairs[bad].claimed.tolist(), "expected": pairs[bad].truth.tolist()}
    same = all(t.shapes_agree for t in trials)
    words = (
        ""
        if same or not all(_near(t.pair) for t in trials)
        else "shape: the claim has the name's entries, but another number of axes"
    )
    return Report("refuted", counterexample=seen, diagnosis=words or relation(pairs), **common)


def _testimonies(trials: list[_Trial]) -> tuple[Testimony, ...]:
    """What torch autograd and differences of the function say of the claim."""
    worst = max((t.error if t.error == t.error else float("inf") for t in trials), default=0.0)
    visible = max((t.visible for t in trials), default=0.0)
    told = [t.claim_is_slope for t in trials if t.claim_is_slope is not None]
    count = f"{len(trials)} trial{'s' * (len(trials) != 1)}"
    slopes = f"extrapolated differences of the function in float64, in {len(told)} of {count}"
    return (
        Testimony(
            "autograd", all(t.claim_is_auto for t in trials),
            f"torch reverse mode, off by at most {worst:.1e} in {count}", worst, visible,
        ),
        Testimony("differences", all(told) if told else None, slopes),
    )  # fmt: skip


def _undecided(number: int, t: _Trial) -> str:
    if t.claim_is_auto:
        return (
            f"autograd and the claim agree, differences of the function do not, in trial {number}:"
            " a detached part, or a kink?"
        )
    return (
        f"in trial {number} claim and autograd are {t.error:.1e} apart: more than rounding explains ({t.visible:.0e}),"
        " and too little for the differences to tell them apart"
    )


def _said(trials: list[_Trial]) -> tuple[str, ...]:
    told = [t for t in trials if t.auto_is_slope is not None]
    odd = [t for t in told if t.claim_is_slope and not t.claim_is_auto]
    lines = [f"differences of the function in float64 could tell in {len(told)} of {len(trials)} trials"]
    if any(t.one_triangle for t in trials):
        lines.append("along symmetric directions: the function reads one triangle of its symmetric input")
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
