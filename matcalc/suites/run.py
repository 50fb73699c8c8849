"""One case: what it asks, put to the checks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.errors import UNDECIDED, MatcalcError
from matcalc.suites.outcome import Outcome
from matcalc.suites.spec import DIRECTED, Case

if TYPE_CHECKING:
    from matcalc.checking.verdict import Report

# Loaded once by the process that workers are forked from; torch.func loads the private ones on its first use.
NEEDED = (
    "torch",
    "torch._dynamo",
    "torch._decomp.decompositions_for_jvp",
    "sympy",
    "numpy.random",
    "matcalc.suites.run",
    "matcalc.verification",
    "matcalc.jacobian_checks",
    "matcalc.directional_checks",
    "matcalc.checking.run",
    "matcalc.checking.directional",
    "matcalc.checking.tensors",
    "matcalc.lowering.ready",
)


def run_case(case: Case, devices: Sequence[str] = ("cpu",), dtypes: Sequence[str] = ("float64", "float32")) -> Outcome:
    """The outcome of a case, checked in this process; what matcalc refuses is an outcome too.

    >>> run_case(Case("a", "b", 1, "x'*A*x", ("x",), "2*A*x")).diagnosis
    'right only if A is symmetric'
    """
    started = time.perf_counter()
    try:
        report = report_on(case, devices=tuple(devices), dtypes=tuple(dtypes))
    except MatcalcError as error:
        verdict = "inconclusive" if error.exit_code == UNDECIDED else "error"
        seconds = time.perf_counter() - started
        return Outcome(case, verdict, reason=str(error), code=error.exit_code, seconds=seconds)
    seconds = time.perf_counter() - started
    return Outcome(case, report.verdict, report.diagnosis or "", report.reason, UNDECIDED, seconds, report.to_dict())


def report_on(case: Case, **options: Any) -> Report:
    """The report on a case; options are devices and dtypes.

    Raises:
        MatcalcError: for a case that cannot be asked.
    """
    from matcalc.directional_derivatives import new_direction
    from matcalc.parsed import by_names, parse
    from matcalc.verification import check

    options |= {"trials": case.trials, "seed": case.seed, "sizes": dict(case.sizes)}
    f = parse(case.expr, dict(case.let) or None)
    if case.kind in DIRECTED:
        options["direction"] = case.direction or new_direction(f, case.kind)
    return check(f, by_names(case.wrt), case.claim, kind=case.kind, unconstrained=case.unconstrained, **options)


def prepare() -> None:
    """What a worker process does first: the workers share the processors, so that each computes in one thread."""
    import torch

    torch.set_num_threads(1)


def answer(case: Case, devices: Sequence[str], dtypes: Sequence[str]) -> dict[str, Any]:
    """The outcome as what passes between processes: JSON, since unpickling would trust a process that went astray."""
    found = run_case(case, devices, dtypes)
    return {
        "verdict": found.verdict, "diagnosis": found.diagnosis, "reason": found.reason, "code": found.code,
        "seconds": found.seconds, "report": found.report,
    }  # fmt: skip
