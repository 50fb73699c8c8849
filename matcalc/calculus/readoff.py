"""Step three: read a linear map off as a matrix.

For an expression L(dX) that is linear in dX there is one matrix J with vec L(dX) = J·vec dX. One walk from dX to the
output multiplies the matrices of the operators on the way, each of which stands in its operator's record, and adds up
where ways meet (Magnus & Neudecker 2019, ch. 5: the identification theorems). vec takes columns, one under the other;
of columns it is the identity, so that the Jacobian of a vector by a vector comes out as it is written.
"""

from __future__ import annotations

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder


def matrix_of(linear: Node, direction: Node) -> Node | None:
    """J with vec(``linear``) = J·vec(``direction``); None where an operator on the way has no matrix in closed form.

    >>> A, x = build.variable("A", (2, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> matrix_of(A @ x, x) is A
    True
    """
    name, entries = direction.params[0], direction.rows * direction.cols
    read: dict[Node, Node] = {direction: build.eye(entries)}
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
    return read.get(linear, build.zeros(linear.rows * linear.cols, entries))
