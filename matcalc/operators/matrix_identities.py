"""Identities between matrices that Jacobians are made of: rules of the simplifier, each true on its whole domain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import Sample
from matcalc.expression.rule import Rule
from matcalc.expression.sizes import Shape
from matcalc.expression.walk import fold


def _contracted(node: Node) -> Node | None:
    """A product multiplied out where a diagonal matrix takes a term in: diag(p)*(I - 1*p') = diag(p) - p*p'."""
    for k, total in enumerate(node.args):
        near = [node.args[j] for j in (k - 1, k + 1) if 0 <= j < len(node.args)]
        if total.op == "add" and any(f.op == "diag" for f in near) and any(map(_is_taken_in, total.args)):
            return build.add(*(build.product(*node.args[:k], term, *node.args[k + 1 :]) for term in total.args))
    return None


def _is_taken_in(term: Node) -> bool:
    """Whether a term of a sum becomes shorter beside a diagonal matrix: what is spread, or has a factor of ones."""
    bare = term.args[1] if term.op == "scale" else term
    return bare.op == "spread" or (bare.op == "product" and any(f.op == "ones" for f in bare.args))


def _pieces(term: Node) -> tuple[Node, tuple[Node, ...]]:
    """A term as scalar and chain of factors."""
    scalar, rest = term.args if term.op == "scale" else (build.number(1), term)
    return scalar, rest.args if rest.op == "product" else (rest,)


def _constant_beside(node: Node) -> Node | None:
    """C*M + M = (C + I)*M for a constant matrix C, on either side."""
    terms = {_pieces(term): term for term in node.args}
    if not any(_is_turning(chain[0]) or _is_turning(chain[-1]) for _, chain in terms):
        return None
    for (scalar, chain), one in terms.items():
        for constant, body, left in ((chain[0], chain[1:], True), (chain[-1], chain[:-1], False)):
            other = terms.get((scalar, body)) if body and _is_turning(constant) else None
            if other is not None:
                factor = build.add(constant, build.eye(constant.rows))
                merged = build.product(*((factor, *body) if left else (*body, factor)))
                others = [term for term in node.args if term is not one and term is not other]
                return build.add(build.multiply(scalar, merged), *others)
    return None


def _is_turning(factor: Node) -> bool:
    """Whether a factor is a constant orthogonal matrix, as the commutation matrix is."""
    return factor.operator.constant and "orthogonal" in factor.facts


def _kronecker_sum(node: Node) -> Node | None:
    """A⊗C + B⊗C = (A + B)⊗C, on either side."""
    met: dict[tuple[int, Node, Shape], tuple[Node, Node, Node]] = {}
    for term in node.args:
        scalar, product = term.args if term.op == "scale" else (build.number(1), term)
        if product.op != "kron":
            continue
        for k in (0, 1):
            shared, own = product.args[k], product.args[1 - k]
            before = met.setdefault((k, shared, own.shape), (term, scalar, own))
            if before[0] is not term:
                inner = build.add(build.multiply(before[1], before[2]), build.multiply(scalar, own))
                others = [each for each in node.args if each is not before[0] and each is not term]
                return build.add(build.apply("kron", *((shared, inner) if k == 0 else (inner, shared))), *others)
    return None


def _diagonals_beside_sums(node: Node) -> int:
    """How many products, written out, have a diagonal matrix beside a sum."""

    def visit(below: Node, args: Sequence[int]) -> int:
        pairs = pairwise(below.args) if below.op == "product" else ()
        return sum(args) + sum({a.op, b.op} == {"diag", "add"} for a, b in pairs)

    return fold(node, visit)


MATRIX_IDENTITIES: tuple[Rule, ...] = (
    Rule(
        "contraction",
        says="diag(p)*(I - 1*p.T) = diag(p) - p*p.T",
        source="Magnus & Neudecker 2019, ch. 1.3",
        on=("product",),
        rewrite=_contracted,
        samples=(Sample("logsumexp(x)"), Sample("logsumexp(A*x)"), Sample("sum(log_softmax(tanh(x)).*y)")),
        kind="hessian",
        lessens=_diagonals_beside_sums,
    ),
    Rule(
        "constant factors",
        says="C*M + M = (C + I)*M for a constant orthogonal matrix C",
        source="Magnus & Neudecker 2019, ch. 1.3",
        on=("add",),
        rewrite=_constant_beside,
        samples=(
            Sample("x'*(commutation(2, 2)*kron(A, B) + kron(A, B))*x", {"A": "matrix(2, 2)", "B": "matrix(2, 2)"}),
        ),
    ),
    Rule(
        "Kronecker sums",
        says="kron(A, C) + kron(B, C) = kron(A + B, C)",
        source="Magnus & Neudecker 2019, ch. 2.2",
        on=("add",),
        rewrite=_kronecker_sum,
        samples=(Sample("x'*(kron(A, C) + kron(B, C))*x", dict.fromkeys("ABC", "matrix(2, 2)")),),
    ),
)
