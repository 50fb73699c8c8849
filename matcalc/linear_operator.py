"""A Jacobian or a Hessian at given inputs as a linear operator, of which no matrix is ever built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.errors import DeviceError, UnsupportedError
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize
from matcalc.lowering.compile import compiled
from matcalc.lowering.emit import source
from matcalc.lowering.schedule import lower

if TYPE_CHECKING:
    from matcalc.jacobian_record import Jacobian

_STORAGE = ("scalar", "vector", "matrix")


@dataclass(frozen=True)
class LinearOperator:
    """J at a point: ``matvec(v)`` is J·v, ``rmatvec(u)`` is J'·u.

    Vectors have the shapes of torch: v that of the name, u that of the output.

    Attributes:
        shape: how many entries the output has, and the name.
        output_shape, input_shape: their axes.
        matvec, rmatvec: the products.
    """

    output_shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    matvec: Callable[[Any], Any]
    rmatvec: Callable[[Any], Any]

    @property
    def shape(self) -> tuple[int, int]:
        """How many entries the output has, and the name."""
        return prod(self.output_shape), prod(self.input_shape)

    def __matmul__(self, v: Any) -> Any:
        """J·v."""
        return self.matvec(v)


def operator_of(derived: Jacobian, target: str, given: dict[str, Any]) -> Any:
    """The operator at the inputs ``given``, by the differential and its transpose as lowered for ``target``.

    Raises:
        UnsupportedError: for a target that is not there, and for an output of more than two axes.
        DeviceError: for NumPy without SciPy.
    """
    if len(derived.rows) >= len(_STORAGE):
        raise UnsupportedError("products with the Jacobian of a tensor are not there", suggestion="compile()")
    cotangent = _cotangent(derived)
    forward = _product(derived, derived.linear, derived.direction, derived.rows, target)
    back = textbook(transposed_map(derived.linear, derived.direction, cotangent))
    backward = _product(derived, back, cotangent, derived.cols, target)
    names = [node.params[0] for node in _inputs(derived)]
    x = given[derived.wrt]
    input_shape = tuple(x.shape)
    probe = forward(**given, **{derived.direction.params[0]: x})
    found = LinearOperator(
        tuple(probe.shape),
        input_shape,
        lambda v: forward(**{n: given[n] for n in names}, **{derived.direction.params[0]: v}),
        lambda u: backward(**{n: given[n] for n in names}, **{cotangent.params[0]: u}),
    )
    return _for_scipy(found, x) if target == "numpy" else found


def _cotangent(derived: Jacobian) -> Node:
    """A name with the shape of the output."""
    name = build.new_name("u", {*derived.variables, derived.direction.params[0]})
    return build.variable(name, derived.seen.shape, _STORAGE[len(derived.rows)])


def _product(derived: Jacobian, node: Node, vector: Node, axes: Sequence[AnySize], target: str) -> Callable[..., Any]:
    """The compiled ``node``, which has these ``axes``: a function of the names of the expression and of ``vector``."""
    program = lower([(node, _STORAGE[len(axes)])], (*_inputs(derived), vector), target=target)
    text = source(program, target, "product", "A product with the Jacobian.")
    return compiled(program, text, "product", (), target)


def _inputs(derived: Jacobian) -> tuple[Node, ...]:
    return tuple(v.node for v in derived.typed.variables)


def _for_scipy(found: LinearOperator, x: Any) -> Any:
    """SciPy's LinearOperator on flat vectors, each axis' last the fastest, as NumPy ravels."""
    try:
        from scipy.sparse import linalg
    except ModuleNotFoundError as error:
        raise DeviceError(
            "scipy is not installed", why="a NumPy operator is SciPy's LinearOperator", suggestion="pip install scipy"
        ) from error
    return linalg.LinearOperator(
        found.shape,
        matvec=lambda v: found.matvec(v.reshape(found.input_shape)).ravel(),
        rmatvec=lambda u: found.rmatvec(u.reshape(found.output_shape)).ravel(),
        dtype=x.dtype,
    )
