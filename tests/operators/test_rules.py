"""Every rule by itself: an operator's differential against differences, its transpose by the dot-product test.

The operator is applied to fresh names, as it occurs in its samples and in their gradients. Differences are taken of its
own reference arithmetic in 60 digits, so that a rule is held to 1e-20 and not to what floats can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import mpmath
import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.differential import differential
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.subspace import projected
from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import TABLE
from matcalc.expression.property import PROPERTIES, closure
from matcalc.expression.sizes import AnySize, Size, as_integer

_MOST_OF_ONE = 3
_SIZES = (3, 4, 2, 5, 6)
_DIGITS = 60
_CLOSE = "1e-20"


def _occurrences() -> Iterator[tuple[str, Node]]:
    """Up to three uses of every operator that takes arguments, from the samples and their gradients."""
    found: dict[str, dict[tuple[Any, ...], Node]] = {}
    for operator in TABLE.values():
        for sample in operator.samples:
            f = mc.parse(sample.text, dict(sample.let) or None)
            for node in postorder(f.node, *(mc.grad(f, name).node for name in f.variables)):
                if node.args:
                    shapes = tuple((str(arg.shape), arg.facts) for arg in node.args)
                    uses = found.setdefault(node.op, {})
                    if len(uses) < _MOST_OF_ONE:
                        uses.setdefault((shapes, node.params), node)
    return ((op, node) for op, uses in sorted(found.items()) for node in uses.values())


USES = list(_occurrences())
NAMES = [f"{op}-{k}" for k, (op, _) in enumerate(USES)]


class Applied:
    """The operator of a node on names of its own, at fixed sizes, with values and directions for them."""

    def __init__(self, node: Node) -> None:
        self.sizes = _sizes(node)
        rng = np.random.Generator(np.random.PCG64(7))
        self.rng = rng
        self.names = [
            build.variable(f"X{k}", arg.shape, "matrix", _properties(arg)) if not _is_parameter(arg) else arg
            for k, arg in enumerate(node.args)
        ]
        self.node = build.apply(node.op, *self.names, params=node.params)
        values = {v.params[0]: self._value(node, k, v) for k, v in enumerate(self.names) if v.op == "variable"}
        self.values = lifted(values)

    def _value(self, node: Node, k: int, v: Node) -> Any:
        rows, cols = (as_integer(s, self.sizes) for s in v.shape)
        wanted = [*v.params[2], *([node.operator.domain[k]] if k in node.operator.domain else [])]
        known = [PROPERTIES[name] for name in wanted if name in PROPERTIES]
        for record in sorted(known, key=lambda r: (getattr(r.sample, "__name__", "") == "<lambda>", -_says(r.name))):
            if record.sample is not None:
                made = record.sample(self.rng, rows, cols)
                for name in v.params[2]:
                    made = projected(name, made) if PROPERTIES[name].project is not None else made
                return made
        base = (
            self.rng.uniform(0.5, 1.5, (rows, cols)) if node.op == "power" else self.rng.standard_normal((rows, cols))
        )
        return base + (2 * np.eye(rows) if rows == cols and node.op in ("inv", "det", "logdet") else 0)

    def direction(self, shape: tuple[AnySize, AnySize]) -> Any:
        rows, cols = (as_integer(s, self.sizes) for s in shape)
        return lifted({"d": self.rng.standard_normal((rows, cols))})["d"]

    def at(self, node: Node, **more: Any) -> Any:
        return evaluate(node, {**self.values, **more}, self.sizes)


def _says(name: str) -> int:
    """How narrow a property is: how many follow from it."""
    return len(closure((name,)))


def _is_parameter(arg: Node) -> bool:
    """Exponents that are numbers choose between rules, and stay as they are."""
    return arg.op == "number"


def _properties(arg: Node) -> frozenset[str]:
    return frozenset(
        fact for fact in arg.facts if fact in PROPERTIES and (arg.is_square or not PROPERTIES[fact].square)
    )


def _sizes(node: Node) -> dict[str, int]:
    named: dict[str, None] = {}
    for size in (*node.shape, *node.params, *(s for arg in node.args for s in arg.shape)):
        if isinstance(size, Size):
            named.update(dict.fromkeys(sorted(size.names)))
    shapes = [size for each in (node, *node.args) for size in each.shape]
    return next(
        sizes
        for order in permutations(_SIZES, min(len(named), len(_SIZES)))
        if all(as_integer(size, sizes := dict(zip(named, order, strict=True))) >= 1 for size in shapes)
    )


@pytest.mark.parametrize(("op", "node"), USES, ids=NAMES)
def test_a_differential_is_what_differences_say(op: str, node: Node) -> None:
    with mpmath.workdps(_DIGITS):
        applied = Applied(node)
        assert applied.node.op == op, "the operator does not survive on names with the same facts"
        for v in applied.node.args:
            if v.op != "variable":
                continue
            dx = build.variable("dX", v.shape, "matrix")
            d, step = applied.direction(v.shape), mpmath.mpf("1e-15")
            x = applied.values[v.params[0]]
            ends = [applied.at(applied.node, **{v.params[0]: x + s * d}) for s in (step, -step)]
            expected = (ends[0] - ends[1]) / (2 * step) * (0 if node.operator.frozen else 1)
            try:
                moved = differential(applied.node, v, dx)
            except UnsupportedError:
                continue  # it needs to know more than the use says; the sentence is tested where it is written
            found = applied.at(moved, dX=d)
            size = max(abs(expected).max(), mpmath.mpf("1e-10"))
            assert abs(found - expected).max() <= mpmath.mpf(_CLOSE) * size


@pytest.mark.parametrize(("op", "node"), USES, ids=NAMES)
def test_a_transpose_passes_the_dot_product_test(op: str, node: Node) -> None:
    send = node.operator.transpose
    assert send is not None or node.operator.differential is not None, "neither linear nor with a differential"
    with mpmath.workdps(_DIGITS):
        applied = Applied(node)
        u_name = build.variable("U", applied.node.shape, "matrix")
        u = applied.direction(applied.node.shape)
        for i, v in enumerate(applied.node.args):
            if send is None or v.op != "variable":
                continue
            d = applied.direction(v.shape)
            moved = differential(applied.node, v, build.variable("dX", v.shape, "matrix"))
            if build.is_zero(moved) or moved.depends_on(v.params[0]):
                continue  # a choice, such as where's, or not linear in this argument: nothing is ever sent there
            sent = applied.at(send(applied.node, i, u_name), U=u)
            left, right = (u * applied.at(moved, dX=d)).sum(), (sent * d).sum()
            assert abs(left - right) <= mpmath.mpf(_CLOSE) * (abs(sent) * abs(d)).sum()
