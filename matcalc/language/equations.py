"""The equations between sizes that a relation asks for, and a result's shape where those of all arguments are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matcalc.expression.sizes import AnySize, Shape, Size, divided, substitute_sizes
from matcalc.language.kinds import is_one, kind_of
from matcalc.language.unification import Sizes

if TYPE_CHECKING:
    from matcalc.language.scene import Relation


def result_shape(relation: Relation, shapes: Mapping[int, Shape]) -> Shape | None:
    """The shape that a relation gives its result, None where the arguments' shapes do not tell one.

    Kinds are read off the sizes, so of kinds that the signatures leave open none has to be tried out.
    """
    arguments = relation.values[:-1]
    if any(value not in shapes for value in arguments):
        return None
    given = tuple(kind_of(shapes[value]) for value in arguments)
    found: set[Shape] = set()
    for kinds in relation.table:
        if kinds[:-1] == given:
            found |= _results_of_kind(relation, kinds, {value: shapes[value] for value in arguments})
    made = found.pop() if len(found) == 1 else None
    return made if made is not None and not any(Sizes().is_open(size) for size in made) else None


def _results_of_kind(relation: Relation, kinds: tuple[int, ...], shapes: dict[int, Shape]) -> set[Shape]:
    """The shape of a result of some kind, if there is one; what the arguments leave open of it is an unknown size."""
    names = {name for shape in shapes.values() for size in shape if isinstance(size, Size) for name in size.names}
    sizes = Sizes(rigid=names)
    rows, cols = (1 if is_one(kinds[-1], axis) else sizes.fresh() for axis in (0, 1))
    shapes[relation.values[-1]] = rows, cols
    if not equated(relation, kinds, shapes, sizes) or sizes.finish() is not None:
        return set()
    return {(sizes.resolved(rows), sizes.resolved(cols))}


def equated(relation: Relation, kinds: tuple[int, ...], shapes: Mapping[int, Shape], sizes: Sizes) -> bool:
    """Demand the sizes that a relation asks for, of values of some kinds; whether they can be so."""
    if relation.cuts is not None:
        return _cut(relation, shapes, sizes)
    form = relation.table.get(kinds)
    if form is None:
        return False
    bound: dict[str, AnySize] = dict(relation.given)
    for value, pattern in zip(relation.values, form.matrices, strict=True):
        for have, want in zip(shapes[value], pattern, strict=True):
            if relation.trims and isinstance(want, Size) and value != relation.values[-1]:
                fits = _trimmed(have, want, bound, sizes)
                if fits is False:
                    return False
                if fits:
                    continue
            if isinstance(want, Size):
                for name in sorted(want.names):
                    if name not in bound:
                        bound[name] = sizes.fresh()
            if not sizes.equate(have, _put(want, bound), exact=isinstance(want, int)):
                return False
    if relation.balance is not None:
        return sizes.equate(*relation.balance(shapes[relation.values[0]], shapes[relation.values[-1]]))
    return True


def _trimmed(have: AnySize, want: Size, bound: dict[str, AnySize], sizes: Sizes) -> bool | None:
    """Whether a size argument divides a size, which binds the other factor; None of a size not known yet."""
    others = want.names - bound.keys()
    quotient = divided(sizes.resolved(have), _put(want, {**bound, **dict.fromkeys(others, 1)}))
    if quotient is None:
        return None if sizes.is_open(have) else False
    bound.update(dict.fromkeys(others, quotient))
    return bool(others) or quotient == 1


def _put(size: AnySize, values: Mapping[str, AnySize]) -> AnySize:
    return substitute_sizes(size, values)


def _cut(relation: Relation, shapes: Mapping[int, Shape], sizes: Sizes) -> bool:
    assert relation.cuts is not None
    whole, part = (shapes[value] for value in (relation.values[0], relation.values[-1]))
    for cut, size, have in zip(relation.cuts, whole, part, strict=True):
        full = sizes.resolved(size)
        if cut.single:
            continue
        start, stop = cut.ends(full)
        length = stop - start
        if isinstance(length, int) and length < 1:
            return False
        if isinstance(full, int) and isinstance(stop, int) and stop > full:
            return False
        if not sizes.equate(have, length) and not (length == 1 and have == 1):
            return False
    return True
