"""An expression as it is read: the order of terms and factors, the sign of a difference, transposes outside sums.

The constructors keep one of the many ways of writing a value; a reader wants the one that the text had. What is made
here has the same value and is for the printers alone: its nodes are put together as they are to be read, and not as
the constructors would.

* A sum and a product that was typed keep the order in which they were typed; ``b'*x`` is not turned to ``x'*b``.
* As a factor, a sum is the one that was typed, where it is that one's opposite or its transpose: the gradient of
  ``norm2(T - X*W)^2`` is ``-2*X.T*(T - X*W)``.
* A call that the constructors took apart, as ``det(A*X)``, is put together again.
* What is known to be negative, ``sigmoid(x) - 1``, is minus what is positive.
* Else constants come first, then names and their powers, then the rest by length; positive terms before negative ones;
  a number that is negative turns a difference beside it; a sum of transposes is the transpose of a sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from matcalc.expression import build
from matcalc.expression.nodes import Node, interned
from matcalc.expression.sizes import SCALAR
from matcalc.expression.walk import fold
from matcalc.language.reading_order import (
    in_reading_order,
    is_negative_power,
    reading_key,
    reads_better,
    reciprocal,
    spelling,
)
from matcalc.language.signs import Signed, minuses, number_apart, plain, scaled, with_number


def presented(node: Node, typed: Mapping[Node, tuple[Node, ...]]) -> Node:
    """``node`` as it is read beside a text that wrote sums, products and calls ``typed`` in parts of that order.

    >>> A, x, b = (build.variable(n, s, k) for n, s, k in (("A", (2, 2), "matrix"), ("x", (2, 1), "vector"),
    ...                                                    ("b", (2, 1), "vector")))
    >>> typed = build.subtract(b, A @ x)
    >>> presented(A.T @ build.negate(typed), {typed: (b, build.negate(A @ x))}).args[1].args[1].args[0] is b
    True
    """
    return plain(_Presentation(typed).signed(node))


# --------------------------------------------------------------------------------------------------- the pass


@dataclass
class _Presentation:
    """The pass, with what the text had: sums up to a factor, with their sign there, and calls that came apart."""

    typed: Mapping[Node, tuple[Node, ...]]
    memo: dict[Node, Signed] = field(default_factory=dict)
    sums: dict[Node, tuple[Node, bool] | None] = field(default_factory=dict)
    calls: list[tuple[Counter[Node], Node]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for made, parts in self.typed.items():
            if len(parts) == 1:
                self.calls.append((_whole_powers(made), parts[0]))
            elif made.op == "add":
                self._remember(made, turned=False)
        for made in self.typed:
            if made.op == "add" and made.T.op == "add" and build.primitive(made.T)[1] not in self.sums:
                self._remember(made.T, turned=True)

    def _remember(self, total: Node, *, turned: bool) -> None:
        key = build.primitive(total)[1]
        known = self.sums.get(key, (total, turned))
        self.sums[key] = known if known is not None and known[0] is total else None  # both signs: either is as typed

    def signed(self, node: Node) -> Signed:
        """The node as it is read, its sign apart."""
        return fold(node, self._visit, self.memo)

    def _visit(self, node: Node, args: Sequence[Signed]) -> Signed:
        match node.op:
            case "add":
                return False, self._sum(node)
            case "times" if node.is_scalar:
                return self._scaled(node, None)
            case "times":
                return self._entrywise(node)
            case "scale":
                return self._scaled(*node.args)
            case "product":
                return self._product(node)
            case "power":
                called = self._called_again(node)
                return self._power(node, args) if called is node else self.signed(called)
        operator = node.operator
        linear = len(args) == 1 and operator.differential is None and operator.transpose is not None
        taken = [self._as_factor(node.args[0])] if linear else args
        negative = linear and taken[0][0]
        inner = tuple(arg[1] if negative else _argument(arg) for arg in taken)
        return negative, node if inner == node.args else interned(node.op, inner, node.params, node.shape)

    # ------------------------------------------------------------------------------------------------- sums

    def _sum(self, node: Node) -> Node:
        if all(bare_of(term).op == "transpose" for term in node.args):
            turned = build.transpose(node)
            return interned("transpose", (self._in_order(turned),), (), node.shape)
        return self._in_order(node)

    def _in_order(self, node: Node) -> Node:
        """The terms of a sum as they are read: as typed, else positive ones first, constants before or behind all."""
        typed = self.typed.get(self._typed_alike(node), ())
        place = {build.oriented(build.split(t)[1]): k for k, t in reversed(list(enumerate(typed)))}

        def key(pair: tuple[Node, Node]) -> tuple[object, ...]:
            rest, shown = build.split(pair[0])[1], pair[1]
            at = place.get(build.oriented(rest), len(place))
            coefficient, bare = number_apart(shown)
            return (
                at,
                coefficient < 0,
                bool(rest.free) == (coefficient > 0),
                _is_spread(rest),
                -rest.weight,
                spelling(bare),
            )

        terms = [(term, plain(self.signed(term))) for term in node.args]
        return interned("add", tuple(shown for _, shown in sorted(terms, key=key)), (), node.shape)

    def _typed_alike(self, node: Node) -> Node:
        """The typed sum of which a sum is a positive multiple, else the sum itself."""
        content, key = build.primitive(node)
        known = None if node in self.typed else self.sums.get(key)
        alike = known is not None and not known[1] and build.primitive(known[0])[0] * content > 0
        return known[0] if known is not None and alike else node

    def _as_factor(self, node: Node) -> Signed:
        """A factor; a sum with the sign that it was typed with."""
        known = self.sums.get(build.primitive(node)[1]) if node.op == "add" else None
        if known is None:
            negative, shown = self.signed(node)
            if node.op == "add" and shown.op == "add" and _is_negative_sum(node, shown):
                return True, self._in_order(build.negate(node))
            return negative, shown
        total, turned = known
        negative = build.primitive(node)[0] * build.primitive(total)[0] < 0
        oriented = build.negate(node) if negative else node
        if not turned:
            return negative, self._in_order(oriented)
        return negative, interned("transpose", (self._in_order(oriented.T),), (), node.shape)

    # --------------------------------------------------------------------------------------------- products

    def _product(self, node: Node) -> Signed:
        if node.is_scalar and node not in self.typed:
            negative, mirrored = build.mirrored(node.args)
            other = node if negative else build.product(*mirrored)
            if other.op == "product" and (other in self.typed or reads_better(other, node)):
                node = other
        factors = [self._as_factor(factor) for factor in node.args]
        negative = sum(n for n, _ in factors) % 2 == 1
        return negative, interned("product", tuple(shown for _, shown in factors), (), node.shape)

    def _entrywise(self, node: Node) -> Signed:
        factors = [self._as_factor(factor) for factor in self._factors_in_order(node)]
        negative = sum(n for n, _ in factors) % 2 == 1
        return negative, interned("times", tuple(shown for _, shown in factors), (), node.shape)

    def _factors_in_order(self, node: Node) -> list[Node]:
        """The factors as typed, else what is above the line and then what is below, each in reading order."""
        typed = self.typed.get(node, ())
        if len(typed) == len(node.args) and set(typed) == set(node.args):
            return list(typed)
        under = [f for f in node.args if is_negative_power(f)]
        over = [f for f in node.args if not is_negative_power(f)]
        return in_reading_order(over) + sorted(under, key=lambda f: reading_key(reciprocal(f)))

    def _scaled(self, scalar: Node, matrix: Node | None) -> Signed:
        """A scalar times a matrix, or a scalar alone."""
        coefficient, factors = _under_one_root(*self._scalar_factors(scalar))
        if matrix is None and len(factors) == 1 and coefficient not in (1, -1):
            return self._numeric_multiple(coefficient, factors[0])
        if matrix is not None and not factors:
            return self._numeric_multiple(coefficient, matrix)
        taken = [self._as_factor(factor) for factor in factors]
        shown = None if matrix is None else self._as_factor(matrix)
        negative = (sum(n for n, _ in taken) + (coefficient < 0) + (shown is not None and shown[0])) % 2 == 1
        negative, inner = self._turned(negative, factors, taken)
        front = [build.number(abs(coefficient))] if abs(coefficient) != 1 or not inner else []
        whole = (*front, *inner)
        made = whole[0] if len(whole) == 1 else interned("times", whole, (), SCALAR)
        return negative, made if shown is None else scaled(made, shown[1])

    def _scalar_factors(self, scalar: Node) -> tuple[Fraction, list[Node]]:
        coefficient, rest = build.split(scalar)
        rest = self._called_again(rest)
        factors = self._factors_in_order(rest) if rest.op == "times" else [rest]
        return coefficient, [factor for factor in factors if not build.is_one(factor)]

    def _numeric_multiple(self, coefficient: Fraction, node: Node) -> Signed:
        """A number times one thing; what is negative all through takes its sign outside, and a negative number turns
        a difference."""
        if node.op != "add":
            negative, shown = self._as_factor(node)
            return negative != (coefficient < 0), with_number(abs(coefficient), shown)
        negative, shown = self.signed(node)
        if shown.op == "add" and (minuses(shown) == len(shown.args) or (coefficient < 0 and minuses(shown))):
            negative, shown = True, self._in_order(build.negate(node))
        return negative != (coefficient < 0), with_number(abs(coefficient), shown)

    def _turned(self, negative: bool, factors: Sequence[Node], taken: Sequence[Signed]) -> tuple[bool, list[Node]]:
        """The sign and the factors; minus a difference is the other difference, where the text has neither."""
        inner = [piece for _, piece in taken]
        for k, (factor, (turned, piece)) in enumerate(zip(factors, taken, strict=True)):
            free = factor.op == "add" and not turned and build.primitive(factor)[1] not in self.sums
            if negative and free and minuses(piece) and "nonnegative" not in factor.facts:
                return False, [*inner[:k], self._in_order(build.negate(factor)), *inner[k + 1 :]]
        return negative, inner

    def _called_again(self, scalar: Node) -> Node:
        """A product of scalars, with what a typed call came apart into put together again."""
        have = _whole_powers(scalar)
        for parts, call in self.calls:
            if parts <= have:
                over = build.times(scalar, *(build.power(base, build.number(-n)) for base, n in parts.items()))
                rest = over.args if over.op == "times" else () if build.is_one(over) else (over,)
                return interned("times", (*rest, call), (), SCALAR) if rest else call
        return scalar

    def _power(self, node: Node, args: Sequence[Signed]) -> Signed:
        base, exponent = node.args
        whole = build.integer_of(exponent)
        if whole is None:
            shown = (plain(args[0]), plain(args[1]))
            return False, interned("power", shown, (), node.shape)
        negative, inner = self._as_factor(base)
        return negative and whole % 2 == 1, interned("power", (inner, exponent), (), node.shape)


def _whole_powers(scalar: Node) -> Counter[Node]:
    """The factors of a product of scalars that stand there to whole positive powers, and to which."""
    found: Counter[Node] = Counter()
    for factor in scalar.args if scalar.op == "times" else (scalar,):
        base, exponent = factor.args if factor.op == "power" else (factor, build.number(1))
        found[base] += max(build.integer_of(exponent) or 0, 0)
    return +found


def _argument(value: Signed) -> Node:
    """What a function is applied to; a sum of minuses alone has one in front: exp(-(x + y))."""
    shown = plain(value)
    if shown.op != "add" or minuses(shown) < len(shown.args):
        return shown
    return with_number(Fraction(-1), plain((True, shown)))


def _is_negative_sum(node: Node, shown: Node) -> bool:
    """Whether a sum has minuses alone, or is known to be the opposite of something positive, as sigmoid(x) - 1 is."""
    return minuses(shown) == len(shown.args) or "nonnegative" in build.negate(node).facts - node.facts


def _under_one_root(coefficient: Fraction, factors: list[Node]) -> tuple[Fraction, list[Node]]:
    """A number and factors, the square roots of constants under one root: 1/(sqrt(2)*sqrt(pi)) as 1/sqrt(2*pi)."""
    roots = [f for f in factors if _is_constant_root(f)]
    if len(roots) < 2:
        return coefficient, factors
    rest = [f for f in factors if f not in roots]
    inside, parts = Fraction(1), list[Node]()
    for base, half in (root.args for root in roots):
        value, up = build.number_of(base), 1 if half.params[0] > 0 else -1
        if value is None:
            parts.append(build.power(base, build.number(up)))
        else:
            inside *= value**up
    whole = coefficient**2 * inside
    if _length(whole) <= _length(coefficient) + _length(inside):
        coefficient, inside = Fraction(1 if coefficient > 0 else -1), whole
    below = inside.numerator == 1 and all(is_negative_power(part) for part in parts)
    under = build.times(build.number(inside), *parts)
    half = build.number(Fraction(-1 if below else 1, 2))
    root = interned("power", (build.power(under, build.number(-1)) if below else under, half), (), SCALAR)
    return coefficient, [*rest, root] if below else [root, *rest]


def _is_constant_root(factor: Node) -> bool:
    exponent = build.number_of(factor.args[1]) if factor.op == "power" else None
    return exponent is not None and abs(exponent) == Fraction(1, 2) and not factor.free


def _length(number: Fraction) -> int:
    """How many digits a factor is written with; none where it is 1."""
    return sum(len(str(part)) for part in (abs(number.numerator), number.denominator) if part != 1)


def _is_spread(term: Node) -> bool:
    """Whether a term is written with a dot before its sign."""
    bare = bare_of(term)
    return bare.op == "spread" or bare is build.ones(*bare.shape)


def bare_of(term: Node) -> Node:
    """What a term is a multiple of."""
    return term.args[1] if term.op == "scale" else term
