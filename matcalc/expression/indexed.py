"""A matrix of vec as a tensor: its entries in index notation (Laue, Mitterreiter & Giesen 2020, sec. 3).

The rows of ∂vec(F)/∂vec(X)' are the entries of F, its columns those of X, each numbered with the first axis fastest. An
operator whose rows or columns are entries of something (a Kronecker product, a vec, the commutation matrix) says in its
record how an entry is found from an index for every axis; every other matrix is a factor with a row and a column index.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from matcalc.expression.sizes import AnySize

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

Axes = tuple[AnySize, ...]


class Index(NamedTuple):
    """An index: its letter, and the size of what it runs over."""

    letter: str
    size: AnySize


Indices = tuple[Index, ...]


class Factor(NamedTuple):
    """An entry of a matrix or a column: ``node[rows, cols]``, at most one index each."""

    node: Node
    indices: Indices


@dataclass(frozen=True)
class Term:
    """A product of scalars, entries and Kronecker deltas, summed over ``summed``, whether these occur in it or not."""

    scalars: tuple[Node, ...] = ()
    factors: tuple[Factor, ...] = ()
    deltas: tuple[tuple[Index, Index], ...] = ()
    summed: Indices = ()

    def times(self, other: Term) -> Term:
        """The product."""
        return Term(
            self.scalars + other.scalars,
            self.factors + other.factors,
            self.deltas + other.deltas,
            self.summed + other.summed,
        )


class UnsplitError(Exception):
    """Rows or columns cannot be told apart as entries: there is no index notation."""


@dataclass(frozen=True)
class Indexed:
    """A matrix whose entries can be asked for.

    Attributes:
        rows, cols: the axes that rows and columns are made of; None where any will do.
        entry: an index for every axis of either to the terms whose sum the entry is.
    """

    rows: Axes | None
    cols: Axes | None
    entry: Callable[[Indices, Indices], list[Term]]


@dataclass
class Letters:
    """Letters for indices: those of the result first, then those that are summed over."""

    given: Iterator[str] = field(
        default_factory=lambda: itertools.chain("ijklpqrs", (f"i{k}" for k in itertools.count()))
    )
    summed: Iterator[str] = field(
        default_factory=lambda: itertools.chain("abcdefgh", (f"a{k}" for k in itertools.count()))
    )

    def fresh(self, axes: Axes) -> Indices:
        """New indices to sum over."""
        return tuple(Index(next(self.summed), size) for size in axes)


def axes_of(size: AnySize) -> Axes:
    """A number of rows or columns as axes: none where it is 1."""
    return () if size == 1 else (size,)


def opaque(node: Node) -> Indexed:
    """A matrix with a row and a column index."""

    def entry(rows: Indices, cols: Indices) -> list[Term]:
        if tuple(i.size for i in rows) != axes_of(node.rows) or tuple(i.size for i in cols) != axes_of(node.cols):
            raise UnsplitError
        if not rows and not cols:
            return [Term(scalars=(node,))]
        return [Term(factors=(Factor(node if rows else node.T, (*rows, *cols)),))]

    return Indexed(axes_of(node.rows), axes_of(node.cols), entry)


def multiplied(left: list[Term], right: list[Term]) -> list[Term]:
    """The product of two sums."""
    return [one.times(other) for one in left for other in right]


def deltas(rows: Indices, cols: Indices) -> list[Term]:
    """The entry of an identity.

    Raises:
        UnsplitError: where rows and columns have other sizes.
    """
    if tuple(i.size for i in rows) != tuple(i.size for i in cols):
        raise UnsplitError
    return [Term(deltas=tuple(zip(rows, cols, strict=True)))]
