"""Sums: common factors taken out, and sums that cancel when multiplied out multiplied out.

A sum is rewritten only where the result has fewer leaves. Where factors can be taken out on either side, the choice
that saves most wins, and then the right side, as in (A + A')x.
"""

from __future__ import annotations

from dataclasses import dataclass

from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import Sample
from matcalc.expression.rule import Rule, operations

_MOST_TERMS = 24
_LONG = 3


def collected(total: Node) -> Node:
    """A sum with its common factors taken out, after multiplying out where that cancels something; the same value.

    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> collected(A @ x + A.T @ x) is (A + A.T) @ x
    True
    """
    if total.op != "add":
        return total
    for candidate in (_expanded(total), total):
        if candidate is total or candidate.weight < total.weight:
            return _collected(candidate) if candidate.op == "add" else candidate
    return total


# --------------------------------------------------------------------------------------------- multiplying out


def _expanded(total: Node) -> Node:
    """The sum with products of sums multiplied out, where that stays small; cancellation is the constructor's."""
    terms: list[Node] = []
    for term in total.args:
        terms.extend(_expanded_term(term))
        if len(terms) > _MOST_TERMS:
            return total
    return build.add(*terms) if len(terms) > len(total.args) else total


def _expanded_term(term: Node) -> list[Node]:
    coefficient, rest = build.split(term)
    scalar = build.number(coefficient)
    if rest.op == "scale":
        scalar, rest = build.times(scalar, rest.args[0]), rest.args[1]
    if rest.op == "add":
        return [build.multiply(scalar, inner) for inner in rest.args]
    for k, factor in enumerate(rest.args):
        if factor.op == "add" and rest.op in ("times", "product") and len(rest.args) > 1:
            remade = [(*rest.args[:k], inner, *rest.args[k + 1 :]) for inner in factor.args]
            make = build.times if rest.op == "times" else build.product
            return [build.multiply(scalar, make(*args)) for args in remade]
    return [term]


# -------------------------------------------------------------------------------------------------- collecting


@dataclass(frozen=True)
class _Piece:
    """A term as scalar · chain, the chain a matrix product (or an elementwise one, or a single factor)."""

    scalar: Node
    chain: tuple[Node, ...]


def _collected(total: Node) -> Node:
    terms = list(total.args)
    while len(terms) > 1:
        better = _best_merge(terms, total)
        if better is None:
            break
        terms = better
    summed = build.add(*terms)
    return _scalar_in_front(summed)


def _piece(term: Node) -> _Piece:
    scalar, rest = term.args if term.op == "scale" else (build.number(1), term)
    if rest.op != "product":
        return _Piece(scalar, (rest,))
    chain = []
    for factor in _unpowered(rest.args):
        negative = factor.op == "add" and _leads_negative(factor)
        chain.append(build.negate(factor) if negative else factor)
        scalar = build.negate(scalar) if negative else scalar
    return _Piece(scalar, tuple(chain))


def _unpowered(chain: tuple[Node, ...]) -> list[Node]:
    """The factors of a matrix product with small powers written out: K²h + cKh has K in both terms."""
    found: list[Node] = []
    for factor in chain:
        power = factor.params[0] if factor.op == "matpow" else 1
        found += [factor.args[0]] * power if 1 < power <= _LONG else [factor]
    return found


def _leads_negative(total: Node) -> bool:
    """One sign for a sum and its opposite, so that terms with either are seen to share it."""
    parts = [build.split(term) for term in total.args]
    return min(parts, key=lambda part: (-part[1].weight, part[1].digest))[0] < 0


def _best_merge(terms: list[Node], total: Node) -> list[Node] | None:
    """The terms after the merge of a group that saves most leaves, then of most terms and operations, or None."""
    if total.is_scalar:
        return None
    best, saved = None, (0, 0, 0)
    for members, side in _groups(terms):
        group = [terms[k] for k in members]
        merged = _merged(group, side)
        gain = sum(term.weight for term in group) - merged.weight
        fewer = sum(map(operations, group)) + 1 - operations(merged) if gain == 0 else 1
        if fewer > 0 and (gain, len(group), fewer) > saved:
            best = [merged, *(t for k, t in enumerate(terms) if k not in members)]
            saved = gain, len(group), fewer
    return best


def _groups(terms: list[Node]) -> list[tuple[list[int], str]]:
    """Sets of terms that share their last factor, their first, or an elementwise factor."""
    by: dict[tuple[str, Node], list[int]] = {}
    for k, term in enumerate(terms):
        piece = _piece(term)
        alone = " alone" if len(piece.chain) == 1 else ""
        by.setdefault(("right" + alone, piece.chain[-1]), []).append(k)
        if not alone:
            by.setdefault(("left", piece.chain[0]), []).append(k)
        if len(piece.chain) == 1:
            for factor in _entry_factors(piece):
                by.setdefault(("entry", factor), []).append(k)
    return [(members, side) for (side, _), members in by.items() if len(members) > 1]


def _merged(terms: list[Node], side: str) -> Node:
    """The sum of terms with what they share on one side taken out."""
    pieces = [_piece(term) for term in terms]
    if side == "entry":
        return _merged_entries(pieces, terms)
    shared = _shared_run([p.chain if side == "left" else p.chain[::-1] for p in pieces])
    shortest = min(len(p.chain) for p in pieces)
    alike = all(len(p.chain) == shortest for p in pieces)
    kept = min(shared, shortest if alike or shortest < _LONG else shortest - 1)
    rests = [(p.chain[kept:] if side == "left" else p.chain[: len(p.chain) - kept]) for p in pieces]
    run = pieces[0].chain[:kept] if side == "left" else pieces[0].chain[len(pieces[0].chain) - kept :]
    if not all(rests):
        if any(rests):
            return build.add(*terms)
        return build.multiply(_scalar_sum([p.scalar for p in pieces]), build.product(*run))
    outside, inside = _common_scalar([p.scalar for p in pieces])
    inner = collected(
        build.add(*(build.multiply(s, build.product(*rest)) for s, rest in zip(inside, rests, strict=True)))
    )
    if inner.op == "add" and all(build.split(term)[0] < 0 for term in inner.args):
        outside, inner = build.negate(outside), build.negate(inner)
    whole = build.product(*run, inner) if side == "left" else build.product(inner, *run)
    return build.multiply(outside, whole)


def _entry_factors(piece: _Piece) -> tuple[Node, ...]:
    """What is multiplied entry by entry; a single matrix is its only factor, a constant has none."""
    if piece.chain[0].operator.constant:
        return ()
    return piece.chain[0].args if piece.chain[0].op == "times" else piece.chain


def _merged_entries(pieces: list[_Piece], terms: list[Node]) -> Node:
    shared = set(_entry_factors(pieces[0])).intersection(*(_entry_factors(p) for p in pieces))
    if not shared:
        return build.add(*terms)
    outside, inside = _common_scalar([p.scalar for p in pieces])
    alone = (s for s, p in zip(inside, pieces, strict=True) if shared.issuperset(_entry_factors(p)))
    if any(scalar.op == "number" for scalar in alone):
        return build.add(*terms)  # x.*y - x is not x.*(y - 1)
    shape = terms[0].shape
    rests = [build.times(build.ones(*shape), *(f for f in _entry_factors(p) if f not in shared)) for p in pieces]
    inner = collected(build.add(*(build.multiply(s, rest) for s, rest in zip(inside, rests, strict=True))))
    return build.multiply(outside, build.times(inner, *sorted(shared, key=lambda n: n.digest)))


def _shared_run(chains: list[tuple[Node, ...]]) -> int:
    count = 0
    for column in zip(*chains, strict=False):
        if any(f is not column[0] for f in column):
            break
        count += 1
    return count


# ----------------------------------------------------------------------------------------------- scalar factors


def _factors(scalar: Node) -> dict[Node, Node]:
    factors = scalar.args if scalar.op == "times" else (scalar,)
    return {
        (f.args[0] if f.op == "power" else f): (f.args[1] if f.op == "power" else build.number(1))
        for f in factors
        if f.op != "number"
    }


def _common_scalar(scalars: list[Node]) -> tuple[Node, list[Node]]:
    """The factors that all the scalars have (to the same or the lowest integer power), and what is left of each."""
    parts = [_factors(scalar) for scalar in scalars]
    shared: list[Node] = []
    for base, exponent in parts[0].items():
        exponents = [part.get(base) for part in parts]
        numbers = [None if e is None else build.number_of(e) for e in exponents]
        known = [n for n in numbers if n is not None]
        if len(known) == len(parts) and (all(n > 0 for n in known) or all(n < 0 for n in known)):
            shared.append(build.power(base, build.number(min(known, key=abs))))
        elif all(e is exponent for e in exponents):
            shared.append(build.power(base, exponent))
    if not shared:
        return build.number(1), scalars
    outside = build.times(*shared)
    under = build.power(outside, build.number(-1))
    return outside, [build.times(scalar, under) for scalar in scalars]


def _scalar_sum(scalars: list[Node]) -> Node:
    outside, inside = _common_scalar(scalars)
    return build.times(outside, build.add(*inside))


def _scalar_in_front(total: Node) -> Node:
    """A scalar factor that every term has, taken out of the sum."""
    if total.op != "add":
        return total
    if total.is_scalar:
        made = _scalar_sum(list(total.args))
        return made if made.weight < total.weight else total
    pieces = [(term.args if term.op == "scale" else (build.number(1), term)) for term in total.args]
    outside, inside = _common_scalar([scalar for scalar, _ in pieces])
    if build.is_one(outside):
        return total
    return build.multiply(outside, build.add(*(build.multiply(s, m) for s, (_, m) in zip(inside, pieces, strict=True))))


def _changed(total: Node) -> Node | None:
    made = collected(total)
    return None if made is total else made


COLLECTING = Rule(
    "collecting",
    says="a*B*C + d*E*C = (a*B + d*E)*C, on either side, entry by entry and with scalars; products multiplied out first"
    " where terms then cancel",
    source="Magnus & Neudecker 2019, ch. 1.3",
    on=("add",),
    rewrite=_changed,
    samples=(
        Sample("x'*A*x/(x'*x)"),
        Sample("x'*A*x - b'*x", {"b": "vector(n)"}),
        Sample("x'*A*x + y'*A*x + norm2(A*x)^2", {"y": "vector(n)"}),
    ),
)
