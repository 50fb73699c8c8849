"""What is derived: the expression, by which name, and the result that is printed of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.language.printer import Style


@dataclass(frozen=True)
class Subject:
    """A derivative whose derivation is asked for.

    Attributes:
        kind: grad, jvp, vjp, hvp, jacobian or hessian.
        expression: what is differentiated, as it is differentiated.
        variable: the name, with what was declared of it.
        moving: the name as ``expression`` has it; another node where declared structures are disregarded.
        variables: every name in order, a direction or cotangent last.
        declarations: of every name that was typed, its declaration.
        shown: the result as it is printed.
        style: how expressions print.
        onto: the property onto whose subspace the result is projected, or "".
        subspace: the property in whose subspace the name lies where nobody disregards it, or "".
        project: a node to its projection onto that subspace.
        other: the cotangent of a vjp, a name of the user.
        arrow: the direction of a jvp or a hvp, a name of the user; of a Jacobian, the name of the direction.
        rows, cols: of a Jacobian, the axes of what is differentiated and of the name.
        tensor: of a Jacobian, the matrix in numerator layout.
        gradient: of a hvp or a Hessian, the gradient whose derivative it is.
        closed: whether a Jacobian has a matrix.
        form: in which form the result is shown.
        by: all the names by which it is differentiated.
    """

    kind: str
    expression: Node
    variable: Node
    moving: Node
    variables: tuple[Node, ...]
    declarations: Mapping[str, str]
    shown: Node
    style: Style
    onto: str = ""
    subspace: str = ""
    project: Callable[[str, Node], Node] = field(default=lambda onto, node: node)
    other: Node | None = None
    arrow: Node | None = None
    rows: tuple[AnySize, ...] = ()
    cols: tuple[AnySize, ...] = ()
    tensor: Node | None = None
    gradient: Subject | None = None
    closed: bool = True
    form: str = "textbook"
    by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name by which it is differentiated."""
        found: str = self.variable.params[0]
        return found
