"""Cases on a Ray cluster: one of this machine, started for the test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import misbehaving
import pytest

from matcalc.errors import DeviceError
from matcalc.suites.pool import Answer, Bounds, Work
from matcalc.suites.ray_cluster import on_ray
from matcalc.suites.results import Setting
from matcalc.suites.session import check_suite, here
from matcalc.suites.spec import read_suite

ray = pytest.importorskip("ray", reason="the extra matcalc-checker[ray] is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),  # Ray's own, of which there are many
    pytest.mark.timeout(300),  # each of its processes loads Ray
]

SUITES = Path(__file__).parents[2] / "examples" / "suites"


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    there = {"env_vars": {"PYTHONPATH": path}}  # where the nodes find the work
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR", runtime_env=there)
    yield
    ray.shutdown()


def test_without_a_cluster_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(ray, "init", refused)

    with pytest.raises(DeviceError, match="there is no Ray cluster to be found") as raised:
        on_ray(Bounds())
    assert raised.value.exit_code == 4


def refused(**options: object) -> None:
    assert options["address"] == "auto"
    raise ConnectionError("Could not find any running Ray instance.")


@pytest.mark.usefixtures("cluster")
def test_what_goes_wrong_on_the_cluster_costs_itself_only() -> None:
    work = Work(misbehaving.done)
    items = ["fine", "hang", "fine", "segfault", "leave_at_once", "take_much"] + ["fine"] * 20
    found = list(on_ray(Bounds(seconds=5.0, memory=2**28))(items, work))

    assert [answer.ended for answer in found[:6]] == [
        "",
        "stopped after 5 s",
        "",
        "the process died of SIGSEGV",
        "the process ended by itself, with exit code 5",
        "stopped above 256 MiB of memory",
    ]
    assert found[6:] == [Answer({"is": "fine"})] * 20


@pytest.mark.usefixtures("cluster")
def test_a_suite_has_the_same_outcomes_on_the_cluster_as_here() -> None:
    cases, setting = read_suite(SUITES, trials=2)[4:10], Setting()
    there = list(check_suite(cases, setting, on_ray(setting.bounds)))
    mine = list(check_suite(cases, setting, here(1, setting)))

    assert [(each.verdict, each.diagnosis) for each in there] == [(each.verdict, each.diagnosis) for each in mine]
    assert all(each.as_expected for each in there)
