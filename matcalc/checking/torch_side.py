"""What torch says: autograd on the literal lowering, and the claim as lowered or as called."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matcalc.checking.devices import SHAPES_ONLY, repeatable
from matcalc.checking.placement import CPU, functions_on, home
from matcalc.checking.points import Point
from matcalc.checking.question import Question
from matcalc.errors import CheckError, MatcalcError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import Size
from matcalc.expression.walk import fold

if TYPE_CHECKING:
    from matcalc.checking.tensors import Linearised
    from matcalc.lowering.program import Tensor

_PLAIN = {"scalar": lambda v: v.reshape(()), "vector": lambda v: v[:, 0]}


def versions() -> dict[str, str]:
    """What was used."""
    import torch

    from matcalc.version import __version__

    return {"matcalc": __version__, "torch": torch.__version__}


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
        made[name] = torch.tensor(plain, dtype=kind).to(device)
    return made


def _matrix(tensor: Any, shape: tuple[int, ...]) -> Any:
    import numpy as np

    array = tensor.detach().cpu().double().numpy()
    return np.array(array).reshape(shape) if array.size == shape[0] * shape[1] else np.atleast_2d(array)


def untold(variables: Sequence[Node], at: Point) -> tuple[tuple[str, int], ...]:
    """The sizes at a point that no variable's shape tells."""
    told = {name for v in variables for size in v.shape if isinstance(size, Size) for name in size.names}
    return tuple((name, value) for name, value in at.sizes.items() if name not in told)


@lru_cache(maxsize=64)
def function_of(
    node: Node,
    variables: tuple[Node, ...],
    storage: str | Tensor,
    optimise: bool,
    sizes: tuple[tuple[str, int], ...] = (),
) -> Callable[..., Any]:
    """The torch function of ``variables`` that computes a node, which looks outside as ``storage`` says.

    ``sizes`` are the values of size names that the shape of no variable has.
    """
    from matcalc.lowering.compile import compiled
    from matcalc.lowering.emit import source
    from matcalc.lowering.schedule import lower

    program = lower([(node, storage)], variables, dict(sizes), optimise=optimise)
    return compiled(program, source(program, "torch", "value", ""), "value")


@lru_cache(maxsize=64)
def positional_function_of(
    node: Node, variables: tuple[Node, ...], sizes: tuple[tuple[str, int], ...] = ()
) -> Callable[..., Any]:
    """The literal lowering of a scalar as its text defines it: inputs in order, of whatever type they are."""
    from matcalc.lowering.compile import defined
    from matcalc.lowering.emit import source
    from matcalc.lowering.schedule import lower

    program = lower([(node, "scalar")], variables, dict(sizes), optimise=False)
    return defined(source(program, "torch", "value", ""), "value")


def autograd(question: Question, at: Point, dtype: str, device: str) -> tuple[Any, float]:
    """The gradient by torch autograd of the literal lowering, projected, as a float64 matrix; and the value."""
    return autograd_of(question, at, tensors_at(question, at, dtype, device))


def autograd_of(question: Question, at: Point, tensors: Mapping[str, Any]) -> tuple[Any, float]:
    """The same at tensors like those at the point; NaN where torch gives up, as it does on singular matrices."""
    import numpy as np
    import torch

    from matcalc.checking.subspace import projected

    f = function_of(question.expression, question.variables, "scalar", False, untold(question.variables, at))
    given = dict(tensors)
    x = given.pop(question.name).detach()
    shape = at.values[question.name].shape
    try:
        with repeatable():
            x.requires_grad_(True)
            value = f(**{question.name: x}, **given)
            (gradient,) = torch.autograd.grad(value, x, allow_unused=True) if value.requires_grad else (None,)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # torch exports it untyped
        return np.full(shape, np.nan), np.nan
    gradient = torch.zeros_like(x) if gradient is None else gradient
    return projected(question.projected, _matrix(gradient, shape)), float(value.detach())


def along_by_duals(question: Question, at: Point, direction: Any) -> float:
    """The derivative of the literal lowering along ``direction`` by torch's dual numbers, in float64.

    Raises:
        RuntimeError, NotImplementedError: where torch has no forward mode for what the code calls.
    """
    import torch
    from torch.autograd import forward_ad

    f = function_of(question.expression, question.variables, "scalar", False, untold(question.variables, at))
    given = tensors_at(question, at, "float64", "cpu")
    x = given[question.name]
    with repeatable(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own parts, which forward mode loads
        with forward_ad.dual_level():
            d = torch.tensor(direction, dtype=x.dtype).reshape(x.shape)
            given[question.name] = forward_ad.make_dual(x, d)  # type: ignore[no-untyped-call]
            tangent = forward_ad.unpack_dual(f(**given)).tangent  # type: ignore[no-untyped-call]
    return 0.0 if tangent is None else float(tangent)


def value_along(question: Question, at: Point, direction: Any) -> Callable[[float], float]:
    """The value of the literal lowering in float64 as a function of how far the name moves along ``direction``.

    What is frozen keeps the value that it has at the point.
    """
    import torch

    expression, variables, given = _held(question, at)
    f = function_of(expression, variables, "scalar", False, untold(question.variables, at))
    x = given.pop(question.name)
    d = torch.tensor(direction).reshape(x.shape)

    def along(t: float) -> float:
        with torch.no_grad():
            return float(f(**{question.name: x + t * d}, **given))

    return along


def complex_value_along(question: Question, at: Point, direction: Any) -> Callable[[complex], complex]:
    """The same at complex distances, all inputs being complex128; nobody says that the code is analytic.

    The function raises whatever torch does about code that has no meaning there.
    """
    import torch

    expression, variables, given = _held(question, at)
    f = positional_function_of(expression, variables, untold(question.variables, at))
    inputs = {v.params[0]: given[v.params[0]].to(torch.complex128) for v in variables}
    d = torch.tensor(direction, dtype=torch.complex128).reshape(inputs[question.name].shape)

    def along(z: complex) -> complex:
        moved = {**inputs, question.name: inputs[question.name] + z * d}
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            return complex(f(*(moved[v.params[0]] for v in variables)))

    return along


def _held(question: Question, at: Point) -> tuple[Node, tuple[Node, ...], dict[str, Any]]:
    """The expression with a name for every frozen value, its names, and their values at the point."""
    given = tensors_at(question, at, "float64", "cpu")
    expression, still = without_frozen(question)
    told = untold(question.variables, at)
    held = {
        v.params[0]: function_of(node, question.variables, "matrix", False, told)(**given) for v, node in still.items()
    }
    return expression, (*question.variables, *still), {**given, **held}


def without_frozen(question: Question) -> tuple[Node, dict[Node, Node]]:
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
        f = function_of(node, asked.variables, looks, False, untold(asked.variables, at))
        try:
            with repeatable(), warnings.catch_warnings():
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

    with repeatable(), functions_on(device):
        return _array(torch.as_tensor(function(**inputs_at(asked.variables, at, dtype, device))))


def _array(tensor: Any) -> Any:
    """A tensor as a float64 array; one that has a shape alone stays what it is."""
    return tensor if tensor.is_meta else tensor.detach().cpu().double().numpy()


def lowered(question: Question, at: Point, dtype: str, device: str) -> Any:
    """The claimed formula through the optimised lowering, as a float64 matrix."""
    return lowered_of(question, at, tensors_at(question, at, dtype, device))


def lowered_of(question: Question, at: Point, tensors: Mapping[str, Any]) -> Any:
    """The same at tensors like those at the point; NaN where torch gives up, as it does on singular matrices."""
    import numpy as np
    import torch

    claimed = question.claimed
    assert isinstance(claimed, Node)
    f = function_of(claimed, question.variables, "matrix", True, untold(question.variables, at))
    try:
        with repeatable():
            return _array(f(**tensors))
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # torch exports it untyped
        return np.full(at.values[question.name].shape, np.nan)


def as_returned(value: Any) -> Any:
    """What a claimed function returned, as a dense tensor of real numbers.

    Raises:
        CheckError: for what is none, as a tuple of tensors, and for complex numbers, of which a part would be dropped.
    """
    import torch

    try:
        made = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise no_array("the claimed function", value) from error
    if made.is_complex():
        raise CheckError(
            "the claimed function returns complex numbers",
            why="the gradient is real: take the real part, or say what the imaginary one is for",
        )
    if (made.is_meta and home() != SHAPES_ONLY) or made.is_quantized or made.is_nested:
        kind = "meta" if made.is_meta else "quantized" if made.is_quantized else "nested"
        raise CheckError(f"the claimed function returns a {kind} tensor", why="a derivative is a tensor of numbers")
    made = made if made.layout == torch.strided else made.to_dense()
    return made.double() if made.dtype == torch.bool else made


def no_array(name: str, value: Any) -> CheckError:
    """What is raised for a function that returns no array."""
    kind = "nothing" if value is None else f"a {type(value).__name__}"
    message = f"{name} returns {kind} where an array is wanted"
    return CheckError(message, why="one array of numbers, with the axes that torch gives the derivative")


def called(question: Question, at: Point, tensors: Mapping[str, Any] | None = None) -> Any:
    """A claim that is a function of tensors, called at a point, or at tensors like those there.

    Raises:
        CheckError: when it fails or returns no tensor.
    """
    import torch

    made = _answer(question, tensors or tensors_at(question, at))
    if made.dtype in (torch.float32, torch.float16, torch.bfloat16):
        raise CheckError(
            f"the claimed function returns {str(made.dtype).removeprefix('torch.')} where its inputs are float64",
            why="its rounding could not be told from an error; return the type of the inputs",
        )
    return _as_matrix(question, at, made)


def in_floats(question: Question, at: Point, dtype: str, device: str) -> Any:
    """What the formula's code, or a claimed function, gives in a dtype on a device, as a float64 matrix.

    Raises:
        CheckError: when a function fails.
    """
    if isinstance(question.claimed, Node):
        return lowered(question, at, dtype, device)
    with functions_on(device):
        return _as_matrix(question, at, _answer(question, tensors_at(question, at, dtype)))


def _answer(question: Question, given: Mapping[str, Any]) -> Any:
    claimed = question.claimed
    assert callable(claimed)
    try:
        return as_returned(claimed(**given))
    except MatcalcError:
        raise
    except (Exception, SystemExit) as error:
        names = ", ".join(f"{name}=" for name in given)
        kind = next((str(t.dtype).removeprefix("torch.") for t in given.values() if hasattr(t, "dtype")), "float64")
        place = "" if home() == CPU else f" on {home()}"
        raise CheckError(
            f"the claimed function failed{place}: {type(error).__name__}: {error}",
            why=f"it is called with {kind} tensors by keyword, {names}",
        ) from error


def _as_matrix(question: Question, at: Point, made: Any) -> Any:
    """An answer as a matrix, where it has the shape that torch gives the gradient; else with the axes that it has."""
    array = _array(made)
    rows, cols = at.values[question.name].shape
    axes = {"scalar": (), "vector": (rows,)}.get(question.variable.params[1], (rows, cols))
    if array.shape == axes:
        return array.reshape(rows, cols)
    return array.squeeze() if array.shape == (rows, cols) else array
