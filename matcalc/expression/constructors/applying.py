"""Every other operator, by its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.errors import ShapeError
from matcalc.expression import build
from matcalc.expression.constructors.leaves import is_ones, number
from matcalc.expression.nodes import Node, interned
from matcalc.expression.operator import operator_named
from matcalc.expression.signature import matched
from matcalc.expression.sizes import Shape, written_shape


def apply(name: str, *args: Node, params: tuple[Any, ...] = ()) -> Node:
    """The operator called ``name`` applied to ``args``.

    Raises:
        ShapeError: when no signature of the operator fits.
    """
    operator = operator_named(name)
    if operator.is_elementwise and len(args) == 1 and not params:
        through = _elementwise_through(name, args[0])
        if through is not None:
            return through
    if operator.simplify is not None:
        simpler = operator.simplify(args, params)
        if simpler is not None:
            return simpler
    return interned(name, args, params, shape_of(name, args, params))


def _elementwise_through(name: str, arg: Node) -> Node | None:
    """An elementwise function of a spread scalar is a spread scalar; of a transpose, a transpose."""
    if is_ones(arg):
        return build.scale(apply(name, number(1)), arg)
    if arg.op == "scale" and is_ones(arg.args[1]):
        return build.scale(apply(name, arg.args[0]), arg.args[1])
    if arg.op == "transpose":
        return build.transpose(apply(name, arg.args[0]))
    return None


def shape_of(name: str, args: tuple[Node, ...], params: tuple[Any, ...] = ()) -> Shape:
    """The shape of an operator's result.

    Raises:
        ShapeError: when no signature fits.
    """
    operator = operator_named(name)
    if operator.shape is not None:
        return operator.shape(args, params)
    shapes = [arg.shape for arg in args]
    for sig in operator.patterns:
        result = matched(sig, shapes)
        if result is not None:
            return result
    given = ", ".join(written_shape(shape) for shape in shapes)
    raise ShapeError(f"{name} does not take {given}; it takes {' or '.join(operator.signatures)}")


def with_args(node: Node, args: tuple[Node, ...]) -> Node:
    """``node`` rebuilt on other arguments, canonical again."""
    if args == node.args:
        return node
    rebuild = _REBUILD.get(node.op)
    if rebuild is not None:
        return rebuild(node, args)
    return apply(node.op, *args, params=node.params)


_REBUILD: dict[str, Callable[[Node, tuple[Node, ...]], Node]] = {
    "add": lambda node, args: build.add(*args),
    "times": lambda node, args: build.times(*args),
    "scale": lambda node, args: build.multiply(*args),
    "product": lambda node, args: build.product(*args),
    "power": lambda node, args: build.power(*args),
    "transpose": lambda node, args: build.transpose(*args),
    "matpow": lambda node, args: build.matrix_power(args[0], node.params[0]),
    "spread": lambda node, args: build.spread(args[0], node.shape),
}
