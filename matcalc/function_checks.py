"""Checks of a ``torch.autograd.Function`` against an expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matcalc.derivative import subspace_of
from matcalc.directional_derivatives import vjp
from matcalc.errors import ParseError, UnsupportedError
from matcalc.expression import build
from matcalc.language.greek import latin
from matcalc.parsed import Expression, name_of, storage_of
from matcalc.verification import options_from

if TYPE_CHECKING:
    from matcalc.checking.findings import FunctionReport
    from matcalc.checking.question import Question

_KINDS = ("grad", "vjp")


def check_autograd_function(
    f: Expression, wrt: str | Sequence[str] | None, function: Any, kind: str = "grad", **options: Any
) -> FunctionReport:
    """Whether a Function is ``f``, and its backward the derivative of ``f`` by the names in ``wrt`` (None: by all).

    A backward is a vjp, so ``f`` may have any shape. The arguments of forward (after ctx) are matched by name, or
    where they share no name with ``f``, in the order in which the names appear.

    Raises:
        CheckError: where the arguments do not match, or forward fails.
        UnsupportedError: for another kind.

    >>> import torch
    >>> from matcalc.derivative import parse
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x @ x
    ...     @staticmethod
    ...     def backward(ctx, u):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x
    >>> print(check_autograd_function(parse("x'*x"), "x", Square).finding("grad_output").says)
    the gradient by x ignores grad_output: it stays the same when grad_output is doubled
    """
    from matcalc.checking.autograd_function import check_function
    from matcalc.checking.function_claim import FunctionClaim, arguments_of
    from matcalc.checking.function_question import FunctionQuestion

    if kind not in _KINDS:
        why = "it is checked as a vjp, whatever the shape of the expression"
        raise UnsupportedError(f"a Function's backward is no {kind}", why=why, suggestion='kind="grad"')
    names = arguments_of(function, list(f.variables), latin)
    cotangent = build.new_name("u", set(f.variables))
    freed = bool(options.get("unconstrained"))
    truths = {name: _truth(f, name, cotangent, freed) for name in _wanted(f, wrt)}
    claim = FunctionClaim(function, names)
    variables = tuple(v.node for v in f.typed.variables)
    u = build.variable(cotangent, f.node.shape, storage_of(f.node))
    onto = {v.params[0]: subspace_of(v) for v in variables}
    asked = FunctionQuestion(claim, f.node, variables, u, storage_of(f.node), truths, onto)
    return check_function(asked, options_from(**options))


def _truth(f: Expression, name: str, cotangent: str, unconstrained: bool) -> Question:
    """Whether a claim is the gradient of ⟨u, f⟩ by a name, u being the last of the question's names."""
    from matcalc.checking.question import Question
    from matcalc.operators.products import inner

    derived = vjp(f, name, cotangent, unconstrained=unconstrained)
    variables = tuple(v.node for v in derived.typed.variables)
    pairing = inner(variables[-1], derived.differentiated)
    own = derived.node
    return Question(pairing, name, variables, own, own, derived.projected, f.text, guide=own)


def _wanted(f: Expression, wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(f.variables) if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    found = tuple(dict.fromkeys(name_of(name) for name in names))
    if not found:
        raise ParseError(
            "there is no name to differentiate by", why=f"the names are {', '.join(f.variables) or 'none'}"
        )
    for name in found:
        f.typed_variable(name)
    return found
