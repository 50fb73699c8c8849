"""SymPy as a witness: its own evaluation in high precision, and its own derivative.

The expression's SymPy image is evaluated on explicit matrices at small sizes, in 60 digits, and differenced; so is a
claim that is a text. Neither the lowering nor our reference arithmetic takes part. SymPy's ``diff`` is asked as well:
for matrices it is often wrong, a plain 0 in most cases, so its word is reported and decides nothing.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from matcalc.checking.evidence import Evidence, Seen
from matcalc.checking.judgement import FLOAT, allowance
from matcalc.checking.points import Point
from matcalc.checking.precise import lifted
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.checking.testimony import Testimony
from matcalc.checking.torch_side import without_frozen
from matcalc.checking.torch_witnesses import counted, directions
from matcalc.errors import MatcalcError, UnsupportedError
from matcalc.expression.image import sympy_image
from matcalc.expression.nodes import Node, interned, postorder
from matcalc.expression.sizes import Size, substitute_sizes
from matcalc.expression.walk import fold

T = TypeVar("T")

_DIGITS = 60
_STEP = 20
_VISIBLE = 1e-14
_NOISE = 1e-38  # of the largest value on the way over the name's length: 60 digits less the step's 20, and some
_MOST_NODES = 150
_MOST_NODES_FOR_DIFF = 30
_MOST_INPUTS = 120
_MOST_ENTRIES = 6
_DIRECTIONS = 3
_POINTS = 2
_CALLS = 6_000_000
_SHOWN = 80
_IMAGINARY = "1e-40"


class _SilentError(Exception):
    """SymPy has no answer, for a reason to be told."""


class _TooLong(BaseException):
    """SymPy has used up its budget."""


@contextlib.contextmanager
def _budget(calls: int) -> Iterator[None]:
    """Python calls that the body may make: SymPy can take minutes, and seconds are not the same on two machines."""
    before, left = sys.getprofile(), calls

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooLong

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


@dataclass(frozen=True)
class _Evaluation:
    """SymPy's values of a question's nodes where its names have values."""

    question: Question
    at: Point

    def image(self, node: Node) -> Any:
        """The SymPy expression with numbers for sizes."""
        return sympy_image(at_sizes(node, self.at.sizes))

    def inputs(self) -> dict[str, Any]:
        """The names' values as explicit SymPy matrices of the same numbers."""
        import mpmath
        import sympy

        with mpmath.workdps(_DIGITS):
            exact = lifted(self.at.values, self.question.variables)
        return {
            name: sympy.Matrix(*value.shape, [sympy.Float(v, _DIGITS) for v in value.flat])
            for name, value in exact.items()
        }

    def names(self, variables: Sequence[Node], values: Mapping[str, Any]) -> dict[Any, Any]:
        """What replaces each name in an image."""
        import sympy

        found = {}
        for v in variables:
            image, value = self.image(v), values[v.params[0]]
            found[image] = sympy.ImmutableMatrix(value) if hasattr(image, "shape") else value[0, 0]
        return found


def at_sizes(node: Node, sizes: Mapping[str, int]) -> Node:
    """The node with numbers for its size names.

    >>> from matcalc.expression import build
    >>> at_sizes(build.variable("x", (Size.named("n"), 1), "vector"), {"n": 3}).shape
    (3, 1)
    """

    def known(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(known, value))
        return substitute_sizes(value, sizes) if isinstance(value, Size) else value

    return fold(node, lambda n, args: interned(n.op, tuple(args), known(n.params), known(n.shape)), {})


def explicit(image: Any, names: Mapping[Any, Any]) -> Any:
    """A SymPy expression on explicit matrices, as a matrix of real numbers in 60 digits.

    Raises:
        ValueError: where SymPy leaves something that is no real number.
    """
    import sympy

    made = image.xreplace(names)
    made = made.doit() if hasattr(made, "doit") else made
    made = made.as_explicit() if hasattr(made, "as_explicit") else made
    made = made.tomatrix() if isinstance(made, sympy.NDimArray) else made
    matrix = made if isinstance(made, sympy.MatrixBase) else sympy.Matrix([[made]])
    return matrix.evalf(_DIGITS).applyfunc(_real)


def _real(value: Any) -> Any:
    import sympy

    real, imaginary = value.as_real_imag()
    if not (real.is_Number and imaginary.is_Number and real.is_finite):
        raise ValueError(f"SymPy leaves {_short(value)}")
    if abs(imaginary) > sympy.Float(_IMAGINARY) * (1 + abs(real)):
        raise ValueError(f"SymPy finds {_short(value)}, which is not real")
    return sympy.Float(real, _DIGITS)


# -------------------------------------------------------------------------------------------- its own evaluation


def sympy_testimony(evidence: Evidence) -> Testimony:
    """The claim, as SymPy evaluates it, against differences of the expression, as SymPy evaluates it."""
    errors, unanswered = [], ""
    try:
        for seen in _points(evidence, _MOST_NODES):
            try:
                errors.append(_guarded(_error, evidence, seen))
            except _SilentError as silent:
                if not seen.given:
                    raise
                unanswered = str(silent)
    except _SilentError as silent:
        return Testimony("sympy", None, str(silent))
    if not errors:
        return Testimony("sympy", None, unanswered)
    room = max(_VISIBLE, allowance(evidence.question)) if isinstance(evidence.question.claimed, Node) else FLOAT
    visible = room * _dilution(evidence)
    worst, trials = max(errors), counted(len(errors))
    against = sum(not error <= room for error in errors)
    what = f"SymPy's values in {_DIGITS} digits, differenced"
    if against:
        return Testimony("sympy", False, f"{what}, off by {worst:.1e} in {against} of {trials}", worst, visible)
    says = f"{what}, off by at most {worst:.1e} in {trials} (an error of {visible:.0e} would show)"
    return Testimony("sympy", True, says, worst, visible)


def _dilution(evidence: Evidence) -> float:
    """How much smaller an error in one entry looks along a direction, where entries are not looked at one by one."""
    most = max(seen.at.values[evidence.question.name].size for seen in _points(evidence, _MOST_NODES))
    return 1.0 if most <= _MOST_ENTRIES else 10.0 * most


def _points(evidence: Evidence, most_nodes: int) -> list[Seen]:
    """Those where SymPy is asked: a few of the usual ones, whose sizes are above 1, and all that somebody chose."""
    nodes = sum(1 for _ in postorder(*evidence.question.roots))
    if nodes > most_nodes:
        raise _SilentError(f"SymPy is not asked about {nodes} nodes")
    wide = [seen for seen in evidence.points if min(seen.at.sizes.values(), default=2) > 1]
    small = [seen for seen in wide if sum(value.size for value in seen.at.values.values()) <= _MOST_INPUTS]
    usual = [seen for seen in small if not seen.given][:_POINTS]
    found = [*usual, *(seen for seen in small if seen.given)]
    if not found:
        raise _SilentError("SymPy is asked at small sizes above 1 alone")
    return found


def _guarded(compute: Callable[..., T], *given: Any) -> T:
    """What is computed; whatever SymPy raises is its silence, with the first line of what it says."""
    try:
        with warnings.catch_warnings(), _budget(_CALLS):
            warnings.simplefilter("ignore")  # of SymPy's own parts, about one another
            return compute(*given)
    except _TooLong:
        raise _SilentError("it takes SymPy too long") from None
    except UnsupportedError as error:
        raise _SilentError(error.message) from error
    except (MatcalcError, _SilentError):
        raise
    except Exception as error:
        said = (str(error).splitlines() or [""])[0]
        raise _SilentError(f"SymPy does not evaluate it ({type(error).__name__}: {_short(said)})") from error


def _error(evidence: Evidence, seen: Seen) -> float:
    """How far the claim is from the differences, relative to the derivative's size."""
    question, x = evidence.question, seen.at.values[evidence.question.name]
    claimed = _claimed(question, seen)
    if claimed.shape != x.shape:
        return float("inf")
    along = _slopes(question, seen.at)
    noise = _NOISE * seen.largest / (float(abs(x).max()) or 1.0)
    if x.size <= _MOST_ENTRIES:
        truth = projected(question.projected, _gradient(along, x.shape))
        return _relative(
            max(abs(v) for v in (claimed - truth).flat), max(map(abs, (*claimed.flat, *truth.flat))), noise
        )
    worst = 0.0
    for direction in directions(evidence, seen, _DIRECTIONS, 83):
        found, said = along(direction), (claimed * direction).sum()
        size = max((abs(claimed) * abs(direction)).sum(), abs(found))
        worst = max(worst, _relative(abs(said - found), size, noise * float(abs(direction).sum())))
    return worst


def _relative(off: Any, size: Any, noise: float) -> float:
    if off and size * _VISIBLE <= noise:
        raise _SilentError("nothing but SymPy's rounding is left of the derivative there")
    return float(off / size) if size else 0.0


def _claimed(question: Question, seen: Seen) -> Any:
    """The claim as an array of SymPy numbers."""
    import numpy as np
    import sympy

    if not isinstance(question.claimed, Node):
        return np.vectorize(lambda v: sympy.Float(float(v), _DIGITS), otypes=[object])(seen.claimed)
    asked = _Evaluation(question, seen.at)
    names = asked.names(question.variables, asked.inputs())
    return np.array(explicit(asked.image(question.claimed), names).tolist(), dtype=object)


def _slopes(question: Question, at: Point) -> Callable[[Any], Any]:
    """The derivative along a direction, by a central difference; what is frozen keeps its value."""
    import sympy

    expression, still = without_frozen(question)
    asked = _Evaluation(question, at)
    values = asked.inputs()
    names = asked.names(question.variables, values)
    held = {v.params[0]: sympy.Matrix(explicit(asked.image(node), names)) for v, node in still.items()}
    image, variables = asked.image(expression), (*question.variables, *still)
    length = float(abs(at.values[question.name]).max()) or 1.0
    step = sympy.Float(f"1e-{_STEP}", _DIGITS) * sympy.Float(length, _DIGITS)

    def along(direction: Any) -> Any:
        moves = sympy.Matrix(*direction.shape, [sympy.Float(float(v), _DIGITS) for v in direction.flat])
        ends = [
            explicit(
                image, asked.names(variables, {**values, **held, question.name: values[question.name] + s * moves})
            )
            for s in (step, -step)
        ]
        return (ends[0][0, 0] - ends[1][0, 0]) / (2 * step)

    return along


def _gradient(along: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    import numpy as np

    made = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[index] = 1.0
        made[index] = along(unit)
    return made


def sympy_value(question: Question, at: Point) -> float | None:
    """SymPy's value of the expression; None where it has none."""
    asked = _Evaluation(question, at)
    try:
        found = _guarded(
            lambda: explicit(asked.image(question.expression), asked.names(question.variables, asked.inputs()))
        )
    except _SilentError:
        return None
    return float(found[0, 0])


# -------------------------------------------------------------------------------------------- its own derivative


def diff_testimony(evidence: Evidence) -> Testimony:
    """What SymPy's own derivative is, against the claim and against what the other witnesses find."""
    try:
        seen = _points(evidence, _MOST_NODES_FOR_DIFF)[0]
        printed, found = _guarded(_differentiated, evidence.question, seen.at)
    except _SilentError as silent:
        return Testimony("sympy-diff", None, str(silent))
    truth = seen.auto if seen.judgement is None else seen.judgement.truth
    error, contradicted = _apart(found, seen.claimed), not _apart(found, truth) <= FLOAT
    says = f"SymPy's diff gives {printed}" + (", which the other witnesses contradict" if contradicted else "")
    return Testimony("sympy-diff", bool(error <= FLOAT), says, error, FLOAT)


def _differentiated(question: Question, at: Point) -> tuple[str, Any]:
    import numpy as np

    if any(node.operator.frozen for node in postorder(question.expression)):
        raise _SilentError("SymPy has no word for what is held constant")
    asked = _Evaluation(question, at)
    derivative = _in_traces(asked.image(question.expression)).diff(asked.image(question.variable))
    value = explicit(derivative, asked.names(question.variables, asked.inputs()))
    return _short(derivative), projected(question.projected, np.array(value.tolist(), dtype=float))


def _in_traces(image: Any) -> Any:
    """The image with 1×1 products under a trace, which SymPy differentiates, and not as entries, where it gives 0."""
    from sympy import Trace
    from sympy.matrices.expressions.matexpr import MatrixElement

    return image.replace(lambda e: isinstance(e, MatrixElement) and e.parent.shape == (1, 1), lambda e: Trace(e.parent))


def _apart(a: Any, b: Any) -> float:
    if a.shape != b.shape:
        return float("inf")
    size = max(float(abs(a).max()), float(abs(b).max())) or 1.0
    return float(abs(a - b).max()) / size


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
