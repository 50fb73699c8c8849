"""Operators without an operand, and operands without an operator."""

from __future__ import annotations

import re

from matcalc.errors import Span
from matcalc.language.mistakes.recogniser import Hit
from matcalc.language.mistakes.situation import ENDS, Situation
from matcalc.language.tokens import OPERAND_ENDS, OPERATORS

_BEGINS = frozenset(("SEP", "OPEN", "OPEN_SQUARE", "COMMA", "ROW", "EQUALS", "LET"))
_FUNCTIONS = frozenset((
    "sin", "cos", "tan", "exp", "log", "ln", "sqrt", "abs", "tr", "Tr", "trace", "det", "logdet", "inv",
    "norm", "norm2", "sum", "mean", "tanh", "relu", "sigmoid", "softmax",
))  # fmt: skip


def nothing_after(situation: Situation) -> Hit | None:
    """`x +`."""
    before = situation.before
    if situation.kind not in ENDS or before.kind not in OPERATORS | {"EQUALS"}:
        return None
    return Hit(before.span, "", (before.text,))


def nothing_before(situation: Situation) -> Hit | None:
    """`(* x)`."""
    if situation.kind not in ("TIMES", "POWER", "DOTSIGN") or situation.before.kind not in _BEGINS:
        return None
    return Hit(situation.span, "", (situation.word,))


def two_operators(situation: Situation) -> Hit | None:
    """`x */ y`."""
    before = situation.before
    if situation.kind not in OPERATORS or before.kind not in OPERATORS:
        return None
    return Hit(before.span.to(situation.span), "", (before.text, situation.word))


def two_slashes(situation: Situation) -> Hit | None:
    """`x // y`."""
    before = situation.before
    if situation.word != "/" or before.text != "/" or before.span.end != situation.span.start:
        return None
    span = before.span.to(situation.span)
    return Hit(span, situation.edited(span, "/"))


def starts_line(situation: Situation) -> Hit | None:
    """A line that starts with an operator."""
    before, current = situation.before, situation.current
    if current.kind not in OPERATORS or before.kind != "SEP" or before.text not in ("\n", "\r", "\r\n"):
        return None
    return Hit(current.span, situation.edited(before.span, " "), (current.text,))


def function_without_brackets(situation: Situation) -> Hit | None:
    """`log x`."""
    function, operand = situation.before, situation.operand_at(situation.index)
    if function.text not in _FUNCTIONS or situation.kind not in ("NAME", "NUMBER") or not operand:
        return None
    whole = Span(function.span.start, situation.span.start + len(operand))
    return Hit(function.span, situation.edited(whole, f"{function.text}({operand})"), (function.text,))


def grouped_digits(situation: Situation) -> Hit | None:
    """`1_000*x`."""
    if not re.fullmatch(r"(?:_[0-9]{3})+", situation.word) or situation.before.kind != "NUMBER":
        return None
    new = situation.edited(situation.span, situation.word.replace("_", ""))
    return Hit(situation.before.span.to(situation.span), new)


def adjoins(situation: Situation) -> bool:
    """Whether an operand begins where another has just ended."""
    begins = situation.kind in ("NAME", "NUMBER", "OPEN", "LET", "OPEN_SQUARE")
    return begins and situation.before.kind in OPERAND_ENDS


def side_by_side(situation: Situation) -> Hit | None:
    """`2x`, `A x`, `(a)(b)`."""
    if not adjoins(situation):
        return None
    left = Span(situation.operand_before.start, situation.before.span.end)
    right = situation.operand_at(situation.index) or situation.word
    new = situation.edited(Span(left.end, situation.span.start), "*")
    return Hit(left.to(situation.span), new, (left.cut(situation.text)[-40:], right[:40]))
