"""Lowering: from an expression to a program, and from a program to a target's text."""
