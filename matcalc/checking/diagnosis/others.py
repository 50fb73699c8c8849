"""Right answers to other questions: the derivative by another name, of another kind, with another structure."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.readoff import matrix_of
from matcalc.calculus.transpose import transposed_map
from matcalc.checking.diagnosis.case import Case, Finding, Sight
from matcalc.checking.diagnosis.edits import parts
from matcalc.checking.diagnosis.multiples import multiple, ratios
from matcalc.checking.precise import NO_VALUE
from matcalc.errors import MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder

_MOST_NODES = 100
_MOST_NAMES = 6
_MOST_FACTORS = 60
_MATRIX = 2


def itself(case: Case) -> Finding | None:
    """Whether the claim is the function."""
    if case.explains(partial(_against, case, case.question.expression)):
        function = "the gradient" if case.what == "Hessian" else "the function itself"
        return Finding("other derivative", f"the claim is {function}, not its derivative")
    return None


def structure(case: Case) -> Finding | None:
    """Whether the claim is right once the name's declared structure is put to use, or left out."""
    other = case.question.unlike() if case.question.unlike is not None else None
    if other is None or not case.explains(lambda s: (s.claimed, case.truth_like(other, s))):
        return None
    name, onto = case.question.name, case.question.projected
    if onto:
        return Finding(
            "structure",
            f"structure: right with --unconstrained: the {case.what} as if {name} were not declared {onto}; among"
            f" {onto} matrices it is {case.text(case.truth) if case.truth is not None else 'its projection'}",
        )
    return Finding("structure", f"structure: right without --unconstrained, where {name} stays what it is declared")


def by_another_name(case: Case) -> Finding | None:
    """Whether the claim is the derivative by another name of the expression."""
    question = case.question
    if not question.expression.is_scalar or len(list(postorder(question.expression))) > _MOST_NODES:
        return None
    for v in question.variables[:_MOST_NAMES]:
        if v.params[0] == question.name or not question.expression.depends_on(v.params[0]):
            continue
        other = _gradient(question.expression, v)
        if other is None:
            continue
        if case.explains(partial(_against, case, other)):
            return Finding("other name", f"other name: the claim is the gradient by {v.params[0]}")
    return None


def _against(case: Case, other: Node, sight: Sight) -> tuple[Any, Any]:
    return sight.claimed, case.value(other, sight)


def _gradient(expression: Node, variable: Node) -> Node | None:
    direction = direction_for(variable)
    try:
        return transposed_map(differential(expression, variable, direction), direction, build.number(1))
    except (MatcalcError, *NO_VALUE):
        return None


def second(case: Case) -> Finding | None:
    """Whether the claim is the derivative of the truth: the Hessian where the gradient was asked for."""
    truth = case.truth
    if truth is None or len(list(postorder(truth))) > _MOST_NODES or case.axes is not None:
        return None
    if not all(s.claimed.shape == (s.truth.size, s.at.values[case.question.name].size) for s in case.sights):
        return None
    variable = case.question.variable
    direction = direction_for(variable)
    try:
        found = matrix_of(differential(truth, variable, direction), direction)
    except (MatcalcError, *NO_VALUE):
        return None
    if found is None or not case.explains(partial(_against, case, found)):
        return None
    return Finding("other derivative", f"the claim is the derivative of the {case.what}: the Hessian")


# ---------------------------------------------------------------------------------------------- one factor more


def chain_factor(case: Case) -> Finding | None:
    """Whether the truth is the claim times a matrix or vector that occurs, or the claim the truth times one."""
    if not all(s.claimed.ndim == s.truth.ndim == _MATRIX for s in case.sights):
        return None
    roots = [n for n in (*case.question.variables, case.question.expression, case.truth, case.claimed) if n is not None]
    alike = all(s.claimed.shape == s.truth.shape for s in case.sights)
    factors = [f for f in parts(roots, _MOST_FACTORS) if not f.is_scalar and (f.free or not alike)]
    for missing, factor, how in itertools.product((True, False), factors, _HOW):
        k = multiple(case, ratios(case, partial(_applied, case, factor, missing, how[0])))
        if k is not None and k.node is not None and (how[0] is not _around or (missing and k.text == "1")):
            return _factor_says(case, build.divide(factor, k.node), how[1], missing=missing)
    return None


def _factor_says(case: Case, factor: Node, words: str, *, missing: bool) -> Finding:
    text = case.text(factor)
    if missing:
        says = f"missing chain factor {text}: the {case.what} is the claim {words.format(f=text)}"
        return Finding("chain factor", says)
    return Finding("extra factor", f"a factor too many: the claim is the {case.what} {words.format(f=text)}")


def _applied(case: Case, factor: Node, missing: bool, how: Callable[..., Any], sight: Sight) -> tuple[Any, Any] | None:
    value = case.value(factor, sight)
    short, long = (sight.claimed, sight.truth) if missing else (sight.truth, sight.claimed)
    return None if value is None else (how(short, value, long.shape), long)


def _behind(short: Any, factor: Any, shape: Any) -> Any:
    return short @ factor if short.shape[1] == factor.shape[0] and (short.shape[0], factor.shape[1]) == shape else None


def _before(short: Any, factor: Any, shape: Any) -> Any:
    return factor @ short if factor.shape[1] == short.shape[0] and (factor.shape[0], short.shape[1]) == shape else None


def _spread(short: Any, factor: Any, shape: Any) -> Any:
    return short * factor if factor.shape == shape and (short.shape == shape or short.size == 1) else None


def _around(short: Any, factor: Any, shape: Any) -> Any:
    fits = short.shape == (factor.shape[0],) * 2 and shape == (factor.shape[1],) * 2
    return factor.T @ short @ factor if fits else None


_HOW: tuple[tuple[Callable[..., Any], str], ...] = (
    (_behind, "times {f}"),
    (_before, "with {f} in front"),
    (_spread, "times {f} entry by entry"),
    (_around, "times {f}, with its transpose in front"),
)
