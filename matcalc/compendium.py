"""Pages for all that files claim: the claims of a suite, the statements in notes.

Each page is derived and checked as one about an expression is; what is written beside it is the claim of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from matcalc.errors import UNDECIDED, MatcalcError, ParseError
from matcalc.literate.blocks import READERS, blocks_in, files_under
from matcalc.literate.check import kind_of
from matcalc.literate.statements import Statement, Unreadable, statements_in
from matcalc.pages.content import Page, page_of
from matcalc.parsed import let_from, parse
from matcalc.suites.spec import SUFFIX, Case, read_suite


def pages_in(path: Path, **options: Any) -> Iterator[Page]:
    """The pages of a suite, a document with statements, or a folder of both, in the order of their names.

    Options are those of :func:`matcalc.pages.content.page_of`.

    Raises:
        ParseError: where nothing is claimed, and for a file that cannot be read.
        MatcalcError: for a claim that cannot be checked, with its place.
    """
    makers = list(_makers(path))
    if not makers:
        raise ParseError(
            f"nothing in {str(path)!r} states a derivative",
            why=f"claims stand in files that end in {SUFFIX}, statements in blocks called matcalc of a document",
        )
    for place, make in makers:
        try:
            yield make(**options)
        except MatcalcError as error:
            raise type(error)(f"{place}: {error.message}", why=error.why, suggestion=error.suggestion) from error


def exit_code(pages: Sequence[Page]) -> int:
    """0 where every page came out as its file says, 1 where one did not, 3 where one was not decided.

    >>> exit_code([])
    0
    """
    codes = [UNDECIDED if page.verdict == "inconclusive" else int(page.verdict != page.expected) for page in pages]
    return 1 if 1 in codes else max(codes, default=0)


def _makers(path: Path) -> Iterator[tuple[str, Callable[..., Page]]]:
    """Where each claim stands, and what makes its page."""
    if path.is_dir():
        files = [*path.rglob(f"*{SUFFIX}"), *files_under(path)]
        for file in sorted(files, key=lambda file: file.relative_to(path).parts):
            yield from _makers(file)
    elif path.name.endswith(SUFFIX):
        for case in read_suite(path):
            yield f"{path}:{case.line}", _of_case(case)
    elif path.is_file() and path.suffix.lower() in READERS:
        for block in blocks_in(path):
            yield from _of_statements(path, list(statements_in(block)))
    else:
        files_under(path)  # which says what is wrong with it
        raise ParseError(f"there is nothing at {str(path)!r}")


def _of_case(case: Case) -> Callable[..., Page]:
    def make(**options: Any) -> Page:
        f = parse(case.expr, dict(case.let) or None)
        chosen = {"trials": case.trials, "seed": case.seed, **options}
        origin = f"{case.file}, {case.id}" + (f": {case.source}" if case.source else "")
        return page_of(
            f, case.wrt, case.kind, claim=case.claim, origin=origin, expected=case.expect, direction=case.direction,
            unconstrained=case.unconstrained, sizes=dict(case.sizes), **chosen,
        )  # fmt: skip

    return make


def _of_statements(path: Path, found: Sequence[Statement | Unreadable]) -> Iterator[tuple[str, Callable[..., Page]]]:
    for statement in found:
        if isinstance(statement, Unreadable):
            raise ParseError(f"{path}: {statement.message}", why=f"line {statement.line}")
        yield f"{path}:{statement.line}", _of_statement(path, statement)


def _of_statement(path: Path, statement: Statement) -> Callable[..., Page]:
    def make(**options: Any) -> Page:
        f = parse(statement.expression, let_from(statement.let) or None)
        return page_of(
            f, statement.names, kind_of(statement, f), claim=statement.claim or None,
            origin=f"{path.name}, line {statement.line}",
            expected="verified" if statement.holds else "refuted",
            **options,
        )  # fmt: skip

    return make
