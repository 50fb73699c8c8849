"""What the spelling of a name suggests of its kind: upper case a matrix, a Greek letter a scalar, x a vector."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from matcalc.language.greek import GREEK
from matcalc.language.kinds import MATRIX, ROW, SCALAR, VECTOR, Candidate, Cost
from matcalc.language.scene import Scene

_UPPER = re.compile(r"[A-Z]")
_EARLY = re.compile(r"[a-g][0-9_]*")
_SIZED: Mapping[int, Cost] = {
    kind: (0, 0, 0, 0, 0, 0, ones) for kind, ones in ((MATRIX, 0), (VECTOR, 1), (ROW, 1), (SCALAR, 2))
}
_GREEK = re.compile(rf"(?:{'|'.join(sorted(set(GREEK.values())))})[0-9_]*")


def candidates(made: Scene) -> list[Candidate]:
    """The names whose kind the text leaves open, and what each kind would cost; then results left open by kinds."""
    names = [Candidate(value, costs(name)) for name, value in made.names.items() if name not in made.known]
    return [*names, *(Candidate(value, _SIZED) for value in made.sized)]


@cache
def costs(name: str) -> Mapping[int, Cost]:
    """What it costs to read a name as each kind: preferences first, then the ways to give them up.

    The parts are: preferences given up, vectors lost, matrices lost, upper-case scalars, lower-case
    matrices, lower-case rows, and (of results) sizes that happen to be 1.

    >>> costs("x")[VECTOR] < costs("x")[SCALAR] < costs("x")[ROW] < costs("x")[MATRIX]
    True
    """
    liked = preferred(name)
    is_upper = liked == MATRIX
    return {
        kind: (
            int(kind != liked),
            int(liked == VECTOR and kind != VECTOR),
            int(is_upper and kind != MATRIX),
            int(is_upper and kind == SCALAR),
            int(not is_upper and kind == MATRIX),
            int(not is_upper and kind == ROW),
            0,
        )
        for kind in (SCALAR, VECTOR, ROW, MATRIX)
    }


def preferred(name: str) -> int:
    """The kind that a name suggests.

    >>> [preferred(name) == SCALAR for name in ("a1", "lambda", "Sigma", "x", "alphabet", "W_e")]
    [True, True, True, False, False, False]
    """
    if _GREEK.fullmatch(name) or _EARLY.fullmatch(name):
        return SCALAR
    return MATRIX if _UPPER.match(name) else VECTOR
