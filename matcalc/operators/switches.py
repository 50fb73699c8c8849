"""The derivative of max pooling: entries picked where another value has the largest of a window, and put back there.

Both are linear in the first argument. The second says where, and small changes of it do not move the places.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import exactly
from matcalc.expression.operator import Operator, Sample, define
from matcalc.operators import windows

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Zeiler & Fergus 2014, sec. 2.1"


def _rule(node: Node, i: int, d: Node) -> Node:
    return build.apply(node.op, d, node.args[1], params=node.params) if i == 0 else build.zeros(*node.shape)


def _simplify(name: str, shape: Any) -> Any:
    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        if build.is_zero(args[0]):
            return build.zeros(*shape(args, params))
        return args[0] if params[0] == 1 else windows.multiple_out(name, args, params)

    return simplify


# ------------------------------------------------------------------------------------------- arrays and images


def _is_first(found: Any) -> Any:
    """Where each window has its largest entry, the first of several, as torch has it."""
    import numpy as np

    made = np.zeros(found.shape, dtype=bool)
    for place in np.ndindex(found.shape[:2]):
        each = list(found[place])
        made[place][each.index(max(each))] = True
    return made


def _pick_reference(node: Node, args: Any, size: Any) -> Any:
    taken, found = (windows.blocks(node, x) for x in args)
    return (taken * _is_first(found)).sum(axis=2)


def _unpool_reference(node: Node, args: Any, size: Any) -> Any:
    found = windows.blocks(node, args[1])
    high, wide = windows.window(node.op, node.params[0])
    rows, cols = found.shape[:2]
    made = args[0][..., None] * _is_first(found)
    return made.reshape(rows, cols, high, wide).swapaxes(1, 2).reshape(rows * high, cols * wide)


def _pick_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    def entry(i: Any, j: Any) -> Any:
        taken, found = (windows.entries(node, x, i, j) for x in args)
        cases = [(t, sympy.And(*(w >= o for o in found if o is not w))) for t, w in zip(taken, found, strict=True)]
        return sympy.Piecewise(*cases[:-1], (cases[-1][0], True))

    return windows.image(node, size, entry)


def _unpool_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    high, wide = windows.window(node.op, node.params[0])
    u = sympy.Matrix([[args[0]]]) if node.args[0].is_scalar else args[0]

    def entry(i: Any, j: Any) -> Any:
        top, left = sympy.floor(i / sympy.Integer(high)), sympy.floor(j / sympy.Integer(wide))
        mine = (i - high * top) * wide + (j - wide * left)
        here, found = args[1][i, j], windows.entries(node, args[1], top, left)
        first = (
            sympy.Or(here > other, sympy.And(here >= other, sympy.Ge(place, mine))) for place, other in enumerate(found)
        )
        return sympy.Piecewise((u[top, left], sympy.And(*first)), (0, True))

    return windows.image(node, size, entry)


# ----------------------------------------------------------------------------------------------------- targets
# Of several largest entries, argmax takes the first in all three libraries.


def _first_text(target: str, found: str, node: Node, x: str) -> str:
    each = prod(windows.window(node.op, node.params[0]))
    if target == "torch":
        return f"({found}.argmax(-1, keepdim=True) == torch.arange({each}, device={x}.device))"
    return f"({found}.argmax(-1)[..., None] == {target}.arange({each}))"


def _pick_text(target: str) -> Any:
    def spell(node: Node, args: Sequence[str], size: Any) -> str:
        taken, found = (windows.blocks_text(target, x, node, node.shape, size) for x in args)
        first = _first_text(target, found, node, args[1])
        return f"{target}.where({first}, {taken}, 0).sum(-1)"

    return spell


def _unpool_text(target: str) -> Any:
    """In torch the windows, each with its entry, side by side again; elsewhere by comparing places."""

    def spell(node: Node, args: Sequence[str], size: Any) -> str:
        u, x = args
        high, wide = windows.window(node.op, node.params[0])
        found = windows.blocks_text(target, x, node, node.args[0].shape, size)
        if target == "torch":
            placed = f"torch.where({_first_text(target, found, node, x)}, {u}[..., None], 0)"
            return f"{placed}.unflatten(-1, ({high}, {wide})).transpose(-3, -2).flatten(-2).flatten(-3, -2)"
        down = f"{target}.arange({size(node.rows)})[:, None] % {high}"
        across = f"{target}.arange({size(node.cols)}) % {wide}"
        largest = _repeated(target, f"{found}.argmax(-1)", high, wide)
        return f"{target}.where({largest} == {down} * {wide} + {across}, {_repeated(target, u, high, wide)}, 0)"

    return spell


def _repeated(target: str, x: str, high: int, wide: int) -> str:
    down = f"{target}.repeat({x}, {high}, axis=-2)"
    return down if wide == 1 else f"{target}.repeat({down}, {wide}, axis=-1)"


# ----------------------------------------------------------------------------------------------------- records


def _pair(dimension: str, large: str, small: str, x: str) -> None:
    pick, unpool = f"maxpick{dimension}", f"maxunpool{dimension}"

    def picked_shape(args: tuple[Node, ...], params: tuple[Any, ...]) -> Any:
        return windows.pooled_shape(pick, args[1].shape, params[0])

    def unpooled_shape(args: tuple[Node, ...], params: tuple[Any, ...]) -> Any:
        return args[1].shape

    define(
        Operator(
            pick,
            says="the entry of x where z has the first largest of each window",
            source=_SOURCE,
            signatures=(f"{large}, {large}, size k -> {small}",),
            call=lambda x, z, k: build.apply(pick, x, z, params=(k,)),
            shape=picked_shape,
            differential=_rule,
            transpose=lambda node, i, u: build.apply(unpool, u, node.args[1], params=node.params),
            simplify=_simplify(pick, picked_shape),
            bounds=lambda node, args: args[0],
            ties=windows.gaps(1),
            reference=_pick_reference,
            sympy=_pick_image,
            written=windows.written,
            lowers=windows.spelled(_pick_text),
            samples=(Sample(f"sum(square({pick}({x}, A, 2)))"), Sample(f"sum({pick}({x}, {x}, 3))")),
        )
    )
    define(
        Operator(
            unpool,
            says="each entry of u where z has the first largest of its window, 0 elsewhere",
            source=_SOURCE,
            signatures=(f"{small}, {large}, size k -> {large}",),
            call=lambda u, z, k: build.apply(unpool, u, z, params=(k,)),
            shape=unpooled_shape,
            differential=_rule,
            transpose=lambda node, i, u: build.apply(pick, u, node.args[1], params=node.params),
            simplify=_simplify(unpool, unpooled_shape),
            bounds=lambda node, args: args[0] | exactly(0),
            ties=windows.gaps(1),
            reference=_unpool_reference,
            sympy=_unpool_image,
            written=windows.written,
            lowers=windows.spelled(_unpool_text),
            samples=(Sample(f"sum(square({unpool}({x}, A, 2)))"),),
        )
    )


_pair("1d", "(k*m,1)", "(m,1)", "x")
_pair("2d", "(k*m,k*n)", "(m,n)", "X")
