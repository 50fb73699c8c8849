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
from matcalc.checking.placement import functions_on, home, home_of, there

TWO = ("cpu", "cpu:0")
LINEAR = "sum(exp(A*x))"
ELSEWHERE = ["cpu:0", *(["cuda"] if torch.cuda.is_available() else [])]


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


def test_meta_alone_compares_no_numbers() -> None:
    with pytest.raises(mc.DeviceError, match="meta has shapes alone"):
        mc.check(LINEAR, "x", devices=("meta",))


def test_there_is_one_cpu() -> None:
    with pytest.raises(mc.DeviceError, match="the CPU is one device"):
        mc.check(LINEAR, "x", devices=("cpu:1",))


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


@pytest.mark.parametrize("device", ELSEWHERE)
@pytest.mark.parametrize("kind", ["small", "large", "jacobian"])
def test_a_function_is_called_on_every_device(kind: str, device: str) -> None:
    """Where its answers differ, its gradient is not verified; they agree where only float32 differs."""

    def sloppy(A: Any, x: Any) -> Any:
        e = torch.exp(A @ x) * (1.0 if home() == "cpu" else 1.001)
        return A.mT @ e if kind != "jacobian" else e[:, None] * A

    expression = LINEAR if kind != "jacobian" else "exp(A*x)"
    sizes = {"n": 400, "m": 300} if kind == "large" else {}
    asked = {"kind": "jacobian" if kind == "jacobian" else "grad", "sizes": sizes}
    alone = mc.check(expression, "x", claim=sloppy, **asked)
    assert (alone.verdict, alone.devices) == ("verified", ("cpu",))
    assert alone.device_difference is None
    assert 1e-9 < alone.float32_error < 1e-4
    report = mc.check(expression, "x", claim=sloppy, devices=("cpu", device), **asked)
    assert report.verdict == "inconclusive"
    assert "device" in report.reason


@pytest.mark.parametrize("device", ELSEWHERE)
def test_a_function_is_looked_at_on_the_first_device(device: str) -> None:
    def elsewhere(x: Any) -> Any:
        assert str(x.device).startswith(device.removesuffix(":0"))
        return 2 * x if home() == device else 3 * x

    assert mc.check("x'*x", "x", claim=elsewhere, devices=(device,)).verdict == "verified"
    assert mc.check("x'*x", "x", claim=elsewhere, devices=("meta", device)).verdict == "verified"
    assert mc.check("x'*x", "x", claim=lambda x: 2 * x if home() != "cpu" else 3 * x).verdict == "refuted"
    assert home() == "cpu"


def test_a_function_without_float32_is_said() -> None:
    def narrow(x: Any) -> Any:
        assert x.dtype == torch.float64
        return 2 * x

    report = mc.check("x'*x", "x", claim=narrow)
    assert (report.verdict, report.float32_error) == ("verified", None)
    assert any(said.startswith("no float32 on cpu: the claimed function failed") for said in report.witnesses)


def test_tensors_go_as_they_lie_in_memory() -> None:
    base = torch.arange(24.0, dtype=torch.float64).reshape(4, 6)
    given = [base, base.T, base[:, ::2], base[1:], base[:1].expand(4, 6), torch.tensor(2.0)]
    with functions_on("cpu:0"):
        moved = [there(t) for t in given]
    for t, copy in zip(given, moved, strict=True):
        assert torch.equal(t, copy)
        assert copy.stride() == t.stride()
        assert copy.data_ptr() != t.data_ptr()
    x = base.clone().requires_grad_()
    with functions_on("cpu:0"):
        there(x[:, ::2]).square().sum().backward()
    assert torch.equal(x.grad[:, ::2], 2 * base[:, ::2])
    assert not x.grad[:, 1::2].any()


def test_example_inputs_lie_on_one_device() -> None:
    assert home_of([torch.ones(2), 3, "mean"]) == "cpu"
    assert home_of(torch.ones(2, device="meta")) == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_functions_of_example_inputs_on_a_card_are_called_there() -> None:
    def square(x: Any) -> Any:
        assert x.device.type == "cuda"
        return (x * x).sum()

    inputs = [torch.arange(6.0, device="cuda", dtype=torch.float64).reshape(2, 3).T]
    right = mc.verify(square, lambda x: 2 * x, inputs)
    assert (right.verdict, right.devices) == ("verified", ("cuda:0",))
    assert mc.verify(square, lambda x: 3 * x, inputs).verdict == "refuted"
