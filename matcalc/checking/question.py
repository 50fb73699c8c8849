"""What a check is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from matcalc.checking.witnesses import quick
from matcalc.expression import build
from matcalc.expression.nodes import Node


@dataclass(frozen=True)
class Question:
    """Is ``claimed`` the gradient of ``expression`` by ``name``?

    Attributes:
        expression: a scalar.
        name: by which name.
        variables: all names, in order.
        claimed: a node, or a function of torch tensors by keyword.
        truth: our own derivation where the claim is somebody else's.
        parts: of a claim that was typed, what each part of the text means.
        guide: the same, to search by for points at which the claim fails.
        projected: the property onto whose subspace gradients are projected, or "".
        text: the expression as typed.
        note: a restriction under which the question stands.
        unlike: makes the derivation with the name's declared structure where it was left out, and without it where
            it was put to use.
    """

    expression: Node
    name: str
    variables: tuple[Node, ...]
    claimed: Node | Callable[..., Any]
    truth: Node | None = None
    projected: str = ""
    text: str = ""
    note: str = ""
    unlike: Callable[[], Node | None] | None = None
    guide: Node | None = None
    parts: tuple[Node, ...] = ()

    @property
    def variable(self) -> Node:
        """The name's node."""
        return next(v for v in self.variables if v.params[0] == self.name)

    @property
    def whole(self) -> frozenset[str]:
        """The names that stand for whole numbers: no rounding moves these."""
        return frozenset(v.params[0] for v in self.variables if "integer" in v.facts)

    @property
    def changes(self) -> bool:
        """Whether the expression is known to change with the name: its derivative was derived, and is not zero."""
        derived = self.truth or self.guide
        return derived is not None and not build.is_zero(derived)

    @property
    def roots(self) -> tuple[Node, ...]:
        """Every node that is evaluated."""
        nodes = (self.expression, self.claimed, self.truth)
        return tuple(node for node in nodes if isinstance(node, Node))


@dataclass(frozen=True)
class CheckOptions:
    """How to check; the seed decides every point.

    Attributes:
        trials, seed, devices, dtypes, sizes: as for :func:`matcalc.check`.
        witnesses: the names of those that are heard.
        at: points to check at beside those that are drawn: names to values.
        edges: whether to look at edge points on purpose.
        scale: what multiplies the values of names of which nothing is declared that a positive multiple would lack.
    """

    trials: int = 5
    seed: int = 0
    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[str, ...] = ("float64", "float32")
    sizes: Mapping[str, int] = field(default_factory=dict)
    witnesses: tuple[str, ...] = field(default_factory=quick)
    at: tuple[Mapping[str, Any], ...] = ()
    edges: bool = False
    scale: float = 1.0
