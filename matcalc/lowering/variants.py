"""The functions for inputs without leading axes, each made when inputs first ask for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from matcalc.expression.sizes import AnySize, Shape, Size

if TYPE_CHECKING:
    import torch

    from matcalc.lowering.program import Program

Function: TypeAlias = Callable[..., Any]

_PROBES = 3
_PROBED = (16, 100, 2000)  # below them no order of products matters beside the calls themselves
_MOST_FUNCTIONS = 32


def _outside(storage: str, shape: Shape) -> tuple[AnySize, ...]:
    return {"scalar": (), "vector": shape[:1]}.get(storage, shape)


class Variants:
    """Functions by the sizes of the inputs; a single one where no sizes change the code.

    Which order of products is cheapest depends on the sizes, and those are known when the function is called.
    """

    def __init__(
        self,
        program: Program,
        general: Function,
        text: Callable[[Mapping[str, int]], str],
        executed: Callable[[str], Function],
    ) -> None:
        import torch

        self._is_compiling = torch.compiler.is_compiling
        self.shapes = [_outside(p.storage, p.shape) for p in program.parameters]
        self.ranks = [len(shape) for shape in self.shapes]
        self.single: Function | None = None
        self._general = general
        self._text = text
        self._executed = executed
        self._by_shapes: dict[tuple[Any, ...], Function] = {}
        self._by_text: dict[str, Function] = {}

    def fit(self, inputs: Sequence[torch.Tensor]) -> bool:
        """Whether none of the inputs has leading axes."""
        return [tensor.ndim for tensor in inputs] == self.ranks

    def function(self, inputs: Sequence[torch.Tensor]) -> Function:
        """The function for inputs of these sizes; the general one inside of torch.compile, which cannot follow this."""
        if self.single is not None:
            return self.single
        if self._is_compiling():
            return self._general
        shapes = tuple([tensor.shape for tensor in inputs])
        found = self._by_shapes.get(shapes)
        return self._made(shapes) if found is None else found

    def _made(self, shapes: tuple[Any, ...]) -> Function:
        own = {name: size for name, size in self._sizes(shapes).items() if isinstance(size, int)}
        text = self._text(own if len(self._by_shapes) < _MOST_FUNCTIONS else {})
        made = self._by_text.get(text)
        if made is None:
            made = self._by_text[text] = self._executed(text)
        if not self._by_shapes and all(self._text(probe) == text for probe in _probes(own)):
            self.single = made
        if len(self._by_shapes) < _MOST_FUNCTIONS:
            self._by_shapes[shapes] = made
        return made

    def _sizes(self, shapes: tuple[Any, ...]) -> dict[str, Any]:
        pairs = (pair for own, given in zip(self.shapes, shapes, strict=True) for pair in zip(own, given, strict=True))
        return {str(size): value for size, value in pairs if isinstance(size, Size) and size.is_name}


def _probes(own: Mapping[str, int]) -> list[dict[str, int]]:
    """Other sizes, large and small beside one another, always the same."""
    random_ = random.Random(0)  # noqa: S311  nothing secret depends on it
    return [{name: random_.choice(_PROBED) for name in own} for _ in range(_PROBES if own else 0)]
