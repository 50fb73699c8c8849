"""Damaged derivatives as claims: the checker must refute every one.

python tests/laws/mutants.py COUNT SEED [--page FILE] [--jobs N] [--runs FILE]

Right derivatives (gradients of random expressions and of published ones, Jacobians and Hessians) are damaged in the
ways of damages.py, and claimed through the check itself: as formulas, as texts, as Python functions. A claim that is
not refuted is held against the derivative in 120 digits at points of its own: where both are one value, it is no wrong
claim and is counted as equal; where a function, which is known in floats alone, is off by less than the smallest error
that the report says it would have seen, it is counted as hidden. Prints the score of each kind, and every mutant that
was missed. What is long can be done in several runs: each adds its score to the file of runs, and the page is of all of
them.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import mpmath
from damages import DAMAGES
from expressions import Expressions
from parts import arguments, limited
from runs import Run, carried_out, summed

import matcalc as mc
from matcalc.checking import run as checks
from matcalc.checking.diagnosis.table import Diagnosis
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.run import run_check
from matcalc.checking.tensors import question as tensor_question
from matcalc.checking.torch_side import function_of
from matcalc.checking.witnesses import ALWAYS
from matcalc.derivative import storage_of
from matcalc.errors import MatcalcError
from matcalc.expression.nodes import Node
from matcalc.jacobian_checks import linearised
from matcalc.language.printer import written

sys.path.append(str(Path(__file__).parent.parent / "calculus"))

WAYS = ("formula", "formula", "formula", "formula", "text", "function")
_DIGITS = 120
_SAME = "1e-70"
_POINTS = 4
_TRIES = 24
_SECONDS = 8
_PER_KIND = 1
_EVERY = 100
_DIAGNOSED = 10
_OUTCOMES = ("refuted", "equal", "hidden", "inconclusive", "missed")


@dataclass(frozen=True)
class Original:
    """A right derivative.

    Attributes:
        question: whether it holds.
        claimed: the formula that is damaged.
        asked: from a damaged formula to the question about it.
        text: the expression, its name and declarations, where the claim can be made as text.
        write: from a damaged formula to its text.
        what: in words, for the page and for what is printed.
    """

    question: Question
    claimed: Node
    asked: Callable[[Node], Question]
    what: str
    text: tuple[str, str, dict[str, str]] | None = None
    write: Callable[[Node], str] = str


@dataclass
class Score:
    """What became of how many mutants, by kind and by the way of claiming."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    originals: int = 0

    def total(self, kind: str | None = None, outcome: str | None = None, way: str | None = None) -> int:
        """How many of a kind, an outcome, a way."""
        return sum(
            n for (k, w, o), n in self.counts.items() if kind in (None, k) and outcome in (None, o) and way in (None, w)
        )


# ------------------------------------------------------------------------------------------------- originals


def gradient_of(text: str, let: dict[str, str], name: str) -> Original:
    """The gradient of an expression."""
    f = mc.parse(text, let or None)
    g = mc.grad(f, name)
    nodes = tuple(v.node for v in f.typed.variables)
    asks = Question(f.node, name, nodes, g.shown, truth=g.node, guide=g.node, projected=g.projected, text=text)
    told = {v.name: v.declaration for v in f.variables.values()}
    return Original(
        asks, g.shown, lambda node: replace(asks, claimed=node), "gradient", (text, name, told),
        lambda node: written(node, g.style(every_size=True)),
    )  # fmt: skip


def tensor_of(text: str, let: dict[str, str], name: str, kind: str) -> Original | None:
    """The Jacobian or the Hessian, as a matrix, where it has a closed form."""
    made = (mc.hessian if kind == "hessian" else mc.jacobian)(mc.parse(text, let or None), name)
    asked = linearised(made)
    if asked.matrix is None:
        return None
    asks = tensor_question(asked)
    asks = replace(asks, truth=asks.claimed if isinstance(asks.claimed, Node) else None)
    return Original(
        asks, asked.matrix, lambda node: replace(tensor_question(asked, node), truth=asks.truth), kind.capitalize()
    )


def originals(seed: int) -> Iterator[Callable[[], Original | None]]:
    """Derivatives to damage, in turn: of random expressions, of published ones, Jacobians and Hessians."""
    from published import PUBLISHED

    made, chance = Expressions(seed), random.Random(seed)  # noqa: S311  reproducible, not secret
    rows = list(PUBLISHED)
    while True:
        chance.shuffle(rows)
        for row in rows:
            for _ in range(2):
                yield _random(made, chance, "grad")
            yield lambda row=row: gradient_of(row.text, row.let, row.name)  # type: ignore[misc]
            yield lambda row=row: tensor_of(row.text, row.let, row.name, "hessian")  # type: ignore[misc]
            yield _random(made, chance, "jacobian")


def _random(made: Expressions, chance: random.Random, kind: str) -> Callable[[], Original | None]:
    text, let = made.next()
    pick = chance.random()

    def original() -> Original | None:
        names = list(mc.parse(text, let).variables)
        if not names:
            return None
        name = names[int(pick * len(names))]
        return gradient_of(text, let, name) if kind == "grad" else tensor_of(text, let, name, "hessian")

    return original


# -------------------------------------------------------------------------------------------------- a mutant


def judged(original: Original, mutant: Node, way: str, seed: int) -> mc.Report:
    """What the checker says of a mutant claimed in a way."""
    options = CheckOptions(trials=3, seed=seed, dtypes=("float64",), witnesses=ALWAYS)
    if way == "text" and original.text is not None:
        text, name, let = original.text
        claim = original.write(mutant)
        return mc.check(text, name, claim=claim, let=let, trials=3, seed=seed, dtypes=("float64",), witnesses=ALWAYS)
    if way == "function" and original.text is not None:
        asks = original.question
        f = function_of(mutant, asks.variables, storage_of(asks.variable), True)
        return run_check(replace(asks, claimed=lambda **given: f(**given)), options)
    return run_check(original.asked(mutant), options)


def outcome(original: Original, mutant: Node, way: str, seed: int) -> tuple[str, str]:
    """Refuted, equal, hidden, inconclusive or missed; and why."""
    report = judged(original, mutant, way, seed)
    if report.verdict != "verified":
        said = "equal" if report.verdict == "inconclusive" and is_equal(original, mutant, seed) else report.verdict
        return said, report.reason
    if is_equal(original, mutant, seed):
        return "equal", report.reason
    visible = report.smallest_visible if way == "function" else None
    hidden = visible is not None and max(errors(original, mutant, seed), default=1) <= visible
    return ("hidden" if hidden else "missed"), f"errors from {visible} would have been seen"


def is_equal(original: Original, mutant: Node, seed: int) -> bool:
    """Whether a mutant has the derivative's value in 120 digits, at points that the check did not see."""
    found = errors(original, mutant, seed, beside_all=True)
    return bool(found) and max(found) <= mpmath.mpf(_SAME)


def errors(original: Original, mutant: Node, seed: int, beside_all: bool = False) -> list[Any]:
    """How far a mutant is off at points that the check did not see, beside the derivative or all that is computed."""
    asks, options = original.asked(mutant), CheckOptions(trials=_TRIES + 1, seed=seed + 77_000)
    drawn = (point(asks, options, number) for number in range(_TRIES))  # whole numbers are tied more often than not
    inside = itertools.islice((at for at in drawn if isinstance(at, Point)), _POINTS)
    return [_error_at(asks, original.question, at, beside_all) for at in inside]


def _error_at(asks: Question, right: Question, at: Point, beside_all: bool) -> Any:
    with mpmath.workdps(_DIGITS):
        exact = lifted(at.values, asks.variables)
        memo: dict[Node, Any] = {}
        mine, theirs = (evaluate(q.claimed, exact, at.sizes, memo) for q in (asks, right))  # type: ignore[arg-type]
        if mine.shape != theirs.shape:
            return mpmath.inf
        off = abs(mine - theirs).max()
        beside = max(abs(v).max() for v in memo.values()) if beside_all else abs(theirs).max()
        return off / beside if beside else mpmath.inf if off else mpmath.mpf(0)


def mutants(original: Original, chance: random.Random) -> Iterator[tuple[str, Node]]:
    """Damaged formulas, one of every kind that finds a place."""
    seen = {original.claimed}
    for kind, damage in DAMAGES.items():
        for _ in range(_PER_KIND):
            made = damage(original.claimed, chance)
            if made is not None and made not in seen:
                seen.add(made)
                yield kind, made


# ---------------------------------------------------------------------------------------------------- the run


def attacked(make: Callable[[], Original | None], seed: int, score: Score, told: Callable[[str], None]) -> None:
    """Scores the mutants of one derivative."""
    original = make()
    if original is None:
        score.skipped["no closed form"] += 1
        return
    right = judged(original, original.claimed, "formula", seed)
    if right.verdict != "verified":
        score.skipped[f"the right one is {right.verdict}: {_kind_of(right.reason)}"] += 1
        if right.verdict == "refuted":
            told(f"FALSE ALARM {original.what} of {original.question.text} by {original.question.name}")
        return
    score.originals += 1
    chance = random.Random(seed)  # noqa: S311  reproducible, not secret
    for kind, mutant in mutants(original, chance):
        way = chance.choice(WAYS) if original.text is not None else original.what
        try:
            found, why = outcome(original, mutant, way, seed)
        except MatcalcError as error:
            score.skipped[f"{type(error).__name__} of a claim"] += 1
            told(f"REFUSED {way} {kind}: {str(error).splitlines()[0]} | {original.question.text}")
            continue
        score.counts[kind, way, found] += 1
        if found not in ("refuted", "equal"):
            score.reasons[f"{found}: {_kind_of(why)}"] += 1
            shown = repr(mutant)[:300] if original.text is None else original.write(mutant)
            asks = original.question
            about = f"{asks.text} by {asks.name} {original.text and original.text[2]}"
            told(f"{found.upper()} {way} {kind} seed {seed}: {shown} | {about} | {why}")


def _kind_of(reason: str) -> str:
    """A reason without its numbers."""
    return " ".join(word for word in reason.split() if not any(c.isdigit() for c in word))[:90]


def _told_what_is_wrong(number: int) -> AbstractContextManager[object]:
    """Refuted claims of one derivative of ten are diagnosed as well, which takes longer than the verdict."""
    return patch.object(checks, "diagnosis_of", return_value=Diagnosis()) if number % _DIAGNOSED else nullcontext()


def told(line: str) -> None:
    """Prints a line at once."""
    print(line[:2000], flush=True)


def run(count: int, seed: int) -> Score:
    """The score of COUNT mutants from SEED."""
    score = Score()
    for number, make in enumerate(originals(seed)):
        if score.total() >= count:
            break
        with limited(_SECONDS, score.skipped, told):
            try:
                with _told_what_is_wrong(number):
                    attacked(make, seed + number, score, told)
            except MatcalcError as error:
                score.skipped[f"{type(error).__name__}"] += 1
        if score.originals % _EVERY == _EVERY - 1:
            told(f"{score.total()} mutants, {score.total(outcome='refuted')} refuted")
    return score


def page(runs: Sequence[Run[Score]]) -> str:
    """The scores as a page in Markdown."""
    score = summed(runs, Score)
    header = "| damage | mutants | " + " | ".join(_OUTCOMES) + " |\n" + "| --- " * (len(_OUTCOMES) + 2) + "|"
    rows = [(kind, {"kind": kind}) for kind in DAMAGES] + [("all", {})]
    ways = sorted({way for _, way, _ in score.counts})
    by_way = [(way, {"way": way}) for way in ways]

    def table(entries: list[tuple[str, dict[str, str]]]) -> str:
        lines = [
            f"| {name} | {score.total(**key)} | "
            + " | ".join(str(score.total(outcome=o, **key)) for o in _OUTCOMES)
            + " |"
            for name, key in entries
        ]
        return "\n".join([header, *lines])

    reasons = "".join(f"- {n} × {why}\n" for why, n in score.reasons.most_common()) or "- none\n"
    skipped = "".join(f"- {n} × {why}\n" for why, n in score.skipped.most_common()) or "- none\n"
    made = "".join(run.bullet(_shown(run.counts)) for run in runs)
    return _PAGE.format(
        count=score.total(), runs=made, originals=score.originals, kinds=table(rows),
        ways=table(by_way).replace("| damage |", "| claimed as |"), reasons=reasons, skipped=skipped,
    )  # fmt: skip


def _shown(score: Score) -> str:
    return ", ".join(f"{score.total(outcome=o)} {o}" for o in _OUTCOMES)


_PAGE = """# Mutants

Of {count} damaged derivatives, in these runs (but for what is too slow for the machine, the same command at the same
commit gives the same):

{runs}
{originals} right derivatives, which the check verified (gradients of random expressions over the whole table of
operators, gradients that books publish, Jacobians and Hessians in Kronecker form), were damaged once in every way that
found a place in them, and each damaged one was claimed through the check itself. *Equal* are those that are no damage:
their value is the derivative's in 120 digits at points that the check did not see (a sign under a square, a transpose
of what is symmetric). *Hidden* are functions, known in floats alone, that are off by less than the smallest error that
their report says it would have seen. What else is verified is a miss.

{kinds}

The same by how the claim was made: as a formula, as text that is read, as a Python function on tensors, or as the
matrix of a Hessian.

{ways}

What was hidden, inconclusive or missed, and why:

{reasons}
Derivatives that were not damaged, since they were too slow, have no closed form, or were not verified themselves:

{skipped}"""


def main() -> None:
    """Runs COUNT mutants from SEED."""
    carried_out("mutants.py", arguments(), run, Score, page)


if __name__ == "__main__":
    main()
