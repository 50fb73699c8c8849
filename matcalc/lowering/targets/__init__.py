"""The targets: each says how terms are spelled, and decides nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from matcalc.errors import UnsupportedError
from matcalc.expression.operator import Lowering, Spelling

TARGETS = ("torch",)


@dataclass(frozen=True)
class Target:
    """How one library is spelled.

    Attributes:
        name: what a user calls it.
        imports: the first word of a dotted name in a text to the import that it needs.
        templates: a term's operation to its template, or to a function of its parameters that gives one.
        like: the keywords that make an array like the array ``{0}``; ``like_nothing`` where there is none.
        helpers: private functions, by their names, put into a module that mentions them.
        spelling: which spelling of an operator's record is meant.
    """

    name: str
    imports: Mapping[str, str]
    templates: Mapping[str, str | Callable[..., str]]
    like: str
    like_nothing: str
    spelling: Callable[[Lowering], Spelling | None]
    helpers: Mapping[str, str] = field(default_factory=dict)


def target_named(name: str) -> Target:
    """The target called ``name``.

    Raises:
        UnsupportedError: when there is none.
    """
    if name not in TARGETS:
        raise UnsupportedError(f"there is no target {name!r}; there is {', '.join(TARGETS)}")
    target = importlib.import_module(f"{__name__}.{name}").TARGET
    assert isinstance(target, Target)
    return target
