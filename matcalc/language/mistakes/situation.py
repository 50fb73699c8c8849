"""Where the parser came to a stop, and finding one's way among the tokens around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from matcalc.errors import Span
from matcalc.language.tokens import CLOSING, OPENING, OPERAND_ENDS

ENDS = frozenset(("END", "SEP", "CLOSE", "CLOSE_SQUARE", "COMMA", "ROW", "EQUALS"))
"""The kinds before which an operand has ended."""


class Lexeme(NamedTuple):
    """A token, as plain data: its kind in the grammar, its text, where it stands."""

    kind: str
    text: str
    span: Span


END = Lexeme("END", "", Span(-1, -1))
"""What follows the last token."""

START = Lexeme("SEP", "", Span(0, 0))
"""What stands before the first: a separator."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A text, its tokens, and the token (by index, kind and span) that could not be read."""

    text: str
    lexemes: tuple[Lexeme, ...]
    index: int
    kind: str
    span: Span

    @property
    def word(self) -> str:
        """The text in question."""
        return self.span.cut(self.text)

    @property
    def before(self) -> Lexeme:
        """The token before the one in question."""
        return self.lexemes[self.index - 1] if self.index else START

    @property
    def current(self) -> Lexeme:
        """The token in question, under the kind that it has in the text."""
        return self.lexemes[self.index] if self.index < len(self.lexemes) else END

    @property
    def after(self) -> Lexeme:
        """The token after the one in question."""
        return self.lexemes[self.index + 1] if self.index + 1 < len(self.lexemes) else END

    @property
    def statement(self) -> tuple[Lexeme, ...]:
        """The tokens of the statement in question."""
        first = last = self.index
        while first > 0 and self.lexemes[first - 1].kind != "SEP":
            first -= 1
        while last < len(self.lexemes) and self.lexemes[last].kind != "SEP":
            last += 1
        return self.lexemes[first:last]

    @property
    def opened(self) -> list[int]:
        """The places of the brackets that are open before the token in question."""
        return _matched(self.lexemes[: self.index])[1]

    @property
    def is_in_square_brackets(self) -> bool:
        """Whether the innermost bracket around the token in question is a square one."""
        opened = self.opened
        return bool(opened) and self.lexemes[opened[-1]].kind == "OPEN_SQUARE"

    @property
    def operand_before(self) -> Span:
        """From where the operand before the token in question starts up to that token."""
        start = self.lexemes[self._start_of_operand()].span.start if self.index else 0
        return Span(start, self.span.start)

    def partner(self, place: int) -> int | None:
        """The place of the bracket that closes or opens the one at a place."""
        return _matched(self.lexemes)[0].get(place)

    def operand_at(self, place: int) -> str:
        """The text of the name, number, call or bracket that starts at a place, or nothing."""
        kinds = [lexeme.kind for lexeme in self.lexemes[place : place + 2]]
        if not kinds or kinds[0] not in ("NAME", "NUMBER", "OPEN"):
            return ""
        bracket = place + 1 if kinds == ["NAME", "OPEN"] else place
        last = self.lexemes[_matched(self.lexemes)[0].get(bracket, place)]
        return self.lexemes[place].span.to(last.span).cut(self.text)

    def edited(self, span: Span, new: str) -> str:
        """The text with a stretch replaced."""
        return self.text[: span.start] + new + self.text[span.end :]

    def inserted(self, place: int, new: str) -> str:
        """The text with something put between two characters."""
        return self.edited(Span(place, place), new)

    def _start_of_operand(self) -> int:
        """The place of the token with which the operand before the token in question starts."""
        partners = _matched(self.lexemes)[0]
        place = self.index - 1
        while place > 0:
            kind = self.lexemes[place].kind
            if kind in CLOSING:
                place = partners.get(place, place)
                if place == 0 or self._opens_operand(place):
                    return place
            elif kind not in ("TRANSPOSE", "SUPER", "ATTRIBUTE"):
                return place
            place -= 1
        return max(place, 0)

    def _opens_operand(self, place: int) -> bool:
        """Whether a bracket is a group or a block, and neither the arguments of a call nor an index."""
        before, bracket = self.lexemes[place - 1].kind, self.lexemes[place].kind
        if bracket == "OPEN":
            return before not in ("NAME", "ATTRIBUTE")
        return bracket == "OPEN_SQUARE" and before not in OPERAND_ENDS


def _matched(lexemes: tuple[Lexeme, ...]) -> tuple[dict[int, int], list[int]]:
    """For every bracket that has one the place of the other, and the places of those that stay open."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for place, lexeme in enumerate(lexemes):
        if lexeme.kind in OPENING:
            waiting.append(place)
        elif lexeme.kind in CLOSING and waiting:
            other = waiting.pop()
            found[other], found[place] = place, other
    return found, waiting
