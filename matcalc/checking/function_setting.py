"""A place at which a Function is looked at, and the measure by which two of its answers are the same.

Once the plain call (contiguous float64 tensors) is verified at points like these, its answers are the truth for every
other way of calling the same Function with the same numbers. Two answers are the same where they differ by no more than
1e-8 of the larger, plus a hundred times what the answer moves by when its inputs move by their own rounding: a
badly conditioned answer is then not held against anybody, and where that exceeds a thousandth nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from matcalc.checking.findings import RIGHT, UNDECIDED, WRONG, Finding
from matcalc.checking.function_claim import FunctionClaim, Outcome, Raised
from matcalc.checking.subspace import projected
from matcalc.checking.tolerance import UNIT
from matcalc.checking.voices import Place

FLOAT = 1e-8
CAST = "precision: right to float32 only, in which a part of it is computed: is something cast inside?"
_SHAKES = 5
_AMPLIFIED = 100.0
_BLURRED = 1e-3
_TINY = 2.0**-30


@dataclass(frozen=True)
class Setting:
    """A Function, a point, and a cotangent.

    Attributes:
        claim: the Function.
        inputs: contiguous float64 tensors (others as they are), by name in the order of its arguments.
        cotangent: of the value's shape.
        wanted: the names by which gradients are asked for.
        seed: decides every direction.
        where: the point, in words.
        onto: by name, the linear subspace in which its values lie, where there is one.
        frozen: whether a part of what is differentiated stays as it is, so that differences tell nothing.
        thin: names whose values lie in a set without interior, so that they cannot be moved by themselves.
    """

    claim: FunctionClaim
    inputs: Mapping[str, Any]
    cotangent: Any
    wanted: tuple[str, ...]
    seed: int = 0
    where: str = ""
    onto: Mapping[str, str] = field(default_factory=dict)
    thin: frozenset[str] = frozenset()
    frozen: bool = False

    @property
    def floating(self) -> tuple[str, ...]:
        """The names of the inputs that can have a gradient."""
        return tuple(name for name, t in self.inputs.items() if t.is_floating_point())

    def with_inputs(self, **changed: Any) -> Setting:
        """The same with other tensors for some names."""
        return replace(self, inputs={**self.inputs, **changed})

    def plain(self) -> Setting:
        """The same numbers in contiguous tensors of their own."""
        inputs = {name: fresh(t) for name, t in self.inputs.items()}
        return replace(self, inputs=inputs, cotangent=fresh(self.cotangent))

    def run(self, **how: Any) -> Outcome:
        """The Function's answer here."""
        return self.claim.run(self.inputs, self.cotangent, self.wanted, **how)

    def direction(self, name: str, generator: Any) -> Any:
        """A random direction in which an input can move."""
        import torch

        drawn = torch.randn(self.inputs[name].shape, dtype=torch.float64, generator=generator)
        return in_subspace(self.onto.get(name, ""), drawn)

    def generator(self) -> Any:
        """A generator of the setting's own."""
        import torch

        return torch.Generator().manual_seed(self.seed + 1)


def in_subspace(subspace: str, values: Any) -> Any:
    """A tensor projected onto what a name is declared to lie in; as it stands where ``subspace`` is ""."""
    import torch

    return torch.from_numpy(projected(subspace, values.numpy())) if subspace else values


def place_of(setting: Setting, name: str) -> Place:
    """The setting as a place of a function, whose rounding can be measured there."""
    names = list(setting.inputs)

    def value(*inputs: Any) -> Any:
        return setting.claim.value(dict(zip(names, inputs, strict=True)))

    return Place(value, list(setting.inputs.values()), names.index(name), setting.cotangent)


def fresh(tensor: Any) -> Any:
    """A contiguous copy."""
    import torch

    return tensor.detach().clone(memory_format=torch.contiguous_format)


def parts(outcome: Outcome) -> Iterator[tuple[str, Any]]:
    """The value and each gradient, with what they are."""
    yield "value", outcome.value
    for name, gradient in outcome.gradients.items():
        yield f"gradient by {name}", gradient


def largest(tensor: Any) -> float:
    """The largest absolute entry; 0 of an empty one, and infinity where one is no number."""
    if not tensor.numel():
        return 0.0
    found = float(tensor.detach().double().abs().max())
    return found if found == found else float("inf")


def spread(setting: Setting) -> dict[str, float]:
    """By how much each part of the answer moves when the inputs move by their own rounding."""
    base = dict(parts(setting.run()))
    found = dict.fromkeys(base, 0.0)
    for turn in _turns(setting):
        for what, moved in parts(_shaken(setting, turn, UNIT).run()):
            found[what] = max(found[what], largest(moved - base[what]))
    return found


def noise(setting: Setting) -> dict[str, float]:
    """How rough each part of the answer is: what is left of f(x + d) + f(x - d) - 2·f(x) is the rounding inside."""
    base = dict(parts(setting.run()))
    found = dict.fromkeys(base, 0.0)
    for turn in _turns(setting):
        ends = [dict(parts(_shaken(setting, turn, unit).run())) for unit in (_TINY, -_TINY)]
        for what, here in base.items():
            found[what] = max(found[what], largest(ends[0][what] + ends[1][what] - 2 * here))
    return found


def _turns(setting: Setting) -> Iterator[dict[str, Any]]:
    import torch

    generator = setting.generator()
    for _ in range(_SHAKES):
        yield {
            n: torch.randn(t.shape, dtype=torch.float64, generator=generator)
            for n, t in setting.inputs.items()
            if t.is_floating_point()
        }


def _shaken(setting: Setting, turn: Mapping[str, Any], unit: float) -> Setting:
    return setting.with_inputs(**{n: setting.inputs[n] * (1 + unit * d) for n, d in turn.items()})


def compared(aspect: str, setting: Setting, says: str, outcome: Outcome, unit: float = FLOAT) -> Finding:
    """Whether an answer is the one that the plain call gives for the same numbers."""
    plain = setting.plain()
    try:
        truth, blur = dict(parts(plain.run())), spread(plain)
    except Raised as raised:
        return Finding(aspect, UNDECIDED, f"{says}: {raised}")
    for what, found in parts(outcome):
        right = truth[what]
        size = max(largest(right), largest(found) if found.shape == right.shape else 0.0)
        room = unit * size + _AMPLIFIED * blur[what]
        if not size < float("inf") or (size and _AMPLIFIED * blur[what] > _BLURRED * size):
            return Finding(aspect, UNDECIDED, f"{says}: the {what} is not finite or ill-conditioned there")
        if found.shape != right.shape:
            shapes = f"shape {tuple(found.shape)} where it is {tuple(right.shape)}"
            return Finding(aspect, WRONG, f"{says}: the {what} has {shapes}", example_of(setting, what, found, right))
        off = largest(found.double() - right.double())
        if off > room:
            apart = f"the {what} is off by {off / size:.1e} relative"
            return Finding(aspect, WRONG, f"{says}: {apart}", example_of(setting, what, found, right))
    return Finding(aspect, RIGHT)


def example_of(setting: Setting, what: str, claimed: Any, expected: Any) -> dict[str, Any]:
    """What a reader needs to see it again, the inputs in the order in which the Function takes them."""
    given = {name: setting.inputs[name] for name in setting.claim.names}
    laid = {name: _layout(t) for name, t in (*given.items(), ("grad_output", setting.cotangent)) if _is_unusual(t)}
    kind = str(setting.cotangent.dtype).removeprefix("torch.")
    return {
        "what": what,
        "seed": setting.seed,
        **({} if kind == "float64" else {"dtype": kind}),
        "inputs": {name: t.tolist() for name, t in given.items()},
        **({"layouts": laid} if laid else {}),
        "cotangent": setting.cotangent.tolist(),
        "claimed": claimed.tolist(),
        "expected": expected.tolist(),
    }


def _is_unusual(tensor: Any) -> bool:
    return not tensor.is_contiguous() or tensor.storage_offset() > 0


def _layout(tensor: Any) -> list[Any]:
    """Shape, strides and offset."""
    return [list(tensor.shape), list(tensor.stride()), tensor.storage_offset()]


def first_of(aspect: str, findings: Iterator[Finding], says: str = "") -> Finding:
    """The first wrong finding; else that it is right, or undecided where none could tell."""
    undecided = None
    right = False
    for found in findings:
        if found.status == WRONG:
            return found
        undecided = undecided or (found if found.status == UNDECIDED else None)
        right = right or found.status == RIGHT
    return Finding(aspect, RIGHT, says) if right else undecided or Finding(aspect, UNDECIDED, "nothing to look at")


def attempt(aspect: str, says: str, other: Setting) -> Finding:
    """The answer to numbers that are stored otherwise: wrong where it differs, and where it raises."""
    try:
        outcome = other.run()
    except Raised as error:
        return _raising(aspect, other, f"{says}: {error}")
    return compared(aspect, other, says, outcome)


def _raising(aspect: str, setting: Setting, says: str) -> Finding:
    """A call that raises is wrong where the plain call with the same numbers does not."""
    try:
        setting.plain().run()
    except Raised:
        return Finding(aspect, UNDECIDED, f"{says}, and so does the plain call with these numbers")
    return Finding(aspect, WRONG, says, _inputs_alone(setting))


def _inputs_alone(setting: Setting) -> dict[str, Any]:
    made = example_of(setting, "", setting.cotangent, setting.cotangent)
    return {key: made[key] for key in ("seed", "dtype", "inputs", "layouts", "cotangent") if key in made}
