"""What torch says: autograd on the literal lowering, and the claim as lowered or as called."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matcalc.checking.points import Point
from matcalc.checking.question import Question
from matcalc.errors import CheckError, DeviceError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.walk import fold

if TYPE_CHECKING:
    from matcalc.checking.tensors import Linearised
    from matcalc.lowering.program import Tensor

_PLAIN = {"scalar": lambda v: v.reshape(()), "vector": lambda v: v[:, 0]}


def devices_for(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The devices asked for; ``auto`` is the CPU and, where there is one, CUDA.

    Raises:
        DeviceError: for one that is not there.
    """
    import torch

    found: dict[str, None] = {}
    for name in wanted:
        if name == "auto":
            found.update(dict.fromkeys(("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)))
        elif name == "cuda" and not torch.cuda.is_available():
            raise DeviceError("there is no CUDA device here", suggestion="--device cpu")
        elif name not in ("cpu", "cuda"):
            raise DeviceError(f"no device {name!r}", why="the devices are cpu, cuda and auto")
        else:
            found[name] = None
    return tuple(found)


def versions() -> dict[str, str]:
    """What was used."""
    import torch

    from matcalc.version import __version__

    return {"matcalc": __version__, "torch": torch.__version__}


@contextlib.contextmanager
def _without_tf32() -> Iterator[None]:
    import torch

    before = (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def tensors_at(question: Question, at: Point, dtype: str = "float64", device: str = "cpu") -> dict[str, Any]:
    """The inputs of a question's functions."""
    return inputs_at(question.variables, at, dtype, device)


def inputs_at(variables: Sequence[Node], at: Point, dtype: str, device: str) -> dict[str, Any]:
    """The values at a point as tensors with the axes that the names have outside, by name."""
    import torch

    kind = getattr(torch, dtype)
    made = {}
    for v in variables:
        name, storage, _ = v.params
        plain = _PLAIN.get(storage, lambda value: value)(at.values[name])
        made[name] = torch.tensor(plain, dtype=kind, device=device)
    return made


def _matrix(tensor: Any, shape: tuple[int, ...]) -> Any:
    import numpy as np

    array = tensor.detach().cpu().double().numpy()
    return np.array(array).reshape(shape) if array.size == shape[0] * shape[1] else np.atleast_2d(array)


@lru_cache(maxsize=64)
def function_of(node: Node, variables: tuple[Node, ...], storage: str | Tensor, optimise: bool) -> Callable[..., Any]:
    """The torch function of ``variables`` that computes a node, which looks outside as ``storage`` says."""
    from matcalc.lowering.compile import compiled
    from matcalc.lowering.emit import source
    from matcalc.lowering.schedule import lower

    program = lower([(node, storage)], variables, optimise=optimise)
    return compiled(program, source(program, "torch", "value", ""), "value")


def autograd(question: Question, at: Point, dtype: str, device: str) -> tuple[Any, float]:
    """The gradient by torch autograd of the literal lowering, projected, as a float64 matrix; and the value."""
    return autograd_of(question, tensors_at(question, at, dtype, device), at.values[question.name].shape)


def autograd_of(question: Question, tensors: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[Any, float]:
    """The same at any tensors."""
    import torch

    from matcalc.checking.subspace import projected

    f = function_of(question.expression, question.variables, "scalar", False)
    given = dict(tensors)
    x = given.pop(question.name).detach()
    with _without_tf32():
        x.requires_grad_(True)
        value = f(**{question.name: x}, **given)
        (gradient,) = torch.autograd.grad(value, x, allow_unused=True) if value.requires_grad else (None,)
        gradient = torch.zeros_like(x) if gradient is None else gradient
    return projected(question.projected, _matrix(gradient, shape)), float(value.detach())


def value_along(question: Question, at: Point, direction: Any) -> Callable[[float], float]:
    """The value of the literal lowering in float64 as a function of how far the name moves along ``direction``.

    What is frozen keeps the value that it has at the point.
    """
    import torch

    given = tensors_at(question, at, "float64", "cpu")
    expression, still = _without_frozen(question)
    held = {v.params[0]: function_of(node, question.variables, "matrix", False)(**given) for v, node in still.items()}
    f = function_of(expression, (*question.variables, *still), "scalar", False)
    x = given.pop(question.name)
    given |= held
    d = torch.tensor(direction).reshape(x.shape)

    def along(t: float) -> float:
        with torch.no_grad():
            return float(f(**{question.name: x + t * d}, **given))

    return along


def _without_frozen(question: Question) -> tuple[Node, dict[Node, Node]]:
    """The expression with a new name for every frozen value, and what the names stand for."""
    names: dict[Node, Node] = {}
    taken = {v.params[0] for v in question.variables}

    def visit(node: Node, args: Sequence[Node]) -> Node:
        made = build.with_args(node, tuple(args))
        if not node.operator.frozen:
            return made
        name = next(f"still_{k}" for k in range(len(names), 10**9) if f"still_{k}" not in taken)
        taken.add(name)
        names[build.variable(name, node.shape, "matrix")] = node
        return next(reversed(names))

    return fold(question.expression, visit), names


def tensors_by_torch(asked: Linearised, at: Point, scalar: Node | None) -> tuple[dict[str, Any], list[str]]:
    """The Jacobian by torch, by each of its ways that answers, projected; and what is said of the others."""
    import torch

    storage = asked.looks or ("scalar", "vector", "matrix")[len(asked.rows)]
    ways: dict[str, tuple[Any, Node, str | Tensor]] = {
        "jacrev": (torch.func.jacrev, asked.expression, storage),
        "jacfwd": (torch.func.jacfwd, asked.expression, storage),
    }
    if scalar is not None:
        ways["hessian"] = (torch.func.hessian, scalar, "scalar")
    found, silent = {}, []
    given = inputs_at(asked.variables, at, "float64", "cpu")
    x = given.pop(asked.name)
    for name, (way, node, looks) in ways.items():
        f = function_of(node, asked.variables, looks, False)
        try:
            with _without_tf32(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of torch's own parts, which forward mode loads
                tensor = way(lambda moving, f=f: f(**{asked.name: moving}, **given))(x)
        except (RuntimeError, NotImplementedError, TypeError, ValueError) as error:
            silent.append(f"torch.func.{name} does not answer here: {str(error).splitlines()[0][:80]}")
            continue
        found[name] = _projected_slices(asked, tensor.detach().double().numpy(force=True))
    return found, silent


def _projected_slices(asked: Linearised, tensor: Any) -> Any:
    import numpy as np

    from matcalc.checking.subspace import projected

    if not asked.projected:
        return tensor
    slices = [projected(asked.projected, one) for one in tensor.reshape(-1, *tensor.shape[-2:])]
    return np.array(slices).reshape(tensor.shape)


def tensor_lowered(function: Callable[..., Any], asked: Linearised, at: Point, dtype: str, device: str) -> Any:
    """What a function of the expression's names returns, as a float64 array."""
    import torch

    with _without_tf32():
        made = torch.as_tensor(function(**inputs_at(asked.variables, at, dtype, device)))
    return made.detach().cpu().double().numpy()


def lowered(question: Question, at: Point, dtype: str, device: str) -> Any:
    """The claimed formula through the optimised lowering, as a float64 matrix."""
    return lowered_of(question, tensors_at(question, at, dtype, device))


def lowered_of(question: Question, tensors: Mapping[str, Any]) -> Any:
    """The same at any tensors."""
    claimed = question.claimed
    assert isinstance(claimed, Node)
    f = function_of(claimed, question.variables, "matrix", True)
    with _without_tf32():
        made = f(**tensors)
    return made.detach().cpu().double().numpy()


def called(question: Question, at: Point, tensors: Mapping[str, Any] | None = None) -> Any:
    """A claim that is a function of tensors, called at a point, or at tensors like those there.

    Raises:
        CheckError: when it fails or returns no tensor.
    """
    import torch

    claimed = question.claimed
    assert callable(claimed)
    try:
        made = torch.as_tensor(claimed(**(tensors or tensors_at(question, at))))
    except Exception as error:
        raise CheckError(
            f"the claimed function failed: {type(error).__name__}: {error}", why="it is called with float64 tensors"
        ) from error
    if made.dtype in (torch.float32, torch.float16, torch.bfloat16):
        raise CheckError(
            f"the claimed function returns {str(made.dtype).removeprefix('torch.')} where its inputs are float64",
            why="its rounding could not be told from an error; return the type of the inputs",
        )
    array = made.detach().cpu().double().numpy()
    rows, cols = at.values[question.name].shape
    axes = {"scalar": (), "vector": (rows,)}.get(question.variable.params[1], (rows, cols))
    if array.shape == axes:
        return array.reshape(rows, cols)
    return array.squeeze() if array.shape == (rows, cols) else array
