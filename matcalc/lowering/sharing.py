"""What is used more than once gets a name; so does what would make a line too long to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from matcalc.expression import build
from matcalc.lowering.mentions import mentions
from matcalc.lowering.program import Statement
from matcalc.lowering.targets import Target
from matcalc.lowering.terms import Term, Terms, below

_LONGEST = 24
_DEEPEST = 10
_TWICE = frozenset({"expand"})
_FACTORED = frozenset({"inverse", "log_determinant"})


def named(
    outputs: Sequence[Term], targets: Sequence[str], terms: Terms, fresh: Callable[[], str], target: Target
) -> list[Statement]:
    """The statements that compute ``outputs`` into the names ``targets``, every shared term once."""
    chosen = _chosen(outputs, target)
    own = dict(zip(reversed(outputs), reversed(targets), strict=True))
    shown: dict[Term, Term] = {}
    statements: list[Statement] = []
    for term in below(*outputs):
        value = terms.rebuilt(term, tuple(shown[arg] for arg in term.args))
        if term in own or term in chosen:
            name = own[term] if term in own else fresh()
            statements.append(Statement(name, value))
            value = terms.name(name, term.shape)
        shown[term] = value
    again = [(name, term) for name, term in zip(targets, outputs, strict=True) if own[term] != name]
    return [*statements, *(Statement(name, shown[term]) for name, term in again)]


def _chosen(outputs: Sequence[Term], target: Target) -> set[Term]:
    """The terms that get a name of their own."""
    uses: dict[Term, int] = dict.fromkeys(outputs, 0)
    for term in outputs:
        uses[term] += 1
    order = list(below(*outputs))
    for term in reversed(order):
        times = uses[term] if _is_cheap(term) else 1
        for k, arg in enumerate(term.args):
            uses[arg] = uses.get(arg, 0) + times * _mentions(term, k, target)
    chosen: set[Term] = set()
    size: dict[Term, tuple[int, int]] = {}
    for term in order:
        inline = [size[arg] for arg in term.args if arg not in chosen]
        length, depth = 1 + sum(s for s, _ in inline), 1 + max((d for _, d in inline), default=0)
        size[term] = length, depth
        long = (length > _LONGEST or depth > _DEEPEST) and term not in outputs
        if not _is_cheap(term) and (uses[term] > 1 or long):
            chosen.add(term)
    return chosen


def _is_cheap(term: Term) -> bool:
    """Whether it may be written wherever it is used."""
    if term.op in ("name", "number", "size"):
        return True
    if term.op == "apply":
        return term.plain
    return term.op in ("transpose", "negative") and term.args[0].op in ("name", "number")


def _mentions(term: Term, k: int, target: Target) -> int:
    """How often the term's text says the text of its argument."""
    if term.op == "apply":
        node = term.params[0]
        return mentions(node, target.spelling(node.operator.lowers)).arguments[k]
    return 2 if term.op in _TWICE else 1


def solves_shared(outputs: Sequence[Term], terms: Terms) -> list[Term]:
    """The outputs with one factorization for all solves with the same matrix, its inverse and its log-determinant.

    A right side that no input reaches gets one too: it has no leading axes to tell its rows from vectors.
    """
    order = list(below(*outputs))
    bases = [_plain_base(term) for term in order if term.op == "solve" or _role(term) in _FACTORED]
    often = {_plain_base(term) for term in order if term.op == "solve" and _is_taken_for_vectors(term)}
    often |= {base for base, again in pairwise(sorted(bases, key=lambda t: t.index)) if base is again}
    made: dict[Term, Term] = {}
    for term in order:
        args = tuple(made[arg] for arg in term.args)
        shares = (term.op == "solve" or _role(term) in _FACTORED) and _plain_base(term) in often
        made[term] = _factored(term, args, made, terms) if shares else terms.rebuilt(term, args)
    return [made[term] for term in outputs]


def _factored(term: Term, args: Sequence[Term], made: Mapping[Term, Term], terms: Terms) -> Term:
    """A solve, an inverse or a log-determinant by the factors of its matrix."""
    base = made[_plain_base(term)]
    factors = terms.make("lu_factor", base, shape=base.shape)
    if _role(term) == "log_determinant":
        return terms.make("lu_logdet", factors, shape=term.shape)
    turned = term.args[0].op == "transpose"
    if term.op == "solve":
        return terms.make("lu_solve", factors, args[1], params=(term.params[0], turned), shape=term.shape)
    eye = terms.apply(build.eye(term.shape[0]))
    return terms.make("lu_solve", factors, eye, params=(True, turned), shape=term.shape)


def _role(term: Term) -> str:
    role: str = term.params[0].operator.lowers.role if term.op == "apply" else ""
    return role


def _plain_base(term: Term) -> Term:
    """The matrix of a solve, an inverse or a log-determinant, or what it is the transpose of."""
    matrix = term.args[0]
    return matrix.args[0] if matrix.op == "transpose" else matrix


def _is_taken_for_vectors(solve: Term) -> bool:
    right = solve.args[1]
    return right.shape[1] != 1 and all(term.op != "name" for term in below(right))
