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
def mentions(node: Node) -> Mentions:
    """What any target's spelling of ``node`` mentions: of each argument the most, of the sizes all."""
    lowers = node.operator.lowers
    found = [_of(s, node) for s in (lowers.torch, lowers.numpy, lowers.jax) if s is not None]
    arguments = tuple(max((m.arguments[k] for m in found), default=1) or 1 for k in range(len(node.args)))
    return Mentions(arguments, tuple(size for m in found for size in m.sizes))


def _of(spelling: Spelling, node: Node) -> Mentions:
    count = len(node.args)
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
