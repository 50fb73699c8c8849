"""Work that goes wrong in every way that work can, for worker processes to do."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any


def fine() -> str:
    return "fine"


def hang() -> None:
    while True:
        time.sleep(60)


def hang_deaf_to_signals() -> None:
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(each, signal.SIG_IGN)
    hang()


def fail() -> None:
    raise ValueError("a wrong value")


def leave() -> None:
    sys.exit(3)


def leave_at_once_as_if_well() -> None:
    os._exit(0)


def leave_at_once() -> None:
    os._exit(5)


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def abort() -> None:
    os.abort()


def take_much() -> int:
    return len(bytearray(2**33))


def take_more_and_more() -> None:
    taken = []
    while True:
        taken.append(bytearray(2**24))


def take_much_in_torch() -> None:
    import torch

    torch.ones(2**30, dtype=torch.float64)


def say_what_is_no_json() -> object:
    return object()


def say_much() -> str:
    return "x" * 2**20


def say_who() -> int:
    return os.getpid()


def say_how_many_threads() -> list[Any]:
    import torch

    return [torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]]


def say_late() -> str:
    time.sleep(0.3)
    return "late"


def done(item: str) -> dict[str, Any]:
    """What the function of that name returns."""
    return {"is": globals()[item]()}


def cannot_begin() -> None:
    raise ImportError("a library is missing")
