"""The weakest assumption under which a wrong claim, or a simple edit of it, would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.checking.diagnosis.case import Case, Finding
from matcalc.checking.diagnosis.multiples import Multiple, multiple, ratio
from matcalc.checking.diagnosis.whole import diagonal_alone
from matcalc.checking.precise import lifted
from matcalc.checking.values import Turn, value
from matcalc.expression.nodes import Node
from matcalc.expression.property import PROPERTIES

_MOST_NAMES = 6
_SEED = 1
_NEXT_TO_NOTHING = 1e-3


@dataclass(frozen=True)
class Assumption:
    """What may be assumed of a name.

    Attributes:
        says: what a name is then, after "is" (``many``: after "are").
        takes: whether it says something of a name.
        make: a value that has it up to rounding, from a generic value and a generator.
        exact: a value that nearly has it to one that has it in the precision in force.
        advice: what to type, or "".
        has: whether a value drawn without the assumption happens to have it; None where that never happens.
    """

    says: str
    many: str
    takes: Callable[[Node, Case], bool]
    make: Callable[[Any, Any], Any]
    exact: Callable[[Any], Any] = lambda value: value
    advice: str = ""
    has: Callable[[Any], bool] | None = None


def _is_free_square(v: Node, case: Case) -> bool:
    return v.is_square and not v.is_scalar and not v.facts


def _is_free(v: Node, case: Case) -> bool:
    return not v.facts and not v.is_scalar


def _is_other(v: Node, case: Case) -> bool:
    return _is_free(v, case) and v.params[0] != case.question.name


def _is_other_scalar(v: Node, case: Case) -> bool:
    return v.is_scalar and v.params[0] != case.question.name


def _is_free_column(v: Node, case: Case) -> bool:
    return _is_free(v, case) and 1 in v.shape


def _sampled(name: str) -> Callable[[Any, Any], Any]:
    def make(generic: Any, rng: Any) -> Any:
        sample = PROPERTIES[name].sample
        assert sample is not None
        return sample(rng, *generic.shape)

    return make


def _summing(generic: Any, rng: Any) -> Any:
    """Entries of both signs whose sums keep away from zero."""
    return rng.uniform(0.6, 1.5, generic.shape) * rng.choice([-0.4, 1.0, 1.0], size=generic.shape)


def _adding_up(drawn: Any) -> Any:
    return drawn / (drawn.sum() if 1 in drawn.shape else drawn.sum(axis=1, keepdims=True))


def _of_length_one(drawn: Any) -> Any:
    import mpmath

    return drawn / mpmath.sqrt((drawn * drawn).sum())


def _orthogonal(drawn: Any) -> Any:
    exact = PROPERTIES["orthogonal"].exact
    assert exact is not None
    return exact(drawn)


def _away_from_zero(sizes: Any) -> Any:
    """Sizes as they are, but for those next to nothing: what is wrong at some values stays so where signs change."""
    largest = float(sizes.max()) or 1.0
    return sizes + (sizes < _NEXT_TO_NOTHING * largest) * 0.1 * largest


def _same(generic: Any, rng: Any) -> Any:
    return generic


def _eye(generic: Any, rng: Any) -> Any:
    import numpy as np

    return np.eye(len(generic))


SYMMETRIC = Assumption("symmetric", "symmetric", _is_free_square, lambda g, rng: (g + g.T) / 2)
ADDS_UP = Assumption("", "", _is_other, _summing, _adding_up)
NATURAL: tuple[Assumption, ...] = (
    SYMMETRIC,
    Assumption("positive", "positive", lambda v, case: not v.facts, lambda g, rng: _away_from_zero(abs(g)),
               has=lambda value: bool((value > 0).all())),
)  # fmt: skip
"""What people assume without a word."""
STRONGER: tuple[Assumption, ...] = (
    Assumption("of length one", "of length one", _is_free_column, _same, _of_length_one),
    Assumption("negative", "negative", lambda v, case: not v.facts, lambda g, rng: -_away_from_zero(abs(g)),
               has=lambda value: bool((value < 0).all())),
    Assumption("skew-symmetric", "skew-symmetric", _is_free_square, lambda g, rng: (g - g.T) / 2),
    Assumption("orthogonal", "orthogonal", _is_free_square, _sampled("orthogonal"), _orthogonal,
               "declare it orthogonal"),
    Assumption("positive definite", "positive definite", _is_free_square, _sampled("posdef"),
               advice="declare it posdef"),
)  # fmt: skip
LAST: tuple[Assumption, ...] = (
    Assumption("diagonal", "diagonal", _is_free_square, lambda g, rng: diagonal_alone(g), advice="declare it diagonal"),
    Assumption("lower triangular", "", _is_free_square, _sampled("lower")),
    Assumption("upper triangular", "", _is_free_square, _sampled("upper")),
    Assumption("1", "1", _is_other_scalar, lambda g, rng: g * 0 + 1),
    Assumption("the identity", "", _is_free_square, _eye),
    Assumption("all ones", "", _is_other, lambda g, rng: g * 0 + 1),
    Assumption("zero", "zero", lambda v, case: v.params[0] != case.question.name, lambda g, rng: g * 0),
)
"""Strong assumptions, looked at when nothing else was found."""


def natural(case: Case) -> Finding | None:
    """The weakest of the assumptions that people make without a word: symmetric, adding up to one, positive."""
    return _first(case, NATURAL)


def stronger(case: Case) -> Finding | None:
    """A set of which one says that a name is in it: of length one, orthogonal, positive definite."""
    return _first(case, STRONGER)


def strong(case: Case) -> Finding | None:
    """An assumption that takes much away: diagonal, the identity, zero."""
    return _first(case, LAST)


def symmetric(case: Case) -> str:
    """``right only if A is symmetric``, or ""; the smallest set of names."""
    return _of_names(case, SYMMETRIC)


def _first(case: Case, listed: Sequence[Assumption]) -> Finding | None:
    for assumption in listed:
        says = _of_names(case, assumption)
        if says:
            return Finding("condition", says)
        if assumption is SYMMETRIC:
            says = _adds_up(case)
            if says:
                return Finding("condition", says)
    return None


def names(case: Case, assumption: Assumption) -> list[str]:
    """The names of which something can be assumed."""
    return [v.params[0] for v in case.question.variables if assumption.takes(v, case)][:_MOST_NAMES]


def _of_names(case: Case, assumption: Assumption) -> str:
    found = names(case, assumption)
    for name in found:
        if right(case, assumption, [name]):
            return _says(assumption, [name])
    if len(found) < 2 or not assumption.many or not right(case, assumption, found):
        return ""
    for name in list(found):
        fewer = [n for n in found if n != name]
        found = fewer if right(case, assumption, fewer) else found
    return _says(assumption, found)


def _says(assumption: Assumption, chosen: Sequence[str]) -> str:
    advice = f": {assumption.advice}" if assumption.advice and len(chosen) == 1 else ""
    if len(chosen) == 1:
        return f"right only if {chosen[0]} is {assumption.says}{advice}"
    return f"right only if {', '.join(chosen[:-1])} and {chosen[-1]} are {assumption.many}"


def _adds_up(case: Case) -> str:
    """Names whose entries, or whose rows, add up to one; right of them, and not of twice them."""
    for name in names(case, ADDS_UP):
        if right(case, ADDS_UP, [name]) and not right(case, ADDS_UP, [name], times=2):
            return f"right only if {name} adds up to one: declare it simplex or onehot"
    return ""


def _values(
    case: Case, assumption: Assumption, chosen: Sequence[str], times: int = 1, missing: Node | None = None
) -> Iterator[Any]:
    """Claim, with a ``missing`` term added to it, and truth at each sight, with the assumption made of the names."""
    import numpy as np

    for k, sight in enumerate(case.sights):
        rng = np.random.Generator(np.random.PCG64([_SEED, k]))
        made = {n: assumption.make(v, rng) if n in chosen else v for n, v in sight.at.values.items()}
        exact = lifted(made, case.question.variables)
        exact.update({n: times * assumption.exact(exact[n]) for n in chosen})
        yield case.both_at(exact, sight.at.sizes, missing)


def right(
    case: Case, assumption: Assumption, chosen: Sequence[str], times: int = 1, missing: Node | None = None
) -> bool:
    """Whether claim and truth agree at every sight at which both are defined, of which there must be two.

    At least at one of them the truth must not be zero, or agreement says nothing. Where the claim fails with the
    assumption met, it is not what is lacking: 1/max(x, 0.001) fails for the logarithm near 0 alone.
    """
    if assumption.has is not None and any(
        not case.near(sight.claimed, sight.truth) and all(assumption.has(sight.at.values[name]) for name in chosen)
        for sight in case.sights
    ):
        return False
    seen = 0
    telling = False
    for both in _values(case, assumption, chosen, times, missing):
        if both is None:
            continue
        if not _equal(case, *both):
            return False
        seen += 1
        telling = telling or bool(abs(both[1]).max() > 0)
    return seen >= min(2, len(case.sights)) and telling


def _equal(case: Case, claimed: Any, truth: Any) -> bool:
    return case.near(claimed, truth) or (claimed.shape == truth.shape and abs(claimed - truth).max() == 0)


# ---------------------------------------------------------------------------------- a relation, under an assumption


def conditional(case: Case) -> Finding | None:
    """Whether sign or factor alone is wrong once a natural assumption is made."""
    return _conditional(case, (SYMMETRIC, ADDS_UP, *NATURAL[1:]))


def conditional_on_more(case: Case) -> Finding | None:
    """The same once a stronger one is made."""
    return _conditional(case, STRONGER)


def _conditional(case: Case, listed: Sequence[Assumption]) -> Finding | None:
    for assumption in listed:
        for name in names(case, assumption):
            found = _multiple(case, _values(case, assumption, [name]))
            if found is None or (found.text == "1" and not found.powers):  # it is off by less than its digits tell
                continue
            if assumption is ADDS_UP and _multiple(case, _values(case, assumption, [name], times=2)):
                continue
            says = f"{name} adds up to one" if assumption is ADDS_UP else f"{name} is {assumption.says}"
            if found.number == -1 and not found.powers:
                return Finding("sign", f"sign: the claim is minus the {case.what}, once {says}")
            return Finding("factor", f"factor: the claim is {found.text} times the {case.what}, once {says}")
    return None


def _multiple(case: Case, values: Iterator[Any]) -> Multiple | None:
    """The factor between claim and truth where it is one at every sight."""
    found = []
    for both in values:
        c = None if both is None else ratio(case, *both)
        if c is None:
            return None
        found.append(c)
    return multiple(case, found)


# -------------------------------------------------------------------------------------------------------- size one


def size_one(case: Case) -> Finding | None:
    """Whether the claim is right where a size is 1."""
    if case.claimed is None or case.truth is None:
        return None
    sizes = [n for n in case.sights[0].at.sizes if len({s.at.sizes[n] for s in case.sights}) > 1]
    for chosen in (*([n] for n in sizes), *([sizes] if len(sizes) > 1 else [])):
        if _right_at_one(case, chosen):
            shown = f"{chosen[0]} = 1" if len(chosen) == 1 else "all sizes are 1"
            return Finding("size one", f"right only for {shown}" if len(chosen) == 1 else f"right only where {shown}")
    return None


def _right_at_one(case: Case, ones: Sequence[str]) -> bool:
    import numpy as np

    telling = False
    for k, sight in enumerate(case.sights):
        sizes = {n: 1 if n in ones else s for n, s in sight.at.sizes.items()}
        rng = np.random.Generator(np.random.PCG64([_SEED, k, 1]))
        try:
            values: Mapping[str, Any] = {
                v.params[0]: value(v, rng, sizes, Turn(k, 0), case.question.expression) for v in case.question.variables
            }
            both = case.both_at(lifted(values, case.question.variables), sizes)
        except ValueError:  # a slice or a window has no room in a size of 1
            return False
        if both is None or not _equal(case, *both):
            return False
        telling = telling or bool(abs(both[1]).max() > 0)
    return telling
