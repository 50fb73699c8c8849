"""Long runs in parts: each in a process of its own with a seed of its own, so that their sum depends on no machine."""

from __future__ import annotations

import argparse
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol, TypeVar

import mpmath
import torch
from torch.autograd import forward_ad
from torch.utils import _python_dispatch

PART = 1000
"""Cases of one part; its seed is the run's and its number times SPAN."""
SPAN = 1_000_000
_MEMORY = 2**33
_PRECISION = mpmath.mp.prec


class Counts(Protocol):
    """What a part comes to: counters that add up."""

    skipped: Counter[str]


_Counts = TypeVar("_Counts", bound=Counts)


def arguments() -> argparse.Namespace:
    """COUNT SEED, a page to write, how many parts at a time, and a file of runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--runs", type=Path)
    return parser.parse_args()


def in_parts(
    run: Callable[[int, int], _Counts], count: int, seed: int, jobs: int, so_far: Callable[[_Counts, int], object]
) -> _Counts:
    """The sum of parts of at most PART cases; ``so_far`` is called with each sum on the way, which is a run's as well.

    What is cut short after 3 parts has been told what a run of 3·PART cases gives.
    """
    starts = range(0, count, PART)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _prepared, max_tasks_per_child=1) as pool:
        parts = [pool.submit(run, min(PART, count - at), seed + at // PART * SPAN) for at in starts]
        total = parts[0].result()
        so_far(total, min(PART, count))
        for number, part in enumerate(parts[1:], 2):
            add(total, part.result())
            so_far(total, min(number * PART, count))
    return total


def add(total: Any, part: Any) -> None:
    """Adds the counts of a part."""
    for name, value in vars(part).items():
        setattr(total, name, getattr(total, name) + value)


@contextmanager
def limited(seconds: float, skipped: Counter[str], told: Callable[[str], None]) -> Iterator[None]:
    """Ends one case after so many seconds of processor time; a crash is told and costs only itself."""
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1)  # again, since one raised inside a callback is lost
    try:
        yield
    except TimeoutError:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        skipped["too slow"] += 1
        _leave_everything()
    except MemoryError:
        skipped["too large"] += 1
    except Exception as error:
        large = "allocate memory" in str(error)
        skipped["too large" if large else "CRASH"] += 1
        if not large:
            told(f"CRASH {type(error).__name__}: {error}\n{traceback.format_exc()}")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _leave_everything() -> None:
    """Ends what a case was in the middle of: what is raised within the end of a ``with`` leaves it unfinished.

    A perturbing mode that stayed on would perturb all cases that follow.
    """
    while _python_dispatch._get_current_dispatch_mode_stack():
        _python_dispatch._pop_mode()
    torch._C._functorch.pop_dynamic_layer_stack_and_undo_to_depth(0)
    while forward_ad._current_level >= 0:
        forward_ad.exit_dual_level()
    torch.set_grad_enabled(True)
    torch.set_deterministic_debug_mode("default")
    mpmath.mp.prec = _PRECISION


def _stop(number: int, frame: object) -> None:
    raise TimeoutError


def _prepared() -> None:
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
