"""Checks of Jacobians and Hessians: of our own derivations, and of what somebody claims."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matcalc.derivative import grad
from matcalc.errors import MatcalcError, ParseError, ShapeError
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize, Shape, substitute_sizes
from matcalc.fitted_claims import is_special, told_by_numbers
from matcalc.jacobian_record import Jacobian
from matcalc.jacobians import tensor
from matcalc.language.inference import Typed, typed_claim
from matcalc.language.syntax import read
from matcalc.parsed import Expression, Variable, parse
from matcalc.verification import check_derivative, options_from

if TYPE_CHECKING:
    from matcalc.checking.tensors import Linearised
    from matcalc.checking.verdict import Report


_LARGEST = 12
_MOST_SIZES = 200
_MOST_LISTED = 20_000
_ONLY_FOR = "right only for"
_MOST_FITS = 6


def check_tensor(
    f: Expression, wrt: str | Sequence[str], claim: str | Callable[..., Any] | None, kind: str, **options: Any
) -> Report:
    """Whether a claimed Jacobian or Hessian (ours, where there is no claim) holds.

    Raises:
        MatcalcError: for what cannot be derived, and a claim that is neither a function nor a text with a meaning.

    >>> from matcalc.parsed import parse
    >>> check_tensor(parse("tanh(W*x)"), "x", "diag(1 - tanh(W*x).^2)*W", "jacobian").verdict
    'verified'
    """
    derived = _derived(f, wrt, kind, bool(options.get("unconstrained")))
    if claim is None:
        return check_own(derived, **options)
    if not isinstance(claim, str) and not callable(claim):
        raise ParseError(f"a claim is a text or a function, and not a {type(claim).__name__}")
    report = _claimed(derived, claim, options)
    if report.verdict == "refuted" and derived.onto:
        freely = {**options, "unconstrained": True}
        other = _claimed(_derived(f, wrt, kind, unconstrained=True), claim, freely)
        return replace(report, diagnosis=_of_the_structure(derived), relation="structure") if other.ok else report
    return report


def _claimed(derived: Jacobian, claim: str | Callable[..., Any], options: Mapping[str, Any]) -> Report:
    return _check_text(derived, claim, options) if isinstance(claim, str) else _compared(derived, claim, options)


def _of_the_structure(derived: Jacobian) -> str:
    what = derived.kind.capitalize()
    return f"structure: right with --unconstrained: the {what} as if {derived.wrt} were not declared {derived.onto}"


def _derived(f: Expression, wrt: str | Sequence[str], kind: str, unconstrained: bool) -> Jacobian:
    found = tensor(f, (wrt,) if isinstance(wrt, str) else tuple(wrt), kind, unconstrained=unconstrained)
    assert isinstance(found, Jacobian)
    return found


def check_own(derived: Jacobian, **options: Any) -> Report:
    """Our own derivation against the witnesses: of a Hessian the gradient first, then its Jacobian.

    >>> from matcalc.jacobians import hessian
    >>> check_own(hessian("x'*A*x", "x")).verdict
    'verified'
    """
    from matcalc.checking.run import run_check
    from matcalc.checking.tensors import question, with_torch
    from matcalc.checking.verdict import combined

    given = options_from(**options)
    asked = linearised(derived)
    reports = [run_check(question(asked), given)]
    scalar = None
    if derived.kind == "hessian":
        first = derived.others[0] if derived.others else derived.wrt
        gradient = grad(derived.expression, first, unconstrained=not derived.projected)
        reports.insert(0, check_derivative(gradient, **options))
        scalar = derived.expression.node if not (derived.others or derived.projected or derived.freed) else None
    elif isinstance(derived.expression, Jacobian):
        reports.insert(0, check_own(derived.expression, **options))
    printed = _printed(derived)
    if printed is not None and printed is not asked.matrix:
        reports.append(run_check(question(asked, printed), given))
    whole = combined(reports)
    even = derived.kind == "hessian" and not derived.others
    return with_torch(asked, whole, given, derived.compile("torch", sizes=given.sizes), scalar, symmetric=even)


def linearised(derived: Jacobian) -> Linearised:
    """What the checks ask about a Jacobian."""
    from matcalc.checking.tensors import Linearised

    return Linearised(
        derived.seen, derived.wrt, tuple(v.node for v in derived.typed.variables), derived.linear, derived.direction,
        derived.vectorised, derived.rows, derived.cols, derived.onto, derived.expression.text,
        derived.expression._storage if isinstance(derived.expression, Jacobian) else "",
    )  # fmt: skip


def _printed(derived: Jacobian) -> Node | None:
    """What is printed, read back as ∂vec(F)/∂vec(X)'."""
    if not derived.closed:
        return None
    plain = derived.in_layout("numerator")
    claimed = _read(plain, plain.pretty())
    return None if claimed is None else plain.vectorised_from(claimed.node)


# ------------------------------------------------------------------------------------------------------- claims


def _check_text(derived: Jacobian, claim: str, options: Mapping[str, Any]) -> Report:
    """A claim as text; where it has not the shape, but at some sizes, another look at what it may be."""
    found = _read(derived, claim) or _read(derived, claim, turned=True)
    report = _compared(derived, found.node, options) if found else _at_its_sizes(derived, claim, options)
    if report.verdict != "refuted" or (found and not (report.diagnosis or "").startswith(_ONLY_FOR)):
        return report
    says = _of_the_gradient(derived, claim, options) or _of_the_diagonal(derived, claim, options) or report.diagnosis
    return replace(report, diagnosis=says)


def _at_its_sizes(derived: Jacobian, claim: str, options: Mapping[str, Any]) -> Report:
    reports = []
    for again, node in itertools.islice(_fits(derived, claim), _MOST_FITS):
        report = _compared(again, node, options)
        said = ", ".join(f"{v.name}: {v.declaration}" for v in again.variables.values())
        reports.append(replace(report, witnesses=(*report.witnesses, f"the claim is read with {said}, where it fits")))
        if ones := _ones(derived.whole, again):
            reports[-1] = _of_one(reports[-1], derived, ones)
        if report.verdict == "verified":
            return _unless_special(reports[-1], derived.whole, again)
    if reports:
        return reports[0]
    f = derived.whole
    program = read(claim, f.limits, names=frozenset(f.variables))
    return _compared(derived, typed_claim(program, f.typed, derived.tensor.shape, f.limits).node, options)


def _unless_special(report: Report, whole: Expression, again: Jacobian) -> Report:
    """The report; nothing is verified of sizes that are equal, where the expression tells them apart."""
    if report.verdict != "verified" or not is_special(whole, again):
        return report
    fits = ", ".join(f"{name}: {v.declaration}" for name, v in again.variables.items() if v != whole.variables[name])
    reason = f"the claim's shapes fit only with {fits}: declare them, if they are meant"
    return replace(report, verdict="inconclusive", reason=reason)


def _ones(whole: Expression, again: Jacobian) -> str:
    """Which sizes are 1 that nobody said were, as "n = 1"; or ""."""
    sizes = {
        str(size): found
        for name, v in whole.variables.items()
        for size, found in zip(v.shape, again.variables[name].shape, strict=True)
    }
    return " and ".join(f"{name} = 1" for name, found in sizes.items() if found == 1 and name != "1")


def _of_one(report: Report, derived: Jacobian, ones: str) -> Report:
    """The report on a claim that fits only where a size is 1: it does not hold."""
    if report.verdict == "verified":
        return replace(report, verdict="refuted", diagnosis=f"{_ONLY_FOR} {ones}")
    if report.verdict == "refuted":
        what = derived.kind.capitalize()
        return replace(report, diagnosis=f"the claim has the {what}'s shape for {ones} alone, and is wrong there too")
    return report


def _of_the_gradient(derived: Jacobian, claim: str, options: Mapping[str, Any]) -> str:
    """That what is claimed for a Hessian is the gradient; or ""."""
    from matcalc.verification import check

    f = derived.expression
    if derived.kind != "hessian" or not isinstance(f, Expression):
        return ""
    first = derived.others[0] if derived.others else derived.wrt
    try:
        report = check(f, first, claim=claim, **options)
    except MatcalcError:
        return ""
    return f"the claim is the gradient by {first}, not the Hessian" if report.verdict == "verified" else ""


def _of_the_diagonal(derived: Jacobian, claim: str, options: Mapping[str, Any]) -> str:
    """That a vector is the diagonal of the matrix that it is claimed for; or ""."""
    what = derived.kind.capitalize()
    on_it = f"diag({claim})"
    try:
        found = _read(derived, on_it)
        report = None if found is None else _compared(derived, found.node, options)
    except MatcalcError:
        return ""
    if report is None:
        return ""
    if report.verdict == "verified":
        return f"the claim is the diagonal of the {what}, which is {on_it}"
    alone = report.verdict == "refuted" and "is the diagonal of the" in (report.diagnosis or "")
    return f"the claim is the diagonal of the {what} alone" if alone else ""


def _read(derived: Jacobian, text: str, *, turned: bool = False) -> Typed | None:
    """The claim under the first shape of the Jacobian that it has, or of its transpose where that is asked for."""
    f = derived.whole
    for shape in derived.shapes:
        shape = shape[::-1] if turned else shape
        program = read(text, f.limits, names=frozenset(f.variables))
        try:
            found = typed_claim(program, f.typed, shape, f.limits)
        except ShapeError:
            continue
        if found.node.shape == shape:
            return found
    return None


def _fits(derived: Jacobian, claim: str) -> Iterator[tuple[Jacobian, Node]]:
    """Derivation and claim at sizes where the claim fits: where it does with fewer sizes of 1, with no more.

    Of a matrix that is a row, the transpose has the same vec, and a Kronecker product with a number commutes: a claim
    that is wrong of matrices can be right there.
    """
    fewest = None
    for again in _narrowed(derived, claim):
        found = _read(again, claim)
        if found is None:
            continue
        ones = sum(size == 1 for v in again.variables.values() for size in v.shape)
        if fewest is not None and ones > fewest:
            return
        fewest = ones
        yield again, found.node
        if again.typed.sizes:
            return  # some sizes are still free, so this is no special case among others


def _narrowed(derived: Jacobian, claim: str) -> Iterator[Jacobian]:
    """The same derivation at sizes that the claim may mean: some equal, or numbers that stand in it.

    A claim of a Jacobian by matrices names sizes such as 9 where the expression has n^2: roots and divisors of its
    numbers are tried as well.
    """
    f = derived.whole
    tried = [_loosely(f, claim, shape) for shape in derived.shapes]
    for sizes in [*(found for found in tried if found), *_numbered(f, claim)]:
        let = {v.name: _resized(v, sizes) for v in f.variables.values()}
        try:
            yield _derived(parse(f.text, let, f.limits), derived.names, derived.kind, derived.freed)
        except MatcalcError:
            continue  # sizes that the expression does not have


def _loosely(f: Expression, claim: str, shape: Shape) -> dict[str, AnySize]:
    """The sizes that turn out equal or known when the claim is read freely; none where it cannot be read."""
    program = read(claim, f.limits, names=frozenset(f.variables))
    try:
        found = typed_claim(program, f.typed, shape, f.limits, loose=True)
    except ShapeError:
        return {}
    shapes = {v.name: v.shape for v in found.variables}
    pairs = [
        pair for name, v in f.variables.items() if name in shapes for pair in zip(v.shape, shapes[name], strict=True)
    ]
    told = told_by_numbers(found.node.shape, shape)
    return {**told, **{str(old): new for old, new in pairs if old != new}}


def _numbered(f: Expression, claim: str) -> Iterator[dict[str, AnySize]]:
    names = [name for name in f.typed.sizes if name not in f.typed.declared_sizes]
    written = {int(text) for text in re.findall(r"\b[0-9]{1,4}\b", claim)}
    near = {part for n in written for part in range(1, min(n, _LARGEST) + 1) if n % part == 0}
    ones_last = sorted(near | {n for n in written if n <= _LARGEST}, key=lambda n: (n == 1, n))
    candidates = itertools.islice(itertools.product(ones_last, repeat=len(names)), _MOST_LISTED if near else 0)
    for values in sorted(candidates, key=lambda values: values.count(1))[:_MOST_SIZES]:
        yield dict(zip(names, values, strict=True))


def _resized(v: Variable, sizes: Mapping[str, AnySize]) -> str:
    known = {name: size for name, size in sizes.items() if isinstance(size, int)}
    shape = tuple(sizes.get(str(s), s if isinstance(s, int) else substitute_sizes(s, known)) for s in v.shape)
    return replace(v, shape=shape).declaration


def _node(claimed: Node | Callable[..., Any]) -> Node:
    assert isinstance(claimed, Node), "our own derivation is a node"
    return claimed


def _compared(derived: Jacobian, claimed: Node | Callable[..., Any], options: Mapping[str, Any]) -> Report:
    """The claim against our derivation's questions; where it fails, what it has to do with the truth."""
    from matcalc.checking.run import run_check
    from matcalc.checking.tensors import diagnosed, question

    given = options_from(**options)
    own = check_own(derived, **options)
    if not own.ok:
        return replace(own, verdict="inconclusive", reason=own.reason or "our own derivation is not verified here")
    asked = linearised(derived)
    matrix = derived.vectorised_from(claimed) if isinstance(claimed, Node) else claimed
    own = replace(own, testimonies=(), odd_one_out="the claim")
    if matrix is not None:
        report = run_check(replace(question(asked, matrix), truth=_node(question(asked).claimed)), given)
        if report.verdict != "refuted":
            return replace(report, claimed=True)
        seen, said = report.counterexample, report.diagnosis
        own = replace(own, testimonies=report.testimonies, counterexample=seen, diagnosis=said)
    if derived.vectorised is None:
        return replace(own, verdict="refuted", diagnosis="no simple relation found", claimed=True)
    truth = (
        derived.vectorised
        if not isinstance(claimed, Node) or claimed.shape == derived.vectorised.shape
        else derived.tensor
    )
    return diagnosed(
        asked, claimed, truth, replace(own, witnesses=("differences and autograd disagree with it",)), given,
        "Hessian" if derived.kind == "hessian" else "Jacobian",
    )  # fmt: skip
