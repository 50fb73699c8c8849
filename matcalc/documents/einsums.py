"""The entries of a tensor as sums of einsums."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from matcalc.calculus.indices import Entries
from matcalc.expression import build
from matcalc.expression.indexed import Index, Term
from matcalc.expression.nodes import Node
from matcalc.expression.piece import MUL
from matcalc.language import printer
from matcalc.language.printer import Style
from matcalc.lowering.einsum import Contraction


def coefficient(term: Term) -> Node:
    """The product of a term's scalars."""
    return reduce(build.times, term.scalars, build.number(1))


def split(term: Term) -> tuple[bool, Node]:
    """Whether a term is subtracted, and the scalar in front of it without that sign."""
    number, rest = build.split(coefficient(term))
    return number < 0, build.times(build.number(abs(number)), rest)


def signed(terms: Sequence[tuple[bool, str]]) -> str:
    """Texts with their signs, those that are added first.

    >>> signed([(True, "A"), (False, "B")])
    'B - A'
    """
    ordered = sorted(terms, key=lambda term: term[0])
    first = ("-" if ordered[0][0] else "") + ordered[0][1]
    return "".join([first, *(f" {'-' if negative else '+'} {text}" for negative, text in ordered[1:])])


def contractions(entries: Entries) -> list[Contraction] | None:
    """An einsum for each term; None where there are more indices than letters.

    Axes of size 1 are left out; the identity stands for a delta, and ones for an index that nothing else has.
    """
    free = [i for i in entries.indices if i is not None]
    found = []
    for term in entries.terms:
        if any(len(i.letter) > 1 for i in _all_indices(term, free)):
            return None
        negative, front = split(term)
        operands = [(f.node, "".join(i.letter for i in f.indices)) for f in term.factors]
        operands += [(build.eye(one.size), one.letter + other.letter) for one, other in term.deltas]
        seen = "".join(letters for _, letters in operands)
        operands += [(build.ones(i.size, 1), i.letter) for i in free if i.letter not in seen]
        found.append(Contraction(negative, front, tuple(operands), "".join(i.letter for i in free)))
    return sorted(found, key=lambda each: each.negative)


def _all_indices(term: Term, free: Sequence[Index]) -> list[Index]:
    return [*free, *(i for f in term.factors for i in f.indices), *(i for pair in term.deltas for i in pair)]


def as_einsum(found: Sequence[Contraction], style: Style) -> str:
    """``einsum("ik,lj->ijkl", A, B)``, one for each term."""

    def call(c: Contraction) -> str:
        front = "" if build.is_one(c.front) else f"{printer.piece(c.front, style).within(MUL)}*"
        return f'{front}einsum("{c.pattern}", {", ".join(printer.piece(node, style).body for node, _ in c.operands)})'

    calls = [(c.negative, call(c)) for c in found]
    return signed(calls) if calls else "0"
