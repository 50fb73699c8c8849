"""The driver of a lowering: a rule is a generator that asks for other nodes' terms; nothing recurses."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TypeAlias

from matcalc.expression.nodes import Node
from matcalc.lowering.terms import Term, Terms

Asking: TypeAlias = Generator[Node, Term, Term]


class Rules:
    """Turns nodes into terms, each node once and only where it is asked for."""

    def __init__(self, terms: Terms, variables: Mapping[str, Term]) -> None:
        self.terms = terms
        self.variables = variables
        self._memo: dict[Node, Term] = {}

    def rule(self, node: Node) -> Asking:
        """The term of ``node``, asking for those of other nodes."""
        raise NotImplementedError

    def leaf(self, node: Node) -> Term | None:
        """The term of what is the same however one lowers: names, numbers and sizes."""
        if node.op == "variable":
            return self.variables[node.params[0]]
        if node.op == "number":
            return self.terms.number(node.params[0])
        if node.op == "size":
            return self.terms.make("size", params=node.params, shape=node.shape, plain=True)
        return None

    def of(self, root: Node) -> Term:
        """The term of ``root``."""
        stack: list[tuple[Node, Asking]] = [(root, self.rule(root))]
        answer: Term | None = None
        while stack:
            node, asking = stack[-1]
            try:
                wanted = next(asking) if answer is None else asking.send(answer)
            except StopIteration as done:
                answer = self._memo[node] = done.value
                stack.pop()
                continue
            answer = self._memo.get(wanted)
            if answer is None:
                stack.append((wanted, self.rule(wanted)))
        return self._memo[root]

    def applied(self, node: Node) -> Asking:
        """The operation as its record spells it."""
        args = yield from self.all_of(node.args)
        return self.terms.apply(node, *args)

    def all_of(self, nodes: Sequence[Node]) -> Generator[Node, Term, list[Term]]:
        """The terms of several nodes."""
        made: list[Term] = []
        for node in nodes:
            made.append((yield node))  # noqa: PERF401  a comprehension cannot yield
        return made
