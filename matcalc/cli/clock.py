"""A time limit on what a command does, where the system has alarms."""

from __future__ import annotations

import signal
from types import FrameType

from matcalc.errors import LimitError
from matcalc.limits import Limits, exceeded

_AGAIN = 1.0
_HAS_ALARMS = hasattr(signal, "setitimer")


def allow(limits: Limits, limit: str) -> None:
    """From now on, as many seconds as the limit of that name says; replaces what was allowed before.

    The alarm goes off again every second, for one that falls into code that catches everything.
    """
    seconds = getattr(limits, limit)

    def time_is_up(signum: int, frame: FrameType | None) -> None:
        raise _too_long(limits, limit)

    if _HAS_ALARMS:
        signal.signal(signal.SIGALRM, time_is_up)
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)


def stop() -> None:
    """No limit any more."""
    if _HAS_ALARMS:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _too_long(limits: Limits, limit: str) -> LimitError:
    seconds = getattr(limits, limit)
    return exceeded(limits, limit, seconds + 1, f"not done after {seconds} s")
