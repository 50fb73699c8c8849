"""What a claim may call by the names that its expression gives to parts: 2*f where the expression begins with f = …."""

from __future__ import annotations

from matcalc.errors import MatcalcError
from matcalc.language.syntax import read
from matcalc.language.tree import Name, Program, children_first
from matcalc.limits import Limits


def with_shared_names(claim: str, text: str, names: frozenset[str], limits: Limits) -> str:
    """A claim after those of the expression's ``name = …`` that it mentions and does not make itself.

    >>> with_shared_names("2*f*x", "f = x'*x; f^2", frozenset("x"), Limits())
    "f = x'*x; 2*f*x"
    """
    try:
        whole, program = read(text, limits, names), read(claim, limits, names)
    except MatcalcError:  # which is told where it is read for good
        return claim
    wanted = _mentioned(program) - names - {binding.name for binding in program.bindings}
    kept: list[str] = []
    for binding in reversed(whole.bindings):
        if binding.name in wanted:
            kept.insert(0, binding.span.cut(text))
            wanted |= {node.name for node in children_first(binding.value) if isinstance(node, Name)}
    return "; ".join([*kept, claim])


def _mentioned(program: Program) -> set[str]:
    roots = [program.result, *(binding.value for binding in program.bindings)]
    return {node.name for root in roots for node in children_first(root) if isinstance(node, Name)}
