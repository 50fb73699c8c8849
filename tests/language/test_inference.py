"""What names are, what shapes follow, and what is said where nothing fits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcalc.errors import LimitError, MatcalcError, ShapeError
from matcalc.expression import build
from matcalc.expression.sizes import written_shape
from matcalc.language.inference import VariableRecord, typed, typed_claim
from matcalc.language.syntax import read

# text; names with kind and sizes, in order of appearance; shape of the result
FITTING = (
    ("A*x", "A: matrix(n, m), x: vector(m)", "n×1"),
    ("a+X", "a: matrix(n, m), X: matrix(n, m)", "n×m"),
    ("X^2", "X: matrix(n, n)", "n×n"),
    ("x^2", "x: scalar", "1×1"),
    ("(a'*x)*(x'*b)", "a: vector(n), x: vector(n), b: scalar", "1×n"),
    ("x.T*A*x - b.T*x", "x: vector(n), A: matrix(n, n), b: vector(n)", "1×1"),
    ("1+exp(-x)", "x: vector(n)", "n×1"),
    ("vec(A*X*B)'*vec(C)", "A: matrix(n, m), X: matrix(m, k), B: matrix(k, p), C: matrix(n, p)", "1×1"),
    ("x[1:3]", "x: vector(n)", "2×1"),
    ("x[1:2]", "x: vector(n)", "1×1"),
    ("A[1,:]*x", "A: matrix(n, m), x: vector(m)", "1×1"),
    ("A[:,0]", "A: matrix(n, m)", "n×1"),
    ("A[0]", "A: vector(n)", "1×1"),
    ("norm2(x[0:2]) + norm2(x[2:5])", "x: vector(n)", "1×1"),
    ("let x: vector(5); x[-1]", "x: vector(5)", "1×1"),
    ("let x: vector(5); x[-2:]", "x: vector(5)", "2×1"),
    ("let x: vector(5); x[:-1]", "x: vector(5)", "4×1"),
    ("let x: vector(2); x[1:]", "x: vector(2)", "1×1"),
    ("let x: vector(n); x[1:]", "x: vector(n)", "(n - 1)×1"),
    ("[A, b; b', c]", "A: matrix(n, n), b: vector(n), c: scalar", "(n + 1)×(n + 1)"),
    ("[x, y]", "x: vector(n), y: vector(n)", "n×2"),
    ("[x; y]", "x: vector(n), y: vector(m)", "(m + n)×1"),
    ("[1, 2; 3, 4]", "", "2×2"),
    ("tr(I)", "", "1×1"),
    ("x - ones(n)", "x: vector(n)", "n×1"),
    ("x'*ones(n)/n", "x: vector(n)", "1×1"),
    ("let x: vector(n); sum(x)/n", "x: vector(n)", "1×1"),
    ("let x: vector(n)\n x - eye(3)*x", "x: vector(3)", "3×1"),
    ("X/Y", "X: matrix(n, m), Y: scalar", "n×m"),
    ("r = A*x - b; r'*r", "A: matrix(n, m), x: vector(m), b: vector(n)", "1×1"),
    ("let det: scalar; det*x", "det: scalar, x: vector(n)", "n×1"),
    ("det = x; det'*det", "x: vector(n)", "1×1"),
    ("eye(n)*x", "x: vector(n)", "n×1"),
    ("reshape(X,2,6)", "X: matrix(2, 6)", "2×6"),
    ("let X: matrix(3,4); reshape(X,2,6)", "X: matrix(3, 4)", "2×6"),
    ("vector(1) + x", "x: vector(n)", "n×1"),
    ("vector(1)", "", "n×1"),
    ("matrix(2) - X", "X: matrix(n, m)", "n×m"),
    ("vector(x)", "x: scalar", "n×1"),
    ("size(X,0)*a", "X: matrix(n, m), a: scalar", "1×1"),
    ("X .+ r", "X: matrix(n, m), r: vector(n)", "n×m"),
    ("let X: matrix(4,3)\nlet r: row(3)\nX .+ r", "X: matrix(4, 3), r: row(3)", "4×3"),
    ("maximum(0,1-y.*(X*w))", "y: vector(n), X: matrix(n, m), w: vector(m)", "n×1"),
    ("where(x-y,x,0)", "x: vector(n), y: vector(n)", "n×1"),
    ("kron(A,B)", "A: matrix(n, m), B: matrix(k, p)", "(k*n)×(m*p)"),
    ("A⊗B", "A: matrix(n, m), B: matrix(k, p)", "(k*n)×(m*p)"),
    ("A\\b", "A: matrix(n, n), b: vector(n)", "n×1"),
    ("A\\b + x", "A: matrix(n, n), b: vector(n), x: vector(n)", "n×1"),
    ("2^x", "x: scalar", "1×1"),
    ("a^b", "a: scalar, b: scalar", "1×1"),
    ("x.^y", "x: vector(n), y: vector(n)", "n×1"),
    ("2 .^ x", "x: vector(n)", "n×1"),
    ("pi*x + pi", "x: vector(n)", "n×1"),
    ("x + pi", "x: vector(n)", "n×1"),
    ("lambda*x", "lambda: scalar, x: vector(n)", "n×1"),
    ("λ*x'*x", "lambda: scalar, x: vector(n)", "1×1"),
    ("Sigma*x", "Sigma: scalar, x: vector(n)", "n×1"),
    ("W1*x", "W1: matrix(n, m), x: vector(m)", "n×1"),
    ("X_train*w", "X_train: matrix(n, m), w: vector(m)", "n×1"),
    ("a'", "a: vector(n)", "1×n"),
    ("x'", "x: vector(n)", "1×n"),
    ("x''", "x: vector(n)", "n×1"),
    ("A.T.T", "A: matrix(n, m)", "n×m"),
    ("let a: scalar; a'*x", "a: scalar, x: vector(n)", "n×1"),
    ("solve(A,b)'*c", "A: matrix(n, n), b: vector(n), c: scalar", "1×n"),
    ("outer(x,y)", "x: vector(n), y: vector(m)", "n×m"),
    ("dot(x,y)", "x: vector(n), y: vector(n)", "1×1"),
    ("I", "", "n×n"),
    ("I + A", "A: matrix(n, n)", "n×n"),
    ("A - lambda*I", "A: matrix(n, n), lambda: scalar", "n×n"),
    ("I*x", "x: vector(n)", "n×1"),
    ("x*I", "x: scalar", "n×n"),
    ("let I: matrix(n,n); I*x", "I: matrix(n, n), x: vector(n)", "n×1"),
    ("h'*k", "h: vector(n), k: vector(n)", "1×1"),
    ("log(det(2*pi*V))", "V: matrix(n, n)", "1×1"),
    ("hstack(x, A)", "x: vector(n), A: matrix(n, m)", "n×(m + 1)"),
    ("vstack(a,b)", "a: scalar, b: scalar", "2×1"),
    ("vstack(x', A)", "x: vector(n), A: matrix(m, n)", "(m + 1)×n"),
    ("trace(A*B)", "A: matrix(n, m), B: matrix(m, n)", "1×1"),
    ("x*y'", "x: vector(n), y: vector(m)", "n×m"),
    ("x.*y'", "x: vector(n), y: vector(m)", "n×m"),
    ("A*B*C*x", "A: matrix(n, m), B: matrix(m, k), C: matrix(k, p), x: vector(p)", "n×1"),
)

# text; part of the message
WRONG = (
    ("let A: matrix(m,n)\nlet B: matrix(m,n)\nA*B", "cannot multiply m×n by m×n"),
    ("let x: vector(n)\nlet y: vector(n)\nx*y", "cannot multiply n×1 by n×1"),
    ("let A: matrix(m,n)\nlet x: vector(m)\nA+x", "cannot add m×n and m×1"),
    ("let x: vector(n)\nlet y: vector(k)\nx+y", "cannot add n×1 and k×1"),
    ("let x: vector(n)\n x^2", "a vector of shape n×1 has no power"),
    ("let A: matrix(n,n)\n A^0.5", "the exponent of a matrix is a whole number, as in A^2, and 0.5 is none"),
    ("let A: matrix(n,n); A^k", "a matrix of shape n×n has no power"),
    ("let A: matrix(m,n); A^2", "a matrix of shape m×n has no power"),
    ("A^100", "a matrix power: the limit is 64; raise it with --limit matri"),
    ("let X: matrix(n,n)\nlet Y: matrix(n,n)\nX/Y", "cannot divide by a matrix"),
    ("let x: vector(n)\n1/x", "cannot divide by a vector"),
    ("x×y", "x and y can be read in two ways"),
    ("let x: vector(n)\nlet y: vector(n)\nx×y", "cannot multiply n×1 by n×1"),
    ("sofmax(x)", "no function 'sofmax'; did you mean 'softmax'?"),
    ("foo(x)", "no function 'foo'"),
    ("A(x+1)", "'A' is a value, not a function"),
    ("x(1)", "'x' is a value, not a function"),
    ("sin", "'sin' is a function: call it, or declare a name of its own f"),
    ("sin*x", "'sin' is a function: call it, or declare a name of its own f"),
    ("sum(X,2)", "sum takes sum(X) or sum(X, 0) or sum(X, 1)"),
    ("sum(x,y)", "sum takes sum(X) or sum(X, 0) or sum(X, 1)"),
    ("sum()", "sum takes sum(X) or sum(X, 0) or sum(X, 1)"),
    ("det(A,B)", "det takes det(X)"),
    ("eye(2,3)*x", "eye takes eye(n)"),
    ("let A: matrix(2,3); tr(A)", "tr needs a square matrix, and this is 2×3"),
    ("let A: matrix(2,3); sum(diag(A))", "diag does not take 2×3"),
    ("let A: matrix(n,n; symmetric, skew); A", "nothing is both skew and symmetric"),
    ("let A: matrix(m,n; symmetric); A", "only a square matrix is symmetric"),
    ("let x: vector(n; posdef); x", "only a square matrix is posdef"),
    ("let x: vector(n; foo); x", "no property 'foo'"),
    ("let x: vector(0); x", "this is not a size"),
    ("let x: vector(99999); x", "a size of 99999: the limit is 4096; raise it with --limit si"),
    ("let x: vector(n-n); x", "a size is a positive integer"),
    ("f = f + 1; f", "'f' is used before its definition"),
    ("a = b; b = x; a + b", "'b' is used before its definition"),
    ("r = x; r = y; r", "'r' is introduced twice"),
    ("let r: scalar; r = x; r", "'r' is introduced twice"),
    ("f = x; f(2)", "'f' is a value, not a function"),
    ("basis(5,3)", "there is no place 5 in a vector of size 3"),
    ("basis(-1,3)", "there is no place -1 in a vector of size 3"),
    ("basis(n,3)", "basis takes basis(i, n)"),
    ("eye(0)", "a size is a positive integer"),
    ("eye(1.5)", "this is not a size"),
    ("eye(x')", "this is not a size"),
    ("let X: matrix(3,4); reshape(X,2,5)", "reshape does not take 3×4"),
    ("size(X,2)", "size takes size(X, 0) or size(X, 1)"),
    ("size(X)", "size takes size(X, 0) or size(X, 1)"),
    ("let X: matrix(4,3)\nlet r: row(4)\nX .+ r", "cannot spread 4×3 and 1×4 over each other"),
    ("1/0", "division by zero"),
    ("0^-1", "division by zero"),
    ("let A: matrix(n, k); A.T + A", "cannot add k×n and n×k"),
    ("let x: vector(n)\nx[0, 1]", "the index does not fit"),
    ("let A: matrix(m, n)\nA[0]", "the index does not fit"),
    ("A(2)", "'A' is a value, not a function"),
    ("let A: matrix(m,n); det(A)", "det needs a square matrix, and this is m×n"),
    ("let x: vector(n); tr(x)", "tr needs a square matrix, and this is n×1"),
    ("let a: scalar; a[0]", "the index does not fit"),
)

TYPED_ALIKE = (
    ("A·x", "A*x"), ("A@x", "A*x"), ("x.T @ A @ x", "x'*A*x"), ("x ⊙ y", "x.*y"), ("A⊗B", "kron(A, B)"),
    ("A\\b", "solve(A, b)"), ("A^T*x", "A'*x"), ("λ*x", "lambda*x"), ("A**2", "A*A"), ("A^-1*x", "inv(A)*x"),
    ("r = A*x - b; r'*r", "(A*x - b)'*(A*x - b)"), ("x + 1", "x + ones(n)"), ("vector(1) + x", "x + ones(n)"),
    ("1/2*tr(X)", "0.5*tr(X)"), ("-x^2", "-(x^2)"), ("x - y - z", "x - (y + z)"), ("x.*y./z", "x.*(y./z)"),
    ("X .+ x", "x .+ X"), ("[A; B]", "vstack(A, B)"), ("[x, y]", "hstack(x, y)"), ("x[:]", "x"), ("A[:,:]", "A"),
)  # fmt: skip

TOO_LARGE = (
    "let A: matrix(2,2); k0 = A; " + "; ".join(f"k{i + 1} = kron(k{i}, k{i})" for i in range(60)) + "; k60",
    "k0 = A*B; " + "; ".join(f"k{i + 1} = k{i}*k{i}" for i in range(40)) + "; k40",
    "k0 = x; " + "; ".join(f"k{i + 1} = vstack(k{i}, k{i})" for i in range(40)) + "; k40",
    "⊗".join(["A"] * 200),
    "let A: matrix(4000, 4000); " + "⊗".join(["A"] * 900),
    "ones(" + "*".join(["(a+b+c)"] * 30) + ")",
)

LONG = (
    "+".join(f"a{i % 200}" for i in range(990)),
    " .* ".join(f"x{i % 200}" for i in range(990)),
    "*".join(["A"] * 990) + "*x",
    "[" + ", ".join(["a"] * 900) + "]",
    "tanh(W*" * 64 + "x" + ")" * 64,
)


def _shown(record: VariableRecord) -> str:
    sizes = record.shape[1:] if record.kind == "row" else record.shape
    return f"{record.name}: {record.kind}" + (f"({', '.join(map(str, sizes))})" if sizes else "")


@pytest.mark.parametrize(("text", "names", "shape"), FITTING)
def test_names_get_the_kinds_and_sizes_that_the_text_implies(text: str, names: str, shape: str) -> None:
    found = typed(read(text))
    assert ", ".join(map(_shown, found.variables)) == names
    assert written_shape(found.node.shape) == shape


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_does_not_fit_says_why_and_where(text: str, message: str) -> None:
    with pytest.raises(MatcalcError) as caught:
        typed(read(text))
    assert message in caught.value.message
    assert "?0" not in str(caught.value)
    if caught.value.suggestion:
        read(caught.value.suggestion)


@pytest.mark.parametrize(("text", "other"), TYPED_ALIKE)
def test_two_ways_of_writing_make_one_expression(text: str, other: str) -> None:
    assert typed(read(text)).node is typed(read(other)).node


def test_the_expression_is_what_the_constructors_make() -> None:
    found = typed(read("x.T*A*x - b.T*x"))
    x, A, b = (record.node for record in found.variables)
    assert found.node is build.add(build.product(x.T, A, x), build.negate(build.product(b.T, x)))


def test_the_order_of_terms_is_remembered_as_typed() -> None:
    found = typed(read("z + x - y"))
    z, x, y = (record.node for record in found.variables)
    assert found.order[found.node] == (z, x, build.negate(y))


@pytest.mark.parametrize("text", TOO_LARGE)
def test_growth_without_end_is_a_limit(text: str) -> None:
    with pytest.raises(LimitError) as caught:
        typed(read(text))
    assert caught.value.spans


@pytest.mark.parametrize("text", LONG)
def test_long_texts_are_typed(text: str) -> None:
    assert typed(read(text)).variables


def test_a_bare_number_as_a_claim_spreads() -> None:
    reference = typed(read("sum(x)"))
    (x,) = (record.node for record in reference.variables)
    assert typed_claim(read("1"), reference, x.shape).node is build.ones(*x.shape)


def test_a_claim_of_another_shape_keeps_its_own() -> None:
    reference = typed(read("x'*A*x"))
    x = reference.variables[0].node
    assert typed_claim(read("x'*A"), reference, x.shape).node.shape == (1, x.rows)


def test_a_claim_with_an_unknown_name_lists_those_that_are_known() -> None:
    reference = typed(read("x'*A*x"))
    with pytest.raises(MatcalcError, match="no 'B'"):
        typed_claim(read("B*x"), reference, reference.variables[0].node.shape)


_TOKENS = (
    *(
        "x",
        "y",
        "A",
        "B",
        "a",
        "lambda",
        "I",
        "1",
        "2",
        "0.5",
        "pi",
        "+",
        "-",
        "*",
        "@",
        "/",
        ".*",
        "./",
        ".+",
        "^",
        ".^",
    ),
    *("'", "(", ")", "[", "]", ",", ";", ":", "exp(", "tr(", "sum(", "eye(n)", "ones(n)", "inv(", "kron(", "=", "let"),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_TOKENS), min_size=1, max_size=14).map(" ".join))
def test_nothing_but_our_own_errors_escapes(text: str) -> None:
    """Random tokens: either a typed expression of known shape, or an error that shows a place."""
    try:
        shown = written_shape(typed(read(text)).node.shape)
    except MatcalcError as error:
        shown = str(error)
    assert shown
    assert "?0" not in shown


MEANT = [
    ("sum((x - mean(x)).^2)/n", "sum((x .- mean(x)).^2)/n"),
    ("(x - c)'*x", "(x .- c)'*x"),
    ("sum((x + c).^2)", "sum((x .+ c).^2)"),
    ("2*(x - mean(x))'*y", "2*(x .- mean(x))'*y"),
    ("sum(sigmoid(x)*(1 - sigmoid(x)))", "sum(sigmoid(x).*(1 - sigmoid(x)))"),
    ("sum(A*A)", "sum(A.*A)"),
    ("x*y", "x.T*y"),
    ("sum(-x*y)", "sum(-x.*y)"),
    ("(x + y)/y", "(x + y)./y"),
]


@pytest.mark.parametrize(("text", "suggestion"), MEANT)
def test_what_to_type_keeps_the_parentheses_and_has_a_meaning(text: str, suggestion: str) -> None:
    let = {"x": "vector(n)", "y": "vector(n)", "c": "scalar", "A": "matrix(m, n)"}
    let = {name: kind for name, kind in let.items() if name in text}
    with pytest.raises(ShapeError) as caught:
        typed(read(text), let)
    assert caught.value.suggestion == suggestion
    typed(read(suggestion), let)
