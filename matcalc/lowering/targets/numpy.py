"""How NumPy is spelled: for NumPy 1.26 and later, SciPy only where NumPy lacks a function.

NumPy factors a matrix anew in each solve: its own functions keep no factorization, and SciPy's take leading axes only
in recent versions.
"""

from __future__ import annotations

from matcalc.lowering.targets import Target

_ARRAYS = '''
def _arrays(*inputs):
    """The inputs as arrays of one floating-point type, which is that of the arrays among them."""
    types = [np.asarray(value).dtype for value in inputs if hasattr(value, "dtype")]
    dtype = np.result_type(1.0, *(kind for kind in types if kind.kind == "f"))
    return [np.asarray(value, dtype) for value in inputs]
'''

_SOLVE = '''
def _solve(A, B):
    """The solution X of A X = B for a matrix B, whose rows are never taken for vectors, as NumPy 1 may."""
    return np.linalg.solve(A, B[(None,) * (A.ndim - B.ndim)])
'''

_ADJUGATE = '''
def _adjugate(X):
    """det(X) inv(X), also where X is singular.

    X = U diag(s) V' has the adjugate det(U) det(V) V diag(others) U', where each entry of others is the
    product of all other entries of s.
    """
    U, s, Vh = np.linalg.svd(X)
    itself = np.eye(s.shape[-1], dtype=bool)
    others = np.where(itself, np.ones_like(s)[..., None], s[..., None, :]).prod(-1)
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    return sign[..., None, None] * (np.swapaxes(Vh, -1, -2) * others[..., None, :]) @ np.swapaxes(U, -1, -2)
'''


TARGET = Target(
    name="numpy",
    imports={"np": "import numpy as np", "math": "import math", "scipy.special": "import scipy.special"},
    templates={
        "transpose": "np.swapaxes({0}, -1, -2)",
        "sqrt": "np.sqrt({0})",
        "square": "np.square({0})",
        "expand": "np.broadcast_to({0}, (*{0:a}.shape[:-2], {rows}, {cols}))",
        "fill": "np.full((1, 1), {0}, {like})",
        "total": "{0:a}.sum((-2, -1), keepdims=True)",
        "solve": "_solve({0}, {1})",
        "inverse": "np.linalg.inv({0})",
        "adjugate": "_adjugate({0})",
    },
    like="dtype={0}.dtype",
    like_nothing="dtype=float",
    helpers={"_arrays": _ARRAYS, "_solve": _SOLVE, "_adjugate": _ADJUGATE},
    spelling=lambda lowers: lowers.numpy,
    entry="_arrays",
)
