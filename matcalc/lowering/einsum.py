"""The code of a Jacobian as sums of einsums of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.lowering.emit import docstring, entry_lines, function_lines, module
from matcalc.lowering.program import Output, Program, Tensor
from matcalc.lowering.schedule import lower
from matcalc.lowering.spelling import number_text, speller
from matcalc.lowering.targets import Target, target_named

_STORAGE = ("scalar", "vector", "matrix")


class Contracted(Protocol):
    """An einsum: its sign, a scalar in front, operands with the letters of each, the letters of the result."""

    @property
    def negative(self) -> bool: ...  # noqa: D102  as the class says

    @property
    def front(self) -> Node: ...  # noqa: D102

    @property
    def operands(self) -> tuple[tuple[Node, str], ...]: ...  # noqa: D102

    @property
    def result(self) -> str: ...  # noqa: D102


def source_by_einsum(
    found: Sequence[Contracted], variables: Sequence[Node], target: str, name: str, doc: str, axes: tuple[AnySize, ...]
) -> str:
    """A module with the function ``name`` that adds up einsums; ``axes`` are those of the tensor.

    Raises:
        UnsupportedError: for a target that is not there.
    """
    spelled = target_named(target)
    parts = list(dict.fromkeys(part for each in found for part in _parts(each)))
    outputs = [(node, _STORAGE[len(letters)]) for node, letters in parts] or [(build.number(0), "scalar")]
    program = lower(outputs, variables, target=target)
    whole = lower([(build.number(0), Tensor(axes, ()))], variables, target=target)
    inner = "\n".join(function_lines(program, spelled, "_parts", "What is contracted."))
    named = {part: f"part{k}" for k, part in enumerate(parts)}
    lines = _lines(found, named, replace(whole, outputs=(Output("result", Tensor(axes, ()), (1, 1)),)), spelled, doc)
    head = f"def {name}({', '.join(p.python_name for p in program.parameters)}):"
    body = "\n".join([head, *(f"    {line}" if line else "" for line in lines)])
    return module(f"{inner}\n\n\n{body}", spelled, doc, name)


def _parts(each: Contracted) -> list[tuple[Node, str]]:
    """What an einsum is given, the letters only for their number."""
    front = [] if each.front.op == "number" else [(each.front, "")]
    return [(node, "x" * len(letters)) for node, letters in (*front, *each.operands)]


def _lines(
    found: Sequence[Contracted], named: dict[tuple[Node, str], str], program: Program, target: Target, doc: str
) -> Iterator[str]:
    yield from docstring(program, speller(program, target), doc)
    names = ", ".join(p.python_name for p in program.parameters)
    yield from entry_lines(program, target)
    parts = ", ".join(named.values())
    if parts:
        yield f"{parts} = _parts({names})"
    yield f"result = {_sum(found, named, target) or '0.0'}"
    axes = program.outputs[0].storage
    assert isinstance(axes, Tensor)
    ones = [k - len(axes.rows) for k, size in enumerate(axes.rows) if size == 1]
    if ones:
        places = "".join(f"[{', '.join(['...', 'None', *([':'] * (-place - 1))])}]" for place in ones)
        yield f"result = result{places}"
    yield "return result"


def _sum(found: Sequence[Contracted], named: dict[tuple[Node, str], str], target: Target) -> str:
    text = ""
    for each in found:
        front = each.front if each.front.op == "number" else build.number(1)
        scalars = [] if each.front.op == "number" else [(each.front, "")]
        operands = (*scalars, *each.operands)
        pattern = ",".join(f"...{letters}" for _, letters in operands) + f"->...{each.result}"
        args = ", ".join(named[node, "x" * len(letters)] for node, letters in operands)
        call = f'{target.einsum[0]}("{pattern}", {args}{target.einsum[1]})'
        factor = "" if build.is_one(front) else f"{number_text(front.params[0]).text} * "
        sign = (" - " if each.negative else " + ") if text else ("-" if each.negative else "")
        text += f"{sign}{factor}{call}"
    return text
