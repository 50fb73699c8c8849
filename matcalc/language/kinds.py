"""Which names are scalars, vectors, rows and matrices: constraints on kinds, and the cheapest assignment.

A kind says of each axis whether its size is 1; a relation between values is a list of signatures, from which the
kinds that go together follow.

>>> table(("(m,n), (n,k) -> (m,k)",))[(ROW, VECTOR, SCALAR)].matrices
((1, n), (n, 1), (1, 1))
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from matcalc.errors import ShapeError
from matcalc.expression.signature import Signature, signature
from matcalc.expression.sizes import AnySize, Shape, Size, as_integer, substitute_sizes

SCALAR, VECTOR, ROW, MATRIX = 1, 2, 4, 8
ANY = 15
KIND_NAMES = {SCALAR: "scalar", VECTOR: "vector", ROW: "row", MATRIX: "matrix"}
KINDS = (SCALAR, VECTOR, ROW, MATRIX)

_KIND_OF = {(True, True): SCALAR, (False, True): VECTOR, (True, False): ROW, (False, False): MATRIX}
_AXES = {kind: axes for axes, kind in _KIND_OF.items()}
_MOST_STEPS = 4000

KindTuple = tuple[int, ...]
Table = Mapping[KindTuple, "Form"]
Given = tuple[tuple[str, bool], ...]
Cost = tuple[int, ...]


def kind_of(shape: Shape) -> int:
    """The kind of a shape."""
    return _KIND_OF[shape[0] == 1, shape[1] == 1]


def is_one(kind: int, axis: int) -> bool:
    """Whether values of a kind have the size 1 along an axis."""
    return _AXES[kind][axis]


def kinds_in(domain: int) -> Iterator[int]:
    """The kinds of a set of them.

    >>> [KIND_NAMES[kind] for kind in kinds_in(SCALAR | MATRIX)]
    ['scalar', 'matrix']
    """
    return (kind for kind in KINDS if kind & domain)


@dataclass(frozen=True, slots=True)
class Form:
    """A signature read for kinds that fit it: shapes of the arguments, then of the result."""

    matrices: tuple[Shape, ...]
    source: Signature | None = None


@cache
def table(signatures: tuple[str, ...], given: Given = ()) -> Table:
    """The kinds (of the arguments, then of the result) that signatures allow, each with its first form."""
    found: dict[KindTuple, Form] = {}
    for text in signatures:
        read = signature(text)
        shapes = (*read.matrices, read.result)
        for ones in _choices(shapes, dict(given)):
            for trial in _trials(shapes, ones):
                kinds = tuple(_kind(shape, trial) for shape in shapes)
                found.setdefault(kinds, Form(_with_ones(shapes, ones), read))
    return found


def _choices(shapes: Sequence[Shape], given: Mapping[str, bool]) -> Iterator[dict[str, bool]]:
    names = sorted({name for shape in shapes for size in shape if isinstance(size, Size) for name in size.names})
    free = [name for name in names if name not in given]
    for choice in itertools.product((False, True), repeat=len(free)):
        yield {**given, **dict(zip(free, choice, strict=True))}


def _trials(shapes: Sequence[Shape], ones: Mapping[str, bool]) -> Iterator[Mapping[str, int]]:
    """Sizes to see kinds by: 1 and 2, and where a difference of sizes may or may not be 1, also 3."""
    sizes = [size for shape in shapes for size in shape if isinstance(size, Size)]
    subtracts = any(factor < 0 for size in sizes for _, factor in size.terms)
    larger = [name for name, one in ones.items() if not one]
    for choice in itertools.product((2, 3) if subtracts else (2,), repeat=len(larger)):
        trial = {**dict.fromkeys(ones, 1), **dict(zip(larger, choice, strict=True))}
        if all(as_integer(size, trial) >= 1 for size in sizes):
            yield trial


def _kind(shape: Shape, trial: Mapping[str, int]) -> int:
    rows, cols = (substitute_sizes(size, trial) for size in shape)
    return _KIND_OF[rows == 1, cols == 1]


def _with_ones(shapes: Sequence[Shape], ones: Mapping[str, bool]) -> tuple[Shape, ...]:
    values: dict[str, AnySize] = {name: 1 for name, one in ones.items() if one}
    return tuple((substitute_sizes(a, values), substitute_sizes(b, values)) for a, b in shapes)


@cache
def narrowed(allowed: int, domains: tuple[int, ...]) -> tuple[int, ...]:
    """What each domain shrinks to under the table registered as `allowed`; all 0 where nothing fits."""
    supports = [0] * len(domains)
    for kinds in _REGISTERED[allowed]:
        if all(kind & domain for kind, domain in zip(kinds, domains, strict=True)):
            for place, kind in enumerate(kinds):
                supports[place] |= kind
    return tuple(supports)


_REGISTERED: list[tuple[KindTuple, ...]] = []


@cache
def registered(kinds: tuple[KindTuple, ...]) -> int:
    """A number that stands for a list of kinds that go together."""
    _REGISTERED.append(kinds)
    return len(_REGISTERED) - 1


@dataclass(slots=True)
class Network:
    """Values with domains of kinds, and which kinds of which values go together."""

    domains: bytearray = field(default_factory=bytearray)
    rules: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    touching: list[list[int]] = field(default_factory=list)

    def value(self, domain: int = ANY) -> int:
        """A new value, by its number."""
        self.domains.append(domain)
        self.touching.append([])
        return len(self.domains) - 1

    def relate(self, values: tuple[int, ...], allowed: Table) -> None:
        """Demand that the kinds of some values go together."""
        for value in set(values):
            self.touching[value].append(len(self.rules))
        self.rules.append((registered(tuple(allowed)), values))

    def settle(self, domains: bytearray, start: Sequence[int] | None = None) -> bool:
        """Shrink domains in place as far as the rules say; whether anything is left."""
        waiting = deque(range(len(self.rules)) if start is None else self._around(start))
        queued = bytearray(len(self.rules))
        for rule in waiting:
            queued[rule] = 1
        while waiting:
            rule = waiting.popleft()
            queued[rule] = 0
            allowed, values = self.rules[rule]
            before = tuple(domains[value] for value in values)
            for value, kept in zip(values, narrowed(allowed, before), strict=True):
                if not kept & domains[value]:
                    return False
                if kept & domains[value] != domains[value]:
                    domains[value] &= kept
                    for other in self.touching[value]:
                        if not queued[other]:
                            queued[other] = 1
                            waiting.append(other)
        return True

    def _around(self, values: Sequence[int]) -> list[int]:
        return list(dict.fromkeys(rule for value in values for rule in self.touching[value]))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name whose kind is to be chosen, and what each kind costs."""

    value: int
    costs: Mapping[int, Cost]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One reading: the domain of every value, and its cost."""

    cost: Cost
    domains: bytearray


def assignments(network: Network, domains: bytearray, names: Sequence[Candidate]) -> Iterator[Assignment]:
    """All readings, the cheapest first: best-first search with the least cost still possible as bound.

    Raises ShapeError after a bounded number of steps.
    """
    count = itertools.count()
    zero = _least(domains, names)
    heap: list[tuple[Cost, int, int, bytearray]] = [(zero, 0, next(count), domains)]
    for _ in range(_MOST_STEPS):
        if not heap:
            return
        cost, _, _, state = heapq.heappop(heap)
        chosen = _undecided(state, names)
        if chosen is None:
            yield Assignment(cost, state)
            continue
        for kind in kinds_in(state[chosen.value]):
            branch = bytearray(state)
            branch[chosen.value] = kind
            if network.settle(branch, (chosen.value,)):
                left = sum(branch[name.value] not in KIND_NAMES for name in names)
                heapq.heappush(heap, (_least(branch, names), left, next(count), branch))
    raise ShapeError("the names can be read in too many ways", why="declare some of them with --let")


def _undecided(domains: bytearray, names: Sequence[Candidate]) -> Candidate | None:
    return next((name for name in names if domains[name.value] not in KIND_NAMES), None)


def _least(domains: bytearray, names: Sequence[Candidate]) -> Cost:
    cheapest = [min(name.costs[kind] for kind in kinds_in(domains[name.value])) for name in names]
    return tuple(map(sum, zip(*cheapest, strict=True))) if cheapest else ()
