"""Whole-process times of the command line over the imports that it needs, as ratios measured in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

MAIN = [sys.executable, "-m", "matcalc.cli.main", "grad", "x.T*A*x - b.T*x", "--wrt", "x"]
PAIRS = {
    "grad --no-check over import sympy (at most 2)": ([*MAIN, "--no-check"], "import sympy"),
    "grad over import sympy, torch (at most 1.5)": (MAIN, "import sympy, torch"),
}


def seconds(command: list[str]) -> float:
    """The wall time of one run."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  fixed commands of this interpreter
    return time.perf_counter() - began


def main() -> None:
    """Prints the medians of interleaved runs and their ratios."""
    for name, (ours, imports) in PAIRS.items():
        theirs = [sys.executable, "-c", imports]
        runs = [(seconds(ours), seconds(theirs)) for _ in range(7)]
        mine, base = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name}: {mine:.2f} s / {base:.2f} s = {mine / base:.2f}")


if __name__ == "__main__":
    main()
