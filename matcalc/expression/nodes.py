"""The expression: an immutable, interned node. Equal expressions are the same object.

Everything is a matrix to the calculus: a vector is n×1, a row 1×n, a scalar 1×1. What a scalar or a vector looks like
to torch (0-d, 1-d) is decided at the borders, by the language and the lowering.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from weakref import WeakValueDictionary

from matcalc.expression.operator import Operator, operator_named
from matcalc.expression.sizes import SCALAR, AnySize, Shape


class Node:
    """One operation on interned arguments; made by :mod:`matcalc.expression.build` alone.

    Attributes:
        op: the operator's name.
        args: the arguments, nodes themselves.
        params: what is not an expression: a name, a number, an axis, sizes.
        shape: rows and columns.
        free: the names that occur.
        facts: properties that hold for the value (``"symmetric"``, ``"posdef"``, …).
        weight: how many leaves the expression would have, written out.
        digest: a key that orders expressions the same way in every process.
    """

    __slots__ = ("__weakref__", "args", "digest", "facts", "free", "op", "params", "shape", "weight")

    op: str
    args: tuple[Node, ...]
    params: tuple[Any, ...]
    shape: Shape
    free: frozenset[str]
    facts: frozenset[str]
    weight: int
    digest: bytes

    @property
    def operator(self) -> Operator:
        """The record that says what this operation is."""
        return operator_named(self.op)

    @property
    def rows(self) -> AnySize:
        """How many rows."""
        return self.shape[0]

    @property
    def cols(self) -> AnySize:
        """How many columns."""
        return self.shape[1]

    @property
    def is_scalar(self) -> bool:
        """Whether the value is 1×1."""
        return self.shape == SCALAR

    @property
    def is_square(self) -> bool:
        """Whether rows and columns are the same size."""
        return self.shape[0] == self.shape[1]

    def depends_on(self, name: str) -> bool:
        """Whether ``name`` occurs."""
        return name in self.free

    def __add__(self, other: Node) -> Node:
        return _build().add(self, other)

    def __sub__(self, other: Node) -> Node:
        return _build().subtract(self, other)

    def __neg__(self) -> Node:
        return _build().negate(self)

    def __mul__(self, other: Node) -> Node:
        """A scalar times anything, or the elementwise product with NumPy's broadcasting."""
        if self.is_scalar or other.is_scalar:
            return _build().multiply(*((self, other) if self.is_scalar else (other, self)))
        return _build().times(*_build().broadcast(self, other))

    def __truediv__(self, other: Node) -> Node:
        return self * _build().power(other, _build().number(-1))

    def __matmul__(self, other: Node) -> Node:
        return _build().product(self, other)

    def __pow__(self, exponent: int | Node) -> Node:
        """The elementwise power."""
        return _build().power(self, exponent if isinstance(exponent, Node) else _build().number(exponent))

    @property
    def T(self) -> Node:  # noqa: N802  the field's name
        """The transpose."""
        return _build().transpose(self)

    def __repr__(self) -> str:
        inner = [*map(repr, self.args), *map(str, self.params)]
        return f"{self.op}({', '.join(inner)})" if self.weight < 200 else f"{self.op}(…)"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_revived, (self.op, self.args, self.params, self.shape))


def _build() -> Any:
    from matcalc.expression import build

    return build


_interned: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_MOST_WEIGHT = 10**18


def interned(op: str, args: tuple[Node, ...], params: tuple[Any, ...], shape: Shape) -> Node:
    """The one node with this operator, these arguments, parameters and shape."""
    key = (op, tuple(map(id, args)), params, shape)
    node = _interned.get(key)
    if node is None:
        node = _made(op, args, params, shape)
        _interned[key] = node
    return node


def _made(op: str, args: tuple[Node, ...], params: tuple[Any, ...], shape: Shape) -> Node:
    node = object.__new__(Node)
    node.op, node.args, node.params, node.shape = op, args, params, shape
    node.weight = min(sum(arg.weight for arg in args) + (not args), _MOST_WEIGHT)
    own = frozenset((params[0],)) if op == "variable" else frozenset()
    node.free = own.union(*(arg.free for arg in args)) if len(args) != 1 else args[0].free
    head = f"{op}{params}{shape}".encode()
    node.digest = hashlib.blake2b(b"".join([head, *(arg.digest for arg in args)]), digest_size=10).digest()
    node.facts = frozenset()
    infer = node.operator.facts
    if infer is not None:
        node.facts = infer(node)
    return node


def _revived(op: str, args: tuple[Node, ...], params: tuple[Any, ...], shape: Shape) -> Node:
    return interned(op, args, params, shape)


def postorder(*roots: Node) -> Iterator[Node]:
    """Every node below ``roots`` once, arguments before those that use them; no recursion."""
    seen: set[Node] = set()
    for root in roots:
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)
