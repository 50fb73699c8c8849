r"""Presentation MathML from the LaTeX that matcalc prints, so that a page needs neither script nor font.

It reads the part of LaTeX's math mode that the records and the printer write, and no more: a command that is not listed
here is an error, so that nothing is dropped in silence. Every character of text is escaped. The frames are kept on a
list, so depth is bounded by memory alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from matcalc.errors import UnsupportedError

_LEXEME = re.compile(r"\\[A-Za-z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
_OPERATORS = {
    "odot": "⊙", "oslash": "⊘", "otimes": "⊗", "oplus": "⊕", "times": "×", "cdot": "⋅", "star": "⋆", "circ": "∘",
    "le": "≤", "ge": "≥", "leq": "≤", "geq": "≥", "ne": "≠", "neq": "≠", "in": "∈", "to": "→", "mapsto": "↦", "pm": "±",
    "approx": "≈", "equiv": "≡", "colon": ":", "succ": "≻", "succeq": "⪰", "ldots": "…", "cdots": "⋯", "dots": "…",
    "quad": "\u2003", "Rightarrow": "⇒", "Longrightarrow": "⟹", "top": "⊤", "implies": "⟹", "mid": "|", "lt": "<",
    "gt": ">", "ast": "∗", "prime": "′",
}  # fmt: skip
_LIMITS = {r"\sum": "∑", r"\prod": "∏"}  # written as commands, for no operator is meant
_LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "nabla": "∇", "partial": "∂", "infty": "∞", "ell": "ℓ",
}  # fmt: skip
_FUNCTION = re.compile("(sin|cos|tan|cot)h?|arc(sin|cos|tan)|exp|log|ln|max|min|det|dim|ker|gcd|sup|inf|lim|Pr|arg")
_FENCES = {
    "lvert": "|", "rvert": "|", "lVert": "‖", "rVert": "‖", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊",
    "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "{": "{", "}": "}", "vert": "|", "Vert": "‖",
}  # fmt: skip
_SPACES = {",": "0.167em", ":": "0.222em", ";": "0.278em", " ": "0.25em", "!": "-0.167em", "qquad": "2em"}
_ARGUMENTS = {
    "frac": 2, "tfrac": 2, "dfrac": 2, "sqrt": 1, "operatorname": 1, "mathbf": 1, "boldsymbol": 1, "mathrm": 1,
    "mathit": 1, "mathcal": 1, "mathbb": 1, "text": 1, "bar": 1, "hat": 1, "tilde": 1, "overline": 1,
    "underbrace": 1, "textbf": 1,
}  # fmt: skip
_ACCENTS = {"bar": "¯", "hat": "^", "tilde": "~", "overline": "¯"}
_NAMES = frozenset({"operatorname", "mathbf", "boldsymbol", "mathrm", "mathit", "mathcal", "mathbb", "text", "textbf"})
_ENVIRONMENTS = {"bmatrix": ("[", "]"), "pmatrix": ("(", ")"), "matrix": ("", ""), "cases": ("{", ""),
                 "aligned": ("", ""), "vmatrix": ("|", "|")}  # fmt: skip
_BOLD_DIGIT, _BOLD_UPPER, _BOLD_LOWER = 0x1D7CE, 0x1D400, 0x1D41A
_BOARD = {"R": "ℝ", "N": "ℕ", "E": "𝔼", "P": "ℙ", "C": "ℂ", "Z": "ℤ"}


def mathml(latex: str, *, display: bool = False) -> str:
    r"""A ``math`` element for what is written in LaTeX's math mode; the LaTeX itself is its annotation.

    Raises:
        UnsupportedError: for a command that matcalc does not write.

    >>> mathml(r"A^\top x", display=True)[:83]
    '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><semantics><mrow><'
    """
    shown = ' display="block"' if display else ""
    body = _Reader().read(latex)
    note = f'<annotation encoding="application/x-tex">{escape(latex)}</annotation>'
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{shown}><semantics>{body}{note}</semantics></math>'


@dataclass
class _Item:
    """One piece of MathML with what stands below and above it."""

    body: str
    below: str = ""
    above: str = ""
    has_limits: bool = False
    is_function: bool = False

    def __str__(self) -> str:
        if not (self.below or self.above):
            return self.body
        both = self.below and self.above
        if self.has_limits:
            tag = "munderover" if both else "munder" if self.below else "mover"
        else:
            tag = "msubsup" if both else "msub" if self.below else "msup"
        return f"<{tag}>{self.body}{self.below}{self.above}</{tag}>"


@dataclass
class _Pending:
    """A command that still lacks arguments; ``base`` is what a script belongs to."""

    name: str
    missing: int
    given: list[str] = field(default_factory=list)
    base: _Item | None = None


@dataclass
class _Frame:
    """What is open: a group, a pair of fences, an environment."""

    kind: str
    opened: str = ""
    items: list[_Item] = field(default_factory=list)
    pending: list[_Pending] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


class _Reader:
    def __init__(self) -> None:
        self.frames = [_Frame("whole")]

    def read(self, latex: str) -> str:
        lexemes = _lexemes(latex)
        for lexeme in lexemes:
            self._take(lexeme, lexemes, latex)
        frame = self.frames.pop()
        if frame.kind != "whole" or frame.pending or self.frames:
            raise UnsupportedError(f"this LaTeX does not end: {latex[-40:]!r}")
        return _row(frame.items)

    def _take(self, lexeme: str, lexemes: Iterator[str], latex: str) -> None:
        frame = self.frames[-1]
        if lexeme.isspace():
            return
        if lexeme == "{":
            self.frames.append(_Frame("group"))
        elif lexeme == "}":
            self._close("group", latex)
        elif lexeme in "^_":
            base = frame.items.pop() if frame.items else _Item("<mrow></mrow>")
            frame.pending.append(_Pending(lexeme, 1, base=base))
        elif lexeme == "&":
            frame.rows[-1].append(_row(frame.items))
            frame.items.clear()
        elif lexeme == r"\\":
            frame.rows[-1].append(_row(frame.items))
            frame.items.clear()
            frame.rows.append([])
        elif lexeme.startswith("\\"):
            self._command(lexeme[1:], lexemes, latex)
        else:
            self._deliver(_character(lexeme))

    def _command(self, name: str, lexemes: Iterator[str], latex: str) -> None:
        if name == "left":
            self.frames.append(_Frame("fence", _fence(next(lexemes), latex)))
        elif name == "right":
            closing = _fence(next(lexemes), latex)
            inner = self._popped("fence", latex)
            body = f"<mrow>{_mark(inner.opened)}{_row(inner.items)}{_mark(closing)}</mrow>"
            self._deliver(_Item(body))
        elif name == "begin":
            self.frames.append(_Frame(_braced(lexemes), rows=[[]]))
        elif name == "end":
            self._end(_braced(lexemes), latex)
        elif name in _NAMES:
            self._deliver(_named(name, _braced(lexemes)))
        elif name in _ARGUMENTS:
            self.frames[-1].pending.append(_Pending(name, _ARGUMENTS[name]))
        else:
            self._deliver(_symbol(name))

    def _popped(self, kind: str, latex: str) -> _Frame:
        frame = self.frames.pop()
        if frame.kind != kind or frame.pending or not self.frames:
            raise UnsupportedError(f"this LaTeX does not match up: {latex[:60]!r}")
        return frame

    def _close(self, kind: str, latex: str) -> None:
        self._deliver(_Item(_row(self._popped(kind, latex).items)))

    def _end(self, name: str, latex: str) -> None:
        if name not in _ENVIRONMENTS:
            raise UnsupportedError(f"no MathML for the environment {name!r}")
        frame = self._popped(name, latex)
        if frame.items or frame.rows[-1]:
            frame.rows[-1].append(_row(frame.items))
        rows = "".join("<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in row) + "</mtr>" for row in frame.rows if row)
        opened, closed = _ENVIRONMENTS[name]
        sides = ' columnalign="right left"' if name == "aligned" else ""
        table = f"<mtable{sides}>{rows}</mtable>"
        self._deliver(_Item(f"<mrow>{_mark(opened)}{table}{_mark(closed)}</mrow>"))

    def _deliver(self, item: _Item) -> None:
        """Puts a finished piece where it belongs: to a command that waits for it, or into the row."""
        frame = self.frames[-1]
        while frame.pending:
            waiting = frame.pending[-1]
            waiting.given.append(str(item))
            if len(waiting.given) < waiting.missing:
                return
            frame.pending.pop()
            item = _finished(waiting)
        frame.items.append(item)


def _lexemes(latex: str) -> Iterator[str]:
    return iter(_LEXEME.findall(latex))


def _braced(lexemes: Iterator[str]) -> str:
    """The plain text of a group that holds no commands but escaped characters."""
    text: list[str] = []
    if next(lexemes, "") != "{":
        raise UnsupportedError("a name in LaTeX stands in braces")
    for lexeme in lexemes:
        if lexeme == "}":
            return "".join(text)
        if len(lexeme) > 1 and lexeme[0] == "\\" and lexeme[1].isalpha():
            raise UnsupportedError(f"no MathML for {lexeme} inside a name")
        text.append(lexeme.removeprefix("\\"))
    raise UnsupportedError("a name in LaTeX ends with a brace")


def _fence(lexeme: str, latex: str) -> str:
    name = lexeme.removeprefix("\\")
    if name in _FENCES:
        return _FENCES[name]
    if lexeme in "()[]|./":
        return lexeme.replace(".", "")
    raise UnsupportedError(f"no MathML for the fence {lexeme!r} in {latex[:60]!r}")


def _mark(fence: str) -> str:
    return f'<mo fence="true" stretchy="true">{escape(fence)}</mo>' if fence else ""


def _row(items: list[_Item]) -> str:
    """Pieces side by side; a function's name is applied to the fences that follow it."""
    parts = []
    for k, item in enumerate(items):
        parts.append(str(item))
        if item.is_function and k + 1 < len(items):
            parts.append("<mo>&#x2061;</mo>")
    return f"<mrow>{''.join(parts)}</mrow>" if len(parts) != 1 else parts[0]


def _character(lexeme: str) -> _Item:
    if lexeme[0].isdigit():
        return _Item(f"<mn>{escape(lexeme)}</mn>")
    if lexeme.isalpha():
        return _Item(f"<mi>{escape(lexeme)}</mi>")
    return _Item(f"<mo>{'−' if lexeme == '-' else escape(lexeme)}</mo>")


def _symbol(name: str) -> _Item:
    if name in _LETTERS:
        return _Item(f"<mi>{_LETTERS[name]}</mi>")
    if _FUNCTION.fullmatch(name):
        return _Item(f"<mi>{name}</mi>", is_function=True)
    large = _LIMITS.get(f"\\{name}")
    if large is not None:
        return _Item(f"<mo>{large}</mo>", has_limits=True)
    if name in _SPACES:
        return _Item(f'<mspace width="{_SPACES[name]}"></mspace>')
    if name in _OPERATORS:
        return _Item(f"<mo>{escape(_OPERATORS[name])}</mo>")
    if name in _FENCES:
        return _Item(f'<mo stretchy="false">{escape(_FENCES[name])}</mo>')
    if not name.isalpha():
        return _Item(f"<mo>{escape(name)}</mo>")
    raise UnsupportedError(f"no MathML for \\{name}")


def _named(command: str, text: str) -> _Item:
    shown = escape(text)
    if command == "operatorname":
        return _Item(f"<mi>{shown}</mi>", is_function=True)
    if command in ("mathbf", "boldsymbol"):
        tag = "mn" if text.isdigit() else "mi"
        return _Item(f"<{tag}>{escape(''.join(map(_bold, text)))}</{tag}>")
    if command == "mathbb":
        return _Item(f"<mi>{escape(''.join(_BOARD.get(c, c) for c in text))}</mi>")
    if command in ("text", "textbf"):
        return _Item(f"<mtext>{shown}</mtext>")
    if command == "mathit":
        return _Item(f'<mi style="font-style:italic">{shown}</mi>')
    return _Item(f'<mi mathvariant="normal">{shown}</mi>')


def _bold(character: str) -> str:
    for first, start in (("0", _BOLD_DIGIT), ("A", _BOLD_UPPER), ("a", _BOLD_LOWER)):
        place = ord(character) - ord(first)
        if character.isascii() and 0 <= place < (10 if first == "0" else 26):
            return chr(start + place)
    return character


def _finished(command: _Pending) -> _Item:
    given = command.given
    if command.name in "^_":
        assert command.base is not None, "a script has a base"
        base = command.base
        if command.name == "^":
            base.above = given[0]
        else:
            base.below = given[0]
        return base
    if command.name.endswith("frac"):
        return _Item(f"<mfrac>{given[0]}{given[1]}</mfrac>")
    if command.name == "sqrt":
        return _Item(f"<msqrt>{given[0]}</msqrt>")
    if command.name == "underbrace":
        return _Item(f"<munder>{given[0]}<mo>⏟</mo></munder>", has_limits=True)
    accent = _ACCENTS[command.name]
    return _Item(f'<mover accent="true">{given[0]}<mo>{accent}</mo></mover>')
