"""Where a key stands in a TOML text, which tomllib does not say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from matcalc.errors import Span

# Strings and comments, the longest delimiter first: what they hold is no structure.
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)  # fmt: skip
_LINE = re.compile(
    r"^[ \t]*(?:(?P<array>\[\[[ \t]*(?P<element>[\w-]+)[ \t]*\]\])"
    r"|\[[ \t]*(?P<table>[\w-]+)[ \t]*(?:\.[ \t]*(?P<nested>[\w-]+)[^\]]*)?\]"
    r"|(?P<key>[\w-]+)[ \t]*[.=])",
    re.MULTILINE | re.ASCII,
)


@dataclass(frozen=True)
class Place:
    """A table of the text: its header and its keys."""

    name: str
    header: Span
    keys: dict[str, Span]


def places(text: str) -> list[Place]:
    """Every ``[table]`` and ``[[element]]`` in order, what stands before the first under the name "".

    Keys in quotation marks are not found; neither are those of inline tables.

    >>> places('[suite]\\nseed = 1')[1].keys["seed"].cut('[suite]\\nseed = 1')
    'seed'
    """
    plain = _QUOTED.sub(lambda found: re.sub(r"[^\n]", "_", found.group()).replace("\n", "\r"), text)
    tables = [Place("", Span(0, 0), {})]
    for found in _LINE.finditer(plain):
        kind = "key" if found["key"] else "nested" if found["nested"] else "element" if found["element"] else "table"
        span = Span(*found.span(kind))
        if kind == "key":
            tables[-1].keys.setdefault(found["key"], span)
        elif kind == "nested" and tables[-1].name == found["table"]:
            tables[-1].keys.setdefault(found["nested"], span)
        else:
            tables.append(Place(found["element"] or found["table"], span, {}))
    return tables
