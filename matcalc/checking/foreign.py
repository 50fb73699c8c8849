"""Functions written for torch, NumPy or JAX, called with the arrays that they are written for.

Unless it is said, a function is first called with torch tensors. One that fails with them, or gives an array of
another library, is called with NumPy arrays, and one that gives a JAX array with JAX arrays, in 64 bits. What a
function says of torch tensors and of NumPy arrays may differ (``x.std()`` does); before such a claim is refuted, it is
asked both ways.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from matcalc.checking.placement import back, there
from matcalc.checking.torch_side import no_array
from matcalc.checking.verdict import Report
from matcalc.errors import CheckError, DeviceError, MatcalcError

LIBRARIES = ("torch", "numpy", "jax")
_SHOWN = {"torch": "torch tensors", "numpy": "NumPy arrays", "jax": "JAX arrays"}
_SINGLE = 1e-5
_APART = 1e-6


class Foreign:
    """A function of arrays as a function of torch tensors.

    Attributes:
        library: for which it is written; "" while that is not known.
        told: whether the caller said so.
        single: whether it gave float32 where its inputs were float64.
    """

    def __init__(self, function: Callable[..., Any], library: str = "") -> None:
        self.function = function
        self.library = library
        self.told = bool(library)
        self.single = False
        self.__name__ = str(getattr(function, "__name__", "a function"))
        self._once: tuple[Sequence[Any], Mapping[str, Any], Any] | None = None

    def __call__(self, *args: Any, **given: Any) -> Any:
        """The value as a tensor."""
        if given and not args:
            args, given = self._arranged(given)
        if not self.library:
            return self._first(args, given)
        return self._kept(args, given, _called(self.function, self.library, args, given, watch=self._once is None))

    def _first(self, args: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """The value by the first library whose arrays come back."""
        failed: BaseException | None = None
        for library in LIBRARIES if self._is_jax else LIBRARIES[:2]:
            try:
                made = _called(self.function, library, args, given, watch=True)
            except MatcalcError:
                raise
            except (Exception, SystemExit) as error:
                failed = failed or error
                continue
            back = _library_of(made)
            if back == "jax" != library:
                library, made = back, _called(self.function, back, args, given)
            if back in ("", library):
                self.library = library
                return self._kept(args, given, made)
        if failed is None:
            raise no_array(self.__name__, made)
        raise failed

    def _kept(self, args: Sequence[Any], given: Mapping[str, Any], made: Any) -> Any:
        import torch

        tensor = made if isinstance(made, torch.Tensor) else _tensor(made)
        if self.library != "torch" and tensor.dtype in (torch.float32, torch.float16, torch.bfloat16):
            self.single = self.single or any(
                isinstance(t, torch.Tensor) and t.dtype == torch.float64 for t in (*args, *given.values())
            )
            tensor = tensor.double()
        self._once = self._once or (args, given, tensor)
        return tensor

    def _arranged(self, given: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What is given by keyword as the function takes it: by place where it cannot be named.

        ``jax.grad`` and ``torch.func.jacrev`` differentiate by what stands in a place, and NumPy's own functions name
        nothing.
        """
        parameters = _parameters(self.function)
        nameless = parameters is None or any(p.kind is p.POSITIONAL_ONLY for p in parameters)
        if nameless and len(given) == 1:
            return tuple(given.values()), {}
        leading: list[str] = []
        for p in parameters or ():
            by_place = p.kind is p.POSITIONAL_ONLY or (p.kind is p.POSITIONAL_OR_KEYWORD and self._takes_places)
            if not by_place or p.name not in given:
                break
            leading.append(p.name)
        rest = {name: value for name, value in given.items() if name not in leading}
        return tuple(given[name] for name in leading), dict(self._taken(rest, given))

    @cached_property
    def _is_jax(self) -> bool:
        return _mentions_jax(self.function)

    @cached_property
    def _takes_places(self) -> bool:
        return self._is_jax or _module_of(self.function).startswith("torch._functorch.")

    def _taken(self, rest: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of what is left of what is given by keyword, what the function takes.

        Raises:
            CheckError: where it needs another name.
        """
        parameters = _parameters(self.function)
        if parameters is None or any(p.kind is p.VAR_KEYWORD for p in parameters):
            return rest
        named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        missing = [name for name, p in named.items() if p.default is p.empty and name not in given]
        if missing:
            raise CheckError(
                f"{self.__name__} takes {', '.join(missing)}, which the expression does not have",
                why=f"it is called by keyword, with the names {', '.join(given)}",
            )
        return {name: value for name, value in rest.items() if name in named}

    def settled(self, report: Report) -> Report:
        """The report, inconclusive where a claim that came out as wrong may be right for all that."""
        said = (*report.witnesses, self.says) if self.says else report.witnesses
        reason = self.doubt(report.max_error) if report.verdict == "refuted" else ""
        if reason:
            return replace(report, verdict="inconclusive", reason=reason, witnesses=said, diagnosis=None)
        return replace(report, witnesses=said)

    def doubt(self, error: float | None) -> str:
        """Why a claim that comes out as wrong by ``error`` relative may be right for all that, or ""."""
        if self.single and error is not None and error <= _SINGLE:
            return f"the claim gives float32, and agrees as far as float32 goes (to {error:.1e}); return float64"
        if self.library == "jax" and error is not None and error <= _SINGLE:
            return f"the claim is off by {error:.1e}: is a part of it float32, which is JAX's default?"
        if self.library == "torch" and not self.told and self._speaks_two_languages():
            return (
                f"{self.__name__} gives other values with NumPy arrays than with torch tensors; say which are meant: "
                "claim=matcalc.testing.numpy(...) or matcalc.testing.torch(...)"
            )
        return ""

    def _speaks_two_languages(self) -> bool:
        import torch

        if self._once is None:
            return False
        args, given, said = self._once
        try:
            made = _called(self.function, "numpy", args, given)
            other = _tensor(made).double()
        except Exception:
            return False
        if _library_of(made) == "torch":
            return False  # it makes tensors of what it is given, be they of another precision
        if other.shape != said.shape or not bool(torch.isfinite(other).all()):
            return False
        size = float(said.double().abs().max()) if said.numel() else 0.0
        return bool(size) and float((other - said.double()).abs().max()) > _APART * size

    @property
    def says(self) -> str:
        """How it is called, where that is not by torch tensors."""
        return "" if self.library in ("", "torch") else f"the claim is called with {_SHOWN[self.library]}"


def foreign(function: Callable[..., Any]) -> Foreign:
    """The function as a function of tensors; itself where it is one already."""
    return function if isinstance(function, Foreign) else Foreign(function)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def _mentions_jax(function: Any) -> bool:
    """Whether a function is JAX's own, or uses a module of it: JAX arrays forgive what others raise for."""
    inner = inspect.unwrap(function) if callable(function) else function
    code = getattr(inner, "__code__", None)
    used = [function, inner]
    if _module_of(function).startswith("jax."):  # of jax.grad(f), say
        return True
    if code is not None:
        used += [inner.__globals__.get(name) for name in code.co_names]
        used += [cell.cell_contents for cell in inner.__closure__ or () if _is_filled(cell)]
    return any(_home(value).split(".")[0] in ("jax", "jaxlib") for value in used if value is not None)


def _module_of(function: Any) -> str:
    """The module whose code a function runs, be it wrapped around another one."""
    return str(getattr(function, "__globals__", {}).get("__name__", ""))


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _home(value: Any) -> str:
    named = value.__name__ if inspect.ismodule(value) else getattr(type(value), "__module__", "")
    return str(named)


def _called(
    function: Callable[..., Any], library: str, args: Sequence[Any], given: Mapping[str, Any], *, watch: bool = False
) -> Any:
    """The function's own answer to the arrays of a library.

    Raises:
        CheckError: where it changes what it is given, if that is watched.
        DeviceError: where JAX is asked for and is not there.
    """
    if library == "torch":
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "__array_wrap__")  # NumPy's, of a function that is written for it
            kept = [_array(a) for a in (*args, *given.values())] if watch else []
            made = back(function(*map(there, args), **{name: there(value) for name, value in given.items()}))
            _left_alone(kept, [_array(a) for a in (*args, *given.values())] if watch else [], [*args, *given], "clone")
            return made
    if library == "numpy":
        import numpy as np

        arrays, named = [_array(a) for a in args], {name: _array(a) for name, a in given.items()}
        with np.errstate(all="ignore"):  # at other scales exp overflows, which is looked at and need not be told
            made = function(*arrays, **named)
        if watch:
            kept = [_array(a) for a in (*args, *given.values())]
            _left_alone(kept, [*arrays, *named.values()], [*args, *given], "copy")
        return made
    with _in_64_bits() as to_jax:
        return function(*(to_jax(_array(a)) for a in args), **{name: to_jax(_array(a)) for name, a in given.items()})


def _left_alone(before: Sequence[Any], after: Sequence[Any], names: Sequence[Any], copy: str) -> None:
    """That arrays are what they were; ``copy`` is what makes another one.

    Raises:
        CheckError: where one is not.
    """
    import numpy as np

    for k, (one, other, name) in enumerate(zip(before, after, names, strict=False)):
        if isinstance(one, np.ndarray) and not np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"):
            which = f"argument {name}" if isinstance(name, str) else f"input {k}"
            raise CheckError(
                f"the claimed function changes its {which}",
                why="what it is given is used again",
                suggestion=f"x = x.{copy}()",
            )


@contextlib.contextmanager
def _in_64_bits() -> Iterator[Callable[[Any], Any]]:
    try:
        import jax
        import jax.numpy as jnp
    except ImportError as error:
        raise DeviceError("JAX is not installed", suggestion="pip install 'matcalc-checker[jax]'") from error
    import numpy as np

    home: Any = jax if hasattr(jax, "enable_x64") else jax.experimental
    with home.enable_x64(True):
        yield lambda value: jnp.asarray(value) if isinstance(value, np.ndarray) else value


def _array(value: Any) -> Any:
    import torch

    return value.detach().cpu().numpy().copy() if isinstance(value, torch.Tensor) else value


def _library_of(value: Any) -> str:
    """Whose array it is; "" of a number."""
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor):
        return "torch"
    if isinstance(value, np.ndarray | np.generic):
        return "numpy"
    if isinstance(value, bool | int | float):
        return ""
    jax = sys.modules.get("jax")
    return "jax" if jax is not None and isinstance(value, jax.Array) else "neither"


def _tensor(value: Any) -> Any:
    """An array or a number as a tensor of its own."""
    import numpy as np
    import torch

    array = np.array(value)
    return torch.from_numpy(array if array.dtype.kind in "biufc" else array.astype(np.float32))  # bfloat16 is neither
