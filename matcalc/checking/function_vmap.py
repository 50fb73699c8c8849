"""A Function under ``torch.func.vmap``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from matcalc.checking.findings import NOT_OFFERED, RIGHT, UNDECIDED, WRONG, Finding
from matcalc.checking.function_claim import Raised, has_setup_context
from matcalc.checking.function_setting import FLOAT, Setting, example_of, first_of, largest, parts, spread
from matcalc.checking.placement import back, there

_BATCH = 3
_AMPLIFIED = 100.0


def vmap(setting: Setting) -> Finding:
    """Value and backward under vmap, against one call after the other: all inputs batched, and one alone."""
    import torch

    function = setting.claim.function
    own = function.vmap is not torch.autograd.Function.vmap
    if not has_setup_context(function) or not (own or function.generate_vmap_rule):
        need = "setup_context, and vmap or generate_vmap_rule = True"
        return Finding("vmap", NOT_OFFERED, f"torch.func needs {need}")
    return first_of("vmap", _turns(setting, own))


def _turns(setting: Setting, own: bool) -> Iterator[Finding]:
    floating = setting.floating
    ways = [(floating, 0), (floating, -1)]
    ways += [((name,), 0) for name in floating if len(floating) > 1]
    for batched, axis in ways:
        where = f"{', '.join(batched)} batched along {'the first' if axis == 0 else 'the last'} axis"
        try:
            yield _compared(setting, batched, axis, where)
        except Raised as error:
            yield Finding("vmap", UNDECIDED, str(error))
        except Exception as error:
            says = f"{where}: it raises {type(error).__name__}: {(str(error).splitlines() or [''])[0][:120]}"
            # A rule that torch generates fails where torch has no batching rule for what is inside.
            yield Finding("vmap", WRONG if own else UNDECIDED, says)


def _compared(setting: Setting, batched: tuple[str, ...], axis: int, where: str) -> Finding:
    import torch

    copies = {n: [setting.inputs[n] * (1 + 0.01 * k) for k in range(_BATCH)] for n in batched}
    each = [setting.with_inputs(**{n: copies[n][k] for n in batched}) for k in range(_BATCH)]
    stacked = {n: torch.stack(copies[n], dim=axis) for n in batched}
    dims = tuple(axis if n in batched else None for n in setting.inputs)
    names = tuple(setting.inputs)
    spreads = [spread(one) for one in each]
    truths = [dict(parts(one.run())) for one in each]
    for name in setting.wanted:

        def answer(*given: Any, name: str = name) -> tuple[Any, Any]:
            inputs = dict(zip(names, given, strict=True))

            def moving(x: Any) -> Any:
                return back(setting.claim.function.apply(*(there({**inputs, name: x}[n]) for n in setting.claim.names)))

            pulled = torch.func.vjp(moving, inputs[name])
            return pulled[0], pulled[1](setting.cotangent)[0]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, where it has no batching rule and loops
            given = [stacked.get(n, t) for n, t in setting.inputs.items()]
            value, gradient = torch.func.vmap(answer, in_dims=dims)(*given)
        answers = {"value": value, f"gradient by {name}": gradient}
        for what, found in answers.items():
            wrong = _first_apart(each, what, found, truths, spreads, where)
            if wrong is not None:
                return wrong
    return Finding("vmap", RIGHT)


def _first_apart(
    each: list[Setting],
    what: str,
    found: Any,
    truths: list[dict[str, Any]],
    spreads: list[dict[str, float]],
    where: str,
) -> Finding | None:
    for k, (one, truth, blur) in enumerate(zip(each, truths, spreads, strict=True)):
        right, said = truth[what], found[k]
        room = FLOAT * largest(right) + _AMPLIFIED * blur[what]
        if not largest(right) < float("inf"):
            return Finding("vmap", UNDECIDED, f"{where}: the {what} is not finite")
        if said.shape != right.shape or not largest(said - right) <= room:
            says = f"{where}: the {what} of element {k} is not what a call by itself gives"
            return Finding("vmap", WRONG, says, example_of(one, what, said, right))
    return None
