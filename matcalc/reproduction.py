"""A counterexample as Python that a reader can paste: the inputs in full digits, what is claimed, what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matcalc.checking.verdict import Report

_MOST_ENTRIES = 4096


def snippet(report: Report) -> str:
    """Python that shows a counterexample again; "" where the report has none.

    >>> from matcalc.verification import check
    >>> text = snippet(check("3*s", "s", claim="2", let={"s": "scalar"}))
    >>> print(*(line for line in text.split("\\n") if line.startswith("#")), sep="\\n")
    # f = 3*s, by s
    # again: mc.check('3*s', 's', claim='2', let={'s': 'scalar'}, seed=0)
    """
    seen = report.counterexample
    if report.verdict != "refuted" or not seen:
        return ""
    large = sum(map(_entries, (seen.get("inputs"), seen.get("claimed"), seen.get("expected")))) > _MOST_ENTRIES
    if large or "inputs" not in seen:
        body = ["# the counterexample is too large to be shown", *_again(report)]
    else:
        body = _of_check(report, seen) if report.asked else _of_verify(seen)
    ours = ["import matcalc as mc", ""] if any("mc." in line and not line.startswith("#") for line in body) else []
    return "\n".join(["import torch", "", *ours, *body])


def _of_check(report: Report, seen: Mapping[str, Any]) -> list[str]:
    asked = report.asked or {}
    shapes = _shapes(asked)
    function = asked["function"] is not None and "cotangent" in seen
    kind = str(seen.get("dtype", "float64"))
    inputs = {n: v if function else _as_torch(v, shapes.get(n)) for n, v in seen["inputs"].items()}
    lines = [
        "inputs = {",
        *(f"    {n!r}: {_tensor(v, kind, seen.get('layouts', {}).get(n))}," for n, v in inputs.items()),
        "}",
    ]
    # What was asked comes before its numbers, so that a reader knows them when they come.
    head = [
        "torch.set_printoptions(precision=17)",
        "",
        f"# f = {_line(asked['expression'])}, by {', '.join(asked['wrt'])}",
    ]
    return [*head, *lines, *(_of_function(report, seen, kind) if function else _of_text(report, seen, shapes))]


def _of_text(report: Report, seen: Mapping[str, Any], shapes: Mapping[str, int]) -> list[str]:
    asked = report.asked or {}
    grad = asked["kind"] == "grad"
    axes = shapes.get(asked["wrt"][0]) if grad else None
    claimed, expected = (_as_torch(seen[key], axes) for key in ("claimed", "expected"))
    said = _line(asked["claim"]) if asked["claim"] is not None else f"{asked['function']}(**inputs)"
    lines = [
        f"claimed = {_tensor(claimed, 'float64')}  # {said}",
        f"expected = {_tensor(expected, 'float64')}",
    ]
    if grad:
        free = ", unconstrained=True" if asked["unconstrained"] else ""
        lines += [
            f"f = mc.parse({asked['expression']!r}{_let(asked)})",
            f'derived = mc.grad(f, {asked["wrt"][0]!r}{free}).compile("torch")',
            "print(derived(**{name: inputs[name] for name in f.variables}))",
        ]
    return [*lines, *_again(report), "torch.testing.assert_close(claimed, expected)"]


def _of_function(report: Report, seen: Mapping[str, Any], kind: str) -> list[str]:
    asked = report.asked or {}
    name, what = asked["function"], str(seen.get("what", ""))
    by = what.removeprefix("gradient by ") if what.startswith("gradient by ") else asked["wrt"][0]
    layout = seen.get("layouts", {}).get("grad_output")
    lines = [
        f"grad_output = {_tensor(seen['cotangent'], kind, layout)}",
        f"# {name} is your torch.autograd.Function",
        f"x = inputs[{by!r}].requires_grad_(True)",
        f"value = {name}.apply(*inputs.values())",
        "(gradient,) = torch.autograd.grad(value, x, grad_output)",
    ]
    if "claimed" in seen:
        lines += [
            f"claimed = {_tensor(seen['claimed'], kind)}  # {what}",
            f"expected = {_tensor(seen['expected'], kind)}",
        ]
    return [*lines, *_again(report)]


def _of_verify(seen: Mapping[str, Any]) -> list[str]:
    given = seen["inputs"]
    values = list(given.values()) if isinstance(given, Mapping) else given
    plain = seen.get("plain", ())
    shown = [repr(v) if k in plain else _tensor(v, _kind(v)) for k, v in enumerate(values)]
    lines = ["inputs = [", *(f"    {text}," for text in shown), "]"]
    if "cotangent" in seen:
        lines.append(f"cotangent = {_tensor(seen['cotangent'], 'float64')}")
    for key in ("claimed", "expected"):
        if isinstance(seen.get(key), list | float):
            what = "claimed" if key == "claimed" else "autograd, or differences, of the function"
            lines.append(f"{key} = {_tensor(seen[key], 'float64')}  # {what}")
    return lines


def _again(report: Report) -> list[str]:
    """The line that carries the check out again."""
    asked = report.asked
    if not asked:
        return []
    claim = repr(asked["claim"]) if asked["claim"] is not None else asked["function"]
    names = asked["wrt"][0] if len(asked["wrt"]) == 1 else asked["wrt"]
    kind = "" if asked["kind"] == "grad" else f", kind={asked['kind']!r}"
    return [
        f"# again: mc.check({asked['expression']!r}, {names!r}, claim={claim}{_let(asked)}{kind}, seed={report.seed})"
    ]


def _let(asked: Mapping[str, Any]) -> str:
    return f", let={asked['let']!r}" if asked["let"] else ""


def _shapes(asked: Mapping[str, Any]) -> dict[str, int]:
    """How many axes each name has outside."""
    from matcalc.limits import Limits
    from matcalc.parsed import parse

    f = parse(asked["expression"], asked["let"] or None, Limits(**asked["limits"]))
    return {name: len(v.shape) for name, v in f.variables.items()}


def _as_torch(value: Any, axes: int | None) -> Any:
    """A matrix as nested lists, with the axes that its name has outside."""
    if axes == 0 and _entries(value) == 1:
        return next(_flat(value))
    is_column = isinstance(value, list) and all(isinstance(row, list) and len(row) == 1 for row in value)
    return [row[0] for row in value] if axes == 1 and is_column else value


def _tensor(value: Any, kind: str, layout: Sequence[Any] | None = None) -> str:
    if not isinstance(value, list | float | int) or isinstance(value, bool):
        return repr(value)
    if layout is None:
        return f"torch.tensor({_literal(value)}, dtype=torch.{kind})"
    shape, strides, offset = layout
    if 0 in strides:
        dense = _dense(value, strides)
        return f"torch.tensor({_literal(dense)}, dtype=torch.{kind}).expand({tuple(shape)})"
    length = offset + 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    stored = f"torch.zeros({length}, dtype=torch.{kind}).as_strided({tuple(shape)}, {tuple(strides)}, {offset})"
    return f"{stored}.copy_({_tensor(value, kind)})"


def _dense(value: Any, strides: Sequence[int]) -> Any:
    if not strides:
        return value
    kept = value[:1] if strides[0] == 0 else value
    return [_dense(row, strides[1:]) for row in kept]


def _kind(value: Any) -> str:
    return "int64" if all(isinstance(v, int) for v in _flat(value)) else "float64"


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value) if not isinstance(value, float) or isfinite(value) else f'float("{value}")'


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for inner in value:
            yield from _flat(inner)
    else:
        yield value


def _entries(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_entries, value.values()))
    return sum(1 for _ in _flat(value)) if value is not None else 0


def _line(text: str) -> str:
    """A text in one line, as a comment may hold it."""
    from matcalc.errors import escape

    return escape(" ".join(text.split()))
