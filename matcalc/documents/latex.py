r"""Expression to LaTeX, as a textbook writes it.

The order of terms and factors is the printer's. On top of that: products by juxtaposition, ``\odot`` and
``\oslash`` for what acts entry by entry, ``\frac`` over scalars, ``X^{-\top}`` for a transposed inverse, a
number that is added to a matrix as the number alone. Names are checked before they enter: no text of a user
reaches LaTeX as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.formula import Formula, call, escaped, exponent, filled, with_ones
from matcalc.expression.nodes import Node
from matcalc.expression.piece import ADD, ATOM, CHAIN, MUL, POWER
from matcalc.expression.sizes import AnySize, Size
from matcalc.expression.walk import fold
from matcalc.language.presentation import presented
from matcalc.language.printer import Style, repeated
from matcalc.language.reading_order import is_negative_power, reciprocal

_LETTER = re.compile(
    "alpha|beta|[gG]amma|[dD]elta|(var)?epsilon|zeta|eta|[tT]heta|vartheta|iota|kappa|[lL]ambda|mu|nu|[xX]i|[pP]i|"
    "rho|[sS]igma|tau|[uU]psilon|[pP]hi|varphi|chi|[pP]si|[oO]mega"
)
"""Letters that LaTeX has a command for."""


def latex(node: Node, style: Style | None = None) -> str:
    r"""``node`` in LaTeX, for math mode.

    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> print(latex((A + A.T) @ x - build.number(2) * x))
    \left(A + A^\top\right) x - 2 x

    Raises:
        UnsupportedError: for a name that is no plain name.
    """
    node = presented(node, style.order if style is not None else {})
    writer, lines = _Writer(_names(node)), list[str]()
    taken = set(writer.names.values())
    for part in repeated(node):
        name = next(t for k in range(len(lines) + 1, 10**9) if (t := f"t_{{{k}}}") not in taken)
        taken.add(name)
        lines.append(rf"{name} = {writer.piece(part).body};\; ")
        writer.memo[part] = Formula(name, ATOM)
    return "".join(lines) + writer.piece(node).body


def pieces(style: Style, nodes: Sequence[Node]) -> Callable[[Node], Formula]:
    """A writer of formulas for several nodes, whose names are told apart among them."""
    return writing(style, set().union(*(node.free for node in nodes)))


def writing(
    style: Style, names: Iterable[str], differentials: Mapping[str, str] | None = None
) -> Callable[[Node], Formula]:
    r"""A writer of formulas with these names; ``differentials`` are names of the differentials of others.

    >>> dx = build.variable("dx", (3, 1), "vector")
    >>> print(writing(Style(), ["x"], {"dx": "x"})(dx).body)
    \mathrm{d}x
    """
    shown = _told_apart(sorted(names))
    shown |= {name: rf"\mathrm{{d}}{shown[of]}" for name, of in (differentials or {}).items()}
    writer = _Writer(shown, frozenset(differentials or {}))
    return lambda node: writer.piece(presented(node, style.order))


# ------------------------------------------------------------------------------------------------------- names


def _names(root: Node) -> dict[str, str]:
    """Every name's LaTeX; two names that would look alike are spelled out."""
    return _told_apart(sorted(root.free))


def _told_apart(names: Sequence[str]) -> dict[str, str]:
    pieces = {name: name_in_latex(name) for name in names}
    shown = list(pieces.values())
    return {name: body if shown.count(body) == 1 else _spelled(name) for name, body in pieces.items()}


def name_in_latex(name: str) -> str:
    r"""``W1`` and ``W_1`` as W with a subscript, ``lambda`` as the letter, ``loss`` in one italic word.

    Raises:
        UnsupportedError: for what is no name of letters, digits and _.

    >>> print(name_in_latex("W1"), name_in_latex("lambda"), name_in_latex("loss"), name_in_latex("x_hat"))
    W_{1} \lambda \mathit{loss} x_{\mathit{hat}}
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UnsupportedError(f"{name!r} is no name that LaTeX could show")
    parts = re.fullmatch(r"([A-Za-z]+)_?([0-9]+)|([A-Za-z0-9]+)_([A-Za-z0-9]+)", name)
    if parts is None:
        return _word(name)
    base, below = (part for part in parts.groups() if part is not None)
    return f"{_word(base)}_{{{_word(below)}}}"


def _word(text: str) -> str:
    if re.fullmatch("[A-Za-z]|[0-9]+", text):
        return text
    return f"\\{text}" if _LETTER.fullmatch(text) else _spelled(text)


def _spelled(name: str) -> str:
    return rf"\mathit{{{escaped(name)}}}"


def _size(size: AnySize) -> str:
    if isinstance(size, int):
        return str(size)
    terms = [_monomial(names, factor, first=k == 0) for k, (names, factor) in enumerate(size.terms)]
    return "".join(terms)


def _monomial(names: Iterable[str], factor: int, *, first: bool) -> str:
    powers = {name: list(names).count(name) for name in names}
    letters = [name_in_latex(name) + ("" if k == 1 else exponent(str(k))) for name, k in powers.items()]
    front = [str(abs(factor))] if abs(factor) != 1 or not letters else []
    sign = ("-" if factor < 0 else "") if first else " - " if factor < 0 else " + "
    return sign + " ".join([*front, *letters])


# ------------------------------------------------------------------------------------------------------ pieces


def _beside(parts: Sequence[str]) -> str:
    """Factors side by side, with a dot before one that begins with a digit."""
    text = parts[0]
    for part in parts[1:]:
        text += (r" \cdot " if part[0].isdigit() else " ") + part
    return text


def _factors(pieces: Sequence[Formula], number: int = 1) -> Formula:
    """A number times factors; the last may be a product itself, where it is the only one."""
    if number == 1 and len(pieces) == 1:
        return pieces[0]
    parts = [str(number)] if number != 1 or not pieces else []
    last = MUL if all(p.level >= POWER for p in pieces[:-1]) else POWER
    parts += [*(p.followed(POWER) for p in pieces[:-1]), *(p.within(last) for p in pieces[-1:])]
    return Formula(_beside(parts), MUL if len(parts) > 1 else ATOM)


def _over(above: Formula, below: Formula) -> Formula:
    return Formula(rf"\frac{{{above.body}}}{{{below.body}}}", POWER)


@dataclass(frozen=True)
class Term:
    """A scalar taken apart: sign, number, factors above and below the line."""

    negative: bool
    number: Fraction
    above: tuple[Formula, ...]
    below: tuple[Formula, ...]

    def piece(self, matrix: Formula | None = None) -> Formula:
        """Put together again, times a matrix perhaps, without the sign."""
        above = (*self.above, *(() if matrix is None else (matrix,)))
        top, under = self.number.numerator, self.number.denominator
        if self.below:
            return _over(_factors(above, top), _factors(self.below, under))
        if under == 1:
            return _factors(above, top)
        front = _over(Formula(str(top), ATOM), Formula(str(under), ATOM))
        return _factors((front, *above))

    def signed(self, matrix: Formula | None = None) -> Formula:
        """The same with the sign."""
        piece = self.piece(matrix)
        return Formula(f"-{piece.within(MUL)}", ADD) if self.negative else piece


# ------------------------------------------------------------------------------------------------------ writer


class _Writer:
    """Writes nodes, each once."""

    def __init__(self, names: dict[str, str], differentials: frozenset[str] = frozenset()) -> None:
        self.names = names
        self.differentials = differentials
        self.memo: dict[Node, Formula] = {}

    def piece(self, node: Node) -> Formula:
        """The node's LaTeX."""
        return fold(node, self._visit, self.memo)

    def term(self, scalar: Node) -> Term:
        """A scalar node taken apart into what stands above and below the line."""
        number, above, below = Fraction(1), list[Node](), list[Node]()
        for factor in scalar.args if scalar.op == "times" else (scalar,):
            if factor.op == "number":
                number *= factor.params[0]
            elif is_negative_power(factor):
                below.append(reciprocal(factor))
            else:
                above.append(factor)
        pieces = [tuple(map(self.piece, group)) for group in (above, below)]
        return Term(number < 0, abs(number), pieces[0], pieces[1])

    def _visit(self, node: Node, args: Sequence[Formula]) -> Formula:
        special = _NOTATION.get(node.op)
        if special is not None:
            return special(node, args, self)
        how = node.operator.latex
        if callable(how):
            return how(node, args, _size)
        if how is not None:
            return filled(how, args)
        extra = [_size(p) for p in node.params if isinstance(p, int | Size)]
        return call(node.op, *(arg.body for arg in args), *extra)


# ---------------------------------------------------------------------------------------------------- notation


def _number(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    value = node.params[0]
    if value.denominator == 1:
        return Formula(str(value), ADD if value < 0 else ATOM)
    body = rf"\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return Formula(f"-{body}", ADD) if value < 0 else Formula(body, POWER)


def _variable(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    body, differential = writer.names[node.params[0]], node.params[0] in writer.differentials
    return Formula(body, POWER if differential else ATOM, differential=differential)


def _scale(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    return writer.term(node.args[0]).signed(args[1])


def _times(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    if node.is_scalar:
        return writer.term(node).signed()
    below = [f for f in node.args if is_negative_power(f)]
    if len(below) == len(node.args):
        below = []
    above = [f for f in node.args if f not in below]
    body = _entrywise(above, writer, divided=bool(below))
    if below:
        under = Formula(_entrywise([reciprocal(f) for f in below], writer), POWER if len(below) == 1 else MUL)
        body += rf" \oslash {under.within(POWER)}"
    return Formula(body, MUL)


def _entrywise(factors: Sequence[Node], writer: _Writer, *, divided: bool = False) -> str:
    pieces = [writer.piece(f) for f in factors]
    last = pieces[-1].followed(POWER) if divided else pieces[-1].within(POWER)
    return r" \odot ".join([*(piece.followed(POWER) for piece in pieces[:-1]), last])


def _power(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    value = build.number_of(node.args[1])
    raised = args[1].body if value is None else str(value)
    if not node.is_scalar:
        shown = args[1].within(MUL) if value is None else raised
        return Formula(rf"{args[0].within(ATOM)}^{{\odot {shown}}}", POWER)
    if is_negative_power(node):
        return _over(Formula("1", ATOM), writer.piece(reciprocal(node)))
    if value == Fraction(1, 2):
        return Formula(rf"\sqrt{{{args[0].body}}}", ATOM)
    return Formula(args[0].within(ATOM) + exponent(raised), POWER)


def _product(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    return Formula(_beside([*(arg.followed(CHAIN) for arg in args[:-1]), args[-1].within(CHAIN)]), CHAIN)


def _spread(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    return with_ones(args[0], before=node.args[0].cols != 1, after=node.args[0].cols == 1, turned=True)


def _transpose(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    if args[0].power is None:
        return Formula(rf"{args[0].within(ATOM)}^\top", POWER)
    base, power = args[0].power
    return Formula(base.within(ATOM) + exponent(rf"{power.removesuffix('1')}\top"), POWER)


def _matpow(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    base, power = args[0], node.params[0]
    if base.power is not None and base.power[1] == "-1":
        base, power = base.power[0], -power
    return Formula(base.within(ATOM) + exponent(str(power)), POWER)


def _add(node: Node, args: Sequence[Formula], writer: _Writer) -> Formula:
    body = ""
    for term in node.args:
        negative, piece = _addend(term, writer)
        sign = (" - " if negative else " + ") if body else "-" if negative else ""
        body += sign + piece.within(MUL)
    return Formula(body, ADD)


def _addend(term: Node, writer: _Writer) -> tuple[bool, Formula]:
    """A term with its sign apart; a constant matrix is shown as its number."""
    if term.is_scalar:
        taken = writer.term(term)
        return taken.negative, taken.piece()
    scalar, rest = term.args if term.op == "scale" else (build.number(1), term)
    taken = writer.term(scalar)
    bare = rest is build.ones(*rest.shape) and scalar.op == "number"
    return taken.negative, taken.piece(None if bare else writer.piece(rest))


_NOTATION: dict[str, Callable[[Node, Sequence[Formula], _Writer], Formula]] = {
    "variable": _variable,
    "number": _number,
    "size": lambda node, args, writer: Formula(_size(node.params[0]), ATOM),
    "add": _add,
    "times": _times,
    "scale": _scale,
    "power": _power,
    "product": _product,
    "spread": _spread,
    "transpose": _transpose,
    "matpow": _matpow,
}
