"""Assertions, the decorator and snippets, as a test suite of somebody's own uses them."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import planted_functions as planted
import pytest
import torch

import matcalc as mc

ROOT = Path(__file__).resolve().parents[2]


def test_right_claims_pass() -> None:
    mc.testing.assert_gradient("x'*A*x", "x", claim="(A + A.T)*x", trials=2, seed=5)
    mc.testing.assert_gradient("x'*A*x", "x", claim=planted.Quadratic, let=planted.LET)
    mc.testing.assert_gradient("x'*A*x", "x")
    mc.testing.assert_jacobian("tanh(W*x)", "x", claim="diag(1 - tanh(W*x).^2)*W")
    mc.testing.assert_hessian("x'*A*x", "x", claim=lambda x, A: A + A.mT)


def test_a_wrong_claim_fails_with_report_and_snippet() -> None:
    with pytest.raises(AssertionError) as failed:
        mc.testing.assert_gradient("x'*A*x", "x", claim="2*A*x", seed=3)
    text = str(failed.value)
    assert text.startswith("refuted: the claim disagrees with the witnesses")
    assert "right only if A is symmetric" in text
    assert "To see it again:" in text
    assert "claim='2*A*x', seed=3" in text


@pytest.mark.parametrize(
    ("wrong", "f", "claim"),
    [
        (mc.testing.assert_jacobian, "A*x", "A.T"),
        (mc.testing.assert_hessian, "x'*A*x", "2*A"),
        (mc.testing.assert_gradient, "x'*x", "x"),
    ],
)
def test_each_assertion_fails_for_a_wrong_claim(wrong: Any, f: str, claim: str) -> None:
    with pytest.raises(AssertionError, match="refuted"):
        wrong(f, "x", claim=claim)


def test_what_could_not_be_decided_fails_with_its_reason() -> None:
    with pytest.raises(AssertionError, match="inconclusive: no point inside the domain was found"):
        mc.testing.assert_gradient("sum(log(-x.^2 - 1))", "x", claim="2*x./(x.^2 + 1)")


# Snippets are Python that runs, and show the difference.


def ran(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )


def test_the_snippet_of_a_text_shows_the_difference() -> None:
    report = mc.check("x'*A*x - b'*x", "x", claim="2*A*x - b")
    found = ran(mc.testing.snippet(report))
    assert "AssertionError: Tensor-likes are not close!" in found.stderr, found.stderr
    printed = [float(n) for n in re.findall(r"-?\d+\.\d{6,}(?:e-?\d+)?", found.stdout)]
    expected = [row[0] for row in report.counterexample["expected"]]
    assert printed == pytest.approx(expected, rel=1e-12)


def test_the_snippet_of_a_function_repeats_what_it_did() -> None:
    report = mc.check(planted.QUADRATIC, "x", claim=planted.OnlyContiguous, let=planted.LET)
    text = mc.testing.snippet(report)
    assert "as_strided((3, 3), (6, 2), 0)" in text
    names = "import sys; sys.path.insert(0, 'tests/testing')\nfrom planted_functions import OnlyContiguous\n"
    found = ran(f"{names}{text}\ntorch.testing.assert_close(gradient, expected)")
    assert "Tensor-likes are not close!" in found.stderr, found.stderr


def test_the_snippet_of_an_expanded_input_expands_it() -> None:
    report = mc.check(planted.QUADRATIC, "x", claim=planted.OnlyContiguous, let=planted.LET)
    from dataclasses import replace

    seen = replace(report, counterexample=report.finding("expanded").example)
    assert ".expand((3, 3))" in mc.testing.snippet(seen)


def test_the_snippet_of_verify_holds_the_inputs() -> None:
    report = mc.verify(lambda x, n: (x**n).sum(), lambda x, n: x ** (n - 1), [torch.tensor([1.5, 2.0]), 3])
    text = mc.testing.snippet(report)
    assert "    torch.tensor([1.5, 2.0], dtype=torch.float64),\n    3," in text
    assert ran(text).returncode == 0


def test_not_a_number_is_python_too() -> None:
    report = mc.check("x'*x", "x", claim=lambda x: x * float("nan"))
    text = mc.testing.snippet(report)
    assert 'float("nan")' in text
    compile(text, "snippet", "exec")


def test_a_report_without_a_counterexample_has_no_snippet() -> None:
    assert mc.testing.snippet(mc.check("x'*x", "x", claim="2*x")) == ""


def test_what_is_too_large_is_asked_again_instead() -> None:
    text = mc.testing.snippet(mc.check("x'*A*x", "x", claim="2*A*x", sizes={"n": 80}))
    assert len(text) < 500
    assert "# again: mc.check(\"x'*A*x\", 'x', claim='2*A*x'" in text


# The decorator.


# Inside functions, since pytest would collect what is decorated in the module itself.


def quadratic() -> Any:
    @mc.testing.checks("x'*A*x", wrt="x", trials=2)
    def quadratic(x: Any, A: Any) -> Any:
        return (A + A.mT) @ x

    return quadratic


def forgetful() -> Any:
    @mc.testing.checks("x'*A*x", wrt="x")
    @mc.testing.checks("x'*B*x", wrt="x", let={"B": "matrix(n, n; symmetric)"}, trials=1)
    def forgetful(x: Any, A: Any = None, B: Any = None) -> Any:
        return 2 * (A if B is None else B) @ x

    return forgetful


def test_a_decorated_function_stays_what_it_is() -> None:
    assert isinstance(quadratic(), types.FunctionType)
    assert quadratic()(torch.ones(2), torch.eye(2)).tolist() == [2.0, 2.0]
    assert [mark.says for mark in mc.testing.checks_of(quadratic())] == ["grad of x'*A*x by x"]


def test_a_decorated_function_is_checked_when_asked() -> None:
    assert quadratic().check().trials == 2
    assert quadratic().check(seed=9).seed == 9


def test_several_decorators_all_have_to_hold() -> None:
    assert forgetful().check().verdict == "refuted"
    assert [mark.report().ok for mark in mc.testing.checks_of(forgetful())] == [False, True]


def test_all_of_a_module_is_run_by_name() -> None:
    module = types.ModuleType("mine")
    module.quadratic, module.forgetful, module.other = quadratic(), forgetful(), 3  # type: ignore[attr-defined]
    found = mc.testing.run_checks(module)
    assert {name: report.verdict for name, report in found.items()} == {
        "quadratic": "verified", "forgetful[0]": "refuted", "forgetful[1]": "verified",
    }  # fmt: skip


def test_an_error_of_a_check_says_whose_it_is() -> None:
    module = types.ModuleType("mine")
    module.broken = mc.testing.checks("x'*", wrt="x")(lambda x: x)  # type: ignore[attr-defined]
    with pytest.raises(mc.ParseError, match=r"^broken: "):
        mc.testing.run_checks(module)


def test_a_function_of_torch_can_be_decorated_and_its_children_are_not() -> None:
    @mc.testing.checks(planted.QUADRATIC, let=planted.LET)
    class Mine(planted.WithContext):
        pass

    class Child(Mine):
        pass

    assert Mine.check().ok  # type: ignore[attr-defined]
    assert mc.testing.checks_of(Child) == ()


def test_what_can_hold_no_mark_is_refused() -> None:
    with pytest.raises(mc.ParseError, match="builtin_function_or_method can hold no mark"):
        mc.testing.checks("x'*x", wrt="x")(len)
