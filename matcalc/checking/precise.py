"""Evaluation in 90 digits, node by node through the operators' reference arithmetic; it does not pass the lowering.

A central difference with a tiny step in so many digits is, as a witness, exact, however badly conditioned the formula
is in floating point; see :mod:`matcalc.checking.judgement`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from matcalc.errors import UnsupportedError
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES
from matcalc.expression.sizes import as_integer

NO_VALUE = (ZeroDivisionError, ValueError, OverflowError)
"""What arithmetic in many digits raises where there is no value, as for 1/(1 - tanh(400)) in 90 digits."""


def evaluate(
    root: Node, values: Mapping[str, Any], sizes: Mapping[str, int], memo: dict[Node, Any] | None = None
) -> Any:
    """The value of ``root`` as a 2-d object array, in the precision in force.

    Raises:
        UnsupportedError: for an operator without reference arithmetic.
        ZeroDivisionError, ValueError, OverflowError: where it is not defined.
    """
    done: dict[Node, Any] = {} if memo is None else memo
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [] if node in done else [arg for arg in node.args if arg not in done]
        stack.extend(waiting)
        if not waiting:
            stack.pop()
            if node not in done:
                done[node] = _applied(node, values, sizes, done)
    return done[root]


def _applied(node: Node, values: Mapping[str, Any], sizes: Mapping[str, int], done: Mapping[Node, Any]) -> Any:
    import mpmath

    if node.op == "variable":
        return values[node.params[0]]
    reference = node.operator.reference
    if reference is None:
        raise UnsupportedError(f"{node.op} has no reference arithmetic")
    try:
        return reference(node, [done[arg] for arg in node.args], lambda size: as_integer(size, sizes))
    except mpmath.mp.NoConvergence as error:
        raise ValueError(f"{node.op} does not converge there") from error


def lifted(values: Mapping[str, Any], variables: Iterable[Node] = ()) -> dict[str, Any]:
    """Float arrays as object arrays of the same numbers in high precision.

    What ``variables`` declare of a value and a float can only nearly have (orthogonality) is made to hold.
    """
    import mpmath
    import numpy as np

    lift = np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])
    exact = {name: lift(value) for name, value in values.items()}
    for variable in variables:
        name = variable.params[0]
        for fact in sorted(variable.facts):
            make = PROPERTIES[fact].exact
            exact[name] = exact[name] if make is None else make(exact[name])
    return exact


class Remembered(NamedTuple):
    """What is known at some inputs: these in high precision, the values of nodes, and which ones are sound there."""

    exact: dict[str, Any]
    values: dict[Node, Any]
    sound: set[Any]


_MOST_REMEMBERED = 64
_remembered: OrderedDict[Any, Remembered] = OrderedDict()


def remembered(
    values: Mapping[str, Any], variables: tuple[Node, ...], sizes: Mapping[str, int], digits: int
) -> Remembered:
    """What is known at inputs, kept for whatever else is asked there; to be used with ``digits`` in force."""
    key = (
        digits,
        variables,
        tuple(sorted(sizes.items())),
        tuple((name, v.shape, v.tobytes()) for name, v in sorted(values.items())),
    )
    found = _remembered.pop(key, None) or Remembered(lifted(values, variables), {}, set())
    _remembered[key] = found
    if len(_remembered) > _MOST_REMEMBERED:
        _remembered.popitem(last=False)
    return found


def unmoved(root: Node, name: str, values: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[Node, Any]:
    """What below ``root`` keeps its value when ``name`` moves: what does not depend on it, and what is frozen."""
    memo: dict[Node, Any] = {}
    still = [node for node in postorder(root) if node.operator.frozen or not node.depends_on(name)]
    return {node: evaluate(node, values, sizes, memo) for node in still}


def slope(
    root: Node,
    name: str,
    direction: Any,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    width: str,
    still: Mapping[Node, Any] | None = None,
) -> Any:
    """The derivative of a scalar ``root`` when ``name`` moves ``width`` along ``direction``; ``still`` is unmoved."""
    import mpmath

    step = mpmath.mpf(width)
    known = unmoved(root, name, values, sizes) if still is None else still
    ends = [
        evaluate(root, {**values, name: values[name] + direction * s}, sizes, dict(known))[0, 0] for s in (step, -step)
    ]
    return (ends[0] - ends[1]) / (2 * step)
