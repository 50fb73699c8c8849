"""LaTeX as a textbook has it, every brace closed, and nothing in it but what was checked."""

import re
from collections.abc import Iterator, Mapping

import pytest

import matcalc
from matcalc.documents.latex import latex
from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.operator import TABLE
from matcalc.expression.sizes import Size

SQUARE = {"A": "matrix(n, n)", "X": "matrix(n, n; invertible)", "x": "vector(n)", "b": "vector(n)", "k": "vector(m)"}

WRITTEN = [
    ("x'*A*x", r"x^\top A x"),
    ("x'*A*x - b'*x + 1", r"x^\top A x - b^\top x + 1"),
    ("0.5*x'*A*x", r"\frac{1}{2} x^\top A x"),
    ("norm2(A*x - b)^2", r"\lVert A x - b \rVert^2"),
    ("norm2(x)^12", r"\lVert x \rVert^{12}"),
    ("norm1(x)", r"\lVert x \rVert_1"),
    ("(A + X)'", r"\left(A + X\right)^\top"),
    ("(A.*X)'", r"\left(A \odot X\right)^\top"),
    ("inv(X)", "X^{-1}"),
    ("inv(X)'", r"X^{-\top}"),
    ("inv(X*A)'", r"\left(X A\right)^{-\top}"),
    ("inv(X + A)", r"\left(X + A\right)^{-1}"),
    ("inv(X)^2", "X^{-2}"),
    ("X^3", "X^3"),
    ("x.*b", r"x \odot b"),
    ("(A*x).*b", r"\left(A x\right) \odot b"),
    ("A*(x.*b)", r"A \left(x \odot b\right)"),
    ("x./b", r"x \oslash b"),
    ("x./(b.*(A*x))", r"x \oslash \left(b \odot \left(A x\right)\right)"),
    ("x.^2", r"x^{\odot 2}"),
    ("x.^(-1/2)", r"x^{\odot -1/2}"),
    ("x.^b", r"x^{\odot b}"),
    ("x/norm2(x)", r"\frac{x}{\lVert x \rVert}"),
    ("x/(2*norm2(x))", r"\frac{x}{2 \lVert x \rVert}"),
    ("-x/3", r"-\frac{1}{3} x"),
    ("(x'*b)*x", r"\left(x^\top b\right) x"),
    ("sqrt(x'*x)", r"\sqrt{x^\top x}"),
    ("1/(x'*x)", r"\frac{1}{x^\top x}"),
    ("(x'*b)^2", r"\left(x^\top b\right)^2"),
    ("2*3^(1/3)*c", r"2 \cdot 3^{1/3} c"),
    ("c^d", "c^d"),
    ("c^(d + 1)", "c^{d + 1}"),
    ("1 - tanh(A*x).^2", r"1 - \tanh\left(A x\right)^{\odot 2}"),
    ("sigmoid(x)", r"\operatorname{sigmoid}\left(x\right)"),
    ("log_softmax(x)", r"\operatorname{log\_softmax}\left(x\right)"),
    ("tr(A*X)", r"\operatorname{tr}(A X)"),
    ("logdet(X)", r"\log\lvert\det X\rvert"),
    ("logdet(X'*X)", r"\log\lvert\det \left(X^\top X\right)\rvert"),
    ("sum(x)*b", r"\left(\mathbf{1}^\top x\right) b"),
    ("sum(A)", r"\mathbf{1}^\top A \mathbf{1}"),
    ("A .+ x", r"A + x \mathbf{1}^\top"),
    ("kron(A, X)*vec(A)", r"\operatorname{vec}(X A A^\top)"),
    ("vstack(x, b)", r"\begin{bmatrix} x \\ b \end{bmatrix}"),
    ("x[0]", "x_{[0]}"),
    ("x - basis(1, n)", "x - e_{1}"),
    ("A - I", "A - I"),
    ("mean(x)", r"\frac{\mathbf{1}^\top x}{n}"),
    ("polygamma(2, x)", r"\psi^{(2)}\left(x\right)"),
    ("where(x - b, 1, 0)", r"\left[x - b > 0\right]"),
    ("where(x, 0, 1)", r"\left[x \le 0\right]"),
    ("where(x, b, 0)", r"\begin{cases} b & x > 0 \\ 0 & x \le 0 \end{cases}"),
    ("maximum(x, 0)", r"\max\left(x, 0\right)"),
    ("zeros(3)", "0"),
    ("max(A, 0)", r"\max_{\mathrm{cols}}\left(A\right)"),
    ("indicator_max(x)", r"\mathbf{1}_{\max}\left(x\right)"),
    ("indicator_max(A, 1)", r"\mathbf{1}_{\max, \mathrm{rows}}\left(A\right)"),
    ("logsumexp(A, 1)", r"\operatorname{logsumexp}_{\mathrm{rows}}\left(A\right)"),
    ("expm_frechet(A, X)", r"\mathrm{D}\exp\left(A\right)\left[X\right]"),
    ("expm_frechet(A, X, X)", r"\mathrm{D}^2\exp\left(A\right)\left[X, X\right]"),
    ("conv1d(x, k)", r"x \star k"),
    ("conv1d_full(conv1d(x, k), k)", r"\left(x \star k\right) * k"),
    ("[X, x; x', 1]", r"\begin{bmatrix} X & x \\ x^\top & 1 \end{bmatrix}"),
    (
        "vstack(hstack(A, x), hstack(x, A))",
        r"\begin{bmatrix} \begin{bmatrix} A & x \end{bmatrix} \\ "
        r"\begin{bmatrix} x & A \end{bmatrix} \end{bmatrix}",
    ),
    ("pinv(A)'", r"A^{+\top}"),
    ("inv(A')^3", r"\left(A^{-3}\right)^\top"),
    (
        "b'*kron_trace(kron(A, X), X, 0, n, n)*b",
        r"b^\top \operatorname{tr}_{2}\left(\left(I \otimes X^\top\right) "
        r"\left(A \otimes X\right)\right) b",
    ),
    ("log1p(x)", r"\log\left(1 + x\right)"),
    ("atan(x)", r"\arctan\left(x\right)"),
]


@pytest.mark.parametrize(("text", "wanted"), WRITTEN)
def test_textbook_form(text: str, wanted: str) -> None:
    used = {name: kind for name, kind in SQUARE.items() if re.search(rf"\b{name}\b", text)}

    assert matcalc.parse(text, let=used).latex() == wanted


def test_a_sum_keeps_the_order_in_which_it_was_typed() -> None:
    assert matcalc.parse("-b'*x + x'*A*x").latex() == r"-b^\top x + x^\top A x"


def test_a_cross_product_keeps_its_parentheses_in_a_matrix_product() -> None:
    f = matcalc.parse("b'*cross(x, b)", let={"x": "vector(3)", "b": "vector(3)"})

    assert f.latex() == r"b^\top \left(x \times b\right)"


# What holds for everything.


def sample_texts() -> Iterator[tuple[str, Mapping[str, str]]]:
    for operator in TABLE.values():
        for sample in operator.samples:
            yield sample.text, sample.let


def imbalance(text: str) -> str:
    """What is opened and not closed, or closed and not opened; "" where all is well."""
    pairs = {r"\left(": r"\right)", "{": "}", r"\lVert": r"\rVert", r"\lvert": r"\rvert", r"\langle": r"\rangle"}
    signs = re.findall(r"\\left\(|\\right\)|\\[lr][vV]ert|\\[lr]angle|(?<!\\)[{}]", text)
    waiting: list[str] = []
    for sign in signs:
        if sign in pairs:
            waiting.append(pairs[sign])
        elif not waiting or waiting.pop() != sign:
            return sign
    return "".join(waiting)


def double_scripts(text: str) -> list[str]:
    """Two superscripts or two subscripts on one base, which LaTeX refuses."""
    script = r"(?:\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}|\\[a-z]+|\w)"
    return re.findall(rf"\^{script}(?:_{script})?\^|_{script}(?:\^{script})?_", text)


@pytest.mark.parametrize(("text", "let"), list(sample_texts()))
def test_a_sample_and_its_gradients_are_balanced(text: str, let: Mapping[str, str]) -> None:
    f = matcalc.parse(text, let=dict(let))
    written = [f.latex(), *(matcalc.grad(text, name, let=dict(let)).latex() for name in f.variables)]

    assert [imbalance(body) for body in written] == [""] * len(written)
    assert [double_scripts(body) for body in written] == [[]] * len(written)


@pytest.mark.parametrize(
    ("text", "wrong"), [("{a", "}"), (r"\left(a", r"\right)"), ("a}", "}"), (r"\left(\lVert a\right)", r"\right)")]
)
def test_an_imbalance_is_noticed(text: str, wrong: str) -> None:
    assert imbalance(text) == wrong


@pytest.mark.parametrize("text", [r"A^\top^2", "W_{1}_{[0]}", r"X^{-\top}^{2}"])
def test_a_double_script_is_noticed(text: str) -> None:
    assert double_scripts(text)


# Names.


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("x", "x"),
        ("lambda", r"\lambda"),
        ("Sigma", r"\Sigma"),
        ("Alpha", r"\mathit{Alpha}"),
        ("omicron", r"\mathit{omicron}"),
        ("W1", "W_{1}"),
        ("x_1", "x_{1}"),
        ("x_i", "x_{i}"),
        ("alpha2", r"\alpha_{2}"),
        ("x_hat", r"x_{\mathit{hat}}"),
        ("loss", r"\mathit{loss}"),
        ("loss_train", r"\mathit{loss}_{\mathit{train}}"),
        ("a_b_c", r"\mathit{a\_b\_c}"),
        ("_x", r"\mathit{\_x}"),
        ("x_", r"\mathit{x\_}"),
        ("input", r"\mathit{input}"),
    ],
)
def test_name(name: str, wanted: str) -> None:
    assert latex(build.variable(name, (3, 1), "vector")) == wanted


@pytest.mark.parametrize("name", ["x}", r"\input", "a b", "$", "x^2", "λ", "", "x\n", "1x"])
def test_what_is_no_name_does_not_enter(name: str) -> None:
    with pytest.raises(UnsupportedError, match="no name that LaTeX could show"):
        latex(build.variable(name, (3, 1), "vector"))


def test_names_that_would_look_alike_are_spelled_out() -> None:
    first, second = (build.variable(name, (3, 1), "vector") for name in ("x1", "x_1"))

    assert latex(first - second) == r"\mathit{x1} - \mathit{x\_1}"


def test_part_of_a_name_with_a_subscript() -> None:
    assert matcalc.parse("x_1[0]^2", let={"x_1": "vector(3)"}).latex() == "{x_{1}}_{[0]}^2"


def test_size_polynomial() -> None:
    m, n = Size.named("m"), Size.named("n")
    x = build.variable("x", (m * n * n + n, 1), "vector")

    assert latex(build.apply("index", x, params=(1, m * n * n, 0, 1))) == "x_{[1:m n^2]}"


# What repeats itself beyond reading.


def test_a_wide_expression_names_what_it_repeats() -> None:
    x, y = (build.variable(name, (3, 1), "vector") for name in ("x", "t1"))
    for _ in range(40):
        x = build.apply("tanh", x * y + build.apply("sin", x))
    text = latex(x)

    assert len(text) < 10_000
    assert r"t_{2} = " in text
    assert imbalance(text) == ""


def test_a_name_of_its_own_is_no_name_of_the_user() -> None:
    x, y = (build.variable(name, (3, 1), "vector") for name in ("x", "t1"))
    for _ in range(40):
        x = build.apply("tanh", x * y + build.apply("sin", x))

    assert "t_{1} =" not in latex(x)
