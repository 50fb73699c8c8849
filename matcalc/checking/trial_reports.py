"""The report on a function and what is claimed of its derivative, from what was seen at every point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.checking.foreign import Foreign
from matcalc.checking.margins import is_watchable
from matcalc.checking.pairs import Pair, related
from matcalc.checking.placement import home
from matcalc.checking.testimony import Testimony
from matcalc.checking.tolerance import BLIND, UNIT
from matcalc.checking.torch_side import versions
from matcalc.checking.trials import SINGLE, WAYS, Request, Trial
from matcalc.checking.verdict import Report
from matcalc.checking.voices import is_constant, may_hide

_FEW_ULPS, _MANY_ULPS = 1e-9, 1e-6
"""Errors between these look like the rounding of float32."""


@dataclass(frozen=True)
class ByDifferences(Report):
    """A report on a function that has no autograd."""

    def _headline(self) -> str:
        if self.verdict != "verified":
            return super()._headline()
        return f"verified against differences: {self.trials} trials, error {self.max_error:.1e}"


def without_kinks(request: Request, trials: Sequence[Trial], claim: Foreign | None = None) -> Report:
    """The report of the trials that are at no kink; the others are said. ``claim`` is the function that is claimed."""
    there = [t for t in trials if t.votes.kink]
    says = {True: ", where the claim is what torch says", False: ", where the claim is not what torch says", None: ""}
    kinks = {True: "the function has a kink there", False: "the gradient is not finite there"}
    discarded = tuple(
        f"trial {t.number}: {kinks[t.auto_is_finite]}{says[t.holds] if t.auto_is_finite else ''}" for t in there
    )
    return report(request, [t for t in trials if not t.votes.kink], claim, discarded)


def report(
    request: Request, trials: list[Trial], claim: Foreign | None = None, discarded: tuple[str, ...] = ()
) -> Report:
    """The verdict of all trials."""
    common: dict[str, Any] = {
        "trials": len(trials), "devices": (home(),), "dtypes": (request.dtype,), "seed": request.seed,
        "max_error": max((t.error for t in trials), default=None),
        "versions": versions(), "claimed": True, "discarded": discarded,
        "witnesses": (*_said(request, trials, claim), *discarded),
        "testimonies": _testimonies(request, trials),
    }  # fmt: skip
    if not trials:
        return Report("inconclusive", reason=f"no point counts: {discarded[0].split(': ', 1)[1]}", **common)
    usual, bad = usual_size(trials), first_wrong(trials)
    if bad is not None:
        return Report("refuted", counterexample=example(request, bad), diagnosis=_diagnosis(trials), **common)
    trouble = next(filter(None, (_trouble(t, usual) for t in trials)), "")
    reason = _no_gradient(trials) or _nothing(trials) or trouble or _too_little(request, trials, discarded)
    if reason:
        return Report("inconclusive", reason=reason, **common)
    torch_agrees = all(t.auto is None or t.claim_is_auto or (t.votes.symmetric and t.votes.auto) for t in trials)
    kind = ByDifferences if any(t.auto is None for t in trials) else Report
    return kind(
        "verified", smallest_visible=max(t.visible(usual) for t in trials),
        odd_one_out="" if torch_agrees else "torch autograd", **common,
    )  # fmt: skip


def first_wrong(trials: Sequence[Trial]) -> Trial | None:
    """The first trial that refutes the claim."""
    usual = usual_size(trials)
    return next((t for t in trials if not t.votes.kink and t.holds is False and not _trouble(t, usual)), None)


def usual_size(trials: Sequence[Trial]) -> float:
    """The largest entry of all gradients that are more than rounding."""
    return max((t.largest for t in trials if t.visible() <= BLIND), default=0.0)


def _testimonies(request: Request, trials: list[Trial]) -> tuple[Testimony, ...]:
    """What torch autograd and differences of the function say of the claim."""
    if not trials:
        return ()
    count = f"{len(trials)} trial{'s' * (len(trials) != 1)}"
    usual = usual_size(trials)
    told = [t.votes for t in trials if t.votes.claim is not None]
    worst = max((v.error for v in told), default=None)
    sizes = [(t.votes.visible, max(t.largest, usual)) for t in trials if t.votes.claim is not None]
    shown = max((visible / size for visible, size in sizes if size), default=None)
    slopes = f"extrapolated differences of the function in {request.dtype}, in {len(told)} of {count}"
    agrees = all(v.claim for v in told) if told else None
    found = [Testimony("differences", agrees, slopes + _showing(shown), worst, shown)]
    seen = [t for t in trials if t.auto is not None]
    if seen:
        worst = max((t.error for t in seen), default=0.0)
        visible = max(t.margin.widest / (max(t.largest, usual) or 1.0) if t.margin else 0.0 for t in seen)
        said = {t.claim_is_auto for t in seen}
        agrees = False if False in said else None if None in said else True
        says = f"torch reverse mode, off by at most {worst:.1e} in {count}" + _showing(visible)
        found.insert(0, Testimony("autograd", agrees, says, worst, visible))
    return tuple(found)


def _showing(visible: float | None) -> str:
    return f" (an error of {visible:.0e} would show)" if visible and visible < float("inf") else ""


def _no_gradient(trials: list[Trial]) -> str:
    stopped = any(t.votes.claim is False if t.claim_is_auto else t.votes.claim for t in trials)
    if stopped and all(t.detached for t in trials):
        return (
            "the function's result has no gradient: was it detached, or made a Python number (if it is for NumPy, say "
            "matcalc.testing.numpy(fn)), or has torch no derivative of it?"
        )
    return ""


def _nothing(trials: list[Trial]) -> str:
    """That the gradient is zero wherever it was looked at, though the function is no constant; or ""."""
    if not trials[0].claimed.numel():
        return "the input has no entries, so that there is nothing to compare"
    if any(t.largest for t in trials) or is_constant(trials[0].place):
        return ""
    return "the gradient is zero at every point that was looked at, and hides a wrong factor: give other examples"


def _too_little(request: Request, trials: Sequence[Trial], discarded: Sequence[str]) -> str:
    """Why what was seen is not enough to call a claim right, or ""."""
    if request.trials > 1 and len(trials) + len(discarded) == 1:
        return "the function has a value and a gradient at the example alone, and none around it"
    told = any(t.votes.claim or (t.votes.settled and t.margin and t.margin.unit > UNIT) for t in trials)
    if not told and any(t.auto is not None and may_hide(t.place) for t in trials):
        return (
            "differences of the function tell nothing at any point, and autograd's gradient is detached on the way, or "
            "goes through a backward of one's own"
        )
    return ""


def _trouble(t: Trial, usual: float) -> str:
    """Why nothing can be decided at a point, or ""."""
    where = f"in trial {t.number}"
    if not t.shapes_agree or (t.votes.claim is False and t.holds is False and t.auto_is_finite):
        return ""
    if t.holds is None and not t.auto_is_finite:
        return f"autograd's gradient is not finite {where}"
    if t.holds is None and t.auto is None and t.votes.symmetric:
        return f"the function reads one triangle {where}, and symmetric directions do not tell all of the claim"
    if t.holds is None and t.auto is None:
        return f"differences of the function do not settle {where}, and it has no autograd"
    visible = t.visible(usual)
    if not visible <= BLIND:
        return f"{where} ill-conditioned: rounding alone may move the gradient by {visible:.0e} relative"
    if t.holds is None and t.claim_is_auto:
        why = "a detached part, a kink, or an approximation?"
        why += "" if t.place.unit <= UNIT else " In float64 it would show: module.double()"
        return f"autograd and the claim agree, differences of the function do not, {where}: {why}"
    if t.holds is None and t.overshadowed:
        return f"{where} {t.overshadowed}: differences of the function do not see it beside {t.largest:.1e}"
    if t.holds is None:
        return (
            f"{where} claim and autograd are {t.error:.1e} apart: more than rounding explains, and too little for the "
            f"differences to tell them apart{'; is a constant float32?' if _FEW_ULPS < t.error < _MANY_ULPS else ''}"
        )
    return ""


def example(request: Request, t: Trial) -> dict[str, Any]:
    """The point, and both gradients there."""
    import torch

    where = [x.tolist() if isinstance(x, torch.Tensor) else x for x in t.place.inputs]
    seen: dict[str, Any] = {"trial": t.number, "seed": request.seed, "wrt": request.wrt, "inputs": where}
    plain = [k for k, x in enumerate(t.place.inputs) if not isinstance(x, torch.Tensor)]
    seen |= {"plain": plain} if plain else {}
    if t.place.cotangent.numel() != 1 or request.weighed:
        seen["cotangent"] = t.place.cotangent.tolist()
    expected = "what differences of the function say" if t.truth is None else t.truth.tolist()
    return {**seen, "claimed": t.claimed.tolist(), "expected": expected}


def _diagnosis(trials: list[Trial]) -> str:
    seen = [t for t in trials if t.truth is not None and bool(t.claimed.any() or t.truth.any())]
    pairs = [Pair(matrix_of(t.claimed), matrix_of(t.truth), t.value, tuple(t.claimed.shape)) for t in seen]
    if not pairs:
        return "it disagrees with differences of the function"
    if any(p.claimed.size == p.truth.size and not t.shapes_agree for p, t in zip(pairs, seen, strict=True)):
        same = all(p.claimed.shape == p.truth.shape for p in pairs)
        if same:
            return "shape: the claim has the name's entries, but another number of axes"
    says = related(pairs).replace("the name is", "the input is")
    return says.replace("is it computed in single precision?", "is it computed in single precision, or inexact itself?")


def _said(request: Request, trials: list[Trial], claim: Foreign | None) -> tuple[str, ...]:
    told = [t for t in trials if t.votes.claim is not None]
    odd = [t for t in told if t.votes.claim and t.auto is not None and not t.claim_is_auto]
    lines = [f"differences of the function in {request.dtype} could tell in {len(told)} of {len(trials)} trials"]
    if request.dtype == SINGLE:
        lines.append(f"the {request.single} takes no float64: it is judged by the rounding of float32")
    elif any(t.margin is not None and t.margin.unit > UNIT for t in trials):
        lines.append("a part of it is computed in float32, by whose rounding it is judged")
    unseen = [what for what, by in (("function", request.fn), ("claim", claim)) if not is_watchable(by)]
    if unseen:
        lines.append(f"the rounding of the {' and the '.join(unseen)} is told by moving the inputs alone")
    if any(t.votes.symmetric for t in trials):
        lines.append("along symmetric directions: the function reads one triangle of its symmetric input")
    lines += list(dict.fromkeys(f"{t.underivable}: differences alone tell" for t in trials if t.underivable))
    for way in WAYS[1:]:
        there = sum(t.place.way == way for t in trials) if len(request.inputs) > 1 else 0
        if there:
            lines.append(f"in {there} of {len(trials)} trials the other inputs are {way}: moved, they have no value")
    lines += [f"input {k} is kept symmetric, as it was given: one triangle of it is read" for k in request.kept]
    if odd:
        lines.append(f"torch autograd disagrees in {len(odd)} of {len(trials)} trials")
    return tuple(lines)


def matrix_of(tensor: Any) -> Any:
    """A tensor as a float64 matrix, a column where it has fewer axes.

    >>> import torch
    >>> matrix_of(torch.ones(3)).shape, matrix_of(torch.ones(2, 3, 4)).shape
    ((3, 1), (2, 12))
    """
    array = tensor.detach().double().cpu().numpy()
    return array.reshape(-1, 1) if array.ndim < 2 else array.reshape(array.shape[0], -1)
