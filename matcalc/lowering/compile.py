"""From a module's text to a function on tensors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from matcalc.lowering.names import latin
from matcalc.lowering.program import Program

if TYPE_CHECKING:
    import torch


def compiled(
    program: Program, source_text: str, name: str = "gradient", ignored: Collection[str] = ()
) -> Callable[..., Any]:
    """The function ``name`` of ``source_text``, called by position or by keyword.

    A keyword is the name as declared, with its Greek letters or without, or as the text calls it. Keywords in
    ``ignored`` are passed over. Numbers become tensors, integers the default floating-point type.

    The function raises:
        TypeError: for an input that is missing, given twice or not one of the program's.
    """
    module: dict[str, Any] = {"__name__": f"matcalc_{name}"}
    exec(compile(source_text, f"<{name}>", "exec"), module)  # noqa: S102  our own emitted text, made from checked names
    inner = module[name]
    keywords = {key: p.name for p in program.parameters for key in (p.python_name, latin(p.name), p.name)}
    passed_over = frozenset(map(latin, ignored)) - keywords.keys()
    order = [p.name for p in program.parameters]

    def call(*args: Any, **given: Any) -> Any:
        values = _bound(name, order, keywords, passed_over, args, given)
        return inner(*_alike([values[key] for key in order]))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = inner.__doc__
    return call


def _bound(
    name: str,
    order: list[str],
    keywords: Mapping[str, str],
    ignored: frozenset[str],
    args: tuple[Any, ...],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """The inputs by their names."""
    takes = f"{name} takes {', '.join(order) or 'nothing'}"
    if len(args) > len(order):
        raise TypeError(f"{takes}; {len(args)} were given by position")
    values = dict(zip(order, args, strict=False))
    for key, value in given.items():
        own = keywords.get(key, keywords.get(latin(key)))
        if own is None and latin(key) in ignored:
            continue
        if own is None:
            raise TypeError(f"{takes}; there is no {key!r}")
        if own in values:
            raise TypeError(f"{takes}; {own!r} was given twice")
        values[own] = value
    missing = [key for key in order if key not in values]
    if missing:
        raise TypeError(f"{takes}; {', '.join(map(repr, missing))} is missing")
    return values


def _alike(values: list[Any]) -> list[torch.Tensor]:
    """The inputs as floating-point tensors of one type; numbers follow the tensors' device and type."""
    import torch

    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    floating = [t.dtype for t in tensors if t.dtype.is_floating_point]
    dtype = floating[0] if floating else torch.get_default_dtype()
    for other in floating[1:]:
        dtype = torch.promote_types(dtype, other)
    device = tensors[0].device if tensors else None
    return [
        v.to(dtype) if isinstance(v, torch.Tensor) else torch.as_tensor(v, dtype=dtype, device=device) for v in values
    ]
