"""Results as text, JSON, LaTeX and Markdown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matcalc.cli import clock
from matcalc.derivative import CALLED
from matcalc.errors import MatcalcError, ParseError
from matcalc.expression.operator import ALIASES, TABLE
from matcalc.jacobian_record import Jacobian

if TYPE_CHECKING:
    from matcalc.cli.options import Asked
    from matcalc.derivative import Derivative
    from matcalc.parsed import Variable

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
    known = dict.fromkeys((*found.typed.sizes, *sorted(found.typed.declared_sizes)))
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
    more = {} if not isinstance(found, Jacobian) else {
        "by": list(found.names),
        "layout": found.layout,
        "closed": found.closed,
        "shape": [s if isinstance(s, int) else str(s) for s in found.shape],
        "index_notation": found.index_notation(),
        "einsum": found.einsum(),
    }  # fmt: skip
    return {
        "input": asked.text,
        "wrt": found.wrt,
        "kind": found.kind,
        "variables": {name: _variable_record(v) for name, v in found.variables.items()},
        "result": str(found),
        "latex": found.latex(),
        "projected": found.projected,
        "notes": list(found.notes),
        "check": None if report is None else report.to_dict(),
        **more,
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
    lines = [_title(found), "", "  " + _painted(found.pretty(), "result"), ""]
    if isinstance(found, Jacobian):
        lines[2:2] = [] if (said := _reading(found)) == "" else [f"  {said}", ""]
        if not found.is_matrix and (entries := found.index_notation()):
            lines += [f"  {entries}", f"  {found.einsum()}", ""]
    for k, (name, v) in enumerate(found.variables.items()):
        lines.append(
            f"{'where' if k == 0 else '     '} {name}: {v.declaration}" + ("   inferred" if v.inferred else "")
        )
    if found.projected:
        lines.append(
            f"      the gradient among {found.projected} matrices, as declared; --unconstrained gives the other"
        )
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join([*lines, ""])


def _title(found: Derivative, quote: str = "") -> str:
    """What was derived; of repeated Jacobians, by which names."""
    whole, names = (found.whole, found.names) if isinstance(found, Jacobian) else (found.expression, (found.wrt,))
    by = " and ".join(f"{quote}{name}{quote}" for name in names)
    return f"{CALLED.get(found.kind, found.kind)} of {quote}{whole.pretty()}{quote} by {by}"


def _reading(found: Jacobian) -> str:
    """How what is written is to be read, where it is not the tensor itself."""
    shape = ", ".join(map(str, found.shape))
    if not found.closed:
        return f"there is no matrix form; the differential, which the code applies to a basis: a tensor ({shape})"
    if found.is_matrix:
        return "" if found.layout == "numerator" else "in denominator layout, the transpose"
    turned = "" if found.layout == "numerator" else ", transposed for denominator layout"
    return f"as the matrix of vec, which takes columns{turned}; the tensor is ({shape})"


def _as_markdown(found: Derivative) -> str:
    rows = [
        f"| `{n}` | `{v.declaration}` | {'inferred' if v.inferred else 'declared'} |"
        for n, v in found.variables.items()
    ]
    return "\n".join(
        [
            f"## {_title(found, '`')}",
            "",
            f"$$ {found.latex()} $$",
            "",
            *([f"$$ {found.index_latex()} $$", ""] if isinstance(found, Jacobian) and not found.is_matrix else []),
            "```matcalc",
            found.pretty(),
            "```",
            "",
            "| name | is | |",
            "| --- | --- | --- |",
            *rows,
            "",
            *(line for note in found.notes for line in (f"Note: {note}.", "")),
        ]
    )


_SHOWN: dict[str, Callable[[Derivative], str]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "latex": lambda found: found.latex(),
}


def show_check(asked: Asked, wrt: Sequence[str], claim: str, kind: str, options: Mapping[str, Any]) -> int:
    """Checks a claim and prints the report; returns the exit code."""
    from matcalc.parsed import by_names
    from matcalc.verification import check as run

    expression = asked.expression()
    clock.allow(asked.limits, "seconds")
    names = by_names(wrt)
    report = run(expression, names, claim=claim, kind=kind, **options)
    if asked.form == "json":
        record = {
            "input": asked.text, "wrt": names, "claim": claim, "kind": kind,
            "notes": list(expression.notes), "check": report.to_dict(),
        }  # fmt: skip
        _out(json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _out(_report_lines(report))
    return report.exit_code


def show_replay(path: str) -> int:
    """Repeats a recorded check; 0 where the reports are the same, bit for bit, and 1 where they are not."""
    from matcalc.recorded_checks import replay

    found = replay(path)
    _out(str(found))
    return 0 if found.same else 1


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
