"""From a module's text to a function on arrays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matcalc.errors import DeviceError
from matcalc.lowering.misfits import misfit
from matcalc.lowering.names import latin
from matcalc.lowering.program import Parameter, Program
from matcalc.lowering.targets import target_named
from matcalc.lowering.variants import Variants

if TYPE_CHECKING:
    import torch


def compiled(
    program: Program,
    source_text: str,
    name: str = "gradient",
    ignored: Collection[str] = (),
    target: str = "torch",
    unbatched: Callable[[Mapping[str, int]], str] | None = None,
    wrapped: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
) -> Callable[..., Any]:
    """The function ``name`` of ``source_text``, called by position or by keyword.

    A keyword is the name as declared, with its Greek letters or without, or as the text calls it. Keywords in
    ``ignored`` are passed over. Numbers become arrays, integers the default floating-point type. ``unbatched`` gives
    the text for inputs without leading axes, from their sizes: the same values with fewer operations, so it is used
    where all inputs are such tensors of one floating-point type. ``wrapped`` is applied to what a text defines.

    Raises:
        DeviceError: when what the text imports is not installed.

    The function raises:
        TypeError: for an input that is missing, given twice or not one of the program's.
        ShapeError: for inputs with which it fails and whose shapes do not fit what their names were declared.
    """
    inner = wrapped(defined(source_text, name))
    alike = list if target_named(target).entry else _alike
    keywords = {key: p.name for p in program.parameters for key in (p.python_name, latin(p.name), p.name)}
    passed_over = frozenset(map(latin, ignored)) - keywords.keys()
    order = [p.name for p in program.parameters]

    variants = None
    if unbatched is not None and order:
        variants = Variants(program, inner, unbatched, lambda text: wrapped(defined(text, name)))

    def call(*args: Any, **given: Any) -> Any:
        values = _bound(name, order, keywords, passed_over, args, given)
        try:
            inputs = alike([values[key] for key in order])
            if variants is not None and variants.fit(inputs):
                return variants.function(inputs)(*inputs)
            return inner(*inputs)
        except Exception as error:
            explained = misfit(program.parameters, [values[key] for key in order])
            if explained is None:
                raise
            raise explained from error

    made = call if variants is None else _quick(call, program.parameters, variants)
    made.__name__ = made.__qualname__ = name
    made.__doc__ = inner.__doc__
    return made


_QUICK = """
def quick(*args, **given):
    if not given and len(args) == {count}:
        {names} = args
        try:
            dtype = t0.dtype
            fits = dtype in floating and {ranks}{types}
        except AttributeError:
            fits = False
        if fits:
            try:
                return (variants.single or variants.function(args))({names})
            except Exception as error:
                explained = misfit(parameters, args)
                if explained is None:
                    raise
                raise explained from error
    return rest(*args, **given)
"""


def _quick(call: Callable[..., Any], parameters: Sequence[Parameter], variants: Variants) -> Callable[..., Any]:
    """``call``, but for tensors of one type and without leading axes the code made for such.

    It runs before every evaluation, where a loop costs as much as adding two small tensors: so it is written out.
    """
    import torch

    order = [p.name for p in parameters]

    def rest(*args: Any, **given: Any) -> Any:
        if args or len(given) != len(order):
            return call(*args, **given)
        try:
            values = [given[key] for key in order]
        except KeyError:  # another way of writing a name, or none
            return call(**given)
        return quick(*values)

    names = [f"t{k}" for k in range(len(order))]
    text = _QUICK.format(
        count=len(order),
        names=", ".join(names) + "," * (len(names) == 1),
        ranks=" and ".join(f"{name}.ndim == {rank}" for name, rank in zip(names, variants.ranks, strict=True)),
        types="".join(f" and {name}.dtype is dtype" for name in names[1:]),
    )
    floating = frozenset((torch.float64, torch.float32, torch.float16, torch.bfloat16))
    scope: dict[str, Any] = {
        "__name__": __name__, "floating": floating, "variants": variants, "rest": rest,
        "misfit": misfit, "parameters": parameters,
    }  # fmt: skip
    exec(text, scope)  # noqa: S102  numbers are all that is filled in
    quick: Callable[..., Any] = scope["quick"]
    return quick


def defined(source_text: str, name: str) -> Callable[..., Any]:
    """The function that a module's text defines, as it stands there.

    Raises:
        DeviceError: when what the text imports is not installed.
    """
    module: dict[str, Any] = {"__name__": f"matcalc_{name}"}
    try:
        exec(compile(source_text, f"<{name}>", "exec"), module)  # noqa: S102  our own text, made from checked names
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise DeviceError(
            f"{missing} is not installed",
            why="the compiled function needs it; its source text can be had without",
            suggestion=f"pip install {missing if missing == 'torch' else f'matcalc-checker[{missing}]'}",
        ) from error
    made: Callable[..., Any] = module[name]
    return made


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
