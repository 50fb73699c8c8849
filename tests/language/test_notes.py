"""Readings that have a meaning and may not be the one meant: a note says so, and a declaration silences it."""

from __future__ import annotations

import pytest

import matcalc as mc

NOTED = [
    ("e^x", {}, "in e^x e is a name, a scalar; the exponential function is exp(x)"),
    ("e^(-x'*x)", {}, "in e^(-x'*x) e is a name, a scalar; the exponential function is exp(-x'*x)"),
    ("sum(e.^X)", {}, "in e.^X e is a name, a scalar; the exponential function is exp(X)"),
    ("1/(1 + e^-(a))", {}, "in e^-(a) e is a name, a scalar; the exponential function is exp(-(a))"),
    (
        "sum((x - mean(x)).^2)",
        {},
        "in mean(x) x is a scalar, since + and - join equal shapes; where it is a vector, write .+ and .-",
    ),
    (
        "sum((X*w - mean(X*w)).^2)",
        {},
        "in mean(X*w) X*w is a scalar, since + and - join equal shapes; where it is a vector, write .+ and .-",
    ),
    (
        "sum(max(X - Y, 0))",
        {"X": "matrix(m, n)"},
        "max(X - Y, 0) is taken along axis 0; the larger of two, entry by entry, is maximum(X - Y, 0)",
    ),
    ("min(x, 0)", {}, "min(x, 0) is taken along axis 0; the smaller of two, entry by entry, is minimum(x, 0)"),
    ("tr(A^n)", {}, "in A^n A is a scalar: the power of a matrix has a number as exponent, as in A^2"),
]
SILENT = [
    ("sum(max(X, 1))", {}),
    ("sum(maximum(x, 0))", {}),
    ("sum((x .- mean(x)).^2)", {}),
    ("sum((x - mean(x)).^2)", {"x": "scalar"}),
    ("a*norm2(a)", {}),
    ("norm2(x'*y)", {}),
    ("sum(w'*X*w)", {}),
    ("norm2(x)*sum(x)", {}),
    ("e^x", {"e": "scalar"}),
    ("A^n", {"A": "scalar"}),
    ("exp(x)", {}),
    ("e*x'*x", {}),
    ("tr(A^2)", {}),
    ("a^n", {}),
    ("a^n*sum(x)", {"x": "vector(n)"}),
]


@pytest.mark.parametrize(("text", "let", "said"), NOTED)
def test_what_may_not_be_meant_is_noted(text: str, let: dict[str, str], said: str) -> None:
    assert mc.parse(text, let).notes == (said,)


@pytest.mark.parametrize(("text", "let"), SILENT)
def test_what_is_clear_is_not(text: str, let: dict[str, str]) -> None:
    assert mc.parse(text, let).notes == ()


def test_a_derivative_has_the_notes_of_its_expression() -> None:
    assert mc.grad("e^(x'*x)", "x").notes == mc.parse("e^(x'*x)").notes != ()


@pytest.mark.parametrize("exponent", ["n", "0.5", "a"])
def test_an_exponent_of_a_matrix_that_is_no_whole_number_is_named(exponent: str) -> None:
    with pytest.raises(mc.ShapeError) as caught:
        mc.parse(f"tr(A^{exponent})", {"A": "matrix(n, n)"})
    assert caught.value.message == f"the exponent of a matrix is a whole number, as in A^2, and {exponent} is none"
    assert caught.value.suggestion == f"tr(A.^{exponent})"


def test_a_declaration_of_no_name_is_told_where_another_name_has_none() -> None:
    """It is misspelt; with all names declared it may be one of several texts'."""
    let = {"Sigma": "matrix(n, n; symmetric)"}
    assert mc.parse("x'*S*x", let).notes == ("Sigma is declared without use; nothing declares x and S",)
    assert mc.parse("x'*S*x", {**let, "x": "vector(n)", "S": "matrix(n, n)"}).notes == ()
    assert mc.parse("x'*Sigma*x", let).notes == ()
