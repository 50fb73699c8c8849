"""Any function of tensors against what is claimed of its derivative.

Three voices: the claim, torch autograd, and extrapolated differences of the function itself along random directions.
The claim holds where it agrees with the differences; where autograd does not, torch is the odd one out. Where only the
differences stand apart, nothing is decided: a detached part, or a backward of one's own, looks like that. What rounding
explains is measured (see :mod:`matcalc.checking.margins`). A point at which the function has a kink counts for nothing
and is said. Functions are called in float64, where they take it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from matcalc.checking.around import asked, dtypes_of, keeping, places, same_again
from matcalc.checking.examples import stored_like
from matcalc.checking.foreign import Foreign, foreign
from matcalc.checking.margins import Told
from matcalc.checking.second_looks import Case, judged
from matcalc.checking.torch_side import as_returned
from matcalc.checking.trials import Request
from matcalc.checking.verdict import Report
from matcalc.checking.voices import Place
from matcalc.errors import CheckError, MatcalcError, UnsupportedError

KINDS = ("grad", "vjp", "jacobian")


@dataclass(frozen=True)
class Claimed:
    """A claimed derivative: a gradient, a vjp, or a Jacobian, as a function of the inputs.

    Attributes:
        function: what is claimed.
        kind: which of them; "" while the function's value has not been seen.
    """

    function: Foreign
    kind: str = ""

    def settled(self, value: Any, inputs: Sequence[Any]) -> Claimed:
        """The same, of the kind that it is where that was not said.

        Raises:
            CheckError: where a gradient is claimed of what is no scalar.
        """
        lone = value.numel() == 1 and (not value.ndim or _takes(self.function.function, len(inputs)))
        kind = self.kind or ("grad" if lone else "vjp")
        takes_none = kind == "vjp" and not _takes(self.function.function, len(inputs) + 1)
        if takes_none or (kind == "grad" and value.numel() != 1):
            raise CheckError(
                f"the function gives a tensor of shape {tuple(value.shape)}, and a gradient is that of a scalar",
                why="of any other a vjp can be claimed, claimed(*inputs, cotangent), or, with kind='jacobian', the "
                "Jacobian, with the value's axes first",
                suggestion="lambda *inputs: fn(*inputs).sum()",
            )
        return replace(self, kind=kind)

    def gradient(self, place: Place) -> Any:
        """The gradient of ⟨u, fn⟩ that the claim implies.

        Raises:
            CheckError: when it fails.
        """
        import torch

        u, x = place.cotangent, place.inputs[place.wrt]
        given = [stored_like(t.detach(), t) if isinstance(t, torch.Tensor) else t for t in place.inputs]
        try:
            made = as_returned(self.function(*given, *((u.clone(),) if self.kind == "vjp" else ())))
        except MatcalcError:
            raise
        except (Exception, SystemExit) as error:
            raise CheckError(f"the claimed function failed: {type(error).__name__}: {error}") from error
        said = made.detach().to(x.dtype)
        if self.kind == "jacobian" and said.shape == (*u.shape, *x.shape):
            return torch.tensordot(u.reshape(-1), said.reshape(-1, *x.shape), dims=1)
        return said * u.reshape(()) if self.kind == "grad" else said

    def told(self, place: Place) -> Told:
        """What is claimed at a place."""
        return Told(self.gradient, self.gradient(place), self.function)


def verify(
    fn: Callable[..., Any],
    claimed: Callable[..., Any],
    example_inputs: Any,
    wrt: int = 0,
    trials: int = 5,
    seed: int = 0,
    kind: str = "",
) -> Report:
    """Compares a claim with autograd and differences of ``fn`` at the example and at points around it.

    Raises:
        CheckError: when either function fails.
        ParseError: for trials and a seed that are none.
        UnsupportedError: for another kind, and for inputs and values that are no dense tensors of real numbers.
    """
    if kind and kind not in KINDS:
        raise UnsupportedError(f"no claims are verified of a {kind!r}", why=f"kind is {', '.join(KINDS)}")
    request = asked(fn, example_inputs, wrt, trials, seed)
    request, here, claims = _settled(request, Claimed(foreign(claimed), kind))
    request = keeping(request, here, lambda *inputs: claims.gradient(replace(here, inputs=inputs)))
    report, _ = judged(Case(request, claims.told, claims.function))
    return claims.function.settled(report)


def _settled(request: Request, claims: Claimed) -> tuple[Request, Place, Claimed]:
    """The request in the arithmetic that the claim takes, the example, and the claim, which has a value there.

    Raises:
        CheckError: when the claim fails, or gives another value when it is called again.
    """
    failed: CheckError | None = None
    for dtype in dtypes_of(request):
        (here,) = places(replace(request, trials=1, dtype=dtype))
        told = claims.settled(here.value(), here.inputs)
        try:
            told.gradient(here)
        except CheckError as error:
            failed = failed or error
            continue
        same_again(partial(told.gradient, here), "the claimed function")
        single = request.single if dtype == request.dtype else "claim"
        return replace(request, dtype=dtype, single=single, weighed=told.kind == "vjp"), here, told
    assert failed is not None
    raise failed


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments; yes where it does not say."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return True
    return True
