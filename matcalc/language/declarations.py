"""What a declaration says: the kind, the sizes and the properties of a name."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import matcalc.properties  # noqa: F401  # the definitions fill the table
from matcalc.errors import ParseError, Span
from matcalc.expression.property import PROPERTIES
from matcalc.language.greek import latin
from matcalc.language.refusals import RefusedError
from matcalc.language.tokens import span_of
from matcalc.language.tree import Binary, Declaration, Name, Node, Number, SizeTree, children_first
from matcalc.limits import Limits

if TYPE_CHECKING:
    from lark import Token

SIZES_OF_KIND = {"scalar": 0, "vector": 1, "row": 1, "matrix": 2}
"""How many sizes a declaration of each kind has."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The part of a declaration after the colon, as parsed: its word, and what stands before and after the `;`."""

    word: Token
    before: tuple[Node, ...]
    after: tuple[Node, ...]
    span: Span


def declared(kind: Kind, name: str, span: Span, name_span: Span) -> Declaration:
    """The declaration of a name; properties may stand behind a comma as well.

    Raises RefusedError for an unknown kind, for sizes that are missing, and for what is no size or property.
    """
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


def declarable(name: str, limits: Limits) -> str:
    """A name from outside in its Latin spelling.

    Raises ParseError for what is no name.

    >>> declarable("λ", Limits())
    'lambda'
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", latin(name)) or len(name) > limits.name_length:
        why = "a name is letters, digits and _, and does not start with a digit"
        raise ParseError("this is not a name", text=name, spans=(Span(0, len(name)),), why=why)
    return latin(name)


def _refuse_kind(kind: Kind) -> NoReturn:
    near = difflib.get_close_matches(str(kind.word).lower(), SIZES_OF_KIND, n=1)
    raise RefusedError(
        f"there is no kind {str(kind.word)!r}",
        span_of(kind.word),
        "the kinds are " + ", ".join(SIZES_OF_KIND),
        near[0] if near else None,
    )


def _refuse_sizes(kind: Kind) -> NoReturn:
    """Say how many sizes are needed, and write them: one size of a matrix stands for both."""
    word = str(kind.word)
    count = SIZES_OF_KIND[word]
    given = [node.name for node in kind.before if isinstance(node, Name) and not _is_property(node)]
    words = [node.name for node in kind.before + kind.after if isinstance(node, Name) and _is_property(node)]
    sizes = (given * count)[:count] or ["m", "n"][-count:]
    is_plain = len(given) + len(words) == len(kind.before + kind.after)
    instead = f"{word}({', '.join(sizes)}{'; ' if words else ''}{', '.join(words)})" if is_plain else None
    raise RefusedError(f"a {word} needs {count} size{'s' * (count > 1)}", kind.span, "", instead)


def _is_property(node: Node) -> bool:
    """Whether a node names a property, which is never a size: `matrix(n, symmetric)` is refused and not misread."""
    return isinstance(node, Name) and node.name in PROPERTIES


def _property(node: Node, word: str, count: int) -> str:
    if isinstance(node, Name):
        return node.name
    what = f"a {word} has {count} size{'s' * (count != 1)}; what follows them is the name of a property"
    raise RefusedError(what, node.span, "properties are words such as symmetric, posdef, positive")


def _size(node: Node) -> SizeTree:
    for part in children_first(node):
        is_number = isinstance(part, Number) and part.value.denominator == 1 and part.value > 0
        is_operation = isinstance(part, Binary) and part.operator in ("+", "-", "*", "^")
        if not (is_number or is_operation or isinstance(part, Name)):
            why = "a size is a name, a positive integer, or like n-1, m*n"
            raise RefusedError("this is not a size", part.span, why)
    assert isinstance(node, Number | Name | Binary)  # for the type checker; the loop has seen to it
    return node
