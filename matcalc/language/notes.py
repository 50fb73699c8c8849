"""What to say of a reading that has a meaning and may not be the one meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from matcalc.expression.operator import callable_named
from matcalc.language.kinds import MATRIX, SCALAR
from matcalc.language.preferences import preferred
from matcalc.language.scene import Scene
from matcalc.language.tree import Binary, Call, Name, Number

_POWERS = ("^", ".^")


def notes(made: Scene, scalars: Collection[str]) -> tuple[str, ...]:
    """Sentences on names that nothing declares, of which ``scalars`` came out as scalars, and on max(x, 0)."""
    found: dict[str, None] = dict.fromkeys(_undeclared(made))
    for node in made.nodes:
        said = _reduced_scalar(node, made, scalars) or _along_axis(node, made) or _power(node, made, scalars)
        found |= {said: None} if said else {}
    return tuple(found)


def _power(node: object, made: Scene, scalars: Collection[str]) -> str:
    """That e is a name, and that the exponent of a matrix is a number; or ""."""
    if not isinstance(node, Binary) or node.operator not in _POWERS or not isinstance(node.left, Name):
        return ""
    name, whole = node.left.name, node.span.cut(made.text)
    if name in made.known or name not in scalars:
        return ""
    if name == "e":
        exponent = node.right.span.cut(made.text)
        plain = exponent.strip("()")
        inside = plain if exponent == f"({plain})" else exponent
        return f"in {whole} e is a name, a scalar; the exponential function is exp({inside})"
    if preferred(name) == MATRIX and node.operator == "^" and id(node.right) not in made.numbers:
        return f"in {whole} {name} is a scalar: the power of a matrix has a number as exponent, as in {name}^2"
    return ""


def _undeclared(made: Scene) -> Iterator[str]:
    """That a declaration is of no name that occurs, where nothing declares one that does: it may be misspelt."""
    unused = [name for name in made.known if name not in made.names]
    inferred = [name for name in made.names if name not in made.known]
    if unused and inferred:
        are = "is" if len(unused) == 1 else "are"
        yield f"{' and '.join(unused)} {are} declared without use; nothing declares {' and '.join(inferred)}"


def _along_axis(node: object, made: Scene) -> str:
    """What max(x, 0) is, which reads as the larger of each entry and 0, and how that is written; or ""."""
    if not isinstance(node, Call) or len(node.arguments) != 2:
        return ""
    operator = callable_named(node.function)
    values, axis = node.arguments
    if operator is None or operator.instead is None or not isinstance(axis, Number) or axis.value:
        return ""
    other, meaning = operator.instead
    whole, x = node.span.cut(made.text), values.span.cut(made.text)
    return f"{whole} is taken along axis 0; {meaning} is {other}({x}, 0)"


def _reduced_scalar(node: object, made: Scene, scalars: Collection[str]) -> str:
    """That a sum, a mean or a norm is taken of what came out as a number, as x does in x - mean(x); or ""."""
    if not isinstance(node, Call) or not node.arguments or not isinstance(node.arguments[0], Name):
        return ""
    operator, name = callable_named(node.function), node.arguments[0].name
    if operator is None or "(m,n) -> (1,1)" not in operator.signatures:
        return ""
    if name in made.known or name not in scalars or preferred(name) == SCALAR:
        return ""
    whole = node.span.cut(made.text)
    return f"in {whole} {name} is a scalar, since + and - join equal shapes; where it is a vector, write .+ and .-"
