"""Structures of square matrices: linear subspaces, and the sets inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.property import Property, define_property

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_HALF_TO_THREE_HALVES = (2 / 3, 3 / 2)
_NEAR = 1e-9
_DOUBLINGS = 7  # from 16 digits to a thousand


def _generic(rng: Any, rows: int, cols: int) -> Any:
    return rng.standard_normal((rows, cols))


def _orthogonal(rng: Any, n: int, cols: int) -> Any:
    import numpy as np

    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


def _orthogonal_exactly(q: Any) -> Any:
    """Newton-Schulz iteration to the nearest orthogonal matrix (Higham 2008, Functions of Matrices, ch. 8)."""
    import mpmath
    import numpy as np

    eye = np.where(np.eye(len(q), dtype=bool), mpmath.mpf(1), mpmath.mpf(0))
    for _ in range(_DOUBLINGS):
        q = q @ (3 * eye - q.T @ q) / 2
    return q


def _is_orthogonal(q: Any) -> bool:
    import numpy as np

    return bool(np.abs(q.T @ q - np.eye(len(q))).max() < _NEAR)


def _invertible(rng: Any, n: int, cols: int) -> Any:
    """Q diag(σ) P' with σ in [2/3, 3/2] and a positive determinant: condition at most 9/4."""
    import numpy as np

    sigma = rng.uniform(*_HALF_TO_THREE_HALVES, size=n)
    made = _orthogonal(rng, n, n) * sigma @ _orthogonal(rng, n, n).T
    if np.linalg.det(made) < 0:
        made[0] = -made[0]
    return made


def _posdef(rng: Any, n: int, cols: int) -> Any:
    q = _orthogonal(rng, n, n)
    made = q * rng.uniform(*_HALF_TO_THREE_HALVES, size=n) @ q.T
    return (made + made.T) / 2


def _triangular(lower: bool) -> Any:
    def sample(rng: Any, n: int, cols: int) -> Any:
        import numpy as np

        made = np.tril(rng.standard_normal((n, n)), -1) / max(n, 1) ** 0.5 + np.diag(rng.uniform(0.6, 1.5, size=n))
        return made if lower else made.T.copy()

    return sample


def _symmetric_part(g: Node) -> Node:
    return build.divide(build.add(g, g.T), build.number(2))


def _skew_part(g: Node) -> Node:
    return build.divide(build.subtract(g, g.T), build.number(2))


def _diagonal_part(g: Node) -> Node:
    return build.apply("diag", build.apply("diagonal", g))


define_property(
    Property(
        "symmetric",
        "equal to its transpose",
        source="Magnus & Neudecker 2019, ch. 1.7",
        square=True,
        project=_symmetric_part,
        sample=lambda rng, n, cols: (lambda b: (b + b.T) / 2)(_generic(rng, n, n)),
    )
)
define_property(
    Property(
        "skew",
        "equal to minus its transpose",
        source="Magnus & Neudecker 2019, ch. 1.7",
        square=True,
        excludes=("symmetric", "positive", "nonnegative", "nonzero", "lower", "upper"),
        project=_skew_part,
        sample=lambda rng, n, cols: (lambda b: (b - b.T) / 2)(_generic(rng, n, n)),
    )
)
define_property(
    Property(
        "invertible",
        "has an inverse",
        source="Magnus & Neudecker 2019, ch. 1.8",
        square=True,
        sample=_invertible,
    )
)
define_property(
    Property(
        "psd",
        "symmetric with no negative eigenvalue",
        source="Magnus & Neudecker 2019, ch. 1.6",
        implies=("symmetric",),
        square=True,
        sample=_posdef,
    )
)
define_property(
    Property(
        "posdef",
        "symmetric with positive eigenvalues",
        source="Magnus & Neudecker 2019, ch. 1.6",
        implies=("psd", "invertible"),
        square=True,
        sample=_posdef,
        holds=lambda a: bool(__import__("numpy").linalg.eigvalsh(a).min() > 0),
    )
)
define_property(
    Property(
        "diagonal",
        "zero off the diagonal",
        source="Magnus & Neudecker 2019, ch. 1.5",
        implies=("symmetric", "lower", "upper"),
        follows=(frozenset({"lower", "upper"}), frozenset({"symmetric", "lower"}), frozenset({"symmetric", "upper"})),
        square=True,
        project=_diagonal_part,
        sample=lambda rng, n, cols: __import__("numpy").diag(
            rng.uniform(0.5, 1.5, size=n) * rng.choice([-1.0, 1.0], size=n)
        ),
    )
)
define_property(
    Property(
        "lower",
        "zero above the diagonal",
        source="Golub & Van Loan 2013, ch. 1.2",
        square=True,
        project=lambda g: build.apply("tril", g),
        sample=_triangular(lower=True),
    )
)
define_property(
    Property(
        "upper",
        "zero below the diagonal",
        source="Golub & Van Loan 2013, ch. 1.2",
        square=True,
        project=lambda g: build.apply("triu", g),
        sample=_triangular(lower=False),
    )
)
define_property(
    Property(
        "orthogonal",
        "its inverse is its transpose",
        source="Magnus & Neudecker 2019, ch. 1.7",
        implies=("invertible",),
        square=True,
        sample=_orthogonal,
        holds=_is_orthogonal,
        exact=_orthogonal_exactly,
    )
)
