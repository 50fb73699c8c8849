"""A search for points at which a claim is not what was derived: at other scales, at larger sizes, at equal ones.

Our derivation is no witness: it shows where to look, and what is found there is judged as everywhere. So branches are
met that no kink tells of, as of sqrt((x - 5)^2), and transitions that are narrow, as of erf(1000*x).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from matcalc.checking.points import Point, drawn, is_large, size_names, trouble
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import called, function_of, tensors_at, untold
from matcalc.checking.values import lacks
from matcalc.errors import MatcalcError
from matcalc.expression.nodes import Node
from matcalc.expression.property import PROPERTIES

_SCALES = (1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 4.0, 8.0, 16.0, 64.0, 256.0)
_DRAWS = 4
_FIRST = 20_000
_APART = 1e-5
_NEARLY = 1e-7
_MOST = 3
_ALIKE, _LARGER = (3, 4), (7, 8, 11)


def suspects(question: Question, options: CheckOptions) -> list[tuple[Point, bool]]:
    """Points inside the domain at which claim and derivation differ in floats, and whether plainly; a few at most.

    Where they all but agree it may be by rounding: such a point counts for nothing unless the claim fails there.
    """
    if question.guide is None or question.claimed is question.guide:
        return []
    plainly: list[Point] = []
    nearly: list[Point] = []
    usual = (drawn(question, each, _FIRST + k, 0) for k, each in enumerate(_settings(question, options)))
    for at in chain(_elsewhere(question, options), usual):
        distance = 0.0 if at is None else _distance(question, at)
        if at is not None and distance > _NEARLY and not trouble(question, at):
            (plainly if distance > _APART else nearly).append(at)
            if len(plainly) == _MOST:
                break
    some = nearly[:: len(nearly) // _MOST + 1]  # of all scales, as at most of them rounding may hide the error
    return [(at, True) for at in plainly] + [(at, False) for at in some]


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
    for scale in _SCALES:
        for _ in range(_DRAWS):
            yield replace(options, scale=options.scale * scale)
    names = [name for name in size_names(question) if name not in options.sizes]
    for size in (*_ALIKE, *_LARGER) if names else ():
        sizes = {name: size + (k if size in _LARGER else 0) for k, name in enumerate(names)}
        changed = replace(options, sizes={**options.sizes, **sizes})
        if not is_large(question, replace(changed, sizes={})) and not is_large(question, changed):
            yield changed


def _distance(question: Question, at: Point) -> float:
    """How far claim and derivation are apart there, relative to the larger; nothing where either has no value."""
    import numpy as np

    assert question.guide is not None
    try:
        ours = _value(question, question.guide, at)
        theirs = _value(question, question.claimed, at) if isinstance(question.claimed, Node) else called(question, at)
    except (MatcalcError, RuntimeError):
        return 0.0  # torch raises where a matrix is singular; outside a domain nothing is claimed
    if ours.shape != theirs.shape or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return 0.0
    size = max(float(abs(ours).max(initial=0.0)), float(abs(theirs).max(initial=0.0)))
    return float(abs(ours - theirs).max(initial=0.0)) / (size or 1.0)


def _value(question: Question, node: Node, at: Point) -> Any:
    f = function_of(node, question.variables, "matrix", True, untold(question.variables, at))
    return f(**tensors_at(question, at)).detach().double().cpu().numpy()
