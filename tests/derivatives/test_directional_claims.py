"""Claims of directional derivatives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import matcalc as mc

CLAIMS = [
    ("x'*A*x", "x", "hvp", "(A + A')*v", "verified", ""),
    ("x'*A*x", "x", "hvp", "2*A*v", "refuted", "right only if A is symmetric"),
    ("x'*A*x", "x", "hvp", "-(A + A')*v", "refuted", "sign"),
    ("tr(X'*A*X)", "X", "hvp", "(A + A')*v", "verified", ""),
    ("tr(S*B*S)", "S", "hvp", "1/2*(v*(B + B') + (B + B')*v)", "refuted", ""),
    ("x'*A*x", "x", "jvp", "x'*(A + A')*v", "verified", ""),
    ("x'*A*x", "x", "jvp", "-x'*(A + A')*v", "refuted", "sign"),
    ("x'*A*x", "x", "jvp", "x'*(A + A')*v + 1", "refuted", ""),
    ("inv(X)", "X", "jvp", "-inv(X)*v*inv(X)", "verified", ""),
    ("inv(X)", "X", "jvp", "inv(X)*v*inv(X)", "refuted", "sign"),
    ("sign(x)", "x", "jvp", "0*v", "verified", ""),
    ("sign(x)", "x", "jvp", "x", "refuted", ""),
    ("A*x", "x", "vjp", "A'*v", "verified", ""),
    ("A*x", "x", "vjp", "2*A'*v", "refuted", "factor: the claim is 2 times"),
    ("A*X*B", "X", "vjp", "A'*v*B'", "verified", ""),
]


@pytest.mark.parametrize(("text", "name", "kind", "claim", "verdict", "said"), CLAIMS)
def test_a_claim_of_a_product(text: str, name: str, kind: str, claim: str, verdict: str, said: str) -> None:
    let = {"S": "matrix(n, n; symmetric)"} if "S" in text else None
    report = mc.check(text, name, claim=claim, kind=kind, direction="v", let=let)
    assert report.verdict == verdict
    assert said in (report.diagnosis or "")
    assert mc.replay(report.to_dict()).same


@pytest.mark.parametrize("text", ["exp(x).*(A*x)", "x'*A*x", "A*x*x'", "norm2(x)*x"])
def test_a_jvp_with_the_wrong_sign_is_seen(text: str) -> None:
    """The square of a jvp has the same gradient whatever its sign: the check asked for that alone."""
    right = mc.jvp(text, "x", "v")
    assert right.check().verdict == "verified"
    assert replace(right, node=-right.node).check().verdict == "refuted"


def test_a_jvp_that_does_not_vanish_at_rest_is_seen() -> None:
    right = mc.jvp("sign(x)", "x", "v")
    assert replace(right, node=right.expression.typed_variable("x")).check().verdict == "refuted"


def test_functions_can_be_claims_of_vjp_and_hvp() -> None:
    def right(x: Any, A: Any, v: Any) -> Any:
        return (A + A.T) @ v

    def wrong(x: Any, A: Any, v: Any) -> Any:
        return 2 * A @ v

    assert mc.check("x'*A*x", "x", claim=right, kind="hvp", direction="v").verdict == "verified"
    assert mc.check("x'*A*x", "x", claim=wrong, kind="hvp", direction="v").verdict == "refuted"
    with pytest.raises(mc.UnsupportedError, match="takes a text"):
        mc.check("x'*A*x", "x", claim=right, kind="jvp", direction="v")


def test_a_direction_is_needed() -> None:
    with pytest.raises(mc.ParseError, match="needs a name for its direction"):
        mc.check("x'*x", "x", claim="2*v", kind="hvp")
    with pytest.raises(mc.UnsupportedError, match="grad, jacobian, hessian, jvp, vjp, hvp"):
        mc.check("x'*x", "x", claim="2*v", kind="third")
