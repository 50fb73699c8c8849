"""Long runs that add up: what each came to is a line of a file, and a page is made of all of them."""

from __future__ import annotations

import argparse
import json
import subprocess
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from parts import Counts, add, in_parts

_Counts = TypeVar("_Counts", bound=Counts)


@dataclass(frozen=True)
class Run(Generic[_Counts]):
    """What a run came to, and where it comes from.

    Attributes:
        command: that repeats it.
        commit: of the checker.
        counts: a dataclass of counters and whole numbers.
        remark: what became of what it found, written into the file by hand.
    """

    command: str
    commit: str
    counts: _Counts
    remark: str = ""

    def to_json(self) -> str:
        """On one line."""
        made = {name: _plain(value) for name, value in vars(self.counts).items()}
        told = {"command": self.command, "commit": self.commit, "remark": self.remark}
        return json.dumps({**told, **made}, ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str, kind: Callable[..., _Counts]) -> Run[_Counts]:
        """From such a line, as counts of a kind."""
        given = json.loads(line)
        made = {f.name: _counter(given[f.name]) for f in fields(kind)}  # type: ignore[arg-type]
        return cls(given["command"], given["commit"], kind(**made), given["remark"])

    def bullet(self, told: str) -> str:
        """An item of a list: the command, the commit, what is told of the counts, the remark."""
        text = f"`{self.command}` at {self.commit}: {told}. {self.remark}"
        wrapped = textwrap.fill(text.strip(), 118, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        return wrapped + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Counter) and all(isinstance(key, tuple) for key in value):
        return [[*key, n] for key, n in sorted(value.items())]
    return value


def _counter(value: Any) -> Any:
    if isinstance(value, list):
        return Counter({tuple(key): n for *key, n in value})
    return Counter(value) if isinstance(value, dict) else value


def summed(runs: Sequence[Run[_Counts]], kind: Callable[[], _Counts]) -> _Counts:
    """The counts of all runs."""
    total = kind()
    for run in runs:
        add(total, run.counts)
    return total


def runs_with(run: Run[_Counts], path: Path | None, kind: Callable[..., _Counts]) -> list[Run[_Counts]]:
    """The runs of a file, and this one in place of one from the same seed; they are what the file then holds."""
    if path is None:
        return [run]
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [Run.from_json(line, kind) for line in lines]
    earlier = [one for one in found if one.command.split()[-1] != run.command.split()[-1]]
    path.write_text("".join(f"{one.to_json()}\n" for one in (*earlier, run)), encoding="utf-8")
    return [*earlier, run]


def carried_out(
    script: str,
    asked: argparse.Namespace,
    run: Callable[[int, int], _Counts],
    kind: Callable[..., _Counts],
    page: Callable[[Sequence[Run[_Counts]]], str],
) -> None:
    """Runs COUNT cases from SEED in parts; the page and the file of runs are written as parts end."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
    ).stdout.strip()  # fmt: skip

    def written(counts: _Counts, count: int) -> str:
        one = Run(f"python tests/laws/{script} {count} {asked.seed}", commit, counts)
        made = page(runs_with(one, asked.runs, kind))
        if asked.page:
            asked.page.write_text(made, encoding="utf-8")
        return made

    print(written(in_parts(run, asked.count, asked.seed, asked.jobs, written), asked.count))
