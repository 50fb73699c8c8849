"""The check, checked: planted wrong claims are refuted, right ones verified, whatever the scale."""

from __future__ import annotations

import json

import numpy as np
import pytest

import matcalc as mc

SQUARE = {"X": "matrix(n, n)"}
POSDEF = {"X": "matrix(n, n; posdef)"}

RIGHT = [
    ("x'*A*x", "x", "A*x + A.T*x", {}),
    ("1e-6*x'*A*x", "x", "1e-6*(A + A.T)*x", {}),
    ("norm2(1e6*x)", "x", "1e6*x/norm2(x)", {}),
    ("logdet(X)", "X", "inv(X)'", SQUARE),
    ("logdet(X)", "X", "inv(X)", POSDEF),
    ("sum(x.^3)/3", "x", "x.^2", {}),
    ("sum(x)^2", "x", "2*sum(x)*ones(n)", {}),
]

WRONG = [
    ("symmetry assumed", "x'*A*x", "x", "2*A*x", {}),
    ("sign", "x'*A*x", "x", "-(A + A.T)*x", {}),
    ("sign of a term", "x'*A*x - b'*x", "x", "(A + A.T)*x + b", {}),
    ("factor", "x'*A*x", "x", "2*(A + A.T)*x", {}),
    ("term lost", "x'*A*x", "x", "A*x", {}),
    ("zero", "x'*A*x", "x", "0*x", {}),
    ("millionth of a term", "x'*A*x", "x", "A*x + 1.000001*A.T*x", {}),
    ("below what floats show", "x'*x + 1e-14*y'*x", "x", "2*x", {}),
    ("scaled down", "1e-12*x'*A*x", "x", "2e-12*A*x", {}),
    ("transpose lost", "logdet(X)", "X", "inv(X)", SQUARE),
    ("chain factor", "norm2(x)", "x", "x/norm2(x)^2", {}),
    ("one sign of x only", "x'*x", "x", "2*abs(x)", {}),
    ("sign of a determinant", "abs(det(X))", "X", "det(X)*inv(X)'", SQUARE),
    (
        "one entry",
        "tr(A*X)",
        "X",
        "A' + 1e-9*basis(0, 5)*basis(1, 5)'",
        {"A": "matrix(5, 5)", "X": "matrix(5, 5)"},
    ),
]


@pytest.mark.parametrize(("f", "name", "claim", "let"), RIGHT)
def test_a_right_claim_is_verified(f: str, name: str, claim: str, let: dict[str, str]) -> None:
    report = mc.check(f, name, claim=claim, let=let)
    assert report.verdict == "verified", str(report)
    assert report.max_error < 1e-12


@pytest.mark.parametrize(("f", "name", "claim", "let"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_claim_is_refuted_with_a_counterexample(f: str, name: str, claim: str, let: dict[str, str]) -> None:
    report = mc.check(f, name, claim=claim, let=let)
    assert report.verdict == "refuted", str(report)
    assert report.counterexample["claimed"] != report.counterexample["expected"]
    assert report.diagnosis


@pytest.mark.parametrize(
    ("claim", "said"),
    [("x'*(A + A.T)", "transposed"), ("-(A + A.T)*x", "sign"), ("2*(A + A.T)*x", "2 times"), ("0*x", "zero")],
)
def test_the_diagnosis_names_the_relation(claim: str, said: str) -> None:
    assert said in mc.check("x'*A*x", "x", claim=claim).diagnosis


@pytest.mark.parametrize("claim", ["(A + A.T)*x", "2*A*x"])
def test_one_seed_gives_one_report_whatever_the_global_generator_holds(claim: str) -> None:
    first = json.dumps(mc.check("x'*A*x", "x", claim=claim, seed=7).to_dict())
    np.random.seed(3)
    assert json.dumps(mc.check("x'*A*x", "x", claim=claim, seed=7).to_dict()) == first


@pytest.mark.parametrize("f", ["-sum(log(b - A*x))", "sum(asin(A*x))", "sum(acosh(A*x))", "logdet(X*X' + eye(n))"])
def test_points_are_found_inside_the_domain(f: str) -> None:
    name = "X" if "X" in f else "x"
    report = mc.check(f, name)
    assert report.verdict == "verified", str(report)
    assert report.trials >= 3


def test_a_python_function_is_judged_by_its_values() -> None:
    assert mc.check("x'*A*x", "x", claim=lambda x, A: (A + A.T) @ x).ok
    slightly_off = mc.check("x'*A*x", "x", claim=lambda x, A: (A + A.T) @ x * (1 + 1e-6))
    assert slightly_off.verdict == "refuted"
