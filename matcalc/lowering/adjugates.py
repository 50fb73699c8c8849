"""A determinant that meets the inverse of its matrix, as the adjugate: det(X)*inv(X) exists where X is singular too."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.operator import operator_of_role
from matcalc.expression.walk import fold
from matcalc.lowering.factors import is_inverse


def with_adjugates(roots: Sequence[Node]) -> list[Node]:
    """Equal expressions without the inverse of a matrix whose determinant multiplies it.

    >>> import matcalc.operators
    >>> X = build.variable("X", (3, 3), "matrix")
    >>> with_adjugates([build.multiply(build.apply("det", X), build.inverse(X).T)])
    [transpose(adj(variable(X, matrix, ())))]
    """
    if not any(node.operator.lowers.role == "determinant" for node in postorder(*roots)):
        return list(roots)
    memo: dict[Node, Node] = {}
    return [fold(root, _visit, memo) for root in roots]


def _visit(node: Node, args: Sequence[Node]) -> Node:
    made = build.with_args(node, tuple(args))
    return (_joined(made) if made.op in ("times", "scale") else None) or made


def _joined(node: Node) -> Node | None:
    """The product with one of its determinants inside another factor, where that rids it of the inverse; or None."""
    factors = _factors(node)
    for k, factor in enumerate(factors):
        power = build.integer_of(factor.args[1]) if factor.op == "power" else 1
        core = factor.args[0] if factor.op == "power" else factor
        if core.operator.lowers.role != "determinant" or power is None or power < 1:
            continue
        for j, other in enumerate(factors):
            made = _times_determinant(other, core) if j != k else None
            if made is not None:
                rest = [f for i, f in enumerate(factors) if i not in (j, k)]
                return build.multiply(build.times(build.power(core, build.number(power - 1)), *rest), made)
    return None


def _factors(node: Node) -> list[Node]:
    """The factors of a product of scalars, and of a matrix that they multiply, which comes last."""
    scalars, last = ((node.args[0],), [node.args[1]]) if node.op == "scale" else (node.args, [])
    if not last and not node.is_scalar:
        return []
    return [f for scalar in scalars for f in (scalar.args if scalar.op == "times" else (scalar,))] + last


def _times_determinant(node: Node, determinant: Node) -> Node | None:
    """det(X)*node as an expression without inv(X), where the node is linear in inv(X); else None.

    The determinant goes into every term of a sum, and into one argument of what is linear in each.
    """
    base = determinant.args[0]
    if "invertible" in base.facts:
        return None

    def visit(below: Node, args: Sequence[Node | bool]) -> Node | bool:
        """What it is times the determinant; False where there is no inverse, True where that cannot be said."""
        within = [k for k, arg in enumerate(args) if arg is not False]
        if is_inverse(below) and below.args[0] is base:
            return _adjugate(base)
        if not within or any(args[k] is True for k in within):
            return bool(within)
        if below.op == "add":
            return build.add(
                *(_chosen(a, build.multiply(determinant, t)) for a, t in zip(args, below.args, strict=True))
            )
        if len(within) > 1 or not _is_linear_in(below, within[0]):
            return True
        return build.with_args(below, tuple(_chosen(a, t) for a, t in zip(args, below.args, strict=True)))

    made = fold(node, visit)
    return None if isinstance(made, bool) else made


def _adjugate(base: Node) -> Node:
    """The adjugate; of a skew matrix its skew part.

    Where the order is even that is all of it. Where it is odd the adjugate is symmetric, there is no inverse, and the
    determinant is 0 for all skew matrices: no direction in which one can move has a part in the derivative.
    """
    made = build.apply(operator_of_role("adjugate").name, base)
    return build.multiply(build.number(Fraction(1, 2)), made - made.T) if "skew" in base.facts else made


def _is_linear_in(node: Node, i: int) -> bool:
    """Whether the node is linear in one argument: it can be transposed, and its differential along itself is itself."""
    if node.operator.transpose is None:
        return False
    differential = node.operator.differential
    return differential is None or differential(node, i, node.args[i]) is node


def _chosen(made: Node | bool, other: Node) -> Node:
    return other if isinstance(made, bool) else made
