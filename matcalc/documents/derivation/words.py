r"""Words of a reason, fit for LaTeX's text mode: no sign of theirs is a command of its own."""

from __future__ import annotations

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "∇": r"$\nabla$",
    "δ": r"$\delta$",
    "⊗": r"$\otimes$",
    "·": r"$\cdot$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "…": r"\dots{}",
}


def escaped_words(words: str) -> str:
    r"""``words`` for text mode.

    >>> print(escaped_words("x_1 & 50% of ∇f"))
    x\_1 \& 50\% of $\nabla$f
    """
    return "".join(_SIGNS.get(sign, sign) for sign in words)
