"""What one run measures, and where."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How much to measure.

    Attributes:
        threads: how many threads, and processors, each competitor has.
        sizes: how many of each problem's sizes, from the small end.
        budget: seconds for the rounds of one row.
        jax: whether JAX is installed.
        torch_compile: whether torch.compile is measured, which compiles for minutes.
        device: where tensors lie.
    """

    threads: int
    sizes: int
    budget: float
    jax: bool
    torch_compile: bool
    device: str = "cpu"

    @property
    def machine(self) -> str:
        """What the numbers depend on."""
        if self.device == "cpu":
            return f"float64, {self.threads} thread{'s' * (self.threads > 1)}"
        import torch

        return f"float64, {torch.cuda.get_device_name(self.device)}, torch {torch.__version__}"

    def finish(self) -> None:
        """Waits for what the device still computes."""
        if self.device != "cpu":
            import torch

            torch.cuda.synchronize(self.device)

    def apply(self) -> None:
        """Gives this process its processors, before anything counts them, and its threads."""
        if hasattr(os, "sched_setaffinity"):
            own = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, own[-self.threads :])
        import torch

        torch.set_num_threads(self.threads)
        if self.jax:
            import jax

            jax.config.update("jax_enable_x64", True)

    def say(self, text: str) -> None:
        """Tells whoever waits how far it is."""
        print(text, file=sys.stderr, flush=True)


def load(threads: int = 0) -> str:
    """How busy the machine is, where that can be told, and what that means for ``threads``."""
    try:
        busy, processors = os.getloadavg()[0], os.cpu_count() or 1
    except OSError:
        return "load unknown"
    said = f"load average {busy:.1f} of {processors} processors"
    if threads > 1 and busy + threads > processors + 0.5:
        said += f": {threads} threads wait for one another and for the rest, so these ratios mean nothing"
    return said
