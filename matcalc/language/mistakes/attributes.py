"""What follows a dot in Python: functions of a module, methods, products."""

from __future__ import annotations

import re
from itertools import takewhile

from matcalc.language.mistakes.recogniser import Hit
from matcalc.language.mistakes.situation import Lexeme, Situation

_MODULES = frozenset((
    "torch", "np", "numpy", "jnp", "jax", "sp", "sympy", "scipy", "math", "cmath", "F", "nn", "tf", "mx",
    "linalg",
))  # fmt: skip
_FUNCTIONS = {
    "inverse": "inv",
    "pinverse": "pinv",
    "slogdet": "logdet",
    "matrix_exp": "expm",
    "cholesky": "chol",
}
_PRODUCTS = {"matmul": "*", "mm": "*", "mv": "*", "bmm": "*", "mul": " .* ", "multiply": " .* ", "add": " + "}
_TRANSPOSES = frozenset(("T", "mT", "transpose", "conj", "adjoint", "H", "mH", "conjugate"))


def function_of_module(situation: Situation) -> Hit | None:
    """`torch.exp(x)` and `np.linalg.inv(A)`."""
    module = situation.before
    if situation.kind != "ATTRIBUTE" or module.text not in _MODULES:
        return None
    *_, last = takewhile(_is_attribute, situation.lexemes[situation.index :])
    name = _FUNCTIONS.get(last.text[1:], last.text[1:])
    span = module.span.to(last.span)
    return Hit(span, situation.edited(span, name), (module.text, name))


def _is_attribute(lexeme: Lexeme) -> bool:
    """Whether a token is `.inv`, or `.T`, which is a transpose to the grammar."""
    return lexeme.kind in ("ATTRIBUTE", "TRANSPOSE") and lexeme.text.startswith(".")


def method(situation: Situation) -> Hit | None:
    """`x.sum()`, `A.inv()`, `x.dot(y)`, `x.transpose()`."""
    close = situation.partner(situation.index + 1)
    if situation.kind != "ATTRIBUTE" or situation.after.kind != "OPEN" or close is None:
        return None
    receiver, end = situation.operand_before, situation.lexemes[close].span
    inside = situation.text[situation.after.span.end : end.start].strip()
    new = _as_function(receiver.cut(situation.text), situation.word[1:], inside)
    return Hit(situation.span, situation.edited(receiver.to(end), new), (situation.word,))


def _as_function(receiver: str, name: str, inside: str) -> str:
    if name in _PRODUCTS:
        return f"{receiver}{_PRODUCTS[name]}{inside}"
    if name in _TRANSPOSES:
        return f"{receiver}.T"
    if receiver.startswith("(") and receiver.endswith(")") and "(" not in receiver[1:]:
        receiver = receiver[1:-1]
    return f"{_FUNCTIONS.get(name, name)}({receiver}{', ' if inside else ''}{inside})"


def dotted_product(situation: Situation) -> Hit | None:
    """`x.T.A`, `x.TA`: a dot, or nothing, where a product is meant."""
    if situation.kind != "ATTRIBUTE" or not re.fullmatch(r"\.(?:[A-Z]|T[A-Za-z])", situation.word):
        return None
    new = f".T*{situation.word[2:]}" if len(situation.word) > 2 else f"*{situation.word[1:]}"
    return Hit(situation.span, situation.edited(situation.span, new), (situation.word,))
