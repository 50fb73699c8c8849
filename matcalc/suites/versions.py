"""Under which versions a result was found: one of other versions is no answer to the same question."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from matcalc.version import __version__

_DECIDING = ("torch", "sympy", "numpy", "mpmath", "opt_einsum", "lark")


@cache
def versions() -> dict[str, str]:
    """Of matcalc, with a hash of its sources, of Python, and of the libraries that a check computes with.

    >>> sorted(versions())[:3]
    ['lark', 'matcalc', 'mpmath']
    """
    found = {"matcalc": f"{__version__}+{_sources()}", "python": platform.python_version()}
    for name in _DECIDING:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def _sources() -> str:
    """The sources decide, and a version does not change with each of their changes."""
    root = Path(__file__).parent.parent
    whole = hashlib.sha256()
    for file in sorted([*root.rglob("*.py"), *root.rglob("*.lark")]):
        whole.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()[:12]
