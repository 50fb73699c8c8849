"""What the witnesses are asked about: a question, and the points at which the claim was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matcalc.checking.devices import settings
from matcalc.checking.points import Point
from matcalc.checking.question import CheckOptions, Question
from matcalc.checking.torch_side import versions
from matcalc.expression.nodes import Node

if TYPE_CHECKING:
    from matcalc.checking.judgement import Judgement


@dataclass(frozen=True)
class Seen:
    """The claim at one point.

    Attributes:
        number: which trial.
        at: the point.
        claimed: what the claim says there, in floats.
        value: the function's value.
        largest: the largest value on the way to it.
        auto: torch's gradient there.
        judgement: what differences in many digits say; None at sizes that are too large for them.
        given: whether somebody chose the point.
    """

    number: int
    at: Point
    claimed: Any
    value: float
    largest: float
    auto: Any
    judgement: Judgement | None = None
    given: bool = False


@dataclass(frozen=True)
class Evidence:
    """A question, how it is checked, and the points that count."""

    question: Question
    options: CheckOptions
    points: tuple[Seen, ...]


def circumstances(
    question: Question, options: CheckOptions, devices: tuple[str, ...], discarded: tuple[str, ...]
) -> dict[str, Any]:  # fmt: skip
    """What a report says of its check whatever came out, by the names of the report's fields."""
    return {
        "devices": devices,
        "dtypes": options.dtypes,
        "seed": options.seed,
        "discarded": discarded,
        "versions": versions(),
        "settings": settings(devices),
        "claimed": question.truth is not None or not isinstance(question.claimed, Node),
    }
