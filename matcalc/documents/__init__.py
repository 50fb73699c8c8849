"""Expressions in other notations: LaTeX and SymPy."""
