"""Derivatives in a direction: jvp, vjp and hvp."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.derivative import (
    Derivative,
    Expression,
    Let,
    expression_of,
    grad,
    in_subspace,
    name_of,
    projection,
    storage_of,
    subspace_of,
)
from matcalc.errors import ParseError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.language.greek import latin
from matcalc.language.inference import Typed


def jvp(f: Expression | str, wrt: str, direction: str, let: Let = None, *, unconstrained: bool = False) -> Derivative:
    """The derivative in a direction, a new name with the shape of ``wrt``: the differential itself.

    Nothing is projected in it; ``unconstrained`` is there for the sake of the other derivatives.

    Raises:
        ParseError: when the name does not occur, or the direction is no new name.

    >>> print(jvp("x'*x", "x", "v"))
    2*x.T*v
    """
    f = expression_of(f, let)
    variable = f.typed_variable(name_of(wrt))
    d, extended = _with_direction(f, direction, variable.shape, variable.params[1])
    return Derivative(f.text, extended, textbook(differential(f.node, variable, d)), f.limits, f, name_of(wrt), "jvp")


def vjp(f: Expression | str, wrt: str, cotangent: str, let: Let = None, *, unconstrained: bool = False) -> Derivative:
    """The transposed derivative applied to a new name with the shape of ``f``; projected as a gradient is.

    Raises:
        ParseError: when the name does not occur, or the cotangent is no new name.

    >>> print(vjp("A*x", "x", "u"))
    A.T*u
    """
    f = expression_of(f, let)
    variable = f.typed_variable(name_of(wrt))
    u, extended = _with_direction(f, cotangent, f.node.shape, storage_of(f.node))
    direction = direction_for(variable)
    found = textbook(transposed_map(differential(f.node, variable, direction), direction, u))
    projected = "" if unconstrained else subspace_of(variable)
    return Derivative(f.text, extended, in_subspace(found, projected), f.limits, f, name_of(wrt), "vjp", projected)


def hvp(f: Expression | str, wrt: str, direction: str, let: Let = None, *, unconstrained: bool = False) -> Derivative:
    """The Hessian of a scalar times a new name with the shape of ``wrt``: the gradient's differential.

    Of a name in a linear subspace, gradient and direction are projected onto it, as the axes of its Hessian are.

    Raises:
        ShapeError: when the expression is not a scalar.
        ParseError: when the name does not occur, or the direction is no new name.

    >>> print(hvp("x'*A*x", "x", "v"))
    (A + A.T)*v
    """
    f = expression_of(f, let)
    variable = f.typed_variable(name_of(wrt))
    d, extended = _with_direction(f, direction, variable.shape, variable.params[1])
    gradient = grad(f, wrt, unconstrained=unconstrained)
    projected = gradient.projected
    found = textbook(differential(gradient.node, variable, projection(projected, d)))
    return Derivative(f.text, extended, in_subspace(found, projected), f.limits, f, name_of(wrt), "hvp", projected)


def _with_direction(f: Expression, name: str, shape: Any, storage: str) -> tuple[Node, Typed]:
    """A new name, and the names of ``f`` with it at the end."""
    name = name_of(name)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ParseError(f"{name!r} is no name for a direction", why="a name is letters, digits and _")
    if name in f.variables:
        raise ParseError(f"{name!r} is a name of the expression; a direction needs a new one")
    node = build.variable(latin(name), shape, storage)
    record = replace(
        f.typed.variables[0],
        name=latin(name),
        kind=storage,
        shape=_outside(shape, storage),
        properties=(),
        inferred=True,
        node=node,
    )
    return node, replace(f.typed, variables=(*f.typed.variables, record))


def _outside(shape: Any, storage: str) -> tuple[AnySize, ...]:
    return () if storage == "scalar" else tuple(shape[:1] if storage == "vector" else shape)
