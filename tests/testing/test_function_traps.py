"""Functions that are right when they are called once, with one gradient of size 1, for all of their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from samples import M, X, draw, w

import matcalc as mc


def made(forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    """A Function of two plain functions."""
    return type(
        "Made", (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    )


def _cube(ctx: Any, x: Any) -> Any:
    ctx.save_for_backward(x)
    return x**3


def _sine(ctx: Any, x: Any) -> Any:
    ctx.save_for_backward(x)
    return x.sin()


def _exp(ctx: Any, x: Any) -> Any:
    y = x.exp()
    ctx.save_for_backward(y)
    return y


def _layer(ctx: Any, x: Any, W: Any, b: Any) -> Any:
    ctx.save_for_backward(x, W)
    return x @ W.mT + b


def _all_or_one(ctx: Any, g: Any) -> Any:
    x, W = ctx.saved_tensors
    by_x, by_w, _ = ctx.needs_input_grad
    if all(ctx.needs_input_grad):
        return g @ W, g.mT @ x, g.sum(0)
    return (g @ W, None, None) if by_x else (None, g.mT @ x, None) if by_w else (None, None, g.sum(0))


def _each(ctx: Any, g: Any) -> Any:
    x, W = ctx.saved_tensors
    return g @ W, g.mT @ x, g.sum(0)


TRAPS = [
    (lambda x: x**3, _cube, lambda ctx, g: 3 * g.detach() * ctx.saved_tensors[0] ** 2, "double backward", [w]),
    (torch.sin, _sine, lambda ctx, g: ctx.saved_tensors[0].cos() * g.clamp(-100, 100), "grad_output", [w]),
    (
        torch.sin, _sine, lambda ctx, g: ctx.saved_tensors[0].cos() * torch.where(g.abs() < 1e-6, 0 * g, g),
        "grad_output", [w],
    ),
    (torch.exp, _exp, lambda ctx, g: ctx.saved_tensors[0].mul_(g), "in place", [w]),
    (
        lambda x, W, b: x @ W.mT + b, _layer, _all_or_one, "needs_input_grad",
        [X, M, draw(3, seed=4)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "forward", "backward", "aspect", "given"), TRAPS)
def test_what_fails_in_training_is_found(fn: Any, forward: Any, backward: Any, aspect: str, given: list[Any]) -> None:
    report = mc.verify(fn, made(forward, backward), given)
    assert report.verdict == "refuted"
    assert report.finding(aspect).status == "wrong", str(report)


@pytest.mark.parametrize(
    ("fn", "forward", "backward", "given"),
    [
        (lambda x: x**3, _cube, lambda ctx, g: 3 * g * ctx.saved_tensors[0] ** 2, [w]),
        (torch.exp, _exp, lambda ctx, g: ctx.saved_tensors[0] * g, [w]),
        (lambda x, W, b: x @ W.mT + b, _layer, _each, [X, M, draw(3, seed=4)]),
    ],
)
def test_what_does_not_is_right(fn: Any, forward: Any, backward: Any, given: list[Any]) -> None:
    report = mc.verify(fn, made(forward, backward), given)
    assert report.ok, str(report)
    assert report.finding("double backward").status == "right"


def test_a_gradient_that_is_nan_does_not_ignore_what_arrives() -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.norm()

    function = made(forward, lambda ctx, g: g * ctx.saved_tensors[0] / ctx.saved_tensors[0].norm())
    report = mc.verify(torch.norm, function, [0 * w])
    assert report.ok, str(report)
    assert report.finding("grad_output").status == "right"  # which another point tells


def test_an_argument_that_is_no_tensor_is_named() -> None:
    with pytest.raises(mc.CheckError, match="input 1 is 3"):
        mc.verify(lambda x, n: x**n, made(_cube, lambda ctx, g: g), [w, 3])


# A value that is nearly right.


class _Nearly(torch.autograd.Function):
    off = 1e-8

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return (x * x).sum() * (1 + _Nearly.off)

    @staticmethod
    def backward(ctx: Any, *given: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * given[0] * x


def test_a_value_that_is_off_by_more_than_rounding_is_not_called_right() -> None:
    report = mc.verify(lambda x: (x * x).sum(), _Nearly, (torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64),))
    assert report.verdict == "inconclusive"
    assert "the value is off by 1.0e-08 relative: more than rounding explains" in report.reason


def test_a_right_value_is_told_with_what_it_is_off_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Nearly, "off", 0.0)
    report = mc.verify(lambda x: (x * x).sum(), _Nearly, (torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64),))
    assert report.finding("forward").says == "the function's value at 5 points, off by at most 0.0e+00"


# A forward that writes into its input.


def clamped(ctx: Any, x: Any) -> Any:
    ctx.save_for_backward(x.clone())
    return x.clamp_(min=0)


def passed(ctx: Any, *given: Any) -> Any:
    (x,) = ctx.saved_tensors
    return given[0] * (x > 0)


def clamped_as_told(ctx: Any, x: Any) -> Any:
    ctx.mark_dirty(x)
    return clamped(ctx, x)


@pytest.mark.parametrize("asked", ["check", "verify"])
def test_a_forward_that_writes_into_its_input_untold_is_wrong(asked: str) -> None:
    function = made(clamped, passed)
    x = torch.tensor([-1.0, 2.0, 3.0], dtype=torch.float64)
    report = (
        mc.check("relu(x)", "x", claim=function)
        if asked == "check"
        else mc.verify(lambda x: x.relu(), function, (x.clone(),))
    )
    assert report.verdict == "refuted"
    assert report.finding("in place").says == ("forward changes its argument x, and does not say so: ctx.mark_dirty(x)")


def test_a_forward_that_says_that_it_works_in_place_is_left_open() -> None:
    report = mc.check("relu(x)", "x", claim=made(clamped_as_told, passed))
    assert report.verdict == "inconclusive"
    assert report.finding("in place").status == "undecided"
