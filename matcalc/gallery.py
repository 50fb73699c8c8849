"""The gallery: published derivatives, derived, checked and set side by side with their sources.

``python -m matcalc.gallery`` in a checkout reads ``examples/gallery.matcalc.toml`` and writes ``docs/gallery.md``. A
claim that is not verified stops it, so a false one cannot be printed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from matcalc.derivative import Derivative
from matcalc.errors import CheckError, MatcalcError
from matcalc.jacobians import tensor
from matcalc.pages.render import in_markdown
from matcalc.parsed import parse
from matcalc.suites.run import run_case
from matcalc.suites.spec import Case, read_suite

CHECKOUT = Path(__file__).resolve().parent.parent
CASES = CHECKOUT / "examples" / "gallery.matcalc.toml"
PAGE = CHECKOUT / "docs" / "gallery.md"
_WORK = re.compile(r"(?P<work>.*?\b(?:1[89]|20)\d\d(?:, [^,(]*)?)(?:, (?P<place>.*))?")


def gallery(cases: Sequence[Case]) -> str:
    """The page, in Markdown with LaTeX.

    Raises:
        CheckError: for a claim that is not verified, with its line.
    """
    entries = [(case, _derived(case)) for case in cases]
    lines = [
        "# Gallery",
        "",
        f"{len(cases)} published derivatives. Each was derived by matcalc when this page was made; the formula of the "
        "source, typed apart from it, was verified against the function by the witnesses that "
        "[How matcalc decides](decisions.md) describes. Names are as inferred or declared in "
        "`examples/gallery.matcalc.toml`, which `matcalc suite` checks again.",
        "",
    ]
    for work, group in groupby(entries, key=lambda entry: _parts(entry[0].source)[0]):
        lines += [f"## {in_markdown(work)}", ""]
        for case, derived in group:
            lines += _entry(case, derived)
    return "\n".join(lines).rstrip() + "\n"


def _derived(case: Case) -> Derivative:
    outcome = run_case(case)
    if outcome.verdict != "verified":
        said = outcome.diagnosis or outcome.reason
        raise CheckError(f"{case.file}:{case.line}: {case.expr} by {case.wrt[0]}: {outcome.verdict}: {said}")
    return tensor(parse(case.expr, dict(case.let) or None), case.wrt, case.kind)


def _parts(source: str) -> tuple[str, str]:
    found = _WORK.fullmatch(source)
    return (found["work"], found["place"] or "") if found else (source, "")


def _entry(case: Case, derived: Derivative) -> list[str]:
    f = derived.whole if hasattr(derived, "whole") else derived.expression
    sign = {"grad": r"\nabla", "jacobian": r"\mathrm{D}", "hessian": r"\nabla^{2}"}[case.kind]
    place = _parts(case.source)[1]
    declared = ", ".join(f"`{name}: {kind}`" for name, kind in case.let.items())
    notes = "; ".join(part for part in (in_markdown(place), declared) if part)
    name = parse(case.wrt[0]).latex()
    return [
        "$$",
        rf"{sign}_{{{name}}} \left[ {f.latex()} \right] = {derived.latex()}",
        "$$",
        "",
        f"`{f.pretty()}` → `{derived.pretty()}`" + (f"  \n{notes}" if notes else ""),
        "",
    ]


def main() -> int:
    """Writes the page; 1 where a claim is not verified."""
    try:
        page = gallery(read_suite(CASES))
    except MatcalcError as error:
        print(error.message, file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
