"""What a text may hold is counted before a tree is built of it: characters, names, digits, brackets in brackets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from matcalc.errors import Span
from matcalc.language.greek import latin
from matcalc.language.numerals import SUPERSCRIPTS, digits
from matcalc.language.refusals import MisplacedError
from matcalc.language.tokens import CLOSING, OPENING, OPERAND_ENDS, span_of
from matcalc.limits import Limits, exceeded

if TYPE_CHECKING:
    from lark import Token

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_SEPARATES = frozenset(("TIMES", "DOTSIGN", "COMMA", "SEP", "ROW", "COLON", "EQUALS"))
_ENDS_OPERAND = OPERAND_ENDS | {"ATTRIBUTE"}


def check_characters(text: str, limits: Limits) -> None:
    """Raises LimitError for a long text, MisplacedError for a character that cannot be seen."""
    if len(text) > limits.text:
        raise exceeded(limits, "text", len(text), f"a text of {len(text)} characters")
    for place, character in enumerate(text):
        if character not in "\n\t\r" and unicodedata.category(character) in _HIDDEN:
            raise MisplacedError(Span(place, place + 1), "HIDDEN")


def check_tokens(tokens: list[Token], text: str, limits: Limits) -> None:
    """Raises LimitError for long names and numbers, for many names, and for deep nesting."""
    names: set[str] = set()
    for token in tokens:
        if token.type == "NAME":
            names.add(latin(token))
            _check_name(token, text, limits)
        elif token.type in ("NUMBER", "SUPER"):
            _check_number(token, text, limits)
        if len(names) > limits.names:
            raise exceeded(limits, "names", len(names), "more names than a text may have", text, span_of(token))
    depth, deepest = max(_depths(tokens), key=lambda pair: pair[0], default=(0, None))
    if depth > limits.nesting and deepest is not None:
        raise exceeded(limits, "nesting", depth, f"nested {depth} deep", text, span_of(deepest))


def _check_name(token: Token, text: str, limits: Limits) -> None:
    length = len(latin(token))
    if length > limits.name_length:
        raise exceeded(limits, "name_length", length, f"a name of {length} characters", text, span_of(token))


def _check_number(token: Token, text: str, limits: Limits) -> None:
    whole, decimals, exponent = digits(token.translate(SUPERSCRIPTS))
    if len(whole) > limits.integer_digits:
        what = f"a number of {len(whole)} digits"
        raise exceeded(limits, "integer_digits", len(whole), what, text, span_of(token))
    raised = exponent.lstrip("+-").lstrip("0")
    size = max(len(decimals), int(raised or 0) if len(raised) < limits.integer_digits else 10**18)
    if size > limits.decimal_exponent:
        raise exceeded(limits, "decimal_exponent", size, "a number too large or too fine", text, span_of(token))


def _depths(tokens: list[Token]) -> Iterator[tuple[int, Token]]:
    """How many brackets, signs and right-hand powers are open at each token."""
    pending, open_powers, before = [0], 0, "SEP"
    for token in tokens:
        if token.type in OPENING:
            pending.append(0)
        elif token.type in CLOSING and len(pending) > 1:
            open_powers -= pending.pop()
        elif token.type in _SEPARATES or (token.type == "SIGN" and before in _ENDS_OPERAND):
            open_powers -= pending[-1]
            pending[-1] = 0
        elif token.type in ("SIGN", "POWER"):
            pending[-1] += 1
            open_powers += 1
        before = token.type
        yield len(pending) - 1 + open_powers, token
