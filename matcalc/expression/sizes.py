"""Symbolic sizes: positive integers known by name, and what sums and products make of them.

A size is a plain ``int`` where it is known and a :class:`Size`, a polynomial with integer coefficients in size names,
where it is not. ``vec`` of an m×n matrix has ``m*n`` entries, ``vstack`` adds rows: polynomials are closed under both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Monomial: TypeAlias = tuple[str, ...]


class Size:
    """A polynomial in size names that is not a plain number.

    It compares equal to its text, so that ``variable.shape == ("n",)`` reads as one would write it.

    >>> n = Size.named("n")
    >>> n * n - 1
    n^2 - 1
    >>> (n + 1) - 1 is not n and (n + 1) - 1 == "n"
    True
    >>> n - n, 1 - Size.named("k") + n
    (0, n - k + 1)
    """

    __slots__ = ("_text", "terms")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self._text = _written(terms)

    @staticmethod
    def named(name: str) -> Size:
        """The size called ``name``."""
        return Size((((name,), 1),))

    @property
    def names(self) -> frozenset[str]:
        """The size names that occur."""
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    @property
    def is_name(self) -> bool:
        """Whether this is one name and nothing else."""
        return len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1

    def __add__(self, other: AnySize) -> AnySize:
        return _collected([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __neg__(self) -> AnySize:
        return _collected([(monomial, -factor) for monomial, factor in self.terms])

    def __sub__(self, other: AnySize) -> AnySize:
        return self + (-other)

    def __rsub__(self, other: AnySize) -> AnySize:
        return (-self) + other

    def __mul__(self, other: AnySize) -> AnySize:
        return _collected([(tuple(sorted(a + b)), p * q) for a, p in self.terms for b, q in _terms(other)])

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Size):
            return self._text == other._text
        if isinstance(other, str):
            return self._text == other
        if hasattr(other, "free_symbols"):
            return bool(self._sympy_() == other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return self._text

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return (Size, (self.terms,))

    def _sympy_(self) -> Any:
        import sympy

        symbols = {name: sympy.Symbol(name, integer=True, positive=True) for name in self.names}
        return sympy.Add(*(factor * sympy.Mul(*(symbols[n] for n in mono)) for mono, factor in self.terms))


AnySize: TypeAlias = int | Size
Shape: TypeAlias = tuple[AnySize, AnySize]
SCALAR: Shape = (1, 1)


def _terms(size: AnySize) -> Iterable[tuple[Monomial, int]]:
    if isinstance(size, Size):
        return size.terms
    return [((), size)] if size else []


def _collected(terms: Iterable[tuple[Monomial, int]]) -> AnySize:
    total: dict[Monomial, int] = {}
    for monomial, factor in terms:
        total[monomial] = total.get(monomial, 0) + factor
    kept = sorted(((m, f) for m, f in total.items() if f), key=lambda term: (-len(term[0]), term[0]))
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    return Size(tuple(kept))


def _written(terms: tuple[tuple[Monomial, int], ...]) -> str:
    pieces: list[str] = []
    first = next((term for term in terms if term[1] > 0), None)
    for monomial, factor in terms if first is None else (first, *(term for term in terms if term is not first)):
        powers = {name: monomial.count(name) for name in monomial}
        names = "*".join(name if k == 1 else f"{name}^{k}" for name, k in powers.items())
        size = abs(factor)
        body = names if names and size == 1 else f"{size}*{names}" if names else str(size)
        sign = "-" if factor < 0 else "+"
        pieces.append(f" {sign} {body}" if pieces else (f"-{body}" if factor < 0 else body))
    return "".join(pieces)


def substitute_sizes(size: AnySize, values: Mapping[str, AnySize]) -> AnySize:
    """``size`` with the named sizes replaced.

    >>> substitute_sizes(Size.named("n") * 3 + 1, {"n": 2})
    7
    """
    if isinstance(size, int):
        return size
    total: AnySize = 0
    for monomial, factor in size.terms:
        piece: AnySize = factor
        for name in monomial:
            piece = piece * values.get(name, Size.named(name))
        total = total + piece
    return total


def divided(size: AnySize, by: AnySize) -> AnySize | None:
    """``size`` over ``by``, a number or a name, where that is a size; of a number what is left over is dropped.

    >>> divided(7, 2), divided(Size.named("n") * 4 + 2, 2), divided(Size.named("n"), 2)
    (3, 2*n + 1, None)
    """
    if isinstance(size, int):
        return size // by if isinstance(by, int) and size >= by else None
    own, number = ((), by) if isinstance(by, int) else by.terms[0] if len(by.terms) == 1 else ((), 0)
    total: AnySize = 0
    for monomial, factor in size.terms:
        left = list(monomial)
        if not number or factor % number or any(left.count(name) < own.count(name) for name in own):
            return None
        for name in own:
            left.remove(name)
        piece: AnySize = factor // number
        for name in left:
            piece = piece * Size.named(name)
        total = total + piece
    return total


def as_integer(size: AnySize, values: Mapping[str, int]) -> int:
    """``size`` as a number once every name has one.

    Raises:
        KeyError: where a name has no value.
    """
    number = substitute_sizes(size, values)
    if isinstance(number, Size):
        raise KeyError(", ".join(sorted(number.names)))
    return number


def written_shape(shape: Shape) -> str:
    """``shape`` as error messages write it.

    >>> written_shape((Size.named("m"), 1))
    'm×1'
    """
    return "×".join(f"({s})" if isinstance(s, Size) and not s.is_name else str(s) for s in shape)
