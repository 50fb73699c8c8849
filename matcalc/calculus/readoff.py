"""Step three: read a linear map off as a matrix.

For an expression L(dX) that is linear in dX there is one matrix J with vec L(dX) = J·vec dX. One walk from dX to the
output multiplies the matrices of the operators on the way, each of which stands in its operator's record, and adds up
where ways meet (Magnus & Neudecker 2019, ch. 5: the identification theorems). vec takes columns, one under the other;
of columns it is the identity, so that the Jacobian of a vector by a vector comes out as it is written.
"""

from __future__ import annotations

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder


def matrix_of(linear: Node, direction: Node, start: Node | None = None) -> Node | None:
    """J with vec(``linear``) = J·vec(``direction``); None where an operator on the way has no matrix in closed form.

    With a ``start``, J·``start``: the direction is itself the matrix ``start`` times something.

    >>> A, x = build.variable("A", (2, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> matrix_of(A @ x, x) is A
    True
    """
    name = direction.params[0]
    start = build.eye(direction.rows * direction.cols) if start is None else start
    read: dict[Node, Node] = {direction: start}
    for node in postorder(linear):
        if node is direction or not node.depends_on(name):
            continue
        parts = []
        for i, arg in enumerate(node.args):
            if arg.depends_on(name):
                make = node.operator.matrix
                part = make(node, i, read[arg]) if make is not None else None
                if part is None:
                    return None
                parts.append(part)
        read[node] = build.add(*parts)
    return read.get(linear, build.zeros(linear.rows * linear.cols, start.cols))


def applied(matrix: Node, column: Node) -> Node:
    """``matrix``·``column`` from the right, factor by factor, so that no Kronecker product is multiplied out.

    >>> A, B, X = (build.variable(name, (2, 2), "matrix") for name in "ABX")
    >>> made = applied(build.apply("kron", B.T, A) + build.eye(4), build.apply("vec", X))
    >>> made is build.apply("vec", A @ X @ B) + build.apply("vec", X)
    True
    """
    if matrix.op == "product":
        for factor in reversed(matrix.args):
            column = applied(factor, column)
        return column
    if matrix.op == "add":
        return build.add(*(applied(term, column) for term in matrix.args))
    if matrix.op == "scale":
        return build.multiply(matrix.args[0], applied(matrix.args[1], column))
    acts = matrix.operator.acts
    return matrix @ column if acts is None else acts(matrix, column)
