"""Signatures: one text that says what an operator takes and gives, read by inference, the constructors and the docs.

``"(m,n), (n,k) -> (m,k)"`` is the matrix product. A name stands for any size, 1 included, so ``"(n,1)"`` also takes a
scalar. ``size n`` is an argument in a size's place, ``int i`` a written integer, and a bare number such as ``0`` an
argument that must be just that (``"(m,n), 0 -> (1,n)"`` is a sum over columns). A name that stands in the result alone
is found from the context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from matcalc.expression.sizes import AnySize, Shape, Size, substitute_sizes


@dataclass(frozen=True)
class Parameter:
    """One argument: a matrix of a shape, a size, or a written integer (``value`` where it is prescribed)."""

    kind: str
    shape: Shape = (1, 1)
    name: str = ""
    value: int | None = None


@dataclass(frozen=True)
class Signature:
    """Argument patterns and the result's shape."""

    text: str
    parameters: tuple[Parameter, ...]
    result: Shape
    variadic: bool = False

    @property
    def matrices(self) -> tuple[Shape, ...]:
        """The shapes of the arguments that are expressions."""
        return tuple(p.shape for p in self.parameters if p.kind == "matrix")


@cache
def signature(text: str) -> Signature:
    """``text`` read as a signature.

    >>> signature("(m,n) -> (m*n,1)").result
    (m*n, 1)
    """
    left, right = text.split("->")
    pieces = re.findall(r"\([^()]*\)(?:\.\.\.)?|size \w+|int \w+|-?\d+", left)
    return Signature(
        text,
        tuple(_parameter(piece.removesuffix("...")) for piece in pieces),
        _shape(right.strip()),
        left.strip().endswith("..."),
    )


def _parameter(piece: str) -> Parameter:
    if piece.startswith("("):
        return Parameter("matrix", shape=_shape(piece))
    if piece.startswith(("size ", "int ")):
        kind, name = piece.split()
        return Parameter(kind, name=name)
    return Parameter("int", value=int(piece))


def _shape(text: str) -> Shape:
    rows, cols = text.strip("() ").split(",")
    return _polynomial(rows), _polynomial(cols)


def _polynomial(text: str) -> AnySize:
    total: AnySize = 0
    for sign, term in re.findall(r"([+-]?)([^+-]+)", text.replace(" ", "")):
        product: AnySize = -1 if sign == "-" else 1
        for factor in term.split("*"):
            product = product * (int(factor) if factor.isdigit() else Size.named(factor))
        total = total + product
    return total


def matched(sig: Signature, shapes: Sequence[Shape], sizes: Sequence[AnySize] = ()) -> Shape | None:
    """The result's shape where the arguments have ``shapes`` (and the size arguments are ``sizes``), or None.

    >>> matched(signature("(m,n), (n,k) -> (m,k)"), [(2, 3), (3, 1)])
    (2, 1)
    >>> matched(signature("(n,n) -> (1,1)"), [(2, 3)]) is None
    True
    """
    bound: dict[str, AnySize] = {}
    patterns = list(sig.matrices)
    if sig.variadic:
        patterns = patterns[:-1] + [patterns[-1]] * (len(shapes) - len(patterns) + 1)
    if len(patterns) != len(shapes):
        return None
    wanted = [p.name for p in sig.parameters if p.kind == "size"]
    bound.update(zip(wanted, sizes, strict=False))
    for pattern, shape in zip(patterns, shapes, strict=True):
        for want, have in zip(pattern, shape, strict=True):
            if isinstance(want, Size) and want.is_name:
                if bound.setdefault(str(want), have) != have:
                    return None
            elif substitute_sizes(want, bound) != have:
                return None
    return substitute_sizes(sig.result[0], bound), substitute_sizes(sig.result[1], bound)
