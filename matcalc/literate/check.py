"""Statements checked, and question marks answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.derivative import Derivative
from matcalc.errors import UNDECIDED, MatcalcError, ParseError
from matcalc.jacobians import tensor
from matcalc.literate.blocks import blocks_in
from matcalc.literate.statements import Statement, Unreadable, statements_in
from matcalc.pages.write import write
from matcalc.parsed import Expression, by_names, let_from, parse

if TYPE_CHECKING:
    from matcalc.checking.verdict import Report


@dataclass(frozen=True)
class Finding:
    """What became of a statement.

    Attributes:
        path, line: where it stands.
        outcome: ``holds``, ``false``, ``undecided``, ``unreadable`` or ``unanswered``.
        says: the report's first line, the diagnosis, or what is wrong with the text.
        report: the check, where there was one.
        answer: what a question mark was found to stand for, or "".
    """

    path: Path
    line: int
    outcome: str
    says: str
    report: Report | None = None
    answer: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.says}"


def check_file(path: Path, *, fix: bool = False, **options: Any) -> Iterator[Finding]:
    """Every statement of a document, checked; with ``fix`` its question marks are answered in the file.

    Raises:
        ParseError: for a file that cannot be read.
    """
    answers: list[tuple[Statement, str]] = []
    for block in blocks_in(path):
        for statement in statements_in(block):
            if isinstance(statement, Unreadable):
                yield Finding(path, statement.line, "unreadable", f"error: {statement.message}")
                continue
            found = _checked(statement, fix, options)
            if found.answer:
                answers.append((statement, found.answer))
            yield found
    if answers:
        _write_answers(path, answers)


def _checked(statement: Statement, fix: bool, options: dict[str, Any]) -> Finding:
    path, line = statement.block.path, statement.line
    try:
        f = parse(statement.expression, let_from(statement.let) or None)
        kind = kind_of(statement, f)
        if statement.mark is None:
            return _judged(statement, _report(statement, f, kind, options))
        found = tensor(f, statement.names, kind)
        if not fix:
            return Finding(path, line, "unanswered", "a question mark stands here: --fix answers it")
        return _answered(statement, found, found.check(**options))
    except MatcalcError as error:
        outcome = "undecided" if error.exit_code == UNDECIDED else "unreadable"
        return Finding(path, line, outcome, f"error: {_sentence(error)}")


def _sentence(error: MatcalcError) -> str:
    return error.message + (f" (try {error.suggestion})" if error.suggestion else "")


def kind_of(statement: Statement, f: Expression) -> str:
    """What a statement is about: a gradient, a Jacobian or a Hessian."""
    if statement.twice and f.shape == ():
        return "hessian"
    return "grad" if f.shape == () else "jacobian"


def _report(statement: Statement, f: Expression, kind: str, options: dict[str, Any]) -> Report:
    from matcalc.verification import check

    return check(f, by_names(statement.names), claim=statement.claim, kind=kind, **options)


def _judged(statement: Statement, report: Report) -> Finding:
    path, line = statement.block.path, statement.line
    first = str(report).splitlines()[0]
    if report.verdict == "inconclusive":
        return Finding(path, line, "undecided", first, report)
    if report.ok == statement.holds:
        return Finding(path, line, "holds", first if statement.holds else f"rightly called wrong: {first}", report)
    if statement.holds:
        return Finding(path, line, "false", f"refuted: {report.diagnosis}", report)
    return Finding(path, line, "false", f"what is called wrong here is right: {first}", report)


def _answered(statement: Statement, found: Derivative, report: Report) -> Finding:
    path, line = statement.block.path, statement.line
    if not report.ok:
        return Finding(path, line, "undecided", f"not filled in: {report.reason or report.verdict}", report)
    if not statement.holds:
        return Finding(path, line, "unreadable", "error: a question mark has no place after !=")
    answer = found.pretty()
    return Finding(path, line, "holds", f"filled in: {answer}", report, answer)


def _write_answers(path: Path, answers: Sequence[tuple[Statement, str]]) -> None:
    """The file with the answers in place of the marks; all else stays as it is, line ends included."""
    lines = path.read_bytes().decode("utf-8").splitlines(keepends=True)
    for statement, answer in answers:
        assert statement.mark is not None, "only marks are answered"
        line, column = statement.mark
        if line.offset < 0:
            raise ParseError(f"the line of {path}:{line.number} could not be found again")
        place = line.offset + column
        before = lines[line.number - 1]
        shown = json.dumps(answer)[1:-1] if path.suffix.lower() == ".ipynb" else answer
        if before[place : place + 1] != "?":
            place = before.rindex("?")
        lines[line.number - 1] = before[:place] + shown + before[place + 1 :]
    write(path, "".join(lines).encode("utf-8"), force=True)
