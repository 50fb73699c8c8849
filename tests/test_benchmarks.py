"""The benchmarks: what they time is right, and what they print is a table."""

from itertools import pairwise

import pytest
import torch

from benchmarks import hessian, jacobian
from benchmarks.compared import CLOSED, compare
from benchmarks.gradient import _actions
from benchmarks.problems import PROBLEMS, Problem
from benchmarks.second_order import FIRST_ORDER, SECOND_ORDER, FirstOrder, SecondOrder
from benchmarks.settings import Settings
from benchmarks.tables import Table
from benchmarks.timing import Sample, _median, medians

SETTINGS = Settings(threads=1, sizes=1, budget=0.01, jax=False, torch_compile=False)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_every_competitor_has_the_gradient_of_the_closed_form(problem: Problem) -> None:
    actions = _actions(problem, problem.sizes[0], SETTINGS)
    assert set(actions) == {CLOSED, "matcalc", "autograd", "torch.func"}
    compare(problem.name, actions)


@pytest.mark.parametrize("each", SECOND_ORDER, ids=lambda each: each.problem.name)
def test_every_competitor_has_the_hessian_of_the_closed_form(each: SecondOrder) -> None:
    compare(each.problem.name, hessian.actions(each, each.sizes[0], SETTINGS))
    if each.product is not None:
        compare(each.problem.name, hessian.products(each, each.sizes[0]))


@pytest.mark.parametrize("each", FIRST_ORDER, ids=lambda each: each.text)
def test_every_competitor_has_the_jacobian_of_the_closed_form(each: FirstOrder) -> None:
    compare(each.text, jacobian.actions(each, each.sizes[0]))


def test_a_wrong_competitor_is_not_timed() -> None:
    actions = {CLOSED: lambda: torch.ones(3), "other": lambda: torch.ones(3) + 1e-6}
    with pytest.raises(AssertionError, match="other is off by"):
        compare("a problem", actions)


def test_a_slower_action_takes_longer() -> None:
    times = medians({"few": lambda: sum(range(100)), "many": lambda: sum(range(10_000))}, budget=0.05)
    assert times["many"] > 5 * times["few"]


def test_disturbed_samples_count_where_there_are_no_others() -> None:
    quiet = [Sample(1.0, disturbed=False)] * 7
    disturbed = [Sample(9.0, disturbed=True)] * 20
    assert _median(quiet + disturbed) == 1.0
    assert _median(quiet[1:] + disturbed) == 9.0


def test_a_table_in_markdown() -> None:
    table = Table("Title", "base", ["one", "other"], {"row": {"one": 1.234, "other": None}}, {"row": 2e-5}, ["A note."])
    lines = table.markdown().splitlines()
    assert lines[:2] == ["### Title", ""]
    assert lines[2:4] == ["| problem | base | one | other |", "| --- | ---: | ---: | ---: |"]
    assert lines[4] == "| row | 20 µs | 1.23 | – |"
    assert all(line.count("|") == other.count("|") for line, other in pairwise(lines[2:5]))
    assert "A note." in lines
