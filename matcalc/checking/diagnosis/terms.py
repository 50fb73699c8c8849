"""Terms: which of the truth's terms the claim lacks, has too often, or has with another sign or number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from matcalc.calculus.simplify import expanded, textbook
from matcalc.checking.diagnosis import conditions
from matcalc.checking.diagnosis.case import Case, Finding, Sight
from matcalc.checking.diagnosis.multiples import rational
from matcalc.errors import MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.walk import fold

_MOST_FITTED = 10
_MOST_EXPANDED = 60
_MOST_CHANGED = 3


def terms(node: Node) -> list[list[Node]]:
    """The terms of a sum: as it is written; with products of matrices, then with all products multiplied out.

    >>> from matcalc.language.printer import written
    >>> from matcalc.parsed import parse
    >>> [list(map(written, way)) for way in terms(parse("(A + B)*x").node)]
    [['(A + B)*x'], ['B*x', 'A*x']]
    """
    found = [_parts(node)]
    if _count(node) <= _MOST_EXPANDED:
        try:
            found += [_parts(expanded(node, ("product", "scale"))), _parts(expanded(node))]
        except MatcalcError:
            return found
    return [way for k, way in enumerate(found) if way not in found[:k]]


def _parts(node: Node) -> list[Node]:
    if node.op == "transpose" and node.args[0].op == "add":
        return [build.transpose(term) for term in node.args[0].args]
    if node.op in ("scale", "times") and node.args[0].op == "number" and node.args[-1].op == "add":
        return [build.multiply(node.args[0], term) for term in node.args[-1].args] if len(node.args) == 2 else [node]
    return list(node.args) if node.op == "add" else [node]


def _count(node: Node) -> int:
    """How many terms there would be, multiplied out."""

    def visit(below: Node, args: Sequence[int]) -> int:
        if below.op == "add":
            return min(sum(args), 10**6)
        made = 1
        for arg in args if below.op in ("times", "scale", "product", "transpose") else ():
            made = min(made * arg, 10**6)
        return made

    return fold(node, visit)


# ------------------------------------------------------------------------------------------------- coefficients


def coefficients(case: Case) -> Finding | None:
    """The claim as a sum of the truth's terms, all but one of them right; or the truth as such a sum of the claim's."""
    return _coefficients(case, lambda node: terms(node)[:2], most=1)


def many_coefficients(case: Case) -> Finding | None:
    """The same with all sums multiplied out, and up to three terms wrong."""
    return _coefficients(case, terms, most=1) or _coefficients(case, terms, most=_MOST_CHANGED)


def _coefficients(case: Case, ways: Callable[[Node], list[list[Node]]], most: int) -> Finding | None:
    if case.truth is None:
        return None
    for listed in ways(case.truth):
        found = _fitted(case, listed, of_truth=True)
        if found is not None and (says := _claim_says(case, found, most)):
            return says
    for listed in ways(case.claimed) if case.claimed is not None else []:
        found = _fitted(case, listed, of_truth=False)
        if found is not None and (says := _truth_says(case, found, most)):
            return says
    return None


def _fitted(case: Case, listed: Sequence[Node], *, of_truth: bool) -> list[tuple[Fraction, Node]] | None:
    if not 2 <= len(listed) <= _MOST_FITTED:
        return None
    values = []
    for sight in case.sights:
        row = [case.truth_like(t, sight) if of_truth else case.value(t, sight) for t in listed]
        if any(v is None or v.shape != sight.claimed.shape or v.shape != sight.truth.shape for v in row):
            return None
        values.append(row)
    found = _solved(case, values, of_truth=of_truth)
    if found is None:
        return None

    def pair(sight: Any) -> tuple[Any, Any]:
        row = values[next(k for k, s in enumerate(case.sights) if s is sight)]
        total = sum((k * v for k, v in zip(found, row, strict=True)), row[0] * 0)
        return (sight.claimed, total) if of_truth else (total, sight.truth)

    fractions = [rational(case, k) for k in found]
    return (
        [(f, t) for f, t in zip(fractions, listed, strict=True) if f is not None]
        if all(f is not None for f in fractions) and case.explains(pair)
        else None
    )


def _solved(case: Case, values: Sequence[Sequence[Any]], *, of_truth: bool) -> list[Any] | None:
    """The coefficients by the normal equations, in all digits; None where the terms do not determine them."""
    import mpmath
    import numpy as np

    rows = np.vstack([np.array([v.ravel() for v in row]).T for row in values])
    wanted = np.concatenate([(s.claimed if of_truth else s.truth).ravel() for s in case.sights])
    lengths = [mpmath.sqrt(column @ column) for column in rows.T]
    if len(rows) <= rows.shape[1] or any(length == 0 for length in lengths):
        return None
    unit = rows / np.array(lengths, dtype=object)
    gram = (unit.T @ unit).astype(float)
    if np.linalg.cond(gram) > 1e12:
        return None
    try:
        solved = mpmath.lu_solve(mpmath.matrix((unit.T @ unit).tolist()), mpmath.matrix((unit.T @ wanted).tolist()))
    except ZeroDivisionError:
        return None
    near = [c / length for c, length in zip(solved, lengths, strict=True)]
    return [k if (r := rational(case, k)) is None else mpmath.mpf(r.numerator) / r.denominator for k in near]


def _claim_says(case: Case, found: Sequence[tuple[Fraction, Node]], most: int) -> Finding | None:
    """Of claim = Σ k·T with the truth's terms T."""
    changed = [(k, t) for k, t in found if k != 1]
    if not changed or len(changed) > min(most, len(found) - 1):
        return None
    return Finding(_named(changed[0][0]), "; ".join(_term_says(case, k, t) for k, t in changed))


def _named(k: Fraction) -> str:
    named = {Fraction(0): "missing term", Fraction(-1): "sign of a term", Fraction(2): "doubled term"}
    return named.get(k, "factor of a term")


def _term_says(case: Case, k: Fraction, term: Node) -> str:
    text = case.text(term)
    if k == 0:
        return f"a missing term: the term {text} is missing"
    if k == -1:
        return f"sign: the sign of the term {text} is wrong"
    if k == 2:
        return f"a doubled term: the term {text} is doubled"
    right = case.text(build.multiply(build.number(k), term))
    return f"the factor of a term: {right} in place of {text}"


def _truth_says(case: Case, found: Sequence[tuple[Fraction, Node]], most: int) -> Finding | None:
    """Of truth = Σ k·C with the claim's terms C."""
    changed = [(k, t) for k, t in found if k != 1]
    if not changed or len(changed) > min(most, len(found) - 1):
        return None
    words = []
    for k, term in changed:
        text, right = case.text(term), case.text(build.multiply(build.number(k), term))
        if k == 0:
            words.append(f"an extra term {_entries(term) or text}: {_without(case, term)}")
        elif k == -1:
            words.append(f"sign: the sign of the term {text} is wrong")
        else:
            words.append(f"the factor of a term: {text} in place of {right}")
    named = {Fraction(0): "extra term", Fraction(-1): "sign of a term"}
    return Finding(named.get(changed[0][0], "factor of a term"), "; ".join(words))


def _without(case: Case, term: Node) -> str:
    number = _entries(term)
    return f"the claim is the {case.what} plus {number}" if number else "without it the claim is right"


def _entries(term: Node) -> str:
    """The number that every entry of a term is, or ""."""
    coefficient, rest = build.split(term)
    return f"{float(coefficient):.6g}" if rest.operator.role == "one" or build.is_one(rest) else ""


# ----------------------------------------------------------------------------------------- one term for another


def one_term(case: Case) -> Finding | None:
    """Whether one term of the truth is missing, or one of the claim too many."""
    ours, theirs = _both_terms(case)
    for right in ours if len(ours) > 1 else []:
        if case.explains(partial(_moved, case, [], [right])):
            return Finding("missing term", f"a missing term: the term {case.text(right)} is missing")
    for wrong in theirs if len(theirs) > 1 else []:
        if case.explains(partial(_moved, case, [wrong], [])):
            says = f"an extra term {_entries(wrong) or case.text(wrong)}: {_without(case, wrong)}"
            return Finding("extra term", says)
    return None


def assumed(case: Case) -> Finding | None:
    """Whether one term of the truth is missing once a square matrix is symmetric."""
    ours, _ = _both_terms(case)
    ours = [t for t in ours if case.claimed is not None and t.shape == case.claimed.shape]
    if len(ours) < 2:
        return None
    for name in conditions.names(case, conditions.SYMMETRIC):
        for term in ours:
            if conditions.right(case, conditions.SYMMETRIC, [name], missing=term):
                says = f"a missing term: the term {case.text(term)} is missing, and {name} is taken to be symmetric"
                return Finding("missing term", says)
    return None


def exchanged(case: Case) -> Finding | None:
    """Whether one term of the claim stands for one of the truth's."""
    ours, theirs = _both_terms(case)
    if len(ours) < 2 or len(theirs) < 2:
        return None
    for wrong, right in itertools.product(theirs, ours):
        if case.explains(partial(_moved, case, [wrong], [right])):
            return Finding("wrong term", f"a wrong term: {case.text(wrong)} in place of {case.text(right)}")
    return None


def _both_terms(case: Case) -> tuple[list[Node], list[Node]]:
    """The terms of the truth and of the claim, in every way in which they are written."""
    both = [terms(node) if node is not None else [] for node in (case.truth, case.claimed)]
    ours, theirs = ([t for listed in ways for t in listed][: 3 * _MOST_FITTED] for ways in both)
    return ours, theirs


def _moved(case: Case, taken: Sequence[Node], put: Sequence[Node], sight: Sight) -> tuple[Any, Any] | None:
    """The claim without some terms and with others, and the truth."""
    made = sight.claimed
    for node, sign in [*((t, -1) for t in taken), *((t, 1) for t in put)]:
        value = case.truth_like(node, sight) if sign > 0 else case.value(node, sight)
        if value is None or value.shape != made.shape:
            return None
        made = made + sign * value
    return made, sight.truth


# ------------------------------------------------------------------------------------------------------- residual


def residual(case: Case) -> Node | None:
    """Claim minus truth, as short as it gets; None where they have no common shape or one is no expression."""
    if case.claimed is None or case.truth is None or case.claimed.shape != case.truth.shape:
        return None
    plain = build.subtract(case.claimed, case.truth)
    found = [textbook(plain)]
    if _count(plain) <= _MOST_EXPANDED:
        try:
            found.append(textbook(expanded(plain)))
        except MatcalcError:
            return found[0]
    return min(found, key=lambda node: node.weight)
