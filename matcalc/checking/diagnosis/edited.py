"""Which edit of the claim makes it right, or of the truth makes it the claim; and what to say of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from matcalc.checking.diagnosis.case import Case, Finding, Sight
from matcalc.checking.diagnosis.edits import (
    Edit,
    Place,
    drops,
    entrywise,
    functions,
    insertions,
    numbers,
    parts,
    replacements,
    sums,
    swaps,
    transposes,
)
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder

_MOST_NODES = 1000
_MOST_EDITS = 200
_MOST_PARTS = 40
_REBUILD = 40


def transposed_factor(case: Case) -> Finding | None:
    """Whether one factor is transposed."""
    return _found(
        case, "transposed factor", lambda place, pool: transposes(place, at_one_place=place.root is case.claimed)
    )


def counterpart(case: Case) -> Finding | None:
    """Whether an operation of matrices stands for the same of their entries, or the other way round."""
    return _found(case, "elementwise", lambda place, pool: entrywise(place))


def swapped(case: Case) -> Finding | None:
    """Whether two factors are exchanged."""
    return _found(case, "swapped factors", lambda place, pool: swaps(place))


def inner_term(case: Case) -> Finding | None:
    """Whether a term inside a sum is missing, too many, or has the wrong sign."""
    return _found(case, "term", lambda place, pool: sums(place))


def number(case: Case) -> Finding | None:
    """Whether an exponent or a number is wrong."""
    return _found(case, "wrong number", lambda place, pool: numbers(place))


def function(case: Case) -> Finding | None:
    """Whether another function stands for one that occurs."""
    return _found(case, "wrong function", functions)


def dropped(case: Case) -> Finding | None:
    """Whether a factor, or an operation, is missing or too many."""
    return _found(case, "factor", lambda place, pool: drops(place))


def replaced(case: Case) -> Finding | None:
    """Whether one part stands in place of another that occurs."""
    return _found(case, "wrong factor", replacements)


def inserted(case: Case) -> Finding | None:
    """Whether a factor is missing inside the claim, or inside the truth."""
    return _found(case, "chain factor", insertions)


def _found(case: Case, relation: str, edits: Callable[[Place, Sequence[Node]], Iterator[Edit]]) -> Finding | None:
    """The first edit of the claim that gives the truth, or of the truth that gives the claim."""
    if case.truth is None:
        return None
    pool = parts([n for n in (case.truth, case.question.expression) if n is not None], _MOST_PARTS)
    kept = case.work.left // 2  # for the truth's edits
    case.work.left -= kept
    if case.claimed is not None and (place := _place(case.claimed)) is not None:
        for edit in _bounded(case, place, edits(place, pool)):
            if case.explains(partial(_claim_edited, case, edit)):
                return _finding(case, relation, edit, of_claim=True)
    case.work.left = max(case.work.left, 0) + kept
    if (place := _place(case.truth)) is not None:
        others = [n for n in (case.claimed, case.question.expression) if n is not None]
        said = None if case.claimed is None else set(postorder(case.claimed))
        for edit in _bounded(case, place, edits(place, parts(others, _MOST_PARTS))):
            if said is not None and edit.new not in said:  # of what nobody typed nothing is to be said
                continue
            if case.explains(partial(_truth_edited, case, edit)):
                return _finding(case, relation, edit, of_claim=False)
    return None


def _claim_edited(case: Case, edit: Edit, sight: Sight) -> tuple[Any, Any]:
    return case.value(edit.root, sight), sight.truth


def _truth_edited(case: Case, edit: Edit, sight: Sight) -> tuple[Any, Any]:
    return sight.claimed, case.truth_like(edit.root, sight)


def _place(root: Node) -> Place | None:
    place = Place(root)
    return place if len(place.nodes) <= _MOST_NODES else None


def _bounded(case: Case, place: Place, edits: Iterator[Edit]) -> Iterator[Edit]:
    """A few hundred edits that leave most of the expression alone."""
    paid = 0
    for edit in itertools.islice(edits, _MOST_EDITS):
        case.work.left -= _REBUILD * (place.rebuilt - paid)
        paid = place.rebuilt
        if case.work.left < 0:
            return
        yield edit


# ------------------------------------------------------------------------------------------------------------ words


def _finding(case: Case, relation: str, edit: Edit, *, of_claim: bool) -> Finding:
    """What an edit says: of the claim that it should be made, of the truth that the claim has made it."""
    wrong, right = (edit.old, edit.new) if of_claim else (edit.new, edit.old)
    if edit.term is not None:
        return _term_finding(case, edit, edit.term, of_claim=of_claim)
    exchange = f"{case.text(wrong)} in place of {case.text(right)}"
    if edit.factor is not None:
        missing = (relation == "chain factor") == of_claim
        factor = case.text(edit.factor)
        if build.number_of(edit.factor) is not None:
            is_sign = build.number_of(edit.factor) == -1
            return (
                Finding("sign", f"sign: {exchange}")
                if is_sign
                else Finding("wrong number", f"a wrong number: {exchange}")
            )
        if missing:
            return Finding("chain factor", f"missing factor {factor}: {exchange}")
        return Finding("extra factor", f"a factor too many, {factor}: {exchange}")
    named = relation if relation in _WORDS else "wrong factor"
    return Finding(named, f"{_WORDS[named]}: {exchange}")


_WORDS = {
    "transposed factor": "a transposed factor",
    "elementwise": "elementwise: an operation of matrices is not the same of their entries",
    "swapped factors": "swapped factors",
    "wrong number": "a wrong number",
    "wrong function": "another function",
    "wrong factor": "a wrong factor",
}


def _term_finding(case: Case, edit: Edit, term: Node, *, of_claim: bool) -> Finding:
    text, whole = case.text(term), case.text(edit.old)
    if edit.new.op == "add" and len(edit.new.args) >= len(edit.old.args):
        return Finding("sign of a term", f"sign: the sign of the term {text} in {whole} is wrong")
    if of_claim:
        return Finding("extra term", f"an extra term {text}: {whole} in place of {case.text(edit.new)}")
    return Finding("missing term", f"a missing term: the term {text} is missing in {case.text(edit.new)}")
