"""Several devices, of which a machine without an accelerator has the CPU under two names, and meta for shapes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

import matcalc as mc
from matcalc.checking import devices, torch_side
from matcalc.checking.devices import DeviceFigures, devices_for, figures, refuse_unknown, repeatable, settings

TWO = ("cpu", "cpu:0")
LINEAR = "sum(exp(A*x))"


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:x", "cpu:1234", "", "cuda:1\n"])
def test_a_device_that_is_none(name: str) -> None:
    with pytest.raises(mc.DeviceError, match="the devices are cpu, cuda, mps, xla, meta"):
        refuse_unknown(name)


def test_a_device_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices_for(("cuda:1", "auto")) == ("cuda:1", "cpu", "cuda")
    with pytest.raises(mc.DeviceError, match="numbered below 2"):
        devices_for(("cuda:2",))
    with pytest.raises(mc.DeviceError, match="no MPS device"):
        devices_for(("mps",))
    with pytest.raises(mc.DeviceError, match="torch_xla is not installed"):
        devices_for(("xla",))


@pytest.mark.parametrize(
    "report",
    [
        lambda: mc.check(LINEAR, "x", devices=TWO),
        lambda: mc.check(LINEAR, "x", devices=TWO, sizes={"n": 400, "m": 300}),
        lambda: mc.hessian(LINEAR, "x").check(devices=TWO),
    ],
    ids=["small", "large", "tensor"],
)
def test_the_same_inputs_go_to_every_device(report: Any) -> None:
    found = report()
    assert (found.verdict, found.devices, found.device_difference) == ("verified", TWO, 0.0)
    assert "between devices 0.0e+00" in str(found)
    assert 1e-9 < found.float32_error < 1e-4


@pytest.mark.parametrize("kind", ["small", "large", "tensor"])
def test_a_device_that_computes_something_else_is_seen(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = torch_side.inputs_at

    def lying(variables: Any, at: Any, dtype: str, device: str) -> dict[str, Any]:
        made = honest(variables, at, dtype, device)
        return {n: v * 1.001 for n, v in made.items()} if device == "cpu:0" else made

    monkeypatch.setattr(torch_side, "inputs_at", lying)
    sizes = {"n": 400, "m": 300} if kind == "large" else {}
    if kind == "tensor":
        found = mc.hessian(LINEAR, "x").check(devices=TWO)
    else:
        found = mc.check(LINEAR, "x", devices=TWO, sizes=sizes)
    assert found.verdict == "inconclusive"
    assert "device" in found.reason


def test_meta_answers_for_shapes() -> None:
    found = mc.check(LINEAR, "x", devices=("cpu", "meta"))
    assert found.verdict == "verified"
    assert "on meta the shapes are right" in found.witnesses
    assert found.device_difference is None


def test_a_wrong_shape_on_meta_is_told() -> None:
    def run(dtype: str, device: str) -> Any:
        return torch.zeros(3, 1, device="meta") if device == "meta" else np.zeros((2, 1))

    found = figures(run, ("cpu", "meta"), ("float64",), np.zeros((2, 1)), 1.0)
    assert found.silent == ("on meta the shape is 3×1 and not 2×1",)


def test_a_device_without_float64_is_asked_for_float32_alone() -> None:
    asked = []

    def run(dtype: str, device: str) -> Any:
        asked.append((dtype, device))
        return np.full((2, 1), 1.0 if device == "cpu" else 1.25)

    found = figures(run, ("cpu", "mps"), ("float64", "float32"), np.ones((2, 1)), 0.5)
    assert asked == [("float64", "cpu"), ("float32", "cpu"), ("float32", "mps")]
    assert found == DeviceFigures(0.5, 0.5, None, ("mps has no float64",))


def test_nan_is_the_largest_difference() -> None:
    found = figures(
        lambda dtype, device: np.array([[float("nan") if device == "cpu:0" else 1.0]]),
        TWO, ("float64",), np.ones((1, 1)), 1.0,
    )  # fmt: skip
    assert found.difference64 != found.difference64
    assert (DeviceFigures(1.0, 2.0) | found).difference != (DeviceFigures(1.0, 2.0) | found).difference


def test_settings_are_stated_and_come_back() -> None:
    before = torch.backends.cuda.matmul.allow_tf32, torch.are_deterministic_algorithms_enabled()
    with repeatable():
        assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (False, False)
        assert torch.are_deterministic_algorithms_enabled()
    assert (torch.backends.cuda.matmul.allow_tf32, torch.are_deterministic_algorithms_enabled()) == before
    told = mc.check("x'*x", "x").to_dict()["settings"]
    assert told == settings(("cpu",)) == json.loads(json.dumps(told))
    assert told["tf32"] == "off"


def test_a_card_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_missing", lambda name: "")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: "a card")
    assert settings(("cpu", "cuda"))["cuda"] == "a card"
