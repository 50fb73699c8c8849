"""Claims of Jacobians and Hessians: as functions, in the other layout, with numbers for sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch

import matcalc as mc

SQUARE = {"A": "matrix(3, 3)", "X": "matrix(3, 3)", "B": "matrix(3, 3)"}


class Claim(NamedTuple):
    """A claimed Jacobian or Hessian, the verdict, and the diagnosis of what is wrong."""

    kind: str
    text: str
    name: str
    claim: Any
    verdict: str = "verified"
    diagnosis: str = ""
    let: Mapping[str, str] | None = None


def chain(W: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The Jacobian of tanh(W*x)."""
    return torch.diag(1 - torch.tanh(W @ x) ** 2) @ W


def between(A: torch.Tensor, X: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """The Jacobian of A*X*B, the output's axes first."""
    return torch.einsum("ik,lj->ijkl", A, B)


FUNCTIONS = [
    Claim("jacobian", "tanh(W*x)", "x", chain),
    Claim(
        "jacobian", "tanh(W*x)", "x", lambda W, x: chain(W, x).mT,
        "refuted", "transposed: the claim is the transpose of the Jacobian",
    ),
    Claim(
        "jacobian", "tanh(W*x)", "x", lambda W, x: W,
        "refuted", "missing chain factor diag(1 - tanh(W*x).^2): the Jacobian is the claim with diag(1 - tanh(W*x).^2)",
    ),
    Claim("jacobian", "A*X*B", "X", between, let=SQUARE),
    Claim(
        "jacobian", "A*X*B", "X", lambda A, X, B: -between(A, X, B),
        "refuted", "sign: the claim is minus the Jacobian", SQUARE,
    ),
    Claim(
        "jacobian", "A*X*B", "X", lambda A, X, B: torch.einsum("ik,lj->klij", A, B),
        "refuted", "axes: right with its axes in the order (2, 3, 0, 1)", SQUARE,
    ),
    Claim("hessian", "x'*A*x", "x", lambda x, A: A + A.mT),
    Claim("hessian", "x'*A*x", "x", lambda x, A: 2 * A, "refuted", "right only if A is symmetric"),
]  # fmt: skip
REPEATED = {"A": "matrix(2, 3)", "X": "matrix(3, 3)"}


def twice(A: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
    """The Jacobian of the Jacobian of A*X*X."""
    eye = torch.eye(3, dtype=X.dtype)
    return torch.einsum("ik,lp,jq->ijklpq", A, eye, eye) + torch.einsum("ip,qk,jl->ijklpq", A, eye, eye)


TRANSPOSED = [
    Claim(*row, "refuted", "transposed: the claim is the transpose of the Jacobian")
    for row in (
        ("jacobian", "A*x", "x", "A'"),
        ("jacobian", "tanh(W*x)", "x", "W'*diag(1 - tanh(W*x).^2)"),
        ("jacobian", "A*X*B", "X", "kron(B, A')"),
        ("jacobian", "x'*A*x", "x", "(A + A')*x"),
    )
]
CONDITIONS = [
    Claim("jacobian", *row[:3], "refuted", row[3])
    for row in (
        (
            "tanh(W*x)", "x", "diag(1 - tanh(W*x).^2)",
            "missing chain factor W: the Jacobian is the claim times W",
        ),
        (
            "tanh(W*x)", "x", "diag(1 - tanh(W*x).^2)*W*W'",
            "a factor too many: the claim is the Jacobian times W.T",
        ),
        ("A*exp(x)", "x", "diag(exp(x))", "missing chain factor A: the Jacobian is the claim with A in front"),
        ("A*X*B", "X", "kron(B, A)", "a transposed factor: B in place of B.T; right only if B is symmetric"),
        ("A*X*B", "X", "kron(A, B')", "vec order: right for vec by rows"),
    )
]  # fmt: skip
NUMBERS = [
    Claim("jacobian", "X", "X", "eye(9)"),
    Claim("jacobian", "2*X", "X", "eye(9)", "refuted", "factor: the claim is 1/2 times the Jacobian"),
    Claim("jacobian", "X'", "X", "commutation(3, 3)"),
    Claim("jacobian", "X'", "X", "commutation(3, 4)"),
    Claim("jacobian", "X*X'", "X", "(commutation(3, 3) + eye(9))*kron(X, eye(3))"),
    Claim("jacobian", "A*X", "X", "kron(eye(3), A)"),
    Claim("hessian", "x'*x", "x", "2*eye(9)"),
    Claim("hessian", "sum(X.*X)", "X", "2*eye(6)"),
]  # fmt: skip
# Right of rows or of 1×1 matrices alone: the shapes fit there too, and that is not what is meant.
DEGENERATE = [("X'", "eye(9)"), ("A*X", "kron(A, eye(3))"), ("X*A", "kron(A, eye(4))")]


@pytest.mark.parametrize(
    "row",
    [*FUNCTIONS, *TRANSPOSED, *CONDITIONS, *NUMBERS],
    ids=lambda row: f"{row.text}: {row.verdict} {row.claim if isinstance(row.claim, str) else 'a function'}",
)
def test_a_claim_gets_its_verdict_and_diagnosis(row: Claim) -> None:
    report = mc.check(row.text, row.name, claim=row.claim, kind=row.kind, let=row.let, trials=2)
    assert report.verdict == row.verdict, str(report)
    assert (report.diagnosis or "").startswith(row.diagnosis)
    assert bool(report.diagnosis) == bool(row.diagnosis)


@pytest.mark.parametrize(("text", "claim"), DEGENERATE)
def test_a_claim_is_not_taken_for_one_about_rows_where_it_fits_matrices(text: str, claim: str) -> None:
    report = mc.check(text, "X", claim=claim, kind="jacobian", trials=2)
    assert report.verdict == "refuted", str(report)


def test_a_function_is_a_claim_of_the_jacobian_of_a_jacobian() -> None:
    asked = {"wrt": ("X", "X"), "kind": "jacobian", "let": REPEATED, "trials": 2}
    assert mc.check("A*X*X", claim=twice, **asked).verdict == "verified"
    turned = mc.check("A*X*X", claim=lambda A, X: twice(A, X).movedim((2, 3), (3, 2)), **asked)
    assert turned.verdict == "refuted"


def test_a_claim_of_a_size_that_nothing_fits_says_so() -> None:
    with pytest.raises(mc.MatcalcError, match="cannot multiply"):
        mc.check("A*X*B", "X", claim="ones(7, 5)*ones(4, 3)", kind="jacobian")


def test_a_function_that_returns_another_shape_is_no_jacobian() -> None:
    report = mc.check("tanh(W*x)", "x", claim=lambda W, x: x, kind="jacobian", trials=2)
    assert report.verdict in ("refuted", "inconclusive")


@pytest.mark.parametrize(
    ("text", "wrt", "kind", "right", "turned"),
    [
        ("a*x'*x", ["a", "x"], "hessian", "2*x.T", "2*x"),
        ("a*x'*x", ["x", "a"], "hessian", "2*x", "2*x.T"),
        ("x'*x", "x", "jacobian", "2*x.T", "2*x"),
        ("a*x", "a", "jacobian", "x", "x.T"),
        ("a*tr(X'*B)", ["a", "X"], "hessian", "B", "B.T"),
    ],
)
def test_a_block_that_involves_a_scalar_is_not_right_transposed(
    text: str, wrt: str | list[str], kind: str, right: str, turned: str
) -> None:
    assert mc.check(text, wrt, claim=right, kind=kind).verdict == "verified"
    report = mc.check(text, wrt, claim=turned, kind=kind)
    assert report.verdict == "refuted"
    assert report.diagnosis.startswith("transposed")


def test_a_claim_that_fits_only_where_a_size_is_one_is_refuted() -> None:
    report = mc.check("x*x'*x", "x", claim="3*x'*x", kind="jacobian")
    assert (report.verdict, report.diagnosis) == ("refuted", "right only for n = 1")
    assert "right only for n = 1" in str(report)


@pytest.mark.parametrize(
    ("kind", "text", "claim", "says"),
    [
        ("hessian", "sum(x.^3)", "6*x", "the claim is the diagonal of the Hessian, which is diag(6*x)"),
        ("hessian", "sum(sin(x))", "-sin(x)", "the claim is the diagonal of the Hessian, which is diag(-sin(x))"),
        ("jacobian", "softmax(x)", "softmax(x).*(1 - softmax(x))", "the claim is the diagonal of the Jacobian alone"),
    ],
)
def test_a_vector_claimed_for_a_matrix_is_told_to_be_its_diagonal(kind: str, text: str, claim: str, says: str) -> None:
    report = mc.check(text, "x", claim=claim, kind=kind)
    assert (report.verdict, report.diagnosis) == ("refuted", says)


@pytest.mark.parametrize(("text", "wrt", "claim"), [("X*Y", "X", "Y"), ("A*B", "B", "A")])
def test_a_factor_claimed_for_the_jacobian_of_a_product_is_refuted(text: str, wrt: str, claim: str) -> None:
    """Reading it was an IndexError: no relation of the claim's own had its size."""
    assert mc.check(text, wrt, claim=claim, kind="jacobian").verdict == "refuted"


NARROW = [
    ("norm2(A*x - b)^2", "x", "2*A'*A*(x - inv(A)*b)", {"b": "vector(m)"}, "A: matrix(m, m), x: vector(m)"),
    ("norm2(A)^2", "A", "2*A*inv(A)*A", None, "A: matrix(n, n)"),
]


@pytest.mark.parametrize(("text", "wrt", "claim", "let", "fits"), NARROW, ids=[row[2] for row in NARROW])
def test_a_claim_that_fits_square_matrices_alone_is_not_verified_of_all(
    text: str, wrt: str, claim: str, let: dict[str, str] | None, fits: str
) -> None:
    report = mc.check(text, wrt, claim=claim, let=let)
    assert report.verdict == "inconclusive"
    assert report.reason == f"the claim's shapes fit only with {fits}: declare them, if they are meant"
    square = {"A": "matrix(n, n)", "b": "vector(n)"} if let else {"A": "matrix(n, n)"}
    assert mc.check(text, wrt, claim=claim, let=square).verdict == "verified"


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("norm2(x - mean(x))^2", "7*(x - mean(x))"),
        ("sum((X*w - mean(X*w)).^2)", "7*X'*(X*w - mean(X*w))"),
        ("log(sum(exp(x - max(x)))) + max(x)", "exp(x)/exp(x)"),
    ],
)
def test_nothing_is_verified_of_a_reading_that_is_hardly_meant(text: str, claim: str) -> None:
    """What is subtracted is a number, and then all is: the function is zero, and so is any claim."""
    name = "w" if "w" in text else "x"
    report = mc.check(text, name, claim=claim)
    assert report.verdict == "inconclusive"
    assert "is a scalar, since + and - join equal shapes" in report.reason
    assert "note: in m" in str(report)


@pytest.mark.parametrize(
    ("text", "kind", "claim", "let"),
    [
        ("f = 0.5*x'*A*x - b'*x; f*f", "grad", "2*f*(0.5*(A + A')*x - b)", None),
        ("s = x'*x; t = s^2; exp(t)", "grad", "4*s*exp(t)*x", None),
        ("z = W*x + b; tanh(z)", "jacobian", "diag(1 - tanh(z).^2)*W", {"b": "vector(m)"}),
    ],
)
def test_a_claim_may_use_the_names_that_the_expression_gives(text: str, kind: str, claim: str, let: Any) -> None:
    assert mc.check(text, "x", claim=claim, kind=kind, let=let).verdict == "verified"
    assert mc.check(text, "x", claim=f"2*({claim})", kind=kind, let=let).verdict == "refuted"


def test_a_name_that_nothing_gives_is_no_name() -> None:
    with pytest.raises(mc.ParseError, match="the expression has no 'r'"):
        mc.check("s = x'*x; exp(s)", "x", claim="2*r*x")


def test_a_jacobian_as_if_a_structure_were_not_declared_is_told() -> None:
    let = {"X": "matrix(n, n; symmetric)"}
    report = mc.check("A*X*B", "X", claim="kron(B', A)", kind="jacobian", let=let)
    says = "structure: right with --unconstrained: the Jacobian as if X were not declared symmetric"
    assert (report.verdict, report.relation, report.diagnosis) == ("refuted", "structure", says)
    again = mc.check("A*X*B", "X", claim="kron(B', A)", kind="jacobian", let=let, unconstrained=True)
    assert again.verdict == "verified"


def test_a_claim_of_the_shape_of_one_entry_alone_is_told_to_be_so() -> None:
    """It was compared with the truth at n = 1: "a wrong number: 2/abs(x) in place of 1/abs(x)"."""
    report = mc.check("x/norm2(x)", "x", claim="1/norm2(x)", kind="jacobian")
    says = "the claim has the Jacobian's shape for n = 1 alone, and is wrong there too"
    assert (report.verdict, report.diagnosis) == ("refuted", says)


def test_a_claimed_jacobian_that_fits_square_matrices_alone_is_not_verified_of_all() -> None:
    report = mc.check("A*x", "x", claim="A*inv(A)*A", kind="jacobian")
    assert report.verdict == "inconclusive"
    assert "declare them, if they are meant" in report.reason
    square = mc.check("A*x", "x", claim="A*inv(A)*A", kind="jacobian", let={"A": "matrix(n, n)"})
    assert square.verdict == "verified"
