"""What holds around an example and not elsewhere: kinks of other inputs, masks, labels, sizes, cotangents."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from samples import DOUBLE, POSITIVE, X, draw, w
from torch import distributions
from torch.nn import functional

import matcalc as mc

SIGNS = torch.tensor([1.0, -1, 1, 1, -1, 1, -1, -1], dtype=DOUBLE)


def _hinge(w: Any, X: Any, y: Any) -> Any:
    return (1 - y * (X @ w)).relu().mean()


def _up_to(x: Any, lengths: Any) -> Any:
    return (x**2 * (torch.arange(3) < lengths[:, None])).sum()


def _attributed(p: Any, y: Any) -> Any:
    return functional.binary_cross_entropy(p, y, reduction="sum")


def _dirichlet(a: Any, q: Any) -> Any:
    return distributions.Dirichlet(a, validate_args=True).log_prob(q)


SHARES = torch.full((5,), 0.2, dtype=DOUBLE)
ELSEWHERE = [
    # a branch on another input
    (lambda x, y: torch.where(y > 0, x**2, x**3).sum(), lambda x, y: 2 * x, [w, POSITIVE[:3]]),
    (lambda x, a: (a.abs() * x**2).sum(), lambda x, a: 2 * a * x, [w, POSITIVE[:3]]),
    (lambda p, y: (p - y).abs().sum(), lambda p, y: -torch.ones_like(p), [w, 100 + POSITIVE[:3]]),
    # a kink that is far for a small example
    (lambda x: functional.huber_loss(x, 0 * x, reduction="sum"), lambda x: x, [1e-3 * w]),
    (_hinge, lambda w, X, y: -(X * y[:, None]).mean(0), [1e-3 * w, X, SIGNS]),
    (lambda x: (x.clamp(-1000, 1000) ** 2).sum(), lambda x: 2 * x, [w]),
    (lambda x: x.sin().sum(), torch.ones_like, [1e-8 * w]),
    # whole numbers, masks, labels
    (lambda x, m: (x**2 * m).sum(), lambda x, m: 2 * x, [w, torch.ones(3, dtype=torch.bool)]),
    (_up_to, lambda x, lengths: 2 * x, [X, torch.full((8,), 3)]),
    (
        functional.cross_entropy, lambda z, y: (z.softmax(-1) - torch.eye(3, dtype=DOUBLE)) / 3,
        [X[:3], torch.arange(3)],
    ),
    (lambda z, t: (z / t).logsumexp(0), lambda z, t: z.softmax(0), [w, 1]),
    (lambda z, squared: (z**2 if squared else z**3).sum(), lambda z, squared: 2 * z, [w, True]),
    (
        lambda W, i: W[i], lambda W, i, g: torch.zeros_like(W).index_put((i,), g),
        [draw(4, 3, seed=8), torch.tensor([0, 1, 2, 3])],
    ),
    # what a function validates
    (_attributed, lambda p, y: -1 / p, [POSITIVE / 4, torch.ones(5, dtype=DOUBLE)]),
    (
        _dirichlet, lambda a, q: -math.log(5) - a.digamma() + a.sum().digamma(), [POSITIVE, SHARES],
    ),
    (
        lambda r, k: distributions.Poisson(r, validate_args=True).log_prob(k).sum(), lambda r, k: 3 / r - 1,
        [POSITIVE, torch.full((5,), 3.0, dtype=DOUBLE)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "claim", "given"), ELSEWHERE)
def test_what_is_wrong_elsewhere_is_not_verified(fn: Any, claim: Any, given: list[Any]) -> None:
    report = mc.verify(fn, claim, given, trials=3)
    assert report.verdict == "inconclusive", str(report)
    assert "and not where" in report.reason


RIGHT = [
    (lambda x, a: (a.abs() * x**2).sum(), lambda x, a: 2 * a.abs() * x, [w, POSITIVE[:3]]),
    (_hinge, lambda w, X, y: -(X * (y * (y * (X @ w) < 1))[:, None]).mean(0), [1e-3 * w, X, SIGNS]),
    (_up_to, lambda x, n: 2 * x * (torch.arange(3) < n[:, None]), [X, torch.full((8,), 3)]),
    (
        functional.cross_entropy, lambda z, y: (z.softmax(-1) - functional.one_hot(y, 3)) / len(z),
        [X[:3], torch.arange(3)],
    ),
    (_attributed, lambda p, y: (1 - y) / (1 - p) - y / p, [POSITIVE / 4, torch.ones(5, dtype=DOUBLE)]),
    (_dirichlet, lambda a, q: q.log() - a.digamma() + a.sum().digamma(), [POSITIVE, SHARES]),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "claim", "given"), RIGHT)
def test_what_is_right_elsewhere_too_is_verified(fn: Any, claim: Any, given: list[Any]) -> None:
    report = mc.verify(fn, claim, given, trials=3)
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_vjp_of_one_entry_is_asked_with_another_cotangent_than_one(shape: tuple[int, ...]) -> None:
    def function(x: Any) -> Any:
        return (x @ x).reshape(shape)

    assert mc.verify(function, lambda x, g: 2 * x * g, [w], kind="vjp").ok
    for wrong in (lambda x, g: 2 * x, lambda x, g: 2 * x * g**2):
        report = mc.verify(function, wrong, [w], kind="vjp")
        assert report.verdict == "refuted"
        assert report.counterexample is not None
        assert "cotangent" in report.counterexample


@pytest.mark.parametrize("seed", range(4))
def test_a_function_that_is_seldom_random_is_refused(seed: int) -> None:
    torch.manual_seed(seed)
    with pytest.raises(mc.CheckError, match="gives another value"):
        mc.verify(lambda x: functional.dropout(x, 0.02).sum(), lambda x: x * 0 + 1 / 0.98, [w])


def test_a_function_that_seeds_itself_is_not_random() -> None:
    def seeded(x: Any) -> Any:
        torch.manual_seed(0)
        return functional.dropout(x, 0.5).sum()

    def gradient(x: Any) -> Any:
        torch.manual_seed(0)
        return functional.dropout(torch.ones_like(x), 0.5)

    before = torch.get_rng_state()
    assert mc.verify(seeded, gradient, [draw(6)]).ok
    torch.set_rng_state(before)


@pytest.mark.parametrize(
    ("fn", "claim", "at", "says"),
    [
        (lambda x: x.sqrt().sum(), lambda x: 0.5 / x.sqrt(), [-1.5, 0.5], "NaN"),
        (lambda x: x.exp().sum(), torch.exp, [1000.0, 0.5], "infinite"),
    ],
)
def test_a_function_without_a_value_at_the_example_is_not_refuted(fn: Any, claim: Any, at: Any, says: str) -> None:
    report = mc.verify(fn, claim, [torch.tensor(at)])
    assert report.verdict == "inconclusive"
    assert f"the function is {says} at the example" in report.reason


def test_where_no_gradient_is_finite_nothing_counts() -> None:
    at = torch.tensor([0.0, 1.0, 2.0], dtype=DOUBLE)
    report = mc.verify(lambda x: (x**2).sqrt().sum(), lambda x: x / (x**2).sqrt(), [at])
    assert report.ok
    assert report.discarded == ("trial 0: the gradient is not finite there",)


def test_a_claim_that_is_another_than_torchs_at_a_kink_is_said_to_be() -> None:
    report = mc.verify(lambda x: x.abs().sum(), lambda x: torch.where(x == 0, 100, x.sign()), [0 * w])
    assert report.discarded == ("trial 0: the function has a kink there, where the claim is not what torch says",)
