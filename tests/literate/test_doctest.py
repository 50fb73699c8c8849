"""Derivatives in documents: found where they stand, checked, filled in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

import matcalc as mc
from matcalc.cli.main import run
from matcalc.literate.blocks import blocks_in, files_under
from matcalc.literate.check import check_file
from matcalc.literate.statements import Statement, statements_in

ROOT = Path(__file__).parents[2]

MARKDOWN = """# Notes

```matcalc
let A: matrix(n, n; symmetric)
d/dx (x.T*A*x) = 2*A*x
d/dx (x.T*A*x) = A*x        # planted
d^2/dx^2 (x.T*A*x) = ?
d/dx (x.T*A*x) != A*x
d/dx (x.T*A*x) != 2*A*x
d/dx (tanh(W*x)) =
    diag(1 - tanh(W*x).^2)*W
d/dq (x'*x) = 2*x
d/dx (x'*x
```

- in a list
  ~~~ matcalc
  d/dx (x'*x) = ?
  ~~~

> ```matcalc
> d/dX (tr(A*X)) = A
> ```

````markdown
```matcalc
d/dx (x'*x) = nonsense
```
````

```matcalc
(A + A.T)*x
```

```python
d/dx (x'*x) = nonsense
```
"""
FOUND = [
    (5, "holds", "verified"),
    (6, "false", "factor: the claim is 1/2 times the gradient"),
    (7, "unanswered", "--fix"),
    (8, "holds", "rightly called wrong"),
    (9, "false", "what is called wrong here is right"),
    (10, "holds", "verified"),
    (12, "unreadable", "there is no 'q'"),
    (13, "unreadable", "parenthesis is not closed"),
    (18, "unanswered", "--fix"),
    (22, "false", "transposed"),
]


def document(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def told(file: Path, **options: object) -> list[tuple[int, str, str]]:
    return [(f.line, f.outcome, f.says) for f in check_file(file, **options)]


def test_statements_of_markdown(tmp_path: Path) -> None:
    found = told(document(tmp_path, "notes.md", MARKDOWN))
    assert [(line, outcome) for line, outcome, _ in found] == [(line, outcome) for line, outcome, _ in FOUND]
    for (_, _, says), (_, _, part) in zip(found, FOUND, strict=True):
        assert part in says


def test_question_marks_are_answered_and_nothing_else_changes(tmp_path: Path) -> None:
    file = document(tmp_path, "notes.md", MARKDOWN)
    list(check_file(file, fix=True))
    expected = MARKDOWN.replace("(x.T*A*x) = ?", "(x.T*A*x) = 2*A").replace("  d/dx (x'*x) = ?", "  d/dx (x'*x) = 2*x")
    assert file.read_text() == expected
    assert "unanswered" not in {outcome for _, outcome, _ in told(file)}
    again = file.read_bytes()
    list(check_file(file, fix=True))
    assert file.read_bytes() == again


def test_line_ends_stay_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_bytes(b"```matcalc\r\nd/dx (x'*x) = ?\r\n```\r\nlast")
    list(check_file(file, fix=True))
    assert file.read_bytes() == b"```matcalc\r\nd/dx (x'*x) = 2*x\r\n```\r\nlast"


def test_latex_comments(tmp_path: Path) -> None:
    text = "\n".join(
        [
            r"\begin{equation} % matcalc: d/dX (logdet(X)) = inv(X)",
            "% matcalc: let S: matrix(n, n; posdef)",
            "% matcalc: d/dS (logdet(S)) = inv(S)",
            r"100\% matcalc: is no comment",
            "% matcalc: d/dx (exp(x)'*y) = ?",
        ]
    )
    file = document(tmp_path, "paper.tex", text)
    found = told(file)
    assert [(line, outcome) for line, outcome, _ in found] == [(1, "false"), (3, "holds"), (5, "unanswered")]
    list(check_file(file, fix=True))
    assert file.read_text().splitlines()[4] == "% matcalc: d/dx (exp(x)'*y) = y.*exp(x)"


def test_restructured_text(tmp_path: Path) -> None:
    lines = ["Title", "=====", "", ".. code-block:: matcalc", "   :name: here", "", "   d/dX (tr(A*X)) = A'"]
    text = "\n".join([*lines, "   d/dX (tr(A*X)) = A", "", "after", ""])
    found = told(document(tmp_path, "notes.rst", text))
    assert [(line, outcome) for line, outcome, _ in found] == [(7, "holds"), (8, "false")]


@pytest.mark.parametrize("ascii_only", [True, False])
def test_notebooks(tmp_path: Path, ascii_only: bool) -> None:
    source = ["Für die Norm:\n", "```matcalc\n", "d/dx (norm2(x)^2) = x\n", "d/dx (norm2(x)^2) = ?\n", "```"]
    cells = [
        {"cell_type": "code", "source": ["d/dx (norm2(x)^2) = x\n"], "metadata": {}},
        {"cell_type": "markdown", "source": source, "metadata": {}},
    ]
    text = json.dumps({"cells": cells, "nbformat": 4}, indent=1, ensure_ascii=ascii_only)
    file = document(tmp_path, "notes.ipynb", text)
    wrong, unanswered = list(check_file(file))
    assert (wrong.outcome, unanswered.outcome) == ("false", "unanswered")
    lines = text.splitlines()
    assert "norm2(x)^2) = x" in lines[wrong.line - 1]
    assert wrong.line > 8
    list(check_file(file, fix=True))
    assert json.loads(file.read_text())["cells"][1]["source"][3] == "d/dx (norm2(x)^2) = 2*x\n"
    assert json.loads(file.read_text())["cells"][0] == cells[0]


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "markdown"}]}'])
def test_what_is_no_notebook_says_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(mc.ParseError, match="no notebook"):
        blocks_in(document(tmp_path, "x.ipynb", text))


def test_mixed_blocks_are_read_from_the_inside_out(tmp_path: Path) -> None:
    file = document(tmp_path, "x.md", "```matcalc\nd/dV d/du (u'*V*w) = ?\n```\n")
    (statement,) = statements_in(blocks_in(file)[0])
    assert isinstance(statement, Statement)
    assert (statement.names, statement.twice) == (("u", "V"), True)
    list(check_file(file, fix=True))
    assert "= kron(w.T, eye(" in file.read_text()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("d/dx x'*x = 2*x", "stands in parentheses"),
        ("d/dx (x'*x)", "says what the derivative is"),
        ("d/dx (x'*x) =", "nothing stands after"),
        ("d/dx (x'*x) = 2*x\nhello", "this is no statement"),
        ("d/dx (x'*x) = 2*", "error"),
        ("d/dx (x'*y*) = 2*x", "error"),
        ("let A: matrx(n, n)\nd/dx (x'*A*x) = 2*x", "error"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    found = told(document(tmp_path, "x.md", f"```matcalc\n{line}\n```\n"))
    assert found[-1][1] == "unreadable"
    assert says in found[-1][2]
    assert found[-1][0] == 1 + len(line.splitlines())


def test_folders_are_searched_in_order_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("b/x.md", "a.tex", ".hidden/x.md", "node_modules/x.md", "a.txt", "b/a.rst"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [p.relative_to(tmp_path).as_posix() for p in files_under(tmp_path)] == ["a.tex", "b/a.rst", "b/x.md"]
    with pytest.raises(mc.ParseError, match="there is nothing"):
        files_under(tmp_path / "none")
    with pytest.raises(mc.ParseError, match="no kind of document"):
        files_under(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("text", "code", "out"),
    [
        ("d/dx (x'*x) = 2*x", 0, ""),
        ("d/dx (x'*x) = x", 1, "notes.md:2: refuted: factor: the claim is 1/2 times the gradient\n"),
        ("d/dx (x'*x) = q", 2, "notes.md:2: error: "),
        ("d/dx (x'*x) = ?", 1, "notes.md:2: a question mark"),
        ("x'*x", 0, ""),
    ],
)
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, out: str) -> None:
    document(tmp_path, "notes.md", f"```matcalc\n{text}\n```\n")
    with pytest.raises(SystemExit) as stopped:
        run(["doctest", str(tmp_path)])
    assert stopped.value.code == code
    assert out in capsys.readouterr().out


def test_the_hook_and_the_action_call_what_there_is() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "matcalc doctest"
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    script = "\n".join(step.get("run", "") for step in action["runs"]["steps"])
    assert 'matcalc doctest "${paths[@]}"' in script
    assert "${{" not in script


def test_a_link_or_a_copy_makes_no_difference(tmp_path: Path) -> None:
    file = document(tmp_path, "notes.md", MARKDOWN)
    shutil.copy(file, tmp_path / "copy.md")
    assert told(file) == told(tmp_path / "copy.md")
