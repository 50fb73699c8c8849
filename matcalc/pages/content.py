"""What a document holds, whatever it is written as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from matcalc.checking.counterexamples import counterexample_lines
from matcalc.derivative import CALLED, Derivative
from matcalc.directional_derivatives import DIRECTED, directed, new_direction
from matcalc.documents.derivation.composer import FalseLineError
from matcalc.errors import CheckError, MatcalcError, ParseError
from matcalc.jacobian_record import Jacobian
from matcalc.jacobians import tensor
from matcalc.lowering.targets import TARGETS
from matcalc.parsed import Expression, by_names

if TYPE_CHECKING:
    from matcalc.checking.verdict import Report
    from matcalc.documents.derivation.record import Step
    from matcalc.documents.graph import Graph

_KINDS = {
    **CALLED,
    "jvp": "derivative in a direction",
    "vjp": "transposed derivative",
    "hvp": "Hessian times a direction",
}


@dataclass(frozen=True)
class Formula:
    """A formula in LaTeX and as text of the language."""

    latex: str
    text: str


@dataclass(frozen=True)
class Named:
    """A name of the expression: its LaTeX, its declaration, and whether anybody typed that."""

    name: Formula
    declaration: str
    inferred: bool


@dataclass(frozen=True)
class RuleShown:
    """A rule in words, and its formula where it has one; the LaTeX of that is "" where there is only text."""

    words: str
    formula: Formula | None


@dataclass(frozen=True)
class StepShown:
    """One line of a derivation, the rules that made it, and where these are published."""

    number: str
    rules: tuple[RuleShown, ...]
    source: str
    formula: Formula

    @property
    def because(self) -> str:
        """The rules with their formulas, as text."""
        return "; ".join(f"{r.words}: {r.formula.text}" if r.formula else r.words for r in self.rules)


@dataclass(frozen=True)
class Picture:
    """A picture as SVG, with what it shows."""

    caption: str
    svg: bytes


@dataclass(frozen=True)
class Page:
    """A derivation as a document shows it.

    Attributes:
        title: what is derived, in words.
        statement: the expression.
        symbol: the left-hand side of the result.
        names: the names, with shapes and assumptions.
        graph: the computation graph.
        steps: the derivation.
        result: the derivative.
        other_layout: the result in denominator layout, where it is another.
        entries: for a tensor, its entries in index notation.
        remarks: what a reader has to know of the result.
        codes: by target, the module, or why there is none.
        claim: what somebody claims, as text.
        report: the check.
        origin: the file that claims it, and its source there.
        expected: the verdict that the file expects.
        pictures: of structure and errors, where they were asked for.
    """

    title: str
    statement: Formula
    symbol: str
    names: tuple[Named, ...]
    graph: Graph
    steps: tuple[StepShown, ...]
    result: Formula
    other_layout: Formula | None
    entries: Formula | None
    remarks: tuple[str, ...]
    codes: Mapping[str, str]
    claim: Formula | None
    report: Report
    origin: str = ""
    expected: str = "verified"
    pictures: tuple[Picture, ...] = ()

    @property
    def verdict(self) -> str:
        """verified, refuted or inconclusive."""
        return self.report.verdict

    @property
    def check_lines(self) -> tuple[str, ...]:
        """The report, line by line, with seed and errors; the counterexample stands by itself."""
        lines = [line.strip() for line in str(replace(self.report, counterexample=None)).splitlines()]
        versions = ", ".join(f"{name} {version}" for name, version in sorted(self.report.versions.items()))
        return (*lines, f"seed {self.report.seed}; {versions}")

    @property
    def counterexample(self) -> str:
        """Where a refuted claim fails: sizes, inputs, claim and truth; "" where there is no such point."""
        seen = self.report.counterexample
        if not seen:
            return ""
        shown = {key: value for key, value in seen.items() if key not in ("trial", "seed")}
        return "\n".join(counterexample_lines(shown))


def page_of(
    f: Expression,
    wrt: Sequence[str],
    kind: str = "grad",
    *,
    claim: str | None = None,
    detail: str = "normal",
    title: str = "",
    origin: str = "",
    expected: str = "verified",
    direction: str = "",
    pictures: bool = False,
    unconstrained: bool = False,
    **options: Any,
) -> Page:
    """The content of a document about a derivative, derived and checked; ``direction`` is that of a jvp, vjp or hvp.

    Raises:
        MatcalcError: for what cannot be derived; a derivation of which a line is false is not shown.

    >>> from matcalc.parsed import parse
    >>> page = page_of(parse("x'*A*x"), ["x"])
    >>> page.title, page.result.text, page.verdict
    ('The gradient of x.T*A*x by x', '(A + A.T)*x', 'verified')
    """
    from matcalc.verification import check, check_derivative

    along = {"direction": direction or new_direction(f, kind)} if kind in DIRECTED else {}
    found = _derived(f, wrt, kind, unconstrained, **along)
    if claim is None:
        report = check_derivative(found, **options)
    else:
        report = check(f, by_names(wrt), claim=claim, kind=kind, unconstrained=unconstrained, **along, **options)
    steps, missing = _steps(found, detail)
    return Page(
        title or f"The {_KINDS[kind]} of {f.pretty()} by {' and '.join(wrt)}",
        Formula(f.latex(), f.pretty()),
        _symbol(kind, wrt, found, along.get("direction", "")),
        _names(f if not along else found),
        f.graph(),
        steps,
        Formula(found.latex(), found.pretty()),
        _other_layout(found),
        _entries(found),
        (*_remarks(found, expected), *([missing] if missing else [])),
        {target: _code(found, target) for target in TARGETS},
        None if claim is None else Formula(_claim_latex(f, claim), claim),
        report,
        origin,
        expected,
        _pictures(found, options.get("seed", 0)) if pictures else (),
    )


def _pictures(found: Derivative, seed: int) -> tuple[Picture, ...]:
    """What matplotlib draws of a derivative.

    Raises:
        DeviceError: where it is not installed.
    """
    from matcalc import plots

    drawn = [Picture("Errors of differences and of the code", plots.drawn(plots.errors(found, seed=seed)))]
    if isinstance(found, Jacobian):
        drawn.insert(0, Picture("Entries at a random point", plots.drawn(plots.structure(found, seed=seed))))
    return tuple(drawn)


def _derived(f: Expression, wrt: Sequence[str], kind: str, unconstrained: bool, direction: str = "") -> Derivative:
    """The derivative of a kind.

    Raises:
        MatcalcError: for what cannot be derived.
    """
    if not direction:
        return tensor(f, wrt, kind, unconstrained=unconstrained)
    if len(wrt) != 1:
        raise ParseError(f"a {kind} is by one name")
    return directed(f, wrt[0], kind, direction, unconstrained=unconstrained)


def _symbol(kind: str, wrt: Sequence[str], found: Derivative, direction: str) -> str:
    from matcalc.documents.latex import name_in_latex

    by = [name_in_latex(name) for name in wrt]
    if direction:
        along = name_in_latex(direction)
        return {
            "jvp": rf"\mathrm{{D}}_{{{by[0]}}} f \left[ {along} \right]",
            "vjp": rf"\mathrm{{D}}_{{{by[0]}}} f^* \left[ {along} \right]",
            "hvp": rf"\nabla_{{{by[0]}}}^{{2}} f \left[ {along} \right]",
        }[kind]
    if not isinstance(found, Jacobian):
        return rf"\nabla_{{{by[0]}}} f"
    if not found.closed:
        return r"\mathrm{d} f"
    if kind == "hessian" and found.is_matrix:
        return rf"\frac{{\partial^{{2}} f}}{{\partial {by[0]} \, \partial {by[-1]}^\top}}"
    above = r"\partial f" if found.is_matrix else r"\partial \operatorname{vec}\left(f\right)"
    if kind == "hessian":
        above = rf"\partial \operatorname{{vec}}\left(\nabla_{{{by[0]}}} f\right)"
    last = rf"{by[-1]}^\top" if found.is_matrix else rf"\operatorname{{vec}}\left({by[-1]}\right)^\top"
    return rf"\frac{{{above}}}{{\partial {last}}}"


def _names(f: Expression) -> tuple[Named, ...]:
    from matcalc.documents.latex import name_in_latex

    return tuple(
        Named(Formula(name_in_latex(name), name), v.declaration, v.inferred) for name, v in f.variables.items()
    )


def _steps(found: Derivative, detail: str) -> tuple[tuple[StepShown, ...], str]:
    """The lines; where there is no point to check them at, why there are none."""
    try:
        derivation = found.derivation(detail)
    except FalseLineError:
        raise
    except CheckError as error:
        return (), f"No steps are shown: {error.why or error.message}."
    return tuple(
        StepShown(str(step.number), _rules(step), step.source, Formula(step.latex(), step.text)) for step in derivation
    ), ""


def _rules(step: Step) -> tuple[RuleShown, ...]:
    shown = []
    for reason in dict.fromkeys(step.reasons):
        stated = Formula("", reason.says) if reason.says else None
        if reason.formula:
            stated = Formula(reason.formula.latex, reason.formula.text)
        shown.append(RuleShown(reason.words, stated))
    return tuple(dict.fromkeys(shown))


def _other_layout(found: Derivative) -> Formula | None:
    if not isinstance(found, Jacobian) or not found.closed:
        return None
    other = found.in_layout("denominator")
    return None if other.pretty() == found.pretty() else Formula(other.latex(), other.pretty())


def _entries(found: Derivative) -> Formula | None:
    if not isinstance(found, Jacobian) or found.is_matrix or not found.index_notation():
        return None
    return Formula(found.index_latex(), found.index_notation())


def _remarks(found: Derivative, expected: str) -> tuple[str, ...]:
    said = ["What is claimed below is said to be wrong where it stands."] if expected == "refuted" else []
    if found.projected:
        said.append(f"This is the derivative among {found.projected} matrices, as declared.")
    if isinstance(found, Jacobian) and not found.is_matrix:
        shape = ", ".join(map(str, found.shape))
        said.append(f"It is written as the matrix of vec, which takes columns; the tensor has the shape ({shape}).")
    return tuple(said)


def _code(found: Derivative, target: str) -> str:
    try:
        return found.source(target)
    except MatcalcError as error:
        return f"# {error.message}\n"


def _claim_latex(f: Expression, claim: str) -> str:
    """The claim's LaTeX, where it can be read by itself."""
    from matcalc.parsed import parse

    let = {name: v.declaration for name, v in f.variables.items()}
    try:
        return parse(claim, let).latex()
    except MatcalcError:
        return ""
