"""Products of scalars or entries, read as fractions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from matcalc.expression import build
from matcalc.expression.nodes import Node


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
