"""Terms: what a program's statements are made of, interned, free of any target's spelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.expression.sizes import SCALAR, Shape

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


@dataclass(frozen=True, eq=False, slots=True)
class Term:
    """One operation of a program on other terms; compared by identity.

    Attributes:
        op: ``name number size apply add negative multiply divide matmul transpose power sqrt square expand
            fill total``, and the solves and factorizations.
        args: what it works on.
        params: what is not a term: a name, a number, signs, the node whose record spells it.
        shape: rows and columns; what broadcasts may be smaller than the expression that it stands for.
        index: its place in the order of making, arguments first.
        plain: whether it is a Python number and no array.
    """

    op: str
    args: tuple[Term, ...]
    params: tuple[Any, ...]
    shape: Shape
    index: int
    plain: bool = False


class Terms:
    """Makes terms; equal ones are made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Term] = {}

    def make(self, op: str, *args: Term, params: tuple[Any, ...] = (), shape: Shape, plain: bool = False) -> Term:
        """The one term with this operation, arguments and parameters."""
        key = (op, args, params, shape)
        term = self._made.get(key)
        if term is None:
            term = self._made[key] = Term(op, args, params, shape, len(self._made), plain)
        return term

    def rebuilt(self, term: Term, args: tuple[Term, ...]) -> Term:
        """``term`` on other arguments."""
        if args == term.args:
            return term
        return self.make(term.op, *args, params=term.params, shape=term.shape, plain=term.plain)

    def name(self, text: str, shape: Shape) -> Term:
        """A parameter or a temporary."""
        return self.make("name", params=(text,), shape=shape)

    def number(self, value: Fraction | int) -> Term:
        """A number written out."""
        return self.make("number", params=(Fraction(value),), shape=SCALAR, plain=True)

    def apply(self, node: Node, *args: Term) -> Term:
        """The operation of ``node``, spelled by its record; a record takes arrays, so numbers become such."""
        plain = node.operator.constant and node.is_scalar
        arrays = tuple(self.array(arg) for arg in args)
        return self.make("apply", *arrays, params=(node,), shape=node.shape, plain=plain)

    def array(self, term: Term) -> Term:
        """``term`` as an array, filled with the number that it is."""
        return self.make("fill", term, shape=SCALAR) if term.plain else term

    def transpose(self, term: Term) -> Term:
        """The transpose, of a transpose the term itself, of a scalar nothing."""
        if term.shape == SCALAR:
            return term
        if term.op == "transpose":
            return term.args[0]
        return self.make("transpose", term, shape=(term.shape[1], term.shape[0]))

    def negative(self, term: Term) -> Term:
        """``-term``."""
        if term.op == "number":
            return self.number(-term.params[0])
        if term.op == "negative":
            return term.args[0]
        return self.make("negative", term, shape=term.shape, plain=term.plain)

    def add(self, signs: tuple[int, ...], args: tuple[Term, ...]) -> Term:
        """The signed sum."""
        if len(args) == 1:
            return args[0] if signs[0] > 0 else self.negative(args[0])
        return self.make("add", *args, params=signs, shape=_joint(args), plain=all(a.plain for a in args))

    def multiply(self, *args: Term) -> Term:
        """The elementwise product, as arrays broadcast."""
        total = args[0]
        for arg in args[1:]:
            total = self._pair(total, arg)
        return total

    def _pair(self, left: Term, right: Term) -> Term:
        if left.op == "number" and left.params[0] == 1:
            return right
        if left.op == "number" and left.params[0] == -1:
            return self.negative(right)
        both = (left, right)
        return self.make("multiply", *both, shape=_joint(both), plain=left.plain and right.plain)

    def divide(self, left: Term, right: Term) -> Term:
        """The elementwise quotient."""
        both = (left, right)
        return self.make("divide", *both, shape=_joint(both), plain=left.plain and right.plain)

    def matmul(self, left: Term, right: Term) -> Term:
        """The matrix product."""
        return self.make("matmul", left, right, shape=(left.shape[0], right.shape[1]))

    def power(self, base: Term, exponent: Term) -> Term:
        """The elementwise power; 2 and 1/2 of an array have their own names."""
        if exponent.op == "number" and not base.plain:
            own = {Fraction(1): "", Fraction(2): "square", Fraction(1, 2): "sqrt"}.get(exponent.params[0])
            if own is not None:
                return self.make(own, base, shape=base.shape) if own else base
        both = (base, exponent)
        return self.make("power", *both, shape=_joint(both), plain=base.plain and exponent.plain)

    def expand(self, term: Term, shape: Shape) -> Term:
        """``term`` repeated to ``shape``."""
        return term if term.shape == shape else self.make("expand", self.array(term), shape=shape)

    def total(self, term: Term) -> Term:
        """The sum of all entries."""
        return self.make("total", term, shape=SCALAR)


def _joint(args: tuple[Term, ...]) -> Shape:
    rows = next((arg.shape[0] for arg in args if arg.shape[0] != 1), 1)
    cols = next((arg.shape[1] for arg in args if arg.shape[1] != 1), 1)
    return rows, cols


def below(*roots: Term) -> Iterator[Term]:
    """Every term below ``roots`` once, arguments first."""
    seen: set[Term] = set()
    stack = list(roots)
    while stack:
        term = stack.pop()
        if term not in seen:
            seen.add(term)
            stack.extend(term.args)
    yield from sorted(seen, key=lambda term: term.index)
