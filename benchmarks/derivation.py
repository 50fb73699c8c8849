"""The symbolic step alone: matcalc beside SymPy's diff and the tracers of torch and JAX, and how it grows."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import make_fx

import matcalc as mc
from benchmarks.problems import PROBLEMS, Problem
from benchmarks.settings import Settings
from benchmarks.tables import Table
from benchmarks.timing import Action, medians

COLUMNS = ("parse", "derive", "derive, lower", "make_fx", "make_jaxpr", "sympy")
LAYERS = (1, 2, 4, 8, 16, 32, 64)
TERMS = (1, 4, 16, 64, 256)
_MILLISECONDS = 1000


def tables(settings: Settings) -> Iterator[Table]:
    """The problems of the other tables, then depth, then breadth."""
    notes = [
        "`derive` is matcalc's symbolic step on a parsed expression, nothing kept from one call to the next; `lower` "
        "writes torch code for the result. `sympy` is its diff with its cache emptied, where its answer is right."
    ]
    if importlib.util.find_spec("tensorgrad") is None:
        notes.append("tensorgrad is not installed: no time for it.")
    for title, rows in (
        ("Deriving a gradient", {p.name: _problem_actions(p, settings) for p in PROBLEMS}),
        ("Tanh networks by the first weight", {f"{n} layers": _network_actions(n, settings) for n in LAYERS}),
        ("Sums of quadratic forms", {f"{n} terms": _sum_actions(n, settings) for n in TERMS}),
    ):
        cells = {label: _milliseconds(actions, settings) for label, actions in rows.items()}
        columns = [name for name in COLUMNS if any(name in times for times in cells.values())]
        yield Table(f"{title}, milliseconds, {settings.machine}", "ms", columns, cells, notes=notes)


def _milliseconds(actions: Mapping[str, Action], settings: Settings) -> Mapping[str, float | None]:
    return {name: _MILLISECONDS * seconds for name, seconds in medians(actions, settings.budget).items()}


def _ours(text: str, wrt: str, let: Mapping[str, str]) -> dict[str, Action]:
    limits = mc.Limits(names=1000, tokens=100_000, text=1_000_000, nesting=1000, nodes=100_000)
    parsed = mc.parse(text, let, limits)
    return {
        "parse": lambda: mc.parse(text, let, limits),
        "derive": lambda: mc.grad(parsed, wrt),
        "derive, lower": lambda: mc.grad(parsed, wrt).source("torch"),
    }


def _tracers(loss: Callable[..., Any], value: torch.Tensor, settings: Settings) -> dict[str, Action]:
    """``loss(library, value)`` traced through its gradient."""
    actions: dict[str, Action] = {"make_fx": lambda: make_fx(torch.func.grad(lambda x: loss(torch, x)))(value)}
    if settings.jax:
        import jax
        import jax.numpy as jnp

        array = jnp.asarray(value.numpy())
        # A new function each time: JAX keeps what it traced.
        actions["make_jaxpr"] = lambda: jax.make_jaxpr(jax.grad(lambda x: loss(jnp, x)))(array)
    return actions


def _problem_actions(problem: Problem, settings: Settings) -> dict[str, Action]:
    inputs = problem.inputs(problem.sizes[0])
    rest = {name: tensor for name, tensor in inputs.items() if name != problem.wrt}

    def loss(lib: Any, value: Any) -> Any:
        return problem.value(
            lib, **{name: _as_of(lib, tensor) for name, tensor in rest.items()}, **{problem.wrt: value}
        )

    return {
        **_ours(problem.text, problem.wrt, problem.let),
        **_tracers(loss, inputs[problem.wrt], settings),
        **_sympy_action(problem),
    }


def _as_of(lib: Any, tensor: torch.Tensor) -> Any:
    return tensor if lib is torch else lib.asarray(tensor.numpy())


def _sympy_action(problem: Problem) -> dict[str, Action]:
    """SymPy's diff, where its answer has the closed form's entries; a wrong one is not timed."""
    import sympy

    if problem.name not in _SYMPY:
        return {}
    image, by = _SYMPY[problem.name](sympy)
    right = _is_right(image.diff(by), problem)
    return {"sympy": lambda: (sympy.core.cache.clear_cache(), image.diff(by))} if right else {}


def _named(sympy: Any, name: str, rows: str, cols: str) -> Any:
    sides = (1 if side == "1" else sympy.Symbol(side, integer=True, positive=True) for side in (rows, cols))
    return sympy.MatrixSymbol(name, *sides)


def _sympy_quadratic(sympy: Any) -> tuple[Any, Any]:
    x, A, b = (_named(sympy, *sides) for sides in ("xn1", "Ann", "bn1"))
    return x.T * A * x - b.T * x, x


def _sympy_factorization(sympy: Any) -> tuple[Any, Any]:
    T, U, V = (_named(sympy, *sides) for sides in ("Tnn", "Unk", "Vnk"))
    return sympy.Trace((T - U * V.T) * (T - U * V.T).T), U


def _sympy_inverse(sympy: Any) -> tuple[Any, Any]:
    X = _named(sympy, *"Xnn")
    return sympy.Trace(X.inv()), X


def _sympy_determinant(sympy: Any) -> tuple[Any, Any]:
    X = _named(sympy, *"Xnn")
    return sympy.log(sympy.Determinant(X)), X


# The others raise, recurse without end or leave the derivative of an array undone (SymPy 1.14).
_SYMPY: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "quadratic": _sympy_quadratic,
    "matrix factorization": _sympy_factorization,
    "tr(inv(X))": _sympy_inverse,
    "log(det(X))": _sympy_determinant,
}


def _is_right(answer: Any, problem: Problem) -> bool:
    """Whether SymPy's matrix has the closed form's entries at a small point."""
    import numpy as np
    import sympy

    small = {name: 2 + k for k, name in enumerate(problem.sizes[0])}
    inputs = problem.inputs(small)
    explicit = answer.subs({sympy.Symbol(name, integer=True, positive=True): size for name, size in small.items()})
    for name, tensor in inputs.items():
        shape = tuple(tensor.shape) if tensor.ndim == 2 else (len(tensor), 1)
        explicit = explicit.subs(sympy.MatrixSymbol(name, *shape), sympy.Matrix(tensor.reshape(shape).tolist()))
    done = explicit.doit()
    if not getattr(done, "is_Matrix", False):
        return False
    got = np.array(done.as_explicit().evalf().tolist(), dtype=float)
    wanted = problem.gradient(**inputs).numpy()
    return bool(got.size == wanted.size and np.allclose(got.reshape(wanted.shape), wanted))


def _network_actions(layers: int, settings: Settings) -> dict[str, Action]:
    """norm2(tanh(W_L*…tanh(W_1*x)) - y)^2 by W_1."""
    text = "x"
    for k in range(1, layers + 1):
        text = f"tanh(W{k}*{text})"
    let = {f"W{k}": "matrix(n, n)" for k in range(1, layers + 1)} | {"x": "vector(n)", "y": "vector(n)"}
    weights = [torch.randn(4, 4, dtype=torch.float64) for _ in range(layers)]
    x, y = torch.randn(4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)

    def loss(lib: Any, first: Any) -> Any:
        hidden = _as_of(lib, x)
        for weight in [first, *(_as_of(lib, w) for w in weights[1:])]:
            hidden = lib.tanh(weight @ hidden)
        return lib.square(hidden - _as_of(lib, y)).sum()

    return _ours(f"norm2({text} - y)^2", "W1", let) | _tracers(loss, weights[0], settings)


def _sum_actions(terms: int, settings: Settings) -> dict[str, Action]:
    """Σ x'·A_k·x by x."""
    text = " + ".join(f"x'*A{k}*x" for k in range(terms))
    let = {f"A{k}": "matrix(n, n)" for k in range(terms)} | {"x": "vector(n)"}
    matrices = [torch.randn(4, 4, dtype=torch.float64) for _ in range(terms)]

    def loss(lib: Any, value: Any) -> Any:
        return sum(value @ _as_of(lib, matrix) @ value for matrix in matrices)

    return _ours(text, "x", let) | _tracers(loss, torch.randn(4, dtype=torch.float64), settings)
