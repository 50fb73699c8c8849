"""What is tried before a verdict on any function: inputs that must keep a form, single points, far sides of kinks."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from samples import DOUBLE, POSITIVE, M, S, X, Y, w
from torch import distributions
from torch.nn import functional

import matcalc as mc
from matcalc.checking.examples import moved

COUNTS = torch.tensor([0.0, 2, 1, 4], dtype=DOUBLE)
HOT = functional.one_hot(torch.tensor([1, 0]), 3).double()
ZEROS = torch.zeros(3, dtype=DOUBLE)


# A function that asks for labels, counts or a covariance has values around the example all the same.


def _bernoulli(w: Any, X: Any, y: Any) -> Any:
    return distributions.Bernoulli(logits=X @ w, validate_args=True).log_prob(y).sum()


def _poisson(rate: Any, counts: Any) -> Any:
    return distributions.Poisson(rate, validate_args=True).log_prob(counts).sum()


def _one_hot(logits: Any, hot: Any) -> Any:
    return distributions.OneHotCategorical(logits=logits, validate_args=True).log_prob(hot).sum()


def _attention(scores: Any, mask: Any, u: Any) -> Any:
    return ((scores + mask).softmax(-1) * u).sum()


def _of_softmax(p: Any, u: Any) -> Any:
    return p * (u - (p * u).sum(-1, keepdim=True))


def _masked(value: float) -> torch.Tensor:
    return torch.zeros(3, 3, dtype=DOUBLE).masked_fill(torch.ones(3, 3).triu(1).bool(), value)


def _at_whole_numbers(x: Any, n: Any) -> Any:
    assert torch.equal(n, n.round())
    return (x * x * n).sum()


VALIDATED = [
    (_bernoulli, lambda w, X, y: X.mT @ (y - torch.sigmoid(X @ w)), lambda w, X, y: X.mT @ (y - 0.5), [ZEROS, X, Y]),
    (_poisson, lambda r, k: k / r - 1, lambda r, k: k / r - r, [torch.ones(4, dtype=DOUBLE), COUNTS]),
    (_one_hot, lambda z, h: h - z.softmax(-1), lambda z, h: h - 1 / 3, [torch.zeros(2, 3, dtype=DOUBLE), HOT]),
    (_at_whole_numbers, lambda x, n: 2 * x * n, lambda x, n: 2 * n, [torch.ones(4, dtype=DOUBLE), COUNTS]),
    *(
        (
            _attention,
            lambda s, m, u: _of_softmax((s + m).softmax(-1), u),
            lambda s, m, u: _of_softmax(m.softmax(-1), u),
            [torch.zeros(3, 3, dtype=DOUBLE), _masked(value), M],
        )
        for value in (-math.inf, -1e9)
    ),
]


@pytest.mark.parametrize(("fn", "right", "wrong", "given"), VALIDATED)
def test_a_function_that_validates_its_inputs_is_looked_at_around_the_example(
    fn: Any, right: Any, wrong: Any, given: list[Any]
) -> None:
    assert mc.verify(fn, right, given, trials=2).verdict == "verified"
    assert mc.verify(fn, wrong, given, trials=2).verdict == "refuted"


def test_what_is_done_to_inputs_that_cannot_be_moved_is_said() -> None:
    report = mc.verify(_bernoulli, VALIDATED[0][1], [ZEROS, X, Y], trials=2)
    assert "in 1 of 2 trials the other inputs are shuffled: moved, they have no value" in report.witnesses


def test_a_covariance_that_is_validated_stays_symmetric() -> None:
    def normal(m: Any, S: Any, x: Any) -> Any:
        return distributions.MultivariateNormal(m, S, validate_args=True).log_prob(x)

    assert mc.verify(normal, lambda m, S, x: torch.linalg.solve(S, x - m), [w, S, w + 1], trials=2).ok
    report = mc.verify(normal, lambda m, S, x: x - m, [w, torch.eye(3, dtype=DOUBLE), w + 1], trials=2)
    assert report.verdict == "inconclusive"
    assert "input 1 has entries 0 and 1" in report.reason


def test_a_function_that_has_a_value_at_the_example_alone_is_not_verified() -> None:
    def function(x: Any) -> Any:
        assert torch.equal(x, x.round())
        return (x * x).sum()

    report = mc.verify(function, lambda x: 2 * torch.ones_like(x), [torch.ones(4)])
    assert report.verdict == "inconclusive"
    assert "at the example alone" in report.reason
    assert mc.verify(lambda x: (x * x).sum(), lambda x: 2 * x, [torch.ones(4)], trials=1).ok


def test_entries_are_moved_by_their_own_size_where_they_are_unlike() -> None:
    generator = torch.Generator().manual_seed(0)
    given = torch.tensor([-1e9, 0.0, 0.0, 1e-300, -math.inf], dtype=DOUBLE)
    (found,) = moved([given], 0, "float64", generator, 0.1)
    assert 0 < abs(float(found[0] + 1e9)) < 1e9
    assert 0 < float((found[1:3]).abs().max()) < 1
    assert 0 < float(found[3]) < 1e-299
    assert found[4] == -math.inf
    (large,) = moved([torch.tensor([1e90, 2e90], dtype=DOUBLE)], 0, "float64", generator, 0.1)
    assert bool(large.isfinite().all())


# A claim that holds on one side of a kink.


@pytest.mark.parametrize(
    ("fn", "right", "wrong", "given"),
    [
        (lambda x: x.relu().sum(), lambda x: (x > 0).to(x.dtype), torch.ones_like, [POSITIVE]),
        (
            lambda x: functional.huber_loss(x, torch.zeros_like(x), reduction="sum"),
            lambda x: x.clamp(-1, 1), lambda x: x, [POSITIVE / 10],
        ),
        (
            lambda w, X, y: torch.relu(1 - y * (X @ w)).sum(),
            lambda w, X, y: -X.mT @ (y * (y * (X @ w) < 1)), lambda w, X, y: -X.mT @ y, [ZEROS, X, 2 * Y - 1],
        ),
    ],
)  # fmt: skip
def test_the_other_side_of_a_kink_is_looked_for(fn: Any, right: Any, wrong: Any, given: list[Any]) -> None:
    assert mc.verify(fn, right, given).verdict == "verified"
    report = mc.verify(fn, wrong, given)
    assert report.verdict == "inconclusive"
    assert "is there a kink or a branch between" in report.reason


def test_what_overflows_far_away_is_no_error_of_a_claim() -> None:
    def logistic(x: Any) -> Any:
        return x.exp() / (1 + x.exp())

    assert mc.verify(lambda x: functional.softplus(x, threshold=50).sum(), logistic, [100 * POSITIVE[:2] - 20]).ok


# A Function is judged by every input for which it has a gradient.


class Product(torch.autograd.Function):
    wrong, none = False, False

    @staticmethod
    def forward(ctx: Any, A: Any, x: Any) -> Any:
        ctx.save_for_backward(A, x)
        return A @ x

    @classmethod
    def by_x(cls, A: Any, g: Any) -> Any:
        return None if cls.none else A @ g if cls.wrong else A.mT @ g

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        A, x = ctx.saved_tensors
        return torch.outer(g, x), Product.by_x(A, g)


def test_a_function_is_judged_by_each_of_its_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    report = mc.verify(torch.mv, Product, [M, w])
    assert report.ok
    assert [f.aspect for f in report.findings if f.aspect.startswith("backward")] == ["backward by A", "backward by x"]
    monkeypatch.setattr(Product, "wrong", True)
    assert mc.verify(torch.mv, Product, [M, w]).finding("backward by x").status == "wrong"
    assert mc.verify(torch.mv, Product, [M, w], wrt=0).ok


def test_none_claims_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Product, "none", True)
    report = mc.verify(torch.mv, Product, [M, w])
    assert report.ok
    assert report.finding("backward by x").status == "noted"
    assert mc.verify(torch.mv, Product, [M, w], wrt=1).verdict == "refuted"


class Density(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, S: Any, x: Any) -> Any:
        ctx.save_for_backward(S, x)
        return (torch.linalg.solve_triangular(torch.linalg.cholesky(S), x[:, None], upper=False) ** 2).sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        S, x = ctx.saved_tensors
        y = torch.linalg.solve(S, x)
        return -g * torch.outer(y, y), 2 * g * y


def test_what_is_kept_symmetric_is_settled_for_every_input() -> None:
    def density(S: Any, x: Any) -> Any:
        return (torch.linalg.solve_triangular(torch.linalg.cholesky(S), x[:, None], upper=False) ** 2).sum()

    report = mc.verify(density, Density, [S, w])
    assert report.ok, str(report)
    assert mc.verify(density, Density, [S, w], wrt=1).ok


class Taken(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, at: Any, x: Any) -> Any:
        ctx.save_for_backward(at, x)
        return x[at]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        at, x = ctx.saved_tensors
        return None, torch.zeros_like(x).index_add(0, at, g)


def test_whole_numbers_stay_whole_where_they_come_first() -> None:
    at = torch.tensor([2, 0, 2])
    report = mc.verify(lambda at, x: x[at], Taken, [at, w])
    assert report.ok, str(report)
    with pytest.raises(mc.MatcalcError):
        mc.verify(lambda at: at.double(), Taken, [at])


class Raising(torch.autograd.Function):
    factor = 2

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        if bool((x.abs() > 5).any()) or x.dtype != DOUBLE:
            raise ValueError("too far")
        return x @ x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return Raising.factor * g * ctx.saved_tensors[0]


@pytest.mark.parametrize(("factor", "status"), [(2, "right"), (2 + 1e-7, "wrong")])
def test_a_function_that_raises_far_away_is_judged_around_the_example(
    factor: float, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Raising, "factor", factor)
    report = mc.verify(lambda x: x @ x, Raising, [w.float()])
    assert report.finding("backward").status == status


# Where differences tell nothing, autograd alone may be a backward of somebody's own.


class Tripled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return (x * x).sum() + 1e14

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 3 * ctx.saved_tensors[0] * g


def _quantized(x: Any) -> Any:
    return (x + ((x * 1e4).round() / 1e4 - x).detach()).sum()


@pytest.mark.parametrize(("fn", "claim"), [(Tripled.apply, lambda x: 3 * x), (_quantized, torch.ones_like)])
def test_autograd_alone_is_no_witness_of_what_it_was_told(fn: Any, claim: Any) -> None:
    report = mc.verify(fn, claim, [w])
    assert report.verdict == "inconclusive"
    assert "differences of the function tell nothing" in report.reason


def test_a_function_without_a_derivative_of_torch_is_judged_by_differences() -> None:
    def zeta(x: Any) -> Any:
        return torch.special.zeta(x + 2, torch.ones_like(x)).sum()

    def slope(x: Any) -> Any:
        n, last, s = torch.arange(2, 400, dtype=x.dtype), 399.5, x + 1  # the rest by the midpoint rule, to 1e-9
        rest = last**-s * (math.log(last) / s + 1 / s**2)
        return -(n.log() * n ** -(x[:, None] + 2)).sum(1) - rest

    report = mc.verify(zeta, slope, [POSITIVE + 2])
    assert report.ok, str(report)
    assert report.odd_one_out == ""
    assert any("torch has no gradient of the function" in line for line in report.witnesses)
    assert mc.verify(zeta, lambda x: 1.1 * slope(x), [POSITIVE + 2]).verdict == "refuted"


def test_a_value_of_torch_that_is_inexact_is_no_detached_part() -> None:
    assert mc.verify(lambda x: x.digamma().sum(), lambda x: torch.polygamma(1, x), [POSITIVE]).ok
