"""Derivations: steps that a reader can follow, each of which was found true in numbers."""
