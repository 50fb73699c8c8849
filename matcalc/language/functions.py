"""What a call means: which function, which of its signatures, which arguments are sizes and integers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import matcalc.operators
import matcalc.properties  # noqa: F401  # the definitions fill the tables
from matcalc.errors import ParseError, ShapeError, Span
from matcalc.expression.operator import ALIASES, TABLE, Operator, callable_named
from matcalc.expression.signature import Parameter, Signature, signature
from matcalc.expression.sizes import AnySize, Size
from matcalc.language.tree import Binary, Call, Name, Node, Number, Sign, children_first
from matcalc.limits import Limits, exceeded

_MOST_TERMS = 64
_MOST_DEGREE = 16


@dataclass(frozen=True, slots=True)
class Called:
    """A call, resolved: its function, the signatures that its arguments may have, and what they are."""

    call: Call
    name: str
    operator: Operator
    signatures: tuple[Signature, ...]
    matrices: tuple[Node, ...]
    sizes: tuple[tuple[str, Node], ...]
    integers: tuple[int | None, ...]


def resolved_call(call: Call, text: str, values: Iterable[str]) -> Called:
    """What a call means.

    Raises ParseError for an unknown function and for arguments that it does not take.
    """
    name = ALIASES.get(call.function, call.function)
    if call.function in values:
        raise _value_called(call, text)
    operator = callable_named(name)
    if operator is None:
        raise _unknown(call, text)
    fitting = tuple(each for each in operator.patterns if _takes(each, call.arguments))
    if not fitting:
        raise _refused(call, operator, text)
    parameters = _parameters(fitting[0], len(call.arguments))
    pairs = list(zip(parameters, call.arguments, strict=True))
    return Called(
        call,
        operator.name,
        operator,
        tuple(_of_length(each, len(call.arguments)) for each in fitting),
        tuple(node for parameter, node in pairs if parameter.kind == "matrix"),
        tuple((parameter.name, node) for parameter, node in pairs if parameter.kind == "size"),
        tuple(whole(node) if parameter.kind == "int" else None for parameter, node in pairs),
    )


def whole(node: Node) -> int | None:
    """The value of an integer as written, with its sign, or None."""
    number = node.operand if isinstance(node, Sign) else node
    if not isinstance(number, Number) or number.value.denominator != 1:
        return None
    return -int(number.value) if isinstance(node, Sign) and node.negative else int(number.value)


def _parameters(one: Signature, count: int) -> tuple[Parameter, ...]:
    if not one.variadic:
        return one.parameters
    return one.parameters + one.parameters[-1:] * (count - len(one.parameters))


def _of_length(one: Signature, count: int) -> Signature:
    """A signature that ends in ``…`` as the one that takes ``count`` arguments."""
    if not one.variadic:
        return one
    taken, result = one.text.split("->")
    last = taken[taken.rindex("(") :].strip().removesuffix("...")
    more = f", {last}" * (count - len(one.parameters))
    return signature(f"{taken.strip().removesuffix('...')}{more} ->{result}")


def _takes(one: Signature, arguments: Sequence[Node]) -> bool:
    parameters = _parameters(one, len(arguments))
    if len(parameters) != len(arguments):
        return False
    return all(_suits(each, node) for each, node in zip(parameters, arguments, strict=True))


def _suits(parameter: Parameter, node: Node) -> bool:
    if parameter.kind != "int":
        return True
    number = whole(node)
    return number is not None and parameter.value in (None, number)


def _refused(call: Call, operator: Operator, text: str) -> ParseError:
    name = call.function
    forms = " or ".join(f"{name}({_spoken(each)})" for each in operator.patterns)
    edited = why = ""
    if operator.instead is not None and len(call.arguments) == 2:
        meant, says = operator.instead
        edited = text[: call.function_span.start] + meant + text[call.function_span.end :]
        why = f"{says} is {meant}(x, y)"
    return ParseError(f"{name} takes {forms}", text=text, spans=(call.span,), why=why, suggestion=edited)


def _spoken(one: Signature) -> str:
    """The arguments of a signature as a reader would write them."""
    letters = iter("XYZUVWABCD")
    words = []
    for parameter in one.parameters:
        if parameter.kind == "matrix":
            words.append(_letter(parameter, next(letters)))
        else:
            words.append(parameter.name if parameter.value is None else str(parameter.value))
    return ", ".join(words) + (", …" if one.variadic else "")


def _letter(parameter: Parameter, letter: str) -> str:
    if parameter.shape == (1, 1):
        return "c"
    return letter.lower() if parameter.shape[1] == 1 else letter


def _unknown(call: Call, text: str) -> ParseError:
    name = call.function
    if len(name) == 1:
        return _value_called(call, text)
    known = [each for each in (*TABLE, *ALIASES) if each not in _unnameable()]
    near = difflib.get_close_matches(name[:40], known, n=1, cutoff=0.7)
    start, end = call.function_span.start, call.function_span.end
    guess = f"; did you mean {near[0]!r}?" if near else ""
    return ParseError(
        f"no function {name!r}{guess}",
        text=text,
        spans=(call.function_span,),
        why="" if near else "`matcalc functions` lists them; a product is written with *",
        suggestion=text[:start] + near[0] + text[end:] if near else "",
    )


def _unnameable() -> set[str]:
    return {name for name, operator in TABLE.items() if operator.notation}


def _value_called(call: Call, text: str) -> ParseError:
    place = call.function_span.end
    single = len(call.arguments) == 1
    return ParseError(
        f"{call.function!r} is a value, not a function",
        text=text,
        spans=(call.function_span,),
        why="a product is written with *, an element with brackets: x[0]",
        suggestion=f"{text[:place]}*{text[place:]}" if single else "",
    )


def function_as_value(name: Name, text: str) -> ParseError:
    """The error for a function that is not called."""
    return ParseError(
        f"{name.name!r} is a function: call it, or declare a name of its own for the value",
        text=text,
        spans=(name.span,),
        why=f"as in {name.name}(x); `let {name.name}: vector(n)` makes it a value",
    )


def size_of(tree: Node, text: str, limits: Limits) -> AnySize:
    """The size that a size expression stands for.

    Raises ParseError for what is no size, ShapeError for one below 1, LimitError for one too large.
    """
    values: dict[int, AnySize] = {}
    for node in children_first(tree):
        values[id(node)] = _size_of_part(node, values, text)
        _check_growth(values[id(node)], node.span, text, limits)
    size = values[id(tree)]
    if isinstance(size, int) and size < 1:
        raise ShapeError("a size is a positive integer", text=text, spans=(tree.span,))
    if isinstance(size, int) and size > limits.size:
        raise exceeded(limits, "size", size, f"a size of {size}", text, tree.span)
    return size


def _size_of_part(node: Node, values: dict[int, AnySize], text: str) -> AnySize:
    match node:
        case Number(value=Fraction(denominator=1) as value):
            return int(value)
        case Name(name=name):
            return Size.named(name)
        case Binary(operator="+", left=left, right=right):
            return values[id(left)] + values[id(right)]
        case Binary(operator="-", left=left, right=right):
            return values[id(left)] - values[id(right)]
        case Binary(operator="*", left=left, right=right):
            return values[id(left)] * values[id(right)]
        case Binary(operator="^", left=left, right=Number(value=Fraction(denominator=1) as power)) if 0 < power <= 8:
            return prod([values[id(left)]] * int(power))
    raise ParseError(
        "this is not a size",
        text=text,
        spans=(node.span,),
        why="a size is a name, a positive integer, or a sum or product of them",
    )


def _check_growth(size: AnySize, span: Span, text: str, limits: Limits) -> None:
    if isinstance(size, Size):
        degree = max(len(monomial) for monomial, _ in size.terms)
        if len(size.terms) > _MOST_TERMS or degree > _MOST_DEGREE:
            raise exceeded(limits, "nodes", limits.nodes + 1, "a size with too many terms", text, span)
