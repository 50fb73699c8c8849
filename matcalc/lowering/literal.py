"""The literal lowering: every node as it stands, left to right, as a witness for the other."""

from __future__ import annotations

from matcalc.expression.nodes import Node
from matcalc.lowering.rules import Asking, Rules


class Literal(Rules):
    """Each node by its own operation alone: no order of products, no solves, nothing fused."""

    def rule(self, node: Node) -> Asking:
        """The operation on the terms of its arguments."""
        leaf = self.leaf(node)
        if leaf is not None:
            return leaf
        args = yield from self.all_of(node.args)
        terms = self.terms
        match node.op:
            case "add":
                return terms.add((1,) * len(args), tuple(args))
            case "times" | "scale":
                return terms.multiply(*args)
            case "power":
                return terms.make("power", *args, shape=node.shape, plain=all(arg.plain for arg in args))
            case "transpose":
                return terms.transpose(args[0])
            case "spread":
                return terms.expand(args[0], node.shape)
            case "product":
                total = args[0]
                for arg in args[1:]:
                    total = terms.matmul(total, arg)
                return total
        return terms.apply(node, *args)
