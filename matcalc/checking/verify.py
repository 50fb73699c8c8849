"""Any torch function against a claimed gradient function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcalc.checking.relation import Pair, relation
from matcalc.checking.torch_side import versions
from matcalc.checking.verdict import Report
from matcalc.errors import CheckError

_ROOM = 1e-7


def verify(
    fn: Callable[..., Any],
    claimed: Callable[..., Any],
    example_inputs: Sequence[Any],
    wrt: int = 0,
    trials: int = 5,
    seed: int = 0,
) -> Report:
    """Compares ``claimed(*inputs)`` with autograd of ``fn`` at the example and at points around it, in float64."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    pairs, shapes_agree = [], True
    for trial in range(trials):
        inputs = [_moved(t, generator, trial) for t in example_inputs]
        x = inputs[wrt].double().requires_grad_(True)
        value = fn(*inputs[:wrt], x, *inputs[wrt + 1 :])
        (truth,) = torch.autograd.grad(value, x, allow_unused=True)
        truth = torch.zeros_like(x) if truth is None else truth
        try:
            said = torch.as_tensor(claimed(*inputs)).detach()
        except Exception as error:
            raise CheckError(f"the claimed function failed: {type(error).__name__}: {error}") from error
        shapes_agree = shapes_agree and said.shape == truth.shape
        pairs.append(Pair(_matrix(said), _matrix(truth), float(value.detach())))
    errors = [_error(pair) for pair in pairs]
    worst = max(errors, key=lambda e: e if e == e else float("inf"))
    common: dict[str, Any] = {
        "trials": trials, "devices": ("cpu",), "dtypes": ("float64",), "seed": seed, "max_error": worst,
        "versions": versions(), "claimed": True,
    }  # fmt: skip
    if worst <= _ROOM and not shapes_agree:
        return Report("refuted", diagnosis="shape: the claim does not have the shape of the input", **common)
    if worst <= _ROOM:
        return Report("verified", smallest_visible=_ROOM, **common)
    if worst != worst:
        return Report("inconclusive", reason="a value is not a number", **common)
    bad = next(k for k, p in enumerate(pairs) if not _error(p) <= _ROOM)
    seen = {
        "trial": bad,
        "seed": seed,
        "claimed": pairs[bad].claimed.tolist(),
        "expected": pairs[bad].truth.tolist(),
    }
    return Report("refuted", counterexample=seen, diagnosis=relation(pairs), **common)


def _moved(tensor: Any, generator: Any, trial: int) -> Any:
    import torch

    x = torch.as_tensor(tensor).detach()
    if not x.is_floating_point():
        return x
    x = x.double()
    noise = torch.randn(x.shape, dtype=torch.float64, generator=generator)
    return x if trial == 0 else x + 0.1 * x.abs().mean() * noise


def _matrix(tensor: Any) -> Any:
    array = tensor.detach().double().numpy()
    return array.reshape(-1, 1) if array.ndim < 2 else array.reshape(array.shape[0], -1)


def _error(pair: Pair) -> float:
    import numpy as np

    if pair.claimed.shape != pair.truth.shape:
        return float("inf")
    return float(np.abs(pair.claimed - pair.truth).max() / (np.abs(pair.truth).max() or 1.0))
