"""The computation graph of an expression: what depends on what, with shapes on the edges, and the way back.

Every operation has a name and one line that says how it is made of its neighbours, so ``tanh(W*x + b)`` is
``z1 = W*x``, ``z2 = z1 + b``, ``z3 = tanh(z2)``. Transposes, numbers and constant factors stay inside the lines that
they occur in.
The backward pass runs along the same edges the other way: what an operation sends to each of its arguments is its
differential, transposed (Griewank & Walther 2008, ch. 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.errors import UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.walk import fold
from matcalc.language.printer import written


@dataclass(frozen=True)
class Vertex:
    """A name or an operation.

    Attributes:
        name: how it is called in the graph.
        text: for an operation, how it is made of its neighbours.
        shape: its shape in words: ``scalar``, ``n``, ``m×n``.
        role: ``input``, ``operation`` or ``output``.
    """

    name: str
    text: str
    shape: str
    role: str

    @property
    def label(self) -> str:
        """Name and text."""
        return f"{self.name} = {self.text}" if self.text else self.name


@dataclass(frozen=True)
class Edge:
    """From an argument to the operation that takes it.

    Attributes:
        source, target: names of vertices.
        shape: what flows along it, as in a vertex.
        backward: what flows back: the target's adjoint through the transposed differential, as text.
    """

    source: str
    target: str
    shape: str
    backward: str


@dataclass(frozen=True)
class Graph:
    """A computation graph; ``svg`` and ``mermaid`` draw it.

    Attributes:
        vertices: inputs and operations, arguments before what is made of them.
        edges: in the order of their targets.
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]

    def svg(self, *, backward: bool = False) -> str:
        """A picture; with ``backward``, what flows back stands beside what flows forward."""
        from matcalc.documents.drawing import drawn

        return drawn(self, backward=backward)

    def mermaid(self, *, backward: bool = False) -> str:
        """The graph as a Mermaid flowchart, which renders inside Markdown.

        With ``backward`` a dotted arrow for everything that flows back.
        """
        ids = {vertex.name: f"v{k}" for k, vertex in enumerate(self.vertices)}
        lines = ["flowchart TD"]
        for vertex in self.vertices:
            left, right = ("([", "])") if vertex.role == "input" else ("[", "]")
            lines.append(f"    {ids[vertex.name]}{left}{_quoted(vertex.label)}{right}")
        for edge in self.edges:
            lines.append(f"    {ids[edge.source]} -->|{_quoted(edge.shape)}| {ids[edge.target]}")
            if backward and edge.backward:
                lines.append(f"    {ids[edge.target]} -.->|{_quoted(edge.backward)}| {ids[edge.source]}")
        return "\n".join(lines) + "\n"

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": self.mermaid()}


def _quoted(text: str) -> str:
    """A Mermaid string: nothing in it is markup or ends it."""
    marks = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "`": "#96;", "*": "#42;", "_": "#95;"}
    return '"' + "".join(marks.get(c, c) for c in text) + '"'


def graph_of(root: Node, result: str = "f") -> Graph:
    """The computation graph of ``root``, whose own vertex is called ``result``.

    >>> A, x = build.variable("A", (3, 3), "matrix"), build.variable("x", (3, 1), "vector")
    >>> [vertex.label for vertex in graph_of(build.apply("tanh", A @ x)).vertices]
    ['A', 'x', 'z1 = A*x', 'f = tanh(z1)']
    """
    names = _names(root, result)
    stand_ins = {node: build.variable(name, node.shape, _storage(node)) for node, name in names.items()}
    vertices, edges, taken = [], [], set(names.values())
    for node, name in names.items():
        below = [] if _is_leaf(node) else list(dict.fromkeys(_arguments(node, names)))
        line = _line(node, {each: stand_ins[each] for each in below})
        role = "input" if _is_leaf(node) else "output" if node is root else "operation"
        vertices.append(Vertex(name, "" if _is_leaf(node) else written(line), _shape(node), role))
        edges += [
            Edge(names[each], name, _shape(each), _backward(line, stand_ins[each], stand_ins[node], taken))
            for each in below
        ]
    return Graph(tuple(vertices), tuple(edges))


def _names(root: Node, result: str) -> dict[Node, str]:
    """Every vertex's name, arguments before what is made of them; names of the expression stay as they are."""
    taken = set(root.free)
    named: dict[Node, str] = {}
    for node in postorder(root):
        if _is_leaf(node):
            if node.free:
                named[node] = node.params[0]
        elif node is root or not _stays_inside(node):
            wanted = result if node is root else f"z{1 + sum(not _is_leaf(each) for each in named)}"
            named[node] = build.new_name(wanted, taken)
            taken.add(named[node])
    return named or {root: build.new_name(result, taken)}


def _is_leaf(node: Node) -> bool:
    return not node.args


def _stays_inside(node: Node) -> bool:
    """Whether an operation has no vertex of its own: constants, transposes, spreading, multiples by a number."""
    if not node.free or node.op in ("transpose", "spread"):
        return True
    coefficient, rest = build.split(node)
    return coefficient != 1 and rest is not node


def _arguments(node: Node, names: Mapping[Node, str]) -> Iterator[Node]:
    """The vertices that a line is made of, in order."""
    waiting = list(reversed(node.args))
    while waiting:
        each = waiting.pop()
        if each in names:
            yield each
        else:
            waiting += reversed(each.args)


def _line(node: Node, values: Mapping[Node, Node]) -> Node:
    """The operation with its neighbours' names in place of what they stand for."""
    if not values:
        return node
    return fold(node, lambda below, args: values.get(below) or build.with_args(below, tuple(args)))


def _storage(node: Node) -> str:
    return "scalar" if node.is_scalar else "vector" if node.cols == 1 else "matrix"


def _shape(node: Node) -> str:
    if node.is_scalar:
        return "scalar"
    return str(node.rows) if node.cols == 1 else f"{node.rows}×{node.cols}"


def _backward(line: Node, argument: Node, made: Node, taken: set[str]) -> str:
    """The adjoint of what is ``made`` sent back to one argument, as text; "" where nothing flows back."""
    adjoint = build.variable(build.new_name(f"d{made.params[0]}", taken), line.shape, _storage(line))
    direction = direction_for(argument)
    try:
        sent = textbook(transposed_map(differential(line, argument, direction), direction, adjoint))
    except UnsupportedError:
        return ""
    return "" if build.is_zero(sent) else written(_line(sent, {line: made}))
