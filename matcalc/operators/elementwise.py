"""Elementwise functions: a row each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING, Any

from matcalc.errors import DomainError, UnsupportedError
from matcalc.expression import build
from matcalc.expression.bounds import EVERYTHING, NOT_NEGATIVE, UP_TO_ONE, Interval
from matcalc.expression.formula import Formula
from matcalc.expression.operator import Kink, Lowering, Notation, Operator, Sample, define
from matcalc.expression.piece import ADD, ATOM, MUL
from matcalc.operators import stability
from matcalc.operators.elementwise_bounds import (
    CREST,
    MOST_ORDER,
    STEEP,
    even_through,
    falling,
    log_gamma_bounds,
    polygamma_bounds,
    ramp,
    through,
    within,
)
from matcalc.operators.exact_functions import Elementary

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

# Without SciPy, and without overflow: the exponent is never positive.
_NUMPY_SIGMOID = "(np.exp(np.minimum({0}, 0)) / (1 + np.exp(-np.abs({0}))))"
_DLMF = "NIST Digital Library of Mathematical Functions, "
_POSITIVE = frozenset({"positive", "nonnegative", "nonzero"})
_NONNEGATIVE = frozenset({"nonnegative"})


def _one(x: Node) -> Node:
    return build.ones(*x.shape)


def _number(value: int, below: int = 1) -> Node:
    return build.divide(build.number(value), build.number(below))


def _f(name: str, x: Node) -> Node:
    return build.apply(name, x)


def _entrywise(mp: Callable[[Any, Any], Any]) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import mpmath
        import numpy as np

        return np.vectorize(lambda v: mp(mpmath, mpmath.mpf(v)), otypes=[object])(args[0])

    return evaluate


def _over_fields(mp: Callable[[Any, Any], Any]) -> Any:
    """The same with the functions that there are over a field."""

    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import numpy as np

        return np.vectorize(lambda v: mp(Elementary, v), otypes=[object])(args[0])

    return evaluate


def _image(sympy_form: Callable[[Any, Any], Any]) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import sympy

        if node.is_scalar:
            return sympy_form(sympy, args[0])
        t = sympy.Dummy("t", real=True)
        return args[0].applyfunc(sympy.Lambda(t, sympy_form(sympy, t)))

    return evaluate


def elementwise(
    name: str,
    says: str,
    source: str,
    *,
    derivative: Callable[[Node, Node], Node],
    torch: str,
    numpy: str,
    jax: str,
    mp: Callable[[Any, Any], Any],
    sympy: Callable[[Any, Any], Any],
    domain: str = "",
    kinks: tuple[Kink, ...] = (),
    value: frozenset[str] = frozenset(),
    at: dict[int, int] | None = None,
    aliases: tuple[str, ...] = (),
    simplify: Callable[[Node], Node | None] | None = None,
    latex: Notation | None = None,
    sampled: bool = True,
    stable: Callable[[Node], Node | None] | None = None,
    elementary: bool | None = None,
    increasing: bool = False,
    bounds: Callable[[Node, Sequence[Interval]], Interval] | None = None,
) -> Operator:
    """Defines an elementwise function.

    ``derivative`` is given x and y = f(x); ``value`` holds the facts of every value, ``at`` exact values at integers.
    ``mp`` of an ``elementary`` function asks its first argument for nothing but functions that :class:`Elementary` has,
    which is so unless it has kinks or another is told. An ``increasing`` one takes bounds to bounds.
    """

    def simpler(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        known = build.integer_of(args[0])
        if known is not None and at is not None and known in at:
            return build.number(at[known])
        if build.is_zero(args[0]) and at is not None and 0 in at:
            return build.scale(build.number(at[0]), build.ones(*args[0].shape))
        return simplify(args[0]) if simplify is not None else None

    let = {"x": f"vector(n; {domain})"} if domain else {}
    matrix = {"X": f"matrix(m, n; {domain})"} if domain else {}
    return define(
        Operator(
            name,
            says=says,
            source=source,
            signatures=("(m,n) -> (m,n)",),
            differential=lambda node, i, d: build.times(derivative(node.args[0], node), d),
            derivative=derivative,
            simplify=simpler,
            facts=lambda node: value | ({"symmetric"} if "symmetric" in node.args[0].facts else frozenset()),
            bounds=through(mp, at or {}, domain) if increasing else bounds,
            domain={0: domain} if domain else {},
            kinks=kinks,
            lowers=Lowering(torch=torch, numpy=numpy, jax=jax),
            exact=_over_fields(mp) if (not kinks if elementary is None else elementary) else None,
            reference=_entrywise(mp),
            sympy=_image(sympy),
            latex=latex,
            stable=stable,
            samples=(Sample(f"sum({name}(x))", let), Sample(f"sum(A*{name}(X)*B)", matrix)) if sampled else (),
            aliases=aliases,
        )
    )


def _same(name: str) -> dict[str, Any]:
    """The three spellings of a function that torch, NumPy and JAX call alike."""
    return {
        "torch": f"torch.{name}({{0}})",
        "numpy": f"np.{name}({{0}})",
        "jax": f"jnp.{name}({{0}})",
    }


def _scipy(name: str) -> dict[str, Any]:
    return {
        "torch": f"torch.special.{name}({{0}})",
        "numpy": f"scipy.special.{name}({{0}})",
        "jax": f"jax.scipy.special.{name}({{0}})",
    }


def _log_of(x: Node) -> Node | None:
    """log(exp(x)) = x, and log(sum(exp(x))) and log(softmax(x)) without their overflow."""
    if x.op == "exp":
        return x.args[0]
    if x.op == "softmax":
        return _f("log_softmax", x.args[0])
    return build.apply("logsumexp", x.args[0].args[0]) if x.op == "sum" and x.args[0].op == "exp" else None


def _exp_of(x: Node) -> Node | None:
    """exp(log(x)) = x, and the softmax of which x is the logarithm."""
    if x.op == "log":
        return x.args[0]
    return _f("softmax", x.args[0]) if x.op == "log_softmax" else None


def _even(x: Node) -> Node | None:
    coefficient, rest = build.split(x)
    if coefficient != 1:
        return build.multiply(build.number(abs(coefficient)), _f("abs", rest))
    return x if "nonnegative" in x.facts else None


def _logistic(m: Any, x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def _trig() -> None:
    row = elementwise
    row("sin", "the sine", _DLMF + "eq. 4.20.1", derivative=lambda x, y: _f("cos", x), **_same("sin"),
        mp=lambda m, x: m.sin(x), sympy=lambda s, x: s.sin(x), at={0: 0},
        bounds=within(STEEP, through(lambda m, x: m.sin(x), {0: 0}, ""), UP_TO_ONE))  # fmt: skip
    row("cos", "the cosine", _DLMF + "eq. 4.20.2", derivative=lambda x, y: -_f("sin", x), **_same("cos"),
        mp=lambda m, x: m.cos(x), sympy=lambda s, x: s.cos(x), at={0: 1},
        bounds=even_through(within(CREST, falling(lambda m, x: m.cos(x), {0: 1}), UP_TO_ONE)))  # fmt: skip
    row("tan", "the tangent", _DLMF + "eq. 4.20.3", derivative=lambda x, y: _one(x) + y**2, **_same("tan"),
        mp=lambda m, x: m.tan(x), sympy=lambda s, x: s.tan(x), at={0: 0}, domain="unit",
        bounds=within(STEEP, through(lambda m, x: m.tan(x), {0: 0}, ""), EVERYTHING))  # fmt: skip
    row("asin", "the inverse sine", _DLMF + "4.24", derivative=lambda x, y: (_one(x) - x**2) ** _number(-1, 2),
        torch="torch.asin({0})", numpy="np.arcsin({0})", jax="jnp.arcsin({0})", domain="unit",
        mp=lambda m, x: m.asin(x), sympy=lambda s, x: s.asin(x), at={0: 0}, aliases=("arcsin",),
        latex=r"\arcsin\left({0}\right)", increasing=True)  # fmt: skip
    row("acos", "the inverse cosine", _DLMF + "4.24", derivative=lambda x, y: -((_one(x) - x**2) ** _number(-1, 2)),
        torch="torch.acos({0})", numpy="np.arccos({0})", jax="jnp.arccos({0})", domain="unit",
        mp=lambda m, x: m.acos(x), sympy=lambda s, x: s.acos(x), at={1: 0}, aliases=("arccos",),
        latex=r"\arccos\left({0}\right)", bounds=falling(lambda m, x: m.acos(x), {1: 0}, "unit"))  # fmt: skip
    row("atan", "the inverse tangent", _DLMF + "4.24", derivative=lambda x, y: (_one(x) + x**2) ** -1,
        torch="torch.atan({0})", numpy="np.arctan({0})", jax="jnp.arctan({0})",
        mp=lambda m, x: m.atan(x), sympy=lambda s, x: s.atan(x), at={0: 0}, aliases=("arctan",),
        latex=r"\arctan\left({0}\right)", increasing=True)  # fmt: skip
    row("sinh", "the hyperbolic sine", _DLMF + "eq. 4.34.1", derivative=lambda x, y: _f("cosh", x), **_same("sinh"),
        mp=lambda m, x: m.sinh(x), sympy=lambda s, x: s.sinh(x), at={0: 0}, increasing=True)  # fmt: skip
    row("cosh", "the hyperbolic cosine", _DLMF + "eq. 4.34.2", derivative=lambda x, y: _f("sinh", x), **_same("cosh"),
        mp=lambda m, x: m.cosh(x), sympy=lambda s, x: s.cosh(x), at={0: 1}, value=_POSITIVE,
        bounds=even_through(through(lambda m, x: m.cosh(x), {0: 1}, "")))  # fmt: skip
    row("tanh", "the hyperbolic tangent", _DLMF + "eq. 4.34.3", derivative=lambda x, y: _one(x) - y**2, **_same("tanh"),
        mp=lambda m, x: m.tanh(x), sympy=lambda s, x: s.tanh(x), at={0: 0}, increasing=True)  # fmt: skip
    row("asinh", "the inverse hyperbolic sine", _DLMF + "4.38",
        derivative=lambda x, y: (_one(x) + x**2) ** _number(-1, 2),
        torch="torch.asinh({0})", numpy="np.arcsinh({0})", jax="jnp.arcsinh({0})",
        mp=lambda m, x: m.asinh(x), sympy=lambda s, x: s.asinh(x), at={0: 0}, aliases=("arcsinh",),
        latex=r"\operatorname{{arsinh}}\left({0}\right)", increasing=True)  # fmt: skip
    row("acosh", "the inverse hyperbolic cosine, for x > 1", _DLMF + "4.38",
        derivative=lambda x, y: (x**2 - _one(x)) ** _number(-1, 2), domain="above_one",
        torch="torch.acosh({0})", numpy="np.arccosh({0})", jax="jnp.arccosh({0})",
        mp=lambda m, x: m.acosh(x), sympy=lambda s, x: s.acosh(x), at={1: 0}, aliases=("arccosh",),
        latex=r"\operatorname{{arcosh}}\left({0}\right)", increasing=True)  # fmt: skip
    row("atanh", "the inverse hyperbolic tangent", _DLMF + "4.38", derivative=lambda x, y: (_one(x) - x**2) ** -1,
        torch="torch.atanh({0})", numpy="np.arctanh({0})", jax="jnp.arctanh({0})", domain="unit",
        mp=lambda m, x: m.atanh(x), sympy=lambda s, x: s.atanh(x), at={0: 0}, aliases=("arctanh",),
        latex=r"\operatorname{{artanh}}\left({0}\right)", increasing=True)  # fmt: skip


def _exponentials() -> None:
    row = elementwise
    row("exp", "e to the power of every entry", _DLMF + "eq. 4.7.7", derivative=lambda x, y: y, **_same("exp"),
        mp=lambda m, x: m.exp(x), sympy=lambda s, x: s.exp(x), at={0: 1}, value=_POSITIVE,
        simplify=_exp_of, increasing=True)  # fmt: skip
    row("log", "the natural logarithm", _DLMF + "eq. 4.7.1", derivative=lambda x, y: x**-1, **_same("log"),
        mp=lambda m, x: m.log(x), sympy=lambda s, x: s.log(x), at={1: 0}, domain="positive", aliases=("ln",),
        simplify=_log_of, stable=stability.log_of, increasing=True)  # fmt: skip
    row("log1p", "log(1 + x)", _DLMF + "eq. 4.7.1", derivative=lambda x, y: (_one(x) + x) ** -1, **_same("log1p"),
        mp=lambda m, x: m.log1p(x), sympy=lambda s, x: s.log(1 + x), at={0: 0}, domain="above_minus_one",
        stable=stability.log1p_of,
        latex=lambda node, pieces, size: Formula(rf"\log\left(1 + {pieces[0].within(MUL)}\right)", ATOM),
        increasing=True)  # fmt: skip
    row("expm1", "exp(x) - 1", _DLMF + "eq. 4.7.7", derivative=lambda x, y: _f("exp", x), **_same("expm1"),
        mp=lambda m, x: m.expm1(x), sympy=lambda s, x: s.exp(x) - 1, at={0: 0},
        latex=lambda node, pieces, size: Formula(rf"\exp\left({pieces[0].body}\right) - 1", ADD),
        increasing=True)  # fmt: skip
    row("sigmoid", "the logistic function 1/(1 + exp(-x))", "Bishop 2006, eq. (4.88)",
        derivative=lambda x, y: y * (_one(x) - y), torch="torch.sigmoid({0})", numpy=_NUMPY_SIGMOID,
        jax="jax.nn.sigmoid({0})", mp=_logistic, sympy=lambda s, x: 1 / (1 + s.exp(-x)),
        value=_POSITIVE | {"unit"}, increasing=True)  # fmt: skip
    row("logit", "log(x/(1 - x))", "Bishop 2006, eq. (4.90)", derivative=lambda x, y: (x * (_one(x) - x)) ** -1,
        torch="torch.special.logit({0})", numpy="np.log({0:a} / (1 - {0:a}))",
        jax="jax.scipy.special.logit({0})", mp=lambda m, x: m.log(x / (1 - x)),
        sympy=lambda s, x: s.log(x / (1 - x)), domain="unit", increasing=True)  # fmt: skip
    row("softplus", "log(1 + exp(x))", "Dugas et al. 2001", derivative=lambda x, y: _f("sigmoid", x),
        torch="torch.logaddexp({0}, torch.zeros_like({0}))", numpy="np.logaddexp({0}, 0)",
        jax="jax.nn.softplus({0})", mp=lambda m, x: m.log1p(m.exp(x)), sympy=lambda s, x: s.log(1 + s.exp(x)),
        value=_POSITIVE, increasing=True)  # fmt: skip
    row("silu", "x*sigmoid(x)", "Elfwing et al. 2018",
        derivative=lambda x, y: _f("sigmoid", x) * (_one(x) + x * (_one(x) - _f("sigmoid", x))),
        torch="torch.nn.functional.silu({0})", numpy="({0:a} * " + _NUMPY_SIGMOID + ")", jax="jax.nn.silu({0})",
        mp=lambda m, x: x * _logistic(m, x), sympy=lambda s, x: x / (1 + s.exp(-x)), at={0: 0},
        bounds=ramp(Fraction(-279, 1000)))  # fmt: skip
    row("gelu", "x*Φ(x), Φ the normal distribution function", "Hendrycks & Gimpel 2016", derivative=_gelu,
        elementary=False, torch="torch.nn.functional.gelu({0})", numpy="({0:a} * scipy.special.ndtr({0}))",
        jax="jax.nn.gelu({0}, approximate=False)", mp=lambda m, x: x * m.ncdf(x),
        sympy=lambda s, x: x * (1 + s.erf(x / s.sqrt(2))) / 2, at={0: 0},
        bounds=ramp(Fraction(-17, 100)))  # fmt: skip
    row("erf", "the error function", _DLMF + "7.2",
        elementary=False,
        derivative=lambda x, y: (_number(2) / build.constant("pi") ** _number(1, 2)) * _f("exp", -(x**2)),
        **_scipy("erf"), mp=lambda m, x: m.erf(x), sympy=lambda s, x: s.erf(x), at={0: 0}, increasing=True)  # fmt: skip
    row("lgamma", "the logarithm of |Γ(x)|", _DLMF + "5.2", elementary=False, derivative=lambda x, y: _f("digamma", x),
        torch="torch.lgamma({0})", numpy="scipy.special.gammaln({0})", jax="jax.scipy.special.gammaln({0})",
        mp=lambda m, x: m.log(abs(m.gamma(x))), sympy=lambda s, x: s.loggamma(x), at={1: 0, 2: 0},
        domain="positive",
        latex=r"\log\lvert\Gamma\left({0}\right)\rvert",
        bounds=within(NOT_NEGATIVE, log_gamma_bounds, EVERYTHING))  # fmt: skip
    row("digamma", "the derivative of lgamma", _DLMF + "5.2", derivative=lambda x, y: _polygamma(1, x),
        elementary=False,
        **_scipy("digamma"), mp=lambda m, x: m.digamma(x), sympy=lambda s, x: s.digamma(x),
        domain="positive",
        latex=r"\psi\left({0}\right)",
        bounds=within(NOT_NEGATIVE, through(lambda m, x: m.digamma(x), {}, ""), EVERYTHING))  # fmt: skip


def _polygamma(k: int, x: Node) -> Node:
    if k < 0:
        raise DomainError(f"polygamma has orders from 0, and not {k}")
    return _f("digamma", x) if k == 0 else build.apply("polygamma", x, params=(k,))


def _zeta(module: str) -> Any:
    """(-1)^(k+1) k! ζ(k+1, x), DLMF 25.11.12: torch's own trigamma errs in the tenth digit, SciPy's forgets float32."""

    def spell(node: Node, args: Any, size: Any) -> str:
        k = node.params[0]
        if k > MOST_ORDER:
            raise UnsupportedError(f"polygamma of order {k} is beyond floating-point numbers; {MOST_ORDER} is the most")
        text = f"{module}.zeta({k + 1}, {args[0]})"
        factor = (-1) ** (k + 1) * factorial(k)
        return text if factor == 1 else f"({factor if abs(factor) < 2**53 else float(factor)!r} * {text})"

    return spell


def _gelu(x: Node, y: Node) -> Node:
    """Φ(x) + x φ(x)."""
    half, root = _number(1, 2), _number(2) ** _number(1, 2)
    distribution = half * (_one(x) + _f("erf", x / root))
    density = (_number(2) * build.constant("pi")) ** _number(-1, 2) * _f("exp", -(half * x**2))
    return distribution + x * density


def _piecewise() -> None:
    row = elementwise
    row("abs", "the absolute value", _DLMF + "1.9", derivative=lambda x, y: _f("sign", x), **_same("abs"),
        elementary=True, mp=lambda m, x: abs(x), sympy=lambda s, x: s.Abs(x), at={0: 0}, kinks=(Kink(0, 0),),
        value=_NONNEGATIVE, simplify=_even, bounds=lambda node, args: abs(args[0]))  # fmt: skip
    row("sign", "-1, 0 or 1", _DLMF + "1.16", derivative=lambda x, y: build.zeros(*x.shape), **_same("sign"),
        mp=lambda m, x: m.sign(x), sympy=lambda s, x: s.sign(x), at={0: 0, 1: 1, -1: -1}, kinks=(Kink(0, 0),),
        simplify=lambda x: _one(x) if "positive" in x.facts else None, increasing=True)  # fmt: skip
    row("heaviside", "1 for x > 0, else 0", _DLMF + "1.16", derivative=lambda x, y: build.zeros(*x.shape),
        torch="({0:a} > 0).to({0:a}.dtype)", numpy="({0:a} > 0).astype({0:a}.dtype)",
        jax="({0:a} > 0).astype({0:a}.dtype)", mp=lambda m, x: m.mpf(x > 0),
        sympy=lambda s, x: s.Heaviside(x, 0), at={0: 0, 1: 1, -1: 0}, kinks=(Kink(0, 0),), value=_NONNEGATIVE,
        simplify=lambda x: _one(x) if "positive" in x.facts else None, increasing=True)  # fmt: skip
    row("step", "1 for x > 0, 1/2 at 0, else 0", _DLMF + "1.16", derivative=lambda x, y: build.zeros(*x.shape),
        torch="(0.5 * (1 + torch.sign({0})))", numpy="np.heaviside({0}, {0:a}.dtype.type(0.5))",
        jax="jnp.heaviside({0}, 0.5)", mp=lambda m, x: (1 + m.sign(x)) / 2, sympy=lambda s, x: s.Heaviside(x, s.S.Half),
        at={1: 1, -1: 0}, kinks=(Kink(0, 0),), value=_NONNEGATIVE,
        simplify=lambda x: _one(x) if "positive" in x.facts else None, increasing=True)  # fmt: skip
    row("relu", "max(x, 0)", "Nair & Hinton 2010", derivative=lambda x, y: _f("heaviside", x),
        torch="torch.relu({0})", numpy="np.maximum({0}, 0)", jax="jax.nn.relu({0})",
        mp=lambda m, x: max(x, m.mpf(0)), sympy=lambda s, x: s.Max(x, 0), at={0: 0, 1: 1, -1: 0},
        kinks=(Kink(0, 0),), value=_NONNEGATIVE,
        simplify=lambda x: x if "nonnegative" in x.facts else None, increasing=True)  # fmt: skip
    row("elu", "x for x > 0, else exp(x) - 1", "Clevert et al. 2016",
        derivative=lambda x, y: _f("exp", -_f("relu", -x)), torch="torch.nn.functional.elu({0})",
        numpy="np.where({0:a} > 0, {0}, np.expm1(np.minimum({0}, 0)))", jax="jax.nn.elu({0})",
        mp=lambda m, x: x if x > 0 else m.expm1(x), kinks=(Kink(0, 1),),
        sympy=lambda s, x: s.Piecewise((x, x > 0), (s.exp(x) - 1, True)), at={0: 0}, increasing=True)  # fmt: skip


_trig()
_exponentials()
_piecewise()
define(
    Operator(
        "leaky_relu",
        says="x for x > 0, else slope*x",
        source="Maas et al. 2013",
        signatures=("(m,n), (1,1) -> (m,n)",),
        call=lambda x, slope: build.apply("where", x, x, slope * x),
        samples=(Sample("sum(square(leaky_relu(x, 0.1)))"), Sample("sum(leaky_relu(x, a))")),
    )
)
define(
    Operator(
        "polygamma",
        says="polygamma(k, x): the derivative of digamma of order k",
        source=_DLMF + "5.15",
        signatures=("int k, (m,n) -> (m,n)",),
        call=lambda k, x: _polygamma(k, x),
        shape=lambda args, params: args[0].shape,
        differential=lambda node, i, d: build.times(_polygamma(node.params[0] + 1, node.args[0]), d),
        domain={0: "positive"},
        bounds=polygamma_bounds,
        written=lambda node, args, size: f"polygamma({node.params[0]}, {args[0]})",
        reference=lambda node, args, size: _entrywise(lambda m, x: m.psi(node.params[0], x))(node, args, size),
        sympy=lambda node, args, size: _image(lambda s, x: s.polygamma(node.params[0], x))(node, args, size),
        lowers=Lowering(
            torch=_zeta("torch.special"),
            numpy=_zeta("scipy.special"),
            jax=_zeta("jax.scipy.special"),
        ),
        latex=lambda node, pieces, size: Formula(rf"\psi^{{({node.params[0]})}}\left({pieces[0].body}\right)", ATOM),
        samples=(
            Sample("sum(polygamma(2, x))", {"x": "vector(n; positive)"}),
            Sample("sum(digamma(polygamma(1, x)))", {"x": "vector(n; positive)"}),
        ),
    )
)
define(
    Operator(
        "trigamma",
        says="the derivative of digamma",
        source=_DLMF + "5.15",
        signatures=("(m,n) -> (m,n)",),
        call=lambda x: _polygamma(1, x),
        samples=(Sample("sum(trigamma(x))", {"x": "vector(n; positive)"}),),
    )
)
