"""``matcalc doc``: a derivation as a document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from matcalc.cli import clock
from matcalc.cli.options import Asked, check_options, read_text

Form = Annotated[str, typer.Option("--format", help="html, markdown, latex, notebook, pdf or text.")]
Out = Annotated[str, typer.Option("--out", help="The file; without it, standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
Detail = Annotated[str, typer.Option(help="How much of the derivation: brief, normal or every-step.")]
Claim = Annotated[str, typer.Option("--claim", help="A derivative of yours, to be checked in the document.")]


def show_document(
    text: str, wrt: list[str], kind: str, claim: str, form: str, out: str, force: bool, detail: str, title: str,
    let: list[str] | None, sizes: str | None, trials: int, seed: int, limit: list[str] | None, unconstrained: bool,
) -> int:  # fmt: skip
    """Writes a document and returns the exit code of its check."""
    from matcalc.pages.content import page_of
    from matcalc.pages.write import rendered, write

    asked = Asked.read(text, let, limit)
    options = check_options(trials, seed, None, None, sizes)
    expression = asked.expression()
    clock.allow(asked.limits, "seconds")
    page = page_of(
        expression, wrt, kind,
        claim=read_text(claim) if claim else None, detail=detail, title=title, unconstrained=unconstrained, **options,
    )  # fmt: skip
    clock.stop()
    made = rendered([page], form)
    if out:
        write(Path(out), made, force=force)
        print(f"{out}: {page.verdict}", file=sys.stderr)
    else:
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    return page.report.exit_code
