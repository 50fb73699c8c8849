"""Convolutions as neural networks have them: valid cross-correlations, and the full convolutions that are their
transposes.

conv is linear in the input X and in the kernel K; of a cotangent U it sends conv_full(U, K) to X and conv(X, U) to K
(Goodfellow et al. 2016, sec. 9.5). conv_full is linear in both as well and sends conv(V, K) and conv(V, U), so the four
records are closed under derivatives of any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.errors import ShapeError
from matcalc.expression import build
from matcalc.expression.bounds import Interval
from matcalc.expression.formula import infix
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.sizes import AnySize, Shape, written_shape

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SOURCE = "Goodfellow et al. 2016, eq. (9.6) and sec. 9.5"


def _misfit(name: str) -> Any:
    def sentence(shapes: Sequence[Shape], sizes: Sequence[AnySize]) -> str:
        (rows, cols), (high, wide) = shapes
        if name == "conv1d" and (cols != 1 or wide != 1):
            return (
                f"conv1d takes vectors, not {written_shape(shapes[0])} and {written_shape(shapes[1])}; "
                "a row is turned with r', a matrix is for conv2d"
            )
        if any(isinstance(left, int) and left < 1 for left in (rows - high + 1, cols - wide + 1)):
            have, kernel = written_shape(shapes[0]), written_shape(shapes[1])
            return f"the kernel of {name} is larger than its input: {kernel} over {have}"
        return ""

    return sentence


def _valid_shape(name: str) -> Any:
    def shape(args: tuple[Node, ...], params: tuple[Any, ...]) -> Shape:
        x, k = args
        trouble = _misfit(name)((x.shape, k.shape), ())
        if trouble:
            raise ShapeError(trouble)
        return x.rows - k.rows + 1, x.cols - k.cols + 1

    return shape


def _full_shape(args: tuple[Node, ...], params: tuple[Any, ...]) -> Shape:
    u, k = args
    return u.rows + k.rows - 1, u.cols + k.cols - 1


def _replaced(node: Node, i: int, d: Node) -> tuple[Node, ...]:
    return (*node.args[:i], d, *node.args[i + 1 :])


def _bilinear(name: str, args: tuple[Node, ...], shape: Any) -> Node | None:
    """Multiples come out, of matrices a common transpose too; zero stays zero, a single entry scales."""
    if any(build.is_zero(arg) for arg in args):
        return build.zeros(*shape(args, ()))
    if args[1].is_scalar:
        return build.multiply(args[1], args[0])
    if all(arg.op == "transpose" for arg in args):
        return build.apply(name, *(arg.args[0] for arg in args)).T if name.startswith("conv2d") else None
    for k, arg in enumerate(args):
        if arg.op == "scale":
            rest = (*args[:k], arg.args[1], *args[k + 1 :])
            return build.multiply(arg.args[0], build.apply(name, *rest))
    return None


def _valid_simplify(name: str) -> Any:
    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        if args[0].shape == args[1].shape:
            return build.apply("inner", *args)
        return _bilinear(name, args, _valid_shape(name))

    return simplify


def _full_simplify(name: str) -> Any:
    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        if args[0].is_scalar:
            return build.multiply(*args)
        return _bilinear(name, args, _full_shape)

    return simplify


def _valid_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """Every entry adds up as many products as the kernel has entries."""
    return (args[0] * args[1]).summed(node.args[1].rows * node.args[1].cols)


def _full_bounds(node: Node, args: Sequence[Interval]) -> Interval:
    """The corners are single products, and no entry adds up more of them than either has entries."""
    product, counts = args[0] * args[1], [arg.rows * arg.cols for arg in node.args]
    return product | product.summed(min((count for count in counts if isinstance(count, int)), default=counts[0]))


def _signs(node: Node) -> frozenset[str]:
    return frozenset.intersection(*(arg.facts for arg in node.args)) & {"positive", "nonnegative"}


# ------------------------------------------------------------------------------------------------------ values


def _valid_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    x, k = args
    made = np.empty((size(node.rows), size(node.cols)), dtype=object)
    for i, j in np.ndindex(made.shape):
        made[i, j] = (x[i : i + k.shape[0], j : j + k.shape[1]] * k).sum()
    return made


def _full_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    u, k = args
    made = np.full((size(node.rows), size(node.cols)), 0 * u[0, 0], dtype=object)
    for i, j in np.ndindex(k.shape):
        made[i : i + u.shape[0], j : j + u.shape[1]] += k[i, j] * u
    return made


def _valid_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    a, b = sympy.Dummy("a", integer=True), sympy.Dummy("b", integer=True)
    x, k = args
    high, wide = (size(s) for s in node.args[1].shape)
    entry = sympy.Sum(x[i + a, j + b] * k[a, b], (a, 0, high - 1), (b, 0, wide - 1))
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))


def _full_image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    a, b = sympy.Dummy("a", integer=True), sympy.Dummy("b", integer=True)
    u, k = args
    rows, cols, high, wide = (size(s) for arg in node.args for s in arg.shape)
    down = (a, sympy.Max(0, i - rows + 1), sympy.Min(i, high - 1))
    across = (b, sympy.Max(0, j - cols + 1), sympy.Min(j, wide - 1))
    entry = sympy.Sum(u[i - a, j - b] * k[a, b], down, across)
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))


# ----------------------------------------------------------------------------------------------------- targets
# All windows at once, then a product with the kernel: leading axes of input and kernel broadcast by themselves.


def _windows(target: str, x: str, node: Node, kernel: Node, size: Any) -> str:
    """The windows of ``x``: of a vector (..., rows, high), of a matrix (..., rows, cols, high, wide)."""
    high, wide = (size(s) for s in kernel.shape)
    if node.cols == 1 and kernel.cols == 1:
        return {
            "torch": f"{x}[..., 0].unfold(-1, {high}, 1)",
            "np": f"np.lib.stride_tricks.sliding_window_view({x}[..., 0], {high}, axis=-1)",
            "jnp": f"{x}[..., jnp.arange({size(node.rows)})[:, None] + jnp.arange({high}), 0]",
        }[target]
    down = f"jnp.arange({size(node.rows)})[:, None] + jnp.arange({high})"
    across = f"jnp.arange({size(node.cols)})[:, None] + jnp.arange({wide})"
    return {
        "torch": f"{x}.unfold(-2, {high}, 1).unfold(-2, {wide}, 1)",
        "np": f"np.lib.stride_tricks.sliding_window_view({x}, ({high}, {wide}), axis=(-2, -1))",
        "jnp": f"jnp.swapaxes({x}[..., {down}, :][..., {across}], -3, -2)",
    }[target]


def _summed(target: str, windows: str, k: str, node: Node, kernel: Node) -> str:
    if node.cols == 1 and kernel.cols == 1:
        return f"({windows} @ {k})"
    module = {"torch": "torch", "np": "np", "jnp": "jnp"}[target]
    return f'{module}.einsum("...ijab,...ab->...ij", {windows}, {k})'


def _valid_text(target: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        kernel = node.args[1]
        return _summed(target, _windows(target, args[0], node, kernel, size), args[1], node, kernel)

    return spell


def _full_text(target: str) -> Any:
    """The kernel, turned about, over the input with zeros around it."""

    def spell(node: Node, args: Any, size: Any) -> str:
        kernel = node.args[1]
        down, across = (size(s - 1) for s in kernel.shape)
        pads = f"[(0, 0)] * ({args[0]}.ndim - 2) + [({down}, {down}), ({across}, {across})]"
        padded = {
            "torch": f"torch.nn.functional.pad({args[0]}, ({across}, {across}, {down}, {down}))",
            "np": f"np.pad({args[0]}, {pads})",
            "jnp": f"jnp.pad({args[0]}, {pads})",
        }[target]
        turned = f"{args[1]}.flip((-2, -1))" if target == "torch" else f"{target}.flip({args[1]}, (-2, -1))"
        return _summed(target, _windows(target, padded, node, kernel, size), turned, node, kernel)

    return spell


def _spelled(text: Any) -> Lowering:
    return Lowering(torch=text("torch"), numpy=text("np"), jax=text("jnp"))


def _pair(
    dimension: str, valid: str, full: str, numeric: tuple[str, str], samples: tuple[Sample, ...], errors: Any
) -> None:
    """A cross-correlation and the full convolution that is its transpose."""
    name, other = f"conv{dimension}", f"conv{dimension}_full"

    define(
        Operator(
            name,
            says=f"the valid cross-correlation of {'a vector' if dimension == '1d' else 'a matrix'} with a kernel",
            source=_SOURCE,
            signatures=(valid,),
            differential=lambda node, i, d: build.apply(node.op, *_replaced(node, i, d)),
            transpose=lambda node, i, u: build.apply(other, u, node.args[1]) if i == 0 else build.apply(
                name, node.args[0], u),
            simplify=_valid_simplify(name),
            shape=_valid_shape(name),
            misfit=_misfit(name),
            facts=_signs,
            bounds=_valid_bounds,
            exact=True,
            reference=_valid_reference,
            sympy=_valid_image,
            lowers=_spelled(_valid_text),
            latex=lambda node, pieces, size: infix(r"\star", *pieces),
            samples=samples,
            errors=errors,
        )
    )  # fmt: skip
    define(
        Operator(
            other,
            says="the full convolution: all sums in which the two overlap at all",
            source=_SOURCE,
            signatures=(full,),
            differential=lambda node, i, d: build.apply(node.op, *_replaced(node, i, d)),
            transpose=lambda node, i, u: build.apply(name, u, node.args[1 - i]),
            simplify=_full_simplify(other),
            shape=_full_shape,
            bounds=_full_bounds,
            exact=True,
            reference=_full_reference,
            sympy=_full_image,
            lowers=_spelled(_full_text),
            latex=lambda node, pieces, size: infix("*", *pieces),
            samples=(
                Sample(samples[0].text.replace(name, other), samples[0].let),
                Sample(f"sum(tanh({other}(A, B)))", dict(zip("AB", numeric, strict=True))),
            ),
        )
    )


_pair(
    "1d",
    "(n,1), (k,1) -> (n-k+1,1)",
    "(n,1), (k,1) -> (n+k-1,1)",
    ("vector(4)", "vector(3)"),
    (
        Sample("sum(square(conv1d(x, k)))", {"k": "vector(m)"}),
        Sample("norm2(conv1d(x, k) - z)^2", {"x": "vector(7)", "k": "vector(3)", "z": "vector(5)"}),
        Sample("z'*tanh(conv1d(A*x, k))"),
    ),
    (
        ("let x: vector(3); let k: vector(5); sum(conv1d(x, k))", "larger than its input: 5×1 over 3×1"),
        ("let x: row(3); let k: vector(2); sum(conv1d(x, k))", "conv1d takes vectors"),
    ),
)
_pair(
    "2d",
    "(m,n), (p,q) -> (m-p+1,n-q+1)",
    "(m,n), (p,q) -> (m+p-1,n+q-1)",
    ("matrix(3, 2)", "matrix(2, 4)"),
    (
        Sample("sum(square(conv2d(X, K)))"),
        Sample("sum(A.*tanh(conv2d(X, K)))", {"X": "matrix(5, 4)", "K": "matrix(3, 2)", "A": "matrix(3, 3)"}),
    ),
    (("let x: matrix(3, 3); let K: matrix(2, 4); sum(conv2d(x, K))", "larger than its input: 2×4 over 3×3"),),
)
