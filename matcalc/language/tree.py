"""The syntax tree: records with the spans of what was typed.

>>> Name("x", span=Span(0, 1))
Name(0:1)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from matcalc.errors import Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """What every part of the tree is: something with a span, parentheses around it included."""

    span: Span = field(kw_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.span.start}:{self.span.end})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Number(Node):
    """A number as written, exactly: `0.5` is 1/2."""

    value: Fraction


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name(Node):
    """A name in its Latin spelling: `λ` is `lambda`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sign(Node):
    """`-x` or `+x`."""

    negative: bool
    operand: Node


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary(Node):
    r"""Two operands and one of `+ - * @ \ .* ./ / ⊗ .+ .- ^ .^`; `glyph` is what was typed."""

    operator: str
    left: Node
    right: Node
    operator_span: Span
    glyph: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Transpose(Node):
    """A transpose, and how it was written: `.T`, `'`, `ᵀ`, `^T`, `.t()`, `.mT`."""

    operand: Node
    written: str


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop`, either of them open."""

    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index(Node):
    """`x[1]`, `A[0, :]`; a span for each item."""

    operand: Node
    items: tuple[int | Slice, ...]
    item_spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(Node):
    """A function by its name, known or not, and its arguments."""

    function: str
    arguments: tuple[Node, ...]
    function_span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Block(Node):
    """`[A, B; C, D]`, row by row."""

    rows: tuple[tuple[Node, ...], ...]


SizeTree = Number | Name | Binary


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """`let name: kind(sizes; properties)`; without a name in the text, `name` is as given or empty."""

    name: str
    kind: str
    sizes: tuple[SizeTree, ...]
    properties: tuple[str, ...]
    span: Span
    name_span: Span
    property_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """`name = value`, a shared subexpression."""

    name: str
    value: Node
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A text: what it declares, what it names, and the one expression that it is."""

    text: str
    declarations: tuple[Declaration, ...]
    bindings: tuple[Binding, ...]
    result: Node


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, from left to right.

    >>> children(Sign(True, Name("x", span=Span(1, 2)), span=Span(0, 2)))
    (Name(1:2),)
    """
    match node:
        case Sign(operand=operand) | Transpose(operand=operand) | Index(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case Block(rows=rows):
            return tuple(entry for row in rows for entry in row)
    return ()


def children_first(root: Node) -> list[Node]:
    """Every node of a tree after its children, without recursion.

    >>> children_first(Sign(True, Name("x", span=Span(1, 2)), span=Span(0, 2)))
    [Name(1:2), Sign(0:2)]
    """
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += children(node)
    return found[::-1]
