"""Right and damaged gradients as claims about a function of which only its values are known, through ``verify``.

python tests/laws/any_function.py COUNT SEED [--page FILE] [--jobs N] [--runs FILE]

Random expressions as torch functions, their gradients as compiled code and as torch autograd, and damaged in the ways
of damages.py. No right one may be refuted, and no damaged one verified whose error is larger than the smallest one that
the report says it would have seen. Prints what became of how many; runs add up as those of right claims do.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from damages import DAMAGES
from expressions import Expressions
from false_alarms import SCALES
from mutants import Original, gradient_of, mutants
from parts import arguments, limited
from runs import Run, carried_out, summed

import matcalc as mc
from matcalc.checking.points import Point, point
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import function_of, untold
from matcalc.derivative import storage_of
from matcalc.errors import MatcalcError

COMPILED, AUTOGRAD = "right, as compiled code", "right, as torch autograd"
OUTCOMES = ("verified", "refuted", "inconclusive", "equal", "hidden", "missed")
_SECONDS = 20
_DAMAGED = 2
_SAME = 1e-9
_EVERY = 100


@dataclass
class Outcomes:
    """What became of how many claims, by what was claimed; and why what is open is so."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def total(self, claim: str | None = None, outcome: str | None = None) -> int:
        """How many of a claim, of an outcome."""
        return sum(n for (a, b), n in self.counts.items() if claim in (None, a) and outcome in (None, b))


@dataclass(frozen=True)
class Example:
    """A function of tensors and an example.

    Attributes:
        question: its expression and its gradient.
        inputs: the example, in the order of the names.
        at: the point that they are of.
    """

    question: Question
    inputs: Sequence[Any]
    at: Point

    @property
    def wrt(self) -> int:
        """The input by which the gradient is taken."""
        return [v.params[0] for v in self.question.variables].index(self.question.name)

    def value(self) -> Callable[..., Any]:
        """The function."""
        q = self.question
        return function_of(q.expression, q.variables, "scalar", False, untold(q.variables, self.at))

    def gradient(self, formula: Any) -> Callable[..., Any]:
        """A formula as a function."""
        q = self.question
        return function_of(formula, q.variables, storage_of(q.variable), True, untold(q.variables, self.at))

    def by_autograd(self) -> Callable[..., Any]:
        """Torch's own gradient."""
        value = self.value()

        def gradient(*given: Any) -> Any:
            inputs = list(given)
            x = inputs[self.wrt] = inputs[self.wrt].detach().requires_grad_(True)
            made = value(*inputs)
            found = torch.autograd.grad(made, x, allow_unused=True)[0] if made.requires_grad else None
            return torch.zeros_like(x) if found is None else found

        return gradient


def example_of(question: Question, seed: int, scale: float) -> Example | None:
    """A point inside the domain as an example; None where there is none."""
    at = point(question, CheckOptions(trials=2, seed=seed, scale=scale), 0)
    if not isinstance(at, Point):
        return None
    axes: dict[str, Callable[[Any], Any]] = {"scalar": lambda v: v.reshape(()), "vector": lambda v: v[:, 0]}
    values = [axes.get(v.params[1], lambda x: x)(at.values[v.params[0]]) for v in question.variables]
    return Example(question, [torch.tensor(value, dtype=torch.float64) for value in values], at)


def judged(example: Example, claim: Callable[..., Any], seed: int) -> mc.Report:
    """What ``verify`` says of a claim."""
    value = example.value()
    return mc.verify(lambda *given: value(*given), lambda *given: claim(*given), example.inputs, example.wrt, seed=seed)


def outcome(example: Example, report: mc.Report, damaged: Callable[..., Any]) -> str:
    """What became of a damaged claim: one that is verified may be right, or wrong by less than the report shows."""
    if report.verdict != "verified":
        return report.verdict
    said, right = damaged(*example.inputs), example.gradient(example.question.claimed)(*example.inputs)
    off = float((said - right).abs().max()) / (float(right.abs().max()) or 1.0)
    return "equal" if off <= _SAME else "hidden" if off <= (report.smallest_visible or 0.0) else "missed"


def counted(example: Example, original: Original, chance: random.Random, seed: int, found: Outcomes) -> None:
    """Counts what becomes of the right gradient, and of some damaged ones."""
    right = chance.choice((COMPILED, AUTOGRAD))
    made = example.gradient(example.question.claimed) if right == COMPILED else example.by_autograd()
    report = judged(example, made, seed)
    _count(found, right, report, report.verdict, example, seed)
    damaged = list(mutants(original, chance))
    for kind, formula in chance.sample(damaged, min(_DAMAGED, len(damaged))):
        made = example.gradient(formula)
        report = judged(example, made, seed)
        _count(found, kind, report, outcome(example, report, made), example, seed)


def _count(found: Outcomes, claim: str, report: mc.Report, became: str, example: Example, seed: int) -> None:
    found.counts[claim, became] += 1
    if became == "inconclusive":
        found.reasons[_kind_of(report.reason)] += 1
    if became == "missed" or (became == "refuted" and claim in (COMPILED, AUTOGRAD)):
        q = example.question
        told(f"WRONG {became} seed {seed} {claim}: {q.text} by {q.name} {q.variables}: {str(report)[:600]}")


def _kind_of(reason: str) -> str:
    """A reason without its numbers."""
    return " ".join(word for word in reason.split() if not any(c.isdigit() for c in word))[:100]


def told(line: str) -> None:
    """Prints a line at once."""
    print(line[:2000], flush=True)


def run(count: int, seed: int) -> Outcomes:
    """What becomes of COUNT claims from SEED."""
    found, made, chance = Outcomes(), Expressions(seed), random.Random(seed)  # noqa: S311  reproducible, not secret
    number = 0
    while found.total() < count:
        number += 1
        text, let = made.next()
        pick, scale = chance.random(), chance.choice(SCALES)
        with limited(_SECONDS, found.skipped, told):
            try:
                names = list(mc.parse(text, let).variables)
                original = gradient_of(text, let, names[int(pick * len(names))]) if names else None
                if original is None or original.question.projected:
                    found.skipped["no names, or a gradient in a subspace"] += 1
                    continue
                example = example_of(original.question, seed + number, scale)
                if example is None:
                    found.skipped["no point inside the domain"] += 1
                    continue
                counted(example, original, random.Random(seed + number), seed + number, found)  # noqa: S311
            except MatcalcError as error:
                found.skipped[type(error).__name__] += 1
        if number % _EVERY == 0:
            told(f"{found.total()} claims")
    return found


def page(runs: Sequence[Run[Outcomes]]) -> str:
    """What became of all claims, as a page in Markdown."""
    all_of = summed(runs, Outcomes)
    claims = [c for c in (COMPILED, AUTOGRAD, *DAMAGES) if all_of.total(c)]
    lines = ["| claimed | " + " | ".join(OUTCOMES) + " |", "| --- |" + " --- |" * len(OUTCOMES)]
    lines += [f"| {c} | " + " | ".join(str(all_of.total(c, o)) for o in OUTCOMES) + " |" for c in claims]
    listed = ("".join(f"- {n} × {why}\n" for why, n in each.most_common()) for each in (all_of.reasons, all_of.skipped))
    reasons, skipped = (one or "- none\n" for one in listed)
    shown = "".join(run.bullet(", ".join(f"{run.counts.total(outcome=o)} {o}" for o in OUTCOMES)) for run in runs)
    return _PAGE.format(count=all_of.total(), runs=shown, table="\n".join(lines), reasons=reasons, skipped=skipped)


_PAGE = """# Any function

Of {count} claims about functions of which `mc.verify` knows the values alone, in these runs:

{runs}
Random expressions over the whole table of operators as torch functions, at one example each; their gradients as
compiled code and as torch autograd, and damaged. *Equal* are damaged ones that give the right gradient at the example,
*hidden* those that are off by less than the smallest error that the report says it would have seen. What else is
verified is a miss.

{table}

What is inconclusive, and why:

{reasons}
Not asked:

{skipped}"""


def main() -> None:
    """Runs COUNT claims from SEED."""
    carried_out("any_function.py", arguments(), run, Outcomes, page)


if __name__ == "__main__":
    main()
