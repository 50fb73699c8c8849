"""On which device a function of tensors is called.

Points are drawn, and answers compared, on the CPU. A function that somebody claims is called where it is to be looked
at: tensors that lie on the CPU go there as they lie in memory, and its answer comes back. What it is differentiated by
goes with them, so autograd, forward mode and vmap see the function as it is on that device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from matcalc.checking.devices import lacks_float64, repeatable
from matcalc.checking.examples import stored_like
from matcalc.errors import CheckError

CPU = "cpu"
_home: ContextVar[str] = ContextVar("home", default=CPU)


def home() -> str:
    """Where functions are called at present."""
    return _home.get()


@contextmanager
def functions_on(device: str) -> Iterator[None]:
    """Functions are called on a device; on an accelerator under the settings that the report states.

    >>> with functions_on("meta"):
    ...     home()
    'meta'
    """
    token = _home.set(device)
    try:
        with nullcontext() if device == CPU else repeatable():
            yield
    finally:
        _home.reset(token)


def home_among(devices: Sequence[str]) -> str:
    """The first device on which a function has values in float64; the CPU where there is none.

    >>> home_among(["meta", "mps", "cuda:1", "cpu"])
    'cuda:1'
    """
    return next((name for name in devices if not lacks_float64(name)), CPU)


def home_of(inputs: Any) -> str:
    """Where example inputs lie: on the CPU, or on the one accelerator that some lie on.

    Raises:
        CheckError: where they lie on several.
    """
    import torch

    given = [inputs] if isinstance(inputs, torch.Tensor) or not isinstance(inputs, Sequence) else inputs
    found = {str(t.device) for t in given if isinstance(t, torch.Tensor) and t.device.type != CPU}
    if len(found) > 1:
        raise CheckError(
            f"the example inputs lie on {' and '.join(sorted(found))}", why="they are called on one device"
        )
    return next(iter(found), CPU)


def there(value: Any) -> Any:
    """A tensor that lies on the CPU, on the device at which functions are called; all else as it is."""
    import torch

    device = home()
    if device == CPU or not isinstance(value, torch.Tensor) or value.device.type != CPU:
        return value
    moved = value.to(device)
    is_plain = torch._C._functorch.is_functorch_wrapped_tensor(value) or value.is_contiguous()
    return moved if is_plain else stored_like(moved, value)


def back(value: Any) -> Any:
    """A tensor on the CPU; all else as it is, and what has a shape alone."""
    import torch

    return value.to(CPU) if isinstance(value, torch.Tensor) and not value.is_meta else value
