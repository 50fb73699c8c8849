"""A derivation: numbered steps, each a line that was found true, and how they are printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from matcalc.documents.derivation.words import escaped_words, markdown_words
from matcalc.expression.nodes import Node


@dataclass(frozen=True)
class Written:
    """A side of a line: its text, its LaTeX, and its node where it is one expression."""

    text: str
    latex: str
    node: Node | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Reason:
    """Why a line holds: the rule in words, its formula where it has one, and where it is published.

    ``says`` is a formula in the expression language alone.
    """

    words: str
    formula: Written | None = None
    source: str = ""
    says: str = ""

    @property
    def text(self) -> str:
        """The rule with its formula."""
        stated = self.formula.text if self.formula else self.says
        return f"{self.words}: {stated}" if stated else self.words

    @property
    def markdown(self) -> str:
        """The same for text in which mathematics stands between dollars."""
        stated = f"${self.formula.latex}$" if self.formula else f"`{self.says}`" if self.says else ""
        return f"{markdown_words(self.words)}: {stated}" if stated else markdown_words(self.words)


@dataclass(frozen=True)
class Step:
    """A line of a derivation.

    Attributes:
        number: from 1.
        level: the coarsest detail at which the line is shown: brief, normal or every-step.
        kind: ``equality``, ``identification`` (a differential read off as a derivative), ``definition`` (a quantity
            is given a name) or ``recursion`` (an equality for every k of a range).
        head: the left side.
        before, after: the expression before the step, and after it.
        reasons: the rules, each in words, with its formula and its source.
        where: the subexpression that the rules were applied to, as text.
        continues: whether the left side is that of the line before, which is then not written again.
        instances: of a recursion, k and the line for it, for every k.
    """

    number: int
    level: str
    kind: str
    head: Written
    before: Written
    after: Written
    reasons: tuple[Reason, ...]
    where: str
    continues: bool = False
    instances: tuple[tuple[int, Step], ...] = ()

    @property
    def rule(self) -> str:
        """The rule's name in words; of several rules, their names."""
        return "; ".join(dict.fromkeys(reason.words for reason in self.reasons))

    @property
    def source(self) -> str:
        """Where the rules are published."""
        places: dict[str, dict[str, None]] = {}
        for one in (one for reason in self.reasons for one in reason.source.split("; ") if one):
            work, *parts = one.split(", ")
            places.setdefault(work, {}).update(dict.fromkeys(parts))
        return "; ".join(", ".join([work, *found]) for work, found in places.items())

    @property
    def because(self) -> str:
        """The rules with their formulas, as text."""
        return "; ".join(dict.fromkeys(reason.text for reason in self.reasons))

    @property
    def text(self) -> str:
        """The line in the expression language."""
        return f"{self.head} = {self.after}{self._range()}"

    def latex(self) -> str:
        """The line in LaTeX, for math mode."""
        return f"{self.head.latex} = {self.after.latex}{self._range(latex=True)}"

    def to_dict(self) -> dict[str, Any]:
        """What JSON shows of it."""
        return {
            "number": self.number,
            "kind": self.kind,
            "rule": self.rule,
            "because": self.because,
            "source": self.source,
            "where": self.where,
            "before": self.before.text,
            "after": self.after.text,
            "text": self.text,
            "latex": self.latex(),
        }

    @property
    def row(self) -> str:
        """The line in LaTeX, as a row of an aligned environment with the rule on the right."""
        head = "" if self.continues else f"{self.head.latex} "
        return rf"{head}&= {self.after.latex}{self._range(latex=True)} && \text{{{escaped_words(self.rule)}}}"

    @property
    def indented(self) -> str:
        """The line as text, a left side that does not change left out."""
        let = "let " if self.kind == "definition" else ""
        head = " " * len(str(self.head)) if self.continues else f"{let}{self.head}"
        return f"{head} = {self.after}{self._range()}"

    def _range(self, *, latex: bool = False) -> str:
        if not self.instances:
            return ""
        ks = [str(k) for k, _ in self.instances]
        gap = r"\dots" if latex else "…"
        inner = ", ".join(ks if len(ks) < 4 else [ks[0], gap, ks[-1]])
        return rf",\quad k = {inner}" if latex else f" for k = {inner}"


@dataclass(frozen=True)
class Derivation:
    """The steps of a derivation, every line of which was found true in numbers.

    Attributes:
        title: what is derived, in words before, the expression, and words after it.
        given: the declarations of the names.
        steps: the lines.
        detail: brief, normal or every-step.
        points: at how many points the lines were evaluated.
    """

    title: tuple[str, Written, str]
    given: str
    steps: tuple[Step, ...]
    detail: str
    points: int

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Step:
        return self.steps[index]

    def __str__(self) -> str:
        return self.text()

    @property
    def checked(self) -> str:
        """What was done to find the lines true."""
        return f"Every line was found true at {self.points} points in 90 digits."

    def text(self) -> str:
        """The numbered lines with their reasons, for a terminal."""
        wide = len(f"({len(self.steps)})")
        before, statement, after = self.title
        lines = [f"{before} {statement} {after}", *([f"Given {self.given}."] if self.given else []), ""]
        for step in self.steps:
            source = f" [{step.source}]" if step.source else ""
            lines.append(f"{f'({step.number})':>{wide}}  {step.indented}")
            lines.append(f"{'':{wide}}      {step.because}{source}")
        return "\n".join([*lines, "", self.checked]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """What JSON shows of it."""
        before, statement, after = self.title
        return {
            "title": f"{before} {statement} {after}",
            "given": self.given,
            "detail": self.detail,
            "checked": self.checked,
            "steps": [step.to_dict() for step in self.steps],
        }

    def latex(self) -> str:
        r"""The body of an ``align*`` environment: a row for every line, its rule on the right."""
        return " \\\\\n".join(step.row for step in self.steps) + "\n"

    def markdown(self) -> str:
        """The lines as a numbered list, mathematics between dollars."""
        before, statement, after = self.title
        lines = [f"{markdown_words(before)} ${statement.latex}$ {markdown_words(after)}", ""]
        for step in self.steps:
            because = "; ".join(dict.fromkeys(reason.markdown for reason in step.reasons))
            source = f" ({markdown_words(step.source)})" if step.source else ""
            number = f"{step.number}. "
            lines += [f"{number}{because}{source}", "", f"{'':{len(number)}}$$ {step.latex()} $$", ""]
        return "\n".join([*lines, self.checked]) + "\n"
