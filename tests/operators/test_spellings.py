"""What a record says for torch, NumPy and JAX is its reference arithmetic, with leading axes and in both precisions."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import matcalc as mc
from matcalc.checking.precise import evaluate, lifted
from matcalc.expression.nodes import Node, postorder
from matcalc.lowering.spelling import ATOM, Text

FORMS = [
    ("huber(X, a)", {"X": "matrix(3, 4)", "a": "scalar(; positive)"}),
    ("layernorm(X)", {"X": "matrix(3, 4)"}),
    ("layernorm(x)", {"x": "vector(4)"}),
    ("layerstd(X, 1)", {"X": "matrix(3, 4)"}),
    ("layerstd(x)", {"x": "vector(4)"}),
    ("stopgrad(X)", {"X": "matrix(3, 4)"}),
    ("conv1d(x, k)", {"x": "vector(6)", "k": "vector(3)"}),
    ("conv1d_full(x, k)", {"x": "vector(6)", "k": "vector(3)"}),
    ("conv2d(X, K)", {"X": "matrix(5, 6)", "K": "matrix(2, 3)"}),
    ("conv2d(X, K)", {"X": "matrix(1, 5)", "K": "matrix(1, 2)"}),
    ("conv2d_full(X, K)", {"X": "matrix(5, 6)", "K": "matrix(2, 3)"}),
    ("avgpool1d(x, 2)", {"x": "vector(7)"}),
    ("avgpool2d(X, 2)", {"X": "matrix(5, 6)"}),
    ("maxpool1d(x, 2)", {"x": "vector(7)"}),
    ("maxpool2d(X, 2)", {"X": "matrix(5, 6)"}),
    ("maxpick1d(x, z, 3)", {"x": "vector(6)", "z": "vector(6)"}),
    ("maxpick2d(X, Z, 2)", {"X": "matrix(4, 6)", "Z": "matrix(4, 6)"}),
    ("maxunpool1d(u, z, 3)", {"u": "vector(2)", "z": "vector(6)"}),
    ("maxunpool2d(U, Z, 2)", {"U": "matrix(2, 3)", "Z": "matrix(4, 6)"}),
]
BATCHES = [((), ()), ((2, 3), (2, 3)), ((2,), ()), ((), (2,)), ((2, 1), (3,))]
MODULES = {"torch": "torch", "numpy": "np", "jax": "jnp"}


def spelled(node: Node, target: str, values: dict[str, Any], modules: dict[str, Any]) -> Any:
    """The value of an expression of names by the texts of its records."""
    done: dict[Node, Any] = {}
    for below in postorder(node):
        if below.op == "variable":
            done[below] = values[below.params[0]]
            continue
        names = {f"a{k}": done[arg] for k, arg in enumerate(below.args)}
        spelling = getattr(below.operator.lowers, target)
        if isinstance(spelling, str):
            text = spelling.format(*(Text(name, ATOM) for name in names), rows=below.rows, cols=below.cols)
        else:
            text = spelling(below, list(names), str)
        done[below] = eval(text, modules | names)  # noqa: S307  our own text
    return done[node]


def sampled(f: mc.Expression, batches: tuple[tuple[int, ...], tuple[int, ...]]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    made = {}
    for k, v in enumerate(f.typed.variables):
        value = rng.standard_normal((*batches[k], *v.node.shape))
        value = np.round(value) if "max" in f.text else value  # with ties
        made[v.name] = abs(value) + 0.1 if "positive" in v.node.facts else value
    return made


def reference(f: mc.Expression, values: dict[str, np.ndarray]) -> np.ndarray:
    batch = np.broadcast_shapes(*(value.shape[:-2] for value in values.values()))
    full = {name: np.broadcast_to(v, (*batch, *v.shape[-2:])) for name, v in values.items()}
    with mpmath.workdps(30):
        rows = [evaluate(f.node, lifted({n: v[k] for n, v in full.items()}), {}) for k in np.ndindex(batch)]
    return np.array(rows).astype(float).reshape(*batch, *rows[0].shape)


def library(target: str) -> tuple[Any, dict[str, Any]]:
    """How arrays are made, and the modules that texts name."""
    if target == "torch":
        import torch

        return torch.tensor, {"torch": torch}
    if target == "numpy":
        return np.array, {"np": np}
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy.array, {"jax": jax, "jnp": jax.numpy}


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize(("text", "let"), FORMS, ids=[f"{t} {list(d.values())}" for t, d in FORMS])
def test_a_text_is_the_reference(text: str, let: dict[str, str], target: str) -> None:
    array, modules = library(target)
    f = mc.parse(text, let)
    for batches in BATCHES:
        values = sampled(f, batches)
        wanted = reference(f, values)
        for dtype, room in (("float64", 1e-12), ("float32", 1e-4))[: 2 if batches == BATCHES[0] else 1]:
            made = spelled(f.node, target, {n: array(v.astype(dtype)) for n, v in values.items()}, modules)
            assert str(made.dtype).endswith(dtype)
            np.testing.assert_allclose(np.broadcast_to(np.asarray(made), wanted.shape), wanted, rtol=room, atol=room)
