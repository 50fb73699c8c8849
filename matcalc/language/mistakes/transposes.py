"""Transposes that are written otherwise, and quotation marks, which look like them."""

from __future__ import annotations

from matcalc.language.mistakes.recogniser import Hit
from matcalc.language.mistakes.situation import Situation
from matcalc.language.tokens import OPERAND_ENDS

_QUOTES = frozenset("\"'`“”‘’")  # noqa: RUF001  # quotation marks are what is recognised


def conjugate(situation: Situation) -> Hit | None:
    """`A.H`, the conjugate transpose."""
    if situation.kind != "ATTRIBUTE" or situation.word not in (".H", ".mH"):
        return None
    return Hit(situation.span, situation.edited(situation.span, ".T"), (situation.word,))


def called(situation: Situation) -> Hit | None:
    """`x.T()`: the brackets are too much."""
    before, after = situation.before, situation.after
    if situation.kind != "OPEN" or before.text not in (".T", ".mT") or after.kind != "CLOSE":
        return None
    span = situation.span.to(after.span)
    return Hit(span, situation.edited(span, ""), (before.text,))


def inverse(situation: Situation) -> Hit | None:
    """`A^-T` and `A⁻ᵀ`."""
    in_superscript = situation.word == "⁻" and situation.after.text == "ᵀ"
    if situation.kind != "INVERSE_TRANSPOSE" and not in_superscript:
        return None
    span = situation.span.to(situation.after.span) if in_superscript else situation.span
    operand = situation.operand_before
    new = f"inv({operand.cut(situation.text)})'"
    return Hit(span, situation.edited(operand.to(span), new))


def dotted(situation: Situation) -> Hit | None:
    """`x.'`, as in Octave."""
    if situation.kind != "OTHER" or situation.word != "." or situation.after.text != "'":
        return None
    return Hit(situation.span, situation.edited(situation.span, ""))


def raised(situation: Situation) -> Hit | None:
    """`A^'`."""
    if situation.kind != "TRANSPOSE" or situation.before.kind != "POWER":
        return None
    return Hit(situation.before.span, situation.edited(situation.before.span, ""))


def quotes_around(situation: Situation) -> Hit | None:
    """Quotation marks around a whole expression."""
    stripped = situation.text.strip()
    is_first = situation.word in _QUOTES and stripped.startswith(situation.word)
    is_closed = len(stripped) > 2 and stripped[-1] in _QUOTES
    if not is_first or not is_closed or situation.before.kind in OPERAND_ENDS:
        return None
    return Hit(situation.span, stripped[1:-1])


def of_nothing(situation: Situation) -> Hit | None:
    """A quotation mark where nothing before it could be transposed."""
    is_loose = situation.kind == "TRANSPOSE" and situation.before.kind not in OPERAND_ENDS
    return Hit(situation.span, "", (situation.word,)) if is_loose or situation.word == '"' else None
