"""The operator record, and the table that the definitions in :mod:`matcalc.operators` fill.

Everything matcalc knows about an operator stands in its record: what it takes and gives, its differential, how it is
transposed where it is linear, how each target spells it, what SymPy calls it, and how to compute it in any precision.
The passes (inference, calculus, lowering, checking, documents) read records and know no operator by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from matcalc.expression.signature import Signature, signature
from matcalc.expression.sizes import AnySize, Shape

if TYPE_CHECKING:
    from matcalc.expression.bounds import Interval
    from matcalc.expression.formula import Formula
    from matcalc.expression.indexed import Indexed, Letters
    from matcalc.expression.nodes import Node

Differential: TypeAlias = "Callable[[Node, int, Node], Node]"
Spelling: TypeAlias = "str | Callable[[Node, Sequence[str], Callable[[AnySize], str]], str]"
Notation: TypeAlias = "str | Callable[[Node, Sequence[Formula], Callable[[AnySize], str]], Formula]"
Evaluation: TypeAlias = "Callable[[Node, Sequence[Any], Callable[[AnySize], Any]], Any]"


@dataclass(frozen=True)
class Lowering:
    """How the targets spell an operator.

    Inside a program every value is a matrix with leading batch axes: a vector is ``(..., n, 1)``, a scalar
    ``(..., 1, 1)``. A spelling is a template with ``{0}``, ``{1}`` for the arguments, or a function of the node, the
    arguments' texts and a speller of sizes. The text must bind as tightly as a call.

    ``role`` says what a product can do better than form the value: ``diagonal`` (the diagonal matrix of a column, which
    multiplies rows or columns), ``trace`` (of a product, a sum of entries), ``inverse`` (a solve with its argument),
    ``determinant`` (times the inverse it is the adjugate, which exists where the inverse does not), ``log_determinant``
    (of its absolute value; it shares a factorization with solves), ``euclidean_norm`` (its square needs no root).

    ``helpers`` are private functions that the spellings call: by the target's name, each function's name and text.
    They go into a module that mentions them.
    """

    torch: Spelling | None = None
    numpy: Spelling | None = None
    jax: Spelling | None = None
    role: str = ""
    helpers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Kink:
    """A point where an elementwise function has no derivative, and the value that torch takes there."""

    at: float
    derivative: float


@dataclass(frozen=True)
class Sample:
    """A use of the operator for the tests: a text and the declarations that it needs."""

    text: str
    let: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operator:
    """One operator: the only place where anything is said of it.

    Attributes:
        name: what a user types, and the node's ``op``.
        says: one sentence.
        source: where its rule is published.
        signatures: what it takes and gives; see :mod:`matcalc.expression.signature`.
        differential: ``(node, i, d)`` to the part of the differential that argument ``i``, changing by ``d``, brings.
            None where the operator is linear in each argument: the operator itself with ``d`` in place.
        transpose: ``(node, i, u)`` for an operator linear in argument ``i``: what cotangent ``u`` sends to it.
        matrix: ``(node, i, J)`` for an operator linear in argument ``i``: M·J, where vec of the value is M times vec
            of that argument. None where M has no closed form.
        call: builds a node from the arguments as typed; the default applies the operator. An operator that is only
            another way of writing others has nothing but this.
        simplify: ``(args, params)`` to an equal, simpler node, or None.
        transposed: ``node`` to its transpose where that is not just ``node.T``.
        joins: ``(left, right)`` neighbours in a matrix product, one of them this operator's, to what they make.
        facts: the properties that the value has.
        bounds: ``(node, intervals of the arguments' entries)`` to an interval in which the value's entries lie, beside
            what the facts say; see :mod:`matcalc.expression.bounds`.
        shape: overrides the signatures where a result's shape depends on parameters.
        domain: argument position to the property that it must have.
        kinks: where the derivative jumps.
        lowers, sympy, reference, latex: spelled in torch, NumPy and JAX; as a SymPy expression; as arithmetic on
            object arrays of any precision; in LaTeX, a template or ``(node, argument formulas, size speller)`` to a
            formula.
        exact: how the value is had over a field, entries being fractions or elements of a finite field: True where
            ``reference`` does nothing but field arithmetic, an evaluation where that takes another (it may give whole
            numbers, fractions, and the name of a constant), None where that cannot be said in rational functions,
            roots and the functions of :mod:`matcalc.operators.exact_functions`.
        written: ``(node, argument texts, size speller)`` to the text of an operator not written as a call.
        derivative: of an elementwise operator: ``(x, y)`` to the derivative at x, where the value is y.
        samples, errors: rows for the tests.
        aliases: other names a user may type.
        ties: ``(node, argument arrays)`` to what is zero where the operator has a kink between two of their entries.
        branch: ``(node, argument arrays)`` to what chooses the branch by its sign, beside what ``kinks`` say.
        trouble: ``(node, argument arrays)`` to what is wrong with them as arguments, or "": a domain that depends on
            the node's parameters, beyond what ``domain`` can say.
        fits: ``(node, size evaluator)`` to whether the parameters lie inside the sizes.
        acts: ``(node, column)`` to the value times a column, where that is had without the value.
        indexed: ``(node, arguments, letters)`` to how entries are found where rows or columns are entries themselves.
        named_entries: whether that is also how an entry with one index on each side is written: a delta, a number.
        stable: ``node`` to an equal one that overflows only where the value does, or None; the lowering asks.
        at_kink: ``node`` of a derivative to an equal one that has torch's value where the derivative has none of its
            own, or None; the code of derivatives asks.
        settle: ``(node, name)``, a node of a derivative by that name, to an equal, simpler one by what was declared of
            another name as a set without interior (a simplex); see :func:`matcalc.calculus.simplify.settled`.
        frozen: whether derivatives take the value for a constant.
        trims: whether what a size argument leaves over of a size is dropped, as torch's pooling does.
        misfit: the arguments' shapes and parameters to why they do not fit, or "".
        postfix: whether ``written`` begins with the argument, which then needs parentheses where it is no atom.
        notation: whether the operator has its own place in the grammar and cannot be called by name.
        sign: how it is written between its arguments, where that is not its name.
        broadcasts: whether arguments spread over each other's axes as NumPy's do.
        stacks: the axis along which it puts its arguments side by side.
        balance: of the argument's shape and the result's, two sizes that are equal, where the signature cannot say so.
        contextual: whether the result has the shape that its context needs; ``call`` is given it last.
        entrywise: of a function of a matrix, ``args`` to the same function of every entry, which people take it for.
        cubic: about how many products of matrices as large as its arguments an evaluation costs.
        doubling: whether each argument after the first doubles those matrices.
        instead: the operator that people mean by this one with two values, and what it is.
        role: what it is to the algebra, which asks for it by that: the ``identity``; a matrix whose entries are all
            ``zero`` or ``one``; the ``inverse``; the ``adjugate``; the ``pairing`` of two values of one shape into a
            scalar; the differential of an expression that is ``pending``.
        rule, move: what the rules of the differential and of the transpose are called, where they have a name.
        move_source, matrix_source: where the transpose and the matrix are published, if elsewhere than the rest.
    """

    name: str
    says: str
    source: str = ""
    signatures: tuple[str, ...] = ()
    differential: Differential | None = None
    transpose: Callable[[Node, int, Node], Node] | None = None
    matrix: Callable[[Node, int, Node], Node | None] | None = None
    call: Callable[..., Node] | None = None
    simplify: Callable[[tuple[Node, ...], tuple[Any, ...]], Node | None] | None = None
    transposed: Callable[[Node], Node | None] | None = None
    joins: Callable[[Node, Node], Node | None] | None = None
    facts: Callable[[Node], frozenset[str]] | None = None
    bounds: Callable[[Node, Sequence[Interval]], Interval] | None = None
    shape: Callable[[tuple[Node, ...], tuple[Any, ...]], Shape] | None = None
    domain: Mapping[int, str] = field(default_factory=dict)
    kinks: tuple[Kink, ...] = ()
    lowers: Lowering = Lowering()
    sympy: Evaluation | None = None
    reference: Evaluation | None = None
    exact: Evaluation | bool | None = None
    latex: Notation | None = None
    written: Spelling | None = None
    derivative: Callable[[Node, Node], Node] | None = None
    samples: tuple[Sample, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    ties: Callable[[Node, Sequence[Any]], Any] | None = None
    branch: Callable[[Node, Sequence[Any]], Any] | None = None
    trouble: Callable[[Node, Sequence[Any]], str] | None = None
    fits: Callable[[Node, Callable[[AnySize], int]], bool] | None = None
    acts: Callable[[Node, Node], Node] | None = None
    indexed: Callable[[Node, Sequence[Indexed], Letters], Indexed] | None = None
    named_entries: bool = False
    stable: Callable[[Node], Node | None] | None = None
    at_kink: Callable[[Node], Node | None] | None = None
    settle: Callable[[Node, str], Node | None] | None = None
    misfit: Callable[[Sequence[Shape], Sequence[AnySize]], str] | None = None
    frozen: bool = False
    trims: bool = False
    postfix: bool = False
    notation: bool = False
    constant: bool = False
    sign: str = ""
    broadcasts: bool = False
    stacks: int | None = None
    balance: Callable[[Shape, Shape], tuple[AnySize, AnySize]] | None = None
    contextual: bool = False
    entrywise: Callable[..., Node] | None = None
    cubic: int = 0
    doubling: bool = False
    instead: tuple[str, str] | None = None
    role: str = ""
    rule: str = ""
    move: str = ""
    move_source: str = ""
    matrix_source: str = ""

    @property
    def patterns(self) -> tuple[Signature, ...]:
        """The signatures, read."""
        return tuple(signature(text) for text in self.signatures)

    def products(self, arguments: int) -> int:
        """About how many products of matrices an evaluation costs with so many arguments."""
        return self.cubic * (3 ** (arguments - 1) if self.doubling else 1)

    @property
    def is_elementwise(self) -> bool:
        """Whether it acts on every entry by itself."""
        return self.derivative is not None


TABLE: dict[str, Operator] = {}
ALIASES: dict[str, str] = {}


def define(operator: Operator) -> Operator:
    """Puts ``operator`` into the table and returns it.

    Raises:
        ValueError: when the name or an alias is taken.
    """
    for name in (operator.name, *operator.aliases):
        if name in TABLE or name in ALIASES:
            raise ValueError(f"two operators are called {name!r}")
    TABLE[operator.name] = operator
    ALIASES.update(dict.fromkeys(operator.aliases, operator.name))
    return operator


def operator_named(name: str) -> Operator:
    """The record called ``name`` (no alias).

    Raises:
        KeyError: when there is none.
    """
    return TABLE[name]


def callable_named(name: str) -> Operator | None:
    """The operator that a user means by calling ``name``, an alias perhaps, or None."""
    operator = TABLE.get(ALIASES.get(name, name))
    return None if operator is None or operator.notation else operator


def operator_of_sign(sign: str) -> Operator | None:
    """The record written with ``sign`` between its arguments, or called so."""
    return next((op for op in TABLE.values() if op.sign == sign), None) or callable_named(sign)


def stacking(axis: int) -> Operator:
    """The record that puts values side by side along ``axis``."""
    return next(op for op in TABLE.values() if op.stacks == axis)


def operator_of_role(role: str) -> Operator:
    """The record that plays a role in the algebra."""
    return next(op for op in TABLE.values() if op.role == role)


def of_each(*rules: Callable[..., Node]) -> Differential:
    """A differential given one rule per argument, each called with all arguments and that argument's differential."""
    return lambda node, i, d: rules[i](*node.args, d)
