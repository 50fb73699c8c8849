"""What random expressions have found, each by a name that says what was wrong."""

from __future__ import annotations

import re

import mpmath
import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking.precise import evaluate


def test_a_size_that_is_printed_as_a_power_reads_back() -> None:
    let = {"x": "vector(n*n)"}
    g = mc.grad("sum(tanh(reshape(exp(x), n, n)))", "x", let)
    assert "n^2" in str(g)
    assert mc.parse(str(g), let).node is g.shown


def test_a_basis_vector_of_one_entry_is_a_number() -> None:
    f = mc.parse("sum(maxunpool1d(basis(0, 1), x, 2))", {"x": "vector(2)"})
    assert float(f.compile()([0.5, 1.0])) == 1.0


SHAPES = [
    ("min((1./A)[1:, :]) + logsumexp(x)", {"A": "matrix(2, h)", "x": "vector(h)"}),
    ("sum(sum((x .- x)[1:]), 0) + y", {"x": "vector(2)", "y": "scalar"}),
    ("inner(outer(transpose((x/y)[1:]), z), w)",
     {"x": "vector(2)", "y": "scalar", "z": "vector(h)", "w": "row(h)"}),
    ("(avgpool2d(A, 2))[1:] + mean(B)", {"A": "matrix(4, 2)", "B": "matrix(w, w)"}),
    ("logsumexp(asin(A).*avgpool2d(B, 2))", {"A": "matrix(3, 2; unit)", "B": "matrix(2, 4)"}),
    ("sum(conv2d(conv2d(maxpool2d(conv2d(A, B), 2), C), D)*conv2d(conv2d(maxpool2d(conv2d(A, B), 2), C), D)')",
     {"A": "matrix(20, 20)", "B": "matrix(3, 3)", "C": "matrix(2, 2)", "D": "matrix(2, 2)"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "let"), SHAPES, ids=[row[0] for row in SHAPES])
def test_shapes_follow_from_declared_ones_without_a_search(text: str, let: dict[str, str]) -> None:
    f = mc.parse(text, let)
    name = next(iter(f.variables))
    assert mc.grad(f, name).shape == f.variables[name].shape


def test_a_size_that_is_declared_as_its_square_is_read_as_the_root() -> None:
    g = mc.grad("norm2(unvec(x.*y, h, h))^2", "x", {"x": "vector(h*h)", "y": "vector(h*h)"})
    x, y = np.arange(9.0), np.ones(9)
    np.testing.assert_allclose(g.compile("numpy")(x, y), 2 * x)


def test_a_size_is_a_number_where_a_triangle_of_entries_tells_it() -> None:
    assert mc.parse("b'.T*vech(A*X)", {"X": "matrix(n, n)", "b": "row(6)"}).variables["X"].shape == (3, 3)


def test_the_derivative_of_a_logarithm_along_a_long_direction_is_a_number() -> None:
    """What judges the steps saw the direction beside the matrix, and said NaN where A alone would have done."""
    f = mc.parse("norm2(hadamard(logm(A), A))", {"A": "matrix(3, 3; positive, principal)"})
    A = torch.tensor([[0.9, 1.7, 1.3], [0.3, 1.5, 1.6], [1.6, 0.6, 1.1]], dtype=torch.float64, requires_grad=True)
    (want,) = torch.autograd.grad(f.compile()(A), A)
    for target in ("torch", "numpy"):
        inputs = A.detach() if target == "torch" else A.detach().numpy()
        np.testing.assert_allclose(mc.grad(f, "A").compile(target)(inputs), want, rtol=1e-9)


ZEROS: dict[str, dict[str, str]] = {
    "prod(x)": {"x": "vector(3)"},
    "prod(A*x)": {"A": "matrix(3, 3)", "x": "vector(3)"},
    "sum(square(prod(A, 0)))": {"A": "matrix(3, 3)"},
    "sum(exp(prod(A, 1)))": {"A": "matrix(3, 3)"},
    "sum(atan2(x, y))": {"x": "vector(3)", "y": "vector(3)"},
    "sum(atan2(2*x, a).^2)": {"x": "vector(3)", "a": "scalar"},
    "sum(atan2(A*x, B*x))": {"A": "matrix(3, 3)", "B": "matrix(3, 3)", "x": "vector(3)"},
    "norm2(x.^2)": {"x": "vector(3)"},
    "norm2(A*x - b)": {"A": "matrix(3, 3)", "x": "vector(3)", "b": "vector(3)"},
    "norm_spec(A)": {"A": "matrix(3, 3)"},
    "norm_inf(x) + norm1(x)": {"x": "vector(3)"},
}


@pytest.mark.parametrize("target", ["torch", "numpy"])
@pytest.mark.parametrize("text", ZEROS)
@pytest.mark.parametrize("ones", [0, 1, 2])
def test_a_gradient_at_zeros_is_torch_s(text: str, target: str, ones: int) -> None:
    f = mc.parse(text, ZEROS[text])
    row = np.arange(3.0) < ones
    values = {name: row[-1] * 1.0 if not v.shape else np.zeros(v.shape) + row for name, v in f.variables.items()}
    for name in values:
        inputs = {k: torch.tensor(v, requires_grad=k == name) for k, v in values.items()}
        (want,) = torch.autograd.grad(f.compile()(**inputs), inputs[name])
        given = {k: v.detach() for k, v in inputs.items()} if target == "torch" else values
        np.testing.assert_allclose(mc.grad(f, name).compile(target)(**given), want, atol=1e-14)


def test_a_product_around_skew_factors_is_symmetric() -> None:
    let = {"S": "matrix(2, 2; skew)", "A": "matrix(2, 2; symmetric)"}
    assert "symmetric" in mc.parse("S*A*S'", let).node.facts
    assert "skew" in mc.parse("A*S*A", let).node.facts


def test_clearing_denominators_and_collecting_do_not_undo_each_other() -> None:
    let = {"x1": "vector(3)", "x2": "vector(3; nonzero, unit)", "x3": "scalar"}
    f = mc.parse("sum(sin(where(x2, sin(x1).*(x2 .+ x3), x2)))", let)
    assert mc.hessian(f, "x1").check(trials=2).verdict == "verified"


def test_a_jacobian_of_a_jacobian_by_a_scalar_keeps_its_axes() -> None:
    f = mc.parse("c^2*W*x", {"c": "scalar", "x": "vector(n)"})
    found = mc.jacobian(mc.jacobian(f, "W"), "c")
    given = {"c": torch.tensor(0.5), "W": torch.ones(2, 2), "x": torch.tensor([1.0, 2.0])}
    wanted = torch.einsum("ij,k->ijk", torch.eye(2), given["x"])
    torch.testing.assert_close(found.compile()(**given), wanted)
    assert found.check(trials=2).verdict == "verified"


@pytest.mark.parametrize("text", ["logdet(S)", "tr(S*A*S*B)", "tr(inv(S)*A*S*A)"])
def test_an_unconstrained_product_with_a_hessian_is_of_the_text_as_written(text: str) -> None:
    let = {"S": "matrix(n, n; posdef)"}
    for unconstrained in (True, False):
        assert mc.hvp(text, "S", "V", let, unconstrained=unconstrained).check(trials=2).verdict == "verified"
    given = {
        "S": torch.eye(2),
        "A": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "B": torch.tensor([[0.0, 1.0], [5.0, 2.0]]),
    }
    found = mc.hvp(text, "S", "V", let, unconstrained=True)
    given = {name: value for name, value in given.items() if name in found.variables}
    V = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    value = {
        "logdet(S)": lambda S: torch.logdet(S),
        "tr(S*A*S*B)": lambda S: torch.trace(S @ given["A"] @ S @ given["B"]),
        "tr(inv(S)*A*S*A)": lambda S: torch.trace(torch.linalg.inv(S) @ given["A"] @ S @ given["A"]),
    }[text]
    wanted = torch.func.jvp(torch.func.grad(value), (given["S"],), (V,))[1]
    torch.testing.assert_close(found.compile()(V=V, **given), wanted)


@pytest.mark.parametrize("claim", ["2*x.*step(x + 1.5)", "2*maximum(x, zeros(n) - 2)", "2*minimum(x, 3*ones(n))"])
def test_a_claim_that_branches_where_the_truth_does_not_is_seen_on_both_sides(claim: str) -> None:
    assert mc.check("x'*x", "x", claim=claim).verdict == "refuted"


@pytest.mark.parametrize(
    ("text", "name", "claim", "kind"),
    [
        ("tr(X)", "X", "eye(3)", "grad"),
        ("sum(x)", "x", "ones(3)", "grad"),
        ("sum(X)", "X", "ones(2, 3)", "grad"),
        ("x[0]*x[1]", "x", "[0, 1; 1, 0]", "hessian"),
        ("x[0]^2 + x[1]*x[2]", "x", "[2, 0, 0; 0, 0, 1; 0, 1, 0]", "hessian"),
    ],
)
def test_a_claim_of_numbers_alone_fixes_the_sizes(text: str, name: str, claim: str, kind: str) -> None:
    assert mc.check(text, name, claim=claim, kind=kind).verdict == "verified"


def test_a_root_that_does_not_converge_is_no_point_to_check_at() -> None:
    assert mc.check("norm_nuc(X)", "X", claim="X*inv(sqrtm(X'*X))").verdict in ("verified", "inconclusive")


@pytest.mark.parametrize("target", ["torch", "numpy"])
@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_a_hessian_of_a_product_at_zeros_is_a_number(zeros: int, target: str) -> None:
    x = np.array([2.0, -3.0, 0.5, 4.0]) * (np.arange(4) >= zeros)
    wanted = np.array([[np.delete(x, [j, k]).prod() * (j != k) for k in range(4)] for j in range(4)])
    A = np.array([[2.0, 0, 0, 1], [0, 1, 0, 0], [0, 3, 1, 0], [0, 0, 0, 1]])
    convert = torch.tensor if target == "torch" else np.asarray
    np.testing.assert_array_equal(mc.hessian("prod(x)", "x").compile(target)(convert(x)), wanted)
    inner = mc.hessian("prod(A*x)", "x").compile(target)(A=convert(A), x=convert(np.linalg.solve(A, x)))
    np.testing.assert_allclose(inner, A.T @ wanted @ A, atol=1e-12)
    square = mc.hessian("prod(X)", "X").compile(target)(convert(x.reshape(2, 2)))
    np.testing.assert_array_equal(np.asarray(square).reshape(4, 4), wanted)


def test_a_size_that_no_input_tells_is_asked_for_and_taken() -> None:
    f = mc.parse("a*sum(ones(n, 1))", {"a": "scalar"})
    with pytest.raises(mc.UnsupportedError, match=re.escape("no input tells the size n")) as caught:
        f.compile()
    assert caught.value.suggestion == "sizes={'n': 3}, or --sizes n=3"
    assert float(f.compile(sizes={"n": 4})(2.0)) == 8.0
    assert float(mc.parse("tr(eye(n))").compile(sizes={"n": 4})()) == 4.0


@pytest.mark.parametrize("target", ["torch", "numpy"])
def test_the_value_of_a_size_that_no_input_tells_is_not_needed_in_a_check(target: str) -> None:
    let = {"a": "scalar"}
    assert mc.grad("a^2*sum(ones(n, 1))", "a", let).check().verdict == "verified"
    assert mc.check("a*sum(ones(n, 1))", "a", claim="n", let=let).verdict == "verified"
    assert mc.check("a*sum(ones(n, 1))", "a", claim="2*n", let=let).verdict == "refuted"
    assert mc.jacobian("a*ones(n)", "a", let).check(sizes={"n": 3}).verdict == "verified"
    found = mc.jacobian("a*ones(n)", "a", let).compile(target, sizes={"n": 3})
    assert found(torch.tensor(2.0) if target == "torch" else 2.0).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "text",
    ["sum(inv(sign(A)*0))", "sum(sylvester(A - A, A - A, B))", "tr(pinv(A - A))", "sum((A - A)^(-2))"],
)
def test_a_column_without_a_pivot_is_no_point_to_check_at(text: str) -> None:
    """mpmath goes on without a pivot and fails with a TypeError, which was taken for a bug."""
    f = mc.parse(text, {"A": "matrix(n, n)", "B": "matrix(n, n)"})
    report = mc.check(f, "A", claim="0*A", trials=2)
    assert report.verdict == "inconclusive"
    assert re.search("not (defined|invertible|full_rank) there", report.reason)


def test_a_column_over_a_column_that_both_spread_is_written_as_wide_as_it_is() -> None:
    """Of a product that spreads one factor stays as it is; what is divided by was not looked at."""
    let = {"A": "matrix(2, 3)"}
    g = mc.grad("tanh(norm2(atan2(A, layernorm(A)))^2)", "A", let)
    A = np.array([[0.3, -0.2, 0.9], [1.1, 0.4, -0.5]])
    np.testing.assert_allclose(mc.parse(str(g), let).compile("numpy")(A), g.compile("numpy")(A), rtol=1e-12)


def test_a_scalar_product_around_a_triangle_of_a_skew_matrix_can_be_turned() -> None:
    """tril(S)' is -triu(S) and triu(S)' is -tril(S): turning one into the other had no end."""
    let = {"S": "matrix(n, n; skew)", "x": "vector(n)", "y": "vector(n)"}
    g = mc.grad("x'*tril(S)*y*tr(S*S)", "x", let)
    assert str(g) == "tr(S^2)*tril(S)*y"
    assert mc.grad("x'*tril(S)*y*tr(S*S)", "S", let).check(trials=2).verdict == "verified"


@pytest.mark.parametrize("target", ["torch", "numpy", "jax"])
@pytest.mark.parametrize("text", ["det(A)", "det(2*A)", "log(1 + det(A)^2)"])
def test_the_determinant_of_an_odd_skew_matrix_has_the_gradient_zero(text: str, target: str) -> None:
    """-det(A)*inv(A) was computed as minus the adjugate, which is symmetric there."""
    A = np.array([[0.0, 2.0, -1.0], [-2.0, 0.0, 0.5], [1.0, -0.5, 0.0]])
    g = mc.grad(text, "A", {"A": "matrix(n, n; skew)"}).compile(target)
    given = torch.tensor(A) if target == "torch" else A
    np.testing.assert_allclose(np.asarray(g(given)), np.zeros((3, 3)), atol=1e-4)  # JAX computes in float32


def test_the_angle_of_complex_values_is_none_and_no_crash() -> None:
    """Square roots of negative numbers went into atan2 while a diagnosis was sought, and failed as nothing expected."""
    node = mc.parse("atan2(sqrt(a), b)").node
    with mpmath.workdps(30), pytest.raises(TypeError, match="complex"):
        evaluate(node, {name: np.array([[mpmath.mpf(-2)]]) for name in "ab"}, {})
