"""Random expressions over the whole operator table: a seeded generator of scalar texts, driven by the records.

Every operator that can be called is applied by its signatures, to arguments of the shapes that they ask for and with
the properties that its domain asks for; what has notation is written in it. The operators take turns, and so do the
properties that names are declared to have: the first texts of a seed, as many as there are forms, have them all.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from domains import OF_SCALARS, RECIPES, call, declarable, declarable_unless_square, demands, has
from notation import NOTATIONS
from shapes import arguments, backward, forward, is_moderate, length, written_size

import matcalc  # noqa: F401  # the definitions fill the tables
from matcalc.expression.operator import TABLE, Operator
from matcalc.expression.property import PROPERTIES
from matcalc.expression.signature import Signature, signature
from matcalc.expression.sizes import AnySize, Shape, Size

WORLDS: tuple[list[AnySize], ...] = (
    [Size.named("h"), Size.named("h"), 1],
    [Size.named("w"), Size.named("h"), 1],
    [Size.named("h"), 3, 2, 1],
    [2, 3, 1],
    [4, 3, 2],
)
_LINKED = {"kron_trace": {"a": ("m", "c"), "b": ("n", "d")}}
"""Sizes that are products of others, which the signature does not say."""
_TRIES = 60
_NAMED = ("h", "w")
Form = tuple[Operator, Signature]


def _called() -> list[Form]:
    """Every callable operator with each of its signatures; of those that take any number, with one or two."""
    forms = []
    for operator in TABLE.values():
        for text in () if operator.notation else operator.signatures:
            if "..." in text and operator.stacks is None:
                taken, result = text.replace("...", "").split("->")
                last = taken.strip().rpartition("), ")[2]
                forms += [(operator, signature(f"{taken.strip()}{f', {last}' * k} ->{result}")) for k in range(2)]
            elif operator.stacks is None and not operator.contextual:
                forms.append((operator, signature(text)))
    return forms


CALLED = _called()


class Expressions:
    """Texts of random expressions; the seed gives the sequence."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  reproducible, not secret
        self.let: dict[str, str] = {}
        self.sizes: list[AnySize] = []
        self._names: dict[str, tuple[Shape, tuple[str, ...]]] = {}
        self._bindings: list[str] = []
        self._shared: dict[Shape, list[str]] = {}
        self._turns = self._in_turn([*CALLED, *NOTATIONS])
        self._properties = self._in_turn(list(PROPERTIES))

    def next(self) -> tuple[str, dict[str, str]]:
        """A scalar text, and the declarations of its names."""
        turn, wanted = next(self._turns), next(self._properties)
        for _ in range(_TRIES):
            self.sizes = list(self.random.choice(WORLDS))
            self._names, self._bindings, self._shared, self.let = {}, [], {}, {}
            if (text := self._one(turn, wanted)) is not None:
                return text, {name: kind for name, kind in self.let.items() if _occurs(name, text)}
        raise ValueError(f"no shapes for {turn[0]}")

    def _in_turn(self, what: list[object]) -> Iterator[object]:
        while True:
            self.random.shuffle(what)
            yield from what

    def _one(self, turn: Form | tuple[str, Callable[..., str | None]], wanted: str) -> str | None:
        """A text in which the operator whose turn it is and a name with the wanted property occur."""
        named = self._with_property(wanted)
        depth = self.random.choice([1, 2, 2, 3])
        shape, made = self._applied(*turn, depth) if isinstance(turn[0], Operator) else self._noted(turn[1], depth)
        if made is None or named is None:
            return None
        if self.random.random() < 0.3:
            made = self._bound(shape, made)
        value = self._to_scalar(shape, made)
        kept = (
            [value]
            if _occurs(named, value)
            else [value, self._to_scalar(self._names[named][0], named, self._names[named][1])]
        )
        other = self.text((1, 1), self.random.choice([0, 1]))
        text = self.random.choice(["({0}) + {1}", "({0})*tanh({1})", "tanh({0}) - ({1})", "({0})./(1 + ({1})^2)"])
        text = text.format(" + ".join(kept), other)
        text = "; ".join([*self._bindings, text])
        told = " ".join(kind for name, kind in self.let.items() if _occurs(name, text))
        return text if all(_occurs(size, told) for size in _NAMED if _occurs(size, text)) else None

    # ------------------------------------------------------------------------------------------------- values

    def text(self, shape: Shape, depth: int, needs: str = "") -> str:
        """A text of a shape that has a property."""
        if shape == (1, 1):
            needs = OF_SCALARS.get(needs, needs)
        if depth <= 0 or self.random.random() < 0.15:
            return self._leaf(shape, needs)
        if needs:
            return self.random.choice(RECIPES[needs])(self, shape, depth)
        if shape in self._shared and self.random.random() < 0.25:
            return self.random.choice(self._shared[shape])
        made = self._inner(shape, depth)
        return self._bound(shape, made) if self.random.random() < 0.1 else made

    def _inner(self, shape: Shape, depth: int) -> str:
        """Any operator, or notation, that gives the shape."""
        for _ in range(8):
            if self.random.random() < 0.4:
                made = self.random.choice(NOTATIONS)[1](self, shape, depth)
            else:
                made = self._applied_to(shape, *self.random.choice(CALLED), depth)
            if made is not None:
                return made
        return self._leaf(shape, "")

    def _leaf(self, shape: Shape, needs: str) -> str:
        """A name that has what is needed: one that is there, or a new one."""
        have = [name for name, (s, properties) in self._names.items() if s == shape and has(properties, needs)]
        if have and (self.random.random() < 0.6 or len(self._names) > 5):
            return self.random.choice(have)
        fitting = [c for c in self._combinations(shape) if has(c, needs)]
        bare = not needs and self.random.random() < 0.6
        return self._declared(shape, () if bare or not fitting else self.random.choice(fitting))

    def _combinations(self, shape: Shape) -> tuple[tuple[str, ...], ...]:
        rows, cols = map(length, shape)
        return declarable(3, 3) if shape[0] == shape[1] != 1 else declarable_unless_square(rows, cols)

    def _declared(self, shape: Shape, properties: tuple[str, ...]) -> str:
        name = f"{'x' if 1 in shape else 'A'}{len(self._names)}"
        rows, cols = map(written_size, shape)
        kind, sizes = "matrix", [rows, cols]
        if shape[1] == 1:
            kind, sizes = ("scalar", []) if shape[0] == 1 else ("vector", [rows])
        elif shape[0] == 1:
            kind, sizes = "row", [cols]
        inner = ", ".join(sizes) + (f"; {', '.join(properties)}" if properties else "")
        self.let[name] = f"{kind}({inner})" if inner else kind
        self._names[name] = (shape, properties)
        return name

    def _with_property(self, wanted: str) -> str | None:
        """A new name that is declared to have the property, alone or with another."""
        for _ in range(_TRIES):
            n = self.random.choice(self.sizes)
            shape = self.random.choice([(n, n), (n, 1), (1, n), (self.random.choice(self.sizes), n)])
            fitting = [c for c in self._combinations(shape) if wanted in c]
            if fitting:
                return self._declared(shape, self.random.choice([fitting[0], self.random.choice(fitting)]))
        return None

    def _bound(self, shape: Shape, made: str) -> str:
        """A name for a subexpression, that others of its shape may use as well."""
        name = f"s{len(self._bindings)}"
        self._bindings.append(f"{name} = {made}")
        self._shared.setdefault(shape, []).append(name)
        return name

    # -------------------------------------------------------------------------------------------------- calls

    def _applied(self, operator: Operator, one: Signature, depth: int) -> tuple[Shape, str | None]:
        """An operator on arguments of any shapes that it takes."""
        for _ in range(_TRIES):
            bound = self._linked(operator, forward(operator, one, self.sizes, self.random))
            shapes = list(arguments(one, bound))
            result = self._result(one, bound)
            if all(map(is_moderate, [*shapes, result])):
                return result, self._call(operator, one, bound, depth)
        return (1, 1), None

    def _applied_to(self, wanted: Shape, operator: Operator, one: Signature, depth: int) -> str | None:
        """An operator that gives the shape, or None."""
        bound = backward(operator, one, None, wanted, self.sizes, self.random)
        if bound is None:
            return None
        bound = self._linked(operator, bound)
        return self._call(operator, one, bound, depth) if all(map(is_moderate, arguments(one, bound))) else None

    def _linked(self, operator: Operator, bound: dict[str, AnySize]) -> dict[str, AnySize]:
        products = _LINKED.get(operator.name, {})
        return bound | {name: bound[a] * bound[b] for name, (a, b) in products.items()}

    def _call(
        self,
        operator: Operator,
        one: Signature,
        bound: dict[str, AnySize],
        depth: int,
        given: tuple[int, str] = (-1, ""),
    ) -> str:
        needs = demands(operator.name, one.text)
        args = []
        for k, shape in enumerate(arguments(one, bound)):
            if operator.broadcasts and self.random.random() < 0.2:
                shape = self.random.choice([(1, shape[1]), (shape[0], 1), (1, 1)]) if k else shape
            args.append(given[1] if k == given[0] else self.text(shape, depth - 1, needs.get(k, "")))
        sizes = {name: written_size(size) for name, size in bound.items()}
        most = min([length(bound[p.name]) for p in one.parameters if p.kind == "size"], default=3)
        least = 1 if any(needs.values()) else 0
        top = 1 if operator.name in _LINKED else max(least, min(most - 1, 3))
        return call(operator, one, args, sizes, lambda: self.random.randint(least, top))

    def _noted(self, form: Callable[..., str | None], depth: int) -> tuple[Shape, str | None]:
        """A form of notation with any shape that it can have."""
        shapes = [(a, b) for a in self.sizes for b in self.sizes if is_moderate((a, b))]
        self.random.shuffle(shapes)
        made = ((shape, form(self, shape, max(depth, 1))) for shape in shapes)
        return next((pair for pair in made if pair[1] is not None), ((1, 1), None))

    def _to_scalar(self, shape: Shape, made: str, properties: tuple[str, ...] = ()) -> str:
        """A scalar that depends on all of a value, often through operators that take it."""
        for _ in range(self.random.choice([0, 1, 2])):
            shape, made = self._taken(shape, made, properties)
            properties = ()
        if shape == (1, 1):
            return made
        forms = [
            "sum({0})",
            "mean(square({0}))",
            "norm2({0})^2",
            "sum(sin({0}))",
            "inner({0}, {1})",
            "sum(tanh({0}).*{1})",
        ]
        return self.random.choice(forms).format(made, self._leaf(shape, ""))

    def _taken(self, shape: Shape, made: str, properties: tuple[str, ...]) -> tuple[Shape, str]:
        """An operator that takes the value among its arguments; the value where none was found."""
        for _ in range(_TRIES):
            operator, one = self.random.choice(CALLED)
            places = [
                k for k in range(len(one.matrices)) if has(properties, demands(operator.name, one.text).get(k, ""))
            ]
            if not places:
                continue
            place = self.random.choice(places)
            bound = backward(operator, one, place, shape, self.sizes, self.random)
            if bound is None or operator.balance is not None or operator.name in _LINKED:
                continue
            result = self._result(one, bound)
            if all(map(is_moderate, [*arguments(one, bound), result])):
                return result, self._call(operator, one, bound, 1, (place, made))
        return shape, made

    def _result(self, one: Signature, bound: dict[str, AnySize]) -> Shape:
        return next(arguments(signature(f"{_shape(one.result)} -> (1,1)"), bound))


def _occurs(name: str, text: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def _shape(pattern: Shape) -> str:
    return f"({written_size(pattern[0])},{written_size(pattern[1])})"
