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

TARGET = Target(
    name="numpy",
    imports={
        "np": "import numpy as np",
        "math": "import math",
        "scipy.linalg": "import scipy.linalg",
        "scipy.special": "import scipy.special",
    },
    templates={
        "transpose": "np.swapaxes({0}, -1, -2)",
        "sqrt": "np.sqrt({0})",
        "square": "np.square({0})",
        "expand": "np.broadcast_to({0}, (*{0:a}.shape[:-2], {rows}, {cols}))",
        "fill": "np.full((1, 1), {0}, {like})",
        "total": "{0:a}.sum((-2, -1), keepdims=True)",
        "solve": "_solve({0}, {1})",
        "inverse": "np.linalg.inv({0})",
    },
    like="dtype={0}.dtype",
    like_nothing="dtype=float",
    helpers={"_arrays": _ARRAYS, "_solve": _SOLVE},
    moveaxis="np.moveaxis",
    eye="np.eye",
    einsum="np.einsum",
    spelling=lambda lowers: lowers.numpy,
    entry="_arrays",
)
