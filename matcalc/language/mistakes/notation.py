"""Notation of the field that is written as a function here: norms in bars, roots, sums, factorials."""

from __future__ import annotations

from matcalc.errors import Span
from matcalc.language.mistakes.recogniser import Hit, Recogniser, first_of, matching
from matcalc.language.mistakes.situation import Situation
from matcalc.language.tokens import OPERAND_ENDS

_PREFIXES = {"√": "sqrt", "∑": "sum", "∏": "prod"}


def _bars(bar: str, ending: str, becomes: str) -> Recogniser:
    found = matching(f"{bar}([^{bar[-1]}]+){bar}{ending}", becomes)
    return lambda situation: found(situation) if situation.kind == "OTHER" else None


norm_in_bars = first_of(
    _bars(r"\|\|", "(?:_2)?", r"norm2(\1)"),
    _bars("∥", "(?:_2)?", r"norm2(\1)"),
    _bars("‖", "_F", r"norm_fro(\1)"),
    _bars("‖", "(?:_2)?", r"norm2(\1)"),
)

absolute_value_in_bars = _bars(r"\|", "", r"abs(\1)")


def prefixed(situation: Situation) -> Hit | None:
    """`√x`: a sign before its operand where a function is meant."""
    if situation.kind != "OTHER" or situation.word not in _PREFIXES:
        return None
    function, operand = _PREFIXES[situation.word], situation.operand_at(situation.index + 1)
    call = function + (operand if operand.startswith("(") else f"({operand})")
    whole = Span(situation.span.start, situation.after.span.start + len(operand))
    return Hit(situation.span, situation.edited(whole, call) if operand else "", (situation.word, function))


def derivative_sign(situation: Situation) -> Hit | None:
    """`∇f`: which derivative is wanted is no part of an expression."""
    return Hit(situation.span, "", (situation.word,)) if situation.word in ("∇", "∂") else None


def factorial(situation: Situation) -> Hit | None:
    """`x!`, by the logarithm of the gamma function."""
    if situation.word != "!" or situation.before.kind not in OPERAND_ENDS or situation.after.kind == "EQUALS":
        return None
    operand = situation.operand_before
    call = f"exp(lgamma({operand.cut(situation.text)} + 1))"
    return Hit(situation.span, situation.edited(operand.to(situation.span), call))
