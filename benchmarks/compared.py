"""Competitors held against the closed form before they are timed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from benchmarks.settings import Settings
from benchmarks.timing import Action, medians

CLOSED = "closed form"
_TOLERANCE = 1e-8


def compare(label: str, actions: Mapping[str, Action]) -> None:
    """Every competitor's result against the closed form.

    Raises:
        AssertionError: for one that is not equal to it.
    """
    wanted = actions[CLOSED]()
    for name, action in actions.items():
        got: Any = action()
        other = got if isinstance(got, torch.Tensor) else torch.tensor(got.__array__(), device=wanted.device)
        assert other.shape == wanted.shape, f"{label}: {name} has shape {tuple(other.shape)}"
        error = (other - wanted).norm() / wanted.norm()
        assert error < _TOLERANCE, f"{label}: {name} is off by {error:.1e}"


def ratios(
    rows: Iterable[tuple[str, Mapping[str, Action]]], settings: Settings
) -> tuple[dict[str, Mapping[str, float | None]], dict[str, float]]:
    """The times of every row's competitors over the closed form's, and that one's own seconds."""
    found: dict[str, Mapping[str, float | None]] = {}
    seconds: dict[str, float] = {}
    for label, actions in rows:
        compare(label, actions)
        times = medians(actions, settings.budget, settings.finish)
        seconds[label] = times[CLOSED]
        found[label] = {name: times[name] / times[CLOSED] for name in times if name != CLOSED}
        settings.say(f"{label}: {found[label]}")
    return found, seconds
