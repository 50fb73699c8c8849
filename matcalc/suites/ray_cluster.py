"""Cases on an existing Ray cluster.

A task of Ray's is a chunk of cases, and checks them on its node as they are checked here: in a worker process, within
time and memory. So a case costs only itself there too, and one place says how. A chunk whose node is lost is tried
again by Ray; then its cases are inconclusive.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from matcalc.errors import DeviceError
from matcalc.suites.pool import Answer, Bounds, Work, answers
from matcalc.suites.session import Executor

_CHUNK = 20
_CHUNKS_PER_PROCESSOR = 2
_RETRIES = 2


def on_ray(bounds: Bounds) -> Executor:
    """The cluster that is there: that of ``RAY_ADDRESS``, or the one running on this machine.

    Raises:
        DeviceError: where Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise DeviceError(
            "Ray is not installed here", why="--executor ray needs it", suggestion="pip install 'matcalc-checker[ray]'"
        ) from error
    if not ray.is_initialized():
        try:
            ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise DeviceError(
                "there is no Ray cluster to be found",
                why=" ".join(str(error).split())[:200],
                suggestion="ray start --head, or RAY_ADDRESS=host:6379",
            ) from error

    def carried_out(items: Iterable[Any], work: Work) -> Iterator[Answer]:
        return _spread(ray, items, work, bounds)

    return carried_out


def _spread(ray: Any, items: Iterable[Any], work: Work, bounds: Bounds) -> Iterator[Answer]:
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_chunk)
    most = max(1, int(ray.cluster_resources().get("CPU", 1))) * _CHUNKS_PER_PROCESSOR
    pending = deque[tuple[Any, int]]()
    try:
        for chunk in _chunks(items):
            pending.append((task.remote(chunk, work, bounds), len(chunk)))
            if len(pending) >= most:
                yield from _collected(ray, *pending.popleft())
        while pending:
            yield from _collected(ray, *pending.popleft())
    finally:
        for reference, _ in pending:
            ray.cancel(reference, force=True)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(items)
    while chunk := list(itertools.islice(source, _CHUNK)):
        yield chunk


def _collected(ray: Any, reference: Any, count: int) -> list[Answer]:
    try:
        found: list[Answer] = ray.get(reference)
    except ray.exceptions.RayError as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        return [Answer(None, f"lost by the cluster: {said[-1]}")] * count
    return found


def _chunk(cases: list[Any], work: Work, bounds: Bounds) -> list[Answer]:
    """A chunk, on the node that Ray chose."""
    return list(answers(cases, work, 1, bounds))
