"""No exponent, no tower of powers and no number expression is too large: constants are folded within bounds."""

from __future__ import annotations

import math
from fractions import Fraction

from matcalc.language.folding import bits_of_power, folded
from matcalc.language.tree import Binary, Node, Number, Sign, children
from matcalc.limits import Limits, exceeded

_BITS_PER_DIGIT = 3.3220
_POWERS = ("^", ".^")


def check_powers(nodes: list[Node], text: str, limits: Limits) -> None:
    """Raises LimitError for the first node, children before their parents, that is beyond a limit."""
    values: dict[int, Fraction | None] = {}
    towers: dict[int, int] = {}
    for node in nodes:
        height = max((towers[id(child)] for child in children(node)), default=0)
        if isinstance(node, Binary) and node.operator in _POWERS:
            exponent = values[id(node.right)]
            if exponent is not None:
                height = max(towers[id(node.left)], 1 + towers[id(node.right)])
                _check_exponent(exponent, node, text, limits)
        if height > limits.tower:
            raise exceeded(limits, "tower", height, f"a tower of {height} powers", text, node.span)
        towers[id(node)] = height
        values[id(node)] = _folded(node, values, text, limits)


def _check_exponent(exponent: Fraction, node: Binary, text: str, limits: Limits) -> None:
    if abs(exponent) > limits.scalar_power:
        value = min(math.ceil(abs(exponent)), 10**18)
        raise exceeded(limits, "scalar_power", value, "an exponent too large", text, node.right.span)


def _folded(node: Node, values: dict[int, Fraction | None], text: str, limits: Limits) -> Fraction | None:
    """The value of a node that is a number expression, else None."""
    match node:
        case Number(value=value):
            return value
        case Sign(operand=operand, negative=negative):
            inner = values[id(operand)]
            return -inner if negative and inner is not None else inner
        case Binary(operator=operator):
            left, right = values[id(node.left)], values[id(node.right)]
            if operator in _POWERS and left is not None and right is not None:
                _refuse_large_power(left, right, node, text, limits)
            found = folded(operator, left, right)
            _check_size(found, node, text, limits)
            return found
    return None


def _check_size(value: Fraction | None, node: Node, text: str, limits: Limits) -> None:
    if value is not None and _bits(value) > limits.decimal_exponent * _BITS_PER_DIGIT + 2:
        digits = int(_bits(value) / _BITS_PER_DIGIT)
        raise exceeded(limits, "decimal_exponent", digits, f"a number of {digits} digits", text, node.span)


def _bits(value: Fraction) -> int:
    """About the binary logarithm, without its sign; 0 for 0."""
    return abs(value.numerator.bit_length() - value.denominator.bit_length()) if value else 0


def _refuse_large_power(base: Fraction, exponent: Fraction, node: Node, text: str, limits: Limits) -> None:
    """Before a power is computed: how many digits it would have."""
    bits = bits_of_power(base, exponent)
    if exponent.denominator == 1 and bits > 64 * _BITS_PER_DIGIT * limits.decimal_exponent:
        digits = int(bits / _BITS_PER_DIGIT)
        raise exceeded(limits, "decimal_exponent", digits // 64, f"a number of about {digits} digits", text, node.span)
