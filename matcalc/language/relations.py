"""From a syntax tree to the relations between the shapes of its parts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache

from matcalc.errors import LimitError, ParseError, ShapeError
from matcalc.expression.operator import callable_named, operator_of_sign, stacking
from matcalc.expression.sizes import AnySize, Size
from matcalc.language.equations import result_shape
from matcalc.language.folding import folded
from matcalc.language.functions import (
    Called,
    function_as_value,
    resolved_call,
    size_of,
)
from matcalc.language.indexing import cuts_of, index_table
from matcalc.language.kinds import (
    ANY,
    MATRIX,
    ROW,
    SCALAR,
    VECTOR,
    kind_of,
    table,
)
from matcalc.language.scene import Known, Relation, Scene, operands
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
    Transpose,
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
    cuts = cuts_of(node.items)
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
    found = dict(index_table(cuts, sizes, allowed & (domain or ANY) or allowed))
    _join(made, Relation(node, "index", (operand, made.network.value()), found, {}, cuts))


def _is_stored_as_matrix(made: Scene, node: Node) -> bool:
    return isinstance(node, Name) and node.name in made.known and made.known[node.name].kind == "matrix"
