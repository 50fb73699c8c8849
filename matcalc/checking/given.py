"""Points that somebody chose, generic or not: on a kink, at a tie, of lower rank, at zero.

Where the function has a derivative there, the point counts as any other does. Where it has none (its slopes to either
side differ, or do not add up) there is nothing that a claim could be held against: what torch takes, and what the claim
or our code gives, is told and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from matcalc.checking.judging import judged
from matcalc.checking.points import Point, drawn, trouble
from matcalc.checking.precise import NO_VALUE, evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.subspace import projected
from matcalc.checking.torch_side import autograd, called, function_of, inputs_at, untold
from matcalc.checking.values import lacks
from matcalc.errors import CheckError, DomainError, ParseError, ShapeError
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize, Size, as_integer, substitute_sizes, written_shape
from matcalc.lowering.stable import at_kinks

_DIGITS = 90
_STEPS = ("1e-25", "1e-30")
_NOISE = "1e-55"
_UNDEFINED = (*NO_VALUE, TypeError)
_MOST_ENTRIES = 36
_LARGEST_SIZE = 4096
_TRIES = 8
_SAME = 1e-7
_ROUNDING = 1e-12
AGREEMENT = "and so does"
_SHOWN = 6


@dataclass(frozen=True)
class Edge:
    """What there is to say of a point without a derivative, or at which something is not defined."""

    at: Point
    says: str


def chosen_points(question: Question, options: CheckOptions) -> list[Point]:
    """The points that were given, the names and sizes that they leave open drawn as usual.

    Raises:
        ParseError: for a name that does not occur.
        ShapeError: for values whose shapes do not fit.
        DomainError: for a value that lacks what is declared of it.
    """
    return [_chosen(question, options, number, values) for number, values in enumerate(options.at)]


def _chosen(question: Question, options: CheckOptions, number: int, given: Mapping[str, Any]) -> Point:
    variables = {v.params[0]: v for v in question.variables}
    for name in given:
        if name not in variables:
            raise ParseError(f"there is no {name!r} to give a value", why=f"the names are {', '.join(variables)}")
    values: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for name, value in given.items():
        values[name] = _matrix(variables[name], value)
        _read_sizes(variables[name], values[name].shape, sizes)
    for name, value in values.items():
        _refuse_misfits(variables[name], value, sizes)
    at = _completed(question, replace(options, sizes={**options.sizes, **sizes}), number, values)
    if at is None:
        raise ShapeError("no sizes fit the expression and the given values")
    return at


def _completed(question: Question, options: CheckOptions, number: int, values: Mapping[str, Any]) -> Point | None:
    """The point with what is not given drawn: inside the domain, where that is found."""
    first = None
    for attempt in range(_TRIES):
        at = drawn(question, options, number, attempt)
        if at is None:
            continue
        at = Point(at.sizes, {**at.values, **values})
        first = first or at
        if len(values) == len(question.variables) or not trouble(question, at):
            return at
    return first


def _matrix(variable: Node, value: Any) -> Any:
    """A value as the float64 matrix that names have inside: a vector is a column.

    Raises:
        ParseError: for what is no array of real numbers.
        ShapeError: for more axes than two, and a row of numbers for what is no vector.
        DomainError: for what is not finite.
    """
    import numpy as np

    name, storage = variable.params[0], variable.params[1]
    try:
        plain = np.asarray(value)
        array = None if np.iscomplexobj(plain) else plain.astype(float)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ParseError(f"the value of {name} is no array of numbers", why=str(error)) from error
    if array is None:
        raise ParseError(f"the value of {name} is complex", why="names are real")
    if not np.isfinite(array).all():
        raise DomainError(f"the value of {name} is not finite")
    shape = "×".join(map(str, array.shape)) or "a number"
    misfit = ShapeError(f"the value of {name} is {shape}", why=f"{name} is {written_shape(variable.shape)}")
    if array.size == 0:
        raise misfit
    if storage == "scalar" and array.size == 1:
        return array.reshape(1, 1)
    if storage == "vector" and array.ndim == 1:
        return array.reshape(-1, 1)
    if array.ndim != 2:
        raise misfit
    return array


def _read_sizes(variable: Node, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    """The size names that a value's shape tells."""
    for size, number in zip(variable.shape, shape, strict=True):
        unknown = sorted(size.names - sizes.keys()) if isinstance(size, Size) else []
        if len(unknown) == 1:
            fits = (
                k for k in range(1, min(number, _LARGEST_SIZE) + 1) if _at(size, {**sizes, unknown[0]: k}) == number
            )
            found = next(fits, None)
            sizes |= {} if found is None else {unknown[0]: found}


def _at(size: AnySize, sizes: Mapping[str, int]) -> AnySize:
    return substitute_sizes(size, sizes)


def _refuse_misfits(variable: Node, value: Any, sizes: Mapping[str, int]) -> None:
    name = variable.params[0]
    for size, number in zip(variable.shape, value.shape, strict=True):
        known = _at(size, sizes)
        if isinstance(known, int) and known != number:
            shape = "×".join(map(str, value.shape))
            told = ", ".join(f"{n} = {s}" for n, s in sorted(sizes.items()))
            raise ShapeError(
                f"the value of {name} is {shape}",
                why=f"{name} is {written_shape(variable.shape)}" + (f", with {told}" if told else ""),
            )
    lacking = lacks(variable, value)
    if lacking:
        raise DomainError(f"the value of {name} is not {lacking}", why=f"{name} is declared {lacking}")


# ------------------------------------------------------------------------------------ whether there is a derivative


def looked_at(question: Question, at: Point) -> Question | Edge:
    """The question to ask at the point; or what is to be told of it, where there is no derivative.

    A claim that reference arithmetic cannot evaluate there (with an inverse that does not exist) is asked about by what
    its code gives, where that is right; our own derivation, where it has no value, is left out.
    """
    import mpmath

    with mpmath.workdps(_DIGITS):
        exact = lifted(at.values, question.variables)
        memo: dict[Node, Any] = {}
        try:
            _real(question.expression, exact, at.sizes, memo)
        except _UNDEFINED:
            return Edge(at, "the function is not defined there")
        try:
            smooth = _is_smooth(question, at, exact, memo)
        except _UNDEFINED:
            return Edge(at, f"the function is not defined on every side; {conventions(question, at)}")
        if not smooth:
            return Edge(at, f"a kink: the function has no derivative there; {conventions(question, at)}")
        if isinstance(question.claimed, Node) and not _has_value(question.claimed, exact, at.sizes):
            return _by_its_code(question, at)
        if question.truth is not None and not _has_value(question.truth, exact, at.sizes):
            return replace(question, truth=None)
    return question


def _has_value(root: Node, values: Mapping[str, Any], sizes: Mapping[str, int]) -> bool:
    try:
        _real(root, values, sizes, {})
    except _UNDEFINED:
        return False
    return True


def _real(root: Node, values: Mapping[str, Any], sizes: Mapping[str, int], memo: dict[Node, Any]) -> Any:
    """The value of ``root``.

    Raises:
        ValueError: where something on the way to it is no finite real number; and what evaluation raises.
    """
    import mpmath

    made = evaluate(root, values, sizes, memo)
    for value in memo.values():
        if not all(mpmath.isfinite(v) and not isinstance(v, mpmath.mpc) for v in value.flat):
            raise ValueError("no finite real number")
    return made


def _by_its_code(question: Question, at: Point) -> Question | Edge:
    import numpy as np
    import torch

    code = _as_code(question, at)
    if code is not None and np.isfinite(code).all():
        asked = replace(question, claimed=lambda **given: torch.tensor(code), truth=None)
        if judged(asked, at, 0).holds:
            return asked
    return Edge(at, f"the claim is not defined there; {conventions(question, at)}")


def _is_smooth(question: Question, at: Point, exact: Mapping[str, Any], memo: dict[Node, Any]) -> bool:
    """Whether slopes to either side meet along every direction, and add up, as those of a derivative do.

    At a smooth point what they lack shrinks with the step; at a kink it does not. The slopes themselves stay: those of
    sign(x) at 0 are the same to either side, and as large as the step is small.
    """
    import mpmath

    name, here = question.name, memo[question.expression][0, 0]
    still = {node: value for node, value in memo.items() if node.operator.frozen}
    length = abs(exact[name]).max() or mpmath.mpf(1)
    noise = mpmath.mpf(_NOISE) * max(abs(v).max() for v in memo.values()) / length

    def moved(direction: Any, t: Any) -> Any:
        values = {**exact, name: exact[name] + t * direction}
        return _real(question.expression, values, at.sizes, dict(still))[0, 0] - here

    def looked(step: Any) -> tuple[list[Any], list[Any]]:
        slopes = [(moved(d, step) / step, -moved(d, -step) / step) for d in along]
        whole = (moved(together, step) - moved(together, -step)) / (2 * step)
        lacking = [*(ahead - behind for ahead, behind in slopes), whole - sum(a + b for a, b in slopes) / 2]
        return lacking, [ahead for ahead, _ in slopes]

    along = _directions(question, exact[name].shape)
    together = sum(along, 0 * exact[name])
    coarse, fine = (looked(mpmath.mpf(step) * length) for step in _STEPS)
    meet = all(abs(f) <= abs(c) / 10 or abs(f) <= noise for c, f in zip(coarse[0], fine[0], strict=True))
    return meet and all(abs(f) <= 2 * abs(c) + noise for c, f in zip(coarse[1], fine[1], strict=True))


def _directions(question: Question, shape: tuple[int, ...]) -> list[Any]:
    """Every entry by itself within what was declared; random ones where there are many."""
    import mpmath
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(84))
    made = []
    for k in range(min(int(np.prod(shape)), _MOST_ENTRIES)):
        unit = np.zeros(shape)
        unit.flat[k] = 1.0
        drawn_ = unit * rng.uniform(0.5, 1.5) if np.prod(shape) <= _MOST_ENTRIES else rng.standard_normal(shape)
        direction = projected(question.projected, drawn_)
        if direction.any():
            made.append(np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])(direction))
    return made


# -------------------------------------------------------------------------------------- what is taken at a kink


def conventions(question: Question, at: Point) -> str:
    """What torch takes there, and what the claim gives as its code computes it."""
    import numpy as np

    torchs = autograd(question, at, "float64", "cpu")[0]
    said = _as_code(question, at)
    who = "our code" if question.truth is None and isinstance(question.claimed, Node) else "the claim"
    taken = f"torch takes {shown(torchs)}"
    if said is None:
        return f"{taken}, {who} fails"
    if said.shape == torchs.shape and np.isclose(said, torchs, rtol=_SAME, atol=_ROUNDING).all():
        return f"{taken}, {AGREEMENT} {who}"
    return f"{taken}, {who} gives {shown(said)}"


def _as_code(question: Question, at: Point) -> Any:
    claimed = question.claimed
    if not isinstance(claimed, Node):
        try:
            return called(question, at)
        except CheckError:
            return None
    node = at_kinks(claimed) if question.truth is None else claimed
    f = function_of(node, question.variables, "matrix", True, untold(question.variables, at))
    try:
        made = f(**inputs_at(question.variables, at, "float64", "cpu"))
    except RuntimeError:
        return None
    rows, cols = (as_integer(s, at.sizes) for s in node.shape)
    return made.detach().double().numpy().reshape(rows, cols)


def shown(matrix: Any) -> str:
    """A matrix in one line: its entries, the one number that all are, or the first few.

    >>> import numpy as np
    >>> shown(np.zeros((3, 1))), shown(np.array([[1.0], [0.5]]))
    ('0', '[1, 0.5]')
    """
    numbers = [f"{v + 0.0:.4g}" for v in matrix.flat]
    if len(set(numbers)) == 1:
        return numbers[0]
    rows = [numbers[k : k + matrix.shape[-1]] for k in range(0, len(numbers), matrix.shape[-1])]
    if matrix.shape[-1] == 1:
        return f"[{', '.join(numbers[:_SHOWN])}{', …' * (len(numbers) > _SHOWN)}]"
    return f"[{'; '.join(', '.join(row[:_SHOWN]) for row in rows[:_SHOWN])}{'; …' * (len(rows) > _SHOWN)}]"
