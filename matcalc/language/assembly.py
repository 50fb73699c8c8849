"""The node that a text means, once every shape is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.errors import MatcalcError, ParseError, ShapeError
from matcalc.expression import build
from matcalc.expression.nodes import Node, interned
from matcalc.expression.operator import Operator, operator_of_sign, stacking
from matcalc.expression.sizes import AnySize, Shape, Size, written_shape
from matcalc.language.functions import size_of
from matcalc.language.kinds import KIND_NAMES, kind_of
from matcalc.language.scene import Scene
from matcalc.language.tree import Binary, Block, Call, Index, Name, Number, Sign, Slice, Transpose
from matcalc.language.tree import Node as Tree
from matcalc.language.unification import Sizes
from matcalc.limits import Limits, exceeded

Variables = dict[str, tuple[str, Node]]


def assembled(
    made: Scene, shapes: Mapping[int, Shape], sizes: Sizes, limits: Limits
) -> tuple[Node, dict[Node, tuple[Node, ...]], Variables, tuple[Node, ...]]:
    """The node, the terms or factors of each sum and product as typed, the names, and what each part of the text means.

    A call that came apart, as ``det(A*X)`` into two, is remembered as the one part of what it became.

    Raises:
        MatcalcError: for a value that does not exist (a division by zero, a power beyond the limits).
    """
    work = _Assembly(made, shapes, sizes, limits)
    inner = {id(tree.left) for tree in made.nodes if isinstance(tree, Binary) and _goes_on(tree)}
    for tree in made.nodes:
        if id(tree) in inner:
            continue
        try:
            node = work.node(tree)
        except MatcalcError as error:
            raise error.at(made.text, tree.span) if error.text is None else error from None
        if len(node.args) > limits.nodes:
            raise exceeded(limits, "nodes", len(node.args), "an expression of too many parts", made.text, tree.span)
        work.done[id(tree)] = node
    parts = tuple(dict.fromkeys(work.done.values()))
    return work.done[id(made.program.result)], work.order, work.variables, parts


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
                return _BINARY.get(tree.operator, _by_sign)(self, tree)
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
        first, rest = _row(tree)
        parts = [self.of(first)]
        terms = list(self.terms.get(id(first), parts))
        for operator, right in rest:
            node = build.negate(self.of(right)) if operator.endswith("-") else self.of(right)
            shape = _common(parts[0].shape, node.shape)
            if parts[0].shape != shape:
                parts = [build.spread(build.add(*parts), shape)]
                terms = list(parts)
            parts.append(build.spread(node, shape))
            terms.append(parts[-1])
        made = build.add(*parts)
        self.terms[id(tree)] = terms
        inner = made.args[-1] if made.op in ("scale", "times") and made.args[-1].op == "add" else made
        if inner.op == "add":
            self.order.setdefault(inner, tuple(terms))
        return made

    def ordered(self, made: Node, typed: Sequence[Node]) -> Node:
        """A product of scalars or of entries, its factors remembered as typed; a product with a scalar value too."""
        rest = build.split(made)[1]
        if rest.op == "times":
            bare = [build.split(part)[1] for part in typed]
            factors = [f for part in bare for f in (self.order.get(part, part.args) if part.op == "times" else (part,))]
            place = {_up_to_a_number(factor): k for k, factor in enumerate(factors)}
            if all(_up_to_a_number(factor) in place for factor in rest.args):
                order = sorted(rest.args, key=lambda factor: place[_up_to_a_number(factor)])
                self.order.setdefault(rest, tuple(order))
        elif rest.op == "product" and rest.is_scalar:
            self.order.setdefault(rest, rest.args)
        return made

    def entrywise(self, tree: Binary) -> Node:
        first, rest = _row(tree)
        made, run = None, [self.of(first)]
        for operator, right in rest:
            factor = self.of(right) if operator == ".*" else self.reciprocal(self.of(right))
            if factor.shape != run[0].shape:
                made = build.times(*run) if made is None else made * build.times(*run)
                run = []
            run.append(factor)
        return self.ordered(build.times(*run), run) if made is None else made * build.times(*run)

    def reciprocal(self, node: Node) -> Node:
        under = [build.power(factor, build.number(-1)) for factor in self.order.get(node, ())]
        return self.ordered(build.power(node, build.number(-1)), under)

    def dotted(self, tree: Binary) -> Node:
        left, right = self.of(tree.left), self.of(tree.right)
        if right.is_scalar:
            return self.raised(left, right, tree)
        return build.power(*build.broadcast(left, right))

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
        length = last - first
        if isinstance(length, Size) and any(factor < 0 for monomial, factor in length.terms if monomial):
            raise ShapeError(
                f"this slice has the length {length}, which need not be positive",
                text=self.made.text,
                spans=(tree.span,),
                why=f"it fits only some sizes: declare {size} as a number",
            )
        if isinstance(size, int) and isinstance(first, int) and isinstance(last, int) and not 0 <= first < last <= size:
            raise ShapeError(
                f"the index is outside: there are {size}, counted from 0",
                text=self.made.text,
                spans=(tree.span,),
            )
        return [first, last]

    def call(self, tree: Call) -> Node:
        called = self.made.calls[id(tree)]
        values: list[Any] = self.arguments(tree)
        if called.operator.contextual:
            values.append(self.shape(tree))
        made = _called(called.operator, *values)
        if _came_apart(called.operator, made):
            self.order.setdefault(made, (interned(called.operator.name, tuple(values), (), made.shape),))
        return made

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
        return _called(stacking(0), *(_called(stacking(1), *(self.of(each) for each in row)) for row in rows))


_ROWS = {**dict.fromkeys(("+", "-", ".+", ".-"), 1), **dict.fromkeys((".*", "./"), 2)}


def _goes_on(tree: Binary) -> bool:
    """Whether the left operand belongs to the same row of sums or of elementwise products, made at once."""
    row, left = _ROWS.get(tree.operator), tree.left
    return row is not None and isinstance(left, Binary) and _ROWS.get(left.operator) == row


def _row(tree: Binary) -> tuple[Tree, list[tuple[str, Tree]]]:
    """The first operand of a row of operators, and each operator with what follows it."""
    rest = [(tree.operator, tree.right)]
    while _goes_on(tree):
        assert isinstance(tree.left, Binary)  # for the type checker; `_goes_on` has seen to it
        tree = tree.left
        rest.append((tree.operator, tree.right))
    return tree.left, rest[::-1]


def _common(left: Shape, right: Shape) -> Shape:
    return (right[0] if left[0] == 1 else left[0]), (right[1] if left[1] == 1 else left[1])


def _multiplied(work: _Assembly, tree: Binary) -> Node:
    left, right = work.of(tree.left), work.of(tree.right)
    if left.is_scalar or right.is_scalar:
        return work.ordered(left * right, (left, right))
    if left.cols != right.rows:
        raise ShapeError(f"cannot multiply {written_shape(left.shape)} by {written_shape(right.shape)}")
    made = build.product(left, right)
    return work.ordered(made, ()) if made.is_scalar else made


def _up_to_a_number(factor: Node) -> Node:
    """A factor; a sum without its sign and content, of which a product takes charge."""
    return build.primitive(factor)[1] if factor.op == "add" else factor


def _came_apart(operator: Operator, made: Node) -> bool:
    """Whether a call became a product of calls of the same operator, to whole powers, as det(A*X) does."""
    if made.op not in ("times", "power") or operator.call is not None:
        return False
    powers = [
        f.args if f.op == "power" else (f, build.number(1)) for f in (made.args if made.op == "times" else (made,))
    ]
    return all(base.op == operator.name and (build.integer_of(exponent) or 0) > 0 for base, exponent in powers)


def _called(operator: Operator, *values: Any) -> Node:
    made: Node = operator.call(*values) if operator.call is not None else build.apply(operator.name, *values)
    return made


def _by_sign(work: _Assembly, tree: Binary) -> Node:
    operator = operator_of_sign(tree.operator)
    assert operator is not None  # for the type checker; the relations have seen to it
    return _called(operator, work.of(tree.left), work.of(tree.right))


_BINARY: dict[str, Callable[[_Assembly, Binary], Node]] = {
    **dict.fromkeys(("+", "-", ".+", ".-"), _Assembly.sum),
    **dict.fromkeys((".*", "./"), _Assembly.entrywise),
    ".^": _Assembly.dotted,
    **dict.fromkeys(("*", "@"), _multiplied),
    "/": lambda work, tree: build.divide(work.of(tree.left), work.of(tree.right)),
    "^": _Assembly.power,
}
