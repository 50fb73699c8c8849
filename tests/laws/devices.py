"""The checks on an accelerator: the same inputs on the CPU and there, and functions that are called there.

python tests/laws/devices.py DEVICE COUNT SEED [--page FILE] [--jobs N]

Published results as claims, an example of every operator, problems at the sizes of the benchmarks, hand-written
Functions right and wrong, and COUNT right derivatives of random expressions. Prints how many of each came out as they
should and how far the devices are from one another.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from expressions import Expressions
from false_alarms import NO_POINT, NO_SIZE, Setting, judged, question_of, settings
from parts import limited

import matcalc as mc
from matcalc.checking.devices import repeatable
from matcalc.checking.verdict import Report
from matcalc.errors import MatcalcError
from matcalc.expression.operator import TABLE
from matcalc.handbook.entries import entry
from matcalc.limits import Limits

_ROOT = Path(__file__).parents[2]
sys.path += [str(_ROOT), str(_ROOT / "tests" / "calculus"), str(_ROOT / "tests" / "testing")]

_SPAN = 1_000_000
_PRODUCT = 2048
_SECONDS = 10
FLOATS = ("float64", "float32")


@dataclass(frozen=True)
class Job:
    """One check, or one part of the random ones: its group, and where it stands there."""

    group: str
    number: int
    device: str
    seed: int = 0
    count: int = 1


@dataclass(frozen=True)
class Seen:
    """What came of a check.

    Attributes:
        group, name: which it is.
        verdict: what it came to.
        wanted: what it should have come to.
        apart: by dtype, the largest difference between the devices, relative; None where nothing was compared.
        says: why it is not verified, or what is wrong.
    """

    group: str
    name: str
    verdict: str
    wanted: str
    apart: dict[str, float | None]
    says: str = ""


def _published() -> list[Any]:
    from published import PUBLISHED

    return list(PUBLISHED)


def _problems() -> list[Any]:
    from benchmarks.problems import PROBLEMS

    most = Limits().size
    return [(p, sizes) for p in PROBLEMS for sizes in p.sizes if max(sizes.values()) <= most]


def _functions() -> list[Any]:
    import test_autograd_function as tests

    return [(f, of, "verified") for f, of in tests.RIGHT] + [(row[0], row[1], "refuted") for row in tests.WRONG]


def _operators() -> list[Any]:
    return [made for name in sorted(TABLE) if (made := entry(name).example) is not None]


GROUPS = {
    "published gradients as claims": _published,
    "an example of every operator": _operators,
    "the benchmarks' problems at their sizes": _problems,
    "Functions, called there": _functions,
}
RANDOM = "random right derivatives"


def seen(job: Job) -> list[Seen]:
    """What comes of a job; a crash costs only itself."""
    torch.set_num_threads(1)
    if job.group == RANDOM:
        return list(_random(job))
    name, asked, wanted = _question(job)
    reports: dict[str, Report] = {}
    try:
        for kind in FLOATS:
            reports[kind] = mc.check(**asked, dtypes=(kind,))
    except Exception as error:
        return [Seen(job.group, name, "crashed", wanted, {}, f"{type(error).__name__}: {error}")]
    return [_told(job.group, name, reports, wanted)]


def _question(job: Job) -> tuple[str, dict[str, Any], str]:
    """The name of a job's check, what is asked, and what should come of it."""
    row, there, group = GROUPS[job.group]()[job.number], ("cpu", job.device), list(GROUPS).index(job.group)
    if group == 0:
        asked: dict[str, Any] = {"f": row.text, "wrt": row.name, "claim": row.claim, "let": row.let}
    elif group == 1:
        asked = {"f": row.text, "wrt": row.wrt, "let": dict(line.split(": ", 1) for line in row.declarations)}
    elif group == 2:
        problem, sizes = row
        asked = {"f": problem.text, "wrt": problem.wrt, "let": problem.let, "sizes": sizes, "trials": 2}
    else:
        function, (text, let), wanted = row
        asked = {"f": text, "claim": function, "let": let, "devices": there[::-1]}
        return f"{text} by {function.__name__}", asked, wanted
    return f"{asked['f']} by {asked['wrt']}", {**asked, "devices": there}, "verified"


def _told(group: str, name: str, reports: dict[str, Report], wanted: str) -> Seen:
    first = next((r for r in reports.values() if r.verdict != wanted), reports["float64"])
    says = first.reason or first.diagnosis or ""
    return Seen(group, name, first.verdict, wanted, {k: r.device_difference for k, r in reports.items()}, says)


def _random(job: Job) -> Iterator[Seen]:
    """COUNT right derivatives, each claimed as a formula, as compiled code or as torch autograd on the device."""
    made, chance = Expressions(job.seed), random.Random(job.seed)  # noqa: S311  reproducible, not secret
    skipped: Counter[str] = Counter()
    found = 0
    for number in range(3 * job.count):
        text, let = made.next()
        setting, pick = settings(chance), chance.random()
        if found == job.count:
            return
        report = None
        with limited(_SECONDS, skipped, print), contextlib.suppress(MatcalcError):
            question = question_of(text, let, pick, setting.scale)
            report = None if question is None else _on(job.device, question, setting, job.seed + number)
        if skipped.pop("CRASH", 0):
            yield Seen(f"{RANDOM}, {setting.way}", f"{job.seed} {number} {text}", "crashed", "verified", {})
        if report is None:
            continue  # an expression without a value, too large or too slow
        if report.verdict == "inconclusive" and any(word in report.reason for word in (*NO_POINT, *NO_SIZE)):
            continue
        found += 1
        yield _told(f"{RANDOM}, {setting.way}", f"{job.seed} {number} {text}", {"float64": report}, "verified")


def _on(device: str, question: Any, setting: Setting, seed: int) -> Report:
    formula = setting.way == "formula"
    return judged(question, setting, seed, ("cpu", device) if formula else (device, "cpu"), ("float64",))


def jobs(device: str, count: int, seed: int, parts: int) -> list[Job]:
    """Every job, the long ones first."""
    each = -(-count // parts)
    made = [Job(RANDOM, k, device, seed + k * _SPAN, min(each, count - k * each)) for k in range(parts)]
    for group, rows in reversed(GROUPS.items()):
        made += [Job(group, k, device) for k in range(len(rows()))]
    return [job for job in made if job.count > 0]


def tf32(device: str) -> tuple[float, float]:
    """How far a float32 product is from the float64 one, relative: under the settings of a check, and with TF32."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(_PRODUCT, _PRODUCT, dtype=torch.float64, generator=generator) for _ in range(2))
    right, single = a @ b, [t.float().to(device) for t in (a, b)]

    def apart() -> float:
        return float(((single[0] @ single[1]).cpu().double() - right).abs().max() / right.abs().max())

    with repeatable():
        off = apart()
        torch.backends.cuda.matmul.allow_tf32 = True
        return off, apart()


def page(found: Sequence[Seen], device: str, command: str) -> str:
    """What was seen as a page in Markdown."""
    groups = list(dict.fromkeys(s.group for s in found))
    head = [
        "| checks | right | inconclusive | wrong | float64 apart | float32 apart |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    odd = [s for s in found if s.verdict != s.wanted]
    listed = "".join(f"- {s.verdict}: {s.group}: `{s.name}`: {s.says}\n" for s in odd) or "- none\n"
    off, on = tf32(device)
    card = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return _PAGE.format(
        command=command, card=card, torch=torch.__version__, listed=listed, off=off, on=on, product=_PRODUCT,
        table="\n".join([*head, *(_row(g, found) for g in groups)]),
    )  # fmt: skip


def _row(group: str, found: Sequence[Seen]) -> str:
    mine = [s for s in found if s.group == group]
    right = sum(s.verdict == s.wanted for s in mine)
    open_ = sum(s.verdict == "inconclusive" != s.wanted for s in mine)
    apart = [max((a for s in mine if (a := s.apart.get(kind)) is not None), default=None) for kind in FLOATS]
    cells = ["" if a is None else f"{a:.0e}" for a in apart]
    return f"| {group} | {right} | {open_} | {len(mine) - right - open_} | {' | '.join(cells)} |"


_PAGE = """# On an accelerator

Written by `{command}` on one {card}, torch {torch}.

The same inputs go to the CPU and to the accelerator. Formulas are compared as their lowered code answers on each;
functions are called on the accelerator, and then on the CPU. *Apart* is the largest difference between the two,
relative to the gradient's size. Of the Functions, some have a planted fault each and are right where they are refuted.

{table}

While a check runs, TensorFloat-32 is off and deterministic algorithms are on. A product of two {product}×{product}
matrices in float32 is then off by {off:.0e} relative; with TensorFloat-32 it is off by {on:.0e}.

What did not come out as it should:

{listed}"""


def main() -> None:
    """Runs every job on a device."""
    parser = argparse.ArgumentParser()
    parser.add_argument("device")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    found: list[Seen] = []
    parts = max(1, asked.count // 50)
    with ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
        for made in pool.map(seen, jobs(asked.device, asked.count, asked.seed, parts)):
            found += made
            for s in made:
                if s.verdict != s.wanted:
                    print(s, flush=True)
    found.sort(
        key=lambda s: [*GROUPS, RANDOM].index(s.group.split(", autograd")[0].split(", comp")[0].split(", form")[0])
    )
    command = f"python tests/laws/devices.py {asked.device} {asked.count} {asked.seed} --page docs/devices.md"
    made_page = page(found, asked.device, command)
    print(made_page)
    if asked.page:
        asked.page.write_text(made_page, encoding="utf-8")


if __name__ == "__main__":
    main()
