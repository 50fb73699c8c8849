"""Points to check at: built inside every name's domain and away from kinks, from the seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.subspace import projected
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES
from matcalc.expression.sizes import Size, as_integer

_MARGIN = 0.02
_KINK_MARGIN = 0.01
_TRIES = 48
_LATE = 8
_HUGE = 1e60
_MOST_WORK = 60_000
_SUBSPACES = ("symmetric", "skew", "diagonal", "lower", "upper")
_LADDER = (3, 4, 2, 5, 6, 7, 8, 9)


@dataclass(frozen=True)
class Point:
    """Sizes, and a float64 matrix for every name."""

    sizes: Mapping[str, int]
    values: Mapping[str, Any]


def point(question: Question, options: CheckOptions, trial: int) -> Point | str:
    """The point of a trial, or the reason why none was found."""
    reason = "no sizes fit the expression"
    for attempt in range(_TRIES):
        at = drawn(question, options, trial, attempt)
        if at is None:
            continue
        trouble = _trouble(question, at.values, at.sizes)
        if not trouble:
            return at
        reason = trouble
    return reason


def drawn(question: Question, options: CheckOptions, trial: int, attempt: int) -> Point | None:
    """Sizes and values, of which nobody has seen yet whether they lie inside the domain; None where no sizes fit."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([options.seed, trial, attempt]))
    sizes = _sizes(question, options, trial, attempt)
    if sizes is None:
        return None
    return Point(sizes, {v.params[0]: _value(v, rng, sizes, (trial, attempt), question) for v in question.variables})


# ------------------------------------------------------------------------------------------------------ sizes


def _size_names(question: Question) -> list[str]:
    found: dict[str, None] = {}
    for node in (*question.variables, *(n for root in question.roots for n in postorder(root))):
        for size in (*node.shape, *node.params):
            if isinstance(size, Size):
                found.update(dict.fromkeys(sorted(size.names)))
    return list(found)


def _sizes(question: Question, options: CheckOptions, trial: int, attempt: int) -> dict[str, int] | None:
    """Distinct sizes from 2 up; all 1 in the last of several trials, where that fits."""
    names = _size_names(question)
    all_one = trial == options.trials - 1 > 0 and attempt == 0
    turn = trial + attempt
    for more in range(10):
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
    for root in (*question.variables, *question.roots):
        for node in postorder(root):
            if any(as_integer(s, sizes) < 1 for s in node.shape):
                return False
            fits = node.operator.fits
            if fits is not None and not fits(node, lambda size: as_integer(size, sizes)):
                return False
    return True


def is_large(question: Question, options: CheckOptions) -> bool:
    """Whether arithmetic in 90 digits would take too long: entries, times what each sums over, in one evaluation."""
    sizes = next((s for k in range(4) if (s := _sizes(question, options, 0, k)) is not None), None)
    if sizes is None:
        return False
    work = 0
    for node in {node: None for root in question.roots for node in postorder(root)}:
        rows, cols = (as_integer(s, sizes) for s in node.shape)
        inner = max((as_integer(s, sizes) for arg in node.args for s in arg.shape if arg.is_square), default=1)
        entries = max([rows * cols, *(as_integer(a.rows, sizes) * as_integer(a.cols, sizes) for a in node.args)])
        cubic = node.operator.cubic
        work += entries * (inner * cubic if cubic else 1)
    return work > _MOST_WORK


# ----------------------------------------------------------------------------------------------------- values


def _normal(rng: Any, m: int, n: int) -> Any:
    return rng.standard_normal((m, n))


def _conditioned(rng: Any, m: int, n: int) -> Any:
    import numpy as np

    if m == n and m > 1:
        return 1.4 * np.eye(n) + 0.6 * rng.standard_normal((n, n)) / n**0.5
    return rng.standard_normal((m, n))


def _like_posdef(rng: Any, m: int, n: int) -> Any:
    if m == n and m > 1:
        return PROPERTIES["posdef"].sample(rng, m, n) + 0.1 * rng.standard_normal((m, n))  # type: ignore[misc]
    return rng.uniform(0.4, 1.8, (m, n))


_REGIMES: tuple[Callable[[Any, int, int], Any], ...] = (
    _normal,
    _conditioned,
    lambda rng, m, n: rng.uniform(0.4, 1.8, (m, n)),
    _like_posdef,
    lambda rng, m, n: 0.3 * rng.standard_normal((m, n)),
    lambda rng, m, n: rng.uniform(0.1, 0.9, (m, n)) / max(m, n),
    lambda rng, m, n: rng.uniform(1.2, 3.0, (m, n)),
    lambda rng, m, n: -rng.uniform(0.2, 1.2, (m, n)),
)


def _value(variable: Node, rng: Any, sizes: Mapping[str, int], turn: tuple[int, int], question: Question) -> Any:
    rows, cols = (as_integer(s, sizes) for s in variable.shape)
    for wanted in _samplers(variable, question):
        sampler = PROPERTIES[wanted].sample
        if sampler is not None:
            made = _both_signs(wanted, _sampled(sampler, rng, rows, cols, variable), variable, rng, turn)
            for name in sorted(variable.facts):
                made = projected(name, made) if name in _SUBSPACES else made
            return made
    attempt = turn[1]
    regime = attempt if attempt < len(_REGIMES) else int(rng.integers(len(_REGIMES)))
    return _REGIMES[regime](rng, rows, cols)


def _sampled(sampler: Any, rng: Any, rows: int, cols: int, variable: Node) -> Any:
    """A matrix that has one column at these sizes is still a matrix: its property holds in each row."""
    import numpy as np

    if cols == 1 != variable.cols and rows > 1:
        return np.vstack([sampler(rng, 1, 1) for _ in range(rows)])
    return sampler(rng, rows, cols)


def _both_signs(wanted: str, made: Any, variable: Node, rng: Any, turn: tuple[int, int]) -> Any:
    """A determinant of either sign, and an argument in (-1, 1) where only an operator asks for it."""
    trial, attempt = turn
    if attempt % 2:
        return made
    if wanted == "invertible" and trial % 2:
        made[0] = -made[0]
    if wanted == "unit" and not variable.params[2]:
        made = made * rng.choice([-1.0, 1.0], size=made.shape)
    return made


def _samplers(variable: Node, question: Question) -> Iterator[str]:
    """Declared properties, the narrowest first; then what an operator demands of the name itself."""
    declared = list(variable.params[2])
    yield from sorted(declared, key=lambda name: (name in _SUBSPACES, -len(PROPERTIES[name].implies)))
    if declared:
        return
    for node in postorder(question.expression):
        for i, wanted in node.operator.domain.items():
            if node.args[i] is variable and wanted != "nonzero":
                yield wanted


# ---------------------------------------------------------------------------------------------------- domains


def _trouble(question: Question, values: Mapping[str, Any], sizes: Mapping[str, int]) -> str:
    """Why the point is no good, or ""."""
    import mpmath

    memo: dict[Node, Any] = {}
    with mpmath.workdps(20):
        lifted_values = lifted(values, question.variables)
        for root in question.roots:
            for node in postorder(root):
                try:
                    value = evaluate(node, lifted_values, sizes, memo)
                except (ZeroDivisionError, ValueError, OverflowError) as error:
                    return f"{node.op} is not defined there ({type(error).__name__})"
                except TypeError as error:
                    if "mpc" not in str(error) and "complex" not in str(error):
                        raise
                    return f"{node.op} is not real there"
                if not all(mpmath.isfinite(v) and not isinstance(v, mpmath.mpc) and abs(v) < _HUGE for v in value.flat):
                    return f"{node.op} is not finite and real there"
                trouble = _node_trouble(node, [memo[arg] for arg in node.args], root is question.expression)
                if trouble:
                    return trouble
    return ""


def _node_trouble(node: Node, args: list[Any], strict: bool) -> str:
    for i, wanted in node.operator.domain.items():
        if (strict or wanted == "invertible") and not _holds(wanted, args[i]):
            return f"the argument of {node.op} is not {wanted} there"
    if not strict:
        return ""
    for kink in node.operator.kinks:
        if any(0 < abs(v - kink.at) < _KINK_MARGIN for v in args[0].flat):
            return f"{node.op} is too close to its kink there"
    if node.operator.trouble is not None:
        return node.operator.trouble(node, args)
    if node.operator.ties is not None and min(abs(v) for v in node.operator.ties(node, args).flat) < _KINK_MARGIN:
        return f"{node.op} is too close to a tie there"
    return ""


def _holds(wanted: str, value: Any) -> bool:
    import numpy as np

    floats = value.astype(float)
    holds = PROPERTIES[wanted].holds
    if holds is not None:
        return holds(floats)
    if wanted == "invertible":
        singular = np.linalg.svd(floats, compute_uv=False)
        return bool(singular[-1] > 1e-2 * singular[0] and singular[-1] > 1e-3)
    if wanted == "unit":
        return bool(np.abs(floats).max() < 1 - _MARGIN)
    if wanted == "nonzero":
        return bool(np.abs(floats).max() > 5 * _MARGIN)
    least = {"positive": 0.0, "above_one": 1.0, "above_minus_one": -1.0}[wanted]
    return bool(floats.min() > least + _MARGIN)
