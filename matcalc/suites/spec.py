"""Files of claims: ``*.matcalc.toml``, read into cases.

A file has an optional table ``[suite]`` of defaults and one ``[[claim]]`` for each case. Every key is known here, and
an unknown one is an error, since a misspelled key would silently check something else.
"""

from __future__ import annotations

import bisect
import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from matcalc.errors import LimitError, ParseError, Span, escape
from matcalc.suites.places import Place, places

SUFFIX = ".matcalc.toml"
_CLAIMED = ("grad", "jacobian", "hessian")
DIRECTED = ("jvp", "vjp", "hvp")  # written again: what defines them takes long to load, and a suite is only read
KINDS = (*_CLAIMED, *DIRECTED)
EXPECTED = ("verified", "refuted")
_MOST_READ = 2**26
_LONGEST_ID = 200
_MOST_TRIALS = 100
_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Case:
    """A claim to be checked, and what is expected of it.

    Without a ``claim`` our own derivation is what is checked.

    Attributes:
        file: the suite's file, relative to the folder that was read.
        id: its name in the file; ``claim-3`` for the third that has none.
        line: where it stands in the file, counted from 1; None where that is not known.
        expr, wrt, claim, kind, let, sizes, unconstrained, trials: the question, as :func:`matcalc.check` takes it.
        direction: the new name of a jvp, vjp or hvp, with which a claim is written; "" for one that is found.
        seed: made from the suite's seed and the id, so that neither order nor number of cases changes a check.
        expect: "verified" or "refuted".
        diagnosis: a word that the diagnosis of a refuted claim has to contain, or "".
        source: where the claim comes from.
    """

    file: str
    id: str
    line: int | None
    expr: str
    wrt: tuple[str, ...]
    claim: str | None = None
    kind: str = "grad"
    let: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    direction: str = ""
    unconstrained: bool = False
    trials: int = 5
    seed: int = 0
    expect: str = "verified"
    diagnosis: str = ""
    source: str = ""

    @property
    def name(self) -> str:
        """File and id, which is unique.

        >>> Case("a.matcalc.toml", "ridge", 3, "x'*x", ("x",)).name
        'a.matcalc.toml::ridge'
        """
        return f"{self.file}::{self.id}"

    @property
    def content(self) -> str:
        """A hash of the question: what its answer depends on, apart from versions."""
        question = [
            self.expr, list(self.wrt), self.claim, self.kind, sorted(self.let.items()), sorted(self.sizes.items()),
            self.direction, self.unconstrained, self.trials, self.seed,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(question).encode()).hexdigest()


def seed_of(suite: int, id: str) -> int:
    """The seed of a case: the same wherever it stands in the suite.

    >>> seed_of(0, "ridge") == seed_of(0, "ridge"), seed_of(0, "ridge") == seed_of(1, "ridge")
    (True, False)
    """
    return int.from_bytes(hashlib.sha256(f"{suite}:{id}".encode()).digest()[:4])


def suite_files(path: str | os.PathLike[str]) -> list[Path]:
    """The file itself, or the ``*.matcalc.toml`` below a folder, in the order of their names.

    Raises:
        ParseError: where there is none.
    """
    given = Path(path)
    if not given.is_dir():
        return [given]
    found = [
        Path(folder) / name
        for folder, _, names in os.walk(given)
        for name in names
        if name.endswith(SUFFIX) and (Path(folder) / name).is_file()
    ]
    if not found:
        raise ParseError(
            f"there is no *{SUFFIX} in {str(given)!r}",
            why="a folder's suites are its files of that name, and those of the folders in it",
        )
    return sorted(found, key=lambda each: each.relative_to(given).parts)


def read_suite(path: str | os.PathLike[str], *, seed: int | None = None, trials: int | None = None) -> list[Case]:
    """The cases of a file, or of all suites in a folder, in order; ``seed`` and ``trials`` go before what it says.

    Raises:
        ParseError: for a file that cannot be read, is no TOML, or has a key or a value that means nothing.
        LimitError: for a file that is too large.
    """
    given = Path(path)
    cases: list[Case] = []
    for file in suite_files(given):
        name = file.relative_to(given).as_posix() if file != given else file.name
        cases += _Reader(name, _text(file), seed, trials).cases()
    return cases


def _text(file: Path) -> str:
    try:
        content = file.read_bytes() if file.stat().st_size <= _MOST_READ else None
        if content is None:
            raise LimitError(f"{str(file)!r} is larger than {_MOST_READ} bytes", why="split the suite into files")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"{str(file)!r} is not UTF-8: {error.reason} at byte {error.start}") from error
    except (OSError, ValueError) as error:
        raise ParseError(f"cannot read {str(file)!r}: {getattr(error, 'strerror', None) or error}") from error


# Each key of a claim, and what it takes in words and as a test.
_Rule = tuple[str, Any]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object, most: int, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_id(value: object) -> bool:
    return _is_text(value) and len(str(value)) <= _LONGEST_ID and str(value).isprintable()


def _is_names(value: object) -> bool:
    return _is_text(value) or (isinstance(value, list) and bool(value) and all(map(_is_text, value)))


def _is_table(value: object, holds: Any) -> bool:
    return isinstance(value, dict) and all(map(holds, value.values()))


_SHARED: dict[str, _Rule] = {
    "seed": ("a whole number from 0", lambda v: _is_count(v, _LARGEST_SEED)),
    "trials": (f"a whole number from 1 to {_MOST_TRIALS}", lambda v: _is_count(v, _MOST_TRIALS, 1)),
    "kind": (f"one of {', '.join(KINDS)}", lambda v: v in KINDS),
    "source": ("a text", lambda v: isinstance(v, str)),
    "unconstrained": ("true or false", lambda v: isinstance(v, bool)),
}
_CLAIM: dict[str, _Rule] = {
    "id": (f"a text of at most {_LONGEST_ID} printable characters", _is_id),
    "expr": ("an expression as text", _is_text),
    "wrt": ('a name, or a list of names as in ["u", "V"]', _is_names),
    "claim": ("a derivative as text", _is_text),
    "let": ('a table from names to declarations, as in { b = "vector(m)" }', lambda v: _is_table(v, _is_text)),
    "sizes": (
        "a table from names to whole numbers, as in { n = 5 }",
        lambda v: _is_table(v, lambda size: _is_count(size, _LARGEST_SEED, 1)),
    ),
    "direction": ("a name as text", _is_text),
    "expect": (f"{' or '.join(EXPECTED)}", lambda v: v in EXPECTED),
    "diagnosis": ("a text", _is_text),
    **_SHARED,
}
_AS_THEY_ARE = ("claim", "kind", "let", "sizes", "direction", "unconstrained", "expect", "diagnosis", "source")
_TOP: dict[str, _Rule] = {
    "suite": ("a table [suite]", lambda v: isinstance(v, dict)),
    "claim": ("tables [[claim]]", lambda v: isinstance(v, list) and all(isinstance(each, dict) for each in v)),
}


@dataclass(frozen=True)
class _Reader:
    """A file being read; what it raises shows the line."""

    file: str
    text: str
    seed: int | None
    trials: int | None

    def cases(self) -> list[Case]:
        whole = self._parsed()
        tables = places(self.text)
        self._check(whole, _TOP, "the file", tables[0], {place.name: place.header for place in tables[1:]})
        suite = whole.get("suite", {})
        self._check(suite, _SHARED, "[suite]", next((p for p in tables if p.name == "suite"), tables[0]))
        claims = whole.get("claim", [])
        headers: list[Place | None] = [place for place in tables if place.name == "claim"]
        if len(headers) != len(claims):
            headers = [None] * len(claims)
        if not claims:
            raise self._error("there is no [[claim]]", tables[0], "")
        found: dict[str, Case] = {}
        for number, (claim, place) in enumerate(zip(claims, headers, strict=True), 1):
            case = self._case(claim, place, number, suite)
            if case.id in found:
                raise self._error(f"two claims have the id {case.id!r}", place, "id")
            found[case.id] = case
        return list(found.values())

    @cached_property
    def _ends(self) -> list[int]:
        return [found.start() for found in re.finditer("\n", self.text)]

    def _line(self, span: Span) -> int:
        return bisect.bisect_left(self._ends, span.start) + 1

    def _parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise self._at(str(error)) from error
        except RecursionError as error:
            raise ParseError(f"{self.file}: nested too deep") from error

    def _at(self, said: str) -> ParseError:
        """What tomllib said, with the line that it names shown."""
        what, _, where = said.removesuffix(")").rpartition(" (at ")
        numbers = [int(word) for word in where.replace(",", "").split() if word.isdigit()]
        if len(numbers) != 2:
            return ParseError(f"{self.file} is no TOML: {said}")
        starts = [0, *(k + 1 for k, character in enumerate(self.text) if character == "\n")]
        offset = starts[min(numbers[0], len(starts)) - 1] + numbers[1] - 1
        message = f"{self.file}:{numbers[0]}: this is no TOML: {what}"
        return ParseError(message, text=self.text, spans=(Span(offset, offset + 1),))

    def _case(self, claim: Mapping[str, Any], place: Place | None, number: int, suite: Mapping[str, Any]) -> Case:
        what = f"claim {number}"
        self._check(claim, _CLAIM, what, place)
        for key in ("expr", "wrt"):
            if key not in claim:
                raise self._error(f"{what} has no {key}", place, "", suggestion=f"{key} = …")
        given = {**suite, **claim}
        wrt, id = claim["wrt"], claim.get("id", f"claim-{number}")
        own: dict[str, Any] = {key: given[key] for key in _AS_THEY_ARE if key in given}
        first = suite.get("seed", 0) if self.seed is None else self.seed
        case = Case(
            file=self.file,
            id=id,
            line=None if place is None else self._line(place.header),
            expr=claim["expr"],
            wrt=(wrt,) if isinstance(wrt, str) else tuple(wrt),
            trials=given.get("trials", 5) if self.trials is None else self.trials,
            seed=claim["seed"] if "seed" in claim and self.seed is None else seed_of(first, id),
            **own,
        )
        self._refuse_contradictions(case, what, place)
        return case

    def _refuse_contradictions(self, case: Case, what: str, place: Place | None) -> None:
        """Keys that say nothing together."""
        directed = case.kind in DIRECTED
        wrong = (
            (directed and case.claim and not case.direction, "claim", f"a {case.kind} needs a direction to claim with"),
            (case.direction and not directed, "direction", f"a direction is for {', '.join(DIRECTED)}"),
            (len(case.wrt) > 1 and case.kind not in ("jacobian", "hessian"), "wrt", f"a {case.kind} is by one name"),
            (len(case.wrt) > 2 and case.kind == "hessian", "wrt", "a hessian is by one name or two"),
            (case.expect == "refuted" and case.claim is None, "expect", "only a claim can be expected to be refuted"),
            (case.diagnosis and case.expect != "refuted", "diagnosis", 'it needs expect = "refuted"'),
        )  # fmt: skip
        for is_wrong, key, why in wrong:
            if is_wrong:
                raise self._error(f"{key} makes no sense in {what}", place, key, why=why)

    def _check(
        self,
        table: Mapping[str, Any],
        rules: Mapping[str, _Rule],
        what: str,
        place: Place | None,
        headers: Mapping[str, Span] | None = None,
    ) -> None:
        keys = {**(headers or {}), **(place.keys if place is not None else {})}
        for key, value in table.items():
            shown = None if place is None else Place(what, keys.get(key, place.header), {})
            if key not in rules:
                near = difflib.get_close_matches(key[:40], rules, n=1)
                raise self._error(
                    f"there is no key {key[:40]!r} in {what}",
                    shown,
                    "",
                    why=f"the keys are {', '.join(rules)}",
                    suggestion=near[0] if near else "",
                )
            wanted, holds = rules[key]
            if not holds(value):
                raise self._error(f"{key} of {what} is not {wanted}", shown, "")

    def _error(self, message: str, place: Place | None, key: str, *, why: str = "", suggestion: str = "") -> ParseError:
        if place is None:
            return ParseError(f"{escape(self.file)}: {message}", why=why, suggestion=suggestion)
        span = place.keys.get(key, place.header)
        spans = (span,) if span.end else ()
        where = f"{escape(self.file)}:{self._line(span)}" if span.end else escape(self.file)
        return ParseError(f"{where}: {message}", text=self.text, spans=spans, why=why, suggestion=suggestion)
