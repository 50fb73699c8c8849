"""The optimised lowering: what an expert would compute for each node."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from fractions import Fraction

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.lowering.chains import Chains
from matcalc.lowering.factors import NOMINAL_SIZE, Factor, Factors, factors_of
from matcalc.lowering.reading import reading_order
from matcalc.lowering.rules import Asking
from matcalc.lowering.scalars import fractioned
from matcalc.lowering.terms import Term, Terms


class Plan(Chains):
    """Products in cheapest order, solves for inverses, broadcasting, quotients for powers of -1."""

    def __init__(
        self, terms: Terms, variables: Mapping[str, Term], roots: Sequence[Node], sizes: Mapping[str, int]
    ) -> None:
        super().__init__(terms, variables, roots, sizes)
        self._order = reading_order(roots, list(variables))
        self._users: dict[Node, int] = {}
        for node in postorder(*roots):
            for arg in node.args:
                self._users[arg] = self._users.get(arg, 0) + 1

    def rule(self, node: Node) -> Asking:
        """The term of a node, by its operation."""
        leaf = self.leaf(node)
        if leaf is not None:
            return leaf
        chosen = {
            "add": self._sum,
            "times": self._times,
            "scale": self._scale,
            "power": self._power,
            "product": self._product,
            "transpose": self._transpose,
            "spread": self._spread,
            "matpow": self._matpow,
        }.get(node.op)
        chosen = chosen or {
            "trace": self._trace,
            "inverse": self._inverse,
            "log_determinant": self._log_determinant,
        }.get(node.operator.lowers.role)
        return (yield from (chosen or self.applied)(node))

    # ------------------------------------------------------------------------------------------------ sums

    def _sum(self, node: Node) -> Asking:
        """A signed sum; what is spread or constant broadcasts where another term has the full shape."""
        split = [build.split(term) for term in node.args]
        ordered = sorted(zip(split, node.args, strict=True), key=lambda p: (p[0][0] < 0, self._order(p[0][1])))
        signs = tuple(-1 if coefficient < 0 else 1 for (coefficient, _), _ in ordered)
        args: list[Term] = []
        for sign, (_, term) in zip(signs, ordered, strict=True):
            args.append((yield from self._loose(term if sign > 0 else build.negate(term))))
        return self.terms.expand(self.terms.add(signs, tuple(args)), node.shape)

    def _loosely(self, nodes: Sequence[Node]) -> Generator[Node, Term, list[Term]]:
        made: list[Term] = []
        for node in sorted(nodes, key=self._order):
            made.append((yield from self._loose(node)))  # noqa: PERF401  a comprehension cannot yield
        return made

    def _loose(self, node: Node) -> Asking:
        """A term for ``node`` that may have fewer rows or columns where they would all be the same."""
        inner = node.args[1] if node.op == "scale" else node
        constant = inner is build.ones(*inner.shape)
        if not constant and inner.op != "spread":
            return (yield node)
        if constant:
            return self.terms.number(1) if inner is node else (yield node.args[0])
        body = yield from self._loose(inner.args[0])
        return body if inner is node else (yield from self._scaled(node.args[0], body))

    # ---------------------------------------------------------------------------------- scalars and elements

    def _times(self, node: Node) -> Asking:
        parts = fractioned(node)
        args = yield from self._loosely(parts.above)
        below = yield from self._loosely(parts.below)
        return self.terms.expand(self._quotient(parts.coefficient, args, below), node.shape)

    def _quotient(self, coefficient: Fraction, above: list[Term], below: list[Term]) -> Term:
        terms = self.terms
        number, under = _written_apart(coefficient, bool(above))
        front = [] if number == 1 and above else [terms.number(number)]
        lower = [*([terms.number(under)] if under != 1 else []), *below]
        if number == -1 and above:
            return terms.negative(self._quotient(-coefficient, above, below))
        upper = terms.multiply(*front, *above)
        return terms.divide(upper, terms.multiply(*lower)) if lower else upper

    def _power(self, node: Node) -> Asking:
        base, exponent = node.args
        value = build.number_of(exponent) if exponent.is_scalar else None
        if value is not None and value < 0:
            below = yield build.power(base, build.number(-value))
            return self.terms.divide(self.terms.number(1), below)
        if value == 2 and base.operator.lowers.role == "euclidean_norm" and self._users[base] < 2:
            other = build.negate(base.args[0])
            return self._squared_norm((yield other if other in self._users else base.args[0]))
        return self.terms.power((yield base), (yield exponent))

    def _squared_norm(self, inner: Term) -> Term:
        """The sum of squares that the norm is the root of, whichever sign its argument has; of a column x'·x."""
        if inner.shape[1] == 1:
            return self.terms.matmul(self.terms.transpose(inner), inner)
        return self.terms.total(self.terms.power(inner, self.terms.number(2)))

    def _spread(self, node: Node) -> Asking:
        return self.terms.expand((yield node.args[0]), node.shape)

    def _transpose(self, node: Node) -> Asking:
        return self.terms.transpose((yield node.args[0]))

    def _scale(self, node: Node) -> Asking:
        scalar, matrix = node.args
        if matrix.op == "product" and self._users.get(matrix, 0) < 2:
            inside = self._scalar_inside(scalar, factors_of(matrix.args))
            if inside is not None:
                return (yield from self.chain(inside))
        if matrix.op == "spread" or matrix is build.ones(*matrix.shape):
            return self.terms.expand((yield from self._loose(node)), node.shape)
        if matrix.op == "power":
            parts = fractioned(matrix)
            if not parts.above:
                front = yield scalar
                return self.terms.divide(front, (yield parts.below[0]))
        return (yield from self._scaled(scalar, (yield matrix)))

    def _scaled(self, scalar: Node, body: Term) -> Asking:
        """A scalar times a term, as a division where it is a reciprocal."""
        parts = fractioned(scalar)
        number, under = _written_apart(parts.coefficient, has_more=True)
        if number in (1, -1) and not parts.above and (parts.below or under != 1):
            below = yield from self.all_of(parts.below)
            lower = [*([self.terms.number(under)] if under != 1 else []), *below]
            made = self.terms.divide(body, self.terms.multiply(*lower))
            return made if number == 1 else self.terms.negative(made)
        return self.terms.multiply((yield scalar), body)

    def _scalar_inside(self, scalar: Node, factors: Factors) -> Factors | None:
        """The factors with the smallest multiplied, where that is smaller than the product; of vectors the first."""
        whole = self.costs.entries((factors[0].shape[0], factors[-1].shape[1]))
        sizes = [
            (NOMINAL_SIZE if 1 in f.shape else self.costs.entries(f.shape), k)
            for k, f in enumerate(factors)
            if f.kind == "plain"
        ]
        if not sizes or min(sizes)[0] >= whole or build.number_of(scalar) == -1:
            return None
        k = min(sizes)[1]
        factor = factors[k]
        return (*factors[:k], Factor("plain", factor.node, factor.base, scalar=scalar), *factors[k + 1 :])


def _written_apart(value: Fraction, has_more: bool) -> tuple[Fraction, int]:
    """A coefficient as a number in front and an integer below: 1/3 of x is ``x / 3``, not 0.333 x."""
    decimal = value.denominator
    for prime in (2, 5):
        while decimal % prime == 0:
            decimal //= prime
    if decimal == 1 or not has_more:
        return value, 1
    return Fraction(value.numerator), value.denominator
