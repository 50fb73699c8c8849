"""The constructors: the only way to make an expression.

Each returns the canonical form of what it is asked for, so that equal values written alike are one object: sums are
flat with like terms collected, products are flat with their scalars in front, factors raised to one power each, a
transpose stands on the outside of an inverse, a power or an elementwise function and is pushed through sums and
products. A canonical form holds wherever the expression as written is defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, isqrt, lcm
from typing import Any

from matcalc.errors import DomainError, LimitError, ShapeError
from matcalc.expression.nodes import Node, interned
from matcalc.expression.operator import operator_named
from matcalc.expression.signature import matched
from matcalc.expression.sizes import SCALAR, AnySize, Shape, Size, written_shape

_MOST_BITS = 4096

# ---------------------------------------------------------------------------------------------------- leaves


def number(value: Fraction | int) -> Node:
    """An exact rational number."""
    return interned("number", (), (Fraction(value),), SCALAR)


def variable(name: str, shape: Shape, storage: str, properties: frozenset[str] = frozenset()) -> Node:
    """A named value; ``storage`` (scalar, vector, row, matrix) is how it looks outside the calculus."""
    return interned("variable", (), (name, storage, tuple(sorted(properties))), shape)


def size_number(size: AnySize) -> Node:
    """A size as a scalar."""
    if isinstance(size, int):
        return number(size)
    if size.is_name:
        return interned("size", (), (size,), SCALAR)
    terms = [
        times(number(factor), *(size_number(Size.named(name)) for name in monomial)) for monomial, factor in size.terms
    ]
    return add(*terms)


def constant(name: str, shape: Shape = SCALAR) -> Node:
    """A named constant such as ``pi``."""
    return interned(name, (), (), shape)


def eye(n: AnySize) -> Node:
    """The n×n identity."""
    return number(1) if n == 1 else interned("eye", (), (), (n, n))


def ones(rows: AnySize, cols: AnySize) -> Node:
    """The matrix of ones."""
    return number(1) if (rows, cols) == SCALAR else interned("ones", (), (), (rows, cols))


def zeros(rows: AnySize, cols: AnySize) -> Node:
    """The matrix of zeros."""
    return number(0) if (rows, cols) == SCALAR else interned("zeros", (), (), (rows, cols))


# ------------------------------------------------------------------------------------------------- questions


def is_zero(node: Node) -> bool:
    """Whether the node is the number or the matrix zero."""
    return node.op == "zeros" or (node.op == "number" and node.params[0] == 0)


def is_one(node: Node) -> bool:
    """Whether the node is the number 1."""
    return node.op == "number" and bool(node.params[0] == 1)


def number_of(node: Node) -> Fraction | None:
    """The value of a number node, or None."""
    return node.params[0] if node.op == "number" else None


def integer_of(node: Node) -> int | None:
    """The value of an integer number node, or None."""
    value = number_of(node)
    return int(value) if value is not None and value.denominator == 1 else None


def split(node: Node) -> tuple[Fraction, Node]:
    """The numeric coefficient of a term, and the rest.

    >>> x = variable("x", (3, 1), "vector")
    >>> split(scale(number(-2), x)) == (-2, x)
    True
    """
    if node.op == "number":
        return node.params[0], number(1)
    if node.op == "times" and node.args[0].op == "number" and node.is_scalar:
        rest = node.args[1:]
        return node.args[0].params[0], rest[0] if len(rest) == 1 else interned("times", rest, (), SCALAR)
    if node.op == "scale":
        coefficient, scalar = split(node.args[0])
        return coefficient, scale(scalar, node.args[1])
    return Fraction(1), node


# ------------------------------------------------------------------------------------------------------ sums


def add(*terms: Node) -> Node:
    """The sum, flat, like terms collected, a common numeric factor in front.

    Raises:
        ShapeError: when the shapes differ.
    """
    shape = terms[0].shape
    collected: dict[Node, tuple[Fraction, Node]] = {}
    for coefficient, rest in _flat_terms(terms, shape):
        key = oriented(rest)
        have, shown = collected.get(key, (Fraction(0), rest))
        collected[key] = (have + coefficient, min(shown, rest, key=_digest))
    kept = [(c, rest) for c, rest in collected.values() if c]
    if not kept:
        return zeros(*shape)
    if len(kept) == 1:
        return _multiple(*kept[0])
    content = _content([c for c, _ in kept])
    parts = [_multiple(c / content, rest) for c, rest in kept]
    total = interned("add", tuple(sorted(parts, key=_digest)), (), shape)
    return total if content == 1 else _multiple_of_sum(content, total)


def _flat_terms(terms: tuple[Node, ...], shape: Shape) -> list[tuple[Fraction, Node]]:
    flat: list[tuple[Fraction, Node]] = []
    stack = [(Fraction(1), term) for term in reversed(terms)]
    while stack:
        factor, term = stack.pop()
        if term.shape != shape:
            raise ShapeError(f"cannot add {written_shape(shape)} and {written_shape(term.shape)}")
        coefficient, rest = split(term)
        if rest.op == "add":
            stack.extend((factor * coefficient, inner) for inner in reversed(rest.args))
        elif not is_zero(rest) and coefficient:
            flat.append((factor * coefficient, rest))
    return flat


def _content(coefficients: list[Fraction]) -> Fraction:
    """The factor to take out: of integers, or of proper fractions alone; negative where every term is."""
    whole = [c.denominator == 1 for c in coefficients]
    if any(whole) and not all(whole):
        return Fraction(1)
    content = Fraction(gcd(*(c.numerator for c in coefficients)), lcm(*(c.denominator for c in coefficients)))
    return -content if content != 1 and all(c < 0 for c in coefficients) else content


def _multiple(coefficient: Fraction, rest: Node) -> Node:
    if coefficient == 1:
        return rest
    return times(number(coefficient), rest) if rest.is_scalar else scale(number(coefficient), rest)


def _multiple_of_sum(content: Fraction, total: Node) -> Node:
    op = "times" if total.is_scalar else "scale"
    return interned(op, (number(content), total), (), total.shape)


def oriented(node: Node) -> Node:
    """One of the two ways of writing a scalar product (``b'*x`` and ``x'*b`` are the same value)."""
    if node.op == "product" and node.is_scalar:
        negative, factors = mirrored(node.args)
        return node if negative else min(node, product(*factors), key=_digest)
    return node


def mirrored(chain: Sequence[Node]) -> tuple[bool, list[Node]]:
    """The transposed factors in reverse, and whether the product of them is minus the transpose: skew ones turn."""
    skew = ["skew" in factor.facts for factor in chain]
    factors = [f if turns else transpose(f) for f, turns in zip(chain, skew, strict=True)]
    return sum(skew) % 2 == 1, factors[::-1]


def primitive(total: Node) -> tuple[Fraction, Node]:
    """A sum of scalars as a number times a sum with coprime integer coefficients, the leading one positive.

    As a factor a sum is written so: multiples of one sum are then powers of one base.
    """
    parts = [split(term) for term in total.args]
    lead = min(parts, key=lambda part: (-part[1].weight, part[1].digest))[0]
    content = Fraction(gcd(*(c.numerator for c, _ in parts)), lcm(*(c.denominator for c, _ in parts)))
    content = -content if lead < 0 else content
    if content == 1:
        return content, total
    inner = [_multiple(c / content, rest) for c, rest in parts]
    return content, interned("add", tuple(sorted(inner, key=_digest)), (), total.shape)


def _front(factor: Fraction, total: Node) -> Node:
    return interned("times", (number(factor), total), (), SCALAR)


def _digest(node: Node) -> bytes:
    return node.digest


def negate(node: Node) -> Node:
    """``-node``."""
    return multiply(number(-1), node)


def subtract(left: Node, right: Node) -> Node:
    """``left - right``."""
    return add(left, negate(right))


# --------------------------------------------------------------------------------------- scalars and elements


def multiply(scalar: Node, node: Node) -> Node:
    """A scalar times anything."""
    return times(scalar, node) if node.is_scalar else scale(scalar, node)


def divide(node: Node, scalar: Node) -> Node:
    """Anything over a scalar."""
    return multiply(power(scalar, number(-1)), node)


def scale(scalar: Node, matrix: Node) -> Node:
    """A scalar times a matrix, its scalars gathered in front; a numeric factor goes into a sum."""
    if matrix.is_scalar:
        return times(scalar, matrix)
    if matrix.op == "scale":
        scalar, matrix = times(scalar, matrix.args[0]), matrix.args[1]
    if is_zero(scalar) or is_zero(matrix):
        return zeros(*matrix.shape)
    if is_one(scalar):
        return matrix
    if scalar.op == "add":
        factor, scalar = primitive(scalar)
        scalar = scalar if factor == 1 else _front(factor, scalar)
    if matrix.op == "add":
        coefficient, rest = split(scalar)
        content, matrix = _content_and_sum(coefficient, matrix)
        scalar = times(number(content), rest)
        if is_one(scalar):
            return matrix
    return interned("scale", (scalar, matrix), (), matrix.shape)


def _content_and_sum(coefficient: Fraction, total: Node) -> tuple[Fraction, Node]:
    """A numeric multiple of a sum: its content, which is positive, and the sum left, signs inside."""
    if coefficient == 1:
        return coefficient, total
    parts = [split(term) for term in total.args]
    content = _content([c * coefficient for c, _ in parts])
    inner = [_multiple(c * coefficient / content, rest) for c, rest in parts]
    return content, interned("add", tuple(sorted(inner, key=_digest)), (), total.shape)


def times(*factors: Node) -> Node:
    """The elementwise product of values of one shape (of scalars: the product), equal bases gathered in powers."""
    shape = factors[0].shape
    coefficient, scalars, exponents = _gathered(factors)
    if shape == SCALAR and len(exponents) > 1 and any(base.op == "add" for base, _ in exponents.values()):
        coefficient, exponents = _primitive_bases(coefficient, exponents)
    if coefficient == 0:
        return zeros(*shape)
    raised = [power(base, exponent) for base, exponent in exponents.values()]
    if any(f.op in ("number", "times", "scale", "ones", "zeros") for f in raised):
        front = [number(coefficient)] if shape == SCALAR else []
        body = times(*front, *raised) if front or raised else ones(*shape)
        return body if shape == SCALAR else multiply(times(number(coefficient), *scalars), body)
    body = _bare_times(coefficient if shape == SCALAR else Fraction(1), raised, shape)
    return body if shape == SCALAR else scale(times(number(coefficient), *scalars), body)


def _primitive_bases(
    coefficient: Fraction, exponents: dict[Node, tuple[Node, Node]]
) -> tuple[Fraction, dict[Node, tuple[Node, Node]]]:
    """The same factors, sums made primitive where their power is whole."""
    made: dict[Node, tuple[Node, Node]] = {}
    for base, exponent in exponents.values():
        whole = integer_of(exponent)
        if base.op == "add" and whole is not None:
            factor, base = primitive(base)
            coefficient *= factor**whole
        key = oriented(base)
        have = made.get(key)
        made[key] = (base, exponent if have is None else add(have[1], exponent))
    return coefficient, made


def _gathered(factors: tuple[Node, ...]) -> tuple[Fraction, list[Node], dict[Node, tuple[Node, Node]]]:
    """Numeric coefficient, scalar factors (of a matrix), and base to (base as shown, exponent)."""
    coefficient, scalars = Fraction(1), []
    exponents: dict[Node, tuple[Node, Node]] = {}
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if is_zero(factor):
            return Fraction(0), [], {}
        if factor.op == "number":
            coefficient *= factor.params[0]
        elif factor.op == "times":
            stack.extend(reversed(factor.args))
        elif factor.op == "scale":
            scalars.append(factor.args[0])
            stack.append(factor.args[1])
        elif factor.op != "ones":
            base, exponent = factor.args if factor.op == "power" else (factor, number(1))
            key = oriented(base)
            shown, have = exponents.get(key, (base, None))
            exponents[key] = (
                min(shown, base, key=_digest),
                exponent if have is None else _sum_of_exponents(have, exponent),
            )
    return coefficient, scalars, exponents


def _sum_of_exponents(left: Node, right: Node) -> Node:
    if left.shape != right.shape:
        shape = left.shape if right.is_scalar else right.shape
        left, right = spread(left, shape), spread(right, shape)
    return add(left, right)


def _bare_times(coefficient: Fraction, factors: list[Node], shape: Shape) -> Node:
    if not factors and shape == SCALAR:
        return number(coefficient)
    if not factors:
        return multiply(number(coefficient), ones(*shape))
    if shape != SCALAR and all(f.op == "transpose" for f in factors):
        return transpose(_bare_times(coefficient, [f.args[0] for f in factors], (shape[1], shape[0])))
    if len(factors) == 1 and coefficient == 1:
        return factors[0]
    if len(factors) == 1 and factors[0].op == "add":
        content, total = _content_and_sum(coefficient, factors[0])
        return total if content == 1 else _multiple_of_sum(content, total)
    front = [number(coefficient)] if coefficient != 1 else []
    return interned("times", (*front, *sorted(factors, key=_digest)), (), shape)


def power(base: Node, exponent: Node) -> Node:
    """``base`` raised elementwise; the exponent is a scalar or has the base's shape.

    Raises:
        DomainError: for 0 to a negative power.
    """
    p = number_of(exponent)
    if p is None or not exponent.is_scalar:
        return interned("power", (base, exponent), (), base.shape)
    if p == 0:
        return ones(*base.shape)
    if p == 1 or base.op == "ones":
        return base
    if is_zero(base):
        if p < 0:
            raise DomainError("division by zero")
        return base
    simpler = _simpler_power(base, p)
    return interned("power", (base, exponent), (), base.shape) if simpler is None else simpler


def _simpler_power(base: Node, p: Fraction) -> Node | None:
    whole = p.denominator == 1
    if base.op == "number":
        return _number_power(base.params[0], p)
    if base.op == "power" and (whole or "positive" in base.args[0].facts):
        return power(base.args[0], multiply(number(p), base.args[1]))
    if base.op == "transpose":
        return transpose(power(base.args[0], number(p)))
    if base.op == "times" and whole:
        return times(*(power(factor, number(p)) for factor in base.args))
    if base.op == "scale" and whole:
        return scale(power(base.args[0], number(p)), power(base.args[1], number(p)))
    coefficient, rest = split(base)
    if coefficient > 0 and coefficient != 1:
        return multiply(power(number(coefficient), number(p)), power(rest, number(p)))
    return None


def _number_power(base: Fraction, p: Fraction) -> Node | None:
    if p.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(int(p))
        if bits > _MOST_BITS:
            raise LimitError(
                f"{base}^{p} has more than {_MOST_BITS} bits", limit="bits", value=bits, allowed=_MOST_BITS
            )
        return number(base ** int(p))
    if base < 0:
        raise DomainError(f"{base} to the power {p} is not a real number")
    root = _exact_root(base, p.denominator)
    return None if root is None else power(number(root), number(p.numerator))


def _exact_root(value: Fraction, degree: int) -> Fraction | None:
    if degree != 2:
        return None
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    exact = above * above == value.numerator and below * below == value.denominator
    return Fraction(above, below) if exact else None


def spread(node: Node, shape: Shape) -> Node:
    """``node`` repeated along each axis where it has one row or column, as NumPy broadcasts.

    Raises:
        ShapeError: where an axis is neither 1 nor the size wanted.
    """
    if node.shape == shape:
        return node
    if any(have not in (1, want) for have, want in zip(node.shape, shape, strict=True)):
        raise ShapeError(f"cannot spread {written_shape(node.shape)} to {written_shape(shape)}")
    if node.is_scalar:
        return scale(node, ones(*shape))
    if node.op in ("ones", "zeros"):
        return interned(node.op, (), (), shape)
    if node.op == "scale":
        return scale(node.args[0], spread(node.args[1], shape))
    return interned("spread", (node,), (), shape)


def broadcast(left: Node, right: Node) -> tuple[Node, Node]:
    """Both, spread to their common shape."""
    shape = tuple(b if a == 1 else a for a, b in zip(left.shape, right.shape, strict=True))
    return spread(left, shape), spread(right, shape)  # type: ignore[arg-type]  # zip of two pairs is a pair


# -------------------------------------------------------------------------------------------- matrix products


def product(*factors: Node) -> Node:
    """The matrix product, flat; scalars in front, what cancels cancelled, a 1×1 stretch inside taken out as a scalar.

    A factor that is a scalar scales.

    Raises:
        ShapeError: when neighbours do not fit.
    """
    scalars: list[Node] = []
    chain: list[Node] = []
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if factor.is_scalar:
            scalars.append(factor)
        elif factor.op == "scale":
            scalars.append(factor.args[0])
            stack.append(factor.args[1])
        elif factor.op == "product":
            stack.extend(reversed(factor.args))
        elif factor.op == "spread" and (chain or stack):
            stack.extend(reversed(_outer(factor)))
        elif chain and chain[-1].cols != factor.rows:
            raise ShapeError(f"cannot multiply {written_shape(chain[-1].shape)} by {written_shape(factor.shape)}")
        elif chain and (made := _joined(chain[-1], factor)) is not None:
            chain.pop()
            stack.append(made)
        else:
            chain.append(factor)
            _take_scalar_out(chain, scalars, last=not stack)
    body = _bare_product(chain)
    return body if not scalars else multiply(times(*scalars), body)


def _take_scalar_out(chain: list[Node], scalars: list[Node], last: bool) -> None:
    """Where the chain now ends in ``row … column`` with something before, or more to come: that stretch is a scalar."""
    if chain[-1].cols != 1:
        return
    for start in range(len(chain) - 1, -1, -1):
        if chain[start].rows == 1:
            if start or not last:
                scalars.append(_bare_product(chain[start:]))
                del chain[start:]
            return


def _bare_product(chain: list[Node]) -> Node:
    if not chain:
        return number(1)
    shape = (chain[0].rows, chain[-1].cols)
    if any(is_zero(factor) for factor in chain):
        return zeros(*shape)
    if len(chain) == 1:
        return chain[0]
    if shape != SCALAR and (made := _spread_over_ones(chain, shape)) is not None:
        return made
    made = interned("product", tuple(chain), (), shape)
    return _scalar_of_skew(made) if shape == SCALAR else made


def _outer(spreading: Node) -> tuple[Node, Node]:
    """A column in every column is it times a row of ones; a row in every row, a column of ones times it."""
    inner = spreading.args[0]
    if inner.cols == 1:
        return inner, ones(1, spreading.cols)
    return ones(spreading.rows, 1), inner


def _spread_over_ones(chain: list[Node], shape: Shape) -> Node | None:
    """A product that ends in a row of ones, or begins with a column of ones, is the rest of it spread."""
    if chain[-1].op == "ones" and chain[-1].rows == 1:
        return spread(product(*chain[:-1]), shape)
    if chain[0].op == "ones" and chain[0].cols == 1:
        return spread(product(*chain[1:]), shape)
    return None


def _scalar_of_skew(made: Node) -> Node:
    """Where x'·A·y is -y'·A·x, one of the two ways of writing it; x'·A·x is zero."""
    negative, factors = mirrored(made.args)
    if not negative:
        return made
    mirror = interned("product", tuple(factors), (), SCALAR)
    if mirror is made:
        return number(0)
    return made if made.digest <= mirror.digest else negate(mirror)


def _joined(left: Node, right: Node) -> Node | None:
    """What two neighbours make, where they make something simpler."""
    if left.op == "eye":
        return right
    if right.op == "eye":
        return left
    for operator in (left.operator, right.operator):
        made = operator.joins(left, right) if operator.joins is not None else None
        if made is not None:
            return made
    if left.is_square and left.shape == right.shape:
        (base, a), (other, b) = _base_and_power(left), _base_and_power(right)
        if base is other:
            return matrix_power(base, a + b)
    return None


def _base_and_power(node: Node) -> tuple[Node, int]:
    if node.op == "transpose" and node.args[0].op in ("inv", "matpow"):
        base, exponent = _base_and_power(node.args[0])
        return transpose(base), exponent
    if node.op == "inv":
        return node.args[0], -1
    if node.op == "matpow":
        base, exponent = _base_and_power(node.args[0])
        return base, exponent * node.params[0]
    return node, 1


def matrix_power(base: Node, exponent: int) -> Node:
    """A square matrix to an integer power; a negative one is a power of the inverse.

    Raises:
        ShapeError: when the base is not square.
    """
    if base.is_scalar:
        return power(base, number(exponent))
    if not base.is_square:
        raise ShapeError(f"only a square matrix has powers; this is {written_shape(base.shape)}")
    if exponent < 0:
        return matrix_power(inverse(base), -exponent)
    if exponent == 0 or base.op == "eye":
        return eye(base.rows)
    if exponent == 1:
        return base
    if base.op == "scale":
        return scale(power(base.args[0], number(exponent)), matrix_power(base.args[1], exponent))
    if base.op == "transpose" or is_transposed_sum(base):
        return transpose(matrix_power(transpose(base), exponent))
    if base.op == "matpow":
        return matrix_power(base.args[0], exponent * base.params[0])
    squared = base.operator.joins(base, base) if base.operator.joins is not None else None
    if squared is not None:
        even = matrix_power(squared, exponent // 2)
        return product(even, base) if exponent % 2 else even
    return interned("matpow", (base,), (exponent,), base.shape)


def is_transposed_sum(base: Node) -> bool:
    """Whether a sum is of transposes alone: it is written as the transpose of a sum where that is taken outside."""
    return base.op == "add" and all((t.args[1] if t.op == "scale" else t).op == "transpose" for t in base.args)


def inverse(base: Node) -> Node:
    """The inverse; of a transpose the transpose of the inverse, of a multiple the multiple of the inverse.

    Raises:
        ShapeError: when the base is not square.
    """
    if base.is_scalar:
        return power(base, number(-1))
    return apply("inv", base)


def transpose(node: Node) -> Node:
    """The transpose, none where the value is its own."""
    if node.is_scalar or "symmetric" in node.facts:
        return node
    if "skew" in node.facts:
        return negate(node)
    if node.op == "transpose":
        return node.args[0]
    hook = node.operator.transposed
    made = hook(node) if hook is not None else None
    return interned("transpose", (node,), (), (node.cols, node.rows)) if made is None else made


# -------------------------------------------------------------------------------------------- everything else


def apply(name: str, *args: Node, params: tuple[Any, ...] = ()) -> Node:
    """The operator called ``name`` applied to ``args``.

    Raises:
        ShapeError: when no signature of the operator fits.
    """
    operator = operator_named(name)
    if operator.is_elementwise and len(args) == 1 and not params:
        through = _elementwise_through(name, args[0])
        if through is not None:
            return through
    if operator.simplify is not None:
        simpler = operator.simplify(args, params)
        if simpler is not None:
            return simpler
    return interned(name, args, params, shape_of(name, args, params))


def _elementwise_through(name: str, arg: Node) -> Node | None:
    """An elementwise function of a spread scalar is a spread scalar; of a transpose, a transpose."""
    if arg.op == "ones":
        return scale(apply(name, number(1)), arg)
    if arg.op == "scale" and arg.args[1].op == "ones":
        return scale(apply(name, arg.args[0]), arg.args[1])
    if arg.op == "transpose":
        return transpose(apply(name, arg.args[0]))
    return None


def shape_of(name: str, args: tuple[Node, ...], params: tuple[Any, ...] = ()) -> Shape:
    """The shape of an operator's result.

    Raises:
        ShapeError: when no signature fits.
    """
    operator = operator_named(name)
    if operator.shape is not None:
        return operator.shape(args, params)
    shapes = [arg.shape for arg in args]
    for sig in operator.patterns:
        result = matched(sig, shapes)
        if result is not None:
            return result
    given = ", ".join(written_shape(shape) for shape in shapes)
    raise ShapeError(f"{name} does not take {given}; it takes {' or '.join(operator.signatures)}")


def with_args(node: Node, args: tuple[Node, ...]) -> Node:
    """``node`` rebuilt on other arguments, canonical again."""
    if args == node.args:
        return node
    rebuild = _REBUILD.get(node.op)
    if rebuild is not None:
        return rebuild(node, args)
    return apply(node.op, *args, params=node.params)


_REBUILD: dict[str, Any] = {
    "add": lambda node, args: add(*args),
    "times": lambda node, args: times(*args),
    "scale": lambda node, args: multiply(*args),
    "product": lambda node, args: product(*args),
    "power": lambda node, args: power(*args),
    "transpose": lambda node, args: transpose(*args),
    "matpow": lambda node, args: matrix_power(args[0], node.params[0]),
    "spread": lambda node, args: spread(args[0], node.shape),
}
