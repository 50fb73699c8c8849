"""The private functions that emitted code needs for matrix functions: one text, spelled for each library.

Every iteration has a fixed number of steps, so that the code can be differentiated, mapped over batches and traced; a
result that does not satisfy its own equation is NaN and never a number that looks right. Square root and logarithm go
by the product form of the Denman-Beavers iteration and by inverse scaling and squaring (Higham 2008, ch. 6 and 11), the
Sylvester equation by Newton's iteration for the matrix sign (Higham 2008, ch. 2 and 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Library:
    r"""What the three libraries call differently.

    Attributes:
        name: the module's name in code.
        like: the keywords that make an array like X.
        cat: the function that puts arrays together along an axis.
        broadcast: the function that gives arrays one shape.
        turned: the transpose of the matrix called \1; NumPy has ``.mT`` from its version 2 only.
    """

    name: str
    like: str
    cat: str
    broadcast: str
    turned: str = r"\1.mT"


LIBRARIES = {
    "torch": Library("torch", "dtype=X.dtype, device=X.device", "torch.cat", "torch.broadcast_tensors"),
    "numpy": Library("np", "dtype=X.dtype", "np.concatenate", "np.broadcast_arrays", r"np.swapaxes(\1, -1, -2)"),
    "jax": Library("jnp", "dtype=X.dtype", "jnp.concatenate", "jnp.broadcast_arrays"),
}

_DIRECTIONAL = '''
def _directional(function, A, *directions):
    """The derivative of a matrix function at A, once along each direction.

    It is the upper right block of the function of [[A, D], [0, A]], and so on for more directions. It is linear in
    each, which is made small beside A first: then the function takes steps, and judges them, as for A alone.
    """
    whole, *directions = BROADCAST(A, *directions)
    taken = 1.0
    for level, D in enumerate(directions):
        small = 2.0**-20 * _length(A) / _length(D)
        taken = taken * small
        D = small * D
        for _ in range(level):
            D = _blocks(D, MODULE.zeros_like(D), D)
        whole = _blocks(whole, D, whole)
    n = A.shape[-1]
    return function(whole)[..., :n, -n:] / taken
'''

_LENGTH = '''
def _length(X):
    """The Frobenius norm, or 1 where it is 0."""
    total = (X**2).sum((-2, -1))[..., None, None]
    return MODULE.where(total > 0, total, 1.0) ** 0.5
'''

_BLOCKS = '''
def _blocks(A, B, D):
    """[[A, B], [0, D]] for square matrices of one size."""
    above = CAT((A, B), -1)
    below = CAT((MODULE.zeros_like(D), D), -1)
    return CAT((above, below), -2)
'''

_SPECTRAL = '''
def _spectral(function, X):
    """A function of the eigenvalues of a symmetric matrix."""
    values, vectors = MODULE.linalg.eigh(X)
    return (vectors * function(values)[..., None, :]) @ vectors.mT
'''

_SQRTM = '''
def _sqrtm(X, steps=24):
    """The principal square root: the product form of the Denman-Beavers iteration; NaN where there is none."""
    identity = MODULE.eye(X.shape[-1], LIKE)
    scale = MODULE.exp(MODULE.linalg.slogdet(X)[1] / X.shape[-1])[..., None, None]
    rest = root = X / scale
    for _ in range(steps):
        inverse = MODULE.linalg.inv(rest)
        root = root @ (identity + inverse) / 2
        rest = (2 * identity + rest + inverse) / 4
    root = scale**0.5 * root
    room = 4096 * MODULE.finfo(X.dtype).eps * (X**2).sum((-2, -1))
    solved = ((root @ root - X) ** 2).sum((-2, -1)) <= room
    return MODULE.where(solved[..., None, None], root, MODULE.nan)
'''

_LOGM = '''
def _logm(X):
    """The principal logarithm: seven square roots, then the series of 2 artanh; NaN where there is none."""
    identity = MODULE.eye(X.shape[-1], LIKE)
    scale = MODULE.exp(MODULE.linalg.slogdet(X)[1] / X.shape[-1])[..., None, None]
    root = _sqrtm(X / scale)
    for _ in range(6):
        root = _sqrtm(root, 12)
    Z = MODULE.linalg.solve(root + identity, root - identity)
    total = identity / 17
    for k in range(15, 0, -2):
        total = identity / k + Z @ Z @ total
    near = (Z**2).sum((-2, -1)) < 0.06
    return MODULE.where(near[..., None, None], 2**8 * Z @ total + MODULE.log(scale) * identity, MODULE.nan)
'''

_SYLVESTER = '''
def _sylvester(A, B, C):
    """The solution of A X + X B = C, by its linear system in the entries of X; of cost (m n)^3."""
    X = C
    m, n = C.shape[-2:]
    left = A[..., :, None, :, None] * MODULE.eye(n, LIKE)[:, None, :]
    right = MODULE.eye(m, LIKE)[:, None, :, None] * B.mT[..., None, :, None, :]
    system = left + right
    system = system.reshape(*system.shape[:-4], m * n, m * n)
    entries = C.reshape(*C.shape[:-2], m * n, 1)
    found = MODULE.linalg.solve(system, MODULE.zeros_like(system[..., :1]) + entries)
    return found.reshape(*found.shape[:-2], m, n)
'''

_STABLE_SYLVESTER = '''
def _stable_sylvester(A, B, C):
    """The solution of A X + X B = C for A, B with eigenvalues in the right half plane; else NaN.

    Newton's iteration takes [[A, -C], [0, -B]] to its sign [[I, -2X], [0, -I]].
    """
    sizes = (MODULE.linalg.slogdet(S)[1] / S.shape[-1] for S in (A, B))
    scale = MODULE.exp(sum(sizes) / 2)[..., None, None]
    P, Q, X = A / scale, B / scale, C / scale
    for _ in range(24):
        P_inverse = MODULE.linalg.inv(P)
        Q_inverse = P_inverse if A is B else MODULE.linalg.inv(Q)
        X = (X + P_inverse @ X @ Q_inverse) / 2
        P, Q = (P + P_inverse) / 2, (Q + Q_inverse) / 2
    X = X / 2
    room = 4096 * MODULE.finfo(X.dtype).eps * (C**2).sum((-2, -1))
    solved = ((A @ X + X @ B - C) ** 2).sum((-2, -1)) <= room
    return MODULE.where(solved[..., None, None], X, MODULE.nan)
'''

_SYMMETRIC_SYLVESTER = '''
def _symmetric_sylvester(A, B, C):
    """The solution of A X + X B = C for symmetric A and B, by their eigenvectors."""
    a, U = MODULE.linalg.eigh(A)
    b, V = (a, U) if A is B else MODULE.linalg.eigh(B)
    return U @ ((U.mT @ C @ V) / (a[..., :, None] + b[..., None, :])) @ V.mT
'''

_NEEDS = {
    "_directional": ("_length", "_blocks", "_directional"),
    "_spectral": ("_spectral",),
    "_sqrtm": ("_sqrtm",),
    "_logm": ("_sqrtm", "_logm"),
    "_sylvester": ("_sylvester",),
    "_stable_sylvester": ("_stable_sylvester",),
    "_symmetric_sylvester": ("_symmetric_sylvester",),
}
_TEXTS = {
    "_blocks": _BLOCKS,
    "_length": _LENGTH,
    "_directional": _DIRECTIONAL,
    "_spectral": _SPECTRAL,
    "_sqrtm": _SQRTM,
    "_logm": _LOGM,
    "_sylvester": _SYLVESTER,
    "_stable_sylvester": _STABLE_SYLVESTER,
    "_symmetric_sylvester": _SYMMETRIC_SYLVESTER,
}


def spelled(text: str, library: Library) -> str:
    """A text with MODULE, LIKE, CAT and BROADCAST as ``library`` has them."""
    for word, meant in (
        ("MODULE", library.name),
        ("LIKE", library.like),
        ("CAT", library.cat),
        ("BROADCAST", library.broadcast),
    ):
        text = text.replace(word, meant)
    return re.sub(r"\b(\w+)\.mT\b", library.turned, text)


def functions(*names: str, texts: Mapping[str, str] = _TEXTS) -> dict[str, dict[str, str]]:
    """The functions called ``names`` and those that they call, for every library."""
    wanted = [needed for name in names for needed in _NEEDS.get(name, (name,))]
    return {
        target: {name: spelled(texts[name], library) for name in dict.fromkeys(wanted)}
        for target, library in LIBRARIES.items()
    }
