"""Matrix products, powers, inverses and transposes."""

from __future__ import annotations

from matcalc.errors import ShapeError
from matcalc.expression import build
from matcalc.expression.constructors.leaves import eye, is_zero, number, zeros
from matcalc.expression.constructors.spreading import outer, spread_over_ones
from matcalc.expression.nodes import Node, interned
from matcalc.expression.operator import operator_of_role
from matcalc.expression.sizes import SCALAR, written_shape


def product(*factors: Node) -> Node:
    """The matrix product, flat; scalars in front, what cancels cancelled, a 1×1 stretch inside taken out as a scalar.

    A factor that is a scalar scales.

    Raises:
        ShapeError: when neighbours do not fit.
    """
    scalars: list[Node] = []
    chain: list[Node] = []
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if factor.is_scalar:
            scalars.append(factor)
        elif factor.op == "scale":
            scalars.append(factor.args[0])
            stack.append(factor.args[1])
        elif factor.op == "product":
            stack.extend(reversed(factor.args))
        elif factor.op == "spread" and (chain or stack):
            stack.extend(reversed(outer(factor)))
        elif chain and chain[-1].cols != factor.rows:
            raise ShapeError(f"cannot multiply {written_shape(chain[-1].shape)} by {written_shape(factor.shape)}")
        elif chain and (made := _joined(chain[-1], factor)) is not None:
            chain.pop()
            stack.append(made)
        else:
            chain.append(factor)
            _take_scalar_out(chain, scalars, last=not stack)
    body = _bare_product(chain)
    return body if not scalars else build.multiply(build.times(*scalars), body)


def _take_scalar_out(chain: list[Node], scalars: list[Node], last: bool) -> None:
    """Where the chain now ends in ``row … column`` with something before, or more to come: that stretch is a scalar."""
    if chain[-1].cols != 1:
        return
    for start in range(len(chain) - 1, -1, -1):
        if chain[start].rows == 1:
            if start or not last:
                scalars.append(_bare_product(chain[start:]))
                del chain[start:]
            return


def _bare_product(chain: list[Node]) -> Node:
    if not chain:
        return number(1)
    shape = (chain[0].rows, chain[-1].cols)
    if any(is_zero(factor) for factor in chain):
        return zeros(*shape)
    if len(chain) == 1:
        return chain[0]
    if shape != SCALAR and (made := spread_over_ones(chain, shape)) is not None:
        return made
    made = interned("product", tuple(chain), (), shape)
    return _scalar_of_skew(made) if shape == SCALAR else made


def _scalar_of_skew(made: Node) -> Node:
    """Where x'·A·y is -y'·A·x, one of the two ways of writing it; x'·A·x is zero."""
    negative, factors = build.mirrored(made.args)
    if not negative:
        return made
    mirror = interned("product", tuple(factors), (), SCALAR)
    if mirror is made:
        return number(0)
    return made if made.digest <= mirror.digest else build.negate(mirror)


def _joined(left: Node, right: Node) -> Node | None:
    """What two neighbours make, where they make something simpler."""
    if left.operator.role == "identity":
        return right
    if right.operator.role == "identity":
        return left
    for operator in (left.operator, right.operator):
        made = operator.joins(left, right) if operator.joins is not None else None
        if made is not None:
            return made
    if left.is_square and left.shape == right.shape:
        (base, a), (other, b) = _base_and_power(left), _base_and_power(right)
        if base is other:
            return matrix_power(base, a + b)
    return None


def _base_and_power(node: Node) -> tuple[Node, int]:
    if node.op == "transpose" and (node.args[0].op == "matpow" or node.args[0].operator.role == "inverse"):
        base, exponent = _base_and_power(node.args[0])
        return transpose(base), exponent
    if node.operator.role == "inverse":
        return node.args[0], -1
    if node.op == "matpow":
        base, exponent = _base_and_power(node.args[0])
        return base, exponent * node.params[0]
    return node, 1


def matrix_power(base: Node, exponent: int) -> Node:
    """A square matrix to an integer power; a negative one is a power of the inverse.

    Raises:
        ShapeError: when the base is not square.
    """
    if base.is_scalar:
        return build.power(base, number(exponent))
    if not base.is_square:
        raise ShapeError(f"only a square matrix has powers; this is {written_shape(base.shape)}")
    if exponent < 0:
        return matrix_power(inverse(base), -exponent)
    if exponent == 0 or base.operator.role == "identity":
        return eye(base.rows)
    if exponent == 1:
        return base
    if base.op == "scale":
        return build.scale(build.power(base.args[0], number(exponent)), matrix_power(base.args[1], exponent))
    if base.op == "transpose" or is_transposed_sum(base):
        return transpose(matrix_power(transpose(base), exponent))
    if base.op == "matpow":
        return matrix_power(base.args[0], exponent * base.params[0])
    squared = base.operator.joins(base, base) if base.operator.joins is not None else None
    if squared is not None:
        even = matrix_power(squared, exponent // 2)
        return product(even, base) if exponent % 2 else even
    return interned("matpow", (base,), (exponent,), base.shape)


def is_transposed_sum(base: Node) -> bool:
    """Whether a sum is of transposes alone: it is written as the transpose of a sum where that is taken outside."""
    return base.op == "add" and all((t.args[1] if t.op == "scale" else t).op == "transpose" for t in base.args)


def inverse(base: Node) -> Node:
    """The inverse; of a transpose the transpose of the inverse, of a multiple the multiple of the inverse.

    Raises:
        ShapeError: when the base is not square.
    """
    if base.is_scalar:
        return build.power(base, number(-1))
    return build.apply(operator_of_role("inverse").name, base)


def transpose(node: Node) -> Node:
    """The transpose, none where the value is its own."""
    if node.is_scalar or "symmetric" in node.facts:
        return node
    if "skew" in node.facts:
        return build.negate(node)
    if node.op == "transpose":
        return node.args[0]
    hook = node.operator.transposed
    made = hook(node) if hook is not None else None
    return interned("transpose", (node,), (), (node.cols, node.rows)) if made is None else made
