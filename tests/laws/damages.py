"""Ways to damage a derivative: each is a mistake that people make, at a place drawn at random.

A damage takes the formula and a generator, and gives another formula of the same shape, or None where the formula has
no place for the mistake. Whether the value is another one is for somebody else to see.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction

import matcalc  # noqa: F401  # the definitions fill the tables
from matcalc.errors import MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE
from matcalc.expression.sizes import SCALAR
from matcalc.expression.walk import fold

Damage = Callable[[Node, random.Random], Node | None]
Change = Callable[[Node, random.Random], Iterator[Node]]
EPSILON = Fraction(1, 10**6)
_TRIES = 12
_FACTORS = (Fraction(2), Fraction(1, 2), Fraction(3), Fraction(-1, 2), Fraction(9, 10))
_ALIKE = ("sin", "cos", "tanh", "sigmoid", "exp", "softplus", "erf", "atan", "relu", "square", "abs", "expm1")


def replaced(root: Node, old: Node, new: Node) -> Node:
    """``root`` with ``new`` for every use of ``old``."""
    return fold(root, lambda node, args: new if node is old else build.with_args(node, tuple(args)))


def _somewhere(change: Change) -> Damage:
    """A change at any place where it can be made."""

    def damage(root: Node, chance: random.Random) -> Node | None:
        places = list(postorder(root))
        chance.shuffle(places)
        for place in places[:_TRIES]:
            for new in _fitting(change, place, chance):
                try:
                    made = replaced(root, place, new)
                except (MatcalcError, ArithmeticError, ValueError, LookupError):
                    continue
                if made is not root and made.shape == root.shape:
                    return made
        return None

    return damage


def _fitting(change: Change, place: Node, chance: random.Random) -> list[Node]:
    try:
        made = [new for new in change(place, chance) if new is not place and new.shape == place.shape]
    except (MatcalcError, ArithmeticError, ValueError, LookupError):  # no operator has such arguments
        return []
    chance.shuffle(made)
    return made


def _times(factor: Fraction, node: Node) -> Node:
    return build.multiply(build.number(factor), node)


def _sign(place: Node, chance: random.Random) -> Iterator[Node]:
    yield build.negate(place)


def _factor(place: Node, chance: random.Random) -> Iterator[Node]:
    yield _times(chance.choice(_FACTORS), place)


def _transpose(place: Node, chance: random.Random) -> Iterator[Node]:
    if place.is_square and not place.is_scalar:
        yield build.transpose(place)


def _terms(place: Node) -> tuple[Node, ...]:
    return place.args if place.op == "add" else ()


def _dropped(place: Node, chance: random.Random) -> Iterator[Node]:
    terms = _terms(place)
    for k in range(len(terms)):
        yield build.add(*terms[:k], *terms[k + 1 :])


def _doubled(place: Node, chance: random.Random) -> Iterator[Node]:
    for term in _terms(place):
        yield build.add(*place.args, term)


def _swapped(place: Node, chance: random.Random) -> Iterator[Node]:
    factors = place.args if place.op == "product" else ()
    for k in range(len(factors) - 1):
        if factors[k].is_square and factors[k].shape == factors[k + 1].shape:
            yield build.product(*factors[:k], factors[k + 1], factors[k], *factors[k + 2 :])


def _elementwise(place: Node, chance: random.Random) -> Iterator[Node]:
    factors = place.args
    if place.op == "product":
        for k in range(len(factors) - 1):
            left, right = factors[k : k + 2]
            if left.shape == right.shape != SCALAR:
                yield build.product(*factors[:k], build.times(left, right), *factors[k + 2 :])
    elif place.op == "times" and place.is_square and not place.is_scalar:
        yield build.product(*factors)
    elif place.op == "matpow":
        yield build.power(factors[0], build.number(place.params[0]))
    elif place.operator.role == "inverse":
        yield build.power(factors[0], build.number(-1))
    elif place.op == "power" and place.is_square and not place.is_scalar:
        exponent = build.integer_of(factors[1])
        if exponent is not None:
            yield build.matrix_power(factors[0], exponent)


def _index(place: Node, chance: random.Random) -> Iterator[Node]:
    """Another row, column, entry or axis, in whatever counts them."""
    params = place.params
    if place.op == "index":
        ends = place.args[0].shape
        for axis in (0, 1):
            first, last = params[2 * axis : 2 * axis + 2]
            for step in (1, -1):
                moved = (first + step, last + step)
                if all(_inside(moved[0], moved[1], ends[axis])):
                    yield build.apply(
                        "index", *place.args, params=(*params[: 2 * axis], *moved, *params[2 * axis + 2 :])
                    )
    elif place.op == "placed":
        for axis in (0, 1):
            for step in (1, -1):
                first = params[axis] + step
                if all(_inside(first, first + place.args[0].shape[axis], params[2 + axis])):
                    yield build.apply("placed", *place.args, params=(*params[:axis], first, *params[axis + 1 :]))
    elif place.op == "basis":
        for other in (params[0] + 1, params[0] - 1):
            yield TABLE["basis"].call(other, place.rows)  # type: ignore[misc]  # it has a call
    elif place.op not in ("number", "matpow", "variable"):
        along = any(", 1 ->" in signature for signature in place.operator.signatures)  # rows or columns, no third axis
        for k, given in enumerate(params):
            for other in (given + 1, given - 1) if isinstance(given, int) else ():
                if along and other not in (0, 1):
                    continue
                yield build.apply(place.op, *place.args, params=(*params[:k], other, *params[k + 1 :]))


def _inside(first: object, last: object, size: object) -> Iterator[bool]:
    """Whether a stretch lies in an axis, as far as numbers tell."""
    yield not isinstance(first, int) or first >= 0
    yield not (isinstance(last, int) and isinstance(size, int)) or last <= size


def _chain(place: Node, chance: random.Random) -> Iterator[Node]:
    factors = place.args
    if place.op == "scale":
        yield factors[1]
    elif place.op in ("times", "product"):
        combine = build.times if place.op == "times" else build.product
        for k in range(len(factors)):
            if factors[k].op != "number":
                yield combine(*factors[:k], *factors[k + 1 :])


def _epsilon(root: Node, chance: random.Random) -> Node | None:
    """A millionth of one term; of the whole where there is one term."""
    sums = [node for node in postorder(root) if node.op == "add"]
    place = chance.choice(sums) if sums else root
    term = chance.choice(_terms(place)) if sums else root
    moved = build.add(place, _times(EPSILON, term)) if sums else _times(1 + EPSILON, term)
    made = replaced(root, place, moved)
    return None if made is root else made


def _one_entry(root: Node, chance: random.Random) -> Node | None:
    """One entry more by a thousandth, or by three tenths of itself."""
    if root.is_scalar:
        return None
    rows, cols = root.shape
    row, col = (chance.randrange(2) if size != 1 else 0 for size in root.shape)
    entry = build.product(
        TABLE["basis"].call(row, rows),  # type: ignore[misc]  # it has a call
        build.transpose(TABLE["basis"].call(col, cols)),  # type: ignore[misc]
    )
    if chance.random() < 0.5:
        return build.add(root, _times(Fraction(1, 1000), entry))
    return build.add(root, _times(Fraction(3, 10), build.times(root, entry)))


def _exponent(place: Node, chance: random.Random) -> Iterator[Node]:
    if place.op == "power":
        yield build.power(place.args[0], build.add(place.args[1], _one(place.args[1])))
        yield build.power(place.args[0], build.subtract(place.args[1], _one(place.args[1])))
    elif place.op == "matpow":
        yield build.matrix_power(place.args[0], place.params[0] + 1)


def _one(like: Node) -> Node:
    return build.number(1) if like.is_scalar else build.ones(*like.shape)


def _function(place: Node, chance: random.Random) -> Iterator[Node]:
    """Another function of every entry, or none at all."""
    if place.operator.is_elementwise and len(place.args) == 1 and not place.params:
        yield place.args[0]
        name = chance.choice([name for name in _ALIKE if name in TABLE and name != place.op])
        if TABLE[name].is_elementwise:
            yield build.apply(name, place.args[0])


def _name(root: Node, chance: random.Random) -> Node | None:
    """Another name of the same shape and with the same properties."""
    names = sorted({node for node in postorder(root) if node.op == "variable"}, key=lambda node: node.digest)
    chance.shuffle(names)
    for one in names:
        for other in names:
            if one is not other and one.shape == other.shape and one.facts == other.facts:
                made = replaced(root, one, other)
                return None if made is root else made
    return None


DAMAGES: dict[str, Damage] = {
    "a sign": _somewhere(_sign),
    "a factor": _somewhere(_factor),
    "a transpose": _somewhere(_transpose),
    "a dropped term": _somewhere(_dropped),
    "a doubled term": _somewhere(_doubled),
    "swapped factors": _somewhere(_swapped),
    "`.*` for `*`, or the other way": _somewhere(_elementwise),
    "an index": _somewhere(_index),
    "a missing chain factor": _somewhere(_chain),
    "1e-6 relative on one term": _epsilon,
    "one entry only": _one_entry,
    "an exponent": _somewhere(_exponent),
    "another function": _somewhere(_function),
    "another name": _name,
}
"""By kind: how to make it."""
