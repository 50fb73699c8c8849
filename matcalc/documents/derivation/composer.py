"""Puts moves together to the lines of one detail, and holds every line against numbers before it is a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from matcalc.calculus.moves import DETAILS, Line, Move
from matcalc.documents.derivation.reasons import reasons_of
from matcalc.documents.derivation.record import Reason, Step, Written
from matcalc.documents.derivation.witness import DIGITS, Witness
from matcalc.documents.derivation.writing import Writer
from matcalc.errors import CheckError
from matcalc.expression.nodes import Node

Claim = Callable[[Witness], tuple[Any, Any]]
"""The two values that are equal where a line is true."""


class FalseLineError(CheckError):
    """A line of a derivation is false."""


@dataclass
class Composer:
    """Collects the lines of a derivation, in order."""

    writer: Writer
    detail: str
    drafts: list[tuple[Step, Claim]] = field(default_factory=list)

    def chain(
        self, head: Written, start: Line, moves: Iterable[Move], first: Sequence[Reason] = (), last: Line | None = None
    ) -> Line:
        """A chain of equal lines: the start (with its reasons, unless it stands there already), and what moves make.

        Returns the last line; ``last``, or the start, where there are no moves.
        """
        if first:
            shown = self.writer.line(start)
            where = shown.text
            self.add("equality", "brief", head, shown, first, where, lambda w: (w.sum_of(start), w.sum_of(start)))
        rank, waiting, line = DETAILS.index(self.detail), list[Move](), last or start
        for move in moves:
            waiting.append(move)
            if DETAILS.index(move.detail) > rank:
                continue
            line = move.line
            self._add_moves(head, start, waiting)
            waiting = []
        return waiting[-1].line if waiting else line

    def _add_moves(self, head: Written, start: Line, moves: Sequence[Move]) -> None:
        line = moves[-1].line
        shown = self.writer.line(line)
        if self.drafts and self.drafts[-1][0].head == head and self.drafts[-1][0].after.text == shown.text:
            return  # nothing that a reader would see has changed
        where = ", ".join(dict.fromkeys(self.writer.written(move.where).text for move in moves))
        claim: Claim = lambda w: (w.sum_of(start), w.sum_of(line))  # noqa: E731  a name for the type checker
        self.add("equality", moves[-1].detail, head, shown, reasons_of(moves), where, claim)

    def add(
        self, kind: str, level: str, head: Written, after: Written, reasons: Sequence[Reason], where: str, claim: Claim,
        before: Written | None = None,
    ) -> None:  # fmt: skip
        """One line."""
        last = self.drafts[-1][0] if self.drafts else None
        continues = last is not None and last.head == head and kind == "equality"
        if before is None:
            before = last.after if continues and last is not None else head
        step = Step(len(self.drafts) + 1, level, kind, head, before, after, tuple(reasons), where, continues)
        self.drafts.append((step, claim))

    def hold(self, claim: Claim) -> None:
        """Has the last line hold one more thing."""
        step, before = self.drafts[-1]

        def both(w: Witness) -> tuple[Any, Any]:
            import numpy as np

            pairs = [before(w), claim(w)]
            return tuple(np.concatenate([np.ravel(pair[side]) for pair in pairs]) for side in (0, 1))  # type: ignore[return-value]

        self.drafts[-1] = (step, both)

    def identify(self, head: Written, node: Node, reason: Reason, before: Written, claim: Claim) -> None:
        """A derivative read off a differential."""
        self.add("identification", "brief", head, self.result(node), [reason], before.text, claim, before)

    def result(self, node: Node) -> Written:
        """A derivative, as it is printed of a result: a direction is a name as others are."""
        return replace(self.writer, moving=frozenset()).written(node)

    def steps(self, witnesses: Sequence[Witness]) -> tuple[Step, ...]:
        """The lines, each held against the numbers.

        Raises:
            CheckError: for a line that is false; none is printed then.
        """
        import mpmath

        with mpmath.workdps(DIGITS):
            for step, claim in self.drafts:
                for witness in witnesses:
                    if not witness.agree(*claim(witness)):
                        raise FalseLineError(
                            f"line ({step.number}) of the derivation is false: {step.text}",
                            why=f"the step was {step.because}, applied to {step.where}",
                        )
        return tuple(step for step, _ in self.drafts)
