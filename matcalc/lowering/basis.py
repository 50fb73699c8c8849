"""The code of a Jacobian without a matrix in closed form: its differential in every direction of a basis at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from matcalc.lowering.emit import docstring, entry_lines, function_lines, module
from matcalc.lowering.program import Output, Parameter, Program, Tensor
from matcalc.lowering.spelling import speller
from matcalc.lowering.targets import Target, target_named

_AXES = {"scalar": 0, "vector": 1}


def source_by_basis(program: Program, wrt: str, target: str, name: str, doc: str, axes: Tensor) -> tuple[Program, str]:
    """The program without the direction, which is its last parameter, and the text of a module for it.

    ``program`` computes the differential of something with the axes ``axes.rows`` by ``wrt``.
    """
    spelled = target_named(target)
    inputs = program.parameters[:-1]
    output = Output(program.outputs[0].target, axes, program.outputs[0].shape)
    outer = replace(program, parameters=inputs, outputs=(output,))
    inner = "\n".join(function_lines(program, spelled, "_differential", "The differential in a direction."))
    head = f"def {name}({', '.join(p.python_name for p in inputs)}):"
    body = "\n".join([head, *_indented(_lines(outer, wrt, spelled, doc))])
    return outer, module(f"{inner}\n\n\n{body}", spelled, doc, name)


def _indented(lines: Iterator[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]


def _lines(program: Program, wrt: str, target: Target, doc: str) -> Iterator[str]:
    yield from docstring(program, speller(program, target), doc)
    names = [p.python_name for p in program.parameters]
    yield from entry_lines(program, target)
    moving = next(p for p in program.parameters if p.name == wrt)
    count = _AXES.get(moving.storage, 2)
    like = target.like.format(moving.python_name)
    yield f"axes = {moving.python_name}.shape[-{count}:]"
    yield f"leading = (1,) * {_most_leading(program.parameters)}"
    yield "entries = math.prod(axes)"
    yield f"basis = {target.eye}(entries, {like}).reshape(entries, *leading, *axes)"
    yield f"columns = {target.moveaxis}(_differential({', '.join(names)}, basis), 0, -1)"
    yield "return columns.reshape(*columns.shape[:-1], *axes)"


def _most_leading(parameters: Sequence[Parameter]) -> str:
    """How many batch axes the input with most of them has."""
    counts = [f"{p.python_name}.ndim" + (f" - {own}" if (own := _AXES.get(p.storage, 2)) else "") for p in parameters]
    return f"max({', '.join(counts)})" if len(counts) > 1 else f"({counts[0]})"
