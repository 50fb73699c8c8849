"""``matcalc derive``: the steps of a derivation, numbered, as text, LaTeX, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcalc.cli import clock
from matcalc.cli.options import Asked

if TYPE_CHECKING:
    from matcalc.derivative import Derivative

Detail = Annotated[str, typer.Option(help="brief, normal or every-step.")]
_PRINTED: dict[str, Callable[[Any], str]] = {
    "text": lambda found: found.text(),
    "latex": lambda found: found.latex(),
    "markdown": lambda found: found.markdown(),
    "json": lambda found: json.dumps(found.to_dict(), ensure_ascii=False, indent=2) + "\n",
}


def shown(asked: Asked, names: list[str], kind: str, direction: str, detail: str, unconstrained: bool) -> str:
    """The derivation as it is printed.

    Raises:
        ParseError: for a kind, a detail or a format that is none.
        CheckError: for a line that is false.
    """
    from matcalc.errors import ParseError

    if asked.form not in _PRINTED:
        raise ParseError(f"no format {asked.form!r} for a derivation", why=f"the formats are {', '.join(_PRINTED)}")
    found = _derivative(asked, names, kind, direction, unconstrained)
    clock.allow(asked.limits, "seconds")
    return _PRINTED[asked.form](found.derivation(detail))


def _derivative(asked: Asked, names: list[str], kind: str, direction: str, unconstrained: bool) -> Derivative:
    from matcalc.directional_derivatives import DIRECTED, directed
    from matcalc.errors import ParseError
    from matcalc.jacobians import tensor

    if kind not in DIRECTED:
        return tensor(asked.expression(), names, kind, unconstrained=unconstrained)
    if len(names) != 1 or not direction:
        raise ParseError(f"a {kind} is by one name, in a direction", suggestion="--direction v")
    return directed(asked.expression(), names[0], kind, direction, unconstrained=unconstrained)
