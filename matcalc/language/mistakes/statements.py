"""Statements of other languages, and declarations, bindings and results that are not whole."""

from __future__ import annotations

from matcalc.errors import Span
from matcalc.expression.property import PROPERTIES
from matcalc.language.declarations import SIZES_OF_KIND
from matcalc.language.mistakes.recogniser import Hit
from matcalc.language.mistakes.situation import END, Situation

_PYTHON = frozenset((
    "import", "from", "def", "class", "return", "for", "while", "if", "print", "del", "global", "with",
    "try", "raise", "assert", "exec",
))  # fmt: skip


def empty(situation: Situation) -> Hit | None:
    """A text without a token."""
    return None if situation.lexemes or situation.kind != "END" else Hit(situation.span, "x'*A*x")


def python(situation: Situation) -> Hit | None:
    """A statement of Python."""
    if situation.current is END:
        return None
    first = situation.statement[0]
    if first.text not in _PYTHON or first.span.start == situation.span.start:
        return None
    new = situation.edited(first.span, "").strip() if first.text == "return" else ""
    return Hit(first.span, new, (first.text,))


def walrus(situation: Situation) -> Hit | None:
    """`r := A*x`."""
    if situation.kind != "COLON" or situation.after.kind != "EQUALS":
        return None
    span = situation.span.to(situation.after.span)
    return Hit(span, situation.edited(span, "="))


def doubled_equals(situation: Situation) -> Hit | None:
    """`r == A*x`."""
    if situation.kind != "EQUALS" or situation.before.kind != "EQUALS":
        return None
    goes_on = any(lexeme.kind == "SEP" for lexeme in situation.lexemes[situation.index :])
    new = situation.edited(situation.span, "") if goes_on else ""
    return Hit(situation.before.span.to(situation.span), new)


def keyword(situation: Situation) -> Hit | None:
    """`sum(X, axis=0)`."""
    name, after = situation.before, situation.after
    if situation.kind != "EQUALS" or not situation.opened or name.kind != "NAME":
        return None
    end = situation.span.end if after is END else after.span.start
    edited = situation.edited(Span(name.span.start, end), "")
    return Hit(name.span.to(situation.span), edited, (name.text,))


def definition(situation: Situation) -> Hit | None:
    """`f(x) = x'*A*x`."""
    is_call = [lexeme.kind for lexeme in situation.statement[:2]] == ["NAME", "OPEN"]
    if situation.kind != "EQUALS" or not is_call or situation.before.kind != "CLOSE":
        return None
    span = situation.statement[0].span.to(situation.span)
    return Hit(span, situation.edited(span, "").strip())


def no_let(situation: Situation) -> Hit | None:
    """`A: matrix(n, n)`."""
    if situation.kind != "COLON" or situation.after.text not in SIZES_OF_KIND or situation.before.kind != "NAME":
        return None
    span = situation.statement[0].span.to(situation.span)
    return Hit(span, situation.inserted(span.start, "let "))


def properties_outside(situation: Situation) -> Hit | None:
    """`x: vector(n), positive`."""
    lexemes, at = situation.lexemes, situation.index
    kinds = [k for k in range(min(at, len(lexemes))) if lexemes[k].text in SIZES_OF_KIND]
    if not kinds:
        return None
    last = kinds[-1]
    bracketed = last + 1 < len(lexemes) and lexemes[last + 1].kind == "OPEN"
    close = situation.partner(last + 1) if bracketed else last
    if close is None or close >= len(lexemes) - 1 or not last < at <= close + 2:
        return None
    first = close + 1 + (lexemes[close + 1].kind in ("SEP", "COMMA"))
    rest = lexemes[first : first + 1]
    while rest[-1:] and first + len(rest) + 1 < len(lexemes) and lexemes[first + len(rest)].kind == "COMMA":
        rest = lexemes[first : first + len(rest) + 2]
    names = [lexeme.text for lexeme in rest if lexeme.kind != "COMMA"]
    if not names or any(name not in PROPERTIES for name in names):
        return None
    inside = lexemes[last + 2 : close] if bracketed else ()
    before = ", " if any(lexeme.text == ";" for lexeme in inside) else "; "
    start = lexemes[close].span.start if bracketed else lexemes[close].span.end
    new = f"{before}{', '.join(names)})" if bracketed else f"({before}{', '.join(names)})"
    return Hit(rest[0].span.to(rest[-1].span), situation.edited(Span(start, rest[-1].span.end), new), (names[0],))


def no_colon(situation: Situation) -> Hit | None:
    """`let A matrix(n, n)`."""
    name = situation.before
    if situation.word not in SIZES_OF_KIND or name.kind != "NAME":
        return None
    return Hit(situation.span, situation.inserted(name.span.end, ":"), (name.text, situation.word))


def decimal_comma(situation: Situation) -> Hit | None:
    """`0,5*x`."""
    before, after, span = situation.before, situation.after, situation.span
    touch = before.span.end == span.start and after.span.start == span.end
    if situation.kind != "COMMA" or situation.opened or not touch or {before.kind, after.kind} != {"NUMBER"}:
        return None
    return Hit(span, situation.edited(span, "."))


def several(situation: Situation) -> Hit | None:
    """`x, y`."""
    if situation.kind != "COMMA" or situation.opened:
        return None
    whole = situation.statement[0].span.to(situation.statement[-1].span)
    return Hit(situation.span, situation.edited(whole, f"[{whole.cut(situation.text)}]"))


def no_result(situation: Situation) -> Hit | None:
    """`r = A*x` and nothing that uses it."""
    if situation.kind != "NO_RESULT":
        return None
    name, *rest = situation.statement
    binds = bool(rest) and rest[0].kind == "EQUALS"
    end = situation.lexemes[-1].span.end
    return Hit(situation.span, situation.inserted(end, f"; {name.text}") if binds else "")
