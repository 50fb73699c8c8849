# signs of the language that look like others are what is recognised here
"""From the tokens that lark finds to those of the grammar: separators by the brackets around, transposes as one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from matcalc.language.tokens import CLOSING, OPENING, OPERATORS, renamed

if TYPE_CHECKING:
    from lark import Token

_GOES_ON = OPERATORS | {"EQUALS", "COMMA", "COLON", "SEP"}


def laid_out(tokens: list[Token], names: frozenset[str]) -> list[Token]:
    """The tokens as the grammar takes them; with a `T` declared in the text or among `names`, `x^T` is a power."""
    separated = list(_separated(tokens))
    while separated and separated[-1].type == "SEP":
        separated.pop()
    return list(_with_transposes(separated, "T" in names or _is_declared("T", separated)))


def _separated(tokens: list[Token]) -> Iterator[Token]:
    """Name the separators by the brackets around them; drop newlines where the text goes on."""
    depth, before = 0, "SEP"
    for token, following in zip_longest(tokens, tokens[1:]):
        depth = max(0, depth + (token.type in OPENING) - (token.type in CLOSING))
        kind = _separator(token, depth, before, following)
        if kind:
            before = kind
            yield token if kind == token.type else renamed(token, kind)


def _separator(token: Token, depth: int, before: str, following: Token | None) -> str:
    if token.type == "NEWLINE":
        return "" if depth or before in _GOES_ON else "SEP"
    if token.type == "SEMI" and not depth:
        return "" if before == "SEP" else "SEP"
    if token.type == "SEMI":
        return "ROW"
    if str(token) == "let" and before == "SEP" and following is not None and following.type == "NAME":
        return "LET"
    return str(token.type)


def _is_declared(name: str, tokens: list[Token]) -> bool:
    """Whether a `let` or a binding of the text introduces the name."""
    letting, before = False, "SEP"
    for token, following in zip_longest(tokens, tokens[1:]):
        letting = (letting or token.type == "LET") and token.type not in ("COLON", "SEP")
        binds = before == "SEP" and following is not None and following.type == "EQUALS"
        if str(token) == name and (letting or binds):
            return True
        before = token.type
    return False


def _with_transposes(tokens: list[Token], is_t_a_name: bool) -> Iterator[Token]:
    """Join the tokens that together write one transpose."""
    place = 0
    while place < len(tokens):
        kind, length = _transpose_at([(t.type, str(t)) for t in tokens[place : place + 4]], is_t_a_name)
        yield renamed(tokens[place], kind, tokens[place + length - 1]) if kind else tokens[place]
        place += length


def _transpose_at(ahead: list[tuple[str, str]], is_t_a_name: bool) -> tuple[str, int]:
    """The kind and the number of the tokens that write a transpose here; ("", 1) where none is written."""
    match ahead:
        case [("ATTRIBUTE", ".T" | ".mT"), *_]:
            return "TRANSPOSE", 1
        case [("ATTRIBUTE", ".t"), ("OPEN", _), ("CLOSE", _), *_]:
            return "TRANSPOSE", 3
        case [("POWER", "^"), ("TRANSPOSE", "⊤" | "ᵀ"), *_]:
            return "TRANSPOSE", 2
        case [("POWER", "^"), ("NAME", "T"), ("OPEN", _), *_]:
            return "", 1
        case [("POWER", "^"), ("NAME", "T"), *_] if not is_t_a_name:
            return "TRANSPOSE", 2
        case [("POWER", "^" | "**"), ("SIGN", "-" | "−"), ("NAME", "T"), *_] if not is_t_a_name:
            return "INVERSE_TRANSPOSE", 3
    return "", 1
