"""Assertions for test suites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.parsed import Let
from matcalc.verification import check


def assert_gradient(f: str, wrt: str, claim: str | Callable[..., Any], let: Let = None, **options: Any) -> None:
    """Passes when ``claim`` is verified to be the gradient of ``f`` by ``wrt``.

    Raises:
        AssertionError: with the report, when it is refuted or nothing could be decided.

    >>> assert_gradient("x'*A*x", "x", claim="(A + A.T)*x")
    """
    report = check(f, wrt, claim=claim, let=let, **options)
    if not report.ok:
        raise AssertionError(str(report))
