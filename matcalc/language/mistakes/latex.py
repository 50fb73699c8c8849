"""LaTeX, and the plain form of its commonest commands."""

from __future__ import annotations

import re

from matcalc.errors import Span
from matcalc.language.mistakes.recogniser import Hit
from matcalc.language.mistakes.situation import Situation
from matcalc.language.tokens import OPERAND_ENDS

_LATEX = re.compile(
    r"\\(?:[dt]?frac|cdot|times|top|intercal|mathbf|mathrm|mathsf|boldsymbol|bm|left|right|sum|sqrt|operatorname"
    r"|text|[lr]?Vert|odot|otimes|partial|nabla|begin|quad)(?![A-Za-z])|\$|[_^]\{|\\[|]"
)
_GROUP = r"\{([^{}]*)\}"
_PLAIN = [
    (r"\$|\\left(?![a-z])|\\right(?![a-z])|\\q?quad(?![a-z])|\\[,;!: ]", ""),
    (r"\^\{?\s*(?:\\top|\\intercal|\\mathsf\{?T\}?|T)(?![A-Za-z])\s*\}?", "'"),
    (r"\\[lr]?Vert(?![a-z])", r"\\|"),
    (r"\\\|([^\\|]*)\\\|(?:_2|_F)?", r"norm2(\1)"),
    (r"\\(?:mathbf|mathrm|mathsf|boldsymbol|bm|operatorname|text)\s*" + _GROUP, r"\1"),
    (r"\\sqrt\s*" + _GROUP, r"sqrt(\1)"),
    (r"\\[dt]?frac\s*" + _GROUP + r"\s*" + _GROUP, r"(\1)/(\2)"),
    (r"\^\{([^{}]*)\}", r"^(\1)"),
    (r"\\(?:cdot|times)(?![a-z])", "*"),
    (r"\\odot(?![a-z])", ".*"),
    (r"\\otimes(?![a-z])", "⊗"),
]
_LONGEST = 1000
_DEPTH = 4


def latex(situation: Situation) -> Hit | None:
    r"""`\frac{1}{2} x^\top A x`: a command, or a backslash where no division can be meant."""
    match = _LATEX.search(situation.text)
    begins = situation.word == "\\" and situation.before.kind not in OPERAND_ENDS
    if match is None and not begins:
        return None
    return Hit(situation.span if match is None else Span(*match.span()), _plain(situation.text))


def _plain(text: str) -> str:
    """The plain form of the commonest commands; whoever calls it checks that it parses."""
    if len(text) > _LONGEST:
        return ""
    for _ in range(_DEPTH):
        for expression, new in _PLAIN:
            text = re.sub(expression, new, text)
    text = re.sub(r"\\([A-Za-z]+)", r" \1", text).replace("{", "(").replace("}", ")")
    return " ".join(text.split())
