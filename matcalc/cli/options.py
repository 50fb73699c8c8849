"""What the options of a command amount to."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.checking.devices import refuse_unknown
from matcalc.checking.witnesses import chosen
from matcalc.cli import clock
from matcalc.errors import ParseError
from matcalc.limits import Limits

if TYPE_CHECKING:
    from matcalc.parsed import Expression

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
    def read(
        text: str, let: list[str] | None, limit: list[str] | None, form: str = "text", layout: str = "numerator"
    ) -> Asked:
        """The options, read; the time for the derivation runs from here.

        Raises:
            ParseError: for a format, a layout, a declaration or a limit that is none.
        """
        from matcalc.jacobian_record import LAYOUTS
        from matcalc.parsed import let_from

        one_of("format", form, _FORMATS)
        one_of("layout", layout, LAYOUTS)
        limits = Limits.parse(limit or [])
        clock.allow(limits, "derivation_seconds")
        return Asked(read_text(text), let_from(let or ()), limits, form)

    def expression(self) -> Expression:
        """The expression itself."""
        from matcalc.parsed import parse

        return parse(self.text, self.let or None, self.limits)


def read_text(text: str) -> str:
    """An argument, standard input for ``-``, a file's text for ``@FILE``.

    Raises:
        ParseError: for input that cannot be read.
    """
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


def one_of(what: str, given: str, known: tuple[str, ...]) -> None:
    """Refuses what is not known.

    Raises:
        ParseError: with what is.
    """
    if given not in known:
        raise ParseError(f"no {what} {given!r}", why=f"the {what}s are {', '.join(known)}")


def check_options(
    trials: int,
    seed: int,
    device: list[str] | None,
    dtype: list[str] | None,
    sizes: str | None,
    witness: list[str] | None = None,
    at: str | None = None,
    edges: bool = False,
) -> dict[str, Any]:
    """The options of :func:`matcalc.check` from those of the command line.

    Raises:
        ParseError: for a dtype, a size, a witness or a point that is none.
        DeviceError: for a device that is none.
    """
    for each in dtype or ():
        one_of("dtype", each, _DTYPES)
    for each in device or ():
        refuse_unknown(each)
    return {
        "trials": trials,
        "seed": seed,
        "devices": tuple(device or ("cpu",)),
        "dtypes": tuple(dtype or _DTYPES),
        "sizes": sizes_from(sizes),
        "witnesses": None if witness is None else chosen(witness),
        "at": points_from(at),
        "edges": edges,
    }


def points_from(path: str | None) -> tuple[dict[str, Any], ...]:
    """The points in a JSON file: an object from names to values, or a list of such.

    Raises:
        ParseError: for a file that cannot be read or holds something else.
    """
    if path is None:
        return ()
    try:
        held = json.loads(read_text(f"@{path}"))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ParseError(f"{path!r} is no JSON: {error}", suggestion='{"x": [1, 2, 3]}') from error
    points = held if isinstance(held, list) else [held]
    if not all(isinstance(point, dict) for point in points):
        raise ParseError(
            f"{path!r} holds no point", why='a point is {"x": [1, 2, 3]}, names to values, or a list of such'
        )
    return tuple(points)
