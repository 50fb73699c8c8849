"""What the grammar writes without a name, as forms that give a shape: ``(makes, shape, depth)`` to a text or None."""

from __future__ import annotations

from collections.abc import Callable

from domains import Makes
from shapes import length, written_size

from matcalc.expression.operator import TABLE
from matcalc.expression.sizes import Shape

Form = Callable[[Makes, Shape, int], str | None]
NUMBERS = ("2", "0.5", "1/3", "3", "1e-1", "pi/4", "0.25", "exp(1)/3")


def _inside(form: str, **needs: str) -> Form:
    """X, Y of the shape, T of its transpose's, r of its columns, c of its rows, s and t scalars, a number k."""
    letters = [name for name in "XYTrcst" if f"{{{name}}}" in form]

    def made(makes: Makes, shape: Shape, depth: int) -> str | None:
        rows, cols = shape
        shapes = {"X": shape, "Y": shape, "T": (cols, rows), "r": (1, cols), "c": (rows, 1), "s": (1, 1), "t": (1, 1)}
        texts = {name: f"({makes.text(shapes[name], depth - 1, needs.get(name, ''))})" for name in letters}
        return form.format(k=makes.random.choice(NUMBERS), rows=written_size(rows), cols=written_size(cols), **texts)

    return made


def _contextual(form: str, *, column: bool) -> Form:
    inside = _inside(form)
    return lambda makes, shape, depth: (
        inside(makes, shape, depth) if shape[0] != 1 and (shape[1] == 1) is column else None
    )


def _product(makes: Makes, shape: Shape, depth: int) -> str:
    inner = makes.random.choice(makes.sizes)
    sign = makes.random.choice(["*", "@"]) if shape != (1, 1) and 1 not in (*shape, inner) else "*"
    left, right = makes.text((shape[0], inner), depth - 1), makes.text((inner, shape[1]), depth - 1)
    if (shape[0], inner) == (1, 1) or (inner, shape[1]) == (1, 1):
        sign = "*"
    return f"({left}){sign}({right})"


def _square(form: str, needs: str = "") -> Form:
    def made(makes: Makes, shape: Shape, depth: int) -> str | None:
        if shape[0] != shape[1] or shape == (1, 1):
            return None
        return form.format(f"({makes.text(shape, depth - 1, needs)})")

    return made


def _column(form: str) -> Form:
    """A column (or its transpose) of a square matrix."""

    def made(makes: Makes, shape: Shape, depth: int) -> str | None:
        if shape[1] != 1:
            return None
        return form.format(f"({makes.text((shape[0], shape[0]), depth - 1)})")

    return made


def _solve(makes: Makes, shape: Shape, depth: int) -> str:
    needs = makes.random.choice(["invertible", "posdef"])
    matrix = makes.text((shape[0], shape[0]), depth - 1, needs)
    return (
        f"({matrix})\\({makes.text(shape, depth - 1)})"
        if shape[0] != 1
        else f"({makes.text(shape, depth - 1)})/({matrix})"
    )


def _element(makes: Makes, shape: Shape, depth: int) -> str | None:
    if shape != (1, 1):
        return None
    rows, cols = makes.random.choice(makes.sizes), makes.random.choice([*makes.sizes, 1])
    if length(rows) == 1:
        return None
    i, j = (makes.random.randrange(min(length(size), 2)) for size in (rows, cols))
    whole = makes.text((rows, cols), depth - 1)
    return f"({whole})[{i}]" if cols == 1 else f"({whole})[{i}, {j}]"


def _slice(makes: Makes, shape: Shape, depth: int) -> str | None:
    rows, cols = shape
    whole = makes.text((rows + 1, cols), depth - 1)
    stretch = makes.random.choice(["1:", f"0:{rows}" if isinstance(rows, int) else "1:"])
    return f"({whole})[{stretch}]" if cols == 1 else f"({whole})[{stretch}, :]"


def _row(makes: Makes, shape: Shape, depth: int) -> str | None:
    if shape[0] != 1 or shape[1] == 1:
        return None
    return f"({makes.text((makes.random.choice([2, 3]), shape[1]), depth - 1)})[1, :]"


def _stacked(axis: int) -> Form:
    name = next(op.name for op in TABLE.values() if op.stacks == axis)

    def made(makes: Makes, shape: Shape, depth: int) -> str | None:
        if not length(shape[axis]) > 1:
            return None
        one, rest = list(shape), list(shape)
        one[axis], rest[axis] = 1, shape[axis] - 1
        parts = [makes.text((one[0], one[1]), depth - 1), makes.text((rest[0], rest[1]), depth - 1)]
        makes.random.shuffle(parts)
        return f"{name}({', '.join(parts)})"

    return made


def _block(makes: Makes, shape: Shape, depth: int) -> str | None:
    rows, cols = shape
    if length(rows) < 2 or length(cols) < 2:
        return None
    parts = [makes.text(s, depth - 1) for s in ((1, 1), (1, cols - 1), (rows - 1, 1), (rows - 1, cols - 1))]
    return "[{}, {}; {}, {}]".format(*parts)


NOTATIONS: tuple[tuple[str, Form], ...] = (
    ("add", _inside("{X} + {Y}")),
    ("subtract", _inside("{X} - {k}*{Y}")),
    ("number", _inside("{k} - {X}")),
    ("spread", _inside("{X} .+ {r}")),
    ("spread a column", _inside("{c} .- {X}")),
    ("hadamard", _inside("{X}.*{Y}")),
    ("hadamard with a row", _inside("{X}.*{r}")),
    ("over", _inside("{X}./{Y}", Y="nonzero")),
    ("over a column", _inside("{X}./{c}", c="positive")),
    ("scale", _inside("{s}*{X}")),
    ("divide", _inside("{X}/{s}", s="nonzero")),
    ("negate", _inside("-{X}")),
    ("square", _inside("{X}.^2")),
    ("cube", _inside("{X}.^3")),
    ("root", _inside("{X}.^(1/2)", X="positive")),
    ("over a root", _inside("{X}.^(-1/2)", X="positive")),
    ("reciprocal", _inside("{X}.^(-1)", X="nonzero")),
    ("power", _inside("{X}.^tanh({Y})", X="positive")),
    ("power of a number", _inside("2.^({X}/3)")),
    ("power of a scalar", _inside("{s}^tanh({t})*{X}", s="positive")),
    ("transpose", _inside("{T}'")),
    ("transpose, as torch", _inside("{T}.T")),
    ("pi", _inside("sin(pi*{X}/5)")),
    ("size", _inside("{X}/size({Y}, 0)")),
    ("vector", _contextual("{X} + vector({s})", column=True)),
    ("matrix", _contextual("{X} - matrix({s})", column=False)),
    ("product", _product),
    ("product again", _product),
    ("matpow", _square("{}^2")),
    ("matpow 3", _square("(0.5*{})^3")),
    ("inverse power", _square("{}^-1", "invertible")),
    ("inverse square", _square("{}^(-2)", "invertible")),
    ("gram", _square("{0}'*{0}")),
    ("diagonal", _column("diag({})")),
    ("solve", _solve),
    ("index", _element),
    ("slice", _slice),
    ("row", _row),
    ("vstack", _stacked(0)),
    ("hstack", _stacked(1)),
    ("block", _block),
)  # fmt: skip
