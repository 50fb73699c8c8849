r"""Words of a reason, fit for LaTeX's text mode and for Markdown: no sign of theirs is a command of its own."""

from __future__ import annotations

SIGNS = {
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
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "∇": r"$\nabla$",
    "⊗": r"$\otimes$",
    "·": r"$\cdot$",
}
"""What signs are in LaTeX's text mode."""

_IN_REASONS = {"|": r"\textbar{}", "δ": r"$\delta$", "≥": r"$\geq$", "≤": r"$\leq$", "…": r"\dots{}"}
_MARKS = frozenset("\\`*_{}[]<>#|$~&")


def escaped_words(words: str) -> str:
    r"""``words`` for text mode.

    >>> print(escaped_words("x_1 & 50% of ∇f"))
    x\_1 \& 50\% of $\nabla$f
    """
    return "".join(SIGNS.get(sign) or _IN_REASONS.get(sign, sign) for sign in words)


def markdown_words(words: str) -> str:
    r"""``words`` for Markdown.

    >>> print(markdown_words("X*inv(X) = I"))
    X\*inv(X) = I
    """
    return "".join(f"\\{sign}" if sign in _MARKS else sign for sign in words)
