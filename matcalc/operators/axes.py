"""What reductions have in common: over all entries (no parameter), or along an axis (one)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.sizes import Shape

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def reduced_signatures() -> tuple[str, ...]:
    """Of a value; of a value and an axis."""
    return ("(m,n) -> (1,1)", "(m,n), 0 -> (1,n)", "(m,n), 1 -> (m,1)")


def keep_dims(args: tuple[Node, ...], params: tuple[Any, ...]) -> Shape:
    """The shape that is left: 1×1, a row for axis 0, a column for axis 1."""
    if not params:
        return (1, 1)
    return (1, args[0].cols) if params[0] == 0 else (args[0].rows, 1)


def canonical(name: str, arg: Node, params: tuple[Any, ...]) -> Node | None:
    """The same reduction of less: of a single entry, of a single row or column, of a transpose."""
    if arg.is_scalar or (params and arg.shape[params[0]] == 1):
        return arg
    if params and arg.shape[1 - params[0]] == 1:
        return build.apply(name, arg)
    if arg.op == "transpose":
        return build.apply(name, arg.args[0], params=tuple(1 - axis for axis in params)).T
    return None


def along(params: tuple[Any, ...]) -> Any:
    """The axis or axes as NumPy takes them, of a 2-d array."""
    return params[0] if params else (0, 1)


def axes_text(params: tuple[Any, ...]) -> str:
    """The axis or axes counted from the end, in a program where leading axes are batch axes."""
    return str(params[0] - 2) if params else "(-2, -1)"


def written_along(name: str) -> Any:
    """How it prints: ``name(x)`` or ``name(x, axis)``."""
    return lambda node, args, size: f"{name}({', '.join([args[0], *map(str, node.params)])})"
