"""Factors of a matrix product, and the cheapest order to multiply them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize, Shape, Size, substitute_sizes

NOMINAL_SIZE = 100
_MOST_EXPANDED = 8
_READ = 4  # an entry read from memory, and one made and written, in operations on numbers at hand
_WRITTEN = 12


@dataclass(frozen=True)
class Factor:
    """One factor: what kind it is, and of which node.

    ``plain`` is the node itself, ``solve`` the inverse of ``base``, ``diagonal`` and ``reciprocal`` the
    diagonal matrices of ``base`` and of its reciprocals. A ``scalar`` multiplies it.
    """

    kind: str
    node: Node
    base: Node
    transposed: bool = False
    scalar: Node | None = None

    @property
    def shape(self) -> Shape:
        """Rows and columns."""
        return self.node.shape

    @property
    def is_lone(self) -> bool:
        """Whether it may stand alone, without a matrix that should not be formed."""
        return self.kind == "plain"

    def turned(self) -> Factor:
        """The factor's transpose."""
        if self.kind in ("diagonal", "reciprocal"):
            return self
        base = self.node.T if self.kind == "plain" else self.base
        turn = self.kind != "plain" and "symmetric" not in self.base.facts
        return replace(self, node=self.node.T, base=base, transposed=self.transposed != turn)


Factors: TypeAlias = tuple[Factor, ...]


def turned(factors: Factors) -> Factors:
    """The factors of the transpose."""
    return tuple(factor.turned() for factor in reversed(factors))


def factor_of(node: Node) -> Factor:
    """How a product treats a factor."""
    core, transposed = (node.args[0], True) if node.op == "transpose" else (node, False)
    if is_inverse(core):
        base = core.args[0]
        if is_diagonal_of(base):
            return Factor("reciprocal", node, base.args[0])
        return Factor("solve", node, base, transposed)
    if is_diagonal_of(core):
        return Factor("diagonal", node, core.args[0])
    return Factor("plain", node, node)


def is_inverse(node: Node) -> bool:
    """Whether the node is the inverse of its argument, which a product solves with."""
    return node.operator.lowers.role == "inverse"


def is_diagonal_of(node: Node) -> bool:
    """Whether the node is the diagonal matrix of a column."""
    return node.operator.lowers.role == "diagonal" and node.args[0].cols == 1


def factors_of(nodes: Sequence[Node]) -> Factors:
    """The factors of a product, powers written out next to a vector and powers of inverses everywhere."""
    slim = any(node.rows == 1 or node.cols == 1 for node in nodes)
    found: list[Factor] = []
    for node in nodes:
        core, turn = (node.args[0], True) if node.op == "transpose" else (node, False)
        small = core.op == "matpow" and core.params[0] <= _MOST_EXPANDED
        if small and (slim or is_inverse(core.args[0])):
            base = core.args[0].T if turn else core.args[0]
            found += [factor_of(base)] * core.params[0]
        else:
            found.append(factor_of(node))
    return tuple(found)


@dataclass(frozen=True)
class Costs:
    """Counts operations, and what goes through memory, at nominal sizes."""

    sizes: Mapping[str, int]
    known: Callable[[Factors], bool]

    def size(self, size: AnySize) -> int:
        """A size as a number."""
        if not isinstance(size, Size):
            return size
        values: dict[str, AnySize] = {name: self.sizes.get(name, NOMINAL_SIZE) for name in size.names}
        value = substitute_sizes(size, values)
        return value if isinstance(value, int) else NOMINAL_SIZE

    def entries(self, shape: Shape) -> int:
        """How many entries a matrix has."""
        return self.size(shape[0]) * self.size(shape[1])

    def elementwise(self, shape: Shape) -> int:
        """What it costs to make a matrix entry by entry."""
        return _WRITTEN * self.entries(shape)

    def joining(self, left: Factors, right: Factors) -> int:
        """What it costs to multiply two finished stretches."""
        rows, inner, cols = (self.size(s) for s in (left[0].shape[0], right[0].shape[0], right[-1].shape[1]))
        left_kind, right_kind = (f[0].kind if len(f) == 1 else "plain" for f in (left, right))
        if "diagonal" in (left_kind, right_kind) or "reciprocal" in (left_kind, right_kind):
            return rows * cols
        cost = 0
        if left_kind == "solve":
            cost = rows**3 + 2 * rows * rows * cols
        elif right_kind == "solve":
            return cols**3 + 2 * rows * cols * cols
        if left_kind == right_kind == "solve":
            cost += 2 * cols**3
        return cost or 2 * rows * inner * cols + _READ * (rows * inner + inner * cols)

    def order(self, factors: Factors) -> tuple[int, dict[tuple[int, int], int]]:
        """The least cost, and for each stretch ``(i, j)`` of the factors after which one to split it."""
        count = len(factors)
        best: dict[tuple[int, int], int] = {(i, i): 0 for i in range(count)}
        split: dict[tuple[int, int], int] = {}
        for width in range(1, count):
            for i in range(count - width):
                j = i + width
                cost, split[i, j] = self._cheapest(factors, best, i, j)
                known = width < count - 1 and self.known(factors[i : j + 1])
                best[i, j] = 0 if known else cost
        return best[0, count - 1], split

    def _cheapest(self, factors: Factors, best: Mapping[tuple[int, int], int], i: int, j: int) -> tuple[int, int]:
        """The least cost of a stretch and its split; of equal ones the last, which reads left to right."""
        choices = (
            (best[i, m] + best[m + 1, j] + self.joining(factors[i : m + 1], factors[m + 1 : j + 1]), -m)
            for m in range(i, j)
        )
        cost, after = min(choices)
        return cost, -after
