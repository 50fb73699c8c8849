"""Blocks of matcalc in Markdown, reStructuredText, notebooks and LaTeX, with the lines that they stand on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matcalc.errors import ParseError

_FENCE = re.compile(r"^(?P<indent>[ \t>]*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[^\s`]*)")
_DIRECTIVE = re.compile(r"^(?P<indent>\s*)\.\. (?:code-block|code|sourcecode)::[ \t]*matcalc[ \t]*$")
_OPTION = re.compile(r"^\s*:[a-z-]+:")
_COMMENT = re.compile(r"^(?P<before>.*?)%[ \t]*matcalc[ \t]*:[ \t]?(?P<text>.*)$", re.IGNORECASE)
_LANGUAGES = frozenset({"matcalc", "{matcalc}"})
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "_build"})
_LARGEST = 2**24


@dataclass(frozen=True)
class Line:
    """A line of a block: its text, the number of the line in the file, and where the text starts in it."""

    text: str
    number: int
    offset: int


@dataclass(frozen=True)
class Block:
    """The lines of one block, in a file."""

    path: Path
    lines: tuple[Line, ...]


def files_under(path: Path) -> list[Path]:
    """The documents under a path, in order; a file is taken as it is.

    Raises:
        ParseError: for a path where nothing is, and a file of another kind.
    """
    if path.is_file():
        if path.suffix.lower() not in READERS:
            raise ParseError(f"{str(path)!r} is no kind of document", why=f"they end in {', '.join(READERS)}")
        return [path]
    if not path.is_dir():
        raise ParseError(f"there is nothing at {str(path)!r}")
    found = [each for each in path.rglob("*") if each.suffix.lower() in READERS and each.is_file()]
    return sorted(each for each in found if not _is_skipped(each.relative_to(path)))


def _is_skipped(path: Path) -> bool:
    return any(part in _SKIPPED or part.startswith(".") for part in path.parts[:-1])


def blocks_in(path: Path) -> list[Block]:
    """The blocks of a document.

    Raises:
        ParseError: for a file that cannot be read as what it is.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ParseError(f"{str(path)!r} is too large to look through")
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParseError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
    return [Block(path, tuple(lines)) for lines in READERS[path.suffix.lower()](text) if lines]


def _markdown(text: str, first: int = 1) -> Iterator[list[Line]]:
    """Fenced blocks whose language is matcalc; a fence inside another one is text."""
    inside: str | None = None
    wanted, indent, lines = False, 0, list[Line]()
    for number, line in enumerate(text.splitlines(), first):
        found = _FENCE.match(line)
        if inside is None:
            if found:
                inside, indent = found["marks"], len(found["indent"])
                wanted, lines = found["language"].lower() in _LANGUAGES, []
        elif found and found["marks"].startswith(inside) and not found["language"]:
            if wanted:
                yield lines
            inside = None
        elif wanted:
            start = min(indent, len(line) - len(line.lstrip(" \t>")))
            lines.append(Line(line[start:], number, start))
    if inside is not None and wanted:
        yield lines


def _restructured(text: str) -> Iterator[list[Line]]:
    """The content of code-block directives whose language is matcalc."""
    lines: list[Line] | None = None
    outer = 0
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if lines is not None and line.strip() and indent <= outer:
            yield _dedented(lines)
            lines = None
        if lines is None:
            found = _DIRECTIVE.match(line)
            if found:
                lines, outer = [], len(found["indent"])
        elif line.strip() and not (_OPTION.match(line) and not lines):
            lines.append(Line(line, number, 0))
    if lines is not None:
        yield _dedented(lines)


def _dedented(lines: list[Line]) -> list[Line]:
    start = min((len(line.text) - len(line.text.lstrip()) for line in lines), default=0)
    return [Line(line.text[start:], line.number, start) for line in lines]


def _latex(text: str) -> Iterator[list[Line]]:
    """Comments that begin with ``matcalc:``; those on successive lines are one block."""
    lines: list[Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _COMMENT.match(line)
        if found and not found["before"].endswith("\\"):
            if lines and lines[-1].number != number - 1:
                yield lines
                lines = []
            lines.append(Line(found["text"], number, found.start("text")))
    if lines:
        yield lines


def _notebook(text: str) -> Iterator[list[Line]]:
    """Blocks in Markdown cells; the lines are those of the file, where each line of a cell has one of its own."""
    try:
        cells = json.loads(text)["cells"]
        sources = [_source(cell) for cell in cells if cell["cell_type"] == "markdown"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParseError("this is no notebook") from error
    written = text.splitlines()
    after = 0
    for source in sources:
        places = []
        for line in source:
            place = _place_of(line, written, after)
            after = after if place is None else place + 1
            places.append(place)
        for block in _markdown("".join(source)):
            yield [_in_file(line, places, source, written) for line in block]


def _source(cell: Mapping[str, Any]) -> list[str]:
    source = cell["source"]
    return source.splitlines(keepends=True) if isinstance(source, str) else [str(line) for line in source]


def _spellings(line: str) -> tuple[str, str]:
    """How JSON writes a line, without the quotation marks around it."""
    return json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1]


def _place_of(line: str, written: list[str], after: int) -> int | None:
    wanted = [f'"{spelled}"' for spelled in _spellings(line)]
    return next((k for k in range(after, len(written)) if any(w in written[k] for w in wanted)), None)


def _in_file(line: Line, places: list[int | None], source: list[str], written: list[str]) -> Line:
    place = places[line.number - 1]
    if place is None:
        return Line(line.text, 1, -1)
    spelled = next(s for s in _spellings(source[line.number - 1]) if f'"{s}"' in written[place])
    return Line(line.text, place + 1, written[place].index(f'"{spelled}"') + 1 + line.offset)


READERS: Mapping[str, Callable[[str], Iterator[list[Line]]]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".rst": _restructured,
    ".ipynb": _notebook,
    ".tex": _latex,
}
