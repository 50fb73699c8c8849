"""A page as HTML, Markdown, LaTeX, plain text.

What a user typed enters a page only through an escape: HTML by autoescaping, LaTeX and Markdown through ``plain``. The
mathematics comes from our own printers, which check names before they write them.
"""

from __future__ import annotations

import base64
import re
import textwrap
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from matcalc.documents.derivation.words import SIGNS
from matcalc.documents.graph import Graph
from matcalc.documents.mathml import mathml
from matcalc.pages.content import Page
from matcalc.version import __version__

_TEX = {
    **SIGNS,
    "×": r"$\times$", "'": r"\textquotesingle{}", "∂": r"$\partial$", "⟨": r"$\langle$", "⟩": r"$\rangle$",
    "²": r"\textsuperscript{2}", "−": r"$-$", "…": r"\ldots{}",
}  # fmt: skip
_VERBATIM = {"×": "x", "∇": "grad", "−": "-", "²": "^2", "·": "*"}
_WIDEST = 92
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&])")


def html(pages: Sequence[Page], title: str = "") -> str:
    """One self-contained page: no network and no script is needed to read it."""
    template = _environment("html").get_template("page.html.j2")
    return str(template.render(pages=pages, title=title or pages[0].title, version=__version__))


def markdown(pages: Sequence[Page], title: str = "") -> str:
    """Markdown with LaTeX between dollars and the graph in Mermaid."""
    return str(_environment("md").get_template("page.md.j2").render(pages=pages, title=title))


def latex(pages: Sequence[Page], title: str = "") -> str:
    """A file that pdflatex compiles."""
    return str(_environment("tex").get_template("page.tex.j2").render(pages=pages, title=title))


def text(pages: Sequence[Page], title: str = "") -> str:
    """Plain text for a terminal; a document of several pages needs no title there.

    >>> from matcalc.pages.content import page_of
    >>> from matcalc.parsed import parse
    >>> print(text([page_of(parse("x'*x"), ["x"])]).splitlines()[0])
    The gradient of x.T*x by x
    """
    return "\n\n".join(_as_text(page) for page in pages) + "\n"


def _as_text(page: Page) -> str:
    lines = [page.title, "=" * len(page.title), ""]
    lines += [page.origin, ""] if page.origin else []
    lines += [f"  f = {page.statement.text}", ""]
    for k, each in enumerate(page.names):
        word = "where" if k == 0 else "     "
        lines.append(f"{word} {each.name.text}: {each.declaration}" + ("   inferred" if each.inferred else ""))
    lines += ["", "Result", "------", "", f"  {page.result.text}", ""]
    lines += [f"  {page.entries.text}", ""] if page.entries else []
    lines += [*page.remarks, ""] if page.remarks else []
    if page.other_layout:
        lines += [f"In denominator layout: {page.other_layout.text}", ""]
    if page.claim:
        lines += [f"Claim: {page.claim.text}", ""]
    lines += ["Check", "-----", "", *(f"  {line}" for line in page.check_lines), ""]
    if page.counterexample:
        lines += ["Counterexample", "--------------", "", *(f"  {row}" for row in page.counterexample.splitlines()), ""]
    if page.steps:
        lines += ["Derivation", "----------", ""]
        for step in page.steps:
            source = f"   [{step.source}]" if step.source else ""
            rows = [f"    {row}" for row in step.formula.text.splitlines()]
            lines += [f"({step.number}) {step.because}{source}", *rows, ""]
    lines += ["Computation graph", "-----------------", ""]
    lines += [f"  {vertex.label}" for vertex in page.graph.vertices if vertex.text]
    for target, code in page.codes.items():
        lines += ["", f"Code for {target}", "-" * len(f"Code for {target}"), "", code.rstrip()]
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------ escapes


def in_tex(value: str) -> str:
    r"""Plain text in LaTeX.

    >>> print(in_tex("a_1 & {b}"))
    a\_1 \& \{b\}
    """
    return "".join(_TEX.get(c, c if c.isascii() and c.isprintable() else "?") for c in value)


def in_verbatim(value: str) -> str:
    r"""Code between the lines of a Verbatim: ASCII, in lines that a page holds, and never the line that ends it.

    >>> print(in_verbatim("# m×n, and \\end{Verbatim}"))
    # mxn, and \end {Verbatim}
    """
    value = "\n".join(row for line in value.splitlines() for row in _folded(line))
    plain = "".join(_VERBATIM.get(c, c if c.isascii() else "?") for c in value.rstrip())
    return plain.replace("\\end{", "\\end {")


def _folded(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, _WIDEST, subsequent_indent=indent, drop_whitespace=False, break_on_hyphens=False) or [""]


def in_markdown(value: str) -> str:
    r"""Plain text in Markdown.

    >>> print(in_markdown("x.T*A*x <b>"))
    x.T\*A\*x \<b\>
    """
    return _MARKDOWN.sub(r"\\\1", value.replace("\n", " "))


def fenced(value: str, language: str) -> str:
    """A code block that its content cannot end.

    >>> print(fenced("x", "text"))
    ```text
    x
    ```
    """
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{value.rstrip()}\n{fence}"


def embedded(svg: bytes) -> str:
    """A picture as an address that holds it.

    >>> embedded(b"<svg/>")
    'data:image/svg+xml;base64,PHN2Zy8+'
    """
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


@lru_cache
def _environment(kind: str) -> Any:
    """Templates with the marks and the escapes of a format."""
    import jinja2
    from markupsafe import Markup

    loader = jinja2.PackageLoader("matcalc.pages", "templates")
    common: dict[str, Any] = {"loader": loader, "undefined": jinja2.StrictUndefined, "keep_trailing_newline": True}
    if kind == "html":
        made = jinja2.Environment(autoescape=True, trim_blocks=True, **common)

        def math(latex: str) -> Markup:
            return Markup(mathml(latex, display=True))  # noqa: S704  # our own printer escapes what it is given

        def inline(latex: str) -> Markup:
            return Markup(mathml(latex))  # noqa: S704  # as above

        def picture(graph: Graph) -> Markup:
            return Markup(graph.svg())  # noqa: S704  # the picture escapes its labels

        made.globals.update(math=math, inline=inline, picture=picture, embedded=embedded)
        return made
    marks: dict[str, Any] = {} if kind == "md" else {
        "block_start_string": "<%", "block_end_string": "%>", "variable_start_string": "<<",
        "variable_end_string": ">>", "comment_start_string": "<#", "comment_end_string": "#>",
    }  # fmt: skip
    tight: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True}
    made = jinja2.Environment(**tight, **marks, **common)  # noqa: S701  # no markup: every value has its own escape
    made.globals.update(plain=in_markdown if kind == "md" else in_tex, verbatim=in_verbatim, fenced=fenced)
    return made
