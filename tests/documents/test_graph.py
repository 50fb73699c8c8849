"""Computation graphs: what they hold, that their lines have the values that they stand for, and their pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import matcalc as mc

NET = "norm2(W2*tanh(W1*x + b1) + b2 - y)^2/2"
TEXTS = [
    "x'*A*x - b'*x",
    NET,
    "f = 0.5*x'*A*x - b'*x; f*f",
    "-y'*log_softmax(W*x) + l*norm2(W)^2",
    "sum(maximum(0, 1 - y.*(X*w)))",
    "z1'*x + sum(exp(x))",
    "x",
    "3",
]


def test_the_quadratic_form() -> None:
    graph = mc.parse("x'*A*x - b'*x").graph()
    assert [(v.label, v.shape, v.role) for v in graph.vertices] == [
        ("x", "n", "input"),
        ("A", "n×n", "input"),
        ("z1 = x.T*A*x", "scalar", "operation"),
        ("b", "n", "input"),
        ("z2 = b.T*x", "scalar", "operation"),
        ("f = z1 - z2", "scalar", "output"),
    ]
    assert [(e.source, e.target, e.shape, e.backward) for e in graph.edges] == [
        ("x", "z1", "n", "dz1*(A + A.T)*x"),
        ("A", "z1", "n×n", "dz1*x*x.T"),
        ("b", "z2", "n", "dz2*x"),
        ("x", "z2", "n", "dz2*b"),
        ("z1", "f", "scalar", "df"),
        ("z2", "f", "scalar", "-df"),
    ]


def test_what_flows_back_is_said_by_what_was_computed() -> None:
    graph = mc.parse("sum(tanh(W*x))").graph()
    assert [e.backward for e in graph.edges if e.target == "z2"] == ["dz2.*(1 - z2.^2)"]


@pytest.mark.parametrize("text", TEXTS[:6])
def test_the_lines_have_the_value_of_the_whole(text: str) -> None:
    """Line by line in NumPy, each from those before it, and the backward pass down to autograd's gradient."""
    free = mc.parse(text)
    sizes = {s: k + 2 for k, s in enumerate(sorted({str(s) for v in free.variables.values() for s in v.shape}))}
    shapes = {v.name: tuple(sizes[str(s)] for s in v.shape) for v in free.variables.values()}
    f = mc.parse(text, {name: _declared("×".join(map(str, shape)) or "scalar") for name, shape in shapes.items()})
    graph = f.graph()
    rng = np.random.default_rng(5)
    values = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    inputs = dict(values)
    let = {v.name: _declared(v.shape) for v in graph.vertices}
    for vertex in graph.vertices:
        if vertex.text:
            line = mc.parse(vertex.text, {n: let[n] for n in _names_in(vertex.text, let)})
            values[vertex.name] = line.compile("numpy")(**{n: values[n] for n in line.variables})
    assert np.allclose(values["f"], f.compile("numpy")(**inputs))
    adjoint = {"df": np.ones(())}
    for vertex in reversed(graph.vertices):
        arriving = [e for e in graph.edges if e.source == vertex.name]
        if arriving:
            adjoint["d" + vertex.name] = sum(_sent(e.backward, let, values, adjoint, vertex.shape) for e in arriving)
    for name in inputs:
        assert np.allclose(adjoint["d" + name], mc.grad(f, name).compile("numpy")(**inputs)), name


def _declared(shape: str) -> str:
    if shape == "scalar":
        return "scalar"
    return f"vector({shape})" if "×" not in shape else f"matrix({shape.replace('×', ', ')})"


def _sent(text: str, let: dict[str, str], values: dict, adjoint: dict, shape: str) -> np.ndarray:
    declared = {n: let[n] for n in _names_in(text, let)}
    declared |= {n: let[n[1:]] for n in _names_in(text, adjoint)}
    program = mc.parse(text, declared).compile("numpy")
    return program(**{n: values[n] if n in values else adjoint[n] for n in declared})


def _names_in(text: str, known: dict) -> list[str]:
    return [n for n in dict.fromkeys(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text)) if n in known]


def test_names_of_the_expression_stay_what_they_are() -> None:
    graph = mc.parse("z1'*x + sum(f.*x)").graph()
    names = [v.name for v in graph.vertices]
    assert len(set(names)) == len(names)
    assert {v.name for v in graph.vertices if v.role == "input"} == {"z1", "x", "f"}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_the_picture_holds_every_label_once_and_no_box_on_another(text: str, backward: bool) -> None:
    graph = mc.parse(text).graph()
    picture = graph.svg(backward=backward)
    assert picture == graph.svg(backward=backward)
    root = ET.fromstring(picture)  # noqa: S314  # our own output
    space = "{http://www.w3.org/2000/svg}"
    labels = [t.text for t in root.iter(f"{space}text")]
    for vertex in graph.vertices:
        assert labels.count(vertex.label) == 1
    boxes = [[float(r.get(key)) for key in ("x", "y", "width", "height")] for r in root.iter(f"{space}rect")]
    for k, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[k + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    left, top, width, height = map(float, root.get("viewBox").split())
    assert all(left <= x and x + w <= left + width and top <= y and y + h <= top + height for x, y, w, h in boxes)
    lines = list(root.iter(f"{space}line"))
    assert len(lines) == len(graph.edges) + (sum(bool(e.backward) for e in graph.edges) if backward else 0)


def test_mermaid_is_plain_and_complete() -> None:
    text = mc.parse(NET).graph().mermaid(backward=True)
    lines = text.splitlines()
    assert lines[0] == "flowchart TD"
    assert '    v6["z1 = W1#42;x"]' in lines
    assert all(
        re.fullmatch(r'    v\d+(\(\[".*"\]\)|\[".*"\]| -->\|".*"\| v\d+| -\.->\|".*"\| v\d+)', line)
        for line in lines[1:]
    )
    assert sum("-.->" in line for line in lines) == sum("-->" in line for line in lines)


def test_a_large_network_is_drawn_in_its_own_size() -> None:
    text = "x"
    for k in range(30):
        text = f"tanh(W{k}*{text})"
    graph = mc.parse(f"sum({text})").graph()
    assert len(graph.vertices) == 30 + 1 + 60 + 1
    assert graph.svg().count("<rect") == len(graph.vertices)
