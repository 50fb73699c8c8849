"""A run of a suite: resumed from a file of results, in the order of the cases, the same whatever the number of jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from matcalc.errors import ParseError
from matcalc.recorded_checks import replay
from matcalc.suites import results as results_module
from matcalc.suites.junit import junit
from matcalc.suites.outcome import Outcome, exit_code
from matcalc.suites.pool import Answer, Bounds, Work
from matcalc.suites.results import Results, Setting
from matcalc.suites.run import run_case
from matcalc.suites.session import check_suite, here
from matcalc.suites.spec import Case, read_suite
from matcalc.suites.summary import as_markdown

SUITES = Path(__file__).parents[2] / "examples" / "suites"
SETTING = Setting()


def case(id: str, **changed: Any) -> Case:
    plain = Case("a.matcalc.toml", id, None, f"x'*x + {len(id)}", ("x",), "2*x")
    return replace(plain, **changed)


class Counted:
    """An executor that counts, and answers at once; from a case named bug on it fails."""

    def __init__(self, **said: Answer) -> None:
        self.said, self.asked = said, list[str]()

    def __call__(self, items: Iterable[Case], work: Work) -> Iterator[Answer]:
        for item in items:
            self.asked.append(item.id)
            value = {
                "verdict": "verified",
                "diagnosis": "",
                "reason": "",
                "code": 3,
                "seconds": 0.5,
                "report": {"a": 1},
            }
            yield self.said.get(item.id, Answer(value))


def outcomes(cases: list[Case], executor: Counted, file: Path, setting: Setting = SETTING) -> list[Outcome]:
    results = Results(file, setting)
    try:
        return list(check_suite(cases, setting, executor, results))
    finally:
        results.close()


CASES = [case("one"), case("second"), case("another")]


def test_what_is_on_file_is_not_run_again(tmp_path: Path) -> None:
    file, executor = tmp_path / "r.jsonl", Counted()
    first = outcomes(CASES[:2], executor, file)
    again = outcomes(CASES, executor, file)

    assert executor.asked == ["one", "second", "another"]
    assert again[:2] == first
    assert [outcome.case.id for outcome in again] == ["one", "second", "another"]
    assert [json.loads(line)["case"] for line in file.read_text().splitlines()] == [each.name for each in CASES]


@pytest.mark.parametrize("kept", [0, 1, 11, 12, 60, -1])
def test_a_last_line_that_was_cut_off_is_run_again(tmp_path: Path, kept: int) -> None:
    file, executor = tmp_path / "r.jsonl", Counted()
    outcomes(CASES, executor, file)
    whole = file.read_bytes()
    *before, last = whole.splitlines(keepends=True)
    file.write_bytes(b"".join(before) + last[:kept])
    outcomes(CASES, executor, file)

    assert executor.asked == ["one", "second", "another", "another"]
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [b"my thesis\n", b"my thesis", b'{"matcalc": 1}\n', b"[1]\n", b"\xff\n", b"[" * 10**6 + b"\n", b"\n"]
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(content)

    with pytest.raises(ParseError, match="is no file of results: line 1 is none"):
        Results(file, SETTING)
    assert file.read_bytes() == content


def test_two_runs_do_not_share_a_file(tmp_path: Path) -> None:
    first = Results(tmp_path / "r.jsonl", SETTING)
    with pytest.raises(ParseError, match="another run is writing to"):
        Results(tmp_path / "r.jsonl", SETTING)
    first.close()
    Results(tmp_path / "r.jsonl", SETTING).close()


def test_another_question_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, executor = tmp_path / "r.jsonl", Counted()
    outcomes([case("one")], executor, file)
    for other in (case("one", claim="x"), case("one", seed=1), case("one", sizes={"n": 2})):
        outcomes([other], executor, file)
    outcomes([case("one")], executor, file, replace(SETTING, dtypes=("float64",)))
    monkeypatch.setattr(results_module, "versions", lambda: {"matcalc": "another"})
    outcomes([case("one")], executor, file)

    assert executor.asked == ["one"] * 6


def test_what_was_not_decided_is_run_again_in_other_bounds(tmp_path: Path) -> None:
    file, executor = tmp_path / "r.jsonl", Counted(one=Answer(None, "stopped after 1 s"))
    wider = replace(SETTING, bounds=Bounds(seconds=100.0))
    for setting in (SETTING, SETTING, wider):
        (found,) = outcomes([case("one")], executor, file, setting)
        assert (found.verdict, found.reason, found.exit_code) == ("inconclusive", "stopped after 1 s", 3)

    assert executor.asked == ["one", "one"]


def test_what_is_expected_may_change_without_another_run(tmp_path: Path) -> None:
    file, executor = tmp_path / "r.jsonl", Counted()
    (first,) = outcomes([case("one")], executor, file)
    (again,) = outcomes([case("one", expect="refuted")], executor, file)

    assert executor.asked == ["one"]
    assert (first.exit_code, again.exit_code) == (0, 1)


def test_a_bug_is_called_one() -> None:
    executor = Counted(one=Answer(None, "ValueError: no", 70))
    (found,) = check_suite([case("one")], SETTING, executor)

    assert (found.verdict, found.reason, found.exit_code) == ("error", "a bug in matcalc: ValueError: no", 70)


@pytest.mark.parametrize(
    ("codes", "code"),
    [([], 0), ([0, 0], 0), ([0, 3], 3), ([3, 2], 2), ([2, 1, 3], 1), ([70, 3], 70), ([70, 1], 1), ([4, 3], 4)],
)
def test_a_suite_ends_with_the_gravest_code(codes: list[int], code: int) -> None:
    verdicts = {0: "verified", 1: "refuted"}
    found = [Outcome(case("one"), verdicts.get(each, "inconclusive"), code=each) for each in codes]

    assert [outcome.exit_code for outcome in found] == codes
    assert exit_code(found) == code


@pytest.mark.parametrize(
    ("changed", "verdict", "diagnosis", "complaint"),
    [
        ({}, "verified", "", ""),
        ({}, "refuted", "sign: …", "refuted, and expected to be verified: sign: …"),
        ({"expect": "refuted"}, "refuted", "sign: …", ""),
        ({"expect": "refuted"}, "verified", "", "verified, and expected to be refuted"),
        ({"expect": "refuted", "diagnosis": "SIGN"}, "refuted", "sign: …", ""),
        (
            {"expect": "refuted", "diagnosis": "transposed"}, "refuted", "sign: …",
            "refuted, but the diagnosis does not contain 'transposed': sign: …",
        ),
        ({"expect": "refuted"}, "inconclusive", "", "inconclusive"),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_is_said(changed: Any, verdict: str, diagnosis: str, complaint: str) -> None:
    found = Outcome(case("one", **changed), verdict, diagnosis)

    assert found.complaint == complaint
    assert found.as_expected == (complaint == "")
    assert found.exit_code == (0 if not complaint else 3 if verdict == "inconclusive" else 1)


KINDS = [
    (case("g", expr="x'*A*x", claim="(A + A')*x"), "verified", 0),
    (case("g", expr="x'*A*x", claim=None), "verified", 0),
    (case("J", expr="tanh(W*x)", claim="diag(1 - tanh(W*x).^2)*W", kind="jacobian"), "verified", 0),
    (case("H", expr="x'*A*x", claim="A", kind="hessian"), "refuted", 1),
    (case("H", expr="u'*V*u", wrt=("u", "V"), claim=None, kind="hessian", let={"u": "vector(2)"}), "verified", 0),
    (case("jvp", expr="v'*x", claim=None, kind="jvp"), "verified", 0),
    (case("vjp", expr="A*x", claim="A'*w", kind="vjp", direction="w"), "verified", 0),
    (case("vjp", expr="A*x", claim="-A'*w", kind="vjp", direction="w"), "refuted", 1),
    (case("hvp", expr="sum(x.^3)", claim=None, kind="hvp"), "verified", 0),
    (case("text", expr="2x"), "error", 2),
    (case("name", wrt=("q",)), "error", 2),
    (case("limit", expr="(" * 200 + "x" + ")" * 200), "inconclusive", 3),
    (case("device"), "error", 4),
]


@pytest.mark.parametrize(("asked", "verdict", "code"), KINDS)
def test_each_kind_is_asked(asked: Case, verdict: str, code: int) -> None:
    found = run_case(replace(asked, trials=2), devices=("no such",) if asked.id == "device" else ("cpu",))

    assert (found.verdict, found.exit_code) == (verdict, code)


def test_the_samples_have_their_verdicts_whatever_the_number_of_jobs(tmp_path: Path) -> None:
    cases = read_suite(SUITES, trials=2)
    found = {jobs: checked(some, jobs, tmp_path) for jobs, some in ((2, cases), (1, cases[4:10]))}
    lines = {jobs: [_timeless(line) for line in (tmp_path / f"{jobs}").read_text().splitlines()] for jobs in found}

    assert [outcome.complaint for outcome in found[2]] == [""] * len(cases)
    assert lines[2][4:10] == lines[1]
    assert [line["check"]["seed"] for line in lines[2]] == [each.seed for each in cases]
    assert replay(lines[2][7]).same
    assert all(outcome.report is None for outcome in found[2])
    assert junit(found[2][4:10]) == junit(found[1])
    assert as_markdown(found[2][4:10]) == as_markdown(found[1])


def checked(cases: list[Case], jobs: int, folder: Path) -> list[Outcome]:
    results = Results(folder / str(jobs), SETTING)
    try:
        return list(check_suite(cases, SETTING, here(jobs, SETTING), results))
    finally:
        results.close()


def _timeless(line: str) -> dict[str, Any]:
    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    record: dict[str, Any] = json.loads(line, parse_constant=refused)
    assert record.pop("seconds") > 0
    return record
