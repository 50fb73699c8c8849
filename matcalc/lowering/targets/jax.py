"""How JAX is spelled: pure functions, for ``jit``, ``vmap`` and ``grad``; sizes are read from shapes, which are static.

A repeated solve factors anew, as ``jnp.linalg.solve`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.lowering.targets import Target

if TYPE_CHECKING:
    from matcalc.lowering.terms import Term

_ARRAYS = '''
def _arrays(*inputs):
    """The inputs as arrays of one floating-point type, which is that of the arrays among them."""
    arrays = [jnp.asarray(value) for value in inputs]
    dtype = jnp.result_type(float, *arrays)
    return [array.astype(dtype) for array in arrays]
'''

_SOLVE_TRIANGULAR = '''
def _solve_triangular(A, B, lower):
    """The solution X of A X = B for a triangle A and a matrix B, whose rows are never taken for vectors."""
    return jax.scipy.linalg.solve_triangular(A, B[(None,) * (A.ndim - B.ndim)], lower=lower)
'''

_CHOLESKY_SOLVE = '''
def _cholesky_solve(root, B):
    """The solution X of root root' X = B for a matrix B, whose rows are never taken for vectors."""
    return jax.scipy.linalg.cho_solve((root, True), B[(None,) * (root.ndim - B.ndim)])
'''


def _solve_triangular(term: Term) -> str:
    upper, _ = term.params
    return f"_solve_triangular({{0}}, {{1}}, lower={not upper})"


TARGET = Target(
    name="jax",
    imports={
        "jnp": "import jax.numpy as jnp",
        "math": "import math",
        "jax.lax": "import jax.lax",
        "jax.nn": "import jax.nn",
        "jax.scipy.linalg": "import jax.scipy.linalg",
        "jax.scipy.special": "import jax.scipy.special",
    },
    templates={
        "transpose": "{0:a}.mT",
        "sqrt": "jnp.sqrt({0})",
        "square": "jnp.square({0})",
        "expand": "jnp.broadcast_to({0}, (*{0:a}.shape[:-2], {rows}, {cols}))",
        "fill": "jnp.full((1, 1), {0}, {like})",
        "total": "{0:a}.sum((-2, -1), keepdims=True)",
        "solve": "jnp.linalg.solve({0}, {1})",
        "solve_triangular": _solve_triangular,
        "cholesky": "jnp.linalg.cholesky({0})",
        "cholesky_solve": "_cholesky_solve({1}, {0})",
        "cholesky_inverse": "_cholesky_solve({0}, jnp.eye({rows}, {like}))",
        "cholesky_logdet": "(2 * jnp.log(jnp.diagonal({0}, axis1=-2, axis2=-1)).sum(-1))[..., None, None]",
    },
    like="dtype={0}.dtype",
    like_nothing="dtype=float",
    helpers={
        "_arrays": _ARRAYS,
        "_solve_triangular": _SOLVE_TRIANGULAR,
        "_cholesky_solve": _CHOLESKY_SOLVE,
    },
    moveaxis="jnp.moveaxis",
    eye="jnp.eye",
    einsum="jnp.einsum",
    spelling=lambda lowers: lowers.jax,
    entry="_arrays",
    note="JAX computes in float32 unless jax_enable_x64 is set.",
)
