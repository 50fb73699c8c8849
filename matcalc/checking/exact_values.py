"""Expressions over a prime field, or over what bounds their degree there: the values of names, and what vanishes.

Both arithmetics run the same operators in the same order, so that the bounds are those of what was computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from matcalc.checking.degrees import Bound, Degrees
from matcalc.checking.finite_field import Element, Field
from matcalc.checking.question import Question
from matcalc.checking.subspace import SUBSPACES, projected
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES
from matcalc.expression.sizes import AnySize, as_integer
from matcalc.operators.exact_functions import UnliftedError
from matcalc.operators.exact_matrices import OutOfFieldError

Arithmetic: TypeAlias = Field | Degrees


def residuals(question: Question, sizes: Mapping[str, int], parts: tuple[int, ...], at: Arithmetic) -> list[Any]:
    """What vanishes where the claim holds: ⟨G, D⟩ less the derivative, and what of G lies off the subspace.

    Raises:
        NoRootError, ZeroDivisionError: where the point is none of the domain's.
        OutOfFieldError: for an operator that needs more than the arithmetic of a field.
    """
    import numpy as np

    assert isinstance(question.claimed, Node), "a function is no expression"
    values = drawn_values(question, sizes, parts, at)
    here = values[question.name]
    direction = projected(question.projected, _fresh(here.shape, at))
    moving = np.vectorize(lambda x, d: _element(x, at).moving(_element(d, at)), otypes=[object])(here, direction)
    value = exactly(question.expression, {**values, question.name: moving}, sizes, at)[0, 0]
    slope = Fraction(0) if isinstance(value, Fraction) else value.derivative()
    claimed = exactly(question.claimed, values, sizes, at)
    if claimed.shape != here.shape:
        raise OutOfFieldError("the claim has another shape")
    paired = (claimed * direction).sum() - slope
    return [paired, *(projected(question.projected, claimed) - claimed).flat] if question.projected else [paired]


def drawn_values(
    question: Question, sizes: Mapping[str, int], parts: tuple[int, ...], at: Arithmetic
) -> dict[str, Any]:  # fmt: skip
    """A random value for every name, in the component with its number in ``parts``."""
    return {v.params[0]: drawn_value(v, sizes, part, at) for v, part in zip(question.variables, parts, strict=True)}


def _element(entry: Any, at: Arithmetic) -> Any:
    return at.constant(Fraction(entry)) if isinstance(entry, int | Fraction) else entry


def _fresh(shape: tuple[int, ...], at: Arithmetic) -> Any:
    import numpy as np

    made = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        made[index] = at.fresh()
    return made


def drawn_value(variable: Node, sizes: Mapping[str, int], part: int, at: Arithmetic) -> Any:
    """A random value of a name that has what is declared of it."""
    rows, cols = (as_integer(size, sizes) for size in variable.shape)
    makers = [PROPERTIES[fact].parametrized for fact in sorted(variable.facts)]
    maker = next((made for made in makers if made is not None), None)
    if maker is not None and cols == 1 != variable.cols:  # still a matrix: what holds of its rows holds of each
        import numpy as np

        return np.vstack([maker(at.fresh, 1, 1, part) for _ in range(rows)])
    made = _fresh((rows, cols), at) if maker is None else maker(at.fresh, rows, cols, part)
    for fact in sorted(variable.facts):
        made = projected(fact, made) if fact in SUBSPACES else made
    return made


def exactly(
    root: Node, values: Mapping[str, Any], sizes: Mapping[str, int], at: Arithmetic, *, freeze: bool = True
) -> Any:
    """The value of ``root`` as an array of fractions, where no name occurs, and of elements.

    Raises:
        NoRootError, ZeroDivisionError: where it is not defined.
        OutOfFieldError: for an operator that needs more than the arithmetic of a field.
    """
    done: dict[Node, Any] = {}

    def size(wanted: AnySize) -> int:
        return as_integer(wanted, sizes)

    for node in postorder(root):
        if node.op == "variable":
            done[node] = values[node.params[0]]
            continue
        operator = node.operator
        evaluate = operator.reference if operator.exact is True else operator.exact
        if not callable(evaluate):
            raise OutOfFieldError(f"{node.op} is not exact")
        args = [done[arg] for arg in node.args]
        try:
            made = evaluate(node, args, size)
        except UnliftedError:
            made = evaluate(node, [_elements(arg, at) for arg in args], size)
        made = _cleaned(made, node, at)
        done[node] = _stilled(made) if freeze and operator.frozen else made
    return done[root]


def _elements(array: Any, at: Arithmetic) -> Any:
    import numpy as np

    return np.vectorize(lambda v: _element(v, at), otypes=[object])(array)


def _cleaned(made: Any, node: Node, at: Arithmetic) -> Any:
    import numpy as np

    kept = np.empty(made.shape, dtype=object)
    for index, entry in np.ndenumerate(made):
        if isinstance(entry, int):
            kept[index] = Fraction(entry)
        elif isinstance(entry, Element | Bound | Fraction):
            kept[index] = entry
        elif isinstance(entry, str):
            kept[index] = at.unknown(entry)
        else:
            raise OutOfFieldError(f"{node.op} gives a {type(entry).__name__}")
    return kept


def _stilled(made: Any) -> Any:
    import numpy as np

    return np.vectorize(lambda v: v if isinstance(v, Fraction) else v.still(), otypes=[object])(made)
