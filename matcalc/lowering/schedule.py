"""From expressions to a program: what to compute, in which order, under which names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matcalc.errors import UnsupportedError
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.lowering.adjugates import with_adjugates
from matcalc.lowering.distribution import distributed
from matcalc.lowering.literal import Literal
from matcalc.lowering.mentions import mentions
from matcalc.lowering.names import Names
from matcalc.lowering.plan import Plan
from matcalc.lowering.program import Output, Parameter, Program, Tensor
from matcalc.lowering.reading_sizes import readings
from matcalc.lowering.sharing import named, solves_shared
from matcalc.lowering.solves import solves_within
from matcalc.lowering.stable import stable
from matcalc.lowering.targets import Target, target_named
from matcalc.lowering.terms import Term, Terms, below
from matcalc.lowering.unbatched import unbatched

if TYPE_CHECKING:
    from matcalc.lowering.rules import Rules


def lower(
    outputs: Sequence[tuple[Node, str | Tensor]],
    variables: Sequence[Node],
    sizes: Mapping[str, int] | None = None,
    optimise: bool = True,
    target: str = "torch",
    batched: bool = True,
) -> Program:
    """The program that computes ``outputs``, each with how it looks outside, from ``variables`` in order.

    ``sizes`` are typical values of size names, for choosing an order of products. Without ``optimise`` every
    node is computed as it stands, left to right, whatever overflows. The ``target`` matters where it has no word for
    a solve. What is not ``batched`` takes inputs without leading axes alone, and computes as one would by hand.

    Raises:
        UnsupportedError: for an unknown target, or one that is always batched, a name that code cannot have and a size
            that no input tells.

    >>> from matcalc.expression import build
    >>> x = build.variable("x", (3, 1), "vector")
    >>> lower([(build.add(x, x), "vector")], [x]).statements[0].target
    'result'
    """
    names, terms, spelled = Names(), Terms(), target_named(target)
    if not batched and not spelled.scalar_endings:
        raise UnsupportedError(f"code for {target} always takes leading axes", suggestion="--target torch")
    parameters = tuple(Parameter(v.params[0], v.params[1], names.own(v.params[0]), v.shape) for v in variables)
    inputs = {p.name: terms.name(p.python_name, p.shape) for p in parameters}
    roots = [node for node, _ in outputs]
    if optimise:
        roots = distributed(stable(with_adjugates(roots)), sizes or {})
    rules: Rules = Plan(terms, inputs, roots, sizes or {}) if optimise else Literal(terms, inputs)
    values = [terms.array(rules.of(root)) for root in roots]
    values = solves_within(values, terms, spelled)
    if optimise and "lu_solve" in spelled.templates:
        values = solves_shared(values, terms)
    if not batched:
        values = unbatched(values, [storage for _, storage in outputs], parameters, terms, spelled)
    axes = [s for _, storage in outputs if isinstance(storage, Tensor) for part in storage for s in part]
    size_readings = readings([*_sizes_in(values, spelled), *axes], parameters, sizes or {}, names, batched=batched)
    targets = [names.own(target) for target in _targets(len(outputs))]
    return Program(
        parameters,
        size_readings,
        _alignments(values, parameters) if spelled.guesses_vectors and batched else (),
        tuple(named(values, targets, terms, names.temporary, spelled)),
        tuple(Output(target, storage, node.shape) for target, (node, storage) in zip(targets, outputs, strict=True)),
        batched,
        tuple(_absent(value, parameters) for value in values) if batched else (),
    )


def _absent(value: Term, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """The inputs that do not occur in a value."""
    present = _inputs(value)
    return tuple(p.python_name for p in parameters if p.python_name not in present)


def _targets(count: int) -> list[str]:
    return ["result"] if count == 1 else ["value", "result", *(f"result{k}" for k in range(2, count))][:count]


def _sizes_in(values: Sequence[Term], target: Target) -> list[AnySize]:
    """The sizes that the target's spelling may mention."""
    found: list[AnySize] = []
    for term in below(*values):
        if term.op in ("expand", "expand_flat", "cholesky_inverse"):
            found += term.shape
        elif term.op == "size":
            found.append(term.params[0])
        elif term.op == "apply":
            node = term.params[0]
            found += mentions(node, target.spelling(node.operator.lowers)).sizes
    return found


def _alignments(values: Sequence[Term], parameters: Sequence[Parameter]) -> tuple[tuple[str, str], ...]:
    """Which inputs need leading axes: a solve would take a right side with one axis less for vectors.

    That only matters where matrix and right side have the same shape, so not for a single column.
    """
    order = {p.python_name: k for k, p in enumerate(parameters)}
    found: list[tuple[str, str]] = []
    for term in below(*values):
        if term.op == "solve" and term.args[1].shape[1] != 1 and term.params[0]:
            matrix, right = (sorted(_inputs(arg) & order.keys(), key=order.__getitem__) for arg in term.args)
            found += [(right[0], name) for name in matrix if name not in right and right]
    return tuple(dict.fromkeys(found))


def _inputs(term: Term) -> set[str]:
    return {inner.params[0] for inner in below(term) if inner.op == "name"}
