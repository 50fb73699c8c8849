"""Long runs: what one case leaves behind is none of the next one's, and a run is read again as it was written."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import false_alarms
import mpmath
import mutants
import torch
from false_alarms import Tally
from mutants import Score
from parts import limited
from runs import Run, runs_with

from matcalc.checking.tolerance import _noisy


def test_a_case_that_is_cut_short_leaves_nothing_on() -> None:
    x, skipped = torch.linspace(0, 1, 50, dtype=torch.float64), Counter[str]()
    mode = _noisy()(torch.Generator(), 64.0)
    with limited(0.05, skipped, print):
        mode.__enter__()
        mpmath.mp.dps = 90
        torch.set_grad_enabled(False)
        end = time.process_time() + 5
        while time.process_time() < end:
            pass
    assert skipped == {"too slow": 1}
    assert torch.equal(3 * x, 3 * x)
    assert mpmath.mp.dps == 15
    assert torch.is_grad_enabled()


def test_a_run_is_read_as_it_was_written_and_the_page_adds_up() -> None:
    tally = Tally(
        Counter({("formula", "small sizes", "verified"): 3}), Counter({"refuted: x": 1}), Counter({"too slow": 2})
    )
    run = Run("python tests/laws/false_alarms.py 3 1", "abc", tally, "Right.")
    assert Run.from_json(run.to_json(), Tally) == run
    made = false_alarms.page([run, run])
    assert "| formula | small sizes | 6 | 0 | 0 |" in made
    assert "- 4 × too slow" in made


def test_runs_of_mutants_add_up_and_one_of_the_same_seed_takes_the_place_of_the_other(tmp_path: Path) -> None:
    scores = [Score(Counter({("a sign", "formula", "refuted"): n, ("a sign", "text", "missed"): 1})) for n in (3, 4, 5)]
    scores[2].originals = 7
    path = tmp_path / "runs.jsonl"
    for score, seed in zip(scores, (1, 1, 2), strict=True):
        runs = runs_with(Run(f"python tests/laws/mutants.py 9 {seed}", "abc", score), path, Score)
    assert [run.counts for run in runs] == scores[1:]
    made = mutants.page(runs)
    assert "| all | 11 | 9 | 0 | 0 | 0 | 2 |" in made
    assert "7 right derivatives" in made
    said = "5 refuted, 0 equal, 0 hidden, 0 inconclusive, 1 missed."
    assert f"- `python tests/laws/mutants.py 9 2` at abc: {said}" in made
