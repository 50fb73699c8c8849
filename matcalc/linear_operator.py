"""A Jacobian or a Hessian at given inputs as a linear operator, of which no matrix is ever built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from matcalc.calculus.simplify import textbook
from matcalc.calculus.transpose import transposed_map
from matcalc.errors import DeviceError
from matcalc.expression import build

if TYPE_CHECKING:
    from matcalc.jacobians import Jacobian


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
        UnsupportedError: for a target that is not there.
        DeviceError: for NumPy without SciPy.
    """
    nodes = tuple(v.node for v in derived.typed.variables)
    cotangent = _cotangent(derived)
    forward = derived.lowered_with(derived.linear, derived.direction, derived.rows, target)
    back = textbook(transposed_map(derived.linear, derived.direction, cotangent))
    backward = derived.lowered_with(back, cotangent, derived.cols, target)
    names = [node.params[0] for node in nodes]
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


def _cotangent(derived: Jacobian) -> Any:
    name = "u"
    while name in derived.variables or name == derived.direction.params[0]:
        name += "_"
    storage = ("scalar", "vector", "matrix")[min(len(derived.rows), 2)]
    return build.variable(name, derived.seen.shape, storage)


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
