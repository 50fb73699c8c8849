"""matcalc: matrix calculus derived symbolically and checked against automatic differentiation.

>>> import matcalc as mc
>>> print(mc.grad("x.T*A*x - b.T*x", "x"))
(A + A.T)*x - b
"""

from __future__ import annotations

import importlib
from typing import Any

from matcalc import operators as _operators  # noqa: F401  the definitions fill the tables
from matcalc import properties as _properties  # noqa: F401
from matcalc.errors import (
    CheckError,
    DeviceError,
    DomainError,
    LimitError,
    MatcalcError,
    ParseError,
    ShapeError,
    UnsupportedError,
)
from matcalc.version import __version__

_LAZY = {
    **dict.fromkeys(("Derivative", "grad"), "derivative"),
    **dict.fromkeys(("Expression", "Variable", "parse"), "parsed"),
    **dict.fromkeys(("hvp", "jvp", "vjp"), "directional_derivatives"),
    **dict.fromkeys(("hessian", "jacobian"), "jacobians"),
    "Jacobian": "jacobian_record",
    **dict.fromkeys(("check", "verify"), "verification"),
    "Limits": "limits",
    "replay": "recorded_checks",
}
_MODULES = ("testing",)

__all__ = [
    "CheckError",
    "DeviceError",
    "DomainError",
    "LimitError",
    "MatcalcError",
    "ParseError",
    "ShapeError",
    "UnsupportedError",
    "__version__",
    *sorted(_LAZY),
    "testing",
]


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used."""
    if name in _LAZY:
        return getattr(importlib.import_module(f"matcalc.{_LAZY[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"matcalc.{name}")
    raise AttributeError(f"module 'matcalc' has no attribute {name!r}")
