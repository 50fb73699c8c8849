"""Where the names of operators stand in matcalc's own code outside the files that define them.

An operator is one record: a pass that asks for it by name is a place where the record says too little. The algebra
(sums, products, powers, transposes, numbers, names) has grammar of its own, and passes may know it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import FunctionType

from matcalc.expression.operator import TABLE, Operator

_DEFINITIONS = ("operators/", "properties/")
_ALGEBRA_TOO = ("size", "transpose")
"""Of the algebra, though they can be called by name as well."""
_OTHER_MEANING = {
    "matrix": "a kind of name",
    "sign": "a relation of claims",
    "skew": "a property",
    "solve": "a term of programs",
    "sqrt": "a term of programs",
    "square": "a term of programs",
    "vector": "a kind of name",
    "where": "a heading",
}
"""Names that stand for something else where they are mentioned: no node that passes see is called so, or its property
is."""
_OWN = "handbook/mentions.py"
_MISTAKES = "language/mistakes/"
"""What people type who come from other notations; the names there are words of theirs."""


def mentions(root: Path) -> dict[str, list[str]]:
    """By an operator's name, the files below ``root`` (the package) that hold it as a string.

    The files that its record's functions stand in define it and are left out.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(root.rglob("*.py")):
        where = path.relative_to(root).as_posix()
        for name in sorted(set(_names(path))):
            if where in _own_files(TABLE[name]):
                continue
            found.setdefault(name, []).append(where)
    return found


def _own_files(operator: Operator) -> set[str]:
    """The files that the functions of an operator's record were written in, as paths in the package."""
    parts = [getattr(operator, each.name) for each in fields(operator)]
    parts += [getattr(operator.lowers, each.name) for each in fields(operator.lowers)]
    modules = {part.__module__ for part in parts if isinstance(part, FunctionType)}
    return {"/".join(module.split(".")[1:]) + ".py" for module in modules}


def _names(path: Path) -> Iterator[str]:
    """Every string of a module that is an operator's name and nothing else; in ``__all__`` functions are named."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    exported = {id(name) for line in module.body if _is_all(line) for name in ast.walk(line)}
    for node in ast.walk(module):
        if id(node) in exported:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TABLE:
            yield node.value


def _is_all(line: ast.stmt) -> bool:
    return isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name) and line.targets[0].id == "__all__"


def page(root: Path) -> str:
    """The table, in Markdown: what is not of the algebra first."""
    found = mentions(root)
    passes = {
        name: [where for where in files if not where.startswith((_MISTAKES, _OWN, *_DEFINITIONS))]
        for name, files in found.items()
    }
    typed, rules = (
        {name: [where for where in files if where.startswith(start)] for name, files in found.items()}
        for start in (_MISTAKES, _DEFINITIONS)
    )
    algebra = {name for name in passes if TABLE[name].notation or name in _ALGEBRA_TOO}
    free = sum(not passes.get(name) for name in TABLE)
    parts = [
        ("Operators that a pass asks for by name", "The aim is an empty table; what is here is what the records do not "
         "say yet.", _table(passes, set(passes) - algebra - set(_OTHER_MEANING))),
        ("The algebra", "Sums, products, powers, transposes, numbers, names and what has notation of its own.",
         _table(passes, algebra)),
        ("Names that mean something else there", "", _table(passes, set(_OTHER_MEANING), _OTHER_MEANING)),
        ("Words that mistakes are recognised by", "", _table(typed, set(typed))),
        ("Operators in the rules of others", "The derivative of one function is another, and identities join two: a "
         "rule names the operators that it makes.", _table(rules, set(rules))),
    ]  # fmt: skip
    head = (
        f"Made by `python -m matcalc.handbook.pages` from the strings in `matcalc/`. Of {len(TABLE)} operators, {free} "
        "are mentioned nowhere outside `operators` and `properties`, where they are defined."
    )
    lines = ["# Where operators are mentioned", "", head, ""]
    for title, says, rows in parts:
        lines += [f"## {title}", "", *([says, ""] if says else []), *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(found: dict[str, list[str]], names: set[str], notes: dict[str, str] | None = None) -> list[str]:
    rows = []
    for name in sorted(names):
        files = ", ".join(found.get(name, ()))
        note = f", {notes[name]}" if notes else ""
        rows += [f"| `{name}`{note} | {files} |"] if files else []
    return ["| operator | files |", "| --- | --- |", *rows]
