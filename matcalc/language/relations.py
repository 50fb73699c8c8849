"""From a syntax tree to the relations between the shapes of its parts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from matcalc.errors import LimitError, ParseError, ShapeError, Span
from matcalc.expression.operator import callable_named, operator_of_sign, stacking
from matcalc.expression.sizes import AnySize, Shape, Size
from matcalc.language.equations import result_shape
from matcalc.language.folding import folded
from matcalc.language.functions import (
    Called,
    function_as_value,
    resolved_call,
    size_of,
)
from matcalc.language.greek import GREEK
from matcalc.language.kinds import (
    ANY,
    MATRIX,
    ROW,
    SCALAR,
    VECTOR,
    Candidate,
    Cost,
    Form,
    Network,
    Table,
    kind_of,
    table,
)
from matcalc.language.tree import (
    Binary,
    Block,
    Call,
    Index,
    Name,
    Node,
    Number,
    Program,
    Sign,
    Slice,
    Transpose,
    children,
)
from matcalc.limits import Limits

SAME = ("(m,n), (m,n) -> (m,n)",)
KEPT = ("(m,n) -> (m,n)",)
SCALED = ("(1,1), (m,n) -> (m,n)", "(m,n), (1,1) -> (m,n)")
MULTIPLIED = ("(m,k), (k,n) -> (m,n)",)
DIVIDED = ("(m,n), (1,1) -> (m,n)",)
RAISED = ("(1,1), (1,1) -> (1,1)",)
RAISED_WHOLE = ("(n,n), (1,1) -> (n,n)",)
TURNED = ("(m,n) -> (n,m)",)
SQUARE = ("-> (n,n)",)
STACKED = (("(a,n), (b,n) -> (a+b,n)",), ("(n,a), (n,b) -> (n,a+b)",))

_SUMS = ("+", "-")
_UNCOMPUTED = ("@",)
_DOTTED = (".+", ".-", ".*", "./", ".^")
_UPPER = re.compile(r"[A-Z]")
_EARLY = re.compile(r"[a-g][0-9_]*")
_SIZED: Mapping[int, Cost] = {
    kind: (0, 0, 0, 0, 0, 0, ones) for kind, ones in ((MATRIX, 0), (VECTOR, 1), (ROW, 1), (SCALAR, 2))
}
_GREEK = re.compile(rf"(?:{'|'.join(sorted(set(GREEK.values())))})[0-9_]*")


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


def scene(
    program: Program, known: Mapping[str, Known], sizes: Iterable[str], limits: Limits, may_infer: bool = True
) -> Scene:
    """The relations of a text, given what is known of its names.

    Raises ParseError, UnsupportedError and LimitError.
    """
    made = Scene(program, known, set(sizes), limits, may_infer)
    made.later = {binding.name for binding in program.bindings}
    roots = [*(binding.value for binding in program.bindings), program.result]
    for root in roots:
        _find_calls(made, root)
    names = [binding.name for binding in program.bindings]
    for place, root in enumerate(roots):
        for node in _postorder(made, root):
            _relate(made, node)
        if place < len(names):
            made.bound[names[place]] = root
            made.later.discard(names[place])
    return made


def operands(made: Scene, node: Node) -> tuple[Node, ...]:
    """The parts of a node that are expressions: of a call not its sizes and integers."""
    return made.calls[id(node)].matrices if isinstance(node, Call) else children(node)


def _postorder(made: Scene, root: Node) -> list[Node]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += operands(made, node)
    return found[::-1]


def _find_calls(made: Scene, root: Node) -> None:
    values = {*made.known, *(binding.name for binding in made.program.bindings)}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call):
            called = resolved_call(node, made.text, values)
            made.calls[id(node)] = called
            for _, tree in called.sizes:
                size = size_of(tree, made.text, made.limits)
                names = size.names if isinstance(size, Size) else frozenset()
                _refuse_values_as_sizes(made, names, tree)
                made.size_names |= names
        waiting += operands(made, node)


def _refuse_values_as_sizes(made: Scene, names: Iterable[str], tree: Node) -> None:
    for name in names:
        if name in made.known and name not in made.size_names:
            raise ParseError(
                f"{name!r} is a {made.known[name].kind} here, not a size",
                text=made.text,
                spans=(tree.span,),
                why="a size has a name of its own, or is size(X, 0)",
            )


# --- one node


def _relate(made: Scene, node: Node) -> None:
    made.nodes.append(node)
    match node:
        case Number(value=value):
            made.numbers[id(node)] = value
            _give(made, node, made.network.value(SCALAR))
        case Name():
            _relate_name(made, node)
        case Sign(operand=operand):
            if id(operand) in made.numbers:
                made.numbers[id(node)] = _signed(made.numbers[id(operand)], node.negative)
            made.value_of[id(node)] = made.value_of[id(operand)]
        case Transpose(operand=operand):
            _note_transposed(made, operand)
            _link(made, node, "transpose", (operand,), TURNED)
        case Binary():
            _relate_binary(made, node)
        case Index():
            _relate_index(made, node)
        case Call():
            _relate_call(made, node)
        case Block(rows=rows):
            columns = [_stacked(made, node, 1, [made.value_of[id(each)] for each in row]) for row in rows]
            made.value_of[id(node)] = _stacked(made, node, 0, columns)


def _signed(value: Fraction | None, negative: bool) -> Fraction | None:
    return -value if negative and value is not None else value


def _give(made: Scene, node: Node, value: int) -> None:
    made.value_of[id(node)] = value
    if made.network.domains[value] == SCALAR:
        made.shapes[value] = (1, 1)
    made.operand_nodes.setdefault(value, node)


def _link(
    made: Scene,
    node: Node,
    label: str,
    arguments: Iterable[Node],
    signatures: tuple[str, ...],
    result: int = ANY,
) -> None:
    values = tuple(made.value_of[id(argument)] for argument in arguments)
    _join(made, Relation(node, label, (*values, made.network.value(result)), table(signatures)))


def _join(made: Scene, relation: Relation) -> None:
    made.relations.append(relation)
    made.network.relate(relation.values, relation.table)
    _compute(made, relation)
    _give(made, relation.node, relation.values[-1])


def _compute(made: Scene, relation: Relation) -> None:
    """Writes down the result's shape where the arguments' shapes tell it: then nothing has to be searched for."""
    try:
        shape = result_shape(relation, made.shapes)
    except LimitError as error:
        raise error.at(made.text, relation.node.span) from None
    if shape is not None:
        made.shapes[relation.values[-1]] = shape
        made.network.domains[relation.values[-1]] &= kind_of(shape)


def _note_transposed(made: Scene, operand: Node) -> None:
    if isinstance(operand, Name) and operand.name in made.names and operand.name not in made.known:
        made.transposed.append(made.names[operand.name])


# --- names


def _relate_name(made: Scene, node: Name) -> None:
    name = node.name
    if name in made.bound:
        value = made.bound[name]
        if id(value) in made.numbers:
            made.numbers[id(node)] = made.numbers[id(value)]
        made.value_of[id(node)] = made.value_of[id(value)]
    elif name in made.later:
        raise ParseError(f"{name!r} is used before its definition", text=made.text, spans=(node.span,))
    elif name in made.known:
        _use_known(made, node)
    elif made.is_size(name):
        _give(made, node, made.network.value(SCALAR))
    elif name == "pi":
        made.numbers[id(node)] = None
        _give(made, node, made.network.value(SCALAR))
    elif name == "I":
        _link(made, node, "identity", (), SQUARE, MATRIX)
    elif (callable_named(name) is not None and len(name) > 1) or not made.may_infer:  # K is a name, K(m, n) a function
        raise function_as_value(node, made.text)
    else:
        _use_new(made, node)


def _use_known(made: Scene, node: Name) -> None:
    if node.name not in made.names:
        shape = made.known[node.name].shape
        made.names[node.name] = made.network.value(kind_of(shape))
        made.shapes[made.names[node.name]] = shape
        made.first[node.name] = node
    _give(made, node, made.names[node.name])


def _use_new(made: Scene, node: Name) -> None:
    if node.name not in made.names:
        made.names[node.name] = made.network.value()
        made.first[node.name] = node
    _give(made, node, made.names[node.name])


def candidates(made: Scene) -> list[Candidate]:
    """The names whose kind the text leaves open, and what each kind would cost; then results left open by kinds."""
    names = [Candidate(value, costs(name)) for name, value in made.names.items() if name not in made.known]
    return [*names, *(Candidate(value, _SIZED) for value in made.sized)]


@cache
def costs(name: str) -> Mapping[int, Cost]:
    """What it costs to read a name as each kind: preferences first, then the ways to give them up.

    The parts are: preferences given up, vectors lost, matrices lost, upper-case scalars, lower-case
    matrices, lower-case rows, and (of results) sizes that happen to be 1.

    >>> costs("x")[VECTOR] < costs("x")[SCALAR] < costs("x")[ROW] < costs("x")[MATRIX]
    True
    """
    liked = preferred(name)
    is_upper = liked == MATRIX
    return {
        kind: (
            int(kind != liked),
            int(liked == VECTOR and kind != VECTOR),
            int(is_upper and kind != MATRIX),
            int(is_upper and kind == SCALAR),
            int(not is_upper and kind == MATRIX),
            int(not is_upper and kind == ROW),
            0,
        )
        for kind in (SCALAR, VECTOR, ROW, MATRIX)
    }


def preferred(name: str) -> int:
    """The kind that a name suggests.

    >>> [preferred(name) == SCALAR for name in ("a1", "lambda", "Sigma", "x", "alphabet", "W_e")]
    [True, True, True, False, False, False]
    """
    if _GREEK.fullmatch(name) or _EARLY.fullmatch(name):
        return SCALAR
    return MATRIX if _UPPER.match(name) else VECTOR


# --- notation


def _relate_binary(made: Scene, node: Binary) -> None:
    left, right = node.left, node.right
    both = id(left) in made.numbers and id(right) in made.numbers
    if both and node.operator not in _UNCOMPUTED and operator_of_sign(node.operator) is None:
        made.numbers[id(node)] = folded(node.operator, made.numbers[id(left)], made.numbers[id(right)])
    if node.operator in _SUMS:
        spreading = [each for each in (left, right) if id(each) not in made.numbers]
        if len(spreading) == 1:
            _link(made, node, "add", spreading, KEPT)
        else:
            _link(made, node, "add", (left, right), SAME)
    else:
        _link(made, node, *_notation(made, node))


def _notation(made: Scene, node: Binary) -> tuple[str, tuple[Node, Node], tuple[str, ...]]:
    pair = (node.left, node.right)
    if node.operator in _DOTTED:
        return "broadcast", pair, broadcast(2)
    match node.operator:
        case "*" if node.glyph == "×":
            return "×", pair, SCALED
        case "*":
            return "product", pair, (*SCALED, *MULTIPLIED)
        case "@":
            return "matmul", pair, MULTIPLIED
        case "/":
            return "divide", pair, DIVIDED
        case "^":
            exponent = made.numbers.get(id(node.right))
            whole = exponent is not None and exponent.denominator == 1
            return "power", pair, RAISED_WHOLE if whole else RAISED
    operator = operator_of_sign(node.operator)
    if operator is None:
        raise ParseError(f"{node.glyph!r} has no meaning here", text=made.text, spans=(node.operator_span,))
    return operator.name, pair, operator.signatures


@cache
def broadcast(count: int) -> tuple[str, ...]:
    """Signatures of NumPy's broadcasting over two axes, of some number of arguments.

    >>> broadcast(2)[:2]
    ('(m,n), (m,n) -> (m,n)', '(m,n), (m,1) -> (m,n)')
    """
    rows = [each for each in itertools.product("m1", repeat=count) if "m" in each]
    cols = [each for each in itertools.product("n1", repeat=count) if "n" in each]
    return tuple(
        ", ".join(f"({m},{n})" for m, n in zip(high, wide, strict=True)) + " -> (m,n)" for high in rows for wide in cols
    )


def _stacked(made: Scene, node: Node, axis: int, values: list[int]) -> int:
    allowed, name = table(STACKED[axis]), stacking(axis).name
    total = values[0]
    for value in values[1:]:
        result = made.network.value()
        _join(made, Relation(node, name, (total, value, result), allowed))
        total = result
    return total


# --- calls and indices


def _relate_call(made: Scene, node: Call) -> None:
    called = made.calls[id(node)]
    values = [made.value_of[id(each)] for each in called.matrices]
    if called.operator.stacks is not None:
        made.value_of[id(node)] = _stacked(made, node, called.operator.stacks, values)
    elif called.operator.contextual:
        form = called.signatures[0]
        _link(made, node, called.name, called.matrices, (form.text,), kind_of(form.result))
    elif called.operator.broadcasts:
        _link(made, node, called.name, called.matrices, broadcast(len(called.matrices)))
    else:
        _relate_function(made, node, called, values)
    if len(called.matrices) == 1 and id(called.matrices[0]) in made.numbers and called.operator.is_elementwise:
        made.numbers[id(node)] = None  # a number expression, as 1/2 is: exp(1) spreads
    if called.operator.signatures == TURNED:
        _note_transposed(made, called.matrices[0])


def _relate_function(made: Scene, node: Call, called: Called, values: list[int]) -> None:
    given = {name: size_of(tree, made.text, made.limits) for name, tree in called.sizes}
    given |= _told_by_sizes(called, given)
    ones = tuple((name, size == 1) for name, size in given.items())
    allowed = table(tuple(each.text for each in called.signatures), ones)
    values.append(made.network.value())
    if len({kinds[:-1] for kinds in allowed}) < len(allowed):
        made.sized.append(values[-1])
    balance, trims = called.operator.balance, called.operator.trims
    _join(made, Relation(node, called.name, tuple(values), allowed, given, None, balance, trims))


def _told_by_sizes(called: Called, given: Mapping[str, AnySize]) -> dict[str, AnySize]:
    """The sizes of a result that follow from sizes alone, as n*(n + 1)/2 does, where these are numbers."""
    shape, one = called.operator.shape, called.signatures[0]
    if shape is None or called.matrices or not all(isinstance(size, int) for size in given.values()):
        return {}
    made = shape((), tuple(given.values()))
    pairs = zip(one.result, made, strict=True)
    return {
        str(want): have for want, have in pairs if isinstance(want, Size) and want.is_name and str(want) not in given
    }


def _relate_index(made: Scene, node: Index) -> None:
    cuts = _cuts(node.items)
    for cut in cuts:
        if cut.stop is not None and cut.start >= cut.stop and (cut.start >= 0) == (cut.stop >= 0):
            raise ShapeError(
                f"the slice {cut.start}:{cut.stop} is empty",
                text=made.text,
                spans=(node.span,),
                why="it begins with the first number and ends before the second, counted from 0",
            )
    operand = made.value_of[id(node.operand)]
    sizes = made.shapes.get(operand, (2**40, 2**40))
    domain = made.network.domains[operand]
    allowed = MATRIX | ROW if len(node.items) == 2 else VECTOR
    if len(node.items) == 2 and _is_stored_as_matrix(made, node.operand):
        allowed = ANY
    found = dict(_index_table(cuts, sizes, allowed & (domain or ANY) or allowed))
    _join(made, Relation(node, "index", (operand, made.network.value()), found, {}, cuts))


def _is_stored_as_matrix(made: Scene, node: Node) -> bool:
    return isinstance(node, Name) and node.name in made.known and made.known[node.name].kind == "matrix"


def _index_table(cuts: tuple[Cut, Cut], sizes: Shape, allowed: int) -> Iterator[tuple[tuple[int, ...], Form]]:
    for kind in (SCALAR, VECTOR, ROW, MATRIX):
        if kind & allowed:
            lengths = []
            for cut, size, one in zip(cuts, sizes, _ONES[kind], strict=True):
                length = cut.length(1 if one else size)
                lengths.append(1 if length == 1 else 2)
            yield (kind, kind_of((lengths[0], lengths[1]))), Form(())


_ONES = {SCALAR: (True, True), VECTOR: (False, True), ROW: (True, False), MATRIX: (False, False)}


def _cuts(items: tuple[int | Slice, ...]) -> tuple[Cut, Cut]:
    found = [Cut(item.start or 0, item.stop) if isinstance(item, Slice) else Cut(item, single=True) for item in items]
    return found[0], found[1] if len(found) > 1 else Cut()
