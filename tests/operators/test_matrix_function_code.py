"""How the records of matrix functions are spelled: torch, NumPy and JAX agree with 90-digit arithmetic, batches too."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.special
import torch

import matcalc as mc
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression.nodes import Node
from matcalc.expression.operator import TABLE

_P, _S, _M = "matrix(3, 3; posdef)", "matrix(3, 3; symmetric)", "matrix(3, 3; principal)"
_M2 = "matrix(2, 2; principal)"
ROWS = [
    ("chol(A)", {"A": _P}),
    ("half_tril(A)", {"A": _M}),
    ("mirror_tril(A)", {"A": _M}),
    ("expm(A)", {"A": "matrix(3, 3)"}),
    ("expm(A)", {"A": "matrix(1, 1)"}),
    ("expm_frechet(A, D)", {"A": _M, "D": "matrix(3, 3)"}),
    ("expm_frechet(A, D, B, D)", {"A": _M2, "D": "matrix(2, 2)", "B": "matrix(2, 2)"}),
    ("logm(A)", {"A": _P}),
    ("logm(A)", {"A": _M}),
    ("logm_frechet(A, D)", {"A": _M, "D": "matrix(3, 3)"}),
    ("logm_frechet(A, D, B)", {"A": _M2, "D": "matrix(2, 2)", "B": "matrix(2, 2)"}),
    ("sqrtm(A)", {"A": _P}),
    ("sqrtm(A)", {"A": _M}),
    ("sylvester(A, B, C)", {"A": _P, "B": "matrix(2, 2; posdef)", "C": "matrix(3, 2)"}),
    ("sylvester(A, B, C)", {"A": "matrix(3, 3; positive_stable)", "B": "matrix(2, 2; posdef)", "C": "matrix(3, 2)"}),
    ("sylvester(A, B, C)", {"A": _M, "B": "matrix(2, 2)", "C": "matrix(3, 2)"}),
    ("pinv(A)", {"A": "matrix(3, 2)"}),
    ("pinv(A)", {"A": "matrix(2, 4)"}),
    ("adj(A)", {"A": _M}),
    ("eigvals(A)", {"A": _S}),
    ("eigvecs(A)", {"A": _S}),
    ("reciprocal_gaps(x)", {"x": "vector(4)"}),
    ("lambda_max(A)", {"A": _S}),
    ("lambda_min(A)", {"A": _S}),
    ("projector_max(A)", {"A": _S}),
    ("projector_min(A)", {"A": _S}),
    ("resolvent_max(A)", {"A": _S}),
    ("resolvent_min(A)", {"A": _S}),
    ("norm_nuc(A)", {"A": "matrix(3, 2)"}),
    ("polar(A)", {"A": "matrix(2, 3)"}),
    ("norm_spec(A)", {"A": "matrix(3, 2)"}),
    ("dominant(A)", {"A": "matrix(2, 3)"}),
]
NAMES = [f"{text} {let['A' if 'A' in let else 'x']}" for text, let in ROWS]
every_row = pytest.mark.parametrize(("text", "let"), ROWS, ids=NAMES)


def modules(target: str) -> dict[str, Any]:
    if target == "torch":
        return {"torch": torch}
    if target == "numpy":
        return {"np": np, "scipy": scipy}
    import jax
    import jax.numpy
    import jax.scipy.linalg

    return {"jnp": jax.numpy, "jax": jax}


def function(node: Node, target: str) -> Any:
    """The record's spelling as a function of the node's arguments."""
    lowers = node.operator.lowers
    names = [f"x{k}" for k in range(len(node.args))]
    spelling = getattr(lowers, target)
    text = spelling.format(*names) if isinstance(spelling, str) else spelling(node, names, str)
    scope = modules(target)
    for helper in lowers.helpers.get(target, {}).values():
        exec(helper, scope)  # noqa: S102  our own text
    return eval(f"lambda {', '.join(names)}: {text}", scope)  # noqa: S307  our own text


def sampled(text: str, let: dict[str, str], seed: int) -> tuple[Node, Point]:
    f = mc.parse(text, let)
    nodes = tuple(v.node for v in f.typed.variables)
    total = mc.parse(f"sum(({text}).^2)", let).node
    at = point(Question(total, nodes[0].params[0], nodes, total), CheckOptions(seed=seed), 0)
    assert isinstance(at, Point), at
    return f.node, at


def exact(node: Node, at: Point) -> Any:
    with mpmath.workdps(50):
        return evaluate(node, lifted(at.values), at.sizes).astype(float)


def arguments(node: Node, at: Point) -> list[Any]:
    return [at.values[arg.params[0]] for arg in node.args]


@every_row
def test_torch_and_numpy_agree_with_the_reference(text: str, let: dict[str, str]) -> None:
    node, at = sampled(text, let, seed=3)
    want, given = exact(node, at), arguments(node, at)
    np.testing.assert_allclose(function(node, "numpy")(*given), want, rtol=1e-10, atol=1e-10)
    made = function(node, "torch")(*map(torch.tensor, given))
    np.testing.assert_allclose(made.numpy(), want, rtol=1e-10, atol=1e-10)


@every_row
@pytest.mark.parametrize("target", ["torch", "numpy"])
def test_leading_axes_are_batch_axes(text: str, let: dict[str, str], target: str) -> None:
    pairs = [sampled(text, let, seed) for seed in range(4)]
    node = pairs[0][0]
    given = [np.stack(rows).reshape(2, 2, *rows[0].shape) for rows in zip(*(arguments(*p) for p in pairs), strict=True)]
    want = np.stack([exact(*p) for p in pairs]).reshape(2, 2, *exact(*pairs[0]).shape)
    made = function(node, target)(*(map(torch.tensor, given) if target == "torch" else given))
    np.testing.assert_allclose(np.asarray(made), want, rtol=1e-9, atol=1e-9)


@every_row
def test_vmap_and_single_precision(text: str, let: dict[str, str]) -> None:
    pairs = [sampled(text, let, seed) for seed in range(3)]
    given = [
        torch.tensor(np.stack(rows), dtype=torch.float32) for rows in zip(*(arguments(*p) for p in pairs), strict=True)
    ]
    made = torch.func.vmap(function(pairs[0][0], "torch"))(*given)
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.numpy(), np.stack([exact(*p) for p in pairs]), rtol=5e-3, atol=5e-3)


@every_row
def test_one_argument_may_have_the_batch_axes_alone(text: str, let: dict[str, str]) -> None:
    node, at = sampled(text, let, seed=1)
    first, *rest = map(torch.tensor, arguments(node, at))
    made = function(node, "torch")(first.expand(4, *first.shape), *rest)
    np.testing.assert_allclose(made.numpy(), np.broadcast_to(exact(node, at), made.shape), rtol=1e-9, atol=1e-9)


@every_row
def test_jax_agrees_with_the_reference_under_jit_and_vmap(text: str, let: dict[str, str]) -> None:
    jax = pytest.importorskip("jax")
    pairs = [sampled(text, let, seed) for seed in range(2)]
    given = [np.stack(rows) for rows in zip(*(arguments(*p) for p in pairs), strict=True)]
    with jax.enable_x64(True):
        f = function(pairs[0][0], "jax")
        # The logarithm's seven roots take tens of seconds to compile, and no other path.
        together = np.asarray((f if "logm" in text else jax.jit(f))(*given))
        mapped = np.asarray(jax.vmap(f)(*given))
    want = np.stack([exact(*p) for p in pairs])
    np.testing.assert_allclose(together, want, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mapped, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["sqrtm", "logm"])
def test_without_a_principal_value_the_result_is_nan(name: str) -> None:
    node = mc.parse(f"{name}(A)", {"A": "matrix(3, 3)"}).node
    turned = torch.tensor([[2.0, 1.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 3.0]], dtype=torch.float64)
    symmetric = mc.parse(f"{name}(A)", {"A": "matrix(3, 3; symmetric)"}).node
    assert function(node, "torch")(turned).isnan().all()
    assert function(symmetric, "torch")(turned + turned.mT - 5 * torch.eye(3)).isnan().any()


def test_a_sylvester_equation_without_stable_sides_is_nan_where_they_were_promised() -> None:
    stable = {"A": "matrix(2, 2; positive_stable)", "B": "matrix(2, 2; positive_stable)"}
    node = mc.parse("sylvester(A, B, C)", {**stable, "C": "matrix(2, 2)"}).node
    one = torch.eye(2, dtype=torch.float64)
    broken = torch.tensor([[-2.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    assert function(node, "torch")(broken, one, one + 1).isnan().all()


@pytest.mark.parametrize("text", ["sqrtm(A)", "logm(A)"])
def test_ill_conditioned_general_matrices(text: str) -> None:
    node = mc.parse(text, {"A": "matrix(3, 3)"}).node
    rng = np.random.default_rng(0)
    vectors = np.linalg.qr(rng.standard_normal((3, 3)))[0] + 0.1 * rng.standard_normal((3, 3))
    matrix = vectors @ np.diag([1e-4, 1.0, 1e3]) @ np.linalg.inv(vectors)
    want = (scipy.linalg.sqrtm if "sqrt" in text else scipy.linalg.logm)(matrix)
    made = function(node, "torch")(torch.tensor(matrix)).numpy()
    np.testing.assert_allclose(made, want, rtol=1e-7, atol=1e-7)


def test_every_record_with_private_functions_has_them_for_all_targets() -> None:
    for operator in TABLE.values():
        helpers = operator.lowers.helpers
        if helpers:
            assert set(helpers) == {"torch", "numpy", "jax"}
            assert len({frozenset(texts) for texts in helpers.values()}) == 1
