"""A value that is a constant to the derivative."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.bounds import hull
from matcalc.expression.operator import Lowering, Operator, Sample, define

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def _simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if not arg.free or arg.op == "stopgrad":
        return arg
    return build.apply("stopgrad", arg.args[0]).T if arg.op == "transpose" else None


@cache
def _opaque() -> Any:
    """A SymPy function with the value of its argument and the derivative 0: SymPy must not differentiate through."""
    import sympy

    class stopgrad(sympy.Function):  # type: ignore[misc]  # noqa: N801  SymPy has no types; it prints under this name
        nargs = 1

        def fdiff(self, argindex: int = 1) -> Any:
            return sympy.Integer(0)

        def doit(self, **hints: Any) -> Any:
            return self.args[0].doit(**hints)

        def _eval_evalf(self, prec: int) -> Any:
            return self.args[0]._eval_evalf(prec)

    return stopgrad


def _image(node: Node, args: Any, size: Any) -> Any:
    import sympy

    if node.is_scalar:
        return _opaque()(args[0])
    t = sympy.Dummy("t", real=True)
    return args[0].applyfunc(sympy.Lambda(t, _opaque()(t)))


define(
    Operator(
        "stopgrad",
        says="x itself, and a constant to the derivative",
        source="van den Oord et al. 2017, eq. (3)",
        signatures=("(m,n) -> (m,n)",),
        differential=lambda node, i, d: build.zeros(*node.shape),
        frozen=True,
        simplify=_simplify,
        facts=lambda node: node.args[0].facts,
        bounds=hull,
        exact=True,
        reference=lambda node, args, size: args[0],
        sympy=_image,
        lowers=Lowering(torch="{0:a}.detach()", numpy="{0:a}", jax="jax.lax.stop_gradient({0})"),
        samples=(
            Sample("sum(x.*stopgrad(exp(x)))"),
            Sample("norm2(x - stopgrad(A*x))^2"),
            Sample("a*stopgrad(a)^2"),
            Sample("inner(X, stopgrad(X'*X))", {"X": "matrix(n, n)"}),
        ),
    )
)
