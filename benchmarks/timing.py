"""Times of competitors, taken in turns so that whatever else the machine does slows them all alike."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

Action = Callable[[], Any]

_SAMPLE = 1e-3
_ROUNDS = (7, 101)
_ENOUGH = 7


class Sample(NamedTuple):
    """Seconds a call, and whether something else took the processor away meanwhile."""

    seconds: float
    disturbed: bool


def _nothing() -> None:
    return None


def medians(
    actions: Mapping[str, Action], budget: float = 2.0, finish: Callable[[], None] = _nothing
) -> dict[str, float]:
    """The median time of one call of each action, in seconds.

    Every round times each action once, in an order of its own, so that none always finds the caches as the same other
    left them; a sample is as many calls as take about a millisecond, after one that is not timed. Samples in which the
    process was taken off a processor are left out where at least seven others remain: on a busy machine they time the
    machine. ``budget`` is the seconds that all rounds together may take, though never fewer rounds than seven.
    ``finish`` waits for what a call leaves to be computed elsewhere; it is part of every sample.
    """
    counts = {name: _count(action, finish) for name, action in actions.items()}
    names = list(actions)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    shuffled = random.Random(0)  # noqa: S311  an order, the same in every run
    began, done = time.perf_counter(), 0
    while done < _ROUNDS[0] or (done < _ROUNDS[1] and time.perf_counter() - began < budget):
        for name in shuffled.sample(names, len(names)):
            samples[name].append(_sample(actions[name], counts[name], finish))
        done += 1
    return {name: _median(taken) for name, taken in samples.items()}


def _median(samples: list[Sample]) -> float:
    quiet = [sample.seconds for sample in samples if not sample.disturbed]
    return statistics.median(quiet if len(quiet) >= _ENOUGH else [sample.seconds for sample in samples])


def _count(action: Action, finish: Callable[[], None]) -> int:
    """How many calls make one sample; the calls that find it out warm the action up."""
    action()
    count = 1
    while (elapsed := min(_sample(action, count, finish).seconds for _ in range(3)) * count) < _SAMPLE / 2:
        count = max(2 * count, int(count * _SAMPLE / max(elapsed, 1e-7) / 2))
    return max(1, round(count * _SAMPLE / elapsed))


def _sample(action: Action, count: int, finish: Callable[[], None]) -> Sample:
    action()
    finish()
    before, began = _switches(), time.perf_counter()
    for _ in range(count):
        action()
    finish()
    return Sample((time.perf_counter() - began) / count, _switches() > before)


def _switches() -> int:
    """How often the process was made to wait so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if resource is not None else 0
