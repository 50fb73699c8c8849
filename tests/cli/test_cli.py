"""The command line, as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from matcalc.cli.main import run

MAIN = "x.T*A*x - b.T*x"


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as stopped:
        run(arguments)
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), shown.out, shown.err


def test_the_main_job(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "grad", MAIN, "--wrt", "x")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[2] == "  (A + A.T)*x - b"
    assert lines[4:7] == [
        "where x: vector(n)   inferred",
        "      A: matrix(n, n)   inferred",
        "      b: vector(n)   inferred",
    ]
    assert lines[8].startswith("verified against autograd: 5 trials, float64 error ")
    assert lines[8].endswith("cpu")


def test_json_holds_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "grad", MAIN, "--wrt", "x", "--format", "json", "--seed", "3")
    record = json.loads(out)
    assert code == 0
    assert set(record) >= {"input", "wrt", "kind", "variables", "result", "latex", "check"}
    assert record["result"] == "(A + A.T)*x - b"
    assert record["variables"]["A"]["shape"] == ["n", "n"]
    assert (record["check"]["verdict"], record["check"]["seed"], record["check"]["devices"]) == ("verified", 3, ["cpu"])


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["grad", "x*y.T", "--wrt", "x"], 2, "matcalc jacobian"),
        (["grad", "x.T*x", "--wrt", "q"], 2, "the names are x"),
        (["grad", "2x", "--wrt", "x"], 2, "Try: 2*x"),
        (["grad", "sofmax(x)", "--wrt", "x"], 2, "did you mean 'softmax'"),
        (["code", "((", "--wrt", "x", "--target", "fortran"], 2, "the targets are torch, numpy, jax"),
        (["grad", "(" * 20000, "--wrt", "x"], 3, "limit"),
        (["grad", "9^9^9^9", "--wrt", "x"], 3, "scalar_power"),
        (["grad", "x'*x\x1b[31m", "--wrt", "x"], 2, "U+001B"),
        (["grad", "x'*x", "--wrt", "x", "--let", "x: vector(0)"], 2, "positive integer"),
        (["grad", "x'*x", "--wrt", "x", "--let", "x: vector(n; shiny)"], 2, "no property 'shiny'"),
        (["grad", "x'*x", "--wrt", "x", "--device", "tpu"], 4, "no device"),
        (["grad", "@no-such-file", "--wrt", "x"], 2, "cannot read"),
        (["grad", "x'*x", "--wrt", "x", "--format", "pdf"], 2, "no format"),
        (["grad", "x'*x", "--wrt", "x", "--layout", "sideways"], 2, "no layout"),
        (["grad", "x'*x", "--wrt", "x", "--sizes", "n=²"], 2, "gives no size"),
        (["grad", "x'*x", "--wrt", "x", "--no-check", "--sizes", "n=0"], 2, "gives no size"),
        (["grad", "x'*x", "--wrt", "x", "--no-check", "--dtype", "int8"], 2, "no dtype"),
        (["grad", "x'*x", "--wrt", "x", "--no-check", "--device", "tpu"], 4, "no device"),
        (["grad", "x'*x", "--wrt", "x", "--let", ""], 2, "an empty declaration"),
        (["jvp", "x'*x", "--wrt", "x", "--direction", "1+"], 2, "no name for a direction"),
        (["jacobian", "A*x", "--wrt", "y"], 2, "no 'y' to differentiate by"),
        (["jacobian", "A*x", "--wrt", "x", "--layout", "mixed"], 2, "no layout"),
        (["hessian", "A*x", "--wrt", "x"], 2, "hessian needs a scalar"),
        (["grad", "exp(x)'*b", "--wrt", "x"], 2, "Try: --let 'b: vector(n)'"),
        (["hessian", "x'*A*x", "--wrt", "x", "--wrt", "A", "--wrt", "x"], 2, "by one name or by two"),
        (["check", "x'*A*x", "--wrt", "x", "--kind", "jvp", "--claim", "x"], 2, "a jvp needs a name for its direction"),
    ],
)
def test_bad_input_gets_a_sentence_and_its_code(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, part: str
) -> None:
    found, _, err = called(capsys, *arguments)
    assert (found, "Traceback" in err) == (code, False)
    assert part in err


def test_a_wrong_claim_exits_1_and_a_right_one_0(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "check", "x.T*A*x", "--wrt", "x", "--claim", "2*A*x")
    assert code == 1
    assert "right only if A is symmetric" in out
    assert called(capsys, "check", "x.T*A*x", "--wrt", "x", "--claim", "(A + A')*x")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["grad", "-x'*x", "--wrt", "x", "--no-check"],
        ["grad", "--wrt", "x", "--no-check", "-x'*x"],
        ["grad", "--wrt=x", "-x'*x", "--no-check"],
        ["grad", "--wrt", "x", "--no-check", "--", "-x'*x"],
    ],
)
def test_an_expression_may_start_with_a_minus_sign(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert "  -2*x" in called(capsys, *arguments)[1]


def test_a_claim_may_start_with_a_minus_sign(capsys: pytest.CaptureFixture[str]) -> None:
    assert called(capsys, "check", "-x'*x", "--wrt", "x", "--claim", "-2*x")[0] == 0


def test_a_file_and_standard_input_are_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("x'*x  # a comment\n", encoding="utf-8")
    assert "  2*x" in called(capsys, "grad", f"@{tmp_path / 'f.txt'}", "--wrt", "x", "--no-check")[1]
    piped = subprocess.run(
        [sys.executable, "-m", "matcalc.cli.main", "grad", "-", "--wrt", "x", "--no-check"],
        input="x'*x", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "  2*x" in piped.stdout


def test_a_derivation_without_check_imports_neither_torch_nor_sympy() -> None:
    script = (
        "import sys\nfrom matcalc.cli.main import run\n"
        "try:\n    run(['grad', 'x.T*A*x', '--wrt', 'x', '--no-check'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('torch', 'sympy', 'jax') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"


def test_code_with_value_is_a_function_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    _, out, _ = called(capsys, "code", MAIN, "--wrt", "x", "--with-value")
    space: dict[str, object] = {}
    exec(out, space)  # noqa: S102  the emitted module is what is tested
    a, x, b = torch.randn(3, 3), torch.randn(3), torch.randn(3)
    value, gradient = space["gradient"](x, a, b)  # type: ignore[operator]
    torch.testing.assert_close(value, x @ a @ x - b @ x)
    torch.testing.assert_close(gradient, (a + a.T) @ x - b)


def test_code_for_another_target_is_a_function_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    _, out, _ = called(capsys, "code", MAIN, "--wrt", "x", "--target", "numpy")
    space: dict[str, object] = {}
    exec(out, space)  # noqa: S102  the emitted module is what is tested
    gradient = space["gradient"](x=[1, 2], A=np.eye(2), b=[0, 1])  # type: ignore[operator]
    assert gradient.tolist() == [2, 3]
    assert "import jax.numpy as jnp\n" in called(capsys, "code", MAIN, "--wrt", "x", "--target", "jax")[1]


def test_functions_lists_searches_and_explains(capsys: pytest.CaptureFixture[str]) -> None:
    assert "logdet" in called(capsys, "functions")[1]
    assert "1 - tanh(x).^2" in called(capsys, "functions", "tanh")[1]
    assert called(capsys, "functions", "qqqq")[0] == 2


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Example: matcalc grad" in called(capsys, "grad", "--help")[1]


@pytest.mark.parametrize(
    ("kind", "expression", "result"),
    [
        ("jvp", "tanh(W*x + b)", "(W*v).*(1 - tanh(W*x + b).^2)"),
        ("vjp", "tanh(x)", "v.*(1 - tanh(x).^2)"),
        ("hvp", "x'*A*x", "(A + A.T)*v"),
    ],
)
def test_directional_derivatives_are_checked(
    capsys: pytest.CaptureFixture[str], kind: str, expression: str, result: str
) -> None:
    code, out, _ = called(capsys, kind, expression, "--wrt", "x", "--direction", "v")
    assert (code, out.splitlines()[2]) == (0, f"  {result}")
    assert "verified against autograd" in out


def test_markdown_holds_the_result_as_latex_and_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "grad", MAIN, "--wrt", "x", "--format", "markdown")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "## gradient of `x.T*A*x - b.T*x` by `x`"
    assert lines[2] == r"$$ \left(A + A^\top\right) x - b $$"
    assert lines[4:7] == ["```matcalc", "(A + A.T)*x - b", "```"]
    assert "| `b` | `vector(n)` | inferred |" in lines


def test_latex_goes_to_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "grad", MAIN, "--wrt", "x", "--format", "latex")
    assert (code, out) == (0, "\\left(A + A^\\top\\right) x - b\n")
    assert err.startswith("verified against autograd")


def test_json_without_the_device_is_printed_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    code, out, err = called(capsys, "grad", MAIN, "--wrt", "x", "--format", "json", "--device", "cuda")
    assert (code, json.loads(out)["check"]) == (4, None)
    assert "no CUDA device" in err


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (RuntimeError("odd"), 70, "matcalc has a bug: RuntimeError: odd"),
        (MemoryError(), 3, "out of memory"),
        (OSError(28, "No space left on device"), 2, "cannot write the result"),
    ],
)
def test_what_goes_wrong_inside_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, says: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise raised

    monkeypatch.setattr("matcalc.derivative.grad", fail)
    found, _, err = called(capsys, "grad", MAIN, "--wrt", "x")
    assert (found, says in err, "Traceback" in err) == (code, True, False)


def test_debug_lets_a_bug_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr("matcalc.derivative.grad", fail)
    with pytest.raises(RuntimeError, match="odd"):
        run(["grad", MAIN, "--wrt", "x", "--debug"])


def test_a_derivation_that_takes_too_long_is_stopped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*arguments: object, **options: object) -> None:
        while True:
            pass

    monkeypatch.setattr("matcalc.derivative.grad", endless)
    code, _, err = called(capsys, "grad", MAIN, "--wrt", "x", "--limit", "derivation_seconds=1")
    assert code == 3
    assert err == "error: not done after 1 s: the limit is 1; raise it with --limit derivation_seconds=2\n"


def test_a_terminal_gets_colour_unless_it_wants_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from matcalc.cli.show import _painted

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert _painted("2*x", "result") == "\x1b[1m2*x\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert _painted("2*x", "result") == "2*x"


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m matcalc.cli.main functions | head -1; exit ${{PIPESTATUS[0]}}"
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")


def test_the_shell_completes_commands_and_options() -> None:
    environment = {"_MATCALC_COMPLETE": "complete_bash", "COMP_WORDS": "matcalc gr", "COMP_CWORD": "1", "PATH": ""}
    shown = subprocess.run(
        [sys.executable, "-m", "matcalc.cli.main"], capture_output=True, text=True, check=False, env=environment
    )
    assert shown.stdout.split() == ["grad"]


def test_a_zero_is_not_printed_without_evidence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        "  zeros(n)"
        in called(capsys, "grad", "x'*A*x", "--wrt", "x", "--no-check", "--let", "A: matrix(n, n; skew)")[1]
    )
    from matcalc import derivative
    from matcalc.expression import build

    monkeypatch.setattr(derivative, "textbook", lambda node: build.zeros(*node.shape))
    code, out, err = called(capsys, "grad", "x'*x", "--wrt", "x", "--no-check")
    assert (code, out) == (3, "")
    assert "nothing confirms it" in err


@pytest.mark.parametrize(
    ("form", "result"),
    [
        ("textbook", "A.T*(A*x - b) + 2*c*x .+ c*d"),
        ("expanded", "A.T*A*x + 2*c*x .+ c*d - A.T*b"),
        ("factored", "A.T*(A*x - b) + c*(2*x .+ d)"),
    ],
)
def test_a_result_comes_in_three_forms(capsys: pytest.CaptureFixture[str], form: str, result: str) -> None:
    text = "0.5*norm2(A*x-b)^2 + c*x'*x + c*d*sum(x)"
    code, out, _ = called(capsys, "grad", text, "--wrt", "x", "--let", "b: vector(m)", "--form", form)
    assert (code, out.splitlines()[2]) == (0, f"  {result}")
    assert "verified" in out


def test_another_form_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = called(capsys, "grad", MAIN, "--wrt", "x", "--form", "short")
    assert (code, "the forms are textbook, expanded, factored" in err) == (2, True)


def test_code_by_sizes_and_without_batch_axes(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("code", "let U: matrix(m, k); norm2(T - U*V')^2", "--wrt", "U")
    assert "2 * ((U @ V.mT - T) @ V)" in called(capsys, *asked)[1]
    assert "2 * (U @ (V.mT @ V) - T @ V)" in called(capsys, *asked, "--sizes", "m=200,n=300,k=5")[1]
    _, out, _ = called(capsys, "code", MAIN, "--wrt", "x", "--unbatched")
    assert "    result = A @ x + A.mT @ x - b\n    return result\n" in out


def test_code_without_batch_axes_is_torchs(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, error = called(capsys, "code", MAIN, "--wrt", "x", "--unbatched", "--target", "jax")
    assert status == 2
    assert "always takes leading axes" in error


def test_the_package_can_be_run_as_a_module() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "matcalc", "grad", "x'*x", "--wrt", "x", "--no-check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2*x" in made.stdout, made.stderr
