"""The entries of a tensor as text, as LaTeX and as an einsum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from matcalc.calculus.indices import Entries
from matcalc.documents import latex
from matcalc.expression import build
from matcalc.expression.formula import Formula
from matcalc.expression.indexed import Index, Term
from matcalc.expression.nodes import Node
from matcalc.expression.piece import ATOM, MUL
from matcalc.language import printer
from matcalc.language.printer import Style


def _coefficient(term: Term) -> Node:
    return reduce(build.times, term.scalars, build.number(1))


def _summed(entries: Entries, term: Term) -> list[str]:
    """The letters that a term is summed over."""
    free = {i.letter for i in entries.indices if i is not None}
    inside = [i.letter for factor in term.factors for i in factor.indices] + [i.letter for d in term.deltas for i in d]
    return [letter for letter in dict.fromkeys(inside) if letter not in free]


def _signed(terms: Sequence[tuple[bool, str]]) -> str:
    """Terms with their signs, positive ones first."""
    ordered = sorted(terms, key=lambda term: term[0])
    first = ("-" if ordered[0][0] else "") + ordered[0][1]
    return "".join([first, *(f" {'-' if negative else '+'} {text}" for negative, text in ordered[1:])])


def as_text(entries: Entries, style: Style, name: str = "J") -> str:
    """``J[i,j,k,l] = B[l,j]*A[i,k]``; letters that stand on the right alone are summed over."""
    if not entries.terms:
        return f"{name}[{_indices(entries)}] = 0"
    terms = []
    for term in entries.terms:
        number, rest = build.split(_coefficient(term))
        front = build.times(build.number(abs(number)), rest)
        parts = [] if build.is_one(front) else [printer.piece(front, style).within(MUL)]
        parts += [
            f"{printer.piece(f.node, style).within(ATOM)}[{','.join(i.letter for i in f.indices)}]"
            for f in term.factors
        ]
        parts += [f"δ[{one.letter},{other.letter}]" for one, other in term.deltas]
        terms.append((number < 0, "*".join(parts) or "1"))
    letters = list(dict.fromkeys(letter for term in entries.terms for letter in _summed(entries, term)))
    note = f", summed over {', '.join(letters)}" if letters else ""
    return f"{name}[{_indices(entries)}] = {_signed(terms)}{note}"


def _indices(entries: Entries) -> str:
    return ",".join("0" if i is None else i.letter for i in entries.indices)


def as_latex(entries: Entries, style: Style, name: str = "J") -> str:
    """The same in LaTeX, with sums written out."""
    write = latex.pieces(
        style, [f.node for t in entries.terms for f in t.factors] + [_coefficient(t) for t in entries.terms]
    )
    terms = []
    for term in entries.terms:
        number, rest = build.split(_coefficient(term))
        front = build.times(build.number(abs(number)), rest)
        letters = _summed(entries, term)
        parts = [] if build.is_one(front) else [write(front).within(MUL)]
        parts += [rf"\sum_{{{', '.join(map(_letter, letters))}}}"] if letters else []
        parts += [
            f"{_fenced(write(f.node))}_{{{' '.join(_letter(i.letter) for i in f.indices)}}}" for f in term.factors
        ]
        parts += [rf"\delta_{{{_letter(one.letter)} {_letter(other.letter)}}}" for one, other in term.deltas]
        terms.append((number < 0, " ".join(parts) or "1"))
    shown = " ".join("1" if i is None else _letter(i.letter) for i in entries.indices)
    return f"{name}_{{{shown}}} = {_signed(terms) if terms else '0'}"


def _letter(letter: str) -> str:
    return letter if len(letter) == 1 else f"{letter[0]}_{{{letter[1:]}}}"


def _fenced(piece: Formula) -> str:
    """What takes indices below: a bare letter, or what stands in parentheses."""
    return piece.body if piece.level == ATOM and len(piece.body) == 1 else rf"\left({piece.body}\right)"


# ----------------------------------------------------------------------------------------------------- einsum


@dataclass(frozen=True)
class Contraction:
    """One einsum: its sign, a scalar in front, its operands with the letters of each, the letters of the result."""

    negative: bool
    front: Node
    operands: tuple[tuple[Node, str], ...]
    result: str

    @property
    def pattern(self) -> str:
        """``ik,lj->ijkl``."""
        return ",".join(letters for _, letters in self.operands) + "->" + self.result


def contractions(entries: Entries) -> list[Contraction] | None:
    """An einsum for each term; None where there are more indices than letters.

    Axes of size 1 are left out; the identity stands for a delta, and ones for an index that nothing else has.
    """
    found = []
    for term in entries.terms:
        number, rest = build.split(_coefficient(term))
        front = build.times(build.number(abs(number)), rest)
        operands = [(f.node, "".join(i.letter for i in f.indices)) for f in term.factors]
        operands += [(build.eye(one.size), one.letter + other.letter) for one, other in term.deltas]
        free = [i for i in entries.indices if i is not None]
        seen = "".join(letters for _, letters in operands)
        operands += [(build.ones(i.size, 1), i.letter) for i in free if i.letter not in seen]
        if any(len(i.letter) > 1 for i in _all_indices(term, free)):
            return None
        found.append(Contraction(number < 0, front, tuple(operands), "".join(i.letter for i in free)))
    return sorted(found, key=lambda each: each.negative)


def _all_indices(term: Term, free: Sequence[Index]) -> list[Index]:
    return [*free, *(i for f in term.factors for i in f.indices), *(i for pair in term.deltas for i in pair)]


def as_einsum(found: Sequence[Contraction], style: Style) -> str:
    """``einsum("lj,ik->ijkl", B, A)``, one for each term."""

    def call(c: Contraction) -> str:
        front = "" if build.is_one(c.front) else f"{printer.piece(c.front, style).within(MUL)}*"
        return f'{front}einsum("{c.pattern}", {", ".join(printer.piece(node, style).body for node, _ in c.operands)})'

    calls = [(c.negative, call(c)) for c in found]
    return _signed(calls) if calls else "0"
