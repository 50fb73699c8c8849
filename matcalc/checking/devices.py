"""Devices: which are there, under which settings they compute, and how far they are from one another.

The same inputs go to each, made on the CPU from the seed and copied. While a check runs, TensorFloat-32 is off (with it
a float32 product has 10 bits of mantissa instead of 23) and deterministic algorithms are on; the report states both.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.errors import CheckError, DeviceError

SHAPES_ONLY = "meta"
_WITHOUT_FLOAT64 = frozenset({"mps"})
_NAMED = re.compile(r"(cpu|cuda|mps|xla|meta)(:[0-9]{1,3})?")
_SPOKEN = "cpu, cuda, mps, xla, meta (shapes alone) and auto; cuda:1 is the second of its kind"


def refuse_unknown(name: str) -> None:
    """Whether there is such a device at all, here or elsewhere; torch is not asked.

    Raises:
        DeviceError: where there is none.

    >>> refuse_unknown("cuda:1")
    """
    if name != "auto" and not _NAMED.fullmatch(name):
        raise DeviceError(f"no device {name!r}", why=f"the devices are {_SPOKEN}")


def lacks_float64(name: str) -> bool:
    """Whether there are no values in float64 on a device.

    >>> [lacks_float64(name) for name in ("cuda:0", "mps", "meta")]
    [False, True, True]
    """
    return name.partition(":")[0] in {*_WITHOUT_FLOAT64, SHAPES_ONLY}


def devices_for(wanted: Sequence[str]) -> tuple[str, ...]:
    """The devices asked for; ``auto`` is the CPU and the accelerators that are there.

    Raises:
        DeviceError: for one that is not there.
    """
    found: dict[str, None] = {}
    for name in wanted:
        refuse_unknown(name)
        if name == "auto":
            found.update(dict.fromkeys(("cpu", *(kind for kind in ("cuda", "mps", "xla") if not _missing(kind)))))
            continue
        missing = _missing(name)
        if missing:
            raise DeviceError(missing, suggestion="--device cpu")
        found[name] = None
    if found and all(name.startswith(SHAPES_ONLY) for name in found):
        raise DeviceError(
            f"{SHAPES_ONLY} has shapes alone", why="a check compares numbers", suggestion="--device cpu --device meta"
        )
    return tuple(found)


def _missing(name: str) -> str:
    """Why a device cannot be used here, or ""."""
    import importlib.util

    import torch

    kind, _, number = name.partition(":")
    if kind == "cuda":
        if not torch.cuda.is_available():
            return "there is no CUDA device here"
        count = torch.cuda.device_count()
        return (
            "" if int(number or 0) < count else f"there is no {name} here: the CUDA devices are numbered below {count}"
        )
    if kind == "mps":
        return "" if torch.backends.mps.is_available() else "there is no MPS device here"
    if kind == "cpu":
        return f"there is no {name} here: the CPU is one device" if int(number or 0) else ""
    if kind == "xla":
        return (
            "" if importlib.util.find_spec("torch_xla") else "there is no XLA device here: torch_xla is not installed"
        )
    return ""


@contextlib.contextmanager
def repeatable() -> Iterator[None]:
    """TensorFloat-32 off and deterministic algorithms on, as far as torch has them; what was set before comes back."""
    import torch

    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = (matmul.allow_tf32, cudnn.allow_tf32)
    mode = torch.get_deterministic_debug_mode()  # the other way to set it loads torch's compiler, and SymPy with it
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    torch.set_deterministic_debug_mode("warn")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*deterministic.*")
            yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
        torch.set_deterministic_debug_mode(mode)


def settings(devices: Sequence[str]) -> dict[str, str]:
    """Under what a check computes: the settings of :func:`repeatable`, threads, and the cards by name."""
    import torch

    cards = {name: torch.cuda.get_device_name(name) for name in devices if name.startswith("cuda")}
    return {
        "tf32": "off",
        "deterministic": "on, where torch has such an algorithm",
        "threads": str(torch.get_num_threads()),
        **cards,
    }


@dataclass(frozen=True)
class DeviceFigures:
    """How the same program fares on each device.

    Attributes:
        float32_error: the largest error in float32 on any device, relative to ``unit``; None where none ran.
        difference: the largest difference between two devices in one dtype, relative to ``unit``; None for one device.
        difference64: the same in float64, where rounding is no excuse.
        silent: what did not run, and why.
    """

    float32_error: float | None = None
    difference: float | None = None
    difference64: float | None = None
    silent: tuple[str, ...] = ()

    def __or__(self, other: DeviceFigures) -> DeviceFigures:
        """The larger figures of two runs."""
        return DeviceFigures(
            _larger(self.float32_error, other.float32_error),
            _larger(self.difference, other.difference),
            _larger(self.difference64, other.difference64),
            tuple(dict.fromkeys((*self.silent, *other.silent))),
        )


def _larger(a: float | None, b: float | None) -> float | None:
    given = [v for v in (a, b) if v is not None]
    return max(given, key=lambda v: v if v == v else float("inf"), default=None)


def figures(
    run: Callable[[str, str], Any], devices: Sequence[str], dtypes: Sequence[str], truth: Any, unit: float
) -> DeviceFigures:
    """The figures of ``run``, a function of dtype and device to a float64 array, at one point.

    Raises:
        CheckError: where it fails in float64; that it fails in another dtype is said.
    """
    made: dict[tuple[str, str], Any] = {}
    silent: list[str] = []
    for device in devices:
        for dtype in dtypes:
            if device.partition(":")[0] in _WITHOUT_FLOAT64 and dtype == "float64":
                silent.append(f"{device} has no float64")
            elif device == SHAPES_ONLY:
                silent += _shape_alone(run, dtype, truth)
            else:
                try:
                    made[dtype, device] = run(dtype, device)
                except CheckError as error:
                    if dtype == "float64":
                        raise
                    silent.append(f"no {dtype} on {device}: {str(error).splitlines()[0][:80]}")
    errors = [_distance(v, truth) / unit for (dtype, _), v in made.items() if dtype == "float32"]
    return DeviceFigures(
        max(errors, key=lambda e: e if e == e else float("inf"), default=None),
        _between(made, devices, dtypes, unit),
        _between(made, devices, ("float64",), unit),
        tuple(dict.fromkeys(silent)),
    )


def _shape_alone(run: Callable[[str, str], Any], dtype: str, truth: Any) -> list[str]:
    """What is to be said where only shapes are computed."""
    try:
        shape = tuple(run(dtype, SHAPES_ONLY).shape)
    except (NotImplementedError, RuntimeError, CheckError) as error:
        return [f"no shapes on meta: {str(error).splitlines()[0][:80]}"]
    if shape == truth.shape:
        return ["on meta the shapes are right"]
    return [f"on meta the shape is {'×'.join(map(str, shape))} and not {'×'.join(map(str, truth.shape))}"]


def _between(
    made: Mapping[tuple[str, str], Any], devices: Sequence[str], dtypes: Sequence[str], unit: float
) -> float | None:
    """The largest difference from the first device."""
    gaps = [
        _distance(value, made[dtype, devices[0]]) / unit
        for (dtype, device), value in made.items()
        if device != devices[0] and dtype in dtypes and (dtype, devices[0]) in made
    ]
    return max(gaps, key=lambda gap: gap if gap == gap else float("inf"), default=None)


def _distance(a: Any, b: Any) -> float:
    import numpy as np

    return float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else float("inf")
