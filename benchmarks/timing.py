"""Times of competitors, taken in turns so that whatever else the machine does slows them all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Action = Callable[[], Any]

_SAMPLE = 2e-3
_BUDGET = 2.0
_ROUNDS = (7, 41)


def medians(actions: Mapping[str, Action], budget: float = _BUDGET) -> dict[str, float]:
    """The median time of one call of each action, in seconds.

    Every round times each action once, in an order that is turned from round to round; a sample is as many calls as
    take about two milliseconds. ``budget`` is the seconds that all rounds together may take, though never fewer rounds
    than seven.
    """
    counts = {name: _count(action) for name, action in actions.items()}
    names = list(actions)
    samples: dict[str, list[float]] = {name: [] for name in names}
    began, done = time.perf_counter(), 0
    while done < _ROUNDS[0] or (done < _ROUNDS[1] and time.perf_counter() - began < budget):
        turn = done % len(names)
        for name in names[turn:] + names[:turn]:
            samples[name].append(_sample(actions[name], counts[name]))
        done += 1
    return {name: statistics.median(times) for name, times in samples.items()}


def _count(action: Action) -> int:
    """How many calls make one sample; the calls that find it out warm the action up."""
    action()
    count = 1
    while (elapsed := _sample(action, count) * count) < _SAMPLE / 2:
        count = max(2 * count, int(count * _SAMPLE / max(elapsed, 1e-7) / 2))
    return max(1, round(count * _SAMPLE / elapsed)) if elapsed < _SAMPLE else count


def _sample(action: Action, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        action()
    return (time.perf_counter() - began) / count
