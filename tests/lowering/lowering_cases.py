"""Expressions with the torch formula that each is, for the tests of the lowering."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

import matcalc.operators
import matcalc.properties  # noqa: F401  fills the table
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import Size
from matcalc.lowering.compile import compiled
from matcalc.lowering.emit import source
from matcalc.lowering.schedule import lower

n, m = Size.named("n"), Size.named("m")
SIZES = {"n": 4, "m": 3}


def name(text: str, rows: Any, cols: Any, storage: str, *facts: str) -> Node:
    return build.variable(text, (rows, cols), storage, frozenset(facts))


x, y, b = (name(v, n, 1, "vector") for v in "xyb")
c = name("c", m, 1, "vector")
p = name("p", n, 1, "vector", "positive")
r = name("r", 1, n, "row")
A, B, X = (name(v, n, n, "matrix", *(["invertible"] if v == "B" else [])) for v in "ABX")
M = name("M", m, n, "matrix")
S = name("S", n, n, "matrix", "posdef")
L, U = name("L", n, n, "matrix", "lower"), name("U", n, n, "matrix", "upper")
a, k = name("a", 1, 1, "scalar"), name("lambda", 1, 1, "scalar", "positive")


def num(top: int, under: int = 1) -> Node:
    return build.number(top) / build.number(under)


def f(op: str, *args: Node) -> Node:
    return build.apply(op, *args)


class Case(NamedTuple):
    node: Node
    variables: tuple[Node, ...]
    storage: str
    formula: Callable[..., torch.Tensor]


inv = torch.linalg.inv
x_inv, s_inv, b_inv = (build.inverse(v) for v in (X, S, B))
diag = torch.diag

CASES = {
    "quadratic": Case((A + A.T) @ x - b, (x, A, b), "vector", lambda x, A, b: (A + A.T) @ x - b),
    "form": Case(x.T @ A @ x - b.T @ x, (x, A, b), "scalar", lambda x, A, b: x @ A @ x - b @ x),
    "outer": Case(num(3) * (x @ y.T), (x, y), "matrix", lambda x, y: 3 * torch.outer(x, y)),
    "scaled": Case(a / num(3) * x + b / k, (x, a, b, k), "vector", lambda x, a, b, k: a / 3 * x + b / k),
    "fractions": Case(num(2, 3) * x - num(1, 7) * y, (x, y), "vector", lambda x, y: 2 / 3 * x - y / 7),
    "negative": Case(-x - num(1, 2) * y, (x, y), "vector", lambda x, y: -x - 0.5 * y),
    "quotient": Case(x / (x.T @ x) - y * p**-2, (x, y, p), "vector", lambda x, y, p: x / (x @ x) - y / p**2),
    "roots": Case(p ** num(1, 2) + p ** num(-3, 2), (p,), "vector", lambda p: p.sqrt() + p**-1.5),
    "cube": Case(p**3 + (p**2) * a, (p, a), "vector", lambda p, a: p**3 + a * p**2),
    "powers": Case(p ** (a * build.ones(n, 1)), (p, a), "vector", lambda p, a: p**a),
    "layer": Case(
        f("diag", build.ones(n, 1) - f("tanh", A @ x + b) ** 2) @ A,
        (A, x, b),
        "matrix",
        lambda A, x, b: diag(1 - torch.tanh(A @ x + b) ** 2) @ A,
    ),
    "diagonal right": Case(M @ f("diag", x), (M, x), "matrix", lambda M, x: M @ diag(x)),
    "diagonal inverse": Case(
        build.inverse(f("diag", p)) @ A @ build.inverse(f("diag", p)),
        (p, A),
        "matrix",
        lambda p, A: diag(1 / p) @ A @ diag(1 / p),
    ),
    "diagonal inside": Case(M @ f("diag", p) @ M.T, (M, p), "matrix", lambda M, p: M @ diag(p) @ M.T),
    "broadcast": Case(
        M + build.spread(c, M.shape) - build.spread(r, M.shape) * num(2),
        (M, c, r),
        "matrix",
        lambda M, c, r: M + c[:, None] - 2 * r,
    ),
    "spread only": Case(
        build.spread(c, M.shape) * build.spread(r, M.shape), (c, r), "matrix", lambda c, r: c[:, None] * r
    ),
    "spread alone": Case(
        f("exp", build.spread(c, M.shape)), (c, M), "matrix", lambda c, M: c.exp()[:, None].expand(3, 4)
    ),
    "ones": Case(a * build.ones(n, 1) + x, (a, x), "vector", lambda a, x: a + x),
    "constant": Case(build.ones(n, 1), (x,), "vector", torch.ones_like),
    "number": Case(num(5, 2), (x,), "scalar", lambda x: torch.tensor(2.5, dtype=x.dtype)),
    "size": Case(f("sum", x) / build.size_number(n), (x,), "scalar", lambda x: x.mean()),
    "sizes": Case(build.size_number(n * m) * c, (c, x), "vector", lambda c, x: 12 * c),
    "eye": Case(A + a * build.eye(n), (A, a), "matrix", lambda A, a: A + a * torch.eye(4, dtype=A.dtype)),
    "pi": Case(build.constant("pi") ** num(1, 2) * a, (a,), "scalar", lambda a: torch.pi**0.5 * a),
    "row": Case(r @ M.T, (r, M), "row", lambda r, M: r @ M.T),
    "chain": Case(M @ A @ A @ x, (M, A, x), "vector", lambda M, A, x: M @ A @ A @ x),
    "matpow": Case(build.matrix_power(A, 5) @ x, (A, x), "vector", lambda A, x: A @ A @ A @ A @ A @ x),
    "matpow alone": Case(build.matrix_power(A, 3), (A,), "matrix", lambda A: A @ A @ A),
    "solve": Case(x_inv @ x, (X, x), "vector", lambda X, x: inv(X) @ x),
    "solve turned": Case(x_inv.T @ x, (X, x), "vector", lambda X, x: inv(X).T @ x),
    "solve right": Case(M @ x_inv, (M, X), "matrix", lambda M, X: M @ inv(X)),
    "solve matrix": Case(x_inv @ A, (X, A), "matrix", lambda X, A: inv(X) @ A),
    "solve right turned": Case(M @ x_inv.T, (M, X), "matrix", lambda M, X: M @ inv(X).T),
    "solve both": Case(-(x_inv.T @ A.T @ x_inv.T), (X, A), "matrix", lambda X, A: -inv(X).T @ A.T @ inv(X).T),
    "solve twice": Case(x_inv @ x + x_inv.T @ y, (X, x, y), "vector", lambda X, x, y: inv(X) @ x + inv(X).T @ y),
    "solve squared": Case(build.matrix_power(x_inv, 2) @ x, (X, x), "vector", lambda X, x: inv(X) @ inv(X) @ x),
    "inverses": Case(x_inv @ b_inv, (X, B), "matrix", lambda X, B: inv(X) @ inv(B)),
    "inverse alone": Case(x_inv.T, (X,), "matrix", lambda X: inv(X).T),
    "posdef": Case(s_inv @ x + s_inv @ y, (S, x, y), "vector", lambda S, x, y: inv(S) @ (x + y)),
    "posdef right": Case(M @ s_inv, (M, S), "matrix", lambda M, S: M @ inv(S)),
    "posdef alone": Case(s_inv, (S,), "matrix", inv),
    "lower": Case(build.inverse(L) @ x, (L, x), "vector", lambda L, x: inv(L) @ x),
    "lower turned": Case(M @ build.inverse(L).T, (M, L), "matrix", lambda M, L: M @ inv(L).T),
    "upper": Case(build.inverse(U) @ A, (U, A), "matrix", lambda U, A: inv(U) @ A),
    "norm squared": Case(f("norm2", A @ x - b) ** 2, (A, x, b), "scalar", lambda A, x, b: (A @ x - b).square().sum()),
    "norm of a matrix squared": Case(f("norm2", M) ** 2, (M,), "scalar", lambda M: M.square().sum()),
    "lower alone": Case(build.inverse(L), (L,), "matrix", inv),
    "upper alone": Case(build.inverse(U).T, (U,), "matrix", lambda U: inv(U).T),
    "inverse squared": Case(build.matrix_power(x_inv, 2), (X,), "matrix", lambda X: inv(X) @ inv(X)),
    "posdef logdet": Case(
        f("logdet", S) + x.T @ s_inv @ x, (S, x), "scalar", lambda S, x: torch.logdet(S) + x @ inv(S) @ x
    ),
    "logdet": Case(f("logdet", X), (X,), "scalar", lambda X: torch.linalg.slogdet(X)[1]),
    "logdet and inverse": Case(
        f("logdet", X) * x_inv.T, (X,), "matrix", lambda X: torch.linalg.slogdet(X)[1] * inv(X).T
    ),
    "logdet and solve": Case(
        f("logdet", X) * (x_inv @ x), (X, x), "vector", lambda X, x: torch.linalg.slogdet(X)[1] * (inv(X) @ x)
    ),
    "trace": Case(f("tr", A @ X), (A, X), "scalar", lambda A, X: (A @ X).trace()),
    "trace of three": Case(f("tr", A @ M.T @ M), (A, M), "scalar", lambda A, M: (A @ M.T @ M).trace()),
    "trace of solve": Case(f("tr", x_inv @ A), (X, A), "scalar", lambda X, A: (inv(X) @ A).trace()),
    "trace of power": Case(f("tr", build.matrix_power(A, 3)), (A,), "scalar", lambda A: (A @ A @ A).trace()),
    "determinant": Case(f("det", X) * x_inv.T, (X,), "matrix", lambda X: torch.linalg.det(X) * inv(X).T),
    "determinant squared": Case(
        num(2) * (f("det", X) ** 2 * x_inv), (X,), "matrix", lambda X: 2 * torch.linalg.det(X) ** 2 * inv(X)
    ),
    "determinant inside": Case(
        f("det", X) * (A @ x_inv @ x),
        (X, A, x),
        "vector",
        lambda X, A, x: torch.linalg.det(X) * A @ inv(X) @ x,
    ),
    "determinant trace": Case(
        f("det", X) * f("tr", x_inv @ A),
        (X, A),
        "scalar",
        lambda X, A: torch.linalg.det(X) * (inv(X) @ A).trace(),
    ),
    "two uses": Case(
        f("tanh", A @ x) * f("tanh", A @ x) + f("exp", f("tanh", A @ x)),
        (A, x),
        "vector",
        lambda A, x: torch.tanh(A @ x) ** 2 + torch.tanh(A @ x).exp(),
    ),
    "kron": Case(f("kron", M, A), (M, A), "matrix", torch.kron),
    "vec": Case(f("vec", M), (M,), "vector", lambda M: M.T.reshape(-1)),
    "log": Case(
        f("log", num(2)) * x + f("log", build.size_number(n)) * x,
        (x,),
        "vector",
        lambda x: torch.log(torch.tensor(8.0, dtype=x.dtype)) * x,
    ),
}


def function(case: Case, target: str = "torch", **options: Any) -> Callable[..., Any]:
    program = lower([(case.node, case.storage)], case.variables, target=target, **options)
    return compiled(program, source(program, target), target=target)


def text(case: Case, target: str = "torch", **options: Any) -> str:
    return source(lower([(case.node, case.storage)], case.variables, target=target, **options), target)


def sample(variable: Node, dtype: torch.dtype, *batch: int, seed: int = 0) -> torch.Tensor:
    label, storage, _ = variable.params
    generator = torch.Generator().manual_seed(seed + sum(map(ord, label)))
    rows, cols = (SIZES[str(s)] if isinstance(s, Size) else s for s in variable.shape)
    made = torch.randn(*batch, rows, cols, generator=generator, dtype=torch.float64)
    if "positive" in variable.facts:
        made = made.abs() + 0.5
    if rows == cols == 4:
        made = made + 5 * torch.eye(4, dtype=torch.float64)
    for fact, change in {"posdef": lambda t: t @ t.mT, "lower": torch.tril, "upper": torch.triu}.items():
        made = change(made) if fact in variable.facts else made
    looks = {"scalar": made[..., 0, 0], "vector": made[..., 0]}.get(storage, made)
    return looks.to(dtype)
