"""Results as text, JSON, LaTeX and Markdown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from matcalc.cli import clock
from matcalc.errors import MatcalcError, ParseError
from matcalc.expression.operator import ALIASES, TABLE

if TYPE_CHECKING:
    from matcalc.cli.options import Asked
    from matcalc.derivative import Derivative, Variable

_NAMES = {"grad": "gradient", "jvp": "jvp", "vjp": "vjp", "hvp": "hvp"}
_COLOURS = {"verified": "32", "refuted": "31", "inconclusive": "33", "result": "1"}


def _painted(text: str, colour: str) -> str:
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"
    return text


def _out(text: str) -> None:
    print(text, flush=True)


def show_derivative(found: Derivative, asked: Asked, options: Mapping[str, Any] | None) -> int:
    """Prints a derivative, and its check after it unless there are no ``options``; returns the exit code."""
    _refuse_other_sizes(found, options)
    if options is None:
        from matcalc.verification import confirm_zero

        confirm_zero(found)
    if asked.form == "json":
        return _show_json(found, asked, options)
    _out(_SHOWN[asked.form](found))
    if options is None:
        return 0
    clock.allow(asked.limits, "seconds")
    report = found.check(**options)
    if asked.form == "latex":
        print(str(report), file=sys.stderr)
    else:
        _out(_report_lines(report))
    return report.exit_code


def _refuse_other_sizes(found: Derivative, options: Mapping[str, Any] | None) -> None:
    known = found.expression.typed.sizes
    for name in (options or {}).get("sizes", ()):
        if name not in known:
            raise ParseError(f"there is no size {name!r}", why=f"the sizes are {', '.join(known) or 'all numbers'}")


def _show_json(found: Derivative, asked: Asked, options: Mapping[str, Any] | None) -> int:
    """The object; where the check cannot be carried out it is printed with none, and the error follows."""
    report, failure = None, None
    if options is not None:
        clock.allow(asked.limits, "seconds")
        try:
            report = found.check(**options)
        except MatcalcError as error:
            failure = error
    _out(json.dumps(_record(found, asked, report), ensure_ascii=False, indent=2, allow_nan=False))
    if failure is not None:
        raise failure
    return 0 if report is None else report.exit_code


def _report_lines(report: Any) -> str:
    first, _, rest = str(report).partition("\n")
    return _painted(first, report.verdict) + ("\n" + rest if rest else "")


def _record(found: Derivative, asked: Asked, report: Any) -> dict[str, Any]:
    return {
        "input": asked.text,
        "wrt": found.wrt,
        "kind": found.kind,
        "variables": {name: _variable_record(v) for name, v in found.variables.items()},
        "result": str(found),
        "latex": found.latex(),
        "projected": found.projected,
        "check": None if report is None else report.to_dict(),
    }


def _variable_record(v: Variable) -> dict[str, Any]:
    return {
        "name": v.name,
        "kind": v.kind,
        "shape": [s if isinstance(s, int) else str(s) for s in v.shape],
        "properties": list(v.properties),
        "inferred": v.inferred,
    }


def _as_text(found: Derivative) -> str:
    lines = [f"{_NAMES[found.kind]} of {found.expression.pretty()} by {found.wrt}", ""]
    lines += ["  " + _painted(found.pretty(), "result"), ""]
    for k, (name, v) in enumerate(found.variables.items()):
        lines.append(
            f"{'where' if k == 0 else '     '} {name}: {v.declaration}" + ("   inferred" if v.inferred else "")
        )
    if found.projected:
        lines.append(
            f"      the gradient among {found.projected} matrices, as declared; --unconstrained gives the other"
        )
    return "\n".join([*lines, ""])


def _as_markdown(found: Derivative) -> str:
    rows = [
        f"| `{n}` | `{v.declaration}` | {'inferred' if v.inferred else 'declared'} |"
        for n, v in found.variables.items()
    ]
    return "\n".join(
        [
            f"## {_NAMES[found.kind]} of `{found.expression.pretty()}` by `{found.wrt}`",
            "",
            f"$$ {found.latex()} $$",
            "",
            "```matcalc",
            found.pretty(),
            "```",
            "",
            "| name | is | |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


_SHOWN: dict[str, Callable[[Derivative], str]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "latex": lambda found: found.latex(),
}


def show_check(asked: Asked, wrt: str, claim: str, options: Mapping[str, Any]) -> int:
    """Checks a claim and prints the report; returns the exit code."""
    from matcalc.verification import check as run

    expression = asked.expression()
    clock.allow(asked.limits, "seconds")
    report = run(expression, wrt, claim=claim, **options)
    if asked.form == "json":
        record = {"input": asked.text, "wrt": wrt, "claim": claim, "kind": "grad", "check": report.to_dict()}
        _out(json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _out(_report_lines(report))
    return report.exit_code


# --------------------------------------------------------------------------------------------------- functions


def show_functions(search: str, form: str) -> str:
    """The operators and properties that a word finds, all for "", or one operator in full.

    Raises:
        ParseError: when nothing matches.
    """
    from matcalc.handbook import entries, shown

    exact = TABLE.get(ALIASES.get(search, search))
    if exact is not None and not exact.notation:
        found = entries.entry(search)
        if form == "json":
            return json.dumps(found.record(), ensure_ascii=False, indent=2)
        return shown.as_markdown(found).rstrip() if form == "markdown" else shown.as_text(found)
    operators, properties = entries.matching(search)
    if not operators and not properties:
        raise ParseError(f"no function {search!r}", suggestion="matcalc functions")
    if form == "json":
        listed = {
            "functions": [entries.entry(op.name).record() for op in operators],
            "properties": [entries.property_entry(each).record() for each in properties],
        }
        return json.dumps(listed, ensure_ascii=False, indent=2)
    return shown.listed(operators, properties)
