"""Values for the names of an expression: with what was declared of them, generic otherwise, from a generator alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.checking.subspace import SUBSPACES, projected
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES
from matcalc.expression.sizes import as_integer

_POLISHES = 6

_DISCRETE = frozenset(("integer", "onehot", "orthogonal"))


@dataclass(frozen=True)
class Turn:
    """Which trial, and which attempt at it."""

    trial: int
    attempt: int


def value(variable: Node, rng: Any, sizes: Mapping[str, int], turn: Turn, expression: Node) -> Any:
    """A float64 matrix for a name."""
    rows, cols = (as_integer(s, sizes) for s in variable.shape)
    for wanted in _samplers(variable, expression):
        sampler = PROPERTIES[wanted].sample
        if sampler is not None:
            made = _both_signs(wanted, _sampled(sampler, rng, rows, cols, variable), variable, rng, turn)
            return _with_all_declared(made, variable)
    regime = turn.attempt if turn.attempt < len(_REGIMES) else int(rng.integers(len(_REGIMES)))
    return _REGIMES[regime](rng, rows, cols)


def may_be_pushed(variable: Node) -> bool:
    """Whether any multiple of a value is a value: nothing is declared but a linear subspace."""
    return all(name in SUBSPACES for name in variable.params[2])


def may_be_scaled(variable: Node) -> bool:
    """Whether any positive multiple of a value is a value."""
    return all(PROPERTIES[name].conic for name in variable.params[2])


def is_known_by_value(variable: Node) -> bool:
    """Whether a value tells that it has all that is declared: :func:`lacks` misses nothing."""
    facts = ((name, PROPERTIES[name]) for name in variable.facts)
    return all(
        name in SUBSPACES or record.each is not None or record.holds is not None or record.sample is None
        for name, record in facts
    )


def is_discrete(variable: Node) -> bool:
    """Whether values are declared to be among a few, or in one of two parts between which nothing lies."""
    return not _DISCRETE.isdisjoint(variable.facts)


def lacks(variable: Node, made: Any) -> str:
    """A declared property that a value does not have, or "": not every combination of properties can be sampled."""
    for name in sorted(variable.facts):
        if name in SUBSPACES and abs(projected(name, made) - made).max() > 1e-9:
            return name
        each, holds = PROPERTIES[name].each, PROPERTIES[name].holds
        if each is not None and not each(made).all():
            return name
        if holds is not None and not holds(made):
            return name
    return ""


def _with_all_declared(made: Any, variable: Node) -> Any:
    """Projected onto every declared subspace; a set without interior is met again after that."""
    for name in sorted(variable.facts):
        made = projected(name, made) if name in SUBSPACES else made
    if len(variable.params[2]) < 2:
        return made
    for name in sorted(variable.facts):
        exact = PROPERTIES[name].exact
        for _ in range(_POLISHES if exact is not None else 0):
            made = exact(made).astype(float)  # type: ignore[misc]  # the range is empty without it
    return in_declared_subspaces(made, variable)


def in_declared_subspaces(made: Any, variable: Node) -> Any:
    """A value projected onto every declared subspace."""
    for name in sorted(variable.facts):
        made = projected(name, made) if name in SUBSPACES else made
    return made


def _sampled(sampler: Any, rng: Any, rows: int, cols: int, variable: Node) -> Any:
    """A matrix that has one column at these sizes is still a matrix: its property holds in each row."""
    import numpy as np

    if cols == 1 != variable.cols and rows > 1:
        return np.vstack([sampler(rng, 1, 1) for _ in range(rows)])
    return sampler(rng, rows, cols)


def _both_signs(wanted: str, made: Any, variable: Node, rng: Any, turn: Turn) -> Any:
    """A determinant of either sign, and an argument in (-1, 1) where only an operator asks for it."""
    import numpy as np

    if turn.attempt % 2:
        return made
    if wanted == "invertible" and turn.trial % 2:
        made[0] = -made[0]
    if wanted == "orthogonal" and (np.linalg.det(made) < 0) != turn.trial % 2:
        made[0] = -made[0]
    if wanted == "unit" and not variable.params[2]:
        made = made * rng.choice([-1.0, 1.0], size=made.shape)
    return made


def _samplers(variable: Node, expression: Node) -> Iterator[str]:
    """Declared properties, the narrowest first; then what an operator demands of the name itself."""
    declared = list(variable.params[2])
    yield from sorted(declared, key=lambda name: (name in SUBSPACES, -len(PROPERTIES[name].implies)))
    if declared:
        return
    for node in postorder(expression):
        for i, wanted in node.operator.domain.items():
            if node.args[i] is variable and wanted != "nonzero":
                yield wanted


# ---------------------------------------------------------------------------------------------------- regimes


def _normal(rng: Any, m: int, n: int) -> Any:
    return rng.standard_normal((m, n))


def _conditioned(rng: Any, m: int, n: int) -> Any:
    import numpy as np

    if m == n and m > 1:
        return 1.4 * np.eye(n) + 0.6 * rng.standard_normal((n, n)) / n**0.5
    return rng.standard_normal((m, n))


def _like_posdef(rng: Any, m: int, n: int) -> Any:
    if m == n and m > 1:
        return PROPERTIES["posdef"].sample(rng, m, n) + 0.1 * rng.standard_normal((m, n))  # type: ignore[misc]
    return rng.uniform(0.4, 1.8, (m, n))


_REGIMES: tuple[Callable[[Any, int, int], Any], ...] = (
    _normal,
    _conditioned,
    lambda rng, m, n: rng.uniform(0.4, 1.8, (m, n)),
    _like_posdef,
    lambda rng, m, n: 0.3 * rng.standard_normal((m, n)),
    lambda rng, m, n: rng.uniform(0.1, 0.9, (m, n)) / max(m, n),
    lambda rng, m, n: rng.uniform(1.2, 3.0, (m, n)),
    lambda rng, m, n: -rng.uniform(0.2, 1.2, (m, n)),
)
