"""Documents in every format: what they hold, that it cannot be anything else, and the same bytes each time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import matcalc as mc
from matcalc.cli.main import run
from matcalc.expression import build
from matcalc.expression.operator import TABLE
from matcalc.pages import render
from matcalc.pages.content import page_of
from matcalc.pages.notebook import notebook
from matcalc.pages.pdf import pdf
from matcalc.pages.write import FORMATS, rendered, write

VOID = {"meta", "br", "hr", "link", "img", "input"}
RIDGE = ("0.5*norm2(A*x - b)^2 + l*norm2(x)^2", {"b": "vector(m)"})


class Markup(HTMLParser):
    """Whether every element is closed, which elements there are, and what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(page: str) -> Markup:
    found = Markup()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


def page(text: str = RIDGE[0], wrt: str = "x", kind: str = "grad", let: dict | None = RIDGE[1], **more: object):
    return page_of(mc.parse(text, let), [wrt], kind, trials=2, **more)


def test_html_stands_alone() -> None:
    made = render.html([page()])
    found = read(made)
    assert not found.seen & {"script", "link", "iframe", "img", "object", "form"}
    assert not {name for name in found.attributes if name.startswith("on")}
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//)""", made)
    assert "default-src 'none'" in made
    said = "".join(found.said)
    for part in (
        "A.T*(A*x - b) + 2*l*x",
        "l: scalar",
        "verified",
        "seed 0",
        "import torch",
        "import numpy",
        "import jax",
    ):
        assert part in said
    assert {"math", "svg", "details"} <= found.seen


HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"> $\\input{/etc/passwd}$ ```'


@pytest.mark.parametrize("form", ["html", "markdown", "latex", "notebook", "text"])
def test_hostile_text_is_only_text(form: str) -> None:
    made = rendered([page(title=HOSTILE)], form, HOSTILE).decode()
    if form == "html":
        assert not read(made).seen & {"script", "img"}
        assert "&lt;script&gt;" in made
    if form in ("markdown", "notebook"):
        assert "<script" not in made.replace("\\\\<", "\\<").replace("\\<script", "")
    if form == "latex":
        assert "\\input" not in made
        assert "\\textbackslash{}input" in made


def test_hostile_claims_are_refused_before_they_are_shown() -> None:
    with pytest.raises(mc.ParseError):
        page(claim="<script>alert(1)</script>")


def test_a_refuted_claim_is_shown_with_its_counterexample() -> None:
    found = page("x'*A*x", "x", let=None, claim="2*A*x")
    assert found.verdict == "refuted"
    made = render.text([found])
    for part in ("Claim: 2*A*x", "right only if A is symmetric", "Counterexample", "claimed =", "expected ="):
        assert part in made
    assert "Counterexample" in render.html([found])


def test_both_layouts_are_shown_where_they_differ() -> None:
    found = page("A*X*B", "X", "jacobian", None)
    assert found.other_layout is not None
    assert (found.result.text, found.other_layout.text) == ("kron(B.T, A)", "kron(B, A.T)")
    assert found.entries is not None
    assert found.entries.text == "J[i,j,k,l] = A[i,k]*B[l,j]"
    assert page("x'*A*x", "x", "hessian", None).other_layout is None


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "pdf"])
@pytest.mark.parametrize(
    ("text", "wrt", "kind"),
    [("x'*A*x", "x", "grad"), ("A*X*B", "X", "jacobian"), ("sum(log1p(exp(X*w)))", "w", "hessian"),
     ("logdet(S)", "S", "grad"), ("conv1d(x, k)", "k", "jacobian")],
)  # fmt: skip
def test_the_same_bytes_each_time(form: str, text: str, wrt: str, kind: str) -> None:
    let = (
        {"S": "matrix(n, n; posdef)"}
        if "S" in text
        else {"x": "vector(7)", "k": "vector(3)"}
        if "conv" in text
        else None
    )
    once, again = (rendered([page(text, wrt, kind, let)], form) for _ in range(2))
    assert once == again
    assert len(once) > 400


def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    record = json.loads(notebook([page("x'*A*x", "x", let=None, claim="2*A*x"), page()]))
    assert (record["nbformat"], record["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in record["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in record["cells"]:
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | (
            {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        )
    code = "\n".join("".join(cell["source"]) for cell in record["cells"] if cell["cell_type"] == "code")
    script = tmp_path / "cells.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert "right only if A is symmetric" in done.stdout


def test_latex_has_no_character_that_pdflatex_lacks() -> None:
    for found in (page(), page("A*X*B", "X", "jacobian", None), page("x'*A*x", "x", let=None, claim="2*A*x")):
        assert render.latex([found]).isascii()


def test_pdf_is_made_by_what_is_there() -> None:
    programs = ("pdflatex", "lualatex", "xelatex", "chromium", "google-chrome")
    if any(shutil.which(name) for name in programs):
        made = pdf([page()])
        assert made[:5] == b"%PDF-"
        assert len(made) > 10_000
    else:
        with pytest.raises(mc.DeviceError, match="--format latex"):
            pdf([page()])


def test_without_a_program_for_pdf_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(mc.DeviceError, match="looked for pdflatex"):
        pdf([page()])


def test_markdown_tables_and_fences_are_closed() -> None:
    made = render.markdown([page()])
    assert made.count("```") % 2 == 0
    assert made.count("$$") % 2 == 0
    assert "| $A$ | `A: matrix(m, n)` | inferred |" in made
    assert "```mermaid\nflowchart TD" in made


def test_a_file_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page.html"
    write(file, b"one")
    with pytest.raises(mc.ParseError, match="there already"):
        write(file, b"two")
    assert file.read_bytes() == b"one"
    write(file, b"two", force=True)
    assert file.read_bytes() == b"two"
    assert [p.name for p in file.parent.iterdir()] == ["page.html"]


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    with pytest.raises(SystemExit) as stopped:
        run(["doc", "x'*A*x", "--wrt", "x", "--format", "html", "--out", str(out)])
    assert stopped.value.code == 0
    assert read(out.read_text()).seen
    with pytest.raises(SystemExit) as stopped:
        run(["doc", "x'*A*x", "--wrt", "x", "--format", "html", "--out", str(out)])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit) as stopped:
        run(["doc", "x'*A*x", "--wrt", "x", "--claim", "2*A*x", "--format", "text"])
    assert stopped.value.code == 1
    shown = capfd.readouterr()
    assert "right only if A is symmetric" in shown.out
    assert "--force writes over it" in shown.err
    with pytest.raises(SystemExit) as stopped:
        run(["doc", "x'*A*x", "--wrt", "x", "--format", "word"])
    assert stopped.value.code == 2


def test_the_pictures_in_a_page_are_pictures() -> None:
    made = render.html([page()])
    picture = made[made.index("<svg") : made.index("</svg>") + 6]
    assert ET.fromstring(picture).tag.endswith("svg")  # noqa: S314  # our own output


@pytest.mark.parametrize("form", ["html", "markdown", "latex", "text", "notebook"])
def test_the_steps_have_their_rules_and_sources(form: str) -> None:
    """A line, the rule of it with its formula, and the book with the equation."""
    made = rendered([page("x'*A*x - b'*x", let=None)], form).decode()
    if form == "notebook":
        made = "".join("".join(cell["source"]) for cell in json.loads(made)["cells"])
    said = "".join(read(made).said) if form == "html" else made.replace("\\", "")
    assert "product rule: " in said
    assert "The Matrix Cookbook, eq. (37)" in said
    assert "read off the gradient: " in said
    line, formula = {
        "html": ("∇f=", "d(uCv)=(du)Cv+uCdv"),
        "text": ("df = dx.T*A*x + x.T*A*dx - b.T*dx", "d(u*C*v) = d(u)*C*v + u*C*d(v)"),
    }.get(form, (r"left(mathrm{d}xright)^top A x + x^top A mathrm{d}x", r"left(mathrm{d}uright) C v + u C mathrm{d}v"))
    assert line in said
    assert formula in (said.replace("\u2062", "").replace(" ", "") if form == "html" else said)


def test_steps_that_cannot_be_checked_are_not_shown() -> None:
    made = page("log(-norm2(x)^2 - 1)", let=None)
    assert made.steps == ()
    assert made.remarks == ("No steps are shown: the argument of log is not positive there.",)
    assert "No steps are shown" in render.html([made])


def test_a_false_line_stops_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the product rule doubled nothing is written, whatever the check of the result says."""
    rule = TABLE["product"].differential
    assert rule is not None
    false = replace(TABLE["product"], differential=lambda node, i, d: build.multiply(build.number(2), rule(node, i, d)))
    monkeypatch.setitem(TABLE, "product", false)
    with pytest.raises(mc.CheckError, match=r"line \(\d+\) of the derivation is false"):
        page("x'*A*x", let=None)
