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


def _flat(term: Term) -> str:
    rows, cols = term.shape
    return "{0:a}.squeeze()" if rows == cols == 1 else "{0:a}.squeeze(-1)" if cols == 1 else "{0:a}.squeeze(-2)"


def _expand_flat(term: Term) -> str:
    sides = [word for word, size in zip(("{rows}", "{cols}"), term.shape, strict=True) if size != 1]
    return f"{{0:a}}.expand({', '.join(sides)})"


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
        "cholesky_logdet": "(2 * {0:a}.diagonal(dim1=-2, dim2=-1).log().sum(-1))[..., None, None]",
        "lu_factor": "torch.linalg.lu_factor({0})",
        "lu_solve": _lu_solve,
        "lu_logdet": "{0:a}.LU.diagonal(dim1=-2, dim2=-1).abs().log().sum(-1)[..., None, None]",
        "flat": _flat,
        "standing": "{0:a}.unsqueeze(-1)",
        "lying": "{0:a}.unsqueeze(-2)",
        "lone": "{0:a}[None, None]",
        "only": "{0:a}.squeeze(0)",
        "vector_of": "{0:a}[None]",
        "outer_product": "torch.outer({0}, {1})",
        "expand_flat": _expand_flat,
        "fill_flat": "torch.full((), {0}, {like})",
        "total_flat": "{0:a}.sum()",
    },
    like="dtype={0}.dtype, device={0}.device",
    like_nothing="dtype=torch.get_default_dtype()",
    moveaxis="torch.movedim",
    eye="torch.eye",
    einsum="torch.einsum",
    spelling=lambda lowers: lowers.torch,
    solves_right=True,
    guesses_vectors=True,
    scalar_endings={".sum((-2, -1), keepdim=True)": ".sum()", "[..., None, None]": ""},
)
