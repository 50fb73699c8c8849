"""A search for points at which a claim is not what was derived: at other scales, at larger sizes, at equal ones.

Our derivation is no witness: it shows where to look, and what is found there is judged as everywhere. So branches are
met that no kink tells of, as of sqrt((x - 5)^2), and transitions that are narrow, as of erf(1000*x).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import IntEnum
from itertools import chain
from typing import Any

from matcalc.checking.points import Point, drawn, is_large, size_names, trouble
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import called, function_of, tensors_at, untold
from matcalc.checking.values import lacks
from matcalc.errors import MatcalcError
from matcalc.expression.nodes import Node
from matcalc.expression.property import PROPERTIES

_SMALLEST = (1e-32, 1e-16)
"""For formulas alone: a part of a function that is in float32 has nothing there."""
_SMALLER = (1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
_BIGGER = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
_BIGGEST = (1e3, 1e4, 1e6)
_DRAWS, _MORE_DRAWS = 4, 12  # what lies between 20 and 30 is met by one draw in twelve
_FIRST = 20_000
_APART = 1e-5
_NEARLY = 1e-7
_FAINT = 1e-250
_MOST = 3
_ALIKE, _LARGER = (3, 4), (7, 8, 11)


class Differs(IntEnum):
    """How a claim differs from what was derived, in floats."""

    NOT = 0
    FAINTLY = 1
    NEARLY = 2
    PLAINLY = 3


def suspects(question: Question, options: CheckOptions) -> list[tuple[Point, Differs]]:
    """Points inside the domain at which claim and derivation differ in floats, and how; a few at most.

    Where they all but agree it may be by rounding: such a point counts for nothing unless the claim fails there. Where
    a function gives 0 for an entry that is small beside others, it counts as well if that is no rounding.
    """
    if question.guide is None or question.claimed is question.guide:
        return []
    return differing(question, options, lambda at: _compared(question, at))


def differing(
    question: Question, options: CheckOptions, compared: Callable[[Point], Differs]
) -> list[tuple[Point, Differs]]:
    """Points inside the domain at which there is a difference, and how large; a few at most."""
    found: dict[Differs, list[Point]] = {how: [] for how in Differs}
    usual = (drawn(question, each, _FIRST + k, 0) for k, each in enumerate(_settings(question, options)))
    for at in chain(_elsewhere(question, options), usual):
        how = Differs.NOT if at is None else compared(at)
        if at is not None and how and not trouble(question, at):
            found[how].append(at)
            if len(found[Differs.PLAINLY]) == _MOST:
                break
    for how in (Differs.NEARLY, Differs.FAINTLY):  # some of all scales, as at most of them rounding may hide the error
        found[how] = found[how][:: len(found[how]) // _MOST + 1]
    return [(at, how) for how in sorted(Differs, reverse=True) for at in found[how]]


def _elsewhere(question: Question, options: CheckOptions) -> Iterator[Point]:
    """Points in those parts of the declared sets that are hardly met."""
    import numpy as np

    for v in question.variables:
        for sample in (each for fact in sorted(v.facts) if (each := PROPERTIES[fact].elsewhere)):
            for k in range(_DRAWS):
                at = drawn(question, options, 2 * _FIRST + k, 0)
                if at is not None:
                    name, rng = v.params[0], np.random.Generator(np.random.PCG64([options.seed, k, 92]))
                    moved = Point(at.sizes, {**at.values, name: sample(rng, *at.values[name].shape)})
                    if not lacks(v, moved.values[name]):
                        yield moved


def _settings(question: Question, options: CheckOptions) -> Iterator[CheckOptions]:
    smallest = _SMALLEST if isinstance(question.claimed, Node) else ()
    for scale in (options.scale, 1.0) if options.scale != 1.0 else (1.0,):
        for factor in (*smallest, *_SMALLER, *_BIGGER, *_BIGGEST):
            for _ in range(_MORE_DRAWS if factor in _BIGGER else _DRAWS):
                yield replace(options, scale=scale * factor)
    names = [name for name in size_names(question) if name not in options.sizes]
    for size in (*_ALIKE, *_LARGER) if names else ():
        sizes = {name: size + (k if size in _LARGER else 0) for k, name in enumerate(names)}
        changed = replace(options, sizes={**options.sizes, **sizes})
        if not is_large(question, replace(changed, sizes={})) and not is_large(question, changed):
            yield changed


def _compared(question: Question, at: Point) -> Differs:
    """How claim and derivation differ there; not where either has no value."""
    assert question.guide is not None
    try:
        ours = _value(question, question.guide, at)
        theirs = _value(question, question.claimed, at) if isinstance(question.claimed, Node) else called(question, at)
    except (MatcalcError, RuntimeError):
        return Differs.NOT  # torch raises where a matrix is singular; outside a domain nothing is claimed
    return difference(ours, theirs)


def difference(ours: Any, theirs: Any) -> Differs:
    """How two arrays differ, relative to the larger; not where either has no value.

    >>> import numpy as np
    >>> difference(np.array([1.0, 1e-9]), np.array([1.0, 0.0])), difference(np.ones(2), np.ones(2) + 1e-4)
    (<Differs.FAINTLY: 1>, <Differs.PLAINLY: 3>)
    """
    import numpy as np

    if ours.shape != theirs.shape or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return Differs.NOT
    size = max(float(abs(ours).max(initial=0.0)), float(abs(theirs).max(initial=0.0)))
    far = float(abs(ours - theirs).max(initial=0.0)) / (size or 1.0)
    if far > _NEARLY:
        return Differs.PLAINLY if far > _APART else Differs.NEARLY
    return Differs.FAINTLY if ((theirs == 0) & (abs(ours) > _FAINT)).any() else Differs.NOT


def _value(question: Question, node: Node, at: Point) -> Any:
    f = function_of(node, question.variables, "matrix", True, untold(question.variables, at))
    return f(**tensors_at(question, at)).detach().double().cpu().numpy()
