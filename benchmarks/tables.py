"""Tables in Markdown, and plots of them where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """Rows of ratios over one competitor, and that one's own time.

    Attributes:
        title: what was measured, with threads.
        unit: the competitor that the ratios are over, or "ms" where the cells are milliseconds.
        columns: the competitors.
        rows: a label to a value for each competitor; None where it cannot do it.
        seconds: a row's label to the time of the competitor that the ratios are over.
        notes: sentences under the table.
    """

    title: str
    unit: str
    columns: Sequence[str]
    rows: Mapping[str, Mapping[str, float | None]]
    seconds: Mapping[str, float] | None = None
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """The table as Markdown."""
        own = [] if self.seconds is None else [self.unit]
        lines = [f"### {self.title}", "", _row(["problem", *own, *self.columns])]
        lines.append(_row(["---", *["---:"] * (len(own) + len(self.columns))]))
        for label, cells in self.rows.items():
            times = [] if self.seconds is None else [_time(self.seconds[label])]
            lines.append(_row([label, *times, *(_cell(cells.get(name)) for name in self.columns)]))
        return "\n".join([*lines, "", *self.notes, *([""] if self.notes else [])])

    def plot(self, path: Path) -> None:
        """A picture of the table: one line a competitor, one place a row, logarithmic."""
        from matplotlib import pyplot  # an extra: only plots need it

        figure, axes = pyplot.subplots(figsize=(2 + 0.4 * len(self.rows), 5), layout="constrained")
        labels = list(self.rows)
        for name in self.columns:
            values = [self.rows[label].get(name) for label in labels]
            axes.plot(labels, [float("nan") if v is None else v for v in values], marker="o", label=name)
        axes.set_yscale("log")
        axes.set_ylabel(self.unit if self.seconds is None else f"time over {self.unit}")
        axes.set_title(self.title)
        axes.tick_params(axis="x", rotation=90)
        axes.legend()
        figure.savefig(path)
        pyplot.close(figure)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _time(seconds: float) -> str:
    for unit, scale in (("µs", 1e6), ("ms", 1e3)):
        if seconds * scale < 1000:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"
