"""Suites: many claims from TOML, each checked in a process of its own choosing to fail alone."""
