"""A torch.autograd.Function as a claim: right ones are verified, and each planted fault is found by its name."""

from __future__ import annotations

import json
from typing import Any

import planted_functions as planted
import pytest
import torch

import matcalc as mc

QUADRATIC = (planted.QUADRATIC, planted.LET)
PRODUCT = ("A*x", {})
SCALED = ("c*X", {"c": "scalar", "X": "matrix(m, n)"})
ELEMENTWISE = ("x.*y", {"x": "vector(n)"})
LOGDET = ("logdet(S)", {"S": "matrix(n, n; posdef)"})

RIGHT = [
    (planted.Quadratic, QUADRATIC),
    (planted.WithContext, QUADRATIC),
    (planted.OnceDifferentiable, QUADRATIC),
    (planted.Pushed, QUADRATIC),
    (planted.Product, PRODUCT),
    (planted.Scaled, SCALED),
    (planted.Elementwise, ELEMENTWISE),
    (planted.LogDet, LOGDET),
]

WRONG = [
    (planted.IgnoresGradOutput, QUADRATIC, "grad_output", "ignores grad_output"),
    (planted.AssumesSymmetry, QUADRATIC, "backward by x", ""),
    (planted.OnlyContiguous, QUADRATIC, "non-contiguous", "A strided: the gradient by x is off"),
    (planted.OnlyContiguous, QUADRATIC, "expanded", "A expanded from one row"),
    (planted.RaisesForStrides, QUADRATIC, "non-contiguous", "A transposed in memory: the backward raises RuntimeError"),
    (planted.HalfInside, QUADRATIC, "float32", "the gradient by x is off by"),
    (planted.SingleInside, QUADRATIC, "backward by x", "right to float32 only"),
    (planted.ChangesItsInput, QUADRATIC, "in place", "forward changes its argument x"),
    (planted.ChangesGradOutput, QUADRATIC, "in place", "backward changes grad_output"),
    (planted.ChangesWhatItSaved, QUADRATIC, "repeat", "a second backward through one graph"),
    (planted.SavesAnIntermediate, QUADRATIC, "double backward", "by x, along one direction"),
    (planted.ForwardWrong, QUADRATIC, "forward", "the claim is 2 times the value"),
    (planted.NeedsBoth, QUADRATIC, "backward by A", "2 times"),
    (planted.TooFew, QUADRATIC, "backward by x", "incorrect number of gradients"),
    (planted.PushedWrongly, QUADRATIC, "forward mode", "by x"),
    (planted.TransposedProduct, PRODUCT, "backward by A", "transposed"),
    (planted.ScaledWrongly, SCALED, "backward by c", "factor"),
    (planted.ElementwiseWrongly, ELEMENTWISE, "vmap", "batched along the last axis: the value of element 0"),
]


def named(row: Any) -> str:
    return row.__name__ if isinstance(row, type) else ""


@pytest.mark.parametrize(("function", "of"), RIGHT, ids=named)
def test_a_right_function_is_verified(function: Any, of: Any) -> None:
    report = mc.check(of[0], None, claim=function, let=of[1])
    assert report.verdict == "verified", str(report)
    assert [f.aspect for f in report.findings if f.status == "wrong"] == []
    assert {f.aspect for f in report.findings} >= {"forward", "non-contiguous", "expanded", "float32", "zero-size"}


@pytest.mark.parametrize(("function", "of", "aspect", "says"), WRONG, ids=named)
def test_a_planted_fault_is_found_by_its_name(function: Any, of: Any, aspect: str, says: str) -> None:
    report = mc.check(of[0], None, claim=function, let=of[1])
    found = report.finding(aspect)
    assert report.verdict == "refuted", str(report)
    assert found.status == "wrong", str(report)
    assert says in found.says
    assert found.says in report.diagnosis


# What is not there is said, and is no fault.


@pytest.mark.parametrize(
    ("function", "aspect", "status"),
    [
        (planted.Quadratic, "vmap", "right"),
        (planted.Quadratic, "double backward", "right"),
        (planted.Quadratic, "needs_input_grad", "right"),
        (planted.Quadratic, "forward mode", "not offered"),
        (planted.Pushed, "forward mode", "right"),
        (planted.WithContext, "vmap", "not offered"),
        (planted.WithContext, "needs_input_grad", "noted"),
        (planted.OnceDifferentiable, "double backward", "not offered"),
    ],
)
def test_what_a_function_offers_is_reported(function: Any, aspect: str, status: str) -> None:
    report = mc.check(planted.QUADRATIC, "x", claim=function, let=planted.LET)
    assert report.ok, str(report)
    assert report.finding(aspect).status == status


ELSEWHERE = ["cpu:0", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", ELSEWHERE)
@pytest.mark.parametrize(("function", "of"), RIGHT, ids=named)
def test_a_right_function_is_verified_where_its_tensors_go(function: Any, of: Any, device: str) -> None:
    report = mc.check(of[0], None, claim=function, let=of[1], devices=(device, "cpu"))
    assert report.verdict == "verified", str(report)
    assert report.finding("devices").says.startswith(f"{device} and cpu differ by ")
    assert report.device_difference == (0.0 if device == "cpu:0" else pytest.approx(0.0, abs=1e-13))


@pytest.mark.parametrize("device", ELSEWHERE)
@pytest.mark.parametrize(("function", "of", "aspect", "says"), WRONG, ids=named)
def test_a_planted_fault_is_found_where_its_tensors_go(
    function: Any, of: Any, aspect: str, says: str, device: str
) -> None:
    report = mc.check(of[0], None, claim=function, let=of[1], devices=(device,))
    assert report.verdict == "refuted", str(report)
    assert says in report.finding(aspect).says


@pytest.mark.parametrize("device", ELSEWHERE)
def test_a_function_that_answers_otherwise_elsewhere_is_refuted(device: str) -> None:
    report = mc.check(planted.QUADRATIC, None, claim=planted.OtherElsewhere, let=planted.LET, devices=("cpu", device))
    assert report.verdict == "refuted"
    assert report.finding("devices").says == f"on {device}: the gradient by x is off by 1.0e-03 relative"


@pytest.mark.parametrize("device", ELSEWHERE)
def test_a_function_that_fails_elsewhere_is_refuted(device: str) -> None:
    report = mc.check(planted.QUADRATIC, None, claim=planted.FailsElsewhere, let=planted.LET, devices=("cpu", device))
    assert report.verdict == "refuted"
    says = f"on {device} the forward raises RuntimeError: no kernel for this device, where on cpu it does not"
    assert report.finding("devices").says == says


def test_a_device_of_shapes_alone_is_not_offered() -> None:
    report = mc.check(planted.QUADRATIC, None, claim=planted.Quadratic, let=planted.LET, devices=("cpu", "meta"))
    assert report.verdict == "verified"
    assert report.finding("devices").status == "not offered"


def test_the_value_comes_first() -> None:
    report = mc.check(planted.QUADRATIC, "x", claim=planted.ForwardWrong, let=planted.LET)
    assert str(report).startswith("refuted: forward is wrong")
    assert not any(f.aspect.startswith("backward") for f in report.findings)


def test_a_backward_that_raises_decides_nothing() -> None:
    report = mc.check(planted.QUADRATIC, "x", claim=planted.NotDone, let=planted.LET)
    assert report.verdict == "inconclusive"
    assert "NotImplementedError: the derivative is an exercise" in report.reason


def test_one_name_is_enough_and_the_rest_is_not_judged() -> None:
    assert mc.check(planted.QUADRATIC, "A", claim=planted.AssumesSymmetry, let=planted.LET).ok
    assert not mc.check(planted.QUADRATIC, ["x", "A"], claim=planted.AssumesSymmetry, let=planted.LET).ok


def test_the_counterexample_shows_what_it_says() -> None:
    report = mc.check(planted.QUADRATIC, "x", claim=planted.OnlyContiguous, let=planted.LET)
    seen = report.counterexample
    x, A = (torch.tensor(seen["inputs"][name], dtype=torch.float64) for name in ("x", "A"))
    right = seen["cotangent"] * ((A + A.mT) @ x)
    assert seen["what"] == "gradient by x"
    torch.testing.assert_close(torch.tensor(seen["expected"], dtype=torch.float64), right)
    assert (torch.tensor(seen["claimed"], dtype=torch.float64) - right).abs().max() > 1e-3


def test_one_seed_gives_one_report() -> None:
    first, second = (
        json.dumps(mc.check(planted.QUADRATIC, "x", claim=planted.Quadratic, let=planted.LET, seed=3).to_dict())
        for _ in range(2)
    )
    assert first == second
    assert json.loads(first)["findings"][0] == {
        "aspect": "forward", "status": "right", "says": "the expression's value at 5 points",
    }  # fmt: skip


def test_the_apply_of_a_function_is_the_function() -> None:
    assert mc.check(planted.QUADRATIC, "x", claim=planted.WithContext.apply, let=planted.LET).finding("forward")


# How arguments are matched.


class _OtherNames(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, vector: Any, weights: Any, eps: float = 0.0) -> Any:
        ctx.save_for_backward(vector, weights)
        return vector @ weights @ vector

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        return u * ((A + A.mT) @ x), u * torch.outer(x, x), None


class _Swapped(planted.Product):
    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        ctx.save_for_backward(A, x)
        return A @ x

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        A, x = ctx.saved_tensors
        return A.mT @ u, torch.outer(u, x)


class _HalfNamed(planted.Product):
    @staticmethod
    def forward(ctx: Any, x: Any, weights: Any) -> Any:
        return weights @ x


def test_arguments_are_matched_by_name_whatever_their_order() -> None:
    assert mc.check("A*x", None, claim=_Swapped).ok


def test_arguments_without_the_names_are_taken_in_order_and_defaults_stay() -> None:
    assert mc.check(planted.QUADRATIC, None, claim=_OtherNames, let=planted.LET).ok


@pytest.mark.parametrize(
    ("f", "function", "says"),
    [
        ("A*x", _HalfNamed, r"it takes \(x, weights\), and the expression has \(A, x\)"),
        ("x'*x", planted.Quadratic, r"it takes \(x, A\), and the expression has \(x\)"),
        ("x'*A*x + b'*x", planted.Quadratic, r"the expression has \(x, A, b\)"),
    ],
)
def test_arguments_that_do_not_match_are_an_error(f: str, function: Any, says: str) -> None:
    with pytest.raises(mc.CheckError, match=says):
        mc.check(f, "x", claim=function)


class _TwoValues(planted.WithContext):
    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        return x @ A @ x, x


class _Fails(planted.WithContext):
    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        raise ValueError("no such kernel")


@pytest.mark.parametrize(
    ("function", "says"),
    [(_TwoValues, "returns 2 values"), (_Fails, "the forward raises ValueError: no such kernel")],
)
def test_a_forward_that_gives_no_tensor_is_an_error(function: Any, says: str) -> None:
    with pytest.raises(mc.CheckError, match=says):
        mc.check(planted.QUADRATIC, "x", claim=function, let=planted.LET)


def test_another_kind_is_refused() -> None:
    with pytest.raises(mc.UnsupportedError, match="a Function's backward is no hessian"):
        mc.check(planted.QUADRATIC, "x", claim=planted.Quadratic, let=planted.LET, kind="hessian")


def test_a_claim_of_another_sort_needs_a_name() -> None:
    with pytest.raises(mc.ParseError, match="no name to differentiate by"):
        mc.check("x'*x", claim="2*x")


# Names with a structure, and places where a Function has no value.


class _Spectral(torch.autograd.Function):
    """Half the log det by its eigenvalues; raises where the matrix is not positive-definite."""

    @staticmethod
    def forward(ctx: Any, S: Any) -> Any:
        values = torch.linalg.eigvalsh(S)
        if (values <= 0).any():
            raise ValueError("not positive-definite")
        ctx.save_for_backward(S)
        return values.log().sum()

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (S,) = ctx.saved_tensors
        values, vectors = torch.linalg.eigh(S)
        return u * (vectors / values) @ vectors.mT


def test_what_raises_outside_its_domain_is_not_refuted() -> None:
    report = mc.check("logdet(S)", "S", claim=_Spectral, let={"S": "matrix(n, n; posdef)"})
    assert report.ok, str(report)


class _Rotated(torch.autograd.Function):
    """Q*x for an orthogonal Q, whose inverse is its transpose."""

    @staticmethod
    def forward(ctx: Any, Q: Any, x: Any) -> Any:
        ctx.save_for_backward(Q, x)
        return torch.linalg.solve(Q, x)

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        Q, x = ctx.saved_tensors
        return -torch.outer(Q @ u, Q.mT @ x), Q @ u


def test_a_simplification_that_a_declared_structure_allows_is_not_refuted() -> None:
    report = mc.check("inv(Q)*x", "x", claim=_Rotated, let={"Q": "matrix(n, n; orthogonal)"})
    assert report.verdict != "refuted", str(report)


FAR = [
    (planted.SoftplusCutOff, "softplus(x)", "forward"),
    (planted.SoftplusWithoutItsTail, "softplus(x)", "backward by x"),
    (planted.Clipped, "softplus(x)", "backward by x"),
    (planted.SignOfOneSide, "maximum(x - 20, 0)", "forward"),
]


@pytest.mark.parametrize(("function", "text", "aspect"), FAR, ids=named)
def test_what_is_wrong_far_from_zero_is_found(function: Any, text: str, aspect: str) -> None:
    """All the usual points lie between -4 and 4."""
    report = mc.check(text, "x", claim=function, let={"x": "vector(n)"})
    assert report.verdict == "refuted"
    assert report.finding(aspect).status == "wrong"
    assert "does it hold on one branch alone?" in report.finding(aspect).says


def test_a_right_function_is_right_far_from_zero_as_well() -> None:
    report = mc.check("softplus(x)", "x", claim=planted.Softplus, let={"x": "vector(n)"})
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize(
    ("property", "verdict"), [("; onehot", "verified"), ("; simplex", "verified"), ("", "refuted")]
)
def test_a_value_that_is_rounding_beside_its_arguments_refutes_nobody(property: str, verdict: str) -> None:
    """Far from zero log_softmax is -1e-51 in digits and 0 in torch."""
    let = {"z": "vector(n)", "y": f"vector(n{property})"}
    assert mc.check("-y'*log_softmax(z)", "z", claim=planted.CrossEntropy, let=let).verdict == verdict


def test_an_expression_without_a_value_where_a_size_is_zero_ends_no_check() -> None:
    """The mean of nothing is 0/0, which Python raises for."""
    text = "(x .- mean(x))/sqrt(mean((x .- mean(x)).^2) + 0.00001)"
    report = mc.check(text, "x", claim=planted.Normalised, let={"x": "vector(n)"})
    assert report.verdict == "verified", str(report)


def test_what_is_kept_for_all_calls_is_found() -> None:
    """Of exp(a) + exp(b) both gradients are of b."""
    report = mc.check("exp(x)", "x", claim=planted.KeptForAll, let={"x": "vector(n)"})
    assert report.verdict == "refuted"
    assert "is something kept for all calls?" in report.finding("repeat").says


def test_a_backward_that_raises_after_another_forward_is_found() -> None:
    report = mc.check("exp(x)", "x", claim=planted.LastAlone, let={"x": "vector(n)"})
    assert report.verdict == "refuted"
    says = "after a second forward the backward of the first raises RuntimeError: the workspace is gone"
    assert report.finding("repeat").says == says


def test_a_forward_that_is_off_by_more_than_rounding_is_not_verified() -> None:
    assert mc.check("x.^2", "x", claim=planted.NearlySquare, let={"x": "vector(n)"}).verdict == "inconclusive"


def test_a_value_that_is_zero_at_one_size_refutes_nobody() -> None:
    """log_softmax of one number is 0, and 1e-51 in arithmetic of 50 digits."""
    assert mc.check("log_softmax(x)", "x", claim=planted.LogSoftmax, let={"x": "vector(n)"}).verdict == "verified"
