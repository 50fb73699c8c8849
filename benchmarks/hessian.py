"""Hessians, and Hessians times a direction, beside the closed form, torch and JAX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

import matcalc as mc
from benchmarks.compared import CLOSED, ratios
from benchmarks.problems import Tensors
from benchmarks.second_order import SECOND_ORDER, SecondOrder, symmetrised
from benchmarks.settings import Settings
from benchmarks.tables import Table
from benchmarks.timing import Action

COLUMNS = ("matcalc", "torch.func", "functional", "jax.jit")
PRODUCTS = ("matcalc", "double backward", "torch.func")
_MOST_ENTRIES = 5_000_000


def tables(settings: Settings) -> Iterator[Table]:
    """The tables of this process's thread count."""
    rows, seconds = ratios(
        (
            (each.problem.label(sizes), actions(each, sizes, settings))
            for each in SECOND_ORDER
            for sizes in each.sizes[: settings.sizes]
        ),
        settings,
    )
    yield Table(f"Hessians, time over the closed form, {settings.machine}", CLOSED, COLUMNS, rows, seconds)
    rows, seconds = ratios(
        (
            (each.problem.label(sizes), products(each, sizes))
            for each in SECOND_ORDER
            if each.product is not None
            for sizes in each.sizes[: settings.sizes]
        ),
        settings,
    )
    yield Table(
        f"Hessians times a direction, over the closed form, {settings.machine}", CLOSED, PRODUCTS, rows, seconds
    )


def actions(each: SecondOrder, sizes: Mapping[str, int], settings: Settings) -> dict[str, Action]:
    """What is timed, by its name; torch and JAX where their tensors are not too large to wait for."""
    problem, inputs = each.problem, each.problem.inputs(sizes)
    order = list(mc.parse(problem.text, problem.let).variables)
    ours = mc.hessian(problem.text, problem.wrt, let=problem.let).compile("torch")
    positional = [inputs[name] for name in order]
    made: dict[str, Action] = {CLOSED: lambda: each.hessian(**inputs), "matcalc": lambda: ours(*positional)}
    if inputs[problem.wrt].numel() ** 2 > _MOST_ENTRIES:
        return made
    x, loss = inputs[problem.wrt], _loss(each, inputs)
    turned = symmetrised if each.symmetric else lambda tensor: tensor
    made["torch.func"] = lambda: turned(torch.func.hessian(loss)(x))
    made["functional"] = lambda: turned(torch.autograd.functional.hessian(loss, x, vectorize=True))
    if settings.jax:
        made["jax.jit"] = _jax(each, inputs)
    return made


def products(each: SecondOrder, sizes: Mapping[str, int]) -> dict[str, Action]:
    """The same of products with a direction."""
    assert each.product is not None, "a product has a closed form here"
    problem, inputs = each.problem, each.problem.inputs(sizes)
    x, loss = inputs[problem.wrt], _loss(each, inputs)
    v = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    derived = mc.hvp(mc.parse(problem.text, problem.let), problem.wrt, "v")
    ours, positional = derived.compile("torch"), [{**inputs, "v": v}[name] for name in derived.variables]
    leaf, product = x.clone().requires_grad_(), each.product

    def double_backward() -> torch.Tensor:
        (gradient,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
        return torch.autograd.grad(gradient, leaf, v)[0]

    return {
        CLOSED: lambda: product(**inputs, v=v),
        "matcalc": lambda: ours(*positional),
        "double backward": double_backward,
        "torch.func": lambda: torch.func.jvp(torch.func.grad(loss), (x,), (v,))[1],
    }


def _loss(each: SecondOrder, inputs: Tensors) -> Any:
    problem = each.problem
    rest = {name: tensor for name, tensor in inputs.items() if name != problem.wrt}
    value = problem.torch_value or problem.value
    return lambda x: value(torch, **rest, **{problem.wrt: x})


def _jax(each: SecondOrder, inputs: Tensors) -> Action:
    import jax
    import jax.numpy as jnp

    problem = each.problem
    arrays = {name: jnp.asarray(tensor.numpy()) for name, tensor in inputs.items()}
    names = list(arrays)
    place = names.index(problem.wrt)
    jitted = jax.jit(jax.hessian(lambda *args: problem.value(jnp, **dict(zip(names, args, strict=True))), place))
    args = list(arrays.values())
    if each.symmetric:
        return lambda: symmetrised(torch.tensor(jitted(*args).__array__()))
    return lambda: jitted(*args).block_until_ready()
