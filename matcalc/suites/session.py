"""A run of a suite: outcomes in the order of the cases, what is on file first looked up there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from matcalc.errors import UNDECIDED
from matcalc.suites import run
from matcalc.suites.outcome import Outcome
from matcalc.suites.pool import Answer, Work, answers
from matcalc.suites.results import Results, Setting
from matcalc.suites.spec import Case


class Executor(Protocol):
    """Where cases are checked: an answer for each, in order."""

    def __call__(self, items: Iterable[Case], work: Work) -> Iterator[Answer]:
        """The answers."""


def here(jobs: int, setting: Setting) -> Executor:
    """Worker processes of this machine."""

    def carried_out(items: Iterable[Case], work: Work) -> Iterator[Answer]:
        return answers(items, work, jobs, setting.bounds)

    return carried_out


def check_suite(
    cases: Sequence[Case], setting: Setting, executor: Executor, results: Results | None = None
) -> Iterator[Outcome]:
    """The outcome of each case, in order; reports are put on file and not kept.

    Raises:
        CheckError: where no case can be checked at all.
    """
    earlier = {} if results is None else {case.name: found for case in cases if (found := results.earlier(case))}
    new = [case for case in cases if case.name not in earlier]
    work = Work(
        run.answer,
        {"devices": setting.devices, "dtypes": setting.dtypes},
        prepare=run.prepare,
        needs=run.NEEDED,
    )
    given = executor(new, work)
    for case in cases:
        if case.name in earlier:
            yield earlier[case.name]
            continue
        outcome = _outcome(case, next(given))
        if results is not None:
            results.add(outcome)
        yield replace(outcome, report=None)


def _outcome(case: Case, answer: Answer) -> Outcome:
    if answer.value is not None:
        return Outcome(case, **answer.value)
    if answer.code == UNDECIDED:
        return Outcome(case, "inconclusive", reason=answer.ended, code=answer.code)
    return Outcome(case, "error", reason=f"a bug in matcalc: {answer.ended}", code=answer.code)
