"""What to say of a reading that has a meaning and may not be the one meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from matcalc.errors import Span
from matcalc.expression.operator import callable_named
from matcalc.language.kinds import KIND_NAMES, MATRIX, SCALAR
from matcalc.language.preferences import preferred
from matcalc.language.scene import Scene
from matcalc.language.tree import Binary, Call, Name, Node, Number

_POWERS = ("^", ".^")


def notes(made: Scene, kinds: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences on names that nothing declares, which came out of some kind, and on max(x, 0)."""
    found: dict[str, None] = dict.fromkeys(_undeclared(made))
    for node in made.nodes:
        said = _along_axis(node, made) or _power(node, made, kinds)
        found |= {said: None} if said else {}
    return tuple(found)


def reduced_numbers(made: Scene, kinds: Mapping[str, str], is_number: Callable[[Node], bool]) -> tuple[str, ...]:
    """Sentences on sums, means and norms of what came out as a number, as x does in x - mean(x).

    That is where a name nobody declared is of another kind than its spelling suggests: it is hardly what was meant.
    """
    found: dict[Span, str] = {}
    for node in made.nodes:
        if not isinstance(node, Call) or not node.arguments:
            continue
        operator = callable_named(node.function)
        reduces = operator is not None and "(m,n) -> (1,1)" in operator.signatures
        if reduces and is_number(node.arguments[0]):
            span = node.arguments[0].span
            inside = {n.name for n in made.nodes if isinstance(n, Name) and span.start <= n.span.start < span.end}
            if any(kinds[n] != KIND_NAMES[preferred(n)] for n in inside & kinds.keys() - made.known.keys()):
                found[node.span] = _said(node.span.cut(made.text), span.cut(made.text))
    inner = [span for span in found if not any(span != s and span.start <= s.start < span.end for s in found)]
    return tuple(dict.fromkeys(found[span] for span in inner))


def _said(whole: str, part: str) -> str:
    return f"in {whole} {part} is a scalar, since + and - join equal shapes; where it is a vector, write .+ and .-"


def _power(node: object, made: Scene, kinds: Mapping[str, str]) -> str:
    """That e is a name, and that the exponent of a matrix is a number; or ""."""
    if not isinstance(node, Binary) or node.operator not in _POWERS or not isinstance(node.left, Name):
        return ""
    name, whole = node.left.name, node.span.cut(made.text)
    if name in made.known or kinds.get(name) != KIND_NAMES[SCALAR]:
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
