"""What to say when shapes do not go together: the two shapes, where they stand, and what may have been meant."""

from __future__ import annotations

from collections.abc import Mapping

from matcalc.errors import MatcalcError, ShapeError
from matcalc.expression.operator import callable_named
from matcalc.expression.sizes import Shape, Size, written_shape
from matcalc.language.kinds import KIND_NAMES, MATRIX, ROW, SCALAR, VECTOR, kind_of
from matcalc.language.preferences import preferred
from matcalc.language.scene import Relation, Scene, operands
from matcalc.language.syntax import read
from matcalc.language.tree import Binary, Call, Name, Sign
from matcalc.language.tree import Node as Tree

_SHOWN = {SCALAR: "a scalar", VECTOR: "a vector", ROW: "a row", MATRIX: "a matrix"}


def kinds_complaint(made: Scene) -> ShapeError:
    """The first relation that fails when every name is what its spelling suggests."""
    domains = enumerate(made.network.domains)
    kinds: dict[int, int] = {value: domain for value, domain in domains if domain in KIND_NAMES}
    for name, value in made.names.items():
        if value not in kinds:
            liked = preferred(name)
            kinds[value] = VECTOR if liked == SCALAR and value in made.transposed else liked
    for relation in made.relations:
        given = tuple(kinds.get(value) for value in relation.values[:-1])
        fitting = [entry for entry in relation.table if all(g in (None, e) for g, e in zip(given, entry, strict=False))]
        if not fitting:
            return complaint(made, relation, {v: made.shapes.get(v) or _example(k, v) for v, k in kinds.items()})
        kinds.setdefault(relation.values[-1], fitting[0][-1])
        for value, kind in zip(relation.values, fitting[0], strict=True):
            kinds.setdefault(value, kind)
        if kinds[relation.values[-1]] not in {entry[-1] for entry in fitting}:
            return complaint(made, relation, {v: made.shapes.get(v) or _example(k, v) for v, k in kinds.items()})
    for value in range(len(made.network.domains)):
        kinds.setdefault(value, made.network.domains[value] if made.network.domains[value] in KIND_NAMES else SCALAR)
    names = ", ".join(made.names)
    return ShapeError(
        f"no shapes of {names} fit the expression", text=made.text, spans=(made.program.result.span,),
        why="declare what they are, as in let A: matrix(m, n)",
    )  # fmt: skip


def _example(kind: int, value: int) -> Shape:
    m, n = Size.named("m"), Size.named("n")
    shapes: dict[int, Shape] = {SCALAR: (1, 1), VECTOR: (n, 1), ROW: (1, n), MATRIX: (m, n)}
    return shapes[kind]


def complaint(made: Scene, relation: Relation, shapes: Mapping[int, Shape]) -> ShapeError:
    """The error for a relation that cannot hold."""
    parts = list(operands(made, relation.node)) if isinstance(relation.node, Binary | Call) else []
    have = [written_shape(shapes[made.value_of[id(p)]]) for p in parts if made.value_of[id(p)] in shapes]
    misfit = _misfit(relation, [shapes[value] for value in relation.values[:-1] if value in shapes])
    message, why, edits = (misfit, "", []) if misfit else _words(made, relation, parts, have, shapes)
    suggestion = next((text for text in (_edited(made, relation.node, e) for e in edits) if text), "")
    spans = tuple(p.span for p in parts) if 1 < len(parts) <= 3 else (relation.node.span,)
    return ShapeError(message, text=made.text, spans=spans, why=why, suggestion=suggestion)


def _misfit(relation: Relation, shapes: list[Shape]) -> str:
    """What the operator's record has to say of the shapes, or ""."""
    operator = callable_named(relation.label)
    if operator is None or operator.misfit is None or len(shapes) < len(relation.values) - 1:
        return ""
    return operator.misfit(shapes, tuple(relation.given.values()))


def _words(
    made: Scene, relation: Relation, parts: list[Tree], have: list[str], shapes: Mapping[int, Shape]
) -> tuple[str, str, list[str]]:
    node, text = relation.node, made.text
    cut = [p.span.cut(text) for p in parts]
    kinds = [kind_of(shapes[made.value_of[id(p)]]) for p in parts if made.value_of[id(p)] in shapes]
    said = "; ".join(f"{c} is {h} ({_how(made, p)})" for c, h, p in zip(cut, have, parts, strict=False))
    both = len(have) == 2
    if relation.label == "add" and both and isinstance(node, Binary):
        edits = (
            [f"{cut[0]} .{node.operator} {cut[1]}"]
            if (kinds[0] != kinds[1] and MATRIX in kinds) or SCALAR in kinds
            else []
        )
        return f"cannot add {have[0]} and {have[1]}", said, edits
    if relation.label in ("product", "matmul", "×") and both:
        if SCALAR in kinds:
            return "@ is the matrix product and never scales", said, [f"{cut[0]}*{cut[1]}"]
        first = f"({cut[0]})" if isinstance(parts[0], Binary | Sign) and not cut[0].startswith("(") else cut[0]
        inner, elementwise = f"{first}.T*{cut[1]}", f"{cut[0]}.*{cut[1]}"
        are_names = all(isinstance(part, Name) for part in parts) and MATRIX not in kinds
        edits = [inner, elementwise] if are_names or have[0] != have[1] else [elementwise, inner]
        more = f"an elementwise product is {elementwise}, an inner one {inner}"
        return f"cannot multiply {have[0]} by {have[1]}", f"{said}; {more}", edits
    if relation.label == "divide" and both:
        return (
            f"cannot divide by {_SHOWN[kinds[1]]}", f"{said}; elementwise it is ./, by a matrix it is *inv(…)",
            [f"{cut[0]}./{cut[1]}", f"{cut[0]}*inv({cut[1]})"],
        )  # fmt: skip
    if relation.label == "power" and kinds == [MATRIX, SCALAR] and len({*shapes[made.value_of[id(parts[0])]]}) == 1:
        return (
            f"the exponent of a matrix is a whole number, as in {cut[0]}^2, and {cut[1]} is none",
            f"{cut[0]} is {have[0]} ({_how(made, parts[0])}); an elementwise power is written .^",
            [f"{cut[0]}.^{cut[1]}"],
        )
    if relation.label == "power" and both:
        return (
            f"{_SHOWN[kinds[0]]} of shape {have[0]} has no power", "an elementwise power is written .^, as in x.^2",
            [f"{cut[0]}.^{cut[1]}"],
        )  # fmt: skip
    return _function_words(relation, cut, have, said)


def _function_words(relation: Relation, cut: list[str], have: list[str], said: str) -> tuple[str, str, list[str]]:
    source = next((form.source for form in relation.table.values() if form is not None), None)
    if relation.label == "index":
        return "the index does not fit", "A[i, j], A[i, :] and A[:, j] index a matrix, x[i] a vector", []
    if source is not None and len(source.matrices) == 1 and source.matrices[0][0] == source.matrices[0][1]:
        given = have[0] if have else "this"
        return f"{relation.label} needs a square matrix, and this is {given}", said, []
    if relation.label == "broadcast" and len(have) == 2:
        return f"cannot spread {have[0]} and {have[1]} over each other", said, []
    takes = source.text if source is not None else "something else"
    return (
        f"{relation.label} does not take {', '.join(have) or 'this'}",
        f"it takes {takes}; {said}".rstrip("; "),
        [],
    )


def _how(made: Scene, part: Tree) -> str:
    if isinstance(part, Name) and part.name in made.known:
        return "declared"
    return "inferred"


def _edited(made: Scene, node: Tree, replacement: str) -> str:
    """The whole text with the node replaced, where that parses; parentheses around it stay."""
    inside = list(operands(made, node)) if isinstance(node, Binary) else []
    start = inside[0].span.start if inside else node.span.start
    end = inside[-1].span.end if inside else node.span.end
    text = made.text[:start] + replacement + made.text[end:]
    try:
        read(text)
    except MatcalcError:
        return ""
    return text
