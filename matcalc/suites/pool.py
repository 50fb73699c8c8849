"""Worker processes: each does one piece of work at a time, within its time and its memory, and dies alone.

Every worker has a pipe of its own, for one that is killed while it holds the lock of a shared queue stops all others.
The process is killed from outside when its time is up, for code that hangs in a library does not stop by itself; its
memory is bounded from inside, by the system (``RLIMIT_DATA``), before each piece of work. Workers are replaced after so
many pieces, so that nothing adds up. Answers come back as JSON: nothing that a worker says is unpickled.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, context
from pathlib import Path
from types import ModuleType
from typing import Any

from matcalc.errors import BUG, UNDECIDED, CheckError

_STARTUP_SECONDS = 300.0
_MOST_FAILED_STARTS = 3
_AHEAD = 64
_GRACE_SECONDS = 10.0
_SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
_SAYS_MEMORY = ("can't allocate memory", "bad_alloc", "out of memory")


@dataclass(frozen=True)
class Bounds:
    """What a piece of work may take: seconds, bytes of memory on top of the libraries; how many a worker does."""

    seconds: float = 60.0
    memory: int = 4 * 2**30
    pieces: int = 200


@dataclass(frozen=True)
class Work:
    """What workers do: a function of an item to what JSON can hold.

    Attributes:
        function: importable by its name, and not the program's own; so is ``prepare``, which every worker calls first.
        arguments: by keyword, the same for every item.
        needs: modules that are loaded once, before workers are forked, where the system can.
    """

    function: Callable[..., dict[str, Any]]
    arguments: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    needs: Sequence[str] = ()


@dataclass(frozen=True)
class Answer:
    """What came of an item: what the function returned, or why it returned nothing, with an exit code."""

    value: dict[str, Any] | None
    ended: str = ""
    code: int = UNDECIDED


def answers(items: Iterable[Any], work: Work, jobs: int, bounds: Bounds) -> Iterator[Answer]:
    """An answer for each item, in the order of the items whatever the number of jobs.

    Raises:
        CheckError: where no worker can be started.
    """
    with _single_threads():
        pool = _Pool(work, jobs, bounds)
        try:
            yield from pool.answers(iter(items))
        finally:
            pool.stop()


@contextlib.contextmanager
def _single_threads() -> Iterator[None]:
    """Processes started meanwhile compute in one thread each."""
    before = {name: os.environ.get(name) for name in _SINGLE}
    os.environ.update(_SINGLE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_method(needs: Sequence[str]) -> context.BaseContext:
    """Workers forked from a process that has only loaded libraries; new interpreters where that is not to be had."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # which ends by listening to interruptions again
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(needs))
    with _deaf_to_interruptions():
        forkserver.ensure_running()
    return found


@contextlib.contextmanager
def _deaf_to_interruptions() -> Iterator[None]:
    """Processes started meanwhile, and those they fork, leave it to this one what an interruption means."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _unseen_program() -> Iterator[None]:
    """A process started meanwhile does not run the program's file again, as it would to find functions of its own."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


# ------------------------------------------------------------------------------------------------ the parent's side


class _Worker:
    """A process, its pipe, and what it is at."""

    def __init__(self, start: context.BaseContext, work: Work, bounds: Bounds) -> None:
        self.pipe, theirs = start.Pipe()
        self.process = start.Process(target=_serve, args=(theirs, work, bounds), daemon=True)  # type: ignore[attr-defined]
        with _unseen_program():
            self.process.start()
        theirs.close()
        self.ready = False
        self.item: int | None = None
        self.done = 0
        self.deadline = time.monotonic() + _STARTUP_SECONDS

    @property
    def idle(self) -> bool:
        return self.ready and self.item is None

    def give(self, number: int, item: Any, bounds: Bounds) -> bool:
        """Whether it took the item: one that died while it had nothing to do did not."""
        try:
            self.pipe.send(item)
        except OSError:
            return False
        self.item, self.deadline = number, time.monotonic() + bounds.seconds
        return True

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.process.close()


class _Pool:
    def __init__(self, work: Work, jobs: int, bounds: Bounds) -> None:
        self.work, self.bounds, self.jobs = work, bounds, max(jobs, 1)
        self.start = _start_method(work.needs)
        self.workers: list[_Worker] = []
        self.found: dict[int, Answer] = {}
        self.given = 0
        self.failed_starts = 0

    def answers(self, items: Iterator[Any]) -> Iterator[Answer]:
        upcoming, shown, is_over = deque[Any](), 0, False
        while True:
            while not is_over and len(upcoming) < self.jobs:
                try:
                    upcoming.append(next(items))
                except StopIteration:
                    is_over = True
            self._hire(len(upcoming))
            self._hand_out(upcoming, shown)
            if not upcoming and is_over and shown == self.given:
                return
            self._listen()
            while shown in self.found:
                yield self.found.pop(shown)
                shown += 1

    def stop(self) -> None:
        """No worker is left."""
        for worker in self.workers:
            worker.end()
        self.workers.clear()

    def _hire(self, waiting: int) -> None:
        free = sum(worker.item is None for worker in self.workers)
        for _ in range(min(self.jobs - len(self.workers), waiting - free)):
            self.workers.append(_Worker(self.start, self.work, self.bounds))

    def _hand_out(self, upcoming: deque[Any], shown: int) -> None:
        """An item for each worker that is idle, unless too many answers wait for an earlier one."""
        for worker in self.workers:
            if not (worker.idle and upcoming and self.given - shown < _AHEAD * self.jobs):
                continue
            if worker.give(self.given, upcoming[0], self.bounds):
                upcoming.popleft()
                self.given += 1

    def _listen(self) -> None:
        watched = [thing for each in self.workers for thing in (each.pipe, each.process.sentinel) if not each.idle]
        nearest = min((each.deadline for each in self.workers if not each.idle), default=time.monotonic())
        connection.wait(watched, max(nearest - time.monotonic(), 0.0))
        for worker in list(self.workers):
            self._attend(worker)

    def _attend(self, worker: _Worker) -> None:
        try:
            said = json.loads(worker.pipe.recv_bytes()) if worker.pipe.poll() else None
        except (EOFError, OSError):
            self._bury(worker)
            return
        if said is not None:
            self._hear(worker, said)
        elif not worker.process.is_alive() and not worker.pipe.poll():
            self._bury(worker)
        elif time.monotonic() > worker.deadline and not worker.idle:
            self._dismiss(worker, f"stopped after {self.bounds.seconds:g} s")

    def _hear(self, worker: _Worker, said: dict[str, Any]) -> None:
        if worker.item is None:
            worker.ready, self.failed_starts = True, 0
            return
        self.found[worker.item] = Answer(**said["answer"])
        worker.item = None
        worker.done += 1
        if said["last"]:
            self.workers.remove(worker)
            worker.end()

    def _bury(self, worker: _Worker) -> None:
        worker.process.join(_GRACE_SECONDS)
        self._dismiss(worker, _cause_of_death(worker.process.exitcode))

    def _dismiss(self, worker: _Worker, reason: str) -> None:
        self.workers.remove(worker)
        worker.end()
        if worker.item is not None:
            self.found[worker.item] = Answer(None, reason)
        elif not worker.ready:
            self.failed_starts += 1
            if self.failed_starts >= _MOST_FAILED_STARTS:
                raise CheckError(f"no worker process can be started: {reason}", why="try --jobs 1, or less memory")


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"the process ended by itself, with exit code {exit_code}"
    try:
        return f"the process died of {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"the process died of signal {-exit_code}"


# ------------------------------------------------------------------------------------------------ the worker's side


def _serve(pipe: connection.Connection, work: Work, bounds: Bounds) -> None:
    """What a worker does all its life."""
    _settle()
    if work.prepare is not None:
        work.prepare()
    pipe.send_bytes(b'"ready"')
    for number in range(1, bounds.pieces + 1):
        try:
            item = pipe.recv()
        except EOFError:
            return
        answer = _answer(work, item, bounds)
        last = number == bounds.pieces or answer.get("code") == UNDECIDED
        pipe.send_bytes(json.dumps({"answer": answer, "last": last}).encode())
        if last:
            return


def _settle() -> None:
    """The parent's business is not the worker's: interruptions, and the terminal. An orphan does not live on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()


def _leave_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _answer(work: Work, item: Any, bounds: Bounds) -> dict[str, Any]:
    try:
        with _bounded(bounds):
            found = work.function(item, **work.arguments)
            json.dumps(found)
            return {"value": found}
    except BaseException as error:  # a SystemExit too is the case's own affair
        if isinstance(error, MemoryError) or any(word in str(error) for word in _SAYS_MEMORY):
            return {"value": None, "ended": f"stopped above {bounds.memory / 2**20:g} MiB of memory", "code": UNDECIDED}
        return {"value": None, "ended": f"{type(error).__name__}: {error}{_place(error)}", "code": BUG}


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace is not None else ""


@contextlib.contextmanager
def _bounded(bounds: Bounds) -> Iterator[None]:
    """At most so much more memory than now, where the system holds a process to that; and in no case for ever."""
    if sys.platform == "win32":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    now = _memory_taken()
    if now is not None:
        most, hard = now + bounds.memory, before[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    # The system's own alarm ends the process should there be no parent any more that does.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, bounds.seconds + _GRACE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _memory_taken() -> int | None:
    """Bytes that count for ``RLIMIT_DATA`` (proc(5), statm), where the system says so.

    Address space that is only reserved, as drivers of accelerators do, is not among them.
    """
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
