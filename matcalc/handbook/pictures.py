"""The graph of an elementwise function and of its derivative, as SVG: the same bytes whenever it is made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from matcalc.checking.precise import evaluate
from matcalc.expression import build
from matcalc.expression.operator import TABLE, Operator

_WIDTH, _HEIGHT, _EDGE = 320, 200, 10
_POINTS = 96
_TALLEST = 4.0
_DIGITS = 30
_RANGES = {"unit": (0.02, 0.98), "positive": (0.05, 5.0), "above_one": (1.02, 5.0), "above_minus_one": (-0.95, 4.0)}
_WHOLE = (-4.0, 4.0)
_JUST = 1e-6
_CURVES = (("function", "#1f5fa8", ""), ("derivative", "#c0392b", ' stroke-dasharray="5 3"'))

Curve = list[tuple[float, float]]


def drawn() -> list[str]:
    """The names of the operators that have a picture."""
    return sorted(op.name for op in TABLE.values() if op.derivative is not None and op.reference is not None)


def picture(operator: Operator) -> str:
    """The SVG of an elementwise operator, over the range that checks take its argument from."""
    assert operator.derivative is not None
    low, high = _RANGES.get(operator.domain.get(0, ""), _WHOLE)
    corners = [low, *(k.at for k in operator.kinks if low < k.at < high), high]
    curves: list[list[Curve]] = [[], []]
    for left, right in pairwise(corners):
        xs = _grid(left + (_JUST if left != low else 0), right - (_JUST if right != high else 0))
        x = build.variable("x", (len(xs), 1), "vector")
        y = build.apply(operator.name, x)
        for k, node in enumerate((y, operator.derivative(x, y))):
            curves[k] += _pieces(list(zip(xs, _values(node, xs), strict=True)))
    return _svg(operator.name, (low, high), curves)


def _grid(left: float, right: float) -> list[float]:
    return [left + (right - left) * k / (_POINTS - 1) for k in range(_POINTS)]


def _values(node: Any, xs: Sequence[float]) -> list[float]:
    import mpmath
    import numpy as np

    with mpmath.workdps(_DIGITS):
        column = np.array([[mpmath.mpf(x)] for x in xs], dtype=object)
        found = evaluate(node, {"x": column}, {})
        return [float(v) for v in np.broadcast_to(found, column.shape).ravel()]


def _pieces(curve: Curve) -> list[Curve]:
    """What of a curve is not too tall to be shown, in connected pieces."""
    pieces: list[Curve] = [[]]
    for x, y in curve:
        if abs(y) <= _TALLEST:
            pieces[-1].append((x, y))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if len(piece) > 1]


def _svg(name: str, across: tuple[float, float], curves: Sequence[Sequence[Curve]]) -> str:
    ys = [y for curve in curves for piece in curve for _, y in piece]
    low, high = min([0.0, *ys]), max([0.0, *ys])
    low, high = (low, high) if high - low > 1 else (low, low + 1)

    def place(x: float, y: float) -> str:
        right = _EDGE + (x - across[0]) / (across[1] - across[0]) * (_WIDTH - 2 * _EDGE)
        down = _EDGE + (high - y) / (high - low) * (_HEIGHT - 2 * _EDGE)
        return f"{right:.1f},{down:.1f}"

    def line(points: Sequence[tuple[float, float]], colour: str, more: str = "") -> str:
        text = " ".join(place(x, y) for x, y in points)
        return f'<polyline fill="none" stroke="{colour}"{more} points="{text}"/>'

    axes = [[(across[0], 0.0), (across[1], 0.0)]]
    axes += [[(0.0, low), (0.0, high)]] if across[0] < 0 < across[1] else []
    shown = [line(axis, "#999999") for axis in axes]
    for curve, (_, colour, more) in zip(curves, _CURVES, strict=True):
        shown += [line(piece, colour, f' stroke-width="2"{more}') for piece in curve]
    says = f"{name} (solid) and its derivative (dashed) from {across[0]:g} to {across[1]:g}, {low:.3g} to {high:.3g}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}">'
    return "\n".join([head, f"<title>{says}</title>", *shown, "</svg>", ""])
