"""Checks of directional derivatives: of our own, and of what somebody claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matcalc.derivative import Derivative
from matcalc.directional_derivatives import directed, gradient_seen
from matcalc.errors import ParseError, UnsupportedError
from matcalc.expression.nodes import Node
from matcalc.language.inference import typed_claim
from matcalc.language.syntax import read
from matcalc.parsed import Expression
from matcalc.verification import options_from

if TYPE_CHECKING:
    from matcalc.checking.directional import Directional
    from matcalc.checking.question import CheckOptions
    from matcalc.checking.verdict import Report


def check_directional(
    f: Expression, wrt: str, claim: str | Callable[..., Any] | None, kind: str, *, direction: str = "", **options: Any
) -> Report:
    """Whether a claimed jvp, vjp or hvp (ours, where there is no claim) holds.

    Args:
        f: the expression.
        wrt: the name to differentiate by.
        claim: a text with the expression's names and the direction's; or, of a vjp or hvp, a function of tensors.
        kind: jvp, vjp or hvp.
        direction: a new name for the direction, or for the cotangent of a vjp.
        **options: as of :func:`matcalc.check`.

    Raises:
        ParseError: without a direction, and for a text without meaning.
        UnsupportedError: for a function as the claim of a jvp.

    >>> from matcalc.parsed import parse
    >>> check_directional(parse("x'*A*x"), "x", "2*A*v", "hvp", direction="v").verdict
    'refuted'
    """
    if not direction:
        raise ParseError(f"a {kind} needs a name for its direction", suggestion='direction="v"')
    derived = directed(f, wrt, kind, direction, unconstrained=bool(options.get("unconstrained")))
    if claim is None:
        return check_own_directional(derived, **options)
    if isinstance(claim, str):
        return _compared(derived, _read(derived, claim), options)
    if not callable(claim):
        raise ParseError(f"a claim is a text or a function, and not a {type(claim).__name__}")
    if kind == "jvp":
        why = "the check differentiates it by the direction, which takes a text"
        raise UnsupportedError("a function cannot be checked as a jvp", why=why)
    return _compared(derived, claim, options)


def _read(derived: Derivative, claim: str) -> Node:
    program = read(claim, derived.limits, names=frozenset(derived.variables))
    return typed_claim(program, derived.typed, derived.node.shape, derived.limits).node


def check_own_directional(derivative: Derivative, **options: Any) -> Report:
    """Our own derivation against the witnesses.

    >>> from matcalc.directional_derivatives import hvp
    >>> check_own_directional(hvp("x'*A*x", "x", "v")).verdict
    'verified'
    """
    from matcalc.checking.directional import questions
    from matcalc.checking.run import run_check
    from matcalc.checking.verdict import combined

    given = options_from(**options)
    return combined([run_check(question, given) for question in questions(_asked(derivative))])


def _asked(derivative: Derivative) -> Directional:
    from matcalc.checking.directional import Directional

    f, projected = derivative.expression, derivative.projected
    return Directional(
        derivative.kind, derivative.differentiated, derivative.wrt,
        tuple(v.node for v in derivative.typed.variables), derivative.node,
        gradient_seen(f, derivative.wrt, not projected) if derivative.kind == "hvp" else None,
        projected, f.text,
    )  # fmt: skip


def _compared(derived: Derivative, claimed: Node | Callable[..., Any], options: Mapping[str, Any]) -> Report:
    """Our own derivation first; then the claim in its place."""
    from matcalc.checking.directional import questions
    from matcalc.checking.run import run_check
    from matcalc.checking.verdict import combined

    given = options_from(**options)
    own = check_own_directional(derived, **options)
    if not own.ok:
        return replace(own, verdict="inconclusive", reason=own.reason or "our own derivation is not verified here")
    asked = _asked(derived)
    if isinstance(claimed, Node) and claimed.shape != derived.node.shape:
        return _refuted(asked, claimed, replace(own, testimonies=(), odd_one_out="the claim"), given)
    if derived.kind == "jvp":
        assert isinstance(claimed, Node), "a function is refused before"
        report = combined([run_check(each, given) for each in questions(replace(asked, result=claimed))[1:]])
    else:
        report = run_check(replace(questions(asked)[-1], claimed=claimed, truth=derived.node), given)
    if report.verdict == "refuted":
        return _refuted(asked, claimed, report, given)
    return replace(report, claimed=True)


def _refuted(asked: Directional, claimed: Node | Callable[..., Any], report: Report, options: CheckOptions) -> Report:
    """A report about the products themselves, not about the question that stood for them."""
    from matcalc.checking.diagnosis.table import diagnosis_of
    from matcalc.checking.directional import values_at_points
    from matcalc.checking.question import Question

    if not isinstance(claimed, Node):
        return replace(report, claimed=True)
    seen = values_at_points(asked, claimed, options)
    if not seen:
        return replace(report, claimed=True)
    at, pair = next(((at, p) for at, p in seen if not p.agrees), seen[0])
    example = {
        **at.example(options.seed, [v.params[0] for v in asked.variables]),
        "claimed": pair.claimed.tolist(),
        "expected": pair.truth.tolist(),
    }
    asks = Question(asked.expression, asked.name, asked.variables, claimed, asked.result, asked.projected, asked.text)
    said = diagnosis_of(asks, options, seen, what=asked.kind)
    return replace(
        report, verdict="refuted", claimed=True, counterexample=example, diagnosis=said.says, relation=said.relation,
        residual=said.residual,
    )  # fmt: skip
