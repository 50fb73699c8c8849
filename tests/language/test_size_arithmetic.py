"""Sizes that subtract and divide: convolution and pooling, with names for sizes and with numbers."""

from __future__ import annotations

import re

import pytest

import matcalc as mc

READ = [
    ("sum(conv1d(x, k))", {}, {"x": "vector(n)", "k": "vector(m)"}),
    ("norm2(conv1d(x, k) - y)", {}, {"x": "vector(n)", "k": "vector(m)", "y": "vector(n - m + 1)"}),
    ("norm2(conv1d(x, k) - y)", {"y": "vector(5)", "k": "vector(3)"}, {"x": "vector(7)"}),
    ("norm2(conv1d(x, k) - y)", {"x": "vector(7)", "y": "vector(5)"}, {"k": "vector(3)"}),
    ("conv1d(x, k)^2", {"x": "vector(4)"}, {"k": "vector(4)"}),
    ("conv1d(x, k)^2", {"x": "vector(4)", "k": "vector(4)"}, {}),
    ("inner(A, conv2d(X, K))", {"X": "matrix(5, 6)", "K": "matrix(2, 2)"}, {"A": "matrix(4, 5)"}),
    ("w'*conv2d(X, K)", {"X": "matrix(5, 2)", "K": "matrix(2, 2)"}, {"w": "vector(4)"}),
    ("norm2(conv1d(relu(conv1d(x, k)), w) - y)", {"k": "vector(2)", "w": "vector(3)"}, {"y": "vector(n - 3)"}),
    ("sum(maxpool1d(x, 2))", {}, {"x": "vector(2*n)"}),
    ("sum(maxpool1d(x, 2))", {"x": "vector(7)"}, {"x": "vector(7)"}),
    ("sum(maxpool1d(x, 2))", {"x": "vector(4*m)"}, {"x": "vector(4*m)"}),
    ("sum(maxpool1d(x, 2)) + x'*y", {"y": "vector(7)"}, {"x": "vector(7)"}),
    ("norm2(avgpool1d(x, 2) - y)", {"y": "vector(3)"}, {"x": "vector(6)"}),
    ("norm2(avgpool1d(x, 2) - y)", {"y": "vector(3)", "x": "vector(7)"}, {"x": "vector(7)"}),
    ("maxpool1d(x, 3)^2", {"x": "vector(5)"}, {"x": "vector(5)"}),
    ("inner(A, maxpool2d(X, 2))", {"X": "matrix(5, 4)"}, {"A": "matrix(2, 2)"}),
    ("sum(maxpool1d(maxpool1d(x, 2), 2))", {"x": "vector(7)"}, {}),
    ("w'*maxpool1d(conv1d(x, k), 2)", {"w": "vector(3)", "k": "vector(2)"}, {"x": "vector(7)"}),
]
ONE_WINDOW_HIGH = [
    ("sum(maxpool2d(X - matrix(c), 2))", {"X": "matrix(2, 2*h)"}, {"c": "scalar"}),
    ("maxpool2d(matrix(c) - X, 2)*y", {"X": "matrix(2, 2*h)"}, {"y": "vector(h)"}),
    ("y*avgpool2d(matrix(c).*X, 3)", {"X": "matrix(3, 6)"}, {"c": "scalar"}),
    ("sum(conv2d(X - matrix(c), K)*x)", {"x": "vector(4)", "X": "matrix(6, 4)"}, {"K": "matrix(6, 4)"}),
    ("sum(conv2d(X, X))", {}, {"X": "matrix(n, m)"}),
]


@pytest.mark.parametrize(("text", "let", "read"), READ)
def test_what_is_inferred(text: str, let: dict[str, str], read: dict[str, str]) -> None:
    f = mc.parse(text, let)
    found = {name: v.declaration for name, v in f.variables.items()}
    assert {name: found[name] for name in read} == read
    assert str(mc.parse(str(f), found)) == str(f)


@pytest.mark.parametrize(("text", "let", "read"), ONE_WINDOW_HIGH)
def test_a_result_of_one_row_or_entry_is_found_where_a_context_gives_the_shape(
    text: str, let: dict[str, str], read: dict[str, str]
) -> None:
    found = {name: v.declaration for name, v in mc.parse(text, let).variables.items()}
    assert {name: found[name] for name in read} == read


def test_sizes_that_have_no_name_get_letters_in_an_error() -> None:
    with pytest.raises(mc.ShapeError) as caught:
        mc.parse("sum(conv2d(A, K) + B)", {"B": "matrix(7, 4)", "A": "matrix(6, 4)"})
    assert "cannot add (7 - n)×(5 - m) and 7×4" in str(caught.value)


REFUSED = [
    ("sum(conv1d(x, k))", {"x": "vector(3)", "k": "vector(5)"}, "the kernel of conv1d is larger than its input"),
    ("sum(conv1d(x, k))", {"x": "vector(3)", "k": "vector(5)"}, "5×1 over 3×1"),
    ("sum(conv2d(X, K))", {"X": "matrix(4, 4)", "K": "matrix(2, 5)"}, "2×5 over 4×4"),
    ("sum(conv1d(x, k))", {"x": "row(5)", "k": "vector(2)"}, "conv1d takes vectors, not 1×5 and 2×1"),
    ("sum(conv1d(x, k) + y)", {"x": "vector(5)", "k": "vector(2)", "y": "vector(5)"}, "cannot add 4×1 and 5×1"),
    ("sum(maxpool1d(x, 2))", {"x": "vector(n)"}, "declare them as numbers, or write 2*n for n"),
    ("sum(avgpool2d(X, 2))", {"X": "matrix(2*n, n)"}, "2 divides the sizes of (2*n)×n"),
    ("sum(avgpool2d(X[1:, :], 3))", {"X": "matrix(m, n)"}, "write 3*m + 1 for m and 3*n for n where they are declared"),
    ("sum(maxpool1d(x, 3))", {"x": "vector(2)"}, "a window of 3 does not fit into 2×1"),
    ("sum(maxpool1d(x, 2))", {"x": "row(4)"}, "maxpool1d takes a vector, and this is 1×4"),
    ("sum(maxpool1d(X, 2))", {"X": "matrix(4, 4)"}, "a matrix is for maxpool2d"),
    ("sum(maxpool1d(x, 2) + y)", {"x": "vector(7)", "y": "vector(4)"}, "cannot add 3×1 and 4×1"),
    ("sum(maxpool1d(x, p))", {"x": "vector(3*p)"}, "the window of maxpool1d is a number"),
    ("sum(maxpool1d(x, 0))", {}, "a size is a positive integer"),
]


@pytest.mark.parametrize(("text", "let", "said"), REFUSED)
def test_what_is_refused_and_why(text: str, let: dict[str, str], said: str) -> None:
    with pytest.raises(mc.MatcalcError, match=re.escape(said)):
        mc.parse(text, let)
