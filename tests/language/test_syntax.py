"""Text becomes the tree that the language says, with exact spans, or a MatcalcError."""

# the signs of the language are what is tested
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcalc.errors import LimitError, MatcalcError, ParseError, Span
from matcalc.language.syntax import declaration, declarations, read
from matcalc.language.tree import (
    Binary,
    Block,
    Call,
    Index,
    Name,
    Number,
    Sign,
    Slice,
    Transpose,
    children,
    children_first,
)
from matcalc.limits import Limits


def shape(node) -> str:
    """The tree as an s-expression."""
    below = " ".join(shape(child) for child in children(node))
    match node:
        case Number(value=value):
            return str(value)
        case Name(name=name):
            return name
        case Sign(negative=negative):
            return f"({'neg' if negative else 'pos'} {below})"
        case Binary(operator=operator):
            return f"({operator} {below})"
        case Transpose():
            return f"(t {below})"
        case Index(items=items):
            return f"(at {below} {' '.join(map(_item, items))})"
        case Call(function=function):
            return f"({function}() {below})"
        case Block(rows=rows):
            return "[" + "; ".join(" ".join(map(shape, row)) for row in rows) + "]"
    raise AssertionError(node)


def _item(item) -> str:
    return str(item) if isinstance(item, int) else f"{item.start}:{item.stop}".replace("None", "")


def tree(text: str, **options) -> str:
    return shape(read(text, **options).result)


PRECEDENCE = {
    "-x^2": "(neg (^ x 2))",
    "-x'": "(neg (t x))",
    "x'^2": "(^ (t x) 2)",
    "x^2'": "(^ x (t 2))",
    "x^y^z": "(^ x (^ y z))",
    "x.^y^z": "(.^ x (^ y z))",
    "A^-1": "(^ A (neg 1))",
    "A^-1*b": "(* (^ A (neg 1)) b)",
    "2^-x^2": "(^ 2 (neg (^ x 2)))",
    "2*-x": "(* 2 (neg x))",
    "--x": "(neg (neg x))",
    "-A*x": "(* (neg A) x)",
    "1/2*tr(X)": "(* (/ 1 2) (tr() X))",
    "A*B.*C": "(.* (* A B) C)",
    r"A\b*c": r"(* (\ A b) c)",
    "a - b - c": "(- (- a b) c)",
    "a .+ b - c*d": "(- (.+ a b) (* c d))",
    "a .- b": "(.- a b)",
    "A⊗B*C": "(* (⊗ A B) C)",
    "(a + b)*c": "(* (+ a b) c)",
    "x[0]^2": "(^ (at x 0) 2)",
    "A[0, :]'": "(t (at A 0 :))",
    "A'[1:3, -1]": "(at (t A) 1:3 -1)",
    "A[:2][1:]": "(at (at A :2) 1:)",
    "f(x, y + 1)'": "(t (f() x (+ y 1)))",
    "(A*x)[0]": "(at (* A x) 0)",
    "x*[A, B; C, D]": "(* x [A B; C D])",
    "[[A; B], [C; D]]": "[[A; B] [C; D]]",
    "ones()": "(ones() )",
    "-x²": "(neg (^ x 2))",
    "x⁻¹*y": "(* (^ x (neg 1)) y)",
    "A⁻¹ᵀ": "(t (^ A (neg 1)))",
    "x'²": "(^ (t x) 2)",
    "x^(-1/2)": "(^ x (/ (neg 1) 2))",
    "transpose(x)": "(transpose() x)",
}


@pytest.mark.parametrize(("text", "expected"), PRECEDENCE.items())
def test_precedence(text, expected):
    assert tree(text) == expected


TRANSPOSES = {
    "x.T*y": ".T", "x'*y": "'", "xᵀ*y": "ᵀ", "x^T*y": "^T", "x.t()*y": ".t()", "x.mT*y": ".mT",
    "x⊤*y": "⊤", "x^⊤*y": "^⊤", "x^ᵀ*y": "^ᵀ", "x .t( ) * y": ".t()",
}  # fmt: skip


@pytest.mark.parametrize(("text", "written"), TRANSPOSES.items())
def test_every_way_to_transpose(text, written):
    result = read(text).result
    assert shape(result) == "(* (t x) y)"
    assert result.left.written == written


@pytest.mark.parametrize("text", ["let T: matrix(n, n); x^T", "T = 2; x^T", "let A, T: scalar; x^T"])
def test_declared_t_is_an_exponent(text):
    assert tree(text) == "(^ x T)"


def test_t_declared_outside_is_an_exponent():
    assert tree("x^T", names={"T"}) == "(^ x T)"
    assert tree("x^T*T") == "(* (t x) T)"
    assert tree("x^T(y)") == "(^ x (T() y))"


@pytest.mark.parametrize(
    ("glyph", "operator"),
    [
        ("**", "^"), (".**", ".^"), ("^", "^"), (".^", ".^"), ("·", "*"), ("⋅", "*"), ("×", "*"), ("*", "*"),
        ("@", "@"), ("\\", "\\"), ("⊙", ".*"), (".*", ".*"), ("./", "./"), ("/", "/"), ("⊗", "⊗"),
        ("−", "-"), ("-", "-"), ("+", "+"), (".+", ".+"), (".-", ".-"), (".−", ".-"),
    ],
)  # fmt: skip
def test_glyphs(glyph, operator):
    result = read(f"x {glyph} y").result
    assert (result.operator, result.glyph) == (operator, glyph)
    assert result.operator_span == Span(2, 2 + len(glyph))


def test_superscripts_keep_their_glyph():
    result = read("A⁻¹").result
    assert (result.operator, result.glyph, result.operator_span) == ("^", "⁻¹", Span(1, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.*x", "(.* 1 x)"), ("2./x", "(./ 2 x)"), ("2.^x", "(.^ 2 x)"), ("2.**x", "(.^ 2 x)"),
        ("1.5.*x", "(.* 3/2 x)"), ("3.T", "(t 3)"), ("1.+x", "(.+ 1 x)"), ("1. + x", "(+ 1 x)"),
        ("x.*y", "(.* x y)"), ("x.T.*y", "(.* (t x) y)"), ("x.*-y", "(.* x (neg y))"),
        (".5*x", "(* 1/2 x)"), ("1.e2*x", "(* 100 x)"), ("2'", "(t 2)"),
    ],
)  # fmt: skip
def test_points_after_numbers(text, expected):
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)), ("1e-3", Fraction(1, 1000)), ("1.5E+2", Fraction(150)),
        ("007", Fraction(7)), ("0.000", Fraction(0)), ("1e308", Fraction(10**308)),
        ("0" * 40 + "1", Fraction(1)),
        ("999999999999999999", Fraction(10**18 - 1)), ("0e5", Fraction(0)),
    ],
)  # fmt: skip
def test_numbers_are_exact(text, value):
    assert read(text).result.value == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("λ", "lambda"), ("lambda", "lambda"), ("α", "alpha"), ("ϵ", "epsilon"), ("ε", "epsilon"),
        ("π", "pi"), ("Σ", "Sigma"), ("λ_1", "lambda_1"),
        ("µ", "mu"), ("μ", "mu"), ("_x", "_x"), ("let", "let"),
    ],
)  # fmt: skip
def test_greek_letters_are_spelled_out(text, name):
    assert read(text).result.name == name


def test_greek_functions_are_spelled_out():
    assert tree("λ_max(A)") == "(lambda_max() A)"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("let A: matrix(n,n); (A + 1) * x", (20, 31)),
        ("  x  ", (2, 3)),
        ("x.t( )", (0, 6)),
        ("-x^2", (0, 4)),
        ("f( x )[0]", (0, 9)),
        ("[ A ]", (0, 5)),
        ("A^T", (0, 3)),
    ],
)
def test_spans_of_results(text, span):
    assert read(text).result.span == Span(*span)


@pytest.mark.parametrize("text", PRECEDENCE)
def test_every_span_reads_back_as_its_node(text):
    """A superscript alone is no expression; every other span is."""
    nodes = children_first(read(text).result)
    readable = [node for node in nodes if node.span.cut(text).strip("⁻¹²")]
    assert [tree(node.span.cut(text)) for node in readable] == [shape(node) for node in readable]


def test_spans_inside_an_expression():
    result = read("(a + b)*f(x)[0, 1:]").result
    assert result.left.span == Span(0, 7)
    assert result.right.span == Span(8, 19)
    assert result.right.item_spans == (Span(13, 14), Span(16, 18))
    assert result.right.items == (0, Slice(1, None))
    assert result.right.operand.function_span == Span(8, 9)


def test_program():
    text = "let A, B: matrix(m*n, n-1; symmetric, posdef)  # two\nr = A*x\ns = r;; r'*s;"
    program = read(text)
    first, second = program.declarations
    assert (first.name, second.name, first.kind) == ("A", "B", "matrix")
    assert first.properties == ("symmetric", "posdef")
    assert [span.cut(text) for span in first.property_spans] == ["symmetric", "posdef"]
    assert [shape(size) for size in first.sizes] == ["(* m n)", "(- n 1)"]
    assert second.name_span.cut(text) == "B"
    assert first.span.cut(text) == "let A, B: matrix(m*n, n-1; symmetric, posdef)"
    assert [(each.name, shape(each.value)) for each in program.bindings] == [("r", "(* A x)"), ("s", "r")]
    assert program.bindings[0].span.cut(text) == "r = A*x"
    assert program.bindings[0].name_span.cut(text) == "r"
    assert shape(program.result) == "(* (t r) s)"


@pytest.mark.parametrize(
    "text",
    [
        "x +\n y", "x\t+\r\ny", "(x\n+ y)", "\n\nx + y\n\n", "# a\nx + # b\ny # c",
        "let x: vector(n)\nx + y", "x + y;",
        ";x + y", "x + y # ünï ☃",
    ],
)  # fmt: skip
def test_newlines_and_comments(text):
    assert tree(text) == "(+ x y)"


def test_rows_of_a_block_may_be_lines():
    assert tree("[A, B;\n C, D]") == "[A B; C D]"


@pytest.mark.parametrize(
    ("text", "kind", "sizes", "properties"),
    [
        ("matrix(n, n; symmetric)", "matrix", ["n", "n"], ("symmetric",)),
        ("matrix(n, n, symmetric)", "matrix", ["n", "n"], ("symmetric",)),
        ("vector(3)", "vector", ["3"], ()),
        ("row(n+1; positive, unit)", "row", ["(+ n 1)"], ("positive", "unit")),
        ("scalar", "scalar", [], ()),
        ("scalar()", "scalar", [], ()),
        ("scalar(; positive)", "scalar", [], ("positive",)),
        ("scalar(positive)", "scalar", [], ("positive",)),
    ],
)
def test_declaration(text, kind, sizes, properties):
    for found in (declaration(text, "λ"), declaration(f"lambda: {text}"), declaration(f"let λ: {text}")):
        assert (found.name, found.kind, found.properties) == ("lambda", kind, properties)
        assert [shape(size) for size in found.sizes] == sizes
    assert declaration(text).name == ""


def test_declaration_with_another_name_or_several():
    with pytest.raises(ParseError, match="declares 'B' where 'A'"):
        declaration("B: scalar", "A")
    with pytest.raises(ParseError, match="one name"):
        declaration("A, B: scalar")
    with pytest.raises(ParseError, match="not a name"):
        declaration("scalar", "2x")
    assert [each.name for each in declarations("A, B: scalar")] == ["A", "B"]


OVER = {
    "text": " " * 17000,
    "tokens": "x" + "'" * 2000,
    "nesting": "(" * 101 + "x" + ")" * 101,
    "name_length": "a" * 33,
    "names": "+".join(f"x{place}" for place in range(257)),
    "integer_digits": "1" * 19,
    "decimal_exponent": "1e309",
    "scalar_power": "x^1025",
    "tower": "x^1^1^1",
}


@pytest.mark.parametrize(("limit", "text"), OVER.items())
def test_limit(limit, text):
    with pytest.raises(LimitError) as caught:
        read(text)
    error = caught.value
    assert (error.limit, error.allowed) == (limit, getattr(Limits(), limit))
    assert error.message.endswith(f"raise it with --limit {error.message.rsplit(' ', 1)[1]}")
    raised = error.message.rsplit(" ", 1)[1]
    assert raised.startswith(f"{limit}=")
    if limit != "text":
        read(text, Limits.parse([raised]))


def test_limit_on_nodes():
    with pytest.raises(LimitError, match="nodes=10"):
        read("a + b + c + d", Limits(nodes=5))


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("-" * 101 + "x", "nesting"),
        ("x" + "^a" * 101, "nesting"),
        ("[" * 101, "nesting"),
        ("(-" * 51 + "x" + ")" * 51, "nesting"),
        ("9^9^9^9^9", "scalar_power"),
        ("x^(9*9*9*9)", "scalar_power"),
        ("x.^-2000", "scalar_power"),
        ("x^1e300", "scalar_power"),
        ("x^(2^(2^2))", "tower"),
        ("2^1000*2^1000", "decimal_exponent"),
        ("(2^1000)^1000", "decimal_exponent"),
        ("2" + "² " * 30, "decimal_exponent"),
        ("0." + "1" * 309, "decimal_exponent"),
        ("x" + "²" * 9000, "integer_digits"),
        ("1e" + "9" * 9000, "decimal_exponent"),
        ("λ" * 6, "name_length"),
    ],
)
def test_further_limits(text, limit):
    with pytest.raises(LimitError) as caught:
        read(text)
    assert caught.value.limit == limit


@pytest.mark.parametrize(
    "text",
    [
        "x" + "'" * 1900,
        "+".join(["x"] * 900),
        "(" * 100 + "x" + ")" * 100,
        "x^2^3",
        "x^n^2",
        "x^2^n",
        "(1 + 1e-17)^1024",
        "x*2^1000",
        "2^0.5 + 1/0 + 0^-1",
    ],
)
def test_within_the_limits(text):
    assert read(text).result is not None


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10**6, "(" * 20000 + "x" + ")" * 20000, "((((", "'" * 10000, "x" + "'" * 3000, "x\0y", "\ud800",
        "#\udfff", "😀", "x + 😀",
        "\ufeffx", "x\u202e", "x\u2066", "x\u200b", "\x1b[31mx", "x " * 999, "(x)" * 600,
        "|" * 1900, "x|" * 900, "[(" * 900, "\\frac{" * 1000, "." * 1999, "x.a()" * 400, "x" + ".a(y)" * 400,
        "=" * 1900, "x!" * 900, ":" * 1900, "‖x" * 600, "[" * 90 + "x" + "]" * 90, "let " * 1900, "," * 1900,
        "lambda " * 1900, "²", "⁻", "x\u00a0",
    ],
    ids=lambda text: ascii(text[:12]),
)  # fmt: skip
def test_hostile_text_fails_with_a_sentence(text):
    read("x")
    for reader in (read, declarations):
        with pytest.raises(MatcalcError) as caught:
            reader(text)
        assert str(caught.value).replace("\n", "").isprintable()


PIECES = st.sampled_from(
    [
        *"xyAT123.'^*+-/\\()[],;:= \n#@!|{}%&\"`$⊙⊗ᵀ²⁻∑√λа",
        "let ",
        "matrix",
        ".T",
        ".t()",
        "torch.",
        "sum(",
        "|x|",
        "**",
    ]
)


def refusal(reader, text: str) -> MatcalcError | None:
    try:
        reader(text)
    except MatcalcError as error:
        return error
    return None


@pytest.mark.parametrize("reader", [read, declarations, declaration])
@given(text=st.one_of(st.text(), st.lists(PIECES, max_size=20).map("".join)))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(reader, text):
    """No other exception leaves; a refusal is printable and has a place; its suggestion parses."""
    error = refusal(reader, text)
    assert error is None or str(error).replace("\n", "").isprintable()
    assert not isinstance(error, ParseError) or min(error.line, error.column) >= 1
    assert error is None or not error.suggestion or refusal(reader, error.suggestion) is None


def test_reading_from_many_threads():
    texts = [f"x^{power} + y*{power}" for power in range(2, 200)]
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(tree, texts))
    assert trees == [f"(+ (^ x {power}) (* y {power}))" for power in range(2, 200)]


def test_importing_the_language_does_not_import_lark():
    code = "import sys, matcalc.language.syntax; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
