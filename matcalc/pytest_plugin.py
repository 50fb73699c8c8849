"""The pytest plugin: suites of claims and decorated functions as tests, one seed, failures with their counterexample.

Loaded by pytest through its entry point. Nothing heavy is imported until an item runs.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from matcalc.suites.spec import Case
    from matcalc.testing import Checked

# As in matcalc.suites.spec and matcalc.testing, which are not loaded where a session has nothing for them.
_SUFFIX = ".matcalc.toml"
_MARK = "matcalc_checks"
_LONGEST = 100


class Failed(Exception):  # noqa: N818  # what pytest shows is its text, never its name
    """A check that did not come out as it should; its text is the report."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--matcalc-seed``."""
    group = parser.getgroup("matcalc", "derivatives checked by matcalc")
    group.addoption(
        "--matcalc-seed",
        type=_seed,
        metavar="N",
        help="the seed of matcalc's checks: of suites, of decorated functions, and of its assertions (0 without it)",
    )


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: a seed is a whole number from 0 up")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Gives the seed to the assertions, where one was given."""
    seed = config.getoption("--matcalc-seed")
    if seed is not None:
        from matcalc.testing import use_seed

        use_seed(seed)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Takes it back: another run may follow in this process."""
    if config.getoption("--matcalc-seed") is not None:
        from matcalc.testing import use_seed

        use_seed(0)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Says the seed that was given."""
    seed = config.getoption("--matcalc-seed")
    return None if seed is None else f"matcalc: seed {seed}"


@pytest.fixture(scope="session")
def matcalc_seed(request: pytest.FixtureRequest) -> int:
    """The seed of ``--matcalc-seed``; 0 without it."""
    seed = request.config.getoption("--matcalc-seed")
    return 0 if seed is None else int(seed)


# ------------------------------------------------------------------------------------------------------- suites


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects ``*.matcalc.toml``."""
    return SuiteFile.from_parent(parent, path=file_path) if file_path.name.endswith(_SUFFIX) else None


class SuiteFile(pytest.File):
    """A file of claims."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item for every claim.

        Raises:
            CollectError: with what is wrong in the file, and where.
        """
        from matcalc.errors import MatcalcError
        from matcalc.suites.spec import read_suite

        try:
            cases = read_suite(self.path, seed=self.config.getoption("--matcalc-seed"))
        except MatcalcError as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield ClaimItem.from_parent(self, name=case.id, case=case)


class MatcalcItem(pytest.Item):
    """A check as a test."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """What is wrong, without a traceback through matcalc; that of a bug is shown."""
        from matcalc.errors import MatcalcError

        if isinstance(excinfo.value, Failed | MatcalcError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)

    def explained(self, report: Any, also: str = "") -> str:
        """The report, its snippet, and how to run this one again."""
        from matcalc.testing import explain

        seed = self.config.getoption("--matcalc-seed")
        again = f"pytest {shlex.quote(self.nodeid)}" + ("" if seed is None else f" --matcalc-seed={seed}")
        return "\n".join([*([also] if also else []), explain(report), "", f"Run it alone: {again}"])


class ClaimItem(MatcalcItem):
    """A claim of a suite."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case

    def runtest(self) -> None:
        """Checks it.

        Raises:
            Failed: where it does not come out as the suite expects.
        """
        from matcalc.suites.outcome import Outcome
        from matcalc.suites.run import report_on

        report = report_on(self.case)
        outcome = Outcome(self.case, report.verdict, report.diagnosis or "", report.reason)
        if not outcome.as_expected:
            claim = "our own derivation" if self.case.claim is None else self.case.claim
            asked = f"{self.case.kind} of {self.case.expr} by {', '.join(self.case.wrt)}: {claim}"
            raise Failed(self.explained(report, f"{asked}\n{outcome.complaint}"))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands in its file."""
        return self.path, None if self.case.line is None else self.case.line - 1, self.name


# ------------------------------------------------------------------------------------------ decorated functions


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list[pytest.Item] | None:
    """Collects what ``matcalc.testing.checks`` decorated, whatever its name, once for each decorator."""
    marks = _marks(obj)
    if not marks or _is_alias(collector, name, obj):
        return [] if marks else None
    return [CheckItem.from_parent(collector, name=_named(name, mark), mark=mark) for mark in marks]


def _marks(obj: object) -> tuple[Checked, ...]:
    """The decorators, without importing what would tell it: only what holds a mark has loaded that."""
    try:
        found = vars(obj.__func__ if isinstance(obj, staticmethod) else obj).get(_MARK, ())
    except TypeError:
        return ()
    return found if isinstance(found, tuple) else ()


def _is_alias(collector: pytest.Collector, name: str, obj: object) -> bool:
    """Whether the module has the same object under its own name, where it is collected already."""
    own = getattr(obj, "__name__", name)
    return own != name and getattr(getattr(collector, "obj", None), own, None) is obj


def _named(name: str, mark: Checked) -> str:
    says = mark.says.replace("::", ":")
    return f"{name}[{says if len(says) <= _LONGEST else says[:_LONGEST] + '…'}]"


class CheckItem(MatcalcItem):
    """A decorated function."""

    def __init__(self, *, mark: Checked, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mark = mark

    def runtest(self) -> None:
        """Checks it.

        Raises:
            Failed: where the function is refuted, or nothing was decided.
        """
        seed = self.config.getoption("--matcalc-seed")
        report = self.mark.report(**({} if seed is None else {"seed": seed}))
        if not report.ok:
            raise Failed(self.explained(report))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the function stands."""
        import inspect

        try:
            return self.path, inspect.getsourcelines(self.mark.function)[1] - 1, self.name
        except (OSError, TypeError):
            return self.path, None, self.name
