"""From terms to text: infix operators with the parentheses a reader needs, the rest from templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from matcalc.errors import UnsupportedError
from matcalc.expression.nodes import Node
from matcalc.expression.operator import Spelling
from matcalc.expression.sizes import AnySize, Size
from matcalc.lowering.program import Program
from matcalc.lowering.targets import Target
from matcalc.lowering.terms import Term, below
from matcalc.lowering.unbatched import WITHOUT_AXES

SUM, PRODUCT, MATMUL, UNARY, POWER, ATOM = range(6)
_INFIX = {"multiply": ("*", PRODUCT), "divide": ("/", PRODUCT), "matmul": ("@", MATMUL)}
_NEGATED = (ATOM, POWER, PRODUCT)  # a sign binds tighter than @: -A @ x would negate all of A first
_EXACT_INTEGERS = 2**53
_MOST_DIGITS = 17


class Text(NamedTuple):
    """A text and how tightly it binds."""

    text: str
    level: int

    def __format__(self, wanted: str) -> str:
        return self.atom() if wanted == "a" else self.text

    def atom(self) -> str:
        """The text as something that a call or a subscript can follow."""
        return self.text if self.level == ATOM else f"({self.text})"

    def within(self, *levels: int) -> str:
        """The text, in parentheses unless it binds as one of ``levels`` does."""
        return self.text if self.level in levels else f"({self.text})"


def number_text(value: Fraction) -> Text:
    """A number, readable and exact as far as a double is.

    >>> number_text(Fraction(1, 2)).text, number_text(Fraction(1, 3)).text
    ('0.5', '1 / 3')
    """
    sign = "-" if value < 0 else ""
    text = _positive(abs(value))
    return Text(sign + text, PRODUCT if " / " in text else UNARY if sign else ATOM)


def _positive(value: Fraction) -> str:
    try:
        double = float(value)
    except OverflowError:
        raise UnsupportedError("a number in this expression is too large for a floating-point number") from None
    if value.denominator == 1:
        return str(value.numerator) if value < _EXACT_INTEGERS else repr(double)
    if len(repr(double)) < _MOST_DIGITS and Fraction(repr(double)) == value:
        return repr(double)
    if max(value.numerator, value.denominator) >= _EXACT_INTEGERS:
        return repr(double)
    return f"{value.numerator} / {value.denominator}"


@dataclass(frozen=True)
class Speller:
    """Spells the terms of one program for one target."""

    target: Target
    sizes: dict[str, str]
    like: str

    def spelled(self, term: Term) -> str:
        """The text of a term."""
        done: dict[Term, Text] = {}
        for inner in below(term):
            done[inner] = self._text(inner, [done[arg] for arg in inner.args])
        return done[term].text

    def size(self, size: AnySize) -> str:
        """A size as an expression of the names read from the inputs."""
        if not isinstance(size, Size):
            return str(size)
        text = ""
        for monomial, factor in size.terms:
            names = [self.sizes.get(name, name) for name in monomial]
            number = [str(abs(factor))] if abs(factor) != 1 or not names else []
            sign = ("- " if factor < 0 else "+ ") if text else ("-" if factor < 0 else "")
            text += (" " if text else "") + sign + " * ".join([*number, *names])
        return text

    def _text(self, term: Term, args: list[Text]) -> Text:
        if term.op == "name":
            return Text(term.params[0], ATOM)
        if term.op == "number":
            return number_text(term.params[0])
        if term.op == "size":
            text = self.size(term.params[0])
            return Text(text, ATOM if text.isidentifier() else SUM)
        if term.op == "apply":
            made = self.applied(term.params[0], args)
            return made if len(term.params) == 1 else self._without_axes(made)
        if term.op in _INFIX or term.op in ("add", "negative", "power"):
            return _infix(term, args)
        made = Text(self._filled(self._template(term), term, args), ATOM)
        return self._without_axes(made) if term.params[-1:] == (WITHOUT_AXES,) else made

    def _without_axes(self, made: Text) -> Text:
        """The text of a number without the ending that gives it two axes."""
        ending = next(end for end in self.target.scalar_endings if made.text.endswith(end))
        return Text(made.text.removesuffix(ending) + self.target.scalar_endings[ending], ATOM)

    def _template(self, term: Term) -> str:
        choices = self.target.templates.get(term.op)
        if choices is None:
            raise UnsupportedError(f"{self.target.name} has no {term.op}: the program was lowered for another target")
        return choices if isinstance(choices, str) else choices(term)

    def _filled(self, template: str, term: Term, args: Sequence[Text]) -> str:
        rows, cols = map(self.size, term.shape)
        return template.format(*args, rows=rows, cols=cols, like=self.like)

    def applied(self, node: Node, args: Sequence[Text]) -> Text:
        """An operator's own spelling, with the texts of its arguments.

        Raises:
            UnsupportedError: where it has none for the target.
        """
        spelling = self.target.spelling(node.operator.lowers)
        if spelling is None:
            raise UnsupportedError(f"{node.operator.name} cannot be written in {self.target.name} yet")
        return Text(self._record(spelling, node, args), ATOM)

    def _record(self, spelling: Spelling, node: Node, args: Sequence[Text]) -> str:
        if isinstance(spelling, str):
            rows, cols = map(self.size, node.shape)
            return spelling.format(*args, rows=rows, cols=cols, like=self.like)
        text = spelling(node, [arg.atom() for arg in args], self.size)
        return text.replace("{like}", self.like)


def speller(program: Program, target: Target) -> Speller:
    """The speller for a program."""
    first = program.parameters[0].python_name if program.parameters else None
    like = target.like.format(first) if first is not None else target.like_nothing
    return Speller(target, {s.name: s.python_name for s in program.sizes}, like)


def _infix(term: Term, args: Sequence[Text]) -> Text:
    if term.op == "add":
        return _sum(term.params, args)
    if term.op == "negative":
        return Text("-" + args[0].within(*_NEGATED), UNARY)
    left, right = args
    if term.op == "power":
        return Text(f"{left.atom()} ** {right.atom()}", POWER)
    sign, level = _INFIX[term.op]
    return Text(f"{left.within(ATOM, POWER, UNARY, level)} {sign} {right.within(ATOM, POWER)}", level)


def _sum(signs: Sequence[int], args: Sequence[Text]) -> Text:
    pieces: list[str] = []
    for sign, arg in zip(signs, args, strict=True):
        text = arg.within(ATOM, POWER, MATMUL, PRODUCT, UNARY)
        if pieces:
            text = arg.within(ATOM, POWER, MATMUL, PRODUCT)
            pieces.append(f" {'-' if sign < 0 else '+'} {text}")
        else:
            pieces.append("-" + arg.within(*_NEGATED) if sign < 0 else text)
    return Text("".join(pieces), SUM)
