"""What a block states: ``d/dx (expression) = claim``, with declarations before it.

    let A: matrix(n, n; symmetric)
    d/dx (x.T*A*x) = 2*A*x            a gradient; of a vector or a matrix, a Jacobian
    d^2/dx^2 (x.T*A*x) = 2*A          a Hessian; d/du d/dV (f) is a mixed block, ∂²f/∂V∂u
    d/dx (x.T*A*x) != A*x             a mistake that the reader shall know for one
    d/dx (x.T*A*x) = ?                what --fix fills in

A line that is indented goes on with the one above; ``#`` starts a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from matcalc.errors import ParseError
from matcalc.literate.blocks import Block, Line

_NAME = r"[^\W\d]\w*"
_BY = re.compile(rf"d\s*/\s*d\s*(?P<name>{_NAME})\s*")
_TWICE = re.compile(rf"d\s*\^?\s*2\s*/\s*d\s*(?P<name>{_NAME}?)\s*\^?\s*2\s*(?=\()")
_LET = re.compile(rf"let\s+(?P<declaration>{_NAME}\s*:.*)")
_STATES = re.compile(r"d\s*(\^?\s*2)?\s*/\s*d")
_UNKNOWN = "?"


@dataclass(frozen=True)
class Statement:
    """A derivative as a document states it.

    Attributes:
        block: where it stands.
        line: the number of its first line in the file.
        let: the declarations before it.
        names: by which names, the first one first.
        twice: whether it is a second derivative.
        expression: the text that is differentiated.
        holds: False for what the document calls wrong.
        claim: the text of the claim, or "" where a question mark stands.
        mark: the line with the question mark, and its place in the text of that line.
    """

    block: Block
    line: int
    let: tuple[str, ...]
    names: tuple[str, ...]
    twice: bool
    expression: str
    holds: bool
    claim: str
    mark: tuple[Line, int] | None = None


@dataclass(frozen=True)
class Unreadable:
    """What stands where a statement should: the number of its line in the file, and what is wrong with it."""

    line: int
    message: str


def statements_in(block: Block) -> Iterator[Statement | Unreadable]:
    """The statements of a block, and what cannot be read as one.

    A block that states nothing (an expression by itself) has none.

    >>> from pathlib import Path
    >>> text = "d/dx (x.T*x) = 2*x"
    >>> [(found.names, found.claim) for found in statements_in(Block(Path("notes.md"), (Line(text, 1, 0),)))]
    [(('x',), '2*x')]
    """
    if not any(_STATES.match(line.text) for line in block.lines):
        return
    let: list[str] = []
    for lines in _joined(block):
        text = " ".join(line.text.strip() for line in lines)
        declared = _LET.fullmatch(text)
        try:
            if declared:
                let += [part.strip() for part in re.split(r";(?![^()]*\))", declared["declaration"]) if part.strip()]
            else:
                yield _statement(block, lines, text, tuple(let))
        except ParseError as error:
            yield Unreadable(lines[0].number, error.message)


def _joined(block: Block) -> Iterator[list[Line]]:
    """Lines that belong together, comments and empty lines left out."""
    together: list[Line] = []
    for line in block.lines:
        text = line.text.split("#", 1)[0].rstrip()
        if not text.strip():
            continue
        if together and not text[0].isspace():
            yield together
            together = []
        together.append(Line(text, line.number, line.offset))
    if together:
        yield together


def _statement(block: Block, lines: list[Line], text: str, let: tuple[str, ...]) -> Statement:
    names, twice, rest = _operator(text)
    expression, rest = _in_parentheses(rest)
    relation = re.match(r"\s*(!=|≠|=)\s*", rest)
    if relation is None:
        raise ParseError("a statement says what the derivative is", suggestion="d/dx (x.T*x) = 2*x")
    claim = rest[relation.end() :].strip()
    if not claim:
        raise ParseError("nothing stands after the sign of equality", suggestion="d/dx (x.T*x) = ?")
    mark = None
    if claim == _UNKNOWN:
        mark = (lines[-1], lines[-1].text.rindex(_UNKNOWN))
    holds = relation[1] == "="
    return Statement(
        block, lines[0].number, let, names, twice, expression, holds, "" if mark else claim, mark
    )  # fmt: skip


def _operator(text: str) -> tuple[tuple[str, ...], bool, str]:
    """By which names, whether twice, and what follows."""
    found = _TWICE.match(text)
    if found:
        return (found["name"],), True, text[found.end() :]
    names: list[str] = []
    while found := _BY.match(text):
        names.append(found["name"])
        text = text[found.end() :]
    if not names:
        raise ParseError("this is no statement", suggestion="d/dx (x.T*x) = 2*x")
    return tuple(reversed(names)), len(names) > 1, text


def _in_parentheses(text: str) -> tuple[str, str]:
    """What stands in the parentheses that open the text, and what follows them."""
    if not text.startswith("("):
        raise ParseError("the expression stands in parentheses", suggestion="d/dx (x.T*x) = 2*x")
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            return text[1:place].strip(), text[place + 1 :]
    raise ParseError("a parenthesis is not closed")
