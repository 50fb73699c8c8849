"""The code of a Jacobian as sums of einsums of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.lowering.emit import function_lines, module, outward
from matcalc.lowering.program import Output, Program, Tensor
from matcalc.lowering.schedule import lower
from matcalc.lowering.targets import Target, target_named

_STORAGE = ("scalar", "vector", "matrix")


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
        terms = [_numbered(each) for each in self.terms]
        parts = dict.fromkeys((n, _STORAGE[len(letters)]) for _, operands, _ in terms for n, letters in operands)
        made = [part for part in parts if part[0].op != "variable"]
        program = lower(made, variables, sizes, target=target)
        texts = {part: outward(output, batched=True) for part, output in zip(made, program.outputs, strict=True)}
        for p, variable in zip(program.parameters, variables, strict=True):
            for storage in _STORAGE:
                texts[variable, storage] = outward(Output(p.python_name, storage, p.shape), batched=True)
        shown = replace(program, outputs=(Output("result", Tensor(self.axes, ()), (1, 1)),))
        lines = function_lines(shown, spelled, name, doc, list(self._ending(terms, texts, spelled)))
        return program, module("\n".join(lines), spelled, doc, name)

    def _ending(
        self, terms: Sequence[_Numbered], texts: Mapping[tuple[Node, str], str], target: Target
    ) -> Iterator[str]:
        lone = [k - len(self.axes) for k, size in enumerate(self.axes) if size == 1][::-1]  # from the last to the first
        places = "".join(f"[{', '.join(['...', 'None', *([':'] * (-place - 1))])}]" for place in lone)
        calls = [(each.negative, _call(each, texts, target)) for each in terms]
        if len(calls) == 1 and not (places and calls[0][0]):
            yield f"return {'-' * calls[0][0]}{calls[0][1]}{places}"
            return
        yield "return ("
        for k, (negative, call) in enumerate(calls):
            sign = "-" * negative if k == 0 else "- " if negative else "+ "
            yield f"    {sign}{call}"
        yield f"){places}"


class _Numbered(NamedTuple):
    """An einsum with its scalar among the operands, a number in the first that is no constant."""

    negative: bool
    operands: tuple[tuple[Node, str], ...]
    result: str


def _numbered(each: Contraction) -> _Numbered:
    """A number times an operand is cheaper than a number times the tensor."""
    operands, front = list(each.operands), each.front
    if build.is_one(front):
        return _Numbered(each.negative, each.operands, each.result)
    place = next((k for k, (node, _) in enumerate(operands) if not node.operator.constant), None)
    if front.op != "number" or place is None:
        return _Numbered(each.negative, ((front, ""), *operands), each.result)
    operands[place] = (build.multiply(front, operands[place][0]), operands[place][1])
    return _Numbered(each.negative, tuple(operands), each.result)


def _call(each: _Numbered, texts: Mapping[tuple[Node, str], str], target: Target) -> str:
    pattern = ",".join(f"...{letters}" for _, letters in each.operands) + f"->...{each.result}"
    args = ", ".join(texts[node, _STORAGE[len(letters)]] for node, letters in each.operands)
    return f'{target.einsum[0]}("{pattern}", {args}{target.einsum[1]})'
