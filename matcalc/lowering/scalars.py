"""Products of scalars or entries, read as fractions; determinants that cancel against an inverse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.lowering.factors import factors_of, is_inverse


class Fractioned(NamedTuple):
    """``coefficient * above / below``."""

    coefficient: Fraction
    above: tuple[Node, ...]
    below: tuple[Node, ...]

    def factors(self) -> Iterator[Node]:
        """The factors as nodes again, the coefficient first."""
        if self.coefficient != 1:
            yield build.number(self.coefficient)
        yield from self.above
        for node in self.below:
            yield build.power(node, build.number(-1))


def fractioned(node: Node) -> Fractioned:
    """``node`` as a fraction: what has a negative power stands below."""
    coefficient, above, below = Fraction(1), [], []
    for factor in node.args if node.op == "times" else (node,):
        value = build.number_of(factor)
        exponent = build.number_of(factor.args[1]) if factor.op == "power" and factor.args[1].is_scalar else None
        if value is not None:
            coefficient *= value
        elif exponent is not None and exponent < 0:
            below.append(build.power(factor.args[0], build.number(-exponent)))
        else:
            above.append(factor)
    return Fractioned(coefficient, tuple(above), tuple(below))


def without_determinant(factors: Sequence[Node]) -> tuple[Node | None, Node, Node] | None:
    """Where one factor is det(X) to a power and another holds inv(X): the rest, the holder and X."""
    factors = [g for f in factors for g in (f.args if f.op == "times" and f.is_scalar else (f,))]
    for factor in factors:
        base, exponent = _determinant(factor)
        if base is None or exponent < 1 or "invertible" in base.facts:
            continue
        holder = next((f for f in factors if f is not factor and _holds_inverse(f, base)), None)
        if holder is not None:
            scalars = [f for f in factors if f is not factor and f is not holder]
            if exponent > 1:
                scalars.append(build.power(factor.args[0], build.number(exponent - 1)))
            return (build.times(*scalars) if scalars else None), holder, base
    return None


def _determinant(node: Node) -> tuple[Node | None, int]:
    exponent = build.integer_of(node.args[1]) if node.op == "power" else 1
    core = node.args[0] if node.op == "power" else node
    if exponent is None or core.operator.lowers.role != "determinant":
        return None, 0
    return core.args[0], exponent


def _holds_inverse(node: Node, base: Node) -> bool:
    """Whether the node is inv(base), its transpose, a product with it, or the trace of such a product."""
    inner = node.args[0] if node.operator.lowers.role == "trace" else node
    if inner.op not in ("product", "transpose") and not is_inverse(inner):
        return False
    parts = factors_of(inner.args if inner.op == "product" else (inner,))
    return any(f.kind == "solve" and f.base is base for f in parts)
