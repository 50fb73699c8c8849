"""What recognises a mistake, and the commonest ways to do so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from matcalc.errors import Span
from matcalc.language.mistakes.situation import Situation


class Hit(NamedTuple):
    """Where a row of the table applies, the text that it leads to, and the words for its message."""

    span: Span
    suggestion: str = ""
    words: tuple[str, ...] = ()


Recogniser = Callable[[Situation], Hit | None]


def matching(expression: str, becomes: str | None = None, words: tuple[int, ...] = ()) -> Recogniser:
    """Applies where the token in question lies in a match; the match becomes a template."""
    compiled = re.compile(expression)

    def find(situation: Situation) -> Hit | None:
        for match in compiled.finditer(situation.text):
            if match.start() <= situation.span.start <= match.end():
                span = Span(*match.span())
                new = "" if becomes is None else situation.edited(span, match.expand(becomes))
                return Hit(span, new, tuple(match.group(group) for group in words))
        return None

    return find


def unread(kind: str, becomes: Callable[[Situation], str] = lambda _: "") -> Recogniser:
    """Applies to everything that could not be read as this kind."""

    def find(situation: Situation) -> Hit | None:
        if situation.kind != kind:
            return None
        return Hit(situation.span, becomes(situation), (situation.word[:40],))

    return find


def first_of(*recognisers: Recogniser) -> Recogniser:
    """Applies where one of them does."""
    return lambda situation: next((hit for find in recognisers if (hit := find(situation)) is not None), None)
