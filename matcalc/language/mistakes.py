# ruff: noqa: RUF001  # signs of the language and their look-alikes are what this file is about
"""What people type that is not in the language, and what to say to them: a table, first match first.

Each row holds an example, the message, how it is recognised, and what the example becomes. To add one,
write a row; the tests read the table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from matcalc.errors import Span
from matcalc.language.refusals import Finding


class Lexeme(NamedTuple):
    """A token, as plain data: its kind in the grammar, its text, where it stands."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)


_END = Lexeme("END", "", -1, -1)
_START = Lexeme("SEP", "", 0, 0)


@dataclass(frozen=True, slots=True)
class Situation:
    """A text, its tokens, and the token (by index, kind and span) that could not be read."""

    text: str
    lexemes: tuple[Lexeme, ...]
    index: int
    kind: str
    span: Span

    def near(self, distance: int) -> Lexeme:
        """The token that many places from the one in question; a separator before the first."""
        place = self.index + distance
        if place < 0:
            return _START
        return self.lexemes[place] if place < len(self.lexemes) else _END

    def edited(self, start: int, end: int, new: str) -> str:
        """The text with a stretch replaced."""
        return self.text[:start] + new + self.text[end:]

    @property
    def word(self) -> str:
        """The text in question."""
        return self.span.cut(self.text)


class Hit(NamedTuple):
    """Where a row applies, the text that it leads to, and the words for its message."""

    span: Span
    suggestion: str = ""
    words: tuple[str, ...] = ()


Recogniser = Callable[[Situation], Hit | None]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row: an example, what it becomes (or nothing), what is said and why, and how it is recognised."""

    example: str
    becomes: str
    says: str
    find: Recogniser
    why: str = ""


def explain(situation: Situation) -> Finding:
    """The finding of the first row that applies; there is always one."""
    for row in MISTAKES:
        hit = row.find(situation)
        if hit is not None:
            return Finding(row.says.format(*hit.words), hit.span, row.why, hit.suggestion)
    message = f"{situation.word[:40]!r} cannot stand here" if situation.word else "the text ends too early"
    return Finding(message, situation.span, "", "")


# --- finding one's way among tokens

_OPERATORS = frozenset(("SIGN", "DOTSIGN", "TIMES", "POWER"))
_OPERANDS = frozenset(("NAME", "NUMBER", "CLOSE", "CLOSE_SQUARE", "TRANSPOSE", "SUPER"))
_OPENING = frozenset(("OPEN", "OPEN_SQUARE"))
_CLOSING = {"CLOSE": "OPEN", "CLOSE_SQUARE": "OPEN_SQUARE"}
_CLOSERS = {"OPEN": ")", "OPEN_SQUARE": "]"}
_ENDS = frozenset(("END", "SEP", "CLOSE", "CLOSE_SQUARE", "COMMA", "ROW", "EQUALS"))
_BEGINS = frozenset(("SEP", "OPEN", "OPEN_SQUARE", "COMMA", "ROW", "EQUALS", "LET"))
_KINDS = frozenset(("scalar", "vector", "row", "matrix"))


def _partners(lexemes: tuple[Lexeme, ...]) -> dict[int, int]:
    """For every bracket that has one, the place of the other."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for place, lexeme in enumerate(lexemes):
        if lexeme.kind in _OPENING:
            waiting.append(place)
        elif lexeme.kind in _CLOSING and waiting:
            other = waiting.pop()
            found[other], found[place] = place, other
    return found


def _open_at(situation: Situation) -> list[int]:
    """The places of the brackets that are open before the token in question."""
    waiting: list[int] = []
    for place, lexeme in enumerate(situation.lexemes[: situation.index]):
        if lexeme.kind in _OPENING:
            waiting.append(place)
        elif lexeme.kind in _CLOSING and waiting:
            waiting.pop()
    return waiting


def _operand_before(situation: Situation, index: int) -> int:
    """The place of the token where the operand that ends before `index` starts."""
    partners, lexemes = _partners(situation.lexemes), situation.lexemes
    place = index - 1
    while place > 0:
        kind = lexemes[place].kind
        if kind in _CLOSING:
            place = partners.get(place, place)
            calls = lexemes[place].kind == "OPEN" and lexemes[place - 1].kind not in ("NAME", "ATTRIBUTE")
            indexes = lexemes[place].kind == "OPEN_SQUARE" and lexemes[place - 1].kind in _OPERANDS
            if place == 0 or calls or (lexemes[place].kind == "OPEN_SQUARE" and not indexes):
                return max(place, 0)
        elif kind not in ("TRANSPOSE", "SUPER", "ATTRIBUTE"):
            return place
        place -= 1
    return max(place, 0)


def _operand_after(situation: Situation, index: int) -> str:
    """The text of the name, number, call or bracket at `index`, or nothing."""
    lexemes, partners = situation.lexemes, _partners(situation.lexemes)
    if index >= len(lexemes) or lexemes[index].kind not in ("NAME", "NUMBER", "OPEN"):
        return ""
    last = partners.get(index, index)
    if lexemes[index].kind == "NAME" and index + 1 < len(lexemes) and lexemes[index + 1].kind == "OPEN":
        last = partners.get(index + 1, index)
    return situation.text[lexemes[index].start : lexemes[last].end]


def _statement(situation: Situation) -> tuple[int, int]:
    """The places of the first token of the statement in question and of the one after its last."""
    lexemes, first, last = situation.lexemes, situation.index, situation.index
    while first > 0 and lexemes[first - 1].kind != "SEP":
        first -= 1
    while last < len(lexemes) and lexemes[last].kind != "SEP":
        last += 1
    return first, last


# --- makers of recognisers


def _pattern(expression: str, becomes: str | None = None, words: tuple[int, ...] = ()) -> Recogniser:
    """Applies where the token in question lies in a match; the match becomes a template."""
    compiled = re.compile(expression)

    def find(situation: Situation) -> Hit | None:
        for match in compiled.finditer(situation.text):
            if match.start() <= situation.span.start <= match.end():
                new = "" if becomes is None else situation.edited(*match.span(), match.expand(becomes))
                return Hit(Span(*match.span()), new, tuple(match.group(group) for group in words))
        return None

    return find


def _kind(kind: str, becomes: Callable[[Situation], str] = lambda _: "") -> Recogniser:
    """Applies to everything that could not be read as this kind."""

    def find(situation: Situation) -> Hit | None:
        if situation.kind != kind:
            return None
        return Hit(situation.span, becomes(situation), (situation.word[:40],))

    return find


def _characters(table: dict[str, str]) -> Recogniser:
    """Applies to these characters; all of one are replaced at once."""
    return _replaced(lambda character: table.get(character))


def _replaced(instead: Callable[[str], str | None]) -> Recogniser:
    def find(situation: Situation) -> Hit | None:
        character = situation.word
        new = instead(character) if situation.kind in ("OTHER", "HIDDEN") and len(character) == 1 else None
        if new is None:
            return None
        words = (character, _called(character), new)
        return Hit(situation.span, situation.text.replace(character, new) if new else "", words)

    return find


def _prefix(table: dict[str, str]) -> Recogniser:
    """Applies to a sign that stands before its operand where a function is meant."""

    def find(situation: Situation) -> Hit | None:
        if situation.kind != "OTHER" or situation.word not in table:
            return None
        function, operand = table[situation.word], _operand_after(situation, situation.index + 1)
        call = function + (operand if operand.startswith("(") else f"({operand})")
        end = situation.near(1).start + len(operand)
        new = situation.edited(situation.span.start, end, call) if operand else ""
        return Hit(situation.span, new, (situation.word, function))

    return find


def _called(character: str) -> str:
    return f"U+{ord(character):04X}, {unicodedata.name(character, 'a character without a name')}"


# --- recognisers


def _empty(situation: Situation) -> Hit | None:
    return None if situation.lexemes or situation.kind != "END" else Hit(situation.span, "x'*A*x")


def _hidden(situation: Situation) -> Hit | None:
    if situation.kind != "HIDDEN":
        return None
    return Hit(situation.span, situation.text.replace(situation.word, ""), (_called(situation.word),))


_LATEX = re.compile(
    r"\\(?:[dt]?frac|cdot|times|top|intercal|mathbf|mathrm|mathsf|boldsymbol|bm|left|right|sum|sqrt|operatorname"
    r"|text|[lr]?Vert|odot|otimes|partial|nabla|begin|quad)(?![A-Za-z])|\$|[_^]\{|\\[|]"
)
_GROUP = r"\{([^{}]*)\}"
_FROM_LATEX = [
    (r"\$|\\left(?![a-z])|\\right(?![a-z])|\\q?quad(?![a-z])|\\[,;!: ]", ""),
    (r"\^\{?\s*(?:\\top|\\intercal|\\mathsf\{?T\}?|T)(?![A-Za-z])\s*\}?", "'"),
    (r"\\[lr]?Vert(?![a-z])", r"\\|"),
    (r"\\\|([^\\|]*)\\\|(?:_2|_F)?", r"norm2(\1)"),
    (r"\\(?:mathbf|mathrm|mathsf|boldsymbol|bm|operatorname|text)\s*" + _GROUP, r"\1"),
    (r"\\sqrt\s*" + _GROUP, r"sqrt(\1)"),
    (r"\\[dt]?frac\s*" + _GROUP + r"\s*" + _GROUP, r"(\1)/(\2)"),
    (r"\^\{([^{}]*)\}", r"^(\1)"),
    (r"\\(?:cdot|times)(?![a-z])", "*"),
    (r"\\odot(?![a-z])", ".*"),
    (r"\\otimes(?![a-z])", "⊗"),
]


def _latex(situation: Situation) -> Hit | None:
    begins = situation.word == "\\" and situation.near(-1).kind not in _OPERANDS
    match = _LATEX.search(situation.text)
    if match is None:
        return Hit(situation.span, _from_latex(situation.text)) if begins else None
    return Hit(Span(*match.span()), _from_latex(situation.text))


def _from_latex(text: str) -> str:
    """The plain form of the commonest commands; whoever calls it checks that it parses."""
    if len(text) > 1000:
        return ""
    for _ in range(4):
        for expression, new in _FROM_LATEX:
            text = re.sub(expression, new, text)
    text = re.sub(r"\\([A-Za-z]+)", r" \1", text).replace("{", "(").replace("}", ")")
    return " ".join(text.split())


def _bars(bar: str, ending: str, becomes: str) -> Recogniser:
    found = _pattern(f"{bar}([^{bar[-1]}]+){bar}{ending}", becomes)
    return lambda situation: found(situation) if situation.kind == "OTHER" else None


def _modules(situation: Situation) -> Hit | None:
    """`torch.exp(x)` and `np.linalg.inv(A)`."""
    place = situation.index - 1
    if situation.kind != "ATTRIBUTE" or situation.near(-1).text not in _MODULES:
        return None
    start, last = situation.near(-1).start, situation.lexemes[place]
    for lexeme in situation.lexemes[place + 1 :]:
        if lexeme.kind not in ("ATTRIBUTE", "TRANSPOSE") or not lexeme.text.startswith("."):
            break
        last = lexeme
    name = _METHODS.get(last.text[1:], last.text[1:])
    return Hit(Span(start, last.end), situation.edited(start, last.end, name), (situation.near(-1).text, name))


_MODULES = frozenset((
    "torch", "np", "numpy", "jnp", "jax", "sp", "sympy", "scipy", "math", "cmath", "F", "nn", "tf", "mx",
    "linalg",
))  # fmt: skip
_METHODS = {
    "inverse": "inv",
    "pinverse": "pinv",
    "slogdet": "logdet",
    "matrix_exp": "expm",
    "cholesky": "chol",
}
_PRODUCTS = {"matmul": "*", "mm": "*", "mv": "*", "bmm": "*", "mul": " .* ", "multiply": " .* ", "add": " + "}
_TRANSPOSES = frozenset(("T", "mT", "transpose", "conj", "adjoint", "H", "mH", "conjugate"))


def _receiver(situation: Situation) -> tuple[int, str]:
    start = situation.lexemes[_operand_before(situation, situation.index)].start if situation.index else 0
    return start, situation.text[start : situation.span.start]


def _method(situation: Situation) -> Hit | None:
    """`x.sum()`, `A.inv()`, `x.dot(y)`, `x.transpose()`."""
    if situation.kind != "ATTRIBUTE" or situation.near(1).kind != "OPEN":
        return None
    close = _partners(situation.lexemes).get(situation.index + 1)
    if close is None:
        return None
    start, receiver = _receiver(situation)
    end, name = situation.lexemes[close].end, situation.word[1:]
    inside = situation.text[situation.near(1).end : situation.lexemes[close].start].strip()
    new = _as_function(receiver, name, inside)
    return Hit(situation.span, situation.edited(start, end, new), (situation.word,))


def _as_function(receiver: str, name: str, inside: str) -> str:
    if name in _PRODUCTS:
        return f"{receiver}{_PRODUCTS[name]}{inside}"
    if name in _TRANSPOSES:
        return f"{receiver}.T"
    if receiver.startswith("(") and receiver.endswith(")") and "(" not in receiver[1:]:
        receiver = receiver[1:-1]
    return f"{_METHODS.get(name, name)}({receiver}{', ' if inside else ''}{inside})"


def _called_transpose(situation: Situation) -> Hit | None:
    """`x.T()`: the brackets are too much."""
    if situation.kind != "OPEN" or situation.near(-1).text not in (".T", ".mT") or situation.near(1).kind != "CLOSE":
        return None
    return Hit(
        Span(situation.span.start, situation.near(1).end),
        situation.edited(situation.span.start, situation.near(1).end, ""),
        (situation.near(-1).text,),
    )


def _conjugate(situation: Situation) -> Hit | None:
    if situation.kind != "ATTRIBUTE" or situation.word not in (".H", ".mH"):
        return None
    return Hit(situation.span, situation.edited(situation.span.start, situation.span.end, ".T"), (situation.word,))


def _dotted_product(situation: Situation) -> Hit | None:
    """`x.T.A`, `x.TA`: a dot, or nothing, where a product is meant."""
    if situation.kind != "ATTRIBUTE" or not re.fullmatch(r"\.(?:[A-Z]|T[A-Za-z])", situation.word):
        return None
    new = f".T*{situation.word[2:]}" if len(situation.word) > 2 else f"*{situation.word[1:]}"
    return Hit(situation.span, situation.edited(situation.span.start, situation.span.end, new), (situation.word,))


def _dot_quote(situation: Situation) -> Hit | None:
    if situation.kind != "OTHER" or situation.word != "." or situation.near(1).text != "'":
        return None
    return Hit(situation.span, situation.edited(situation.span.start, situation.span.end, ""))


def _power_quote(situation: Situation) -> Hit | None:
    if situation.kind != "TRANSPOSE" or situation.near(-1).kind != "POWER":
        return None
    return Hit(situation.near(-1).span, situation.edited(*situation.near(-1)[2:], ""))


def _inverse_transpose(situation: Situation) -> Hit | None:
    """`A^-T` and `A⁻ᵀ`."""
    in_superscript = situation.word == "⁻" and situation.near(1).text == "ᵀ"
    if situation.kind != "INVERSE_TRANSPOSE" and not in_superscript:
        return None
    end = situation.near(1).end if in_superscript else situation.span.end
    start, receiver = _receiver(situation)
    return Hit(Span(situation.span.start, end), situation.edited(start, end, f"inv({receiver})'"))


def _quoted(situation: Situation) -> Hit | None:
    stripped, before = situation.text.strip(), situation.near(-1).kind
    is_first = situation.word in _QUOTES and stripped.startswith(situation.word) and before not in _OPERANDS
    is_closed = len(stripped) > 2 and stripped[-1] in _QUOTES
    return Hit(situation.span, stripped[1:-1]) if is_first and is_closed else None


_QUOTES = frozenset("\"'`“”‘’")


def _quote(situation: Situation) -> Hit | None:
    is_loose = situation.kind == "TRANSPOSE" and situation.near(-1).kind not in _OPERANDS
    return Hit(situation.span, "", (situation.word,)) if is_loose or situation.word == '"' else None


def _python(situation: Situation) -> Hit | None:
    first = situation.lexemes[_statement(situation)[0]] if situation.index < len(situation.lexemes) else _END
    if first.text not in _PYTHON or first.start == situation.span.start:
        return None
    new = situation.edited(first.start, first.end, "").strip() if first.text == "return" else ""
    return Hit(first.span, new, (first.text,))


_PYTHON = frozenset((
    "import", "from", "def", "class", "return", "for", "while", "if", "print", "del", "global", "with",
    "try", "raise", "assert", "exec",
))  # fmt: skip


def _factorial(situation: Situation) -> Hit | None:
    if situation.word != "!" or situation.near(-1).kind not in _OPERANDS or situation.near(1).kind == "EQUALS":
        return None
    start, receiver = _receiver(situation)
    return Hit(situation.span, situation.edited(start, situation.span.end, f"exp(lgamma({receiver} + 1))"))


def _walrus(situation: Situation) -> Hit | None:
    if situation.kind != "COLON" or situation.near(1).kind != "EQUALS":
        return None
    start, end = situation.span.start, situation.near(1).end
    return Hit(Span(start, end), situation.edited(start, end, "="))


def _doubled_equals(situation: Situation) -> Hit | None:
    if situation.kind != "EQUALS" or situation.near(-1).kind != "EQUALS":
        return None
    goes_on = any(lexeme.kind == "SEP" for lexeme in situation.lexemes[situation.index :])
    new = situation.edited(situation.span.start, situation.span.end, "") if goes_on else ""
    return Hit(Span(situation.near(-1).start, situation.span.end), new)


def _keyword(situation: Situation) -> Hit | None:
    if situation.kind != "EQUALS" or not _open_at(situation) or situation.near(-1).kind != "NAME":
        return None
    start, end = (
        situation.near(-1).start,
        situation.near(1).start if situation.near(1).end > 0 else situation.span.end,
    )
    return Hit(Span(start, situation.span.end), situation.edited(start, end, ""), (situation.near(-1).text,))


def _definition(situation: Situation) -> Hit | None:
    """`f(x) = x'*A*x`."""
    first = _statement(situation)[0]
    is_call = [lexeme.kind for lexeme in situation.lexemes[first : first + 2]] == ["NAME", "OPEN"]
    if situation.kind != "EQUALS" or not is_call or situation.near(-1).kind != "CLOSE":
        return None
    start = situation.lexemes[first].start
    return Hit(Span(start, situation.span.end), situation.edited(start, situation.span.end, "").strip())


def _no_let(situation: Situation) -> Hit | None:
    first = _statement(situation)[0]
    if situation.kind != "COLON" or situation.near(1).text not in _KINDS or situation.near(-1).kind != "NAME":
        return None
    start = situation.lexemes[first].start
    return Hit(Span(start, situation.span.end), situation.edited(start, start, "let "))


def _no_colon(situation: Situation) -> Hit | None:
    if situation.word not in _KINDS or situation.near(-1).kind != "NAME":
        return None
    place = situation.near(-1).end
    return Hit(situation.span, situation.edited(place, place, ":"), (situation.near(-1).text, situation.word))


def _step(situation: Situation) -> Hit | None:
    waiting = _open_at(situation)
    if situation.kind != "COLON" or not waiting or situation.lexemes[waiting[-1]].kind != "OPEN_SQUARE":
        return None
    inside = situation.lexemes[waiting[-1] + 1 : situation.index]
    return Hit(situation.span) if any(lexeme.kind == "COLON" for lexeme in inside) else None


def _decimal_comma(situation: Situation) -> Hit | None:
    around = situation.near(-1), situation.near(1)
    touch = around[0].end == situation.span.start and around[1].start == situation.span.end
    if situation.kind != "COMMA" or _open_at(situation) or not touch or {a.kind for a in around} != {"NUMBER"}:
        return None
    return Hit(situation.span, situation.edited(situation.span.start, situation.span.end, "."))


def _comma(situation: Situation) -> Hit | None:
    if situation.kind != "COMMA" or _open_at(situation):
        return None
    first, last = _statement(situation)
    start, end = situation.lexemes[first].start, situation.lexemes[last - 1].end
    return Hit(situation.span, situation.edited(start, end, f"[{situation.text[start:end]}]"))


def _unbalanced(situation: Situation) -> Iterator[tuple[int, int]]:
    """Pairs of places: an opening bracket (or -1) and the closing one that does not fit it (or -1)."""
    waiting: list[int] = []
    for place, lexeme in enumerate(situation.lexemes):
        if lexeme.kind in _OPENING:
            waiting.append(place)
        elif lexeme.kind in _CLOSING:
            other = waiting.pop() if waiting else -1
            if other < 0 or situation.lexemes[other].kind != _CLOSING[lexeme.kind]:
                yield other, place
    yield from ((place, -1) for place in waiting[::-1])


def _mismatched(situation: Situation) -> Hit | None:
    for opening, closing in _unbalanced(situation):
        if opening >= 0 and closing >= 0 and situation.kind in _ENDS:
            first, second = situation.lexemes[opening], situation.lexemes[closing]
            new = situation.edited(second.start, second.end, _CLOSERS[first.kind])
            return Hit(second.span, new, (first.text, second.text))
    return None


def _closes_nothing(situation: Situation) -> Hit | None:
    for opening, closing in _unbalanced(situation):
        if opening < 0 and situation.kind in _ENDS:
            extra = situation.lexemes[closing]
            return Hit(extra.span, situation.edited(extra.start, extra.end, ""), (extra.text,))
    return None


def _never_closed(situation: Situation) -> Hit | None:
    pairs = list(_unbalanced(situation))
    if not pairs or situation.kind not in _ENDS or any(closing >= 0 for _, closing in pairs):
        return None
    first, end = situation.lexemes[pairs[0][0]], situation.lexemes[-1].end
    closers = "".join(_CLOSERS[situation.lexemes[opening].kind] for opening, _ in pairs)
    return Hit(first.span, situation.edited(end, end, closers), (first.text,))


def _nothing_between(situation: Situation) -> Hit | None:
    opens = situation.near(-1).kind in ("OPEN", "OPEN_SQUARE", "COMMA", "ROW")
    if situation.kind not in ("CLOSE", "CLOSE_SQUARE", "COMMA", "ROW") or not opens:
        return None
    between = Span(situation.near(-1).start, situation.span.end)
    return Hit(between, "", (situation.near(-1).text, situation.word))


def _nothing_after(situation: Situation) -> Hit | None:
    before = situation.near(-1)
    if situation.kind not in _ENDS or before.kind not in _OPERATORS | {"EQUALS"}:
        return None
    return Hit(before.span, "", (before.text,))


def _nothing_before(situation: Situation) -> Hit | None:
    if situation.kind not in ("TIMES", "POWER", "DOTSIGN") or situation.near(-1).kind not in _BEGINS:
        return None
    return Hit(situation.span, "", (situation.word,))


def _two_operators(situation: Situation) -> Hit | None:
    if situation.kind not in _OPERATORS or situation.near(-1).kind not in _OPERATORS:
        return None
    return Hit(Span(situation.near(-1).start, situation.span.end), "", (situation.near(-1).text, situation.word))


def _two_slashes(situation: Situation) -> Hit | None:
    if situation.word != "/" or situation.near(-1).text != "/" or situation.near(-1).end != situation.span.start:
        return None
    start = situation.near(-1).start
    return Hit(Span(start, situation.span.end), situation.edited(start, situation.span.end, "/"))


def _continued(situation: Situation) -> Hit | None:
    """A line that starts with an operator."""
    before = situation.near(-1)
    is_operator = situation.near(0).kind in _OPERATORS and before.kind == "SEP"
    if not is_operator or before.text not in ("\n", "\r", "\r\n"):
        return None
    return Hit(situation.near(0).span, situation.edited(before.start, before.end, " "), (situation.near(0).text,))


def _function_without_brackets(situation: Situation) -> Hit | None:
    before, operand = situation.near(-1), _operand_after(situation, situation.index)
    if before.text not in _FUNCTIONS or situation.kind not in ("NAME", "NUMBER") or not operand:
        return None
    end = situation.span.start + len(operand)
    return Hit(before.span, situation.edited(before.start, end, f"{before.text}({operand})"), (before.text,))


_FUNCTIONS = frozenset((
    "sin", "cos", "tan", "exp", "log", "ln", "sqrt", "abs", "tr", "Tr", "trace", "det", "logdet", "inv",
    "norm", "norm2", "sum", "mean", "tanh", "relu", "sigmoid", "softmax",
))  # fmt: skip


def _grouped_digits(situation: Situation) -> Hit | None:
    before = situation.near(-1)
    if not re.fullmatch(r"(?:_[0-9]{3})+", situation.word) or before.kind != "NUMBER":
        return None
    new = situation.edited(situation.span.start, situation.span.end, situation.word.replace("_", ""))
    return Hit(Span(before.start, situation.span.end), new)


def _row_on_new_line(situation: Situation) -> Hit | None:
    waiting, before = _open_at(situation), situation.near(-1)
    between = situation.text[max(before.end, 0) : situation.span.start]
    in_block = bool(waiting) and situation.lexemes[waiting[-1]].kind == "OPEN_SQUARE"
    if not in_block or "\n" not in between or not _adjoins(situation):
        return None
    return Hit(situation.span, situation.edited(before.end, before.end, ";"))


def _adjoins(situation: Situation) -> bool:
    begins = situation.kind in ("NAME", "NUMBER", "OPEN", "LET", "OPEN_SQUARE")
    return begins and situation.near(-1).kind in _OPERANDS


def _adjoining(situation: Situation) -> Hit | None:
    """Two operands side by side."""
    if not _adjoins(situation):
        return None
    before = situation.near(-1)
    start = situation.lexemes[_operand_before(situation, situation.index)].start
    gap = before.end, situation.span.start
    left = situation.text[start : before.end]
    right = _operand_after(situation, situation.index) or situation.word
    return Hit(Span(start, situation.span.end), situation.edited(*gap, "*"), (left[-40:], right[:40]))


def _no_result(situation: Situation) -> Hit | None:
    if situation.kind != "NO_RESULT":
        return None
    first, _ = _statement(situation)
    named = first + 1 < len(situation.lexemes) and situation.lexemes[first + 1].kind == "EQUALS"
    end = situation.lexemes[-1].end
    return Hit(situation.span, situation.edited(end, end, f"; {situation.lexemes[first].text}") if named else "")


def _as_rows(situation: Situation) -> str:
    """`[[1, 2], [3, 4]]` as `[1, 2; 3, 4]`."""
    inside = re.sub(r"\]\s*,\s*\[", "; ", situation.word[1:-1].strip())
    return situation.edited(situation.span.start, situation.span.end, f"[{inside[1:-1]}]")


# --- characters

_LOOKALIKES = dict(
    zip(
        "аеорсхуіјѕкАВЕКМНОРСТХУІЅЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
        "aeopcxyijskABEKMHOPCTXYISJABEZHIKMNOPTYXo",
        strict=True,
    )
)
_SYMBOLS = (
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


def _lookalike(character: str) -> str | None:
    """The ASCII letter, digit or space that a character looks like."""
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


def _other_character(character: str) -> str | None:
    return "" if character else None


_NO_COMPARISON = "where(c, a, b) is a where c > 0 and b elsewhere"

MISTAKES: tuple[Mistake, ...] = (
    Mistake("", "x'*A*x", "there is nothing to read here", _empty, "an expression is expected"),
    Mistake("x\u202e + y", "x + y", "a character that cannot be seen: {0}", _hidden, "such characters are refused"),
    Mistake("`x'*A*x`", "x'*A*x", "quotes around an expression are not part of it", _quoted),
    Mistake('"x\'*A*x"', "x'*A*x", "quotes around an expression are not part of it", _quoted),
    Mistake(
        r"\frac{1}{2} x^\top A x",
        "(1)/(2)*x'*A*x",
        "this is LaTeX",
        _latex,
        "the language is plain: a/b, A*x, x', norm2(x)",
    ),
    Mistake("||x||", "norm2(x)", "a norm is written as a function", _bars(r"\|\|", "(?:_2)?", r"norm2(\1)")),
    Mistake("∥x∥", "norm2(x)", "a norm is written as a function", _bars("∥", "(?:_2)?", r"norm2(\1)")),
    Mistake("‖A‖_F", "norm_fro(A)", "a norm is written as a function", _bars("‖", "_F", r"norm_fro(\1)")),
    Mistake("‖x‖_2", "norm2(x)", "a norm is written as a function", _bars("‖", "(?:_2)?", r"norm2(\1)")),
    Mistake(
        "2 + |x|",
        "2 + abs(x)",
        "the absolute value is written as a function",
        _bars(r"\|", "", r"abs(\1)"),
        "abs(x) is elementwise; norm2(x) is the length of a vector; det(A) the determinant",
    ),
    Mistake("√x", "sqrt(x)", "'{0}' is written as the function {1}", _prefix({"√": "sqrt"})),
    Mistake("∑x", "sum(x)", "'{0}' is written as the function {1}", _prefix({"∑": "sum"})),
    Mistake("∏(x + y)", "prod(x + y)", "'{0}' is written as the function {1}", _prefix({"∏": "prod"})),
    Mistake(
        "∇f",
        "",
        "'{0}' is not part of an expression",
        lambda s: Hit(s.span, "", (s.word,)) if s.word in ("∇", "∂") and s.word else None,
        "type the function itself; which derivative is wanted is asked for beside it",
    ),
    Mistake("A^-T", "inv(A)'", "the inverse transpose is written with inv", _inverse_transpose),
    Mistake("A⁻ᵀ", "inv(A)'", "the inverse transpose is written with inv", _inverse_transpose),
    Mistake("x’*y", "x'*y", "the character '{0}' ({1}) is not in the language; type {2}", _characters(_SYMBOLS)),
    Mistake(
        "\u0430*x",
        "a*x",
        "the character '{0}' ({1}) is not in the language; type '{2}'",
        _replaced(_lookalike),
        "it looks like the other one and is a different character",
    ),
    Mistake("torch.exp(x)", "exp(x)", "functions have no module in front; '{0}.' is too much", _modules),
    Mistake("np.linalg.inv(A)", "inv(A)", "functions have no module in front; '{0}.' is too much", _modules),
    Mistake("A.H*x", "A.T*x", "there is no '{0}': all is real, and the transpose is .T", _conjugate),
    Mistake("x.T()*y", "x.T*y", "'{0}' takes no brackets", _called_transpose),
    Mistake("x.transpose()*y", "x.T*y", "'{0}' is a method; functions are written in front", _method),
    Mistake("x.dot(y)", "dot(x, y)", "'{0}' is a method; functions are written in front", _method),
    Mistake("(x + y).sum()", "sum(x + y)", "'{0}' is a method; functions are written in front", _method),
    Mistake("A.matmul(x)", "A*x", "'{0}' is a method; functions are written in front", _method),
    Mistake("x.T.A", "x.T*A", "'{0}' cannot follow; a product is written with *", _dotted_product),
    Mistake("x.TA", "x.T*A", "'{0}' cannot follow; a product is written with *", _dotted_product),
    Mistake("x.shape", "", "'{0}' cannot follow; after a dot only .T, .mT and .t() can", _kind("ATTRIBUTE")),
    Mistake("x.'*y", "x'*y", "the transpose is written without a dot", _dot_quote),
    Mistake("A^'*x", "A'*x", "the transpose is written without ^", _power_quote),
    Mistake(
        "lambda x: x'*x",
        "x'*x",
        "an expression stands alone, without lambda",
        _pattern(r"\blambda\b[^:\n]{0,99}:\s*", ""),
    ),
    Mistake("import os", "", "'{0}' is Python; an expression is expected", _python),
    Mistake("return x'*x", "x'*x", "'{0}' is Python; an expression is expected", _python),
    Mistake("'abc", "", "{0} is the transpose of what stands before it, and nothing does", _quote),
    Mistake('x + "y"', "", "{0} is the transpose of what stands before it, and nothing does", _quote),
    Mistake("x!", "exp(lgamma(x + 1))", "there is no factorial", _factorial, "lgamma(x + 1) is its logarithm"),
    Mistake(
        "x % the input",
        "x # the input",
        "comments start with #, and there is no remainder",
        _pattern("%", "#"),
    ),
    Mistake(
        "{a + b}*x",
        "(a + b)*x",
        "curly brackets are not used; type ( and )",
        lambda s: Hit(s.span, s.text.replace("{", "(").replace("}", ")")) if s.word in ("{", "}") else None,
    ),
    Mistake("x != y", "", "there are no comparisons", _pattern("!=|[<>]=?|[≤≥≠≈]"), _NO_COMPARISON),
    Mistake("x & y", "", "there is no '{0}'", _pattern(r"([&|~!?])", None, (1,)), _NO_COMPARISON),
    Mistake("r := A*x; r'*r", "r = A*x; r'*r", "a shared part is named with =", _walrus),
    Mistake(
        "r == A*x; r'*r",
        "r = A*x; r'*r",
        "there are no comparisons; = names a shared part",
        _doubled_equals,
        _NO_COMPARISON,
    ),
    Mistake("sum(X, axis=0)", "sum(X, 0)", "arguments have no names; '{0}=' is too much", _keyword),
    Mistake("f(x) = x'*A*x", "x'*A*x", "a function is typed as its expression alone", _definition),
    Mistake(
        "A*x = b",
        "",
        "an equation is not an expression",
        _kind("EQUALS"),
        "name = expression; names a shared part",
    ),
    Mistake("A: matrix(n, n); x'*A*x", "let A: matrix(n, n); x'*A*x", "a declaration starts with let", _no_let),
    Mistake("let A matrix(n, n); A", "let A: matrix(n, n); A", "':' is missing between {0} and {1}", _no_colon),
    Mistake("x[0:4:2]", "", "slices have no step", _step),
    Mistake("0,5*x", "0.5*x", "decimals are written with a point", _decimal_comma),
    Mistake("x, y", "[x, y]", "a text is one expression; a comma belongs into brackets", _comma),
    Mistake("x[i]", "", "an index is an integer that is written out, not {0!r}", _kind("INDEX"), "the first is 0"),
    Mistake(
        "x[1.5]",
        "",
        "an index is an integer that is written out, not {0!r}",
        _kind("INDEX"),
        "the first is 0",
    ),
    Mistake("A[0, 1, 2]", "", "there are two axes, and this is a third", _kind("AXIS")),
    Mistake(
        "[[1, 2], [3, 4]]",
        "[1, 2; 3, 4]",
        "rows of a block are separated by ;",
        _kind("NESTED", _as_rows),
        "lists in a list mean rows in NumPy and one long row in Octave",
    ),
    Mistake("(x + y]", "(x + y)", "'{0}' is closed by '{1}'", _mismatched),
    Mistake("x + y)", "x + y", "'{0}' closes nothing", _closes_nothing),
    Mistake(")(", "", "'{0}' closes nothing", _closes_nothing),
    Mistake("x*(A + B", "x*(A + B)", "'{0}' is never closed", _never_closed),
    Mistake("x[]", "", "there is nothing between '{0}' and '{1}'", _nothing_between),
    Mistake("atan2(x,, y)", "", "there is nothing between '{0}' and '{1}'", _nothing_between),
    Mistake("x +", "", "there is nothing after '{0}'", _nothing_after),
    Mistake("x^", "", "there is nothing after '{0}'", _nothing_after),
    Mistake("norm(x)**", "", "there is nothing after '{0}'", _nothing_after),
    Mistake(
        "x\n* y",
        "x * y",
        "a line goes on where it ends with an operator, not where the next one starts with '{0}'",
        _continued,
    ),
    Mistake(
        "x\n+ y",
        "x + y",
        "a line goes on where it ends with an operator, not where the next one starts with '{0}'",
        _continued,
    ),
    Mistake("(* x)", "", "there is nothing before '{0}'", _nothing_before),
    Mistake("x // y", "x / y", "'//' is neither a division nor a comment; a comment starts with #", _two_slashes),
    Mistake("x */ y", "", "there is nothing between '{0}' and '{1}'", _two_operators),
    Mistake(
        "log x",
        "log(x)",
        "a function has brackets around its arguments: {0}(...)",
        _function_without_brackets,
    ),
    Mistake("1_000*x", "1000*x", "digits are not grouped", _grouped_digits),
    Mistake("[A, B\n C, D]", "[A, B;\n C, D]", "rows of a block are separated by ;", _row_on_new_line),
    Mistake("2x", "2*x", "'*' is missing between '{0}' and '{1}'", _adjoining),
    Mistake("A x + 3 y", "A*x + 3*y", "'*' is missing between '{0}' and '{1}'", _adjoining),
    Mistake("(a)(b)", "(a)*(b)", "'*' is missing between '{0}' and '{1}'", _adjoining),
    Mistake("A'B", "A'*B", "'*' is missing between '{0}' and '{1}'", _adjoining),
    Mistake("r = A*x", "r = A*x; r", "the text ends without an expression", _no_result),
    Mistake("x; y", "", "a text is one expression, and {0!r} is a second", _kind("SECOND_RESULT")),
    Mistake("r*x; r = 2", "", "the expression comes last, after what it uses", _kind("EARLY_RESULT")),
    Mistake("x ☃ y", "", "the character '{0}' ({1}) is not in the language", _replaced(_other_character)),
)
"""The table. The order matters: the first row that applies is the one that speaks."""
