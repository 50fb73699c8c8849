"""Structures of square matrices: linear subspaces, and the sets inside them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.property import Property, define_property
from matcalc.operators.exact_matrices import inverse_over_fields

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_HALF_TO_THREE_HALVES = (2 / 3, 3 / 2)
_NOISE = 1e-20
_NEAR = 1e-9
_DOUBLINGS = 7  # from 16 digits to a thousand


def _generic(rng: Any, rows: int, cols: int) -> Any:
    return rng.standard_normal((rows, cols))


def _orthogonal(rng: Any, n: int, cols: int) -> Any:
    import numpy as np

    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


def _orthogonal_exactly(q: Any) -> Any:
    """Newton-Schulz iteration to the nearest orthogonal matrix (Higham 2008, Functions of Matrices, ch. 8).

    NaN where a matrix is far from any: the iteration runs away.
    """
    import mpmath
    import numpy as np

    eye = np.where(np.eye(len(q), dtype=bool), mpmath.mpf(1), mpmath.mpf(0))
    with np.errstate(all="ignore"):
        for _ in range(_DOUBLINGS):
            q = q @ (3 * eye - q.T @ q) / 2
    return q


def _cayley(fresh: Any, n: int, cols: int, part: int) -> Any:
    """(I - S)·(I + S)⁻¹ for S skew, which has determinant 1; in the other component with its first row negated.

    (Golub & Van Loan 2013, problem 2.1.14). It leaves out those with an eigenvalue -1, which are limits of the others.
    """
    import numpy as np

    skew = np.zeros((n, n), dtype=object)
    for i in range(n):
        for j in range(i):
            skew[i, j] = fresh()
            skew[j, i] = -skew[i, j]
    eye = np.eye(n, dtype=int).astype(object)
    made = (eye - skew) @ inverse_over_fields(eye + skew)
    made[0] = -made[0] if part else made[0]
    return made


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


def _full_rank(rng: Any, rows: int, cols: int) -> Any:
    """U diag(σ) V' with distinct σ in [2/3, 3/2]."""
    import numpy as np

    rank = min(rows, cols)
    steps = np.linspace(*_HALF_TO_THREE_HALVES, num=rank + 1)
    sigma = steps[:-1] + rng.uniform(0.2, 0.8, size=rank) * (steps[1] - steps[0])
    return (_orthogonal(rng, rows, rows)[:, :rank] * rng.permutation(sigma)) @ _orthogonal(rng, cols, cols)[:rank]


def _positive_stable(rng: Any, n: int, cols: int) -> Any:
    """A positive-definite matrix plus a skew one: x'·A·x > 0, so every eigenvalue has a positive real part."""
    skew = rng.standard_normal((n, n)) / max(n, 1) ** 0.5
    return _posdef(rng, n, n) + (skew - skew.T) / 2


def _principal(rng: Any, n: int, cols: int) -> Any:
    """The square of a matrix with its eigenvalues in the right half plane."""
    root = _positive_stable(rng, n, n)
    return root @ root


def _turned_far(rng: Any, n: int, cols: int) -> Any:
    """Eigenvalues to the left of the imaginary axis, in pairs; the odd one is positive."""
    import numpy as np

    made = np.diag(rng.uniform(0.5, 2.0, size=n))
    for k in range(0, n - 1, 2):
        angle = rng.uniform(1.7, 2.7)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        made[k : k + 2, k : k + 2] = made[k, k] * turn
    basis = _orthogonal(rng, n, n) + 0.2 * _generic(rng, n, n) / n
    return basis @ made @ np.linalg.inv(basis)


def _is_full_rank(value: Any) -> bool:
    import numpy as np

    singular = np.linalg.svd(value, compute_uv=False)
    return bool(singular[-1] > max(1e-2 * singular[0], _NOISE))


def _is_posdef(value: Any) -> bool:
    import numpy as np

    found = np.linalg.eigvalsh((value + value.T) / 2)
    return bool(found[0] > max(1e-2 * found[-1], _NOISE))


def _is_principal(value: Any) -> bool:
    """Whether every eigenvalue keeps away from zero and from the negative real axis."""
    import numpy as np

    found = np.linalg.eigvals(value)
    size = np.abs(found)
    return bool(size.min() > max(1e-2 * size.max(), _NOISE) and np.abs(np.angle(found)).max() < 2.8)


def _is_positive_stable(value: Any) -> bool:
    import numpy as np

    found = np.linalg.eigvals(value)
    return bool(found.real.min() > max(1e-2 * np.abs(found).max(), _NOISE))


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
        conic=True,
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
        conic=True,
        sample=lambda rng, n, cols: (lambda b: (b - b.T) / 2)(_generic(rng, n, n)),
    )
)
define_property(
    Property(
        "invertible",
        "has an inverse",
        dense=True,
        source="Magnus & Neudecker 2019, ch. 1.8",
        square=True,
        conic=True,
        sample=_invertible,
    )
)
define_property(
    Property(
        "psd",
        "symmetric with no negative eigenvalue",
        dense=True,
        source="Magnus & Neudecker 2019, ch. 1.6",
        implies=("symmetric",),
        square=True,
        conic=True,
        sample=_posdef,
    )
)
define_property(
    Property(
        "posdef",
        "symmetric with positive eigenvalues",
        dense=True,
        source="Magnus & Neudecker 2019, ch. 1.6",
        implies=("psd", "invertible", "positive_stable"),
        follows=(frozenset({"symmetric", "principal"}),),
        square=True,
        conic=True,
        sample=_posdef,
        holds=_is_posdef,
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
        conic=True,
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
        conic=True,
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
        conic=True,
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
        parametrized=_cayley,
        entries=(Fraction(-1), Fraction(1)),
        parts=2,
    )
)
define_property(
    Property(
        "full_rank",
        "its rank is the smaller of its sizes",
        dense=True,
        source="Golub & Van Loan 2013, ch. 2.1",
        conic=True,
        sample=_full_rank,
        holds=_is_full_rank,
    )
)
define_property(
    Property(
        "principal",
        "no eigenvalue is zero or a negative number, so that the principal root and logarithm exist",
        dense=True,
        source="Higham 2008, ch. 1.7",
        implies=("invertible",),
        square=True,
        conic=True,
        sample=_principal,
        elsewhere=_turned_far,
        holds=_is_principal,
    )
)
define_property(
    Property(
        "positive_stable",
        "every eigenvalue has a positive real part",
        dense=True,
        source="Horn & Johnson 1991, ch. 2",
        implies=("principal",),
        square=True,
        conic=True,
        sample=_positive_stable,
        holds=_is_positive_stable,
    )
)
