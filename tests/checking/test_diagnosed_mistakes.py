"""Mistakes that people make in derivatives, and what a good teacher would say of each: a line each in a file.

The claims are variations of formulas in textbooks, lecture notes and questions on the web; the right derivatives stand
in Magnus & Neudecker 2019, Petersen & Pedersen 2012 (The Matrix Cookbook), Boyd & Vandenberghe 2004, appendix A.4, and
Rasmussen & Williams 2006, ch. 5. A row has the expression, the name, the wrong claim, the relation that the report
gives, and how its diagnosis begins.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import matcalc as mc

MISTAKES = [json.loads(line) for line in (Path(__file__).parent / "mistakes.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("row", MISTAKES, ids=lambda row: f"{row['text']} by {row['name']}: {row['claim']}")
def test_a_mistake_is_named(row: dict[str, Any]) -> None:
    report = mc.check(
        row["text"], row["name"], claim=row["claim"], kind=row.get("kind", "grad"), let=row.get("let"), trials=2
    )
    assert report.verdict == "refuted", str(report)
    assert (report.relation, report.diagnosis[: len(row["says"])]) == (row["relation"], row["says"])


def test_there_are_many_mistakes_of_many_kinds() -> None:
    assert len({(row["text"], row["claim"]) for row in MISTAKES}) == len(MISTAKES) > 100
    assert len({row["relation"] for row in MISTAKES}) >= 15
