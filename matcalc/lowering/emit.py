"""From a program to a module's text: one documented function that needs nothing but its target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from matcalc.errors import UnsupportedError
from matcalc.expression.operator import TABLE
from matcalc.expression.sizes import AnySize, Shape
from matcalc.lowering.names import Names
from matcalc.lowering.program import Output, Parameter, Program, SizeReading, Tensor
from matcalc.lowering.spelling import Speller, speller
from matcalc.lowering.targets import Target, target_named

_INWARD = {"scalar": "[..., None, None]", "vector": "[..., None]"}
_LEADING = '''
def _with_leading_axes(result, count, *leading):
    """The result, with ``count`` axes of its own, for all leading axes of inputs that it does not depend on."""
    own, rest = result.shape[: result.ndim - count], result.shape[result.ndim - count :]
    leading = MODULE.broadcast_shapes(own, *leading)
    return result if leading == own else MODULE.broadcast_to(result, (*leading, *rest))
'''
_OUTWARD = {"scalar": "[..., 0, 0]", "vector": "[..., 0]", "covector": "[..., 0, :]"}


def source(program: Program, target: str = "torch", name: str = "gradient", doc: str = "") -> str:
    """The text of a module with the function ``name`` that runs ``program``; ``doc`` opens its docstring.

    Raises:
        UnsupportedError: for an unknown target, an operator that it cannot spell, a bad name.
    """
    if Names().own(name) != name:
        raise UnsupportedError(f"a function cannot be called {name!r}")
    spelled = target_named(target)
    return module("\n".join(function_lines(program, spelled, name, doc)), spelled, doc, name)


def module(functions: str, target: Target, doc: str, name: str) -> str:
    """A module with ``functions``, the imports and the private functions that they mention."""
    body = "\n\n\n".join([*_helpers(target, functions), functions])
    return f'"""{_title(doc, name)}"""\n\n{_imports(body, target)}\n\n\n{body}\n'


def _helpers(target: Target, function: str) -> list[str]:
    """The private functions, the target's or a record's, that ``function`` mentions, and those that these mention."""
    known = {"_with_leading_axes": _LEADING.replace("MODULE", next(iter(target.imports))), **target.helpers}
    for operator in TABLE.values():
        known.update(operator.lowers.helpers.get(target.name, {}))
    wanted, text = dict[str, str](), function
    while found := [name for name in known if name not in wanted and re.search(rf"\b{name}\b", text)]:
        wanted.update((name, known[name].strip("\n")) for name in found)
        text = "\n".join(wanted.values())
    return list(wanted.values())


def _imports(body: str, target: Target) -> str:
    lines = [line for word, line in target.imports.items() if re.search(rf"\b{re.escape(word)}\.", body)]
    return "\n".join(sorted(lines) or [next(iter(target.imports.values()))])


def function_lines(
    program: Program, target: Target, name: str, doc: str, ending: Sequence[str] | None = None
) -> Iterator[str]:
    """The lines of the function ``name`` that runs ``program``; ``ending`` stands for those that return its outputs."""
    spell = speller(program, target)
    yield f"def {name}({', '.join(p.python_name for p in program.parameters)}):"
    yield from _indented(docstring(program, spell, doc or name))
    statements = [f"{target} = {spell.spelled(value)}" for target, value in program.statements]
    tensors = [line for output in program.outputs if ending is None for line in _tensor_lines(output, spell)]
    results = ", ".join(outward(output, batched=program.batched) for output in program.outputs)
    lines = [
        *_readings(program, spell, [*statements, *tensors]),
        *(
            f"{one} = {one}[(None,) * ({other}.ndim - {one}.ndim)]  # as many axes as {other}"
            for one, other in program.alignments
        ),
        *statements,
        *(ending or ()),
    ]
    inward = [p for p in program.parameters if any(_mentions(line, p.python_name) for line in [*lines, *tensors])]
    yield from _indented(_inward(program, spell.target, inward))
    leading = list(_leading_lines(program, inward, is_whole=ending is not None))
    yield from _indented(iter([*lines, *leading, *tensors]))
    if ending is None or leading:
        yield from _indented(iter([f"return {results}"]))


def _leading_lines(program: Program, inward: Sequence[Parameter], *, is_whole: bool) -> Iterator[str]:
    """The lines that give outputs the leading axes of inputs that they do not depend on.

    An output has two axes of its own there, or all of them where it ``is_whole``.
    """
    shapes = {}
    for p in program.parameters:
        own = 2 if p in inward else {"scalar": 0, "vector": 1}.get(p.storage, 2)
        shapes[p.python_name] = f"{p.python_name}.shape" + (f"[:-{own}]" if own else "")
    for output, absent in zip(program.outputs, program.independent, strict=program.batched):
        if absent:
            count = len(output.storage.rows) if is_whole and isinstance(output.storage, Tensor) else 2
            inside = ", ".join([output.target, str(count), *(shapes[name] for name in absent)])
            yield f"{output.target} = _with_leading_axes({inside})"


def outward(output: Output, *, batched: bool) -> str:
    """The text of an output as it looks outside."""
    suffix = "" if isinstance(output.storage, Tensor) or not batched else _OUTWARD.get(output.storage, "")
    return output.target + suffix


def _tensor_lines(output: Output, spell: Speller) -> Iterator[str]:
    """The lines that give a matrix its axes: each group is unfolded from its last axis, and turned round."""
    if not isinstance(output.storage, Tensor):
        return
    rows, cols = output.storage
    sizes = ", ".join(spell.size(s) for s in (*rows[::-1], *cols[::-1]))
    yield f"{output.target} = {output.target}.reshape(*{output.target}.shape[:-2], {sizes})"
    count = len(rows) + len(cols)
    order = [*range(len(rows))[::-1], *(len(rows) + k for k in range(len(cols))[::-1])]
    moved = [(k - count, place - count) for k, place in enumerate(order) if k != place]
    if moved:
        source, target = zip(*moved, strict=True)
        yield f"{output.target} = {spell.target.moveaxis}({output.target}, {source}, {target})"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}" if line else "" for line in lines)


def entry_lines(program: Program, target: Target) -> Iterator[str]:
    """The line that makes the inputs arrays of one type, where the target needs it."""
    names = ", ".join(p.python_name for p in program.parameters)
    if target.entry and names:
        yield f"{names if len(program.parameters) > 1 else f'({names},)'} = {target.entry}({names})"


def _inward(program: Program, target: Target, inward: Sequence[Parameter]) -> Iterator[str]:
    """The lines that give two axes to those inputs that the code below mentions."""
    yield from entry_lines(program, target)
    for p in inward:
        if program.batched and p.storage in _INWARD:
            yield f"{p.python_name} = {p.python_name}{_INWARD[p.storage]}"


def _mentions(line: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", line) is not None


def _readings(program: Program, spell: Speller, statements: list[str]) -> Iterator[str]:
    """The lines that read sizes which the statements, or the lines after them, mention."""
    lines: list[str] = []
    for reading in reversed(program.sizes):
        if any(_mentions(line, reading.python_name) for line in [*statements, *lines]):
            lines.append(_reading(reading, spell))
    return reversed(lines)


def _reading(reading: SizeReading, spell: Speller) -> str:
    if reading.value is not None:
        return f"{reading.python_name} = {reading.value}"
    text = f"{reading.parameter}.shape[{reading.axis}]"
    if reading.offset != 0:
        text = f"({text} - ({spell.size(reading.offset)}))"
    if reading.factor != 1:
        text = f"{text} // ({spell.size(reading.factor)})"
    if reading.power != 1:
        text = f"round(({text}) ** (1 / {reading.power}))"
    return f"{reading.python_name} = {text}"


def docstring(program: Program, spell: Speller, doc: str) -> Iterator[str]:
    """The lines of a docstring that says what goes in and what comes out."""
    yield f'"""{_escaped(doc)}'
    if program.parameters:
        yield from ("", "Args:")
        yield from (f"    {p.python_name}: {looks(p.storage, p.shape)}" for p in program.parameters)
    yield from ("", "Returns:")
    yield from (f"    {looks(o.storage, o.shape)}" for o in program.outputs)
    yield ""
    axes = "Leading axes are batch axes." if program.batched else "Inputs have no leading axes."
    yield axes + (f" {spell.target.note}" if spell.target.note else "")
    yield '"""'


def looks(storage: str | Tensor, shape: Shape) -> str:
    """What a reader of the docstring is told of a value."""
    if isinstance(storage, Tensor):
        axes: tuple[AnySize, ...] = (*storage.rows, *storage.cols)
        storage = "tensor"
    else:
        axes = {"scalar": (), "vector": shape[:1], "covector": shape[1:]}.get(storage, shape)
    storage = "vector" if storage == "covector" else storage
    inside = ", ".join(map(str, axes)) + ("," if len(axes) == 1 else "")
    return f"{storage} ({inside})"


def _title(doc: str, name: str) -> str:
    lines = doc.splitlines()
    return _escaped(lines[0] if lines else name)


def _escaped(text: str) -> str:
    r"""``text`` so that it cannot end the docstring that it stands in.

    >>> _escaped('a"' + '""\\')
    'a\\"\\"\\"\\\\'
    """
    safe = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(c if c.isprintable() or c == "\n" else " " for c in safe)
