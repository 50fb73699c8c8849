"""The example scripts run to their end and print what they promise; their own assertions hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {
    "lecture.py": [
        "by x: 1/2*(A + A.T)*x - b   [verified]",
        "by A: 1/2*x*x.T   [verified]",
        "the factor 2*f",
        "the Jacobian of x.^2: 2*diag(x)",
        "the curves differ by at most",
    ],
    "newton.py": ["Hessian:  X.T*X + c*eye(n)", "norm of the gradient:"],
    "matrix_factorization.py": ["by U: c*U - (P.^2.*(M - U*V.T))*V   [verified]"],
    "gaussian_likelihood.py": ["1/2*(n*inv(S) - inv(S)*C*inv(S))", "refuted"],
    "attention.py": ["by V: softmax(Q*K.T/sqrt(d)).T*G   [verified"],
}


def run(script: Path, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=False, cwd=folder, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PROMISED)
def test_a_script_prints_what_it_promises(name: str, tmp_path: Path) -> None:
    printed = run(ROOT / "examples" / name, tmp_path)
    for part in PROMISED[name]:
        assert part in printed


def test_the_loss_falls_and_both_curves_are_one(tmp_path: Path) -> None:
    line = next(line for line in run(ROOT / "examples" / "lecture.py", tmp_path).splitlines() if "  loss " in line)
    words = line.split()
    assert float(words[3].rstrip(";")) < float(words[1]) / 3
    assert float(words[-1]) < 1e-12
    assert (tmp_path / "lecture.png").stat().st_size > 10_000


def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    record = json.loads((ROOT / "examples" / "lecture.ipynb").read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in record["cells"])
    cells = ["".join(cell["source"]) for cell in record["cells"] if cell["cell_type"] == "code"]
    script = tmp_path / "cells.py"
    script.write_text("\n".join(cells))
    assert "loss " in run(script, tmp_path)


def test_every_script_is_run() -> None:
    scripts = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert scripts - set(PROMISED) <= {"autograd_function.py", "test_my_gradients.py", "triton_kernel.py"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="it runs on the card")
def test_kernels_need_a_card(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "triton_kernel.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env=environment)
    assert (done.returncode, done.stderr.strip()) == (
        1, "this example needs a CUDA device and Triton, which comes with torch for CUDA"
    )  # fmt: skip
