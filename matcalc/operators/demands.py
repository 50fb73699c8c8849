"""What an operator demands to know of its argument before anything is derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.errors import DomainError
from matcalc.expression.sizes import written_shape

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node


def known_symmetric(name: str, argument: Node, declared: str = "symmetric") -> Node:
    """``argument``, which declarations or its form show to be symmetric.

    What ``name`` means for another matrix is a matter of convention (libraries read one triangle, or differentiate as
    if they had read both), so no derivative of it would be true.

    Raises:
        DomainError: where it is not known to be symmetric; it says what to declare.
    """
    if argument.is_scalar or "symmetric" in argument.facts or not argument.is_square:
        return argument
    if argument.op == "variable":
        letter, (rows, cols) = argument.params[0], argument.shape
        raise DomainError(
            f"{name} is defined for a symmetric matrix, and {letter} is not known to be one",
            why=f"for its symmetric part write {name}(({letter} + {letter}')/2)",
            suggestion=f'--let "{letter}: matrix({rows}, {cols}; {declared})"',
        )
    letters = ", ".join(sorted(argument.free))
    raise DomainError(
        f"{name} is defined for a symmetric matrix, and this {written_shape(argument.shape)} is not known to be one",
        why=f"declare what makes it so of {letters} (as in A: matrix(n, n; {declared})), or write its symmetric part, "
        f"{name}((M + M')/2) for M = …",
    )
