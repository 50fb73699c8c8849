"""The site is built with warnings as errors, and without network or script for its formulas."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from matcalc.cli.main import run
from matcalc.errors import CheckError
from matcalc.gallery import CASES, PAGE, gallery
from matcalc.suites.spec import read_suite

ROOT = Path(__file__).resolve().parents[2]


def built(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = built(ROOT / "docs", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "gallery.html").read_text()
    assert page.count("<math ") >= 60
    assert not re.findall(r"""<script[^>]*src=["']https?:""", page)


def test_a_formula_that_cannot_be_shown_stops_the_build(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_text((ROOT / "docs" / "conf.py").read_text().replace(
        'Path(__file__).parent / "_extensions"', repr(str(ROOT / "docs" / "_extensions"))
    ))  # fmt: skip
    (source / "_static").mkdir()
    (source / "index.md").write_text("# Page\n\n$\\href{x}{y}$\n")
    done = built(source, tmp_path / "out")
    assert done.returncode != 0
    assert "no MathML for" in done.stderr


@pytest.fixture(scope="module")
def page() -> str:
    return gallery(read_suite(CASES))


def test_the_committed_gallery_is_what_is_made(page: str) -> None:
    """Where this fails, `make docs` makes it hold."""
    assert PAGE.read_text(encoding="utf-8") == page
    assert page.count("\n$$\n") >= 2 * 60


def test_a_false_claim_in_the_gallery_stops_it(tmp_path: Path) -> None:
    file = tmp_path / "planted.matcalc.toml"
    file.write_text('[[claim]]\nexpr = "x\'*A*x"\nwrt = "x"\nclaim = "2*A*x"\nsource = "planted"\n')
    with pytest.raises(CheckError, match="refuted: right only if A is symmetric"):
        gallery(read_suite(file))


def test_the_derivatives_that_the_documentation_states_hold(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(["doctest", str(ROOT / "docs"), str(ROOT / "README.md")])
    assert stopped.value.code == 0
    assert "4 hold in" in capsys.readouterr().err
