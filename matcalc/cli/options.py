"""What the options of a command amount to."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.errors import ParseError
from matcalc.limits import Limits

if TYPE_CHECKING:
    from matcalc.derivative import Expression

_FORMATS = ("text", "json", "latex", "markdown")
_MOST_READ = 2**20
_DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Asked:
    """An expression as asked for on the command line."""

    text: str
    let: dict[str, str]
    limits: Limits
    form: str

    @staticmethod
    def read(text: str, let: list[str] | None, limit: list[str] | None, form: str) -> Asked:
        """The options, read.

        Raises:
            ParseError: for a format, a declaration or a limit that is none.
        """
        from matcalc.derivative import let_from

        if form not in _FORMATS:
            raise ParseError(f"no format {form!r}", why=f"the formats are {', '.join(_FORMATS)}")
        return Asked(read_text(text), let_from(let or ()), Limits.parse(limit or []), form)

    def expression(self) -> Expression:
        """The expression itself."""
        from matcalc.derivative import parse

        return parse(self.text, self.let or None, self.limits)


def read_text(text: str) -> str:
    """An argument, standard input for ``-``, a file's text for ``@FILE``."""
    if text == "-":
        if sys.stdin is None:
            raise ParseError("there is no standard input to read")
        return sys.stdin.read(_MOST_READ)
    if text.startswith("@"):
        try:
            with Path(text[1:]).open(encoding="utf-8") as file:
                return file.read(_MOST_READ)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise ParseError(f"cannot read {text[1:]!r}: {getattr(error, 'strerror', None) or error}") from error
    return text


def sizes_from(text: str | None) -> dict[str, int]:
    """``n=5,m=3`` as a mapping.

    Raises:
        ParseError: for anything else.

    >>> sizes_from("n=5,m=3")
    {'n': 5, 'm': 3}
    """
    found: dict[str, int] = {}
    for piece in (text or "").split(","):
        name, sign, value = piece.strip().partition("=")
        if not piece.strip():
            continue
        if (
            not sign
            or not name.isidentifier()
            or not (value.isascii() and value.isdigit())
            or not 1 <= int(value[:9]) <= Limits().size
        ):
            raise ParseError(f"{piece.strip()!r} gives no size", why="sizes are written n=5,m=3, from 1 to 4096")
        found[name] = int(value)
    return found


@dataclass(frozen=True)
class CheckAsked:
    """How to check, as asked for on the command line."""

    trials: int
    seed: int
    device: list[str] | None
    dtype: list[str] | None
    sizes: str | None
    unconstrained: bool

    def options(self) -> dict[str, Any]:
        """The options of :func:`matcalc.check`.

        Raises:
            ParseError: for a dtype that is none.
        """
        dtypes = tuple(self.dtype or _DTYPES)
        unknown = [d for d in dtypes if d not in _DTYPES]
        if unknown:
            raise ParseError(f"no dtype {unknown[0]!r}", why=f"the dtypes are {', '.join(_DTYPES)}")
        return {
            "trials": self.trials,
            "seed": self.seed,
            "devices": tuple(self.device or ("cpu",)),
            "dtypes": dtypes,
            "sizes": sizes_from(self.sizes),
            "unconstrained": self.unconstrained,
        }
