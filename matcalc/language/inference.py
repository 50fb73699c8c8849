"""From a syntax tree to a typed expression: what every name is, every size, and the node that the text means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from matcalc.errors import MatcalcError, ParseError, ShapeError
from matcalc.expression.nodes import Node
from matcalc.expression.property import PROPERTIES, closure
from matcalc.expression.sizes import AnySize, Shape, Size
from matcalc.language.assembly import assembled
from matcalc.language.complaints import complaint, kinds_complaint
from matcalc.language.equations import equated
from matcalc.language.functions import size_of
from matcalc.language.greek import latin
from matcalc.language.kinds import KIND_NAMES, SCALAR, Assignment, assignments, is_one
from matcalc.language.notes import notes, reduced_numbers
from matcalc.language.preferences import candidates
from matcalc.language.relations import scene
from matcalc.language.scene import Known, Relation, Scene
from matcalc.language.syntax import declaration
from matcalc.language.tree import Declaration, Program
from matcalc.language.unification import Sizes
from matcalc.limits import Limits

_MOST_READINGS = 200


@dataclass(frozen=True)
class VariableRecord:
    """A name: its kind, its shape as torch sees it, its properties, whether it was inferred, its node."""

    name: str
    kind: str
    shape: tuple[AnySize, ...]
    properties: tuple[str, ...]
    inferred: bool
    node: Node


@dataclass(frozen=True)
class Typed:
    """A text that has a meaning.

    Attributes:
        node: the expression.
        variables: the names in order of appearance.
        sizes: the size names that occur.
        declared_sizes: those that the text or a declaration names.
        order: of each sum and product that the text wrote, its terms or factors as typed; of a call that came apart,
            the call.
        notes: what to say of a reading that may not be the one meant.
        parts: what each part of the text means; some are no longer in the node, as log(x) of exp(log(x)).
        narrow: those notes that say that a name is hardly of the kind that was meant.
    """

    node: Node
    variables: tuple[VariableRecord, ...]
    sizes: tuple[str, ...] = ()
    declared_sizes: frozenset[str] = frozenset()
    order: Mapping[Node, tuple[Node, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    parts: tuple[Node, ...] = ()
    narrow: tuple[str, ...] = ()


def typed(
    program: Program, declared: Mapping[str, str] | None = None, limits: Limits | None = None, *, free: str = ""
) -> Typed:
    """The typed expression of a text, with declarations from outside.

    Of the name ``free`` nothing that says where its entries lie is put to use: the expression is as written, in which
    a symmetric matrix and its transpose are two things.

    Raises:
        MatcalcError: for every text that has no meaning.
    """
    limits = limits or Limits()
    known, rigid = _declared(program, declared or {}, limits)
    if free in known:
        known[free] = replace(known[free], properties=_without_structure(known[free].properties))
    made = scene(program, known, rigid, limits)
    try:
        shapes, sizes = _read(made, rigid)
        return _finished(made, shapes, sizes, rigid, limits)
    except MatcalcError as error:
        raise error.at(program.text, program.result.span) from None


def typed_claim(
    program: Program, reference: Typed, shape: Shape, limits: Limits | None = None, *, loose: bool = False
) -> Typed:
    """A claim read with the names of ``reference``; its shape is unified with ``shape`` where it can be.

    With ``loose`` the sizes that nobody declared may turn out equal or known.

    Raises:
        MatcalcError: for a text that has no meaning, a name that the expression does not have among them.
    """
    limits = limits or Limits()
    known = {v.name: Known(v.kind, v.node.shape, v.properties, v.inferred) for v in reference.variables}
    for one in program.declarations:
        if one.name not in known:
            raise ParseError(f"the expression has no {one.name!r}", text=program.text, spans=(one.name_span,))
    rigid = set(reference.declared_sizes) | (set() if loose else set(reference.sizes))
    made = scene(program, known, rigid, limits)
    made.size_names |= set(reference.sizes)
    _refuse_strangers(made, known)
    shapes, sizes = _read(made, rigid, shape)
    found = _finished(made, shapes, sizes, rigid, limits)
    if found.node.is_scalar and id(program.result) in made.numbers:
        from matcalc.expression import build

        return replace(found, node=build.spread(found.node, shape))
    return found


def _refuse_strangers(made: Scene, known: Mapping[str, Known]) -> None:
    import difflib

    for name, node in made.first.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ParseError(
                f"the expression has no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
                text=made.text,
                spans=(node.span,),
                why=f"a claim uses the expression's names: {', '.join(known)}",
            )


# ------------------------------------------------------------------------------------------------ declarations


def _declared(program: Program, declared: Mapping[str, str], limits: Limits) -> tuple[dict[str, Known], set[str]]:
    known: dict[str, Known] = {}
    rigid: set[str] = set()
    outside = [
        (declaration(text, None if ":" in text else latin(name), limits), text) for name, text in declared.items()
    ]
    for one, text in [*outside, *((d, program.text) for d in program.declarations)]:
        if one.name in known:
            raise ParseError(f"{one.name!r} is declared twice", text=text, spans=(one.name_span,))
        sizes = tuple(size_of(tree, text, limits) for tree in one.sizes)
        for size in sizes:
            rigid |= size.names if isinstance(size, Size) else set()
        known[one.name] = Known(one.kind, _shape(one.kind, sizes), one.properties, span=one.span)
        _check_properties(one, known[one.name].shape, text)
        for name in rigid & known.keys():
            raise ParseError(
                f"{name!r} is a size, and declared as a {known[name].kind} too",
                text=text,
                spans=(one.span,),
                why=f"a size is a number as well: {name} needs no declaration",
            )
    return known, rigid


def _without_structure(properties: tuple[str, ...]) -> tuple[str, ...]:
    held = closure(properties)
    return tuple(sorted(p for p in held if not any(PROPERTIES[q].project is not None for q in closure((p,)))))


def _shape(kind: str, sizes: tuple[AnySize, ...]) -> Shape:
    match kind:
        case "vector":
            return sizes[0], 1
        case "row":
            return 1, sizes[0]
        case "matrix":
            return sizes[0], sizes[1]
    return 1, 1


def _check_properties(one: Declaration, shape: Shape, text: str) -> None:
    import difflib

    for name, span in zip(one.properties, one.property_spans, strict=True):
        if name not in PROPERTIES:
            near = difflib.get_close_matches(name, PROPERTIES, n=1)
            raise ParseError(
                f"no property {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
                text=text,
                spans=(span,),
                why=f"the properties are {', '.join(PROPERTIES)}",
            )
        if PROPERTIES[name].square and (shape[0] != shape[1] or one.kind != "matrix"):
            raise ShapeError(f"only a square matrix is {name}", text=text, spans=(one.span,))
    held = closure(one.properties)
    for name, span in zip(one.properties, one.property_spans, strict=True):
        for other in PROPERTIES[name].excludes:
            if other in held:
                raise ShapeError(f"nothing is both {name} and {other}", text=text, spans=(span,))


# ------------------------------------------------------------------------------------------------------- kinds


def _read(made: Scene, rigid: set[str], root_shape: Shape | None = None) -> tuple[dict[int, Shape], Sizes]:
    """Shapes of all values under the cheapest reading that fits."""
    domains = bytearray(made.network.domains)
    for value in made.transposed:
        domains[value] &= ~SCALAR
    if not made.network.settle(domains):
        raise kinds_complaint(made)
    readings = assignments(made.network, domains, candidates(made))
    first: tuple[Relation, Sizes, dict[int, Shape]] | None = None
    for count, reading in enumerate(readings):
        shapes, sizes, failed, unsettled = _solve(made, reading, rigid, root_shape)
        if failed is None:
            _refuse_tie(made, reading, readings, rigid)
            return shapes, sizes
        if unsettled:
            first = (failed, sizes, shapes)
            break
        first = first or (failed, sizes, shapes)
        if count >= _MOST_READINGS:
            break
    if first is None:
        raise kinds_complaint(made)
    blamed, sizes, shapes = first
    sizes.name_the_rest((size for value in blamed.values for size in shapes[value]), _taken(made))
    raise complaint(made, blamed, {value: _resolved(sizes, shape) for value, shape in shapes.items()})


def _taken(made: Scene) -> set[str]:
    """The names that a size which has none cannot be given."""
    return {*made.names, *made.bound, *made.known, *made.size_names}


def _refuse_tie(made: Scene, chosen: Assignment, readings: Iterable[Assignment], rigid: set[str]) -> None:
    try:
        other = next(iter(readings), None)
    except ShapeError:  # too many to say; the one found is among the cheapest
        return
    if other is None or other.cost != chosen.cost:
        return
    if _solve(made, other, rigid, None)[2] is not None:
        return
    texts = []
    for reading in (chosen, other):
        kinds = {n: KIND_NAMES[reading.domains[v]] for n, v in made.names.items() if n not in made.known}
        texts.append(kinds)
    differing = [n for n in texts[0] if texts[0][n] != texts[1][n]]
    forms = {"scalar": "scalar", "vector": "vector(n)", "row": "row(n)", "matrix": "matrix(m, n)"}
    lines = " or ".join(" ".join(f"--let '{n}: {forms[kinds[n]]}'" for n in differing) for kinds in texts)
    raise ShapeError(
        f"{' and '.join(differing)} can be read in two ways",
        text=made.text,
        spans=tuple(made.first[n].span for n in differing),
        why=f"declare which: {lines}",
    )


# ------------------------------------------------------------------------------------------------------- sizes


def _solve(
    made: Scene, reading: Assignment, rigid: set[str], root_shape: Shape | None
) -> tuple[dict[int, Shape], Sizes, Relation | None, bool]:
    """Shapes, sizes, the relation that fails, and whether it fails only because a size is not known."""
    sizes = Sizes(rigid=set(rigid), flexible=made.size_names - rigid)
    shapes: dict[int, Shape] = {}
    for value in range(len(reading.domains)):
        kind = reading.domains[value]
        shapes[value] = made.shapes.get(value) or (
            1 if is_one(kind, 0) else sizes.fresh(),
            1 if is_one(kind, 1) else sizes.fresh(),
        )
    waiting: list[Relation] = []  # for the sizes that others give
    asked: list[tuple[int, Relation]] = []  # which relation asked for the equations beyond a number of them
    for relation in made.relations:
        if relation.trims and any(sizes.is_open(size) for size in shapes[relation.values[0]]):
            waiting.append(relation)
            continue
        asked.append((len(sizes.deferred), relation))
        if not equated(relation, _kinds(relation, reading), shapes, sizes):
            return shapes, sizes, relation, False
    for relation in waiting:
        asked.append((len(sizes.deferred), relation))
        if not equated(relation, _kinds(relation, reading), shapes, sizes):
            return shapes, sizes, relation, False
    own = len(sizes.deferred)
    if root_shape is not None:
        _try_root(made, shapes, sizes, root_shape)
    equations = list(sizes.deferred)
    pair = sizes.finish()
    if pair is None:
        return shapes, sizes, None, False
    place = equations.index(pair) if pair in equations else len(equations)
    if root_shape is not None and place >= own:  # the wanted shape cannot be had
        return _solve(made, reading, rigid, None)
    blamed = next((relation for before, relation in reversed(asked) if before <= place), made.relations[-1])
    return shapes, sizes, blamed, not sizes.is_settled(pair)


def _try_root(made: Scene, shapes: dict[int, Shape], sizes: Sizes, wanted: Shape) -> None:
    """A claim's shape agrees with the gradient's where it can."""
    have = shapes[made.value_of[id(made.program.result)]]
    trial = sizes.copy()
    if all((a == 1) == (b == 1) and trial.equate(a, b) for a, b in zip(have, wanted, strict=True)):
        sizes.bound, sizes.deferred, sizes.made = trial.bound, trial.deferred, trial.made


def _kinds(relation: Relation, reading: Assignment) -> tuple[int, ...]:
    return tuple(reading.domains[value] for value in relation.values)


def _resolved(sizes: Sizes, shape: Shape) -> Shape:
    return sizes.resolved(shape[0]), sizes.resolved(shape[1])


# ------------------------------------------------------------------------------------------------------ result


def _finished(made: Scene, shapes: dict[int, Shape], sizes: Sizes, rigid: set[str], limits: Limits) -> Typed:
    shown = [size for value in made.names.values() for size in shapes[value]]
    everything = [size for value in sorted(shapes) for size in shapes[value]]
    sizes.name_the_rest([*shown, *everything], _taken(made))
    final = {value: _resolved(sizes, shape) for value, shape in shapes.items()}
    try:
        node, order, variables, parts = assembled(made, final, sizes, limits)
    except RecursionError as error:
        raise ShapeError("the expression is nested too deeply", text=made.text) from error
    except MatcalcError as error:
        raise error.at(made.text) if error.text is None else error from None
    records = tuple(
        VariableRecord(name, kind, _outside(kind, v.shape), v.params[2], name not in made.known, v)
        for name, (kind, v) in variables.items()
    )
    names: dict[str, None] = {}
    for record in records:
        for size in record.shape:
            names.update(dict.fromkeys(sorted(size.names) if isinstance(size, Size) else ()))
    kinds = {record.name: record.kind for record in records}
    narrow = reduced_numbers(made, kinds, lambda part: final[made.value_of[id(part)]] == (1, 1))
    said = (*narrow, *notes(made, kinds))
    return Typed(node, records, tuple(names), frozenset({*rigid, *made.size_names}), order, said, parts, narrow)


def _outside(kind: str, shape: Shape) -> tuple[AnySize, ...]:
    return {"scalar": (), "vector": shape[:1]}.get(kind, shape)
