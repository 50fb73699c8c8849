"""Jacobians beside the closed form and torch's two modes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

import matcalc as mc
from benchmarks.compared import CLOSED, ratios
from benchmarks.second_order import FIRST_ORDER, FirstOrder
from benchmarks.settings import Settings
from benchmarks.tables import Table
from benchmarks.timing import Action

COLUMNS = ("matcalc", "jacrev", "jacfwd")


def tables(settings: Settings) -> Iterator[Table]:
    """The table of this process's thread count."""
    rows, seconds = ratios(
        ((each.label(sizes), actions(each, sizes)) for each in FIRST_ORDER for sizes in each.sizes[: settings.sizes]),
        settings,
    )
    yield Table(f"Jacobians, time over the closed form, {settings.machine}", CLOSED, COLUMNS, rows, seconds)


def actions(each: FirstOrder, sizes: Mapping[str, int]) -> dict[str, Action]:
    """What is timed, by its name."""
    inputs = each.inputs(sizes)
    derived = mc.jacobian(each.text, each.wrt)
    ours, positional = derived.compile("torch"), [inputs[name] for name in derived.variables]
    rest = {name: tensor for name, tensor in inputs.items() if name != each.wrt}
    x = inputs[each.wrt]

    def function(moving: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = each.value(**rest, **{each.wrt: moving}) if rest else each.value(moving)
        return made

    return {
        CLOSED: lambda: each.jacobian(**inputs),
        "matcalc": lambda: ours(*positional),
        "jacrev": lambda: torch.func.jacrev(function)(x),
        "jacfwd": lambda: torch.func.jacfwd(function)(x),
    }
