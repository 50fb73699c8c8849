# ruff: noqa: RUF001  # letters that look like Latin ones are what this file is about
"""Greek letters, which a name may hold, and the Latin words for them."""

from __future__ import annotations

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
    "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "ϵ": "epsilon", "ς": "sigma", "ϑ": "theta", "ϕ": "phi", "ϖ": "pi",
    "ϰ": "kappa", "ϱ": "rho", "µ": "mu", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
"""The Latin spelling of each Greek letter that a name may hold."""


def latin(name: str) -> str:
    """A name with its Greek letters spelled out.

    >>> latin("λ_max")
    'lambda_max'
    """
    return "".join(GREEK.get(letter, letter) for letter in name)
