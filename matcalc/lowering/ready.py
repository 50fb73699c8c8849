"""From expressions to a function that is ready to be called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from matcalc.errors import UnsupportedError
from matcalc.expression.nodes import Node
from matcalc.lowering.compile import compiled
from matcalc.lowering.emit import source
from matcalc.lowering.schedule import lower
from matcalc.lowering.targets import target_named


def ready(
    outputs: Sequence[tuple[Node, str]],
    variables: Sequence[Node],
    target: str,
    name: str,
    doc: str,
    ignored: Collection[str] = (),
    sizes: Mapping[str, int] | None = None,
    torch_compile: bool = False,
) -> Callable[..., Any]:
    """The function that computes ``outputs``: what :func:`lower`, :func:`source` and :func:`compiled` do in turn.

    Raises:
        UnsupportedError: for an unknown target, and for ``torch_compile`` with another one than torch.
        DeviceError: when the target's library is not installed.
    """
    if torch_compile and target != "torch":
        raise UnsupportedError("torch.compile takes torch code", suggestion='compile("torch", torch_compile=True)')
    program = lower(outputs, variables, sizes, target=target)

    def unbatched(at: Mapping[str, int]) -> str:
        return source(lower(outputs, variables, sizes or at, target=target, batched=False), target, name, doc)

    return compiled(
        program,
        source(program, target, name, doc),
        name,
        ignored,
        target,
        unbatched if target_named(target).scalar_endings else None,
        _by_torch if torch_compile else lambda function: function,
    )


def _by_torch(function: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    made: Callable[..., Any] = torch.compile(function)
    return made
