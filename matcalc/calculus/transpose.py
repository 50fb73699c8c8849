"""Step two: transpose a linear map.

For an expression L(dX) that is linear in dX, ⟨U, L(dX)⟩ = ⟨L'(U), dX⟩ defines L'. One walk from the output to dX adds
up what arrives at each node; what an operator sends on stands in its record. With a scalar output and U = 1 the result
is the gradient (Magnus & Neudecker 2019, ch. 9; the scheme is linear transposition as in Radul et al. 2023).
"""

from __future__ import annotations

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder


def transposed_map(linear: Node, direction: Node, cotangent: Node) -> Node:
    """L'(U) for ``linear`` = L(``direction``) and U = ``cotangent``, which has the shape of ``linear``.

    Raises:
        UnsupportedError: where an operator is not linear in an argument that depends on the direction.
    """
    name = direction.params[0]
    arriving: dict[Node, list[Node]] = {linear: [cotangent]}
    for node in reversed(list(postorder(linear))):
        if node is direction or node not in arriving or not node.depends_on(name):
            continue
        total = build.add(*arriving.pop(node))
        if build.is_zero(total):
            continue
        send = node.operator.transpose
        for i, arg in enumerate(node.args):
            if arg.depends_on(name):
                if send is None:
                    raise UnsupportedError(f"{node.operator.name} is not linear in its argument")
                arriving.setdefault(arg, []).append(send(node, i, total))
    found = arriving.get(direction)
    return build.add(*found) if found else build.zeros(*direction.shape)
