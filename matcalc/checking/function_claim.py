"""Calling a ``torch.autograd.Function``: which arguments it takes, its value, and what its backward returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.checking.placement import back, there
from matcalc.errors import CheckError


class Raised(Exception):  # noqa: N818  # an event inside a check, which no caller meets
    """A forward or a backward that raised.

    Attributes:
        where: "forward" or "backward".
        returned: what the backward itself had returned before torch refused it, or None.
    """

    def __init__(self, where: str, error: BaseException, returned: tuple[Any, ...] | None = None) -> None:
        lines = str(error).splitlines() or [""]
        super().__init__(f"the {where} raises {type(error).__name__}: {lines[0][:200]}")
        self.where = where
        self.returned = returned


@dataclass(frozen=True)
class Outcome:
    """A call's value, and the gradients by the names that were wanted."""

    value: Any
    gradients: Mapping[str, Any]


@dataclass
class Watched:
    """What a backward returned by itself, before torch casts, sums or refuses it."""

    returned: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class FunctionClaim:
    """A Function, and the names of its arguments in order.

    Attributes:
        function: the subclass of ``torch.autograd.Function``.
        names: the names that its tensor arguments stand for, in order.
    """

    function: Any
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        """The Function's own name."""
        return str(self.function.__name__)

    def value(self, inputs: Mapping[str, Any]) -> Any:
        """The forward's value.

        Raises:
            Raised: when it fails.
            CheckError: when it returns no single tensor.
        """
        given = [inputs[name] for name in self.names]
        placed = [there(t) for t in given]
        value = self._applied(self.function, placed)
        _show_changes(given, placed)
        return back(value)

    def _applied(self, function: Any, arguments: Sequence[Any]) -> Any:
        """The value of ``function``, which is this one or a copy of it that is watched."""
        import torch

        try:
            made = function.apply(*arguments)
        except (Exception, SystemExit) as error:
            raise Raised("forward", error) from error
        if not isinstance(made, torch.Tensor):
            what = f"{len(made)} values" if isinstance(made, tuple) else f"a {type(made).__name__}"
            raise CheckError(
                f"{self.label} returns {what}, and an expression has one value, which is a tensor",
                suggestion="a Function that returns the one tensor that is to be checked",
            )
        if made.is_meta:
            raise CheckError(f"{self.label} returns a meta tensor", why="a meta tensor holds no numbers")
        return made

    def run(
        self,
        inputs: Mapping[str, Any],
        cotangent: Any,
        wanted: Sequence[str],
        *,
        also: Sequence[str] = (),
        watch: Watched | None = None,
    ) -> Outcome:
        """The value, and the backward by the ``wanted`` names; those in ``also`` require a gradient as well.

        Raises:
            Raised: when forward or backward fails.
        """
        import torch

        seen = watch or Watched()
        function = _watched(self.function, seen)
        moving = {*wanted, *also}
        tensors = {n: there(t.detach()).requires_grad_(n in moving) for n, t in inputs.items()}
        arriving = there(cotangent)
        value = self._applied(function, [tensors[name] for name in self.names])
        leaves = [tensors[name] for name in wanted]
        try:
            found = (
                torch.autograd.grad(value, leaves, arriving, allow_unused=True)
                if value.requires_grad
                else (None,) * len(leaves)
            )
        except (Exception, SystemExit) as error:
            raise Raised("backward", error, tuple(map(back, seen.returned or ())) or None) from error
        _show_changes([*inputs.values(), cotangent], [*tensors.values(), arriving])
        made = [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
        gradients = {n: back(g.detach()) for n, g in zip(wanted, made, strict=True)}
        return Outcome(back(value.detach()), gradients)


def _show_changes(given: Sequence[Any], placed: Sequence[Any]) -> None:
    """What was written into copies on another device is written into the tensors that were given."""
    import torch

    for t, copy in zip(given, placed, strict=True):
        if copy is not t and copy.data_ptr() != t.data_ptr() and not t.requires_grad:
            after = back(copy.detach())
            if not torch.equal(torch.nan_to_num(after), torch.nan_to_num(t)):
                t.copy_(after)


def _watched(function: Any, into: Watched) -> Any:
    """A copy of a Function of which is known what its backward returned."""
    import torch

    which = "backward" if function.backward is not torch.autograd.Function.backward else "vjp"
    original = getattr(function, which)

    def recorded(ctx: Any, *cotangents: Any) -> Any:
        found = original(ctx, *cotangents)
        into.returned = found if isinstance(found, tuple) else (found,)
        return found

    return type(function.__name__, (function,), {which: staticmethod(recorded), "__module__": function.__module__})


def function_in(claim: Any) -> Any | None:
    """The ``torch.autograd.Function`` that a claim is, or of which it is the ``apply``; None for all else."""
    owner = getattr(claim, "__self__", None) if getattr(claim, "__name__", "") == "apply" else claim
    if not isinstance(owner, type):
        return None
    import torch

    return owner if issubclass(owner, torch.autograd.Function) else None


def has_setup_context(function: Any) -> bool:
    """Whether forward takes no ctx, as torch.func needs."""
    import torch

    return function.setup_context is not torch.autograd.Function.setup_context


def parameters_of(function: Any) -> tuple[list[inspect.Parameter], bool]:
    """The parameters of forward after ctx, and whether it takes any number of them."""
    listed = list(inspect.signature(function.forward).parameters.values())
    if not has_setup_context(function):
        listed = listed[1:]
    plain = [p for p in listed if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return plain, any(p.kind is p.VAR_POSITIONAL for p in listed)


def arguments_of(function: Any, names: Sequence[str], spelled: Callable[[str], str] = str) -> tuple[str, ...]:
    """Which names a Function's arguments stand for, in order: by forward's own names, else in the order given.

    Parameters that have a default and no name of the expression keep their default.

    Raises:
        CheckError: where neither fits.
    """
    parameters, any_number = parameters_of(function)
    own = [spelled(p.name) for p in parameters]
    needed = sum(p.default is p.empty for p in parameters)
    fits = len(names) >= needed and (any_number or len(names) <= len(parameters))
    leading = own[: len(names)]
    if fits and set(leading) == set(names):
        return tuple(leading)
    misplaced = [n for k, n in enumerate(own) if n in names and (k >= len(names) or names[k] != n)]
    if fits and not misplaced:
        return tuple(names)
    takes = ", ".join(p.name for p in parameters) + (", *" if any_number else "")
    raise CheckError(
        f"the arguments of {function.__name__}.forward do not match the names of the expression",
        why=f"after ctx it takes ({takes}), and the expression has ({', '.join(names)}): arguments are matched by "
        "name, or, where no name is shared, in the order in which the names appear",
        suggestion=f"def forward(ctx, {', '.join(names)})",
    )
