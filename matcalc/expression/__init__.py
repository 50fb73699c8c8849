"""Expressions: interned nodes, symbolic sizes, the operator record and the constructors."""
