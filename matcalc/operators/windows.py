"""Windows that lie side by side, of k entries of a vector or k×k entries of a matrix: their sizes, as arrays of any
precision, as images, and as each target writes them. No operator by itself; pooling and its derivatives share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from matcalc.errors import ShapeError
from matcalc.expression import build
from matcalc.expression.operator import Lowering
from matcalc.expression.sizes import AnySize, Shape, Size, divided, substitute_sizes, written_shape

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def window(name: str, k: int) -> tuple[int, int]:
    """Rows and columns of a window of the operator called ``name``, which says whether vectors or matrices have it."""
    return (k, 1) if name.endswith("1d") else (k, k)


def counts(name: str, shape: Shape, k: int) -> tuple[AnySize | None, AnySize | None]:
    """How many windows lie below one another and side by side, None where that is no size."""
    high, wide = window(name, k)
    return divided(shape[0], high), divided(shape[1], wide)


def misfit(name: str) -> Callable[[Sequence[Shape], Sequence[AnySize]], str]:
    """Why windows do not fit into a shape: a sentence, or ""."""
    one_axis = name.endswith("1d")

    def sentence(shapes: Sequence[Shape], sizes: Sequence[AnySize]) -> str:
        shape, k = shapes[0], sizes[0]
        if not isinstance(k, int):
            return f"the window of {name} is a number, as in {name}({'x' if one_axis else 'X'}, 2)"
        have = written_shape(shape)
        if one_axis and shape[1] != 1:
            return f"{name} takes a vector, and this is {have}; a row is turned with r', a matrix is for {name[:-2]}2d"
        if None not in counts(name, shape, k):
            return ""
        pooled = shape[:1] if one_axis else shape
        if any(isinstance(size, int) and size < k for size in pooled):
            return f"a window of {k} does not fit into {have}"
        written = [(name, _multiple_of(k, name, pooled)) for name in _names(pooled)]
        instead = " and ".join(f"{other} for {name}" for name, other in written)
        return (
            f"{name} has windows of {k}, and nothing says that {k} divides the sizes of {have}; declare them as "
            f"numbers, or write {instead} where they are declared"
        )

    return sentence


def _names(sizes: Sequence[AnySize]) -> list[str]:
    return sorted({name for size in sizes if isinstance(size, Size) for name in size.names})


def _multiple_of(k: int, name: str, sizes: Sequence[AnySize]) -> AnySize:
    """What to put for a size name so that the sizes with it are multiples of k, as 2*h + 1 for h in h - 1."""
    for rest in range(k):
        value = k * Size.named(name) + rest
        tried = [substitute_sizes(size, {name: value}) for size in sizes if name in _names([size])]
        numbers = [factor for size in tried if isinstance(size, Size) for names, factor in size.terms if not names]
        if all(number % k == 0 for number in numbers):
            return value
    return k * Size.named(name)


def pooled_shape(name: str, shape: Shape, k: AnySize) -> Shape:
    """One entry for each window.

    Raises:
        ShapeError: where no window fits, or it is not known how many do.
    """
    trouble = misfit(name)([shape], [k])
    rows, cols = counts(name, shape, int(k)) if isinstance(k, int) else (None, None)
    if trouble or rows is None or cols is None:
        raise ShapeError(trouble)
    return rows, cols


def whole_windows(name: str, x: Node, k: AnySize) -> Node:
    """``x`` without the entries that fill no window."""
    rows, cols = pooled_shape(name, x.shape, k)
    high, wide = window(name, int(str(k)))
    return build.apply("index", x, params=(0, rows * high, 0, cols * wide))


def multiple_out(name: str, args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    """Of an operator linear in its first argument: a multiple of the argument is one of the value."""
    coefficient, rest = build.split(args[0])
    scalar = build.number(coefficient)
    if args[0].op == "scale":
        scalar, rest = args[0].args
    if build.is_one(scalar):
        return None
    return build.multiply(scalar, build.apply(name, rest, *args[1:], params=params))


def written(node: Node, args: Sequence[str], size: Any) -> str:
    """The call, the window last."""
    return f"{node.op}({', '.join(args)}, {size(node.params[0])})"


# ------------------------------------------------------------------------------------------------------ arrays


def blocks(node: Node, x: Any) -> Any:
    """The windows of an object array: (rows, cols, entries of each, read row by row)."""
    high, wide = window(node.op, node.params[0])
    rows, cols = x.shape[0] // high, x.shape[1] // wide
    return x.reshape(rows, high, cols, wide).swapaxes(1, 2).reshape(rows, cols, high * wide)


def gaps(source: int) -> Callable[[Node, Sequence[Any]], Any]:
    """How far the largest entry of each window of argument ``source`` is from the next: zero at a tie."""

    def between(node: Node, args: Sequence[Any]) -> Any:
        import numpy as np

        ordered = np.sort(blocks(node, args[source]), axis=2)
        return ordered[..., -1] - ordered[..., -2]

    return between


# ------------------------------------------------------------------------------------------------------ images


def entries(node: Node, x: Any, i: Any, j: Any) -> list[Any]:
    """The entries of window (i, j) of an image, read row by row."""
    high, wide = window(node.op, node.params[0])
    return [x[high * i + a, wide * j + b] for a in range(high) for b in range(wide)]


def image(node: Node, size: Any, entry: Callable[[Any, Any], Any]) -> Any:
    """The image with the given entries, a scalar where it is one."""
    import sympy

    if node.is_scalar:
        return entry(0, 0)
    i, j = sympy.symbols("i j", integer=True)
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry(i, j)))


# ----------------------------------------------------------------------------------------------------- targets


def spelled(text: Callable[[str], Any]) -> Lowering:
    """A lowering from a text that takes a target's module."""
    return Lowering(torch=text("torch"), numpy=text("np"), jax=text("jnp"))


def blocks_text(target: str, x: str, node: Node, count: Shape, size: Any) -> str:
    """The windows of ``x`` as (..., rows, cols, entries of each), as code."""
    high, wide = window(node.op, node.params[0])
    rows, cols = (size(s) for s in count)
    if target == "torch":
        split = f"{x}.unflatten(-1, ({cols}, {wide})).unflatten(-3, ({rows}, {high}))"
        return f"{split}.transpose(-3, -2).flatten(-2)"
    front = f"*{x}.shape[:-2]"
    turned = f"{target}.swapaxes({x}.reshape({front}, {rows}, {high}, {cols}, {wide}), -3, -2)"
    return f"{turned}.reshape({front}, {rows}, {cols}, {high * wide})"
