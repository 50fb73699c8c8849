"""How the parts of the parser say that a text is none, before the reader's error is made of it."""

from __future__ import annotations

from typing import NamedTuple

from matcalc.errors import Span


class Finding(NamedTuple):
    """What to say, where, why, and a text that may be what was meant."""

    message: str
    span: Span
    why: str
    suggestion: str


class MisplacedError(Exception):
    """Something where it cannot be; the table of mistakes finds the words."""

    def __init__(self, span: Span, kind: str) -> None:
        super().__init__(kind)
        self.span, self.kind = span, kind


class RefusedError(Exception):
    """Something that the grammar lets through, with the words for it and an edit that would help."""

    def __init__(self, message: str, span: Span, why: str = "", instead: str | None = None) -> None:
        super().__init__(message)
        self.message, self.span, self.why, self.instead = message, span, why, instead

    def finding(self, text: str) -> Finding:
        """The same, as the table of mistakes would put it."""
        edited = "" if self.instead is None else text[: self.span.start] + self.instead + text[self.span.end :]
        return Finding(self.message, self.span, self.why, edited)
