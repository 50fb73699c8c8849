"""Formulas by matcalc's own MathML printer, so that the site needs neither script nor network."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from matcalc.documents.mathml import mathml
from matcalc.errors import MatcalcError


def _shown(node: Any, display: bool) -> str:
    try:
        return mathml(node.astext(), display=display)
    except MatcalcError as error:
        raise ExtensionError(f"{node.astext()[:60]}: {error.message}") from error


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_shown(node, display=False))
    raise nodes.SkipNode


def _display(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_shown(node, display=True)}</div>')
    raise nodes.SkipNode


class MatcalcLexer(TextLexer):
    """The language of expressions, without colours."""

    name = "matcalc"
    aliases = ["matcalc"]  # noqa: RUF012  # as Pygments declares it


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the renderer and the lexers."""
    app.add_html_math_renderer("matcalc", (_inline, None), (_display, None))
    app.add_lexer("matcalc", MatcalcLexer)
    app.add_lexer("mermaid", MatcalcLexer)
    app.add_css_file("formulas.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
