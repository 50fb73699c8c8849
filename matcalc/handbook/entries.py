"""An operator or a property as a reader wants to see it: every line follows from its record, nothing is said twice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from matcalc.derivative import grad, subspace_of
from matcalc.errors import ParseError, UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import postorder
from matcalc.expression.operator import ALIASES, TABLE, Operator, Sample
from matcalc.expression.property import PROPERTIES, Property
from matcalc.expression.sizes import Size
from matcalc.handbook.calls import Call, calls, code
from matcalc.language.printer import written
from matcalc.lowering.targets import TARGETS
from matcalc.parsed import Expression, parse


@dataclass(frozen=True)
class Example:
    """A scalar that uses the operator, the declarations that it needs, and its derived gradient by one name."""

    text: str
    declarations: tuple[str, ...]
    wrt: str
    gradient: str


@dataclass(frozen=True)
class Entry:
    """An operator.

    Attributes:
        calls: how it is called, by letters for the arguments; empty where it has signs of its own.
        shapes: the shapes of the arguments and of the value, call by call.
        means: what each call is another way of writing, "" where it is an operation itself.
        differentials: how the value moves with the arguments, call by call.
        domain: what the arguments must be, in words.
        kinks: where the derivative jumps and what is taken there, in words.
        code: by the target's name, the target's own call for it.
    """

    name: str
    says: str
    calls: tuple[str, ...]
    shapes: tuple[str, ...]
    means: tuple[str, ...]
    differentials: tuple[str, ...]
    domain: tuple[str, ...]
    kinks: tuple[str, ...]
    example: Example | None
    code: dict[str, str]
    aliases: tuple[str, ...]
    source: str

    def record(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class PropertyEntry:
    """A property: what follows from it, and onto which subspace a gradient ``G`` is projected, "" where onto none."""

    name: str
    says: str
    implies: tuple[str, ...]
    excludes: tuple[str, ...]
    square: bool
    subspace: str
    projection: str
    source: str

    @property
    def line(self) -> str:
        """All of it in one sentence."""
        parts = [self.says]
        parts += [f"implies {', '.join(self.implies)}"] if self.implies else []
        onto = "it" if self.subspace == self.name else self.subspace
        parts += [f"gradients are projected onto {onto}"] if self.subspace else []
        return "; ".join(parts)

    def record(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self)


def entry(name: str) -> Entry:
    """The entry of the operator called ``name``, an alias perhaps.

    Raises:
        ParseError: when there is none.

    >>> entry("inv").differentials
    ('d inv(X) = -inv(X)*dX*inv(X)',)
    """
    operator = TABLE.get(ALIASES.get(name, name))
    if operator is None:
        raise ParseError(f"no function {name!r}", suggestion="matcalc functions")
    made = () if operator.notation else calls(operator)
    return Entry(
        operator.name,
        operator.says,
        tuple(each.text for each in made),
        tuple(each.shapes for each in made),
        tuple(each.meaning for each in made),
        tuple("" if each.meaning else each.differential for each in made),
        _domain(operator, made),
        _kinks(operator),
        _example(operator, operator.samples[0]) if operator.samples else None,
        {target: text for target in TARGETS if made and (text := code(made[0], target))},
        operator.aliases,
        operator.source,
    )


def property_entry(record: Property) -> PropertyEntry:
    """The entry of a property.

    >>> print(property_entry(PROPERTIES["psd"]).line)
    symmetric with no negative eigenvalue; implies symmetric; gradients are projected onto symmetric
    """
    n = Size.named("n")
    gradient = build.variable("G", (n, n), "matrix")
    onto = subspace_of(build.variable("A", (n, n), "matrix", frozenset({record.name})))
    project = PROPERTIES[onto].project if onto else None
    return PropertyEntry(
        record.name,
        record.says,
        record.implies,
        record.excludes,
        record.square,
        onto,
        "" if project is None else written(project(gradient)),
        record.source,
    )


def _domain(operator: Operator, made: tuple[Call, ...]) -> tuple[str, ...]:
    names = [each.params[0] for each in made[0].arguments] if made else []
    words = [
        f"checks take {names[place] if place < len(names) else f'argument {place + 1}'} to be {wanted}: "
        f"{PROPERTIES[wanted].says}"
        for place, wanted in operator.domain.items()
    ]
    demanded = next((each.demanded for each in made if each.demanded), "")
    if demanded:
        words.append(f"{names[0]} must be known to be {demanded}: {PROPERTIES[demanded].says}")
    return tuple(words)


def _kinks(operator: Operator) -> tuple[str, ...]:
    words = [
        f"at {k.at:g}, where the derivative is taken to be {k.derivative:g}, as torch does" for k in operator.kinks
    ]
    if operator.ties is not None and not operator.kinks:
        words.append("where entries that it compares are equal; there torch's convention is taken")
    return tuple(words)


def _example(operator: Operator, sample: Sample) -> Example:
    f = parse(sample.text, dict(sample.let) or None)
    wrt = _moving(operator, f)
    declared = tuple(f"{name}: {kind}" for name, kind in sample.let.items())
    try:
        gradient = str(grad(f, wrt))
    except UnsupportedError as error:
        gradient = error.message
    return Example(sample.text, declared, wrt, gradient)


def _moving(operator: Operator, f: Expression) -> str:
    """A name inside the operator's first argument where it occurs, x or X if that may be."""
    used = next((node for node in postorder(f.node) if node.op == operator.name and node.free), f.node)
    inside = next((arg.free for arg in used.args if arg.free), used.free)
    return next(name for name in ("x", "X", *f.variables) if name in inside)


def matching(word: str) -> tuple[list[Operator], list[Property]]:
    """The operators and the properties that a word finds in their names, aliases and sentences, sorted by name.

    >>> [each.name for each in matching("hyperbolic tangent")[0]]
    ['atanh', 'tanh']
    """
    wanted = word.lower()
    operators = [
        op
        for op in TABLE.values()
        if not op.notation and wanted in f"{op.name} {op.says} {' '.join(op.aliases)}".lower()
    ]
    properties = [each for each in PROPERTIES.values() if wanted in f"{each.name} {property_entry(each).line}".lower()]
    return sorted(operators, key=lambda op: op.name), sorted(properties, key=lambda each: each.name)
