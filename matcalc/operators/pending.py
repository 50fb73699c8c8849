r"""The differential of an expression before its rule has been used: what stands in the lines of a derivation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression.formula import Formula
from matcalc.expression.operator import Operator, define
from matcalc.expression.piece import ATOM, POWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matcalc.expression.nodes import Node


def _latex(node: Node, pieces: Sequence[Formula], size: Any) -> Formula:
    return Formula(rf"\mathrm{{d}}{pieces[0].within(ATOM)}", POWER, differential=pieces[0].level >= ATOM)


define(
    Operator(
        "pending",
        says="the differential of an expression, to be carried out: found in the lines of a derivation alone",
        source="Magnus & Neudecker 2019, ch. 5",
        notation=True,
        role="pending",
        shape=lambda args, params: args[0].shape,
        written=lambda node, args, size: f"d({args[0]})",
        latex=_latex,
    )
)
