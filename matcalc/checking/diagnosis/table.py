"""The table of diagnoses, in the order in which they are tried, and the one that is said.

Each rule is tested at several points and sizes before it is said: a claim in words in 50 digits, to 1e-30; a function,
whose results are floats, to 1e-8. What comes first assumes least: the claim as a whole, then one factor, then a natural
assumption, then one place in the formulas, then other questions, and at last strong assumptions. To a factor that is
transposed the assumption under which it makes no difference is added. What a rule may compute is bounded, so that a
diagnosis takes about a second at most; where nothing is found, that is what is said.

>>> import matcalc as mc
>>> report = mc.check("f = 0.5*x'*A*x - b'*x; f*f", "x", claim="0.5*(A + A.T)*x - b")
>>> report.relation
'chain factor'
>>> report.diagnosis.split(": ")[1]
'the claim is the gradient of f where the function is f^2; it is off by the factor 2*f'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from matcalc.checking.diagnosis import conditions, edited, others, outer, terms, whole
from matcalc.checking.diagnosis.case import (
    DIGITS,
    WORK,
    Case,
    Finding,
    Pair,
    case_of,
    case_of_pairs,
    is_finite,
    shortened,
)
from matcalc.checking.points import Point
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.language.printer import written

NOTHING = "no simple relation found"
_LONGEST = 200
_AGREES = 1e-6
_MOST_WORK = 8 * WORK


@dataclass(frozen=True)
class Rule:
    """One relation that a claim can have to the truth.

    Attributes:
        name: what it is called.
        find: the finding about a case, or None.
        formulas: whether it needs our derivation as an expression.
        conditioned: whether the symmetry that makes no difference is added.
    """

    name: str
    find: Callable[[Case], Finding | None]
    formulas: bool = False
    conditioned: bool = False


RULES: tuple[Rule, ...] = (
    Rule("number of axes", whole.axis_missing),
    Rule("zero", whole.zero),
    Rule("sign or factor", whole.factor),
    Rule("transposed", whole.transposed, conditioned=True),
    Rule("precision", whole.precision),
    Rule("axes", whole.axes),
    Rule("layout", whole.layout),
    Rule("structure", others.structure, formulas=True),
    Rule("outer function", outer.outer_function, formulas=True),
    Rule("scalar factor", outer.scalar_factor),
    Rule("multiple of an inner gradient", outer.multiple_of_inner, formulas=True),
    Rule("transposed factor", edited.transposed_factor, formulas=True, conditioned=True),
    Rule("entry of a function", whole.entry_of_a_function),
    Rule("natural assumption", conditions.natural, formulas=True),
    Rule("branch", lambda case: Finding("branch", case.somewhere) if case.somewhere else None),
    Rule("extra constant", whole.constant),
    Rule("triangles and diagonal", whole.structured),
    Rule("terms", terms.coefficients, formulas=True),
    Rule("entrywise", edited.counterpart, formulas=True),
    Rule("swapped factors", edited.swapped, formulas=True),
    Rule("number", edited.number, formulas=True),
    Rule("function", others.itself, formulas=True),
    Rule("second derivative", others.second, formulas=True),
    Rule("other name", others.by_another_name, formulas=True),
    Rule("stronger assumption", conditions.stronger, formulas=True),
    Rule("chain factor", others.chain_factor, formulas=True),
    Rule("assumption and sign", conditions.conditional, formulas=True),
    Rule("one term", terms.one_term, formulas=True),
    Rule("missing factor", edited.dropped, formulas=True),
    Rule("terms, multiplied out", terms.many_coefficients, formulas=True),
    Rule("stronger assumption and factor", conditions.conditional_on_more, formulas=True),
    Rule("inner term", edited.inner_term, formulas=True),
    Rule("another function", edited.function, formulas=True),
    Rule("replaced part", edited.replaced, formulas=True),
    Rule("inserted factor", edited.inserted, formulas=True),
    Rule("another term", terms.exchanged, formulas=True),
    Rule("assumption and term", terms.assumed, formulas=True),
    Rule("strong assumption", conditions.strong, formulas=True),
    Rule("diagonal", whole.right_on_the_diagonal),
    Rule("size one", conditions.size_one, formulas=True),
    Rule("entries", whole.places),
    Rule("unknown factor", outer.unknown_factor),
    Rule("shape", whole.shape),
)


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a claim.

    Attributes:
        says: the sentence.
        relation: the relation's short name, or "".
        residual: claim minus truth as text, or "".
    """

    says: str = NOTHING
    relation: str = ""
    residual: str = ""


def diagnosed(case: Case) -> Diagnosis:
    """The first relation in the table that holds."""
    import mpmath

    with mpmath.workdps(DIGITS):
        total, left = _MOST_WORK, terms.residual(case)
        shown = "" if left is None else shortened(written(left), _LONGEST)
        for rule in RULES:
            if rule.formulas and case.truth is None:
                continue
            case.work.left = allowed = min(WORK, total)
            found = rule.find(case)
            total -= allowed - case.work.left
            if found is not None:
                more = conditions.symmetric(case) if rule.conditioned and case.truth is not None else ""
                return Diagnosis(f"{found.says}; {more}" if more else found.says, found.relation, shown)
    return Diagnosis(residual=shown)


def diagnosis_of(
    question: Question,
    options: CheckOptions,
    pairs: Sequence[tuple[Point, Pair]],
    somewhere: str = "",
    what: str = "gradient",
) -> Diagnosis:
    """The diagnosis of a refuted gradient: by formulas at the points and others, else by the arrays alone."""
    import mpmath

    if not all(is_finite(pair.claimed) for _, pair in pairs):
        return Diagnosis("the claim is not a finite number at some of the points", "not finite")
    with mpmath.workdps(DIGITS):
        case = None
        if isinstance(question.truth, Node):
            case = case_of(question, options, [at for at, _ in pairs], somewhere)
            case = case if case is not None and _is_the_truth(case, pairs) else None
        if case is None:
            case = case_of_pairs(replace(question, truth=None), pairs, somewhere=somewhere)
    return diagnosed(replace(case, what=what))


def diagnosis_at_small_sizes(question: Question, options: CheckOptions) -> Diagnosis | None:
    """The diagnosis by formulas alone, at points of its own; None where none is found."""
    import mpmath

    with mpmath.workdps(DIGITS):
        case = case_of(question, options, [])
    return None if case is None else diagnosed(case)


def diagnosis_of_arrays(pairs: Sequence[Pair], what: str = "gradient") -> Diagnosis:
    """The diagnosis where nothing is known but arrays, of a claim of ``what``."""
    if not all(is_finite(pair.claimed) for pair in pairs):
        return Diagnosis("the claim is not a finite number at some of the points", "not finite")
    unknown = build.variable("f", (1, 1), "scalar")
    question = Question(unknown, "f", (), claimed=lambda: None)
    return diagnosed(replace(case_of_pairs(question, [(Point({}, {}), pair) for pair in pairs]), what=what))


def _is_the_truth(case: Case, pairs: Sequence[tuple[Point, Pair]]) -> bool:
    """Whether our derivation is what the differences found: only then may a diagnosis rest on it."""
    truths = {id(at): pair.truth for at, pair in pairs}
    for sight in case.sights:
        found, ours = truths.get(id(sight.at)), sight.truth.astype(float)
        if found is not None and (found.shape != ours.shape or abs(found - ours).max() > _AGREES * abs(found).max()):
            return False
    return True
