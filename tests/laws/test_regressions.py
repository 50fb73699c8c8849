"""What random expressions have found, each by a name that says what was wrong."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc


def test_a_size_that_is_printed_as_a_power_reads_back() -> None:
    let = {"x": "vector(n*n)"}
    g = mc.grad("sum(tanh(reshape(exp(x), n, n)))", "x", let)
    assert "n^2" in str(g)
    assert mc.parse(str(g), let).node is g.shown


def test_a_basis_vector_of_one_entry_is_a_number() -> None:
    f = mc.parse("sum(maxunpool1d(basis(0, 1), x, 2))", {"x": "vector(2)"})
    assert float(f.compile()([0.5, 1.0])) == 1.0


SHAPES = [
    ("min((1./A)[1:, :]) + logsumexp(x)", {"A": "matrix(2, h)", "x": "vector(h)"}),
    ("sum(sum((x .- x)[1:]), 0) + y", {"x": "vector(2)", "y": "scalar"}),
    ("inner(outer(transpose((x/y)[1:]), z), w)",
     {"x": "vector(2)", "y": "scalar", "z": "vector(h)", "w": "row(h)"}),
    ("(avgpool2d(A, 2))[1:] + mean(B)", {"A": "matrix(4, 2)", "B": "matrix(w, w)"}),
    ("logsumexp(asin(A).*avgpool2d(B, 2))", {"A": "matrix(3, 2; unit)", "B": "matrix(2, 4)"}),
    ("sum(conv2d(conv2d(maxpool2d(conv2d(A, B), 2), C), D)*conv2d(conv2d(maxpool2d(conv2d(A, B), 2), C), D)')",
     {"A": "matrix(20, 20)", "B": "matrix(3, 3)", "C": "matrix(2, 2)", "D": "matrix(2, 2)"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "let"), SHAPES, ids=[row[0] for row in SHAPES])
def test_shapes_follow_from_declared_ones_without_a_search(text: str, let: dict[str, str]) -> None:
    f = mc.parse(text, let)
    name = next(iter(f.variables))
    assert mc.grad(f, name).shape == f.variables[name].shape


def test_a_size_that_is_declared_as_its_square_is_read_as_the_root() -> None:
    g = mc.grad("norm2(unvec(x.*y, h, h))^2", "x", {"x": "vector(h*h)", "y": "vector(h*h)"})
    x, y = np.arange(9.0), np.ones(9)
    np.testing.assert_allclose(g.compile("numpy")(x, y), 2 * x)


def test_a_size_is_a_number_where_a_triangle_of_entries_tells_it() -> None:
    assert mc.parse("b'.T*vech(A*X)", {"X": "matrix(n, n)", "b": "row(6)"}).variables["X"].shape == (3, 3)
