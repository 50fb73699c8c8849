"""Evaluation in 90 digits, node by node through the operators' reference arithmetic; it does not pass the lowering.

A central difference with step 1e-15 in 90-digit arithmetic has a truncation error near 1e-30 and a rounding error near
1e-45: as a witness it is exact, however badly conditioned the formula is in floating point.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matcalc.errors import UnsupportedError
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.sizes import AnySize, as_integer

DIGITS = 90
_STEP = "1e-15"


def evaluate(
    root: Node, values: Mapping[str, Any], sizes: Mapping[str, int], memo: dict[Node, Any] | None = None
) -> Any:
    """The value of ``root`` as a 2-d object array, in the precision in force.

    Raises:
        UnsupportedError: for an operator without reference arithmetic.
    """
    done: dict[Node, Any] = {} if memo is None else memo

    def size(wanted: AnySize) -> int:
        return as_integer(wanted, sizes)

    for node in postorder(root):
        if node in done:
            continue
        if node.op == "variable":
            done[node] = values[node.params[0]]
            continue
        reference = node.operator.reference
        if reference is None:
            raise UnsupportedError(f"{node.op} has no reference arithmetic")
        done[node] = reference(node, [done[arg] for arg in node.args], size)
    return done[root]


def lifted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Float arrays as object arrays of the same numbers in high precision."""
    import mpmath
    import numpy as np

    lift = np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])
    return {name: lift(value) for name, value in values.items()}


def slope(root: Node, name: str, direction: Any, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The derivative of a scalar ``root`` when ``name`` moves along ``direction``; what is frozen stays where it is."""
    import mpmath

    step = mpmath.mpf(_STEP)
    here: dict[Node, Any] = {}
    still = {node: evaluate(node, values, sizes, here) for node in postorder(root) if node.operator.frozen}
    ends = [
        evaluate(root, {**values, name: values[name] + s * direction}, sizes, dict(still))[0, 0] for s in (step, -step)
    ]
    return (ends[0] - ends[1]) / (2 * step)
