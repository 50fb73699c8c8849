"""What to say of a reading that has a meaning and may not be the one meant."""

from __future__ import annotations

from collections.abc import Collection

from matcalc.language.kinds import MATRIX
from matcalc.language.preferences import preferred
from matcalc.language.scene import Scene
from matcalc.language.tree import Binary, Name

_POWERS = ("^", ".^")


def notes(made: Scene, scalars: Collection[str]) -> tuple[str, ...]:
    """Sentences on powers of names that nothing declares, of which ``scalars`` came out as scalars."""
    found: dict[str, None] = {}
    for node in made.nodes:
        if not isinstance(node, Binary) or node.operator not in _POWERS or not isinstance(node.left, Name):
            continue
        name = node.left.name
        if name in made.known or name not in scalars:
            continue
        whole = node.span.cut(made.text)
        if name == "e":
            exponent = node.right.span.cut(made.text)
            plain = exponent.strip("()")
            inside = plain if exponent == f"({plain})" else exponent
            found[f"in {whole} e is a name, a scalar; the exponential function is exp({inside})"] = None
        elif preferred(name) == MATRIX and node.operator == "^" and id(node.right) not in made.numbers:
            found[f"in {whole} {name} is a scalar: the power of a matrix has a number as exponent, as in {name}^2"] = (
                None
            )
    return tuple(found)
