"""Sizes that expressions force to be equal: unknown sizes are bound, named ones are not identified.

>>> sizes = Sizes(rigid={"n"})
>>> fresh = sizes.fresh()
>>> sizes.equate(fresh, Size.named("n")), sizes.resolved(fresh)
(True, n)
>>> sizes.equate(fresh, 1)
False
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt

from matcalc.errors import LimitError
from matcalc.expression.sizes import AnySize, Monomial, Size, substitute_sizes

_MARK = "?"
_MOST_DEGREE = 64
_MOST_TERMS = 256
_MOST = 10**18
LETTERS = ("n", "m", "k", "p", "q", "r")


@dataclass(slots=True)
class Sizes:
    """What is known of sizes: `rigid` names were declared, `flexible` ones only stand in a size's place."""

    rigid: set[str] = field(default_factory=set)
    flexible: set[str] = field(default_factory=set)
    bound: dict[str, AnySize] = field(default_factory=dict)
    deferred: list[tuple[AnySize, AnySize]] = field(default_factory=list)
    made: int = 0
    seen: dict[str, AnySize] = field(default_factory=dict)

    def copy(self) -> Sizes:
        """An independent copy."""
        return Sizes(set(self.rigid), set(self.flexible), dict(self.bound), list(self.deferred), self.made)

    def fresh(self) -> Size:
        """A size of which nothing is known; later ones sort after earlier ones."""
        self.made += 1
        return Size.named(f"{_MARK}{self.made:06d}")

    def resolved(self, size: AnySize) -> AnySize:
        """A size with everything put in that is known."""
        start = size
        while isinstance(size, Size):
            known = {name: self.seen.get(name, self.bound[name]) for name in size.names if name in self.bound}
            if not known:
                break
            size = substitute_sizes(size, known)
            _check_growth(size)
        if isinstance(start, Size) and start.is_name and start is not size:
            self.seen[str(start)] = size
        return size

    def is_open(self, size: AnySize) -> bool:
        """Whether something in a size is not known yet."""
        return bool(self._unknowns(self.resolved(size)))

    def _followed(self, size: AnySize) -> AnySize:
        """The end of a chain of names that are bound to names; shortens the chain."""
        passed = []
        while isinstance(size, Size) and size.is_name and size.terms[0][0][0] in self.bound:
            passed.append(size.terms[0][0][0])
            size = self.bound[passed[-1]]
        for name in passed[:-1]:
            self.bound[name] = size
        return size

    def equate(self, left: AnySize, right: AnySize, exact: bool = False) -> bool:
        """Demand that two sizes are equal; whether they can be.

        With `exact` the right one is a number that a function prescribes: a declared name never becomes it.
        """
        left, right = self._followed(left), self._followed(right)
        if left == right:
            return True
        if exact and self._is_rigid(left):
            return False
        for one, other in self._orders(left, right):
            if self._is_open(one) and self._binds(one, other):
                return True
        full_left, full_right = self.resolved(left), self.resolved(right)
        if full_left == full_right:
            return True
        if not self._unknowns(full_left) and not self._unknowns(full_right):
            return self._pins(full_left, full_right)
        if self._is_name(full_left) and self._is_name(full_right):
            return False
        if any(self._is_open(a) and isinstance(b, int) for a, b in ((full_left, full_right), (full_right, full_left))):
            return False  # a number that could not be bound: a size that is not written as 1 is larger
        self.deferred.append((left, right))
        return self._is_possible(full_left, full_right)

    def _orders(self, left: AnySize, right: AnySize) -> tuple[tuple[AnySize, AnySize], ...]:
        """Bind the one that has no name of its own, the later one first."""
        pair, swapped = (left, right), (right, left)
        if self._is_fresh(left) and self._is_fresh(right):
            return (swapped, pair) if str(left) < str(right) else (pair, swapped)
        return (pair, swapped) if self._is_fresh(left) or not self._is_fresh(right) else (swapped, pair)

    def _binds(self, variable: AnySize, value: AnySize) -> bool:
        full = self.resolved(value)
        if isinstance(full, int) and full <= 1:
            return False
        if isinstance(full, Size) and (str(variable) in full.names or not _can_be_large(full)):
            return False
        self.bound[str(variable)] = value
        self.seen[str(variable)] = full
        return True

    def _pins(self, left: AnySize, right: AnySize) -> bool:
        """A declared name may be a number that the text says."""
        for one, other in ((left, right), (right, left)):
            if self._is_rigid(one) and isinstance(other, int) and other > 1:
                self.bound[str(one)] = other
                return True
        return self._roots(left - right, self.rigid - self.flexible)

    def _roots(self, zero: AnySize, names: Iterable[str]) -> bool:
        """Bind the only name in a polynomial that is 0, one of some, to the whole number that it must be then."""
        only = list(zero.names) if isinstance(zero, Size) else []
        if not isinstance(zero, Size) or len(only) != 1 or only[0] not in names:
            return False
        root = _whole_root(zero)
        if root is not None:
            self.bound[only[0]] = root
        return root is not None

    def _is_possible(self, left: AnySize, right: AnySize) -> bool:
        difference = left - right
        return isinstance(difference, Size) and (
            any(factor > 0 for _, factor in difference.terms) and any(factor < 0 for _, factor in difference.terms)
        )

    def _is_name(self, size: AnySize) -> bool:
        return isinstance(size, Size) and size.is_name

    def _is_fresh(self, size: AnySize) -> bool:
        return self._is_name(size) and str(size).startswith(_MARK)

    def _is_open(self, size: AnySize) -> bool:
        return self._is_fresh(size) or (self._is_name(size) and str(size) in self.flexible)

    def _is_rigid(self, size: AnySize) -> bool:
        return self._is_name(size) and str(size) in self.rigid and str(size) not in self.flexible

    def _unknowns(self, size: AnySize) -> list[str]:
        if isinstance(size, int):
            return []
        return sorted(name for name in size.names if name.startswith(_MARK) or name in self.flexible)

    def finish(self) -> tuple[AnySize, AnySize] | None:
        """Settle the equations between sums and products of sizes; one that cannot hold, or None."""
        while self.deferred:
            waiting, self.deferred = self.deferred, []
            moved = False
            for pair in waiting:
                outcome = self._solved(*pair)
                if outcome is False:
                    return pair
                moved = moved or outcome is True
                if outcome is None:
                    self.deferred.append(pair)
            if self.deferred and not moved and not self._paired(*(pair := self.deferred.pop(0))):
                return pair
        return None

    def is_settled(self, pair: tuple[AnySize, AnySize]) -> bool:
        """Whether an equation holds or does not: all of it is known, or the one size that is not would have to be 1."""
        left, right = map(self.resolved, pair)
        unknowns = {*self._unknowns(left), *self._unknowns(right)}
        return not unknowns or any(isinstance(_solution(left - right, name), int) for name in unknowns)

    def _solved(self, left: AnySize, right: AnySize) -> bool | None:
        """Whether an equation holds now or is solved; None where it has to wait."""
        left, right = self.resolved(left), self.resolved(right)
        if left == right:
            return True
        unknowns = sorted({*self._unknowns(left), *self._unknowns(right)})
        if not unknowns:
            return self._pins(left, right)
        for name in unknowns:
            value = _solution(left - right, name)
            if value is not None:
                return self._binds(Size.named(name), value)
        return True if self._roots(left - right, unknowns) else None

    def _paired(self, left: AnySize, right: AnySize) -> bool:
        """Of two products with as many factors each, the factors are taken to agree in order."""
        one, other = _factors(left), _factors(right)
        if one is None or other is None or len(one) != len(other):
            return False
        return all(self.equate(Size.named(a), Size.named(b)) for a, b in zip(one, other, strict=True))

    def name_the_rest(self, shown: Iterable[AnySize], taken: Iterable[str]) -> None:
        """Give names to what is still unknown, in order of appearance."""
        avoid = {*taken, *self.rigid, *self.flexible}
        names = (name for name in _all_names() if name not in avoid)
        for size in shown:
            full = self.resolved(size)
            for unknown in sorted(full.names) if isinstance(full, Size) else ():
                if unknown.startswith(_MARK):
                    self.bound[unknown] = Size.named(next(names))


def _check_growth(size: AnySize) -> None:
    """Refuse sizes that repeated products and sums have made too large to work with."""
    terms = size.terms if isinstance(size, Size) else (((), size),)
    if len(terms) > _MOST_TERMS or any(len(names) > _MOST_DEGREE or abs(k) > _MOST for names, k in terms):
        raise LimitError("the sizes in this expression grow too large")


def _all_names() -> Iterable[str]:
    yield from LETTERS
    yield from (f"n{number}" for number in range(1, 1_000_000))


def _can_be_large(size: Size) -> bool:
    """Whether a sum of sizes could exceed 1."""
    return any(factor > 0 for _, factor in size.terms)


def _factors(size: AnySize) -> Monomial | None:
    if isinstance(size, int) or len(size.terms) != 1 or size.terms[0][1] != 1:
        return None
    return size.terms[0][0]


def _solution(zero: AnySize, name: str) -> AnySize | None:
    """The `name` at which a polynomial is 0, where it is itself a polynomial."""
    if isinstance(zero, int):
        return None
    with_name = [(monomial, factor) for monomial, factor in zero.terms if name in monomial]
    if len(with_name) != 1 or with_name[0][0].count(name) != 1:
        return None
    monomial, factor = with_name[0]
    rest = [(other, -value) for other, value in zero.terms if other is not monomial]
    cofactor = list(monomial)
    cofactor.remove(name)
    total: AnySize = 0
    for other, value in rest:
        quotient = _quotient(other, tuple(cofactor))
        if quotient is None or value % factor:
            return None
        piece: AnySize = value // factor
        for each in quotient:
            piece = piece * Size.named(each)
        total = total + piece
    return total


def _whole_root(zero: Size) -> int | None:
    """The only whole number above 1 at which a polynomial of degree 1 or 2 in one name is 0.

    >>> _whole_root(Size.named("n") * Size.named("n") + Size.named("n") - 12)
    3
    """
    c, b, a = (next((k for monomial, k in zero.terms if len(monomial) == degree), 0) for degree in range(3))
    if any(len(monomial) > 2 for monomial, _ in zero.terms):
        return None
    if a == 0:
        values = {Fraction(-c, b)}
    else:
        inside = b * b - 4 * a * c
        root = isqrt(max(inside, 0))
        values = {Fraction(-b + sign * root, 2 * a) for sign in (1, -1)} if root * root == inside else set()
    whole = [int(value) for value in values if value.denominator == 1 and value > 1]
    return whole[0] if len(whole) == 1 else None


def _quotient(monomial: Monomial, divisor: Monomial) -> list[str] | None:
    left = list(monomial)
    for name in divisor:
        if name not in left:
            return None
        left.remove(name)
    return left
