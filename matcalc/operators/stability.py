"""What overflows on the way though its value does not, as the function that computes the value.

Each rule is an identity on the whole domain of what it takes; see Mächler 2012, "Accurately computing
log(1 - exp(-|a|))", for log(1 + exp(u)), and Blanchard, Higham & Higham 2021, "Accurately computing the log-sum-exp and
softmax functions". The lowering asks for them; the calculus and the checks work on what was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.expression import build

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def log_of(node: Node) -> Node | None:
    """log(1 + exp(u)) is softplus(u), log(sigmoid(u)) is -softplus(-u), log(det(X)) of a posdef X is logdet(X)."""
    arg = node.args[0]
    exponent, logistic = _exponent_over_one(arg), _logistic_argument(arg)
    if exponent is not None:
        return build.apply("softplus", exponent)
    if logistic is not None:
        return -build.apply("softplus", -logistic)
    if arg.op == "softmax":
        return build.apply("log_softmax", arg.args[0])
    if arg.op == "det" and "posdef" in arg.args[0].facts:
        return build.apply("logdet", arg.args[0])
    return _log_of_factors(arg)


def log1p_of(node: Node) -> Node | None:
    """log1p(exp(u)) is softplus(u)."""
    exponent = _exponent(node.args[0])
    return None if exponent is None else build.apply("softplus", exponent)


def power_of(node: Node) -> Node | None:
    """1/(1 + exp(u)) is sigmoid(-u), and so with any negative power; 1/(1 - sigmoid(u)) is 1/sigmoid(-u)."""
    base, p = node.args[0], build.number_of(node.args[1])
    if p is None or p >= 0 or not node.args[1].is_scalar:
        return None
    exponent = _exponent_over_one(base)
    if exponent is not None:
        return build.power(build.apply("sigmoid", -exponent), build.number(-p))
    logistic = _logistic_argument(base)
    return None if logistic is None else build.power(build.apply("sigmoid", logistic), build.number(p))


def product_of(node: Node) -> Node | None:
    """exp(u)·sigmoid(-u) is sigmoid(u), with whole powers of both and inside a sum; exp(x)/sum(exp(x)) is softmax."""
    return _product(node, sums=True)


def scaled_of(node: Node) -> Node | None:
    """exp(x)/sum(exp(x)) is softmax(x), also where the column exp(x) is a factor of what is divided."""
    scalar, matrix = node.args
    for divisor in scalar.args if scalar.op == "times" else (scalar,):
        made = _softmax_in(matrix, divisor)
        if made is not None:
            return build.multiply(build.divide(scalar, divisor), made)
    return _kept_from_zero(scalar, matrix)


def _kept_from_zero(scalar: Node, matrix: Node) -> Node | None:
    """u/norm2(u) is 0 at u = 0, as torch has it: wherever what is divided vanishes with u."""
    factors = scalar.args if scalar.op == "times" else (scalar,)
    for k, factor in enumerate(factors):
        if factor.op == "power" and factor.args[0].op == "norm2" and build.number_of(factor.args[1]) == -1:
            norm = factor.args[0]
            if _vanishes_with(matrix, norm.args[0]):
                kept = build.power(build.apply("kept_from_zero", norm), factor.args[1])
                return build.scale(build.times(*factors[:k], kept, *factors[k + 1 :]), matrix)
    return None


def at_origin(node: Node) -> Node | None:
    """y/(x² + y²) is 0 at the origin, as torch has the derivatives of atan2 there."""
    return _kept_from_origin(node, ())


def _kept_from_origin(node: Node, others: tuple[Node, ...]) -> Node | None:
    """1/(x² + y²), the node or a factor of it, kept finite where another factor vanishes with x or y; else None."""
    if any(_vanishes_with(other, base) for base in _squared_below(node) for other in others):
        return build.power(build.apply("kept_from_zero", node.args[0], params=(1,)), node.args[1])
    if node.op not in ("times", "scale"):
        return None
    for k, factor in enumerate(node.args):
        before, after = node.args[:k], node.args[k + 1 :]
        kept = _kept_from_origin(factor, (*others, *before, *after))
        if kept is not None:
            return build.with_args(node, (*before, kept, *after))
    return None


def _squared_below(node: Node) -> list[Node]:
    """x and y where the node is 1/(x² + y²), or has other even powers and positive multiples of them."""
    if node.op != "power" or build.number_of(node.args[1]) != -1 or node.args[0].op != "add":
        return []
    bases = []
    for term in node.args[0].args:
        coefficient, rest = build.split(term)
        power = rest.args[0] if rest.op == "scale" and rest.args[1].op == "ones" else rest
        exponent = build.integer_of(power.args[1]) if power.op == "power" else None
        if coefficient <= 0 or exponent is None or exponent <= 0 or exponent % 2:
            return []
        bases.append(power.args[0])
    return bases


def _without_power(node: Node) -> Node:
    """x where the node is a positive power of x, which is zero where x is."""
    exponent = build.number_of(node.args[1]) if node.op == "power" else None
    return node.args[0] if exponent is not None and exponent > 0 else node


def _vanishes_with(node: Node, u: Node) -> bool:
    """Whether the node is zero where u is, by its form."""
    node, u = _without_power(node), _without_power(u)
    if node in (u, u.T, -u, -u.T):
        return True
    if node.op in ("times", "scale", "product"):
        run = u.args if u.op == "product" else (u,)
        starts = range(len(node.args) - len(run) + 1) if node.op == "product" else ()
        return any(node.args[k : k + len(run)] == run for k in starts) or any(
            _vanishes_with(factor, u) for factor in node.args
        )
    return node.op == "add" and all(_vanishes_with(term, u) for term in node.args)


# ------------------------------------------------------------------------------------------------ recognising


def _exponent(node: Node) -> Node | None:
    """u where the node is exp(u), written so or as a power of an exponential."""
    if node.op == "exp":
        return node.args[0]
    if node.op == "power" and node.args[0].op == "exp" and node.args[1].op == "number":
        return build.multiply(node.args[1], node.args[0].args[0])
    return None


def _other_than_one(node: Node) -> Node | None:
    """What stands beside the 1 in a sum of two."""
    if node.op == "add" and len(node.args) == 2:
        for one, other in (node.args, node.args[::-1]):
            if one.op == "ones" or build.is_one(one):
                return other
    return None


def _exponent_over_one(node: Node) -> Node | None:
    """u where the node is 1 + exp(u)."""
    other = _other_than_one(node)
    return None if other is None else _exponent(other)


def _logistic_argument(node: Node) -> Node | None:
    """u where the node is sigmoid(u), written so or as 1 - sigmoid(-u)."""
    if node.op == "sigmoid":
        return node.args[0]
    other = _other_than_one(node)
    if other is not None:
        coefficient, rest = build.split(other)
        if coefficient == -1 and rest.op == "sigmoid":
            return -rest.args[0]
    return None


def _whole_power(node: Node, name: str) -> tuple[Node, int] | None:
    """u and k where the node is the named function of u, raised to a positive whole k."""
    base, exponent = node.args if node.op == "power" else (node, build.number(1))
    k = build.integer_of(exponent)
    return (base.args[0], k) if base.op == name and k is not None and k > 0 else None


def _product(node: Node, *, sums: bool) -> Node | None:
    """The product with every pair of factors joined that can be; ``sums``: also a factor with all terms of a sum."""
    for k, factor in enumerate(node.args):
        for j, other in enumerate(node.args):
            made = _joined(factor, other, sums=sums) if j != k else None
            if made is not None:
                rest = (f for i, f in enumerate(node.args) if i not in (j, k))
                return _stable_product(made, *rest, sums=sums)
    return None


def _stable_product(*factors: Node, sums: bool) -> Node:
    made = build.times(*factors)
    if made.op == "scale":
        return build.multiply(made.args[0], _stable_product(made.args[1], sums=sums))
    return (_product(made, sums=sums) if made.op == "times" else None) or made


def _joined(factor: Node, other: Node, *, sums: bool) -> Node | None:
    """The product of two factors as one that does not overflow, or None."""
    exponential = _whole_power(factor, "exp")
    if exponential is None:
        return _softmax_in(factor, other) if factor.is_scalar else None
    logistic = _whole_power(other, "sigmoid")
    if logistic is not None:
        return _joined_logistic(exponential, logistic)
    if other.op == "add" and sums:
        parts = [_stable_product(factor, term, sums=False) for term in other.args]
        return build.add(*parts) if not any(_has_factor(part, factor) for part in parts) else None
    return None


def _has_factor(node: Node, raised: Node) -> bool:
    """Whether an exponential is still a factor of a term."""
    body = node.args[1] if node.op == "scale" else node
    base = raised.args[0] if raised.op == "power" else raised
    factors = body.args if body.op == "times" else (body,)
    return any((f.args[0] if f.op == "power" else f).op == "exp" and base.free & f.free for f in factors)


def _softmax_in(node: Node, divisor: Node) -> Node | None:
    """The node over sum(exp(x)), where exp(x), a column or a row, is the node or one factor of it."""
    total = divisor.args[0] if divisor.op == "power" and build.number_of(divisor.args[1]) == -1 else None
    if total is None or total.op != "sum" or total.args[0].op != "exp" or 1 not in total.args[0].shape:
        return None
    raised = total.args[0]
    softmax = build.apply("softmax", raised.args[0])
    if node is raised:
        return softmax
    if node.op not in ("times", "product") or node.args.count(raised) != 1:
        return None
    return build.with_args(node, tuple(softmax if factor is raised else factor for factor in node.args))


def _joined_logistic(exponential: tuple[Node, int], logistic: tuple[Node, int]) -> Node | None:
    """exp(u)^a · sigmoid(v)^k where u is a whole multiple of -v."""
    (u, a), (v, k) = exponential, logistic
    (many, rest), (one, base) = build.split(u), build.split(-v)
    if rest is not base or (many / one).denominator != 1 or many / one < 1:
        return None
    times = a * int(many / one)
    both = min(times, k)
    return build.times(
        build.power(build.apply("sigmoid", -v), build.number(both)),
        build.power(build.apply("sigmoid", v), build.number(k - both)),
        build.power(build.apply("exp", -v), build.number(times - both)),
    )


def _log_of_factors(arg: Node) -> Node | None:
    """log(a·b) is log(a) + log(b) and log(a^p) is p·log(a) for positive a and b, where that helps one of them."""
    if arg.op == "power" and build.number_of(arg.args[1]) is not None and "positive" in arg.args[0].facts:
        inner = _stable_log(arg.args[0])
        return None if inner is None else build.multiply(arg.args[1], inner)
    if arg.op not in ("times", "scale") or not all("positive" in factor.facts for factor in arg.args):
        return None
    logs = [_stable_log(factor) for factor in arg.args]
    if all(log is None for log in logs):
        return None
    parts = (log or build.apply("log", factor) for log, factor in zip(logs, arg.args, strict=True))
    return build.add(*(build.spread(part, arg.shape) for part in parts))


def _stable_log(factor: Node) -> Node | None:
    log = build.apply("log", factor)
    return log_of(log) if log.op == "log" else log
