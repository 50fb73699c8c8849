"""The targets: each says how terms are spelled, and decides nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matcalc.errors import UnsupportedError
from matcalc.expression.operator import Lowering, Spelling

if TYPE_CHECKING:
    from matcalc.lowering.terms import Term

TARGETS = ("torch", "numpy", "jax")


@dataclass(frozen=True)
class Target:
    """How one library is spelled.

    Attributes:
        name: what a user calls it.
        imports: the first word of a dotted name in a text to the import that it needs.
        templates: a term's operation to its template, or to a function of the term that gives one. A solve or a
            factorization that is not here is said by those that are, see :mod:`matcalc.lowering.solves`.
        like: the keywords that make an array like the array ``{0}``; ``like_nothing`` where there is none.
        spelling: which spelling of an operator's record is meant.
        helpers: private functions, by their names, put into a module that mentions them.
        entry: the helper that makes the inputs arrays of one type; where there is none, they are.
        einsum, moveaxis, eye: the functions that contract, move axes to other places, and make an identity.
        solves_right: whether a solve can have its matrix on the right, as in X A = B.
        guesses_vectors: whether a solve takes a right side with one axis less, and of fitting shape, for vectors.
        scalar_endings: how the spelling of a scalar may end in giving it two axes, and what it ends in without; empty
            for a target that has no words for programs without leading axes.
        note: what a reader of the module has to know, for its docstring.
    """

    name: str
    imports: Mapping[str, str]
    templates: Mapping[str, str | Callable[[Term], str]]
    like: str
    like_nothing: str
    spelling: Callable[[Lowering], Spelling | None]
    helpers: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    moveaxis: str = ""
    eye: str = ""
    einsum: str = ""
    solves_right: bool = False
    guesses_vectors: bool = False
    scalar_endings: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def target_named(name: str) -> Target:
    """The target called ``name``.

    Raises:
        UnsupportedError: when there is none.
    """
    if name not in TARGETS:
        raise UnsupportedError(f"there is no target {name!r}", why=f"the targets are {', '.join(TARGETS)}")
    target = importlib.import_module(f"{__name__}.{name}").TARGET
    assert isinstance(target, Target)
    return target
