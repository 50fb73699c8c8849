"""For test suites: assertions, a decorator that says of which formula a function is the derivative, and array marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from matcalc.errors import MatcalcError, ParseError
from matcalc.parsed import Expression, Let
from matcalc.reproduction import snippet
from matcalc.verification import check

if TYPE_CHECKING:
    from matcalc.checking.verdict import Report

__all__ = [
    "Checked",
    "assert_gradient",
    "assert_hessian",
    "assert_jacobian",
    "checks",
    "checks_of",
    "explain",
    "jax",
    "numpy",
    "run_checks",
    "snippet",
    "torch",
]

T = TypeVar("T")
MARK = "matcalc_checks"
_default: dict[str, int] = {}


def assert_gradient(
    f: Expression | str, wrt: Any, claim: str | Callable[..., Any] | None = None, let: Let = None, **options: Any
) -> None:
    """Passes when ``claim`` is verified to be the gradient of ``f`` by ``wrt``; options are those of ``check``.

    Raises:
        AssertionError: with the report, when it is refuted (and then a snippet that shows it) or nothing was decided.
        MatcalcError: as :func:`matcalc.check`.

    >>> assert_gradient("x'*A*x", "x", claim="(A + A.T)*x")
    """
    __tracebackhide__ = True
    _assert(f, wrt, claim, let, "grad", options)


def assert_jacobian(
    f: Expression | str, wrt: Any, claim: str | Callable[..., Any] | None = None, let: Let = None, **options: Any
) -> None:
    """The same of a Jacobian.

    Raises:
        AssertionError: as :func:`assert_gradient`.

    >>> assert_jacobian("A*x", "x", claim="A")
    """
    __tracebackhide__ = True
    _assert(f, wrt, claim, let, "jacobian", options)


def assert_hessian(
    f: Expression | str, wrt: Any, claim: str | Callable[..., Any] | None = None, let: Let = None, **options: Any
) -> None:
    """The same of a Hessian.

    Raises:
        AssertionError: as :func:`assert_gradient`.

    >>> assert_hessian("x'*A*x", "x", claim="A + A.T")
    """
    __tracebackhide__ = True
    _assert(f, wrt, claim, let, "hessian", options)


def _assert(f: Any, wrt: Any, claim: Any, let: Let, kind: str, options: dict[str, Any]) -> None:
    __tracebackhide__ = True
    report = check(f, wrt, claim=claim, let=let, kind=kind, **{**_default, **options})
    if not report.ok:
        raise AssertionError(explain(report))


def explain(report: Report) -> str:
    """A report, and for a refuted claim the Python that shows its counterexample again.

    >>> print(explain(check("x'*x", "x", claim="x")).split("\\n")[0])
    refuted: the claim disagrees with the witnesses
    """
    text = snippet(report)
    lines = [line for line in str(report).split("\n") if not (text and line.startswith("  counterexample:"))]
    lines += [f"  {line}" for line in report.discarded if report.verdict == "inconclusive"]
    return "\n".join([*lines, *(["", "To see it again:", "", text] if text else [])])


def use_seed(seed: int) -> None:
    """The seed of every assertion and check here that does not give its own; ``--matcalc-seed`` sets it."""
    _default["seed"] = seed


# ------------------------------------------------------------------------------------------------- the decorator


@dataclass(frozen=True)
class Checked:
    """What a function is said to be the derivative of.

    Attributes:
        function: the claim: a function by keyword, or a ``torch.autograd.Function``.
        f, wrt, let, kind: the question, as ``check`` takes it.
        options: its other options.
    """

    function: Any
    f: Expression | str
    wrt: Any
    let: Let = None
    kind: str = "grad"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def says(self) -> str:
        """The question in a line."""
        names = "" if self.wrt is None else f" by {self.wrt if isinstance(self.wrt, str) else ', '.join(self.wrt)}"
        text = self.f if isinstance(self.f, str) else self.f.text
        return f"{self.kind} of {' '.join(text.split())}{names}"

    def report(self, **options: Any) -> Report:
        """The report on it; ``options`` go before those of the decorator.

        Raises:
            MatcalcError: as :func:`matcalc.check`.
        """
        given = {**_default, **self.options, **options}
        return check(self.f, self.wrt, claim=self.function, let=self.let, kind=self.kind, **given)


def checks(
    f: Expression | str, wrt: str | Sequence[str] | None = None, let: Let = None, *, kind: str = "grad", **options: Any
) -> Callable[[T], T]:
    """Says of which formula a function is the derivative; nothing is checked yet, and the function stays what it is.

    The check runs when pytest meets the function in a test module (with matcalc's plugin every decorated function
    there is a test, whatever its name, imported ones too), in :func:`run_checks`, and by ``function.check()``. A
    function may be decorated several times.

    Raises:
        ParseError: at once, for a function that can hold no mark.

    >>> @checks("x'*A*x", wrt="x")
    ... def gradient(x, A):
    ...     return (A + A.T) @ x
    >>> gradient.check().verdict
    'verified'
    """

    def mark(function: T) -> T:
        mine = Checked(function, f, wrt, let, kind, options)
        try:
            setattr(function, MARK, (mine, *checks_of(function)))
            setattr(function, "check", lambda **more: _all_of(checks_of(function), more))  # noqa: B010  # T has none
        except (AttributeError, TypeError) as error:
            what = type(function).__name__
            raise ParseError(f"a {what} can hold no mark", suggestion="a def of its own that calls it") from error
        return function

    return mark


def checks_of(function: object) -> tuple[Checked, ...]:
    """What a function was decorated with, the outermost first; what a class only inherits is not its own.

    >>> checks_of(len)
    ()
    """
    try:
        found = vars(function).get(MARK, ())
    except TypeError:
        return ()
    return found if isinstance(found, tuple) else ()


def _all_of(marks: Sequence[Checked], options: dict[str, Any]) -> Report:
    from matcalc.checking.verdict import combined

    reports = [mark.report(**options) for mark in marks]
    return reports[0] if len(reports) == 1 else combined(reports)


def run_checks(module: ModuleType | object, **options: Any) -> dict[str, Report]:
    """The reports on everything decorated in a module (or a class), by name.

    Raises:
        MatcalcError: for a check that cannot be asked, with the function's name.

    >>> run_checks(object())
    {}
    """
    found = {}
    for name, mark in _marked(module):
        try:
            found[name] = mark.report(**options)
        except MatcalcError as error:
            error.message = f"{name}: {error.message}"
            raise
    return found


def _marked(module: object) -> Iterator[tuple[str, Checked]]:
    for name, value in list(getattr(module, "__dict__", {}).items()):
        several = checks_of(value)
        for number, mark in enumerate(several):
            yield (name if len(several) == 1 else f"{name}[{number}]"), mark


# --------------------------------------------------------------------------------------------- for which library


def torch(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a claim as written for torch tensors, which is what is tried first anyway.

    >>> torch(lambda x: 2 * x).library
    'torch'
    """
    return _marked_as(function, "torch")


def numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a claim as written for NumPy arrays.

    >>> check("x'*x", "x", claim=numpy(lambda x: 2 * x)).verdict
    'verified'
    """
    return _marked_as(function, "numpy")


def jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a claim as written for JAX arrays; it is called with 64-bit ones.

    >>> jax(lambda x: 2 * x).library
    'jax'
    """
    return _marked_as(function, "jax")


def _marked_as(function: Callable[..., Any], library: str) -> Callable[..., Any]:
    from matcalc.checking.foreign import Foreign

    return Foreign(function, library)
