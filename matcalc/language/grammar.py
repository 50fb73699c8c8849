"""The grammar, as lark reads it, and what is built of each of its rules."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from matcalc.errors import Span
from matcalc.language import numerals
from matcalc.language.declarations import Kind, declared
from matcalc.language.greek import latin
from matcalc.language.refusals import MisplacedError
from matcalc.language.tokens import across, is_token, span_of
from matcalc.language.tree import (
    Binary,
    Binding,
    Block,
    Call,
    Declaration,
    Index,
    Name,
    Node,
    Number,
    Sign,
    Slice,
    Transpose,
)
from matcalc.limits import Limits, exceeded

if TYPE_CHECKING:
    from lark import Lark, Token

_OPERATORS = {
    "**": "^",
    ".**": ".^",
    "·": "*",
    "⋅": "*",
    "×": "*",
    "⊙": ".*",
    "−": "-",
    ".−": ".-",
}


def lexed(text: str, limits: Limits) -> list[Token]:
    """The tokens of a text as they are typed.

    Raises LimitError where there are too many.
    """
    tokens: list[Token] = []
    for token in _grammar().lex(text):
        tokens.append(token)
        if len(tokens) > limits.tokens:
            raise exceeded(limits, "tokens", len(tokens), "more tokens than a text may have", text, span_of(token))
    return tokens


def parsed(tokens: list[Token], start: str, end: int) -> Any:
    """What the rule `start` makes of the tokens of a text that is `end` characters long.

    Raises MisplacedError at the first token that no rule takes, and RefusedError.
    """
    from lark import UnexpectedInput

    parser = _grammar().parse_interactive(start=start)
    at_end = Span(end, end), "END"
    place = at_end
    try:
        for token in tokens:
            place = span_of(token), str(token.type)
            parser.feed_token(token)
        place = at_end
        return parser.feed_eof()  # type: ignore[no-untyped-call]  # lark leaves it unannotated
    except UnexpectedInput:
        raise MisplacedError(*place) from None


class _Layout:
    """Keeps in the lexer what no rule of the grammar uses."""

    always_accept = ("SEMI", "NEWLINE", "ATTRIBUTE", "OTHER")

    @staticmethod
    def process(stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@functools.cache
def _grammar() -> Lark:
    from lark import Lark

    text = resources.files("matcalc.language").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        text,
        parser="lalr",
        lexer="basic",
        start=["program", "declaration"],
        postlex=_Layout(),
        transformer=_Builder(),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


class _Builder:
    """What lark calls for each rule, from the bottom up; one method a rule of the grammar."""

    def program(self, parts: list[Any]) -> list[Any]:
        return [part for part in parts if not is_token(part)]

    # declarations

    def names(self, parts: list[Any]) -> list[Token]:
        return parts[::2]

    def let(self, parts: list[Any]) -> list[Declaration]:
        return _each_declared(parts[1], parts[3], across(parts))

    def declaration(self, parts: list[Any]) -> list[Declaration]:
        return _each_declared(parts[0], parts[2], span_of(parts[0][0]).to(parts[2].span))

    def nameless(self, parts: list[Any]) -> list[Declaration]:
        return [declared(parts[0], "", parts[0].span, parts[0].span)]

    def kind(self, parts: list[Any]) -> Kind:
        row = next((place for place, part in enumerate(parts) if is_token(part) and part.type == "ROW"), len(parts))
        return Kind(parts[0], _nodes(parts[:row]), _nodes(parts[row:]), across(parts))

    def binding(self, parts: list[Any]) -> Binding:
        name, _, value = parts
        return Binding(latin(name), value, across(parts), span_of(name))

    # operators

    def binary(self, parts: list[Any]) -> Binary:
        left, operator, right = parts
        glyph = str(operator)
        return Binary(_OPERATORS.get(glyph, glyph), left, right, span_of(operator), glyph, span=across(parts))

    def sign(self, parts: list[Any]) -> Sign:
        return Sign(str(parts[0]) != "+", parts[1], span=across(parts))

    def transpose(self, parts: list[Any]) -> Transpose:
        return Transpose(parts[0], str(parts[1]), span=across(parts))

    def superscript(self, parts: list[Any]) -> Binary:
        base, glyph = parts
        written = glyph.translate(numerals.SUPERSCRIPTS)
        number = Number(numerals.value(written), span=span_of(glyph))
        exponent = Sign(True, number, span=number.span) if written.startswith("-") else number
        return Binary("^", base, exponent, span_of(glyph), str(glyph), span=across(parts))

    # indices

    def index(self, parts: list[Any]) -> Index:
        items, spans = zip(*parts[2], strict=True)
        if len(items) > 2:
            raise MisplacedError(spans[2], "AXIS")
        return Index(parts[0], items, spans, span=across(parts))

    def items(self, parts: list[Any]) -> list[tuple[int | Slice, Span]]:
        return parts[::2]

    def element(self, parts: list[Any]) -> tuple[int, Span]:
        return _whole(parts[0]), parts[0].span

    def stretch(self, parts: list[Any]) -> tuple[Slice, Span]:
        colon = next(place for place, part in enumerate(parts) if is_token(part))
        start = _whole(parts[0]) if colon else None
        stop = _whole(parts[-1]) if colon < len(parts) - 1 else None
        return Slice(start, stop), across(parts)

    # operands

    def number(self, parts: list[Any]) -> Number:
        return Number(numerals.value(parts[0]), span=span_of(parts[0]))

    def name(self, parts: list[Any]) -> Name:
        return Name(latin(parts[0]), span=span_of(parts[0]))

    def call(self, parts: list[Any]) -> Call:
        return Call(latin(parts[0]), _nodes(parts), span_of(parts[0]), span=across(parts))

    def group(self, parts: list[Any]) -> Node:
        inner: Node = parts[1]
        return replace(inner, span=across(parts))

    def block(self, parts: list[Any]) -> Block:
        return Block(tuple(tuple(row) for row in parts[1]), span=across(parts))

    def sequence(self, parts: list[Any]) -> list[Node]:
        return parts[::2]

    def rows(self, parts: list[Any]) -> list[list[Node]]:
        return parts[::2]


def _each_declared(names: list[Token], kind: Kind, span: Span) -> list[Declaration]:
    return [declared(kind, latin(name), span, span_of(name)) for name in names]


def _nodes(parts: Sequence[Any]) -> tuple[Node, ...]:
    """The nodes of the sequences among the parts."""
    return tuple(node for part in parts if isinstance(part, list) for node in part)


def _whole(node: Node) -> int:
    number = node.operand if isinstance(node, Sign) else node
    if not isinstance(number, Number) or number.value.denominator != 1:
        raise MisplacedError(node.span, "INDEX")
    negative = isinstance(node, Sign) and node.negative
    return -int(number.value) if negative else int(number.value)
