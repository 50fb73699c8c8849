"""The committed pages are those that the records make."""

import subprocess
import sys
from pathlib import Path

import pytest

from matcalc.expression.operator import TABLE
from matcalc.handbook import mentions, pages, pictures

MADE = dict(pages.pages())


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_committed_page_is_what_is_made(name: str) -> None:
    """Where this fails, `make docs` makes it hold."""
    assert (pages.DOCS / name).read_text(encoding="utf-8") == MADE[name]


def test_no_picture_is_left_over() -> None:
    committed = {f"pictures/{path.name}" for path in (pages.DOCS / "pictures").iterdir()}
    assert committed == {name for name in MADE if name.startswith("pictures/")}


def test_pages_are_the_same_in_another_process() -> None:
    program = "import hashlib; from matcalc.handbook.pages import pages\n" \
        "print(hashlib.sha256(repr(list(pages())).encode()).hexdigest())"  # fmt: skip
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=100, env={
                "PYTHONHASHSEED": seed, "PYTHONPATH": str(pages.PACKAGE.parent)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(runs) == 1


def test_pages_load_no_plotting_library() -> None:
    program = "import sys; from matcalc.handbook.pages import pages; list(pages()); print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=100)
    assert run.stdout.strip() == "False"


def test_a_picture_breaks_where_the_derivative_jumps() -> None:
    text = pictures.picture(TABLE["relu"])
    assert text.count("<polyline") == 2 + 4


def test_a_mention_is_found_and_a_definition_is_none(tmp_path: Path) -> None:
    (tmp_path / "operators").mkdir()
    (tmp_path / "operators" / "elementwise.py").write_text('define("tanh")', encoding="utf-8")
    (tmp_path / "passes.py").write_text('if node.op == "tanh":\n    pass\n"tanh of x"', encoding="utf-8")

    assert mentions.mentions(tmp_path) == {"tanh": ["passes.py"]}


def test_no_pass_asks_for_an_operator_by_name() -> None:
    asked = MADE["mentions.md"].split("## The algebra")[0].split("| --- | --- |")[1].strip()
    assert asked == ""
