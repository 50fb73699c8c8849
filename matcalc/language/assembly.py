"""The node that a text means, once every shape is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from matcalc.errors import LimitError, MatcalcError, ParseError, ShapeError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import callable_named, operator_named
from matcalc.expression.sizes import AnySize, Shape, Size, written_shape
from matcalc.language.functions import CONTEXTUAL, size_of
from matcalc.language.kinds import KIND_NAMES, kind_of
from matcalc.language.relations import Scene
from matcalc.language.syntax import Binary, Block, Call, Index, Name, Number, Sign, Slice, Transpose
from matcalc.language.syntax import Node as Tree
from matcalc.language.unification import Sizes
from matcalc.limits import Limits, exceeded

Variables = dict[str, tuple[str, Node]]


def assembled(
    made: Scene, shapes: Mapping[int, Shape], sizes: Sizes, limits: Limits
) -> tuple[Node, dict[Node, tuple[Node, ...]], Variables]:
    """The node, the order of the terms of each sum as typed, and the names.

    Raises:
        MatcalcError: for a value that does not exist (a division by zero, a power beyond the limits).
    """
    work = _Assembly(made, shapes, sizes, limits)
    for tree in made.nodes:
        try:
            node = work.node(tree)
        except MatcalcError as error:
            raise error.at(made.text, tree.span) if error.text is None else error from None
        work.done[id(tree)] = node
    return work.done[id(made.program.result)], work.order, work.variables


@dataclass
class _Assembly:
    made: Scene
    shapes: Mapping[int, Shape]
    sizes: Sizes
    limits: Limits
    done: dict[int, Node] = field(default_factory=dict)
    order: dict[Node, tuple[Node, ...]] = field(default_factory=dict)
    terms: dict[int, list[Node]] = field(default_factory=dict)
    variables: Variables = field(default_factory=dict)

    def of(self, tree: Tree) -> Node:
        return self.done[id(tree)]

    def shape(self, tree: Tree) -> Shape:
        return self.shapes[self.made.value_of[id(tree)]]

    def node(self, tree: Tree) -> Node:
        match tree:
            case Number(value=value):
                return build.number(value)
            case Name():
                return self.name(tree)
            case Sign(operand=operand, negative=negative):
                return self.signed(tree, operand, negative)
            case Transpose(operand=operand):
                return self.of(operand).T
            case Binary():
                return _BINARY[tree.operator](self, tree)
            case Index():
                return self.index(tree)
            case Call():
                return self.call(tree)
            case Block(rows=rows):
                return self.block(rows)
        raise ParseError("this has no meaning here", text=self.made.text, spans=(tree.span,))

    def name(self, tree: Name) -> Node:
        name = tree.name
        if name in self.made.bound:
            return self.of(self.made.bound[name])
        if name in self.made.names:
            return self.variable(name)
        if self.made.is_size(name):
            return build.size_number(self.sizes.resolved(Size.named(name)))
        if name == "pi":
            return build.constant("pi")
        return build.eye(self.shape(tree)[0])

    def variable(self, name: str) -> Node:
        if name not in self.variables:
            shape = self.shapes[self.made.names[name]]
            known = self.made.known.get(name)
            kind = known.kind if known is not None else KIND_NAMES[kind_of(shape)]
            properties = frozenset(known.properties) if known is not None else frozenset()
            self.variables[name] = (kind, build.variable(name, shape, kind, properties))
        return self.variables[name][1]

    def signed(self, tree: Tree, operand: Tree, negative: bool) -> Node:
        node = build.negate(self.of(operand)) if negative else self.of(operand)
        if id(operand) in self.terms:
            self.terms[id(tree)] = [build.negate(t) if negative else t for t in self.terms[id(operand)]]
        return node

    def sum(self, tree: Binary) -> Node:
        left, right = build.broadcast(self.of(tree.left), self.of(tree.right))
        negative = tree.operator.endswith("-")
        mine = self.terms.get(id(tree.left), [left]) if left is self.of(tree.left) else [left]
        terms = [*mine, build.negate(right) if negative else right]
        node = build.subtract(left, right) if negative else build.add(left, right)
        self.terms[id(tree)] = terms
        inner = node.args[-1] if node.op in ("scale", "times") and node.args[-1].op == "add" else node
        if inner.op == "add" and len(terms) <= self.limits.tokens:
            self.order.setdefault(inner, tuple(terms))
        return node

    def dotted(self, tree: Binary) -> Node:
        left, right = self.of(tree.left), self.of(tree.right)
        if tree.operator == ".^":
            if right.is_scalar:
                return self.raised(left, right, tree)
            left, right = build.broadcast(left, right)
            return build.power(left, right)
        return left / right if tree.operator == "./" else left * right

    def raised(self, base: Node, exponent: Node, tree: Tree) -> Node:
        value = build.number_of(exponent)
        if value is not None and abs(value) > self.limits.scalar_power:
            raise exceeded(self.limits, "scalar_power", abs(int(value)), "a power", self.made.text, tree.span)
        return build.power(base, exponent)

    def power(self, tree: Binary) -> Node:
        base, exponent = self.of(tree.left), self.of(tree.right)
        if base.is_scalar:
            return self.raised(base, exponent, tree)
        whole = build.integer_of(exponent)
        if whole is None:
            raise ShapeError(
                "a matrix has integer powers only",
                text=self.made.text,
                spans=(tree.span,),
                why="an elementwise power is written .^",
            )
        if abs(whole) > self.limits.matrix_power:
            raise exceeded(self.limits, "matrix_power", abs(whole), "a matrix power", self.made.text, tree.span)
        return build.matrix_power(base, whole)

    def index(self, tree: Index) -> Node:
        base = self.of(tree.operand)
        items = [*tree.items, *([Slice(None, None)] if len(tree.items) == 1 else [])]
        ends: list[AnySize] = []
        for item, size in zip(items, base.shape, strict=True):
            ends += self.ends(item, size, tree)
        return build.apply("index", base, params=tuple(ends))

    def ends(self, item: int | Slice, size: AnySize, tree: Tree) -> list[AnySize]:
        single = not isinstance(item, Slice)
        start = item if not isinstance(item, Slice) else item.start or 0
        stop = start + 1 if not isinstance(item, Slice) else size if item.stop is None else item.stop
        if single and isinstance(item, int) and item < 0:
            stop = start + 1 if start != -1 else 0
        first: AnySize = start if start >= 0 else size + start
        last: AnySize = (
            size if single and item == -1 else stop if not isinstance(stop, int) or stop >= 0 else size + stop
        )
        if single:
            last = first + 1
        if isinstance(size, int) and isinstance(first, int) and isinstance(last, int) and not 0 <= first < last <= size:
            raise ShapeError(
                f"the index is outside: there are {size}, counted from 0",
                text=self.made.text,
                spans=(tree.span,),
            )
        return [first, last]

    def call(self, tree: Call) -> Node:
        called = self.made.calls[id(tree)]
        if called.name == "size":
            axis = called.integers[1] or 0
            return build.size_number(self.of(called.matrices[0]).shape[axis])
        if called.name in CONTEXTUAL:
            return build.spread(self.of(called.matrices[0]), self.shape(tree))
        operator = operator_named(called.name)
        values: list[Any] = self.arguments(tree)
        if operator.call is not None:
            made: Node = operator.call(*values)
            return made
        return build.apply(called.name, *values)

    def arguments(self, tree: Call) -> list[Any]:
        called = self.made.calls[id(tree)]
        size_trees = {id(t) for _, t in called.sizes}
        values: list[Any] = []
        for argument, integer in zip(tree.arguments, called.integers, strict=True):
            if id(argument) in size_trees:
                values.append(self.sizes.resolved(size_of(argument, self.made.text, self.limits)))
            elif integer is not None and not any(argument is m for m in called.matrices):
                values.append(integer)
            else:
                values.append(self.of(argument))
        return values

    def block(self, rows: tuple[tuple[Tree, ...], ...]) -> Node:
        stack = {name: operator_named(name).call for name in ("hstack", "vstack")}
        assert stack["hstack"] is not None
        assert stack["vstack"] is not None
        return stack["vstack"](*(stack["hstack"](*(self.of(each) for each in row)) for row in rows))


def _multiplied(work: _Assembly, tree: Binary) -> Node:
    left, right = work.of(tree.left), work.of(tree.right)
    if left.is_scalar or right.is_scalar:
        return left * right
    if left.cols != right.rows:
        raise ShapeError(f"cannot multiply {written_shape(left.shape)} by {written_shape(right.shape)}")
    return build.product(left, right)


def _kron(work: _Assembly, tree: Binary) -> Node:
    operator = callable_named("kron")
    if operator is None:
        raise LimitError("kron is not there")
    return build.apply(operator.name, work.of(tree.left), work.of(tree.right))


_BINARY: dict[str, Callable[[_Assembly, Binary], Node]] = {
    **dict.fromkeys(("+", "-", ".+", ".-"), _Assembly.sum),
    **dict.fromkeys((".*", "./", ".^"), _Assembly.dotted),
    **dict.fromkeys(("*", "@"), _multiplied),
    "/": lambda work, tree: build.divide(work.of(tree.left), work.of(tree.right)),
    "\\": lambda work, tree: build.product(build.inverse(work.of(tree.left)), work.of(tree.right)),
    "kron": _kron,
    "^": _Assembly.power,
}
