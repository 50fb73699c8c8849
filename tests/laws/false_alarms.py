"""Right derivatives as claims: the checker must refute none.

python tests/laws/false_alarms.py COUNT SEED [--page FILE] [--jobs N] [--runs FILE]

Gradients of random expressions, as formulas, as compiled torch functions and as torch autograd itself, at small sizes
and at sizes up to 200, the function and its inputs scaled by powers of ten from 1e-8 to 1e8, in float64 and float32.
Prints the shares of the verdicts, why what is inconclusive is so, and every claim that was refuted. What is long can be
done in several runs: each adds its tally to the file of runs, and the page is of all of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from expressions import Expressions
from parts import arguments, limited
from runs import Run, carried_out, summed

import matcalc as mc
from matcalc.checking.foreign import foreign
from matcalc.checking.placement import functions_on, home_among
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.run import run_check
from matcalc.checking.torch_side import function_of
from matcalc.checking.verdict import Report
from matcalc.checking.witnesses import ALWAYS
from matcalc.derivative import storage_of
from matcalc.errors import MatcalcError

WAYS = ("formula", "formula", "compiled function", "autograd")
LARGE = (30, 60, 120, 200)
SCALES = (1e-8, 1e-6, 1e-3, 1.0, 1.0, 1.0, 1e3, 1e6, 1e8)
VERDICTS = ("verified", "inconclusive", "refuted")
NO_POINT = ("no point inside the domain", "point was found", "no sizes fit", "is not finite there", "lies on a kink")
NO_SIZE = ("nothing was seen but",)
"""Where nothing was asked: the expression has no derivative, or no value, at any point that was tried, or at none that
has sizes of 3 and more.
"""
_SECONDS = 5
_EVERY = 100


@dataclass
class Tally:
    """How many of which verdict, by the way of claiming and by where; and why what is open is so."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def total(self, way: str | None = None, where: str | None = None, verdict: str | None = None) -> int:
        """How many of a way, a place, a verdict."""
        return sum(
            n
            for (a, b, c), n in self.counts.items()
            if way in (None, a) and where in (None, b) and verdict in (None, c)
        )


@dataclass(frozen=True)
class Setting:
    """Where a claim is made."""

    way: str
    scale: float
    input_scale: float
    size: int | None

    @property
    def where(self) -> str:
        """In words, for the table."""
        size = "sizes to 200" if self.size else "small sizes"
        return f"{size}, badly scaled" if (self.scale, self.input_scale) != (1.0, 1.0) else size


def settings(chance: random.Random) -> Setting:
    """A way of claiming, a scale, and in one case of ten a large size."""
    large = chance.choice(LARGE) if chance.random() < 1 / 10 else None
    return Setting(chance.choice(WAYS), chance.choice(SCALES), chance.choice(SCALES), large)


def claimed(question: Question, way: str) -> Question:
    """The right derivative as a claim of somebody else's."""
    if way == "formula":
        return question
    if way == "compiled function":
        f = function_of(question.claimed, question.variables, storage_of(question.variable), True)  # type: ignore[arg-type]
        return replace(question, claimed=foreign(lambda **given: f(**given)))
    value = function_of(question.expression, question.variables, "scalar", False)
    projection = question.projected

    def autograd(**given: Any) -> Any:
        from matcalc.checking.subspace import projected

        x = given[question.name].detach().requires_grad_(True)
        made = value(**{**given, question.name: x})
        gradient = torch.autograd.grad(made, x, allow_unused=True)[0] if made.requires_grad else None
        gradient = torch.zeros_like(x) if gradient is None else gradient
        return torch.as_tensor(projected(projection, gradient.numpy(force=True))) if projection else gradient

    return replace(question, claimed=foreign(autograd))


def question_of(text: str, let: dict[str, str], pick: float, scale: float) -> Question | None:
    """The gradient by one of the names; of ``scale`` times the expression."""
    scaled = text if scale == 1 else _scaled(text, scale)
    f = mc.parse(scaled, let)
    names = list(f.variables)
    if not names:
        return None
    g = mc.grad(f, names[int(pick * len(names))])
    nodes = tuple(v.node for v in f.typed.variables)
    return Question(f.node, g.wrt, nodes, g.shown, truth=g.node, guide=g.node, projected=g.projected, text=scaled)


def _scaled(text: str, scale: float) -> str:
    *bindings, last = text.split("; ")
    return "; ".join([*bindings, f"{scale:g}*({last})"])


def judged(
    question: Question,
    setting: Setting,
    seed: int,
    devices: tuple[str, ...] = ("cpu",),
    dtypes: tuple[str, ...] = ("float64", "float32"),
) -> Report:
    """What the check says of a right claim; functions are called on the first of the devices."""
    sizes = {} if setting.size is None else {"h": setting.size, "w": setting.size - 7}
    options = CheckOptions(
        trials=2, seed=seed, dtypes=dtypes, sizes=sizes, scale=setting.input_scale, witnesses=ALWAYS, devices=devices
    )
    with functions_on(home_among(devices)):
        return run_check(claimed(question, setting.way), options)


def told(line: str) -> None:
    """Prints a line at once."""
    print(line[:2000], flush=True)


def run(count: int, seed: int) -> Tally:
    """The tally of COUNT right claims from SEED."""
    tally, made, chance = Tally(), Expressions(seed), random.Random(seed)  # noqa: S311  reproducible, not secret
    for number in _while(lambda: tally.total() < count):
        text, let = made.next()
        setting, pick = settings(chance), chance.random()
        with limited(_SECONDS, tally.skipped, told):
            try:
                question = question_of(text, let, pick, setting.scale)
                if question is None:
                    tally.skipped["no names"] += 1
                else:
                    report = judged(question, setting, seed + number)
                    if is_torchs_error(report, question, setting, seed + number):
                        tally.skipped["torch's own gradient is wrong there"] += 1
                        continue
                    count_in(tally, report, question, setting, f"{seed} {number} by {question.name} {let}")
            except MatcalcError as error:
                tally.skipped[f"{type(error).__name__}"] += 1
        if tally.total() % _EVERY == _EVERY - 1:
            told(f"{tally.total()} claims, {tally.total(verdict='verified')} verified")
    return tally


def is_torchs_error(report: Report, question: Question, setting: Setting, seed: int) -> bool:
    """Whether torch's gradient is claimed and refuted, where the formula holds in 90 digits at the same points."""
    if report.verdict != "refuted" or setting.way != "autograd":
        return False
    found = judged(question, replace(setting, way="formula"), seed)
    return found.verdict != "refuted" and any(t.agrees and t.witness == "precise" for t in found.testimonies)


def count_in(tally: Tally, report: Report, question: Question, setting: Setting, about: str) -> None:
    """Counts a verdict, and tells of one that is not verified."""
    for why, words in (("no point inside the domain", NO_POINT), ("no such point of sizes above 2", NO_SIZE)):
        if report.verdict == "inconclusive" and any(word in report.reason for word in words):
            tally.skipped[why] += 1
            return
    tally.counts[setting.way, setting.where, report.verdict] += 1
    if not report.ok:
        tally.reasons[f"{report.verdict}: {_kind_of(report.reason)}"] += 1
        told(f"{report.verdict} {about} {setting} {question.text}: {report.reason}{report.diagnosis or ''}")


def _while(more: Callable[[], bool]) -> Iterator[int]:
    number = 0
    while more():
        yield number
        number += 1


def _kind_of(reason: str) -> str:
    """A reason without its numbers."""
    return " ".join(word for word in reason.split() if not any(c.isdigit() for c in word))[:100]


def page(runs: Sequence[Run[Tally]]) -> str:
    """The tallies as a page in Markdown."""
    tally = summed(runs, Tally)
    rows = sorted({(way, where) for way, where, _ in tally.counts})
    lines = ["| claimed as | where | " + " | ".join(VERDICTS) + " |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {way} | {where} | " + " | ".join(str(tally.total(way, where, v)) for v in VERDICTS) + " |"
        for way, where in rows
    ]
    lines.append("| all | | " + " | ".join(str(tally.total(verdict=v)) for v in VERDICTS) + " |")
    reasons = "".join(f"- {n} × {why}\n" for why, n in tally.reasons.most_common()) or "- none\n"
    skipped = "".join(f"- {n} × {why}\n" for why, n in tally.skipped.most_common()) or "- none\n"
    share = tally.total(verdict="inconclusive") / max(tally.total(), 1)
    made = "".join(run.bullet(_told(run.counts)) for run in runs)
    return _PAGE.format(
        count=tally.total(), runs=made, table="\n".join(lines), reasons=reasons, skipped=skipped, share=f"{share:.2%}"
    )


def _told(tally: Tally) -> str:
    return ", ".join(f"{tally.total(verdict=v)} {v}" for v in VERDICTS)


_PAGE = """# False alarms

Of {count} right claims, in these runs (but for what is too slow or too large for the machine, the same command at the
same commit gives the same):

{runs}
Right derivatives of random expressions over the whole table of operators, claimed as formulas, as compiled torch
functions and as torch autograd itself; one of ten at sizes from 30 to 200; function and inputs scaled by powers of ten
from 1e-8 to 1e8; in float64, with float32 beside it.

{table}

Inconclusive are {share}. Why what is not verified is not:

{reasons}
Not counted, since nothing could be asked: expressions without a value or a derivative at any point that was tried, or
at any of sizes above 2, those that are no expressions, or are too slow, and those where torch's own gradient, which was
claimed, is refuted and the formula holds in 90 digits at the same points.

{skipped}"""


def main() -> None:
    """Runs COUNT right claims from SEED."""
    carried_out("false_alarms.py", arguments(), run, Tally, page)


if __name__ == "__main__":
    main()
