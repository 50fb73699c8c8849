"""The plugin in pytest runs of its own: what it collects, what it says, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

GOOD_AND_BAD = """
[[claim]]
id = "ridge"
expr = "norm2(A*x - b)^2 + l*norm2(x)^2"
wrt = "x"
claim = "2*A.T*(A*x - b) + 2*l*x"
let = { b = "vector(m)" }

[[claim]]
id = "symmetry assumed"
expr = "x'*A*x"
wrt = "x"
claim = "2*A*x"

[[claim]]
id = "known to be wrong"
expr = "x'*A*x"
wrt = "x"
claim = "2*A*x"
expect = "refuted"
diagnosis = "symmetric"

[[claim]]
id = "ours"
expr = "x'*A*x"
wrt = "x"
kind = "hessian"
"""

MODULE = """
import matcalc as mc

@mc.testing.checks("x'*A*x", wrt="x")
def gradient_of_a_quadratic(x, A):
    return (A + A.mT) @ x

@mc.testing.checks("x'*A*x", wrt="x")
def test_gradient(x, A):
    return 2 * A @ x

other_name = gradient_of_a_quadratic

class TestInside:
    @staticmethod
    @mc.testing.checks("sum(exp(x))", wrt="x")
    def gradient(x):
        return x.exp()

def test_plain(matcalc_seed):
    assert matcalc_seed == {seed}
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> object:
    """Pytest with this plugin and no other, in a process of its own: torch cannot be loaded twice in one."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return lambda *args: pytester.runpytest_subprocess("-p", "matcalc.pytest_plugin", "-p", "no:cacheprovider", *args)


def test_claims_in_a_suite_are_tests(pytester: pytest.Pytester, run: object) -> None:
    (pytester.path / "claims.matcalc.toml").write_text(GOOD_AND_BAD)
    result = run("-v")  # type: ignore[operator]
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "claims.matcalc.toml::ridge PASSED*",
            "claims.matcalc.toml::symmetry assumed FAILED*",
            "claims.matcalc.toml::known to be wrong PASSED*",
            "claims.matcalc.toml::ours PASSED*",
            "grad of x'*A*x by x: 2*A*x",
            "refuted, and expected to be verified: right only if A is symmetric",
            "To see it again:",
            "import torch",
            "inputs = {",
            "claimed = torch.tensor(*",
            "expected = torch.tensor(*",
            "Run it alone: pytest 'claims.matcalc.toml::symmetry assumed'",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*verification.py*")


def test_one_claim_is_run_by_its_id(pytester: pytest.Pytester, run: object) -> None:
    (pytester.path / "claims.matcalc.toml").write_text(GOOD_AND_BAD)
    run("claims.matcalc.toml::symmetry assumed").assert_outcomes(failed=1)  # type: ignore[operator]


def test_a_broken_suite_shows_the_line(pytester: pytest.Pytester, run: object) -> None:
    (pytester.path / "claims.matcalc.toml").write_text('[[claim]]\nexpr = "x"\nwrtt = "x"\n')
    result = run()  # type: ignore[operator]
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*claims.matcalc.toml:3: there is no key 'wrtt' in claim 1*", "*Try: wrt*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_claim_that_cannot_be_read_shows_the_caret(pytester: pytest.Pytester, run: object) -> None:
    (pytester.path / "claims.matcalc.toml").write_text('[[claim]]\nexpr = "x\'*"\nwrt = "x"\n')
    result = run()  # type: ignore[operator]
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  x'*", "*^*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_decorated_functions_are_tests_whatever_their_name(pytester: pytest.Pytester, run: object) -> None:
    pytester.makepyfile(test_mine=MODULE.format(seed=0))
    result = run("-v")  # type: ignore[operator]
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_mine.py::gradient_of_a_quadratic[[]grad of x'[*]A[*]x by x[]] PASSED*",
            "test_mine.py::test_gradient[[]grad of x'[*]A[*]x by x[]] FAILED*",
            "test_mine.py::TestInside::gradient[[]grad of sum(exp(x)) by x[]] PASSED*",
            "test_mine.py::test_plain PASSED*",
            "refuted: the claim disagrees with the witnesses",
            "claimed = torch.tensor(*test_gradient(*inputs)",
        ]
    )


def test_the_seed_reaches_every_check(pytester: pytest.Pytester, run: object) -> None:
    pytester.makepyfile(
        test_mine=MODULE.format(seed=7)
        + "\ndef test_assertion():\n    mc.testing.assert_gradient(\"x'*x\", 'x', claim='x')\n"
    )
    (pytester.path / "claims.matcalc.toml").write_text(GOOD_AND_BAD)
    result = run("--matcalc-seed=7")  # type: ignore[operator]
    result.assert_outcomes(passed=6, failed=3)
    result.stdout.fnmatch_lines(["matcalc: seed 7"])
    result.stdout.fnmatch_lines(["*mc.check(\"x'*A*x\", 'x', claim=test_gradient, seed=7)"])
    result.stdout.fnmatch_lines(["*mc.check(\"x'*x\", 'x', claim='x', seed=7)"])
    result.stdout.fnmatch_lines(["*Run it alone: pytest *--matcalc-seed=7*"])


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "9" * 19])
def test_a_seed_that_is_none_is_refused(text: str, run: object) -> None:
    result = run(f"--matcalc-seed={text}")  # type: ignore[operator]
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*is no seed: a seed is a whole number from 0 up*"])


def test_it_runs_in_workers(pytester: pytest.Pytester, run: object) -> None:
    pytest.importorskip("xdist")
    (pytester.path / "claims.matcalc.toml").write_text(GOOD_AND_BAD)
    pytester.makepyfile("def test_seed(matcalc_seed): assert matcalc_seed == 3")
    chosen = ("-k", "known or assumed or seed")
    result = run("-p", "xdist.plugin", "-n", "2", "--matcalc-seed=3", *chosen)  # type: ignore[operator]
    result.assert_outcomes(passed=2, failed=1)


def test_other_modules_are_collected_as_before(pytester: pytest.Pytester, run: object) -> None:
    pytester.makepyfile(
        test_odd="""
        class Awkward:
            matcalc_checks = 3
            def __getattr__(self, name):
                raise RuntimeError(name)
        awkward = Awkward()
        def test_one(): pass
        """
    )
    (pytester.path / "other.toml").write_text("no = 'suite'")
    run().assert_outcomes(passed=1)  # type: ignore[operator]


START = """
import sys
sys.argv = ["pytest"]
import pytest
code = pytest.main(["-q", "-p", "matcalc.pytest_plugin", "-p", "no:cacheprovider", *{args}])
print("LOADED", sorted({{"torch", "sympy", "jax", "matplotlib"}} & set(sys.modules)), int(code))
"""


@pytest.mark.parametrize(
    ("files", "args", "loaded"),
    [
        ({"test_plain.py": "def test_one(): pass"}, [], "LOADED [] 0"),
        ({"claims.matcalc.toml": GOOD_AND_BAD}, ["--collect-only"], "LOADED [] 0"),
        # torch's forward mode loads its compiler for some operations, and SymPy with it
        ({"claims.matcalc.toml": GOOD_AND_BAD}, ["-k", "ridge"], "'torch'] 0"),
    ],
    ids=["start", "collection", "a claim"],
)
def test_nothing_heavy_is_loaded_before_a_check_runs(
    files: dict[str, str], args: list[str], loaded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = subprocess.run(
        [sys.executable, "-c", START.format(args=args)],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert loaded in found.stdout, found.stdout + found.stderr


def test_the_entry_point_names_the_plugin() -> None:
    import tomllib

    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert entry == {"matcalc": "matcalc.pytest_plugin"}
