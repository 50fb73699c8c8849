"""Matrix products: each in its cheapest order, inverses as solves, diagonal matrices never formed."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.lowering.factors import Costs, Factor, Factors, factor_of, factors_of, is_diagonal_of, turned
from matcalc.lowering.rules import Asking, Rules
from matcalc.lowering.terms import Term, Terms

_MOST_ROTATED = 6


class Chains(Rules):
    """The rules for products, inverses, powers and traces of matrices."""

    def __init__(
        self, terms: Terms, variables: Mapping[str, Term], roots: Sequence[Node], sizes: Mapping[str, int]
    ) -> None:
        super().__init__(terms, variables)
        self.costs = Costs(sizes, self._is_at_hand)
        self._wanted = _products_wanted(roots)
        self._chains: dict[Factors, Term] = {}

    def _is_at_hand(self, factors: Factors) -> bool:
        """Whether the product is made or needed anyway, itself or transposed."""
        other = turned(factors)
        return any(f in self._chains or f in self._wanted for f in (factors, other))

    def _product(self, node: Node) -> Asking:
        return (yield from self.chain(factors_of(node.args)))

    def _matpow(self, node: Node) -> Asking:
        """A power that no product contains: of an inverse too, which is then formed anyway and no solve is cheaper."""
        base = yield node.args[0]
        return self.terms.matmul(base, base) if node.params[0] == 2 else self.terms.apply(node, base)

    def chain(self, factors: Factors) -> Asking:
        """The product of the factors."""
        if len(factors) == 1:
            return (yield from self._single(factors[0]))
        _, split = self.costs.order(factors)
        return (yield from self._stretch(factors, split, 0, len(factors) - 1))

    def _stretch(self, factors: Factors, split: Mapping[tuple[int, int], int], i: int, j: int) -> Asking:
        stretch = factors[i : j + 1]
        if stretch in self._chains:
            return self._chains[stretch]
        other = turned(stretch)
        if other in self._chains or (other in self._wanted and stretch not in self._wanted):
            return self.terms.transpose((yield from self.chain(other)))
        made = yield from self._joined(factors, split, i, j)
        self._chains[stretch] = made
        return made

    def _joined(self, factors: Factors, split: Mapping[tuple[int, int], int], i: int, j: int) -> Asking:
        """The product of the two stretches that ``i…j`` is split into."""
        m = split[i, j]
        if i == m and not factors[i].is_lone:
            return (yield from self._from_left(factors[i], (yield from self._piece(factors, split, m + 1, j))))
        if m + 1 == j and not factors[j].is_lone:
            return (yield from self._from_right((yield from self._piece(factors, split, i, m)), factors[j]))
        before = yield from self._piece(factors, split, i, m)
        return self.terms.matmul(before, (yield from self._piece(factors, split, m + 1, j)))

    def _piece(self, factors: Factors, split: Mapping[tuple[int, int], int], i: int, j: int) -> Asking:
        if i == j:
            return (yield from self._single(factors[i]))
        return (yield from self._stretch(factors, split, i, j))

    def _single(self, factor: Factor) -> Asking:
        """A factor by itself."""
        made = yield factor.node
        return made if factor.scalar is None else self.terms.multiply((yield factor.scalar), made)

    def _from_left(self, factor: Factor, other: Term) -> Asking:
        base = yield factor.base
        if factor.kind == "diagonal":
            return self.terms.multiply(base, other)
        if factor.kind == "reciprocal":
            return self.terms.divide(other, base)
        return self._solved(factor, base, other, left=True)

    def _from_right(self, other: Term, factor: Factor) -> Asking:
        base = yield factor.base
        if factor.kind == "diagonal":
            return self.terms.multiply(other, self.terms.transpose(base))
        if factor.kind == "reciprocal":
            return self.terms.divide(other, self.terms.transpose(base))
        return self._solved(factor, base, other, left=False)

    def _solved(self, factor: Factor, base: Term, other: Term, *, left: bool) -> Term:
        """inv(base)·other or other·inv(base), by what is known of the base."""
        terms, facts = self.terms, factor.base.facts
        if facts & {"lower", "upper"}:
            upper = ("upper" in facts) != factor.transposed
            matrix = terms.transpose(base) if factor.transposed else base
            return terms.make("solve_triangular", matrix, other, params=(upper, left), shape=other.shape)
        if "posdef" in facts:
            root = terms.make("cholesky", base, shape=base.shape)
            known = other if left else terms.transpose(other)
            made = terms.make("cholesky_solve", known, root, shape=known.shape)
            return made if left else terms.transpose(made)
        matrix = terms.transpose(base) if factor.transposed else base
        return terms.make("solve", matrix, other, params=(left,), shape=other.shape)

    def _inverse(self, node: Node) -> Asking:
        """An inverse that nothing is multiplied with."""
        base = node.args[0]
        made = yield base
        if "posdef" in base.facts and not is_diagonal_of(base):
            root = self.terms.make("cholesky", made, shape=base.shape)
            return self.terms.make("cholesky_inverse", root, shape=base.shape)
        if base.facts & {"lower", "upper"} and "diagonal" not in base.facts:
            return self._solved(factor_of(node), made, (yield build.eye(base.rows)), left=True)
        return self.terms.apply(node, made)

    def _log_determinant(self, node: Node) -> Asking:
        """log|det X|; by the Cholesky factor, which solves with X have as well, where X is positive definite."""
        base = node.args[0]
        made = yield base
        if "posdef" in base.facts and not is_diagonal_of(base):
            root = self.terms.make("cholesky", made, shape=base.shape)
            return self.terms.make("cholesky_logdet", root, params=(node,), shape=node.shape)
        return self.terms.apply(node, made)

    def _trace(self, node: Node) -> Asking:
        inner = node.args[0]
        if inner.op not in ("product", "matpow"):
            return (yield from self.applied(node))
        nodes = inner.args if inner.op == "product" else inner.args * inner.params[0]
        if inner.op == "matpow" and inner.params[0] > _MOST_ROTATED:
            return (yield from self.applied(node))
        return (yield from self.trace_of(factors_of(nodes), node))

    def trace_of(self, factors: Factors, node: Node) -> Generator[Node, Term, Term]:
        """The trace of a product: of two parts, the sum of an elementwise product."""
        choice = min(self._trace_choices(factors), key=lambda c: c[0], default=None)
        if choice is None:
            return self.terms.apply(node, (yield from self.chain(factors)))
        _, left, right = choice
        first = yield from self.chain(left)
        second = yield from self.chain(right)
        if turned(right) != right:
            second = self.terms.transpose(second)
        return self.terms.total(self.terms.multiply(first, second))

    def _trace_choices(self, factors: Factors) -> Generator[tuple[int, Factors, Factors], None, None]:
        turns = range(len(factors)) if len(factors) <= _MOST_ROTATED else range(1)
        for turn in turns:
            ring = factors[turn:] + factors[:turn]
            for cut in range(1, len(ring)):
                left, right = ring[:cut], ring[cut:]
                if all(len(part) > 1 or part[0].is_lone for part in (left, right)):
                    cost = sum(self.costs.order(part)[0] for part in (left, right) if len(part) > 1)
                    yield cost + self.costs.entries((left[0].shape[0], left[-1].shape[1])), left, right


def _products_wanted(roots: Sequence[Node]) -> set[Factors]:
    """The products that are needed as they stand: those used by more than a trace."""
    wanted: set[Factors] = set()
    nodes = list(postorder(*roots))
    asked = {arg for node in nodes if node.operator.lowers.role != "trace" for arg in node.args} | set(roots)
    for node in nodes:
        if node.op == "product" and node in asked:
            wanted.add(factors_of(node.args))
    return wanted
