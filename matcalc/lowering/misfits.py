"""Why inputs do not fit the names that they are given for: said when evaluating them has failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matcalc.errors import ShapeError
from matcalc.expression.sizes import AnySize, Size, substitute_sizes
from matcalc.lowering.emit import looks
from matcalc.lowering.program import Parameter

_AXES = {"scalar": 0, "vector": 1}


def misfit(parameters: Sequence[Parameter], values: Sequence[Any]) -> ShapeError | None:
    """The error for inputs whose shapes do not go together, naming them; None where they do.

    >>> from matcalc.expression.sizes import Size
    >>> n = Size.named("n")
    >>> x, y = (Parameter(name, "vector", name, (n, 1)) for name in ("x", "y"))
    >>> print(misfit([x, y], [[1.0], [1.0, 2.0]]))
    the size n is 1 in x and 2 in y
    x is a vector (n,) and came with the shape (1,); y is a vector (n,) and came with the shape (2,)
    """
    try:
        shapes = [_shape(value) for value in values]
    except (TypeError, ValueError):  # no numbers, or lists of different lengths
        return None
    told: dict[str, tuple[int, int]] = {}
    for k, (p, shape) in enumerate(zip(parameters, shapes, strict=True)):
        own = _own(p)
        if len(shape) < len(own):
            return ShapeError(f"{p.name} has too few axes", why=_came(p, shape))
        for size, length in zip(own, shape[len(shape) - len(own) :], strict=True):
            if isinstance(size, int) and size != length:
                return ShapeError(f"an axis of {p.name} is {length} long, and {size} as declared", why=_came(p, shape))
            if isinstance(size, Size) and size.is_name:
                before = told.setdefault(str(size), (length, k))
                if before[0] != length:
                    return _conflict(str(size), before, (length, k), parameters, shapes)
    return _composite(parameters, shapes, {name: length for name, (length, _) in told.items()}) or _leading(
        parameters, shapes
    )


def _shape(value: Any) -> tuple[int, ...]:
    import numpy as np

    return tuple(value.shape) if hasattr(value, "shape") else np.shape(np.asarray(value, float))


def _own(p: Parameter) -> tuple[AnySize, ...]:
    return p.shape[: _AXES.get(p.storage, 2)]


def _came(p: Parameter, shape: tuple[int, ...]) -> str:
    said = f"{p.name} is a {looks(p.storage, p.shape)} and came with the shape {shape}"
    is_column = p.storage == "vector" and len(shape) > 1 and shape[-1] == 1
    return f"{said} (a vector has one axis, the others are batch axes)" if is_column else said


def _conflict(
    name: str,
    first: tuple[int, int],
    second: tuple[int, int],
    parameters: Sequence[Parameter],
    shapes: Sequence[tuple[int, ...]],
) -> ShapeError:
    """One size name is two numbers, in one input or in two."""
    places = dict.fromkeys((first[1], second[1]))
    why = "; ".join(_came(parameters[k], shapes[k]) for k in places)
    where = [parameters[k].name for k in (first[1], second[1])]
    also = f" in {where[0]} and {second[0]} in {where[1]}" if len(places) > 1 else f" and {second[0]} in {where[0]}"
    return ShapeError(f"the size {name} is {first[0]}{also}", why=why)


def _composite(
    parameters: Sequence[Parameter], shapes: Sequence[tuple[int, ...]], told: Mapping[str, int]
) -> ShapeError | None:
    """An axis of a size such as 2*n whose names other inputs tell."""
    for p, shape in zip(parameters, shapes, strict=True):
        own = _own(p)
        for size, length in zip(own, shape[len(shape) - len(own) :], strict=True):
            wanted = substitute_sizes(size, told)
            if isinstance(wanted, int) and wanted != length:
                return ShapeError(
                    f"an axis of {p.name} is {length} long, and {size} = {wanted} as declared", why=_came(p, shape)
                )
    return None


def _leading(parameters: Sequence[Parameter], shapes: Sequence[tuple[int, ...]]) -> ShapeError | None:
    """Batch axes that do not broadcast over each other."""
    import numpy as np

    batches = [(p, shape[: len(shape) - len(_own(p))]) for p, shape in zip(parameters, shapes, strict=True)]
    try:
        np.broadcast_shapes(*(batch for _, batch in batches))
    except ValueError:
        said = ", ".join(f"{batch} of {p.name}" for p, batch in batches if batch)
        return ShapeError(f"the batch axes do not go together: {said}", why="leading axes broadcast over each other")
    return None
