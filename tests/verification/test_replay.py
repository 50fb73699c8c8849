"""A recorded check, carried out again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import matcalc as mc
from matcalc.cli.main import run

REPORTS = {
    "a refuted claim": lambda: mc.check("x'*A*x", "x", claim="2*A*x", seed=7),
    "a claim of a Jacobian": lambda: mc.check("tanh(W*x)", "x", claim="diag(1 - tanh(W*x).^2)*W", kind="jacobian"),
    "a mixed block": lambda: mc.hessian("x'*A*u + u'*x", "x", "u").check(trials=2),
    "a directional derivative": lambda: mc.hvp("x'*A*x", "x", "v").check(trials=2, dtypes=("float64",)),
    "a declared structure": lambda: mc.grad("logdet(S)", "S", let={"S": "matrix(n, n; posdef)"}).check(trials=2),
    "without the structure": lambda: mc.check("tr(S*B)", "S", let={"S": "matrix(n, n; symmetric)"}, unconstrained=True),
    "sizes": lambda: mc.check("sum(exp(x))", "x", sizes={"n": 9}, trials=1),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_repeated_bit_for_bit(name: str) -> None:
    record = json.loads(json.dumps(REPORTS[name]().to_dict()))
    found = mc.replay(record)
    assert found.differences == ()
    assert json.dumps(dict(found.after), sort_keys=True) == json.dumps(record, sort_keys=True)


def test_another_verdict_is_told_first_after_the_versions() -> None:
    record = mc.check("x'*A*x", "x", claim="2*A*x").to_dict()
    record = json.loads(json.dumps({**record, "verdict": "verified", "max_error": 0.5, "versions": {"torch": "1.0"}}))
    found = mc.replay(record)
    assert not found.same
    assert [line.split(":")[0] for line in found.differences] == ["versions", "verdict", "max_error"]
    assert found.differences[1] == 'verdict: "verified" then, "refuted" now'


def test_what_was_raised_stays_raised() -> None:
    deep = "(" * 120 + "x" + ")" * 120
    f = mc.parse(f"{deep}'*x", limits=mc.Limits.parse(["nesting=200"]))
    assert mc.replay(mc.check(f, "x", claim="2*x").to_dict()).same


def test_a_function_is_not_in_a_file() -> None:
    def twice(x: Any) -> Any:
        return 2 * x

    with pytest.raises(mc.ParseError, match="the Python function twice"):
        mc.replay(mc.check("x'*x", "x", claim=twice).to_dict())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"asked": None}, "no report of a check"),
        ({"asked": {"function": None}}, "does not say all"),
        ({"asked": {"function": None, "expression": 3}}, "does not say all"),
    ],
)
def test_what_is_no_report_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(mc.ParseError, match=says):
        mc.replay({**mc.check("x'*x", "x").to_dict(), **change})


def test_the_command_reads_what_the_command_line_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["check", "x'*A*x", "--wrt", "x", "--claim", "2*A*x", "--format", "json"])
    file = tmp_path / "report.json"
    file.write_text(capsys.readouterr().out)
    with pytest.raises(SystemExit) as stopped:
        run(["replay", str(file)])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == "the same, bit for bit: refuted, seed 0\n"
    file.write_text(file.read_text().replace('"verdict": "refuted"', '"verdict": "verified"'))
    with pytest.raises(SystemExit) as stopped:
        run(["replay", str(file)])
    assert stopped.value.code == 1


@pytest.mark.parametrize("text", ["", "[1]", "{", "{}", "[" * 100000, '{"check": null}'])
def test_files_that_hold_no_report(text: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(mc.ParseError):
        mc.replay(file)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sizes": {"n": -1}}, "no size for n"),
        ({"sizes": {"n": "a"}}, "no size for n"),
        ({"sizes": {"n": 10**5}}, "from 1 to 4096"),
        ({"seed": -1}, "no seed"),
        ({"trials": 0}, "at least one trial"),
        ({"trials": 1.5}, "at least one trial"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(mc.ParseError, match=says):
        mc.check("x'*x", "x", **options)
