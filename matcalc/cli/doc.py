"""``matcalc doc``: a derivation, or all that files claim, as a document."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcalc.cli import clock
from matcalc.cli.options import Asked, check_options, read_text
from matcalc.errors import ParseError
from matcalc.limits import Limits

if TYPE_CHECKING:
    from matcalc.pages.content import Page

Form = Annotated[
    str, typer.Option("--format", help="html, markdown, latex, notebook, pdf or text; else by the file's name.")
]
Out = Annotated[str, typer.Option("--out", help="The file; without it, standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
Detail = Annotated[str, typer.Option(help="How much of the derivation: brief, normal or every-step.")]
Pictures = Annotated[bool, typer.Option("--pictures", help="With matplotlib's, in html and notebooks.")]
Claim = Annotated[str, typer.Option("--claim", help="A derivative of yours, to be checked in the document.")]


_SUFFIXES = {".html": "html", ".md": "markdown", ".tex": "latex", ".ipynb": "notebook", ".pdf": "pdf"}


def form_of(form: str, out: str) -> str:
    """The format that was asked for, or that the file's name tells.

    >>> form_of("", "notes.html"), form_of("", ""), form_of("latex", "notes.txt")
    ('html', 'text', 'latex')
    """
    return form or _SUFFIXES.get(Path(out).suffix.lower(), "text")


@dataclass(frozen=True)
class Written:
    """What is made, and where it goes."""

    form: str
    out: str
    force: bool
    detail: str
    title: str
    pictures: bool

    def put(self, pages: Sequence[Page]) -> None:
        """Writes the document, and says what became of it where it goes into a file."""
        from matcalc.pages.write import rendered, write

        made = rendered(pages, self.form, self.title)
        if self.out:
            write(Path(self.out), made, force=self.force)
            counts = Counter(page.verdict for page in pages)
            words = pages[0].verdict if len(pages) == 1 else ", ".join(f"{n} {word}" for word, n in counts.items())
            print(f"{self.out}: {words}", file=sys.stderr)
        else:
            sys.stdout.buffer.write(made)
            sys.stdout.buffer.flush()


def refuse_beside_a_path(
    claim: str, kind: str, let: list[str] | None, sizes: str | None, unconstrained: bool
) -> None:  # fmt: skip
    """Refuses what is asked of an expression where there is no ``--wrt``.

    Raises:
        ParseError: for any of these options.
    """
    given = {
        "--claim": claim,
        "--kind": kind != "grad",
        "--let": let,
        "--sizes": sizes,
        "--unconstrained": unconstrained,
    }
    named = [option for option, value in given.items() if value]
    if named:
        raise ParseError(f"{named[0]} is about an expression, and needs --wrt", suggestion="--wrt x")


def show_document_of_files(path: str, written: Written, trials: int | None, seed: int | None) -> int:
    """Writes a document of all that a file or folder claims, and returns the exit code.

    Raises:
        ParseError: where nothing is claimed there.
    """
    from matcalc.compendium import exit_code, pages_in

    given = {"trials": trials, "seed": seed}
    options = {name: value for name, value in given.items() if value is not None}
    if not Path(path).exists():
        raise ParseError(
            f"there is no file {path!r}",
            why="without --wrt a document is about a suite, a document with statements, or a folder",
            suggestion=f"matcalc doc {path!r} --wrt NAME, for an expression",
        )
    pages = []
    clock.allow(Limits(), "seconds")
    for page in pages_in(Path(path), detail=written.detail, pictures=written.pictures, **options):
        pages.append(page)
        clock.allow(Limits(), "seconds")
    clock.stop()
    replace(written, title=written.title or f"The derivatives of {Path(path).name}").put(pages)
    return exit_code(pages)


def show_document(
    text: str, wrt: list[str], kind: str, claim: str, written: Written,
    let: list[str] | None, sizes: str | None, trials: int, seed: int, limit: list[str] | None, unconstrained: bool,
) -> int:  # fmt: skip
    """Writes a document about one derivative and returns the exit code of its check.

    Raises:
        MatcalcError: for what cannot be derived or written.
    """
    from matcalc.pages.content import page_of

    asked = Asked.read(text, let, limit)
    options = check_options(trials, seed, None, None, sizes)
    expression = asked.expression()
    clock.allow(asked.limits, "seconds")
    page = page_of(
        expression, wrt, kind, claim=read_text(claim) if claim else None, detail=written.detail, title=written.title,
        pictures=written.pictures,
        unconstrained=unconstrained, **options,
    )  # fmt: skip
    clock.stop()
    written.put([page])
    return page.report.exit_code
