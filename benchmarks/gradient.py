"""Gradients: matcalc's compiled function beside the closed form, autograd and JAX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

import matcalc as mc
from benchmarks.compared import CLOSED, ratios
from benchmarks.problems import PROBLEMS, Problem, Tensors
from benchmarks.settings import Settings
from benchmarks.tables import Table
from benchmarks.timing import Action

COLUMNS = ("matcalc", "autograd", "torch.func", "torch.compile", "jax.jit")


def tables(settings: Settings) -> Iterator[Table]:
    """The table of this process's thread count."""
    rows, seconds = ratios(
        (
            (problem.label(sizes), _actions(problem, sizes, settings))
            for problem in PROBLEMS
            for sizes in problem.sizes[: settings.sizes]
        ),
        settings,
    )
    columns = [name for name in COLUMNS if any(name in cells for cells in rows.values())]
    yield Table(f"Gradients, time over the closed form, {settings.machine}", CLOSED, columns, rows, seconds)


def _actions(problem: Problem, sizes: Mapping[str, int], settings: Settings) -> dict[str, Action]:
    inputs = {name: tensor.to(settings.device) for name, tensor in problem.inputs(sizes).items()}
    order = list(mc.parse(problem.text, problem.let).variables)
    ours = mc.grad(problem.text, problem.wrt, problem.let).compile("torch")
    positional = [inputs[name] for name in order]
    actions: dict[str, Action] = {
        CLOSED: lambda: problem.gradient(**inputs),
        "matcalc": lambda: ours(*positional),
        **_torch_actions(problem, inputs, settings),
    }
    if settings.jax:
        actions["jax.jit"] = _jax_action(problem, inputs)
    return actions


def _torch_actions(problem: Problem, inputs: Tensors, settings: Settings) -> dict[str, Action]:
    value = problem.torch_value or problem.value
    leaf = inputs[problem.wrt].clone().requires_grad_()
    rest = {name: tensor for name, tensor in inputs.items() if name != problem.wrt}

    def loss(x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = value(torch, **rest, **{problem.wrt: x})
        return made

    functional = torch.func.grad(loss)
    actions: dict[str, Action] = {
        "autograd": lambda: torch.autograd.grad(loss(leaf), leaf)[0],
        "torch.func": lambda: functional(inputs[problem.wrt]),
    }
    if settings.torch_compile:
        torch._dynamo.reset()
        fast = torch.compile(loss)
        actions["torch.compile"] = lambda: torch.autograd.grad(fast(leaf), leaf)[0]
    return actions


def _jax_action(problem: Problem, inputs: Tensors) -> Action:
    import jax
    import jax.numpy as jnp

    arrays = {name: jnp.asarray(tensor.numpy(force=True)) for name, tensor in inputs.items()}
    names = list(arrays)
    jitted = jax.jit(
        jax.grad(lambda *args: problem.value(jnp, **dict(zip(names, args, strict=True))), names.index(problem.wrt))
    )
    args = list(arrays.values())
    return lambda: jitted(*args).block_until_ready()
