"""PDF from the LaTeX file, or from the HTML page where no LaTeX is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from matcalc.errors import DeviceError
from matcalc.pages.content import Page
from matcalc.pages.render import html, latex

_LATEX = ("pdflatex", "lualatex", "xelatex")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SECONDS = 120
_EPOCH = "0"  # the same bytes whenever it is made


def pdf(pages: Sequence[Page], title: str = "") -> bytes:
    """The document as PDF.

    Raises:
        DeviceError: where neither LaTeX nor a browser is installed, or neither makes a file.
    """
    maker = next((found for name in _LATEX if (found := shutil.which(name))), None)
    if maker is not None:
        return _by_latex(maker, latex(pages, title))
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is not None:
        return _by_browser(browser, html(pages, title))
    raise DeviceError(
        "no program that makes PDF was found",
        why=f"looked for {', '.join((*_LATEX, *_BROWSERS))}",
        suggestion="--format latex, or --format html and print it from a browser",
    )


def _by_latex(maker: str, source: str) -> bytes:
    """Without shell escape, so that nothing in the file can start a program."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "page.tex").write_text(source, encoding="utf-8")
        command = [maker, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
        _run(command, place)
        return _made(place)


def _by_browser(browser: str, source: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "page.html").write_text(source, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={place / 'profile'}", "--no-pdf-header-footer", f"--print-to-pdf={place / 'page.pdf'}",
            (place / "page.html").as_uri(),
        ]  # fmt: skip
        _run(command, place)
        return _made(place)


def _run(command: Sequence[str], place: Path) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH, "FORCE_SOURCE_DATE": "1"}
    try:
        subprocess.run(  # noqa: S603  # a program found on the path, with arguments of our own
            list(command), cwd=place, env=environment, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceError(f"{Path(command[0]).name} did not finish: {error}") from error


def _made(place: Path) -> bytes:
    made = place / "page.pdf"
    if made.is_file():
        return made.read_bytes()
    log = place / "page.log"
    said = log.read_text(errors="replace") if log.is_file() else ""
    first = next((line for line in said.splitlines() if line.startswith("!")), "no file was made")
    raise DeviceError(f"the PDF could not be made: {first}")
