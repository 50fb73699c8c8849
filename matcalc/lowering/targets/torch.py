"""How PyTorch is spelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.lowering.targets import Target

if TYPE_CHECKING:
    from matcalc.lowering.terms import Term


def _solve(term: Term) -> str:
    (left,) = term.params
    return "torch.linalg.solve({0}, {1})" if left else "torch.linalg.solve({0}, {1}, left=False)"


def _solve_triangular(term: Term) -> str:
    upper, left = term.params
    side = "" if left else ", left=False"
    return f"torch.linalg.solve_triangular({{0}}, {{1}}, upper={upper}{side})"


def _lu_solve(term: Term) -> str:
    left, turned = term.params
    side = "" if left else ", left=False"
    return f"torch.linalg.lu_solve(*{{0}}, {{1}}{side}{', adjoint=True' if turned else ''})"


TARGET = Target(
    name="torch",
    imports={"torch": "import torch", "math": "import math"},
    templates={
        "transpose": "{0:a}.mT",
        "sqrt": "{0:a}.sqrt()",
        "square": "{0:a}.square()",
        "expand": "{0:a}.expand(*{0:a}.shape[:-2], {rows}, {cols})",
        "fill": "torch.full((1, 1), {0}, {like})",
        "total": "{0:a}.sum((-2, -1), keepdim=True)",
        "solve": _solve,
        "solve_triangular": _solve_triangular,
        "cholesky": "torch.linalg.cholesky({0})",
        "cholesky_solve": "torch.cholesky_solve({0}, {1})",
        "cholesky_inverse": "torch.cholesky_inverse({0})",
        "lu_factor": "torch.linalg.lu_factor({0})",
        "lu_solve": _lu_solve,
        "adjugate": "_adjugate({0})",
    },
    like="dtype={0}.dtype, device={0}.device",
    like_nothing="dtype=torch.get_default_dtype()",
    moveaxis="torch.movedim",
    eye="torch.eye",
    einsum=("torch.einsum", ""),
    spelling=lambda lowers: lowers.torch,
    solves_right=True,
    guesses_vectors=True,
)
