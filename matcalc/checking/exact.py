"""The witness that computes exactly: value and derivative over a prime field, at random points.

A gradient G of f is right where ⟨G, D⟩ is the derivative of f along every D. Both sides are rational functions of the
entries and of D. The derivative is found by dual numbers (no rule of ours has a part in it), ⟨G, D⟩ by evaluating the
claim; two different functions agree at a random point with a probability that their degree bounds (Schwartz 1980,
Zippel 1979: a polynomial of total degree d that is not zero vanishes at a uniform point of GF(p)^k with probability at
most d/p).

What is claimed is the identity over the rational, and so over the real numbers, and not modulo p: p is a random prime.
A numerator whose coefficients have absolute values that sum to at most 2^b has a coefficient that is not zero; at most
b/126 primes above 2^126 divide it, of more than 2^118 primes below 2^127 that are 3 modulo 4: the sum θ of the
logarithms of those up to x is x/2 up to x/(160·log x) (Bennett, Martin, O'Bryant and Rechnitzer 2018, Explicit bounds
for primes in arithmetic progressions), so that there are at least x/177 between x and 2·x for x = 2^126.
:mod:`matcalc.checking.degrees` bounds d and b. Points at which a denominator vanishes or a root is missing are drawn
anew; a wrong claim passes only where one of all points drawn is a zero of a numerator, so that the bound is
tries·d/p + (b/126)/2^118. Prime and points are drawn from a hash of the question: a claim cannot be written to fit.

Square roots. In the field a root has no sign. Let s_1, …, s_k be the roots, each of an expression in those before it.
Where every radicand is seen to be a square at some points and none at others (at those where the roots before it are
there), none is a constant times a square in the field made so far, each root doubles the degree of that field, and all
choices of signs are conjugate: an identity holds for all of them or for none. Then a disagreement is a proof, and for
agreement the norm, of degree 2^k·d, takes the place of the numerator. Where that is not seen (sqrt(x^2), which is
|x|), nothing is said.

Logarithms, exponentials and the like have no value in a field. They are unknowns t with a known derivative (see
:mod:`matcalc.operators.exact_functions`), t a hash of the argument: what agrees for unknown t holds. Where it does not
agree, the claim is false if the unknowns are algebraically independent, as log(x) and log(y) are and log(x), log(y) and
log(x·y) are not. For that it is enough that their forms ω (dx/x and dy/y) are linearly independent; they are where
their values at random points are, which is seen by elimination. Where that is not seen, nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import log10
from typing import Any

from matcalc.checking.degrees import Bound, Degrees
from matcalc.checking.evidence import Evidence
from matcalc.checking.exact_values import drawn_values, exactly, residuals
from matcalc.checking.finite_field import BITS, Draws, Element, Field, NoRootError, drawn_prime, rank_modulo
from matcalc.checking.judgement import AGREED, allowance
from matcalc.checking.points import is_large, sizes_of
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.subspace import SUBSPACES
from matcalc.checking.testimony import Testimony
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.property import PROPERTIES, closure
from matcalc.language.printer import written

NAME = "exact"
ERROR = 1e-15
_TRIES = 96
_MOST_ZEROS = 3
_ALIKE = 16
_PRIMES = 118
_MOST_PARTS = 8
_ATTEMPTS = 16
_LONGEST = 60


@dataclass(frozen=True)
class Finding:
    """What was found at one choice of sizes.

    Attributes:
        agrees: whether the claim holds there; None where that cannot be told.
        why: the reason where it cannot.
        degree: a bound on the degree of what vanishes.
        error: a bound on the probability that a wrong claim passes.
        telling: whether a claim that holds there is likely to hold elsewhere: a size is above 1, or was asked for.
    """

    agrees: bool | None
    why: str = ""
    degree: int = 0
    error: float = 0.0
    telling: bool = True


def heard(evidence: Evidence) -> Testimony:
    """What the witness says in a hearing."""
    return exact_testimony(evidence.question, evidence.options)


def exact_testimony(question: Question, options: CheckOptions) -> Testimony:
    """Whether a claimed gradient holds, by arithmetic over random prime fields.

    >>> from matcalc.derivative import grad
    >>> from matcalc.verification import asked_about
    >>> exact_testimony(asked_about(grad("x'*A*x", "x")), CheckOptions()).agrees
    True
    """
    reason = inapplicable(question, options)
    if reason:
        return Testimony(NAME, None, reason)
    found: list[tuple[str, Finding]] = []
    for sizes in assignments(question, options):
        telling = max(sizes.values(), default=2) > 1 or sizes.keys() <= options.sizes.keys()
        finding = replace(finding_at(question, sizes, options.seed), telling=telling)
        found.append((_spoken(sizes), finding))
        if finding.agrees is False:
            if allowance(question) != AGREED:
                return Testimony(NAME, None, "disagrees, but has numbers of 16 decimals, which stand for others")
            where = f" of {found[-1][0]}" if sizes else ""
            return Testimony(NAME, False, f"is false over GF(p), p a {BITS}-bit prime, at a random point{where}")
    told = [(sizes, finding) for sizes, finding in found if finding.agrees]
    if not found:
        return Testimony(NAME, None, "no sizes fit the expression")
    if not any(finding.telling for _, finding in told):
        return Testimony(NAME, None, next((f.why for _, f in found if f.telling and f.why), "all sizes are 1"))
    return Testimony(NAME, True, _certificate(told), error=0.0, visible=0.0)


def _certificate(told: list[tuple[str, Finding]]) -> str:
    degree = max(finding.degree for _, finding in told)
    error = max(finding.error for _, finding in told)
    sizes = "; ".join(text for text, _ in told if text)
    where = f" of {sizes}" if sizes else ""
    return (
        f"holds over GF(p), p a random {BITS}-bit prime, at a random point{where}; degree at most {degree}: "
        f"a false claim passes with probability below {_power_of_ten(error)}"
    )


def _power_of_ten(error: float) -> str:
    return f"1e{int(log10(error)) if error else -99}"


def _spoken(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.items())


# ------------------------------------------------------------------------------------------ where it applies


def inapplicable(question: Question, options: CheckOptions) -> str:
    """Why the witness does not apply, or ""."""
    if not isinstance(question.claimed, Node):
        return "a function of tensors is not arithmetic in a field"
    for variable in question.variables:
        reason = _unlike_a_field(variable)
        if reason:
            return reason
    for node in postorder(question.expression, question.claimed):
        if node.operator.exact is None and node.op != "variable":
            return f"{node.op} is not exact{_place(node)}"
    return "the sizes are too large for exact arithmetic" if is_large(question, options) else ""


def _place(node: Node) -> str:
    text = written(node)
    return f": {text}" if len(text) < _LONGEST and text != node.op else ""


def _unlike_a_field(variable: Node) -> str:
    """Why no points can be drawn over a field that have what is declared of a name, or ""."""
    name = variable.params[0]
    for fact in sorted(variable.facts):
        record = PROPERTIES[fact]
        if record.parametrized is not None:
            if not closure(variable.params[2]) <= closure([fact]):
                return f"{name} is declared {fact} and more: no rational functions give all of those"
        elif not record.dense and fact not in SUBSPACES:
            return f"{name} is declared {fact}: no rational functions give all of those"
    return ""


def assignments(question: Question, options: CheckOptions) -> list[dict[str, int]]:
    """The sizes of the trials, each once."""
    seen: dict[tuple[tuple[str, int], ...], None] = {}
    for trial in range(options.trials):
        tried = (sizes_of(question, options, trial, attempt) for attempt in range(_ATTEMPTS))
        sizes = next((found for found in tried if found is not None), None)
        if sizes is not None:
            seen[tuple(sizes.items())] = None
    return [dict(key) for key in seen]


# ----------------------------------------------------------------------------------------------- one assignment


def finding_at(question: Question, sizes: Mapping[str, int], seed: int) -> Finding:
    """What is found at some sizes, in every component of what the names are declared to be."""
    counts = [_parts(variable) for variable in question.variables]
    choices = list(product(*(range(count) for count in counts)))
    if len(choices) > _MOST_PARTS:
        return Finding(None, "the names have too many components")
    key = repr((seed, question.expression.digest, getattr(question.claimed, "digest", b""), sorted(sizes.items())))
    findings = [_in_part(question, sizes, parts, f"{key}{parts}".encode()) for parts in choices]
    return min(findings, key=lambda finding: (finding.agrees is True, finding.agrees is None, -finding.error))


def _parts(variable: Node) -> int:
    return max((PROPERTIES[fact].parts for fact in variable.facts), default=1)


def _in_part(question: Question, sizes: Mapping[str, int], parts: tuple[int, ...], key: bytes) -> Finding:
    draws = Draws(key)
    p = drawn_prime(draws)
    seen: dict[int, list[bool]] = {}
    agreeing, against = False, None
    why, vanished = "a denominator vanishes at every point", 0
    for tries in range(1, _TRIES + 1):
        field = Field(p, draws)
        try:
            if all(map(_vanishes, residuals(question, sizes, parts, field))):
                agreeing = True
            else:
                against = field
        except NoRootError:
            why = "no point has all roots"
        except ZeroDivisionError:
            vanished += 1
            if vanished == _MOST_ZEROS:
                break
        except (TypeError, AttributeError, ValueError) as error:
            return Finding(None, f"not arithmetic in a field: {error}")
        for k, there in enumerate(field.roots.values()):
            seen.setdefault(k, []).append(there)
        if (agreeing or against) and all(len(set(classes)) > 1 for classes in seen.values()):
            if against:
                return _refuted(question, sizes, parts, against)
            return _certified(question, sizes, parts, tries, len(seen))
        if any(len(classes) >= _ALIKE and len(set(classes)) == 1 for classes in seen.values()):
            break
    if agreeing or against:
        why = "a root may be that of a square, and its sign is not known"
    return Finding(None, why)


def _certified(question: Question, sizes: Mapping[str, int], parts: tuple[int, ...], tries: int, roots: int) -> Finding:
    """A certificate. Two arguments that differ have one hash where they agree: that is counted for every pair."""
    degrees = Degrees()
    bounds = [b.value for b in residuals(question, sizes, parts, degrees) if isinstance(b, Bound)]
    degree = 2**roots * max((bound.degree for bound in bounds), default=0)
    bits = 2**roots * max((bound.bits for bound in bounds), default=0)
    taken = degrees.arguments
    pairs = 2**roots * len(taken) ** 2 * 4 * max((a.degree + a.degree_below for a in taken), default=0)
    error = Fraction(tries * (degree + pairs), 2 ** (BITS - 1)) + Fraction(bits, (BITS - 1) * 2**_PRIMES)
    if error > ERROR:
        return Finding(None, f"the degree, {degree} at most, is too large for a certificate")
    return Finding(True, "", degree, float(error))


def _refuted(question: Question, sizes: Mapping[str, int], parts: tuple[int, ...], field: Field) -> Finding:
    """A disagreement is a proof where the functions in it that are not rational are independent of one another."""
    if not field.forms:
        return Finding(False)
    names = " and ".join(dict.fromkeys(which.called for which, _ in field.forms))
    if any("integer" in variable.facts for variable in question.variables):  # cos(2*pi*n) is 1
        return Finding(
            None, f"it would not hold at numbers that are not whole, and {names} may be special at whole ones"
        )
    if _are_independent(question, sizes, parts, field):
        return Finding(False)
    return Finding(None, f"it would not hold for independent values of {names}, and these may be related")


def _are_independent(question: Question, sizes: Mapping[str, int], parts: tuple[int, ...], like: Field) -> bool:
    """Whether the forms are linearly independent at points where everything moves, and so over the rationals."""
    rows: list[list[int]] = []
    kinds = [which for which, _ in like.forms]
    wanted = len(kinds) + 1
    for _ in range(wanted * _TRIES):
        field = like.another()
        try:
            values = drawn_values(question, sizes, parts, field)
            for root in question.roots[:2]:
                exactly(root, values, sizes, field, freeze=False)
        except (NoRootError, ZeroDivisionError):
            continue
        if [which for which, _ in field.forms] != kinds:
            return False
        rows.append(list(field.forms.values()))
        if len(rows) == wanted:
            break
    for imaginary in (False, True):
        chosen = [k for k, which in enumerate(kinds) if which.imaginary is imaginary]
        if rank_modulo([[row[k] for k in chosen] for row in rows], like.p) < len(chosen):
            return False
    return True


def _vanishes(entry: Any) -> bool:
    return entry.is_zero() if isinstance(entry, Element) else entry == 0
