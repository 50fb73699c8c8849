"""The rules of textbook form, beside what the constructors keep: each an identity on its whole domain."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from matcalc.calculus.collecting import COLLECTING
from matcalc.calculus.rule import Rule
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import Sample


def _paired(node: Node) -> Node | None:
    """sum(x.*y) = x'*y."""
    arg = node.args[0]
    if arg.op != "times" or len(arg.args) != 2 or any(f.op in ("power", "spread") for f in arg.args):
        return None
    left, right = arg.args
    if arg.cols == 1:
        return build.product(left.T, right)
    return build.product(left, right.T) if arg.rows == 1 else None


def _distributed(node: Node) -> Node | None:
    """A linear operator of a sum is the sum of what it makes of the terms; used where they cancel."""
    if len(node.args) != 1 or node.args[0].op != "add" or node.operator.transpose is None:
        return None
    return build.add(*(build.with_args(node, (term,)) for term in node.args[0].args))


def _unsigned(node: Node) -> Node | None:
    """sign(u)*|u|^p = u^p for odd p, also for p < 0, where neither side exists at 0."""
    for one, other in combinations(node.args, 2):
        for sign, size in ((one, other), (other, one)):
            base, exponent = size.args if size.op == "power" else (size, build.number(1))
            p = build.integer_of(exponent)
            if sign.op == "sign" and base.op == "abs" and sign.args[0] is base.args[0] and p is not None and p % 2:
                rest = [f for f in node.args if f is not sign and f is not size]
                return build.times(build.power(sign.args[0], exponent), *rest)
    return None


def _quotient(node: Node) -> Node | None:
    """sign(u)*u/|u| = 1 and sinh(u)/cosh(u) = tanh(u), where the left side is defined."""
    by_base = {(f.args[0] if f.op == "power" else f): f for f in node.args}
    for over in node.args:
        if over.op != "power" or build.number_of(over.args[1]) != -1:
            continue
        under = over.args[0]
        for numerator, made in _QUOTIENTS.get(under.op, ()):
            found = numerator(under.args[0])
            if all(by_base.get(each) is each for each in found):
                rest = [f for f in node.args if f is not over and f not in found]
                return build.times(made(under.args[0]), *rest)
    return None


_QUOTIENTS: dict[str, tuple[tuple[Callable[[Node], list[Node]], Callable[[Node], Node]], ...]] = {
    "abs": ((lambda u: [u, build.apply("sign", u)], lambda u: build.ones(*u.shape)),),
    "cosh": ((lambda u: [build.apply("sinh", u)], lambda u: build.apply("tanh", u)),),
    "cos": ((lambda u: [build.apply("sin", u)], lambda u: build.apply("tan", u)),),
}


def _under_one_root(node: Node) -> Node | None:
    """Constants under one root: sqrt(2)*sqrt(pi) = sqrt(2*pi)."""
    half = {1: [], -1: []}  # type: dict[int, list[Node]]
    for factor in node.args:
        p = build.number_of(factor.args[1]) if factor.op == "power" else None
        if p is not None and abs(p) * 2 == 1 and not factor.free and "positive" in factor.args[0].facts:
            half[1 if p > 0 else -1].append(factor)
    for sign, roots in half.items():
        if len(roots) > 1:
            inner = build.times(*(root.args[0] for root in roots))
            rest = [f for f in node.args if f not in roots]
            return build.times(build.power(inner, build.number(sign) / build.number(2)), *rest)
    return None


def _recognised(node: Node) -> Node | None:
    """What the operator's record knows as a function of its own: exp(u)/(1 + exp(u)) is sigmoid(u)."""
    stable = node.operator.stable
    return None if stable is None else stable(node)


RULES: tuple[Rule, ...] = (
    COLLECTING,
    Rule(
        "pairing",
        says="sum(x.*y) = x.T*y",
        source="Magnus & Neudecker 2019, ch. 1.4",
        on=("sum",),
        rewrite=_paired,
        samples=(Sample("sum(x.*y)^2"), Sample("a*sum(tanh(x).*y)^2"), Sample("softmax(x)'*y")),
    ),
    Rule(
        "linearity",
        says="L(X + Y) = L(X) + L(Y), where terms then cancel or simplify",
        source="Magnus & Neudecker 2019, ch. 1",
        on=(),
        rewrite=_distributed,
        samples=(Sample("norm2(x .- mean(x))^2"), Sample("tr((A - I)*X)^2", {"A": "matrix(n, n)"})),
    ),
    Rule(
        "signs",
        says="sign(u)*abs(u)^p = u^p for odd p",
        source="NIST Digital Library of Mathematical Functions, 1.9",
        on=("times",),
        rewrite=_unsigned,
        samples=(Sample("abs(a)^3"), Sample("log(abs(a))"), Sample("sum(abs(x).^3)")),
    ),
    Rule(
        "quotients",
        says="sign(u)*u/abs(u) = 1, sinh(u)/cosh(u) = tanh(u), sin(u)/cos(u) = tan(u)",
        source="NIST Digital Library of Mathematical Functions, 4.28 and 4.14",
        on=("times",),
        rewrite=_quotient,
        samples=(Sample("log(abs(a))"), Sample("sum(log(cosh(x)))"), Sample("log(cos(a))")),
    ),
    Rule(
        "roots",
        says="sqrt(c)*sqrt(d) = sqrt(c*d) for positive constants",
        source="NIST Digital Library of Mathematical Functions, 4.2",
        on=("times",),
        rewrite=_under_one_root,
        samples=(Sample("sum(gelu(x))"),),
    ),
    Rule(
        "functions of their own",
        says="exp(u)/(1 + exp(u)) = sigmoid(u), exp(x)/sum(exp(x)) = softmax(x), log1p(exp(u)) = softplus(u)",
        source="Goodfellow et al. 2016, sec. 3.10",
        on=("power", "times", "scale", "log1p", "log"),
        rewrite=_recognised,
        samples=(Sample("sum(log1p(exp(-y.*x)))"), Sample("log(1 + exp(a))"), Sample("sum(log(1 + exp(X)))")),
    ),
)
