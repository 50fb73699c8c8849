"""Right derivatives that were not verified, for a reason that lay in the checker; and wrong ones beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.run import run_check
from matcalc.checking.torch_side import function_of
from matcalc.checking.verdict import Report
from matcalc.checking.witnesses import ALWAYS
from matcalc.derivative import storage_of

LARGE = {"A": "matrix(n, n)", "x": "vector(m)"}


def _asked(text: str, name: str, let: Mapping[str, str], claim: str = "") -> Question:
    f = mc.parse(text, dict(let))
    g = mc.grad(f, name)
    claimed = mc.parse(claim, dict(let)).node if claim else g.shown
    nodes = tuple(v.node for v in f.typed.variables)
    return Question(f.node, g.wrt, nodes, claimed, truth=g.node, projected=g.projected, text=text)


def _checked(question: Question, scale: float = 1.0, *, as_function: bool = False) -> Report:
    if as_function:
        storage = storage_of(question.variable)
        f = function_of(question.claimed, question.variables, storage, True)  # type: ignore[arg-type]  # a node
        question = replace(question, claimed=lambda **given: f(**given))
    return run_check(question, CheckOptions(trials=2, seed=3, scale=scale, witnesses=ALWAYS))


_ROW = {"x": "row(2; nonzero)", "b": "scalar(; sparse)", "c": "row(2; above_one)"}


@pytest.mark.parametrize(
    ("text", "name", "let", "scale"),
    [
        pytest.param("abs(b)*norm2(y) + sum(tanh(x))", "x", {"b": "scalar(; positive)"}, 1.0, id="a term without it"),
        pytest.param("sum(huber(x, 1))", "x", {"x": "vector(3)"}, 1e-8, id="a kink far outside the scale"),
        pytest.param("sum(huber(x, 1))", "x", {"x": "vector(3)"}, 1e8, id="a kink far inside the scale"),
        pytest.param("inner(leaky_relu(abs(0.25 - x), b), c)", "c", _ROW, 1.0, id="a choice by what is not negative"),
        pytest.param(
            "sum(relu(logm_frechet(A, A)) .* B)", "B",
            {"A": "matrix(3, 3; principal)", "B": "matrix(3, 3)"}, 1.0, id="a constant that mentions names",
        ),
        pytest.param("norm1(x)*sum(y)", "y", {"x": "vector(2; above_minus_one)"}, 1e8, id="a name drawn anew"),
    ],
)  # fmt: skip
def test_a_side_that_can_be_met_is_met(text: str, name: str, let: dict[str, str], scale: float) -> None:
    report = _checked(_asked(text, name, let), scale, as_function=True)
    assert (report.verdict, report.reason) == ("verified", "")


@pytest.mark.parametrize(
    ("text", "claim", "scale"),
    [
        ("sum(maximum(x, 1000))", "zeros(3, 1)", 1.0),
        ("sum(maximum(x, -1000))", "ones(3, 1)", 1e-3),
        ("sum(huber(x, 1))", "x", 1e-8),
        ("sum(relu(x - 50))", "zeros(3, 1)", 1e-6),
    ],
)
def test_a_claim_that_holds_on_one_side_alone_is_refuted_at_any_scale(text: str, claim: str, scale: float) -> None:
    let = {"x": "vector(3)"}
    assert _checked(_asked(text, "x", let, claim), scale).verdict == "refuted"


def test_a_side_that_nobody_reaches_is_still_told() -> None:
    let = {"x": "vector(3; positive)", "y": "vector(3)"}
    report = _checked(_asked("sum(relu(3*x - tanh(x)) .* y)", "y", let), as_function=True)
    assert (report.verdict, "one side" in report.reason) == ("inconclusive", True)


def test_a_side_that_bounds_exclude_is_not_asked_for() -> None:
    let = {"x": "vector(3; unit)", "y": "vector(3)"}
    assert _checked(_asked("sum(relu(lgamma(x)) .* y)", "y", let), as_function=True).verdict == "verified"


def test_a_side_that_no_gradient_depends_on_is_not_asked_for() -> None:
    let = {"x": "vector(3; positive)", "y": "vector(3)", "c": "scalar"}
    asked = _asked("(sum(relu(3*x - tanh(x))) + sum(sin(y)))*c", "y", let)
    assert _checked(asked, as_function=True).verdict == "verified"


def test_what_never_changes_has_a_gradient_of_zero() -> None:
    """⟨cosh(tanh(A)), A⟩ of a skew A is 0, which no digits of its terms show."""
    asked = _asked("inner(cosh(tanh(A)), A) + c", "A", {"A": "matrix(3, 3; skew)"})
    assert _checked(asked).verdict == "verified"
    asked = _asked("inner(cosh(tanh(A)), A) + c", "A", {"A": "matrix(3, 3; skew)"}, "1e-6*A")
    assert _checked(asked).verdict == "refuted"
    saturated = _asked("tanh(x'*x + 1000)", "x", {"x": "vector(3; above_one)"})
    assert _checked(saturated).verdict == "inconclusive"


def test_a_function_is_looked_at_where_rounding_hides_less() -> None:
    """At the scale 1e8 a hyperbolic tangent is 1; a wrong factor shows at smaller ones."""
    asked = _asked("tanh(x'*x)", "x", {"x": "vector(3)"})
    right = _checked(asked, 1e8, as_function=True)
    assert right.verdict == "verified"
    assert any("the function does not change in 800 digits" in said for said in right.witnesses)
    wrong = replace(asked, claimed=lambda x: 2.0001 * x * (1 - torch.tanh(x @ x) ** 2))
    assert run_check(wrong, CheckOptions(trials=2, scale=1e8)).verdict == "refuted"


def test_what_torchs_own_functions_err_by_is_no_fault_of_a_function() -> None:
    """torch's digamma is off by 1e-10 near its zero, and so is every function that calls it."""
    asked = _asked("sum(lgamma(x))", "x", {"x": "vector(3; above_one)"})
    right = replace(asked, claimed=lambda x: torch.special.digamma(x))
    assert run_check(right, CheckOptions(trials=5)).verdict == "verified"
    wrong = replace(asked, claimed=lambda x: torch.special.digamma(x) * (1 + 1e-6))
    assert run_check(wrong, CheckOptions(trials=5)).verdict == "refuted"


def test_rounding_in_the_sine_of_a_large_number_is_no_fault_of_the_lowering() -> None:
    report = _checked(_asked("norm2(cos(x + b*y))^2 + b", "y", {"y": "vector(3; unit)"}), 1e8)
    assert (report.verdict, report.reason) == ("verified", "")
    assert _checked(_asked("norm2(cos(x + b*y))^2", "y", {"y": "vector(3)"}, "x"), 1e8).verdict == "refuted"


def test_where_rounding_is_all_that_is_left_of_a_function_it_is_told() -> None:
    """sin(1e16) is noise in floats: a function is looked at elsewhere, if there is an elsewhere."""
    report = _checked(_asked("sum(sin(square(x)))", "x", {"x": "vector(3)"}), 1e8, as_function=True)
    assert report.verdict == "verified"
    assert "at the scale 1e+08 rounding hides everything in 2 more trials" in report.witnesses
    wrong = replace(_asked("sum(sin(square(x)))", "x", {"x": "vector(3)"}), claimed=lambda x: 2.001 * x * (x * x).cos())
    assert _checked(wrong, 1e8).verdict == "refuted"
    everywhere = _asked("sum(sin(1e16 .* square(x)))", "x", {"x": "vector(3; above_one)"})
    report = _checked(everywhere, as_function=True)
    assert (report.verdict, "ill-conditioned" in report.reason) == ("inconclusive", True)


def test_a_gradient_of_which_only_the_rounding_of_ninety_digits_is_left_is_zero() -> None:
    asked = _asked("1e-8*mean(square(projector_max(A)))", "A", {"A": "matrix(3, 3; posdef)"})
    assert _checked(asked, as_function=True).verdict == "verified"
    wrong = _asked("1e-70*sum(square(x))", "x", {"x": "vector(3)"})
    zero = replace(wrong, claimed=lambda x: 0 * x)
    assert _checked(zero).verdict == "refuted"


def test_a_jump_around_its_own_value_is_no_smooth_point() -> None:
    """sign(x) at 0 has the same slope to either side, and one as large as the step is small."""
    report = _checked(_asked("sum(sign(x)) + c", "x", {"x": "vector(4; onehot)", "c": "scalar"}))
    assert report.verdict != "refuted"
    assert mc.check("sum(sign(x))", "x", claim="0*x", at={"x": [0.0, 1.0, 2.0]}).verdict == "verified"


@pytest.mark.parametrize("seed", range(4))
def test_a_gradient_that_is_rounding_beside_its_function_refutes_nobody(seed: int) -> None:
    """At -20 torch's gelu has the gradient 0, and NumPy's 1 + erf is 0, where the truth is 1e-88."""
    erf = np.vectorize(math.erf)

    def in_torch(x: torch.Tensor) -> torch.Tensor:
        return torch.func.grad(lambda t: torch.nn.functional.gelu(t).sum())(x)

    def in_numpy(x: np.ndarray) -> np.ndarray:
        return 0.5 * (1 + erf(x / np.sqrt(2))) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)

    for claim in (in_torch, in_numpy):
        assert mc.check("sum(gelu(x))", "x", claim=claim, seed=seed).verdict == "verified"


@pytest.mark.parametrize("kind", ["integer, skew", "integer, symmetric", "integer, lower"])
def test_whole_numbers_in_a_subspace_are_found_at_every_size(kind: str) -> None:
    """Half of a skew matrix's entries were halves: nothing was seen but n = 2, where two laws are one."""
    let = {"A": f"matrix(n, n; {kind})"}
    for n in (2, 3, 4, 5):
        assert mc.check("tr(A'*A*B*A)", "A", let=let, sizes={"n": n}, trials=2).verdict == "verified"


def test_at_large_sizes_a_smaller_scale_is_looked_at_where_rounding_hides_everything() -> None:
    """The determinant of 30 rows of 1e6 is 1e180, and tanh of it 1."""
    report = mc.check("norm2(x)^2*tanh(det(A))", "A", claim=None, sizes={"n": 30, "m": 3}, let=LARGE, scale=1e6)
    assert report.verdict == "verified"
    assert any("at the scale 1e+06 rounding hides everything" in line for line in report.witnesses)


def test_whole_numbers_above_minus_one_are_not_negative() -> None:
    asked = _asked("sum(sin(abs(x)).*c)", "c", {"x": "vector(3; above_minus_one, integer)", "c": "vector(3)"})
    assert _checked(asked, as_function=True).verdict == "verified"


def test_the_sine_of_a_huge_number_is_no_fault_of_the_lowering() -> None:
    """It is one of all numbers from -1 to 1; the formula holds where floats see more."""
    report = mc.check("sum(sin(exp(x)))", "x", claim="cos(exp(x)).*exp(x)", let={"x": "vector(2)"}, scale=300.0)
    assert report.verdict == "verified"


@pytest.mark.parametrize(("text", "claim"), [
    ("sum(abs(x)) + sum(log(x))", "1 + 1./x"),
    ("sum(maximum(x, -1)) + sum(sqrt(x))", "1 + 1./(2*sqrt(x))"),
    ("sum(maximum(x, 2)) + sum(asin(x))", "1./sqrt(1 - x.^2)"),
    ("sum(relu(x.*y)) + sum(log(x.*y))", "y + 1./x"),
    ("sum(abs(x)) + sum(x.^0.3)", "1 + 0.3*x.^(-0.7)"),
])  # fmt: skip
def test_a_side_outside_the_domain_is_not_asked_for(text: str, claim: str) -> None:
    """Where log(x) has a value x is positive, and so is what chooses in abs(x)."""
    let = {"x": "vector(n)"} | ({"y": "vector(n)"} if "y" in text else {})
    assert mc.check(text, "x", claim=claim, let=let).verdict == "verified"
    assert mc.check(text, "x", claim=f"2*({claim})", let=let).verdict == "refuted"


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def _softmax_jacobian(x: np.ndarray) -> np.ndarray:
    s = _softmax(x)
    return np.diag(s) - np.outer(s, s)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("text", "kind", "claim"), [
    ("softmax(x)", "jacobian", _softmax_jacobian),
    ("logsumexp(x)", "hessian", _softmax_jacobian),
    ("tanh(W*x)", "jacobian", lambda W, x: (1 - np.tanh(W @ x) ** 2)[:, None] * W),
])  # fmt: skip
def test_what_cancels_in_numpy_refutes_no_jacobian(text: str, kind: str, claim: Any, seed: int) -> None:
    """1 - 1*1 is 0 where the truth is 5e-17: rounding, which nobody watches in NumPy."""
    assert mc.check(text, "x", kind=kind, claim=claim, seed=seed).verdict == "verified"


def test_forward_mode_inside_a_claim_is_not_perturbed() -> None:
    """To multiply a tangent under a dispatch mode ended the process."""

    def claim(x: torch.Tensor) -> Any:
        return torch.func.hessian(lambda t: (t**4).sum())(x)

    assert mc.check("sum(x.^4)", "x", kind="hessian", claim=claim).verdict == "verified"
