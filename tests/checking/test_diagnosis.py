"""What is said of a refuted claim: the published claims, functions, sizes, other questions, and honest silence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking.diagnosis.table import NOTHING, RULES
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.walk import fold
from matcalc.language.printer import written


class Published(NamedTuple):
    """A published wrong claim, and words of the relation that its source names."""

    kind: str
    text: str
    name: str
    claim: str
    relation: tuple[str, ...]


PUBLISHED = [
    Published("grad", "tr(A*X*B)", "X", "B*A", ("transposed",)),  # Matrix Cookbook (101), transposed
    Published("grad", "log(det(X))", "X", "inv(X)", ("transposed", "only if X is symmetric")),
    Published("grad", "sum(log(1 + exp(-y.*(X*w))))", "w", "X'*(y.*sigmoid(-y.*(X*w)))", ("sign",)),
    Published("grad", "-t'*log_softmax(z)", "z", "t - softmax(z)", ("sign",)),
    Published("jacobian", "tanh(W*x)", "x", "diag(1 - tanh(W*x).^2)", ("missing chain factor W",)),
    Published("grad", "norm2(X - U*V)^2", "U", "-2*(X - U*V)*V", ("V in place of V.T",)),  # NMF
    Published("grad", "w'*tanh(x)", "x", "w.*(1 - x.^2)", ("x in place of tanh(x)",)),
    Published("grad", "0.5*x'*x - b'*x", "x", "x - b + 1", ("an extra term 1",)),
]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.text}: {row.claim}")
def test_a_published_mistake_gets_the_relation_of_its_source(row: Published) -> None:
    report = mc.check(row.text, row.name, claim=row.claim, kind=row.kind)
    assert report.verdict == "refuted"
    assert all(words in report.diagnosis for words in row.relation), report.diagnosis


# The lecture's case: g = f*f with f = 0.5*x'*A*x - b'*x, and the gradients of f claimed for those of g.


@pytest.mark.parametrize(("name", "claim"), [("x", "0.5*(A + A.T)*x - b"), ("A", "0.5*x*x'")])
def test_the_missing_outer_derivative_is_named_with_f_itself(name: str, claim: str) -> None:
    report = mc.check("f = 0.5*x'*A*x - b'*x; f*f", name, claim=claim)
    assert report.relation == "chain factor"
    assert "off by the factor 2*f" in report.diagnosis
    assert "(f = 1/2*x.T*A*x - b.T*x)" in report.diagnosis


# Sizes.


@pytest.mark.parametrize(
    ("text", "claim", "says"),
    [
        ("mean(x.^2)", "2*x", "n times the gradient (a sum for a mean)"),
        ("sum(x.^2)", "2*x/size(x, 0)", "1/n times the gradient (a mean for a sum)"),
        ("sum(x.^2)", "6*x", "is 3 times"),
        ("sum(x.^2)/(size(x, 0) - 1)", "2*x/size(x, 0)", "(n - 1)/n times"),
        ("sum(x)^2", "2*x", "right only for n = 1"),
    ],
)
def test_a_size_and_a_number_are_told_apart(text: str, claim: str, says: str) -> None:
    assert says in mc.check(text, "x", claim=claim, let={"x": "vector(n)"}).diagnosis


def test_a_slice_that_has_no_room_in_a_size_of_1_is_no_reason_to_stop() -> None:
    let = {"x": "vector(n)", "y": "vector(n - 2)"}
    report = mc.check("x[:-2]'*y", "x", claim="x.^3", let=let)
    assert report.verdict == "refuted"
    assert "n = 1" not in report.diagnosis


def test_a_size_that_is_fixed_is_a_number() -> None:
    report = mc.check("mean(x.^2)", "x", claim="2*x", let={"x": "vector(3)"})
    assert "is 3 times" in report.diagnosis


# Functions, of which nothing is known but their values.


def of_tanh(W: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return W.T @ (1 - (W @ x) ** 2)


def in_single_precision(x: Any) -> Any:
    return (2 * x.astype("float32")).astype("float64")


FUNCTIONS = [
    ("x'*A*x - b'*x", "x", lambda A, x, b: (A + A.T) @ x, "missing term", "the term -b is missing"),
    ("x'*A*x - b'*x", "x", lambda A, x, b: (A + A.T) @ x + b, "sign of a term", "sign of the term -b"),
    ("x'*A*x", "x", lambda A, x: 2 * A @ x, "condition", "right only if A is symmetric"),
    ("x'*A*x", "x", lambda A, x: -(A + A.T) @ x, "sign", "minus the gradient"),
    ("sum(tanh(W*x))", "x", of_tanh, "wrong factor", "W*x in place of tanh(W*x)"),
    ("exp(x'*x)", "x", lambda x: 2 * x, "chain factor", "off by the factor exp(f)"),
    ("logsumexp(x)", "x", lambda x: torch.exp(x), "chain factor", "the claim C over the sum of its entries"),
    ("x'*x", "x", in_single_precision, "precision", "single precision"),
    ("x'*x", "x", lambda x: x * float("nan"), "not finite", "not a finite number"),
    (
        "mean((X*w - y).^2)",
        "w",
        lambda X, w, y: 2 * X.T @ (X @ w - y),
        "factor",
        "times the gradient (a sum for a mean)",
    ),
]


@pytest.mark.parametrize(("text", "name", "claim", "relation", "says"), FUNCTIONS, ids=[row[4] for row in FUNCTIONS])
def test_a_function_is_diagnosed_by_edits_of_the_truth(
    text: str, name: str, claim: Any, relation: str, says: str
) -> None:
    report = mc.check(text, name, claim=claim, trials=3)
    assert (report.verdict, report.relation) == ("refuted", relation), report.diagnosis
    assert says in report.diagnosis


# One entry.


def but_for(*index: int) -> Any:
    """The gradient of tr(X'*X) but for an entry."""

    def gradient(X: torch.Tensor) -> torch.Tensor:
        made = 2 * X
        made[index] *= 1.3
        return made

    return gradient


@pytest.mark.parametrize(
    ("index", "says"),
    [((0, 1), "the entry [0, 1]"), ((1, 1), "the entry [1, 1]"), ((-1, -1), "the last entry")],
)
def test_an_entry_that_is_wrong_alone_is_named(index: tuple[int, ...], says: str) -> None:
    """It was told as "right only if X is diagonal", or "right only on the diagonal"."""
    report = mc.check("tr(X'*X)", "X", claim=but_for(*index), let={"X": "matrix(n, n)"})
    assert (report.relation, report.diagnosis) == ("entries", f"wrong only in {says}")


def test_right_only_on_the_diagonal_is_said_where_nothing_else_is_right() -> None:
    def halved(X: torch.Tensor) -> torch.Tensor:
        return X + torch.diag(torch.diag(X))

    def row(X: torch.Tensor) -> torch.Tensor:
        made = 2 * X
        made[0, 1:] *= 0.5
        return made

    let = {"X": "matrix(n, n)"}
    assert mc.check("tr(X'*X)", "X", claim=halved, let=let).diagnosis.startswith(
        "right only on the diagonal: elsewhere"
    )
    assert "on the diagonal" not in mc.check("tr(X'*X)", "X", claim=row, let=let).diagnosis


@pytest.mark.parametrize(("shape", "index"), [((5,), (2,)), ((2, 3), (0, 1)), ((2, 3, 4), (0, 1, 2))])
def test_an_entry_has_the_axes_of_the_tensor(shape: tuple[int, ...], index: tuple[int, ...]) -> None:
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    diagnosis = mc.verify(lambda x: (x * x).sum(), but_for(*index), (x,)).diagnosis
    assert diagnosis == f"wrong only in the entry {list(index)}"


# Branches: what holds at a few points by luck is not said.

VECTORS = {"x": "vector(n)", "y": "vector(n)"}
PIECEWISE = [
    ("sum(relu(1 - y.*(X*w)))", "w", "-X'*y", {}, ("positive", "adds up to one", "1/2")),
    ("sum(abs(x - y))", "x", "sign(x)", VECTORS, ("positive",)),
    ("sum(maximum(x, y).^2)", "x", "2*maximum(x, y)", VECTORS, ("positive",)),
    ("norm2(x)", "x", "x/maximum(norm2(x), 1e-12)", {}, ("positive",)),
    ("sum(huber(x, 2))", "x", "2*sign(x)", {}, ("abs(x)", "missing")),
    ("sum(huber(A*x - b, 1))", "x", "A'*(A*x - b)", {"b": "vector(m)"}, ("abs(",)),
    ("sum(x.^2)", "x", "2*x + relu(sin(x) - 0.99999)", {}, ("positive",)),
]


@pytest.mark.parametrize("seed", [0, 2, 5])
@pytest.mark.parametrize(
    ("text", "name", "claim", "let", "not_said"), PIECEWISE, ids=[f"{r[0]}: {r[2]}" for r in PIECEWISE]
)
def test_what_holds_on_some_branches_alone_is_no_relation(
    text: str, name: str, claim: str, let: dict[str, str], not_said: tuple[str, ...], seed: int
) -> None:
    report = mc.check(text, name, claim=claim, let=let or None, seed=seed)
    assert report.verdict != "verified"
    assert not any(words in (report.diagnosis or "") for words in not_said), report.diagnosis


def test_what_holds_on_every_branch_is_said() -> None:
    let = {"b": "vector(m)"}
    report = mc.check("sum(relu(A*x - b))", "x", claim="-A'*heaviside(A*x - b)", let=let)
    assert report.diagnosis == "sign: the claim is minus the gradient"
    assert (
        mc.check("sum(abs(x))", "x", claim="ones(n)", let={"x": "vector(n)"}).diagnosis == "right only if x is positive"
    )


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("y'*A*x", "A*y"),
        ("y'*A*x", lambda A, x, y: A @ y),
        ("y'*A'*x", "A'*y"),
        ("y'*A'*x", lambda A, x, y: A.T @ y),
    ],
)
def test_a_transposed_factor_is_told_as_the_claim_has_it(text: str, claim: Any) -> None:
    report = mc.check(text, "x", claim=claim, let={"A": "matrix(n, n)"})
    says = "A.T in place of A" if "A'" in text else "A in place of A.T"
    assert (report.diagnosis or "").startswith(f"a transposed factor: {says}")


@pytest.mark.parametrize(
    ("text", "name", "claim", "kind", "says"),
    [
        ("logsumexp(x)", "x", "softmax(x)", "hessian", "the claim is the gradient by x, not the Hessian"),
        ("logdet(X)", "X", "inv(X)'", "hessian", "the claim is the gradient by X, not the Hessian"),
        ("f = x'*x; f^2 + f", "x", "4*(x'*x)*x", "grad", "a missing term: the term 2*x is missing"),
        ("tr(X^2)", "X", "2*eye(n*n)", "hessian", "transposed: the claim is the Jacobian of the transposed gradient"),
    ],
)
def test_what_was_claimed_instead_is_told(text: str, name: str, claim: str, kind: str, says: str) -> None:
    let = {"X": "matrix(n, n)"} if "X" in text else None
    assert mc.check(text, name, claim=claim, kind=kind, let=let).diagnosis == says


def test_a_factor_that_is_almost_1_is_no_factor_of_1() -> None:
    report = mc.check("norm2(x)", "x", claim="x/(norm2(x) + 1e-12)")
    assert report.verdict == "refuted"
    assert "1 times" not in report.diagnosis


def test_a_small_error_everywhere_is_not_told_to_be_right_at_some_points() -> None:
    report = mc.check("x'*x", "x", claim=lambda x: 2 * x + 1e-9)
    assert report.verdict == "refuted"
    assert "right at" not in (report.diagnosis or "")


# What is not said.

SILENT = [
    ("x'*A*x", "x", "cos(x)*sum(x)"),
    ("logdet(X)", "X", "X.*sin(X) + 2"),
    ("sum(tanh(W*x))", "x", "x.^5 - x"),
]


@pytest.mark.parametrize(("text", "name", "claim"), SILENT)
def test_where_nothing_simple_holds_nothing_is_made_up(text: str, name: str, claim: str) -> None:
    report = mc.check(text, name, claim=claim, let={"X": "matrix(n, n)"} if "X" in text else None)
    assert (report.diagnosis, report.relation) == (NOTHING, "")
    assert report.residual


def test_a_relation_that_only_nearly_holds_is_not_said() -> None:
    report = mc.check("x'*A*x", "x", claim="2*A*x + 1e-9*sin(x)")
    assert report.diagnosis == NOTHING


def test_a_factor_that_a_sign_turns_is_not_taken_for_the_root_of_a_square() -> None:
    report = mc.check("det(X)^2", "X", claim="2*det(X)*inv(X)'", trials=2)
    assert "missing factor det(X)" in report.diagnosis


# The residual.


def test_the_residual_is_what_is_left_simplified() -> None:
    report = mc.check("x'*A*x - b'*x", "x", claim="(A + A.T)*x + b")
    assert report.residual == "2*b"
    assert "claim - truth = 2*b" in str(report)
    assert json.loads(json.dumps(report.to_dict()))["residual"] == "2*b"


def test_a_long_residual_is_cut() -> None:
    names = [f"a{k}" for k in range(40)]
    text = " + ".join(f"({name}'*x)^2" for name in names)
    report = mc.check(text, "x", claim="x", let={"x": "vector(n)"} | dict.fromkeys(names, "vector(n)"), trials=2)
    assert report.residual.endswith("…")
    assert len(report.residual) <= 202


def test_claims_of_other_shapes_have_no_residual() -> None:
    assert mc.check("x'*A*x", "x", claim="A + A.T").residual == ""


# Declared structure.


def test_the_choice_of_unconstrained_is_named_both_ways() -> None:
    let = {"X": "matrix(n, n; symmetric)"}
    without = mc.check("tr(A*X)", "X", claim="A'", let=let)
    assert without.diagnosis.startswith("structure: right with --unconstrained")
    within = mc.check("tr(A*X)", "X", claim="(A + A')/2", let=let, unconstrained=True)
    assert within.diagnosis.startswith("structure: right without --unconstrained")


# Random edits of right derivatives.

MUTATED = [
    ("x'*A*x - b'*x", "x", {}),
    ("norm2(X*w - y)^2 + l*norm2(w)^2", "w", {"l": "scalar"}),
    ("v'*tanh(W*x + b)", "W", {"v": "vector(m)", "x": "vector(n)", "b": "vector(m)"}),
    ("tr(A*X*B*X*C)", "X", dict.fromkeys("ABCX", "matrix(n, n)")),
    ("(x'*A*x)/(x'*x)", "x", {}),
    ("tr(A*inv(X)*B)", "X", dict.fromkeys("ABX", "matrix(n, n)")),
]
NAMED = {
    "factor": {"factor"},
    "sign": {"sign"},
    "drop": {"missing term", "chain factor", "condition"},
    "double": {"doubled term", "wrong number", "factor of a term"},
    "negate": {"sign of a term", "sign"},
    "transpose": {"transposed factor", "transposed", "condition", "swapped factors"},
    "unwrap": {"wrong factor", "chain factor"},
}


UNCHANGED = {("(x'*A*x)/(x'*x)", "transpose")}  # the same value


def placed(root: Node, old: Node, new: Node) -> Node:
    return fold(root, lambda below, args: new if below is old else build.with_args(below, tuple(args)))


def picked(nodes: Sequence[Node], rng: Any) -> Node:
    return nodes[int(rng.integers(len(nodes)))]


def mutant(root: Node, kind: str, rng: Any) -> Node | None:
    """The expression with one thing wrong, or None where it has no place for it."""
    if kind in ("factor", "sign"):
        return build.multiply(build.number(-1 if kind == "sign" else Fraction(3, 2)), root)
    nodes = sorted(postorder(root), key=lambda node: node.digest)
    sums = [node for node in nodes if node.op == "add"]
    if kind in ("drop", "double", "negate") and sums:
        total = picked(sums, rng)
        term = build.multiply(build.number({"drop": -1, "double": 1, "negate": -2}[kind]), picked(total.args, rng))
        return placed(root, total, build.add(total, term))
    square = [node for node in nodes if node.op == "variable" and node.is_square and not node.is_scalar]
    if kind == "transpose" and square:
        old = picked(square, rng)
        return placed(root, old, old.T)
    wrapped = [node for node in nodes if node.operator.is_elementwise]
    if kind == "unwrap" and wrapped:
        old = picked(wrapped, rng)
        return placed(root, old, old.args[0])
    return None


def mutants() -> Iterator[tuple[str, str, Mapping[str, str], str, str]]:
    for number, (text, name, let) in enumerate(MUTATED):
        truth = mc.grad(text, name, let or None).node
        for kind in NAMED:
            made = mutant(truth, kind, np.random.Generator(np.random.PCG64(number)))
            if made is not None and made is not truth and (text, kind) not in UNCHANGED:
                yield text, name, let, kind, written(made)


@pytest.mark.parametrize(
    ("text", "name", "let", "kind", "claim"), [*mutants()], ids=lambda v: v if isinstance(v, str) else ""
)
def test_the_edit_that_was_made_is_the_one_that_is_named(
    text: str, name: str, let: Mapping[str, str], kind: str, claim: str
) -> None:
    report = mc.check(text, name, claim=claim, let=let or None, trials=2)
    assert report.verdict == "refuted"
    assert report.relation in NAMED[kind], f"{claim}: {report.diagnosis}"


# Every claim gets an answer, and none takes long.


def test_pairs_of_unrelated_formulas_get_an_answer() -> None:
    texts = ["x'*x", "sum(exp(x))", "norm2(x)", "sum(x)^2", "max(x)", "logsumexp(x)", "sum(log(abs(x)))", "prod(x)"]
    claims = ["x./x", "sqrt(x)", "x*sum(x)", "1/norm2(x)*x", "exp(x)", "0*x", "x.^(-1)", "relu(x)"]
    for text in texts:
        for claim in claims:
            report = mc.check(text, "x", claim=claim, let={"x": "vector(n)"}, trials=2)
            assert report.verdict != "refuted" or report.diagnosis


def test_a_deep_claim_is_given_up_in_time() -> None:
    deep = "x"
    for _ in range(25):
        deep = f"tanh(W*{deep})"
    report = mc.check(f"sum({deep})", "x", claim=f"W'*{deep}", let={"W": "matrix(n, n)"}, trials=2)
    assert report.diagnosis == NOTHING


def test_the_table_has_a_name_for_every_rule() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) > 30


def test_a_jacobian_wrong_at_larger_sizes_alone_is_shown_where_it_is_wrong() -> None:
    """The counterexample was the first point of all, at which the claim is right: "off by 0.0e+00 relative"."""
    claim = "diag(1 - tanh(W*x).^2)*W*(1 + (n - 1)*(n - 2)*(n - 3)*(n - 4)*(n - 5))"
    let = {"W": "matrix(m, n)", "x": "vector(n)"}
    report = mc.check("tanh(W*x)", "x", claim=claim, kind="jacobian", let=let)
    assert report.verdict == "refuted"
    assert report.counterexample is not None
    assert report.counterexample["sizes"]["n"] > 5
    assert report.counterexample["claimed"] != report.counterexample["expected"]
    assert "0.0e+00" not in report.diagnosis


def test_no_assumption_is_named_that_the_counterexample_meets() -> None:
    """Near zero alone 1/max(x, 0.001) is wrong, where x is as positive as everywhere in the domain of the logarithm."""
    report = mc.check("sum(log(x))", "x", claim=lambda x: 1 / x.clamp_min(1e-3), let={"x": "vector(n)"})
    assert report.verdict == "refuted"
    assert "positive" not in report.diagnosis


def test_no_assumption_is_made_under_which_the_function_has_no_value() -> None:
    """At length one log(x'*x - 100) has no value; points inside its domain are found at other scales."""
    report = mc.check("log(x'*x - 100)", "x", claim="2*x/(x'*x)")
    assert (report.verdict, report.diagnosis) == ("refuted", "a missing term: the term -100 is missing in x.T*x")
    assert mc.check("log(x'*x - 100)", "x", claim="2*x/(x'*x - 100)").verdict == "verified"
    assert mc.check("log(-x'*x)", "x").verdict == "inconclusive"
