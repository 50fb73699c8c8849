"""The code of a Jacobian as sums of einsums of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize, Shape
from matcalc.lowering.emit import function_lines, module, outward
from matcalc.lowering.program import Output, Program, Tensor
from matcalc.lowering.schedule import lower
from matcalc.lowering.targets import Target, target_named

_STORAGE = ("scalar", "vector", "matrix")
_TYPICAL = 30


@dataclass(frozen=True)
class Contraction:
    """One einsum.

    Attributes:
        negative: whether it is subtracted.
        front: a scalar in front.
        operands: what is multiplied, with a letter for each axis.
        result: the letters of the result's axes.
    """

    negative: bool
    front: Node
    operands: tuple[tuple[Node, str], ...]
    result: str

    @property
    def pattern(self) -> str:
        """``ik,lj->ijkl``."""
        return ",".join(letters for _, letters in self.operands) + "->" + self.result


@dataclass(frozen=True)
class Contractions:
    """What a tensor is the sum of, and its axes."""

    terms: tuple[Contraction, ...]
    axes: tuple[AnySize, ...]

    def source(
        self, variables: Sequence[Node], target: str, name: str, doc: str, sizes: Mapping[str, int] | None = None
    ) -> tuple[Program, str]:
        """The program of the parts, and a module with the function ``name`` that adds up the einsums.

        Raises:
            UnsupportedError: for a target that is not there.
        """
        spelled = target_named(target)
        terms = [_numbered(each, first=k == 0) for k, each in enumerate(self.terms)]
        parts = dict.fromkeys((n, _STORAGE[len(letters)]) for _, operands, _ in terms for n, letters in operands)
        made = [part for part in parts if part[0].op != "variable"]
        program = lower(made, variables, sizes, target=target)
        absent = _absent(program, [node.params[0] for node, _ in parts if node.op == "variable"])
        texts = {part: outward(output, batched=True) for part, output in zip(made, program.outputs, strict=True)}
        for p, variable in zip(program.parameters, variables, strict=True):
            for storage in _STORAGE:
                texts[variable, storage] = outward(Output(p.python_name, storage, p.shape), batched=True)
        shown = replace(
            program, independent=(tuple(absent),), outputs=(Output("result", Tensor(self.axes, ()), (1, 1)),)
        )
        calls = [(each.negative, _call(each, texts, spelled, sizes or {})) for each in terms]
        lines = function_lines(shown, spelled, name, doc, list(self._ending(calls, "result =" if absent else "return")))
        return program, module("\n".join(lines), spelled, doc, name)

    def _ending(self, calls: Sequence[tuple[bool, str]], start: str) -> Iterator[str]:
        lone = [k - len(self.axes) for k, size in enumerate(self.axes) if size == 1][::-1]  # from the last to the first
        places = "".join(f"[{', '.join(['...', 'None', *([':'] * (-place - 1))])}]" for place in lone)
        if len(calls) == 1:
            yield f"{start} {calls[0][1]}{places}"
            return
        yield f"{start} ("
        for k, (negative, call) in enumerate(calls):
            yield f"    {'' if k == 0 else '- ' if negative else '+ '}{call}"
        yield f"){places}"


def _absent(program: Program, used: Sequence[str]) -> list[str]:
    """The inputs that occur in no part, and are none that is ``used`` as it is."""
    return [
        p.python_name
        for p in program.parameters
        if p.name not in used and all(p.python_name in absent for absent in program.independent)
    ]


class _Numbered(NamedTuple):
    """An einsum with its scalar and its sign inside an operand, or its sign kept for a difference."""

    negative: bool
    operands: tuple[tuple[Node, str], ...]
    result: str


def _numbered(each: Contraction, first: bool) -> _Numbered:
    """A scalar times an operand is cheaper than a scalar times the tensor; so is a sign that nothing is taken from."""
    front = build.negate(each.front) if each.negative and first else each.front
    negative = each.negative and not first
    operands = list(each.operands)
    place = next((k for k, (node, _) in enumerate(operands) if not node.operator.constant), 0)
    if not operands:
        return _Numbered(negative, ((front, ""),), each.result)
    operands[place] = (build.multiply(front, operands[place][0]), operands[place][1])
    return _Numbered(negative, tuple(operands), each.result)


def _call(each: _Numbered, texts: Mapping[tuple[Node, str], str], target: Target, sizes: Mapping[str, int]) -> str:
    """Einsums of two operands each, in the order that opt_einsum finds best at typical sizes."""
    waiting = [(letters, texts[node, _STORAGE[len(letters)]]) for node, letters in each.operands]
    for pair, result in _path(each, sizes):
        taken = [waiting[k] for k in sorted(pair)]
        waiting = [operand for k, operand in enumerate(waiting) if k not in pair]
        pattern = ",".join(f"...{letters}" for letters, _ in taken) + f"->...{result}"
        waiting.append((result, f'{target.einsum}("{pattern}", {", ".join(text for _, text in taken)})'))
    return waiting[0][1]


def _path(each: _Numbered, sizes: Mapping[str, int]) -> list[tuple[tuple[int, ...], str]]:
    """Which operands are contracted in turn, and the letters of what each contraction leaves."""
    import opt_einsum

    known = {
        letter: _length(node.shape, k, sizes) for node, letters in each.operands for k, letter in enumerate(letters)
    }
    shapes = [tuple(known[letter] for letter in letters) for _, letters in each.operands]
    pattern = ",".join(letters for _, letters in each.operands) + f"->{each.result}"
    _, info = opt_einsum.contract_path(pattern, *shapes, shapes=True, optimize="auto")
    return [(tuple(step[0]), step[2].split("->")[1]) for step in info.contraction_list]


def _length(shape: Shape, axis: int, sizes: Mapping[str, int]) -> int:
    size = shape[axis]
    return size if isinstance(size, int) else sizes.get(str(size), _TYPICAL)
