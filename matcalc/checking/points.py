"""Points to check at: built inside every name's domain and away from kinks, from the seed alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from matcalc.checking.precise import Remembered, evaluate, remembered
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.values import Turn, lacks, may_be_scaled, value
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES
from matcalc.expression.sizes import Size, as_integer

DIGITS = 90
"""As many as a claim is judged in: a value that is defined in fewer need not be in more, and none is computed twice."""
_MARGIN = 0.02
_KINK_MARGIN = 0.01
_NOISE = 1e-20
_TRIES = 48
_TRIES_ELSEWHERE = 6
_FACTORS = (1.0, 4.0, 16.0, 64.0, 0.1, 0.01)
_ENOUGH = 2
_LATE = 8
_HUGE = 1e60
_MOST_WORK = 60_000
_MOST_WORK_AT_CHOSEN_SIZES = 6_000
_MORE = (*range(10), 14, 20, 30, 50, 90)
_LADDER = (3, 4, 2, 5, 6, 7, 8, 9)


@dataclass(frozen=True)
class Point:
    """Sizes, and a float64 matrix for every name."""

    sizes: Mapping[str, int]
    values: Mapping[str, Any]

    def example(self, seed: int, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The point as a counterexample has it: the seed, the sizes, and the inputs of some names, or of all."""
        inputs = {name: self.values[name].tolist() for name in (self.values if names is None else names)}
        return {"seed": seed, "sizes": dict(self.sizes), "inputs": inputs}


def point(question: Question, options: CheckOptions, trial: int) -> Point | str:
    """The point of a trial, or the reason why none was found.

    Where none is inside the domain at the scale that was asked for, as of log(x'*x - 100), others are tried.
    """
    reason = "no sizes fit the expression"
    for number, factor in enumerate(_FACTORS):
        elsewhere = replace(options, scale=options.scale * factor)
        for attempt in range(_TRIES if factor == 1 else _TRIES_ELSEWHERE):
            at = drawn(question, elsewhere, trial, attempt)
            if at is None:
                continue
            why = trouble(question, at)
            if not why:
                return at
            reason = reason if number else why
    return reason


def of_ones(question: Question, options: CheckOptions) -> Point | None:
    """A point at which every size is 1; None where none is inside the domain, or the sizes were chosen."""
    ones = {name: 1 for name in size_names(question) if name not in options.sizes}
    at = point(question, replace(options, sizes={**options.sizes, **ones}), options.trials) if ones else None
    return at if isinstance(at, Point) else None


def where_claim_fails(question: Question, options: CheckOptions) -> list[Point]:
    """Points inside the domain, at sizes that a formula fits, where our derivation has a value and the formula none."""
    if not (isinstance(question.claimed, Node) and question.truth is not None):
        return []
    without = replace(question, claimed=question.truth)
    found = [at for number in range(options.trials) if isinstance(at := point(without, options, number), Point)]
    fails = all(_fits(question, at.sizes) and trouble(question, at) for at in found)
    return found if len(found) >= _ENOUGH and fails else []


def where_typed_claim_fails(question: Question, options: CheckOptions) -> str:
    """Why a part of a claim, as it was typed, is no real number at a point where the gradient has a value; or "".

    2*exp(log(x)) is read as 2*x, and has no value where x is negative.
    """
    if question.truth is None or not question.parts:
        return ""
    without = replace(question, claimed=question.truth)
    for number in range(options.trials):
        at = point(without, options, number)
        why = _unreal(question, at) if isinstance(at, Point) else ""
        if why:
            return why
    return ""


def _unreal(question: Question, at: Point) -> str:
    import mpmath

    with mpmath.workdps(DIGITS):
        known = remembered(at.values, question.variables, at.sizes, DIGITS)
        for node in _nodes(question.parts):
            fits = node.operator.fits
            if fits is not None and not fits(node, lambda size: as_integer(size, at.sizes)):
                return ""
            try:
                value = evaluate(node, known.exact, at.sizes, known.values)
            except (TypeError, ValueError, ZeroDivisionError, OverflowError):
                return f"{node.op} has no real value there"
            if any(isinstance(v, mpmath.mpc) for v in value.flat):
                return f"{node.op} has no real value there"
    return ""


def drawn(question: Question, options: CheckOptions, trial: int, attempt: int) -> Point | None:
    """Sizes and values, of which nobody has seen yet whether they lie inside the domain; None where no sizes fit."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([options.seed, trial, attempt]))
    sizes = sizes_of(question, options, trial, attempt)
    if sizes is None:
        return None
    turn = Turn(trial, attempt)
    values = {v.params[0]: value(v, rng, sizes, turn, question.expression) for v in question.variables}
    if options.scale != 1:
        scaled = {v.params[0] for v in question.variables if may_be_scaled(v)}
        values = {name: v * options.scale if name in scaled else v for name, v in values.items()}
    return Point(sizes, values)


# ------------------------------------------------------------------------------------------------------ sizes


def size_names(question: Question) -> list[str]:
    """The names of all sizes."""
    found: dict[str, None] = {}
    for node in (*question.variables, *_nodes(question.roots)):
        for size in (*node.shape, *node.params):
            if isinstance(size, Size):
                found.update(dict.fromkeys(sorted(size.names)))
    return list(found)


def sizes_of(question: Question, options: CheckOptions, trial: int, attempt: int) -> dict[str, int] | None:
    """Distinct sizes from 2 up; all 1 in the last of several trials, where that fits.

    A function is spared sizes of 1 where others fit: few are written for them, and many drop such axes.
    """
    names = size_names(question)
    last_resort = 0 if isinstance(question.claimed, Node) else _TRIES - 1
    all_one = trial == options.trials - 1 > 0 and attempt == last_resort
    turn = trial + attempt
    for more in _MORE:
        ladder = [s + more for s in _LADDER]
        chosen = {
            n: 1 if all_one else ladder[(k + turn) % min(len(ladder), max(len(names), 3))] for k, n in enumerate(names)
        }
        if len(names) > 1 and attempt % 2:
            chosen = dict(zip(names, sorted(chosen.values(), reverse=attempt % 4 == 1), strict=True))
        if attempt >= _LATE:
            chosen = _unlike_sizes(names, [options.seed, trial, attempt, more])
        chosen.update({n: s for n, s in options.sizes.items() if n in chosen})
        if _fits(question, chosen):
            return chosen
        if all_one:
            return None
    return None


def _unlike_sizes(names: list[str], seed: list[int]) -> dict[str, int]:
    """Sizes of which a few are much larger than the rest, as an input is than the kernels that pass over it."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(seed))
    return {name: 2 + int(rng.exponential(3)) for name in names}


def _fits(question: Question, sizes: Mapping[str, int]) -> bool:
    for shape in {node.shape: None for node in (*question.variables, *_nodes(question.roots))}:
        if any(as_integer(s, sizes) < 1 for s in shape):
            return False
    fitted = ((node, node.operator.fits) for node in _nodes(question.roots))
    return all(fits is None or fits(node, lambda size: as_integer(size, sizes)) for node, fits in fitted)


@lru_cache(maxsize=64)
def _nodes(roots: tuple[Node, ...]) -> tuple[Node, ...]:
    """Every node below several roots, once."""
    return tuple(postorder(*roots))


def is_large(question: Question, options: CheckOptions) -> bool:
    """Whether arithmetic in 90 digits would take too long: entries, times what each sums over, in one evaluation.

    At sizes that were chosen it is spared sooner: formulas are then judged in 90 digits at small sizes as well.
    """
    sizes = next((s for k in range(4) if (s := sizes_of(question, options, 0, k)) is not None), None)
    if sizes is None:
        return False
    work = 0
    for node in _nodes(question.roots):
        rows, cols = (as_integer(s, sizes) for s in node.shape)
        inner = max((as_integer(s, sizes) for arg in node.args for s in arg.shape if arg.is_square), default=1)
        entries = max([rows * cols, *(as_integer(a.rows, sizes) * as_integer(a.cols, sizes) for a in node.args)])
        cubic = node.operator.products(len(node.args))
        work += entries * (inner * cubic if cubic else 1)
    chosen = not options.sizes.keys().isdisjoint(size_names(question))
    return work > (_MOST_WORK_AT_CHOSEN_SIZES if chosen else _MOST_WORK)


def most_entries(question: Question, options: CheckOptions) -> int:
    """The entries of the largest matrix on the way, claim included."""
    sizes = next((s for k in range(4) if (s := sizes_of(question, options, 0, k)) is not None), None)
    if sizes is None:
        return 0
    shapes = (node.shape for node in _nodes(question.roots))
    return max((as_integer(rows, sizes) * as_integer(cols, sizes) for rows, cols in shapes), default=0)


# ---------------------------------------------------------------------------------------------------- domains


def trouble(question: Question, at: Point) -> str:
    """Why the point is no good, or ""."""
    import mpmath

    for variable in question.variables:
        lacking = lacks(variable, at.values[variable.params[0]])
        if lacking:
            return f"no value of {variable.params[0]} that is {lacking} and all else that is declared of it was found"
    with mpmath.workdps(DIGITS):
        known = remembered(at.values, question.variables, at.sizes, DIGITS)
        for root in question.roots:
            for node in _nodes((root,)):
                asked = (node, root is question.expression)
                if asked not in known.sound:
                    found = _trouble_of(*asked, known, at.sizes)
                    if found:
                        return found
                    known.sound.add(asked)
    return ""


def _trouble_of(node: Node, strict: bool, known: Remembered, sizes: Mapping[str, int]) -> str:
    import mpmath

    try:
        args = [evaluate(arg, known.exact, sizes, known.values) for arg in node.args]
        if found := _node_trouble(node, args, strict):  # first, as it costs less than a value
            return found
        value = evaluate(node, known.exact, sizes, known.values)
    except (ZeroDivisionError, ValueError, OverflowError) as error:
        return f"{node.op} is not defined there ({type(error).__name__})"
    except TypeError as error:
        if "mpc" not in str(error) and "complex" not in str(error):
            raise
        return f"{node.op} is not real there"
    if not all(mpmath.isfinite(v) and not isinstance(v, mpmath.mpc) and abs(v) < _HUGE for v in value.flat):
        return f"{node.op} is not finite and real there"
    return ""


def _node_trouble(node: Node, args: list[Any], strict: bool) -> str:
    for i, wanted in node.operator.domain.items():
        if (strict or wanted == "invertible") and not is_inside(wanted, args[i]):
            return f"the argument of {node.op} is not {wanted} there"
    if not strict:
        return ""
    for kink in node.operator.kinks:
        margin = _KINK_MARGIN * _scale(args[0]) if not kink.at else _KINK_MARGIN
        if any(0 < abs(v - kink.at) < margin for v in args[0].flat):
            return f"{node.op} is too close to its kink there"
    if node.operator.trouble is not None:
        return node.operator.trouble(node, args)
    if node.operator.ties is not None:
        margin = _KINK_MARGIN * max(_scale(arg) for arg in args)
        gap = min(abs(v) for v in node.operator.ties(node, args).flat)
        if gap < margin or not gap:
            return f"{node.op} is too close to a tie there"
    return ""


def _scale(value: Any) -> float:
    """What margins are measured by: the largest entry, and 1 at most, so that tiny inputs have room as well."""
    return min(1.0, float(abs(value).max())) if value.size else 1.0


def is_inside(wanted: str, value: Any) -> bool:
    """Whether a value has, with a margin, the property that an operator's domain asks for."""
    import numpy as np

    floats = value.astype(float)
    holds = PROPERTIES[wanted].holds
    if holds is not None:
        return holds(floats)
    if wanted == "invertible":
        singular = np.linalg.svd(floats, compute_uv=False)
        return bool(singular[-1] > max(1e-2 * singular[0], _NOISE))
    if wanted == "unit":
        return bool(np.abs(floats).max() < 1 - _MARGIN)
    if wanted == "nonzero":
        return bool(np.abs(floats).max() > _NOISE)
    if wanted == "positive":
        return bool(floats.min() > max(_MARGIN * _scale(floats), _NOISE))
    least = {"above_one": 1.0, "above_minus_one": -1.0}[wanted]
    return bool(floats.min() > least + _MARGIN)
