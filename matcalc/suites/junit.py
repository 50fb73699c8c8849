"""Outcomes as JUnit XML. Seconds are left out: the same run gives the same bytes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from itertools import groupby

from matcalc.errors import escape
from matcalc.suites.outcome import Outcome


def junit(outcomes: Iterable[Outcome]) -> str:
    """The document: a test suite for each file, a test case for each claim.

    >>> junit([]).splitlines()[1]
    '<testsuites tests="0" failures="0" errors="0" />'
    """
    found = list(outcomes)
    root = ET.Element("testsuites", _counts(found))
    for file, group in groupby(found, key=lambda outcome: outcome.case.file):
        of_file = list(group)
        suite = ET.SubElement(root, "testsuite", {"name": _legal(file), **_counts(of_file)})
        for outcome in of_file:
            _add(suite, outcome)
    ET.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _counts(outcomes: list[Outcome]) -> dict[str, str]:
    failures = sum(outcome.decided and not outcome.as_expected for outcome in outcomes)
    errors = sum(not outcome.decided for outcome in outcomes)
    return {"tests": str(len(outcomes)), "failures": str(failures), "errors": str(errors)}


def _add(suite: ET.Element, outcome: Outcome) -> None:
    case = outcome.case
    place = {"file": _legal(case.file), **({} if case.line is None else {"line": str(case.line)})}
    element = ET.SubElement(suite, "testcase", {"classname": _legal(case.file), "name": _legal(case.id), **place})
    if not outcome.as_expected:
        kind = "failure" if outcome.decided else "error"
        wrong = ET.SubElement(element, kind, {"type": outcome.verdict, "message": _legal(outcome.complaint)})
        wrong.text = _legal("\n".join(f"{key} = {value}" for key, value in asked(outcome)))


def asked(outcome: Outcome) -> list[tuple[str, str]]:
    """The question in the words of its file, for a reader who has to find it."""
    case = outcome.case
    return [
        ("expr", case.expr),
        ("wrt", ", ".join(case.wrt)),
        ("kind", case.kind),
        *([("claim", case.claim)] if case.claim is not None else []),
        ("seed", str(case.seed)),
        *([("source", case.source)] if case.source else []),
    ]


def _legal(text: str) -> str:
    """XML has no way to write some characters; none of those says anything to a reader either."""
    return escape(text)
