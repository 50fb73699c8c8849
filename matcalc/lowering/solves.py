"""Solves and factorizations that a target has no word for, said by those that it has."""

from __future__ import annotations

from collections.abc import Sequence

from matcalc.lowering.targets import Target
from matcalc.lowering.terms import Term, Terms, below


def solves_within(outputs: Sequence[Term], terms: Terms, target: Target) -> list[Term]:
    """The outputs with every solve in words of the target."""
    rules = {
        "solve": _solve,
        "solve_triangular": _solve,
        "cholesky_solve": _cholesky_solve,
        "cholesky_inverse": _cholesky_inverse,
        "cholesky_logdet": _cholesky_logdet,
    }
    made: dict[Term, Term] = {}
    for term in below(*outputs):
        args = tuple(made[arg] for arg in term.args)
        rule = rules.get(term.op)
        made[term] = terms.rebuilt(term, args) if rule is None else rule(term, args, terms, target)
    return [made[term] for term in outputs]


def _solve(term: Term, args: tuple[Term, ...], terms: Terms, target: Target) -> Term:
    """From the right, X A = B, as A' X' = B'; with a triangle as with any matrix."""
    matrix, right = args
    *upper, left = term.params
    turned = not left and not target.solves_right
    if turned:
        matrix, right, upper = terms.transpose(matrix), terms.transpose(right), [not side for side in upper]
    op, params = ("solve_triangular", upper) if upper and "solve_triangular" in target.templates else ("solve", [])
    made = terms.make(op, matrix, right, params=(*params, left or turned), shape=right.shape)
    return terms.transpose(made) if turned else made


def _cholesky_solve(term: Term, args: tuple[Term, ...], terms: Terms, target: Target) -> Term:
    if term.op in target.templates:
        return terms.rebuilt(term, args)
    known, root = args
    return terms.make("solve", root.args[0], known, params=(True,), shape=term.shape)


def _cholesky_inverse(term: Term, args: tuple[Term, ...], terms: Terms, target: Target) -> Term:
    if term.op in target.templates:
        return terms.rebuilt(term, args)
    return terms.make("inverse", args[0].args[0], shape=term.shape)


def _cholesky_logdet(term: Term, args: tuple[Term, ...], terms: Terms, target: Target) -> Term:
    if term.op in target.templates:
        return terms.rebuilt(term, args)
    return terms.apply(term.params[0], args[0].args[0])
