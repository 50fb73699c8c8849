"""Results on file: a line of JSON for each outcome, from which a suite that was stopped goes on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from matcalc.errors import ParseError
from matcalc.suites.outcome import Outcome
from matcalc.suites.pool import Bounds
from matcalc.suites.spec import Case
from matcalc.suites.versions import versions

_OPENING = '{"matcalc": '
_KEPT = ("verdict", "diagnosis", "reason", "code", "seconds")


@dataclass(frozen=True)
class Setting:
    """Under what a case is checked, apart from what is its own."""

    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[str, ...] = ("float64", "float32")
    bounds: Bounds = field(default_factory=Bounds)

    def question(self, case: Case) -> dict[str, Any]:
        """What has to be the same for an earlier result to stand, with the seed for a reader to see."""
        return {
            "content": case.content,
            "seed": case.seed,
            "devices": list(self.devices),
            "dtypes": list(self.dtypes),
            "versions": versions(),
        }

    @property
    def allowed(self) -> dict[str, float]:
        """What a case may take; a result that is none stands only under the same."""
        return {"seconds": self.bounds.seconds, "memory": self.bounds.memory}


class Results:
    """A file of results, open for more of them.

    A last line that was cut off, as by a power failure, is dropped; any other line that is none of ours is an error,
    since the file may be something else.
    """

    def __init__(self, path: str | os.PathLike[str], setting: Setting) -> None:
        """Opens the file, which need not exist.

        Raises:
            ParseError: for a file that holds something else, or cannot be read or written.
        """
        self.path, self.setting = Path(path), setting
        self._earlier: dict[str, dict[str, Any]] = {}
        try:
            self._file: IO[bytes] = self.path.open("ab")
        except OSError as error:
            raise ParseError(f"cannot write {str(self.path)!r}: {error.strerror}") from error
        try:
            _claim(self._file, self.path)
            self._file.truncate(self._load())
        except BaseException:
            self._file.close()
            raise

    def _load(self) -> int:
        """Reads what is there; the length of its whole lines."""
        whole = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") and _is_torn(line):
                    break
                self._remember(line, number)
                whole += len(line)
        return whole

    def _remember(self, line: bytes, number: int) -> None:
        try:
            record = json.loads(line)
            key = _key(record)
            kept = {name: record[name] for name in (*_KEPT, "allowed")}
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise ParseError(
                f"{str(self.path)!r} is no file of results: line {number} is none",
                why="results are appended to what --results names",
                suggestion="--results with the name of a new file",
            ) from error
        self._earlier[key] = kept

    def earlier(self, case: Case) -> Outcome | None:
        """What was found before of the same content, seed and versions; in the same bounds, if nothing was decided."""
        record = self._earlier.get(_key(self.setting.question(case)))
        if record is None:
            return None
        outcome = Outcome(case, **{name: record[name] for name in _KEPT})
        return outcome if outcome.decided or record["allowed"] == self.setting.allowed else None

    def add(self, outcome: Outcome) -> None:
        """One more line, on file at once."""
        record = {
            "matcalc": 1,
            "case": outcome.case.name,
            "expected": outcome.expected,
            "as_expected": outcome.as_expected,
            **{name: getattr(outcome, name) for name in _KEPT},
            **self.setting.question(outcome.case),
            "allowed": self.setting.allowed,
            "check": outcome.report,  # so named where a check is printed, and where one is carried out again
        }
        self._file.write(json.dumps(record).encode("ascii") + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()


def _claim(file: IO[bytes], path: Path) -> None:
    """Two runs that write to one file would drop each other's lines."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ParseError(f"another run is writing to {str(path)!r}", suggestion="another name for --results") from error


def _key(record: Mapping[str, Any]) -> str:
    question: Sequence[str] = ("content", "seed", "devices", "dtypes", "versions")
    return json.dumps([record[name] for name in question], sort_keys=True)


def _is_torn(line: bytes) -> bool:
    opening = _OPENING.encode()
    return line.startswith(opening) or opening.startswith(line)
