# ruff: noqa: RUF001  # look-alikes are what is tested
"""Every row of the table of mistakes speaks for its example, and what it suggests parses."""

import re

import pytest

from matcalc.errors import MatcalcError, ParseError
from matcalc.language.mistakes.table import MISTAKES, Mistake
from matcalc.language.syntax import declarations, read


def failure(text: str) -> MatcalcError:
    with pytest.raises(MatcalcError) as caught:
        read(text)
    return caught.value


EXAMPLES = [pytest.param(row, *pair, id=ascii(pair[0])) for row in MISTAKES for pair in row.examples.items()]
SUGGESTIONS = [becomes for row in MISTAKES for becomes in row.examples.values() if becomes]


@pytest.mark.parametrize(("row", "example", "becomes"), EXAMPLES)
def test_row(row: Mistake, example, becomes):
    error = failure(example)
    said = re.sub(r"\\\{\d(!r)?\\\}", ".+", re.escape(row.says))
    assert type(error) is ParseError
    assert re.fullmatch(said, error.message, re.DOTALL), error.message
    assert (error.suggestion, error.why) == (becomes, row.why)
    assert error.line >= 1
    assert error.column >= 1


@pytest.mark.parametrize("suggestion", SUGGESTIONS, ids=ascii)
def test_suggestion_parses(suggestion):
    assert read(suggestion).text == suggestion


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2x + 3y", "'*' is missing between '2' and 'x'\n  2x + 3y\n  ^^\nTry: 2*x + 3*y"),
        ("x*(A + B", "'(' is never closed\n  x*(A + B\n    ^\nTry: x*(A + B)"),
        ("(x + y]", "'(' is closed by ']'\n  (x + y]\n        ^\nTry: (x + y)"),
        ("x +", "there is nothing after '+'\n  x +\n    ^"),
    ],
)
def test_whole_errors(text, shown):
    assert str(failure(text)) == shown


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("𝐱*y", "x*y"),
        ("x₁ + y", "x1 + y"),
        ("torch.linalg.inv(A) @ torch.exp(x)", "inv(A) @ exp(x)"),
        ("x\u00a0+ y", "x + y"),
        ("A∗x", "A*x"),
        ("xⁿ", "x^n"),
        ("½*x", "(1/2)*x"),
        ("é*x", "e*x"),
        ("x–y", "x-y"),
        ("$x'*x$", "x'*x"),
        (r"\mathbf{x}^{T} \cdot y", "x' * y"),
        (r"\|x\|_2^2", "norm2(x)^2"),
        ("(A*x - b).norm()", "norm(A*x - b)"),
        ("A.inverse()*b", "inv(A)*b"),
        ("f(x)(y)", "f(x)*(y)"),
        ("x'*y)*z", "x'*y*z"),
        ("[A, B; C, D", "[A, B; C, D]"),
        ("sum(X, dim=1, keepdim=2)", "sum(X, 1, 2)"),
    ],
)
def test_further_suggestions(text, suggestion):
    assert failure(text).suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("matrx(n, n)", "there is no kind 'matrx'", "matrix(n, n)"),
        ("A: Matrix(n, n)", "there is no kind 'Matrix'", "A: matrix(n, n)"),
        ("matrix(n, symmetric)", "a matrix needs 2 sizes", "matrix(n, n; symmetric)"),
        ("matrix(n; symmetric)", "a matrix needs 2 sizes", "matrix(n, n; symmetric)"),
        ("vector", "a vector needs 1 size", "vector(n)"),
        ("vector(positive)", "a vector needs 1 size", "vector(n; positive)"),
        ("vector(0)", "this is not a size", ""),
        ("vector(n/2)", "this is not a size", ""),
        ("vector(1.5)", "this is not a size", ""),
        ("vector(n, 2)", "a vector has 1 size; what follows them is the name of a property", ""),
        ("scalar(; 2)", "a scalar has 0 sizes; what follows them is the name of a property", ""),
        ("A matrix(n, n)", "':' is missing between A and matrix", "A: matrix(n, n)"),
        ("A, A: scalar", "'A' is introduced twice", ""),
    ],
)
def test_declarations_that_are_none(text, message, suggestion):
    with pytest.raises(ParseError) as caught:
        declarations(text)
    assert (caught.value.message, caught.value.suggestion) == (message, suggestion)
