"""``verify`` on right and damaged gradients of random expressions: a small sample of the harness, which can fail."""

from __future__ import annotations

import any_function
from any_function import AUTOGRAD, COMPILED, Outcomes, example_of, outcome, page
from mutants import gradient_of
from runs import Run

import matcalc as mc
from matcalc.checking.verdict import Report


def test_no_right_gradient_is_refuted_and_no_damaged_one_verified() -> None:
    found = any_function.run(20, 3)
    assert found.total(outcome="missed") == 0
    assert sum(found.total(right, "refuted") for right in (COMPILED, AUTOGRAD)) == 0
    assert sum(found.total(right, "verified") for right in (COMPILED, AUTOGRAD)) >= 4
    assert found.total(outcome="refuted") >= 6
    assert found.skipped["CRASH"] == 0


def test_what_is_verified_and_wrong_is_a_miss_unless_the_report_says_that_it_sees_no_such_error() -> None:
    original = gradient_of("x'*A*x", {}, "x")
    example = example_of(original.question, 1, 1.0)
    assert example is not None
    damaged = example.gradient(mc.parse("1.001*(A + A.T)*x", {"A": "matrix(n, n)", "x": "vector(n)"}).node)
    right = example.gradient(original.claimed)
    for visible, became in ((1e-2, "hidden"), (1e-6, "missed")):
        report = Report("verified", 5, ("cpu",), ("float64",), 0, smallest_visible=visible)
        assert outcome(example, report, damaged) == became
        assert outcome(example, report, right) == "equal"
    assert outcome(example, Report("refuted", 5, ("cpu",), ("float64",), 0), damaged) == "refuted"


def test_the_page_adds_up() -> None:
    found = Outcomes()
    found.counts["a sign", "refuted"] = 3
    run = Run("python tests/laws/any_function.py 3 1", "abc", found)
    assert Run.from_json(run.to_json(), Outcomes) == run
    assert "| a sign | 0 | 6 | 0 | 0 | 0 | 0 |" in page([run, run])
