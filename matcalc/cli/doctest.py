"""``matcalc doctest``: documents whose derivatives are checked."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from matcalc.cli import clock
from matcalc.errors import MatcalcError, escape
from matcalc.limits import Limits
from matcalc.literate.blocks import files_under
from matcalc.literate.check import check_file

_WORDS = {"holds": "hold", "false": "false", "undecided": "undecided", "unreadable": "unreadable",
          "unanswered": "without an answer"}  # fmt: skip
_CODES = (("false", 1), ("unanswered", 1), ("unreadable", 2), ("undecided", 3))


def check_documents(paths: list[str], fix: bool, verbose: bool, **options: Any) -> int:
    """Prints what became of every statement that does not hold, and returns the exit code."""
    counts: Counter[str] = Counter()
    files = 0
    for path in dict.fromkeys(file for given in paths for file in files_under(Path(given))):
        files += 1
        try:
            clock.allow(Limits(), "seconds")
            for finding in check_file(path, fix=fix, **options):
                counts[finding.outcome] += 1
                if verbose or finding.outcome != "holds" or finding.answer:
                    print(escape(str(finding)), flush=True)
                clock.allow(Limits(), "seconds")
        except MatcalcError as error:
            counts["unreadable"] += 1
            print(escape(f"{path}:1: error: {error.message}"), flush=True)
        finally:
            clock.stop()
    told = ", ".join(f"{counts[kind]} {word}" for kind, word in _WORDS.items() if counts[kind]) or "no statements"
    print(f"{told} in {files} file{'s' * (files != 1)}", file=sys.stderr)
    return next((code for kind, code in _CODES if counts[kind]), 0)
