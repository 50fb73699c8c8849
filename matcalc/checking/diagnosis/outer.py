"""Scalar factors that depend on the values: the derivative of an outer function that was left out, or put in twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.calculus.differential import differential
from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.checking.diagnosis.case import Case, Finding
from matcalc.checking.diagnosis.multiples import Multiple, multiple, ratios
from matcalc.checking.precise import NO_VALUE
from matcalc.errors import MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.walk import fold

_MOST_STEPS = 24
_MOST_SCALARS = 80
_MOST_NODES = 400
_WHOLE_POWERS = ((1, 1), (-1, 1), (2, 1), (-2, 1))
_ROOTS = ((1, 2), (-1, 2))


@dataclass(frozen=True)
class Step:
    """A scalar u through which alone the function depends on the name: f = h(u), with h'."""

    inner: Node
    place: Node
    whole: Node
    slope: Node


def outer_function(case: Case) -> Finding | None:
    """Whether the claim is the gradient of u where the function is h(u), so that h'(u) is missing.

    The ratio of claim and truth is compared with 1/h'(u) for every scalar u in the expression through which alone it
    depends on the name; nothing is said of how the claim was written.
    """
    found = ratios(case, lambda s: (s.claimed, s.truth))
    if found is None:
        return None
    steps = list(_steps(case))
    for step in steps:
        k = _constant(case, found, step.slope) if step.slope.free else None
        if k is not None and k.text == "1":
            return _chain_missing(case, step, build.number(1))
    for i, upper in enumerate(steps):
        for lower in steps[i + 1 :]:
            between = build.divide(lower.slope, upper.slope)
            k = _constant(case, found, between)
            if k is not None and k.number == 1 and not k.powers:
                part = textbook(between)
                return Finding(
                    "chain factor",
                    f"missing chain factor {case.text(part)}: the derivative of {case.text(upper.inner)} by"
                    f" {case.text(lower.inner)}",
                )
    return None


def multiple_of_inner(case: Case) -> Finding | None:
    """The same, where the claim is a multiple of the gradient of u."""
    found = ratios(case, lambda s: (s.claimed, s.truth))
    for step in _steps(case) if found is not None else ():
        k = _constant(case, found or [], step.slope) if step.slope.free else None
        if k is not None and k.node is not None:
            return _chain_missing(case, step, k.node)
    return None


def _chain_missing(case: Case, step: Step, k: Node) -> Finding | None:
    taken = {v.params[0] for v in case.question.variables}
    f = build.variable(build.new_name("f", taken), (1, 1), "scalar")
    whole = textbook(_replaced(step.whole, step.place, build.divide(f, k)))
    slope = _slope(whole, f)
    if slope is None:
        return None
    name, shown = f.params[0], case.text(textbook(build.multiply(k, step.inner)))
    return Finding(
        "chain factor",
        f"factor: the claim is the {case.what} of {name} where the function is {case.text(whole)}; it is off by the"
        f" factor {case.text(slope)}: the chain rule is missing ({name} = {shown})",
    )


def _slope(whole: Node, place: Node) -> Node | None:
    """The derivative of a scalar by a scalar; None for an outer function that has none."""
    direction = build.variable(f"d'{place.params[0]}", (1, 1), "scalar")
    try:
        return textbook(transposed_map(differential(whole, place, direction), direction, build.number(1)))
    except (MatcalcError, *NO_VALUE):
        return None


def _constant(case: Case, found: list[Any], slope: Node) -> Multiple | None:
    """The k with claim = k/slope times the truth, at every sight."""
    scaled = []
    for c, sight in zip(found, case.sights, strict=True):
        value = case.value(slope, sight)
        if value is None or value.size != 1 or value[0, 0] == 0:
            return None
        scaled.append(c * value[0, 0])
    return multiple(case, scaled)


def _steps(case: Case) -> Iterator[Step]:
    """The scalars through which alone the expression depends on the name, the outermost first."""
    question = case.question
    if not question.expression.is_scalar:
        return
    nodes = list(postorder(question.expression))
    if len(nodes) > _MOST_NODES:
        return
    place = build.variable("f'", (1, 1), "scalar")
    count = 0
    for u in reversed(nodes):
        if u is question.expression or not u.is_scalar or not u.depends_on(question.name) or u.op == "variable":
            continue
        whole = _replaced(question.expression, u, place)
        count += 1
        if count > _MOST_STEPS:
            return
        if whole.depends_on(question.name):
            continue
        slope = _slope(whole, place)
        if slope is not None:
            yield Step(u, place, whole, textbook(_replaced(slope, place, u)))


def _replaced(root: Node, old: Node, new: Node) -> Node:
    return fold(root, lambda below, args: new if below is old else build.with_args(below, tuple(args)))


# ------------------------------------------------------------------------------------------- any scalar that occurs


def scalar_factor(case: Case) -> Finding | None:
    """Whether the claim is off by a power of the function's value, or of a scalar that occurs."""
    found = ratios(case, lambda s: (s.claimed, s.truth))
    if found is None:
        return None
    scalars = list(_scalars(case))
    for powers in (_WHOLE_POWERS, _ROOTS):
        for (node, values), (top, bottom) in itertools.product(scalars, powers):
            raised = _raised(values, top, bottom)
            k = multiple(case, [c / p for c, p in zip(found, raised, strict=True)]) if raised else None
            if k is not None and k.node is not None:
                return _scalar_says(case, node, (top, bottom), k.node)
    return None


def unknown_factor(case: Case) -> Finding | None:
    """Whether the claim is off by a scalar of which no more is known."""
    found = ratios(case, lambda s: (s.claimed, s.truth))
    if found is None:
        return None
    sums = [s.claimed.sum() for s in case.sights]
    if all(case.near_numbers(c, total) for c, total in zip(found, sums, strict=True)):
        says = f"missing factor 1/sum(C): the {case.what} is the claim C over the sum of its entries"
        return Finding("chain factor", f"factor: {says}")
    says = f"factor: the claim is the {case.what} times a scalar that depends on the inputs (a missing chain factor?)"
    return Finding("factor", says)


def _raised(values: Sequence[Any], top: int, bottom: int) -> list[Any]:
    import mpmath

    if any(v == 0 or (bottom != 1 and v < 0) for v in values):
        return []
    return [v ** mpmath.mpf(top) if bottom == 1 else mpmath.sqrt(v) ** top for v in values]


def _scalar_says(case: Case, node: Node | None, power: tuple[int, int], k: Node) -> Finding:
    exponent = build.divide(build.number(power[0]), build.number(power[1]))
    shown = node or build.variable("f", (1, 1), "scalar")
    value = case.question.expression
    named = "" if case.truth is None or value.op == "variable" else f" {case.text(value)}"
    more = "" if node is not None else f", f being the function's value{named}"
    if power[0] > 0:
        text = case.text(build.times(k, build.power(shown, exponent)))
        return Finding("factor", f"factor: the claim is {text} times the {case.what}{more}")
    text = case.text(build.divide(build.power(shown, build.negate(exponent)), k))
    return Finding("chain factor", f"factor: missing factor {text}: the {case.what} is the claim times it{more}")


def _scalars(case: Case) -> Iterator[tuple[Node | None, list[Any]]]:
    """The scalars that occur and are no numbers, with their values: the function's first, then the smallest."""
    import mpmath

    if all(s.value is not None for s in case.sights):
        yield None, [mpmath.mpf(s.value) for s in case.sights]
    if case.truth is None:
        return
    whole = case.question.expression
    roots = [n for n in (whole, case.claimed, case.truth) if n is not None]
    seen = [n for n in dict.fromkeys(postorder(*roots)) if n.is_scalar and n.free]
    listed = sorted(seen, key=lambda n: (n is not whole, n.weight, n.digest))[:_MOST_SCALARS]
    for node in listed:
        values = [case.value(node, sight) for sight in case.sights]
        if all(v is not None for v in values):
            yield None if node is whole else node, [v[0, 0] for v in values]
