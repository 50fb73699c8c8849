"""What a wrong claim has to do with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from matcalc.checking.axes import wrong_axes

_CLOSE = 1e-8
_SHARE = 1e-3
_ROUNDING = 1e-14


@dataclass(frozen=True)
class Pair:
    """Claim and truth at one point, with the value of the function there."""

    claimed: Any
    truth: Any
    value: float


def relation(pairs: Sequence[Pair], what: str = "gradient") -> str:
    """The relation between claim and truth that holds at every point, in words; ``what`` is claimed."""
    pairs = [p for p in pairs if p.truth.size > 1] or pairs  # a single entry looks alike in every shape
    for test in (_transposed, _other_shape, _zero, _constant_factor, _value_factor, _extra_constant):
        found = test(pairs)
        if found:
            return found.replace("gradient", what)
    return "no simple relation found"


def same(a: Any, b: Any) -> bool:
    """Whether two arrays are equal up to rounding."""
    import numpy as np

    return a.shape == b.shape and bool(np.abs(a - b).max() <= _CLOSE * max(np.abs(b).max(), np.abs(a).max()))


def _transposed(pairs: Sequence[Pair]) -> str:
    if all(same(p.truth, p.truth.T) for p in pairs):
        return ""
    if all(same(p.claimed.T, p.truth) for p in pairs):
        return "transposed: the claim is the transpose of the gradient"
    if all(p.claimed.shape == p.truth.T.shape and same(-p.claimed.T, p.truth) for p in pairs):
        return "transposed, and the sign is wrong"
    return ""


def _other_shape(pairs: Sequence[Pair]) -> str:
    said = [wrong_axes(p.claimed, p.truth) for p in pairs]
    odd = [words for words, p in zip(said, pairs, strict=True) if p.claimed.shape != p.truth.shape]
    return odd[0] if odd else said[0] if all(said) else ""


def _zero(pairs: Sequence[Pair]) -> str:
    return "the claim is zero and the gradient is not" if all(abs(p.claimed).max() == 0 for p in pairs) else ""


def _ratio(p: Pair) -> float | None:
    """The factor by which the claim is off, where it is one."""
    weight = float((p.truth * p.truth).sum())
    if weight == 0:
        return None
    c = float((p.claimed * p.truth).sum()) / weight
    left = float(abs(p.claimed - c * p.truth).max())
    allowed = _SHARE * float(abs(p.claimed - p.truth).max()) + _ROUNDING * float(abs(p.claimed).max())
    return c if c and left <= allowed else None


def _constant_factor(pairs: Sequence[Pair]) -> str:
    ratios = [_ratio(p) for p in pairs]
    if any(r is None for r in ratios) or max(ratios) - min(ratios) > 1e-7 * abs(ratios[0]):  # type: ignore[type-var,operator,arg-type]
        return ""
    c = ratios[0]
    assert c is not None
    if abs(c - 1) < 1e-6:
        return f"factor: the claim is off by {c - 1:.1e} relative"
    if abs(c + 1) < 1e-7:
        return "sign: the claim is minus the gradient"
    shown = Fraction(c).limit_denominator(64)
    text = str(shown) if abs(float(shown) - c) < 1e-7 else f"{c:.10g}"
    return f"factor: the claim is {text} times the gradient"


def _value_factor(pairs: Sequence[Pair]) -> str:
    ratios = [_ratio(p) for p in pairs]
    if any(r is None for r in ratios):
        return ""
    squares = [abs(r) * abs(p.value) ** 0.5 for r, p in zip(ratios, pairs, strict=True) if r is not None]
    if all(p.value > 0 for p in pairs) and all(abs(s - 0.5) < 1e-7 for s in squares):
        return "factor: the claim is the gradient of f where the function is f^2; it is off by the factor 2*f"
    for words, power in (("f", 1.0), ("1/f", -1.0), ("sqrt(f)", 0.5), ("1/sqrt(f)", -0.5)):
        if power % 1 and any(p.value <= 0 for p in pairs):
            continue
        scaled = [r / p.value**power for r, p in zip(ratios, pairs, strict=True) if r is not None and p.value]
        if len(scaled) == len(pairs) and max(scaled) - min(scaled) < 1e-7 * abs(scaled[0]):
            k = Fraction(scaled[0]).limit_denominator(64)
            shown = words if k == 1 else f"{k}*{words}"
            return f"factor: the claim is {shown} times the gradient, f being the function's value"
    return "factor: the claim is the gradient times a scalar that depends on the inputs (a missing chain factor?)"


def _extra_constant(pairs: Sequence[Pair]) -> str:
    import numpy as np

    gaps = [p.claimed - p.truth for p in pairs]
    c = float(gaps[0].flat[0])
    seen = all(abs(c) > 1e-11 * np.abs(p.truth).max() for p in pairs)
    room = 1e-7 * abs(c) + _ROUNDING * max(float(np.abs(p.truth).max()) for p in pairs)
    if seen and all(np.abs(gap - c).max() < room for gap in gaps):
        return f"an extra term: the claim is the gradient plus {c:.6g}"
    return ""
