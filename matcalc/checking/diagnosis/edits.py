"""Edits of an expression at one place: what people get wrong when they write a derivative down.

An edit is made of the claim, to see whether that makes it right, and of the truth, to see whether that makes it the
claim: the two are written differently, and a claim that is a function has no expression to edit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from matcalc.checking.precise import NO_VALUE
from matcalc.errors import MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE
from matcalc.expression.sizes import Shape

_CHAINS = ("product", "times")


@dataclass(frozen=True)
class Edit:
    """One place changed.

    Attributes:
        root: the whole expression, changed.
        old, new: what stood there, and what stands there now.
        term: a term of a sum that was left out or negated; None for other edits.
        factor: a factor that was left out or put in; None for other edits.
    """

    root: Node
    old: Node
    new: Node
    term: Node | None = None
    factor: Node | None = None


class Place:
    """An expression that is edited: who uses what, so that an edit rebuilds only what lies above it."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.nodes = list(postorder(root))
        self.rebuilt = 0

    @cached_property
    def _users(self) -> dict[Node, list[int]]:
        found: dict[Node, list[int]] = {}
        for k, node in enumerate(self.nodes):
            for arg in dict.fromkeys(node.args):
                found.setdefault(arg, []).append(k)
        return found

    def users(self, node: Node) -> list[Node]:
        """The nodes that have ``node`` for an argument."""
        return [self.nodes[k] for k in self._users.get(node, ())]

    def places(self, node: Node) -> int:
        """At how many places ``node`` stands."""
        return sum(user.args.count(node) for user in self.users(node))

    def is_term(self, node: Node) -> bool:
        """Whether ``node`` is a term of a sum."""
        return any(user.op == "add" for user in self.users(node))

    def core(self) -> set[Node]:
        """The parts of which another one would be another expression altogether: the whole, but for what wraps it."""
        node, found = self.root, {self.root}
        while len(inner := [arg for arg in node.args if arg.op != "number"]) == 1:
            node = inner[0]
            found.add(node)
        return found

    def with_other(self, old: Node, new: Node) -> Node | None:
        """The whole with ``new`` for ``old`` wherever it stands; None where that cannot be."""
        above = self._above(old)
        self.rebuilt += sum(1 + len(self.nodes[k].args) for k in above)
        made = {old: new}
        try:
            for k in above:
                node = self.nodes[k]
                made[node] = build.with_args(node, tuple(made.get(arg, arg) for arg in node.args))
        except (MatcalcError, *NO_VALUE):
            return None
        return made[self.root]

    def _above(self, old: Node) -> list[int]:
        found: set[int] = set()
        todo = [old]
        while todo:
            for k in self._users.get(todo.pop(), ()):
                if k not in found:
                    found.add(k)
                    todo.append(self.nodes[k])
        return sorted(found)


def changed(
    place: Place,
    old: Node,
    make: Callable[..., Node | None],
    *args: Any,
    term: Node | None = None,
    factor: Node | None = None,
) -> Iterator[Edit]:
    """The edit that puts ``make(*args)`` in place of ``old``, where it fits."""
    try:
        new = make(*args)
    except (MatcalcError, *NO_VALUE):
        return
    if new is None or new is old or new.shape != old.shape:
        return
    root = place.with_other(old, new)
    if root is not None and root is not place.root:
        yield Edit(root, old, new, term, factor)


# --------------------------------------------------------------------------------------------- edits of one node


def transposes(place: Place, *, at_one_place: bool) -> Iterator[Edit]:
    """A square factor transposed, the leaves first; wherever it stands and, if asked, at one place alone.

    What stands there both ways is transposed at one place alone: that a matrix is symmetric says it better.
    """
    used = {n for n in place.nodes if n is place.root or any(user.op != "transpose" for user in place.users(n))}
    both = {n for n in used if not n.is_scalar and n.T in used}
    for node in sorted(place.nodes, key=lambda n: n.weight):
        if node.is_square and not node.is_scalar and node is not place.root and (at_one_place or node not in both):
            made = replaced_part(place, node, node.T) if at_one_place else changed(place, node, build.transpose, node)
            for edit in made:
                turned = node not in used  # it stands there as its transpose alone
                yield Edit(edit.root, node.T, node) if turned else edit


def replaced_part(place: Place, old: Node, new: Node) -> Iterator[Edit]:
    """One part for another, wherever it stands and then at one place alone."""
    yield from changed(place, old, lambda: new)
    if place.places(old) < 2:
        return
    for user in place.users(old):
        for i, arg in enumerate(user.args):
            if arg is old:
                for edit in changed(place, user, _with_argument, user, i, new):
                    yield Edit(edit.root, old, new)


def _with_argument(node: Node, i: int, new: Node) -> Node:
    return build.with_args(node, (*node.args[:i], new, *node.args[i + 1 :]))


def entrywise(place: Place) -> Iterator[Edit]:
    """An operation of matrices for the same of their entries, and the other way round.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [written(edit.root) for edit in entrywise(Place(parse("A*B + A^2").node))]
    ['A*B + A.^2', 'A.*B + A^2']
    """
    for node in place.nodes:
        for make in _COUNTERPARTS:
            yield from changed(place, node, make, node)
        for i in range(len(node.args) - 1) if node.op == "product" and len(node.args) > 2 else ():
            left, right = node.args[i : i + 2]
            if left.shape == right.shape:
                both = build.times(left, right)
                for edit in changed(place, node, build.product, *node.args[:i], both, *node.args[i + 2 :]):
                    yield Edit(edit.root, left @ right, both)


def _hadamard(node: Node) -> Node | None:
    alike = node.op == "product" and len({arg.shape for arg in node.args}) == 1
    return build.times(*node.args) if alike else None


def _matrix_product(node: Node) -> Node | None:
    return build.product(*node.args) if node.op == "times" and node.is_square and not node.is_scalar else None


def _entrywise_power(node: Node) -> Node | None:
    return build.power(node.args[0], build.number(node.params[0])) if node.op == "matpow" else None


def _matrix_power(node: Node) -> Node | None:
    whole = build.integer_of(node.args[1]) if node.op == "power" else None
    fits = node.is_square and not node.is_scalar
    return build.matrix_power(node.args[0], whole) if fits and whole is not None else None


def _entrywise_function(node: Node) -> Node | None:
    found = node.operator.entrywise
    return found(*node.args) if found is not None and len(node.args) == 1 else None


def _matrix_function(node: Node) -> Node | None:
    if not node.args or not node.is_square or node.is_scalar:
        return None
    for record in TABLE.values():
        if record.entrywise is not None and record.entrywise(node.args[0]) is node:
            return build.apply(record.name, node.args[0])
    return None


_COUNTERPARTS = (
    _entrywise_function, _matrix_function, _entrywise_power, _matrix_power, _hadamard, _matrix_product,
)  # fmt: skip


def swaps(place: Place) -> Iterator[Edit]:
    """Neighbours in a product exchanged, and the two arguments of any other operator, where the shapes allow it.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [written(edit.root) for edit in swaps(Place(parse("kron(A, B)").node))]
    ['kron(B, A)']
    """
    for node in place.nodes:
        if len(node.args) == 2 and node.op not in ("product", "scale", "times", "add", "power"):
            yield from changed(place, node, build.with_args, node, node.args[::-1])
        for i in range(len(node.args) - 1) if node.op == "product" else ():
            left, right = node.args[i : i + 2]
            for edit in changed(place, node, build.product, *node.args[:i], right, left, *node.args[i + 2 :]):
                alike = left.shape == right.shape and left.is_square
                yield Edit(edit.root, left @ right, right @ left) if alike else edit


def sums(place: Place) -> Iterator[Edit]:
    """A term inside a sum left out, or with the other sign.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [written(edit.root) for edit in sums(Place(parse("A*x + b").node))]
    ['A*x', 'A*x - b', 'b', 'b - A*x']
    """
    for node in place.nodes:
        for term in node.args if node.op == "add" else ():
            rest = [t for t in node.args if t is not term]
            yield from changed(place, node, build.add, *rest, term=term)
            yield from changed(place, node, build.add, *rest, build.negate(term), term=term)


def drops(place: Place) -> Iterator[Edit]:
    """A factor left out, or an operation of one argument of the same shape.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [written(edit.root) for edit in drops(Place(parse("s*norm2(x)").node))]
    ['s']
    """
    for node in place.nodes:
        if node.op in _CHAINS:
            make = build.product if node.op == "product" else build.times
            for i, factor in enumerate(node.args):
                yield from changed(place, node, make, *node.args[:i], *node.args[i + 1 :], factor=factor)
        elif node.op == "scale":
            scalar, body = node.args
            yield from changed(place, node, lambda b=body: b, factor=scalar)
            for part in scalar.args if scalar.op == "times" else ():
                yield from changed(place, node, _scaled, [p for p in scalar.args if p is not part], body, factor=part)
        elif len(node.args) == 1 and node.op != "transpose":
            yield from changed(place, node, lambda n=node: n.args[0])


def _scaled(scalars: Sequence[Node], body: Node) -> Node:
    return build.scale(build.times(*scalars), body)


def numbers(place: Place) -> Iterator[Edit]:
    """An exponent or a number off by one, doubled, halved or negated.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [written(edit.root) for edit in numbers(Place(parse("x.^2").node))]
    ['x', 'x.^3', '1./x.^2', 'x', 'x.^4']
    """
    for node in place.nodes:
        if node.op == "power" and node.args[1].op == "number":
            for k in _near(node.args[1].params[0]):
                yield from changed(place, node, build.power, node.args[0], build.number(k))
        elif node.op == "matpow":
            for step in (-1, 1):
                yield from changed(place, node, build.matrix_power, node.args[0], node.params[0] + step)
        elif node.op in ("add", "times", "scale"):
            for i in range(len(node.args)):
                yield from _other_numbers(place, node, i)


def _other_numbers(place: Place, node: Node, i: int) -> Iterator[Edit]:
    """Another number in front of a term, or in front of the whole."""
    arg = node.args[i]
    if node.op != "add" and arg.op != "number":
        return
    coefficient, rest = build.split(arg)
    for k in (coefficient * 2, coefficient / 2, coefficient + 1, coefficient - 1):
        if k and k != coefficient:
            new = build.multiply(build.number(k), rest)
            for edit in changed(place, node, _with_argument, node, i, new):
                yield Edit(edit.root, arg, new) if node.op == "add" else edit


def _near(k: Fraction) -> list[Fraction]:
    return [j for j in (k - 1, k + 1, -k, k / 2, 2 * k) if j != k]


# ------------------------------------------------------------------------------------------- edits with other parts


def functions(place: Place, pool: Sequence[Node]) -> Iterator[Edit]:
    """A function of one argument for another one that occurs.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [written(edit.root) for edit in functions(Place(parse("min(x)*y").node), [parse("max(z)").node])]
    ['max(x)*y']
    """
    kinds = {(node.op, node.params): node for node in pool if len(node.args) == 1 and node.op != "transpose"}
    for node in place.nodes:
        for (op, _), other in kinds.items() if len(node.args) == 1 and node.op != "transpose" else ():
            if op != node.op:
                yield from changed(place, node, build.with_args, other, node.args)


def replacements(place: Place, pool: Sequence[Node]) -> Iterator[Edit]:
    """One part for another of the same shape: first those of which one is made of the other, then the smallest."""
    core = place.core()
    by_shape: dict[Shape, list[Node]] = {}
    for node in pool:
        by_shape.setdefault(node.shape, []).append(node)
    pairs = [
        (old, new)
        for old in place.nodes
        for new in by_shape.get(old.shape, ())
        if new is not old and (new.op == "number") == (old.op == "number") and (old not in core or not new.args)
    ]
    for old, new in sorted(pairs, key=_unlikeliness):
        yield from replaced_part(place, old, new)


def _unlikeliness(pair: tuple[Node, Node]) -> tuple[int, int]:
    old, new = pair
    if old in new.args or new in old.args:
        return 0, old.weight + new.weight
    if old.args == new.args or old.op == new.op:
        return 1, old.weight + new.weight
    return 2, old.weight + new.weight


def insertions(place: Place, pool: Sequence[Node]) -> Iterator[Edit]:
    """A factor more: in a term, or inside a product."""
    homes = [n for n in place.nodes if n is place.root or n.op == "product" or place.is_term(n)]
    for factor, home in itertools.product(pool, homes):
        if factor.op == "number":
            continue
        if factor.is_scalar:
            yield from changed(place, home, build.multiply, factor, home, factor=factor)
            continue
        chain = home.args if home.op == "product" else (home,)
        for i in range(len(chain) + 1):
            if _meets(chain, i, factor):
                yield from changed(place, home, build.product, *chain[:i], factor, *chain[i:], factor=factor)
        if factor.shape == home.shape:
            yield from changed(place, home, build.times, factor, home, factor=factor)


def _meets(chain: Sequence[Node], i: int, factor: Node) -> bool:
    left = i == 0 or chain[i - 1].cols == factor.rows
    return left and (i == len(chain) or factor.cols == chain[i].rows)


def parts(roots: Iterable[Node], most: int) -> list[Node]:
    """What occurs, the smallest first, with the transposes of what is small.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [written(part) for part in parts([parse("x'*A*x").node], 4)]
    ['A', 'x', 'A.T', 'x.T']
    """
    listed = sorted(dict.fromkeys(postorder(*roots)), key=_by_size)[:most]
    turned = [n.T for n in listed if not n.is_scalar]
    return sorted(dict.fromkeys([*listed, *turned]), key=_by_size)[:most]


def _by_size(node: Node) -> tuple[int, bytes]:
    return node.weight, node.digest
