"""Suites are read strictly: what is not understood is an error that shows the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from matcalc import directional_derivatives
from matcalc.cli.suite import HELP
from matcalc.errors import LimitError, ParseError
from matcalc.suites import spec
from matcalc.suites.places import places
from matcalc.suites.run import run_case
from matcalc.suites.spec import read_suite, seed_of, suite_files

WHOLE = '''
[suite]
seed = 7
trials = 3
source = "a lecture"

[[claim]]
id = "ridge"
expr = "norm2(A*x - b)^2 + l*norm2(x)^2"
wrt = "x"
claim = "2*A.T*(A*x - b) + 2*l*x"
let = { b = "vector(m)" }
sizes = { n = 5 }

[[claim]]
expr = "u'*V*u"
wrt = ["u", "V"]
kind = "hessian"
trials = 4
source = """
[[claim]]
clam = 1 # neither a header nor a key
"""
[claim.let]
u = "vector(n)"

[[claim]]
expr = "x'*A*x"
wrt = "x"
claim = "2*A*x"
seed = 11
unconstrained = true
expect = "refuted"
diagnosis = "symmetric"
'''


def written(folder: Path, text: str, name: str = "a.matcalc.toml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def one(lines: str) -> str:
    return f'[[claim]]\nexpr = "x\'*x"\nwrt = "x"\n{lines}'


def test_every_key_arrives(tmp_path: Path) -> None:
    ridge, block, quadratic = read_suite(written(tmp_path, WHOLE))

    assert (ridge.name, ridge.line, ridge.wrt, ridge.kind) == ("a.matcalc.toml::ridge", 7, ("x",), "grad")
    assert (ridge.claim, ridge.let, ridge.sizes) == ("2*A.T*(A*x - b) + 2*l*x", {"b": "vector(m)"}, {"n": 5})
    assert (ridge.trials, ridge.seed, ridge.source, ridge.expect) == (3, seed_of(7, "ridge"), "a lecture", "verified")
    assert (block.id, block.line, block.wrt, block.kind) == ("claim-2", 15, ("u", "V"), "hessian")
    assert (block.claim, block.trials, block.let) == (None, 4, {"u": "vector(n)"})
    assert (quadratic.seed, quadratic.unconstrained, quadratic.line) == (11, True, 27)
    assert (quadratic.expect, quadratic.diagnosis) == ("refuted", "symmetric")


def test_what_is_asked_for_goes_before_what_the_file_says(tmp_path: Path) -> None:
    cases = read_suite(written(tmp_path, WHOLE), seed=1, trials=2)

    assert [case.seed for case in cases] == [seed_of(1, case.id) for case in cases]
    assert {case.trials for case in cases} == {2}


def test_a_seed_does_not_depend_on_the_place_in_the_suite(tmp_path: Path) -> None:
    first, second = one('id = "first"\n'), one('id = "second"\n')
    forward, backward = (read_suite(written(tmp_path, text)) for text in (first + second, second + first))

    assert [case.seed for case in forward] == [case.seed for case in reversed(backward)]
    assert forward[0].seed != forward[1].seed


def test_the_content_is_that_of_the_question_alone(tmp_path: Path) -> None:
    def content(lines: str) -> str:
        return read_suite(written(tmp_path, one('id = "a"\n' + lines)))[0].content

    plain = content('claim = "2*x"')
    same = ['claim = "2*x"\nsource = "elsewhere"', 'claim = "2*x"\nexpect = "refuted"\ndiagnosis = "sign"']
    other = ["", 'claim = "x"', 'claim = "2*x"\ntrials = 2', 'claim = "2*x"\nlet = { x = "vector(3)" }']
    other += ['claim = "2*x"\nsizes = { n = 3 }', 'claim = "2*x"\nseed = 1', 'claim = "2*x"\nunconstrained = true']

    assert [content(lines) for lines in same] == [plain, plain]
    assert len({plain, *map(content, other)}) == 1 + len(other)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("b.matcalc.toml", "a/z.matcalc.toml", "a/b/c.matcalc.toml", "a.matcalc.toml", "other.toml"):
        written(tmp_path, one(""), name)
    wanted = ["a/b/c.matcalc.toml", "a/z.matcalc.toml", "a.matcalc.toml", "b.matcalc.toml"]

    assert [file.relative_to(tmp_path).as_posix() for file in suite_files(tmp_path)] == wanted
    assert [case.name for case in read_suite(tmp_path)] == [f"{name}::claim-1" for name in wanted]


@pytest.mark.parametrize(
    ("text", "place", "message", "suggestion"),
    [
        (one('clam = "2*x"'), (4, 1), "a.matcalc.toml:4: there is no key 'clam' in claim 1", "claim"),
        (one("") + one('id = "b"\n  sizs = { n = 2 }'), (8, 3), "there is no key 'sizs' in claim 2", "sizes"),
        (one("[claim.lett]\nA = 'matrix(n, n)'"), (4, 8), "there is no key 'lett' in claim 1", "let"),
        ("[suit]\nseed = 1\n" + one(""), (1, 2), "there is no key 'suit' in the file", "suite"),
        ("[suite]\nsed = 1\n" + one(""), (2, 1), "there is no key 'sed' in [suite]", "seed"),
        ("seed = 1\n" + one(""), (1, 1), "there is no key 'seed' in the file", ""),
        ("claim = [{ expr = 'x', wrt = 'x', clam = 'x' }]", (1, 1), "there is no key 'clam' in claim 1", "claim"),
        ("", (1, 1), "there is no [[claim]]", ""),
        ("claim = 1", (1, 1), "claim of the file is not tables [[claim]]", ""),
        ("[[claim]]\nexpr = 'x'", (1, 3), "claim 1 has no wrt", "wrt = …"),
        ("[[claim]]\nwrt = 'x'", (1, 3), "claim 1 has no expr", "expr = …"),
        (one("let = { A = 3 }"), (4, 1), "let of claim 1 is not a table from names to declarations", ""),
        (one("sizes = { n = 0 }"), (4, 1), "sizes of claim 1 is not a table from names to whole numbers", ""),
        (one("sizes = { n = true }"), (4, 1), "sizes of claim 1 is not a table", ""),
        (one("trials = 0"), (4, 1), "trials of claim 1 is not a whole number from 1 to 100", ""),
        (one("seed = -1"), (4, 1), "seed of claim 1 is not a whole number from 0", ""),
        (one("seed = true"), (4, 1), "seed of claim 1 is not a whole number", ""),
        (one("kind = 'gradient'"), (4, 1), "kind of claim 1 is not one of grad, jacobian, hessian, jvp", ""),
        (one("expect = 'maybe'"), (4, 1), "expect of claim 1 is not verified or refuted", ""),
        (one("unconstrained = 1"), (4, 1), "unconstrained of claim 1 is not true or false", ""),
        (one('id = "a\\u0007b"'), (4, 1), "id of claim 1 is not a text of at most 200 printable characters", ""),
        (one('id = ""'), (4, 1), "id of claim 1 is not a text", ""),
        (one("id = 'a'\n") + one("id = 'a'"), (8, 1), "two claims have the id 'a'", ""),
        (one("kind = 'jvp'\nclaim = '2*x'"), (5, 1), "claim makes no sense in claim 1", ""),
        (one("direction = 'v'"), (4, 1), "direction makes no sense in claim 1", ""),
        (one("expect = 'refuted'"), (4, 1), "expect makes no sense in claim 1", ""),
        (one("claim = '2*x'\ndiagnosis = 'sign'"), (5, 1), "diagnosis makes no sense in claim 1", ""),
        ("[[claim]]\nexpr = 'x'\nwrt = ['x', 'y']", (3, 1), "wrt makes no sense in claim 1", ""),
        ("[[claim]]\nexpr = 'x'\nwrt = []", (3, 1), "wrt of claim 1 is not a name, or a list of names", ""),
        ("[[claim]]\nexpr = \n", (2, 8), "a.matcalc.toml:2: this is no TOML: Invalid value", ""),
        ("[[claim]]\nexpr = [1,\n", (1, 1), "a.matcalc.toml is no TOML", ""),
        ("a = " + "[" * 100_000, (1, 1), "nested too deep", ""),
    ],
)  # fmt: skip
def test_what_means_nothing_is_an_error_at_its_place(
    tmp_path: Path, text: str, place: tuple[int, int], message: str, suggestion: str
) -> None:
    with pytest.raises(ParseError) as raised:
        read_suite(written(tmp_path, text))

    assert message in raised.value.message
    assert (raised.value.line, raised.value.column) == place
    assert raised.value.suggestion == suggestion


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "latin.matcalc.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ParseError, match=r"is not UTF-8: .* at byte 5"):
        read_suite(tmp_path)
    with pytest.raises(ParseError, match=r"cannot read .*: No such file or directory"):
        read_suite(tmp_path / "missing.toml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParseError, match=r"there is no \*\.matcalc\.toml in"):
        read_suite(tmp_path / "empty")
    monkeypatch.setattr(spec, "_MOST_READ", 10)
    with pytest.raises(LimitError, match="larger than 10 bytes"):
        read_suite(written(tmp_path, one("")))


def blocks() -> list[str]:
    """Suites as the page and the help show them."""
    page = (Path(__file__).parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")
    return [page.split("```toml\n")[1].split("```")[0], "[suite]" + HELP.split("[suite]")[1].split("Exit codes")[0]]


@pytest.mark.parametrize("block", blocks())
def test_what_the_page_and_the_help_show_is_a_suite(tmp_path: Path, block: str) -> None:
    cases = read_suite(written(tmp_path, block), trials=2)
    found = [run_case(case) for case in cases]

    assert len(cases) >= 2
    assert [outcome.complaint for outcome in found] == [""] * len(cases)


def test_the_kinds_with_a_direction_are_those_that_can_be_derived() -> None:
    assert spec.DIRECTED == directional_derivatives.DIRECTED


def test_the_page_names_every_key_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")
    table = page.split("| --- | --- | --- |\n")[1].split("\n\n")[0]

    assert {line.split("`")[1] for line in table.splitlines()} == set(spec._CLAIM)


def test_places_are_those_of_the_text_itself() -> None:
    found = places(WHOLE)

    assert [place.name for place in found] == ["", "suite", "claim", "claim", "claim"]
    assert list(found[3].keys) == ["expr", "wrt", "kind", "trials", "source", "let", "u"]
    assert all(span.cut(WHOLE) == key for place in found for key, span in place.keys.items())
