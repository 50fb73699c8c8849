"""``matcalc suite``: many claims from files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcalc.errors import ParseError

if TYPE_CHECKING:
    from matcalc.suites.outcome import Outcome
    from matcalc.suites.results import Setting
    from matcalc.suites.session import Executor

_FORMATS = ("text", "json", "markdown")
_EXECUTORS = ("here", "ray")
_INTERRUPTED = 130

HELP = """Checks the claims of a suite, each in a worker process within its time and its memory.

A suite is a file *.matcalc.toml, or a folder of them:

\b
[suite]                     # defaults, all optional
seed = 0
trials = 5
[[claim]]
id = "ridge"                # optional
expr = "norm2(A*x - b)^2 + l*norm2(x)^2"
wrt = "x"                   # or ["u", "V"]: a mixed Hessian block
claim = "2*A.T*(A*x - b) + 2*l*x"   # without it: our own derivation
kind = "grad"               # jacobian, hessian; jvp, vjp, hvp with direction = "v"
let = { b = "vector(m)" }
sizes = { n = 5 }
source = "where it is from"
unconstrained = false
[[claim]]
expr = "tr(A*X)"
wrt = "X"
claim = "A"
expect = "refuted"          # without it: "verified"
diagnosis = "transposed"    # a word that the diagnosis must contain

Exit codes: 0 all as expected, 1 a claim decided otherwise, 2 a file or a claim that is not understood, 3 one that was
not decided, or reached a limit, 4 no Ray, 70 a bug. docs/suites.md says more.
"""

Suite = Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A suite, or a folder of *.matcalc.toml.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=1024, help="Worker processes; the processors of this machine.")]
Where = Annotated[str, typer.Option("--executor", help="here, or ray: an existing Ray cluster.")]
Seconds = Annotated[float, typer.Option(min=0.1, max=86400, help="Seconds for a case, before its process is killed.")]
Memory = Annotated[int, typer.Option(min=16, max=2**20, help="MiB of memory for a case, above the libraries.")]
Recycle = Annotated[int, typer.Option(min=1, help="Cases after which a worker is replaced.")]
File = Annotated[Path | None, typer.Option("--results", help="JSON lines to append to; what is there is not repeated.")]
JUnit = Annotated[Path | None, typer.Option("--junit", help="JUnit XML to write.")]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="A summary in Markdown to write.")]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there.")]
Device = Annotated[list[str] | None, typer.Option("--device", help="cpu, cuda or auto; repeatable.")]
Dtype = Annotated[list[str] | None, typer.Option("--dtype", help="float64 or float32; repeatable.")]
Trials = Annotated[int | None, typer.Option(min=1, max=100, help="Points to check at, whatever the suite says.")]
Seed = Annotated[int | None, typer.Option(min=0, help="The suite's seed, whatever the suite says.")]
Format = Annotated[str, typer.Option("--format", help="text, json or markdown, on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback for a bug in matcalc.")]


def suite(
    path: Suite, jobs: Jobs = None, executor: Where = "here", seconds: Seconds = 60.0, memory: Memory = 4096,
    recycle: Recycle = 200, results: File = None, junit: JUnit = None, markdown: Markdown = None, force: Force = False,
    seed: Seed = None, trials: Trials = None, device: Device = None, dtype: Dtype = None, format: Format = "text",
    debug: Debug = False,
) -> None:  # fmt: skip
    """Checks the claims of a suite."""
    from matcalc.cli import clock
    from matcalc.cli.options import check_options, one_of
    from matcalc.suites.outcome import exit_code
    from matcalc.suites.pool import Bounds
    from matcalc.suites.results import Results, Setting
    from matcalc.suites.session import check_suite
    from matcalc.suites.spec import read_suite

    clock.stop()
    one_of("format", format, _FORMATS)
    one_of("executor", executor, _EXECUTORS)
    options = check_options(1, 0, device, dtype, None)
    setting = Setting(options["devices"], options["dtypes"], Bounds(seconds, memory * 2**20, recycle))
    cases = read_suite(path, seed=seed, trials=trials)
    for file in (junit, markdown):
        _refuse_to_overwrite(file, force)
    carried_out = _executor(executor, jobs or _processors(), setting)
    with closing(Results(results, setting)) if results is not None else nullcontext() as kept:
        outcomes = _watched(check_suite(cases, setting, carried_out, kept), len(cases), results)
    _write(outcomes, junit, markdown, force)
    print(_shown(outcomes, format), flush=True)
    raise typer.Exit(exit_code(outcomes))


def _executor(named: str, jobs: int, setting: Setting) -> Executor:
    from matcalc.suites import ray_cluster, session

    return ray_cluster.on_ray(setting.bounds) if named == "ray" else session.here(jobs, setting)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _watched(outcomes: Iterator[Outcome], count: int, results: Path | None) -> list[Outcome]:
    """All outcomes, with a progress bar where somebody watches."""
    found: list[Outcome] = []
    try:
        for outcome in with_progress(outcomes, count):
            found.append(outcome)  # noqa: PERF402  # what was found before an interruption is counted
    except KeyboardInterrupt:
        again = f"run it again with --results {results} to go on" if results else "with --results FILE it could go on"
        print(f"stopped after {len(found)} of {count} claims; {again}", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        outcomes.close()  # type: ignore[attr-defined]  # a generator, whose workers end now
    return found


def with_progress(outcomes: Iterable[Outcome], count: int) -> Iterator[Outcome]:
    """The outcomes as they come, shown on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield from outcomes
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[wrong]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task, wrong = progress.add_task("", total=count, wrong=""), 0
        for outcome in outcomes:
            wrong += not outcome.as_expected
            progress.update(task, advance=1, wrong=f"{wrong} not as expected" if wrong else "")
            yield outcome


def _shown(outcomes: Sequence[Outcome], format: str) -> str:
    from matcalc.suites.outcome import exit_code
    from matcalc.suites.summary import as_markdown, as_text, counted

    if format == "markdown":
        return as_markdown(outcomes).rstrip()
    if format == "text":
        return as_text(outcomes)
    record = {
        "summary": counted(outcomes),
        "exit_code": exit_code(outcomes),
        "cases": [
            {
                "case": outcome.case.name,
                "verdict": outcome.verdict,
                "expected": outcome.expected,
                "as_expected": outcome.as_expected,
                "diagnosis": outcome.diagnosis,
                "reason": outcome.reason,
                "seed": outcome.case.seed,
            }
            for outcome in outcomes
        ],
    }
    return json.dumps(record, ensure_ascii=False, indent=2)


# ------------------------------------------------------------------------------------------------------- files


def _refuse_to_overwrite(file: Path | None, force: bool) -> None:
    """Before anything runs, and not when everything has."""
    if file is not None and file.exists() and not force:
        raise ParseError(f"{str(file)!r} is there already", suggestion="--force writes over it")


def _write(outcomes: Sequence[Outcome], junit: Path | None, markdown: Path | None, force: bool) -> None:
    from matcalc.pages.write import write
    from matcalc.suites.junit import junit as as_junit
    from matcalc.suites.summary import as_markdown

    for file, form in ((junit, as_junit), (markdown, as_markdown)):
        if file is not None:
            write(file, form(outcomes).encode(), force=force)
