"""Text to a syntax tree with spans; every failure is a ParseError or a LimitError.

>>> read("x'*A*x").result.operator
'*'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from matcalc.errors import MatcalcError, ParseError, Span
from matcalc.language.bounds import check_characters, check_tokens
from matcalc.language.declarations import declarable
from matcalc.language.exponents import check_powers
from matcalc.language.grammar import lexed, parsed
from matcalc.language.layout import laid_out
from matcalc.language.mistakes.situation import Lexeme, Situation
from matcalc.language.mistakes.table import explain
from matcalc.language.refusals import Finding, MisplacedError, RefusedError
from matcalc.language.tokens import span_of
from matcalc.language.tree import Binding, Block, Declaration, Node, Program, children_first
from matcalc.limits import Limits, exceeded

if TYPE_CHECKING:
    from lark import Token

DEFAULT_LIMITS = Limits()

_REPAIRS = 16
_REPAIRED_LENGTH = 4000


def read(text: str, limits: Limits = DEFAULT_LIMITS, names: Iterable[str] = frozenset()) -> Program:
    """The tree of a text; `names` are declared outside of it (with a `T` among them `x^T` is a power).

    Raises ParseError with a place and a suggestion that parses, and LimitError.

    >>> read("let A: matrix(n, n; symmetric); x.T @ A @ x").declarations[0].properties
    ('symmetric',)
    """
    program: Program = _Reading(text, "program", limits, frozenset(names)).finished()
    return program


def declarations(text: str, limits: Limits = DEFAULT_LIMITS) -> tuple[Declaration, ...]:
    """All that one declaration declares: `A, B: matrix(n, n)`, with or without `let`.

    >>> [each.name for each in declarations("A, B: matrix(n, n)")]
    ['A', 'B']
    """
    found: tuple[Declaration, ...] = _Reading(text, "declaration", limits).finished()
    return found


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
    wanted = declarable(name, limits)
    if found[0].name not in ("", wanted):
        message = f"this declares {found[0].name!r} where {wanted!r} was to be declared"
        raise ParseError(message, text=text, spans=(found[0].name_span,))
    return replace(found[0], name=wanted)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text on its way to a tree, and how often a suggestion for it may still be repaired."""

    text: str
    start: str
    limits: Limits
    names: frozenset[str] = frozenset()
    repairs: int = _REPAIRS

    def finished(self) -> Any:
        """The tree, or the error in the reader's terms."""
        tokens: list[Token] = []
        try:
            check_characters(self.text, self.limits)
            tokens += laid_out(lexed(self.text, self.limits), self.names)
            check_tokens(tokens, self.text, self.limits)
            return self._checked(parsed(tokens, self.start, len(self.text)))
        except MisplacedError as error:
            raise self._told(self._explained(error, tokens)) from None
        except RefusedError as error:
            raise self._told(error.finding(self.text)) from None

    def _checked(self, made: Any) -> Any:
        if self.start == "declaration":
            _check_names_once(self.text, made)
            return tuple(made)
        program = _assembled(self.text, made)
        _check_tree(program, self.limits)
        return program

    def _explained(self, error: MisplacedError, tokens: list[Token]) -> Finding:
        lexemes = tuple(Lexeme(token.type, str(token), span_of(token)) for token in tokens)
        index = sum(1 for lexeme in lexemes if lexeme.span.start < error.span.start)
        return explain(Situation(self.text, lexemes, index, error.kind, error.span))

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


def _assembled(text: str, statements: list[Any]) -> Program:
    declared = [each for statement in statements if isinstance(statement, list) for each in statement]
    bindings = [statement for statement in statements if isinstance(statement, Binding)]
    results = [statement for statement in statements if isinstance(statement, Node)]
    if not results:
        raise MisplacedError(Span(len(text), len(text)), "NO_RESULT")
    if len(results) > 1:
        raise MisplacedError(results[1].span, "SECOND_RESULT")
    if statements[-1] is not results[0]:
        raise MisplacedError(results[0].span, "EARLY_RESULT")
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
    check_powers(nodes, program.text, limits)
    for node in nodes:
        if isinstance(node, Block) and _is_list_of_lists(node, program.text):
            raise MisplacedError(node.span, "NESTED")


def _is_list_of_lists(block: Block, text: str) -> bool:
    entries = block.rows[0]
    return len(block.rows) == 1 and all(
        isinstance(entry, Block) and len(entry.rows) == 1 and text[entry.span.start] == "[" for entry in entries
    )
