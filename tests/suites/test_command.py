"""``matcalc suite``, as a user meets it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from matcalc.cli.main import run
from matcalc.cli.suite import with_progress
from matcalc.suites.outcome import Outcome
from matcalc.suites.spec import Case, seed_of

RIGHT = """
[[claim]]
id = "right"
expr = "x'*A*x"
wrt = "x"
claim = "(A + A')*x"
trials = 2
"""
WRONG = """
[[claim]]
id = "wrong"
expr = "x'*A*x"
wrt = "x"
claim = "2*A*x"
trials = 2
"""
EXPECTED = WRONG + 'expect = "refuted"\n'
UNREAD = RIGHT.replace("right", "unread").replace("x'*A*x", "2x")
HEAVY = """
[[claim]]
id = "heavy"
expr = "logdet(A*diag(x)*A')"
wrt = "x"
kind = "hessian"
trials = 100
sizes = { n = 40 }
"""
LARGE = RIGHT.replace("right", "large") + "sizes = { n = 3000 }"


BOUNDED = pytest.mark.skipif(sys.platform != "linux", reason="the system does not bound a process's memory")


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as stopped:
        run(["suite", *arguments])
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), shown.out, shown.err


def suite(folder: Path, text: str, name: str = "a.matcalc.toml") -> str:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("text", "code", "lines"),
    [
        (RIGHT + EXPECTED, 0, ["2 claims: 2 as expected, 1 verified, 1 refuted"]),
        (
            RIGHT + WRONG, 1,
            [
                "a.matcalc.toml::wrong: refuted, and expected to be verified: right only if A is symmetric",
                "2 claims: 1 as expected, 1 verified, 1 refuted",
            ],
        ),
        (
            RIGHT + 'expect = "refuted"', 1,
            ["a.matcalc.toml::right: verified, and expected to be refuted", "1 claim: 0 as expected, 1 verified"],
        ),
        (
            EXPECTED + 'diagnosis = "sign"', 1,
            [
                "a.matcalc.toml::wrong: refuted, but the diagnosis does not contain 'sign': "
                "right only if A is symmetric",
                "1 claim: 0 as expected, 1 refuted",
            ],
        ),
    ],
)  # fmt: skip
def test_the_exit_code_says_whether_all_is_as_expected(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, code: int, lines: list[str]
) -> None:
    assert called(capsys, suite(tmp_path, text), "--jobs", "1") == (code, "\n".join(lines) + "\n", "")


def test_a_claim_that_is_not_understood_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = called(capsys, suite(tmp_path, UNREAD + RIGHT))

    assert code == 2
    assert out.startswith("a.matcalc.toml::unread: error: ")
    assert "Try: 2*x" in out
    assert out.endswith("2 claims: 1 as expected, 1 verified, 1 error\n")


@pytest.mark.parametrize(
    ("name", "text", "limits", "reason"),
    [
        ("heavy", HEAVY, ["--seconds", "0.1"], "stopped after 0.1 s"),
        pytest.param("large", LARGE, ["--memory", "16"], "stopped above 16 MiB of memory", marks=BOUNDED),
    ],
)
def test_a_claim_at_its_limit_is_inconclusive(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, text: str, limits: list[str], reason: str
) -> None:
    code, out, _ = called(capsys, suite(tmp_path, text), "--jobs", "1", *limits)

    assert code == 3
    assert out.startswith(f"a.matcalc.toml::{name}: inconclusive: {reason}\n")


def test_a_bad_file_is_shown_with_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = called(capsys, suite(tmp_path, RIGHT + "clam = 1"))

    assert (code, out) == (2, "")
    assert err.splitlines()[:3] == [
        "error: a.matcalc.toml:8: there is no key 'clam' in claim 1",
        "  clam = 1",
        "  ^^^^",
    ]
    assert err.endswith("Try: claim\n")


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--executor", "cloud"], 2, "the executors are here, ray"),
        (["--format", "pdf"], 2, "the formats are text, json, markdown"),
        (["--device", "tpu"], 4, "no device 'tpu'"),
        (["--jobs", "0"], 2, ""),
        (["--results", "missing/r.jsonl"], 2, "cannot write 'missing/r.jsonl': No such file or directory"),
        (["--junit", "there.xml"], 2, "'there.xml' is there already\nTry: --force writes over it"),
    ],
)
def test_bad_options_are_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    part: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.xml").write_text("mine", encoding="utf-8")
    found, out, err = called(capsys, suite(tmp_path, RIGHT), *arguments)

    assert (found, out) == (code, "")
    assert part in err
    assert (tmp_path / "there.xml").read_text(encoding="utf-8") == "mine"


def test_without_ray_there_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _, err = called(capsys, suite(tmp_path, RIGHT), "--executor", "ray")

    assert code == 4
    assert err.splitlines()[0] == "error: Ray is not installed here"


def test_every_document_is_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    suite(tmp_path, RIGHT)
    suite(tmp_path, WRONG, "b.matcalc.toml")
    files = {name: tmp_path / f"out.{name}" for name in ("results", "junit", "markdown")}
    options = [text for name, file in files.items() for text in (f"--{name}", str(file))]
    code, out, err = called(capsys, str(tmp_path), *options, "--seed", "9", "--format", "json")
    record = json.loads(out)

    assert (code, err, record["exit_code"]) == (1, "", 1)
    names = ["a.matcalc.toml::right", "b.matcalc.toml::wrong"]
    assert [each["case"] for each in record["cases"]] == names
    assert [each["seed"] for each in record["cases"]] == [seed_of(9, "right"), seed_of(9, "wrong")]
    assert [json.loads(line)["case"] for line in files["results"].read_text().splitlines()] == names
    assert ET.parse(files["junit"]).getroot().get("failures") == "1"  # noqa: S314  # our own output
    assert files["markdown"].read_text().splitlines()[2] == "2 claims: 1 as expected, 1 verified, 1 refuted."
    written = {name: file.read_bytes() for name, file in files.items()}

    again = called(capsys, str(tmp_path), *options, "--seed", "9", "--format", "json", "--force")

    assert again == (code, out, err)
    assert {name: file.read_bytes() for name, file in files.items()} == written


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    def __init__(self, watched: bool) -> None:
        super().__init__()
        self.watched = watched

    def isatty(self) -> bool:
        return self.watched


@pytest.mark.parametrize("watched", [True, False])
def test_a_bar_shows_progress_where_somebody_watches(monkeypatch: pytest.MonkeyPatch, watched: bool) -> None:
    case = Case("a", "b", None, "x'*x", ("x",), "2*x")
    outcomes = [Outcome(case, verdict) for verdict in ("verified", "refuted", "verified")]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal(watched))

    assert list(with_progress(outcomes, 3)) == outcomes
    assert ("3/3" in terminal.getvalue()) == watched
    assert ("1 not as expected" in terminal.getvalue()) == watched
    assert watched or terminal.getvalue() == ""


@pytest.mark.parametrize("size", [0, 1])
def test_an_interruption_stops_cleanly_and_says_how_to_go_on(tmp_path: Path, size: int) -> None:
    claims = "".join(RIGHT.replace('"right"', f'"c{k}"').replace("trials = 2", "") for k in range(500))
    file, results = suite(tmp_path, claims), tmp_path / "r.jsonl"
    command = [sys.executable, "-m", "matcalc.cli.main", "suite", file, "--jobs", "1", "--results", str(results)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        while not (results.exists() and results.stat().st_size >= size):
            assert running.poll() is None
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=100)
    lines = results.read_text(encoding="utf-8").splitlines()

    assert running.returncode == 130
    assert err.splitlines() == [
        f"stopped after {len(lines)} of 500 claims; run it again with --results {results} to go on",
        "error: interrupted",
    ]
    assert [json.loads(line)["verdict"] for line in lines] == ["verified"] * len(lines)
