"""NumPy and JAX give what the formula gives in torch: batched, compiled, mapped; and read as one would write them."""

import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import torch
from lowering_cases import CASES, A, Case, a, build, f, function, lower, num, sample, source, text, x
from test_texts import drop
from test_values import looped

import matcalc as mc
from matcalc.errors import DeviceError
from matcalc.lowering.names import Names
from matcalc.lowering.targets import TARGETS, target_named

pytestmark = pytest.mark.usefixtures("x64")
# Where JAX factors a matrix: its solves are its own, the rest it does as NumPy and is tested by the operators' samples.
SOLVING = ("solve", "inverse", "posdef", "lower", "upper", "determinant", "kron", "spread")
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
every_case_on_either = pytest.mark.parametrize(
    ("case", "target"),
    [
        pytest.param(case, target, id=f"{label}-{target}")
        for label, case in CASES.items()
        for target in ("numpy", "jax")
        if target == "numpy" or any(word in label for word in SOLVING)
    ],
)
others = pytest.mark.parametrize("target", ["numpy", "jax"])


def agree(got, want: torch.Tensor) -> None:
    assert isinstance(got, np.ndarray | np.generic | jax.Array)
    np.testing.assert_allclose(np.asarray(got), want.numpy(), rtol=1e-9, atol=1e-9)


def arrays(tensors: list[torch.Tensor]) -> list[np.ndarray]:
    return [tensor.numpy() for tensor in tensors]


def fast(case: Case, target: str, **options):
    made = function(case, target, **options)
    return jax.jit(made) if target == "jax" else made


@every_case
@others
def test_value(case, target):
    inputs = [sample(v, torch.float64) for v in case.variables]
    agree(function(case, target)(*arrays(inputs)), case.formula(*inputs))


@every_case
def test_value_of_the_literal_program(case):
    inputs = [sample(v, torch.float64) for v in case.variables]
    agree(function(case, "numpy", optimise=False)(*arrays(inputs)), case.formula(*inputs))


@every_case
def test_leading_axes(case):
    inputs = [sample(v, torch.float64, 2, 5) for v in case.variables]
    want = looped(case, [t.flatten(0, 1) for t in inputs], [True] * len(inputs), 10)
    want = want.reshape(2, 5, *want.shape[1:])
    agree(np.broadcast_to(function(case, "numpy")(*arrays(inputs)), want.shape), want)


@every_case_on_either
@pytest.mark.parametrize("parity", [0, 1])
def test_some_inputs_batched(case, target, parity):
    """Four copies: as many as the matrices have rows, where a solve could mistake a matrix for vectors."""
    batched = [k % 2 == parity for k in range(len(case.variables))]
    inputs = [sample(v, torch.float64, *([4] if has else [])) for v, has in zip(case.variables, batched, strict=True)]
    want = looped(case, inputs, batched, 4)
    agree(np.broadcast_to(fast(case, target)(*arrays(inputs)), want.shape), want)


@every_case
def test_vmap(case):
    inputs = [sample(v, torch.float64, 3) for v in case.variables]
    agree(jax.jit(jax.vmap(function(case, "jax")))(*arrays(inputs)), looped(case, inputs, [True] * len(inputs), 3))


# What the text looks like.

RESULTS = {
    "quadratic": ("A @ x + np.swapaxes(A, -1, -2) @ x - b", "A @ x + A.mT @ x - b"),
    "scaled": ("a / 3 * x + b / lambda_", "a / 3 * x + b / lambda_"),
    "roots": ("1 / p ** 1.5 + np.sqrt(p)", "1 / p ** 1.5 + jnp.sqrt(p)"),
    "solve": ("_solve(X, x)", "jnp.linalg.solve(X, x)"),
    "solve right": (
        "np.swapaxes(_solve(np.swapaxes(X, -1, -2), np.swapaxes(M, -1, -2)), -1, -2)",
        "jnp.linalg.solve(X.mT, M.mT).mT",
    ),
    "solve right turned": ("np.swapaxes(_solve(X, np.swapaxes(M, -1, -2)), -1, -2)", "jnp.linalg.solve(X, M.mT).mT"),
    "posdef alone": ("np.linalg.inv(S)", "_cholesky_solve(jnp.linalg.cholesky(S), jnp.eye(n, dtype=S.dtype))"),
    "posdef right": (
        "np.swapaxes(_solve(S, np.swapaxes(M, -1, -2)), -1, -2)",
        "_cholesky_solve(jnp.linalg.cholesky(S), M.mT).mT",
    ),
    "lower turned": (
        "np.swapaxes(_solve(L, np.swapaxes(M, -1, -2)), -1, -2)",
        "_solve_triangular(L, M.mT, lower=True).mT",
    ),
    "upper": ("_solve(U, A)", "_solve_triangular(U, A, lower=False)"),
    "trace": ("(A * np.swapaxes(X, -1, -2)).sum((-2, -1), keepdims=True)", "(A * X.mT).sum((-2, -1), keepdims=True)"),
    "determinant": ("np.swapaxes(_adjugate(X), -1, -2)", "_adjugate(X).mT"),
    "spread alone": (
        "np.exp(np.broadcast_to(c, (*c.shape[:-2], m, n)))",
        "jnp.exp(jnp.broadcast_to(c, (*c.shape[:-2], m, n)))",
    ),
    "number": ("np.full((1, 1), 2.5, dtype=x.dtype)", "jnp.full((1, 1), 2.5, dtype=x.dtype)"),
}


@pytest.mark.parametrize("label", RESULTS)
def test_result_reads(label):
    for target, wanted in zip(("numpy", "jax"), RESULTS[label], strict=True):
        assert f"    result = {wanted}\n" in text(CASES[label], target)


def test_a_whole_module():
    program = lower([(f("erf", A @ x), "vector")], [A, x], target="numpy")
    assert source(program, "numpy", doc="erf(A*x)") == MODULE


MODULE = '''"""erf(A*x)"""

import numpy as np
import scipy.special


def _arrays(*inputs):
    """The inputs as arrays of one floating-point type, which is that of the arrays among them."""
    types = [np.asarray(value).dtype for value in inputs if hasattr(value, "dtype")]
    dtype = np.result_type(1.0, *(kind for kind in types if kind.kind == "f"))
    return [np.asarray(value, dtype) for value in inputs]


def gradient(A, x):
    """erf(A*x)

    Args:
        A: matrix (n, n)
        x: vector (n,)

    Returns:
        vector (n,)

    Leading axes are batch axes.
    """
    A, x = _arrays(A, x)
    x = x[..., None]
    result = scipy.special.erf(A @ x)
    return result[..., 0]
'''


def test_only_what_is_used_is_imported():
    assert "scipy" not in text(CASES["posdef"], "numpy")
    assert "import math\n" in text(CASES["pi"], "jax")
    assert "import jax.nn\n" in text(Case(f("relu", x), (x,), "vector", torch.relu), "jax")
    assert "jax_enable_x64" in text(CASES["pi"], "jax")
    assert "jax_enable_x64" not in text(CASES["pi"], "numpy")


@pytest.mark.parametrize("target", TARGETS)
def test_an_input_cannot_be_called_as_a_helper(target):
    for helper in target_named(target).helpers:
        assert Names().own(helper) == f"{helper}_"


# Types of the inputs.


@others
def test_numbers_lists_and_integers(target):
    case = Case(num(1, 2) * a * x + f("log", num(2)) * build.ones(*x.shape), (a, x), "vector", torch.exp)
    made = function(case, target)
    single = np.arange(3, dtype=np.float32)
    wanted = np.arange(3) + np.log(2)
    for inputs, dtype in [
        ((2, single), np.float32),
        ((2.0, single), np.float32),
        ((np.array(2), single), np.float32),
        ((np.float64(2), single), np.float64),
        ((2, [0, 1, 2]), np.float64),
        ((np.array(2), np.arange(3)), np.float64),
    ]:
        got = made(*inputs)
        assert got.dtype == dtype, inputs
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_jax_in_its_default_precision():
    jax.config.update("jax_enable_x64", False)
    got = function(CASES["pi"], "jax")(np.float64(2))
    assert got.dtype == np.float32
    assert function(CASES["size"], "jax")([1.0, 2.0]).dtype == np.float32


@others
def test_keywords_and_what_is_wrong(target):
    made = mc.grad("x'*x*lambda", "x").compile(target)
    np.testing.assert_allclose(made(x=np.ones(3), λ=2.0), 4 * np.ones(3))
    with pytest.raises(TypeError, match="gradient takes x, lambda; 'x' is missing"):
        made(λ=2.0)


@others
@pytest.mark.parametrize("rank", [4, 3, 2])
def test_the_adjugate_of_a_singular_matrix_is_its_cofactors(target, rank):
    generator = torch.Generator().manual_seed(rank)
    wide = torch.randn(4, rank, generator=generator, dtype=torch.float64)
    matrix = wide @ torch.randn(rank, 4, generator=generator, dtype=torch.float64)
    minors = [[(-1) ** (i + j) * torch.linalg.det(drop(drop(matrix, i, 0), j, 1)) for j in range(4)] for i in range(4)]
    agree(function(CASES["determinant"], target)(matrix.numpy()), torch.tensor(minors, dtype=torch.float64))


def test_jax_differentiates_what_it_is_given():
    expression = mc.parse("sum(log(1 + exp(A*x))) + b'*inv(A'*A + eye(n))*x")
    value, gradient = expression.compile("jax"), mc.grad(expression, "x").compile("jax")
    given = {"x": np.arange(3.0), "A": np.arange(9.0).reshape(3, 3) / 9, "b": np.ones(3)}
    theirs = jax.grad(lambda x: value(**{**given, "x": x}))(given["x"])
    np.testing.assert_allclose(gradient(**given), theirs, rtol=1e-12)


# What is not installed.


def run(program: str) -> str:
    root = Path(mc.__file__).parent.parent
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=100).stdout


def test_source_needs_no_library():
    modules = run(
        "import matcalc, sys\n"
        "g = matcalc.grad('sum(silu(A*x) + gelu(x))', 'x')\n"
        "assert 'jnp' in g.source('jax') and 'np.' in g.source('numpy')\n"
        "g.compile('numpy')(A=[[1, 2], [3, 4]], x=[1, 2])\n"
        "print(*sys.modules)"
    ).split()
    assert {"torch", "jax"}.isdisjoint(modules)
    assert "scipy" in modules


@pytest.mark.parametrize(("target", "library"), [("jax", "jax"), ("numpy", "scipy")])
def test_a_library_that_is_not_there(monkeypatch, target, library):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.special", None)
    monkeypatch.setitem(sys.modules, "jax.nn", None)
    gradient = mc.grad("sum(relu(x) + digamma(lgamma(x)))", "x")
    assert library in gradient.source(target)
    with pytest.raises(DeviceError, match=f"{library} is not installed") as caught:
        gradient.compile(target)
    assert caught.value.exit_code == 4
    assert caught.value.suggestion == f"pip install matcalc-checker[{library}]"
