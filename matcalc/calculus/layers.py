"""Deep compositions: named quantities along the way, and the gradient by each of them, from the last to the first.

Where a nonlinear function is applied to what is computed from another one, the argument and the value are quantities
of their own, z and a. With δ for the gradient by z, each δ is what the quantities that use z send back through the
transposed rule of their definition (Goodfellow et al. 2016, sec. 6.5): the walk of a gradient, stopped at names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from matcalc.calculus.differential import differential
from matcalc.calculus.moves import Motion, replaced
from matcalc.calculus.quantities import storage
from matcalc.calculus.readoff import matrix_of
from matcalc.calculus.transpose import transposed_map
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder

_LETTERS = (("z", "a", "delta", "J"), ("u", "h", "epsilon", "M"), ("p", "q", "eta", "K"), ("v", "g", "xi", "L"))


@dataclass(frozen=True)
class Quantity:
    """A named quantity: its name, what it stands for, its definition by names, and two names that go with it.

    Attributes:
        delta: the gradient by it.
        jacobian: its Jacobian by the variable.
    """

    name: Node
    meaning: Node
    definition: Node
    delta: Node | None
    jacobian: Node | None


@dataclass(frozen=True)
class Layers:
    """An expression by named quantities, each defined by those before it."""

    root: Node
    quantities: tuple[Quantity, ...]

    @property
    def named(self) -> dict[Node, Node]:
        """Every name and its definition."""
        return {one.name: one.definition for one in self.quantities}


@dataclass(frozen=True)
class Back:
    """What a quantity (or the variable) receives: the gradient by it as it comes, and who sent it."""

    quantity: Quantity | None
    gradient: Node
    users: tuple[Node, ...]


def layers_of(expression: Node, variable: Node, taken: Collection[str], least: int = 2) -> Layers | None:
    """The expression in layers; None where fewer than ``least`` lie above one another.

    >>> W, V, x = (build.variable(n, s, "matrix") for n, s in (("W", (3, 2)), ("V", (2, 3)), ("x", (2, 1))))
    >>> made = layers_of(build.apply("sum", build.apply("tanh", V @ build.apply("exp", W @ x))), x, ())
    >>> [one.name.params[0] for one in made.quantities]
    ['z1', 'a1', 'z2', 'a2']
    """
    name = variable.params[0]
    cuts = [node for node in postorder(expression) if _is_layer(node)]
    if _depth(expression, cuts) < least or not any(cut.depends_on(name) for cut in cuts):
        return None
    letters = next((each for each in _LETTERS if not _clash(each, len(cuts), taken)), None)
    if letters is None:
        return None
    z, a, delta, jacobian = letters
    entries = variable.rows * variable.cols
    names: dict[Node, Node] = {}
    quantities: list[Quantity] = []

    def add(letter: str, k: int, node: Node, with_delta: bool) -> None:
        definition = replaced(node, names)
        made = build.variable(f"{letter}{k}", node.shape, storage(node))
        gradient = build.variable(f"{delta}{k}", node.shape, storage(node)) if with_delta else None
        matrix = build.variable(f"{jacobian}{k}", (node.rows * node.cols, entries), "matrix") if with_delta else None
        quantities.append(Quantity(made, node, definition, gradient, matrix))
        names.update({node: made, node.T: made.T})

    k = 0
    for cut in cuts:
        inner = cut.args[0]
        if inner not in names:
            k += 1
            add(z, k, inner, inner.depends_on(name))
        if not cut.is_scalar and cut is not expression:
            add(a, int(str(names[inner].params[0])[len(z) :]), cut, with_delta=False)
    return Layers(replaced(expression, names), tuple(quantities))


def _is_layer(node: Node) -> bool:
    """Whether a node is a nonlinear function of one value that is computed by what is linear."""
    operator = node.operator
    if operator.transpose is not None or operator.differential is None or not _has_one_argument(node):
        return False
    inner = node.args[0]
    return bool(inner.args) and inner.operator.transpose is not None and inner.weight > 1


def _has_one_argument(node: Node) -> bool:
    return all(not arg.free for arg in node.args[1:]) and bool(node.args[0].free)


def _depth(expression: Node, cuts: list[Node]) -> int:
    """How many layers lie above one another."""
    depth: dict[Node, int] = {}
    layers = set(cuts)
    for node in postorder(expression):
        below = max((depth[arg] for arg in node.args), default=0)
        depth[node] = below + (node in layers and not node.is_scalar)
    return depth[expression]


def _clash(letters: tuple[str, ...], count: int, taken: Collection[str]) -> bool:
    return any(f"{letter}{k}" in taken for letter in letters for k in range(count + 1))


def backward(layers: Layers, motion: Motion) -> Iterator[Back]:
    """The gradient by every quantity that has a name for it, from the last to the first, and by the variable.

    Raises:
        UnsupportedError: for an operator that has no differential.
    """
    moving = motion.names
    arriving: dict[Node, list[tuple[Node, Node]]] = {}

    def send(body: Node, cotangent: Node, user: Node, known: dict[Node, Node]) -> None:
        for arg in sorted(_names_in(body), key=lambda node: str(node.params[0])):
            if arg.params[0] in moving:
                d = build.variable("d'", arg.shape, arg.params[1])
                linear = replaced(differential(body, arg, d), known)
                arriving.setdefault(arg, []).append((transposed_map(linear, d, cotangent), user))

    send(layers.root, build.number(1), layers.root, {})
    for quantity in reversed(layers.quantities):
        sent = arriving.pop(quantity.name, None)
        if sent is None:
            continue
        total, users = build.add(*(part for part, _ in sent)), tuple(user for _, user in sent)
        cotangent = total
        if quantity.delta is not None:
            yield Back(quantity, total, users)
            cotangent = quantity.delta
        send(quantity.definition, cotangent, quantity.name, {quantity.definition: quantity.name})
    sent = arriving.pop(motion.variable, [])
    parts = [part for part, _ in sent] or [build.zeros(*motion.variable.shape)]
    yield Back(None, build.add(*parts), tuple(user for _, user in sent))


def _names_in(node: Node) -> set[Node]:
    return {below for below in postorder(node) if below.op == "variable"}


def forward(layers: Layers, motion: Motion) -> Iterator[tuple[Quantity | None, Node, tuple[Node, ...]]] | None:
    """The Jacobian by the variable of every quantity that has a name for it, and of the root, and by whom it goes.

    None where an operator on the way has no matrix in closed form.
    """
    moving, found = motion.names, list[tuple["Quantity | None", Node, tuple[Node, ...]]]()
    known: dict[Node, tuple[Node, tuple[Node, ...]]] = {
        motion.variable: (build.eye(motion.variable.rows * motion.variable.cols), (motion.variable,))
    }
    for quantity in (*layers.quantities, None):
        name, body = (None, layers.root) if quantity is None else (quantity.name, quantity.definition)
        if name is not None and name.params[0] not in moving:
            continue
        args = [n for n in sorted(_names_in(body), key=lambda n: str(n.params[0])) if n.params[0] in moving]
        parts, used = list[Node](), list[Node]()
        for arg in args:
            d = build.variable("d'", arg.shape, arg.params[1])
            linear = differential(body, arg, d)
            part = matrix_of(replaced(linear, {body: name}) if name is not None else linear, d, known[arg][0])
            if part is None:
                return None
            parts.append(part)
            used += known[arg][1]
        total, by = build.add(*parts), tuple(dict.fromkeys(used))
        if quantity is None or quantity.jacobian is not None:
            found.append((quantity, total, by))
        if quantity is not None:
            own = quantity.jacobian
            known[quantity.name] = (total, by) if own is None else (own, (quantity.name,))
    return iter(found)
