"""Every error that a user can meet: what, where, why, and what to type instead.

>>> print(ShapeError("cannot add m×1 and k×1", text="A*x + B*x", spans=(Span(0, 3), Span(6, 9))))
cannot add m×1 and k×1
  A*x + B*x
  ^^^
  A*x + B*x
        ^^^
"""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

UNDECIDED = 3
"""The exit code where nothing was decided, or a limit was reached."""
BUG = 70
"""The exit code of a bug in matcalc (EX_SOFTWARE of sysexits)."""
_WIDEST = 100
_LINES_SHOWN = 3
_ESCAPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"))


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a text, as offsets: `text[start:end]`.

    >>> Span(0, 3).cut("A*x + b")
    'A*x'
    """

    start: int
    end: int

    def cut(self, text: str) -> str:
        """The stretch itself."""
        return text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this one to the end of the other: `Span(0, 1).to(Span(4, 5))`."""
        return Span(self.start, other.end)


class MatcalcError(Exception):
    """What every failure of matcalc is; `str` of it shows the reader's own text with carets."""

    exit_code: ClassVar[int] = 2

    def __init__(
        self,
        message: str,
        *,
        text: str | None = None,
        spans: tuple[Span, ...] = (),
        why: str = "",
        suggestion: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.spans = tuple(spans)
        self.why = why
        self.suggestion = suggestion

    def __str__(self) -> str:
        parts = [escape(self.message)]
        for span in self.spans:
            parts += underline(self.text, span) if self.text and not self.text.isspace() else ()
        if self.why:
            parts.append(escape(self.why))
        if self.suggestion:
            parts.append("Try: " + escape(self.suggestion))
        return "\n".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (type(self), self.args, dict(self.__dict__))

    @property
    def line(self) -> int | None:
        """The line of the first span, counted from 1; None where no place is known."""
        return self._place()[0] if self._is_placed() else None

    @property
    def column(self) -> int | None:
        """The column of the first span, counted from 1; None where no place is known."""
        return self._place()[1] if self._is_placed() else None

    def at(self, text: str, *spans: Span) -> Self:
        """A copy that says where, in so far as this one did not.

        >>> DomainError("log of 0").at("log(0)", Span(4, 5)).column
        5
        """
        placed = copy.copy(self)
        if placed.text is None:
            placed.text = text
        if not placed.spans:
            placed.spans = spans
        return placed

    def _is_placed(self) -> bool:
        return self.text is not None and bool(self.spans)

    def _place(self) -> tuple[int, int]:
        if not self._is_placed():
            return 1, 1
        text, start = str(self.text), self.spans[0].start
        starts = [begin for begin, _ in _lines(text) if begin <= start]
        return max(len(starts), 1), start - (starts[-1] if starts else 0) + 1


class ParseError(MatcalcError):
    """The text is not in the language; it always has a line and a column."""

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        return self._place()[0]

    @property
    def column(self) -> int:
        """The column, counted from 1."""
        return self._place()[1]


class ShapeError(MatcalcError):
    """Shapes that do not fit, or that the text does not settle."""


class DomainError(MatcalcError):
    """A value outside the set on which a function is defined."""


class UnsupportedError(MatcalcError):
    """Well-formed, and not something that matcalc does."""


class LimitError(MatcalcError):
    """Larger than a limit allows; the message names the option that raises it."""

    exit_code = UNDECIDED

    def __init__(
        self,
        message: str,
        *,
        limit: str = "",
        value: float | None = None,
        allowed: float | None = None,
        text: str | None = None,
        spans: tuple[Span, ...] = (),
        why: str = "",
        suggestion: str = "",
    ) -> None:
        super().__init__(message, text=text, spans=spans, why=why, suggestion=suggestion)
        self.limit = limit
        self.value = value
        self.allowed = allowed


class CheckError(MatcalcError):
    """A check that could not be carried out."""

    exit_code = UNDECIDED


class DeviceError(MatcalcError):
    """A device or an optional part that is not there."""

    exit_code = 4


def escape(text: str) -> str:
    r"""The text with everything that could steer a terminal spelled out.

    >>> escape("a\x1b[31m")
    'a\\x1b[31m'
    """
    return "".join(character if character == "\n" else _visible(character) for character in text)


def underline(text: str, span: Span) -> list[str]:
    """The lines that a span touches, each with carets below.

    >>> underline("x + y", Span(4, 5))
    ['  x + y', '      ^']
    """
    touched = [(begin, line) for begin, line in _lines(text) if _touches(begin, line, span)]
    rows: list[str] = []
    for begin, line in touched[:_LINES_SHOWN]:
        rows += _underlined(line, max(span.start - begin, 0), min(span.end - begin, len(line)))
    return rows


def _restored(kind: type[MatcalcError], args: tuple[object, ...], fields: dict[str, object]) -> MatcalcError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


def _lines(text: str) -> Iterator[tuple[int, str]]:
    begin = 0
    for line in text.replace("\r\n", " \n").replace("\r", "\n").split("\n"):
        yield begin, line
        begin += len(line) + 1


def _touches(begin: int, line: str, span: Span) -> bool:
    if span.start >= span.end:
        return begin <= span.start <= begin + len(line)
    return span.start <= begin + len(line) and span.end > begin and (span.start == begin or bool(line))


def _underlined(line: str, start: int, end: int) -> list[str]:
    line, start, end = _window(line, start, max(start, end))
    before, marked = _shown(line[:start]), _shown(line[start:end])
    carets = "^" * max(_width(marked), 1)
    return [("  " + before + marked + _shown(line[end:])).rstrip(), "  " + " " * _width(before) + carets]


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """Cut a long line around a stretch, with an ellipsis at each cut."""
    if len(line) <= _WIDEST:
        return line, start, end
    first = max(min(start - _WIDEST // 3, len(line) - _WIDEST), 0)
    last = min(first + _WIDEST, len(line))
    left, right = "…" if first else "", "…" if last < len(line) else ""
    shift = len(left) - first
    return left + line[first:last] + right, start + shift, min(end, last) + shift


def _shown(text: str) -> str:
    return "".join(" " if character == "\t" else _visible(character) for character in text)


def _visible(character: str) -> str:
    if character == " " or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _width(text: str) -> int:
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
