"""The entries of a tensor in index notation, as text and as LaTeX."""

from __future__ import annotations

from matcalc.calculus.indices import Entries
from matcalc.documents import latex
from matcalc.documents.einsums import coefficient, signed, split
from matcalc.expression import build
from matcalc.expression.formula import Formula
from matcalc.expression.indexed import Term
from matcalc.expression.piece import ATOM, MUL
from matcalc.language import printer
from matcalc.language.printer import Style


def _summed(entries: Entries, term: Term) -> list[str]:
    """The letters that a term is summed over."""
    free = {i.letter for i in entries.indices if i is not None}
    inside = [i.letter for factor in term.factors for i in factor.indices] + [i.letter for d in term.deltas for i in d]
    return [letter for letter in dict.fromkeys(inside) if letter not in free]


def as_text(entries: Entries, style: Style, name: str = "J") -> str:
    """``J[i,j,k,l] = A[i,k]*B[l,j]``; letters that stand on the right alone are summed over, and named behind it.

    >>> from matcalc.calculus.indices import entries as entries_of
    >>> A, B = build.variable("A", (2, 3), "matrix"), build.variable("B", (4, 5), "matrix")
    >>> as_text(entries_of(build.apply("kron", B.T, A), (2, 5), (3, 4)), Style())
    'J[i,j,k,l] = A[i,k]*B[l,j]'
    """
    if not entries.terms:
        return f"{name}[{_indices(entries)}] = 0"
    terms = []
    for term in entries.terms:
        negative, front = split(term)
        parts = [] if build.is_one(front) else [printer.piece(front, style).within(MUL)]
        parts += [
            f"{printer.piece(f.node, style).within(ATOM)}[{','.join(i.letter for i in f.indices)}]"
            for f in term.factors
        ]
        parts += [f"δ[{one.letter},{other.letter}]" for one, other in term.deltas]
        terms.append((negative, "*".join(parts) or "1"))
    letters = list(dict.fromkeys(letter for term in entries.terms for letter in _summed(entries, term)))
    note = f", summed over {', '.join(letters)}" if letters else ""
    return f"{name}[{_indices(entries)}] = {signed(terms)}{note}"


def _indices(entries: Entries) -> str:
    return ",".join("0" if i is None else i.letter for i in entries.indices)


def as_latex(entries: Entries, style: Style, name: str = "J") -> str:
    """The same in LaTeX, with sums written out."""
    write = latex.pieces(style, [*(f.node for t in entries.terms for f in t.factors), *map(coefficient, entries.terms)])
    terms = []
    for term in entries.terms:
        negative, front = split(term)
        letters = _summed(entries, term)
        parts = [] if build.is_one(front) else [write(front).within(MUL)]
        parts += [rf"\sum_{{{', '.join(map(_letter, letters))}}}"] if letters else []
        parts += [
            f"{_fenced(write(f.node))}_{{{' '.join(_letter(i.letter) for i in f.indices)}}}" for f in term.factors
        ]
        parts += [rf"\delta_{{{_letter(one.letter)} {_letter(other.letter)}}}" for one, other in term.deltas]
        terms.append((negative, " ".join(parts) or "1"))
    shown = " ".join("1" if i is None else _letter(i.letter) for i in entries.indices)
    return f"{name}_{{{shown}}} = {signed(terms) if terms else '0'}"


def _letter(letter: str) -> str:
    return letter if len(letter) == 1 else f"{letter[0]}_{{{letter[1:]}}}"


def _fenced(piece: Formula) -> str:
    """What takes indices below: a bare letter, or what stands in parentheses."""
    return piece.body if piece.level == ATOM and len(piece.body) == 1 else rf"\left({piece.body}\right)"
