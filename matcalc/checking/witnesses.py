"""The witnesses of a check: all of them, with what each is, in one table.

Each is heard by its own function, which loads what it needs when it is called: this module loads nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matcalc.checking.testimony import Testimony
from matcalc.errors import ParseError

if TYPE_CHECKING:
    from matcalc.checking.evidence import Evidence

ALL = "all"


@dataclass(frozen=True)
class Witness:
    """A witness.

    Attributes:
        name: what ``--witness`` takes.
        called: how reports speak of it.
        says: what it is, in one sentence.
        kin: what it shares with others: witnesses with the same word here count as one where they are outvoted; ""
            for one that is heard and never counts.
        quick: whether it is heard unless others are chosen.
        where: the module and function that hear it.
    """

    name: str
    called: str
    says: str
    kin: str
    quick: bool
    where: str

    def hear(self, evidence: Evidence) -> Testimony:
        """What it says."""
        module, _, function = self.where.partition(":")
        heard: Testimony = getattr(importlib.import_module(module), function)(evidence)
        return heard


WITNESSES: dict[str, Witness] = {
    each.name: each
    for each in (
        Witness(
            "autograd", "torch autograd",
            "torch's reverse mode on the literal lowering of the expression; always heard.",
            "torch", True, "matcalc.checking.torch_witnesses:autograd_testimony",
        ),
        Witness(
            "forward", "torch forward mode",
            "torch's forward mode, dual numbers, on the same code along random directions.",
            "torch", True, "matcalc.checking.torch_witnesses:forward_testimony",
        ),
        Witness(
            "differences", "differences",
            "extrapolated differences of the lowered values in float64, and complex steps where the code is analytic.",
            "values", False, "matcalc.checking.float_differences:differences_testimony",
        ),
        Witness(
            "precise", "the 90-digit arithmetic",
            "differences in 90 digits and more through reference arithmetic, not through the lowering; always heard.",
            "reference", True, "matcalc.checking.judging:precise_testimony",
        ),
        Witness(
            "exact", "exact arithmetic",
            "dual numbers over random prime fields, with a bound on the chance that a false claim passes.",
            "exact", True, "matcalc.checking.exact:heard",
        ),
        Witness(
            "sympy", "SymPy",
            "SymPy's own values of expression and claim on explicit matrices in 60 digits, differenced.",
            "sympy", False, "matcalc.checking.sympy_witnesses:sympy_testimony",
        ),
        Witness(
            "sympy-diff", "SymPy's diff",
            "SymPy's own derivative, which is often wrong for matrices: reported, and never counted.",
            "", False, "matcalc.checking.sympy_witnesses:diff_testimony",
        ),
    )
}  # fmt: skip
"""By name, in the order in which they are heard."""

ALWAYS = ("autograd", "precise")
ARBITERS = ("differences", "sympy")
"""Who is asked as well where those who were chosen contradict one another, until that settles it."""


def quick() -> tuple[str, ...]:
    """The names of those that are heard unless others are chosen.

    >>> "precise" in quick(), "sympy" in quick()
    (True, False)
    """
    return tuple(each.name for each in WITNESSES.values() if each.quick)


def in_words() -> str:
    """All of them for ``--help``."""
    listed = " ".join(f"{each.name}: {each.says}" for each in WITNESSES.values())
    return f"Whom to hear, instead of {', '.join(quick())}; {ALL} for all; repeatable. {listed}"


def chosen(names: Iterable[str] | None) -> tuple[str, ...]:
    """The witnesses to hear, in order: the quick ones for None; those named, and those that always are.

    Raises:
        ParseError: for a name that no witness has.

    >>> chosen(["sympy"])
    ('autograd', 'precise', 'sympy')
    """
    if names is None:
        return quick()
    asked = [names] if isinstance(names, str) else list(names)
    for name in asked:
        if name not in WITNESSES and name != ALL:
            raise ParseError(
                f"there is no witness {str(name)!r}", why=f"the witnesses are {', '.join(WITNESSES)}, or {ALL}"
            )
    return tuple(name for name in WITNESSES if name in asked or name in ALWAYS or ALL in asked)
