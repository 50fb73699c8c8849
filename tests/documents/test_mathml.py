"""MathML from the LaTeX that matcalc writes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

import matcalc as mc
from matcalc.documents.mathml import mathml
from matcalc.expression.operator import TABLE

mc.parse("x")  # fills the table
SPACE = "{http://www.w3.org/1998/Math/MathML}"
SAMPLES = [(op.name, k, sample) for op in TABLE.values() for k, sample in enumerate(op.samples)]


def root(latex: str) -> ET.Element:
    return ET.fromstring(mathml(latex))  # noqa: S314  # our own output


def shown(latex: str) -> str:
    """What a reader sees, letter by letter, without the annotation."""
    row = root(latex).find(f"{SPACE}semantics")
    assert row is not None
    return "".join("".join(child.itertext()) for child in row if not child.tag.endswith("annotation"))


@pytest.mark.parametrize(("name", "k", "sample"), SAMPLES, ids=[f"{name}-{k}" for name, k, _ in SAMPLES])
def test_every_sample_and_its_derivative_is_shown(name: str, k: int, sample: object) -> None:
    f = mc.parse(sample.text, sample.let or None)  # type: ignore[attr-defined]
    texts = [f.latex()]
    if f.shape == () and f.variables:
        first = next(iter(f.variables))
        texts.append(mc.grad(f, first).latex())
    for latex in texts:
        letters = re.sub(r"\\[A-Za-z]+|[^A-Za-z]", "", latex.replace("bmatrix", "").replace("cases", ""))
        seen = shown(latex)
        for letter in set(letters):
            assert letter in seen, (latex, letter)


@pytest.mark.parametrize(
    ("latex", "body"),
    [
        ("x", "<mi>x</mi>"),
        (r"A^\top x", "<mrow><msup><mi>A</mi><mo>⊤</mo></msup><mi>x</mi></mrow>"),
        (r"X_{1}^{-\top}", "<msubsup><mi>X</mi><mn>1</mn><mrow><mo>−</mo><mo>⊤</mo></mrow></msubsup>"),
        (r"X^{2}_{1}", "<msubsup><mi>X</mi><mn>1</mn><mn>2</mn></msubsup>"),
        (r"\frac{1}{2} x", "<mrow><mfrac><mn>1</mn><mn>2</mn></mfrac><mi>x</mi></mrow>"),
        (r"\sqrt{a}^{3}", "<msup><msqrt><mi>a</mi></msqrt><mn>3</mn></msup>"),
        (
            r"\sum_{k=1}^{n} x",
            "<mrow><munderover><mo>∑</mo><mrow><mi>k</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"
            "<mi>x</mi></mrow>",
        ),
        (
            r"\exp\left(x\right)",
            '<mrow><mi>exp</mi><mo>\u2061</mo><mrow><mo fence="true" stretchy="true">(</mo><mi>x</mi>'
            '<mo fence="true" stretchy="true">)</mo></mrow></mrow>',
        ),
        (r"\mathbf{1}", "<mn>𝟏</mn>"),
        (r"\mathbf{Az}", "<mi>𝐀𝐳</mi>"),
        (r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}", None),
    ],
)  # fmt: skip
def test_what_it_looks_like(latex: str, body: str | None) -> None:
    made = mathml(latex)
    if body is None:
        cells = [cell.text for cell in ET.fromstring(made).iter(f"{SPACE}mi")]  # noqa: S314  # our own output
        assert cells == ["a", "b", "c", "d"]
        assert made.count("<mtr>") == 2
    else:
        assert body.replace("\u2061", "&#x2061;") in made


def test_text_is_no_markup() -> None:
    made = mathml(r"\text{<script>alert(1)</script>} < \mathit{a\&b} > \operatorname{<b>}")
    assert "<script" not in made
    assert "<b>" not in made
    assert shown(r"\text{<script>} < x") == "<script><x"


@pytest.mark.parametrize(
    "latex",
    [r"\href{javascript:x}{y}", r"\def\x{1}", r"\left(x", r"x\right)", "{x", "x}", r"\begin{array} x \end{array}",
     r"\begin{bmatrix} x", r"\operatorname{\input{x}}", r"\frac{1}", "x^", r"\begin{bmatrix} x \end{pmatrix}",
     r"\left\href x \right)", r"\operatorname x"],
)  # fmt: skip
def test_what_is_not_ours_is_refused(latex: str) -> None:
    with pytest.raises(mc.UnsupportedError):
        mathml(latex)


def test_depth_is_no_limit() -> None:
    depth = 5000
    assert mathml("{" * depth + "x" + "}" * depth).count("<mi>x</mi>") == 1


def test_the_latex_is_kept_beside_it() -> None:
    assert r'<annotation encoding="application/x-tex">a &lt; b</annotation>' in mathml("a < b")
