"""Tokens of the grammar: their kinds, and the stretch of text that a token or a part of the tree takes up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.errors import Span

if TYPE_CHECKING:
    from lark import Token

CLOSING = {"CLOSE": "OPEN", "CLOSE_SQUARE": "OPEN_SQUARE"}
"""The closing brackets, and what each of them closes."""

OPENING = frozenset(CLOSING.values())
OPERATORS = frozenset(("SIGN", "DOTSIGN", "TIMES", "POWER"))
OPERAND_ENDS = frozenset(("NAME", "NUMBER", "CLOSE", "CLOSE_SQUARE", "TRANSPOSE", "SUPER"))
"""The kinds with which an operand may end."""


def is_token(part: object) -> bool:
    """Whether a part of a rule is a token, and not what a rule has made."""
    return isinstance(part, str)


def span_of(part: Any) -> Span:
    """Where a token stands, or what a rule has made."""
    return Span(part.start_pos, part.end_pos) if is_token(part) else part.span


def across(parts: Sequence[Any]) -> Span:
    """From the start of the first part to the end of the last."""
    return span_of(parts[0]).to(span_of(parts[-1]))


def renamed(token: Token, kind: str, last: Token | None = None) -> Token:
    """The token under another kind, reaching to the end of a later one."""
    from lark import Token

    last = last or token
    value = str(token) if last is token else ".t()" if last.type == "CLOSE" else str(token) + str(last)
    return Token(kind, value, start_pos=token.start_pos, end_pos=last.end_pos)
