"""``matcalc plot``: pictures of a derivative."""

from __future__ import annotations

import sys
from pathlib import Path

from matcalc.cli import clock
from matcalc.cli.options import Asked, one_of, sizes_from
from matcalc.errors import ParseError

_PICTURES = ("structure", "errors")


def plot_into(
    picture: str, text: str, wrt: list[str], kind: str, out: str, force: bool,
    let: list[str] | None, sizes: str | None, seed: int, limit: list[str] | None, unconstrained: bool,
) -> int:  # fmt: skip
    """Writes a picture and returns 0.

    Raises:
        ParseError: for a picture that is none, and sizes where every size is tried.
        MatcalcError: for what cannot be derived or drawn.
    """
    from matcalc import plots
    from matcalc.jacobians import tensor
    from matcalc.pages.write import write

    one_of("picture", picture, _PICTURES)
    if picture == "errors" and sizes:
        raise ParseError("the errors are drawn at every size from 2 up; --sizes is for the structure")
    form = plots.form_of(Path(out))
    asked = Asked.read(text, let, limit)
    derived = tensor(asked.expression(), wrt, kind, unconstrained=unconstrained)
    clock.allow(asked.limits, "seconds")
    if picture == "structure":
        figure = plots.structure(derived, seed=seed, sizes=sizes_from(sizes))
    else:
        figure = plots.errors(derived, seed=seed)
    write(Path(out), plots.drawn(figure, form), force=force)
    clock.stop()
    print(f"{out}: {picture} of {derived.pretty()}", file=sys.stderr)
    return 0
