"""The program: what is computed, in order, with every name chosen and nothing spelled yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from matcalc.lowering.terms import Term

if TYPE_CHECKING:
    from matcalc.expression.sizes import AnySize, Shape


class Parameter(NamedTuple):
    """An input: its name, how it looks outside, what it is called in the text, its shape as a matrix."""

    name: str
    storage: str
    python_name: str
    shape: Shape


class SizeReading(NamedTuple):
    """A size: ``python_name**power = (parameter.shape[axis] - offset) // factor``."""

    name: str
    python_name: str
    parameter: str
    axis: int
    offset: AnySize = 0
    factor: AnySize = 1
    value: int | None = None
    power: int = 1


class Statement(NamedTuple):
    """``target = value``."""

    target: str
    value: Term


class Tensor(NamedTuple):
    """How a matrix looks outside whose rows are the entries of one tensor and its columns those of another.

    Entries are numbered with the first axis fastest, as vec takes the columns of a matrix.
    """

    rows: tuple[AnySize, ...]
    cols: tuple[AnySize, ...]


class Output(NamedTuple):
    """A result: the name that holds it and how it looks outside."""

    target: str
    storage: str | Tensor
    shape: Shape


@dataclass(frozen=True)
class Program:
    """A straight line of statements.

    Attributes:
        parameters: the inputs, in order.
        sizes: how each size name that occurs is read from an input's shape.
        alignments: ``(name, other)``: ``name`` gets leading axes until it has as many as ``other``.
        statements: what is computed.
        outputs: what is returned.
        batched: whether inputs may have leading axes.
        independent: of each output, the inputs that its value does not depend on, whose leading axes it has too.
    """

    parameters: tuple[Parameter, ...]
    sizes: tuple[SizeReading, ...]
    alignments: tuple[tuple[str, str], ...]
    statements: tuple[Statement, ...]
    outputs: tuple[Output, ...]
    batched: bool = True
    independent: tuple[tuple[str, ...], ...] = ()
