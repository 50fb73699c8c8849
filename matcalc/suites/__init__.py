"""Suites: many claims from files, each checked in a worker process, so that one that fails fails alone."""
