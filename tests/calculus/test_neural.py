"""Gradients of neural networks, printed as papers print them, each checked against witnesses as well.

The cases are the standard ones: softmax and logistic regression (Bishop 2006, sec. 4.3), Huber's ψ (Huber 1964), layer
normalization (Ba, Kiros & Hinton 2016), convolution and pooling (Goodfellow et al. 2016, ch. 9), two-layer networks.
"""

from __future__ import annotations

import pytest

import matcalc as mc

ONE_HOT = {"y": "vector(k; onehot)"}
ROWS_ONE_HOT = {"X": "matrix(m, n)", "Y": "matrix(m, k; onehot)"}
DATA = {"X": "matrix(m, n)"}
DELTA = {"delta": "scalar(; positive)"}

ROWS = [
    ("cross_entropy(z, y)", "z", ONE_HOT, "softmax(z) - y"),
    ("cross_entropy(z, y)", "z", {"z": "vector(k)"}, "sum(y)*softmax(z) - y"),
    ("cross_entropy(z, y)", "y", {"z": "vector(k)"}, "-log_softmax(z)"),
    ("-y'*log(softmax(z))", "z", {"y": "vector(k; simplex)"}, "softmax(z) - y"),
    ("cross_entropy(W*x + h, y)", "W", ONE_HOT | {"h": "vector(k)"}, "(softmax(W*x + h) - y)*x.T"),
    ("cross_entropy(W*x + h, y)", "h", ONE_HOT | {"h": "vector(k)"}, "softmax(W*x + h) - y"),
    ("cross_entropy(X*W, Y)", "W", ROWS_ONE_HOT, "X.T*(softmax(X*W) - Y)/m"),
    ("cross_entropy(X*W, Y)", "W", DATA, "X.T*(sum(Y, 1).*softmax(X*W) - Y)/m"),
    ("cross_entropy(X*W .+ r, Y)", "r", ROWS_ONE_HOT | {"r": "row(k)"}, "sum(softmax(X*W .+ r) - Y, 0)/m"),
    ("bce(z, y)", "z", {"z": "vector(n)"}, "(sigmoid(z) - y)/n"),
    ("bce(X*w, y)", "w", DATA, "X.T*(sigmoid(X*w) - y)/m"),
    ("mse(x, y)", "x", {"x": "vector(n)"}, "2*(x - y)/n"),
    ("mse(X*w, y)", "w", DATA, "2*X.T*(X*w - y)/m"),
    ("mse(X*W, Y)", "W", DATA | {"W": "matrix(n, k)"}, "2*X.T*(X*W - Y)/(k*m)"),
    ("sum(huber(X*w - y, 1))", "w", DATA, "X.T*where(1 - abs(X*w - y), X*w - y, sign(X*w - y))"),
    ("sum(huber(x, delta))", "x", DELTA, "where(delta .- abs(x), x, delta*sign(x))"),
    ("sum(huber(x, delta))", "delta", DELTA, "sum(relu(abs(x) .- delta))"),
    (
        "t'*layernorm(x)",
        "x",
        {"x": "vector(n)"},
        "(t - (t.T*layernorm(x))*layernorm(x)/n .- sum(t)/n)/layerstd(x)",
    ),
    (
        "t'*layernorm(W*x)",
        "W",
        {"W": "matrix(n, m)"},
        "(t - (t.T*layernorm(W*x))*layernorm(W*x)/n .- sum(t)/n)*x.T/layerstd(W*x)",
    ),
    (
        "sum(T.*layernorm(X))",
        "X",
        {"X": "matrix(m, n)", "T": "matrix(m, n)"},
        "(T - layernorm(X).*sum(T.*layernorm(X), 1)/n .- sum(T, 1)/n)./layerstd(X, 1)",
    ),
    ("0.5*norm2(conv1d(x, k) - y)^2", "x", {}, "conv1d_full(conv1d(x, k) - y, k)"),
    ("0.5*norm2(conv1d(x, k) - y)^2", "k", {}, "conv1d(x, conv1d(x, k) - y)"),
    ("inner(A, conv2d(X, K))", "X", {}, "conv2d_full(A, K)"),
    ("inner(A, conv2d(X, K))", "K", {}, "conv2d(X, A)"),
    ("inner(A, relu(conv2d(X, K)))", "K", {}, "conv2d(X, A.*heaviside(conv2d(X, K)))"),
    ("y'*avgpool1d(x, 3)", "x", {}, "1/3*kron(y, ones(3))"),
    ("inner(A, avgpool2d(X, 2))", "X", {}, "1/4*kron(A, ones(2, 2))"),
    ("sum(avgpool2d(X, 2))", "X", {"X": "matrix(5, 4)"}, "1/4*vstack(ones(4, 4), zeros(1, 4))"),
    ("y'*maxpool1d(x, 2)", "x", {}, "maxunpool1d(y, x, 2)"),
    ("inner(A, maxpool2d(X, 2))", "X", {}, "maxunpool2d(A, X, 2)"),
    (
        "inner(A, maxpool2d(relu(conv2d(X, K)), 2))",
        "K",
        {},
        "conv2d(X, heaviside(conv2d(X, K)).*maxunpool2d(A, relu(conv2d(X, K)), 2))",
    ),
    ("cross_entropy(W*relu(V*x), y)", "W", ONE_HOT, "(softmax(W*relu(V*x)) - y)*relu(V*x).T"),
    ("cross_entropy(W*relu(V*x), y)", "V", ONE_HOT, "(heaviside(V*x).*(W.T*(softmax(W*relu(V*x)) - y)))*x.T"),
    ("cross_entropy(relu(X*V)*W, Y)", "W", ROWS_ONE_HOT, "relu(X*V).T*(softmax(relu(X*V)*W) - Y)/m"),
    (
        "cross_entropy(relu(X*V)*W, Y)",
        "V",
        ROWS_ONE_HOT,
        "X.T*(heaviside(X*V).*((softmax(relu(X*V)*W) - Y)*W.T))/m",
    ),
    (
        "cross_entropy(W*maxpool1d(relu(conv1d(x, w)), 2), y)",
        "w",
        ONE_HOT,
        "conv1d(x, heaviside(conv1d(x, w)).*maxunpool1d(W.T*(softmax(W*maxpool1d(relu(conv1d(x, w)), 2)) - y),"
        " relu(conv1d(x, w)), 2))",
    ),
    ("mse(relu(X*V)*w, y)", "V", DATA, "2*X.T*(heaviside(X*V).*((relu(X*V)*w - y)*w.T))/m"),
    ("norm2(z - stopgrad(A*z))^2", "z", {}, "2*(z - stopgrad(A*z))"),
]


@pytest.mark.parametrize(("text", "name", "let", "printed"), ROWS, ids=[f"{r[0]} by {r[1]}" for r in ROWS])
def test_a_network_s_gradient_prints_as_in_papers_and_is_verified(
    text: str, name: str, let: dict[str, str], printed: str
) -> None:
    gradient = mc.grad(text, name, let or None)
    assert str(gradient) == printed
    report = gradient.check(trials=3)
    assert report.verdict == "verified", report


HVPS = [
    ("cross_entropy(z, y)", "z", ONE_HOT),
    ("cross_entropy(X*W, Y)", "W", ROWS_ONE_HOT),
    ("sum(huber(x, 1)) + sum(huber(x.^2, delta))", "x", DELTA),
    ("t'*layernorm(W*x)", "x", {"W": "matrix(n, m)"}),
    ("sum(tanh(layernorm(X)))", "X", {"X": "matrix(m, n)"}),
    ("sum(tanh(conv1d(x, k)))", "x", {}),
    ("sum(tanh(conv2d(X, K)))", "K", {}),
    ("sum(tanh(avgpool1d(x, 2)))", "x", {}),
    ("sum(tanh(maxpool2d(X, 2)))", "X", {}),
    ("norm2(x.*stopgrad(x) - h)^2", "x", {"h": "vector(n)"}),
]


@pytest.mark.parametrize(("text", "name", "let"), HVPS, ids=[row[0] for row in HVPS])
def test_second_derivatives_follow_by_themselves(text: str, name: str, let: dict[str, str]) -> None:
    product = mc.hvp(text, name, "v", let or None)
    report = product.check(trials=3)
    assert report.verdict == "verified", report


def test_what_a_simplex_adds_up_to_is_used_in_results_alone() -> None:
    """A derivative by y of a formula in which sum(y) had become 1 would be wrong off the simplex."""
    let = {"y": "vector(n; simplex)"}
    assert str(mc.grad("sum(y)^3", "y", let)) == "3*sum(y)^2*ones(n)"
    assert str(mc.hvp("sum(y)^3", "y", "v", let)) == "6*sum(v)*sum(y)*ones(n)"
    assert str(mc.grad("sum(y)^3*norm2(x)^2", "x", let)) == "2*x"


def test_a_claim_that_forgets_the_simplex_is_refuted() -> None:
    report = mc.check("cross_entropy(z, y)", "z", claim="softmax(z) - y", let={"z": "vector(n)"})
    assert report.verdict == "refuted"
    assert report.diagnosis == "right only if y adds up to one: declare it simplex or onehot"
    rows = mc.check("cross_entropy(X*W, Y)", "W", claim="X'*(softmax(X*W) - Y)/size(X, 0)")
    assert rows.diagnosis == "right only if Y adds up to one: declare it simplex or onehot"
    assert mc.check("cross_entropy(z, y)", "z", claim="softmax(z) - y", let=ONE_HOT).verdict == "verified"
    assert mc.check("cross_entropy(z, y)", "z", claim="y - softmax(z)", let=ONE_HOT).verdict == "refuted"


def test_the_log_of_softmax_is_log_softmax_and_its_exponential_softmax() -> None:
    assert str(mc.parse("sum(log(softmax(x)))")) == "sum(log_softmax(x))"
    assert str(mc.parse("sum(log(softmax(X)')*exp(log_softmax(X)))")) == "sum(log_softmax(X).T*softmax(X))"


def test_a_claim_that_differentiates_through_stopgrad_is_refuted() -> None:
    assert mc.check("norm2(x - stopgrad(A*x))^2", "x", claim="2*(I - A)'*(x - A*x)").verdict == "refuted"
    assert mc.check("norm2(x - stopgrad(A*x))^2", "x", claim="2*(x - A*x)").verdict == "verified"


def test_what_is_frozen_stays_so_in_the_differences_of_floats() -> None:
    text = "norm2(x - stopgrad(A*x))^2 + sum(stopgrad(x).*x)"
    report = mc.grad(text, "x", {"x": "vector(200)"}).check(trials=2)
    assert report.verdict == "verified", report


def test_sympy_does_not_differentiate_through_stopgrad() -> None:
    import sympy

    image = mc.parse("a*stopgrad(a)^2").sympy
    (a,) = image.free_symbols
    assert sympy.diff(image, a).subs(a, 3).doit() == 9
