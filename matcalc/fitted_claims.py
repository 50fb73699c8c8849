"""A claimed gradient as text, at the sizes that it fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from matcalc.derivative import Derivative, grad
from matcalc.errors import ShapeError
from matcalc.expression.sizes import AnySize, Shape, Size, substitute_sizes
from matcalc.language.inference import Typed, VariableRecord, typed_claim
from matcalc.language.syntax import read
from matcalc.parsed import Expression, Variable, parse


def fitted(derived: Derivative, claim: str) -> tuple[Derivative, Typed, str]:
    """The claim as it reads; where it fits only some sizes, with the derivation at those and a note that says so."""
    expression = derived.expression
    program = read(claim, expression.limits, names=frozenset(expression.variables))
    try:
        found = typed_claim(program, expression.typed, derived.node.shape, expression.limits)
    except ShapeError:
        found = typed_claim(program, expression.typed, derived.node.shape, expression.limits, loose=True)
    narrowed = {v.name: v for v in found.variables if v.shape != expression.variables[v.name].shape}
    numbers = told_by_numbers(found.node.shape, derived.node.shape)
    if not narrowed and not numbers:
        return derived, found, ""
    let = {name: _declaration(v) for name, v in narrowed.items()}
    if numbers and not narrowed:
        resized = {v.name: replace(v, shape=_resized(v.shape, numbers)) for v in expression.variables.values()}
        let = {name: v.declaration for name, v in resized.items() if v.shape != expression.variables[name].shape}
    again = grad(parse(expression.text, let, expression.limits), derived.wrt, unconstrained=not derived.projected)
    program = read(claim, expression.limits, names=frozenset(expression.variables))
    found = typed_claim(program, again.expression.typed, again.node.shape, expression.limits)
    shapes = ", ".join(f"{name}: {text}" for name, text in let.items())
    return again, found, f"the claim's shapes fit only with {shapes}"


def is_special(whole: Expression, again: Expression | Derivative) -> bool:
    """Whether sizes that the expression tells apart are one in the other, or 1; larger ones a claim names itself."""
    found = {
        size: other
        for name, v in whole.variables.items()
        for size, other in zip(v.shape, again.variables[name].shape, strict=True)
        if size != 1
    }
    left = [other for other in found.values() if not isinstance(other, int)]
    return 1 in found.values() or len(set(left)) < len(left)


def told_by_numbers(claimed: Shape, wanted: Shape) -> dict[str, int]:
    """The sizes that a claim of numbers alone fixes, as eye(3) does of an n×n gradient."""
    pairs = zip(wanted, claimed, strict=True)
    return {str(w): c for w, c in pairs if isinstance(w, Size) and w.is_name and isinstance(c, int) and c > 1}


def _resized(shape: tuple[AnySize, ...], numbers: Mapping[str, int]) -> tuple[AnySize, ...]:
    return tuple(substitute_sizes(size, numbers) for size in shape)


def _declaration(record: VariableRecord) -> str:
    return Variable(record.name, record.kind, record.shape, record.properties).declaration
