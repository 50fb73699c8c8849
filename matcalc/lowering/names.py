"""Names in emitted text: identifiers from a whitelist, clear of what the text itself uses."""

from __future__ import annotations

import builtins
import keyword
import re

from matcalc.errors import UnsupportedError
from matcalc.expression.operator import TABLE

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GREEK = re.findall(
    r"\w+",
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau "
    "upsilon phi chi psi omega",
)
_SMALL = "αβγδεζηθικλμνξοπρστυφχψω"
_CAPITAL = _SMALL.upper()
_LATIN = str.maketrans(
    {
        **dict(zip(_SMALL, _GREEK, strict=True)),
        **dict(zip(_CAPITAL, map(str.capitalize, _GREEK), strict=True)),
        "ϕ": "phi",
        "ϵ": "epsilon",
        "ϑ": "theta",
    }
)
_LIBRARIES = frozenset({"torch", "np", "numpy", "jax", "jnp", "math", "scipy"})
_HELPERS = frozenset({"_arrays", "_solve", "_solve_triangular", "_cholesky_solve"})
_RESERVED = _LIBRARIES | _HELPERS


def latin(name: str) -> str:
    """``name`` with Greek letters spelled out.

    >>> latin("λ")
    'lambda'
    """
    return name.translate(_LATIN)


def _private_functions() -> set[str]:
    """The functions that a record may put into a module."""
    texts = (texts for operator in TABLE.values() for texts in operator.lowers.helpers.values())
    return {name for each in texts for name in each}


class Names:
    """Hands out names, each once."""

    def __init__(self) -> None:
        self._taken = _private_functions()
        self._count = 0

    def own(self, name: str) -> str:
        """``name`` where it is free, with underscores behind it where it is not.

        Raises:
            UnsupportedError: for what is not an identifier.
        """
        made = latin(name)
        if not _IDENTIFIER.fullmatch(made):
            raise UnsupportedError(f"{name!r} cannot be a name in code")
        while self._is_taken(made):
            made += "_"
        self._taken.add(made)
        return made

    def _is_taken(self, name: str) -> bool:
        return name in self._taken or name in _RESERVED or keyword.iskeyword(name) or hasattr(builtins, name)

    def temporary(self) -> str:
        """The next of ``t1, t2, …`` that is free."""
        while True:
            self._count += 1
            name = f"t{self._count}"
            if not self._is_taken(name):
                self._taken.add(name)
                return name
