r"""Pieces of LaTeX, of which the operators' records and the pass over expressions compose formulas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from matcalc.expression.piece import ADD, ATOM, CHAIN, MUL, POWER, Piece
from matcalc.expression.sizes import AnySize

_COMMAND = re.compile("(sin|cos|tan)h?|arc(sin|cos|tan)|exp|log|max|min|det")
"""Functions that LaTeX has a command for."""
_OPEN = re.compile(r"(?:\(|\\l[vV]ert|\\langle|,)\s*$")
_CLOSE = re.compile(r"\s*(?:\)|\\r[vV]ert|\\rangle|,)")


@dataclass(frozen=True)
class Formula(Piece):
    r"""A piece of LaTeX.

    Attributes:
        power: the base and the exponent of what is shown as a power that has a transpose and powers of its own
            notation, as ``X^{-1}`` has ``X^{-\top}``.
        grid: the cells of what is shown as one matrix of blocks.
        differential: whether it begins with a d, which would seem to be of a factor after it as well.
    """

    power: tuple[Formula, str] | None = None
    grid: Grid | None = None
    differential: bool = False
    fences: ClassVar[tuple[str, str]] = (r"\left(", r"\right)")

    def followed(self, level: int) -> str:
        r"""The text as a factor before another one, a differential in parentheses.

        >>> print(Formula(r"\mathrm{d}x", POWER, differential=True).followed(CHAIN))
        \left(\mathrm{d}x\right)
        """
        return self.within(ATOM if self.differential else level)


@dataclass(frozen=True)
class Grid:
    """Blocks in rows, with the sizes of the rows and of the columns."""

    cells: tuple[tuple[str, ...], ...]
    heights: tuple[AnySize, ...]
    widths: tuple[AnySize, ...]

    @property
    def turned(self) -> Grid:
        """The same with rows for columns; the cells stay as they are."""
        return Grid(tuple(zip(*self.cells, strict=True)), self.widths, self.heights)

    def formula(self) -> Formula:
        """The blocks between brackets."""
        inner = r" \\ ".join(" & ".join(row) for row in self.cells)
        return Formula(rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}", ATOM, grid=self)


def stacked(pieces: Sequence[Formula], shapes: Sequence[tuple[AnySize, AnySize]], axis: int) -> Formula:
    """Blocks under one another (axis 0) or side by side; blocks of blocks whose borders meet make one matrix."""
    grids = [_own_grid(piece, shape) for piece, shape in zip(pieces, shapes, strict=True)]
    parts = grids if axis == 0 else [grid.turned for grid in grids]
    if len({part.widths for part in parts}) > 1:
        whole = [Grid(((p.body,),), (s[0],), (s[1],)) for p, s in zip(pieces, shapes, strict=True)]
        parts = whole if axis == 0 else [grid.turned for grid in whole]
    cells = tuple(row for part in parts for row in part.cells)
    made = Grid(cells, tuple(size for part in parts for size in part.heights), parts[0].widths)
    return (made if axis == 0 else made.turned).formula()


def _own_grid(piece: Formula, shape: tuple[AnySize, AnySize]) -> Grid:
    return piece.grid or Grid(((piece.body,),), (shape[0],), (shape[1],))


def call(name: str, *args: str, below: str = "") -> Formula:
    r"""A function's name and its arguments, what is said of the function ``below`` it.

    >>> print(call("max", "X", below="0").body)
    \max_{0}\left(X\right)
    """
    shown = f"\\{name}" if _COMMAND.fullmatch(name) else rf"\operatorname{{{escaped(name)}}}"
    script = f"_{{{below}}}" if below else ""
    return Formula(rf"{shown}{script}\left({', '.join(args)}\right)", ATOM)


def escaped(name: str) -> str:
    """A name with its underscores, which LaTeX would take for subscripts, escaped."""
    return name.replace("_", r"\_")


def exponent(text: str) -> str:
    """A superscript."""
    return f"^{text}" if len(text) == 1 else f"^{{{text}}}"


def infix(sign: str, *pieces: Formula) -> Formula:
    """Operands with a sign between them that has no neighbours it is known to bind more tightly than."""
    return Formula(f" {sign} ".join(piece.within(POWER) for piece in pieces), MUL)


def raised(base: Formula, text: str) -> Formula:
    """A base with an exponent, whose transpose and powers are written into the exponent."""
    return Formula(base.within(ATOM) + exponent(text), POWER, power=(base, text))


def with_ones(piece: Formula, *, before: bool, after: bool, turned: bool = False) -> Formula:
    """A product with a vector of ones: 1'·X and X·1 or, ``turned``, 1·X and X·1'."""
    row, column = r"\mathbf{1}^\top", r"\mathbf{1}"
    left, right = (column, row) if turned else (row, column)
    parts = [*([left] if before else []), piece.within(CHAIN), *([right] if after else [])]
    return Formula(" ".join(parts), CHAIN)


def cases(*rows: tuple[str, str]) -> Formula:
    """One value or another, each with its condition."""
    inner = r" \\ ".join(f"{value} & {condition}" for value, condition in rows)
    return Formula(rf"\begin{{cases}} {inner} \end{{cases}}", ADD)


def axis_name(params: Sequence[int]) -> str:
    """What stands below a function that is taken of each column (axis 0) or of each row, "" of all entries."""
    return rf"\mathrm{{{('cols', 'rows')[params[0]]}}}" if params else ""


def filled(template: str, args: Sequence[Formula]) -> Formula:
    """A record's template with its arguments, each in parentheses where the template does not fence it."""
    parts = re.split(r"(?<!\{)(\{\d\})(?!\})", template)
    texts, fenced = [arg.within(ATOM) for arg in args], True
    for k in range(1, len(parts), 2):
        if _OPEN.search(parts[k - 1]) and _CLOSE.match(parts[k + 1]):
            texts[int(parts[k][1])] = args[int(parts[k][1])].body
        else:
            fenced = False
    return Formula(template.format(*texts), ATOM if fenced else POWER)
