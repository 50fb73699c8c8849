"""``python -m benchmarks [KIND …]``: the tables, every ratio measured interleaved in one run."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from benchmarks.settings import Settings, load

KINDS = ("gradient", "hessian", "jacobian", "derivation")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"which of {', '.join(KINDS)}; all of them by default")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts, each in its own process")
    parser.add_argument("--sizes", type=int, default=3, help="how many of each problem's sizes, from the small end")
    parser.add_argument("--budget", type=float, default=2.0, help="seconds for the rounds of one row")
    parser.add_argument("--no-jax", action="store_true", help="leave JAX out")
    parser.add_argument("--torch-compile", action="store_true", help="with torch.compile, which compiles for minutes")
    parser.add_argument("--plot", type=Path, help="a folder for pictures; needs matplotlib")
    parser.add_argument("--here", action="store_true", help="measure in this process, with the first thread count")
    parser.add_argument("--device", default="cpu", help="where tensors lie, as cuda; of the gradients alone")
    given = parser.parse_args()
    unknown = set(given.kinds) - set(KINDS)
    if unknown:
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    if given.device != "cpu" and (given.kinds or list(KINDS)) != ["gradient"]:
        parser.error("on another device gradients alone are measured: python -m benchmarks gradient --device cuda")
    return given


def main() -> None:
    """Starts a process for each thread count; each prints its tables."""
    given = _arguments()
    if given.here:
        _measure(given)
        return
    for threads in given.threads:
        print(f"{threads} thread{'s' * (threads > 1)}, {load(threads)}\n", flush=True)
        rest = [word for word in sys.argv[1:] if word != "--here"]
        command = [sys.executable, "-m", "benchmarks", *rest, "--here", "--threads", str(threads)]
        subprocess.run(command, check=True)  # noqa: S603  this very program
    print(f"afterwards {load()}")


def _measure(given: argparse.Namespace) -> None:
    has_jax = not given.no_jax and importlib.util.find_spec("jax") is not None
    settings = Settings(given.threads[0], given.sizes, given.budget, has_jax, given.torch_compile, given.device)
    settings.apply()
    for kind in given.kinds or KINDS:
        for number, table in enumerate(importlib.import_module(f"benchmarks.{kind}").tables(settings)):
            print(table.markdown(), flush=True)
            if given.plot is not None:
                given.plot.mkdir(parents=True, exist_ok=True)
                table.plot(given.plot / f"{kind}-{number}-{settings.threads}.svg")


if __name__ == "__main__":
    main()
