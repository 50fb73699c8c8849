"""Derivations under test: the lines as a reader would type them, read back and evaluated."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import mpmath
import numpy as np

import matcalc as mc
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.subspace import projected
from matcalc.derivative import subspace_of
from matcalc.documents.derivation.record import Derivation, Step
from matcalc.expression.sizes import as_integer

TOLERANCE = mpmath.mpf("1e-30")


def kind_of(shape: tuple[Any, ...]) -> str:
    """A declaration of a value of this shape."""
    if shape == (1, 1):
        return "scalar"
    if shape[1] == 1:
        return f"vector({shape[0]})"
    return f"row({shape[1]})" if shape[0] == 1 else f"matrix({shape[0]}, {shape[1]})"


def lines_of(step: Step) -> list[Step]:
    """A step, or the lines for every k that it stands for."""
    return [one for _, one in step.instances] or [step]


def is_plain(step: Step) -> bool:
    """Whether a line holds no differential that is not carried out."""
    return "d(" not in step.after.text.replace("ad(", "").replace("ld(", "")


def values_of_texts(g: Any, found: Derivation) -> dict[str, list[Any]]:
    """By its left side, the values of every line's right side, read back from its text."""
    f = g.expression
    let = {name: v.declaration for name, v in f.variables.items()}
    variable = f.typed_variable(g.wrt)
    at = sampled(f, g.wrt)
    with mpmath.workdps(60):
        values = dict(lifted(at.values, [v.node for v in f.typed.variables]))
        rng = np.random.Generator(np.random.PCG64(3))
        direction = rng.standard_normal(values[g.wrt].shape)
        arrow = "d" + g.wrt
        while arrow in let:
            arrow += "_"
        let[arrow] = kind_of(variable.shape)
        values[arrow] = projected(subspace_of(variable), np.vectorize(mpmath.mpf, otypes=[object])(direction))
        heads: dict[str, list[Any]] = {}
        waiting = [line for one in found for line in lines_of(one) if is_plain(line)]
        quantities = {line.head.text for line in waiting if line.head.text.isidentifier()}
        while waiting:  # a recursion stands before what some of its lines need
            step = next(line for line in waiting if names_in(line.after.text, quantities) <= set(let))
            waiting.remove(step)
            read = mc.parse(step.after.text, {name: let[name] for name in names_in(step.after.text, let)})
            value = evaluate(read.node, values, at.sizes)
            if step.after.node is not None:
                value = np.broadcast_to(value, tuple(shape_at(step.after.node, at)))  # a number may stand for ones
                assert close(value, evaluate(step.after.node, values, at.sizes)), step.text
            heads.setdefault(step.head.text, []).append(value)
            if step.head.text.isidentifier() and step.head.text not in let:
                let[step.head.text] = kind_of(read.node.shape)
                values[step.head.text] = value
    return heads


def names_in(text: str, among: Collection[str]) -> set[str]:
    """Which of these names a text mentions."""
    return set(re.findall(r"[A-Za-z_]\w*", text)) & set(among)


def shape_at(node: Any, at: Point) -> list[int]:
    """The shape of a value in numbers."""
    return [as_integer(size, at.sizes) for size in node.shape]


def close(one: Any, other: Any) -> bool:
    """Whether two arrays are equal but for rounding."""
    scale = 1 + max(abs(v) for v in np.ravel(other))
    return one.shape == other.shape and max(abs(v) for v in np.ravel(one - other)) <= TOLERANCE * scale


def sampled(f: Any, wrt: str) -> Point:
    """A point inside the domain of f."""
    nodes = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, wrt, nodes, f.node), CheckOptions(seed=11), 0)
    assert isinstance(at, Point), at
    return at
