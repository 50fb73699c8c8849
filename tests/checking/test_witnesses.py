"""The witnesses, each by itself, and their vote: who is the odd one out, and that a liar turns no verdict."""

from __future__ import annotations

import cmath
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking import testimony
from matcalc.checking.evidence import Evidence
from matcalc.checking.float_differences import complex_slope
from matcalc.checking.vote import vote
from matcalc.checking.witnesses import ALWAYS, WITNESSES, Witness, chosen, quick
from matcalc.verification import options_from

SQUARE = {"X": "matrix(n, n)"}
COUNTED = [name for name, witness in WITNESSES.items() if witness.kin]
MEASURING = [name for name in COUNTED if name != "exact"]
"""Those that give figures, and take functions of tensors."""

RIGHT_AND_WRONG = [
    ("x'*A*x - b'*x", "x", "(A + A')*x - b", "2*A*x - b", {}),
    ("log(det(X))", "X", "inv(X)'", "inv(X)", SQUARE),
    ("norm2(A*x)^2", "x", "2*A'*A*x", "2*A'*A*x + 1e-5*x", {}),
    ("sum(softmax(x).*x)", "x", "softmax(x).*(x .+ (1 - softmax(x)'*x))", "softmax(x).*x", {}),
    ("tr(X'*X*S)", "X", "2*X*S", "X*S", {"S": "matrix(k, k; symmetric)"}),
    ("tr(S*S*S)", "S", "3*S*S", "2*S*S", {"S": "matrix(n, n; symmetric)"}),
]


def told(report: mc.Report, name: str) -> testimony.Testimony:
    return next(each for each in report.testimonies if each.witness == name)


def check(text: str, name: str, claim: Any, let: Mapping[str, str], **options: Any) -> mc.Report:
    return mc.check(text, name, claim=claim, let=dict(let) or None, **options)


# ------------------------------------------------------------------------------------------------- each by itself


@pytest.mark.parametrize("witness", MEASURING)
@pytest.mark.parametrize(("text", "name", "right", "wrong", "let"), RIGHT_AND_WRONG)
def test_a_witness_says_yes_to_a_right_claim_and_no_to_a_wrong_one(
    witness: str, text: str, name: str, right: str, wrong: str, let: dict[str, str]
) -> None:
    yes, no = (told(check(text, name, claim, let, witnesses=[witness]), witness) for claim in (right, wrong))
    assert (yes.agrees, no.agrees) == (True, False), (yes, no)
    assert yes.error is not None
    assert no.error is not None
    assert yes.error <= 1e-9 < 1e-6 < no.error


@pytest.mark.parametrize("witness", MEASURING)
def test_a_function_as_claim_is_heard_by_every_witness_that_measures(witness: str) -> None:
    right = check("x'*A*x", "x", lambda x, A: (A + A.T) @ x, {}, witnesses=[witness])
    wrong = check("x'*A*x", "x", lambda x, A: 2 * A @ x, {}, witnesses=[witness])
    assert (told(right, witness).agrees, told(wrong, witness).agrees) == (True, False)


@pytest.mark.parametrize("witness", COUNTED)
def test_nan_and_another_shape_are_agreement_for_nobody(witness: str) -> None:
    for claim in (lambda x: x * float("nan"), lambda x: torch.cat([x, x])):
        report = check("x'*x", "x", claim, {}, witnesses=[witness])
        assert told(report, witness).agrees is not True
        assert report.verdict != "verified"


def test_sympys_own_derivative_is_heard_and_decides_nothing() -> None:
    report = check("log(det(X))", "X", "inv(X)'", SQUARE, witnesses=["sympy-diff"])
    said = told(report, "sympy-diff")
    assert (report.verdict, report.odd_one_out) == ("verified", "")
    assert (said.agrees, said.says) == (False, "SymPy's diff gives 0, which the other witnesses contradict")
    wrong = check("log(det(X))", "X", "0*X", SQUARE, witnesses=["sympy-diff"])
    assert (wrong.verdict, told(wrong, "sympy-diff").agrees) == ("refuted", True)
    right = told(check("tr(A*X)", "X", "A'", {}, witnesses=["sympy-diff"]), "sympy-diff")
    assert (right.agrees, right.says) == (True, "SymPy's diff gives A.T")


def test_sympy_says_what_it_has_no_word_for() -> None:
    report = mc.check("norm_nuc(X)", "X", witnesses=["sympy", "sympy-diff"])
    assert report.ok
    assert (told(report, "sympy").agrees, told(report, "sympy-diff").agrees) == (None, None)
    assert "has no SymPy form" in told(report, "sympy").says


def test_forward_mode_says_where_torch_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from matcalc.checking import torch_witnesses

    def refuses(*given: Any) -> float:
        raise NotImplementedError("Trying to use forward AD with x that does not support it")

    monkeypatch.setattr(torch_witnesses, "along_by_duals", refuses)
    report = mc.check("x'*x", "x")
    assert (report.verdict, told(report, "forward").agrees) == ("verified", None)
    assert "torch has no forward mode here" in told(report, "forward").says


@pytest.mark.parametrize("text", ["x'*x + sum(stopgrad(x).*x)", "stopgrad(x'*x)*sum(x)"])
def test_what_is_held_constant_is_so_for_every_witness(text: str) -> None:
    report = mc.check(text, "x", witnesses="all")
    assert report.ok, str(report)
    assert [told(report, name).agrees for name in COUNTED] == [True] * len(COUNTED)


# -------------------------------------------------------------------------------------------------- complex steps


@pytest.mark.parametrize(
    ("f", "slope"),
    [(cmath.exp, 1.0), (lambda z: (2 + z) ** 7, 448.0), (lambda z: cmath.sin(50 * z), 50.0), (lambda z: 3.0 + 0j, 0.0)],
)
def test_a_complex_step_is_exact_where_the_code_is_analytic(f: Any, slope: float) -> None:
    found = complex_slope(f)
    assert found is not None
    assert abs(found.value - slope) <= max(found.error, 4e-16 * slope)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: complex(abs(1 + z)),
        lambda z: (1 + z) * (1 + z.conjugate()),
        lambda z: 1 + z + 1e-6 * z.conjugate(),
        lambda z: complex((1 + z).real),
        lambda z: 1 / (z - 0.001),
        lambda z: cmath.sqrt(z + 0.001),
        lambda z: complex("nan"),
        lambda z: 1 / 0 * z,
    ],
)
def test_a_complex_step_is_refused_where_it_is_not(f: Any) -> None:
    assert complex_slope(f) is None


@pytest.mark.parametrize("text", ["norm2(x)", "sum(abs(x))", "sum(relu(x))", "max(x)", "logdet(x*x' + eye(n))"])
def test_code_that_means_something_else_at_complex_numbers_is_differenced(text: str) -> None:
    said = told(mc.check(text, "x", witnesses=["differences"]), "differences")
    assert (said.agrees, "no complex steps" in said.says) == (True, True), said


# ------------------------------------------------------------------------------------------- liars, and the vote


class Liar(Witness):
    """A witness that swears to the contrary."""

    def hear(self, evidence: Evidence) -> testimony.Testimony:
        true = super().hear(evidence)
        return replace(true, agrees=not true.agrees, error=0.0 if true.agrees is False else 1.0)


def with_liar(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    own = WITNESSES[name]
    monkeypatch.setitem(WITNESSES, name, Liar(own.name, own.called, own.says, own.kin, own.quick, own.where))


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("witnesses", [None, "all"])
def test_a_liar_is_the_odd_one_out_and_turns_no_verdict(
    monkeypatch: pytest.MonkeyPatch, name: str, witnesses: str | None
) -> None:
    with_liar(monkeypatch, name)
    heard = witnesses or [*quick(), name]
    for claim, verdict in (("(A + A')*x", "verified"), ("2*A*x", "refuted")):
        report = mc.check("x'*A*x", "x", claim=claim, witnesses=heard)
        assert report.odd_one_out == WITNESSES[name].called, str(report)
        assert report.verdict == ("inconclusive" if name == "precise" else verdict), str(report)


def test_a_liar_that_never_counts_is_only_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with_liar(monkeypatch, "sympy-diff")
    report = mc.check("tr(A*X)", "X", claim="A'", witnesses=["sympy-diff"])
    assert (report.verdict, report.odd_one_out, told(report, "sympy-diff").agrees) == ("verified", "", False)


def test_lowered_values_that_are_off_are_laid_to_the_lowering(monkeypatch: pytest.MonkeyPatch) -> None:
    from matcalc.checking import observation, run

    right = run.autograd
    for module in (observation, run):
        monkeypatch.setattr(module, "autograd", lambda *given: (right(*given)[0], 1.01 * right(*given)[1]))
    report = mc.check("x'*A*x", "x")
    assert (report.verdict, report.odd_one_out) == ("inconclusive", "our lowering")


def test_a_value_that_only_reference_arithmetic_has_is_laid_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from matcalc.checking import observation

    right = observation.judged
    monkeypatch.setattr(observation, "judged", lambda *given: replace(right(*given), value=1.01 * right(*given).value))
    report = mc.check("x'*A*x", "x")
    assert (report.verdict, report.odd_one_out) == ("inconclusive", "the 90-digit arithmetic")


def said(witness: str, agrees: bool | None, error: float = 0.0, trials: set[int] | None = None) -> testimony.Testimony:
    visible = {"precise": 1e-18, "sympy": 1e-14}.get(witness, 1e-8)
    seen = None if trials is None else frozenset(trials)
    return testimony.Testimony(witness, agrees, "", None if agrees is None else error, visible, seen)


@pytest.mark.parametrize(
    ("heard", "derivation", "verdict", "odd"),
    [
        ([], None, "inconclusive", ()),
        ([said("autograd", True)], None, "inconclusive", ()),
        ([said("autograd", True), said("forward", True)], None, "inconclusive", ()),
        ([said("autograd", True), said("differences", True)], None, "verified", ()),
        ([said("autograd", False, 1.0), said("forward", False, 1.0)], None, "inconclusive", ()),
        ([said("autograd", False, 1.0), said("sympy", False, 1.0)], None, "refuted", ()),
        ([said("precise", True), said("autograd", None)], None, "verified", ()),
        # what floats do not see says nothing against digits that do
        ([said("autograd", True), said("differences", True), said("precise", False, 1e-12)], None, "refuted", ()),
        ([said("autograd", True), said("sympy", True), said("precise", False, 1e-17)], None, "refuted", ()),
        # nor what they say of other points
        ([said("autograd", True, trials={1, 2}), said("differences", True, trials={2}),
          said("precise", False, 1.0, trials={0})], None, "refuted", ()),
        ([said("autograd", True, trials={0, 1}), said("differences", True, trials={0, 1}),
          said("precise", False, 1.0, trials={0})], None, "inconclusive", ("precise",)),
        # what they would have seen does
        ([said("autograd", True), said("differences", True), said("precise", False, 1.0)], None, "inconclusive",
         ("precise",)),
        # kin count as one
        ([said("autograd", False, 1.0), said("forward", False, 1.0), said("precise", True)], None, "inconclusive", ()),
        ([said("autograd", False, 1.0), said("forward", False, 1.0), said("precise", True)], True, "verified",
         ("autograd", "forward")),
        ([said("autograd", False, 1.0), said("precise", True)], False, "inconclusive", ("precise",)),
        ([said("autograd", False, 1.0), said("precise", True), said("sympy", True)], None, "verified", ("autograd",)),
        ([said("autograd", False, 1.0), said("differences", False, 1.0), said("precise", True), said("sympy", True)],
         None, "inconclusive", ()),
        # what never counts
        ([said("precise", True), said("sympy-diff", False, 1.0)], None, "verified", ()),
        ([said("sympy", False, float("inf")), said("precise", False, float("inf"))], None, "refuted", ()),
    ],
)  # fmt: skip
def test_the_vote(
    heard: list[testimony.Testimony], derivation: bool | None, verdict: str, odd: tuple[str, ...]
) -> None:
    outcome = vote(heard, derivation)
    assert (outcome.verdict, outcome.odd) == (verdict, odd), outcome
    assert bool(outcome.reason) == (verdict == "inconclusive")


def test_of_several_questions_the_worst_word_counts() -> None:
    heard = [said("autograd", True, 1e-12), said("precise", True), said("autograd", True, 1e-9), said("precise", None)]
    assert [(t.witness, t.agrees, t.error) for t in testimony.together(heard)] == [
        ("autograd", True, 1e-9),
        ("precise", None, None),
    ]
    assert [
        t.agrees for t in testimony.together([said("sympy", None), said("sympy", False, 1.0), said("sympy", True)])
    ] == [False]


# ---------------------------------------------------------------------------------------------- which are heard


def test_those_that_are_chosen_are_heard_beside_those_that_always_are() -> None:
    assert [t.witness for t in mc.check("x'*x", "x").testimonies] == list(quick())
    assert [t.witness for t in mc.check("x'*x", "x", witnesses=["sympy"]).testimonies] == [*ALWAYS, "sympy"]
    assert [t.witness for t in mc.check("x'*x", "x", witnesses="all").testimonies] == list(WITNESSES)
    assert chosen(["precise", "autograd"]) == ALWAYS


def test_a_witness_that_is_none_is_refused_with_the_list() -> None:
    with pytest.raises(mc.ParseError, match="there is no witness 'oracle'") as error:
        mc.check("x'*x", "x", witnesses=["oracle"])
    assert ", ".join(WITNESSES) in str(error.value)


def test_the_report_lists_the_testimonies_in_text_and_json() -> None:
    report = mc.check("x'*A*x", "x", claim="2*A*x", witnesses=["sympy"])
    assert "\n  sympy        disagrees: SymPy's values in 60 digits, differenced, off by " in str(report)
    held = json.loads(json.dumps(report.to_dict(), allow_nan=False))["testimonies"]
    assert [(t["witness"], t["agrees"]) for t in held] == [("autograd", False), ("precise", False), ("sympy", False)]


def test_every_witness_says_what_it_is() -> None:
    for name, witness in WITNESSES.items():
        assert name == witness.name
        assert witness.says.endswith(".")
        assert witness.called


@pytest.mark.parametrize(
    ("kind", "text", "names", "claim"),
    [
        ("jacobian", "tanh(W*x)", "x", "diag(1 - tanh(W*x).^2)*W"),
        ("hessian", "x'*A*x", "x", "A + A'"),
        ("jacobian", "A*X*B", "X", "kron(B', A)"),
    ],
)
def test_claims_of_tensors_carry_testimonies(kind: str, text: str, names: str, claim: str) -> None:
    right, wrong = (mc.check(text, names, claim=each, kind=kind) for each in (claim, f"1.5*({claim})"))
    assert right.ok
    assert {t.witness: t.agrees for t in right.testimonies} == dict.fromkeys(quick(), True)
    assert wrong.verdict == "refuted"
    assert {t.witness: t.agrees for t in wrong.testimonies} == dict.fromkeys(quick(), False)


def test_our_own_tensors_and_directional_derivatives_carry_testimonies() -> None:
    for found in (
        mc.hessian("sum(log1p(exp(X*w)))", "w"), mc.jacobian("A*X*B", "X"), mc.jvp("tanh(W*x)", "x", "v"),
        mc.vjp("tanh(W*x)", "x", "u"), mc.hvp("x'*A*x*x'*x", "x", "v"),
    ):  # fmt: skip
        report = found.check(witnesses=["forward", "differences"])
        assert report.ok, str(report)
        assert {t.witness: t.agrees for t in report.testimonies} == dict.fromkeys(
            ("autograd", "forward", "differences", "precise"), True
        )
    report = mc.jacobian("A*X*B", "X").check()
    assert "torch.func.jacrev agrees with the whole tensor" in told(report, "autograd").says
    assert "torch.func.jacfwd agrees with the whole tensor" in told(report, "forward").says


def test_large_sizes_carry_testimonies() -> None:
    report = mc.check("x'*A*x", "x", sizes={"n": 300}, witnesses=["forward", "sympy"])
    assert {t.witness: t.agrees for t in report.testimonies} == {
        "autograd": True, "forward": True, "differences": True, "precise": None, "sympy": None,
    }  # fmt: skip
    wrong = mc.check("x'*A*x", "x", claim="2*A*x", sizes={"n": 300})
    assert (wrong.verdict, wrong.odd_one_out) == ("refuted", "the claim")
    assert (told(wrong, "autograd").agrees, told(wrong, "differences").agrees) == (False, False)


# ------------------------------------------------------------------------------- blind spots of other checkers


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("x'*A*x", {"A": [[2.0, 1.0], [1.0, 3.0]], "x": [1.0, 2.0]}),
        ("x'*A*x", {"x": [0.0, 0.0]}),
        ("1e-7*x'*A*x", None),
        ("1e-8*x'*A*x", None),
    ],
)
@pytest.mark.parametrize("witness", COUNTED)
def test_what_gradcheck_passes_is_refuted(text: str, at: Any, witness: str) -> None:
    factor = text.partition("x'")[0] or "1*"
    report = mc.check(text, "x", claim=f"{factor}2*A*x", at=at or (), witnesses=[witness])
    assert (report.verdict, report.odd_one_out) == ("refuted", "the claim")
    assert told(report, witness).agrees is False
    assert mc.check(text, "x", claim=f"{factor}(A + A')*x", at=at or (), witnesses=[witness]).ok


def test_one_diagonal_entry_of_two_hundred_is_seen() -> None:
    def claimed(off: float) -> Any:
        def jacobian(x: torch.Tensor) -> torch.Tensor:
            made = torch.diag(2 * x)
            made[77, 77] += off
            return made

        return jacobian

    for off, verdict in ((0.0, True), (0.3, False)):
        report = mc.check("x.^2", "x", claim=claimed(off), kind="jacobian", sizes={"n": 200}, trials=2)
        assert report.ok == verdict, str(report)
    assert report.verdict == "refuted"


def test_right_gradients_in_float32_and_of_cholesky_are_verified() -> None:
    for text, name, let in (
        ("x'*A*x", "x", None), ("sum(log(x))", "x", {"x": "vector(n; positive)"}),
        ("sum(chol(S))", "S", {"S": "matrix(n, n; posdef)"}), ("tr(chol(S)'*A)", "S", {"S": "matrix(n, n; posdef)"}),
    ):  # fmt: skip
        report = mc.check(text, name, let=let, dtypes=("float32",), witnesses=["differences"])
        assert report.ok, str(report)
        assert {t.agrees for t in report.testimonies} == {True}


# ------------------------------------------------------------------------------------------- points of one's own

SINGULAR = [[2.0, 1.0, 1.0], [1.0, 3.0, 3.0], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("claim", [None, "adj(X)'", "det(X)*inv(X)'"])
def test_torch_is_the_odd_one_out_at_a_singular_determinant(claim: str | None) -> None:
    report = mc.check("det(X)", "X", claim=claim, at={"X": SINGULAR})
    assert (report.verdict, report.trials) == ("verified", 6)
    assert report.odd_one_out == "torch autograd and torch forward mode"
    assert "torch autograd and torch forward mode are the odd ones out" in str(report)
    assert told(report, "exact").agrees is True


def test_a_wrong_claim_is_refuted_at_a_singular_determinant_too() -> None:
    assert mc.check("det(X)", "X", claim="0*X", at={"X": SINGULAR}).verdict == "refuted"
    assert mc.check("det(X)*0 + x'*x", "x", claim="2*x", at={"X": SINGULAR}).ok


@pytest.mark.parametrize(
    ("text", "let", "at", "says"),
    [
        (
            "sum(abs(x))",
            {},
            {"x": [0, 1, 2]},
            "no derivative there; torch takes [0, 1, 1], and so does our code",
        ),
        (
            "norm2(x)",
            {},
            {"x": [0, 0]},
            "there; torch takes 0, and so does our code",
        ),
        ("max(x)", {}, {"x": [1, 1]}, "torch takes 0.5, and so does our code"),
        ("relu(x)", {"x": "scalar"}, {"x": 0}, "torch takes 0, and so does our code"),
        ("lambda_max(x)", {"x": "matrix(n, n; symmetric)"}, {"x": [[2, 0], [0, 2]]}, "a kink: "),
        ("norm_nuc(x)", {"x": "matrix(n, m)"}, {"x": [[1, 2], [2, 4]]}, "a kink: "),
        ("log(x)", {"x": "scalar"}, {"x": -1}, "the function is not defined there"),
        ("sqrt(x)", {"x": "scalar"}, {"x": 0}, "the function is not defined on every side"),
    ],
)
def test_torchs_convention_is_told_and_no_error(text: str, let: dict[str, str], at: dict[str, Any], says: str) -> None:
    report = mc.check(text, "x", let=let or None, at=at)
    assert report.ok, str(report)
    (line,) = report.edges
    assert line.startswith("at given point 1: ")
    assert says in line
    assert line in str(report)
    assert report.to_dict()["edges"] == [line]


def test_a_claim_with_another_convention_is_no_error_either() -> None:
    report = mc.check("sum(abs(x))", "x", claim="sign(x)", at={"x": [0.0, 1.0]})
    assert report.ok
    assert "torch takes [0, 1], and so does the claim" in report.edges[0]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("x'*x", {"x": [0.0, 0.0]}),
        ("sum(x.^4)", {"x": [0.0, 1.0]}),
        ("norm2(x)", {"x": [0.0, 1.0]}),
        ("norm2(x)^3", {"x": [0.0, 0.0]}),
        ("sum(relu(x).^2)", {"x": [0.0, 1e-9]}),
        ("1e-12*x'*x", {"x": [1e-9, 1e-8]}),
        ("sum(exp(1e8*x))", {"x": [1e-8, 0.0]}),
    ],
)
def test_a_smooth_point_of_ones_own_counts(text: str, at: dict[str, Any]) -> None:
    report = mc.check(text, "x", at=at)
    assert (report.verdict, report.edges) == ("verified", ()), str(report)
    assert report.trials > mc.check(text, "x").trials


def test_a_point_that_happens_to_lie_on_a_jump_refutes_nothing() -> None:
    let = {"x": "vector(n; onehot)", "y": "vector(m)"}
    report = mc.check("prod(heaviside(x[0])) + norm2(y)", "x", let=let)
    assert report.verdict != "refuted", str(report)
    assert any("a kink: the function has no derivative there" in line for line in report.discarded)
    wrong = mc.check("prod(heaviside(x[0])) + norm2(y)", "y", claim="y", let=let)
    assert wrong.verdict == "refuted"


def test_a_claim_that_is_wrong_at_the_given_point_alone_is_refuted() -> None:
    report = mc.check("(x - 7)^2*a", "x", claim="2*(x - 7)*a + where(abs(x - 7.5) - 0.01, 0, 1)", at={"x": 7.5})
    assert report.verdict == "refuted"
    assert report.counterexample is not None
    assert mc.check("sum(x)", "x", claim=lambda x: torch.ones_like(x) + (x == 5), at={"x": [1, 5]}).verdict == "refuted"


def test_sizes_follow_the_given_values_and_other_names_are_drawn() -> None:
    seen: list[tuple[int, ...]] = []

    def claimed(x: torch.Tensor, A: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(A.shape))
        return (A + A.T) @ x

    points = [{"x": np.arange(1.0, 8.0)}, {"A": torch.eye(9).tolist()}]
    assert mc.check("x'*A*x", "x", claim=claimed, at=points).ok
    assert {(7, 7), (9, 9)} <= set(seen)


@pytest.mark.parametrize(
    ("at", "error", "says"),
    [
        ({"y": [1.0]}, mc.ParseError, "there is no 'y' to give a value"),
        ({"x": "many"}, mc.ParseError, "the value of x is no array of numbers"),
        ({"x": [1j]}, mc.ParseError, "the value of x is complex"),
        ({"x": [[1.0, 2.0], [3.0]]}, mc.ParseError, "the value of x is no array of numbers"),
        ({"x": [1.0, float("nan")]}, mc.DomainError, "the value of x is not finite"),
        ({"S": [[1.0, 2.0], [3.0, 4.0]]}, mc.DomainError, "the value of S is not symmetric"),
        ({"S": [[1.0, 2.0]]}, mc.ShapeError, "the value of S is 1×2"),
        ({"x": [1.0], "S": [[1.0, 0.0], [0.0, 1.0]]}, mc.ShapeError, "the value of S is 2×2"),
        ({"x": [[[1.0]]]}, mc.ShapeError, "the value of x is 1×1×1"),
        ({"x": []}, mc.ShapeError, "the value of x is 0"),
        (3, mc.ParseError, "a point is a mapping from names to values"),
        ([3], mc.ParseError, "a point is a mapping from names to values"),
    ],
)
def test_a_point_that_is_none_is_refused(at: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        mc.check("x'*S*x", "x", let={"S": "matrix(n, n; symmetric)"}, at=at)


def test_edges_are_looked_for_on_demand_and_decide_nothing() -> None:
    assert mc.check("norm2(x)", "x").edges == ()
    told_of = mc.check("norm2(x)", "x", edges=True)
    assert told_of.ok
    assert (
        told_of.edges[0]
        == "at x = 0: a kink: the function has no derivative there; torch takes 0, and so does our code"
    )
    nuclear = mc.check("norm_nuc(X)", "X", edges=True).edges
    assert any(line.startswith("at X of rank one: a kink") for line in nuclear)
    determinant = mc.check("det(X)", "X", edges=True)
    assert determinant.ok
    assert any(line.startswith("at X of rank one: ") for line in determinant.edges)
    singular = [line for line in determinant.edges if "whose last row is its first" in line]
    assert all("smooth; torch takes 0, our code gives" in line for line in singular)  # some processors see no 0 there
    wrong = mc.check("sum(abs(x))", "x", claim="-sign(x)", edges=True)
    assert (wrong.verdict, bool(wrong.edges)) == ("refuted", True)


def test_the_options_of_a_check_hold_what_was_asked_for() -> None:
    given = options_from(witnesses=["sympy"], at={"x": [1.0]}, edges=True)
    assert (given.witnesses, given.at, given.edges) == (("autograd", "precise", "sympy"), ({"x": [1.0]},), True)
    assert options_from().witnesses == quick()


def test_a_check_with_witnesses_and_points_is_carried_out_again_bit_for_bit() -> None:
    options = {"witnesses": ["sympy"], "at": {"x": np.zeros(3), "A": torch.eye(3)}, "edges": True}
    for claim in ("(A + A')*x", "2*A*x"):
        assert mc.replay(mc.check("x'*A*x", "x", claim=claim, **options).to_dict()).same


def test_claims_of_directional_derivatives_carry_testimonies() -> None:
    for kind, right in (("jvp", "x'*(A + A')*v"), ("vjp", "v*(A + A')*x"), ("hvp", "(A + A')*v")):
        for claim, agrees in ((right, True), (f"2*({right})", False)):
            report = mc.check("x'*A*x", "x", claim=claim, kind=kind, direction="v", witnesses="all")
            assert report.ok == agrees, str(report)
            assert {told(report, name).agrees for name in COUNTED} == {agrees}, str(report)
    bent = mc.check("x'*A*x", "x", claim="v'*(A + A')", kind="hvp", direction="v")
    assert (bent.verdict, bent.testimonies) == ("refuted", ())


def test_the_same_seed_gives_the_same_words() -> None:
    first, again = (mc.check("x'*A*x", "x", witnesses="all", seed=3).to_dict() for _ in range(2))
    assert json.dumps(first) == json.dumps(again)


@pytest.mark.parametrize(
    ("claim", "at", "says"),
    [
        ("adj(X)'", [[0, 0, 0]] * 3, ""),
        ("det(X)*inv(X)'", [[1, 1, 1]] * 3, "at given point 1: the claim is not defined there; torch takes 0"),
        ("det(X)*inv(X)'", [[1, 2], [2, 4]], "at given point 1: the claim as written has no value there"),
    ],
)
def test_a_singular_matrix_is_no_crash_and_an_inverse_that_is_not_there_is_told(claim: str, at: Any, says: str) -> None:
    """Our own derivation of det has an inverse: where that is not defined, a claim without one still is."""
    report = mc.check("det(X)", "X", claim=claim, at={"X": at})
    assert report.verdict == "verified"
    assert report.edges == () if not says else report.edges[0].startswith(says)
