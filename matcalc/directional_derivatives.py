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
    freed,
    grad,
    gradient_of,
    in_subspace,
    projection,
    refuse_non_scalar,
    subspace_of,
    substituted,
)
from matcalc.errors import ParseError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.language.greek import latin
from matcalc.language.inference import Typed
from matcalc.parsed import Expression, Let, expression_of, name_of, storage_of

_USUAL = {"jvp": "v", "vjp": "u", "hvp": "v"}
DIRECTED = tuple(_USUAL)
"""The kinds of derivatives that take a direction."""


def jvp(f: Expression | str, wrt: str, direction: str, let: Let = None, *, unconstrained: bool = False) -> Derivative:
    """The derivative in a direction, a new name with the shape of ``wrt``: the differential itself.

    Nothing is projected in it; where it is ``unconstrained`` the direction need not have the name's structure.

    Raises:
        ParseError: when the name does not occur, or the direction is no new name.
        UnsupportedError: for an unconstrained one of a derivative by a name with a structure.

    >>> print(jvp("x'*x", "x", "v"))
    2*x.T*v
    """
    f = expression_of(f, let)
    variable = f.typed_variable(name_of(wrt))
    d, extended = _with_direction(f, direction, variable.shape, variable.params[1])
    node, moving = seen(f, name_of(wrt), unconstrained)
    found = _shown(differential(node, moving, d), moving, variable)
    as_written = None if moving is variable else node
    return Derivative(f.text, extended, found, f.limits, f, name_of(wrt), "jvp", as_written=as_written)


def vjp(f: Expression | str, wrt: str, cotangent: str, let: Let = None, *, unconstrained: bool = False) -> Derivative:
    """The transposed derivative applied to a new name with the shape of ``f``; projected as a gradient is.

    Raises:
        ParseError: when the name does not occur, or the cotangent is no new name.
        UnsupportedError: for an unconstrained one of a derivative by a name with a structure.

    >>> print(vjp("A*x", "x", "u"))
    A.T*u
    """
    f = expression_of(f, let)
    variable = f.typed_variable(name_of(wrt))
    u, extended = _with_direction(f, cotangent, f.node.shape, storage_of(f.node))
    node, moving = seen(f, name_of(wrt), unconstrained)
    direction = direction_for(moving)
    found = _shown(transposed_map(differential(node, moving, direction), direction, u), moving, variable)
    projected = "" if unconstrained else subspace_of(variable)
    as_written = None if moving is variable else node
    return Derivative(
        f.text, extended, in_subspace(found, projected), f.limits, f, name_of(wrt), "vjp", projected, as_written
    )


def hvp(f: Expression | str, wrt: str, direction: str, let: Let = None, *, unconstrained: bool = False) -> Derivative:
    """The Hessian of a scalar times a new name with the shape of ``wrt``: the gradient's differential.

    Of a name in a linear subspace, gradient and direction are projected onto it, as the axes of its Hessian are.

    Raises:
        ShapeError: when the expression is not a scalar.
        ParseError: when the name does not occur, or the direction is no new name.
        UnsupportedError: for an unconstrained one of a derivative by a name with a structure.

    >>> print(hvp("x'*A*x", "x", "v"))
    (A + A.T)*v
    """
    f = expression_of(f, let)
    variable = f.typed_variable(name_of(wrt))
    d, extended = _with_direction(f, direction, variable.shape, variable.params[1])
    refuse_non_scalar(f, "hvp")
    node, moving = seen(f, name_of(wrt), unconstrained)
    projected = "" if unconstrained else subspace_of(variable)
    pushed = differential(gradient_seen(f, name_of(wrt), unconstrained), moving, projection(projected, d))
    found = in_subspace(_shown(pushed, moving, variable), projected)
    as_written = None if moving is variable else node
    return Derivative(f.text, extended, found, f.limits, f, name_of(wrt), "hvp", projected, as_written)


def directed(f: Expression, wrt: str, kind: str, direction: str, *, unconstrained: bool = False) -> Derivative:
    """The jvp, vjp or hvp, by ``kind``.

    Raises:
        MatcalcError: as that one does.

    >>> from matcalc.parsed import parse
    >>> print(directed(parse("x'*A*x"), "x", "hvp", "v"))
    (A + A.T)*v
    """
    make = {"jvp": jvp, "vjp": vjp, "hvp": hvp}[kind]
    return make(f, wrt, direction, unconstrained=unconstrained)


def new_direction(f: Expression, kind: str) -> str:
    """A name for the direction of a jvp, vjp or hvp that the expression does not have.

    >>> from matcalc.parsed import parse
    >>> new_direction(parse("x'*v"), "jvp")
    'v_'
    """
    return build.new_name(_USUAL[kind], f.variables)


def seen(f: Expression, name: str, unconstrained: bool) -> tuple[Node, Node]:
    """What is differentiated, and the node by which: as written, where the name's structure is disregarded."""
    variable = f.typed_variable(name)
    return freed(f, name) if unconstrained and subspace_of(variable) else (f.node, variable)


def gradient_seen(f: Expression, name: str, unconstrained: bool) -> Node:
    """The gradient of which a Hessian is the derivative: as written as well, for X' need not be X when X moves."""
    node, moving = seen(f, name, unconstrained)
    if moving is f.typed_variable(name):
        return grad(f, name, unconstrained=unconstrained).node
    return textbook(gradient_of(node, moving))


def _shown(found: Node, moving: Node, variable: Node) -> Node:
    """A result in textbook form, with the name as declared in place of the one that moves."""
    return textbook(found if moving is variable else substituted(found, {moving: variable}))


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
