# ruff: noqa: RUF001  # signs of the language and their look-alikes are what this file is about
"""Text to a syntax tree with spans; every failure is a ParseError or a LimitError.

>>> read("x'*A*x").result.operator
'*'
"""

from __future__ import annotations

import difflib
import functools
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn

from matcalc.errors import LimitError, MatcalcError, ParseError, Span
from matcalc.language.mistakes import Finding, Lexeme, Situation, explain
from matcalc.limits import Limits, exceeded

if TYPE_CHECKING:
    from lark import Lark, Token

DEFAULT_LIMITS = Limits()

SIZES_OF_KIND = {"scalar": 0, "vector": 1, "row": 1, "matrix": 2}
"""How many sizes a declaration of each kind has."""

PROPERTY_WORDS = frozenset((
    "symmetric", "skew", "posdef", "psd", "diagonal", "lower", "upper", "orthogonal", "invertible",
    "full_rank", "principal", "positive_stable",
    "positive", "nonnegative", "nonzero", "unit", "simplex", "onehot", "integer", "sparse",
))  # fmt: skip
"""Words that are never sizes, so that `matrix(n, symmetric)` is refused and not misread."""

_GREEK_LETTERS = "αβγδεζηθικλμνξπρστυφχψωϵςϑϕϖϰϱµΓΔΘΛΞΠΣΦΨΩ"
_GREEK_WORDS = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "epsilon", "sigma",
    "theta", "phi", "pi", "kappa", "rho", "mu", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma",
    "Phi", "Psi", "Omega",
)  # fmt: skip

GREEK = dict(zip(_GREEK_LETTERS, _GREEK_WORDS, strict=True))
"""The Latin spelling of each Greek letter that a name may hold."""

_OPERATORS = {
    "**": "^",
    ".**": ".^",
    "·": "*",
    "⋅": "*",
    "×": "*",
    "⊙": ".*",
    "⊗": "kron",
    "−": "-",
    ".−": ".-",
}
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_GOES_ON = frozenset(("SIGN", "DOTSIGN", "TIMES", "POWER", "EQUALS", "COMMA", "COLON", "SEP"))
_ENDS_OPERAND = frozenset(("NAME", "NUMBER", "CLOSE", "CLOSE_SQUARE", "TRANSPOSE", "SUPER", "ATTRIBUTE"))
_OPENING = frozenset(("OPEN", "OPEN_SQUARE"))
_CLOSING = frozenset(("CLOSE", "CLOSE_SQUARE"))
_SEPARATES = frozenset(("TIMES", "DOTSIGN", "COMMA", "SEP", "ROW", "COLON", "EQUALS"))
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_BITS_PER_DIGIT = 3.3220
_REPAIRS = 16
_REPAIRED_LENGTH = 4000
_DIGITS_AT_ONCE = 4000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """What every part of the tree is: something with a span, parentheses around it included."""

    span: Span = field(kw_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.span.start}:{self.span.end})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Number(Node):
    """A number as written, exactly: `0.5` is 1/2."""

    value: Fraction


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name(Node):
    """A name in its Latin spelling: `λ` is `lambda`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sign(Node):
    """`-x` or `+x`."""

    negative: bool
    operand: Node


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary(Node):
    r"""Two operands and one of `+ - * @ \ .* ./ / kron .+ .- ^ .^`; `glyph` is what was typed."""

    operator: str
    left: Node
    right: Node
    operator_span: Span
    glyph: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Transpose(Node):
    """A transpose, and how it was written: `.T`, `'`, `ᵀ`, `^T`, `.t()`, `.mT`."""

    operand: Node
    written: str


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop`, either of them open."""

    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index(Node):
    """`x[1]`, `A[0, :]`; a span for each item."""

    operand: Node
    items: tuple[int | Slice, ...]
    item_spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(Node):
    """A function by its name, known or not, and its arguments."""

    function: str
    arguments: tuple[Node, ...]
    function_span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Block(Node):
    """`[A, B; C, D]`, row by row."""

    rows: tuple[tuple[Node, ...], ...]


SizeTree = Number | Name | Binary


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """`let name: kind(sizes; properties)`; without a name in the text, `name` is as given or empty."""

    name: str
    kind: str
    sizes: tuple[SizeTree, ...]
    properties: tuple[str, ...]
    span: Span
    name_span: Span
    property_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """`name = value`, a shared subexpression."""

    name: str
    value: Node
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A text: what it declares, what it names, and the one expression that it is."""

    text: str
    declarations: tuple[Declaration, ...]
    bindings: tuple[Binding, ...]
    result: Node


def read(text: str, limits: Limits = DEFAULT_LIMITS, names: Iterable[str] = frozenset()) -> Program:
    """The tree of a text; `names` are declared outside of it (with a `T` among them `x^T` is a power).

    Raises ParseError with a place and a suggestion that parses, and LimitError.

    >>> read("let A: matrix(n, n; symmetric); x.T @ A @ x").declarations[0].properties
    ('symmetric',)
    """
    reading = _Reading(text, "program", limits, frozenset(names), _REPAIRS)
    program: Program = reading.finished()
    return program


def declaration(text: str, name: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Declaration:
    """One declaration, with or without its name in front.

    Raises ParseError, also where the text names something other than `name`, and LimitError.

    >>> declaration("matrix(n, n; symmetric)", "A").kind
    'matrix'
    """
    found = declarations(text, limits)
    if len(found) > 1:
        raise ParseError("one name is declared at a time here", text=text, spans=(found[1].name_span,))
    if name is None:
        return found[0]
    latin_name = _declarable(name)
    if found[0].name not in ("", latin_name):
        message = f"this declares {found[0].name!r} where {latin_name!r} was to be declared"
        raise ParseError(message, text=text, spans=(found[0].name_span,))
    return replace(found[0], name=latin_name)


def declarations(text: str, limits: Limits = DEFAULT_LIMITS) -> tuple[Declaration, ...]:
    """All that one declaration declares: `A, B: matrix(n, n)`, with or without `let`.

    >>> [each.name for each in declarations("A, B: matrix(n, n)")]
    ['A', 'B']
    """
    found: tuple[Declaration, ...] = _Reading(text, "declaration", limits, frozenset(), _REPAIRS).finished()
    return found


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, from left to right.

    >>> len(children(read("a + b").result))
    2
    """
    match node:
        case Sign(operand=operand) | Transpose(operand=operand) | Index(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case Block(rows=rows):
            return tuple(entry for row in rows for entry in row)
    return ()


def children_first(root: Node) -> list[Node]:
    """Every node of a tree after its children, without recursion.

    >>> [type(node).__name__ for node in children_first(read("-x + 1").result)]
    ['Name', 'Sign', 'Number', 'Binary']
    """
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += children(node)
    return found[::-1]


def latin(name: str) -> str:
    """A name with its Greek letters spelled out.

    >>> latin("λ_max")
    'lambda_max'
    """
    return "".join(GREEK.get(letter, letter) for letter in name)


class _MisplacedError(Exception):
    """Something where it cannot be; the table of mistakes finds the words."""

    def __init__(self, start: int, end: int, kind: str) -> None:
        super().__init__(kind)
        self.start, self.end, self.kind = start, end, kind


class _RefusedError(Exception):
    """Something that the grammar lets through, with the words for it and an edit that would help."""

    def __init__(self, message: str, span: Span, why: str = "", instead: str | None = None) -> None:
        super().__init__(message)
        self.message, self.span, self.why, self.instead = message, span, why, instead

    def finding(self, text: str) -> Finding:
        """The same, as the table of mistakes would put it."""
        edited = "" if self.instead is None else text[: self.span.start] + self.instead + text[self.span.end :]
        return Finding(self.message, self.span, self.why, edited)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text on its way to a tree, and how often a suggestion for it may still be repaired."""

    text: str
    start: str
    limits: Limits
    names: frozenset[str]
    repairs: int

    def finished(self) -> Any:
        """The tree, or the error in the reader's terms."""
        tokens: list[Token] = []
        try:
            _check_characters(self.text, self.limits)
            tokens += _laid_out(self.text, self.names, self.limits)
            _check_tokens(tokens, self.text, self.limits)
            return self._checked(_parsed(tokens, self.start, len(self.text)))
        except _MisplacedError as error:
            raise self._explained(error, tokens) from None
        except _RefusedError as error:
            raise self._told(error.finding(self.text)) from None

    def _checked(self, parsed: Any) -> Any:
        if self.start == "declaration":
            _check_names_once(self.text, parsed)
            return tuple(parsed)
        program = _assembled(self.text, parsed)
        _check_tree(program, self.limits)
        return program

    def _explained(self, error: _MisplacedError, tokens: list[Token]) -> ParseError:
        lexemes = tuple(Lexeme(token.type, str(token), _begin(token), _finish(token)) for token in tokens)
        index = sum(1 for lexeme in lexemes if lexeme.start < error.start)
        return self._told(explain(Situation(self.text, lexemes, index, error.kind, Span(error.start, error.end))))

    def _told(self, finding: Finding) -> ParseError:
        return ParseError(
            finding.message,
            text=self.text,
            spans=(finding.span,),
            why=finding.why,
            suggestion=self._repaired(finding.suggestion),
        )

    def _repaired(self, candidate: str) -> str:
        """The candidate if it parses, else what its own error suggests."""
        if not candidate or candidate == self.text or not self.repairs or len(candidate) > _REPAIRED_LENGTH:
            return ""
        try:
            replace(self, text=candidate, repairs=self.repairs - 1).finished()
        except MatcalcError as error:
            return error.suggestion
        return candidate


# --- characters and tokens


def _check_characters(text: str, limits: Limits) -> None:
    if len(text) > limits.text:
        raise exceeded(limits, "text", len(text), f"a text of {len(text)} characters")
    for place, character in enumerate(text):
        if character not in "\n\t\r" and unicodedata.category(character) in _HIDDEN:
            raise _MisplacedError(place, place + 1, "HIDDEN")


def _laid_out(text: str, names: frozenset[str], limits: Limits) -> list[Token]:
    tokens = list(_separated(_lexed(text, limits)))
    while tokens and tokens[-1].type == "SEP":
        tokens.pop()
    return list(_with_transposes(tokens, "T" in names or _is_declared("T", tokens)))


def _lexed(text: str, limits: Limits) -> list[Token]:
    tokens: list[Token] = []
    for token in _grammar().lex(text):
        tokens.append(token)
        if len(tokens) > limits.tokens:
            raise exceeded(limits, "tokens", len(tokens), "more tokens than a text may have", text, _span(token))
    return tokens


def _separated(tokens: list[Token]) -> Iterator[Token]:
    """Name the separators by the brackets around them; drop newlines where the text goes on."""
    depth, before = 0, "SEP"
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        depth = max(0, depth + (token.type in _OPENING) - (token.type in _CLOSING))
        kind = _separator(token, depth, before, following)
        if kind:
            before = kind
            yield token if kind == token.type else _renamed(token, kind)


def _separator(token: Token, depth: int, before: str, following: Token | None) -> str:
    if token.type == "NEWLINE":
        return "" if depth or before in _GOES_ON else "SEP"
    if token.type == "SEMI" and not depth:
        return "" if before == "SEP" else "SEP"
    if token.type == "SEMI":
        return "ROW"
    if str(token) == "let" and before == "SEP" and following is not None and following.type == "NAME":
        return "LET"
    return str(token.type)


def _is_declared(name: str, tokens: list[Token]) -> bool:
    """Whether a `let` or a binding of the text introduces the name."""
    letting, before = False, "SEP"
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        letting = (letting or token.type == "LET") and token.type not in ("COLON", "SEP")
        binds = before == "SEP" and following is not None and following.type == "EQUALS"
        if str(token) == name and (letting or binds):
            return True
        before = token.type
    return False


def _with_transposes(tokens: list[Token], is_t_a_name: bool) -> Iterator[Token]:
    """Join the tokens that together write one transpose."""
    place = 0
    while place < len(tokens):
        kind, length = _transpose_at([(t.type, str(t)) for t in tokens[place : place + 4]], is_t_a_name)
        yield _renamed(tokens[place], kind, tokens[place + length - 1]) if kind else tokens[place]
        place += length


def _transpose_at(ahead: list[tuple[str, str]], is_t_a_name: bool) -> tuple[str, int]:
    match ahead:
        case [("ATTRIBUTE", ".T" | ".mT"), *_]:
            return "TRANSPOSE", 1
        case [("ATTRIBUTE", ".t"), ("OPEN", _), ("CLOSE", _), *_]:
            return "TRANSPOSE", 3
        case [("POWER", "^"), ("TRANSPOSE", "⊤" | "ᵀ"), *_]:
            return "TRANSPOSE", 2
        case [("POWER", "^"), ("NAME", "T"), ("OPEN", _), *_]:
            return "", 1
        case [("POWER", "^"), ("NAME", "T"), *_] if not is_t_a_name:
            return "TRANSPOSE", 2
        case [("POWER", "^" | "**"), ("SIGN", "-" | "−"), ("NAME", "T"), *_] if not is_t_a_name:
            return "INVERSE_TRANSPOSE", 3
    return "", 1


def _check_tokens(tokens: list[Token], text: str, limits: Limits) -> None:
    names: set[str] = set()
    for token in tokens:
        if token.type == "NAME":
            names.add(latin(token))
            _check_name(token, text, limits)
        elif token.type in ("NUMBER", "SUPER"):
            _check_number(token, text, limits)
        if len(names) > limits.names:
            raise exceeded(limits, "names", len(names), "more names than a text may have", text, _span(token))
    depth, deepest = max(_depths(tokens), key=lambda pair: pair[0], default=(0, None))
    if depth > limits.nesting and deepest is not None:
        raise exceeded(limits, "nesting", depth, f"nested {depth} deep", text, _span(deepest))


def _check_name(token: Token, text: str, limits: Limits) -> None:
    length = len(latin(token))
    if length > limits.name_length:
        raise exceeded(limits, "name_length", length, f"a name of {length} characters", text, _span(token))


def _check_number(token: Token, text: str, limits: Limits) -> None:
    whole, decimals, exponent = _digits(token.translate(_SUPERSCRIPT))
    if len(whole) > limits.integer_digits:
        what = f"a number of {len(whole)} digits"
        raise exceeded(limits, "integer_digits", len(whole), what, text, _span(token))
    digits = exponent.lstrip("+-").lstrip("0")
    size = max(len(decimals), int(digits or 0) if len(digits) < limits.integer_digits else 10**18)
    if size > limits.decimal_exponent:
        raise exceeded(limits, "decimal_exponent", size, "a number too large or too fine", text, _span(token))


def _depths(tokens: list[Token]) -> Iterator[tuple[int, Token]]:
    """How many brackets, signs and right-hand powers are open at each token."""
    pending, open_powers, before = [0], 0, "SEP"
    for token in tokens:
        if token.type in _OPENING:
            pending.append(0)
        elif token.type in _CLOSING and len(pending) > 1:
            open_powers -= pending.pop()
        elif token.type in _SEPARATES or (token.type == "SIGN" and before in _ENDS_OPERAND):
            open_powers -= pending[-1]
            pending[-1] = 0
        elif token.type in ("SIGN", "POWER"):
            pending[-1] += 1
            open_powers += 1
        before = token.type
        yield len(pending) - 1 + open_powers, token


# --- the parser


class _Layout:
    """Keeps in the lexer what no rule of the grammar uses."""

    always_accept = ("SEMI", "NEWLINE", "ATTRIBUTE", "OTHER")

    @staticmethod
    def process(stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@functools.cache
def _grammar() -> Lark:
    from lark import Lark

    text = resources.files("matcalc.language").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        text,
        parser="lalr",
        lexer="basic",
        start=["program", "declaration"],
        postlex=_Layout(),
        transformer=_Builder(),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def _parsed(tokens: list[Token], start: str, end: int) -> Any:
    from lark import UnexpectedInput

    parser = _grammar().parse_interactive(start=start)
    place, stop, kind = end, end, "END"
    try:
        for token in tokens:
            place, stop, kind = _begin(token), _finish(token), str(token.type)
            parser.feed_token(token)
        place, stop, kind = end, end, "END"
        return parser.feed_eof()  # type: ignore[no-untyped-call]  # lark leaves it unannotated
    except UnexpectedInput:
        raise _MisplacedError(place, stop, kind) from None


class _Builder:
    """What lark calls for each rule, from the bottom up; one method a rule of the grammar."""

    def program(self, parts: list[Any]) -> list[Any]:
        return [part for part in parts if not _is_token(part)]

    def names(self, parts: list[Any]) -> list[Token]:
        return parts[::2]

    def let(self, parts: list[Any]) -> list[Declaration]:
        _, names, _, kind = parts
        return [_declared(kind, latin(name), Span(_begin(parts[0]), kind.span.end), _span(name)) for name in names]

    def declaration(self, parts: list[Any]) -> list[Declaration]:
        names, _, kind = parts
        whole = Span(_begin(names[0]), kind.span.end)
        return [_declared(kind, latin(name), whole, _span(name)) for name in names]

    def nameless(self, parts: list[Any]) -> list[Declaration]:
        return [_declared(parts[0], "", parts[0].span, parts[0].span)]

    def kind(self, parts: list[Any]) -> _Kind:
        has_sizes = len(parts) > 2 and isinstance(parts[2], list)
        has_properties = len(parts) > 3 and isinstance(parts[-2], list) and not _is_list_first(parts)
        sizes = parts[2] if has_sizes else []
        return _Kind(parts[0], tuple(sizes), tuple(parts[-2] if has_properties else ()), _across(parts))

    def binding(self, parts: list[Any]) -> Binding:
        name, _, value = parts
        return Binding(latin(name), value, _across(parts), _span(name))

    def binary(self, parts: list[Any]) -> Binary:
        left, operator, right = parts
        glyph = str(operator)
        return Binary(_OPERATORS.get(glyph, glyph), left, right, _span(operator), glyph, span=_across(parts))

    def sign(self, parts: list[Any]) -> Sign:
        return Sign(str(parts[0]) != "+", parts[1], span=_across(parts))

    def transpose(self, parts: list[Any]) -> Transpose:
        return Transpose(parts[0], str(parts[1]), span=_across(parts))

    def superscript(self, parts: list[Any]) -> Binary:
        written = str(parts[1]).translate(_SUPERSCRIPT)
        number = Number(Fraction(_integer(written.lstrip("+-"))), span=_span(parts[1]))
        exponent = Sign(True, number, span=number.span) if written.startswith("-") else number
        return Binary("^", parts[0], exponent, _span(parts[1]), str(parts[1]), span=_across(parts))

    def index(self, parts: list[Any]) -> Index:
        items, spans = zip(*parts[2], strict=True)
        if len(items) > 2:
            raise _MisplacedError(spans[2].start, spans[2].end, "AXIS")
        return Index(parts[0], items, spans, span=_across(parts))

    def items(self, parts: list[Any]) -> list[tuple[int | Slice, Span]]:
        return parts[::2]

    def element(self, parts: list[Any]) -> tuple[int, Span]:
        return _whole(parts[0]), parts[0].span

    def stretch(self, parts: list[Any]) -> tuple[Slice, Span]:
        colon = next(place for place, part in enumerate(parts) if _is_token(part))
        start = _whole(parts[0]) if colon else None
        stop = _whole(parts[-1]) if colon < len(parts) - 1 else None
        return Slice(start, stop), _across(parts)

    def number(self, parts: list[Any]) -> Number:
        whole, decimals, exponent = _digits(parts[0])
        power = int(exponent or 0) - len(decimals)
        return Number(_integer(whole + decimals) * Fraction(10) ** power, span=_span(parts[0]))

    def name(self, parts: list[Any]) -> Name:
        return Name(latin(parts[0]), span=_span(parts[0]))

    def call(self, parts: list[Any]) -> Call:
        arguments = tuple(parts[2]) if isinstance(parts[2], list) else ()
        return Call(latin(parts[0]), arguments, _span(parts[0]), span=_across(parts))

    def group(self, parts: list[Any]) -> Node:
        inner: Node = parts[1]
        return replace(inner, span=_across(parts))

    def block(self, parts: list[Any]) -> Block:
        return Block(tuple(tuple(row) for row in parts[1]), span=_across(parts))

    def sequence(self, parts: Sequence[Any]) -> Sequence[Any]:
        return parts[::2]

    def rows(self, parts: Sequence[Any]) -> Sequence[Any]:
        return parts[::2]


def _is_list_first(parts: Sequence[Any]) -> bool:
    """Whether `NAME ( sequence )` is all there is, with no row of properties."""
    return len(parts) == 4 and isinstance(parts[2], list)


def _is_token(part: object) -> bool:
    return isinstance(part, str)


def _begin(part: Any) -> int:
    return int(part.start_pos) if _is_token(part) else int(part.span.start)


def _finish(part: Any) -> int:
    return int(part.end_pos) if _is_token(part) else int(part.span.end)


def _span(token: Token) -> Span:
    return Span(_begin(token), _finish(token))


def _across(parts: Sequence[Any]) -> Span:
    return Span(_begin(parts[0]), _finish(parts[-1]))


def _renamed(token: Token, kind: str, last: Token | None = None) -> Token:
    """The token under another kind, reaching to the end of a later one."""
    from lark import Token

    value = str(token) if last is None or last is token else _joined(token, last)
    return Token(kind, value, start_pos=token.start_pos, end_pos=(last or token).end_pos)


def _joined(token: Token, last: Token) -> str:
    return ".t()" if last.type == "CLOSE" else str(token) + str(last)


def _digits(number: str) -> tuple[str, str, str]:
    """The digits before the point, after it, and the exponent."""
    mantissa, _, exponent = number.replace("E", "e").partition("e")
    whole, _, decimals = mantissa.partition(".")
    return whole.lstrip("+-0"), decimals.rstrip("0"), exponent


def _integer(digits: str) -> int:
    """The value of any number of digits, in pieces that `int` accepts."""
    value = 0
    for place in range(0, len(digits), _DIGITS_AT_ONCE):
        piece = digits[place : place + _DIGITS_AT_ONCE]
        value = value * 10 ** len(piece) + int(piece)
    return value


def _whole(node: Node) -> int:
    number = node.operand if isinstance(node, Sign) else node
    if not isinstance(number, Number) or number.value.denominator != 1:
        raise _MisplacedError(node.span.start, node.span.end, "INDEX")
    negative = isinstance(node, Sign) and node.negative
    return -int(number.value) if negative else int(number.value)


# --- declarations


@dataclass(frozen=True, slots=True)
class _Kind:
    """The part of a declaration after the colon, as parsed."""

    word: Token
    before: tuple[Node, ...]
    after: tuple[Node, ...]
    span: Span


def _declared(kind: _Kind, name: str, span: Span, name_span: Span) -> Declaration:
    word = str(kind.word)
    if word not in SIZES_OF_KIND:
        _refuse_kind(kind)
    count = SIZES_OF_KIND[word]
    sizes, properties = kind.before[:count], kind.before[count:] + kind.after
    if len(sizes) < count or any(_is_property(size) for size in sizes):
        _refuse_sizes(kind)
    found = tuple(_property(node, word, count) for node in properties)
    spans = tuple(node.span for node in properties)
    return Declaration(name, word, tuple(map(_size, sizes)), found, span, name_span, spans)


def _refuse_kind(kind: _Kind) -> NoReturn:
    near = difflib.get_close_matches(str(kind.word).lower(), SIZES_OF_KIND, n=1)
    raise _RefusedError(
        f"there is no kind {str(kind.word)!r}",
        _span(kind.word),
        "the kinds are " + ", ".join(SIZES_OF_KIND),
        near[0] if near else None,
    )


def _refuse_sizes(kind: _Kind) -> NoReturn:
    """Say how many sizes are needed, and write them: one size of a matrix stands for both."""
    word = str(kind.word)
    count = SIZES_OF_KIND[word]
    given = [node.name for node in kind.before if isinstance(node, Name) and not _is_property(node)]
    words = [node.name for node in kind.before + kind.after if _is_property(node) and isinstance(node, Name)]
    sizes = (given * count)[:count] or ["m", "n"][-count:]
    is_plain = len(given) + len(words) == len(kind.before + kind.after)
    instead = f"{word}({', '.join(sizes)}{'; ' if words else ''}{', '.join(words)})" if is_plain else None
    raise _RefusedError(f"a {word} needs {count} size{'s' * (count > 1)}", kind.span, "", instead)


def _is_property(node: Node) -> bool:
    return isinstance(node, Name) and node.name in PROPERTY_WORDS


def _property(node: Node, word: str, count: int) -> str:
    if isinstance(node, Name):
        return node.name
    what = f"a {word} has {count} size{'s' * (count != 1)}; what follows them is the name of a property"
    raise _RefusedError(what, node.span, "properties are words such as symmetric, posdef, positive")


def _size(node: Node) -> SizeTree:
    for part in children_first(node):
        is_number = isinstance(part, Number) and part.value.denominator == 1 and part.value > 0
        is_operation = isinstance(part, Binary) and part.operator in ("+", "-", "*")
        if not (is_number or is_operation or isinstance(part, Name)):
            raise _RefusedError(
                "this is not a size", part.span, "a size is a name, a positive integer, or like n-1, m*n"
            )
    assert isinstance(node, Number | Name | Binary)  # for the type checker; the loop has seen to it
    return node


def _declarable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", latin(name)) or len(name) > DEFAULT_LIMITS.name_length:
        raise ParseError("this is not a name", text=name, spans=(Span(0, len(name)),), why=_NAMES)
    return latin(name)


_NAMES = "a name is letters, digits and _, and does not start with a digit"


# --- the whole text


def _assembled(text: str, statements: list[Any]) -> Program:
    declared = [each for statement in statements if isinstance(statement, list) for each in statement]
    bindings = [statement for statement in statements if isinstance(statement, Binding)]
    results = [statement for statement in statements if isinstance(statement, Node)]
    if not results:
        raise _MisplacedError(len(text), len(text), "NO_RESULT")
    if len(results) > 1:
        raise _MisplacedError(results[1].span.start, results[1].span.end, "SECOND_RESULT")
    if statements[-1] is not results[0]:
        raise _MisplacedError(results[0].span.start, results[0].span.end, "EARLY_RESULT")
    _check_names_once(text, [*declared, *bindings])
    return Program(text, tuple(declared), tuple(bindings), results[0])


def _check_names_once(text: str, introduced: Sequence[Declaration | Binding]) -> None:
    first: dict[str, Span] = {}
    for each in introduced:
        if each.name in first:
            message = f"{each.name!r} is introduced twice"
            raise ParseError(message, text=text, spans=(first[each.name], each.name_span), why="keep one of the two")
        first[each.name] = each.name_span


def _check_tree(program: Program, limits: Limits) -> None:
    roots: list[Node] = [size for each in program.declarations for size in each.sizes]
    roots += [*(binding.value for binding in program.bindings), program.result]
    nodes = [node for root in roots for node in children_first(root)]
    if len(nodes) > limits.nodes:
        what = f"an expression of {len(nodes)} nodes"
        raise exceeded(limits, "nodes", len(nodes), what, program.text, program.result.span)
    _check_powers(nodes, program.text, limits)
    for node in nodes:
        if isinstance(node, Block) and _is_list_of_lists(node, program.text):
            raise _MisplacedError(node.span.start, node.span.end, "NESTED")


def _is_list_of_lists(block: Block, text: str) -> bool:
    entries = block.rows[0]
    return len(block.rows) == 1 and all(
        isinstance(entry, Block) and len(entry.rows) == 1 and text[entry.span.start] == "[" for entry in entries
    )


def _check_powers(nodes: list[Node], text: str, limits: Limits) -> None:
    """Fold the constants, with bounds, to see that no exponent and no tower is too large."""
    values: dict[int, Fraction | None] = {}
    towers: dict[int, int] = {}
    for node in nodes:
        is_power = isinstance(node, Binary) and node.operator in ("^", ".^")
        towers[id(node)] = max((towers[id(child)] for child in children(node)), default=0)
        if is_power and isinstance(node, Binary) and values[id(node.right)] is not None:
            towers[id(node)] = max(towers[id(node.left)], 1 + towers[id(node.right)])
            _check_exponent(values[id(node.right)], node, text, limits)
        if towers[id(node)] > limits.tower:
            height = towers[id(node)]
            raise exceeded(limits, "tower", height, f"a tower of {height} powers", text, node.span)
        values[id(node)] = _folded(node, values, text, limits)


def _check_exponent(exponent: Fraction | None, node: Binary, text: str, limits: Limits) -> None:
    if exponent is not None and abs(exponent) > limits.scalar_power:
        value = min(math.ceil(abs(exponent)), 10**18)
        raise exceeded(limits, "scalar_power", value, "an exponent too large", text, node.right.span)


def _folded(node: Node, values: dict[int, Fraction | None], text: str, limits: Limits) -> Fraction | None:
    """The value of a node that is a number expression, else None."""
    below = [values[id(child)] for child in children(node)]
    known = [value for value in below if value is not None]
    if isinstance(node, Number):
        return node.value
    if len(known) < len(below) or not isinstance(node, Sign | Binary):
        return None
    if isinstance(node, Sign):
        return -known[0] if node.negative else known[0]
    try:
        value = _computed(node.operator, known[0], known[1], limits)
    except LimitError as error:
        raise error.at(text, node.span) from None
    if value is not None and _size_of(value) > limits.decimal_exponent * _BITS_PER_DIGIT + 2:
        digits = int(_size_of(value) / _BITS_PER_DIGIT)
        raise exceeded(limits, "decimal_exponent", digits, f"a number of {digits} digits", text, node.span)
    return value


def _size_of(value: Fraction) -> int:
    """About the binary logarithm, without its sign; 0 for 0."""
    return abs(value.numerator.bit_length() - value.denominator.bit_length()) if value else 0


def _computed(operator: str, left: Fraction, right: Fraction, limits: Limits) -> Fraction | None:
    match operator:
        case "+" | ".+":
            return left + right
        case "-" | ".-":
            return left - right
        case "*" | ".*":
            return left * right
        case "/" | "./" if right:
            return left / right
        case "^" | ".^" if right.denominator == 1 and (left or right >= 0):
            return _power(left, int(right), limits)
    return None


def _power(base: Fraction, exponent: int, limits: Limits) -> Fraction:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent)
    if bits > 64 * _BITS_PER_DIGIT * limits.decimal_exponent:
        digits = int(bits / _BITS_PER_DIGIT)
        raise exceeded(limits, "decimal_exponent", digits // 64, f"a number of about {digits} digits")
    return base**exponent


__all__ = [
    "Binary", "Binding", "Block", "Call", "Declaration", "Index", "LimitError", "Name", "Node", "Number",
    "Program", "Sign", "SizeTree", "Slice", "Transpose", "children", "children_first", "declaration",
    "declarations", "latin", "read",
]  # fmt: skip
