"""Derivations: what is printed, and that every line of it is true, as node and as text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from derivations import close, is_plain, values_of_texts

import matcalc as mc
from matcalc.documents.derivation.record import Derivation
from matcalc.expression.operator import TABLE

sys.path.insert(0, str(Path(__file__).parent.parent / "calculus"))
from published import PUBLISHED

CASES = PUBLISHED[::6]
SAMPLES = [(op.name, sample.text, dict(sample.let)) for op in TABLE.values() for sample in op.samples[:1]]
SLOW = {"logm", "logm_frechet", "expm_frechet", "sqrtm", "resolvent_max", "resolvent_min"}
DETAILS = ("brief", "normal", "every-step")


def printed(found: Derivation) -> list[str]:
    return [step.text for step in found]


def test_a_quadratic_form_step_by_step() -> None:
    found = mc.grad("x'*A*x", "x").derivation("every-step")
    assert printed(found) == [
        "df = d(x.T*A*x)",
        "df = x.T*A*dx + d(x.T)*A*x",
        "df = dx.T*A*x + x.T*A*dx",
        "df = x.T*A*dx + dx.T*(A*x)",
        "df = x.T*A*dx + (A*x).T*dx",
        "df = (A*x + A.T*x).T*dx",
        "df = ((A + A.T)*x).T*dx",
        "∇f = (A + A.T)*x",
    ]


def test_least_squares_reads_as_it_is_lectured() -> None:
    found = mc.grad("norm2(A*x - b)^2", "x").derivation()
    assert [(step.text, step.because, step.source) for step in found][1:] == [
        (
            "df = 2*norm2(A*x - b)*d(norm2(A*x - b))",
            "power rule: d(u^2) = 2*u*d(u)",
            "NIST Digital Library of Mathematical Functions, eq. 4.7.10",
        ),
        (
            "df = 2*(A*x - b).T*d(A*x - b)",
            "differential of the norm: d(norm2(u)) = (u.T*d(u))/norm2(u)",
            "Petersen & Pedersen 2012, The Matrix Cookbook, sec. 2.6.1 and 2.7.1",
        ),
        (
            "df = 2*(A*x - b).T*A*dx",
            "the differential passes through what is linear",
            "Magnus & Neudecker 2019, ch. 8.2; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (35), eq. (37)",
        ),
        (
            "df = (2*A.T*(A*x - b)).T*dx",
            "regroup the factors: c.T*A*u = (A.T*c).T*u",
            "Magnus & Neudecker 2019, ch. 1.10; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (14)",
        ),
        ("∇f = 2*A.T*(A*x - b)", "read off the gradient: df = g.T*dx", "Magnus & Neudecker 2019, ch. 9.5"),
    ]


def test_a_step_says_what_it_was_applied_to_and_what_stood_before() -> None:
    step = mc.grad("norm2(A*x - b)^2", "x").derivation()[2]
    assert (step.number, step.level, step.kind) == (3, "normal", "equality")
    assert step.rule == "differential of the norm"
    assert step.where == "norm2(A*x - b)"
    assert str(step.before) == "2*norm2(A*x - b)*d(norm2(A*x - b))"
    assert str(step.after) == "2*(A*x - b).T*d(A*x - b)"
    assert step.latex() == (r"\mathrm{d}f = 2 \left(A x - b\right)^\top \mathrm{d}\left(A x - b\right)")


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row.text} by {row.name}")
def test_a_published_gradient_is_derived(row: Any) -> None:
    """From the statement's differential to the gradient that is printed; each text has its line's value."""
    g = mc.grad(row.text, row.name, row.let or None)
    found = g.derivation()
    names = {step.head.text for step in found if step.kind == "definition"}
    first = next(step for step in found if step.kind == "equality")
    if not names:
        assert first.text == f"{first.head} = d({g.expression.pretty()})"
    if first.head.text.startswith("d"):
        assert found[-1].after.text == g.pretty()
    assert [step.number for step in found] == list(range(1, len(found) + 1))
    for head, values in values_of_texts(g, found).items():
        assert all(close(value, values[0]) for value in values) or g.projected, head


@pytest.mark.parametrize("row", [s for s in SAMPLES if s[0] not in SLOW], ids=lambda row: f"{row[0]}-{row[1]}")
def test_an_operators_sample_is_derived_rule_by_rule(row: Any) -> None:
    """No rule of any operator makes a false line, and what is printed reads back to what was meant."""
    f = mc.parse(row[1], row[2] or None)
    g = mc.grad(f, next(iter(f.variables)))
    found = g.derivation("every-step")
    for head, values in values_of_texts(g, found).items():
        assert all(close(value, values[0]) for value in values) or g.projected, head


@pytest.mark.parametrize("detail", DETAILS)
def test_a_coarser_derivation_has_lines_of_the_finer_one(detail: str) -> None:
    every = mc.grad("x'*A*x/(x'*x)", "x").derivation("every-step")
    found = mc.grad("x'*A*x/(x'*x)", "x").derivation(detail)
    assert set(printed(found)) <= set(printed(every))
    rank = DETAILS.index(detail)
    assert [step.text for step in every if DETAILS.index(step.level) <= rank] == printed(found)


def test_details_differ_in_length() -> None:
    brief, normal, every = (mc.grad("x'*A*x/(x'*x)", "x").derivation(detail) for detail in DETAILS)
    assert len(brief) < len(normal) < len(every)
    with pytest.raises(mc.ParseError, match="the details are brief, normal, every-step"):
        mc.grad("x'*x", "x").derivation("long")


def test_what_is_written_twice_has_a_name() -> None:
    found = mc.grad("norm2(A*x - b)", "x").derivation()
    assert printed(found) == [
        "r = A*x - b",
        "df = d(norm2(r))",
        "df = (r.T*d(r))/norm2(r)",
        "df = (r.T*A*dx)/norm2(r)",
        "df = (A.T*r/norm2(r)).T*dx",
        "∇f = A.T*r/norm2(r)",
        "∇f = A.T*(A*x - b)/norm2(A*x - b)",
    ]


def test_a_name_that_the_text_has_is_not_taken_again() -> None:
    found = mc.grad("norm2(A*x - r)*dx'*f", "x", {"dx": "vector(k)", "f": "vector(k)"}).derivation()
    assert printed(found)[0] == "s = A*x - r"
    assert "dx_" in found[-3].text
    assert found[1].head.text == "df_"


def test_a_structured_name_is_projected_in_the_end() -> None:
    found = mc.grad("tr(A*X)", "X", {"X": "matrix(n, n; symmetric)"}).derivation()
    assert printed(found)[-2:] == ["∇f = A.T", "∇f = 1/2*(A + A.T)"]
    assert found[-1].rule == "X is symmetric, and so is dX: the gradient is projected onto such matrices"


def test_what_does_not_change_has_no_gradient() -> None:
    found = mc.grad("sum(stopgrad(x))", "x").derivation()
    assert printed(found) == ["df = d(sum(stopgrad(x)))", "df = sum(d(stopgrad(x)))", "df = 0", "∇f = zeros(n)"]


@pytest.mark.parametrize(
    ("kind", "arguments", "let", "last"),
    [
        ("jacobian", ("tanh(W*x + b)", "x"), {}, "J = diag(1 - tanh(W*x + b).^2)*W"),
        ("jacobian", ("A*X*B", "X"), {}, "J = kron(B.T, A)"),
        ("jacobian", ("x'*A*x", "x"), {}, "J = x.T*(A + A.T)"),
        ("jacobian", ("t^2*A*x", "t"), {}, "J = 2*t*A*x"),
        (
            "jacobian",
            ("chol(S)", "S"),
            {"S": "matrix(n, n; posdef)"},
            "J[1/2*(dS + dS.T)] = 1/2*chol(S)*half_tril(inv(chol(S))*(dS + dS.T)*inv(chol(S)).T)",
        ),
        ("hessian", ("x'*A*x", "x"), {}, "H = A + A.T"),
        ("hessian", ("norm2(T - U*V')^2", "U"), {}, "H = 2*kron(V.T*V, eye(n))"),
        ("hessian", ("x'*A*y", "x", "y"), {}, "H = A"),
        ("jvp", ("x'*x", "x", "v"), {}, "Df[v] = 2*x.T*v"),
        ("vjp", ("A*x", "x", "u"), {}, "∇inner(u, f) = A.T*u"),
        ("hvp", ("x'*A*x", "x", "v"), {}, "Dg[v] = (A + A.T)*v"),
        (
            "hvp",
            ("logdet(S)", "S", "V"),
            {"S": "matrix(n, n; posdef)"},
            "Dg[V] = -1/2*inv(S)*(V + V.T)*inv(S)",
        ),
    ],
)
def test_every_kind_of_derivative_is_derived(
    kind: str, arguments: tuple[str, ...], let: dict[str, str], last: str
) -> None:
    g = getattr(mc, kind)(*arguments, let=let or None)
    found = g.derivation()
    assert found[-1].text == last
    assert found[-1].after.text == g.pretty()


def test_the_matrix_of_a_differential_is_stated_by_its_rule() -> None:
    step = mc.jacobian("A*X*B", "X").derivation()[2]
    assert step.text == "vec(dF) = kron(B.T, A)*vec(dX)"
    assert step.because == "write it as a matrix: vec(C*U*A) = kron(A.T, C)*vec(U)"


def test_a_hessian_begins_with_the_gradient() -> None:
    found = mc.hessian("x'*A*x", "x").derivation()
    assert printed(found)[3:6] == ["∇f = (A + A.T)*x", "g = (A + A.T)*x", "dg = d((A + A.T)*x)"]


def test_denominator_layout_is_the_last_line() -> None:
    found = mc.jacobian("A*x", "x", layout="denominator").derivation()
    assert printed(found)[-2:] == ["J = A", "J.T = A.T"]


@pytest.mark.parametrize("kind", ["hessian", "hvp", "grad"])
def test_an_unconstrained_derivative_is_derived_of_what_was_written(kind: str) -> None:
    names = ("S", "V") if kind == "hvp" else ("S",)
    g = getattr(mc, kind)("logdet(S)", *names, let={"S": "matrix(n, n; posdef)"}, unconstrained=True)
    assert g.derivation()[-1].after.text == g.pretty()


def test_another_form_is_one_more_line() -> None:
    found = mc.grad("x'*A*x", "x").in_form("expanded").derivation()
    assert printed(found)[-2:] == ["∇f = (A + A.T)*x", "∇f = A*x + A.T*x"]


def test_as_text_latex_and_markdown() -> None:
    found = mc.grad("b'*x", "x").derivation()
    assert found.text() == str(found)
    assert found.text().splitlines() == [
        "The gradient of f = b.T*x by x.",
        "Given b: vector(n), x: vector(n).",
        "",
        "(1)  df = d(b.T*x)",
        "         take the differential [Magnus & Neudecker 2019, ch. 5.4]",
        "(2)     = b.T*dx",
        "         product rule: d(c.T*u) = c.T*d(u) "
        "[Magnus & Neudecker 2019, ch. 8.2; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (37)]",
        "(3)  ∇f = b",
        "         read off the gradient: df = g.T*dx [Magnus & Neudecker 2019, ch. 9.5]",
        "",
        "Every line was found true at 2 points in 90 digits.",
    ]
    assert found.latex() == (
        "\\mathrm{d}f &= \\mathrm{d}\\left(b^\\top x\\right) && \\text{take the differential} \\\\\n"
        "&= b^\\top \\mathrm{d}x && \\text{product rule} \\\\\n"
        "\\nabla f &= b && \\text{read off the gradient}\n"
    )
    assert "1. take the differential (Magnus \\& Neudecker 2019, ch. 5.4)\n\n   $$ \\mathrm{d}f =" in found.markdown()


def test_a_differential_before_a_factor_is_in_parentheses() -> None:
    rows = [step.latex() for step in mc.grad("x'*inv(K)*x", "K").derivation()]
    assert r"\mathrm{d}f = -x^\top K^{-1} \left(\mathrm{d}K\right) K^{-1} x" in rows
    step = mc.grad("x'*A*x", "x").derivation()[1]
    assert step.latex() == r"\mathrm{d}f = \left(\mathrm{d}x\right)^\top A x + x^\top A \mathrm{d}x"
    assert (
        mc.grad("sum(exp(W*x)./y)", "W")
        .derivation()[2]
        .latex()
        .endswith(r"\left(\exp\left(W x\right) \odot \mathrm{d}\left(W x\right) \oslash y\right)")
    )


def test_a_step_beyond_nine_is_one_item_of_a_list() -> None:
    found = mc.grad("norm2(W2*tanh(W1*x + b1) + b2 - y)^2", "W1").derivation()
    assert len(found) == 10
    assert "\n10. r written out\n\n    $$ " in found.markdown()


def test_as_json() -> None:
    found = mc.grad("x'*A*x", "x").derivation()
    shown = json.loads(json.dumps(found.to_dict()))
    assert [step["text"] for step in shown["steps"]] == [step.text for step in found]
    assert shown["steps"][1] == {
        "number": 2,
        "kind": "equality",
        "rule": "product rule",
        "because": "product rule: d(u*C*v) = d(u)*C*v + u*C*d(v)",
        "source": "Magnus & Neudecker 2019, ch. 8.2; Petersen & Pedersen 2012, The Matrix Cookbook, eq. (37)",
        "where": "x.T*A*x, x.T",
        "before": "d(x.T*A*x)",
        "after": "dx.T*A*x + x.T*A*dx",
        "text": "df = dx.T*A*x + x.T*A*dx",
        "latex": r"\mathrm{d}f = \left(\mathrm{d}x\right)^\top A x + x^\top A \mathrm{d}x",
    }


CITED = [
    ("x'*A*x - b'*x", "x", None),
    ("norm2(A*x - b)^2", "x", None),
    ("logdet(X)", "X", None),
    ("tr(A*inv(X))", "X", None),
    ("sum(log1p(exp(-y.*(X*w))))", "w", {"y": "vector(n)"}),
    ("-t'*log_softmax(z)", "z", None),
]


@pytest.mark.parametrize(("text", "wrt", "let"), CITED)
def test_a_rule_has_a_source(text: str, wrt: str, let: dict[str, str] | None) -> None:
    """All but names, and what is written out for them, are rules that a book has, with the place in it."""
    for step in mc.grad(text, wrt, let).derivation("every-step"):
        named = step.kind == "definition" or "written out" in step.rule
        assert named or re.search(r"(ch\.|sec\.|eq\.) \(?[0-9A]", step.source), (step.rule, step.source)


def test_the_same_bytes_in_every_process() -> None:
    program = "import matcalc as mc; print(mc.grad('x\\'*A*x/(x\\'*x)', 'x').derivation('every-step').markdown())"
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(mc.__file__).parent.parent)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_a_line_with_a_differential_in_it_is_told_apart() -> None:
    """What the tests above leave out is what holds d(…), and nothing else."""
    found = mc.grad("norm2(A*x - b)^2", "x").derivation()
    assert [is_plain(step) for step in found] == [False, False, False, True, True, True]
