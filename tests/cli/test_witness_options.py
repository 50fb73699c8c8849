"""``--witness``, ``--at`` and ``--edges``: whose word is heard, at which points, and what happens at edges."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from matcalc.checking.witnesses import WITNESSES
from matcalc.cli.main import run

SINGULAR = {"X": [[2, 1, 1], [1, 3, 3], [1, 1, 1]]}


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        run(arguments)
        code = 0
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_chosen_witnesses_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("check", "x'*A*x", "--wrt", "x", "--claim", "(A + A')*x", "--witness", "sympy", "--witness", "differences")
    code, out, _ = called(capsys, *asked)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["autograd", "differences", "precise", "sympy"]
    code, out, _ = called(capsys, *asked, "--format", "json")
    assert {t["witness"]: t["agrees"] for t in json.loads(out)["check"]["testimonies"]} == {
        "autograd": True, "differences": True, "precise": True, "sympy": True,
    }  # fmt: skip


@pytest.mark.parametrize("command", ["grad", "jacobian", "hessian", "jvp", "vjp", "hvp"])
def test_every_command_that_checks_hears_them(capsys: pytest.CaptureFixture[str], command: str) -> None:
    more = ("--direction", "v") if command in ("jvp", "vjp", "hvp") else ()
    code, out, err = called(capsys, command, "x'*A*x", "--wrt", "x", *more, "--witness", "all", "--trials", "2")
    assert (code, err) == (0, "")
    for name in WITNESSES:
        assert f"\n  {name} " in out


def test_a_witness_that_is_none_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = called(capsys, "grad", "x'*x", "--wrt", "x", "--witness", "oracle")
    assert (code, "there is no witness 'oracle'" in err) == (2, True)
    assert ", ".join(WITNESSES) in err


def test_the_help_says_what_each_witness_is() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "matcalc.cli.main", "check", "--help"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "400", "PATH": ""},
    )  # fmt: skip
    text = " ".join(shown.stdout.split())
    for name, witness in WITNESSES.items():
        assert f"{name}: {witness.says}" in text


def test_points_come_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    held = tmp_path / "points.json"
    held.write_text(json.dumps(SINGULAR), encoding="utf-8")
    code, out, _ = called(capsys, "grad", "det(X)", "--wrt", "X", "--at", str(held))
    assert code == 0
    assert "verified by differences: 6 trials; torch autograd and torch forward mode are the odd ones out" in out
    held.write_text('[{"x": [0, 1]}, {"x": [1, 2, 3]}]', encoding="utf-8")
    code, out, _ = called(capsys, "grad", "sum(abs(x))", "--wrt", "x", "--at", str(held))
    assert code == 0
    assert "6 trials" in out
    assert "at given point 1: a kink: the function has no derivative there; torch takes [0, 1], and so does our" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "is no JSON"), ("3", "holds no point"), ("[[1]]", "holds no point"), ('{"y": 1}', "there is no 'y'"),
     ('{"x": [NaN]}', "is not finite"), ("[" * 90000, "is no JSON")],
)  # fmt: skip
def test_a_file_without_points_is_bad_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, says: str
) -> None:
    held = tmp_path / "points.json"
    held.write_text(text, encoding="utf-8")
    code, _, err = called(capsys, "check", "x'*x", "--wrt", "x", "--claim", "2*x", "--at", str(held))
    assert (code, says in err, "Traceback" in err) == (2, True, False), err
    code, _, err = called(capsys, "grad", "x'*x", "--wrt", "x", "--at", str(tmp_path / "none.json"))
    assert (code, "cannot read" in err) == (2, True)


def test_edges_are_told_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "grad", "norm2(x)", "--wrt", "x", "--edges")
    assert (code, "at x = 0: a kink" in out) == (0, True)
    assert "a kink" not in called(capsys, "grad", "norm2(x)", "--wrt", "x")[1]
