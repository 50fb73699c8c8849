# ruff: noqa: RUF001  # signs of the language and their look-alikes are what this table is about
"""The table of mistakes. To add one, write a row; the tests read the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matcalc.language.mistakes import (
    attributes,
    brackets,
    characters,
    latex,
    notation,
    operators,
    statements,
    transposes,
)
from matcalc.language.mistakes.recogniser import Recogniser, matching, unread
from matcalc.language.mistakes.situation import Situation
from matcalc.language.refusals import Finding


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row: examples and what each becomes (or nothing), what is said and why, and how it is recognised."""

    examples: Mapping[str, str]
    says: str
    find: Recogniser
    why: str = ""


def explain(situation: Situation) -> Finding:
    """The finding of the first row that applies; there is always one."""
    for row in MISTAKES:
        hit = row.find(situation)
        if hit is not None:
            return Finding(row.says.format(*hit.words), hit.span, row.why, hit.suggestion)
    message = f"{situation.word[:40]!r} cannot stand here" if situation.word else "the text ends too early"
    return Finding(message, situation.span, "", "")


_NO_COMPARISON = "where(c, a, b) is a where c > 0 and b elsewhere"

MISTAKES: tuple[Mistake, ...] = (
    Mistake({"": "x'*A*x"}, "there is nothing to read here", statements.empty, "an expression is expected"),
    Mistake(
        {"x\u202e + y": "x + y"},
        "a character that cannot be seen: {0}",
        characters.hidden,
        "such characters are refused",
    ),
    Mistake(
        {"`x'*A*x`": "x'*A*x", '"x\'*A*x"': "x'*A*x"},
        "quotes around an expression are not part of it",
        transposes.quotes_around,
    ),
    Mistake(
        {r"\frac{1}{2} x^\top A x": "(1)/(2)*x'*A*x"},
        "this is LaTeX",
        latex.latex,
        "the language is plain: a/b, A*x, x', norm2(x)",
    ),
    Mistake(
        {"||x||": "norm2(x)", "∥x∥": "norm2(x)", "‖A‖_F": "norm_fro(A)", "‖x‖_2": "norm2(x)"},
        "a norm is written as a function",
        notation.norm_in_bars,
    ),
    Mistake(
        {"2 + |x|": "2 + abs(x)"},
        "the absolute value is written as a function",
        notation.absolute_value_in_bars,
        "abs(x) is elementwise; norm2(x) is the length of a vector; det(A) the determinant",
    ),
    Mistake(
        {"√x": "sqrt(x)", "∑x": "sum(x)", "∏(x + y)": "prod(x + y)"},
        "'{0}' is written as the function {1}",
        notation.prefixed,
    ),
    Mistake(
        {"∇f": ""},
        "'{0}' is not part of an expression",
        notation.derivative_sign,
        "type the function itself; which derivative is wanted is asked for beside it",
    ),
    Mistake(
        {"A^-T": "inv(A)'", "A⁻ᵀ": "inv(A)'"},
        "the inverse transpose is written with inv",
        transposes.inverse,
    ),
    Mistake(
        {"x’*y": "x'*y"},
        "the character '{0}' ({1}) is not in the language; type {2}",
        characters.replaced(characters.SYMBOLS.get),
    ),
    Mistake(
        {"\u0430*x": "a*x"},
        "the character '{0}' ({1}) is not in the language; type '{2}'",
        characters.replaced(characters.lookalike),
        "it looks like the other one and is a different character",
    ),
    Mistake(
        {"torch.exp(x)": "exp(x)", "np.linalg.inv(A)": "inv(A)"},
        "functions have no module in front; '{0}.' is too much",
        attributes.function_of_module,
    ),
    Mistake({"A.H*x": "A.T*x"}, "there is no '{0}': all is real, and the transpose is .T", transposes.conjugate),
    Mistake({"x.T()*y": "x.T*y"}, "'{0}' takes no brackets", transposes.called),
    Mistake(
        {
            "x.transpose()*y": "x.T*y",
            "x.dot(y)": "dot(x, y)",
            "(x + y).sum()": "sum(x + y)",
            "A.matmul(x)": "A*x",
        },
        "'{0}' is a method; functions are written in front",
        attributes.method,
    ),
    Mistake(
        {"x.T.A": "x.T*A", "x.TA": "x.T*A"},
        "'{0}' cannot follow; a product is written with *",
        attributes.dotted_product,
    ),
    Mistake({"x.shape": ""}, "'{0}' cannot follow; after a dot only .T, .mT and .t() can", unread("ATTRIBUTE")),
    Mistake({"x.'*y": "x'*y"}, "the transpose is written without a dot", transposes.dotted),
    Mistake({"A^'*x": "A'*x"}, "the transpose is written without ^", transposes.raised),
    Mistake(
        {"lambda x: x'*x": "x'*x"},
        "an expression stands alone, without lambda",
        matching(r"\blambda\b[^:\n]{0,99}:\s*", ""),
    ),
    Mistake(
        {"import os": "", "return x'*x": "x'*x"},
        "'{0}' is Python; an expression is expected",
        statements.python,
    ),
    Mistake(
        {"'abc": "", 'x + "y"': ""},
        "{0} is the transpose of what stands before it, and nothing does",
        transposes.of_nothing,
    ),
    Mistake(
        {"x!": "exp(lgamma(x + 1))"},
        "there is no factorial",
        notation.factorial,
        "lgamma(x + 1) is its logarithm",
    ),
    Mistake(
        {"x % the input": "x # the input"},
        "comments start with #, and there is no remainder",
        matching("%", "#"),
    ),
    Mistake({"{a + b}*x": "(a + b)*x"}, "curly brackets are not used; type ( and )", brackets.curly),
    Mistake({"x != y": ""}, "there are no comparisons", matching("!=|[<>]=?|[≤≥≠≈]"), _NO_COMPARISON),
    Mistake({"x & y": ""}, "there is no '{0}'", matching(r"([&|~!?])", None, (1,)), _NO_COMPARISON),
    Mistake({"r := A*x; r'*r": "r = A*x; r'*r"}, "a shared part is named with =", statements.walrus),
    Mistake(
        {"r == A*x; r'*r": "r = A*x; r'*r"},
        "there are no comparisons; = names a shared part",
        statements.doubled_equals,
        _NO_COMPARISON,
    ),
    Mistake(
        {"sum(X, axis=0)": "sum(X, 0)"},
        "arguments have no names; '{0}=' is too much",
        statements.keyword,
    ),
    Mistake({"f(x) = x'*A*x": "x'*A*x"}, "a function is typed as its expression alone", statements.definition),
    Mistake(
        {"A*x = b": ""},
        "an equation is not an expression",
        unread("EQUALS"),
        "name = expression; names a shared part",
    ),
    Mistake(
        {"A: matrix(n, n); x'*A*x": "let A: matrix(n, n); x'*A*x"},
        "a declaration starts with let",
        statements.no_let,
    ),
    Mistake(
        {
            "let x: vector(n) positive; sum(log(x))": "let x: vector(n; positive); sum(log(x))",
            "let A: matrix(n, n; symmetric), invertible; det(A)": "let A: matrix(n, n; symmetric, invertible); det(A)",
            "let x: scalar nonzero, positive; log(x)": "let x: scalar(; nonzero, positive); log(x)",
        },
        "what is declared of a name stands within the brackets, behind a ;",
        statements.properties_outside,
    ),
    Mistake(
        {"let A matrix(n, n); A": "let A: matrix(n, n); A"},
        "':' is missing between {0} and {1}",
        statements.no_colon,
    ),
    Mistake({"x[0:4:2]": ""}, "slices have no step", brackets.step),
    Mistake({"0,5*x": "0.5*x"}, "decimals are written with a point", statements.decimal_comma),
    Mistake({"x, y": "[x, y]"}, "a text is one expression; a comma belongs into brackets", statements.several),
    Mistake(
        {"x[i]": "", "x[1.5]": ""},
        "an index is an integer that is written out, not {0!r}",
        unread("INDEX"),
        "the first is 0",
    ),
    Mistake({"A[0, 1, 2]": ""}, "there are two axes, and this is a third", unread("AXIS")),
    Mistake(
        {"[[1, 2], [3, 4]]": "[1, 2; 3, 4]"},
        "rows of a block are separated by ;",
        unread("NESTED", brackets.lists_as_rows),
        "lists in a list mean rows in NumPy and one long row in Octave",
    ),
    Mistake({"(x + y]": "(x + y)"}, "'{0}' is closed by '{1}'", brackets.mismatched),
    Mistake({"x + y)": "x + y", ")(": ""}, "'{0}' closes nothing", brackets.closes_nothing),
    Mistake({"x*(A + B": "x*(A + B)"}, "'{0}' is never closed", brackets.never_closed),
    Mistake(
        {"x[]": "", "atan2(x,, y)": ""},
        "there is nothing between '{0}' and '{1}'",
        brackets.nothing_between,
    ),
    Mistake({"x +": "", "x^": "", "norm(x)**": ""}, "there is nothing after '{0}'", operators.nothing_after),
    Mistake(
        {"x\n* y": "x * y", "x\n+ y": "x + y"},
        "a line goes on where it ends with an operator, not where the next one starts with '{0}'",
        operators.starts_line,
    ),
    Mistake({"(* x)": ""}, "there is nothing before '{0}'", operators.nothing_before),
    Mistake(
        {"x // y": "x / y"},
        "'//' is neither a division nor a comment; a comment starts with #",
        operators.two_slashes,
    ),
    Mistake({"x */ y": ""}, "there is nothing between '{0}' and '{1}'", operators.two_operators),
    Mistake(
        {"log x": "log(x)"},
        "a function has brackets around its arguments: {0}(...)",
        operators.function_without_brackets,
    ),
    Mistake({"1_000*x": "1000*x"}, "digits are not grouped", operators.grouped_digits),
    Mistake({"[A, B\n C, D]": "[A, B;\n C, D]"}, "rows of a block are separated by ;", brackets.row_on_new_line),
    Mistake(
        {"2x": "2*x", "A x + 3 y": "A*x + 3*y", "(a)(b)": "(a)*(b)", "A'B": "A'*B"},
        "'*' is missing between '{0}' and '{1}'",
        operators.side_by_side,
    ),
    Mistake({"r = A*x": "r = A*x; r"}, "the text ends without an expression", statements.no_result),
    Mistake({"x; y": ""}, "a text is one expression, and {0!r} is a second", unread("SECOND_RESULT")),
    Mistake({"r*x; r = 2": ""}, "the expression comes last, after what it uses", unread("EARLY_RESULT")),
    Mistake(
        {"x ☃ y": ""},
        "the character '{0}' ({1}) is not in the language",
        characters.replaced(lambda character: ""),
    ),
)
"""The table. The order matters: the first row that applies is the one that speaks."""
