"""Jacobians, Hessians and directional derivatives of random expressions, as torch tensors, against torch's own.

python tests/laws/tensors.py COUNT SEED [--kind jacobian hessian jvp vjp hvp]

Of every random scalar by a random name: the Hessian (or a mixed block), hvp, jvp and vjp; of a random intermediate
value, the Jacobian, jvp and vjp. Where the numbers differ, the judgement in 90 digits and more says who is wrong.
Prints what became of how many, and every text in which something is wrong.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import mpmath
import numpy as np
import torch
from fuzz import CLOSE, TINY, agree, placed, run

import matcalc as mc
from matcalc.checking.directional import Directional, questions
from matcalc.checking.judgement import rounding
from matcalc.checking.judging import judged
from matcalc.checking.points import Point
from matcalc.checking.precise import evaluate, lifted, slope
from matcalc.checking.question import Question
from matcalc.checking.subspace import projected
from matcalc.checking.tensors import question
from matcalc.checking.tolerance import spread
from matcalc.checking.torch_side import function_of, inputs_at
from matcalc.derivative import subspace_of
from matcalc.directional_derivatives import hvp, jvp, vjp
from matcalc.expression import build
from matcalc.expression.nodes import Node, postorder
from matcalc.expression.sizes import as_integer
from matcalc.jacobian_checks import linearised
from matcalc.jacobian_record import Jacobian
from matcalc.operators.products import inner

KINDS = ("jacobian", "hessian", "jvp", "vjp", "hvp")
_MOST = 24


def outcomes(text: str, let: Mapping[str, str], number: int, kinds: Sequence[str]) -> Iterator[str]:
    """What became of one expression by each kind of derivative."""
    begun = placed(text, let, number)
    if isinstance(begun, str):
        yield begun
        return
    f, at = begun
    chance = random.Random(number)  # noqa: S311  samples, no secrets
    for kind in kinds:
        yield from one(f, at, kind, chance)


def one(f: mc.Expression, at: Point, kind: str, chance: random.Random) -> Iterator[str]:
    """One derivative, of the scalar or of something inside."""
    name = chance.choice(list(f.variables))
    inside = _inside(f, name, at)
    g = replace(f, node=chance.choice(inside)) if kind in ("jacobian", "jvp", "vjp") and inside else f
    if kind in ("jacobian", "hessian"):
        other = chance.choice(list(f.variables)) if chance.random() < 0.3 else name
        found = mc.jacobian(g, name) if kind == "jacobian" else mc.hessian(f, *dict.fromkeys((name, other)))
        yield compared(found, at, kind)
    else:
        yield directional(g, name, at, kind, chance)


def _inside(f: mc.Expression, name: str, at: Point) -> list[Node]:
    """What a name changes inside an expression, small enough for a tensor."""
    nodes = [n for n in postorder(f.node) if n.depends_on(name) and n.op != "variable"]
    return [n for n in nodes if prod(as_integer(s, at.sizes) for s in n.shape) <= _MOST]


def compared(found: Jacobian, at: Point, kind: str) -> str:
    """A Jacobian or Hessian as lowered against torch's."""
    asked = linearised(found)
    inputs = inputs_at(asked.variables, at, "float64", "cpu")
    mine = found.compile("torch")(**inputs).numpy()
    x = inputs.pop(asked.name)
    looks = ("scalar", "vector", "matrix")[len(asked.rows)]
    function = function_of(asked.expression, asked.variables, looks, False)
    theirs = torch.func.jacrev(lambda moving: function(**{asked.name: moving}, **inputs))(x).numpy(force=True)
    if asked.projected:
        slices = [projected(asked.projected, each) for each in theirs.reshape(-1, *theirs.shape[-2:])]
        theirs = np.array(slices).reshape(theirs.shape)
    if agree(mine, theirs):
        return f"agrees on {kind}" + ("" if found.closed else " by basis")
    return decided(question(asked), at, mine, theirs, f"{kind} by {found.names}: {found}")


def directional(g: mc.Expression, name: str, at: Point, kind: str, chance: random.Random) -> str:
    """A jvp, vjp or hvp against torch's."""
    make = {"jvp": jvp, "vjp": vjp, "hvp": hvp}[kind]
    direction = "v_"
    found = make(g, name, direction)
    given = found.typed.variables[-1].node
    sizes = [as_integer(s, at.sizes) for s in given.shape]
    drawn = np.random.default_rng(chance.randrange(10**9)).standard_normal(sizes)
    structure = subspace_of(g.typed_variable(name))
    if structure and kind != "vjp":  # outside the subspace a derivative depends on how a function is continued
        drawn = projected(structure, drawn)
    here = Point(at.sizes, {**at.values, direction: drawn})
    nodes = tuple(v.node for v in found.typed.variables)
    inputs = inputs_at(nodes, here, "float64", "cpu")
    mine = found.compile("torch")(**inputs).numpy()
    v, x = inputs.pop(direction), inputs.pop(name)
    own = tuple(n.node for n in g.typed.variables)
    looks = ("scalar", "vector", "matrix")[len(g.shape)]
    function = function_of(g.node, own, looks, False)
    moving: Callable[[Any], Any] = lambda t: function(**{name: t}, **inputs)  # noqa: E731  a closure over the inputs
    if kind == "jvp":
        theirs = torch.tensordot(torch.func.jacrev(moving)(x), v, dims=v.ndim)
    elif kind == "vjp":
        theirs = torch.func.vjp(moving, x)[1](v)[0]
    else:
        theirs = torch.func.vjp(torch.func.grad(moving), x)[1](v)[0]
    other = theirs.numpy(force=True)
    if found.projected:
        other = projected(found.projected, other)
    if agree(mine, other):
        return f"agrees on {kind}"
    gradient = mc.grad(g, name).node if kind == "hvp" else None
    asked = Directional(kind, g.node, name, nodes, found.node, gradient, found.projected, g.text)
    if kind == "jvp":
        return decided_jvp(g, found, here, mine, f"{kind} by {name}: {found} of {g}")
    return decided(questions(asked)[-1], here, mine, other, f"{kind} by {name}: {found}")


def decided_jvp(g: mc.Expression, found: mc.Derivative, at: Point, mine: Any, what: str) -> str:
    """Who is wrong about a directional derivative: a difference of a random entry's worth says."""
    nodes = tuple(v.node for v in found.typed.variables)
    with mpmath.workdps(90):
        values = lifted(at.values, nodes)
        u = lifted({"u": np.random.default_rng(3).standard_normal([as_integer(s, at.sizes) for s in g.node.shape])})[
            "u"
        ]
        memo: dict[Node, Any] = {}
        try:
            exact = evaluate(found.node, values, at.sizes, memo)
        except ZeroDivisionError:
            return f"no formula there of {what}"
        cotangent = build.variable("u_", g.node.shape, "matrix")
        pairing = inner(cotangent, g.node)
        given = {**values, "u_": u}
        evaluate(pairing, given, at.sizes, memo)
        seen = slope(pairing, found.wrt, values["v_"], given, at.sizes, "1e-25")
        said = (u * exact).sum()
        largest = float(max((abs(v).max() for v in memo.values()), default=0))
        size = max(abs(said), abs(seen), mpmath.mpf(largest) * mpmath.mpf("1e-30"))
        if abs(said - seen) > mpmath.mpf("1e-15") * size:
            return f"MISMATCH of the formula of {what}"
        truth = exact.astype(float).reshape(mine.shape)
    off = float(np.abs(mine - truth).max(initial=0))
    if off <= CLOSE * max(float(np.abs(truth).max(initial=0)), TINY):
        return f"torch wrong of {what}"
    return f"ill-conditioned of {what}" if off <= 1e-9 * largest else f"MISMATCH of the code of {what}"


def decided(asks: Question, at: Point, mine: Any, theirs: Any, what: str) -> str:
    """Who is wrong."""
    if mine.shape != theirs.shape:
        return f"MISMATCH of shape {mine.shape} {theirs.shape} of {what}"
    names = {v.params[0] for v in asks.variables}
    extra = {
        v.params[0]: np.random.default_rng(5).standard_normal([as_integer(s, at.sizes) for s in v.shape])
        for v in asks.variables
        if v.params[0] in names - at.values.keys()
    }
    here = Point(at.sizes, {**at.values, **extra})
    try:
        seen = judged(asks, here, 0)
    except ZeroDivisionError:
        return f"no formula there of {what}"
    if not seen.holds:
        return f"MISMATCH of the formula of {what}"
    exact = seen.claimed.reshape(-1, order="F")
    ours, torchs = (_paired(each, extra, exact.size) for each in (mine, theirs))
    room = CLOSE * max(float(np.abs(exact).max()), TINY)
    if np.abs(ours - exact).max() <= room:
        return f"torch wrong of {what}"
    if np.abs(ours - exact).max() <= room + 1e3 * rounding(here, asks.name, seen.largest):
        return f"ill-conditioned of {what}"
    if np.abs(ours - exact).max() <= room + _rounded_by_the_code(asks, here):
        return f"ill-conditioned of {what}"
    return f"MISMATCH of the code of {what}" if np.abs(torchs - exact).max() <= room else f"both off of {what}"


def _rounded_by_the_code(asks: Question, at: Point) -> float:
    """How far the claim's code moves where every operation in it and every input is rounded at random."""
    assert isinstance(asks.claimed, Node)
    f = function_of(asks.claimed, asks.variables, "matrix", True)
    usual = f(**inputs_at(asks.variables, at, "float64", "cpu")).numpy()
    moved = spread(lambda **given: f(**given).numpy(), inputs_at(asks.variables, at, "float64", "cpu"), usual, 0)
    return 8 * float(np.abs(moved).max())


def _paired(tensor: Any, extra: Mapping[str, Any], size: int) -> Any:
    """A tensor's product with the cotangent that the question adds, if it does; entries as vec numbers them."""
    flat = tensor.reshape(-1, order="F")
    if not extra:
        return flat
    (u,) = extra.values()
    return u.reshape(-1, order="F") @ tensor.reshape(-1, size, order="F")


def main() -> None:
    """Runs COUNT expressions from SEED."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    run(options.count, options.seed, lambda text, let, number: list(outcomes(text, let, number, options.kind)))


if __name__ == "__main__":
    main()
