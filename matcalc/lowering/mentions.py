"""What the text of an operator's record will mention: how often each argument, and which sizes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from matcalc.expression.nodes import Node
from matcalc.expression.operator import Spelling
from matcalc.expression.sizes import AnySize


class Mentions(NamedTuple):
    """How often a text says each argument, and the sizes in it."""

    arguments: tuple[int, ...]
    sizes: tuple[AnySize, ...]


@lru_cache(maxsize=4096)
def mentions(node: Node, spelling: Spelling | None) -> Mentions:
    """What the ``spelling`` of ``node`` mentions."""
    count = len(node.args)
    if spelling is None:
        return Mentions((1,) * count, ())
    if isinstance(spelling, str):
        sizes = [size for word, size in zip(("{rows}", "{cols}"), node.shape, strict=True) if word in spelling]
        return Mentions(
            tuple(spelling.count(f"{{{k}}}") + spelling.count(f"{{{k}:a}}") for k in range(count)),
            tuple(sizes),
        )
    said: list[AnySize] = []

    def size(value: AnySize) -> str:
        said.append(value)
        return "size"

    marks = [f"argument_{k}_" for k in range(count)]
    text = spelling(node, marks, size)
    return Mentions(tuple(text.count(mark) for mark in marks), tuple(said))
