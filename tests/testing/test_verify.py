"""Any function against a claimed derivative: values of any shape, other libraries, kinks, and how inputs lie."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import planted_functions as planted
import pytest
import torch

import matcalc as mc
from matcalc.checking.tolerance import BLIND


def draw(*shape: int, seed: int = 0, dtype: Any = torch.float64) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


A, x = draw(3, 4, seed=1), draw(4, seed=2)
S = draw(4, 4, seed=3)


@pytest.mark.parametrize(
    ("claimed", "options"),
    [
        (lambda A, x, u: A.mT @ u, {"wrt": 1}),
        (lambda A, x, u: torch.outer(u, x), {"wrt": 0}),
        (lambda A, x: A, {"wrt": 1, "kind": "jacobian"}),
        (lambda A, x: torch.einsum("ij,k->ijk", torch.eye(3, dtype=x.dtype), x), {"wrt": 0, "kind": "jacobian"}),
    ],
)
def test_a_function_of_any_shape_is_verified_by_vjp_or_jacobian(claimed: Any, options: Any) -> None:
    assert mc.verify(lambda A, x: A @ x, claimed, [A, x], **options).ok


@pytest.mark.parametrize(
    ("claimed", "options", "says"),
    [
        (lambda A, x, u: torch.outer(x, u), {"wrt": 0}, "transposed"),
        (lambda A, x, u: 2 * (A.mT @ u), {"wrt": 1}, "2 times"),
        (lambda A, x: A.mT, {"wrt": 1, "kind": "jacobian"}, "shape"),
        (lambda A, x: -A, {"wrt": 1, "kind": "jacobian"}, "sign"),
    ],
)
def test_a_wrong_vjp_or_jacobian_is_refuted(claimed: Any, options: Any, says: str) -> None:
    report = mc.verify(lambda A, x: A @ x, claimed, [A, x], **options)
    assert report.verdict == "refuted"
    assert says in str(report.diagnosis)


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(mc.UnsupportedError, match="grad, vjp, jacobian"):
        mc.verify(lambda x: x @ x, lambda x: x, [x], kind="hessian")


def test_complex_inputs_are_refused() -> None:
    with pytest.raises(mc.UnsupportedError, match="complex"):
        mc.verify(lambda x: x @ x, lambda x: x, [torch.ones(2, dtype=torch.complex128)])


# Where a function is looked at.


def test_zeros_as_examples_hide_no_wrong_factor() -> None:
    assert mc.verify(lambda x: x @ x, lambda x: 3 * x, [torch.zeros(3)]).verdict == "refuted"
    assert mc.verify(lambda x: x @ x, lambda x: 2 * x, [torch.zeros(3)]).ok


def test_a_kink_counts_for_nothing_and_is_said() -> None:
    report = mc.verify(lambda x: torch.relu(x).sum(), lambda x: (x > 0).to(x.dtype), [torch.zeros(3)])
    assert report.ok
    assert report.trials == 4
    assert report.discarded == ("trial 0: the function has a kink there, where the claim is what torch says",)


def test_a_wrong_claim_beside_a_kink_is_refuted() -> None:
    report = mc.verify(lambda x: torch.relu(x).sum(), lambda x: 2 * (x > 0).to(x.dtype), [torch.zeros(3)])
    assert report.verdict == "refuted"


def test_nothing_but_kinks_is_inconclusive() -> None:
    report = mc.verify(lambda x: x.abs().sum(), lambda x: x.sign(), [torch.zeros(3)], trials=1)
    assert report.verdict == "inconclusive"
    assert "kink" in report.reason


def test_points_outside_the_domain_are_left() -> None:
    edge = torch.tensor([1e-3, 2.0])
    assert mc.verify(lambda x: x.log().sum(), lambda x: 1 / x, [edge]).ok


def test_other_inputs_than_floats_are_passed_on() -> None:
    assert mc.verify(lambda x, n: (x**n).sum(), lambda x, n: n * x ** (n - 1), [x, 3]).ok
    at = torch.tensor(2)
    assert mc.verify(lambda x, i: x[i], lambda x, i: torch.eye(4, dtype=x.dtype)[i], [x, at]).ok
    assert mc.verify(lambda x, how: x.sum() if how == "sum" else None, lambda x, how: x * 0 + 1, [x, "sum"]).ok


def _reads_memory(x: Any) -> Any:
    return 2 * torch.as_strided(x, (4,), (1,))


def test_the_example_is_looked_at_as_it_lies_in_memory() -> None:
    assert mc.verify(lambda x: x @ x, _reads_memory, [torch.arange(4.0)]).ok
    assert mc.verify(lambda x: x @ x, _reads_memory, [torch.arange(8.0)[::2]]).verdict == "refuted"
    assert mc.verify(lambda x: x @ x, lambda x: 2 * x, [torch.ones(1).expand(4)]).ok


def test_a_function_that_takes_only_float32_is_judged_as_float32_allows() -> None:
    w = draw(4, dtype=torch.float32)
    report = mc.verify(lambda x: (x @ w) ** 2, lambda x: 2 * (x @ w) * w, [x.float()])
    assert (report.verdict, report.dtypes) == ("verified", ("float32",))
    assert 1e-6 < report.smallest_visible < BLIND
    assert "the function takes no float64: it is judged by the rounding of float32" in report.witnesses
    assert mc.verify(lambda x: (x @ w) ** 2, lambda x: (x @ w) * w, [x.float()]).verdict == "refuted"


def test_the_counterexample_holds_the_inputs() -> None:
    seen = mc.verify(lambda A, x: A @ x, lambda A, x, u: A.mT @ u * 2, [A, x], wrt=1).counterexample
    given, at, u = (torch.tensor(t, dtype=torch.float64) for t in (*seen["inputs"], seen["cotangent"]))
    torch.testing.assert_close(torch.tensor(seen["expected"], dtype=torch.float64), given.mT @ u)
    torch.testing.assert_close(torch.tensor(seen["claimed"], dtype=torch.float64), 2 * (given.mT @ u))
    assert at.shape == (4,)


def test_the_counterexample_is_shown() -> None:
    report = mc.verify(lambda A, x, how: A @ x, lambda A, x, how, u: A.mT @ u * 2, [A, x, "plain"], wrt=1)
    lines = str(report).split("\n")
    assert [line.split(" = ")[0].strip() for line in lines if " = " in line and "[" in line.split(" = ")[1]] == [
        "input 0", "input 1", "cotangent", "claimed", "expected",
    ]  # fmt: skip
    assert "    input 2 = plain" in lines
    assert any("farthest apart at [" in line for line in lines)
    lone = mc.verify(lambda x: (x**2).sum(), lambda x: 3 * x, [np.ones(100)])
    assert "expected = " in str(lone)


# A Function is verified with all that belongs to it.


def _quadratic(x: Any, A: Any) -> Any:
    return x @ A @ x


@pytest.mark.parametrize(
    ("function", "verdict", "aspect", "status"),
    [
        (planted.Quadratic, "verified", "vmap", "right"),
        (planted.OnlyContiguous, "refuted", "non-contiguous", "wrong"),
        (planted.ForwardWrong, "refuted", "forward", "wrong"),
        (planted.IgnoresGradOutput, "refuted", "grad_output", "wrong"),
        (planted.SavesAnIntermediate, "refuted", "double backward", "wrong"),
        (planted.TooFew, "refuted", "backward", "wrong"),
        (planted.NotDone, "inconclusive", "backward", "undecided"),
    ],
)
def test_a_function_of_torch_against_a_plain_one(function: Any, verdict: str, aspect: str, status: str) -> None:
    report = mc.verify(_quadratic, function, [x, S])
    assert report.verdict == verdict, str(report)
    assert report.finding(aspect).status == status


def test_a_transposed_backward_is_named() -> None:
    report = mc.verify(lambda A, x: A @ x, planted.TransposedProduct, [A, x])
    assert report.verdict == "refuted"
    assert "transposed" in report.finding("backward").says


def test_another_number_of_inputs_is_an_error() -> None:
    with pytest.raises(mc.CheckError, match=r"takes \(x, A\) after ctx, and there are 1 inputs"):
        mc.verify(lambda x: x @ x, planted.Quadratic, [x])


# NumPy and JAX.


def test_numpy_functions_are_verified_by_differences() -> None:
    at = np.array([1.0, 2.0, 3.0])
    report = mc.verify(lambda x: np.sum(np.sin(x)), lambda x: np.cos(x), [at])
    assert report.ok
    assert str(report).startswith("verified against differences")
    wrong = mc.verify(lambda x: np.linalg.norm(np.asarray(x)), lambda x: x / np.linalg.norm(x) ** 2, [at])
    assert wrong.verdict == "refuted"
    assert "missing factor f" in str(wrong.diagnosis)


def test_jax_functions_are_called_in_64_bits() -> None:
    at, before = jnp.array([1.0, 2.0, 3.0]), jax.config.jax_enable_x64
    assert mc.verify(lambda x: jnp.sum(jnp.sin(x)), jax.jit(jnp.cos), [at]).ok
    assert mc.verify(lambda x: jnp.sum(jnp.sin(x)), jax.grad(lambda x: jnp.cos(x).sum()), [at]).verdict == "refuted"
    assert jax.config.jax_enable_x64 == before


QUADRATIC = "x'*A*x"


@pytest.mark.parametrize(
    "claim",
    [
        lambda x, A: np.einsum("ij,j->i", A + A.T, x),
        lambda x, A: np.array([sum((A[i, j] + A[j, i]) * x[j] for j in range(len(x))) for i in range(len(x))]),
        lambda x, A: jnp.dot(A + A.T, x),
        jax.jit(lambda x, A: (A + A.T) @ x),
        mc.testing.numpy(lambda x, A: (A + A.T) @ x),
        mc.testing.jax(lambda x, A: (A + A.T) @ x),
        mc.testing.torch(lambda x, A: (A + A.mT) @ x),
    ],
)
def test_claims_may_be_written_for_any_library(claim: Any) -> None:
    assert mc.check(QUADRATIC, "x", claim=claim).ok


@pytest.mark.parametrize(
    "claim",
    [
        lambda x, A: np.einsum("ij,j->i", A, x),
        lambda x, A: jnp.dot(A, x),
        lambda x, A: jnp.dot(A + A.T, x).astype(jnp.float32) * 2,
        mc.testing.numpy(lambda x, A: A @ x),
    ],
)
def test_wrong_claims_for_any_library_are_refuted(claim: Any) -> None:
    assert mc.check(QUADRATIC, "x", claim=claim).verdict == "refuted"


@pytest.mark.parametrize(
    "claim",
    [
        lambda x, A: jnp.dot(A + A.T, x).astype(jnp.float32),
        lambda x, A: jnp.dot((A + A.T).astype(jnp.float32), x.astype(jnp.float32)).astype(jnp.float64),
        mc.testing.numpy(lambda x, A: ((A + A.T) @ x).astype(np.float32)),
    ],
)
def test_rounding_to_float32_is_never_called_wrong(claim: Any) -> None:
    report = mc.check(QUADRATIC, "x", claim=claim)
    assert report.verdict == "inconclusive"
    assert "float32" in report.reason


@pytest.mark.parametrize(
    ("text", "kind", "claim"),
    [
        ("x'*A*x", "hessian", lambda x, A: jax.hessian(lambda y: y @ A @ y)(x)),
        ("exp(A*x)", "jacobian", lambda x, A: jax.jacobian(lambda y: jnp.exp(A @ y))(x)),
        ("exp(A*x)", "jacobian", lambda x, A: A * np.exp(A @ x)[:, None]),
    ],
)
def test_matrices_of_derivatives_by_another_library_are_looked_at_in_float32_too(
    text: str, kind: str, claim: Any
) -> None:
    report = mc.check(text, "x", claim=claim, let={"A": "matrix(n, n)", "x": "vector(n)"}, kind=kind)
    assert report.ok, str(report)
    assert report.float32_error is not None
    assert 1e-9 < report.float32_error < 1e-4


def test_a_mask_of_truths_is_an_input_like_any_other() -> None:
    mask = torch.tensor([[True, False, True], [False, True, True], [True, True, True]])

    def value(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x.masked_fill(~mask, -torch.inf), -1).square().sum()

    def gradient(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        p = torch.softmax(x.masked_fill(~mask, -torch.inf), -1)
        return 2 * p * (p - (p * p).sum(-1, keepdim=True))

    x = torch.linspace(-1, 1, 9, dtype=torch.float64).reshape(3, 3)
    assert mc.verify(value, gradient, [x, mask]).verdict == "verified"
    assert mc.verify(value, lambda x, mask: gradient(x, mask) / 2, [x, mask]).verdict == "refuted"


def test_jax_forgives_nothing_that_torch_and_numpy_do_not() -> None:
    with pytest.raises(mc.CheckError, match="the claimed function failed: IndexError"):
        mc.check("x'*x", "x", claim=lambda x: x[999])


def test_a_claim_that_means_something_else_to_numpy_is_not_refuted_unless_told() -> None:
    let, sizes = {"c": "scalar", "x": "vector(n)"}, {"n": 5}
    asked = mc.check("c*sum(x)", "c", claim=lambda x: x.std(), let=let, sizes=sizes)
    assert asked.verdict == "inconclusive"
    assert "matcalc.testing.numpy" in asked.reason
    told = mc.check("c*sum(x)", "c", claim=mc.testing.torch(lambda x: x.std()), let=let, sizes=sizes)
    assert told.verdict == "refuted"


def test_a_compiled_claim_that_is_wrong_is_refuted_whatever_it_makes_of_numpy_arrays() -> None:
    wrong = mc.parse("3*x*1e-3").compile()
    assert mc.check("x'*x*1e-3", "x", claim=lambda x: wrong(x)).verdict == "refuted"


def test_a_claim_takes_the_names_that_it_needs() -> None:
    assert mc.check("x'*x + b'*b", "x", claim=lambda x: 2 * x).ok
    with pytest.raises(mc.CheckError, match="takes y, which the expression does not have"):
        mc.check("x'*x", "x", claim=lambda x, y: 2 * x)


def test_meta_tensors_hold_nothing_to_verify() -> None:
    x = torch.ones(3, dtype=torch.float64)
    with pytest.raises(mc.CheckError, match="an example input is a meta tensor"):
        mc.verify(lambda x: (x * x).sum(), lambda x: 2 * x, x.to("meta"))
    with pytest.raises(mc.CheckError, match="the function returns a meta tensor"):
        mc.verify(lambda x: (x * x).sum().to("meta"), lambda x: 2 * x, x)


@pytest.mark.parametrize(("text", "claim"), [
    ("log(sum(exp(x)))", jax.grad(lambda x: jax.nn.logsumexp(x))),
    ("sum(softplus(x))", jax.grad(lambda x: jax.nn.softplus(x).sum())),
    ("sum(exp(x))", np.exp),
    ("sum(exp(x))", torch.exp),
    ("sum(cosh(x)) + y'*y", np.sinh),
    ("x'*A*x", jax.grad(lambda x, A: x @ A @ x)),
])  # fmt: skip
def test_what_takes_its_arguments_by_place_is_given_them_so(text: str, claim: Any) -> None:
    """jax.grad differentiates by a place, and NumPy's own functions name nothing."""
    assert mc.check(text, "x", claim=claim).verdict == "verified"


def test_an_argument_that_the_expression_lacks_is_still_told() -> None:
    with pytest.raises(mc.CheckError, match="takes B, which the expression does not have"):
        mc.check("x'*A*x", "x", claim=lambda x, B: 2 * B @ x)
