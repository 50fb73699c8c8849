"""The SymPy image is the same value: explicit matrices in place of names give what the reference arithmetic gives."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import matcalc
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.image import sympy_image
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE, Sample
from matcalc.expression.sizes import Size

DIGITS = 30
ONLY_FOUND_IN_GRADIENTS = (
    ("y'*kron(A, B)*x", "A", {"A": "matrix(2, 3)", "B": "matrix(3, 2)"}),
    ("y'*kron(A, B)*x", "B", {"A": "matrix(2, 3)", "B": "matrix(3, 2)"}),
    ("norm2(x[1:3])", "x", {"x": "vector(4)"}),
    ("sum(square(X[0:2,1:3]))", "X", {"X": "matrix(3, 4)"}),
    ("sum(exp(vec(X)))", "X", {}),
    ("norm2(unvec(x, 2, 3))^2 + sum(exp(unvec(x, 2, 3)))", "x", {"x": "vector(6)"}),
)


WITHOUT_IMAGE = {
    "chol", "expm", "expm_frechet", "logm", "logm_frechet", "sqrtm", "sylvester", "pinv", "polar", "dominant",
    "norm_nuc", "norm_spec", "eigvals", "eigvecs", "reciprocal_gaps", "lambda_max", "lambda_min", "projector_max",
    "projector_min", "resolvent_max", "resolvent_min",
}  # fmt: skip
"""SymPy has no expression of a matrix symbol for these; the image says so by name."""


def samples() -> Iterator[tuple[str, Sample]]:
    for operator in TABLE.values():
        for sample in operator.samples:
            node = matcalc.parse(sample.text, let=dict(sample.let)).node
            if not any(inner.op in WITHOUT_IMAGE for inner in postorder(node)):
                yield operator.name, sample


def variables_of(node: Node) -> tuple[Node, ...]:
    return tuple(leaf for leaf in postorder(node) if leaf.op == "variable")


def point_for(node: Node, root: Node) -> Point:
    """Sizes and values inside the domain of ``root``, a scalar from which ``node`` comes."""
    found = point(Question(root, "", variables_of(root), root), CheckOptions(), 0)
    assert isinstance(found, Point), found
    return found


def explicit(node: Node, at: Point) -> Any:
    """The image with every size and name replaced, as an object array."""
    sizes = {sympy.Symbol(n, integer=True, positive=True): sympy.Integer(v) for n, v in at.sizes.items()}
    names = {}
    for variable in variables_of(node):
        image, value = sympy_image(variable).xreplace(sizes), at.values[variable.params[0]]
        entries = [sympy.Float(v, DIGITS) for v in value.flat]
        names[image] = sympy.ImmutableMatrix(*value.shape, entries) if hasattr(image, "shape") else entries[0]
    made = sympy_image(node).xreplace(sizes).xreplace(names).doit()
    matrix = made.as_explicit() if hasattr(made, "as_explicit") else sympy.Matrix([[made]])
    return np.array(matrix.evalf(DIGITS).tolist(), dtype=object)


def distance(node: Node, at: Point) -> float:
    with mpmath.workdps(DIGITS):
        wanted = evaluate(node, lifted(at.values), at.sizes)
        made = explicit(node, at)
        assert made.shape == wanted.shape
        return max(abs(complex(a) - complex(b)) for a, b in zip(made.flat, wanted.flat, strict=True))


def sized(f: matcalc.Expression) -> Node:
    """The expression; with numbers for its sizes where its image needs them."""
    try:
        sympy_image(f.node)
    except UnsupportedError as error:
        assert "where the sizes are numbers" in error.message  # noqa: PT017  the rest of the test is what counts
        sizes = point_for(f.node, f.node).sizes
        let = {name: re.sub(r"[a-z]\w*(?=[,);])", lambda m: str(sizes.get(m[0], m[0])), v.declaration)
               for name, v in f.variables.items()}  # fmt: skip
        return matcalc.parse(f.text.split(";")[-1], let=let).node
    return f.node


@pytest.mark.parametrize(("name", "sample"), [pytest.param(n, s, id=f"{n}: {s.text}") for n, s in samples()])
def test_image_of_a_sample_is_its_value(name: str, sample: Sample) -> None:
    f = matcalc.parse(sample.text, let=dict(sample.let))

    assert distance(sized(f), point_for(sized(f), sized(f))) < 1e-12


@pytest.mark.parametrize(("text", "wrt", "let"), ONLY_FOUND_IN_GRADIENTS)
def test_image_of_a_gradient_is_its_value(text: str, wrt: str, let: dict[str, str]) -> None:
    root, node = matcalc.parse(text, let=let).node, matcalc.grad(text, wrt, let=let).node

    assert distance(node, point_for(node, root)) < 1e-12


@pytest.mark.parametrize("name", sorted(name for name, operator in TABLE.items() if operator.reference is not None))
def test_every_operator_that_can_be_computed_has_an_image(name: str) -> None:
    assert (TABLE[name].sympy is None) == (name in WITHOUT_IMAGE)


def test_a_wrong_image_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "sin", dataclasses.replace(TABLE["sin"], sympy=TABLE["cos"].sympy))
    node = matcalc.parse("sum(sin(x))").node

    assert distance(node, point_for(node, node)) > 1e-3


def test_an_operator_without_image_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "tanh", dataclasses.replace(TABLE["tanh"], sympy=None))

    with pytest.raises(UnsupportedError, match="tanh has no SymPy form"):
        sympy_image(matcalc.parse("sum(tanh(x))").node)


def test_symbolic_sizes_stay_symbolic() -> None:
    n = Size.named("n")
    x = build.variable("x", (n, 1), "vector")
    positive = sympy.Symbol("n", integer=True, positive=True)

    assert sympy_image(x) == sympy.MatrixSymbol("x", positive, 1)
    assert sympy_image(build.size_number(n * n + 1)) == positive**2 + 1
