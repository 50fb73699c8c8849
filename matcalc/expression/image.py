"""The SymPy expression of the same value, put together from the operators' records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matcalc.errors import UnsupportedError
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.expression.walk import fold


def sympy_image(node: Node) -> Any:
    """``node`` as a SymPy expression; sizes are positive integer symbols, 1×1 values are scalars.

    >>> from matcalc.expression import build
    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> sympy_image(A @ x)
    A*x

    Raises:
        UnsupportedError: for an operator that has no SymPy form.
    """
    return fold(node, _image)


def _image(node: Node, args: Sequence[Any]) -> Any:
    made = node.operator.sympy
    if made is None:
        raise UnsupportedError(f"{node.op} has no SymPy form")
    return made(node, args, _size)


def _size(size: AnySize) -> Any:
    import sympy

    return sympy.Integer(size) if isinstance(size, int) else size._sympy_()
