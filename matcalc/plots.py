"""Pictures of a derivative: which of its entries are zero, and how far its code and differences are off.

They need matplotlib: ``pip install 'matcalc-checker[plots]'``. The same derivative, sizes and seed give the same bytes.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.checking.points import Point, is_large, point
from matcalc.checking.question import CheckOptions, Question
from matcalc.derivative import CALLED, Derivative
from matcalc.errors import CheckError, DeviceError, ParseError, ShapeError
from matcalc.jacobian_checks import linearised
from matcalc.jacobian_record import Jacobian
from matcalc.verification import asked_about, options_from

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("svg", "png", "pdf")
_LOOKS = 3
_ZERO = 1e-12
_STEPS = 60
_LARGEST_STEP, _SMALLEST_STEP = 0.0, -15.0
_SIZES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_WIDE = 72
_INK, _WARM, _COOL = "#1f5fa8", "#c0392b", "#2e7d32"


@dataclass(frozen=True)
class Structure:
    """The matrix of vec of a tensor at a point, and where it is zero wherever it was looked at.

    Attributes:
        values: the matrix at the first point; rows are the entries of the output, columns those of the name.
        nonzero: which entries were not zero at one of the points.
        sizes: the sizes there.
    """

    values: Any
    nonzero: Any
    sizes: Mapping[str, int]


def structure_of(derived: Jacobian, *, seed: int = 0, sizes: Mapping[str, int] | None = None) -> Structure:
    """The structure of a Jacobian or Hessian at a random point, and at others.

    Raises:
        CheckError: where no point inside the domain was found.

    >>> from matcalc.jacobians import jacobian
    >>> structure_of(jacobian("tanh(x)", "x"), sizes={"n": 3}).nonzero.astype(int).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    found = [_point(_question(derived), number, seed, dict(sizes or {})) for number in range(_LOOKS)]
    first = found[0]
    same = [at for at in found if at.sizes == first.sizes] or [first]
    matrices = [_matrix(derived, at) for at in same]
    nonzero = sum(abs(m) > _ZERO * (abs(m).max() or 1.0) for m in matrices) > 0
    return Structure(matrices[0], nonzero, first.sizes)


def structure(derived: Derivative, *, seed: int = 0, sizes: Mapping[str, int] | None = None) -> Any:
    """A heat map of a Jacobian or Hessian as the matrix of vec, beside its entries that are not zero.

    Returns:
        A matplotlib figure; :func:`drawn` makes bytes of it.

    Raises:
        ShapeError: for a gradient.
        CheckError: where no point inside the domain was found.
        DeviceError: where matplotlib is not installed.
    """
    if not isinstance(derived, Jacobian):
        raise ShapeError("a gradient has no structure to show", suggestion="the Hessian, or a Jacobian")
    figure_of, found = _figure(), structure_of(derived, seed=seed, sizes=sizes)
    rows, cols = found.values.shape
    figure = figure_of(figsize=(9, 4.2))
    heat, spy = figure.subplots(1, 2)
    largest = float(abs(found.values).max()) or 1.0
    shades = heat.imshow(
        found.values, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest"
    )
    figure.colorbar(shades, ax=heat)
    heat.set_title("entries at a random point", fontsize=9)
    spy.imshow(found.nonzero, cmap="Greys", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    count = int(found.nonzero.sum())
    spy.set_title(f"{count} of {rows * cols} entries are not zero", fontsize=9)
    for axes in (heat, spy):
        axes.set_xlabel(f"entries of {derived.wrt}")
        axes.set_ylabel("entries of the output")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.get_major_locator().set_params(integer=True)
    _entitle(figure, derived, found.sizes)
    return figure


@dataclass(frozen=True)
class Errors:
    """Relative errors, against arithmetic in 90 digits.

    Attributes:
        steps: of the differences, relative to the name's own size.
        one_sided, central: of differences along a random direction, for each step.
        sizes: the sizes at which the code was run, all size names being one number.
        float64, float32: of the code in either type, for each size.
    """

    steps: Sequence[float]
    one_sided: Sequence[float]
    central: Sequence[float]
    sizes: Sequence[int]
    float64: Sequence[float]
    float32: Sequence[float]


def errors_of(derived: Derivative, *, seed: int = 0) -> Errors:
    """How far differences and the derived code are off.

    Raises:
        CheckError: where no point inside the domain was found.

    >>> from matcalc.derivative import grad
    >>> found = errors_of(grad("sum(exp(x))", "x"))
    >>> min(found.central) < min(found.one_sided), max(found.float64) < 1e-14 < max(found.float32) < 1e-5
    (True, True)
    """
    question = _question(derived)
    steps, one_sided, central = _differences(question, _point(question, 0, seed, {}), seed)
    sizes, float64, float32 = _code_errors(question, seed)
    return Errors(steps, one_sided, central, sizes, float64, float32)


def errors(derived: Derivative, *, seed: int = 0) -> Any:
    """Errors of differences against their step, which have the shape of a V, and of the code against the sizes.

    Returns:
        A matplotlib figure; :func:`drawn` makes bytes of it.

    Raises:
        CheckError: where no point inside the domain was found.
        DeviceError: where matplotlib is not installed.
    """
    figure_of, found = _figure(), errors_of(derived, seed=seed)
    figure = figure_of(figsize=(9, 4.2))
    left, right = figure.subplots(1, 2)
    left.loglog(found.steps, found.one_sided, color=_WARM, label="one-sided difference")
    left.loglog(found.steps, found.central, color=_INK, label="central difference")
    if found.float64:
        left.axhline(found.float64[0], color=_COOL, linestyle="--", label="derived code, float64")
    left.set_xlabel("size of the step")
    left.set_title("differences along a random direction", fontsize=9)
    right.loglog(found.sizes, found.float64, color=_INK, marker="o", markersize=3, label="float64")
    right.loglog(found.sizes, found.float32, color=_WARM, marker="o", markersize=3, label="float32")
    right.set_xlabel("every size")
    right.set_title("the derived code", fontsize=9)
    right.set_xticks(list(found.sizes), [str(size) for size in found.sizes], fontsize=7)
    right.minorticks_off()
    for axes in (left, right):
        axes.set_ylabel("relative error")
        axes.grid(visible=True, linewidth=0.3)
        axes.legend(fontsize=8)
    _entitle(figure, derived, {})
    return figure


def drawn(figure: Any, form: str = "svg") -> bytes:
    """A figure as a file's content: svg, png or pdf.

    Raises:
        ParseError: for another format.
    """
    import matplotlib

    if form not in FORMATS:
        raise ParseError(f"no picture is written as {form!r}", why=f"the formats are {', '.join(FORMATS)}")
    content = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[form]
    with matplotlib.rc_context({"svg.hashsalt": "matcalc", "svg.fonttype": "path"}):
        figure.savefig(content, format=form, metadata=undated, dpi=160)
    return content.getvalue()


def form_of(path: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        ParseError: for a name that asks for none.

    >>> form_of(Path("hessian.SVG"))
    'svg'
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise ParseError(
            f"{path.name!r} is no name of a picture", why=f"it ends in {', '.join('.' + each for each in FORMATS)}"
        )
    return form


# --------------------------------------------------------------------------------------------------- the numbers


def _question(derived: Derivative) -> Question:
    if isinstance(derived, Jacobian):
        from matcalc.checking.tensors import question

        return question(linearised(derived))
    return asked_about(derived)


def _point(question: Question, number: int, seed: int, sizes: Mapping[str, int]) -> Point:
    found = point(question, options_from(seed=seed, sizes=sizes), number)
    if isinstance(found, str):
        raise CheckError("no point inside the domain was found", why=found)
    return found


def _matrix(derived: Jacobian, at: Point) -> Any:
    """The tensor from the compiled code, as the matrix of vec."""
    import numpy as np

    inputs = []
    for variable in derived.typed.variables:
        value = at.values[variable.name]
        inputs.append(value[0, 0] if variable.kind == "scalar" else value[:, 0] if variable.kind == "vector" else value)
    tensor = np.asarray(derived.compile("numpy")(*inputs), dtype=float)
    cols = at.values[derived.wrt].size
    return tensor.reshape(tensor.size // cols, cols, order="F")


def _differences(question: Question, at: Point, seed: int) -> tuple[list[float], list[float], list[float]]:
    import mpmath
    import numpy as np

    from matcalc.checking.landscape import QUICK, landscape
    from matcalc.checking.precise import lifted
    from matcalc.checking.subspace import projected
    from matcalc.checking.torch_side import value_along

    rng = np.random.Generator(np.random.PCG64([seed, 91]))
    x = at.values[question.name]
    direction = projected(question.projected, rng.standard_normal(x.shape)) * (float(abs(x).mean()) or 1.0)
    with mpmath.workdps(QUICK.digits):
        land = landscape(question, at, QUICK)
        exact = float(land.slope(lifted({"d": direction})["d"], QUICK.step))
    along, size = value_along(question, at, direction), abs(exact) or 1.0
    steps = [float(h) for h in np.logspace(_LARGEST_STEP, _SMALLEST_STEP, _STEPS)]
    here = along(0.0)
    one_sided = [abs((along(h) - here) / h - exact) / size for h in steps]
    central = [abs((along(h) - along(-h)) / (2 * h) - exact) / size for h in steps]
    return steps, _shown(one_sided), _shown(central)


def _shown(found: Sequence[float]) -> list[float]:
    """What a logarithmic axis can show: an error of nothing as a tenth of a rounding error."""
    return [max(value, 1e-17) for value in found]


def _code_errors(question: Question, seed: int) -> tuple[list[int], list[float], list[float]]:
    from matcalc.checking.points import size_names

    names, chosen = size_names(question), []
    float64, float32 = [], []
    for size in _SIZES if names else (1,):
        options = CheckOptions(seed=seed, sizes=dict.fromkeys(names, size))
        if is_large(question, options):
            break
        at = point(question, options, 0)
        if isinstance(at, Point):
            chosen.append(size)
            float64.append(_code_error(question, at, "float64"))
            float32.append(_code_error(question, at, "float32"))
    return chosen, _shown(float64), _shown(float32)


def _code_error(question: Question, at: Point, dtype: str) -> float:
    import mpmath

    from matcalc.checking.precise import evaluate, lifted
    from matcalc.checking.torch_side import lowered
    from matcalc.expression.nodes import Node

    assert isinstance(question.claimed, Node), "our own derivation is an expression"
    with mpmath.workdps(50):
        exact = evaluate(question.claimed, lifted(at.values, question.variables), at.sizes)
        off = abs(lowered(question, at, dtype, "cpu") - exact).max()
        return float(off / (abs(exact).max() or 1))


# --------------------------------------------------------------------------------------------------- the drawing


def _figure() -> Any:
    """matplotlib's class of figures, which belongs to nobody's session.

    Raises:
        DeviceError: where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DeviceError("matplotlib is not installed", suggestion="pip install 'matcalc-checker[plots]'") from error
    return Figure


def _entitle(figure: Any, derived: Derivative, sizes: Mapping[str, int]) -> None:
    at = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    what = CALLED.get(derived.kind, derived.kind)
    text = textwrap.shorten(f"{what} of {derived.text} by {derived.wrt}", _WIDE, placeholder=" …")
    figure.suptitle(text + (f"   ({at})" if at else ""), fontsize=10, parse_math=False)
    figure.tight_layout()
