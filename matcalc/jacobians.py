"""Jacobians and Hessians: the linear map of the differential with its input left open, read off as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.readoff import matrix_of
from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.derivative import Derivative, freed, grad, projection, refuse_non_scalar, subspace_of, substituted
from matcalc.errors import ParseError, UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.jacobian_record import Jacobian
from matcalc.parsed import Expression, Let, expression_of, name_of


def jacobian(
    f: Expression | str, wrt: str, let: Let = None, *, unconstrained: bool = False, layout: str = "numerator"
) -> Jacobian:
    """The Jacobian of anything by a name: numerator layout, the shapes that ``torch.func.jacrev`` gives.

    Of a Jacobian it is the Jacobian of the matrix that is written for it.

    Raises:
        ParseError: when the name does not occur, and for a layout that is none.
        UnsupportedError: for a Jacobian without a closed form, for an unconstrained one of a derivative, and for an
            operator that has no differential.

    >>> print(jacobian("tanh(W*x + b)", "x"))
    diag(1 - tanh(W*x + b).^2)*W
    >>> print(jacobian("A*X*B", "X"))
    kron(B.T, A)
    """
    f = expression_of(f, let)
    name = name_of(wrt)
    variable = f.typed_variable(name)
    if isinstance(f, Jacobian) and not f.closed:
        raise UnsupportedError(f"the {f.kind} by {f.wrt} has no closed form, so it is not differentiated again")
    seen = f.node, variable
    if unconstrained and subspace_of(variable):
        seen = freed(f, name)
    found = _read_off(f, seen, variable, "" if unconstrained else subspace_of(variable), "jacobian", ())
    return found.in_layout(layout)


def hessian(
    f: Expression | str, *wrt: str, let: Let = None, unconstrained: bool = False, layout: str = "numerator"
) -> Jacobian:
    """The Hessian of a scalar by a name, or the mixed block ∂²f/∂u∂v by two: the Jacobian by v of the gradient by u.

    Raises:
        ShapeError: when the expression is not a scalar.
        ParseError: when a name does not occur, for no name or more than two, and for a layout that is none.
        UnsupportedError: for an unconstrained mixed block of which both names have a structure.

    >>> print(hessian("x'*A*x", "x"))
    A + A.T
    >>> print(hessian("norm2(T - U*V')^2", "U"))
    2*kron(V.T*V, eye(n))
    """
    f = expression_of(f, let)
    if len(wrt) not in (1, 2):
        raise ParseError(f"a Hessian is by one name or by two, and not by {len(wrt)}", suggestion="hessian(f, 'x')")
    first, last = name_of(wrt[0]), name_of(wrt[-1])
    refuse_non_scalar(f, "hessian")
    one, other = f.typed_variable(first), f.typed_variable(last)
    if unconstrained and (subspace_of(one) or subspace_of(other)):
        return _unconstrained_hessian(f, one, other).in_layout(layout)
    gradient = grad(f, first)
    before = (first,) if len(wrt) == 2 else ()
    found = _read_off(f, (gradient.node, other), other, subspace_of(other), "hessian", before, f.variables[first].shape)
    return replace(found, projected=gradient.projected or found.projected).in_layout(layout)


def tensor(f: Expression, names: Sequence[str], kind: str, *, unconstrained: bool = False) -> Derivative:
    """The gradient, the Jacobian (once for each name) or the Hessian, by ``kind``.

    Raises:
        ParseError: for another kind, and for several names where one is meant.
    """
    if kind == "hessian":
        return hessian(f, *names, unconstrained=unconstrained)
    if kind == "jacobian" and names:
        found: Expression = f
        for name in names:
            found = jacobian(found, name, unconstrained=unconstrained)
        assert isinstance(found, Jacobian)
        return found
    if kind != "grad":
        raise ParseError(f"no kind {kind!r}", why="the kinds are grad, jacobian and hessian")
    if len(names) != 1:
        raise ParseError("a gradient is by one name", suggestion="--kind hessian for a mixed block")
    return grad(f, names[0], unconstrained=unconstrained)


def _unconstrained_hessian(f: Expression, one: Node, other: Node) -> Jacobian:
    if one is not other and subspace_of(one) and subspace_of(other):
        raise UnsupportedError("an unconstrained mixed block by two names with a structure is not there yet")
    name = (one if subspace_of(one) else other).params[0]
    node, free = freed(f, name)
    first, last = (free if v.params[0] == name else v for v in (one, other))
    direction = direction_for(first)
    gradient = textbook(transposed_map(differential(node, first, direction), direction, build.number(1)))
    before = (one.params[0],) if one is not other else ()
    return _read_off(f, (gradient, last), other, "", "hessian", before, f.variables[one.params[0]].shape)


def _named_direction(f: Expression, variable: Node) -> Node:
    """The differential of a name as a name: dX, or dX_ where there is a dX already."""
    return build.variable(build.new_name("d" + variable.params[0], f.variables), variable.shape, variable.params[1])


def _read_off(
    f: Expression,
    seen: tuple[Node, Node],
    variable: Node,
    onto: str,
    kind: str,
    before: tuple[str, ...],
    rows: tuple[AnySize, ...] | None = None,
) -> Jacobian:
    """The Jacobian of ``seen[0]`` by ``seen[1]``, shown with ``variable`` in its place.

    Its first axes are those of ``f``, or ``rows`` where ``seen[0]`` is a gradient of ``f``.
    """
    node, moving = seen
    rows = f.shape if rows is None else rows
    cols = f.variables[variable.params[0]].shape
    direction = _named_direction(f, variable)
    pushed = differential(node, moving, projection(onto, direction))
    linear = textbook(substituted(pushed, {moving: variable}) if moving is not variable else pushed)
    if not cols:
        found: Node | None = textbook(substituted(linear, {direction: build.number(1)}))
    elif not rows:
        gradient = textbook(transposed_map(linear, direction, build.number(1)))
        found = gradient.T if len(cols) == 1 else gradient
    else:
        found = matrix_of(linear, direction)
        found = None if found is None else textbook(found)
    return Jacobian(
        f.text, f.typed, linear if found is None else found, f.limits, f, variable.params[0], kind, onto,
        closed=found is not None, linear=linear, direction=direction, rows=rows, cols=cols, others=before,
        seen=node, onto=onto, freed=moving is not variable,
    )  # fmt: skip
