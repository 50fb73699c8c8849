"""Index notation of a Jacobian: from the matrix of vec to a sum of products of entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matcalc.expression import build
from matcalc.expression.indexed import Axes, Factor, Index, Indexed, Indices, Letters, Term, UnsplitError, opaque
from matcalc.expression.nodes import Node
from matcalc.expression.walk import fold

_MOST_TERMS = 24


@dataclass(frozen=True)
class Entries:
    """The entries of a tensor.

    Attributes:
        indices: of the result; None stands where an axis has size 1.
        terms: what is summed, over every index that is not among them.
    """

    indices: tuple[Index | None, ...]
    terms: tuple[Term, ...]


def entries(matrix: Node, rows: Axes, cols: Axes) -> Entries | None:
    """The tensor with the axes ``rows`` and ``cols`` whose ∂vec/∂vec' is ``matrix``; None where that is not told.

    >>> A, B = build.variable("A", (2, 3), "matrix"), build.variable("B", (4, 5), "matrix")
    >>> found = entries(build.apply("kron", B.T, A), (2, 5), (3, 4))
    >>> [[(f.node.params[0], "".join(i.letter for i in f.indices)) for f in term.factors] for term in found.terms]
    [[('A', 'ik'), ('B', 'lj')]]
    """
    letters = Letters()
    named = [None if size == 1 else Index(next(letters.given), size) for size in (*rows, *cols)]
    own = tuple(i for i in named[: len(rows)] if i is not None), tuple(i for i in named[len(rows) :] if i is not None)

    def visit(node: Node, args: Sequence[Indexed]) -> Indexed:
        make = node.operator.indexed
        whole = opaque(node)
        if make is None:
            return whole
        inside = make(node, args, letters)

        def entry(r: Indices, c: Indices) -> list[Term]:
            single = len(r) <= 1 and len(c) <= 1
            return whole.entry(r, c) if single and not node.operator.named_entries else inside.entry(r, c)

        return Indexed(inside.rows, inside.cols, entry)

    try:
        found = fold(matrix, visit).entry(*own)
    except UnsplitError:
        return None
    if len(found) > _MOST_TERMS:
        return None
    free = {i.letter for i in (*own[0], *own[1])}
    return Entries(tuple(named), tuple(_tidied(term, free) for term in found))


def _tidied(term: Term, free: set[str]) -> Term:
    made = _without_needless_deltas(term, free)
    factors = _with_products(list(made.factors), made, free)
    scalars = (*made.scalars, *(f.node for f in factors if not f.indices))
    return _relettered(scalars, [f for f in factors if f.indices], list(made.deltas), free)


def _with_products(factors: list[Factor], term: Term, free: set[str]) -> list[Factor]:
    """Σ_a A[i, a]·B[a, j] is (A·B)[i, j], where nothing else has the index a."""
    in_deltas = {i.letter for pair in term.deltas for i in pair}
    for letter in dict.fromkeys(i.letter for f in factors for i in f.indices):
        with_it = [f for f in factors if any(i.letter == letter for i in f.indices)]
        if letter in free or letter in in_deltas or len(with_it) != 2:
            continue
        left, right = with_it
        if sum(i.letter == letter for f in with_it for i in f.indices) != 2:
            continue
        merged = _product(left, right, letter)
        factors = [merged if f is left else f for f in factors if f is not right]
    return factors


def _product(left: Factor, right: Factor, letter: str) -> Factor:
    """The entry of a matrix product that two entries with one index in common add up to."""
    before = left.node if left.indices[-1].letter == letter and len(left.indices) == 2 else left.node.T
    after = right.node if right.indices[0].letter == letter else right.node.T
    rest = tuple(i for f in (left, right) for i in f.indices if i.letter != letter)
    whole = build.product(before, after)
    return Factor(whole if len(rest) != 1 or whole.cols == 1 else whole.T, rest)


def _without_needless_deltas(term: Term, free: set[str]) -> Term:
    """δ[a, j] with an index a that is summed over renames a to j; a sum over an index that nothing has is its size."""
    renamed: dict[str, Index] = {}
    kept: list[tuple[Index, Index]] = []

    def now(index: Index) -> Index:
        while index.letter in renamed:
            index = renamed[index.letter]
        return index

    for pair in term.deltas:
        one, other = now(pair[0]), now(pair[1])
        if one.letter == other.letter:
            continue
        if one.letter not in free:
            renamed[one.letter] = other
        elif other.letter not in free:
            renamed[other.letter] = one
        else:
            kept.append((one, other))
    factors = tuple(Factor(f.node, tuple(now(i) for i in f.indices)) for f in term.factors)
    used = {i.letter for f in factors for i in f.indices} | renamed.keys()
    idle = (build.size_number(i.size) for i in term.summed if i.letter not in used)
    return Term((*term.scalars, *idle), factors, tuple(kept))


def _relettered(
    scalars: tuple[Node, ...], factors: list[Factor], pairs: list[tuple[Index, Index]], free: set[str]
) -> Term:
    """Factors in the order of their indices, and the indices that are summed over called a, b, … in that order."""
    order = {letter: k for k, letter in enumerate(sorted(free))}
    factors.sort(key=lambda f: min((order.get(i.letter, len(order)) for i in f.indices), default=-1))
    inside = [i for f in factors for i in f.indices] + [i for pair in pairs for i in pair]
    summed = dict.fromkeys(i.letter for i in inside if i.letter not in free)
    names = dict(zip(summed, Letters().summed, strict=False))

    def called(index: Index) -> Index:
        return Index(names.get(index.letter, index.letter), index.size)

    return Term(
        scalars,
        tuple(Factor(f.node, tuple(map(called, f.indices))) for f in factors),
        tuple((called(one), called(other)) for one, other in pairs),
    )
