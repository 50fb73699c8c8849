"""The order of factors where the text has none, and what stands below the line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from matcalc.expression import build
from matcalc.expression.nodes import Node, interned
from matcalc.expression.walk import fold
from matcalc.language.signs import plain

_LONG = 60


def is_negative_power(factor: Node) -> bool:
    """Whether a factor stands below the line."""
    return factor.op == "power" and is_negative(factor.args[1])


def is_negative(exponent: Node) -> bool:
    """Whether an exponent has a minus in front."""
    return build.split(exponent)[0] < 0 and exponent.op != "add"


def reciprocal(factor: Node) -> Node:
    """What stands below the line for a factor with a negative exponent."""
    base, exponent = factor.args
    opposite = plain((True, exponent)) if exponent.op != "number" else build.number(-exponent.params[0])
    return base if build.is_one(opposite) else interned("power", (base, opposite), (), factor.shape)


def in_reading_order(factors: Sequence[Node]) -> list[Node]:
    """Constants, names and their powers, then the rest by size and spelling."""
    return sorted(factors, key=reading_key)


def reading_key(factor: Node) -> tuple[object, ...]:
    """What factors are sorted by."""
    base = factor.args[0] if factor.op == "power" else factor
    is_name = not base.args and all(not a.args for a in factor.args)
    return bool(factor.free), not is_name, factor.weight, spelling(factor)


def spelling(node: Node) -> tuple[str, ...]:
    """The names and operators in the order in which they are read, arguments first; of what is long, another key."""
    if node.weight > _LONG:
        return (node.digest.hex(),)
    return fold(node, lambda below, args: (*chain.from_iterable(args), _leaf_name(below)))


def _leaf_name(node: Node) -> str:
    return str(node.params[0]) if node.op == "variable" else f"~{node.op}{node.params}"


def reads_better(product: Node, other: Node) -> bool:
    """Whether a product of scalar value begins with what is simpler, ``b'*tanh(x)``, or has fewer transposes."""
    return _product_key(product) < _product_key(other)


def _product_key(product: Node) -> tuple[object, ...]:
    first, *rest = product.args
    *simpler, _ = reading_key(first.args[0] if first.op == "transpose" else first)  # two names stand as they come
    return *simpler, sum(f.op == "transpose" for f in rest)
