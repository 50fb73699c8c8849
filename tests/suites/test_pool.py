"""Worker processes: what goes wrong in one piece of work costs that piece only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import misbehaving
import pytest

from matcalc.errors import CheckError
from matcalc.suites import run
from matcalc.suites.pool import Answer, Bounds, Work, answers

WORK = Work(misbehaving.done, prepare=run.prepare, needs=run.NEEDED)
BOUNDS = Bounds(seconds=30.0, memory=2**28)


def said(items: list[str], jobs: int = 2, bounds: Bounds = BOUNDS) -> list[Answer]:
    return list(answers(items, WORK, jobs, bounds))


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def is_gone(process: int) -> bool:
    """Whether the process ends, which takes the system a moment to see."""
    for _ in range(300):
        if not is_alive(process):
            return True
        time.sleep(0.1)
    return False


FINE = Answer({"is": "fine"})
BOUNDED = pytest.mark.skipif(sys.platform != "linux", reason="the system does not bound a process's memory")
ABOVE = Answer(None, "stopped above 256 MiB of memory", 3)


@pytest.mark.parametrize(
    ("item", "answer"),
    [
        ("leave", Answer(None, "SystemExit: 3 (misbehaving.py:", 70)),
        ("fail", Answer(None, "ValueError: a wrong value (misbehaving.py:", 70)),
        ("leave_at_once", Answer(None, "the process ended by itself, with exit code 5", 3)),
        ("leave_at_once_as_if_well", Answer(None, "the process ended by itself, with exit code 0", 3)),
        ("segfault", Answer(None, "the process died of SIGSEGV", 3)),
        ("abort", Answer(None, "the process died of SIGABRT", 3)),
        ("say_what_is_no_json", Answer(None, "TypeError: Object of type object is not JSON serializable", 70)),
        pytest.param("take_much", ABOVE, marks=BOUNDED),
        pytest.param("take_more_and_more", ABOVE, marks=BOUNDED),
        pytest.param("take_much_in_torch", ABOVE, marks=BOUNDED),
    ],
)
def test_what_goes_wrong_costs_itself_only(item: str, answer: Answer) -> None:
    first, wrong, last = said(["fine", item, "fine"], jobs=1)

    assert (first, last) == (FINE, FINE)
    assert (wrong.value, wrong.code) == (None, answer.code)
    assert wrong.ended.startswith(answer.ended)


@pytest.mark.parametrize("item", ["hang", "hang_deaf_to_signals"])
def test_what_hangs_is_stopped_while_the_rest_goes_on(item: str) -> None:
    found = said(["fine", item, "fine", "fine"], bounds=Bounds(seconds=2.0))

    assert found == [FINE, Answer(None, "stopped after 2 s", 3), FINE, FINE]


def test_answers_come_in_the_order_of_the_items() -> None:
    items = ["say_late", "fine", "say_late", "fine", "fine"]

    for jobs in (1, 2, 7):
        assert [answer.value for answer in said(items, jobs)] == [
            {"is": "late" if item == "say_late" else "fine"} for item in items
        ]
    assert said([]) == []


def test_a_worker_is_replaced_after_so_many_pieces() -> None:
    found = said(["say_who"] * 5, jobs=1, bounds=Bounds(pieces=2))

    assert sorted(Counter(answer.value["is"] for answer in found if answer.value).values()) == [1, 2, 2]


def test_a_worker_goes_on_after_work_that_failed() -> None:
    before, _, after = said(["say_who", "fail", "say_who"], jobs=1)

    assert before.value is not None
    assert before == after


def test_workers_compute_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")

    assert said(["say_how_many_threads"]) == [Answer({"is": [1, "1"]})]
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_an_answer_larger_than_a_pipe_arrives() -> None:
    assert said(["say_much", "fine"]) == [Answer({"is": "x" * 2**20}), FINE]


def test_no_worker_outlives_answers_that_nobody_wants() -> None:
    found = answers(["say_who", "hang", "hang"], WORK, 2, BOUNDS)
    first = next(found)
    found.close()

    assert first.value is not None
    assert is_gone(first.value["is"])


def test_where_no_worker_can_begin_there_is_an_error() -> None:
    work = Work(misbehaving.done, prepare=misbehaving.cannot_begin, needs=run.NEEDED)

    with pytest.raises(CheckError, match="no worker process can be started: the process ended by itself"):
        list(answers(["fine"], work, 1, BOUNDS))


ORPHANED = """
import misbehaving
from matcalc.suites.pool import Bounds, Work, answers
print("begun", flush=True)  # once: a worker does not run this file again
for answer in answers(["say_who", "hang"], Work(misbehaving.done), 1, Bounds()):
    print(answer.value["is"], flush=True)
"""


def test_an_orphan_does_not_live_on(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(ORPHANED, encoding="utf-8")
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    with subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.send_signal(signal.SIGKILL)

    assert is_gone(worker)
