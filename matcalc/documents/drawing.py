"""A computation graph as a picture: layers from the inputs down to the result, in SVG.

The layers are those of networkx; inside a layer the vertices stand below the middle of what they are made of (Sugiyama,
Tagawa & Toda 1981). Text is escaped, and everything is drawn with attributes alone, so that the picture can stand in
any page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matcalc.documents.graph import Graph, Vertex

_LETTER = 7.3
_HEIGHT = 30
_PADDING = 12
_BETWEEN = 26
_LAYER = 84
_LAYER_BACKWARD = 104
_MARGIN = 16
_WIDEST_LABEL = 280.0
_SWEEPS = 4
_FILL = {"input": "#e8f0fe", "operation": "#f6f6f6", "output": "#e6f4ea"}
_STROKE = {"input": "#3367d6", "operation": "#777777", "output": "#1e8e3e"}
_FORWARD, _BACK = "#444444", "#c5221f"


def drawn(graph: Graph, *, backward: bool = False) -> str:
    """The picture as SVG text.

    >>> from matcalc.parsed import parse
    >>> drawn(parse("x'*x").graph()).splitlines()[1]
    '<title>Computation graph: x; f = x.T*x</title>'
    """
    layers = _layers(graph)
    widths = {v.name: _LETTER * len(v.label) + 2 * _PADDING for v in graph.vertices}
    room = _room_for_labels(graph, backward)
    places = _places(graph, layers, widths, _BETWEEN + room, _LAYER_BACKWARD if backward else _LAYER)
    left = min(x - widths[name] / 2 for name, (x, _) in places.items()) - _MARGIN - room
    right = max(x + widths[name] / 2 for name, (x, _) in places.items()) + _MARGIN + room
    height = max(y for _, y in places.values()) + _HEIGHT / 2 + _MARGIN
    inner = [*_arrows(graph, places, backward), *(_box(v, places[v.name], widths[v.name]) for v in graph.vertices)]
    font = 'font-family="monospace" font-size="12"'
    size = f'viewBox="{_px(left)} 0 {_px(right - left)} {_px(height)}"'
    style = f'style="max-width:100%;height:auto" width="{_px(right - left)}" height="{_px(height)}"'
    says = "; ".join(v.label for v in graph.vertices)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style} role="img" {font}>',
            f"<title>Computation graph: {escape(says)}</title>",
            _heads(),
            *inner,
            "</svg>",
            "",
        ]
    )


def _layers(graph: Graph) -> list[list[str]]:
    """The layers, the inputs as low as what takes them allows."""
    import networkx as nx

    directed = nx.DiGraph()
    directed.add_nodes_from(v.name for v in graph.vertices)
    directed.add_edges_from((e.source, e.target) for e in graph.edges)
    level = {name: k for k, names in enumerate(nx.topological_generations(directed)) for name in names}
    for vertex in graph.vertices:
        takers = [level[e.target] for e in graph.edges if e.source == vertex.name]
        if vertex.role == "input" and takers:
            level[vertex.name] = min(takers) - 1
    layers: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for vertex in graph.vertices:
        layers[level[vertex.name]].append(vertex.name)
    return _untangled(graph, layers)


def _untangled(graph: Graph, layers: list[list[str]]) -> list[list[str]]:
    """Each layer in the order of its neighbours' middles, swept down and up."""
    down: dict[str, list[str]] = {v.name: [] for v in graph.vertices}
    up: dict[str, list[str]] = {v.name: [] for v in graph.vertices}
    for edge in graph.edges:
        up[edge.target].append(edge.source)
        down[edge.source].append(edge.target)
    for sweep in range(_SWEEPS):
        neighbours = up if sweep % 2 == 0 else down
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            rank = {name: k / max(len(one), 1) for one in layers for k, name in enumerate(one)}
            middle = {
                name: sum(rank[n] for n in neighbours[name]) / len(neighbours[name]) if neighbours[name] else rank[name]
                for name in layer
            }
            layer.sort(key=lambda name: (middle[name], rank[name]))
    return layers


def _room_for_labels(graph: Graph, backward: bool) -> float:
    longest = max((len(e.backward) for e in graph.edges), default=0) if backward else 0
    return min(_LETTER * longest, _WIDEST_LABEL)


def _places(
    graph: Graph, layers: Sequence[Sequence[str]], widths: Mapping[str, float], gap: float, step: float
) -> dict[str, tuple[float, float]]:
    """Where the boxes stand: each below the middle of what it is made of, as far as its neighbours let it."""
    sources: dict[str, list[str]] = {v.name: [] for v in graph.vertices}
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
    places: dict[str, tuple[float, float]] = {}
    for depth, layer in enumerate(layers):
        y = _MARGIN + _HEIGHT / 2 + depth * step
        total = sum(widths[name] for name in layer) + gap * (len(layer) - 1)
        cursor, row = -total / 2, []
        for name in layer:
            row.append(cursor + widths[name] / 2)
            cursor += widths[name] + gap
        wanted = [
            _middle([places[s][0] for s in sources[n] if s in places], at) for n, at in zip(layer, row, strict=True)
        ]
        shift = sum(w - at for w, at in zip(wanted, row, strict=True)) / len(layer)
        for name, at in zip(layer, row, strict=True):
            places[name] = (at + shift, y)
    return places


def _middle(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _heads() -> str:
    shape = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
    marks = [
        f'<marker id="matcalc-{name}" {shape}><path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
        for name, colour in (("forward", _FORWARD), ("back", _BACK))
    ]
    return f"<defs>{''.join(marks)}</defs>"


def _arrows(graph: Graph, places: Mapping[str, tuple[float, float]], backward: bool) -> list[str]:
    made = []
    arriving = Counter(edge.source for edge in graph.edges if edge.backward)
    for edge in graph.edges:
        start, end = places[edge.source], places[edge.target]
        shift = 7.0 if backward and edge.backward else 0.0
        crowded = arriving[edge.source] > 1
        made += _arrow(start, end, -shift, edge.shape, (0.3 if crowded else 0.2) if shift else 0.42)
        if shift:
            made += _arrow(end, start, -shift, edge.backward, 0.45 if crowded else 0.76, back=True)
    return made


def _arrow(
    start: tuple[float, float], end: tuple[float, float], shift: float, label: str, share: float, *, back: bool = False
) -> list[str]:
    """A line from box to box, moved sideways by ``shift``, with its label where ``share`` of it is gone."""
    (x0, y0), (x1, y1) = start, end
    sign = 1.0 if y1 > y0 else -1.0
    y0, y1 = y0 + sign * _HEIGHT / 2, y1 - sign * _HEIGHT / 2
    x0, x1 = x0 + sign * shift, x1 + sign * shift
    x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
    anchor, away = ("end", -5.0) if shift and not back else ("start", 5.0)
    kind, colour = ("back", _BACK) if back else ("forward", _FORWARD)
    dashes = ' stroke-dasharray="4 3"' if back else ""
    return [
        f'<line x1="{_px(x0)}" y1="{_px(y0)}" x2="{_px(x1)}" y2="{_px(y1)}" stroke="{colour}"{dashes}'
        f' marker-end="url(#matcalc-{kind})"/>',
        f'<text x="{_px(x + away)}" y="{_px(y + 4)}" text-anchor="{anchor}" fill="{colour}" stroke="#ffffff"'
        f' stroke-width="3" paint-order="stroke">{escape(label)}</text>',
    ]


def _box(vertex: Vertex, place: tuple[float, float], width: float) -> str:
    x, y = place
    radius = 15 if vertex.role == "input" else 4
    return (
        f'<rect x="{_px(x - width / 2)}" y="{_px(y - _HEIGHT / 2)}" width="{_px(width)}" height="{_HEIGHT}"'
        f' rx="{radius}" fill="{_FILL[vertex.role]}" stroke="{_STROKE[vertex.role]}"/>'
        f'<text x="{_px(x)}" y="{_px(y + 4)}" text-anchor="middle" fill="#111111">{escape(vertex.label)}</text>'
    )


def _px(value: float) -> str:
    """A number as SVG takes it, to a tenth of a pixel, so that the picture does not hang on roundings."""
    return f"{value:.1f}".removesuffix(".0")
