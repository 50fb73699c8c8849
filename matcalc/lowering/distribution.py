"""Sums inside a product, multiplied out where that is cheaper and no less accurate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.walk import fold
from matcalc.lowering.factors import Costs, Factors, factors_of, turned

_WORTH_IT = 0.75
_MOST_TERMS = 4


def distributed(roots: Sequence[Node], sizes: Mapping[str, int]) -> list[Node]:
    """Equal expressions: ``(U*V' - T)*V`` is ``U*(V'*V) - T*V`` where the sizes make that cheaper.

    A sum is multiplied out only where its rounding is of the same size either way. A product among its terms has an
    error of about u·|U|·|V'| before anything is subtracted, which (U·V' - T)·V multiplies by V; that is the error of
    U·(V'·V), but for how many roundings are added up (Higham 2002, ch. 3.5). In B + B', which the product rule makes of
    x'·B·x, nothing cancels unless B is nearly skew, and then B·x + B'·x is as exact as the differentiated form itself.
    The entries of A - B for inputs A and B are exact where they cancel: such a sum stays.
    """
    count: dict[Node, int] = dict.fromkeys(roots, 1)
    for node in postorder(*roots):
        for arg in node.args:
            count[arg] = count.get(arg, 0) + 1
    shared = {factors_of(node.args) for node, times in count.items() if node.op == "product" and times > 1}
    costs = Costs(sizes, lambda factors: factors in shared or turned(factors) in shared)

    def visit(node: Node, args: Sequence[Node]) -> Node:
        made = build.with_args(node, tuple(args))
        if node.op != "product" or made.op != "product":
            return made
        own = {
            new for old, new in zip(node.args, args, strict=True) if count[old] == 1 and build.negate(old) not in count
        }
        return _multiplied_out(made, own, costs) or made

    memo: dict[Node, Node] = {}
    return [fold(root, visit, memo) for root in roots]


def _multiplied_out(node: Node, own: Collection[Node], costs: Costs) -> Node | None:
    """The product with the first of its ``own`` sums multiplied out that is worth it, or None."""
    sums = [(k, arg) for k, arg in enumerate(node.args) if arg.op == "add" and arg in own and _is_as_exact(arg)]
    factored = costs.order(factors_of(node.args))[0] if sums else 0
    for k, total in sums:
        before, after = node.args[:k], node.args[k + 1 :]
        terms = [build.product(*before, term, *after) for term in total.args]
        adding = len(terms) - 1
        inside = sum(_cost(term, costs) for term in total.args) + adding * costs.elementwise(total.shape)
        outside = sum(_cost(term, costs) for term in terms) + adding * costs.elementwise(node.shape)
        if outside < _WORTH_IT * (factored + inside):
            return build.add(*terms)
    return None


def _is_as_exact(total: Node) -> bool:
    cores = [build.split(term) for term in total.args]
    if len(cores) > _MOST_TERMS or any(_is_broadcast(core) for _, core in cores):
        return False
    if any(core.op == "product" for _, core in cores):
        return True
    (one, first), (other, second) = cores[0], cores[-1]
    return len(cores) == 2 and first.T is second and one * other > 0


def _is_broadcast(node: Node) -> bool:
    """Whether a sum adds it without forming it."""
    return node.op in ("spread", "number") or node is build.ones(*node.shape)


def _cost(term: Node, costs: Costs) -> int:
    """What a term costs beyond its leaves; a scalar goes to the smallest of its factors."""
    core = build.split(term)[1]
    core = core.args[1] if core.op == "scale" else core
    if core.op != "product":
        return 0
    factors: Factors = factors_of(core.args)
    return 0 if costs.known(factors) else costs.order(factors)[0]
