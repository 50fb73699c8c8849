"""Why a line holds: the rule of an operator's record, stated on letters by that record itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matcalc.calculus.differential import part
from matcalc.calculus.moves import Move, Part, pending
from matcalc.calculus.quantities import storage
from matcalc.documents.derivation.record import Reason, Written
from matcalc.documents.derivation.writing import Writer
from matcalc.errors import MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.rule import Rule
from matcalc.language.printer import Style
from matcalc.operators.vectorization import vec

_MOST_LETTERS = 3
_MOST_FORMULAS = 2
_SHORT = 60
_AS_STEPS = {"functions of their own": "a function with a name of its own"}
_PLAIN = {"collecting": "collect terms", "constant factors": "collect terms"}
"""Rules that nobody needs to see in letters."""

DIFFERENTIAL = "Magnus & Neudecker 2019, ch. 5.4"
CHAIN_RULE = "Magnus & Neudecker 2019, ch. 5.12"
GRADIENT = "Magnus & Neudecker 2019, ch. 9.5"
JACOBIAN = "Magnus & Neudecker 2019, ch. 5.8, ch. 9.5"
DISTRIBUTIVITY = "Magnus & Neudecker 2019, ch. 1.3"
"""Where what is no operator's rule is published: the differential itself, and the theorems by which one is read off."""

TAKEN = Reason("take the differential", None, DIFFERENTIAL)
_LINEAR = "the differential passes through what is linear"


def reason_of(move: Move) -> Reason:
    """The reason for one move.

    >>> from matcalc.calculus.differential_moves import differential_moves
    >>> from matcalc.calculus.moves import Motion
    >>> x, dx = (build.variable(name, (3, 1), "vector") for name in ("x", "dx"))
    >>> [move] = differential_moves(build.apply("tanh", x), Motion(x, dx))
    >>> reason_of(move).text
    'chain rule for tanh: d(tanh(u)) = (1 - tanh(u).^2).*d(u)'
    """
    if isinstance(move.by, str):
        return Reason(move.by)
    if isinstance(move.by, Rule) and move.by.name in _PLAIN:
        return Reason(_PLAIN[move.by.name], None, move.by.source)
    if isinstance(move.by, Rule):
        says = move.by.says if len(move.by.says) <= _SHORT else move.by.says.partition(", ")[0]
        return Reason(_AS_STEPS.get(move.by.name, move.by.name), None, move.by.source, says)
    if move.kind == "differential":
        return differential_reason(move.by, move.moving)
    return transpose_reason(move.by, move.moving)


def reasons_of(moves: Sequence[Move]) -> tuple[Reason, ...]:
    """The reasons for a line that several moves made, without what goes without saying."""
    telling = [move for move in moves if not _goes_without_saying(move)]
    found = dict.fromkeys(reason_of(move) for move in telling or moves)
    if not telling and len(found) > 1 and all(move.kind == "differential" for move in moves):
        sources = dict.fromkeys(reason.source for reason in found)
        return (Reason(_LINEAR, None, "; ".join(source for source in sources if source)),)
    by_words: dict[str, Reason] = {}
    for reason in found:
        known = by_words.setdefault(reason.words, reason)
        if known.formula is None and reason.formula is not None:
            by_words[reason.words] = reason
    if len(by_words) > _MOST_FORMULAS and telling[0].kind == "transpose":
        return tuple(replace(reason, formula=None) for reason in by_words.values())
    return tuple(by_words.values())


def _goes_without_saying(move: Move) -> bool:
    """What is linear, where something else is said; a sum or a number that a cotangent passes."""
    if not isinstance(move.by, Node):
        return False
    if move.kind == "differential":
        operator = move.by.operator
        return operator.transpose is not None and (operator.differential is None or len(move.moving) <= 1)
    weights = [arg for i, arg in enumerate(move.by.args) if i not in move.moving]
    return len(move.by.args) > 1 and all(weight.is_scalar for weight in weights)


def differential_reason(node: Node, moving: Sequence[int]) -> Reason:
    """The rule of the differential, on letters where the arguments that move are."""
    operator = node.operator
    linear = operator.transpose is not None and operator.differential is None
    default = f"chain rule for {operator.name}" if operator.is_elementwise else f"differential of {operator.name}"
    words = operator.rule or (f"{operator.name} is linear" if linear else default)
    source = f"{CHAIN_RULE}; {operator.source}" if words == default and operator.is_elementwise else operator.source
    found = _on_letters(node, moving)
    if found is None:
        return Reason(words, None, source)
    stated, moving = found
    parts = [part(stated, i, pending(stated.args[i])) for i in moving]
    made = build.add(*parts)
    order = {made: tuple(parts)} if set(made.args) == set(parts) else {}
    return Reason(words, _equation(pending(stated), made, order), source)


def transpose_reason(node: Node, moving: Sequence[int]) -> Reason:
    """The rule of the transpose, on letters: ⟨w, A·v⟩ = ⟨A'·w, v⟩."""
    operator = node.operator
    source = operator.move_source or operator.source
    words = operator.move or f"transpose of {operator.name}"
    found = _on_letters(node, moving) if len(moving) == 1 else None
    if found is None or operator.transpose is None:
        return Reason(words, None, source)
    stated, (i,) = found
    letter = "w" if 1 in node.shape else "W"
    w = build.number(1) if node.is_scalar else build.variable(letter, node.shape, storage(node))
    writer = _letters(stated, w)
    try:
        sent = operator.transpose(stated, i, w)
    except MatcalcError:
        return Reason(words, None, source)
    sides = [writer.line((Part(value, u),)) for value, u in ((stated, w), (stated.args[i], sent))]
    return Reason(words, _equal(*sides), source)


def matrix_reason(node: Node, moving: Sequence[int]) -> Reason:
    """The matrix of a linear operator, on letters: vec(A·V·B) = (B' ⊗ A)·vec(V)."""
    operator = node.operator
    found = _on_letters(node, moving) if len(moving) == 1 else None
    words, source = "write it as a matrix", operator.matrix_source or operator.source
    if found is None or operator.matrix is None:
        return Reason(words, None, source)
    stated, (i,) = found
    v = stated.args[i]
    matrix = operator.matrix(stated, i, build.eye(v.rows * v.cols))
    if matrix is None:
        return Reason(words, None, source)
    writer = _letters(stated)
    right = writer.product(matrix, writer.written(vec(v)))
    return Reason(words, _equal(writer.written(vec(stated)), right), source)


def _equation(left: Node, right: Node, order: Mapping[Node, tuple[Node, ...]]) -> Written | None:
    writer = replace(_letters(left, right), style=Style(order))
    return _equal(writer.written(left), writer.written(right))


def _equal(left: Written, right: Written) -> Written | None:
    """An equation; None where both sides are written alike, as a product regrouped is."""
    if left.text == right.text or left.latex == right.latex:
        return None
    return Written(f"{left.text} = {right.text}", f"{left.latex} = {right.latex}")


def _letters(*nodes: Node) -> Writer:
    return Writer(Style(), frozenset().union(*(node.free for node in nodes)))


def _on_letters(node: Node, moving: Sequence[int]) -> tuple[Node, tuple[int, ...]] | None:
    """The operator on letters, u and v where an argument moves and c where it does not, and which arguments move.

    None where there are too many, or the letters make something else.
    """
    if len(node.args) > _MOST_LETTERS or not moving:
        return None
    moves, still = iter("uvw"), iter("cab")
    args, movers = list[Node](), list[Node]()
    for i, arg in enumerate(node.args):
        if i not in moving and not arg.free:
            args.append(arg)
            continue
        letter = next(moves if i in moving else still)
        if i not in moving and arg.rows == 1 != arg.cols:
            args.append(build.variable(letter, (arg.cols, 1), "vector").T)
        else:
            args.append(build.variable(letter if 1 in arg.shape else letter.upper(), arg.shape, storage(arg)))
        movers += args[-1:] if i in moving else []
    try:
        made = build.with_args(node, tuple(args))
    except MatcalcError:
        return None
    if made.op != node.op or set(made.args) != set(args) or len(made.args) != len(args):
        return None
    return made, tuple(made.args.index(mover) for mover in movers)
