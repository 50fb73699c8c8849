"""Lines as text and as LaTeX; an inner product is written as its shapes ask for: g·dx, g'·dx, tr(G'·dX)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from matcalc.calculus.moves import Line, Part, is_pending
from matcalc.documents import latex
from matcalc.documents.derivation.record import Written
from matcalc.expression import build
from matcalc.expression.formula import Formula
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.piece import ADD, ATOM, CHAIN, MUL, POWER, Piece
from matcalc.language import printer
from matcalc.language.printer import Style
from matcalc.language.reading_order import in_reading_order

AnyPiece = TypeVar("AnyPiece", bound=Piece)


@dataclass(frozen=True)
class Writer:
    """Writes nodes and lines in both notations.

    Attributes:
        style: the user's order of terms.
        names: every name that occurs.
        moving: names of directions.
        differentials: those of them that are written as differentials, and of what.
    """

    style: Style
    names: frozenset[str]
    moving: frozenset[str] = frozenset()
    differentials: Mapping[str, str] = field(default_factory=dict)

    def _styled(self, node: Node) -> Style:
        """The style, with differentials last among factors and matrix products as they were put together."""
        kept = {}
        for below in postorder(node):
            if below.op == "product" and below.is_scalar and self._moves(below):
                kept[below] = below.args
            elif below.op == "times" and self._moves(below):
                factors = build.split(below)[1]
                still = [arg for arg in factors.args if not self._moves(arg)]
                moving = [arg for arg in factors.args if self._moves(arg)]
                if factors.op == "times":  # and not one factor with a number
                    kept[factors] = (*in_reading_order(still), *moving)
        typed = {made: parts for made, parts in self.style.order.items() if made.free <= node.free}
        return replace(self.style, order={**kept, **typed}, memo={})

    def _moves(self, node: Node) -> bool:
        return not node.free.isdisjoint(self.moving) or any(map(is_pending, postorder(node)))

    def written(self, node: Node) -> Written:
        """A node as a side of a line."""
        return Written(printer.written(node, self._styled(node)), self._formula(node).body, node)

    def line(self, line: Line) -> Written:
        """A line."""
        node = _alone(line[0]) if len(line) == 1 else None
        if node is not None:
            return self.written(node)
        texts = [self._text_part(part) for part in line]
        formulas = [self._latex_part(part) for part in line]
        return Written(_summed(texts), _summed(formulas))

    def product(self, matrix: Node, column: Written) -> Written:
        """A matrix times something that is written already."""
        return Written(
            f"{self._piece(matrix).within(POWER)}*{column.text}",
            f"{self._formula(matrix).within(CHAIN)} {column.latex}",
        )

    def _piece(self, node: Node) -> Piece:
        return printer.piece(node, self._styled(node))

    def _formula(self, node: Node) -> Formula:
        return latex.writing(self._styled(node), self.names, self.differentials)(node)

    def _text_part(self, part: Part) -> Piece:
        node = _alone(part)
        if node is not None:
            return self._piece(node)
        negative, u = _sign_apart(part.cotangent)
        turned = _transposed(u)
        value = self._piece(part.value).within(POWER)
        if part.value.rows == 1:
            return _signed(negative, Piece(f"{value}*{self._piece(build.transpose(u)).within(POWER)}", MUL))
        left = (
            f"{self._piece(u).within(ATOM)}.T" if turned is None else self._piece(turned).within(_before(turned, POWER))
        )
        body = f"{left}*{value}"
        return _signed(negative, Piece(body, MUL) if part.value.cols == 1 else Piece(f"tr({body})", ATOM))

    def _latex_part(self, part: Part) -> Formula:
        node = _alone(part)
        if node is not None:
            return self._formula(node)
        negative, u = _sign_apart(part.cotangent)
        turned = _transposed(u)
        piece = self._formula(part.value)
        if part.value.rows == 1:
            right = self._formula(build.transpose(u)).within(CHAIN)
            return _signed(negative, Formula(f"{piece.followed(CHAIN)} {right}", CHAIN))
        left = (
            rf"{self._formula(u).within(ATOM)}^\top"
            if turned is None
            else self._formula(turned).within(_before(turned, CHAIN))
        )
        body = f"{left} {piece.within(CHAIN)}"
        column = part.value.cols == 1
        made = Formula(body, CHAIN) if column else Formula(rf"\operatorname{{tr}}\left({body}\right)", ATOM)
        return _signed(negative, made)


def _alone(part: Part) -> Node | None:
    """What is written as one expression: a value alone, and the product of scalars."""
    if part.cotangent is None:
        return part.value
    return build.times(part.cotangent, part.value) if part.value.is_scalar else None


def _sign_apart(u: Node | None) -> tuple[bool, Node]:
    assert u is not None, "a value alone is written as it is"
    return (True, build.negate(u)) if build.split(u)[0] < 0 else (False, u)


def _transposed(u: Node) -> Node | None:
    """The transpose, where it is written without parentheses and a prime; None where it is not."""
    turned = build.transpose(u)
    return turned if u.op == "transpose" or turned is u or not u.args else None


def _before(node: Node, level: int) -> int:
    """How tightly a factor in front has to bind; a multiple needs no parentheses there."""
    return MUL if node.op == "scale" else level


def _signed(negative: bool, piece: AnyPiece) -> AnyPiece:
    return replace(piece, body=f"-{piece.body}", level=ADD) if negative else piece


def _summed(parts: Sequence[Piece]) -> str:
    text = ""
    for part in parts:
        body = part.within(ADD)
        text += body if not text else f" - {body[1:]}" if body.startswith("-") else f" + {body}"
    return text
