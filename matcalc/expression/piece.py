"""A piece of text that is being written, and how tightly its outermost operator binds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

ADD, MUL, CHAIN, POWER, ATOM = 1, 2, 3, 4, 5
"""A sum, a product, a matrix product (which may stand bare in a longer one), a power, what needs no parentheses."""


@dataclass(frozen=True)
class Piece:
    """A text and the level of its outermost operator; what it is put into asks for a level."""

    body: str
    level: int
    fences: ClassVar[tuple[str, str]] = ("(", ")")

    def within(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly than ``level``.

        >>> Piece("a + b", ADD).within(MUL)
        '(a + b)'
        """
        return self.body if self.level >= level else f"{self.fences[0]}{self.body}{self.fences[1]}"
