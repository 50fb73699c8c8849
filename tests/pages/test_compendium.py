"""Documents about all that files claim."""

from __future__ import annotations

from pathlib import Path

import pytest

import matcalc as mc
from matcalc.cli.main import run
from matcalc.compendium import exit_code, pages_in

SUITE = """
[[claim]]
id = "quadratic"
source = "Petersen & Pedersen 2012, eq. 81"
expr = "x'*A*x"
wrt = "x"
claim = "(A + A')*x"
[[claim]]
id = "one half of it"
expr = "x'*A*x"
wrt = "x"
claim = "2*A*x"
expect = "refuted"
[[claim]]
id = "along a direction"
expr = "x'*A*x"
wrt = "x"
kind = "hvp"
claim = "(A + A')*v"
direction = "v"
"""
NOTES = """# Notes

```matcalc
let A: matrix(n, n; symmetric)
d/dx (x.T*A*x) = 2*A*x
d/dx (x.T*A*x) != A*x
d/dx (A*x) = ?
```
"""


def files(tmp_path: Path, **contents: str) -> Path:
    for name, content in contents.items():
        suffix = ".matcalc.toml" if name.startswith("suite") else ".md"
        (tmp_path / f"{name}{suffix}").write_text(content, encoding="utf-8")
    return tmp_path


def test_every_claim_of_a_folder_has_a_page(tmp_path: Path) -> None:
    pages = list(pages_in(files(tmp_path, suite=SUITE, notes=NOTES), trials=2))
    assert [(page.result.text, page.verdict, page.expected) for page in pages] == [
        ("2*A*x", "verified", "verified"),
        ("2*A*x", "refuted", "refuted"),
        ("A", "verified", "verified"),
        ("(A + A.T)*x", "verified", "verified"),
        ("(A + A.T)*x", "refuted", "refuted"),
        ("(A + A.T)*v", "verified", "verified"),
    ]
    assert [page.origin for page in pages][:4] == [
        "notes.md, line 5", "notes.md, line 6", "notes.md, line 7",
        "suite.matcalc.toml, quadratic: Petersen & Pedersen 2012, eq. 81",
    ]  # fmt: skip
    assert exit_code(pages) == 0


@pytest.mark.parametrize(
    ("notes", "code", "says"),
    [
        (NOTES.replace("= 2*A*x", "= A*x"), 1, "2 refuted, 1 verified"),
        (NOTES.replace("!= A*x", "!= 2*A*x"), 1, "3 verified"),
        (NOTES, 0, "2 verified, 1 refuted"),
    ],
    ids=["a false claim", "a right one called wrong", "as it says"],
)
def test_a_document_that_is_wrong_is_told(
    notes: str, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = files(tmp_path, notes=notes)
    with pytest.raises(SystemExit) as stopped:
        run(["doc", str(at / "notes.md"), "--format", "markdown", "--out", str(at / "out.md"), "--trials", "2"])
    assert stopped.value.code == code
    assert capsys.readouterr().err.split(": ", 1)[1].strip() == says
    assert "notes.md" in (at / "out.md").read_text(encoding="utf-8").splitlines()[0]


def test_where_a_claim_stands_is_said(tmp_path: Path) -> None:
    at = files(tmp_path, notes=NOTES.replace("(A*x)", "(A*x*)"))
    with pytest.raises(mc.ParseError, match=r"notes\.md"):
        list(pages_in(at, trials=2))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing-there"], "there is no file"),
        ([".", "--claim", "x"], "--claim is about an expression"),
        (["."], "states a derivative"),
    ],
)
def test_what_has_no_page_is_refused(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        run(["doc", *arguments])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
