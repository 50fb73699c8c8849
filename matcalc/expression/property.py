"""The property record, and the table that the definitions in :mod:`matcalc.properties` fill."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


@dataclass(frozen=True)
class Property:
    """Something declared of a name: it simplifies results, and it is the set that a check samples from.

    Attributes:
        name: what a user types after the ``;`` of a declaration.
        says: one sentence.
        implies: the properties that follow.
        follows: sets of properties of which each set together implies this one.
        square: whether only a square matrix can have it.
        kinds: which kinds of name can have it, all where empty.
        project: the orthogonal projection of a gradient onto the linear subspace, where the property is one.
        sample: ``(generator, rows, cols)`` to a NumPy matrix that has it, generic otherwise.
        entries: between which numbers every entry lies.
        each: of an array, which entries are as the property wants them; the ends of ``entries`` may be excluded.
        conic: whether every positive multiple of what has it has it as well.
        elsewhere: samples a part of the set that ``sample`` hardly meets.
        holds: of a float matrix, whether it has the property, with room to spare.
        exact: an object array that has it up to rounding to one that has it in the precision in force.
        source: where it is defined.
        dense: whether a rational identity that holds on the set holds everywhere in the subspace that is declared with
            it: the set has interior there, or is the whole numbers.
        parametrized: ``(fresh, rows, cols, part)`` to an object array that has it, a rational function of the entries
            that ``fresh()`` gives, onto nearly all of the set's component ``part``.
        parts: how many components the set has.
    """

    name: str
    says: str
    source: str = ""
    implies: tuple[str, ...] = ()
    follows: tuple[frozenset[str], ...] = ()
    square: bool = False
    kinds: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    project: Callable[[Node], Node] | None = None
    sample: Callable[[Any, int, int], Any] | None = None
    holds: Callable[[Any], bool] | None = None
    exact: Callable[[Any], Any] | None = None
    dense: bool = False
    parametrized: Callable[[Callable[[], Any], int, int, int], Any] | None = None
    parts: int = 1
    elsewhere: Callable[[Any, int, int], Any] | None = None
    conic: bool = False
    entries: tuple[Fraction | float, Fraction | float] = (-inf, inf)
    each: Callable[[Any], Any] | None = None


PROPERTIES: dict[str, Property] = {}


def define_property(record: Property) -> Property:
    """Puts ``record`` into the table and returns it.

    Raises:
        ValueError: when the name is taken.
    """
    if record.name in PROPERTIES:
        raise ValueError(f"two properties are called {record.name!r}")
    PROPERTIES[record.name] = record
    return record


def closure(names: Iterable[str]) -> frozenset[str]:
    """The named properties and all that follow from them."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(PROPERTIES[name].implies)
            todo.extend(each.name for each in PROPERTIES.values() if any(found >= set_ for set_ in each.follows))
    return frozenset(found)
