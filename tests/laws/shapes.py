"""Shapes of random expressions: signatures read backwards, from the result's shape to the arguments'."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from matcalc.expression.operator import Operator
from matcalc.expression.signature import Signature
from matcalc.expression.sizes import AnySize, Shape, Size, as_integer, substitute_sizes

Binding = dict[str, AnySize]
_TYPICAL = {"h": 3, "w": 4}
"""Names that no signature has, and a length for each."""
_MOST_ENTRIES = 36
_LONGEST = 12


def written_size(size: AnySize) -> str:
    """A size as the language writes it: powers as products."""
    if isinstance(size, int):
        return str(size)
    terms = []
    for monomial, factor in size.terms:
        factors = [str(abs(factor))] if abs(factor) != 1 or not monomial else []
        terms.append(("-" if factor < 0 else "+") + "*".join([*factors, *monomial]))
    return "".join(sorted(terms, key=lambda term: term[0] == "-")).removeprefix("+")


def length(size: AnySize) -> int:
    """The size where h is 3 and w is 4."""
    return as_integer(size, _TYPICAL)


def is_moderate(shape: Shape) -> bool:
    """Whether both sizes are positive and neither they nor the entries are many."""
    rows, cols = map(length, shape)
    return 1 <= rows <= _LONGEST and 1 <= cols <= _LONGEST and rows * cols <= _MOST_ENTRIES


def size_names(one: Signature) -> list[str]:
    """The names of sizes in a signature, in order."""
    found: dict[str, None] = {}
    for shape in (*one.matrices, one.result):
        for size in shape:
            found.update(dict.fromkeys(sorted(size.names)) if isinstance(size, Size) else {})
    found.update({p.name: None for p in one.parameters if p.kind == "size"})
    return list(found)


def forward(operator: Operator, one: Signature, sizes: list[AnySize], rng: random.Random) -> Binding:
    """Random sizes for every name of a signature."""
    bound = {name: rng.choice(sizes) for name in size_names(one)}
    bound.update({p.name: 2 for p in one.parameters if p.kind == "size" and _divides(p.name, one)})
    return conserved(operator, one, bound, rng)


def _is_triangular(operator: Operator, one: Signature) -> bool:
    """Whether one side of a balance, or of the result, is the number of entries of a triangle."""
    given = {p.name for p in one.parameters}
    if not one.matrices and any(isinstance(s, Size) and not s.names <= given for s in one.result):
        return True
    return operator.balance is not None and operator.balance((2, 3), (6, 1)) != (6, 6)


def conserved(operator: Operator, one: Signature, bound: Binding, rng: random.Random) -> Binding:
    """The argument's sizes where the result must have as many entries."""
    loose = [n for n in (s for shape in one.matrices for s in shape) if isinstance(n, Size) and n.is_name]
    free = [str(n) for n in loose if not any(_mentions(size, str(n)) for size in one.result)]
    if _is_triangular(operator, one):
        n = rng.choice((2, 3))
        return bound | {"n": n, "p": n * (n + 1) // 2}
    if operator.balance is None or not free:
        return bound
    rows, cols = (substitute_sizes(s, bound) for s in one.result)
    choices = [(rows * cols, 1), (1, rows * cols), (cols, rows)][: 1 if len(free) == 1 else 3]
    return bound | dict(zip(free, rng.choice(choices), strict=False))


def _divides(name: str, one: Signature) -> bool:
    return any(_mentions(s, name) and not (isinstance(s, Size) and s.is_name) for shape in one.matrices for s in shape)


def _mentions(size: AnySize, name: str) -> bool:
    return isinstance(size, Size) and name in size.names


def backward(
    operator: Operator, one: Signature, place: int | None, wanted: Shape, sizes: list[AnySize], rng: random.Random
) -> Binding | None:
    """Sizes for the names of a signature such that the result, or the argument at a place, has a shape; or None."""
    if _is_triangular(operator, one):
        return None
    bound: Binding = {p.name: 2 for p in one.parameters if p.kind == "size" and _divides(p.name, one)}
    for pattern, size in zip(one.result if place is None else one.matrices[place], wanted, strict=True):
        if not _solved(pattern, size, bound, rng):
            return None
    bound.update({name: rng.choice(sizes) for name in size_names(one) if name not in bound})
    return conserved(operator, one, bound, rng) if place is None else bound


def _solved(pattern: AnySize, size: AnySize, bound: Binding, rng: random.Random) -> bool:
    """Whether ``pattern`` can be made ``size`` by sizes for its free names, which are put into ``bound``."""
    pattern = substitute_sizes(pattern, bound)
    if isinstance(pattern, int):
        return pattern == size
    free = sorted(pattern.names - set(_TYPICAL))
    if not free:
        return bool(pattern == size)
    last = rng.choice([name for name in free if any(name in names and factor > 0 for names, factor in pattern.terms)])
    trial: Binding = {name: rng.choice([1, 2]) for name in free if name != last}
    if len(pattern.terms) == 1:
        factor = substitute_sizes(pattern, {**trial, last: 1})
        found = _quotient(size, factor)
    else:
        found = size - substitute_sizes(pattern, {**trial, last: 1}) + 1
    if found is None or length(found) < 1:
        return False
    if substitute_sizes(pattern, {**trial, last: found}) != size:
        return False
    bound.update({**trial, last: found})
    return True


def _quotient(size: AnySize, factor: AnySize) -> AnySize | None:
    if factor == 1:
        return size
    if not isinstance(factor, int):
        return None
    if isinstance(size, int):
        return size // factor if size % factor == 0 else None
    if any(f % factor for _, f in size.terms):
        return None
    return sum((Size(((monomial, f // factor),)) if monomial else f // factor for monomial, f in size.terms), 0)


def arguments(one: Signature, bound: Mapping[str, AnySize]) -> Iterator[Shape]:
    """The arguments' shapes."""
    for rows, cols in one.matrices:
        yield substitute_sizes(rows, bound), substitute_sizes(cols, bound)
