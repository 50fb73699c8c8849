"""How the value of each size name is read from the shapes of the inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from matcalc.errors import UnsupportedError
from matcalc.expression.sizes import AnySize, Size
from matcalc.lowering.names import Names
from matcalc.lowering.program import Parameter, SizeReading


def readings(
    sizes: Iterable[AnySize],
    parameters: Sequence[Parameter],
    values: Mapping[str, int],
    names: Names,
    *,
    batched: bool = True,
) -> tuple[SizeReading, ...]:
    """A reading for every size name in ``sizes``, in an order in which each needs only those before it.

    Raises:
        UnsupportedError: for a size name that no input's shape tells.
    """
    wanted = sorted({name for size in sizes if isinstance(size, Size) for name in size.names})
    found: dict[str, SizeReading] = {}
    for name in wanted:
        _read(name, parameters, values, names, found)
    flat = set() if batched else {p.python_name for p in parameters if p.storage == "vector"}
    return tuple(r._replace(axis=r.axis + 1) if r.parameter in flat else r for r in found.values())


def _read(
    name: str,
    parameters: Sequence[Parameter],
    values: Mapping[str, int],
    names: Names,
    found: dict[str, SizeReading],
) -> None:
    if name in found:
        return
    places = [(p, axis, p.shape[axis]) for p in parameters for axis in (0, 1)]
    for parameter, axis, size in places:
        if isinstance(size, Size) and size.is_name and name in size.names:
            found[name] = SizeReading(name, names.own(name), parameter.python_name, axis - 2)
            return
    solutions = [(p, axis, solved) for p, axis, size in places if (solved := _solved(name, size)) is not None]
    for parameter, axis, (factor, rest, power) in sorted(solutions, key=lambda each: each[2][2]):
        if all(_all_read(part, parameters, values, names, found) for part in (factor, rest)):
            own = names.own(name)
            found[name] = SizeReading(name, own, parameter.python_name, axis - 2, rest, factor, power=power)
            return
    if name not in values:
        raise UnsupportedError(
            f"no input tells the size {name}",
            why=f"code reads sizes off the shapes of its inputs, and none of them has {name}: give it a value",
            suggestion=f"sizes={{{name!r}: 3}}, or --sizes {name}=3",
        )
    found[name] = SizeReading(name, names.own(name), "", 0, value=values[name])


def _all_read(
    rest: AnySize,
    parameters: Sequence[Parameter],
    values: Mapping[str, int],
    names: Names,
    found: dict[str, SizeReading],
) -> bool:
    """Whether the names in ``rest`` stand as axes themselves; reads them."""
    others = rest.names if isinstance(rest, Size) else frozenset()
    axes = {str(size) for p in parameters for size in p.shape}
    if not others <= axes | found.keys():
        return False
    for other in sorted(others):
        _read(other, parameters, values, names, found)
    return True


def _solved(name: str, size: AnySize) -> tuple[AnySize, AnySize, int] | None:
    """``(factor, rest, power)`` with ``size = factor*name**power + rest``, where it has that form."""
    if not isinstance(size, Size):
        return None
    own = [(mono, factor) for mono, factor in size.terms if name in mono]
    if len(own) != 1:
        return None
    monomial, coefficient = own[0]
    factor: AnySize = coefficient
    for other in monomial:
        factor = factor if other == name else factor * Size.named(other)
    return factor, size - Size(((monomial, coefficient),)), monomial.count(name)
