"""Documents of outcomes: read back by a parser, and with nothing in them that a suite's author could make markup of."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from matcalc.suites.junit import junit
from matcalc.suites.outcome import Outcome
from matcalc.suites.spec import Case
from matcalc.suites.summary import as_markdown, as_text, code, counted

HOSTILE = [
    "<script>alert(1)</script>",
    "]]> & \"quoted\" 'twice'",
    "`code` ``twice`` ```\nfence\n```",
    "`",
    "``` ",
    " spaces ",
    "[link](javascript:alert(1)) ![i](x)",
    "*bold* _it_ ~~no~~ | cell | \\| \\",
    "# title\n- item\n\n1. one\n---",
    "@somebody #12 https://example.org www.example.org a@example.org",
    "&lt;b&gt; <!-- c -->",
    "$x$ \\(y\\)",
    "a\x00b\x1b[31m\x85\u2028\u202e\ufffe",
]


def outcome(text: str, verdict: str = "refuted", file: str = "a.matcalc.toml") -> Outcome:
    case = Case(file, text, 3, text, ("x",), text, source=text)
    return Outcome(case, verdict, diagnosis=text, reason=text)


FOUND = [outcome(text) for text in HOSTILE] + [outcome(text, "inconclusive", "b") for text in HOSTILE]


def test_xml_says_how_many_and_what() -> None:
    root = ET.fromstring(junit([*FOUND, outcome("fine", "verified", "b")]))  # noqa: S314  # our own output
    first, second = root

    assert root.attrib == {"tests": "27", "failures": "13", "errors": "13"}
    assert first.attrib == {"name": "a.matcalc.toml", "tests": "13", "failures": "13", "errors": "0"}
    assert second.attrib == {"name": "b", "tests": "14", "failures": "0", "errors": "13"}
    assert [list(each) for each in second][-1] == []
    assert {key: first[0].get(key) for key in ("name", "classname", "file", "line")} == {
        "name": HOSTILE[0], "classname": "a.matcalc.toml", "file": "a.matcalc.toml", "line": "3",
    }  # fmt: skip
    (failure,) = first[0]
    assert (failure.tag, failure.get("type")) == ("failure", "refuted")
    assert failure.get("message") == f"refuted, and expected to be verified: {HOSTILE[0]}"
    assert failure.text is not None
    assert failure.text.splitlines()[:2] == [f"expr = {HOSTILE[0]}", "wrt = x"]
    assert (second[0][0].tag, second[0][0].get("type")) == ("error", "inconclusive")


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_hostile_text_as_code(text: str) -> None:
    shown = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(as_markdown([outcome(text)]))
    inner = [token for block in shown if block.type == "inline" for token in block.children or ()]
    codes = [token.content for token in inner if token.type == "code_inline"]

    assert {token.type for token in inner} <= {"text", "code_inline"}
    assert {block.type for block in shown} <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline",
        "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    }  # fmt: skip
    assert [block.markup for block in shown if block.type == "heading_open"] == ["#", "##", "##"]
    words = "".join(token.content for token in inner if token.type == "text")
    assert not any(sign in words for sign in "<>@[]`|*\\$/")
    assert codes[2] == code(text).strip("`").strip()


def test_the_terminal_gets_no_control_characters() -> None:
    assert as_text([outcome(HOSTILE[-1])]).splitlines()[0].isprintable()


def test_a_long_list_is_cut_on_the_terminal_alone() -> None:
    many = [outcome(f"c{k}") for k in range(60)]

    assert as_text(many).splitlines()[50:] == ["and 10 more", "60 claims: 0 as expected, 60 refuted"]
    assert as_markdown(many).count("- refuted: ") == 60


def test_the_count_names_every_verdict() -> None:
    found = [outcome("a", verdict) for verdict in ("error", "verified", "refuted", "inconclusive", "verified")]

    assert counted(found) == "5 claims: 2 as expected, 2 verified, 1 refuted, 1 inconclusive, 1 error"
