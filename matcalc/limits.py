"""How large a text, an expression and a check may be, and the error that says so.

>>> Limits.parse(["nesting=200"]).nesting
200
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from matcalc.errors import LimitError, ParseError, Span

_DIGITS_OF_A_LIMIT = 12
_LARGEST_SHOWN = 10**18


@dataclass(frozen=True, slots=True)
class Limits:
    """Everything that is counted before it is allocated; each can be raised by its name.

    >>> Limits().nodes
    5000
    """

    text: int = 16384
    """Characters of a text."""
    tokens: int = 2000
    """Tokens of a text: names, numbers, operators, brackets, separators."""
    nesting: int = 100
    """Brackets, signs and right-hand powers inside each other."""
    nodes: int = 5000
    """Nodes of a syntax tree."""
    name_length: int = 32
    """Characters of a name, Greek letters spelled out."""
    names: int = 256
    """Different names in one text."""
    integer_digits: int = 18
    """Digits in front of the point of a number."""
    decimal_exponent: int = 308
    """Decimal exponent of a number, of either sign."""
    matrix_power: int = 64
    """Exponent of a matrix power."""
    scalar_power: int = 1024
    """Exponent of a scalar or elementwise power that is written as a number."""
    tower: int = 2
    """Powers on top of each other whose exponents are numbers: `x^2^3` are two."""
    size: int = 4096
    """One size of an array in a check."""
    elements: int = 2**24
    """Elements of the largest intermediate array in a check."""
    derivation_seconds: int = 4
    """Seconds to read an expression and derive what is asked for."""
    seconds: int = 20
    """Seconds for a check."""

    @classmethod
    def parse(cls, settings: Iterable[str], base: Limits | None = None) -> Limits:
        """The limits that settings such as `nesting=200` leave.

        Raises ParseError for a name that is no limit and for a value that is no positive integer.

        >>> Limits.parse(["size=10", "names=3"]).size
        10
        """
        values = dict(_setting(text) for text in settings)
        return replace(base if base is not None else cls(), **values)


def exceeded(limits: Limits, limit: str, value: float, what: str, text: str | None = None, *spans: Span) -> LimitError:
    """The error for a value above a limit, to be raised by the caller.

    >>> exceeded(Limits(), "nesting", 120, "nested 120 deep").message
    'nested 120 deep: the limit is 100; raise it with --limit nesting=200'
    """
    allowed = getattr(limits, limit)
    enough = max(2 * allowed, value) if value < _LARGEST_SHOWN else 2 * allowed
    message = f"{what}: the limit is {allowed}; raise it with --limit {limit}={enough}"
    return LimitError(message, limit=limit, value=value, allowed=allowed, text=text, spans=spans)


def _setting(text: str) -> tuple[str, int]:
    name, equals, value = text.partition("=")
    key, digits = name.strip().replace("-", "_"), value.strip()
    known = [field.name for field in fields(Limits)]
    if key not in known:
        raise _unknown(text, key, len(name), known)
    if not equals or not _is_count(digits):
        raise ParseError(
            f"the limit {key} needs a positive integer of at most {_DIGITS_OF_A_LIMIT} digits",
            text=text,
            spans=(Span(min(len(name) + 1, len(text)), len(text)),),
            suggestion=f"{key}={2 * getattr(Limits(), key)}",
        )
    return key, int(digits)


def _is_count(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_OF_A_LIMIT and int(digits) > 0


def _unknown(text: str, key: str, length: int, known: list[str]) -> ParseError:
    near = difflib.get_close_matches(key[:40], known, n=1)
    return ParseError(
        f"there is no limit {key[:40]!r}",
        text=text,
        spans=(Span(0, length),),
        why="the limits are " + ", ".join(known),
        suggestion=f"{near[0]}={2 * getattr(Limits(), near[0])}" if near else "",
    )
