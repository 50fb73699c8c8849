"""The largest and the smallest entry, of all or along an axis, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.bounds import UNIT, hull
from matcalc.expression.formula import Formula, axis_name, call
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM
from matcalc.operators.axes import along, axes_text, canonical, keep_dims, reduced_signatures, written_along

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Boyd & Vandenberghe 2004, sec. 3.2.3"
_SIGNS = frozenset({"positive", "nonnegative", "nonzero"})


def _gap(largest: bool) -> Any:
    """What is zero at a tie: the distance of the best entry from the next best, of every reduced stretch."""

    def ties(node: Node, args: Any) -> Any:
        import numpy as np

        stretches = list(args[0].T if node.params[0] == 0 else args[0]) if node.params else [args[0].ravel()]
        ordered = [sorted(stretch, reverse=largest) for stretch in stretches]
        return np.array([o[0] - o[1] if len(o) > 1 else 1 for o in ordered], dtype=object)

    return ties


def _weights_reference(largest: bool) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import mpmath
        import numpy as np

        x, axis = args[0], along(node.params)
        best = (x.max if largest else x.min)(axis=axis, keepdims=True)
        chosen = np.where(x == best, mpmath.mpf(1), mpmath.mpf(0))
        return chosen / chosen.sum(axis=axis, keepdims=True)

    return evaluate


def _stretches(node: Node, entries: Any) -> list[list[Any]]:
    """The entries of what is reduced: all of them, or each column's, or each row's.

    Raises:
        UnsupportedError: where a size is not a number: SymPy has no largest of an unknown number of entries.
    """
    rows, cols = node.args[0].shape
    if not isinstance(rows, int) or not isinstance(cols, int):
        raise UnsupportedError(f"{node.op} has a SymPy image only where the sizes are numbers")
    table = [[entries[i, j] for j in range(cols)] for i in range(rows)]
    if not node.params:
        return [[entry for row in table for entry in row]]
    return [list(column) for column in zip(*table, strict=True)] if node.params[0] == 0 else table


def _image_extreme(pick: str) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import sympy

        picked = [getattr(sympy, pick)(*stretch) for stretch in _stretches(node, args[0])]
        if not node.params:
            return picked[0]
        return sympy.ImmutableMatrix([picked] if node.params[0] == 0 else [[p] for p in picked])

    return evaluate


def _image_weights(pick: str) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import sympy

        made = []
        for stretch in _stretches(node, args[0]):
            best = getattr(sympy, pick)(*stretch)
            chosen = [sympy.Piecewise((1, sympy.Eq(entry, best)), (0, True)) for entry in stretch]
            made.append([each / sympy.Add(*chosen) for each in chosen])
        if not node.params:
            return sympy.ImmutableMatrix(*node.shape, made[0])
        whole = sympy.ImmutableMatrix(made)
        return whole.T if node.params[0] == 0 else whole

    return evaluate


def _indicator_formula(name: str) -> Any:
    def formula(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
        below = ", ".join(part for part in (rf"\{name}", axis_name(node.params)) if part)
        return Formula(rf"\mathbf{{1}}_{{{below}}}\left({pieces[0].body}\right)", ATOM)

    return formula


def _extreme(name: str, other: str, largest: bool) -> None:
    weights, opposite = f"indicator_{name}", f"indicator_{other}"

    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        found = canonical(name, args[0], params)
        if found is not None:
            return found
        coefficient, rest = build.split(args[0])
        if coefficient == 1 or build.is_zero(args[0]):
            return None
        picked = build.apply(name if coefficient > 0 else other, rest, params=params)
        return build.multiply(build.number(coefficient), picked)

    def weights_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        if args[0].is_scalar:
            return build.number(1)
        if args[0].op == "transpose":
            turned = tuple(1 - axis for axis in params)
            return build.apply(weights, args[0].args[0], params=turned).T
        coefficient, rest = build.split(args[0])
        if coefficient in (0, 1):
            return None
        return build.apply(weights if coefficient > 0 else opposite, rest, params=params)

    def rule(node: Node, i: int, d: Node) -> Node:
        chosen = build.apply(weights, node.args[0], params=node.params)
        if not node.params:
            return build.apply("inner", chosen, d)
        return build.apply("sum_along", build.times(chosen, d), params=node.params)

    def spelled(reduce: str, keyword: str) -> Any:
        return lambda node, args, size: f"{args[0]}.{reduce}({axes_text(node.params)}, {keyword}=True)"

    def chosen_text(reduce: str, keyword: str, cast: str) -> Any:
        def spell(node: Node, args: Any, size: Any) -> str:
            axes = axes_text(node.params)
            best = f"({args[0]} == {args[0]}.{reduce}({axes}, {keyword}=True))"
            return f"({best}.{cast}({args[0]}.dtype) / {best}.sum({axes}, {keyword}=True, dtype={args[0]}.dtype))"

        return spell

    word = "largest" if largest else "smallest"
    define(
        Operator(
            name,
            says=f"the {word} entry; {name}(X, 0) the row of columns' {word}, {name}(X, 1) the column of rows' {word}",
            source=_SOURCE,
            signatures=reduced_signatures(),
            instead=(f"{name}imum", f"the {'larger' if largest else 'smaller'} of two, entry by entry,"),
            call=lambda x, axis=None: build.apply(name, x, params=() if axis is None else (axis,)),
            shape=keep_dims,
            differential=rule,
            simplify=simplify,
            facts=lambda node: node.args[0].facts & _SIGNS,
            bounds=hull,
            ties=_gap(largest),
            written=written_along(name),
            reference=lambda node, args, size: (args[0].max if largest else args[0].min)(
                axis=along(node.params), keepdims=True
            ),
            sympy=_image_extreme("Max" if largest else "Min"),
            lowers=Lowering(
                torch=spelled(f"a{name}", "keepdim"), numpy=spelled(name, "keepdims"), jax=spelled(name, "keepdims")
            ),
            latex=lambda node, pieces, size: call(name, pieces[0].body, below=axis_name(node.params)),
            samples=(
                Sample(f"{name}(x)^2"),
                Sample(f"sum(exp({name}(X, 0)))"),
                Sample(f"norm2({name}(A*X, 1))^2"),
                Sample(f"{name}(-2*x)"),
            ),
            errors=((f"{name}(x, y)", f"{name}imum"),),
        )
    )
    define(
        Operator(
            weights,
            says=f"1 where the {word} entry stands (of all, or along an axis), else 0; entries that tie share the 1",
            source=_SOURCE,
            signatures=("(m,n) -> (m,n)", "(m,n), 0 -> (m,n)", "(m,n), 1 -> (m,n)"),
            call=lambda x, axis=None: build.apply(weights, x, params=() if axis is None else (axis,)),
            shape=lambda args, params: args[0].shape,
            differential=lambda node, i, d: build.zeros(*node.shape),
            simplify=weights_simplify,
            facts=lambda node: frozenset({"nonnegative"}),
            bounds=lambda node, args: UNIT,
            ties=_gap(largest),
            written=written_along(weights),
            reference=_weights_reference(largest),
            sympy=_image_weights("Max" if largest else "Min"),
            lowers=Lowering(
                torch=chosen_text(f"a{name}", "keepdim", "to"),
                numpy=chosen_text(name, "keepdims", "astype"),
                jax=chosen_text(name, "keepdims", "astype"),
            ),
            latex=_indicator_formula(name),
            samples=(Sample(f"y'*{weights}(x)"), Sample(f"sum(A.*{weights}(X, 1))")),
        )
    )


_extreme("max", "min", largest=True)
_extreme("min", "max", largest=False)
define(
    Operator(
        "norm_inf",
        says="the largest absolute value of an entry",
        source="Boyd & Vandenberghe 2004, app. A.1",
        signatures=("(m,n) -> (1,1)",),
        call=lambda x: build.apply("max", build.apply("abs", x)),
        samples=(Sample("norm_inf(x)"), Sample("norm_inf(A*X - B)")),
    )
)
