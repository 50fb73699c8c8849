"""Checks from a caller's side: a derivation of ours, or a claim, against witnesses that do not depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matcalc.derivative import Derivative, grad, subspace_of
from matcalc.errors import CheckError, MatcalcError, ParseError, UnsupportedError
from matcalc.expression.nodes import Node
from matcalc.fitted_claims import fitted, is_special
from matcalc.jacobian_record import Jacobian
from matcalc.language.inference import typed_claim
from matcalc.language.shared_names import with_shared_names
from matcalc.language.syntax import read
from matcalc.limits import Limits
from matcalc.parsed import Expression, Let, parse
from matcalc.recorded_checks import asked_of, asked_of_derivative

_MOST_SCALE = 1e30

if TYPE_CHECKING:
    from matcalc.checking.question import Question
    from matcalc.checking.verdict import Report


_DIRECTED = ("jvp", "vjp", "hvp")
_ALONE: dict[str, Any] = {"witnesses": (), "at": (), "edges": False}
"""For a question beside the one that was asked: the witnesses that are always heard, at the points that are drawn."""


def check(
    f: Expression | str,
    wrt: str | Sequence[str] | None = None,
    claim: str | Callable[..., Any] | None = None,
    let: Let = None,
    kind: str = "grad",
    **options: Any,
) -> Report:
    """Whether a claimed derivative (ours, where there is no claim) holds, on evidence.

    Args:
        f: the expression, or its text.
        wrt: the name to differentiate by; of a Hessian, two names for the mixed block; of a Function, one name or
            several by which its backward is checked, and all of them where there is none.
        claim: a text in the language, read with the expression's names; a function of tensors by keyword; or a
            ``torch.autograd.Function``, whose forward is checked as well, and ``f`` may have any shape.
        let: declarations.
        kind: ``"grad"``, ``"jacobian"`` or ``"hessian"``; the claim is in numerator layout, of matrices in the
            Kronecker form of column-major vec, or a function that returns the tensor. Or ``"jvp"``, ``"vjp"`` or
            ``"hvp"`` with ``direction=``, a new name.
        **options: trials, seed, devices (functions are called on the first, and then on the others), dtypes, sizes,
            unconstrained; ``witnesses``, names of those to hear beside the two that always are, or ``"all"``; ``at``, a
            point (names to values) or several to check at as well, be it on a kink; ``edges``, to be told what happens
            at zero, at ties and at lower rank.

    Raises:
        MatcalcError: for a text without meaning.

    >>> check("x'*A*x", "x", claim="2*A*x").verdict
    'refuted'
    """
    expression = f if isinstance(f, Expression) else parse(f, let)
    if options.get("direction") and kind not in _DIRECTED:
        raise ParseError(f"kind={kind!r} has no direction", suggestion="kind='jvp', 'vjp' or 'hvp'")
    if isinstance(claim, str) and not claim.strip():
        raise ParseError("the claim is empty", why="it is a text in the names of the expression")
    read_as = claim
    if isinstance(claim, str):
        read_as = with_shared_names(claim, expression.text, frozenset(expression.variables), expression.limits)
    report = _asked(expression, wrt, read_as, kind, options)
    names = tuple(expression.variables) if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    given = options_from(**{name: value for name, value in options.items() if name != "direction"})
    asked = asked_of(
        expression, names, kind, given,
        claim=claim, direction=options.get("direction", ""), unconstrained=bool(options.get("unconstrained")),
    )  # fmt: skip
    return replace(_noted(report, expression), asked=asked)


def _noted(report: Report, expression: Expression) -> Report:
    """The report, with what is to be said of how the expression was read.

    Where that is hardly what was meant, nothing is verified: x - mean(x) of a number x is 0, and so is every claim.
    """
    report = replace(report, witnesses=(*report.witnesses, *(f"note: {note}" for note in expression.notes)))
    narrow = expression.typed.narrow
    if not narrow or report.verdict != "verified" or not report.claimed:
        return report
    return replace(report, verdict="inconclusive", reason=f"as the names were read the claim holds, but {narrow[0]}")


def _function_in(claim: object) -> Any | None:
    """The ``torch.autograd.Function`` that a claim is; None for all else."""
    if claim is None or isinstance(claim, str):
        return None
    from matcalc.checking.function_claim import function_in

    return function_in(claim)


def _asked(
    expression: Expression,
    wrt: str | Sequence[str] | None,
    claim: str | Callable[..., Any] | None,
    kind: str,
    options: Mapping[str, Any],
) -> Report:
    """The report on a Function, or on a text or function, which is called with the arrays that it is written for."""
    function = _function_in(claim)
    if function is not None:
        from matcalc.function_checks import check_autograd_function

        return check_autograd_function(expression, wrt, function, kind, **options)
    if wrt is None:
        first = next(iter(expression.variables), "x")
        raise ParseError("there is no name to differentiate by", suggestion=f"wrt={first!r}")
    if isinstance(claim, str) or not callable(claim):
        return _answered(expression, wrt, claim, kind, options)
    from matcalc.checking.devices import devices_for
    from matcalc.checking.foreign import foreign
    from matcalc.checking.placement import functions_on, home_among

    called = foreign(claim)
    with functions_on(home_among(devices_for(tuple(options.get("devices", ("cpu",)))))):
        return called.settled(_answered(expression, wrt, called, kind, options))


def _answered(
    expression: Expression,
    wrt: str | Sequence[str],
    claim: str | Callable[..., Any] | None,
    kind: str,
    options: Mapping[str, Any],
) -> Report:
    if kind in ("jacobian", "hessian"):
        from matcalc.jacobian_checks import check_tensor

        return check_tensor(expression, wrt, claim, kind, **options)
    if kind != "grad":
        return _directional(expression, wrt, claim, kind, options)
    if not isinstance(wrt, str):
        raise ParseError("a gradient is by one name", suggestion="kind='hessian' for a mixed block")
    derived = grad(expression, wrt, unconstrained=bool(options.get("unconstrained")))
    return _checked(derived, claim, **options)


def _directional(
    f: Expression,
    wrt: str | Sequence[str],
    claim: str | Callable[..., Any] | None,
    kind: str,
    options: Mapping[str, Any],
) -> Report:
    from matcalc.directional_checks import check_directional
    from matcalc.directional_derivatives import DIRECTED

    if kind not in DIRECTED:
        raise UnsupportedError(f"no kind {kind!r}", why=f"the kinds are grad, jacobian, hessian, {', '.join(DIRECTED)}")
    if not isinstance(wrt, str):
        raise ParseError(f"a {kind} is by one name")
    return check_directional(f, wrt, claim, kind, **options)


def check_derivative(derivative: Derivative, **options: Any) -> Report:
    """A derivation of ours against the witnesses.

    >>> from matcalc.directional_derivatives import hvp
    >>> check_derivative(hvp("x'*A*x", "x", "v")).verdict
    'verified'
    """
    report = _own(derivative, options)
    return replace(report, asked=asked_of_derivative(derivative, options_from(**options)))


def _own(derivative: Derivative, options: Mapping[str, Any]) -> Report:
    if derivative.kind == "grad":
        return _checked(derivative, None, **options)
    if isinstance(derivative, Jacobian):
        from matcalc.jacobian_checks import check_own

        return check_own(derivative, **options)
    from matcalc.directional_checks import check_own_directional

    return check_own_directional(derivative, **options)


def confirm_zero(derived: Derivative, trials: int = 2) -> None:
    """Evidence, without torch, for a gradient that is zero though the name occurs.

    Raises:
        CheckError: where there is none.
    """
    from matcalc.checking.judging import judged
    from matcalc.checking.points import Point, point
    from matcalc.expression import build

    if derived.kind != "grad" or not build.is_zero(derived.node) or not derived.differentiated.depends_on(derived.wrt):
        return
    question = asked_about(derived)
    for number in range(trials):
        at = point(question, options_from(), number)
        if not isinstance(at, Point) or not judged(question, at, number).holds:
            raise CheckError(f"the gradient comes out as zero though {derived.wrt} occurs, and nothing confirms it")


def asked_about(derived: Derivative) -> Question:
    """What a check asks about our own derivation."""
    from matcalc.checking.question import Question

    return Question(
        expression=derived.differentiated,
        name=derived.wrt,
        variables=tuple(v.node for v in derived.expression.typed.variables),
        claimed=derived.shown,
        projected=derived.projected,
        text=derived.expression.text,
    )


def _checked(derived: Derivative, claim: str | Callable[..., Any] | None, **options: Any) -> Report:
    from matcalc.checking.run import run_check

    claimed: Node | Callable[..., Any] = derived.shown
    note, special = "", False
    parts: tuple[Node, ...] = ()
    if isinstance(claim, str):
        whole = derived.expression
        derived, typed, note = fitted(derived, claim)
        special = is_special(whole, derived.expression)
        claimed, parts = typed.node, typed.parts
    elif callable(claim):
        claimed = claim
    elif claim is not None:
        raise ParseError(f"a claim is a text or a function, and not a {type(claim).__name__}")
    if claim is None:
        return _with_what_is_printed(derived, run_check(asked_about(derived), options_from(**options)), options)
    asked = replace(asked_about(derived), claimed=claimed, truth=derived.node, guide=derived.node, note=note)
    question = replace(asked, parts=parts, unlike=lambda: _otherwise(derived))
    report = run_check(question, options_from(**options))
    if special and report.verdict == "verified":
        return replace(report, verdict="inconclusive", reason=f"{note}: declare them, if they are meant")
    return report


def _otherwise(derived: Derivative) -> Node | None:
    """The gradient with the name's declared structure where it was left out, and without it where it was used."""
    if not subspace_of(derived.expression.typed_variable(derived.wrt)):
        return None
    try:
        other = grad(derived.expression, derived.wrt, unconstrained=bool(derived.projected))
    except MatcalcError:
        return None
    return None if other.projected == derived.projected else other.node


def _with_what_is_printed(derived: Derivative, report: Report, options: Mapping[str, Any]) -> Report:
    """The report, with the text read back and checked as well where it means another node than the one derived."""
    from matcalc.checking.run import run_check

    if not report.ok:
        return report
    expression = derived.expression
    try:
        program = read(derived.pretty(), expression.limits, names=frozenset(expression.variables))
        printed = typed_claim(program, expression.typed, derived.node.shape, expression.limits).node
    except MatcalcError as error:
        return replace(report, witnesses=(*report.witnesses, f"the text is not read back: {error.message}"))
    if printed is derived.shown:
        return report
    again = run_check(
        replace(asked_about(derived), claimed=printed), options_from(**{**options, "trials": 2, **_ALONE})
    )
    if again.verdict == "refuted":
        raise CheckError("what is printed is not what was derived: this is a bug in matcalc; please report it")
    said = () if again.ok else (f"the text itself could not be checked: {again.reason}",)
    return replace(report, witnesses=(*report.witnesses, *said))


def options_from(
    *,
    trials: int | None = None,
    seed: int = 0,
    devices: Iterable[str] = ("cpu",),
    dtypes: Iterable[str] = ("float64", "float32"),
    sizes: Mapping[str, int] | None = None,
    unconstrained: bool = False,  # for the derivation, which is made by now
    witnesses: Iterable[str] | None = None,
    at: Mapping[str, Any] | Iterable[Mapping[str, Any]] = (),
    edges: bool = False,
    scale: float = 1.0,
) -> Any:
    """The options of a check, as a record.

    Raises:
        ParseError: for trials, a seed, a size, a scale, a witness or a point that is none.
    """
    from matcalc.checking.question import CheckOptions
    from matcalc.checking.witnesses import chosen

    if sizes is not None and not isinstance(sizes, Mapping):
        raise ParseError("sizes are a mapping from names to numbers", why="as in sizes={'n': 5}")
    most = Limits().size
    for name, size in (sizes or {}).items():
        if type(size) is not int or not 1 <= size <= most:
            raise ParseError(f"{size!r} is no size for {name}", why=f"a size is a whole number from 1 to {most}")
    if type(seed) is not int or seed < 0:
        raise ParseError(f"{seed!r} is no seed", why="a seed is a whole number from 0 up")
    if trials is not None and (type(trials) is not int or trials < 1):
        raise ParseError(f"{trials!r} are no trials", why="a check needs at least one trial")
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < abs(scale) <= _MOST_SCALE:
        raise ParseError(f"{scale!r} is no scale", why="inputs are multiplied by it: a number such as 1e6, and not 0")
    given: dict[str, Any] = {} if trials is None else {"trials": trials}
    points = tuple(at) if isinstance(at, Iterable) and not isinstance(at, Mapping) else (at,)
    if not all(isinstance(point, Mapping) for point in points):
        raise ParseError(
            "a point is a mapping from names to values", why="as in at={'x': [1, 2, 3]}, or a list of such"
        )
    return CheckOptions(
        seed=seed, devices=tuple(devices), dtypes=tuple(dtypes), sizes=dict(sizes or {}), witnesses=chosen(witnesses),
        at=points, edges=edges, scale=float(scale), **given,
    )  # fmt: skip


def verify(
    fn: Callable[..., Any],
    claimed: Callable[..., Any],
    example_inputs: Any,
    wrt: int | None = None,
    *,
    trials: int = 5,
    seed: int = 0,
    kind: str = "",
) -> Report:
    """Any function of tensors (or of NumPy or JAX arrays) against a claimed derivative; no text needed.

    Args:
        fn: from the inputs to a tensor.
        claimed: of a function to a scalar, the gradient by ``example_inputs[wrt]``, from the same inputs; of any other
            the vjp, from the inputs and a cotangent; or a ``torch.autograd.Function``, which is to be ``fn``.
        example_inputs: the inputs. They are looked at as they lie in memory, and then others around them; where one
            lies on an accelerator, the functions are called there.
        wrt: by which of them: the first, or, for a Function, each for which it has a gradient, where nothing is said.
        trials: at how many places it is looked at.
        seed: decides them.
        kind: "grad", "vjp" or "jacobian", where it shall not be told from the value.

    Raises:
        CheckError: when either function fails, is random, or changes its inputs.
        ParseError: for trials and a seed that are none.
        UnsupportedError: for inputs and values that are no dense tensors of real numbers.

    >>> import torch
    >>> verify(lambda x: x @ x, lambda x: 2 * x, [torch.ones(3)]).verdict
    'verified'
    """
    import torch

    from matcalc.checking.placement import functions_on, home_of
    from matcalc.checking.verify import verify as run
    from matcalc.checking.verify_function import verify_function

    function = _function_in(claimed)
    with functions_on(home_of(example_inputs)), torch.enable_grad():
        if function is not None:
            return verify_function(fn, function, example_inputs, wrt, trials, seed)
        return run(fn, claimed, example_inputs, wrt or 0, trials, seed, kind)
