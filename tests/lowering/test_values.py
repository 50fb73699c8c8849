"""The optimised program, the literal one and a formula written by hand agree."""

import pytest
import torch
from lowering_cases import CASES, Case, f, function, lower, sample, source, x
from torch.func import grad, vmap

TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-3}
PARTS = {"lower": torch.tril, "upper": torch.triu, "posdef": lambda t: t + t.mT}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
every_mode = pytest.mark.parametrize("optimise", [True, False], ids=["optimised", "literal"])


def agree(got: torch.Tensor, want: torch.Tensor) -> None:
    assert got.dtype == want.dtype
    bound = TOLERANCE[got.dtype]
    torch.testing.assert_close(got, want, rtol=bound, atol=bound)


def looped(case: Case, inputs: list[torch.Tensor], batched: list[bool], count: int) -> torch.Tensor:
    rows = ([t[k] if has else t for t, has in zip(inputs, batched, strict=True)] for k in range(count))
    return torch.stack([case.formula(*row) for row in rows])


@every_case
@every_mode
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_value(case, optimise, dtype):
    inputs = [sample(v, dtype) for v in case.variables]
    agree(function(case, optimise=optimise)(*inputs), case.formula(*inputs))


@every_case
@every_mode
def test_leading_axes(case, optimise):
    inputs = [sample(v, torch.float64, 2, 5) for v in case.variables]
    want = looped(case, [t.flatten(0, 1) for t in inputs], [True] * len(inputs), 10)
    got = function(case, optimise=optimise)(*inputs)
    agree(got.expand(2, 5, *want.shape[1:]).flatten(0, 1), want)


@every_case
@pytest.mark.parametrize("parity", [0, 1])
def test_some_inputs_batched(case, parity):
    """Four copies: as many as the matrices have rows, where a solve could mistake a matrix for vectors."""
    batched = [k % 2 == parity for k in range(len(case.variables))]
    sizes = [(4,) if has else () for has in batched]
    inputs = [sample(v, torch.float64, *size) for v, size in zip(case.variables, sizes, strict=True)]
    want = looped(case, inputs, batched, 4)
    agree(function(case)(*inputs).expand(want.shape), want)


@every_case
@every_mode
def test_vmap(case, optimise):
    inputs = [sample(v, torch.float64, 3) for v in case.variables]
    want = looped(case, inputs, [True] * len(inputs), 3)
    agree(vmap(function(case, optimise=optimise))(*inputs), want)


@every_case
def test_not_contiguous(case):
    inputs = [sample(v, torch.float64) for v in case.variables]
    strided = [torch.stack([t, t + 1], -1)[..., 0] for t in inputs]
    turned = [t.mT.contiguous().mT if t.ndim == 2 else t for t in strided]
    agree(function(case)(*turned), case.formula(*inputs))


@every_case
@every_mode
def test_gradient_of_the_function(case, optimise):
    inputs = [sample(v, torch.float64) for v in case.variables]
    symmetric = any("posdef" in v.facts for v in case.variables[:1])
    which = 1 if symmetric and len(inputs) > 1 else 0
    ours = grad(lambda *t: function(case, optimise=optimise)(*t).sin().sum(), argnums=which)(*inputs)
    theirs = grad(lambda *t: case.formula(*t).sin().sum(), argnums=which)(*inputs)
    for fact, part in PARTS.items():
        if fact in case.variables[which].facts:
            ours, theirs = part(ours), part(theirs)
    agree(ours, theirs)


def test_two_outputs():
    program = lower([(x.T @ x, "scalar"), (f("exp", x), "vector")], [x])
    scope = {}
    exec(source(program), scope)  # noqa: S102  our own text
    t = sample(x, torch.float64)
    value, gradient = scope["gradient"](t)
    assert value.ndim == 0
    agree(value, t @ t)
    agree(gradient, t.exp())
