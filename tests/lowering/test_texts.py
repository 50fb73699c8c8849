"""What the emitted text looks like."""

import ast

import pytest
import torch
from lowering_cases import (
    CASES,
    SIZES,
    A,
    Case,
    L,
    M,
    S,
    X,
    a,
    b,
    c,
    f,
    function,
    k,
    m,
    n,
    name,
    num,
    sample,
    text,
    x,
    y,
)

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.sizes import Size
from matcalc.lowering.emit import source
from matcalc.lowering.schedule import lower

k_ = Size.named("k")

RESULTS = {
    "quadratic": "A @ x + A.mT @ x - b",
    "form": "x.mT @ A @ x - b.mT @ x",
    "outer": "(3 * x) @ y.mT",
    "scaled": "a / 3 * x + b / lambda_",
    "quotient": "x / (x.mT @ x) - y / p.square()",
    "layer": "(1 - torch.tanh(A @ x + b).square()) * A",
    "diagonal right": "M * x.mT",
    "diagonal inverse": "A / p / p.mT",
    "broadcast": "M + c - 2 * r",
    "chain": "M @ (A @ (A @ x))",
    "solve": "torch.linalg.solve(X, x)",
    "solve turned": "torch.linalg.solve(X.mT, x)",
    "solve right": "torch.linalg.solve(X, M, left=False)",
    "posdef right": "torch.cholesky_solve(M.mT, torch.linalg.cholesky(S)).mT",
    "lower turned": "torch.linalg.solve_triangular(L.mT, M, upper=True, left=False)",
    "trace": "(A * X.mT).sum((-2, -1), keepdim=True)",
    "trace of three": "(A * (M.mT @ M)).sum((-2, -1), keepdim=True)",
    "size": "x.sum((-2, -1), keepdim=True) / n",
    "pi": "a * math.pi ** 0.5",
    "determinant": "_adjugate(X).mT",
    "determinant inside": "A @ (_adjugate(X) @ x)",
}

MODULE = '''"""the gradient of x'*A*x - b'*x"""

import torch


def gradient(x, A, b):
    """the gradient of x'*A*x - b'*x

    Args:
        x: vector (n,)
        A: matrix (n, n)
        b: vector (n,)

    Returns:
        vector (n,)

    Leading axes are batch axes.
    """
    x = x[..., None]
    b = b[..., None]
    result = A @ x + A.mT @ x - b
    return result[..., 0]
'''


@pytest.mark.parametrize(("label", "wanted"), RESULTS.items(), ids=RESULTS.keys())
def test_result_reads(label, wanted):
    assert f"    result = {wanted}\n" in text(CASES[label])


def test_a_whole_module():
    program = lower([((A + A.T) @ x - b, "vector")], [x, A, b])
    assert source(program, doc="the gradient of x'*A*x - b'*x") == MODULE


@pytest.mark.parametrize("label", [label for label in CASES if "inverse" not in label])
def test_no_inverse_where_a_solve_serves(label):
    assert "linalg.inv(" not in text(CASES[label])


def test_a_shared_subexpression_is_computed_once():
    assert text(CASES["two uses"]).count("tanh(") == 1
    assert text(CASES["two uses"], optimise=False).count("tanh(") == 1


def test_a_shared_factorization_is_computed_once():
    assert text(CASES["posdef"]).count("cholesky(") == 1
    assert text(CASES["solve both"]).count("lu_factor(") == 1
    for label in ("logdet and inverse", "logdet and solve"):
        assert text(CASES[label]).count("lu_factor(") == 1
        assert "slogdet" not in text(CASES[label])
    assert text(CASES["posdef logdet"]).count("cholesky(") == 1
    assert "lu_factor" not in text(CASES["logdet"])


def test_an_inverse_that_is_needed_anyway_is_multiplied_with():
    assert text(CASES["inverse squared"]).count("torch.linalg.inv(X)") == 1
    assert "solve" not in text(CASES["inverse squared"])


def test_a_triangle_is_inverted_by_substitution():
    assert "linalg.inv(" not in text(CASES["lower alone"])
    assert "upper=True" in text(CASES["upper alone"])


def test_a_sign_never_goes_over_a_matrix_before_the_product():
    assert "-(M.mT @ c)" in text(Case(-(M.T @ c), (M, c), "vector", torch.exp))
    assert "-(A @ x) - b" in text(Case(-(A @ x) - b, (A, x, b), "vector", torch.exp))


def test_a_sum_is_multiplied_out_where_that_is_cheaper():
    W, D, T = name("W", n, k_, "matrix"), name("D", m, k_, "matrix"), name("T", m, n, "matrix")
    case = Case((D @ W.T - T) @ W, (D, W, T), "matrix", torch.exp)
    assert "(D @ W.mT - T) @ W" in text(case)
    assert "D @ (W.mT @ W) - T @ W" in text(case, sizes={"m": 200, "n": 300, "k": 5})
    assert "(D @ W.mT - T) @ W" in text(case, sizes={"m": 20, "n": 30, "k": 50})


def test_a_residual_that_is_needed_anyway_is_multiplied_with():
    W, D, T = name("W", n, k_, "matrix"), name("D", m, k_, "matrix"), name("T", m, n, "matrix")
    residual = D @ W.T - T
    program = lower([(f("sum", residual**2), "scalar"), (residual @ W, "matrix")], (D, W, T), {"m": 200, "k": 5})
    assert "t1 @ W" in source(program)
    program = lower([(f("norm2", -residual) ** 2, "scalar"), (residual @ W, "matrix")], (D, W, T), {"m": 200, "k": 5})
    assert "t1 @ W" in source(program)
    assert "t1.square().sum(" in source(program)


def test_the_square_of_a_norm_needs_no_root():
    assert "x.mT @ x" in text(Case(f("norm2", x) ** 2, (x,), "scalar", torch.exp))
    assert "M.square().sum((-2, -1), keepdim=True)" in text(Case(f("norm2", M) ** 2, (M,), "scalar", torch.exp))
    both = f("norm2", M) ** 2 + f("norm2", M)
    assert text(Case(both, (M,), "scalar", torch.exp)).count("norm") == 1


@pytest.mark.parametrize("signs", [(1, -1), (-1, 1)])
def test_what_may_cancel_exactly_is_not_multiplied_out(signs):
    one, other = (num(sign) for sign in signs)
    assert text(Case((one * A + other * X) @ x, (A, X, x), "vector", torch.exp)).count("@") == 1
    assert text(Case((one * A + other * A.T) @ x, (A, x), "vector", torch.exp)).count("@") == 1
    assert text(Case((A + X) @ x, (A, X, x), "vector", torch.exp)).count("@") == 1


def test_least_squares_keep_their_residual():
    for sizes in ({}, {"m": 1000, "n": 10}, {"m": 10, "n": 1000}):
        assert "M.mT @ (M @ x - c)" in text(Case(M.T @ (M @ x - c), (M, x, c), "vector", torch.exp), sizes=sizes)


def test_a_product_that_is_needed_anyway_is_reused():
    both = f("tanh", M @ x) * (x.T @ M.T @ M @ x)
    assert text(Case(both, (M, x), "vector", torch.tanh)).count("M @ x") == 1


def test_the_sizes_choose_the_order():
    D = name("D", n, m, "matrix")
    case = Case(M @ D @ M, (M, D), "matrix", torch.tanh)
    assert "M @ (D @ M)" in text(case, sizes={"n": 2, "m": 1000})
    assert "M @ D @ M" in text(case, sizes={"n": 1000, "m": 2})


def test_the_literal_program_does_as_it_is_told():
    assert "torch.linalg.inv(X) @ x" in text(CASES["solve"], optimise=False)
    assert "M @ A @ A @ x" in text(CASES["chain"], optimise=False).replace("torch.linalg.matrix_power(A, 2)", "A @ A")
    assert "_adjugate" not in text(CASES["determinant"], optimise=False)


def test_helpers_only_where_used():
    assert "def _adjugate(X):" in text(CASES["determinant"])
    assert "_adjugate" not in text(CASES["inverse alone"])


@pytest.mark.parametrize("rank", [4, 3, 2])
def test_the_adjugate_of_a_singular_matrix_is_its_cofactors(rank):
    generator = torch.Generator().manual_seed(rank)
    wide = torch.randn(4, rank, generator=generator, dtype=torch.float64)
    matrix = wide @ torch.randn(rank, 4, generator=generator, dtype=torch.float64)
    minors = [[(-1) ** (i + j) * torch.linalg.det(drop(drop(matrix, i, 0), j, 1)) for j in range(4)] for i in range(4)]
    got = function(CASES["determinant"])(matrix)
    torch.testing.assert_close(got, torch.tensor(minors, dtype=torch.float64), rtol=1e-9, atol=1e-9)


def drop(matrix, index, axis):
    kept = [i for i in range(matrix.shape[axis]) if i != index]
    return matrix.index_select(axis, torch.tensor(kept))


def test_the_determinant_of_an_invertible_matrix_keeps_its_inverse():
    node = f("det", S) * build.inverse(S)
    assert "adjugate" not in text(Case(node, (S,), "matrix", torch.tanh))


def test_temporaries_avoid_the_inputs_names():
    t1 = name("t1", n, 1, "vector")
    node = f("exp", f("tanh", t1)) + f("tanh", t1)
    assert "t2 = torch.tanh(t1)" in text(Case(node, (t1,), "vector", torch.tanh))


def test_a_size_called_like_an_input():
    z = name("n", n, 1, "vector")
    case = Case(f("sum", z) / build.size_number(n), (z,), "scalar", torch.mean)
    assert "n_ = n.shape[-2]" in text(case)
    assert function(case)(torch.ones(3)) == 1


@pytest.mark.parametrize("label", ["lambda", "torch", "sum", "math", "print", "None"])
def test_names_that_the_text_needs_get_an_underscore(label):
    v = name(label, n, 1, "vector")
    assert f"def gradient({label}_):" in text(Case(f("exp", v), (v,), "vector", torch.exp))


@pytest.mark.parametrize("label", ["d'x", "a b", "x;y", "", "1x", "x\n", "é"])
def test_what_is_no_name_is_refused(label):
    v = name(label, n, 1, "vector")
    with pytest.raises(UnsupportedError, match="cannot be a name"):
        text(Case(f("exp", v), (v,), "vector", torch.exp))


def test_a_target_that_is_not_there():
    with pytest.raises(UnsupportedError, match="no target 'fortran'") as caught:
        source(lower([(x, "vector")], [x]), "fortran")
    assert caught.value.why == "the targets are torch, numpy, jax"
    with pytest.raises(UnsupportedError, match="no target 'fortran'"):
        lower([(x, "vector")], [x], target="fortran")


def test_a_program_lowered_for_another_target():
    with pytest.raises(UnsupportedError, match="numpy has no solve_triangular"):
        source(lower([(build.inverse(L) @ x, "vector")], [L, x]), "numpy")


def test_a_size_that_no_input_tells():
    q = name("q", 1, 1, "scalar")
    with pytest.raises(UnsupportedError, match="the size m"):
        text(Case(q * build.ones(m, 1), (q,), "vector", torch.exp))
    assert "m = 3" in text(Case(q * build.ones(m, 1), (q,), "vector", torch.exp), sizes=SIZES)


def test_a_size_read_from_a_polynomial():
    v = name("v", n * m, 1, "vector")
    case = Case(build.size_number(m) * M @ x + f("sum", v) * build.ones(m, 1), (v, x, M), "vector", torch.exp)
    assert "m = M.shape[-2]" in text(case)
    w = Case(f("sum", v) * build.ones(m, 1), (v, x), "vector", torch.exp)
    assert "m = v.shape[-2] // (n)" in text(w)
    assert function(w)(torch.ones(12), torch.ones(4)).tolist() == [12.0] * 3


@pytest.mark.parametrize("doc", ['"""', "\\", 'a"', '""" + exit() + """', "x\ty", "two\nlines", "x\u2028y"])
def test_a_docstring_cannot_be_left(doc):
    made = source(lower([(x, "vector")], [x]), doc=doc)
    tree = ast.parse(made)
    assert [type(node) for node in tree.body] == [ast.Expr, ast.Import, ast.FunctionDef]


def test_numbers_are_exact_and_keep_the_type():
    assert "x / 3" in text(Case(num(1, 3) * x, (x,), "vector", torch.exp))
    assert "0.1 * x" in text(Case(num(1, 10) * x, (x,), "vector", torch.exp))
    assert "1e+30 * x" in text(Case(num(10**30) * x, (x,), "vector", torch.exp))
    with pytest.raises(UnsupportedError, match="too large"):
        text(Case(num(10**400) * x, (x,), "vector", torch.exp))


def test_a_deep_chain_stays_readable_and_fast():
    node = x
    for _ in range(300):
        node = f("tanh", A @ node)
    case = Case(node, (A, x), "vector", torch.tanh)
    assert max(map(len, text(case).splitlines())) < 400
    assert function(case)(*(sample(v, torch.float64) for v in case.variables)).shape == (4,)


def test_doubling_is_shared():
    node = x
    for _ in range(60):
        node = f("exp", node) * node + node
    assert len(text(Case(node, (x,), "vector", torch.tanh))) < 20000


def test_scalars_go_to_the_smallest_operand():
    assert "(a * x) @ y.mT" in text(Case(a * (x @ y.T), (a, x, y), "matrix", torch.exp))
    assert "k * (A @ x)" in text(Case(k * (A @ x), (k, A, x), "vector", torch.exp)).replace("lambda_", "k")
    assert "2 * (M @ X)" in text(Case(num(2) * (M @ X), (M, X), "matrix", torch.exp), sizes={"n": 100, "m": 3})
