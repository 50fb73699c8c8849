"""Brackets that do not match, and what cannot stand between them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matcalc.language.mistakes.operators import adjoins
from matcalc.language.mistakes.recogniser import Hit
from matcalc.language.mistakes.situation import ENDS, Lexeme, Situation
from matcalc.language.tokens import CLOSING, OPENING

_CLOSERS = {"OPEN": ")", "OPEN_SQUARE": "]"}


def curly(situation: Situation) -> Hit | None:
    """`{a + b}*x`."""
    if situation.word not in ("{", "}"):
        return None
    return Hit(situation.span, situation.text.replace("{", "(").replace("}", ")"))


def _unbalanced(situation: Situation) -> Iterator[tuple[Lexeme | None, Lexeme | None]]:
    """Pairs of an opening bracket and the closing one that does not fit it; None for what is not there."""
    waiting: list[Lexeme] = []
    for lexeme in situation.lexemes:
        if lexeme.kind in OPENING:
            waiting.append(lexeme)
        elif lexeme.kind in CLOSING:
            other = waiting.pop() if waiting else None
            if other is None or other.kind != CLOSING[lexeme.kind]:
                yield other, lexeme
    yield from ((lexeme, None) for lexeme in waiting[::-1])


def mismatched(situation: Situation) -> Hit | None:
    """`(x + y]`."""
    for opening, closing in _unbalanced(situation):
        if opening and closing and situation.kind in ENDS:
            new = situation.edited(closing.span, _CLOSERS[opening.kind])
            return Hit(closing.span, new, (opening.text, closing.text))
    return None


def closes_nothing(situation: Situation) -> Hit | None:
    """`x + y)`."""
    for opening, closing in _unbalanced(situation):
        if closing and not opening and situation.kind in ENDS:
            return Hit(closing.span, situation.edited(closing.span, ""), (closing.text,))
    return None


def never_closed(situation: Situation) -> Hit | None:
    """`x*(A + B`."""
    pairs = list(_unbalanced(situation))
    opened = [opening for opening, closing in pairs if opening and not closing]
    if not pairs or situation.kind not in ENDS or len(opened) < len(pairs):
        return None
    closers = "".join(_CLOSERS[lexeme.kind] for lexeme in opened)
    return Hit(opened[0].span, situation.inserted(situation.lexemes[-1].span.end, closers), (opened[0].text,))


def nothing_between(situation: Situation) -> Hit | None:
    """`x[]`, `atan2(x,, y)`."""
    opens = situation.before.kind in ("OPEN", "OPEN_SQUARE", "COMMA", "ROW")
    if situation.kind not in ("CLOSE", "CLOSE_SQUARE", "COMMA", "ROW") or not opens:
        return None
    return Hit(situation.before.span.to(situation.span), "", (situation.before.text, situation.word))


def step(situation: Situation) -> Hit | None:
    """`x[0:4:2]`."""
    if situation.kind != "COLON" or not situation.is_in_square_brackets:
        return None
    inside = situation.lexemes[situation.opened[-1] : situation.index]
    return Hit(situation.span) if any(lexeme.kind == "COLON" for lexeme in inside) else None


def row_on_new_line(situation: Situation) -> Hit | None:
    """A block whose rows are lines, without `;`."""
    end = situation.before.span.end
    between = situation.text[end : situation.span.start]
    if not situation.is_in_square_brackets or "\n" not in between or not adjoins(situation):
        return None
    return Hit(situation.span, situation.inserted(end, ";"))


def lists_as_rows(situation: Situation) -> str:
    """`[[1, 2], [3, 4]]` as `[1, 2; 3, 4]`."""
    inside = re.sub(r"\]\s*,\s*\[", "; ", situation.word[1:-1].strip())
    return situation.edited(situation.span, f"[{inside[1:-1]}]")
