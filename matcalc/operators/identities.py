"""Identities between operators that textbook form uses: rules of the simplifier, each true on its whole domain."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations
from typing import cast

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import Sample, stacking
from matcalc.expression.rule import Rule
from matcalc.expression.sizes import AnySize


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
    """sinh(u)/cosh(u) = tanh(u), and so with sin and cos where the left side is defined."""
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
    "cosh": ((lambda u: [build.apply("sinh", u)], lambda u: build.apply("tanh", u)),),
    "cos": ((lambda u: [build.apply("sin", u)], lambda u: build.apply("tan", u)),),
}


def _ramp(node: Node) -> Node | None:
    """heaviside(u)*relu(u) = relu(u), and with any power of relu(u); so step(u)*maximum(u, 0)."""
    ramps = [f.args[0] if f.op == "power" else f for f in node.args]
    arguments = {("heaviside", f.args[0]) for f in ramps if f.op == "relu"}
    for f in ramps:
        if f.op == "maximum" and any(build.is_zero(arg) for arg in f.args):
            arguments |= {("step", arg) for arg in f.args}
    kept = [f for f in node.args if not (f.args and (f.op, f.args[0]) in arguments)]
    return build.times(*kept) if len(kept) < len(node.args) else None


def _reflected(node: Node) -> Node | None:
    """1 - sigmoid(-u) = sigmoid(u)."""
    if len(node.args) != 2:
        return None
    for one, other in (node.args, node.args[::-1]):
        coefficient, rest = build.split(other)
        is_one = one.op == "ones" or build.is_one(one)
        if is_one and coefficient == -1 and rest.op == "sigmoid" and build.split(rest.args[0])[0] < 0:
            return build.apply("sigmoid", -rest.args[0])
    return None


def _cases(node: Node) -> Node | None:
    """where(c, a, 0) + where(c, 0, b) = where(c, a, b)."""
    chosen = [term for term in node.args if (term.args[1] if term.op == "scale" else term).op == "where"]
    for one, other in combinations(chosen, 2):
        (s, left), (t, right) = (term.args if term.op == "scale" else (build.number(1), term) for term in (one, other))
        if left.args[0] is not right.args[0]:
            continue
        parts = [
            (build.multiply(s, a), build.multiply(t, b)) for a, b in zip(left.args[1:], right.args[1:], strict=True)
        ]
        if all(build.is_zero(a) or build.is_zero(b) for a, b in parts):
            merged = build.apply("where", left.args[0], *(build.add(*pair) for pair in parts))
            return build.add(merged, *(term for term in node.args if term is not one and term is not other))
    return None


def _chosen(node: Node) -> Node | None:
    """u.*where(c, 1, 0) = where(c, u, 0)."""
    for k, factor in enumerate(node.args):
        if factor.op == "where" and all(part.op == "ones" or build.is_zero(part) for part in factor.args[1:]):
            rest = build.times(*(f for j, f in enumerate(node.args) if j != k))
            return build.apply("where", factor.args[0], *(build.times(part, rest) for part in factor.args[1:]))
    return None


def _stacked(node: Node) -> Node | None:
    """Blocks that fill a matrix of zeros along an axis are stacked: a*[x; 0] + b*[0; y] = [a*x; b*y]."""
    for axis in (0, 1):
        starts: dict[AnySize, tuple[Node, Node]] = {}
        for term in node.args:
            scalar, block = term.args if term.op == "scale" else (build.number(1), term)
            if block.op == "placed" and block.args[0].shape[1 - axis] == node.shape[1 - axis]:
                starts.setdefault(block.params[axis], (term, build.multiply(scalar, block.args[0])))
        used, parts, end = list[Node](), list[Node](), cast("AnySize", 0)
        while end in starts:
            term, part = starts.pop(end)
            used.append(term)
            parts.append(part)
            end = end + part.shape[axis]
        if end == node.shape[axis] and len(parts) > 1:
            made = build.apply(stacking(axis).name, *parts)
            return build.add(made, *(term for term in node.args if term not in used))
    return None


def _cleared(node: Node) -> Node | None:
    """v*(1 + x/v) = v + x, and both to one whole power; where nothing is cleared collecting would undo it."""
    for total, scalar in permutations(node.args, 2):
        (base, p), (factor, q) = (f.args if f.op == "power" else (f, build.number(1)) for f in (total, scalar))
        if base.op == "add" and p is q and build.integer_of(p) is not None:
            rest = (f for f in node.args if f is not total and f is not scalar)
            inner = build.add(*(build.times(factor, term) for term in base.args))
            made = build.times(build.power(inner, p), *rest)
            if made.weight < node.weight and inner.weight < base.weight + factor.weight:
                return made
    return None


def _gathered(node: Node) -> Node | None:
    """u*u^p = u^(p + 1) for a product or a sum u, whose factors stand apart."""
    for power in node.args:
        if power.op != "power" or build.integer_of(power.args[1]) is not None or not power.args[1].is_scalar:
            continue
        base, exponent = power.args
        if base.op in ("times", "add"):
            rest = build.times(*(f for f in node.args if f is not power), build.power(base, build.number(-1)))
            made = build.times(build.power(base, build.add(exponent, build.number(1))), rest)
            if made.weight < node.weight:
                return made
    return None


def _rooted(node: Node) -> Node | None:
    """2/sqrt(2) = sqrt(2): a number times a root of it."""
    number = build.number_of(node.args[0])
    for root in node.args[1:]:
        base, p = map(build.number_of, root.args) if root.op == "power" else (None, None)
        if number is None or base is None or p is None:
            continue
        rest = [f for f in node.args[1:] if f is not root]
        for sign in (1, -1):
            if number == base**sign:
                return build.times(build.power(build.number(base), build.number(p + sign)), *rest)
    return None


def _summed_rows(node: Node) -> Node | None:
    """f(X)*ones(n) is the sum of the columns, ones(1, m)*f(X) of the rows, where entries are computed one by one."""
    for k, one in enumerate(node.args):
        for axis, at in ((1, k - 1), (0, k + 1)):
            if one.op != "ones" or one.shape[axis] != 1 or not 0 <= at < len(node.args):
                continue
            matrix = node.args[at]
            entries = matrix.args[0] if matrix.op == "transpose" else matrix
            if entries.op in ("times", "power") or entries.operator.is_elementwise:
                made = build.apply("sum_along", matrix, params=(axis,))
                return build.product(*node.args[: min(k, at)], made, *node.args[max(k, at) + 1 :])
    return None


def _recognised(node: Node) -> Node | None:
    """What the operator's record knows as a function of its own: exp(u)/(1 + exp(u)) is sigmoid(u)."""
    stable = node.operator.stable
    return None if stable is None else stable(node)


IDENTITIES: tuple[Rule, ...] = (
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
        samples=(Sample("norm2(x .- mean(x))^2"), Sample("norm2(x - a*ones(n))^2")),
    ),
    Rule(
        "signs",
        says="sign(u)*abs(u)^p = u^p for odd p",
        source="NIST Digital Library of Mathematical Functions, 1.9",
        on=("times",),
        rewrite=_unsigned,
        samples=(Sample("log(abs(a))"), Sample("sum(log(abs(x)))")),
    ),
    Rule(
        "quotients",
        says="sinh(u)/cosh(u) = tanh(u), sin(u)/cos(u) = tan(u)",
        source="NIST Digital Library of Mathematical Functions, 4.28 and 4.14",
        on=("times",),
        rewrite=_quotient,
        samples=(
            Sample("sum(log(cosh(x)))"),
            Sample("log(cos(a))", {"a": "scalar(; unit)"}),
        ),
    ),
    Rule(
        "ramps",
        says="heaviside(u)*relu(u) = relu(u), step(u)*maximum(u, 0) = maximum(u, 0)",
        source="Nair & Hinton 2010",
        on=("times",),
        rewrite=_ramp,
        samples=(Sample("sum(square(relu(1 - y.*x)))"), Sample("sum(maximum(x, 0).^2)")),
    ),
    Rule(
        "reflection",
        says="1 - sigmoid(-u) = sigmoid(u)",
        source="Bishop 2006, eq. (4.60)",
        on=("add",),
        rewrite=_reflected,
        samples=(Sample("-sum(log(sigmoid(-(A*x))))"),),
    ),
    Rule(
        "cases",
        says="where(c, a, 0) + where(c, 0, b) = where(c, a, b)",
        source="Harris et al. 2020, Array programming with NumPy",
        on=("add",),
        rewrite=_cases,
        samples=(Sample("sum(where(x, a*x, b*x))"), Sample("sum(leaky_relu(x, a).^2)")),
    ),
    Rule(
        "choice",
        says="u.*where(c, 1, 0) = where(c, u, 0)",
        source="Harris et al. 2020, Array programming with NumPy",
        on=("times",),
        rewrite=_chosen,
        samples=(Sample("sum(where(x - y, (x - y).^2, 0.5*abs(x - y)))"),),
    ),
    Rule(
        "blocks",
        says="a*vstack(x, zeros(n)) + b*vstack(zeros(m), y) = vstack(a*x, b*y)",
        source="Golub & Van Loan 2013, ch. 1.3",
        on=("add",),
        rewrite=_stacked,
        samples=(
            Sample("norm2(x[:2]) + norm2(x[2:])", {"x": "vector(5)"}),
            Sample("norm2(X[:, :2])*tr(X[:, 2:])", {"X": "matrix(3, 5)"}),
        ),
    ),
    Rule(
        "sums of columns",
        says="f(X)*ones(n) = sum(f(X), 1), ones(1, m)*f(X) = sum(f(X), 0)",
        source="Magnus & Neudecker 2019, ch. 1.4",
        on=("product",),
        rewrite=_summed_rows,
        samples=(
            Sample("sum(square(X)'*square(x))"),
            Sample("sum(exp(X)*X'*y)"),
        ),
    ),
    Rule(
        "cleared denominators",
        says="v*(1 + x/v) = v + x",
        source="distributivity",
        on=("times",),
        rewrite=_cleared,
        samples=(Sample("log(1 + a^2/b)", {"b": "scalar(; positive)"}), Sample("c*b*(1 + a/b)")),
    ),
    Rule(
        "powers of products",
        says="u*u^p = u^(p + 1), u a product or a sum",
        source="NIST Digital Library of Mathematical Functions, 4.2",
        on=("times",),
        rewrite=_gathered,
        samples=(
            Sample("(a/b)^c", {"a": "scalar(; positive)", "b": "scalar(; positive)"}),
            Sample("(1 - sigmoid(z))^g*log(sigmoid(z))", {"z": "scalar", "g": "scalar"}),
        ),
    ),
    Rule(
        "roots of numbers",
        says="2/sqrt(2) = sqrt(2), sqrt(2)/2 = 1/sqrt(2)",
        source="NIST Digital Library of Mathematical Functions, 4.2",
        on=("times",),
        rewrite=_rooted,
        samples=(Sample("log(1 + erf(a/sqrt(2)))"), Sample("a^2/sqrt(2) + sqrt(3)/3*a")),
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
