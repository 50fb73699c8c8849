"""A call of an operator with letters for its arguments, and what follows from it: shapes, differential, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from matcalc.calculus.differential import differential
from matcalc.calculus.simplify import textbook
from matcalc.errors import DomainError, MatcalcError, UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.operator import Operator
from matcalc.expression.signature import Parameter, Signature
from matcalc.expression.sizes import Shape, Size, written_shape
from matcalc.language.printer import written
from matcalc.lowering.spelling import ATOM, Speller, Text
from matcalc.lowering.targets import target_named

_SPECIMEN = 2
_DEMANDED = ("symmetric", "posdef")
"""Properties that an operator may ask of an argument though it is defined by its formula without them."""


@dataclass(frozen=True)
class Call:
    """An operator's call: the text, its shapes, its matrix arguments as nodes, and the node that it builds."""

    text: str
    shapes: str
    arguments: tuple[Node, ...]
    node: Node | None
    demanded: str = ""

    @property
    def directions(self) -> tuple[Node, ...]:
        """A name for the change of each argument: dX for X."""
        return tuple(build.variable(f"d{x.params[0]}", x.shape, x.params[1]) for x in self.arguments)

    def moved(self) -> Node:
        """The differential of the value when every argument moves in its direction.

        Raises:
            UnsupportedError: for an operator that has none.
        """
        assert self.node is not None
        parts = [differential(self.node, x, dx) for x, dx in zip(self.arguments, self.directions, strict=True)]
        return textbook(build.add(*parts)) if parts else build.zeros(*self.node.shape)

    @property
    def differential(self) -> str:
        """``d inv(X) = -inv(X)*dX*inv(X)``, or why there is none."""
        if self.node is None:
            return ""
        try:
            found = self.moved()
        except MatcalcError as error:
            return error.message
        return f"d {self.text} = {'0' if build.is_zero(found) else written(found)}"

    @property
    def meaning(self) -> str:
        """What the call is another way of writing, or ""."""
        text = "" if self.node is None else written(self.node)
        return "" if text == self.text else text


def calls(operator: Operator) -> tuple[Call, ...]:
    """One call for each signature."""
    return tuple(_call(operator, each) for each in operator.patterns)


def _call(operator: Operator, pattern: Signature) -> Call:
    letters = _letters(operator, pattern)
    names = [_name(each, letters) for each in pattern.parameters]
    text = f"{operator.name}({', '.join(names)}{', …' if pattern.variadic else ''})"
    shapes = ", ".join(_shape(s) for s in pattern.matrices)
    rule = f"{shapes}{', …' if pattern.variadic else ''} → {_shape(pattern.result)}".strip()
    for demanded in ("", *_DEMANDED):
        arguments = _arguments(operator, pattern, names, demanded)
        matrices = tuple(each for each in arguments if isinstance(each, Node))
        try:
            node = None if operator.contextual else _built(operator, arguments)
        except DomainError:
            continue
        except MatcalcError:
            node = None
        shown = text if node is None else _specimen(text, pattern)
        return Call(shown, rule, matrices, node, demanded)
    return Call(text, rule, (), None)


def _specimen(text: str, pattern: Signature) -> str:
    """The call as it was built: an integer argument is a number there."""
    for each in pattern.parameters:
        if each.kind == "int" and each.value is None:
            text = text.replace(f"({each.name},", f"({_integer(each)},").replace(
                f", {each.name},", f", {_integer(each)},"
            )
    return text.replace(", …", "")


def _integer(parameter: Parameter) -> int:
    """A value for an integer argument; a place in a list of two is 0 or 1."""
    return 0 if parameter.name == "i" else _SPECIMEN


def _built(operator: Operator, arguments: list[Any]) -> Node:
    made: Node = operator.call(*arguments) if operator.call is not None else build.apply(operator.name, *arguments)
    return made


def _letters(operator: Operator, pattern: Signature) -> Iterator[str]:
    """x, y, z for what may have any shape entry by entry; else capitals for matrices."""
    entrywise = operator.is_elementwise or operator.broadcasts or pattern.result in pattern.matrices[:1]
    small = entrywise and all(isinstance(s, Size) and s.is_name for shape in pattern.matrices for s in shape)
    square = any(shape[0] == shape[1] != 1 for shape in pattern.matrices)
    return iter("xyzuvw" if small and not square else "XYZUVW")


def _name(parameter: Parameter, letters: Iterator[str]) -> str:
    if parameter.kind != "matrix":
        return parameter.name if parameter.value is None else str(parameter.value)
    letter = next(letters)
    if parameter.shape == (1, 1):
        return {"x": "a", "y": "b", "z": "c"}.get(letter.lower(), letter.lower())
    return letter.lower() if parameter.shape[1] == 1 else letter


def _arguments(operator: Operator, pattern: Signature, names: list[str], demanded: str) -> list[Any]:
    found: list[Any] = []
    place = 0
    for parameter, name in zip(pattern.parameters, names, strict=True):
        if parameter.kind == "size":
            found.append(Size.named(name))
        elif parameter.kind == "int":
            found.append(_integer(parameter) if parameter.value is None else parameter.value)
        else:
            wanted = {operator.domain.get(place, ""), demanded if parameter.shape[0] == parameter.shape[1] else ""}
            found.append(build.variable(name, parameter.shape, _storage(parameter.shape), frozenset(wanted - {""})))
            place += 1
    return found


def _storage(shape: Shape) -> str:
    if shape == (1, 1):
        return "scalar"
    return "vector" if shape[1] == 1 else "matrix"


def _shape(shape: Shape) -> str:
    return "scalar" if shape == (1, 1) else written_shape(shape)


def code(call: Call, target: str) -> str:
    """A direct call of the target's own function, or "" where the operator is lowered another way."""
    chosen = target_named(target)
    if call.node is None or call.meaning or chosen.spelling(call.node.operator.lowers) is None:
        return ""
    names = [each.params[0] for each in call.arguments]
    like = chosen.like.format(names[0]) if names else chosen.like_nothing
    try:
        text = Speller(chosen, {}, like).applied(call.node, [Text(name, ATOM) for name in names]).text
    except UnsupportedError:  # written only where the sizes are numbers
        return ""
    private = re.findall(r"(?<![\w.])_\w+", text)
    return f"{text}  # {private[0]} stands in the module that matcalc code writes" if private else text
