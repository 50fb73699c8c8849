"""Expression to text, in the language it came from; what is printed parses back to the same value.

Conventions, each kept everywhere: the sign and the number come first, then scalar factors, then the matrix
product, then what it is divided by; ``.T`` on the outside; ``inv(X)`` and not ``X^-1``; ``sqrt(x)`` for a power of 1/2.
In which order terms and factors come is decided before (:mod:`matcalc.language.presentation`), for LaTeX as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.piece import ADD, ATOM, MUL, POWER, Piece
from matcalc.expression.sizes import AnySize, Size
from matcalc.expression.walk import fold, users
from matcalc.language.presentation import presented
from matcalc.language.reading_order import is_negative_power, reciprocal

_WIDEST = 3000
_WORTH_A_NAME = 8


@dataclass(frozen=True)
class Style:
    """How to print.

    Attributes:
        order: of sums and products that a user typed, the parts in that order.
        sizes: the size names that may stand for numbers; others are written ``size(x, 0)``.
        variables: where to read such a size.
        memo: what is printed already; every text begins with none.
    """

    order: Mapping[Node, tuple[Node, ...]] = field(default_factory=dict)
    sizes: frozenset[str] | None = None
    variables: tuple[Node, ...] = ()
    memo: dict[Node, Piece] = field(default_factory=dict, compare=False, repr=False)


def written(node: Node, style: Style | None = None) -> str:
    """``node`` in the expression language.

    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> written((A + A.T) @ x - build.number(2) * x)
    '(A + A.T)*x - 2*x'
    """
    style = replace(style or Style(), memo={})
    node = presented(node, style.order)
    memo, lines = style.memo, list[str]()
    for part in repeated(node):
        name = next(f"t{k}" for k in range(len(lines) + 1, 10**9) if f"t{k}" not in node.free)
        lines.append(f"{name} = {_text(part, style).body}; ")
        memo[part] = Piece(name, ATOM)
    return "".join(lines) + _text(node, style).body


def repeated(root: Node) -> list[Node]:
    """What a text that would repeat itself beyond reading gives names to, in the order of the names."""
    if root.weight <= _WIDEST:
        return []
    counts = users(root)
    return [n for n in postorder(root) if n is not root and counts[n] > 1 and n.weight >= _WORTH_A_NAME]


def piece(node: Node, style: Style) -> Piece:
    """The text of a node with how tightly it binds, for one who puts it into another text."""
    return _text(presented(node, style.order), style)


def _text(node: Node, style: Style) -> Piece:
    return fold(node, _printer(style), style.memo)


def _printer(style: Style) -> Callable[[Node, Sequence[Piece]], Piece]:
    def size_as_value(size: AnySize) -> str:
        if isinstance(size, int) or style.sizes is None or str(size) in style.sizes:
            return str(size)
        return _measured(size, style.variables)

    def visit(node: Node, args: Sequence[Piece]) -> Piece:
        special = _NOTATION.get(node.op)
        if special is not None:
            return special(node, args, style)
        if node.op == "size":
            return Piece(size_as_value(node.params[0]), ATOM)
        return _call(node, args)

    return visit


def _measured(size: Size, variables: tuple[Node, ...]) -> str:
    for variable in variables:
        for axis in (0, 1):
            if variable.shape[axis] == size:
                return f"size({variable.params[0]}, {axis})"
    return str(size)


def _call(node: Node, args: Sequence[Piece]) -> Piece:
    how = node.operator.written
    if how is None:
        return Piece(f"{node.op}({', '.join(arg.body for arg in args)})", ATOM)
    bodies = [arg.within(ATOM) if node.operator.postfix else arg.body for arg in args]
    text = how.format(*bodies) if isinstance(how, str) else how(node, bodies, str)
    return Piece(text, ATOM)


# ------------------------------------------------------------------------------------------- terms and factors


@dataclass(frozen=True)
class Term:
    """A term taken apart: sign, number, factors above and below the line, and the matrix (text, or None)."""

    negative: bool
    number: Fraction
    above: tuple[Piece, ...]
    below: tuple[Piece, ...]

    def text(self, matrix: Piece | None = None) -> Piece:
        """Put together again, without the sign."""
        last_bare = matrix is None and not self.below and all(f.level >= POWER for f in self.above[:-1])
        above = [f.within(MUL if last_bare and f is self.above[-1] else POWER) for f in self.above]
        if matrix is not None:
            above.append(matrix.within(MUL))
        number, below = self.number, [f.within(POWER) for f in self.below]
        if below and number.denominator != 1:
            below.insert(0, str(number.denominator))
            number = Fraction(number.numerator)
        if number != 1 or not above:
            above.insert(0, str(number))
        body = "*".join(above)
        if below:
            body += "/" + (below[0] if len(below) == 1 else f"({'*'.join(below)})")
        if len(above) == 1 and not below:
            level = (ATOM if number.denominator == 1 else MUL) if not self.above and matrix is None else (
                matrix.level if matrix is not None else self.above[0].level)  # fmt: skip
            return Piece(body, max(level, MUL) if matrix is None or matrix.level >= MUL else ATOM)
        return Piece(body, MUL)


def _term(scalar: Node, style: Style) -> Term:
    """A scalar node taken apart into what stands above and below the line."""
    number, above, below = Fraction(1), list[Node](), list[Node]()
    for factor in scalar.args if scalar.op == "times" else (scalar,):
        if factor.op == "number":
            number *= factor.params[0]
        elif is_negative_power(factor):
            below.append(reciprocal(factor))
        else:
            above.append(factor)
    texts = [[_text(f, style) for f in group] for group in (above, below)]
    return Term(number < 0, abs(number), tuple(texts[0]), tuple(texts[1]))


def _scalar_times(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    term = _term(node, style)
    text = term.text()
    return Piece(f"-{text.within(MUL)}", ADD) if term.negative else text


def _scale(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    term = _term(node.args[0], style)
    text = _multiple(term, args[1])
    return Piece(f"-{text.within(MUL)}", ADD) if term.negative else text


def _multiple(term: Term, matrix: Piece) -> Piece:
    """A scalar times a matrix; over the entries of a matrix the scalar stands above the line."""
    is_reciprocal = matrix.level == MUL and matrix.body.startswith("1./")
    if not is_reciprocal or not (term.above or term.number.denominator == 1):
        return term.text(matrix)
    above = replace(term, below=()).text().within(MUL)
    if not term.below:
        return Piece(f"{above}{matrix.body[1:]}", MUL)
    under = "*".join(f.within(POWER) for f in term.below)
    return Piece(f"{above}./({under}*{matrix.body.removeprefix('1./')})", MUL)


def _times(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    if node.is_scalar:
        return _scalar_times(node, args, style)
    above = [f for f in node.args if not is_negative_power(f)]
    below = [reciprocal(f) for f in node.args if is_negative_power(f)]
    bare = _spans(node, [*above, *below])
    texts = [_operand(f, bare, style) for f in above] or ["1"]
    under = [_operand(f, bare, style) for f in below]
    body = ".*".join(texts)
    if under:
        body += "./" + (under[0] if len(under) == 1 else f"({'.*'.join(under)})")
    return Piece(body, MUL)


def _spans(node: Node, factors: Sequence[Node]) -> bool:
    """Whether the factors, a spread one bare, still have the node's shape together."""
    shapes = [(f.args[0] if f.op == "spread" else f).shape for f in factors]
    return all(any(s[axis] == node.shape[axis] for s in shapes) for axis in (0, 1))


def _operand(factor: Node, bare: bool, style: Style) -> str:
    shown = factor.args[0] if bare and factor.op == "spread" else factor
    return _text(shown, style).within(POWER)


def _power(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    exponent = node.args[1]
    if is_negative_power(node):
        under = _text(reciprocal(node), style).within(POWER)
        return Piece(f"1/{under}" if node.is_scalar else f"1./{under}", MUL)
    if build.number_of(exponent) == Fraction(1, 2):
        return Piece(f"sqrt({args[0].body})", ATOM)
    sign = "^" if node.is_scalar else ".^"
    return Piece(f"{args[0].within(ATOM)}{sign}{args[1].within(ATOM)}", POWER)


def _product(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    return Piece("*".join(arg.within(POWER) for arg in args), MUL)


def _spread(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    if node.args[0].cols == 1:
        return Piece(f"{args[0].within(POWER)}*ones(1, {node.cols})", MUL)
    return Piece(f"ones({node.rows})*{args[0].within(POWER)}", MUL)


def _number(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    value = node.params[0]
    return Piece(str(value), ADD if value < 0 else ATOM if value.denominator == 1 else MUL)


# -------------------------------------------------------------------------------------------------------- sums


@dataclass(frozen=True)
class _Addend:
    node: Node
    negative: bool
    text: Piece
    dotted: bool
    number: bool


def _add(node: Node, args: Sequence[Piece], style: Style) -> Piece:
    addends = [_addend(term, style) for term in node.args]
    if all(a.dotted or a.number for a in addends):
        addends = [_plain(addends[0], style), *addends[1:]]
    if any(_is_identity(term) for term in node.args):  # I - 1*p', as it stands in a Jacobian
        addends = [_plain(a, style) if a.dotted else a for a in addends]
    first = next(k for k, a in enumerate(addends) if not a.dotted and not (a.number and any(b.dotted for b in addends)))
    addends.insert(0, addends.pop(first))
    spread = next((k for k, a in enumerate(addends) if a.dotted and not a.negative), None)
    if addends[0].negative and spread is not None and not any(a.number for a in addends):
        addends = [addends[spread], replace(addends[0], dotted=True), *addends[1:spread], *addends[spread + 1 :]]
    body = ("-" if addends[0].negative else "") + addends[0].text.within(MUL)
    for a in addends[1:]:
        sign = ("." if a.dotted else "") + ("-" if a.negative else "+")
        body += f" {sign} {a.text.within(MUL)}"
    return Piece(body, ADD)


def _is_identity(term: Node) -> bool:
    bare = term.args[1] if term.op == "scale" else term
    return bare.is_square and bare is build.eye(bare.rows)


def _addend(term: Node, style: Style) -> _Addend:
    """A term with its sign apart; constants and rows that spread are shown bare."""
    scalar, rest = (term, None) if term.is_scalar else term.args if term.op == "scale" else (build.number(1), term)
    taken = _term(scalar, style)
    if rest is None:
        return _Addend(term, taken.negative, taken.text(), dotted=False, number=False)
    if rest is build.ones(*rest.shape):
        plain = scalar.op == "number"
        return _Addend(term, taken.negative, taken.text(), dotted=not plain, number=plain)
    shown = rest.args[0] if rest.op == "spread" else rest
    text = _multiple(taken, _text(shown, style))
    return _Addend(term, taken.negative, text, dotted=rest.op == "spread", number=False)


def _plain(addend: _Addend, style: Style) -> _Addend:
    """The same term written so that it has its full shape by itself."""
    scalar, rest = addend.node.args if addend.node.op == "scale" else (build.number(1), addend.node)
    taken = _term(scalar, style)
    return _Addend(addend.node, taken.negative, taken.text(_text(rest, style)), dotted=False, number=False)


_NOTATION: dict[str, Callable[[Node, Sequence[Piece], Style], Piece]] = {
    "number": _number,
    "add": _add,
    "times": _times,
    "scale": _scale,
    "power": _power,
    "product": _product,
    "spread": _spread,
    "transpose": lambda node, args, style: Piece(f"{args[0].within(ATOM)}.T", ATOM),
    "matpow": lambda node, args, style: Piece(f"{args[0].within(ATOM)}^{node.params[0]}", POWER),
}
