"""The commands and the code in the documentation, run.

``python tests/documentation/snippets.py`` writes what the commands print into the pages; the tests compare. In a block
called ``console`` a line that starts with ``$`` is a command, what follows is what it prints; a line ``…`` stands for
any lines. A block called ``python`` with prompts is a doctest, one without is run; the blocks of a page share names.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The examples of functions.md are made and run with the records, in tests/handbook.
PAGES = [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").glob("*.md")) if p.name != "functions.md")]
_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A line of a console block and what is printed under it."""

    line: str
    printed: str


def blocks(text: str, language: str) -> Iterator[re.Match[str]]:
    """The fenced blocks of a language."""
    return (found for found in _FENCE.finditer(text) if found["language"] == language)


def commands(body: str) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
        if part.startswith("$ "):
            line, _, printed = part[2:].partition("\n")
            while line.endswith("\\"):
                more, _, printed = printed.partition("\n")
                line = line[:-1] + more.strip()
            found.append(Command(line, printed))
    return found


def printed_by(line: str, folder: Path) -> str:
    """What a command prints, results and messages, run in ``folder`` as if in a checkout."""
    words = shlex.split(line, comments=True)
    if words[0] == "matcalc":
        from matcalc.cli.main import run

        shown = io.StringIO()
        streams = contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown)
        with streams[0], streams[1], contextlib.chdir(folder), contextlib.suppress(SystemExit):
            run(words[1:])
        return shown.getvalue().replace("\x1b[0m", "")
    raise ValueError(f"no command {words[0]!r} is run here")


def fits(printed: str, expected: str) -> bool:
    """Whether a command printed what the page says; ``…`` is any lines, and figures of rounding are any figures."""
    pattern = re.escape(_rounded(expected.rstrip()))
    pattern = pattern.replace(re.escape("…"), r"(?:.*)")
    return re.fullmatch(pattern, _rounded(printed.rstrip()), re.DOTALL) is not None


def _rounded(text: str) -> str:
    """Errors of rounding differ from one processor to the next."""
    return re.sub(r"\b(\d\.\de-(0[6-9]|1\d)|0\.0e\+00)\b", "0.0e-00", text)


@contextlib.contextmanager
def checkout() -> Iterator[Path]:
    """A folder with examples and documentation in it, in which commands may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("examples", "docs", "README.md"):
            os.symlink(ROOT / each, folder / each)
        yield folder


def run_python(page: Path, text: str, folder: Path) -> list[str]:
    """What goes wrong in the Python of a page."""
    names: dict[str, object] = {}
    wrong: list[str] = []
    with contextlib.chdir(folder):
        for found in blocks(text, "python"):
            line = text.count("\n", 0, found.start()) + 2
            if ">>>" in found["body"]:
                test = doctest.DocTestParser().get_doctest(found["body"], names, page.name, str(page), line - 1)
                said = io.StringIO()
                flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
                runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
                runner.run(test, out=said.write, clear_globs=False)
                names.update(test.globs)
                wrong += [said.getvalue()] if runner.failures else []
            else:
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        exec(compile(found["body"], f"{page.name}:{line}", "exec"), names)  # noqa: S102  # our own pages
                except Exception as error:
                    wrong.append(f"{page.name}:{line}: {type(error).__name__}: {error}")
    return wrong


def refreshed(text: str, folder: Path) -> str:
    """A page with what its commands print now; blocks with ``…`` stay as they are."""

    def rewrite(found: re.Match[str]) -> str:
        if found["language"] != "console" or "…" in found["body"]:
            return found[0]
        shown = [(each.line, printed_by(each.line, folder).rstrip()) for each in commands(found["body"])]
        lines = [f"$ {line}\n{printed}" for line, printed in shown]
        return "```console\n" + "\n".join(line.rstrip() for line in lines) + "\n```"

    return _FENCE.sub(rewrite, text)


def main() -> None:
    """Writes what the commands print into the pages."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real stream
    for page in PAGES:
        with checkout() as folder:
            page.write_text(refreshed(page.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
