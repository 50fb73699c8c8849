"""Derived gradients of random expressions against autograd in float64; prints counts and every mismatch.

python tests/laws/fuzz.py COUNT SEED
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping

import numpy as np
import torch
from expressions import LET, Expressions

import matcalc as mc
from matcalc.checking.points import point
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import autograd, lowered

_CLOSE = 1e-7


def outcome(text: str, let: Mapping[str, str], number: int) -> str:
    """What became of one expression, by every name: agrees, no point, or what is wrong."""
    torch.set_num_threads(1)
    f = mc.parse(text, let)
    nodes = tuple(v.node for v in f.typed.variables)
    for name in f.variables:
        g = mc.grad(f, name)
        question = Question(f.node, name, nodes, g.node, projected=g.projected)
        at = point(question, CheckOptions(seed=number, trials=2), 0)
        if isinstance(at, str):
            return "no point"
        truth, _ = autograd(question, at, "float64", "cpu")
        mine = lowered(question, at, "float64", "cpu")
        size = max(float(np.abs(truth).max()), float(np.abs(mine).max()), 1e-6)
        if not np.isfinite(truth).all():
            return "no finite gradient"
        if not (mine.shape == truth.shape and np.abs(mine - truth).max() <= _CLOSE * size):
            return f"MISMATCH by {name}: {g}"
    return "agrees"


def main() -> None:
    """Runs COUNT expressions from SEED."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    made, found = Expressions(seed), Counter[str]()
    for number in range(count):
        text = made.next()
        try:
            said = outcome(text, LET, number)
        except mc.UnsupportedError:
            said = "unsupported"
        except Exception as error:
            said = f"CRASH {type(error).__name__}: {error}"
        found[said.split(" by ")[0].split(":")[0]] += 1
        if said.startswith(("MISMATCH", "CRASH")):
            print(text, "->", said[:300], flush=True)
    print(dict(found))


if __name__ == "__main__":
    main()
