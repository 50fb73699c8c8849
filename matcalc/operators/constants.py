"""Names, numbers, sizes and the constant matrices."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import pi
from typing import TYPE_CHECKING, Any

from matcalc.errors import ShapeError
from matcalc.expression import build
from matcalc.expression.bounds import UNIT, Interval, exactly, outwards
from matcalc.expression.formula import Formula
from matcalc.expression.indexed import Indexed, Term, deltas
from matcalc.expression.nodes import interned
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.piece import ATOM, CHAIN, POWER
from matcalc.expression.property import closure

if TYPE_CHECKING:
    from matcalc.expression.indexed import Letters
    from matcalc.expression.nodes import Node
    from matcalc.expression.sizes import AnySize

_POSITIVE = frozenset({"positive", "nonnegative", "nonzero"})


def _filled(value: int) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import numpy as np

        return np.full((size(node.rows), size(node.cols)), value, dtype=object)

    return evaluate


def _eye(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.eye(size(node.rows), dtype=int).astype(object)


def _entry_sum(left: Node, right: Node) -> Node | None:
    """A row times the ones, or the ones times a column, is the sum of the entries."""
    if left.rows == 1 and right.op == "ones" and right.cols == 1:
        return build.apply("sum", left)
    if right.cols == 1 and left.op == "ones" and left.rows == 1:
        return build.apply("sum", right)
    return None


def _all_ones(node: Node, args: Sequence[Indexed], letters: Letters) -> Indexed:
    rows, cols = (() if size == 1 else None for size in node.shape)
    return Indexed(rows, cols, lambda rows, cols: [Term()])


def _ones_formula(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
    if node.cols == 1:
        return Formula(r"\mathbf{1}", ATOM)
    row = r"\mathbf{1}^\top"
    return Formula(row, POWER) if node.rows == 1 else Formula(rf"\mathbf{{1}} {row}", CHAIN)


def _fill_text(name: str) -> Any:
    def text(node: Node, args: Any, size: Any) -> str:
        return f"{name}({size(node.rows)})" if node.cols == 1 else f"{name}({size(node.rows)}, {size(node.cols)})"

    return text


def _filler(name: str) -> Any:
    return lambda m, n=1: getattr(build, name)(m, n)


def _turned_fill(name: str) -> Any:
    return lambda node: getattr(build, name)(node.cols, node.rows)


def _single(value: Any) -> Any:
    import numpy as np

    return np.array([[value]], dtype=object)


def _sign_facts(node: Node) -> frozenset[str]:
    value = node.params[0]
    return _POSITIVE if value > 0 else frozenset({"nonnegative"}) if value == 0 else frozenset({"nonzero"})


def _pi(node: Node, args: Any, size: Any) -> Any:
    import mpmath

    return _single(+mpmath.pi)


def _size_reference(node: Node, args: Any, size: Any) -> Any:
    """In the precision in force: of a Python integer, 3**-1 would be a float."""
    import mpmath

    return _single(mpmath.mpf(size(node.params[0])))


def _rational(node: Node, args: Any, size: Any) -> Any:
    import mpmath

    value = node.params[0]
    return _single(mpmath.mpf(value.numerator) / value.denominator)


def _image_variable(node: Node, args: Any, size: Any) -> Any:
    import sympy

    name, storage, _ = node.params
    if storage == "scalar":
        return sympy.Symbol(name, real=True, positive="positive" in node.facts or None)
    symbol = sympy.MatrixSymbol(name, size(node.rows), size(node.cols))
    return symbol[0, 0] if node.is_scalar else symbol


def _image_number(node: Node, args: Any, size: Any) -> Any:
    import sympy

    return sympy.Rational(node.params[0].numerator, node.params[0].denominator)


def _image(name: str) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import sympy

        return getattr(sympy, name)(size(node.rows), size(node.cols))

    return evaluate


define(
    Operator(
        "variable",
        says="a named value",
        notation=True,
        shape=lambda args, params: (1, 1),
        facts=lambda node: closure(node.params[2]),
        written=lambda node, args, size: node.params[0],
        sympy=_image_variable,
    )
)
define(
    Operator(
        "number",
        says="an exact rational number",
        notation=True,
        constant=True,
        facts=_sign_facts,
        bounds=lambda node, args: exactly(node.params[0]),
        exact=lambda node, args, size: _single(node.params[0]),
        reference=_rational,
        sympy=_image_number,
    )
)
define(
    Operator(
        "size",
        says="the number of rows, size(X, 0), or of columns, size(X, 1)",
        signatures=("(m,n), 0 -> (1,1)", "(m,n), 1 -> (1,1)"),
        call=lambda x, axis: build.size_number(x.shape[axis]),
        constant=True,
        facts=lambda node: _POSITIVE,
        bounds=lambda node, args: Interval(Fraction(1)),
        written=lambda node, args, size: size(node.params[0]),
        exact=lambda node, args, size: _single(size(node.params[0])),
        reference=_size_reference,
        sympy=lambda node, args, size: size(node.params[0]),
    )
)
define(
    Operator(
        "pi",
        says="the circle's number",
        notation=True,
        constant=True,
        facts=lambda node: _POSITIVE,
        bounds=lambda node, args: Interval(outwards(pi, False), outwards(pi, True)),
        lowers=Lowering(torch="math.pi", numpy="math.pi", jax="math.pi"),
        latex=r"\pi",
        written=lambda node, args, size: "pi",
        exact=lambda node, args, size: _single("pi"),
        reference=_pi,
        sympy=lambda node, args, size: __import__("sympy").pi,
        samples=(Sample("pi*sum(x)"),),
    )
)
define(
    Operator(
        "eye",
        says="the identity matrix",
        indexed=lambda node, args, letters: Indexed(None, None, deltas),
        named_entries=True,
        source="Magnus & Neudecker 2019, ch. 1",
        signatures=("size n -> (n,n)",),
        role="identity",
        constant=True,
        aliases=("I",),
        call=lambda n: build.eye(n),
        facts=lambda node: closure(("posdef", "diagonal", "orthogonal")),
        bounds=lambda node, args: UNIT,
        lowers=Lowering(
            torch=lambda node, args, size: f"torch.eye({size(node.rows)}, {{like}})",
            numpy=lambda node, args, size: f"np.eye({size(node.rows)}, {{like}})",
            jax=lambda node, args, size: f"jnp.eye({size(node.rows)}, {{like}})",
        ),
        latex="I",
        written=lambda node, args, size: f"eye({size(node.rows)})",
        exact=True,
        reference=_eye,
        sympy=lambda node, args, size: __import__("sympy").Identity(size(node.rows)),
        samples=(Sample("tr(A*eye(n))", {"A": "matrix(n, n)"}), Sample("norm2(X - I)^2")),
        errors=(("eye(2, 3)*x", "eye"),),
    )
)


def _filled_with(value: int) -> Any:
    return lambda node, args: exactly(value)


for _name, _value in (("ones", 1), ("zeros", 0)):
    define(
        Operator(
            _name,
            says=f"the vector or matrix of {_name}",
            source="Magnus & Neudecker 2019, ch. 1",
            signatures=("size m -> (m,1)", "size m, size n -> (m,n)"),
            role="one" if _value else "zero",
            constant=True,
            call=_filler(_name),
            transposed=_turned_fill(_name),
            facts=lambda node: frozenset({"symmetric"} if node.is_square else ()),
            bounds=_filled_with(_value),
            joins=_entry_sum if _value else None,
            indexed=_all_ones if _value else None,
            named_entries=bool(_value),
            lowers=Lowering(
                torch=f"torch.{_name}({{rows}}, {{cols}}, {{like}})",
                numpy=f"np.{_name}(({{rows}}, {{cols}}), {{like}})",
                jax=f"jnp.{_name}(({{rows}}, {{cols}}), {{like}})",
            ),
            latex=_ones_formula if _value else "0",
            written=_fill_text(_name),
            exact=True,
            reference=_filled(_value),
            sympy=_image("OneMatrix" if _value else "ZeroMatrix"),
            samples=(
                Sample(f"norm2(x - {_name}(n))^2", {"x": "vector(n)"}),
                Sample(f"sum(square(X - {_name}(m, n)))", {"X": "matrix(m, n)"}),
            ),
        )
    )


def _basis_vector(i: int, n: AnySize) -> Node:
    if i < 0 or (isinstance(n, int) and i >= n):
        raise ShapeError(f"there is no place {i} in a vector of size {n}", why="places are counted from 0")
    return build.number(1) if n == 1 else interned("basis", (), (i,), (n, 1))


def _basis(node: Node, args: Any, size: Any) -> Any:
    column = _filled(0)(node, args, size)
    column[node.params[0], 0] = 1
    return column


def _image_basis(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i = node.params[0]
    return sympy.FunctionMatrix(
        size(node.rows), 1, sympy.Lambda(sympy.symbols("i j"), sympy.KroneckerDelta(sympy.Symbol("i"), i))
    )


define(
    Operator(
        "basis",
        says="the unit vector e_i of length n, counted from 0",
        source="Magnus & Neudecker 2019, ch. 1",
        signatures=("int i, size n -> (n,1)",),
        constant=True,
        call=_basis_vector,
        fits=lambda node, size: node.params[0] < size(node.rows),
        facts=lambda node: frozenset({"nonnegative"}),
        bounds=lambda node, args: UNIT,
        lowers=Lowering(
            torch=lambda node, args, size: (
                f"torch.eye({size(node.rows)}, {{like}})[:, {node.params[0]}:{node.params[0] + 1}]"
            ),
            numpy=lambda node, args, size: (
                f"np.eye({size(node.rows)}, {{like}})[:, {node.params[0]}:{node.params[0] + 1}]"
            ),
            jax=lambda node, args, size: (
                f"jnp.eye({size(node.rows)}, {{like}})[:, {node.params[0]}:{node.params[0] + 1}]"
            ),
        ),
        latex=lambda node, pieces, size: Formula(f"e_{{{node.params[0]}}}", ATOM),
        written=lambda node, args, size: f"basis({node.params[0]}, {size(node.rows)})",
        exact=True,
        reference=_basis,
        sympy=_image_basis,
        samples=(Sample("norm2(x - basis(1, 3))^2", {"x": "vector(3)"}),),
    )
)


def _contextual(name: str, signature: str) -> None:
    define(
        Operator(
            name,
            says=f"the constant c in the {name} shape that the context needs",
            signatures=(signature,),
            contextual=True,
            call=build.spread,
            samples=(Sample(f"sum(square({'x' if name == 'vector' else 'X'} + {name}(c)))"),),
        )
    )


_contextual("vector", "(1,1) -> (n,1)")
_contextual("matrix", "(1,1) -> (m,n)")
