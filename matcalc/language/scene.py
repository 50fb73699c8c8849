"""A text on its way to shapes: its values by number, and the relations between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from matcalc.errors import Span
from matcalc.expression.sizes import AnySize, Shape
from matcalc.language.functions import Called
from matcalc.language.kinds import Network, Table
from matcalc.language.tree import Call, Name, Node, Program, children
from matcalc.limits import Limits


@dataclass(frozen=True, slots=True)
class Known:
    """A name whose kind and sizes are given: how it is stored, its shape, its properties, where it was said."""

    kind: str
    shape: Shape
    properties: tuple[str, ...] = ()
    inferred: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows or columns that an index takes: all, from a start to a stop, or one (`stop` is None to the end)."""

    start: int = 0
    stop: int | None = None
    single: bool = False

    def ends(self, size: AnySize) -> tuple[AnySize, AnySize]:
        """First and one past the last, of an axis of some size; negative ones count from the end."""
        start = self.start if self.start >= 0 else size + self.start
        if self.single:
            return start, start + 1
        stop: AnySize = size if self.stop is None else self.stop if self.stop >= 0 else size + self.stop
        return start, stop

    def length(self, size: AnySize) -> AnySize:
        """How many are taken."""
        start, stop = self.ends(size)
        return stop - start


@dataclass(frozen=True, slots=True)
class Relation:
    """Values of which the shapes go together: arguments and result, why, and the sizes that are given."""

    node: Node
    label: str
    values: tuple[int, ...]
    table: Table
    given: Mapping[str, AnySize] = field(default_factory=dict)
    cuts: tuple[Cut, Cut] | None = None
    balance: Callable[[Shape, Shape], tuple[AnySize, AnySize]] | None = None
    trims: bool = False


@dataclass(slots=True)
class Scene:
    """A text on its way to shapes: every value has a number, every relation between them is listed."""

    program: Program
    known: Mapping[str, Known]
    size_names: set[str]
    limits: Limits
    may_infer: bool = True
    network: Network = field(default_factory=Network)
    relations: list[Relation] = field(default_factory=list)
    value_of: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    first: dict[str, Name] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    calls: dict[int, Called] = field(default_factory=dict)
    numbers: dict[int, Fraction | None] = field(default_factory=dict)
    bound: dict[str, Node] = field(default_factory=dict)
    transposed: list[int] = field(default_factory=list)
    sized: list[int] = field(default_factory=list)
    later: set[str] = field(default_factory=set)
    shapes: dict[int, Shape] = field(default_factory=dict)
    operand_nodes: dict[int, Node] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text itself."""
        return self.program.text

    def is_size(self, name: str) -> bool:
        """Whether a name stands for a size and nothing else."""
        return name in self.size_names and name not in self.known and name not in self.bound


def operands(made: Scene, node: Node) -> tuple[Node, ...]:
    """The parts of a node that are expressions: of a call not its sizes and integers."""
    return made.calls[id(node)].matrices if isinstance(node, Call) else children(node)
