"""Pages into files: in full or not at all, and never over a file that is there unless asked to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matcalc.errors import ParseError
from matcalc.pages.content import Page
from matcalc.pages.notebook import notebook
from matcalc.pages.pdf import pdf
from matcalc.pages.render import html, latex, markdown, text

FORMATS: Mapping[str, Callable[[Sequence[Page], str], str | bytes]] = {
    "html": html,
    "markdown": markdown,
    "latex": latex,
    "notebook": notebook,
    "pdf": pdf,
    "text": text,
}


def rendered(pages: Sequence[Page], form: str, title: str = "") -> bytes:
    """The document in a format.

    Raises:
        ParseError: for a format that is none.
    """
    if form not in FORMATS:
        raise ParseError(f"no format {form!r}", why=f"the formats are {', '.join(FORMATS)}")
    made = FORMATS[form](pages, title)
    return made if isinstance(made, bytes) else made.encode()


def write(path: Path, content: bytes, *, force: bool = False) -> None:
    """Puts ``content`` at ``path`` in one move.

    Raises:
        ParseError: where a file is there already and ``force`` is not given, and where the folder cannot be written.
    """
    if path.exists() and not force:
        raise ParseError(f"{str(path)!r} is there already", suggestion="--force writes over it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise ParseError(f"cannot write {str(path)!r}: {error.strerror}") from error
