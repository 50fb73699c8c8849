"""Derived gradients of random expressions on the targets, against torch autograd of the literal lowering in float64.

python tests/laws/fuzz.py COUNT SEED [--target torch numpy jax] [--check]

Prints what became of how many, and every text in which something is wrong. Where a target and autograd differ, the
judgement in 90 digits and more says which of the two it is. With --check the checker itself is run instead, on
derivatives that are right: what it refutes is a false alarm.
"""

from __future__ import annotations

import argparse
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import torch
from expressions import Expressions

import matcalc as mc
from matcalc.checking.judgement import rounding
from matcalc.checking.judging import judged
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import autograd
from matcalc.errors import MatcalcError
from matcalc.expression.nodes import postorder

TARGETS = ("torch", "numpy", "jax")
CLOSE = 1e-7
TINY = 1e-10
_HUGE = 1e12
_SECONDS = 6
_ROUNDED = 4e-15
_LIMITS = mc.Limits(tokens=40_000, text=200_000)


@dataclass(frozen=True)
class Case:
    """An expression, by one name, at a point."""

    f: mc.Expression
    g: mc.Derivative
    let: Mapping[str, str]
    at: Point
    number: int

    @property
    def question(self) -> Question:
        """Whether the result that is shown holds."""
        nodes = tuple(v.node for v in self.f.typed.variables)
        return Question(self.f.node, self.g.wrt, nodes, self.g.shown, projected=self.g.projected)


def outcomes(text: str, let: Mapping[str, str], number: int, targets: Sequence[str]) -> Iterator[str]:
    """What became of one expression on each target, in a word and details: agrees by every name, or what is wrong."""
    begun = placed(text, let, number)
    if isinstance(begun, str):
        yield begun
        return
    f, at = begun
    said: dict[str, str] = dict.fromkeys(targets, "agrees")
    for name in f.variables:
        case = Case(f, mc.grad(f, name), let, at, number)
        if (wrong := unlike_its_text(case)) is not None:
            yield wrong
        truth, _ = autograd(case.question, at, "float64", "cpu")
        for target in targets:
            found = compared(case, truth, target)
            said[target] = said[target] if found == "agrees" else found
    yield from (
        what.replace("TARGET", target) if what != "agrees" else f"agrees on {target}" for target, what in said.items()
    )


def placed(text: str, let: Mapping[str, str], number: int) -> tuple[mc.Expression, Point] | str:
    """The expression and a point where it is defined, of its gradient or not; or why there is none, in a word."""
    f = mc.parse(text, let)
    if not f.variables:
        return "constant"
    nodes = tuple(v.node for v in f.typed.variables)
    at = point(Question(f.node, nodes[0].params[0], nodes, f.node), CheckOptions(seed=number, trials=2), 0)
    return "no point" if isinstance(at, str) else (f, at)


def agree(mine: Any, theirs: Any) -> bool:
    """Whether two arrays are equal up to rounding."""
    if mine.shape != theirs.shape or not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
        return False
    size = max(float(np.abs(theirs).max(initial=0)), float(np.abs(mine).max(initial=0)), TINY)
    return bool(np.abs(mine - theirs).max(initial=0) <= CLOSE * size)


def compared(case: Case, truth: Any, target: str) -> str:
    """Whether the target's result is autograd's; where it is not, who is wrong."""
    mine = on_target(case, target)
    return "agrees" if agree(mine, truth) else decided(case, mine, truth, target)


def on_target(case: Case, target: str) -> Any:
    """The gradient as the target computes it, as a float64 matrix of the name's shape."""
    inputs = []
    for v in case.f.typed.variables:
        value = case.at.values[v.name]
        plain = value.reshape(()) if v.kind == "scalar" else value[:, 0] if v.kind == "vector" else value
        inputs.append(torch.tensor(plain) if target == "torch" else plain)
    made = np.asarray(case.g.compile(target)(*inputs), dtype=np.float64)
    shape = case.at.values[case.g.wrt].shape
    return made.reshape(shape) if made.size == shape[0] * shape[1] else np.atleast_2d(made)


def decided(case: Case, mine: Any, truth: Any, target: str) -> str:
    """Who is wrong, by differences in 90 digits and more."""
    where = f"on TARGET by {case.g.wrt}: {case.g}"
    if at_a_kink(case):
        return f"at a kink {where}"
    try:
        slack = moved_by_rounding(case)
    except (ZeroDivisionError, TypeError):
        return f"no formula there {where}"  # as det(X)*inv(X) at a singular X: the code is right, the text has no value
    seen = judged(case.question, case.at, case.number)
    if not seen.holds:
        return f"MISMATCH of the formula {where}"
    exact = seen.claimed
    size = max(float(np.abs(exact).max()), TINY)
    room = CLOSE * size + 1e3 * rounding(case.at, case.g.wrt, seen.largest)
    ours = float(np.abs(mine - exact).max()) if mine.shape == exact.shape else np.inf
    if ours <= CLOSE * size:
        return f"torch wrong {where}"
    if ours <= room + slack or largest_on_the_way(case) > _HUGE:
        return f"ill-conditioned {where}"
    off = float(np.abs(truth - exact).max()) if truth.shape == exact.shape else np.inf
    whose = "MISMATCH" if off < ours / 10 or not np.isfinite(mine).all() else "both off"
    return f"{whose} of the code {where} ({ours / size:.1e})"


def at_a_kink(case: Case) -> bool:
    """Whether a kink is met, up to rounding, where the value is torch's and no difference tells it."""
    with mpmath.workdps(30):
        memo: dict[Any, Any] = {}
        evaluate(case.f.node, lifted(case.at.values, case.question.variables), case.at.sizes, memo)
        return any(
            abs(v - kink.at) <= _ROUNDED
            for node in postorder(case.f.node)
            for kink in node.operator.kinks
            for v in memo[node.args[0]].flat
        )


def moved_by_rounding(case: Case) -> float:
    """How far the gradient moves where the inputs do by a few times what float64 rounds."""
    rng = np.random.default_rng(case.number)
    with mpmath.workdps(40):
        found = []
        for size in (0.0, *[_ROUNDED] * 3):
            values = {k: v * (1 + size * rng.standard_normal(v.shape)) for k, v in case.at.values.items()}
            found.append(evaluate(case.g.shown, lifted(values, case.question.variables), case.at.sizes))
        return max(float(np.abs(other - found[0]).max()) for other in found[1:])


def largest_on_the_way(case: Case) -> float:
    """The largest value in the gradient's own evaluation."""
    with mpmath.workdps(30):
        memo: dict[Any, Any] = {}
        evaluate(case.g.shown, lifted(case.at.values, case.question.variables), case.at.sizes, memo)
        return float(max(abs(v).max() for v in memo.values()))


def unlike_its_text(case: Case) -> str | None:
    """What is wrong with the printed result as an expression of the same value, or None."""
    let = {name: v.declaration for name, v in case.f.variables.items()} | dict(case.let)
    read = mc.parse(str(case.g), let, limits=_LIMITS).node
    if read is case.g.shown:
        return None
    with mpmath.workdps(40):
        values, memo = lifted(case.at.values, case.question.variables), dict[Any, Any]()
        try:
            ours, theirs = (evaluate(node, values, case.at.sizes, memo) for node in (case.g.shown, read))
        except (ZeroDivisionError, TypeError):  # the formula has no value there, though the expression has
            return None
        size = max(np.abs(value).max() for value in memo.values())  # what is nothing but rounding agrees
        if np.abs(np.broadcast_to(theirs, ours.shape) - ours).max() > mpmath.mpf("1e-25") * size:
            return f"MISMATCH of the text by {case.g.wrt}: {case.g}"
    return None


def checked(text: str, let: Mapping[str, str], number: int) -> Iterator[str]:
    """What the checker says of right derivatives."""
    f = mc.parse(text, let)
    for name in list(f.variables)[:2]:
        report = mc.grad(f, name).check(trials=2, seed=number)
        if report.verdict == "refuted":
            yield f"MISMATCH: refuted by {name}: {report}"
        else:
            yield report.verdict if report.verdict == "verified" else f"inconclusive by {name}: {report.reason}"


def _stop(number: int, frame: object) -> None:
    raise TimeoutError


def main() -> None:
    """Runs COUNT expressions from SEED."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--target", nargs="+", choices=TARGETS, default=["torch"])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if "jax" in options.target:
        import jax

        jax.config.update("jax_enable_x64", True)
    ways: Callable[..., Iterator[str]] = checked if options.check else outcomes
    more = () if options.check else (options.target,)
    run(options.count, options.seed, lambda text, let, number: list(ways(text, let, number, *more)))


def run(count: int, seed: int, outcome: Callable[[str, Mapping[str, str], int], list[str]]) -> None:
    """Counts outcomes, and prints the texts of those that are not as they should be."""
    made, found = Expressions(seed), Counter[str]()
    signal.signal(signal.SIGALRM, _stop)
    for number in range(count):
        text, let = made.next()
        signal.alarm(_SECONDS)
        try:
            said = outcome(text, let, number)
        except TimeoutError:
            said = ["too slow"]
        except MatcalcError as error:
            said = [f"REFUSED {type(error).__name__}: {str(error).splitlines()[0]}"]
        except (np.linalg.LinAlgError, torch.linalg.LinAlgError):
            said = ["a singular matrix there"]
        except Exception as error:
            singular = "on lu_solve would result in a division by zero" in str(error)  # torch's own words for it
            said = ["a singular matrix there" if singular else f"CRASH {type(error).__name__}: {error}"]
        signal.alarm(0)
        for what in said:
            found[what.split(" by ")[0].split(":")[0]] += 1
            if what[0].isupper() or " off " in what or what.startswith(("inconclusive", "at a kink")):
                print(number, text, let, "->", what[:400], flush=True)
        if number % 500 == 499:
            print(number + 1, dict(found), flush=True)
    print(dict(found))


if __name__ == "__main__":
    main()
