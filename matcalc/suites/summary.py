"""Outcomes as Markdown and as text.

Whatever stands in a suite is shown as code, in a list: within code there is no markup, no link and no mention, and
unlike in a cell of a table there is no sign that ends it but the backticks, of which the fence has one more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from matcalc.errors import escape
from matcalc.suites.junit import asked
from matcalc.suites.outcome import Outcome
from matcalc.suites.versions import versions

_VERDICTS = ("verified", "refuted", "inconclusive", "error")
_MOST_SHOWN = 50


def counted(outcomes: Sequence[Outcome]) -> str:
    """How many claims, and what became of them, in a line.

    >>> counted([])
    '0 claims: 0 as expected'
    """
    found = Counter(outcome.verdict for outcome in outcomes)
    parts = [f"{found[verdict]} {verdict}" for verdict in _VERDICTS if found[verdict]]
    good = sum(outcome.as_expected for outcome in outcomes)
    return f"{len(outcomes)} claim{'s' * (len(outcomes) != 1)}: " + ", ".join([f"{good} as expected", *parts])


def as_text(outcomes: Sequence[Outcome]) -> str:
    """The count, and a line for each that is not as expected, up to fifty."""
    wrong = [outcome for outcome in outcomes if not outcome.as_expected]
    lines = [f"{outcome.case.name}: {' '.join(outcome.complaint.split())}" for outcome in wrong[:_MOST_SHOWN]]
    if len(wrong) > _MOST_SHOWN:
        lines.append(f"and {len(wrong) - _MOST_SHOWN} more")
    return escape("\n".join([*lines, counted(outcomes)]))


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """A page: the count, what is not as expected with its question, and every case with its verdict."""
    wrong = [outcome for outcome in outcomes if not outcome.as_expected]
    lines = ["# Checked claims", "", counted(outcomes) + ".", ""]
    if wrong:
        lines += ["## Not as expected", ""]
        for outcome in wrong:
            lines.append(f"- {code(outcome.case.name)}: {code(outcome.complaint)}")
            lines += [f"  - {key}: {code(value)}" for key, value in asked(outcome)]
        lines.append("")
    lines += ["## All", ""]
    lines += [f"- {outcome.verdict}: {code(outcome.case.name)}{_why(outcome)}" for outcome in outcomes]
    lines += ["", "Checked with " + ", ".join(_versions()) + ".", ""]
    return "\n".join(lines)


def _why(outcome: Outcome) -> str:
    return f": {code(outcome.diagnosis)}" if outcome.diagnosis else ""


def _versions() -> Iterable[str]:
    return (f"{name} {code(version)}" for name, version in versions().items())


def code(text: str) -> str:
    r"""A code span that shows the text, whatever is in it, on one line.

    >>> code("a `b` | <i>")
    '``a `b` | <i>``'
    """
    line = escape(" ".join(text.split()))
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    room = " " if not line or line[0] in " `" or line[-1] in " `" else ""
    return f"{fence}{room}{line}{room}{fence}"
