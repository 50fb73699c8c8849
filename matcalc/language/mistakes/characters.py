# ruff: noqa: RUF001  # characters that look like others are what this file is about
"""Characters that are not in the language: hidden ones, look-alikes, and signs with another spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from matcalc.language.mistakes.recogniser import Hit, Recogniser
from matcalc.language.mistakes.situation import Situation

SYMBOLS = (
    dict.fromkeys("′’‘´`†ʹ＇", "'")
    | dict.fromkeys("∗∙•＊", "*")
    | dict.fromkeys("–—‐‑﹣－", "-")
    | {
        "÷": "/",
        "∕": "/",
        "⁄": "/",
        "∘": ".*",
        "∖": "\\",
        "ⁿ": "^n",
        "½": "(1/2)",
        "¼": "(1/4)",
        "¾": "(3/4)",
    }
)
"""Signs, and how they are typed."""

_LOOKALIKES = dict(
    zip(
        "аеорсхуіјѕкАВЕКМНОРСТХУІЅЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
        "aeopcxyijskABEKMHOPCTXYISJABEZHIKMNOPTYXo",
        strict=True,
    )
)


def hidden(situation: Situation) -> Hit | None:
    """A character that nobody sees."""
    if situation.kind != "HIDDEN":
        return None
    return Hit(situation.span, situation.text.replace(situation.word, ""), (_called(situation.word),))


def replaced(instead: Callable[[str], str | None]) -> Recogniser:
    """Applies to characters for which there is something instead; all of one are replaced at once."""

    def find(situation: Situation) -> Hit | None:
        character = situation.word
        new = instead(character) if situation.kind in ("OTHER", "HIDDEN") and len(character) == 1 else None
        if new is None:
            return None
        words = (character, _called(character), new)
        return Hit(situation.span, situation.text.replace(character, new) if new else "", words)

    return find


def lookalike(character: str) -> str | None:
    """The ASCII letter, digit or sign that a character looks like."""
    if character.isascii():
        return None
    for candidate in (
        _LOOKALIKES.get(character, ""),
        unicodedata.normalize("NFKC", character),
        unicodedata.normalize("NFKD", character)[:1],
    ):
        if len(candidate) == 1 and candidate.isascii() and (candidate.isalnum() or candidate in " ()[]+*,;:=@.^_"):
            return candidate
    return None


def _called(character: str) -> str:
    return f"U+{ord(character):04X}, {unicodedata.name(character, 'a character without a name')}"
