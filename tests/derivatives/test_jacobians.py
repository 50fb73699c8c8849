"""Jacobians and Hessians: what is printed, the tensors against torch's own, layouts, index notation, claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

import matcalc as mc
from matcalc.jacobian_record import Jacobian

MAGNUS = "Magnus & Neudecker 2019, Matrix Differential Calculus"
LAUE = "Laue, Mitterreiter & Giesen 2020, A Simple and Efficient Tensor Calculus"


class Row(NamedTuple):
    """A published Jacobian or Hessian, and torch's expression of what is differentiated."""

    kind: str
    text: str
    names: str
    let: Mapping[str, str]
    printed: str
    reference: Any
    source: str


ROWS = [
    Row("jacobian", "A*x", "x", {}, "A", lambda A, x: A @ x, "Wikipedia, Matrix calculus"),
    Row("jacobian", "A*exp(x)", "x", {}, "A*diag(exp(x))", lambda A, x: A @ x.exp(), "matrixcalculus.org"),
    Row(
        "jacobian", "tanh(W*x + b)", "x", {}, "diag(1 - tanh(W*x + b).^2)*W",
        lambda W, x, b: torch.tanh(W @ x + b), "Goodfellow et al. 2016, sec. 6.5",
    ),
    Row(
        "jacobian", "softmax(x)", "x", {}, "diag(softmax(x)) - softmax(x)*softmax(x).T",
        lambda x: torch.softmax(x, 0), "Bishop 2006, eq. (4.106)",
    ),
    Row(
        "jacobian", "log_softmax(x)", "x", {}, "eye(n) - ones(n)*softmax(x).T",
        lambda x: torch.log_softmax(x, 0), "Bishop 2006, sec. 4.3.4",
    ),
    Row(
        "jacobian", "x/norm2(x)", "x", {}, "(eye(n) - x*x.T/norm2(x)^2)/norm2(x)",
        lambda x: x / x.norm(), "Petersen & Pedersen 2012, eq. (130)",
    ),
    Row("jacobian", "A*X*B", "X", {}, "kron(B.T, A)", lambda A, X, B: A @ X @ B, f"{MAGNUS}, ch. 9.14"),
    Row("jacobian", "inv(X)", "X", {}, "-kron(inv(X).T, inv(X))", torch.linalg.inv, f"{MAGNUS}, ch. 9.14"),
    Row(
        "jacobian", "X*X'", "X", {}, "(commutation(n, n) + eye(n^2))*kron(X, eye(n))", lambda X: X @ X.T,
        f"{MAGNUS}, ch. 9.14",
    ),
    Row(
        "jacobian", "X'*X", "X", {}, "(commutation(m, m) + eye(m^2))*kron(eye(m), X.T)", lambda X: X.T @ X,
        f"{MAGNUS}, ch. 9.14",
    ),
    Row("jacobian", "X'", "X", {}, "commutation(n, m)", lambda X: X.T, f"{MAGNUS}, ch. 3.7"),
    Row("jacobian", "vec(X)", "X", {}, "eye(m*n)", lambda X: X.T.reshape(-1), f"{MAGNUS}, ch. 9"),
    Row("jacobian", "X.*Y", "X", {}, "diag(vec(Y))", lambda X, Y: X * Y, f"{MAGNUS}, ch. 3.6"),
    Row("jacobian", "exp(X)", "X", {}, "diag(vec(exp(X)))", torch.exp, f"{MAGNUS}, ch. 9"),
    Row(
        "jacobian", "tr(A)*A", "A", {}, "tr(A)*eye(n^2) + vec(A)*vec(eye(n)).T", lambda A: torch.trace(A) * A,
        "SymPy, issue 15667",
    ),
    Row(
        "jacobian", "A*X + X*A'", "X", {}, "kron(A, eye(n)) + kron(eye(n), A)", lambda A, X: A @ X + X @ A.T,
        "Golub & Van Loan 2013, ch. 12.3",
    ),
    Row("jacobian", "x'*A*x", "x", {}, "x.T*(A + A.T)", lambda x, A: x @ A @ x, f"{MAGNUS}, ch. 9"),
    Row("jacobian", "tr(A*X)", "X", {}, "A.T", lambda A, X: torch.trace(A @ X), f"{MAGNUS}, ch. 9"),
    Row(
        "jacobian", "A*sin(t*h)", "t", {"t": "scalar"}, "A*(h.*cos(t*h))", lambda A, t, h: A @ torch.sin(t * h),
        "Wikipedia, Matrix calculus",
    ),
    Row("jacobian", "x'*A", "x", {}, "A.T", lambda x, A: x[None] @ A, "Wikipedia, Matrix calculus"),
    Row(
        "jacobian", "X*X'", "X", {"X": "matrix(n, n; symmetric)"},
        "1/2*(kron(X, eye(n)) + kron(eye(n), X))*(commutation(n, n) + eye(n^2))", lambda X: X @ X.T,
        f"{MAGNUS}, ch. 3.8",
    ),
    Row("jacobian", "cross(x, y)", "y", {}, "skew(x)", torch.linalg.cross, "Barfoot 2017, sec. 6.1"),
    Row("jacobian", "maxpool1d(x, 2)", "x", {"x": "vector(6)"}, "", lambda x: F.max_pool1d(x[None], 2)[0], "PyTorch"),
    Row(
        "jacobian", "conv1d(x, k)", "k", {}, "", lambda x, k: F.conv1d(x[None, None], k[None, None])[0, 0], "PyTorch",
    ),
    Row("jacobian", "expm(X)", "X", {}, "", torch.linalg.matrix_exp, "Higham 2008, ch. 10"),
    Row(
        "jacobian", "chol(A)", "A", {"A": "matrix(n, n; posdef)"}, "", lambda A: torch.linalg.cholesky((A + A.T) / 2),
        "Murray 2016",
    ),
    Row("hessian", "x'*A*x", "x", {}, "A + A.T", lambda x, A: x @ A @ x, "Boyd & Vandenberghe 2004, app. A"),
    Row(
        "hessian", "sum(log1p(exp(-y.*(X*w))))", "w", {},
        "X.T*diag(y.^2.*sigmoid(y.*(X*w)).*sigmoid(-y.*(X*w)))*X",
        lambda y, X, w: F.softplus(-y * (X @ w)).sum(), "Laue, Mitterreiter & Giesen 2018",
    ),
    Row(
        "hessian", "y'*log(sigmoid(X*w)) + (1 - y)'*log(1 - sigmoid(X*w))", "w", {"y": "vector(n; unit)"},
        "-X.T*diag(sigmoid(X*w).*(1 - sigmoid(X*w)))*X",
        lambda y, X, w: -F.binary_cross_entropy_with_logits(X @ w, y, reduction="sum"), "Stanford CS229 notes",
    ),
    Row(
        "hessian", "-sum(log(b - A*x))", "x",
        {"b": "vector(5; above_one)", "A": "matrix(5, 3; unit)", "x": "vector(3; simplex)"},
        "A.T*diag(1./(b - A*x).^2)*A", lambda b, A, x: -torch.log(b - A @ x).sum(), "Boyd & Vandenberghe 2004, 9.3",
    ),
    Row(
        "hessian", "logsumexp(x)", "x", {}, "diag(softmax(x)) - softmax(x)*softmax(x).T",
        lambda x: torch.logsumexp(x, 0), "Boyd & Vandenberghe 2004, 3.1.5",
    ),
    Row(
        "hessian", "norm2(x)", "x", {}, "(eye(n) - x*x.T/norm2(x)^2)/norm2(x)", lambda x: x.norm(),
        "Petersen & Pedersen 2012, 2.6",
    ),
    Row(
        "hessian", "norm2(T - U*V')^2", "U", {}, "2*kron(V.T*V, eye(n))",
        lambda T, U, V: ((T - U @ V.T) ** 2).sum(), LAUE
    ),
    Row(
        "hessian", "norm2(T - U*V')^2", "U V", {}, "2*(kron(eye(k), U*V.T - T) + commutation(k, n)*kron(U, V.T))",
        lambda T, U, V: ((T - U @ V.T) ** 2).sum(), LAUE,
    ),
    Row(
        "hessian", "log(det(X))", "X", {}, "-commutation(n, n)*kron(inv(X).T, inv(X))", torch.logdet,
        f"{MAGNUS}, ch. 10.6",
    ),
    Row(
        "hessian", "logdet(X)", "X", {"X": "matrix(n, n; posdef)"},
        "-1/2*kron(inv(X), inv(X))*(commutation(n, n) + eye(n^2))", torch.logdet, f"{MAGNUS}, ch. 10.6",
    ),
    Row(
        "hessian", "tr(X'*A*X*B)", "X", {}, "kron(B, A.T) + kron(B.T, A)",
        lambda X, A, B: torch.trace(X.T @ A @ X @ B), f"{MAGNUS}, ch. 10.6",
    ),
    Row(
        "jacobian", "mean(log_softmax(A), 1)", "A", {"A": "matrix(2, 2; symmetric)"},
        "1/4*kron(ones(1, 2), eye(2))*(commutation(2, 2) + eye(4)"
        " - kron(ones(2, 2), eye(2))*diag(vec(softmax(A)))*(commutation(2, 2) + eye(4)))",
        lambda A: torch.log_softmax(A, 1).mean(1), "a sum over an index that no factor has is its size",
    ),
    Row("hessian", "a^3", "a", {}, "6*a", lambda a: a**3, "calculus"),
    Row("hessian", "x*A*x'", "x", {"x": "row(n)"}, "A + A.T", lambda x, A: (x @ A @ x.T)[0, 0], "axes of length 1"),
]  # fmt: skip
IDS = [f"{row.kind} of {row.text} by {row.names}" + " structured" * bool(row.let) for row in ROWS]


def derived(row: Row) -> Jacobian:
    make = mc.jacobian if row.kind == "jacobian" else mc.hessian
    return make(mc.parse(row.text, row.let), *row.names.split())


def inputs(found: Jacobian, seed: int = 0) -> dict[str, torch.Tensor]:
    """Tensors for the names, drawn as a check draws them."""
    from matcalc.checking.points import Point, point
    from matcalc.checking.question import CheckOptions
    from matcalc.checking.tensors import question
    from matcalc.checking.torch_side import inputs_at
    from matcalc.jacobian_checks import linearised

    asked = linearised(found)
    at = point(question(asked), CheckOptions(seed=seed), 0)
    assert isinstance(at, Point), at
    return inputs_at(asked.variables, at, "float64", "cpu")


def by_torch(row: Row, given: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """torch's own tensor of the reference, the gradient's axes first, projected where a name has a structure."""
    names = row.names.split()
    order = list(given)

    def function(name: str, at: Mapping[str, torch.Tensor]) -> Any:
        return lambda value: (
            row.reference(**{**at, name: value})
            if _by_keyword(row)
            else row.reference(*[value if n == name else at[n] for n in order])
        )

    if row.kind == "jacobian":
        whole = torch.func.jacrev(function(names[0], given))(given[names[0]])
    else:
        first, last = names[0], names[-1]

        def gradient(value: torch.Tensor) -> torch.Tensor:
            at = {**given, last: value}
            return projected(row, torch.func.grad(function(first, at))(at[first]))

        whole = torch.func.jacrev(gradient)(given[last])
    return projected(row, whole)


def _by_keyword(row: Row) -> bool:
    code = getattr(row.reference, "__code__", None)
    return code is not None and row.reference.__name__ == "<lambda>"


def projected(row: Row, tensor: torch.Tensor) -> torch.Tensor:
    """The last two axes in the subspace of symmetric matrices, where the row's name is one."""
    declared = row.let.get(row.names.split()[-1], "")
    symmetric = "symmetric" in declared or "posdef" in declared
    return (tensor + tensor.mT) / 2 if symmetric else tensor


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_published_jacobian_is_printed_as_its_source_writes_it(row: Row) -> None:
    found = derived(row)
    if row.printed:
        assert found.closed
        assert found.pretty() == row.printed
    else:
        assert not found.closed


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_compiled_tensor_is_torchs(row: Row) -> None:
    found = derived(row)
    for seed in (0, 1):
        given = inputs(found, seed)
        wanted = by_torch(row, given)
        made = found.compile("torch")(**given)
        assert made.shape == wanted.shape
        torch.testing.assert_close(made, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
@pytest.mark.parametrize("target", ["numpy", "jax"])
def test_the_other_targets_give_the_same_tensor(row: Row, target: str) -> None:
    found = derived(row)
    given = inputs(found)
    wanted = found.compile("torch")(**given).numpy()
    made = np.asarray(found.compile(target)(**{name: value.numpy() for name, value in given.items()}))
    assert made.shape == wanted.shape
    np.testing.assert_allclose(
        made, wanted, rtol=1e-9 if target == "numpy" else 1e-4, atol=1e-9 if target == "numpy" else 1e-4
    )


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_leading_axes_are_batch_axes_and_vmap_works(row: Row) -> None:
    found = derived(row)
    one, other = inputs(found), {n: t + 0.1 * t for n, t in inputs(found).items()}
    function = found.compile("torch")
    each = torch.stack([function(**one), function(**other)])
    both = {name: torch.stack([one[name], other[name]]) for name in one}
    torch.testing.assert_close(function(**both).expand(each.shape), each, rtol=1e-9, atol=1e-9)
    mapped = torch.func.vmap(lambda values: function(**values))(both)
    torch.testing.assert_close(mapped, each, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_jacobian_is_verified(row: Row) -> None:
    report = derived(row).check(trials=2)
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.printed], ids=[i for i, r in zip(IDS, ROWS, strict=True) if r.printed]
)
def test_what_is_printed_is_a_right_claim_and_a_damaged_one_is_refuted(row: Row) -> None:
    names = row.names.split()
    wrt = names[0] if len(names) == 1 else tuple(names)
    assert mc.check(row.text, wrt, claim=row.printed, let=row.let, kind=row.kind, trials=2).verdict == "verified"
    wrong = mc.check(row.text, wrt, claim=f"2*({row.printed})", let=row.let, kind=row.kind, trials=2)
    assert (wrong.verdict, wrong.diagnosis) == ("refuted", f"factor: the claim is 2 times the {row.kind.title()}")


def has_indices(row: Row) -> bool:
    """Whether there is index notation: of vec(X) one index would have to be told apart as two."""
    return bool(row.printed) and row.text != "vec(X)"


@pytest.mark.parametrize("row", [pytest.param(r, id=i) for i, r in zip(IDS, ROWS, strict=True) if has_indices(r)])
def test_index_notation_means_the_same_tensor(row: Row) -> None:
    found = derived(row)
    given = inputs(found)
    module: dict[str, Any] = {}
    exec(found.einsum("torch"), module)  # noqa: S102  our own text
    torch.testing.assert_close(module[row.kind](**given), found.compile("torch")(**given), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("row", [row for row in ROWS if not has_indices(row)], ids=lambda row: str(row.text))
def test_without_a_closed_form_there_is_no_index_notation(row: Row) -> None:
    found = derived(row)
    assert (found.index_notation(), found.index_latex(), found.einsum(), found.einsum("torch")) == ("", "", "", "")


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_operator_is_the_matrix_of_the_tensor(row: Row) -> None:
    found = derived(row)
    given = inputs(found)
    x = given[row.names.split()[-1]]
    tensor = found.compile("torch")(**given)
    operator = found.operator(**given)
    v = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(1))
    u = torch.randn(tensor.shape[: tensor.ndim - x.ndim], dtype=x.dtype, generator=torch.Generator().manual_seed(2))
    projected_v = projected(row, v) if x.ndim == 2 and x.shape[0] == x.shape[1] else v
    torch.testing.assert_close(
        operator.matvec(projected_v), torch.tensordot(tensor, v, dims=x.ndim), rtol=1e-8, atol=1e-8
    )
    torch.testing.assert_close(operator.rmatvec(u), torch.tensordot(u, tensor, dims=u.ndim), rtol=1e-8, atol=1e-8)
