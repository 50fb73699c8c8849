"""Errors show the reader's own text, safely, and survive being copied and pickled."""

import copy
import pickle  # noqa: TID251  # a process pool pickles errors; nothing from outside is read here

import pytest

from matcalc.errors import (
    CheckError,
    DeviceError,
    DomainError,
    LimitError,
    MatcalcError,
    ParseError,
    ShapeError,
    Span,
    UnsupportedError,
    underline,
)
from matcalc.limits import Limits, exceeded

CODES = {
    ParseError: 2,
    ShapeError: 2,
    DomainError: 2,
    UnsupportedError: 2,
    LimitError: 3,
    CheckError: 3,
    DeviceError: 4,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_every_error_has_its_exit_code(kind, code):
    assert issubclass(kind, MatcalcError)
    assert kind.exit_code == code


def test_parts_stand_in_order():
    error = ShapeError(
        "cannot add m×1 and k×1",
        text="A*x + B*x",
        spans=(Span(0, 3), Span(6, 9)),
        why="A is m×n, B is k×n",
        suggestion="A*x + C*x",
    )
    assert str(error) == (
        "cannot add m×1 and k×1\n  A*x + B*x\n  ^^^\n  A*x + B*x\n        ^^^\nA is m×n, B is k×n\nTry: A*x + C*x"
    )


def test_line_and_column_count_from_one():
    error = ParseError("no", text="x\r\n+ 2y", spans=(Span(6, 7),))
    assert (error.line, error.column) == (2, 4)
    assert str(error) == "no\n  + 2y\n     ^"


def test_parse_errors_always_have_a_place_and_others_only_with_a_span():
    assert (ParseError("no").line, ParseError("no").column) == (1, 1)
    assert (ShapeError("no").line, ShapeError("no").column) == (None, None)


def test_at_fills_in_only_what_is_missing():
    bare = DomainError("no")
    placed = bare.at("log(0)", Span(4, 5))
    assert (placed.text, placed.spans, bare.text) == ("log(0)", (Span(4, 5),), None)
    assert placed.at("other", Span(0, 1)).text == "log(0)"
    assert type(placed) is DomainError


@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
@pytest.mark.parametrize("kind", CODES)
def test_errors_survive_copying(kind, duplicate):
    error = kind("no", text="x + y", spans=(Span(0, 1),), why="because", suggestion="x")
    assert type(duplicate(error)) is kind
    assert str(duplicate(error)) == str(error)


def test_limit_error_names_its_option_and_keeps_its_fields():
    error = pickle.loads(pickle.dumps(exceeded(Limits(), "nesting", 120, "nested 120 deep")))  # noqa: S301
    assert error.message == "nested 120 deep: the limit is 100; raise it with --limit nesting=200"
    assert (error.limit, error.value, error.allowed) == ("nesting", 120, 100)


@pytest.mark.parametrize(
    ("text", "span", "rows"),
    [
        ("x + y", Span(4, 5), ["  x + y", "      ^"]),
        ("x +", Span(3, 3), ["  x +", "     ^"]),
        ("漢 + y", Span(4, 5), ["  漢 + y", "       ^"]),
        ("漢 + y", Span(0, 1), ["  漢 + y", "  ^^"]),
        ("e\u0301 + y", Span(5, 6), ["  e\u0301 + y", "      ^"]),
        ("\t+ y", Span(3, 4), ["   + y", "     ^"]),
        ("a\x1b[31m", Span(2, 3), ["  a\\x1b[31m", "       ^"]),
        ("\u202ex", Span(1, 2), ["  \\u202ex", "        ^"]),
        ("a\nbc\nd", Span(0, 4), ["  a", "  ^", "  bc", "  ^^"]),
    ],
)
def test_carets_stand_under_the_span(text, span, rows):
    assert underline(text, span) == rows


def test_long_lines_are_cut_around_the_span():
    shown, carets = underline("a" * 500 + "!" + "b" * 500, Span(500, 501))
    assert shown.startswith("  …")
    assert shown.endswith("…")
    assert len(shown) <= 106
    assert shown[carets.index("^")] == "!"


def test_nothing_in_an_error_steers_a_terminal():
    error = ParseError("\x1b]0;t\x07", text="\x1b[2J", spans=(Span(0, 1),), why="\u202e", suggestion="\x9b1m")
    assert str(error).replace("\n", "").isprintable()


def test_limits_are_read_from_settings():
    limits = Limits.parse(["nesting=200", " name-length = 40 "])
    assert (limits.nesting, limits.name_length, limits.nodes) == (200, 40, 5000)
    assert Limits.parse(["size=3"], base=limits).nesting == 200


@pytest.mark.parametrize(
    ("setting", "message", "suggestion"),
    [
        ("nestin=200", "there is no limit 'nestin'", "nesting=200"),
        ("☃=1", "there is no limit '☃'", ""),
        ("size=-1", "the limit size needs a positive integer of at most 12 digits", "size=8192"),
        ("size", "the limit size needs a positive integer of at most 12 digits", "size=8192"),
        ("size=0", "the limit size needs a positive integer of at most 12 digits", "size=8192"),
        ("size=" + "9" * 5000, "the limit size needs a positive integer of at most 12 digits", "size=8192"),
    ],
)
def test_settings_that_are_no_limits(setting, message, suggestion):
    with pytest.raises(ParseError) as caught:
        Limits.parse([setting])
    assert (caught.value.message, caught.value.suggestion) == (message, suggestion)
