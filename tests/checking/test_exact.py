"""The witness that computes exactly: its verdicts, where it gives none, and that it contradicts no right derivation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import matcalc as mc
from matcalc.checking.exact import exact_testimony, finding_at, inapplicable
from matcalc.checking.question import CheckOptions, Question
from matcalc.derivative import grad
from matcalc.expression.operator import TABLE, Sample
from matcalc.expression.property import PROPERTIES
from matcalc.language.inference import typed_claim
from matcalc.language.syntax import read

if TYPE_CHECKING:  # pytest would take the class for tests
    from matcalc.checking.testimony import Testimony

OPTIONS = CheckOptions(trials=3)
POSDEF = {"S": "matrix(n, n; posdef)"}
SYMMETRIC = {"S": "matrix(n, n; symmetric)"}
ORTHOGONAL = {"Q": "matrix(n, n; orthogonal)"}


def asked(text: str, wrt: str, claim: str | None = None, let: dict[str, str] | None = None) -> Question:
    f = mc.parse(text, let)
    derived = grad(f, wrt)
    claimed = derived.shown
    if claim is not None:
        program = read(claim, f.limits, names=frozenset(f.variables))
        claimed = typed_claim(program, f.typed, derived.node.shape, f.limits).node
    variables = tuple(v.node for v in f.typed.variables)
    return Question(derived.differentiated, wrt, variables, claimed, projected=derived.projected, text=text)


def said(text: str, wrt: str, claim: str | None = None, let: dict[str, str] | None = None) -> Testimony:
    return exact_testimony(asked(text, wrt, claim, let), OPTIONS)


RIGHT = [
    ("x'*A*x", "x", "(A + A')*x", None),
    ("tr(inv(X)*B)", "X", "-inv(X)'*B'*inv(X)'", None),
    ("det(X)", "X", "adj(X)'", None),
    ("tr(X^5)", "X", "5*(X^4)'", None),
    ("norm2(A*x - b)", "x", "A'*(A*x - b)/norm2(A*x - b)", None),
    ("sum(sqrt(x))", "x", "1./(2*sqrt(x))", None),
    ("logdet(X'*X)", "X", "2*X*inv(X'*X)", None),
    ("logsumexp(A*x)", "x", "A'*softmax(A*x)", None),
    ("sum(softplus(x))", "x", "1./(1 + exp(-x))", None),
    ("w'*tanh(W*x)", "W", "(w.*(1 - tanh(W*x).^2))*x'", None),
    ("sum(asin(x))", "x", "(1 - x.^2).^(-1/2)", None),
    ("abs(a)^2*b", "b", "a^2", None),
    ("norm2(det(A)*x)^2", "x", "2*det(A)^2*x", None),
    ("sin(a)*cosh(a)", "a", "cos(a)*cosh(a) + sin(a)*sinh(a)", None),
    ("atan2(a, b)", "b", "-a/(a^2 + b^2)", None),
    ("pi*a^2", "a", "2*pi*a", None),
    ("x'*x/3", "x", "2*x/3", None),
    ("a*stopgrad(a)^2", "a", "a^2", None),
    ("tr(A*S)", "S", "(A + A')/2", SYMMETRIC),
    ("tr(inv(S)*B)", "S", "-inv(S)*(B + B')*inv(S)/2", POSDEF),
    ("x'*D*y", "D", "diag(x.*y)", {"D": "matrix(n, n; diagonal)"}),
    ("norm2(Q*x)^2", "x", "2*x", ORTHOGONAL),
    ("tr(Q'*A*Q)", "Q", "(A + A')*Q", ORTHOGONAL),
    ("a*sum(p)", "a", "1", {"p": "vector(n; simplex)"}),
    ("sum(x.*k)", "x", "k", {"k": "vector(n; integer)"}),
    ("sum(W*P)", "W", "ones(m, n)*P'", {"P": "matrix(k, n; simplex)", "W": "matrix(m, k)"}),
]


@pytest.mark.parametrize(("text", "wrt", "claim", "let"), RIGHT)
def test_what_is_right_holds_with_a_certificate(text: str, wrt: str, claim: str, let: dict[str, str] | None) -> None:
    testimony = said(text, wrt, claim, let)
    assert testimony.agrees is True, testimony.says
    assert float(testimony.says.rpartition("below ")[2]) < 1e-15


TINY = "1/10^15/10^15"
WRONG = [
    ("x'*A*x", "x", "2*A*x", None),
    ("x'*A*x", "x", f"(A + A')*x + {TINY}*x", None),
    ("x'*A*x + c*x'*x", "x", f"(A + A')*x + 2*c*x + {TINY}*c^2*x", None),
    ("x'*x", "x", f"2*x + {TINY}*x[1]*basis(1, 4)", {"x": "vector(4)"}),
    ("tr(inv(X)*B)", "X", "-inv(X)*B'*inv(X)", None),
    ("log(det(X))", "X", "inv(X)", None),
    ("norm2(A*x - b)", "x", "A'*(A*x - b)", None),
    ("norm2(x)", "x", "-x/norm2(x)", {"x": "vector(4)"}),
    ("sum(sqrt(x))", "x", "-1./(2*sqrt(x))", None),
    ("w'*tanh(x)", "x", "w.*(1 - x.^2)", None),
    ("-t'*log_softmax(z)", "z", "softmax(z) - t", None),
    ("a*log(a) + b*log(b)", "a", "log(a) + 2", None),
    ("tr(A*S)", "S", "A", SYMMETRIC),
    ("tr(A*S)", "S", "A'", SYMMETRIC),
    ("x'*L*y", "L", "x*y'", {"L": "matrix(n, n; lower)"}),
    ("norm2(Q*x)^2", "x", "2*Q*x", ORTHOGONAL),
    ("x'*Q*x", "x", "x*(1 + det(Q))", ORTHOGONAL),
    ("a*stopgrad(a)^2", "a", "3*a^2", None),
    ("pi*a^2", "a", "6*a", None),
    ("x'*x", "x", "(2^127 - 1)*x + 2*x", None),
]


@pytest.mark.parametrize(("text", "wrt", "claim", "let"), WRONG)
def test_what_is_wrong_is_refuted(text: str, wrt: str, claim: str, let: dict[str, str] | None) -> None:
    testimony = said(text, wrt, claim, let)
    assert testimony.agrees is False, testimony.says
    assert "is false" in testimony.says


UNSAID = [
    ("norm1(x)", "x", None, None, "norm1 is not exact: norm1(x)"),
    ("sum(relu(A*x))", "x", None, None, "relu is not exact: relu(A*x)"),
    ("abs(a)*b", "b", None, None, "a root may be that of a square, and its sign is not known"),
    ("sqrt(a^2)", "a", "a/sqrt(a^2)", None, "a root may be that of a square, and its sign is not known"),
    ("sqrt(a)*sqrt(b)", "a", "b/(2*sqrt(a*b))", None, "a root may be that of a square"),
    ("sqrt(2*a^2)", "a", "sqrt(2)", None, "the root of 2 is irrational"),
    ("a^b", "a", None, {"a": "scalar(; positive)"}, "an exponent varies"),
    ("a^(1/3)", "a", None, None, "the exponent 1/3 is no half of a whole one"),
    (
        "a*log(a*b)",
        "a",
        "log(a) + log(b) + 1",
        None,
        "independent values of log, and these may be related",
    ),
    (
        "logsumexp(sqrt(y).*x)",
        "x",
        "sqrt(y).*exp(sqrt(y).*x .- logsumexp(sqrt(y).*x))",
        None,
        "values of exp and log, and these may be related",
    ),
    ("sin(2*a)", "a", "2*cos(a)^2 - 2*sin(a)^2", None, "independent values of sin and cos, and these may be related"),
    ("sum(x.*y)", "x", None, {"y": "vector(n; onehot)"}, "y is declared onehot"),
    ("tr(Q*A)", "A", None, {"Q": "matrix(n, n; orthogonal, symmetric)"}, "Q is declared orthogonal and more"),
    ("x'*x", "x", "2.0000000000000004*x", None, "disagrees, but has numbers of 16 decimals, which stand for others"),
    ("1/det(x*x')", "x", None, None, "a denominator vanishes at every point"),
]


@pytest.mark.parametrize(("text", "wrt", "claim", "let", "reason"), UNSAID)
def test_where_it_does_not_answer_it_says_why(
    text: str, wrt: str, claim: str | None, let: dict[str, str] | None, reason: str
) -> None:
    testimony = said(text, wrt, claim, let)
    assert testimony.agrees is None
    assert reason in testimony.says


def test_a_function_of_tensors_is_not_arithmetic_in_a_field() -> None:
    question = replace(asked("x'*x", "x"), claimed=lambda x: 2 * x)
    testimony = exact_testimony(question, OPTIONS)
    assert (testimony.witness, testimony.agrees) == ("exact", None)
    assert testimony.says == "a function of tensors is not arithmetic in a field"


TENSORS = [
    ("tanh(W*x + b)", "x", "jacobian", "diag(1 - tanh(W*x + b).^2)*W", "W"),
    ("X*A*X", "X", "jacobian", "kron((A*X)', eye(n)) + kron(eye(n), X*A)", "kron((A*X)', eye(n))"),
    ("log(det(X))", "X", "hessian", "-commutation(n, n)*kron(inv(X)', inv(X))", "-kron(inv(X)', inv(X))"),
    ("x'*A*x", "x", "hessian", "A + A'", "2*A"),
]


@pytest.mark.parametrize(("text", "wrt", "kind", "right", "wrong"), TENSORS)
def test_jacobians_and_hessians_are_heard_as_well(text: str, wrt: str, kind: str, right: str, wrong: str) -> None:
    let = {"X": "matrix(n, n)", "A": "matrix(n, n)"}
    used = {name: let[name] for name in let if name in text}
    for claim, holds in ((right, True), (wrong, False)):
        report = mc.check(text, wrt, claim=claim, let=used, kind=kind, trials=2)
        assert {t.witness: t.agrees for t in report.testimonies}["exact"] is holds


def test_sizes_beyond_exact_arithmetic_are_refused() -> None:
    options = CheckOptions(sizes={"n": 900})
    assert inapplicable(asked("x'*A*x", "x"), options) == "the sizes are too large for exact arithmetic"


def test_the_certificate_names_prime_sizes_degree_and_error() -> None:
    assert exact_testimony(asked("x'*A*x", "x"), CheckOptions(trials=2)).says == (
        "holds over GF(p), p a random 127-bit prime, at a random point of n=3; n=1; degree at most 3: "
        "a false claim passes with probability below 1e-36"
    )


def test_a_degree_beyond_the_prime_gives_no_certificate() -> None:
    text = "a"
    for _ in range(8):
        text = f"({text})^1000"
    finding = finding_at(asked(f"b*{text}", "b", text), {}, 0)
    assert finding.agrees is None
    assert "is too large for a certificate" in finding.why


def test_the_same_question_is_answered_with_the_same_words() -> None:
    assert said("tr(inv(X)*B)", "X") == said("tr(inv(X)*B)", "X")


ROWS = [(op.name, sample) for op in TABLE.values() for sample in op.samples]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1].text}")
def test_the_derivation_of_a_sample_is_not_contradicted(row: tuple[str, Sample]) -> None:
    for name in mc.parse(row[1].text, dict(row[1].let)).variables:
        question = asked(row[1].text, name, None, dict(row[1].let))
        testimony = exact_testimony(question, CheckOptions(trials=2))
        assert testimony.agrees is not False, f"{name}: {testimony.says}"
        if TABLE[row[0]].exact is True and not inapplicable(question, OPTIONS):
            assert testimony.agrees, f"{name}: {testimony.says}"


def test_every_property_can_be_drawn_or_is_refused_by_name() -> None:
    refused = {
        name
        for name, record in PROPERTIES.items()
        if not record.dense and record.project is None and record.parametrized is None
    }
    assert refused == {"onehot"}


def test_what_holds_at_whole_numbers_alone_is_not_disproved_in_a_field() -> None:
    """cos(2*pi*n) is 1 there, which independent values of cos are not; the gradient of cos(pi*n)*x^2 is another."""
    let = {"n": "scalar(; integer)", "x": "scalar"}
    assert mc.check("cos(2*pi*n)*x^2", "x", claim="2*x", let=let).verdict == "verified"
    assert mc.check("cos(pi*n)*x^2", "x", claim="2*x", let=let).verdict == "refuted"
