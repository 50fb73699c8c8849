"""Jacobians and Hessians asked as questions about gradients, and compared with torch as tensors.

With a new name U of the shape of F, ⟨U, F⟩ is a scalar whose gradient by X is J'·vec U: its witnesses (autograd, and
differences in 90 digits) judge every entry of J at once, at U drawn anew at each point, and never build J. Beside them
stand torch's ``jacrev`` and ``jacfwd`` of the literal lowering, against the tensor that the lowered code returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from matcalc.calculus.readoff import applied
from matcalc.calculus.transpose import transposed_map
from matcalc.checking.devices import DeviceFigures, figures
from matcalc.checking.diagnosis.case import DIGITS, Pair, case_of_pairs
from matcalc.checking.diagnosis.table import diagnosed as diagnosis
from matcalc.checking.points import Point, drawn, is_large, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.testimony import Testimony
from matcalc.checking.torch_side import as_returned, tensor_lowered, tensors_by_torch
from matcalc.checking.verdict import Report
from matcalc.expression import build
from matcalc.expression.nodes import Node
from matcalc.expression.sizes import AnySize, as_integer
from matcalc.lowering.program import Tensor
from matcalc.operators.products import inner
from matcalc.operators.vectorization import unvec, vec

MOST_ENTRIES = 2**18
_AGREE = 1e-7
_DIGITS = 30
_SMALL = 1e-6
_NOTHING = 1e-20
_WAYS = {"autograd": "jacrev", "forward": "jacfwd"}


@dataclass(frozen=True)
class Linearised:
    """What was differentiated, and its Jacobian.

    Attributes:
        expression: F, of any shape.
        name: by which name.
        variables: all names in order.
        linear, direction: the differential, linear in the direction.
        matrix: J with vec dF = J·vec dX, or None where there is no closed form.
        rows, cols: the axes of F and of the name, as torch has them.
        projected: the property onto whose subspace J was projected, or "".
        text: the expression as typed.
        looks: how the value of F looks outside, where F is itself a Jacobian.
    """

    expression: Node
    name: str
    variables: tuple[Node, ...]
    linear: Node
    direction: Node
    matrix: Node | None
    rows: tuple[AnySize, ...]
    cols: tuple[AnySize, ...]
    projected: str = ""
    text: str = ""
    looks: str | Tensor = ""

    @property
    def variable(self) -> Node:
        """The name's node."""
        return next(v for v in self.variables if v.params[0] == self.name)

    def cotangent(self) -> Node:
        """A new name with the shape of F."""
        name = build.new_name("u", {v.params[0] for v in self.variables})
        return build.variable(name, self.expression.shape, "scalar" if self.expression.is_scalar else "matrix")


def question(asked: Linearised, claimed: Node | Callable[..., Any] | None = None) -> Question:
    """Whether a Jacobian holds: a matrix, a function that returns the tensor, or our own derivation."""
    u = asked.cotangent()
    if asked.matrix is None:
        own = transposed_map(asked.linear, asked.direction, u)
    else:
        own = _paired(asked.matrix, u, asked.variable)
    if claimed is None:
        answer: Node | Callable[..., Any] = own
    elif callable(claimed) and not isinstance(claimed, Node):
        answer = _contracted(asked, u, claimed)
    else:
        answer = _paired(claimed, u, asked.variable)
    return Question(
        inner(u, asked.expression), asked.name, (*asked.variables, u), answer,
        projected=asked.projected, text=asked.text, guide=own,
    )  # fmt: skip


def _paired(matrix: Node | None, u: Node, variable: Node) -> Node:
    """The gradient J'·vec U as a matrix of the name's shape."""
    assert matrix is not None, "only a closed form is claimed"
    return unvec(applied(matrix.T, vec(u)), variable.shape)


def _contracted(asked: Linearised, u: Node, claimed: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient that a function of tensors implies, which returns the Jacobian; another shape is passed on."""
    name = u.params[0]

    def gradient(**given: Any) -> Any:
        import torch

        cotangent, x = given.pop(name), given[asked.name]
        tensor = as_returned(claimed(**given))
        rows = tensor.shape[: tensor.ndim - x.ndim]
        fits = len(rows) == len(asked.rows) and prod(rows) == cotangent.numel()
        if tensor.ndim < x.ndim or tensor.shape[len(rows) :] != x.shape or not fits:
            return tensor
        by_columns = tensor.permute(*reversed(range(len(rows))), *range(len(rows), tensor.ndim))  # as vec takes them
        turned = cotangent.mT if cotangent.ndim > 1 else cotangent
        return torch.tensordot(turned.reshape(-1).to(tensor.dtype), by_columns.reshape(-1, *x.shape), dims=1)

    gradient.behind = claimed  # type: ignore[attr-defined]  # what is watched is somebody's function, not this sum
    return gradient


# --------------------------------------------------------------------------------------------- what torch says


def with_torch(
    asked: Linearised,
    report: Report,
    options: CheckOptions,
    lowered: Callable[..., Any],
    scalar: Node | None,
    *,
    symmetric: bool = False,
) -> Report:
    """The report, after the tensor that the ``lowered`` code returns was held against torch's own.

    ``scalar`` is the function whose Hessian this is, where ``torch.func.hessian`` can be asked for it; a ``symmetric``
    tensor is the same with its first half of axes and its second exchanged.
    """
    if not report.ok:
        return report
    asks = question(asked)
    worst: dict[str, float] = {}
    said: dict[str, None] = {}
    uneven, fares = 0.0, DeviceFigures()
    for at in _points(asks, options):
        entries = prod(as_integer(size, at.sizes) for size in (*asked.rows, *asked.cols))
        if entries > MOST_ENTRIES:
            said[f"the tensor has {entries} entries: products with it were compared, and it was never built"] = None
            continue
        floor = 0.0 if is_large(asks, options) else _floor(asks, at)
        theirs, silent = tensors_by_torch(asked, at, scalar)
        said.update(dict.fromkeys(silent))
        mine = tensor_lowered(lowered, asked, at, "float64", "cpu")
        if symmetric:
            uneven = max(uneven, _relative(mine, _turned(mine), floor))
        for who, tensor in theirs.items():
            worst[who] = max(worst.get(who, 0.0), _relative(mine, tensor, floor))
        unit = max(float(abs(mine).max(initial=0.0)), floor) or 1.0
        fares |= figures(
            lambda t, d, at=at: tensor_lowered(lowered, asked, at, t, d),  # type: ignore[misc]  # at is bound at once
            report.devices, options.dtypes, mine, unit,
        )  # fmt: skip
    if not uneven <= _AGREE:
        return replace(report, verdict="inconclusive", reason=f"the lowered Hessian is unsymmetric by {uneven:.1e}")
    if symmetric and worst:
        said["the Hessian is symmetric"] = None
    return _judged(report, worst, fares, (*said, *fares.silent))


def _points(asks: Question, options: CheckOptions) -> Iterator[Point]:
    draw = drawn if is_large(asks, options) else None
    for number in range(options.trials):
        at = point(asks, options, number) if draw is None else draw(asks, options, number, 0)
        if isinstance(at, Point):
            yield at


def _judged(report: Report, errors: Mapping[str, float], fares: DeviceFigures, said: tuple[str, ...]) -> Report:
    """Verified where one of torch's ways agrees; the code is in doubt where none does."""
    far = {who: error for who, error in errors.items() if not error <= _AGREE}
    if errors and len(far) == len(errors):
        reason = f"the formula holds, but the lowered tensor differs from torch's by {min(far.values()):.1e}"
        return replace(report, verdict="inconclusive", reason=reason)
    if not (fares.difference64 or 0.0) <= _AGREE:
        reason = f"the lowered tensor differs between devices by {fares.difference64:.1e} in float64"
        return replace(report, verdict="inconclusive", reason=reason)
    near_ones = [who for who in errors if who not in far]
    agree = f"torch.func {', '.join(near_ones)} agree{'s' * (len(near_ones) == 1)} with the whole tensor"
    kept = (*([agree] if near_ones else []), *said)
    odd = tuple(f"torch.func.{who} differs by {error:.1e} where the others agree" for who, error in far.items())
    near = max((error for who, error in errors.items() if who not in far), default=0.0)
    whole = fares | DeviceFigures(report.float32_error, report.device_difference)
    return replace(
        report,
        max_error=max(report.max_error or 0.0, near),
        float32_error=whole.float32_error,
        device_difference=whole.difference,
        witnesses=tuple(dict.fromkeys((*report.witnesses, *kept, *odd))),
        odd_one_out=report.odd_one_out or (f"torch.func.{next(iter(far))}" if far else ""),
        testimonies=tuple(_with_tensor(each, errors, far) for each in report.testimonies),
    )


def _with_tensor(heard: Testimony, errors: Mapping[str, float], far: Mapping[str, float]) -> Testimony:
    """A mode of torch, with what it says of the whole tensor."""
    way = _WAYS.get(heard.witness, "")
    if way not in errors:
        return heard
    error = max(heard.error or 0.0, errors[way])
    if way in far:
        return replace(heard, agrees=False, says=f"torch.func.{way} differs by {errors[way]:.1e}", error=error)
    says = f"{heard.says}; torch.func.{way} agrees with the whole tensor to {errors[way]:.1e}"
    return replace(heard, says=says, error=error)


def _floor(asks: Question, at: Point) -> float:
    """The size below which a derivative is rounding: a millionth of the values on the way over the name's length."""
    import mpmath

    with mpmath.workdps(_DIGITS):
        memo: dict[Node, Any] = {}
        evaluate(asks.expression, lifted(at.values, asks.variables), at.sizes, memo)
        largest = float(max((abs(v).max() for v in memo.values()), default=0))
    return _SMALL * largest / (float(abs(at.values[asks.name]).max()) or 1.0)


def _turned(tensor: Any) -> Any:
    """The tensor with the two halves of its axes exchanged."""
    half = tensor.ndim // 2
    return tensor.transpose(*range(half, tensor.ndim), *range(half))


def _relative(mine: Any, theirs: Any, floor: float = 0.0) -> float:
    import numpy as np

    if mine.shape != theirs.shape:
        return float("inf")
    size = max(float(np.abs(theirs).max(initial=0.0)), float(np.abs(mine).max(initial=0.0)), floor) or 1.0
    return float(np.abs(mine - theirs).max(initial=0.0)) / size


# ------------------------------------------------------------------------------------------------ a wrong claim


def _pairs(
    asked: Linearised, claimed: Node | Callable[..., Any], truth: Node, options: CheckOptions
) -> list[tuple[Point, Pair]]:
    """Claim and truth at each point: as they are written, or as tensors where the claim is a function."""
    import mpmath

    found = []
    for at in _points(question(asked), options):
        with mpmath.workdps(DIGITS):
            exact = lifted(at.values, asked.variables)
            right = evaluate(truth, exact, at.sizes)
            if isinstance(claimed, Node):
                said = evaluate(claimed, exact, at.sizes)
            else:
                said = tensor_lowered(claimed, asked, at, "float64", "cpu")
                right = _as_tensor(asked, right, at)
        found.append((at, Pair(said, right, 0.0)))
    return found


def _as_tensor(asked: Linearised, matrix: Any, at: Point) -> Any:
    axes = tuple(as_integer(size, at.sizes) for size in (*asked.rows, *asked.cols))
    return matrix.reshape(axes, order="F")


def diagnosed(
    asked: Linearised,
    claimed: Node | Callable[..., Any],
    truth: Node,
    report: Report,
    options: CheckOptions,
    what: str = "Jacobian",
) -> Report:
    """A refuted report about the Jacobians themselves, not about the gradient that stood for them.

    Where they agree at the usual points, they are looked at in the sizes of the gradient's counterexample.
    """
    failed = (report.counterexample or {}).get("sizes", {})
    seen: list[tuple[Point, Pair]] = []
    for sizes in (options.sizes, {**options.sizes, **failed}):
        seen += _pairs(asked, claimed, truth, replace(options, sizes=sizes))
        floats = [(at, _in_floats(p)) for at, p in seen]
        wrong = next(((at, p) for at, p in floats if not _relative(p.claimed, p.truth) <= _AGREE), None)
        if wrong is not None:
            break
    else:
        says = report.diagnosis or "no simple relation found"
        return replace(report, verdict="refuted", diagnosis=says, claimed=True)
    at, first = wrong
    example = {
        **at.example(options.seed, [v.params[0] for v in asked.variables]),
        "claimed": first.claimed.tolist(),
        "expected": first.truth.tolist(),
    }
    is_text = isinstance(claimed, Node)
    asks = Question(asked.expression, asked.name, asked.variables, claimed, truth, asked.projected, asked.text)
    case = case_of_pairs(
        asks, _telling(seen), floats=not is_text, what=what, axes=(asked.rows, asked.cols),
        shaped=None if is_text else lambda matrix, at: _as_tensor(asked, matrix, at),
        call=None if isinstance(claimed, Node) else lambda at: tensor_lowered(claimed, asked, at, "float64", "cpu"),
    )  # fmt: skip
    said = diagnosis(case)
    return replace(
        report, verdict="refuted", counterexample=example, diagnosis=said.says, relation=said.relation,
        residual=said.residual, claimed=True,
    )  # fmt: skip


def _in_floats(pair: Pair) -> Pair:
    return Pair(pair.claimed.astype(float), pair.truth.astype(float), pair.value)


def _telling(seen: list[tuple[Point, Pair]]) -> list[tuple[Point, Pair]]:
    """The points at which either is not zero, and not all sizes are 1; all where there are none."""
    kept = [(at, p) for at, p in seen if max(abs(p.claimed).max(), abs(p.truth).max()) > _NOTHING]
    varied = [(at, p) for at, p in kept if max(at.sizes.values(), default=2) > 1]
    return varied or kept or seen
