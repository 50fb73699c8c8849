"""What a notebook shows of expressions, derivatives, graphs and reports."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import matcalc as mc

SHOWN = {
    "expression": lambda: mc.parse("x'*A*x - b'*x"),
    "gradient": lambda: mc.grad("x'*A*x - b'*x", "x"),
    "Jacobian": lambda: mc.jacobian("A*X*B", "X"),
    "Hessian": lambda: mc.hessian("norm2(A*x)^2", "x"),
    "product": lambda: mc.hvp("x'*A*x", "x", "v"),
    "report": lambda: mc.check("x'*A*x", "x", claim="2*A*x", trials=2),
}


@pytest.mark.parametrize("name", SHOWN)
def test_every_kind_of_result_has_its_looks(name: str) -> None:
    shown = SHOWN[name]()
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == str(shown)
    ET.fromstring(bundle["text/html"])  # noqa: S314  # our own output
    if name != "report":
        assert bundle["text/latex"] == f"$\\displaystyle {shown.latex()}$"
        assert "<math" in bundle["text/html"]


def test_a_graph_is_shown_as_its_picture() -> None:
    bundle = mc.parse("x'*A*x").graph()._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")


def test_a_report_shows_its_verdict_and_no_markup_of_its_text() -> None:
    report = mc.check("sum(where(x, x, 0*x))", "x", claim="where(x, ones(n), 0*x)", trials=2)
    html = report._repr_html_()
    assert "<strong" in html
    assert html.count("<") == html.count("<pre>") + html.count("</pre>") + 2
