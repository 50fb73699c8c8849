"""Entries as text for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from matcalc.expression.operator import Operator
from matcalc.expression.property import Property
from matcalc.handbook.entries import Entry, PropertyEntry, property_entry

_CODE_NOTE = "a matrix is (..., m, n), a vector (..., n, 1) and a scalar (..., 1, 1)"


def _rows(entry: Entry) -> Iterator[tuple[str, str]]:
    """What a reader is told, in order: a heading (repeated where there is more of it) and a line."""
    for call, shapes, meaning in zip(entry.calls, entry.shapes, entry.means, strict=True):
        yield "call", f"{call}   {shapes}"
        if meaning:
            yield "means", meaning
    yield from (("also", name) for name in entry.aliases)
    yield from (("differential", text) for text in entry.differentials if text)
    yield from (("domain", text) for text in entry.domain)
    yield from (("kinks", text) for text in entry.kinks)


def as_text(entry: Entry) -> str:
    """The page for a terminal."""
    rows = list(_rows(entry))
    if entry.example is not None:
        rows += [("example", entry.example.text)]
        rows += [("where", text) for text in entry.example.declarations]
        rows += [(f"by {entry.example.wrt}", entry.example.gradient)]
    rows += list(entry.code.items())
    rows += [("", f"in code {_CODE_NOTE}")] if entry.code else []
    rows += [("source", entry.source)] if entry.source else []
    width = max((len(head) for head, _ in rows), default=0)
    lines, before = [f"{entry.name}: {entry.says}", ""], ""
    for head, text in rows:
        lines.append(f"  {'' if head == before else head:<{width}}  {text}")
        before = head
    return "\n".join(lines)


def as_markdown(entry: Entry, picture: str = "") -> str:
    """The section of a page; ``picture`` is the address of one, or ""."""
    lines = [f"### {entry.name}", "", f"{entry.says[0].upper()}{entry.says[1:]}.", ""]
    lines += [f"![{entry.name} and its derivative]({picture})", ""] if picture else []
    lines += [f"- {head}: {_marked(head, text)}" for head, text in _rows(entry)]
    lines += [f"- source: {entry.source}"] if entry.source else []
    if entry.example is not None:
        lines += ["", *_example_lines(entry)]
    if entry.code:
        lines += ["", "```python", *(f"{text}  # {target}" for target, text in _one_each(entry.code)), "```"]
    return "\n".join([*lines, ""])


def _marked(head: str, text: str) -> str:
    call, _, shapes = text.partition("   ")
    if head == "call":
        return f"`{call}`, {shapes}"
    return text if head in ("domain", "kinks") else f"`{text}`"


def _example_lines(entry: Entry) -> list[str]:
    example = entry.example
    assert example is not None
    let = ", ".join(f'"{name}": "{kind.strip()}"' for name, _, kind in (d.partition(":") for d in example.declarations))
    call = f'matcalc.grad("{example.text}", "{example.wrt}"{f", let={{{let}}}" if let else ""})'
    return ["```python", f">>> print({call})", example.gradient, "```"]


def _one_each(code: dict[str, str]) -> Iterable[tuple[str, str]]:
    return ((target, text.partition("  #")[0]) for target, text in code.items())


def property_text(entry: PropertyEntry) -> str:
    """A property's section of a page, in Markdown."""
    lines = [f"### {entry.name}", "", f"{entry.says[0].upper()}{entry.says[1:]}.", ""]
    lines += [f"- implies: {', '.join(f'`{name}`' for name in entry.implies)}"] if entry.implies else []
    lines += (
        [f"- cannot be together with: {', '.join(f'`{name}`' for name in entry.excludes)}"] if entry.excludes else []
    )
    lines += ["- of square matrices"] if entry.square else []
    lines += (
        [f"- a gradient `G` is projected onto `{entry.subspace}`: `{entry.projection}`"] if entry.projection else []
    )
    lines += [f"- source: {entry.source}"] if entry.source else []
    return "\n".join([*lines, ""])


def listed(operators: Sequence[Operator], properties: Sequence[Property]) -> str:
    """One line each; properties under a heading of their own."""
    width = max(len(name) for name in [op.name for op in operators] + [each.name for each in properties])
    lines = [f"{op.name:<{width}}  {op.says}" for op in operators]
    if properties:
        lines += ["", "properties, declared as in A: matrix(n, n; symmetric)"][0 if operators else 1 :]
        lines += [f"{each.name:<{width}}  {property_entry(each).line}" for each in properties]
    return "\n".join(lines)
