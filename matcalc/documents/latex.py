r"""Expression to LaTeX, as a textbook writes it.

The order of terms and factors is the printer's. On top of that: products by juxtaposition, ``\odot`` and
``\oslash`` for what acts entry by entry, ``\frac`` over scalars, ``X^{-\top}`` for a transposed inverse, a
number that is added to a matrix as the number alone. Names are checked before they enter: no text of a user
reaches LaTeX as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.sizes import AnySize, Size
from matcalc.expression.walk import fold, users
from matcalc.language import printer
from matcalc.language.printer import ADD, ATOM, MUL, POWER, Style

_CHAIN = 3
"""A matrix product: binds more tightly than other products, since it may stand bare in a longer one."""
_LETTER = re.compile(
    "alpha|beta|[gG]amma|[dD]elta|(var)?epsilon|zeta|eta|[tT]heta|vartheta|iota|kappa|[lL]ambda|mu|nu|[xX]i|[pP]i|"
    "rho|[sS]igma|tau|[uU]psilon|[pP]hi|varphi|chi|[pP]si|[oO]mega"
)
"""Letters that LaTeX has a command for."""
_COMMAND = re.compile("(sin|cos|tan)h?|exp|log")
"""Functions that LaTeX has a command for."""


@dataclass(frozen=True)
class Piece:
    """A piece of LaTeX and how tightly its outermost operator binds."""

    body: str
    level: int

    def within(self, level: int) -> str:
        """The piece, in parentheses where it binds less tightly than ``level``."""
        return self.body if self.level >= level else rf"\left({self.body}\right)"


def latex(node: Node, style: Style | None = None) -> str:
    r"""``node`` in LaTeX, for math mode.

    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> print(latex((A + A.T) @ x - build.number(2) * x))
    \left(A + A^\top\right) x - 2 x

    Raises:
        UnsupportedError: for a name that is no plain name.
    """
    writer = _Writer(style or Style(), _names(node))
    if node.weight <= printer._WIDEST:
        return writer.piece(node).body
    return _with_names(node, writer)


def _with_names(root: Node, writer: _Writer) -> str:
    """LaTeX that would repeat itself beyond reading names what it repeats."""
    counts, lines = users(root), list[str]()
    taken = set(writer.names.values())
    for node in postorder(root):
        piece = writer.piece(node)
        if node is not root and counts[node] > 1 and node.weight >= printer._WORTH_A_NAME:
            name = next(t for k in range(len(lines) + 1, 10**9) if (t := f"t_{{{k}}}") not in taken)
            taken.add(name)
            lines.append(rf"{name} = {piece.body};\; ")
            writer.memo[node] = Piece(name, ATOM)
    return "".join(lines) + writer.piece(root).body


# ------------------------------------------------------------------------------------------------------- names


def _names(root: Node) -> dict[str, str]:
    """Every name's LaTeX; two names that would look alike are spelled out."""
    pieces = {name: _name(name) for name in sorted(root.free)}
    shown = list(pieces.values())
    return {name: body if shown.count(body) == 1 else _spelled(name) for name, body in pieces.items()}


def _name(name: str) -> str:
    r"""``W1`` and ``W_1`` as W with a subscript, ``lambda`` as the letter, ``loss`` in one italic word.

    >>> print(_name("W1"), _name("lambda"), _name("loss"), _name("x_hat"))
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
    return rf"\mathit{{{_escaped(name)}}}"


def _escaped(name: str) -> str:
    return name.replace("_", r"\_")


def _size(size: AnySize) -> str:
    if isinstance(size, int):
        return str(size)
    terms = [_monomial(names, factor, first=k == 0) for k, (names, factor) in enumerate(size.terms)]
    return "".join(terms)


def _monomial(names: Iterable[str], factor: int, *, first: bool) -> str:
    powers = {name: list(names).count(name) for name in names}
    letters = [_name(name) + ("" if k == 1 else _exponent(str(k))) for name, k in powers.items()]
    front = [str(abs(factor))] if abs(factor) != 1 or not letters else []
    sign = ("-" if factor < 0 else "") if first else " - " if factor < 0 else " + "
    return sign + " ".join([*front, *letters])


# ------------------------------------------------------------------------------------------------------ pieces


def _exponent(text: str) -> str:
    return f"^{text}" if len(text) == 1 else f"^{{{text}}}"


def _beside(parts: Sequence[str]) -> str:
    """Factors side by side, with a dot before one that begins with a digit."""
    text = parts[0]
    for part in parts[1:]:
        text += (r" \cdot " if part[0].isdigit() else " ") + part
    return text


def _factors(pieces: Sequence[Piece], number: int = 1) -> Piece:
    """A number times factors; the last may be a product itself."""
    if number == 1 and len(pieces) == 1:
        return pieces[0]
    parts = [str(number)] if number != 1 or not pieces else []
    parts += [p.within(MUL if p is pieces[-1] else POWER) for p in pieces]
    return Piece(_beside(parts), MUL if len(parts) > 1 else ATOM)


def _over(above: Piece, below: Piece) -> Piece:
    return Piece(rf"\frac{{{above.body}}}{{{below.body}}}", POWER)


def _call(name: str, args: Iterable[str]) -> Piece:
    shown = f"\\{name}" if _COMMAND.fullmatch(name) else rf"\operatorname{{{_escaped(name)}}}"
    return Piece(rf"{shown}\left({', '.join(args)}\right)", ATOM)


_OPEN = re.compile(r"(?:\(|\\l[vV]ert|\\langle|,)\s*$")
_CLOSE = re.compile(r"\s*(?:\)|\\r[vV]ert|\\rangle|,)")


def _filled(template: str, args: Sequence[Piece]) -> Piece:
    """A record's template with its arguments, each in parentheses where the template does not fence it."""
    parts = re.split(r"(?<!\{)(\{\d\})(?!\})", template)
    texts, fenced = [arg.within(ATOM) for arg in args], True
    for k in range(1, len(parts), 2):
        if _OPEN.search(parts[k - 1]) and _CLOSE.match(parts[k + 1]):
            texts[int(parts[k][1])] = args[int(parts[k][1])].body
        else:
            fenced = False
    return Piece(template.format(*texts), ATOM if fenced else POWER)


@dataclass(frozen=True)
class Term:
    """A scalar taken apart: sign, number, factors above and below the line."""

    negative: bool
    number: Fraction
    above: tuple[Piece, ...]
    below: tuple[Piece, ...]

    def piece(self, matrix: Piece | None = None) -> Piece:
        """Put together again, times a matrix perhaps, without the sign."""
        above = (*self.above, *(() if matrix is None else (matrix,)))
        top, under = self.number.numerator, self.number.denominator
        if self.below:
            return _over(_factors(above, top), _factors(self.below, under))
        if under == 1:
            return _factors(above, top)
        front = _over(Piece(str(top), ATOM), Piece(str(under), ATOM))
        return _factors((front, *above))

    def signed(self, matrix: Piece | None = None) -> Piece:
        """The same with the sign."""
        piece = self.piece(matrix)
        return Piece(f"-{piece.within(MUL)}", ADD) if self.negative else piece


# ------------------------------------------------------------------------------------------------------ writer


class _Writer:
    """Writes nodes, each once."""

    def __init__(self, style: Style, names: dict[str, str]) -> None:
        self.style = style
        self.names = names
        self.memo: dict[Node, Piece] = {}

    def piece(self, node: Node) -> Piece:
        """The node's LaTeX."""
        return fold(node, self._visit, self.memo)

    def term(self, scalar: Node) -> Term:
        """A scalar node taken apart into what stands above and below the line."""
        number, above, below = Fraction(1), list[Node](), list[Node]()
        for factor in scalar.args if scalar.op == "times" else (scalar,):
            if factor.op == "number":
                number *= factor.params[0]
            elif printer.is_negative_power(factor):
                below.append(_reciprocal(factor))
            else:
                above.append(factor)
        pieces = [tuple(map(self.piece, printer.in_reading_order(group))) for group in (above, below)]
        return Term(number < 0, abs(number), pieces[0], pieces[1])

    def _visit(self, node: Node, args: Sequence[Piece]) -> Piece:
        special = _NOTATION.get(node.op)
        if special is not None:
            return special(node, args, self)
        template = node.operator.latex
        if template is not None and not node.params:
            return _filled(template, args)
        extra = [_size(p) for p in node.params if isinstance(p, int | Size)]
        return _call(node.op, [*(arg.body for arg in args), *extra])


def _reciprocal(node: Node) -> Node:
    return build.power(node.args[0], build.negate(node.args[1]))


# ---------------------------------------------------------------------------------------------------- notation


def _number(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    value = node.params[0]
    if value.denominator == 1:
        return Piece(str(value), ADD if value < 0 else ATOM)
    body = rf"\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return Piece(f"-{body}", ADD) if value < 0 else Piece(body, POWER)


def _ones(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    if node.cols == 1:
        return Piece(r"\mathbf{1}", ATOM)
    row = r"\mathbf{1}^\top"
    return Piece(row, POWER) if node.rows == 1 else Piece(rf"\mathbf{{1}} {row}", _CHAIN)


def _scale(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    return writer.term(node.args[0]).signed(args[1])


def _times(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    if node.is_scalar:
        return writer.term(node).signed()
    below = [f for f in node.args if printer.is_negative_power(f)]
    if len(below) == len(node.args):
        below = []
    above = [f for f in node.args if f not in below]
    body = _entrywise(above, writer)
    if below:
        under = Piece(_entrywise([_reciprocal(f) for f in below], writer), POWER if len(below) == 1 else MUL)
        body += rf" \oslash {under.within(POWER)}"
    return Piece(body, MUL)


def _entrywise(factors: Sequence[Node], writer: _Writer) -> str:
    return r" \odot ".join(writer.piece(f).within(POWER) for f in printer.in_reading_order(factors))


def _power(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    value = build.number_of(node.args[1])
    raised = args[1].body if value is None else str(value)
    if not node.is_scalar:
        shown = args[1].within(MUL) if value is None else raised
        return Piece(rf"{args[0].within(ATOM)}^{{\odot {shown}}}", POWER)
    if printer.is_negative_power(node):
        return _over(Piece("1", ATOM), writer.piece(_reciprocal(node)))
    if value == Fraction(1, 2):
        return Piece(rf"\sqrt{{{args[0].body}}}", ATOM)
    return Piece(args[0].within(ATOM) + _exponent(raised), POWER)


def _product(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    return Piece(_beside([arg.within(_CHAIN) for arg in args]), _CHAIN)


def _spread(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    return _with_ones(args[0], before=node.args[0].cols != 1, after=node.args[0].cols == 1, turned=True)


def _with_ones(piece: Piece, *, before: bool, after: bool, turned: bool = False) -> Piece:
    """A product with a vector of ones: 1'·X and X·1 or, ``turned``, 1·X and X·1'."""
    row, column = r"\mathbf{1}^\top", r"\mathbf{1}"
    left, right = (column, row) if turned else (row, column)
    parts = [*([left] if before else []), piece.within(_CHAIN), *([right] if after else [])]
    return Piece(" ".join(parts), _CHAIN)


def _transpose(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    base = node.args[0]
    if base.op == "inv":
        return Piece(rf"{writer.piece(base.args[0]).within(ATOM)}^{{-\top}}", POWER)
    return Piece(rf"{args[0].within(ATOM)}^\top", POWER)


def _matpow(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    base, exponent = node.args[0], node.params[0]
    if base.op == "inv":
        base, exponent = base.args[0], -exponent
    return Piece(writer.piece(base).within(ATOM) + _exponent(str(exponent)), POWER)


def _index(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    written = node.operator.written
    place = written(node, [""], _size) if callable(written) else ""
    base = args[0].within(ATOM)
    return Piece(f"{{{base}}}_{{{place}}}" if "_" in base else f"{base}_{{{place}}}", ATOM)


def _sum(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    arg = node.args[0]
    return _with_ones(args[0], before=arg.rows != 1, after=arg.cols != 1)


def _sum_along(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    return _with_ones(args[0], before=node.params[0] == 0, after=node.params[0] == 1)


def _blocks(rows: Sequence[Sequence[str]]) -> Piece:
    inner = r" \\ ".join(" & ".join(row) for row in rows)
    return Piece(rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}", ATOM)


def _placed(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    """The block with zeros around it where there is room."""
    (top, left, rows, cols), arg = node.params, node.args[0]
    row = [*["0"] * (left != 0), args[0].body, *["0"] * (cols - left - arg.cols != 0)]
    blank = ["0"] * len(row)
    return _blocks([*[blank] * (top != 0), row, *[blank] * (rows - top - arg.rows != 0)])


def _add(node: Node, args: Sequence[Piece], writer: _Writer) -> Piece:
    body = ""
    for term in printer.terms_in_order(node, writer.style):
        negative, piece = _addend(term, writer)
        sign = (" - " if negative else " + ") if body else "-" if negative else ""
        body += sign + piece.within(MUL)
    return Piece(body, ADD)


def _addend(term: Node, writer: _Writer) -> tuple[bool, Piece]:
    """A term with its sign apart; a constant matrix is shown as its number."""
    if term.is_scalar:
        taken = writer.term(term)
        return taken.negative, taken.piece()
    scalar, rest = term.args if term.op == "scale" else (build.number(1), term)
    taken = writer.term(scalar)
    bare = rest.op == "ones" and scalar.op == "number"
    return taken.negative, taken.piece(None if bare else writer.piece(rest))


_NOTATION: dict[str, Callable[[Node, Sequence[Piece], _Writer], Piece]] = {
    "variable": lambda node, args, writer: Piece(writer.names[node.params[0]], ATOM),
    "number": _number,
    "size": lambda node, args, writer: Piece(_size(node.params[0]), ATOM),
    "ones": _ones,
    "basis": lambda node, args, writer: Piece(f"e_{{{_size(node.params[0])}}}", ATOM),
    "add": _add,
    "times": _times,
    "scale": _scale,
    "power": _power,
    "product": _product,
    "spread": _spread,
    "transpose": _transpose,
    "matpow": _matpow,
    "index": _index,
    "sum": _sum,
    "sum_along": _sum_along,
    "placed": _placed,
    "vstack": lambda node, args, writer: _blocks([[arg.body] for arg in args]),
    "hstack": lambda node, args, writer: _blocks([[arg.body for arg in args]]),
    "kron": lambda node, args, writer: Piece(rf"{args[0].within(POWER)} \otimes {args[1].within(POWER)}", MUL),
}
