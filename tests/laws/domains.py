"""What arguments must be, asked of the operators; and texts that are so: built, not hoped for."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations
from typing import Protocol

import numpy as np
from shapes import arguments, forward, written_size

import matcalc as mc
from matcalc.checking.values import Turn, lacks, value
from matcalc.errors import DomainError, MatcalcError
from matcalc.expression.nodes import postorder
from matcalc.expression.operator import TABLE, Operator
from matcalc.expression.property import PROPERTIES, closure
from matcalc.expression.signature import Signature, signature
from matcalc.expression.sizes import AnySize, Shape

OF_SCALARS = {"posdef": "positive", "positive_stable": "positive", "principal": "positive"}
OF_SCALARS |= {"invertible": "nonzero", "full_rank": "nonzero", "symmetric": ""}


class Makes(Protocol):
    """What recipes ask of the generator: a text of a shape, and of what it must be."""

    random: random.Random
    sizes: list[AnySize]

    def text(self, shape: Shape, depth: int, needs: str = "") -> str: ...


# ---------------------------------------------------------------------------------------------------- demands


@cache
def demands(name: str, pattern: str) -> Mapping[int, str]:
    """By position, the property that each argument must have: the domains of what a call makes, and what it refuses."""
    operator, one = TABLE[name], signature(pattern)
    found = _demands(operator, one, "")
    return found if found is not None else {0: "symmetric"} | (_demands(operator, one, "; symmetric") or {})


def _demands(operator: Operator, one: Signature, declared: str) -> Mapping[int, str] | None:
    bound = forward(operator, one, [3], random.Random(0))  # noqa: S311  reproducible, not secret
    shapes = list(arguments(one, bound))
    names = [f"V{k}" for k in range(len(shapes))]
    let = {
        name: f"matrix({written_size(rows)}, {written_size(cols)}{declared if rows == cols else ''})"
        for name, (rows, cols) in zip(names, shapes, strict=True)
    }
    try:
        f = mc.parse(call(operator, one, names, {k: written_size(v) for k, v in bound.items()}, lambda: 1), let)
    except DomainError:
        return None
    return {
        names.index(node.args[i].params[0]): wanted
        for node in postorder(f.node)
        for i, wanted in node.operator.domain.items()
        if node.args[i].op == "variable"
    }


def call(
    operator: Operator, one: Signature, args: list[str], sizes: Mapping[str, str], integer: Callable[[], int]
) -> str:
    """The call of an operator by name."""
    matrices = iter(args)
    given = [
        next(matrices) if p.kind == "matrix"
        else sizes[p.name] if p.kind == "size"
        else str(integer() if p.value is None else p.value)
        for p in one.parameters
    ]  # fmt: skip
    return f"{operator.name}({', '.join([*given, *matrices])})"


# ------------------------------------------------------------------------------------------------- properties


_ENTRIES: dict[str, Callable[[np.ndarray], bool]] = {
    "nonzero": lambda v: bool(np.abs(v).min() > 0),
    "positive": lambda v: bool(v.min() > 0),
    "nonnegative": lambda v: bool(v.min() >= 0),
    "unit": lambda v: bool(0 < v.min() <= v.max() < 1),
    "above_one": lambda v: bool(v.min() > 1),
    "above_minus_one": lambda v: bool(v.min() > -1),
    "simplex": lambda v: np.allclose(v.sum(axis=0 if v.shape[1] == 1 else 1), 1),
    "onehot": lambda v: set(np.unique(v)) <= {0, 1} and np.allclose(v.sum(axis=0 if v.shape[1] == 1 else 1), 1),
    "integer": lambda v: bool((v == np.rint(v)).all()),
    "invertible": lambda v: bool(np.abs(np.linalg.det(v)) > 1e-2),
    "psd": lambda v: bool(np.linalg.eigvalsh(v).min() > -1e-9),
}


@cache
def declarable(rows: int, cols: int) -> tuple[tuple[str, ...], ...]:
    """The properties, and pairs of them, that a matrix of so many rows and columns can be declared to have."""
    singles = [(name,) for name in PROPERTIES]
    return tuple(c for c in (*singles, *combinations(PROPERTIES, 2)) if _can_be_had(c, rows, cols))


@cache
def declarable_unless_square(rows: int, cols: int) -> tuple[tuple[str, ...], ...]:
    """The same without those that square matrices alone have."""
    return tuple(c for c in declarable(rows, cols) if not any(PROPERTIES[name].square for name in closure(c)))


def _can_be_had(properties: tuple[str, ...], rows: int, cols: int) -> bool:
    try:
        f = mc.parse("sum(V)", {"V": f"matrix({rows}, {cols}; {', '.join(properties)})"})
    except MatcalcError:
        return False
    variable = f.typed.variables[0].node
    rng = np.random.Generator(np.random.PCG64(0))
    with np.errstate(all="ignore"):
        made = [value(variable, rng, {}, Turn(k, k), f.node) for k in range(6)]
    return any(not lacks(variable, v) and all(_ENTRIES[p](v) for p in variable.facts if p in _ENTRIES) for v in made)


def has(properties: tuple[str, ...], needs: str) -> bool:
    """Whether what is declared implies what is needed."""
    return not needs or needs in closure(properties)


# ---------------------------------------------------------------------------------------------------- recipes

_Recipe = Callable[[Makes, Shape, int], str]


def _of(form: str, **needs: str) -> _Recipe:
    """A text with X and Y of the shape, W with as many columns, v with as many rows, a scalar s and the rows n.

    ``needs`` are properties of them.
    """
    letters = set(re.findall(r"\{(\w)\}", form)) - {"n"}

    def made(makes: Makes, shape: Shape, depth: int) -> str:
        rows, cols = shape
        shapes = {"X": shape, "Y": shape, "W": (makes.random.choice([1, 2, rows]), cols), "v": (rows, 1), "s": (1, 1)}
        texts = {name: f"({makes.text(shapes[name], depth - 1, needs.get(name, ''))})" for name in sorted(letters)}
        return form.format(n=written_size(rows), **texts)

    return made


RECIPES: dict[str, tuple[_Recipe, ...]] = {
    "positive": (
        _of("exp(0.5*{X})"),
        _of("0.3 + {X}.^2"),
        _of("0.1 + softplus({X})"),
        _of("0.2 + sigmoid({X})"),
        _of("abs({X}) + 0.5"),
        _of("cosh({X})"),
        _of("1 ./ {X}", X="positive"),
        _of("{X}.*{Y}", X="positive", Y="positive"),
        _of("{X} + {Y}", X="positive", Y="nonnegative"),
        _of("{s}*{X}", s="positive", X="positive"),
    ),
    "nonnegative": (_of("{X}.^2"), _of("1*{X}", X="positive"), _of("abs({X})")),
    "unit": (_of("0.9*tanh({X})"), _of("0.8*sin({X})"), _of("0.9*sigmoid({X})"), _of("{X}.*{Y}", X="unit", Y="unit")),
    "above_one": (_of("1.2 + {X}.^2"), _of("1.1 + exp({X})"), _of("1 + {X}", X="positive")),
    "above_minus_one": (_of("0.9*tanh({X})"), _of("exp({X}) - 0.5"), _of("1*{X}", X="positive")),
    "nonzero": (
        _of("1*{X}", X="positive"),
        _of("-{X}", X="positive"),
        _of("0.5*{X}", X="nonzero"),
        _of("{X}.*{Y}", X="nonzero", Y="nonzero"),
    ),
    "symmetric": (
        _of("{X} + {X}'"),
        _of("{X}'*{X}"),
        _of("{X}*{X}'"),
        _of("{W}'*{W} + diag({v})"),
        _of("{v}*{v}' - diag(exp({v}))"),
        _of("{X} + {Y}", X="symmetric", Y="symmetric"),
        _of("-2*{X}", X="symmetric"),
        _of("1*{X}", X="posdef"),
        _of("{s}*{X}", X="symmetric"),
        _of("{X}*{Y}*{X}'", Y="symmetric"),
    ),
    "posdef": (
        _of("{X} + {W}'*{W}", X="posdef"),
        _of("eye({n}) + {X}*{X}'"),
        _of("inv({X})", X="posdef"),
        _of("{s}*{X}", s="positive", X="posdef"),
        _of("diag({v})", v="positive"),
        _of("{X} + {Y}", X="posdef", Y="posdef"),
        _of("{s}*eye({n}) + {W}'*{W}", s="positive"),
    ),
    "positive_stable": (
        _of("{X} + ({Y} - {Y}')", X="posdef"),
        _of("2*{X}", X="positive_stable"),
        _of("1*{X}", X="posdef"),
    ),
    "principal": (_of("1*{X}", X="positive_stable"), _of("{X} + 0.1*tanh({Y})", X="posdef")),
    "invertible": (
        _of("1*{X}", X="posdef"),
        _of("{X}*{Y}", X="invertible", Y="invertible"),
        _of("{X}'", X="invertible"),
        _of("inv({X})", X="invertible"),
        _of("eye({n}) + 0.1*tanh({X})"),
        _of("expm(0.3*tanh({X}))"),
        _of("eye({n}) + ({X} - {X}')"),
        _of("{s}*{X}", s="nonzero", X="invertible"),
    ),
    "full_rank": (_of("{X}*3 - tanh({Y})"), _of("{X} + {Y}"), _of("{s}*{X}", s="nonzero", X="full_rank")),
}
"""By property: the ways to have it."""
