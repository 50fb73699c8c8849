"""The examples, run as a reader runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def ran(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=110
    )


def test_the_planted_bug_in_a_function_is_found_and_the_repaired_one_verified() -> None:
    found = ran("examples/autograd_function.py")
    wrong, right = found.stdout.split("\nRepaired:\n")
    assert wrong.startswith(
        "LogSumExp:\nrefuted: double backward is wrong, value and first derivative are right\n  forward: right"
    ), found.stderr
    assert "  backward by x: right" in wrong
    assert "double backward: wrong: by x, along one direction it is 0 where differences of the backward give" in wrong
    assert right.startswith("verified against autograd: 5 trials")
    assert "  double backward: right\n" in right


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tests among the examples, away from this project's own configuration."""
    for name in ("test_my_gradients.py", "claims.matcalc.toml"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    return tmp_path


def test_the_gradients_and_claims_pass_under_pytest(copy: Path) -> None:
    found = ran("-m", "pytest", "-p", "matcalc.pytest_plugin", "-v", cwd=copy)
    assert found.returncode == 0, found.stdout
    lines = [line.split(" PASSED")[0] for line in found.stdout.split("\n") if " PASSED" in line]
    assert lines == [
        "claims.matcalc.toml::least squares",
        "claims.matcalc.toml::Jacobian of a layer",
        "claims.matcalc.toml::the square of a quadratic, chain rule forgotten",
        "test_my_gradients.py::ridge_gradient[grad of norm2(A*x - b)^2 + l*norm2(x)^2 by x]",
        "test_my_gradients.py::logistic_hessian[hessian of -sum(log(sigmoid(y.*(X*w)))) by w]",
        "test_my_gradients.py::test_the_log_likelihood_of_a_gaussian",
        "test_my_gradients.py::test_a_forgotten_transpose_is_found",
    ]


def test_a_wrong_claim_and_a_wrong_gradient_fail_with_what_is_wrong(copy: Path) -> None:
    claims, module = copy / "claims.matcalc.toml", copy / "test_my_gradients.py"
    claims.write_text(claims.read_text().replace('expect = "refuted"\n', ""))
    module.write_text(module.read_text().replace("2 * A.mT @ (A @ x - b) + 2 * l * x", "A.mT @ (A @ x - b) + l * x"))
    found = ran("-m", "pytest", "-p", "matcalc.pytest_plugin", "-k", "chain or ridge", cwd=copy)
    assert found.returncode == 1
    assert "refuted, and expected to be verified: " in found.stdout
    assert "factor: the claim is 1/2 times the gradient" in found.stdout
    assert "claimed = torch.tensor([" in found.stdout
    assert "Traceback" not in found.stdout
    assert "2 failed" in found.stdout
